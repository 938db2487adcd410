//! The names in a certificate, and where they lead to.

use std::net::{IpAddr, ToSocketAddrs as _, UdpSocket};
use std::sync::mpsc;
use std::time::Duration;

use super::Finding;
use crate::certificate::Details;

/// The longest that a name's addresses are waited for.
const PATIENCE: Duration = Duration::from_secs(5);

const GUIDE: &str = "Cisco 8800 Provisioning Guide, server certificate";

/// Where a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reached {
    /// An address of this host.
    Here,
    /// Other addresses only.
    Elsewhere(Vec<IpAddr>),
    /// Nowhere, as far as this host can tell.
    Nowhere,
}

/// What is to be said of the names.
pub(super) struct Names {
    pub(super) findings: Vec<Finding>,
    /// The name in the `CN`, without what follows its `/`, and where it leads to.
    pub(super) reached: Option<(String, Reached)>,
}

/// Looks at the names of a certificate, and at the one by which its server was reached, if it was.
pub(super) fn findings(details: &Details, host: Option<&str>) -> Names {
    let mut findings = Vec::new();
    let common = common_name(details);
    let mut names: Vec<&str> = details.alternative_names.iter().map(String::as_str).collect();
    names.extend(common.as_deref().filter(|common| !names.contains(common)));
    if names.is_empty() {
        findings.push(Finding::error("it names no host: phones look for the one of their rule in it", GUIDE));
    }
    for wildcard in names.iter().filter(|name| name.contains('*')) {
        let message =
            format!("{wildcard} is a wildcard: phones look for the server's own name, which has to stand in it");
        // One beside it that is plain may be the one of the phones' rule.
        let finding = if names.iter().all(|name| name.contains('*')) { Finding::error } else { Finding::warning };
        findings.push(finding(message, GUIDE));
    }
    if let Some(host) = host.filter(|host| !names.iter().any(|name| is_of(name, host))) {
        let message = format!("it is not for {host}: it names {}", names.join(", "));
        findings.push(Finding::error(message, "RFC 9110 section 4.3.4"));
    }
    let mut reached = None;
    let is_name = |name: &&str| !name.contains('*') && name.parse::<IpAddr>().is_err();
    for name in names.into_iter().filter(is_name).take(10) {
        let place = reach(name);
        // Of another server it says nothing where its names lead to from here.
        if host.is_none() {
            findings.extend(led(name, &place));
        }
        if Some(name) == common.as_deref() {
            reached = Some((name.to_owned(), place));
        }
    }
    Names { findings, reached }
}

/// The host in the `CN`: `pv.telco.net` of `pv.telco.net/admin@telco.net`.
fn common_name(details: &Details) -> Option<String> {
    let (_, value) = details.subject.iter().rev().find(|(field, _)| field == "CN")?;
    let host = value.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let is_written = |byte: u8| byte.is_ascii_alphanumeric() || b"-.*:".contains(&byte);
    (!host.is_empty() && host.bytes().all(is_written)).then_some(host)
}

/// Whether a name of a certificate is the host's (RFC 9525 section 6.3).
fn is_of(name: &str, host: &str) -> bool {
    match (name.strip_prefix("*."), host.split_once('.')) {
        (Some(domain), Some((_, rest))) => domain.eq_ignore_ascii_case(rest),
        _ => name.eq_ignore_ascii_case(host) || name.parse::<IpAddr>().is_ok_and(|name| host.parse() == Ok(name)),
    }
}

fn led(name: &str, place: &Reached) -> Option<Finding> {
    let message = match place {
        Reached::Here => return None,
        Reached::Nowhere => format!("{name} leads to no address from here: phones cannot find the server by it"),
        Reached::Elsewhere(addresses) => {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            format!(
                "{name} leads to {}, which is not this host: right behind a proxy or NAT only",
                addresses.join(", ")
            )
        }
    };
    Some(Finding::warning(message, GUIDE))
}

/// Asks the DNS as any program of this host would.
fn reach(name: &str) -> Reached {
    let (answer, addresses) = mpsc::channel();
    let asked = name.to_owned();
    // The system's resolver has no deadline: a thread that still waits ends with us.
    std::thread::spawn(move || {
        let found = (asked.as_str(), 0).to_socket_addrs().map(|all| all.map(|address| address.ip()).collect());
        let _ = answer.send(found.unwrap_or_default());
    });
    let mut addresses: Vec<IpAddr> = addresses.recv_timeout(PATIENCE).unwrap_or_default();
    addresses.dedup();
    if addresses.is_empty() {
        Reached::Nowhere
    } else if addresses.iter().any(|address| UdpSocket::bind((*address, 0)).is_ok()) {
        // Only an address of this host can be bound to.
        Reached::Here
    } else {
        Reached::Elsewhere(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_hosts_with_or_without_case_and_a_star_for_one_label() {
        for (name, host) in
            [("prov.lab", "PROV.lab"), ("*.lab", "prov.lab"), ("127.0.0.1", "127.0.0.1"), ("::1", "0:0::1")]
        {
            assert!(is_of(name, host), "{name} {host}");
        }
        for (name, host) in
            [("prov.lab", "prov"), ("*.lab", "a.prov.lab"), ("*.lab", "lab"), ("127.0.0.1", "127.0.0.2")]
        {
            assert!(!is_of(name, host), "{name} {host}");
        }
    }

    #[test]
    fn an_address_of_this_host_can_be_told_from_others() {
        assert_eq!(reach("localhost"), Reached::Here);
        assert_eq!(reach("name.invalid"), Reached::Nowhere);
        assert!(matches!(reach("192.0.2.1"), Reached::Elsewhere(_)));
    }
}
