//! The authorities that a legacy listener trusts, asked by way of OpenSSL: what rustls's verifier refuses for its age is
//! taken here (SHA-1, short keys, X.509 version 1), and nothing else is taken more lightly.

use std::path::PathBuf;

use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::stack::{Stack, StackRef};
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509Name, X509PurposeId, X509Ref, X509StoreContext, X509VerifyResult};
use rustls::pki_types::CertificateDer;

use super::judge::Verify;
use super::{TlsError, file};

/// Authorities, each a trust anchor of its own, as those of a modern listener are.
pub(super) struct Anchors {
    certificates: Vec<X509>,
    store: X509Store,
}

impl Anchors {
    /// Reads them from these files and folders.
    pub(super) fn open(paths: &[PathBuf]) -> Result<Self, TlsError> {
        let mut certificates = Vec::new();
        for (path, der) in file::authorities(paths)? {
            let read = X509::from_der(&der);
            certificates.push(read.map_err(|error| TlsError::Authority { path, error: error.to_string() })?);
        }
        let path = || paths.first().cloned().unwrap_or_default();
        let store =
            store(&certificates).map_err(|error| TlsError::Authority { path: path(), error: error.to_string() })?;
        Ok(Self { certificates, store })
    }

    /// Another store of the same authorities, for OpenSSL to own.
    pub(super) fn store(&self) -> Result<X509Store, ErrorStack> {
        store(&self.certificates)
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
    fn verify(&self, leaf: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Result<(), String> {
        let asked = || -> Result<Option<String>, ErrorStack> {
            let leaf = X509::from_der(leaf)?;
            let mut chain = Stack::new()?;
            for certificate in intermediates {
                chain.push(X509::from_der(certificate)?)?;
            }
            X509StoreContext::new()?.init(&self.store, &leaf, &chain, |context| {
                let verified = context.verify_cert()?;
                let objection =
                    if verified { context.chain().and_then(forgeable) } else { Some(words(context.error())) };
                Ok(objection)
            })
        };
        match asked() {
            Ok(None) => Ok(()),
            Ok(Some(reason)) => Err(reason),
            Err(_) => Err("it is not well-formed".to_owned()),
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
    store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    // Certificates of that age say nothing of what they are for, or the wrong thing.
    store.set_purpose(X509PurposeId::ANY)?;
    Ok(store.build())
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
fn words(error: X509VerifyResult) -> String {
    // The numbers are those of x509_vfy.h and have not changed since OpenSSL 0.9.
    let words = match error.as_raw() {
        2 | 18 | 19 | 20 | 21 => "none of listen.client_ca issued it",
        7 => "its issuer's signature is wrong",
        9 => "it is not valid yet",
        10 => "it has expired",
        _ => return format!("it does not verify: {}", error.error_string()),
    };
    words.to_owned()
}
