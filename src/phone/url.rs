//! What phones do with an address beside asking for it: name its server, and follow a redirect from it.

use super::failure::Failure;
use crate::profile::rule::{Location, UrlError};
pub use crate::profile::rule::{Scheme, Url};

/// The longest `Location` that is looked at. Very long addresses have rebooted early MPP phones (`CSCvi74170`).
const LONGEST: usize = 8192;

/// Scheme, host and port: what makes a server.
#[must_use]
pub fn origin(url: &Url) -> String {
    format!("{}://{}:{}", url.scheme, bracketed(url), url.port)
}

/// The `Host` header: without the port where it is the scheme's own (RFC 9110 §7.2).
#[must_use]
pub fn host_header(url: &Url) -> String {
    if url.port == url.scheme.port() { bracketed(url) } else { format!("{}:{}", bracketed(url), url.port) }
}

/// Where a `Location` leads from here: a whole address, or a path on the same server (RFC 9110 §10.2.2).
///
/// # Errors
/// It is neither, or leads to TFTP, which no HTTP client follows.
pub fn redirected(from: &Url, location: &str) -> Result<Url, Failure> {
    let wrong = |why: &str| Failure::Url(format!("a redirect to `{}`: {why}", shortened(location)));
    if location.len() > LONGEST {
        return Err(wrong("longer than 8192 characters"));
    }
    let location = location.split('#').next().unwrap_or_default();
    let folder = from.path.split('?').next().unwrap_or_default();
    let folder = &folder[..folder.rfind('/').unwrap_or_default()];
    let absolute = match location {
        "" => return Err(wrong("expected an address or a path")),
        _ if location.split(['/', '?']).next().is_some_and(|start| start.ends_with(':')) => location.to_owned(),
        _ if location.starts_with("//") => format!("{}:{location}", from.scheme),
        _ if location.starts_with('/') => format!("{}{location}", origin(from)),
        _ => format!("{}{folder}/{location}", origin(from)),
    };
    match parse(&absolute) {
        Ok(Url { scheme: Scheme::Tftp, .. }) => Err(wrong("expected http:// or https://")),
        Ok(url) => Ok(url),
        Err(error) => Err(wrong(&error.to_string())),
    }
}

/// An address that another program writes may leave out the path; a rule may not.
fn parse(text: &str) -> Result<Url, UrlError> {
    let end = text.find("://").map_or(0, |at| at + 3);
    let path = text[end..].find(['/', '?']).map_or(text.len(), |at| end + at);
    let (server, path) = text.split_at(path);
    let slash = if path.starts_with('/') { "" } else { "/" };
    match Url::parse(&format!("{server}{slash}{path}"), None)? {
        Location::Url(url) => Ok(url),
        Location::Activation(_) => Err(UrlError::Scheme("gds".to_owned())),
    }
}

fn bracketed(url: &Url) -> String {
    if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.clone() }
}

fn shortened(text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(text: &str) -> Url {
        parse(text).expect("an address")
    }

    proptest! {
        #[test]
        fn no_location_panics(location in "\\PC{0,60}") {
            let _ = redirected(&url("http://a/x?y"), &location);
        }
    }

    #[test]
    fn a_server_is_named_with_its_port_where_that_is_its_own() {
        assert_eq!(host_header(&url("https://prov.example.com")), "prov.example.com");
        assert_eq!(host_header(&url("http://[::1]:81/x")), "[::1]:81");
        assert_eq!(origin(&url("http://h/x")), "http://h:80");
    }

    #[test]
    fn a_redirect_is_resolved_against_the_address_asked() {
        let from = url("http://a:81/x/y.cfg?q=/1");
        let to = |location: &str| redirected(&from, location).map(|url| url.to_string());
        assert_eq!(to("https://b/z").as_deref(), Ok("https://b:443/z"));
        assert_eq!(to("https://b?z").as_deref(), Ok("https://b:443/?z"));
        assert_eq!(to("/z?u=http://c/").as_deref(), Ok("http://a:81/z?u=http://c/"));
        assert_eq!(to("z").as_deref(), Ok("http://a:81/x/z"));
        assert_eq!(to("//b/z").as_deref(), Ok("http://b:80/z"));
        for wrong in ["tftp://b/z", "", "gds://1", "ftp://b/z"] {
            assert!(to(wrong).is_err(), "{wrong}");
        }
    }
}
