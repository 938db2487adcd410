//! Where a phone listens, and what it is told with.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use super::Method;
use crate::cli::standing::Place;
use crate::config::{Push, WebScheme};
use crate::device::Secret;
use crate::inventory::Known;
use crate::push::{Credentials, Target};

/// Where a phone hears what it is told by this way.
#[derive(Debug, Clone, Copy)]
enum Port {
    /// Where its address names no port: that one is for SIP.
    Usual(u16),
    /// Whatever its address says.
    Always(u16),
}

impl Port {
    fn number(self) -> u16 {
        match self {
            Self::Usual(port) | Self::Always(port) => port,
        }
    }

    /// The port where the address names this one.
    fn or(self, named: u16) -> u16 {
        match self {
            Self::Usual(_) => named,
            Self::Always(port) => port,
        }
    }
}

/// The phone as it is told: by the variables that `[push]` names, or where it last proved to be it, or else was seen.
pub(super) fn target(
    known: &Known,
    seen: Option<Place>,
    (push, method): (&Push, Method),
    patience: Duration,
) -> Result<Target, String> {
    let (port, names) = match method {
        Method::Notify => (Port::Usual(push.sip_port), (&push.user, &push.password)),
        Method::Http | Method::Xml => (Port::Always(web_port(push)), (&push.web_user, &push.web_password)),
    };
    let variable = |name: &str| known.register(name).filter(|value| !value.is_empty());
    let address = match (variable(&push.address), seen) {
        (Some(text), _) => resolved(&text, port)?,
        // SIP answers a challenge by Digest alone; a web login stands in a URL, or is asked for by Basic, in clear.
        (None, Some(Place { ip, proven: false })) if method != Method::Notify => {
            return Err(format!(
                "nobody has proven to be it at {ip}, and a web login goes to no such address: a rule with a proof shows \
                 where it is, or the variable {} says so",
                push.address
            ));
        }
        (None, Some(place)) => SocketAddr::new(place.ip, port.number()),
        (None, None) => return Err("it was never seen, and has no address".into()),
    };
    let password = variable(names.1).map(Secret::new);
    let own = known.device().identity.mac().map(|mac| mac.to_string());
    let user = variable(names.0);
    let credentials = user.clone().zip(password).map(|(user, password)| Credentials { user, password });
    let user = user.or(own).unwrap_or_else(|| known.device().name().to_string());
    Ok(Target { address, user, credentials, patience, secure: None })
}

fn web_port(push: &Push) -> u16 {
    match push.web {
        WebScheme::Http => push.http_port,
        WebScheme::Https => push.https_port,
    }
}

fn resolved(text: &str, port: Port) -> Result<SocketAddr, String> {
    let fault = |reason: String| format!("`{text}` is no address: {reason}");
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, port.number()));
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(SocketAddr::new(address.ip(), port.or(address.port())));
    }
    let named = match text.rsplit_once(':') {
        Some((host, named)) => {
            let named = named.parse().map_err(|_| fault(format!("`{named}` is no port")))?;
            (host, port.or(named))
        }
        None => (text, port.number()),
    };
    let mut found = named.to_socket_addrs().map_err(|error| fault(error.to_string()))?;
    found.next().ok_or_else(|| fault("it has none".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_port_of_its_own() {
        let resolved = |text: &str| resolved(text, Port::Usual(5060)).map(|address| address.to_string());
        assert_eq!(resolved("192.0.2.1").as_deref(), Ok("192.0.2.1:5060"));
        assert_eq!(resolved("192.0.2.1:5061").as_deref(), Ok("192.0.2.1:5061"));
        assert_eq!(resolved("2001:db8::1").as_deref(), Ok("[2001:db8::1]:5060"));
        assert!(resolved("192.0.2.1:x").expect_err("no port").starts_with("`192.0.2.1:x` is no address"));
    }

    #[test]
    fn the_port_of_an_address_is_not_for_the_web_page() {
        let resolved = |text: &str| resolved(text, Port::Always(80)).map(|address| address.to_string());
        for text in ["192.0.2.1", "192.0.2.1:5061"] {
            assert_eq!(resolved(text).as_deref(), Ok("192.0.2.1:80"), "{text}");
        }
        assert_eq!(resolved("[2001:db8::1]:5061").as_deref(), Ok("[2001:db8::1]:80"));
        for text in ["localhost", "localhost:5061"] {
            assert!(resolved(text).is_ok_and(|address| address.ends_with(":80")), "{text}");
        }
        assert!(resolved("192.0.2.1:x").is_err(), "one that is none is told of all the same");
    }
}
