//! What answers a 401: Basic (RFC 7617) and Digest (RFC 7616), as libcurl chooses between them.

use md5::Md5;
use sha2::{Digest as _, Sha256};

use crate::device::Secret;

/// `--uid` and `--pwd` of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// One way to log in, of those that a server offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// RFC 7617.
    Basic {
        /// What for.
        realm: String,
    },
    /// RFC 7616.
    Digest(DigestChallenge),
}

/// A scheme with its fields.
type Offer = (String, Vec<(String, String)>);

/// A Digest challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestChallenge {
    /// What for.
    pub realm: String,
    /// Whether the answer was right and only its nonce is too old.
    pub stale: bool,
    algorithm: Algorithm,
    session: bool,
    /// As it stands in the header, to be repeated there.
    algorithm_text: Option<String>,
    nonce: String,
    opaque: Option<String>,
    /// Whether `qop=auth` is offered; without, RFC 2069 applies.
    with_qop: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
}

/// What of a request a Digest answer covers, and what only counts once.
#[derive(Debug, Clone, Copy)]
pub struct Covered<'a> {
    /// `GET`, `POST`, `PUT`.
    pub method: &'a str,
    /// The path with its query.
    pub path: &'a str,
    /// A fresh random text.
    pub cnonce: &'a str,
    /// The how many-th answer to the same nonce, from 1.
    pub count: u32,
}

impl Challenge {
    /// The best that a phone can answer: Digest before Basic. `Err` names what was offered instead, and of Digest, what of it
    /// cannot be answered.
    ///
    /// # Errors
    /// Nothing offered is Basic, or Digest of a kind that is understood.
    pub fn choose<'a>(headers: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let offered: Vec<Offer> = headers.flat_map(challenges).collect();
        let digest = offered.iter().find_map(|(scheme, fields)| {
            if scheme.eq_ignore_ascii_case("digest") { DigestChallenge::read(fields).ok() } else { None }
        });
        digest.map_or_else(|| Self::basic(&offered), |digest| Ok(Self::Digest(digest)))
    }

    /// What is left of that in FIPS mode, which has no HTTP Digest (Cisco MPP guide, "Security"; XML Reference Guide).
    ///
    /// # Errors
    /// Nothing offered is Basic.
    pub fn choose_under_fips<'a>(headers: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        Self::basic(&headers.flat_map(challenges).collect::<Vec<Offer>>())
    }

    fn basic(offered: &[Offer]) -> Result<Self, String> {
        let basic = offered.iter().find(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
        if let Some((_, fields)) = basic {
            return Ok(Self::Basic { realm: field(fields, "realm").unwrap_or_default().to_owned() });
        }
        let names: Vec<String> = offered.iter().map(named).collect();
        Err(if names.is_empty() { "nothing".to_owned() } else { names.join(", ") })
    }

    /// `Basic` or `Digest`, and the realm.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Basic { realm } => format!("Basic, realm `{realm}`"),
            Self::Digest(digest) => {
                let algorithm = match digest.algorithm {
                    Algorithm::Md5 => "MD5",
                    Algorithm::Sha256 => "SHA-256",
                };
                format!("Digest with {algorithm}, realm `{}`", digest.realm)
            }
        }
    }

    /// The `Authorization` header.
    #[must_use]
    pub fn answer(&self, credentials: &Credentials, covered: Covered<'_>) -> Secret {
        match self {
            Self::Basic { .. } => {
                let text = format!("{}:{}", credentials.user, credentials.password.expose());
                Secret::new(format!("Basic {}", data_encoding::BASE64.encode(text.as_bytes())))
            }
            Self::Digest(digest) => Secret::new(digest.answer(credentials, covered)),
        }
    }
}

/// A scheme as people are told of it: of Digest, what of it cannot be answered.
fn named((scheme, fields): &Offer) -> String {
    let fault = scheme.eq_ignore_ascii_case("digest").then(|| DigestChallenge::read(fields).err()).flatten();
    fault.map_or_else(|| scheme.clone(), |fault| format!("{scheme} with {fault}"))
}

impl DigestChallenge {
    /// `Err` says what of it cannot be answered.
    fn read(fields: &[(String, String)]) -> Result<Self, String> {
        let algorithm_text = field(fields, "algorithm").map(str::to_owned);
        let name = algorithm_text.as_deref().unwrap_or("MD5").to_ascii_uppercase();
        let (name, session) = name.strip_suffix("-SESS").map_or((name.as_str(), false), |name| (name, true));
        let algorithm = match name {
            "MD5" => Algorithm::Md5,
            "SHA-256" => Algorithm::Sha256,
            _ => return Err(format!("the algorithm {}", algorithm_text.unwrap_or_default())),
        };
        let qop = field(fields, "qop");
        let with_qop = qop.is_some_and(|qop| qop.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")));
        if let Some(qop) = qop.filter(|_| !with_qop) {
            return Err(format!("qop=\"{qop}\""));
        }
        let nonce = field(fields, "nonce").ok_or("no nonce")?.to_owned();
        Ok(Self {
            realm: field(fields, "realm").unwrap_or_default().to_owned(),
            stale: field(fields, "stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            algorithm,
            session,
            algorithm_text,
            nonce,
            opaque: field(fields, "opaque").map(str::to_owned),
            with_qop,
        })
    }

    /// RFC 7616 §3.4.1; without qop RFC 2069 §2.1.2.
    fn answer(&self, credentials: &Credentials, covered: Covered<'_>) -> String {
        let Covered { method, path, cnonce, count } = covered;
        let (user, nonce, realm) = (&credentials.user, &self.nonce, &self.realm);
        let mut ha1 = self.hash(&format!("{user}:{realm}:{}", credentials.password.expose()));
        if self.session {
            ha1 = self.hash(&format!("{ha1}:{nonce}:{cnonce}"));
        }
        let ha2 = self.hash(&format!("{method}:{path}"));
        let response = if self.with_qop {
            self.hash(&format!("{ha1}:{nonce}:{count:08x}:{cnonce}:auth:{ha2}"))
        } else {
            self.hash(&format!("{ha1}:{nonce}:{ha2}"))
        };
        let mut header = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{path}\", response=\"{response}\"",
            quoted(user),
            quoted(realm),
            quoted(nonce)
        );
        if self.with_qop || self.session {
            header = format!("{header}, cnonce=\"{cnonce}\", nc={count:08x}, qop=auth");
        }
        if let Some(opaque) = &self.opaque {
            header = format!("{header}, opaque=\"{}\"", quoted(opaque));
        }
        match &self.algorithm_text {
            Some(algorithm) => format!("{header}, algorithm={algorithm}"),
            None => header,
        }
    }

    fn hash(&self, text: &str) -> String {
        match self.algorithm {
            Algorithm::Md5 => data_encoding::HEXLOWER.encode(&Md5::digest(text.as_bytes())),
            Algorithm::Sha256 => data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes())),
        }
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The challenges of one `WWW-Authenticate` header, which may hold several (RFC 9110 §11.6.1).
fn challenges(header: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for part in split_unquoted(header) {
        let part = part.trim();
        let (name, value) =
            part.split_once('=').map_or((part, None), |(name, value)| (name.trim(), Some(value.trim())));
        // A scheme stands before its first field, parted by a space: `Digest realm="x"`.
        let (scheme, name) = match name.split_once(' ') {
            Some((scheme, name)) => (Some(scheme), name.trim()),
            None if value.is_none() => (Some(name), ""),
            None => (None, name),
        };
        if let Some(scheme) = scheme.filter(|scheme| !scheme.is_empty()) {
            found.push((scheme.to_owned(), Vec::new()));
        }
        if let (Some((_, fields)), Some(value)) = (found.last_mut(), value) {
            fields.push((name.to_owned(), unquoted(value)));
        }
    }
    found
}

fn split_unquoted(header: &str) -> Vec<&str> {
    let (mut parts, mut start, mut inside, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in header.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b',' if !inside => {
                parts.push(&header[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&header[start..]);
    parts
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut text = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            text.push(c);
            escaped = false;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mufasa() -> Credentials {
        Credentials { user: "Mufasa".to_owned(), password: Secret::new("Circle of Life".to_owned()) }
    }

    fn covered(cnonce: &str) -> Covered<'_> {
        Covered { method: "GET", path: "/dir/index.html", cnonce, count: 1 }
    }

    fn response(header: &str) -> String {
        let at = header.find("response=\"").expect("a response") + 10;
        header[at..].split('"').next().expect("its end").to_owned()
    }

    proptest! {
        #[test]
        fn no_header_panics(header in "\\PC{0,80}") {
            let _ = Challenge::choose(std::iter::once(header.as_str()));
        }
    }

    #[test]
    fn the_examples_of_rfc_7616_section_3_9_1_come_out() {
        let offer = |algorithm: &str| {
            format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            )
        };
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        for (algorithm, expected) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let challenge = Challenge::choose(std::iter::once(offer(algorithm).as_str())).expect("Digest");
            assert_eq!(response(challenge.answer(&mufasa(), covered(cnonce)).expose()), expected);
        }
    }

    #[test]
    fn the_example_of_rfc_7617_comes_out() {
        let credentials = Credentials { user: "Aladdin".to_owned(), password: Secret::new("open sesame".to_owned()) };
        let challenge = Challenge::choose(std::iter::once("Basic realm=\"WallyWorld\"")).expect("Basic");
        let header = challenge.answer(&credentials, covered("x"));
        assert_eq!(header.expose(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }

    #[test]
    fn digest_is_chosen_before_basic_wherever_it_stands() {
        let chosen = |headers: &[&str]| Challenge::choose(headers.iter().copied()).map(|chosen| chosen.describe());
        let digest = "Digest realm=\"a, b\", nonce=\"n\"";
        assert_eq!(chosen(&["Basic realm=\"x\"", digest]).as_deref(), Ok("Digest with MD5, realm `a, b`"));
        let both = format!("Basic realm=\"x\", {digest}");
        assert_eq!(chosen(&[&both]).as_deref(), Ok("Digest with MD5, realm `a, b`"));
        let unknown = "Digest realm=\"x\", nonce=\"n\", algorithm=SHA-512-256";
        assert_eq!(chosen(&[unknown, "Basic realm=\"x\""]).as_deref(), Ok("Basic, realm `x`"));
    }

    #[test]
    fn what_phones_do_not_speak_is_named() {
        let chosen = |headers: &[&str]| Challenge::choose(headers.iter().copied()).expect_err("nothing to choose");
        assert_eq!(chosen(&["Negotiate", "NTLM"]), "Negotiate, NTLM");
        assert_eq!(chosen(&[]), "nothing");
        assert_eq!(chosen(&["Digest realm=\"x\", nonce=\"n\", qop=\"auth-int\""]), "Digest with qop=\"auth-int\"");
        assert_eq!(chosen(&["Digest nonce=\"n\", algorithm=SHA-512-256"]), "Digest with the algorithm SHA-512-256");
        assert_eq!(chosen(&["Digest realm=\"x\"", "NTLM"]), "Digest with no nonce, NTLM");
    }
}
