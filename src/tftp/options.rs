//! Option negotiation: what a client asks for and what it gets (RFC 2347, 2348, 2349, 7440). No I/O.

use std::time::Duration;

use super::packet::{Packet, RawOption};

/// The longest pause between retransmissions that a client is granted, in seconds; libcurl asks for 6.
const PATIENCE: u8 = 30;

/// The block size without negotiation (RFC 1350 §2).
const PLAIN_BLOCK: u16 = 512;

/// The options of a request that make sense; an unknown name or a value outside its range is as if not sent (RFC 2347).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requested {
    /// `blksize`, 8 to 65464 bytes (RFC 2348).
    pub block_size: Option<u16>,
    /// `tsize`: the client wants to know the size of the file (RFC 2349).
    pub transfer_size: bool,
    /// `timeout`, 1 to 255 seconds (RFC 2349).
    pub timeout: Option<u8>,
    /// `windowsize`, 1 to 65535 blocks (RFC 7440).
    pub window: Option<u16>,
}

impl Requested {
    /// Reads the options of a request; of an option sent twice the first counts.
    #[must_use]
    pub fn read(options: &[RawOption<'_>]) -> Self {
        let mut requested = Self::default();
        for (name, value) in options {
            let Some(value) = number(value) else { continue };
            match name.to_ascii_lowercase().as_slice() {
                b"blksize" => first(&mut requested.block_size, in_range(value, 8, 65464)),
                b"timeout" => first(&mut requested.timeout, in_range(value, 1, 255)),
                b"windowsize" => first(&mut requested.window, in_range(value, 1, 65535)),
                b"tsize" => requested.transfer_size = true,
                _ => {}
            }
        }
        requested
    }

    /// What the client gets, within `limits`. `transfer_size` is the size in bytes as sent, if it is known.
    ///
    /// A size of 0 is not told: libcurl takes it for an error (71, illegal operation).
    #[must_use]
    pub fn accept(&self, limits: Limits, transfer_size: Option<u64>) -> Accepted {
        Accepted {
            block_size: self.block_size.map(|size| size.min(limits.block_size)),
            transfer_size: transfer_size.filter(|size| self.transfer_size && *size > 0),
            // A longer wait is not granted: it would hold a place that costs its holder one packet.
            timeout: self.timeout.filter(|seconds| *seconds <= PATIENCE),
            window: self.window.map(|blocks| blocks.min(limits.window)),
        }
    }
}

/// The most that a client gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest block in bytes, at least 8.
    pub block_size: u16,
    /// The largest window in blocks, at least 1.
    pub window: u16,
}

/// The options of one transfer as the server grants them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    block_size: Option<u16>,
    transfer_size: Option<u64>,
    timeout: Option<u8>,
    window: Option<u16>,
}

impl Accepted {
    /// Bytes in a full block.
    #[must_use]
    pub fn block_size(&self) -> u16 {
        self.block_size.unwrap_or(PLAIN_BLOCK)
    }

    /// Blocks that may be sent before an acknowledgement is due.
    #[must_use]
    pub fn window(&self) -> u16 {
        self.window.unwrap_or(1)
    }

    /// The pace of retransmission that the client has asked for.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// The OACK packet; `None` if nothing was accepted and the transfer is one of RFC 1350.
    #[must_use]
    pub fn option_ack(&self) -> Option<Vec<u8>> {
        let values = [
            ("blksize", self.block_size.map(u64::from)),
            ("tsize", self.transfer_size),
            ("timeout", self.timeout.map(u64::from)),
            ("windowsize", self.window.map(u64::from)),
        ];
        let texts: Vec<(&str, String)> =
            values.into_iter().filter_map(|(name, value)| Some((name, value?.to_string()))).collect();
        if texts.is_empty() {
            return None;
        }
        let options = texts.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        Some(Packet::OptionAck(options).to_bytes())
    }
}

fn number(text: &[u8]) -> Option<u64> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn in_range<T: TryFrom<u64>>(value: u64, least: u64, most: u64) -> Option<T> {
    if (least..=most).contains(&value) { T::try_from(value).ok() } else { None }
}

fn first<T>(slot: &mut Option<T>, value: Option<T>) {
    if slot.is_none() {
        *slot = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { block_size: 1468, window: 64 };

    fn requested(options: &[(&str, &str)]) -> Requested {
        let raw: Vec<RawOption> = options.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        Requested::read(&raw)
    }

    #[test]
    fn the_four_options_are_read_without_case() {
        let options = [("BLKSIZE", "1428"), ("TSize", "0"), ("timeout", "6"), ("windowSize", "16")];
        let expected = Requested { block_size: Some(1428), transfer_size: true, timeout: Some(6), window: Some(16) };
        assert_eq!(requested(&options), expected);
    }

    #[test]
    fn values_outside_their_range_are_as_if_not_sent() {
        for value in ["7", "65465", "0", "-1", "+512", "", "4096x", "99999999999999999999999"] {
            assert_eq!(requested(&[("blksize", value)]), Requested::default(), "blksize {value}");
        }
        for (name, value) in [("timeout", "0"), ("timeout", "256"), ("windowsize", "0"), ("windowsize", "65536")] {
            assert_eq!(requested(&[(name, value)]), Requested::default(), "{name} {value}");
        }
    }

    #[test]
    fn the_ends_of_the_ranges_are_accepted() {
        assert_eq!(requested(&[("blksize", "8")]).block_size, Some(8));
        assert_eq!(requested(&[("blksize", "65464")]).block_size, Some(65464));
        assert_eq!(requested(&[("timeout", "255")]).timeout, Some(255));
        assert_eq!(requested(&[("windowsize", "65535")]).window, Some(65535));
    }

    #[test]
    fn of_an_option_sent_twice_the_first_counts() {
        assert_eq!(requested(&[("blksize", "1024"), ("blksize", "512")]).block_size, Some(1024));
    }

    #[test]
    fn block_and_window_are_cut_down_to_the_limits() {
        let accepted = requested(&[("blksize", "65464"), ("windowsize", "65535")]).accept(LIMITS, Some(10));
        assert_eq!((accepted.block_size(), accepted.window()), (1468, 64));
        assert_eq!(accepted.option_ack().expect("an OACK"), b"\0\x06blksize\x001468\0windowsize\x0064\0");
    }

    #[test]
    fn without_options_there_is_no_option_ack() {
        let accepted = requested(&[("multicast", "")]).accept(LIMITS, Some(10));
        assert_eq!((accepted.block_size(), accepted.window(), accepted.option_ack()), (512, 1, None));
    }

    #[test]
    fn the_size_is_told_only_if_asked_for_known_and_not_zero() {
        let asked = requested(&[("tsize", "0")]);
        assert_eq!(asked.accept(LIMITS, Some(10)).option_ack().expect("an OACK"), b"\0\x06tsize\x0010\0");
        assert_eq!(asked.accept(LIMITS, None).option_ack(), None);
        assert_eq!(asked.accept(LIMITS, Some(0)).option_ack(), None);
        assert_eq!(requested(&[]).accept(LIMITS, Some(10)).option_ack(), None);
    }
}
