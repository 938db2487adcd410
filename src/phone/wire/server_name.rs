//! Whether a certificate is that of the server that was asked for, and what it says.

use std::net::IpAddr;

use openssl::nid::Nid;
use openssl::x509::X509Ref;

use super::tls::Manner;
use crate::phone::failure::Failure;
use crate::phone::family::NameCheck;

/// Whether the certificate is this server's, as the phone sees it.
pub(super) async fn check(
    certificate: &X509Ref,
    host: &str,
    address: IpAddr,
    manner: Manner<'_>,
) -> Result<(), Failure> {
    let named = names(certificate);
    let wrong = |wanted: String| Failure::ServerName {
        wanted,
        named: if named.is_empty() { "nobody".to_owned() } else { named.join(", ") },
    };
    match manner.check {
        NameCheck::Off => Ok(()),
        NameCheck::Host if is_for(certificate, host) => Ok(()),
        NameCheck::Host => Err(wrong(host.to_owned())),
        NameCheck::Address => {
            for name in common_names(certificate) {
                let found = manner.names.addresses(&name).await;
                if found.is_ok_and(|addresses| addresses.contains(&address)) {
                    return Ok(());
                }
            }
            Err(wrong(format!("{address}, which none of its names leads to")))
        }
    }
}

/// Whether the host stands in the alternative names or is the common name.
fn is_for(certificate: &X509Ref, host: &str) -> bool {
    let address = host.parse::<IpAddr>().ok();
    let octets = address.map(|address| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    });
    let alternative = certificate.subject_alt_names().is_some_and(|names| {
        names.iter().any(|name| match &octets {
            Some(octets) => name.ipaddress() == Some(octets),
            None => name.dnsname().is_some_and(|pattern| covers(pattern, host)),
        })
    });
    alternative || common_names(certificate).iter().any(|name| covers(name, host))
}

/// Whether a name with perhaps a `*` as its first label is that of the host (RFC 9525 §6.3).
fn covers(pattern: &str, host: &str) -> bool {
    let host = host.trim_end_matches('.');
    match pattern.strip_prefix("*.") {
        Some(domain) => host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain)),
        None => pattern.trim_end_matches('.').eq_ignore_ascii_case(host),
    }
}

/// The common names; what follows a slash is a contact and no part of the name: `pv.telco.net/admin@telco.net` (seed 004).
pub(super) fn common_names(certificate: &X509Ref) -> Vec<String> {
    let entries = certificate.subject_name().entries_by_nid(Nid::COMMONNAME);
    let texts = entries.filter_map(|entry| entry.data().to_string().ok());
    texts.map(|text| text.split('/').next().unwrap_or_default().to_owned()).collect()
}

fn names(certificate: &X509Ref) -> Vec<String> {
    let mut found = common_names(certificate);
    for name in certificate.subject_alt_names().iter().flatten() {
        let address = name.ipaddress().and_then(|octets| match octets.len() {
            4 => <[u8; 4]>::try_from(octets).ok().map(IpAddr::from),
            _ => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
        });
        found.extend(name.dnsname().map(str::to_owned).or_else(|| address.map(|address| address.to_string())));
    }
    found.sort();
    found.dedup();
    found
}

/// A subject as `OU=CP-8841-3PCC, L=FCH…, ST=000e08abcdef`.
pub(super) fn subject(certificate: &X509Ref) -> String {
    let entries = certificate.subject_name().entries().map(|entry| {
        let key = entry.object().nid().short_name().unwrap_or("?").to_owned();
        let value = entry.data().to_string().unwrap_or_default();
        format!("{key}={value}")
    });
    entries.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(super) mod tests {
    use openssl::asn1::Asn1Time;
    use openssl::hash::MessageDigest;
    use openssl::pkey::{PKey, Private};
    use openssl::rsa::Rsa;
    use openssl::x509::extension::SubjectAlternativeName;
    use openssl::x509::{X509, X509NameBuilder};

    use super::*;

    pub(in crate::phone::wire) fn key() -> PKey<Private> {
        PKey::from_rsa(Rsa::generate(1024).expect("a key")).expect("a key")
    }

    pub(in crate::phone::wire) fn certificate(key: &PKey<Private>, name: &str, alternative: Option<&str>) -> X509 {
        let mut subject = X509NameBuilder::new().expect("a name");
        subject.append_entry_by_text("CN", name).expect("a name");
        let subject = subject.build();
        let mut builder = X509::builder().expect("a builder");
        builder.set_version(2).expect("version 3");
        builder.set_subject_name(&subject).expect("a subject");
        builder.set_issuer_name(&subject).expect("an issuer");
        builder.set_pubkey(key).expect("a key");
        builder.set_not_before(&Asn1Time::days_from_now(0).expect("a time")).expect("a time");
        builder.set_not_after(&Asn1Time::days_from_now(1).expect("a time")).expect("a time");
        if let Some(alternative) = alternative {
            let mut names = SubjectAlternativeName::new();
            if alternative.parse::<IpAddr>().is_ok() {
                names.ip(alternative)
            } else {
                names.dns(alternative)
            };
            let extension = names.build(&builder.x509v3_context(None, None)).expect("an extension");
            builder.append_extension(extension).expect("an extension");
        }
        builder.sign(key, MessageDigest::sha256()).expect("a signature");
        builder.build()
    }

    #[test]
    fn what_follows_a_slash_in_the_common_name_is_no_part_of_it() {
        let key = key();
        for name in ["sprov.callme.com", "sprov.callme.com/mailto:admin@telco.net", "sprov.callme.com/info@voice.com"] {
            assert!(is_for(&certificate(&key, name, None), "sprov.callme.com"), "{name}");
        }
        assert!(!is_for(&certificate(&key, "sprov.callme.com.evil.example", None), "sprov.callme.com"));
    }

    #[test]
    fn alternative_names_count_and_a_star_is_one_label() {
        let key = key();
        let wild = certificate(&key, "x", Some("*.example.com"));
        assert!(is_for(&wild, "prov.example.com"));
        assert!(!is_for(&wild, "a.prov.example.com") && !is_for(&wild, "example.com"));
        let address = certificate(&key, "x", Some("192.0.2.1"));
        assert!(is_for(&address, "192.0.2.1") && !is_for(&address, "192.0.2.2"));
        assert_eq!(names(&address), ["192.0.2.1", "x"]);
    }
}
