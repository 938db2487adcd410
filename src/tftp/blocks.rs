//! A body cut into blocks, octet or netascii, without ever holding a file whole. Any block of the window under way can
//! be made again.

use std::io;
use std::os::unix::fs::FileExt;

use super::netascii::{self, Encoder};
use super::packet::Mode;
use crate::provision::{Body, SHORTER};

/// Bytes of a file read at a time: a small profile costs one read, and a transfer this much memory at most.
const READ_AHEAD: u64 = 16 * 1024;

/// The blocks of one transfer.
#[derive(Debug)]
pub(super) struct Blocks {
    octets: Octets,
    size: u16,
    text: Option<Text>,
}

/// Two places in the netascii form of a body, whose blocks begin nowhere in particular in the octets.
#[derive(Debug)]
struct Text {
    here: Place,
    oldest: Place,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    block: u64,
    offset: u64,
    encoder: Encoder,
}

impl Blocks {
    /// The blocks of `body`, each of `size` bytes but for the last, which is shorter and may be empty.
    #[must_use]
    pub(super) fn new(body: Body, mode: Mode, size: u16) -> Self {
        let start = Place { block: 1, offset: 0, encoder: Encoder::default() };
        let text = match mode {
            Mode::Octet => None,
            Mode::Netascii => Some(Text { here: start, oldest: start }),
        };
        Self { octets: Octets::new(body), size, text }
    }

    /// Puts block `number` into `out`, which holds one block, and returns its length. `oldest` is the oldest block that
    /// may be asked for again.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has become shorter than it was.
    pub(super) fn fill(&mut self, number: u64, oldest: u64, out: &mut [u8]) -> io::Result<usize> {
        let Some(text) = &mut self.text else {
            let offset = (number - 1) * u64::from(self.size);
            return self.octets.read(offset, out);
        };
        if number < text.here.block {
            text.here = text.oldest;
        }
        loop {
            if text.here.block == oldest {
                text.oldest = text.here;
            }
            let written = text.here.encode_block(&mut self.octets, out)?;
            if text.here.block > number {
                return Ok(written);
            }
        }
    }
}

impl Place {
    fn encode_block(&mut self, octets: &mut Octets, out: &mut [u8]) -> io::Result<usize> {
        let mut piece = [0; 512];
        let mut filled = 0;
        while filled < out.len() {
            let length = octets.read(self.offset, &mut piece)?;
            let done = self.encoder.encode(&piece[..length], &mut out[filled..]);
            if done.written == 0 {
                break;
            }
            self.offset += done.consumed as u64;
            filled += done.written;
        }
        self.block += 1;
        Ok(filled)
    }
}

/// The size of `body` in bytes as sent; `None` where only reading a whole file would tell.
#[must_use]
pub(super) fn transfer_size(body: &Body, mode: Mode) -> Option<u64> {
    match (body, mode) {
        (Body::Bytes(bytes), Mode::Octet) => Some(bytes.len() as u64),
        (Body::Bytes(bytes), Mode::Netascii) => Some(netascii::encoded_length(bytes)),
        (Body::File { length, .. }, Mode::Octet) => Some(*length),
        (Body::File { .. }, Mode::Netascii) => None,
    }
}

/// A body that is read by position; of a file, the last piece read is kept.
#[derive(Debug)]
struct Octets {
    body: Body,
    kept: Vec<u8>,
    kept_at: u64,
}

impl Octets {
    fn new(body: Body) -> Self {
        Self { body, kept: Vec::new(), kept_at: 0 }
    }

    /// Fills `out` from `offset` on; less only where the body ends.
    fn read(&mut self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let (file, start, length) = match &self.body {
            Body::Bytes(bytes) => return Ok(copy(bytes, offset, out)),
            Body::File { file, start, length } => (file, *start, *length),
        };
        let mut filled = 0;
        while filled < out.len() && offset + (filled as u64) < length {
            let at = offset + filled as u64;
            let copied = at.checked_sub(self.kept_at).map_or(0, |skip| copy(&self.kept, skip, &mut out[filled..]));
            if copied == 0 {
                self.kept.resize(usize::try_from((length - at).min(READ_AHEAD)).unwrap_or(0), 0);
                self.kept_at = at;
                file.read_exact_at(&mut self.kept, start + at).map_err(shorter)?;
            }
            filled += copied;
        }
        Ok(filled)
    }
}

/// As a body over HTTP has it.
fn shorter(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::other(SHORTER),
        _ => error,
    }
}

fn copy(bytes: &[u8], offset: u64, out: &mut [u8]) -> usize {
    let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default();
    let length = rest.len().min(out.len());
    out[..length].copy_from_slice(&rest[..length]);
    length
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(content: &[u8]) -> Body {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(b"before").expect("written");
        file.write_all(content).expect("written");
        Body::File { file, start: 6, length: content.len() as u64 }
    }

    fn memory(content: &[u8]) -> Body {
        Body::Bytes(content.to_vec().into())
    }

    /// All blocks in windows of `window`, each window made twice as if its first sending were lost.
    fn twice(body: Body, mode: Mode, size: u16, window: u64) -> Vec<u8> {
        let mut blocks = Blocks::new(body, mode, size);
        let mut out = vec![0; size.into()];
        let (mut all, mut first) = (Vec::new(), 1);
        loop {
            let mut last = false;
            for round in 0..2 {
                for number in first..first + window {
                    let length = blocks.fill(number, first, &mut out).expect("readable");
                    if round == 1 {
                        all.extend_from_slice(&out[..length]);
                    }
                    last = length < out.len();
                    if last {
                        break;
                    }
                }
            }
            if last {
                return all;
            }
            first += window;
        }
    }

    #[test]
    fn every_block_can_be_made_again() {
        let content: Vec<u8> = (0..40_000u32).map(|n| b"\nx\ryz"[(n % 5) as usize]).collect();
        let mut netascii = vec![0; 80_000];
        let length = Encoder::default().encode(&content, &mut netascii).written;
        for body in [file, memory] {
            for window in [1, 3] {
                assert_eq!(twice(body(&content), Mode::Octet, 512, window), content);
                assert!(twice(body(&content), Mode::Netascii, 511, window) == netascii[..length]);
            }
        }
    }

    #[test]
    fn an_acknowledgement_inside_the_window_keeps_the_text_in_step() {
        let content = b"\n\n\n\n\n\n\n\n";
        let mut blocks = Blocks::new(memory(content), Mode::Netascii, 3);
        let mut out = [0; 3];
        for number in 1..=4 {
            blocks.fill(number, 1, &mut out).expect("readable");
        }
        blocks.fill(3, 3, &mut out).expect("readable");
        assert_eq!(&out, b"\r\n\r");
        blocks.fill(4, 3, &mut out).expect("readable");
        assert_eq!(&out, b"\n\r\n");
    }

    #[test]
    fn a_body_that_fills_its_blocks_ends_with_an_empty_one() {
        let mut blocks = Blocks::new(memory(&[7; 16]), Mode::Octet, 8);
        let mut out = [0; 8];
        assert_eq!(blocks.fill(2, 2, &mut out).expect("readable"), 8);
        assert_eq!(blocks.fill(3, 3, &mut out).expect("readable"), 0);
    }

    #[test]
    fn a_file_that_has_shrunk_is_an_error_and_not_a_short_file() {
        let Body::File { file, start, length } = file(b"short") else { panic!("a file") };
        let mut blocks = Blocks::new(Body::File { file, start, length: length + 1 }, Mode::Octet, 512);
        let error = blocks.fill(1, 1, &mut [0; 512]).expect_err("a byte is missing");
        assert_eq!(error.to_string(), "the file became shorter while it was sent");
    }

    #[test]
    fn the_size_as_sent_is_known_unless_a_file_would_have_to_be_read() {
        assert_eq!(transfer_size(&memory(b"a\nb"), Mode::Octet), Some(3));
        assert_eq!(transfer_size(&memory(b"a\nb"), Mode::Netascii), Some(4));
        assert_eq!(transfer_size(&file(b"a\nb"), Mode::Octet), Some(3));
        assert_eq!(transfer_size(&file(b"a\nb"), Mode::Netascii), None);
    }
}
