//! Step 5: gzip. The same stream serves as a file and as a transport coding; what differs is a header.

use std::cell::RefCell;
use std::io;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use super::{Coding, Document, Profile, Refusal};

/// nginx's default: level 2 takes twice as long for a fifth fewer bytes, of which a small profile has a thousand (docs/performance.md).
const LEVEL: u32 = 1;

/// A gzip header (RFC 1952 §2.3) with no name and no time, so that the same content always gives the same bytes.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

thread_local! {
    /// A compressor has 270 KB of tables: one a thread, used again, instead of one a profile.
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(LEVEL), false));
}

/// Compresses where the profile's coding says so, and where it is of use: a file that is compressed or encrypted already
/// stays as it is, and a transport coding has to make it smaller.
pub(super) fn compress(profile: &Profile, document: Document) -> Result<Document, Refusal> {
    let coding = profile.coding();
    if coding == Coding::Identity || is_finished(&document.bytes) {
        return Ok(document);
    }
    let file = || profile.grant().found().file.to_string();
    let bytes = gzip(&document.bytes).map_err(|error| Refusal::File { file: file(), error })?;
    if coding == Coding::GzipTransport && bytes.len() >= document.bytes.len() {
        return Ok(document);
    }
    Ok(Document { bytes: bytes.into(), coding, ..document })
}

/// Whether a file begins as gzip files do, or as those that `openssl enc` writes.
fn is_finished(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b]) || crate::cipher::openssl::is_salted(bytes)
}

fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressed = Vec::with_capacity(plain.len() / 3 + 64);
    compressed.extend_from_slice(&HEADER);
    DEFLATE.with_borrow_mut(|deflate| {
        deflate.reset();
        loop {
            let read = usize::try_from(deflate.total_in()).unwrap_or(plain.len());
            match deflate.compress_vec(&plain[read..], &mut compressed, FlushCompress::Finish)? {
                Status::StreamEnd => return Ok::<(), io::Error>(()),
                Status::Ok | Status::BufError => compressed.reserve(compressed.capacity()),
            }
        }
    })?;
    let mut sum = Crc::new();
    sum.update(plain);
    compressed.extend_from_slice(&sum.sum().to_le_bytes());
    compressed.extend_from_slice(&sum.amount().to_le_bytes());
    Ok(compressed)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_compressed_comes_out_again(plain in prop::collection::vec(any::<u8>(), 0..5000), times in 1..20_usize) {
            let plain = plain.repeat(times);
            let compressed = gzip(&plain).expect("compressed");
            let mut read = Vec::new();
            flate2::read::GzDecoder::new(compressed.as_slice()).read_to_end(&mut read).expect("valid gzip");
            prop_assert_eq!(read, plain.clone());
            prop_assert_eq!(gzip(&plain).expect("compressed"), compressed, "the same bytes every time");
        }
    }
}
