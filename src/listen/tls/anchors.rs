//! The authorities that a legacy listener trusts, asked by way of OpenSSL: what rustls's verifier refuses for its age is
//! taken here (SHA-1, short keys, X.509 version 1), and nothing else is taken more lightly.

use std::cmp::Ordering;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use openssl::asn1::Asn1Time;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::stack::{Stack, StackRef};
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{
    CrlStatus, X509, X509CrlRef, X509KeyUsage, X509Name, X509PurposeId, X509Ref, X509StoreContext, X509VerifyResult,
};
use rustls::pki_types::CertificateDer;

use super::judge::{Objection, Verify};
use super::revocation::{List, Revocations};
use super::{TlsError, file};

/// Authorities, each a trust anchor of its own, as those of a modern listener are.
pub(super) struct Anchors {
    certificates: Vec<X509>,
    store: X509Store,
    lists: Vec<Arc<List>>,
}

impl Anchors {
    /// Reads them from these files and folders; what they have revoked is on these lists.
    pub(super) fn open(paths: &[PathBuf], revocations: &Revocations) -> Result<Self, TlsError> {
        let mut certificates = Vec::new();
        for (path, der) in file::authorities(paths)? {
            let read = X509::from_der(&der);
            certificates.push(read.map_err(|error| TlsError::Authority { path, error: error.to_string() })?);
        }
        let lists = revocations.lists().to_vec();
        for list in &lists {
            let wrong = |error: ErrorStack| TlsError::Revocation { path: list.path.clone(), error: error.to_string() };
            list.parsed().map_err(wrong)?;
        }
        let path = || paths.first().cloned().unwrap_or_default();
        let store =
            store(&certificates).map_err(|error| TlsError::Authority { path: path(), error: error.to_string() })?;
        Ok(Self { certificates, store, lists })
    }

    /// A store of the same authorities, for OpenSSL to own.
    pub(super) fn store(&self) -> Result<X509Store, ErrorStack> {
        store(&self.certificates)
    }

    /// Whether a certificate of a verified chain is on the list of the one after it, which issued it. A list counts when
    /// that one signed it.
    fn revoked(&self, chain: &StackRef<X509>) -> Option<String> {
        let pairs = chain.iter().zip(chain.iter().skip(1));
        pairs.into_iter().enumerate().find_map(|(at, (certificate, issuer))| {
            let name = certificate.issuer_name().to_der().ok();
            // All of them were read when the listener was opened.
            let lists = self.lists.iter().filter_map(|list| list.parsed().ok());
            let lists = lists.filter(|list| list.issuer_name().to_der().ok() == name);
            lists.into_iter().find_map(|list| objection_of(list, certificate, issuer, at))
        })
    }

    /// Their names, which tell a client what certificate is wanted.
    pub(super) fn names(&self) -> Result<Stack<X509Name>, ErrorStack> {
        let mut names = Stack::new()?;
        for certificate in &self.certificates {
            names.push(certificate.subject_name().to_owned()?)?;
        }
        Ok(names)
    }
}

impl Verify for Anchors {
    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        at: Timestamp,
    ) -> Result<(), Objection> {
        let asked = || -> Result<Option<Objection>, ErrorStack> {
            let at = Asn1Time::from_unix(at.as_second())?;
            let leaf = X509::from_der(leaf)?;
            let mut chain = Stack::new()?;
            for certificate in intermediates {
                chain.push(X509::from_der(certificate)?)?;
            }
            X509StoreContext::new()?.init(&self.store, &leaf, &chain, |context| {
                if !context.verify_cert()? {
                    return Ok(Some(objection(context.error())));
                }
                let Some(chain) = context.chain() else { return Ok(None) };
                if let Some(objection) = out_of_date(chain, &at)? {
                    return Ok(Some(objection));
                }
                let objection = forgeable(chain).or_else(|| weak(chain)).or_else(|| self.revoked(chain));
                Ok(objection.map(Objection::Other))
            })
        };
        let asked = asked();
        // What a signature that does not fit leaves there would end the connection at its next byte.
        drop(ErrorStack::get());
        match asked {
            Ok(None) => Ok(()),
            Ok(Some(objection)) => Err(objection),
            Err(_) => Err(Objection::Other("it is not well-formed".to_owned())),
        }
    }
}

impl std::fmt::Debug for Anchors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Anchors").field("certificates", &self.certificates.len()).finish_non_exhaustive()
    }
}

fn store(certificates: &[X509]) -> Result<X509Store, ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    for certificate in certificates {
        store.add_cert(certificate.clone())?;
    }
    // Dates are looked at afterwards, as of any moment, and not those of the anchor.
    store.set_flags(X509VerifyFlags::PARTIAL_CHAIN | X509VerifyFlags::NO_CHECK_TIME)?;
    // Certificates of that age say nothing of what they are for, or the wrong thing.
    store.set_purpose(X509PurposeId::ANY)?;
    Ok(store.build())
}

/// A certificate that is not valid at the moment, the client's own first. An anchor is a name and a key: its dates do not
/// count (RFC 5280 section 6.1.1 (d)), here as little as with rustls.
fn out_of_date(chain: &StackRef<X509>, at: &Asn1Time) -> Result<Option<Objection>, ErrorStack> {
    let below_anchor = chain.len().saturating_sub(1).max(1);
    for certificate in chain.iter().take(below_anchor) {
        if certificate.not_before().compare(at)? == Ordering::Greater {
            return Ok(Some(Objection::Other("it is not valid yet".to_owned())));
        }
        if certificate.not_after().compare(at)? == Ordering::Less {
            return Ok(Some(Objection::Expired));
        }
    }
    Ok(None)
}

/// What a list of the certificate's issuer has against it.
fn objection_of(list: &X509CrlRef, certificate: &X509Ref, issuer: &X509Ref, at: usize) -> Option<String> {
    // RFC 5280 section 6.3.3 (f).
    if issuer.key_usage().is_some_and(|usage| !usage.contains(X509KeyUsage::CRL_SIGN)) {
        return Some("the revocation list of its issuer is by one who may sign none".to_owned());
    }
    let is_signed = issuer.public_key().and_then(|key| list.verify(&key));
    match (is_signed, list.get_by_serial(certificate.serial_number())) {
        (Ok(true), CrlStatus::Revoked(_)) if at == 0 => Some("it has been revoked".to_owned()),
        (Ok(true), CrlStatus::Revoked(_)) => Some("an authority of its chain has been revoked".to_owned()),
        (Ok(true), CrlStatus::NotRevoked | CrlStatus::RemoveFromCrl(_)) => None,
        // It says that it is the issuer's, and is not: whoever replaced it may have struck out what was on it.
        (Ok(false) | Err(_), _) => Some("the revocation list of its issuer has a wrong signature".to_owned()),
    }
}

/// The shortest RSA key (bits): phones from the factory have 1024 at the least. One of 512 is factored for the price of a
/// meal, by whoever saw the certificate pass.
const SHORTEST_RSA: u32 = 1024;

/// A key that others may have found out; the anchor's own is the operator's matter.
fn weak(chain: &StackRef<X509>) -> Option<String> {
    let bits = |certificate: &X509Ref| certificate.public_key().ok()?.rsa().ok().map(|rsa| rsa.n().num_bits());
    let below_anchor = chain.len().saturating_sub(1).max(1);
    let mut keys = chain.iter().take(below_anchor).filter_map(bits);
    let short = keys.find(|bits| u32::try_from(*bits).is_ok_and(|bits| bits < SHORTEST_RSA))?;
    Some(format!("its chain has an RSA key of {short} bits: expected {SHORTEST_RSA} at the least"))
}

/// SHA-1 is as old as the phones are. MD5 is older than all that are known to have a certificate, and signatures with it
/// have been forged (RFC 6151); the anchor's own signature counts for nothing.
fn forgeable(chain: &StackRef<X509>) -> Option<String> {
    let broken = |certificate: &X509Ref| {
        let algorithm = certificate.signature_algorithm().object().nid();
        [Nid::MD2WITHRSAENCRYPTION, Nid::MD4WITHRSAENCRYPTION, Nid::MD5WITHRSAENCRYPTION].contains(&algorithm)
    };
    let signed = chain.len().saturating_sub(1);
    let found = chain.iter().take(signed).any(broken);
    found.then(|| "its chain has a signature that anybody can forge (MD5 or older)".to_owned())
}

/// What is wrong with a chain, for the log: in the same words as a modern listener's, where there are some.
fn objection(error: X509VerifyResult) -> Objection {
    // The numbers are those of x509_vfy.h and have not changed since OpenSSL 0.9.
    let words = match error.as_raw() {
        2 | 18 | 19 | 20 | 21 => "none of listen.client_ca issued it",
        7 => "its issuer's signature is wrong",
        _ => return Objection::Other(format!("it does not verify: {}", error.error_string())),
    };
    Objection::Other(words.to_owned())
}
