//! A report as it came, and what is in it: codings, encryption and compression undone, and read as a phone's parameters.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::bufread::MultiGzDecoder;

use super::{Upload, UploadFault};
use crate::cipher::{Scheme, openssl};
use crate::config::{Accept, Report};
use crate::profile::flat::{Document, FlatProfile, MAX_BYTES};
use crate::provision::{Line, Refusal, encrypt};

/// What a gzip file begins with (RFC 1952 section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The longest declaration of XML that is looked at (bytes).
const DECLARATION: usize = 200;

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
    let document = Document::read(&in_utf8(content))?;
    let profile = FlatProfile::of(&document);
    if (profile.is_ok() || kind == Report::Status) && !is_xml_alone(document.text()) {
        return Err(UploadFault::NoXml);
    }
    match profile {
        // No phone has nothing at all, and all that is known of it would be forgotten.
        Ok(profile) if kind == Report::Full && profile.parameters.is_empty() => Err(UploadFault::NoParameters),
        Ok(profile) => Ok(profile.effective().to_xml()),
        Err(_) if kind == Report::Status => Ok(document.text().to_owned()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a text is XML and nothing else: what a profile may have around it, no report has. A form or a message of SIP with a
/// report in it would be taken for one.
fn is_xml_alone(text: &str) -> bool {
    let text = text.trim_matches(char::is_whitespace);
    text.starts_with('<') && text.ends_with('>')
}

/// A text that names ISO-8859-1 as its encoding and is no UTF-8, in UTF-8 and without its declaration, which would be wrong
/// then. Anything else as it is: phones declare what they like, and mean UTF-8.
fn in_utf8(content: &[u8]) -> Cow<'_, [u8]> {
    if str::from_utf8(content).is_ok() || content.len() > MAX_BYTES {
        return content.into();
    }
    let declared = content.trim_ascii_start().strip_prefix(b"<?xml").and_then(|rest| {
        let end = rest.windows(2).take(DECLARATION).position(|two| two == b"?>")?;
        Some((str::from_utf8(&rest[..end]).ok()?, &rest[end + 2..]))
    });
    match declared.and_then(|(declaration, rest)| Some((declaration.split_once("encoding")?.1, rest))) {
        Some((named, rest)) if is_latin_1(named) => {
            rest.iter().copied().map(char::from).collect::<String>().into_bytes().into()
        }
        Some(_) | None => content.into(),
    }
}

/// What follows on `encoding`: ` = "ISO-8859-1"`.
fn is_latin_1(named: &str) -> bool {
    let named = named.trim_start().strip_prefix('=').unwrap_or_default().trim_start();
    let named = named.split(['"', '\'']).nth(1).unwrap_or_default();
    ["iso-8859-1", "iso_8859-1", "latin1"].iter().any(|name| named.eq_ignore_ascii_case(name))
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
    fn a_report_in_another_wrapping_is_none() {
        let report = String::from_utf8_lossy(REPORT);
        let form = format!("--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n{report}\r\n--b--\r\n");
        let sip = format!("NOTIFY sip:a@192.0.2.1 SIP/2.0\r\nContent-Type: text/xml\r\n\r\n{report}");
        for kind in [Report::Full, Report::Delta, Report::Status] {
            for body in [&form, &sip, &format!("{report}x")] {
                assert!(matches!(read(body.as_bytes(), kind), Err(UploadFault::NoXml)), "{kind:?} {body}");
            }
            assert!(
                read(format!("\u{feff}\r\n<?xml version=\"1.0\"?>\n{report}\n<!-- -->\n").as_bytes(), kind).is_ok()
            );
        }
    }

    #[test]
    fn a_report_in_iso_8859_1_is_kept_in_utf_8() {
        let latin =
            |declaration: &str| [declaration.as_bytes(), b"<flat-profile><A>K\xfcche</A></flat-profile>"].concat();
        for declaration in [
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>",
            "\n<?xml version='1.0' encoding = 'iso-8859-1' standalone='yes' ?>\n",
            "<?xml encoding=\"latin1\"?>",
        ] {
            let kept = read(&latin(declaration), Report::Full).expect("a report");
            assert_eq!(kept, "<flat-profile>\n  <A>K&#252;che</A>\n</flat-profile>\n", "{declaration}");
        }
        for declaration in
            ["", "<?xml version=\"1.0\"?>", "<?xml encoding=\"UTF-8\"?>", "<?xml encoding=\"ISO-8859-15\"?>", "<?xml"]
        {
            assert!(matches!(read(&latin(declaration), Report::Full), Err(UploadFault::NoReport(_))), "{declaration}");
        }
        let status = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><status>\xe9</status>";
        assert_eq!(read(status, Report::Status).expect("XML"), "<status>é</status>");
        let utf8 = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><status>é</status>";
        assert_eq!(read(utf8.as_bytes(), Report::Status).expect("XML"), utf8, "it is UTF-8, whatever it says");
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
