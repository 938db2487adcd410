//! Where a profile is written to: it has an end.

use std::io::{self, Write};

/// A profile in the making, which is refused where it grows too long.
#[derive(Debug)]
pub(super) struct Bounded {
    bytes: Vec<u8>,
    longest: usize,
}

impl Bounded {
    /// Nothing is written yet.
    pub(super) fn new(longest: usize) -> Self {
        Self { bytes: Vec::with_capacity(4096.min(longest)), longest }
    }

    /// What was written.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.longest - self.bytes.len() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
