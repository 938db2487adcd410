//! Step 5: gzip. The same stream serves as a file and as a transport coding; what differs is a header.

use std::io::Write;

use flate2::{Compression, GzBuilder};

use super::{Coding, Document, Profile, Refusal};

/// Profiles are repetitive XML: a higher level takes three times as long for some 5 % (docs/performance.md).
const LEVEL: u32 = 4;

/// Compresses where the profile's coding says so. The header has no name and no time, so that the same content always
/// gives the same bytes.
pub(super) fn compress(profile: &Profile, document: Document) -> Result<Document, Refusal> {
    match profile.coding() {
        Coding::Identity => Ok(document),
        Coding::GzipFile | Coding::GzipTransport => {
            let target = Vec::with_capacity(document.bytes.len() / 3 + 64);
            let mut encoder = GzBuilder::new().mtime(0).write(target, Compression::new(LEVEL));
            let compressed = encoder.write_all(&document.bytes).and_then(|()| encoder.finish());
            let file = || profile.grant().found().file.clone();
            let bytes = compressed.map_err(|error| Refusal::File { file: file(), error })?;
            Ok(Document { bytes: bytes.into(), ..document })
        }
    }
}
