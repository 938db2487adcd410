//! The `Authorization` header (RFC 9110 §11.6.2), as far as we ask for one.

use std::borrow::Cow;

use data_encoding::BASE64;

use super::Algorithm;
use crate::device::Secret;

/// The most parameters of a digest that are read; RFC 7616 has ten.
const PARAMETERS: usize = 16;

/// What a client presents. It proves nothing yet.
#[derive(Debug)]
pub enum Authorization {
    /// A name and a password (RFC 7617).
    Basic(Basic),
    /// A digest of them and of the request (RFC 7616).
    Digest(Digest),
}

/// A name with a password.
#[derive(Debug)]
pub struct Basic {
    /// Which account; without a colon.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// A digest with `qop=auth`.
#[derive(Debug, Clone)]
pub struct Digest {
    /// Which account.
    pub user: String,
    /// The realm that the client answers for.
    pub realm: String,
    /// The nonce that it was given.
    pub nonce: String,
    /// The request target, as the client saw it.
    pub target: String,
    /// Hexadecimal digits in lower case, as many as the algorithm has.
    pub response: String,
    /// The hash.
    pub algorithm: Algorithm,
    /// The client's own nonce.
    pub client_nonce: String,
    /// How often it has used the server's nonce.
    pub count: u32,
}

/// Why a header is not understood. No text here holds any part of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// Which of them a proxy on the way has looked at, nobody knows.
    #[error("more than one Authorization header")]
    Several,
    /// Neither Basic nor Digest.
    #[error("the scheme is neither Basic nor Digest")]
    Scheme,
    /// The credentials of Basic.
    #[error("Basic credentials that are not base64 of UTF-8 text NAME:PASSWORD")]
    Basic,
    /// Not a list of parameters.
    #[error("a digest that is no list of NAME=VALUE, at most {PARAMETERS} of them")]
    Parameters,
    /// A parameter that is needed.
    #[error("a digest without `{0}`")]
    Missing(&'static str),
    /// A parameter that stands there twice.
    #[error("a digest with `{0}` twice")]
    Twice(&'static str),
    /// A parameter that has another form.
    #[error("a digest whose `{0}` is not as RFC 7616 has it, or not what was offered")]
    Value(&'static str),
}

impl Authorization {
    /// Reads what a request has of the header; none where it has none.
    ///
    /// # Errors
    /// It stands there twice, or is not understood.
    pub fn of(headers: &[&[u8]]) -> Result<Option<Self>, AuthorizationError> {
        match headers {
            [] => Ok(None),
            [value] => Self::parse(value).map(Some),
            [_, _, ..] => Err(AuthorizationError::Several),
        }
    }

    /// Reads the header's value.
    ///
    /// # Errors
    /// It is neither Basic nor Digest, or not all of it.
    pub fn parse(value: &[u8]) -> Result<Self, AuthorizationError> {
        let text = std::str::from_utf8(value).map_err(|_| AuthorizationError::Scheme)?;
        let (scheme, rest) = text.split_once(' ').ok_or(AuthorizationError::Scheme)?;
        match scheme {
            _ if scheme.eq_ignore_ascii_case("basic") => basic(rest.trim()).map(Self::Basic),
            _ if scheme.eq_ignore_ascii_case("digest") => digest(rest).map(Self::Digest),
            _ => Err(AuthorizationError::Scheme),
        }
    }
}

fn basic(token: &str) -> Result<Basic, AuthorizationError> {
    let bytes = BASE64.decode(token.as_bytes()).map_err(|_| AuthorizationError::Basic)?;
    let text = Secret::new(String::from_utf8(bytes).map_err(|_| AuthorizationError::Basic)?);
    let (user, password) = text.expose().split_once(':').ok_or(AuthorizationError::Basic)?;
    Ok(Basic { user: user.to_owned(), password: Secret::new(password.to_owned()) })
}

fn digest(text: &str) -> Result<Digest, AuthorizationError> {
    let parameters = Parameters::read(text)?;
    if parameters.optional("userhash")?.is_some_and(|value| !value.eq_ignore_ascii_case("false")) {
        return Err(AuthorizationError::Value("userhash"));
    }
    let algorithm = match parameters.optional("algorithm")? {
        None => Algorithm::Md5,
        Some(name) if name.eq_ignore_ascii_case("MD5") => Algorithm::Md5,
        Some(name) if name.eq_ignore_ascii_case("SHA-256") => Algorithm::Sha256,
        Some(_) => return Err(AuthorizationError::Value("algorithm")),
    };
    // Without it there is no count, and a digest could be sent again and again (RFC 2069).
    if !parameters.needed("qop")?.eq_ignore_ascii_case("auth") {
        return Err(AuthorizationError::Value("qop"));
    }
    let response = parameters.needed("response")?.to_ascii_lowercase();
    if !is_hexadecimal(&response, algorithm.digits()) {
        return Err(AuthorizationError::Value("response"));
    }
    let count = parameters.needed("nc")?;
    let count = Some(count).filter(|count| is_hexadecimal(count, 8)).and_then(|nc| u32::from_str_radix(nc, 16).ok());
    Ok(Digest {
        user: parameters.needed("username")?.to_owned(),
        realm: parameters.needed("realm")?.to_owned(),
        nonce: parameters.needed("nonce")?.to_owned(),
        target: parameters.needed("uri")?.to_owned(),
        response,
        algorithm,
        client_nonce: parameters.needed("cnonce")?.to_owned(),
        count: count.ok_or(AuthorizationError::Value("nc"))?,
    })
}

fn is_hexadecimal(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Names with values, parted by commas; a value is a token or stands in quotes (RFC 9110 §5.6.6, §11.2).
struct Parameters<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl<'a> Parameters<'a> {
    fn read(text: &'a str) -> Result<Self, AuthorizationError> {
        let (mut found, mut rest) = (Vec::new(), text.trim());
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=').ok_or(AuthorizationError::Parameters)?;
            let (value, after) = value(after.trim_start())?;
            found.push((name.trim(), value));
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if after.is_empty() => after,
                None => return Err(AuthorizationError::Parameters),
            };
            if found.len() > PARAMETERS {
                return Err(AuthorizationError::Parameters);
            }
        }
        Ok(Self(found))
    }

    fn optional(&self, name: &'static str) -> Result<Option<&str>, AuthorizationError> {
        let mut values = self.0.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.map(AsRef::as_ref)),
            (_, Some(_)) => Err(AuthorizationError::Twice(name)),
        }
    }

    fn needed(&self, name: &'static str) -> Result<&str, AuthorizationError> {
        self.optional(name)?.filter(|value| !value.is_empty()).ok_or(AuthorizationError::Missing(name))
    }
}

/// A value at the beginning of the text, and what follows it.
fn value(text: &str) -> Result<(Cow<'_, str>, &str), AuthorizationError> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c == ',' || c.is_ascii_whitespace()).unwrap_or(text.len());
        return Ok((Cow::Borrowed(&text[..end]), &text[end..]));
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, character) in quoted.char_indices() {
        match character {
            '"' if !escaped => return Ok((Cow::Owned(value), &quoted[at + 1..])),
            '\\' if !escaped => escaped = true,
            other => {
                value.push(other);
                escaped = false;
            }
        }
    }
    Err(AuthorizationError::Parameters)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CURL: &str = "Digest username=\"desk\", realm=\"phoneprov\", nonce=\"n\", uri=\"/a.cfg\", cnonce=\"c==\", \
                        nc=00000001, qop=auth, response=\"8ca523f5e9506fed4657c9700eebdbec\", algorithm=MD5";

    fn error(value: &str) -> AuthorizationError {
        Authorization::parse(value.as_bytes()).expect_err("not understood")
    }

    proptest! {
        #[test]
        fn a_name_and_a_password_are_read_as_they_were_written(user in "[^:]{0,40}", password in "\\PC{0,40}") {
            let value = format!("basic {}", BASE64.encode(format!("{user}:{password}").as_bytes()));
            let Ok(Authorization::Basic(basic)) = Authorization::parse(value.as_bytes()) else {
                return Err(TestCaseError::fail("not Basic"));
            };
            prop_assert_eq!((basic.user, basic.password.expose()), (user, password.as_str()));
        }

        #[test]
        fn a_quoted_name_is_read_as_it_was_written(user in "\\PC{1,40}") {
            let quoted = user.replace('\\', "\\\\").replace('"', "\\\"");
            let value = CURL.replace("desk", &quoted);
            let Ok(Authorization::Digest(digest)) = Authorization::parse(value.as_bytes()) else {
                return Err(TestCaseError::fail("not a digest"));
            };
            prop_assert_eq!(digest.user, user);
        }
    }

    #[test]
    fn a_digest_as_curl_sends_it_is_read() {
        let Ok(Authorization::Digest(digest)) = Authorization::parse(CURL.as_bytes()) else { panic!("a digest") };
        assert_eq!((digest.user.as_str(), digest.target.as_str(), digest.count), ("desk", "/a.cfg", 1));
        assert_eq!((digest.client_nonce.as_str(), digest.algorithm), ("c==", Algorithm::Md5));
    }

    #[test]
    fn what_is_wrong_is_named_without_what_was_sent() {
        use AuthorizationError::{Basic, Missing, Parameters, Scheme, Twice, Value};
        let cases = [
            ("", Scheme),
            ("Basic", Scheme),
            ("NTLM TlRMTVNTUAABAAAA", Scheme),
            ("Bearer secret", Scheme),
            ("Basic !!!", Basic),
            ("Basic c2VjcmV0", Basic),
            ("Basic /////w==", Basic),
            ("Digest", Scheme),
            ("Digest secret", Parameters),
            ("Digest username=\"secret", Parameters),
            ("Digest username=\"a\" realm=\"b\"", Parameters),
            ("Digest username=\"a\"", Missing("qop")),
            (&CURL.replace("qop=auth,", ""), Missing("qop")),
            (&CURL.replace("qop=auth,", "qop=auth-int,"), Value("qop")),
            (&CURL.replace("nc=00000001", "nc=1"), Value("nc")),
            (&CURL.replace("nc=00000001", "nc=+0000001"), Value("nc")),
            (&CURL.replace("algorithm=MD5", "algorithm=SHA-256"), Value("response")),
            (&CURL.replace("algorithm=MD5", "algorithm=MD5-sess"), Value("algorithm")),
            (&CURL.replace("algorithm=MD5", "userhash=true"), Value("userhash")),
            (&format!("{CURL}, nonce=\"m\""), Twice("nonce")),
            (&CURL.replace("\"desk\"", "\"\""), Missing("username")),
            (&format!("Digest {}", "a=b,".repeat(17)), Parameters),
        ];
        for (value, expected) in cases {
            assert_eq!(error(value), expected, "{value}");
            assert!(!error(value).to_string().contains("secret"));
        }
    }
}
