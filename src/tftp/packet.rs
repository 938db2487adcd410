//! The packets of TFTP, both ways: bytes to `Packet` and back (RFC 1350 §5, RFC 2347). No I/O, no state.

/// An option as it stands in a packet: its name and its value, both without the closing NUL (RFC 2347).
pub type RawOption<'a> = (&'a [u8], &'a [u8]);

/// One TFTP packet; texts and payloads are borrowed from the datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// RRQ, opcode 1: the client wants a file.
    Read(Request<'a>),
    /// WRQ, opcode 2: the client brings a file.
    Write(Request<'a>),
    /// DATA, opcode 3.
    Data {
        /// The number of the block, from 1, modulo 65536.
        block: u16,
        /// A full block, or less in the last one.
        payload: &'a [u8],
    },
    /// ACK, opcode 4.
    Ack {
        /// The number of the last block received in order.
        block: u16,
    },
    /// ERROR, opcode 5.
    Error {
        /// What went wrong.
        code: ErrorCode,
        /// The same for people, without the closing NUL.
        text: &'a [u8],
    },
    /// OACK, opcode 6: the options that the server accepts (RFC 2347).
    OptionAck(Vec<RawOption<'a>>),
}

/// The body of RRQ and WRQ; the bytes are the client's own, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// The file name.
    pub name: &'a [u8],
    /// The transfer mode in any mixture of cases; see [`Mode::named`].
    pub mode: &'a [u8],
    /// The options in the client's order (RFC 2347).
    pub options: Vec<RawOption<'a>>,
}

/// How the bytes of a file are sent (RFC 1350 §1). The obsolete `mail` is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As they are.
    Octet,
    /// As text with the line ends of RFC 764.
    Netascii,
}

impl Mode {
    /// The mode of this name, in any mixture of cases (RFC 1350 §5); `None` for `mail` and unknown ones.
    #[must_use]
    pub fn named(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"octet") {
            Some(Self::Octet)
        } else if name.eq_ignore_ascii_case(b"netascii") {
            Some(Self::Netascii)
        } else {
            None
        }
    }
}

/// The code of an ERROR packet (RFC 1350, appendix; RFC 2347).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode(pub u16);

impl ErrorCode {
    /// 0: none of the others, see the text.
    pub const UNDEFINED: Self = Self(0);
    /// 1: file not found.
    pub const NOT_FOUND: Self = Self(1);
    /// 2: access violation.
    pub const ACCESS: Self = Self(2);
    /// 4: illegal TFTP operation.
    pub const ILLEGAL: Self = Self(4);
    /// 5: unknown transfer identifier.
    pub const UNKNOWN_TRANSFER: Self = Self(5);
    /// 8: the options are refused (RFC 2347).
    pub const OPTION: Self = Self(8);
}

/// The datagram is not a TFTP packet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Fewer bytes than the fixed part of its kind.
    #[error("a packet of {0} bytes is too short")]
    Short(usize),
    /// An opcode outside 1 to 6.
    #[error("opcode {0} is unknown: expected 1 to 6")]
    Opcode(u16),
    /// A text runs into the end of the packet.
    #[error("the {0} has no closing zero byte")]
    Unterminated(&'static str),
}

impl<'a> Packet<'a> {
    /// Reads one datagram.
    ///
    /// Lenient in two points that clients get wrong: an ERROR text may lack its closing NUL, and options may be
    /// followed by zero bytes.
    ///
    /// # Errors
    ///
    /// The datagram is too short, has an unknown opcode, or a text in it has no end.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, PacketError> {
        let short = PacketError::Short(datagram.len());
        let (opcode, rest) = split_number(datagram).ok_or_else(|| short.clone())?;
        match opcode {
            1 => Ok(Self::Read(Request::parse(rest)?)),
            2 => Ok(Self::Write(Request::parse(rest)?)),
            3 => split_number(rest).map(|(block, payload)| Self::Data { block, payload }).ok_or(short),
            4 => split_number(rest).map(|(block, _)| Self::Ack { block }).ok_or(short),
            5 => {
                let (code, text) = split_number(rest).ok_or(short)?;
                let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
                Ok(Self::Error { code: ErrorCode(code), text })
            }
            6 => Ok(Self::OptionAck(parse_options(rest)?)),
            _ => Err(PacketError::Opcode(opcode)),
        }
    }

    /// Appends the packet's bytes to `out`. Texts must not contain NUL.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Read(request) => request.write(1, out),
            Self::Write(request) => request.write(2, out),
            Self::Data { block, payload } => {
                out.extend_from_slice(&data_header(*block));
                out.extend_from_slice(payload);
            }
            Self::Ack { block } => {
                out.extend_from_slice(&[0, 4]);
                out.extend_from_slice(&block.to_be_bytes());
            }
            Self::Error { code, text } => {
                out.extend_from_slice(&[0, 5]);
                out.extend_from_slice(&code.0.to_be_bytes());
                write_text(text, out);
            }
            Self::OptionAck(options) => {
                out.extend_from_slice(&[0, 6]);
                write_options(options, out);
            }
        }
    }

    /// The packet's bytes in a vector of their own.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        self.write(&mut out);
        out
    }
}

/// The first four bytes of a DATA packet.
#[must_use]
pub fn data_header(block: u16) -> [u8; 4] {
    let [high, low] = block.to_be_bytes();
    [0, 3, high, low]
}

impl<'a> Request<'a> {
    fn parse(rest: &'a [u8]) -> Result<Self, PacketError> {
        let (name, rest) = split_text(rest, "file name")?;
        let (mode, rest) = split_text(rest, "mode")?;
        Ok(Self { name, mode, options: parse_options(rest)? })
    }

    fn write(&self, opcode: u8, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0, opcode]);
        write_text(self.name, out);
        write_text(self.mode, out);
        write_options(&self.options, out);
    }
}

fn parse_options(mut rest: &[u8]) -> Result<Vec<RawOption<'_>>, PacketError> {
    let mut options = Vec::new();
    while rest.iter().any(|byte| *byte != 0) {
        let (name, after) = split_text(rest, "option name")?;
        let (value, after) = split_text(after, "option value")?;
        options.push((name, value));
        rest = after;
    }
    Ok(options)
}

fn write_options(options: &[RawOption<'_>], out: &mut Vec<u8>) {
    for (name, value) in options {
        write_text(name, out);
        write_text(value, out);
    }
}

fn split_number(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u16::from_be_bytes(*number), rest))
}

fn split_text<'a>(bytes: &'a [u8], what: &'static str) -> Result<(&'a [u8], &'a [u8]), PacketError> {
    let end = bytes.iter().position(|byte| *byte == 0).ok_or(PacketError::Unterminated(what))?;
    Ok((&bytes[..end], &bytes[end + 1..]))
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(text);
    out.push(0);
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// A packet that owns its texts, for generating.
    type Texts = (u8, u16, Vec<u8>, Vec<u8>, Vec<(Vec<u8>, Vec<u8>)>);

    fn texts() -> impl Strategy<Value = Texts> {
        let text = || vec(1..=255u8, 0..40);
        (1..=6u8, any::<u16>(), text(), text(), vec((vec(1..=255u8, 1..12), text()), 0..6))
    }

    fn packet((opcode, number, first, second, options): &Texts) -> Packet<'_> {
        let options: Vec<RawOption> = options.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        match opcode {
            1 => Packet::Read(Request { name: first, mode: second, options }),
            2 => Packet::Write(Request { name: first, mode: second, options }),
            3 => Packet::Data { block: *number, payload: first },
            4 => Packet::Ack { block: *number },
            5 => Packet::Error { code: ErrorCode(*number), text: first },
            _ => Packet::OptionAck(options),
        }
    }

    proptest! {
        #[test]
        fn a_printed_packet_parses_back(texts in texts()) {
            let packet = packet(&texts);
            let bytes = packet.to_bytes();
            prop_assert_eq!(Packet::parse(&bytes), Ok(packet));
        }

        #[test]
        fn arbitrary_bytes_never_panic(opcode in 0..8u8, bytes in vec(any::<u8>(), 0..600)) {
            let _ = Packet::parse(&bytes);
            let _ = Packet::parse(&[&[0, opcode], &bytes[..]].concat());
        }

        #[test]
        fn zero_bytes_after_the_options_are_padding(texts in texts(), padding in 0..40usize) {
            let texts = (1, texts.1, texts.2, texts.3, texts.4);
            let packet = packet(&texts);
            let mut bytes = packet.to_bytes();
            bytes.resize(bytes.len() + padding, 0);
            prop_assert_eq!(Packet::parse(&bytes), Ok(packet));
        }
    }

    #[test]
    fn the_read_request_of_libcurl_is_understood() {
        let datagram = b"\0\x01basic.txt\0octet\0tsize\x000\0blksize\x00512\0timeout\x006\0";
        let Ok(Packet::Read(request)) = Packet::parse(datagram) else { panic!("not a read request") };
        assert_eq!((request.name, Mode::named(request.mode)), (&b"basic.txt"[..], Some(Mode::Octet)));
        assert_eq!(request.options, [(&b"tsize"[..], &b"0"[..]), (b"blksize", b"512"), (b"timeout", b"6")]);
    }

    #[test]
    fn broken_packets_say_what_is_wrong() {
        let error = |datagram| Packet::parse(datagram).expect_err("malformed").to_string();
        assert_eq!(error(b"\0"), "a packet of 1 bytes is too short");
        assert_eq!(error(b"\0\x04\0"), "a packet of 3 bytes is too short");
        assert_eq!(error(b"\0\x09"), "opcode 9 is unknown: expected 1 to 6");
        assert_eq!(error(b"\0\x01name"), "the file name has no closing zero byte");
        assert_eq!(error(b"\0\x01name\0octet"), "the mode has no closing zero byte");
        assert_eq!(error(b"\0\x01name\0octet\0tsize"), "the option name has no closing zero byte");
        assert_eq!(error(b"\0\x01name\0octet\0tsize\x000"), "the option value has no closing zero byte");
    }

    #[test]
    fn an_error_without_its_closing_zero_is_understood() {
        let parsed = Packet::parse(b"\0\x05\0\0stop");
        assert_eq!(parsed, Ok(Packet::Error { code: ErrorCode::UNDEFINED, text: b"stop" }));
    }

    #[test]
    fn modes_are_compared_without_case_and_mail_is_none() {
        assert_eq!(Mode::named(b"OcTeT"), Some(Mode::Octet));
        assert_eq!(Mode::named(b"NETASCII"), Some(Mode::Netascii));
        assert_eq!(Mode::named(b"mail"), None);
    }
}
