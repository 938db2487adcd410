//! From the octets that came to those of a profile: the answer's codings, then the cipher, then gzip by its header.
//!
//! `Content-Encoding: aes128gcm` beats `--key`; without that header `--key` means AES-256-CBC (MPP guide, "Provisioning
//! Formats"). gzip in the file is known by its first octets and by nothing else.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::event::{Event, Events};
use super::failure::Failure;
use crate::cipher::{IkmEncoding, Scheme};
use crate::device::Secret;

const GZIP: &[u8] = &[0x1f, 0x8b];

/// What opens a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys<'a> {
    /// The rule's `--key`.
    pub(super) key: Option<&'a Secret>,
    /// `IKM_HTTP_Encrypt_Content`.
    pub(super) ikm: Option<&'a str>,
    /// How it is written.
    pub(super) encoding: IkmEncoding,
}

/// The profile's octets, no more than `limit` of them.
///
/// # Errors
/// A coding that phones do not know, a wrong key, a file that is cut off, or one that unpacks to too much.
pub(super) fn unpack<'a>(
    file: &'a [u8],
    codings: &[String],
    keys: Keys<'_>,
    limit: usize,
    events: &mut dyn Events,
) -> Result<Cow<'a, [u8]>, Failure> {
    let mut file = Cow::Borrowed(file);
    let mut opened = false;
    // The last coding was applied last (RFC 9110 §8.4).
    for coding in codings.iter().rev() {
        let plain = match coding.as_str() {
            "gzip" | "x-gzip" => inflate(MultiGzDecoder::new(&*file), limit)?,
            "deflate" => deflated(&file, limit)?,
            "aes128gcm" => {
                opened = true;
                let encoding = keys.encoding;
                let ikm = keys.ikm.and_then(|ikm| encoding.decode(ikm).ok());
                let plain = Scheme::Aes128Gcm.decrypt(&ikm.ok_or(Failure::NoKeyingMaterial(encoding))?, &file)?;
                events.tell(Event::Decrypted { scheme: "aes128gcm (RFC 8188)", octets: plain.len() });
                plain
            }
            other => return Err(Failure::Coding(other.chars().take(40).collect())),
        };
        if coding != "aes128gcm" {
            events.tell(Event::Unpacked { what: &format!("the answer's {coding}"), octets: plain.len() });
        }
        file = Cow::Owned(plain);
    }
    if let Some(key) = keys.key {
        if opened {
            events.tell(Event::Noted("aes128gcm came, so --key was not used"));
        } else {
            let plain = Scheme::Aes256Cbc.decrypt(key.expose().as_bytes(), &file)?;
            events.tell(Event::Decrypted { scheme: "AES-256-CBC", octets: plain.len() });
            file = Cow::Owned(plain);
        }
    }
    if file.starts_with(GZIP) {
        let plain = inflate(MultiGzDecoder::new(&*file), limit)?;
        events.tell(Event::Unpacked { what: "the file's gzip", octets: plain.len() });
        file = Cow::Owned(plain);
    }
    Ok(file)
}

/// `deflate` is zlib's format by RFC 9110 §8.4.1.2, and the bare one by the habit of old servers; libcurl takes both.
fn deflated(file: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
    inflate(ZlibDecoder::new(file), limit).or_else(|failure| match failure {
        Failure::Large { .. } => Err(failure),
        _ => inflate(DeflateDecoder::new(file), limit),
    })
}

/// Reads to the end or the bound, whichever comes first: a bomb costs no more than the bound.
fn inflate(packed: impl Read, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut plain = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    packed.take(bound).read_to_end(&mut plain).map_err(|error| {
        Failure::Unpack(match error.kind() {
            io::ErrorKind::UnexpectedEof => "it is cut off".to_owned(),
            _ => error.to_string(),
        })
    })?;
    if plain.len() > limit { Err(Failure::Large { what: "the unpacked profile", limit }) } else { Ok(plain) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const PROFILE: &[u8] = b"<flat-profile><GPP_A>x</GPP_A></flat-profile>\n";
    const LIMIT: usize = 10_000;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).expect("memory");
        encoder.finish().expect("memory")
    }

    fn unpacked(file: &[u8], codings: &[&str], key: Option<&str>, ikm: Option<&str>) -> Result<Vec<u8>, Failure> {
        let key = key.map(|key| Secret::new(key.to_owned()));
        let keys = Keys { key: key.as_ref(), ikm, encoding: IkmEncoding::Text };
        let codings: Vec<String> = codings.iter().map(|coding| (*coding).to_owned()).collect();
        unpack(file, &codings, keys, LIMIT, &mut ()).map(Cow::into_owned)
    }

    #[test]
    fn gzip_is_known_by_its_header_and_lies_under_the_cipher() {
        assert_eq!(unpacked(PROFILE, &[], None, None).as_deref(), Ok(PROFILE));
        assert_eq!(unpacked(&gzip(PROFILE), &[], None, None).as_deref(), Ok(PROFILE));
        let secret = Scheme::Aes256Cbc.encrypt(b"k", &gzip(PROFILE));
        assert_eq!(unpacked(&secret, &[], Some("k"), None).as_deref(), Ok(PROFILE));
    }

    #[test]
    fn aes128gcm_beats_the_key_of_the_rule() {
        let secret = Scheme::Aes128Gcm.encrypt(b"material", &gzip(PROFILE));
        assert_eq!(unpacked(&secret, &["aes128gcm"], Some("k"), Some("material")).as_deref(), Ok(PROFILE));
        let failure = unpacked(&secret, &["aes128gcm"], Some("k"), None).expect_err("no keying material");
        assert_eq!(failure, Failure::NoKeyingMaterial(IkmEncoding::Text));
    }

    #[test]
    fn codings_of_the_answer_come_off_last_first() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(PROFILE).expect("memory");
        let zlib = zlib.finish().expect("memory");
        assert_eq!(unpacked(&zlib, &["deflate"], None, None).as_deref(), Ok(PROFILE));
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::default());
        bare.write_all(PROFILE).expect("memory");
        assert_eq!(unpacked(&bare.finish().expect("memory"), &["deflate"], None, None).as_deref(), Ok(PROFILE));
        assert_eq!(unpacked(&gzip(&zlib), &["deflate", "gzip"], None, None).as_deref(), Ok(PROFILE));
        assert_eq!(unpacked(PROFILE, &["br"], None, None), Err(Failure::Coding("br".to_owned())));
    }

    #[test]
    fn a_bomb_stops_at_the_bound() {
        let bomb = gzip(&vec![b' '; 50 * LIMIT]);
        assert!(matches!(unpacked(&bomb, &[], None, None), Err(Failure::Large { limit: LIMIT, .. })));
        assert!(matches!(unpacked(&gzip(&bomb), &["gzip"], None, None), Err(Failure::Large { .. })));
        assert!(unpacked(&gzip(&vec![b' '; LIMIT]), &[], None, None).is_ok());
    }

    #[test]
    fn what_is_cut_off_is_said_to_be() {
        let packed = gzip(PROFILE);
        let cut = unpacked(&packed[..packed.len() - 9], &[], None, None).expect_err("half a file");
        assert_eq!(cut, Failure::Unpack("it is cut off".to_owned()));
        let secret = Scheme::Aes256Cbc.encrypt(b"k", PROFILE);
        let cut = unpacked(&secret[..secret.len() - 1], &[], Some("k"), None).expect_err("half a file");
        assert!(cut.to_string().contains("damaged or cut short"), "{cut}");
        let plain = unpacked(PROFILE, &[], Some("k"), None).expect_err("not encrypted at all");
        assert!(plain.to_string().contains("does not begin with `Salted__`"), "{plain}");
    }
}
