//! Where a rule leads: `[scheme://][server[:port]]filepath` with the phones' defaults.

use std::fmt;

/// What is fetched, or sent to, once macros are expanded and defaults applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    /// How.
    pub scheme: Scheme,
    /// A name or an address; an IPv6 address without brackets.
    pub host: String,
    /// The one that is written, or the scheme's.
    pub port: u16,
    /// From its first slash on, with the query.
    pub path: String,
}

/// What a rule names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Location {
    /// A file.
    Url(Url),
    /// `gds://` and an activation code, at will: Cisco's onboarding service knows the rest (Cisco MPP guide,
    /// "Activation Code Onboarding").
    Activation(String),
}

/// The schemes that phones speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// The default.
    Tftp,
    /// Port 80.
    Http,
    /// Port 443.
    Https,
}

/// The text is no URL that a phone fetches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// `ftp://…`.
    #[error("`{0}` is no scheme of a phone: expected tftp, http, https or gds")]
    Scheme(String),
    /// `http:/host/x`.
    #[error("a slash is missing: a URL begins with `{0}://`")]
    Slash(Scheme),
    /// `host` or `http://host?query`.
    #[error("there is no file path: expected a `/` and a path after the server, or before the file's name")]
    Path,
    /// Neither in the rule nor from DHCP.
    #[error("the rule names no server, and none is known from DHCP option 66")]
    NoServer,
    /// An `Upgrade_Rule` that begins with `/`.
    #[error("an upgrade rule must name its server: option 66 counts for profile rules only")]
    ServerNeeded,
    /// `http://user:password@host/…`.
    #[error("a user name stands before the server: phones take it as [--uid … --pwd …] before the URL")]
    User,
    /// `host:99999`.
    #[error("`{0}` is no port: expected a number from 1 to 65535")]
    Port(String),
    /// `http://a b/…`.
    #[error("`{0}` is no server: expected a name or an address")]
    Host(String),
    /// A blank, a control character, a quote, `<` or `>`.
    #[error("a URL cannot hold {}", character(*.0))]
    Character(char),
}

impl Url {
    /// Reads a text whose macros are expanded. `server` is that of DHCP option 66, which counts where the text names
    /// none. A server that itself has a scheme and a port lends them; one without is asked by TFTP first (Cisco MPP
    /// guide: then by HTTP and HTTPS, which is up to the phone).
    pub fn parse(text: &str, server: Option<&str>) -> Result<Location, UrlError> {
        if let Some(bad) = text.chars().find(|c| c.is_whitespace() || c.is_control() || "\"<>".contains(*c)) {
            return Err(UrlError::Character(bad));
        }
        let (scheme, rest) = scheme_and_rest(text);
        if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("gds")) {
            return Ok(Location::Activation(rest.to_owned()));
        }
        let scheme = scheme.map(Scheme::parse).transpose()?;
        if let Some((before, after)) = rest.split_once(':')
            && let Ok(scheme) = Scheme::parse(before)
            && after.starts_with('/')
        {
            return Err(UrlError::Slash(scheme));
        }
        let slash = rest.find('/').ok_or(UrlError::Path)?;
        let (written, path) = rest.split_at(slash);
        let (scheme, authority) = match (scheme, written.is_empty()) {
            (scheme, false) => (scheme.unwrap_or(Scheme::Tftp), written),
            (scheme, true) => {
                let (lent, authority) = of_option_66(server.ok_or(UrlError::NoServer)?)?;
                (scheme.or(lent).unwrap_or(Scheme::Tftp), authority)
            }
        };
        let (host, port) = host_and_port(authority)?;
        let port = port.unwrap_or(scheme.port());
        Ok(Location::Url(Self { scheme, host: host.to_owned(), port, path: path.to_owned() }))
    }
}

impl UrlError {
    /// The byte of the URL's text under which the fault is: the character that is wrong, or before which something is missing.
    pub(super) fn place(&self, text: &str) -> usize {
        let (_, rest) = scheme_and_rest(text);
        let authority = text.len() - rest.len();
        let written = rest.split('/').next().unwrap_or_default();
        match self {
            Self::Scheme(_) => 0,
            Self::Slash(scheme) => authority + scheme.as_str().len() + 2,
            // Without a scheme nobody can tell a server from a file.
            Self::Path if authority == 0 => 0,
            Self::Path => authority + rest.find(['?', '#']).unwrap_or(rest.len()),
            Self::NoServer | Self::ServerNeeded | Self::User => authority,
            Self::Port(port) => authority + written.len() - port.len(),
            Self::Host(_) => {
                let bad = written.find(|c: char| !(c.is_ascii_alphanumeric() || "-._:[]".contains(c)));
                authority + bad.unwrap_or_default()
            }
            Self::Character(bad) => text.find(*bad).unwrap_or_default(),
        }
    }
}

impl Scheme {
    /// Reads a scheme, in any case (Cisco's samples have `HTTP://` too).
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        [Self::Tftp, Self::Http, Self::Https]
            .into_iter()
            .find(|scheme| scheme.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UrlError::Scheme(shown(text)))
    }

    /// `tftp`, `http`, `https`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tftp => "tftp",
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// 69, 80, 443.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Tftp => 69,
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// What stands before `://`, where that is no part of the path, and what stands behind it.
fn scheme_and_rest(text: &str) -> (Option<&str>, &str) {
    match text.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => (Some(scheme), rest),
        _ => (None, text),
    }
}

/// What stands for a scheme, as it may be shown: what has not the form of one (RFC 3986, section 3.1) may hold a password.
fn shown(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let is_scheme = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.len() <= 12 && text.chars().all(fits);
    if is_scheme { text.to_owned() } else { "…".to_owned() }
}

/// The scheme and the authority of a server as DHCP gives it.
fn of_option_66(server: &str) -> Result<(Option<Scheme>, &str), UrlError> {
    let (scheme, rest) = match server.split_once("://") {
        Some((scheme, rest)) => (Some(Scheme::parse(scheme)?), rest),
        None => (None, server),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.is_empty() { Err(UrlError::NoServer) } else { Ok((scheme, authority)) }
}

fn host_and_port(authority: &str) -> Result<(&str, Option<u16>), UrlError> {
    if authority.contains('@') {
        return Err(UrlError::User);
    }
    let bad = || UrlError::Host(authority.to_owned());
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or_else(bad)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| bad())?;
            let port = if after.is_empty() { None } else { Some(after.strip_prefix(':').ok_or_else(bad)?) };
            (host, port)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let written = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    if host.is_empty() || host.len() > 253 || !host.bytes().all(written) {
        return Err(bad());
    }
    let number = |text: &str| {
        let port = text.parse().ok().filter(|port| *port > 0 && !text.starts_with('+'));
        port.ok_or_else(|| UrlError::Port(text.to_owned()))
    };
    Ok((host, port.map(number).transpose()?))
}

fn character(c: char) -> String {
    match c {
        ' ' => "a blank (written %20)".to_owned(),
        c if c.is_whitespace() || c.is_control() => format!("the character U+{:04X}", u32::from(c)),
        c => format!("`{c}`"),
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Url {
    /// With its port, as phones log it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port, path } = self;
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}{path}")
        } else {
            write!(f, "{scheme}://{host}:{port}{path}")
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => url.fmt(f),
            Self::Activation(code) => write!(f, "gds://{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fetched(text: &str, server: Option<&str>) -> String {
        Url::parse(text, server).map_or_else(|error| error.to_string(), |location| location.to_string())
    }

    #[test]
    fn what_is_left_out_has_the_phones_defaults() {
        let dhcp = Some("192.0.2.66");
        // The valid URLs of the guides (FMT and SPA Provisioning Guide, "URL Syntax"), macros expanded.
        let examples = [
            ("/000e08abcdef.cfg", "tftp://192.0.2.66:69/000e08abcdef.cfg"),
            ("/cisco/spa021025.bin", "tftp://192.0.2.66:69/cisco/spa021025.bin"),
            ("192.168.1.130/profiles/init.cfg", "tftp://192.168.1.130:69/profiles/init.cfg"),
            ("tftp://prov.call.com/cpe/cisco000e08abcdef.cfg", "tftp://prov.call.com:69/cpe/cisco000e08abcdef.cfg"),
            ("http://neptune.speak.net:8080/prov/d/e.cfg", "http://neptune.speak.net:8080/prov/d/e.cfg"),
            ("https://secure.me.com/profile?Linksys", "https://secure.me.com:443/profile?Linksys"),
            ("HTTP://SERVER_ADDRESS/x.loads", "http://SERVER_ADDRESS:80/x.loads"),
            ("https:///x.xml", "https://192.0.2.66:443/x.xml"),
            ("http://[2001:db8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
            ("http://a/b?c=d://e", "http://a:80/b?c=d://e"),
            ("/b?c=d://e", "tftp://192.0.2.66:69/b?c=d://e"),
            ("gds://", "gds://"),
            ("gds://1234567890123456", "gds://1234567890123456"),
        ];
        for (text, expected) in examples {
            assert_eq!(fetched(text, dhcp), expected, "{text}");
        }
    }

    #[test]
    fn a_server_of_dhcp_lends_what_it_has() {
        let forms = [
            ("prov.example.com", "tftp://prov.example.com:69/x"),
            ("https://prov.example.com", "https://prov.example.com:443/x"),
            ("http://prov.example.com:8080/Cisco/$PN.cfg", "http://prov.example.com:8080/x"),
        ];
        for (server, expected) in forms {
            assert_eq!(fetched("/x", Some(server)), expected, "{server}");
        }
    }

    #[test]
    fn what_is_no_url_says_why() {
        let wrong = [
            ("ftp://a/b", UrlError::Scheme("ftp".into())),
            ("basic.txt", UrlError::Path),
            ("http://host", UrlError::Path),
            ("http://host?x", UrlError::Path),
            ("", UrlError::Path),
            ("/x", UrlError::NoServer),
            ("http://u:p@host/x", UrlError::User),
            ("http://host:0/x", UrlError::Port("0".into())),
            ("http://host:65536/x", UrlError::Port("65536".into())),
            ("http://host:/x", UrlError::Port(String::new())),
            ("http://host:+8/x", UrlError::Port("+8".into())),
            ("http://:80/x", UrlError::Host(":80".into())),
            ("http://[::1/x", UrlError::Host("[::1".into())),
            ("http://[x]/x", UrlError::Host("[x]".into())),
            ("http://$STRANGE/x", UrlError::Host("$STRANGE".into())),
            ("/a b", UrlError::Character(' ')),
            ("http://<ip>/x", UrlError::Character('<')),
        ];
        for (text, error) in wrong {
            assert_eq!(Url::parse(text, None), Err(error), "{text}");
        }
    }

    #[test]
    fn a_fault_is_placed_in_the_server_that_is_meant() {
        // The part from which on the text is wrong.
        let wrong = [
            ("http://host:0/x", "0/x"),
            ("host:99999/x?y=http://z", "99999/x?y=http://z"),
            ("host::?:::61:h60,/x", ":?:::61:h60,/x"),
            ("http://ho?st/x", "?st/x"),
            ("http://host?x", "?x"),
            ("http://u:p@host/x", "u:p@host/x"),
            ("http://https:/x", "x"),
            ("basic.txt", "basic.txt"),
        ];
        for (text, expected) in wrong {
            let error = Url::parse(text, None).expect_err(text);
            assert_eq!(&text[error.place(text)..], expected, "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_fault_is_under_a_character(text in "(http://)?[a-zé:/?#@.\\[\\]0-9]{0,40}") {
            if let Err(error) = Url::parse(&text, Some("dhcp")) {
                prop_assert!(text.is_char_boundary(error.place(&text)), "{}", error);
            }
        }

        #[test]
        fn a_printed_url_reads_as_the_same(text in "(https?://|tftp://)?[a-z.]{0,9}(:[0-9]{1,5})?/?[ -~]{0,20}") {
            if let Ok(location) = Url::parse(&text, Some("dhcp")) {
                prop_assert_eq!(Url::parse(&location.to_string(), None), Ok(location));
            }
        }
    }
}
