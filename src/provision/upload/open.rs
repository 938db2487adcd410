//! A report as it came, and what is in it: codings, encryption and compression undone, and read as a phone's parameters.

use std::io::Read as _;

use flate2::bufread::MultiGzDecoder;

use super::{Upload, UploadFault};
use crate::cipher::{Scheme, openssl};
use crate::config::{Accept, Report};
use crate::profile::flat::{Document, FlatProfile, MAX_BYTES};
use crate::provision::{Line, Refusal, encrypt};

/// What a gzip file begins with (RFC 1952 section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Codings that one report may announce: one encryption, one compression.
const CODINGS: usize = 2;

/// Undoes what was done to a report. `codings` is `Content-Encoding`. What is kept are its parameters as
/// [`FlatProfile::to_xml`] writes them; of a status report that is no profile, the document itself.
///
/// # Errors
/// It is encrypted otherwise than the rule says, no key opens it, it is too large, or it is no report.
pub fn open(line: &Line, upload: &Upload, codings: &str, body: &[u8]) -> Result<String, Refusal> {
    let encryption = upload.grant.treatment().encryption.as_ref();
    let kind = match upload.accept {
        Accept::Report(report) => report,
        // Nobody opens one.
        Accept::Problem => return Err(UploadFault::Coding.into()),
    };
    let outer = Outer::of(codings, body)?;
    let (scheme, keys) = match (outer.scheme, encryption) {
        (None, None) => return Ok(read(&unpacked(outer.body)?, kind)?),
        (None, Some(encryption)) => return Err(UploadFault::Clear(encryption.scheme).into()),
        (Some(scheme), Some(encryption)) if scheme == encryption.scheme => {
            (scheme, encrypt::keys_of(line, encryption, &upload.grant)?)
        }
        (Some(scheme), _) => return Err(UploadFault::Encrypted(scheme).into()),
    };
    let with = |key: &Vec<u8>| {
        let plain = scheme.decrypt(key, &outer.body).map_err(UploadFault::Key)?;
        read(&unpacked(plain)?, kind)
    };
    let mut first = None;
    for key in &keys {
        match with(key) {
            Ok(received) => return Ok(received),
            // AES-CBC has no other sign of a wrong key than what comes out of it.
            Err(fault) => first = first.or(Some(fault)),
        }
    }
    Err(first.unwrap_or(UploadFault::Encrypted(scheme)).into())
}

/// What is left when the codings that may stand around the encryption are undone.
struct Outer {
    scheme: Option<Scheme>,
    body: Vec<u8>,
}

impl Outer {
    fn of(codings: &str, body: &[u8]) -> Result<Self, UploadFault> {
        let codings: Vec<&str> = codings.split(',').map(str::trim).collect();
        let counts = |coding: &&str| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity");
        let mut codings: Vec<&str> = codings.into_iter().filter(counts).collect();
        if codings.len() > CODINGS {
            return Err(UploadFault::Coding);
        }
        let mut body = body.to_vec();
        // The last one was put on last (RFC 9110 section 8.4).
        while let Some(coding) = codings.pop() {
            match coding.to_ascii_lowercase().as_str() {
                coding if is_gzip(coding) => body = gunzip(&body)?,
                "aes128gcm" => {
                    // What is inside announces itself by its first bytes.
                    let is_known = codings.iter().all(|inner| is_gzip(inner));
                    let scheme = Some(Scheme::Aes128Gcm);
                    return if is_known { Ok(Self { scheme, body }) } else { Err(UploadFault::Coding) };
                }
                _ => return Err(UploadFault::Coding),
            }
        }
        let scheme = openssl::is_salted(&body).then_some(Scheme::Aes256Cbc);
        Ok(Self { scheme, body })
    }
}

fn is_gzip(coding: &str) -> bool {
    coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip")
}

/// The content of a gzip file; anything else as it is.
fn unpacked(body: Vec<u8>) -> Result<Vec<u8>, UploadFault> {
    if body.starts_with(&GZIP) { gunzip(&body) } else { Ok(body) }
}

fn gunzip(body: &[u8]) -> Result<Vec<u8>, UploadFault> {
    let mut content = Vec::new();
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(body).take(most).read_to_end(&mut content).map_err(|_| UploadFault::Gzip)?;
    if content.len() > MAX_BYTES { Err(UploadFault::Bomb(MAX_BYTES)) } else { Ok(content) }
}

/// What a status report is made of is not documented: whatever XML it is, it is kept.
fn read(content: &[u8], kind: Report) -> Result<String, UploadFault> {
    if content.trim_ascii().is_empty() {
        return Err(UploadFault::Empty);
    }
    let document = Document::read(content)?;
    match FlatProfile::of(&document) {
        // No phone has nothing at all, and all that is known of it would be forgotten.
        Ok(profile) if kind == Report::Full && profile.parameters.is_empty() => Err(UploadFault::NoParameters),
        Ok(profile) => Ok(profile.effective().to_xml()),
        Err(_) if kind == Report::Status => Ok(document.text().to_owned()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const REPORT: &[u8] = b"<flat-profile><B>2</B><A um=\"y\">1</A><B>3</B></flat-profile>";

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).expect("memory");
        encoder.finish().expect("memory")
    }

    fn opened(codings: &str, body: &[u8]) -> Result<String, UploadFault> {
        let outer = Outer::of(codings, body)?;
        assert_eq!(outer.scheme, None);
        read(&unpacked(outer.body)?, Report::Full)
    }

    #[test]
    fn a_report_is_kept_as_its_parameters() {
        let received = opened("", REPORT).expect("a report");
        assert_eq!(received, "<flat-profile>\n  <B>3</B>\n  <A um=\"y\">1</A>\n</flat-profile>\n");
        for (codings, body) in
            [("gzip", gzip(REPORT)), ("", gzip(REPORT)), ("X-Gzip", gzip(&gzip(REPORT))), ("identity", REPORT.to_vec())]
        {
            assert_eq!(opened(codings, &body).expect("a report"), received, "{codings}");
        }
    }

    #[test]
    fn what_unpacks_to_too_much_or_not_at_all_is_refused() {
        let bomb = gzip(&vec![b' '; MAX_BYTES + 1]);
        assert!(bomb.len() < 64 * 1024);
        assert!(matches!(opened("gzip", &bomb), Err(UploadFault::Bomb(_))));
        assert!(matches!(opened("", &bomb), Err(UploadFault::Bomb(_))));
        let cut = gzip(REPORT);
        assert!(matches!(opened("", &cut[..cut.len() - 1]), Err(UploadFault::Gzip)));
        assert!(matches!(opened("gzip", REPORT), Err(UploadFault::Gzip)));
        for codings in ["br", "gzip, gzip, gzip", "br, aes128gcm", "deflate"] {
            assert!(matches!(opened(codings, REPORT), Err(UploadFault::Coding)), "{codings}");
        }
    }

    #[test]
    fn what_is_no_profile_is_no_report_but_may_be_a_status() {
        for body in [&b"<status><x/></status>"[..], b"hello", b"<flat-profile>", &[0xff; 9]] {
            assert!(matches!(opened("", body), Err(UploadFault::NoReport(_))), "{body:?}");
        }
        assert!(matches!(opened("", b" \n"), Err(UploadFault::Empty)));
        assert!(matches!(opened("", b"<flat-profile/>"), Err(UploadFault::NoParameters)));
        assert!(read(b"<flat-profile/>", Report::Delta).is_ok(), "nothing has changed");
        let status = read(b"<status><x>1</x></status>", Report::Status).expect("XML");
        assert_eq!(status, "<status><x>1</x></status>");
        assert!(matches!(read(b"<status>", Report::Status), Err(UploadFault::NoReport(_))));
    }

    #[test]
    fn encryption_announces_itself() {
        let salted = Scheme::Aes256Cbc.encrypt(b"k", REPORT);
        let scheme = |codings: &str, body: &[u8]| Outer::of(codings, body).expect("codings").scheme;
        assert_eq!(scheme("", &salted), Some(Scheme::Aes256Cbc));
        assert_eq!(scheme("gzip", &gzip(&salted)), Some(Scheme::Aes256Cbc));
        assert_eq!(scheme("aes128gcm", b"x"), Some(Scheme::Aes128Gcm));
        assert_eq!(scheme("gzip, AES128GCM", b"x"), Some(Scheme::Aes128Gcm));
        assert_eq!(scheme("aes128gcm, gzip", &gzip(b"x")), Some(Scheme::Aes128Gcm));
    }
}
