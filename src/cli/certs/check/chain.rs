//! The chain by itself: order, signatures, dates, hashes, and the key that it certifies.

use jiff::{SignedDuration, Timestamp};
use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509PurposeId, X509StoreContext};

use super::Finding;
use crate::certificate::{self, Details, Misplaced, SignatureHash};

/// A certificate that ends within this is worth a word.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A certificate of a chain, in words.
pub(super) struct Link {
    pub(super) details: Details,
    pub(super) hash: SignatureHash,
}

/// Reads a chain; the first of it that is no certificate ends the matter.
pub(super) fn read(chain: &[Vec<u8>]) -> Result<Vec<Link>, Finding> {
    let mut links = Vec::new();
    for (at, der) in chain.iter().enumerate() {
        let both = certificate::details(der).and_then(|details| Ok((details, certificate::signer(der)?.hash)));
        match both {
            Ok((details, hash)) => links.push(Link { details, hash }),
            Err(error) => {
                return Err(Finding::error(format!("certificate {} is none: {error}", at + 1), "RFC 5280"));
            }
        }
    }
    Ok(links)
}

/// What is wrong with a chain for everybody.
pub(super) fn findings(chain: &[Vec<u8>], links: &[Link], now: Timestamp) -> Vec<Finding> {
    let mut findings = order(chain);
    if findings.is_empty() {
        findings.extend(verified(chain));
    }
    for (at, link) in links.iter().enumerate() {
        let which = if at == 0 { "it".to_owned() } else { format!("certificate {} of the chain", at + 1) };
        findings.extend(dates(&which, &link.details, now));
        let is_root = link.details.issuer == subject(&link.details);
        findings.extend(signature(&which, link.hash).filter(|_| !is_root || at == 0));
    }
    findings.extend(key(&links[0].details));
    findings
}

/// `O=Cisco, CN=Cisco Manufacturing CA`, as an issuer is written.
pub(super) fn subject(details: &Details) -> String {
    let fields: Vec<String> = details.subject.iter().map(|(name, value)| format!("{name}={value}")).collect();
    fields.join(", ")
}

fn order(chain: &[Vec<u8>]) -> Vec<Finding> {
    let source = "RFC 5246 section 7.4.2";
    // Each of them was read before.
    if let Ok(Some(Misplaced { issued, issuer })) = certificate::misplaced(chain) {
        let message = format!(
            "the chain is in the wrong order: certificate {issuer} issued certificate {issued} and has to follow it; expected \
             the server's own first, then the one that issued it, and so on"
        );
        return vec![Finding::error(message, source)];
    }
    match certificate::linked(chain) {
        Ok(linked) if linked < chain.len() => {
            let message = format!("certificate {} of the file is no part of the chain: leave it out", linked + 1);
            vec![Finding::warning(message, source)]
        }
        _ => Vec::new(),
    }
}

/// Signatures, and whether each certificate may be used for what it is used for; the last one's own issuer is not asked for,
/// and dates are told apart.
fn verified(chain: &[Vec<u8>]) -> Option<Finding> {
    let asked = || -> Result<Option<String>, ErrorStack> {
        let certificates = chain.iter().map(|der| X509::from_der(der)).collect::<Result<Vec<_>, _>>()?;
        let (Some(own), Some(last)) = (certificates.first(), certificates.last()) else { return Ok(None) };
        let mut store = X509StoreBuilder::new()?;
        store.add_cert(last.clone())?;
        store.set_flags(X509VerifyFlags::PARTIAL_CHAIN | X509VerifyFlags::NO_CHECK_TIME)?;
        store.set_purpose(X509PurposeId::SSL_SERVER)?;
        let mut others = Stack::new()?;
        for other in &certificates[1..] {
            others.push(other.clone())?;
        }
        let store = store.build();
        X509StoreContext::new()?.init(&store, own, &others, |context| {
            let verified = context.verify_cert()?;
            let number = context.error_depth() + 1;
            Ok((!verified).then(|| match context.error().as_raw() {
                // X509_V_ERR_CERT_SIGNATURE_FAILURE, and the missing issuer where key identifiers tell two of one name apart.
                7 | 20 => format!(
                    "certificate {number} is not signed by the one behind it, which has its issuer's name but not its key"
                ),
                _ => format!("certificate {number} does not verify: {}", context.error().error_string()),
            }))
        })
    };
    let message = asked().unwrap_or_else(|_| Some("the chain is not well-formed".to_owned()))?;
    Some(Finding::error(message, "RFC 5280 section 6.1"))
}

fn dates(which: &str, details: &Details, now: Timestamp) -> Option<Finding> {
    let source = "RFC 5280 section 4.1.2.5";
    let day = |time: Timestamp| time.strftime("%Y-%m-%d");
    if details.not_after < now {
        Some(Finding::error(format!("{which} expired on {}: phones refuse it", day(details.not_after)), source))
    } else if details.not_before > now {
        Some(Finding::error(format!("{which} is not valid before {}", day(details.not_before)), source))
    } else if details.not_after.duration_since(now) < SOON {
        Some(Finding::warning(format!("{which} expires on {}: renew it", day(details.not_after)), source))
    } else {
        None
    }
}

fn signature(which: &str, hash: SignatureHash) -> impl Iterator<Item = Finding> {
    let finding = match hash {
        SignatureHash::Md5 => Some(Finding::error(
            format!("{which} is signed with MD5, which anybody can forge: have it made anew with SHA-256"),
            "RFC 6151",
        )),
        SignatureHash::Sha1 => Some(Finding::warning(
            format!("{which} is signed with SHA-1, which newer clients refuse: have it made anew with SHA-256"),
            "RFC 9155",
        )),
        SignatureHash::Sha2 | SignatureHash::Other => None,
    };
    finding.into_iter()
}

fn key(details: &Details) -> Option<Finding> {
    let key = &details.key;
    let source = "Cisco 8800 Provisioning Guide, HTTPS certificates";
    match key.kind.as_str() {
        "RSA" if key.bits < 2048 => Some(Finding::warning(
            format!("its key has {} bits, which newer clients refuse: make one of 2048", key.bits),
            "NIST SP 800-131A",
        )),
        "RSA" => None,
        other => Some(Finding::warning(format!("its key is {other}: the guides know RSA only"), source)),
    }
}
