//! Client certificate → the device it names, read from the subject by field.
//!
//! [`Reader::device`] runs once per TLS handshake; [`details()`] is for people (`certs show`, `check`, expiry). Nothing
//! here decides whether a certificate is trusted: the listener has verified the chain before anything is read from it.
//!
//! ```text
//! certificate → subject → identity or mapping        bytes → attributes → the device, or why it is nobody
//! ```

mod credential;
mod details;
mod error;
mod file;
mod fingerprint;
mod identity;
mod mapping;
mod order;
mod reader;
mod revocation;
mod signer;
#[cfg(test)]
mod specimen;
mod subject;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use x509_parser::certificate::{X509Certificate, X509CertificateParser};
use x509_parser::nom::Parser;

pub use credential::Credential;
pub use details::{Details, PublicKey, details};
pub use error::{Field, NotACertificate, NotADevice};
pub use file::{Block, FileError, blocks};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use mapping::{Mapping, MappingError, Place};
pub use order::{Misplaced, NoLink, linked, misplaced};
pub use reader::Reader;
pub use revocation::{NotARevocationList, RevocationList, revocation_list, revocation_lists};
pub use signer::{SignatureHash, Signer, signer};

use crate::device::DeviceIdentity;

/// The device that a client certificate, in DER form, names by the layouts of the field. The certificate must have been
/// verified: this reads what it says, not whether it is true.
pub fn device(der: &[u8]) -> Result<DeviceIdentity, NotADevice> {
    Reader::default().device(der)
}

/// When the certificate ends to be valid (RFC 5280 section 4.1.2.5); `der` is one certificate in DER form.
pub fn expires(der: &[u8]) -> Result<Timestamp, NotACertificate> {
    Ok(details::timestamp(parse(der, Extensions::Skip)?.validity().not_after))
}

/// The `SubjectPublicKeyInfo` of a certificate, in DER form (RFC 5280 section 4.1.2.7): equal where the key is.
pub fn public_key(der: &[u8]) -> Result<&[u8], NotACertificate> {
    Ok(parse(der, Extensions::Skip)?.tbs_certificate.subject_pki.raw)
}

/// Whom a certificate is of and who issued it, as DER-encoded names: equal byte for byte where a chain holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names<'a> {
    /// Whose key it certifies.
    pub subject: &'a [u8],
    /// Who signed it.
    pub issuer: &'a [u8],
}

/// Both names of a certificate in DER form (RFC 5280 section 6.1.3: name chaining).
pub fn names(der: &[u8]) -> Result<Names<'_>, NotACertificate> {
    let certificate = parse(der, Extensions::Skip)?;
    let tbs = certificate.tbs_certificate;
    Ok(Names { subject: tbs.subject.as_raw(), issuer: tbs.issuer.as_raw() })
}

/// Whether the extensions are worth their time: [`device`] does not read them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extensions {
    Skip,
    Read,
}

fn parse(der: &[u8], extensions: Extensions) -> Result<X509Certificate<'_>, NotACertificate> {
    let mut parser = X509CertificateParser::new().with_deep_parse_extensions(extensions == Extensions::Read);
    match parser.parse(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok((rest, _)) => Err(NotACertificate::Trailing(rest.len())),
        Err(error) => Err(NotACertificate::Syntax(error.to_string())),
    }
}
