//! Lines in a stream of bytes (RFC 6587): each with its length before it, or each with a line feed or a
//! zero behind it.

use super::{ENDS, LONGEST};

/// What has come and is no whole line yet.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    /// Bytes of a line that was too long, and that are still to come: all up to its end, or so many.
    passed_over: Option<Rest>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    ToItsEnd,
    Count(usize),
}

/// Digits of a length; more are no length.
const DIGITS: usize = 7;

impl Frames {
    /// Takes bytes in.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole line; of one that is too long, its beginning.
    pub fn whole(&mut self) -> Option<Vec<u8>> {
        self.pass_over();
        if self.passed_over.is_some() || self.bytes.is_empty() {
            return None;
        }
        match self.counted() {
            Some((start, length)) if length > LONGEST => {
                let here = self.bytes.len() - start;
                if here < LONGEST {
                    return None;
                }
                let line = self.bytes[start..start + LONGEST].to_vec();
                self.bytes.drain(..start + LONGEST);
                self.passed_over = Some(Rest::Count(length - LONGEST));
                Some(line)
            }
            Some((start, length)) => {
                let line = self.bytes.get(start..start + length)?.to_vec();
                self.bytes.drain(..start + length);
                Some(line)
            }
            None => self.up_to_its_end(),
        }
    }

    /// What is left when the other side closes.
    #[must_use]
    pub fn rest(mut self) -> Option<Vec<u8>> {
        self.pass_over();
        self.bytes.truncate(LONGEST);
        (self.passed_over.is_none() && !self.bytes.is_empty()).then_some(self.bytes)
    }

    fn up_to_its_end(&mut self) -> Option<Vec<u8>> {
        let window = &self.bytes[..self.bytes.len().min(LONGEST)];
        if let Some(end) = window.iter().position(|byte| ENDS.contains(byte)) {
            let line = self.bytes[..end].to_vec();
            self.bytes.drain(..=end);
            return Some(line);
        }
        if self.bytes.len() < LONGEST {
            return None;
        }
        let line = self.bytes.drain(..LONGEST).collect();
        self.passed_over = Some(Rest::ToItsEnd);
        Some(line)
    }

    /// Where a line begins that has its length before it, and how long it is. A priority's `<` follows the length, which
    /// tells it from a line that begins with a number.
    fn counted(&self) -> Option<(usize, usize)> {
        let digits = self.bytes.iter().take(DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=DIGITS).contains(&digits) || self.bytes.get(digits..digits + 2) != Some(b" <") {
            return None;
        }
        let length = std::str::from_utf8(&self.bytes[..digits]).ok()?.parse().ok()?;
        Some((digits + 1, length))
    }

    fn pass_over(&mut self) {
        match self.passed_over {
            None => {}
            Some(Rest::Count(count)) => {
                let here = count.min(self.bytes.len());
                self.bytes.drain(..here);
                self.passed_over = (here < count).then_some(Rest::Count(count - here));
            }
            Some(Rest::ToItsEnd) => match self.bytes.iter().position(|byte| ENDS.contains(byte)) {
                Some(end) => {
                    self.bytes.drain(..=end);
                    self.passed_over = None;
                }
                None => self.bytes.clear(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lines of a stream that comes in pieces of this size.
    fn lines(stream: &[u8], piece: usize) -> Vec<String> {
        let (mut frames, mut lines) = (Frames::default(), Vec::new());
        for bytes in stream.chunks(piece.max(1)) {
            frames.push(bytes);
            lines.extend(std::iter::from_fn(|| frames.whole()));
        }
        lines.extend(frames.rest());
        lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }

    #[test]
    fn every_framing_is_read_and_they_may_be_mixed() {
        for piece in [1, 3, 1000] {
            let read = lines(b"<13>a\n9 <13>b\nc d<13>e\n12 monkeys\n<13>f\0<13>g\0last", piece);
            let expected = ["<13>a", "<13>b\nc d", "<13>e", "12 monkeys", "<13>f", "<13>g", "last"];
            assert_eq!(read, expected, "{piece}");
        }
    }

    #[test]
    fn of_a_line_that_is_too_long_the_beginning_is_read() {
        let long = "x".repeat(64 * 1024);
        for piece in [1000, 100_000] {
            let read = lines(format!("{long}\nb\n65540 <13>{long}<13>c\n").as_bytes(), piece);
            let lengths: Vec<usize> = read.iter().map(String::len).collect();
            assert_eq!(lengths, [LONGEST, 1, LONGEST, 5], "{piece}");
        }
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(stream in "[0-9<> a\n]{0,60}", piece in 1_usize..20) {
            prop_assert_eq!(lines(stream.as_bytes(), piece), lines(stream.as_bytes(), 1000));
        }
    }
}
