//! Certificates for thousands of simulated phones: in memory, each phone's own, all with one key.

use rcgen::{Issuer, KeyPair};

use super::{Authority, AuthorityError, LabPhone, file, issue, key};
use crate::device::Secret;

/// Makes certificates that are written nowhere.
///
/// They share one key pair: making an RSA key takes several hundred times as long as signing a certificate with one
/// (docs/fleet.md has figures), and to a server the certificates are as different as those of real phones.
pub struct Batch<'a> {
    authority: &'a Authority,
    key: KeyPair,
    /// The authority's name with the batch's own key.
    forger: Issuer<'static, KeyPair>,
}

impl<'a> Batch<'a> {
    /// A batch by this authority, with a fresh key.
    ///
    /// # Errors
    /// The authority's certificate cannot be read, or no key be made.
    pub fn new(authority: &'a Authority) -> Result<Self, AuthorityError> {
        let (key, path) = (key::fresh()?, authority.certificate());
        let content = |error: rcgen::Error| AuthorityError::Content { path: path.clone(), reason: error.to_string() };
        let forger = Issuer::from_ca_cert_pem(&file::read(&path)?, key::fresh()?).map_err(content)?;
        Ok(Self { authority, key, forger })
    }

    /// The private key of all certificates, PKCS #8 PEM.
    #[must_use]
    pub fn key(&self) -> Secret {
        Secret::new(self.key.serialize_pem())
    }

    /// A phone's certificate, PEM, as [`Authority::phone`] makes it.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn certificate(&self, phone: &LabPhone) -> Result<String, AuthorityError> {
        issue::phone(&self.authority.issuer, self.authority.not_after, &self.key, phone)
    }

    /// The same to the eye, the issuer's name included, but signed with a key that is not the authority's.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn forgery(&self, phone: &LabPhone) -> Result<String, AuthorityError> {
        issue::phone(&self.forger, self.authority.not_after, &self.key, phone)
    }
}

#[cfg(test)]
mod tests {
    use openssl::x509::X509;

    use super::*;
    use crate::certificate;
    use crate::device::MacAddress;

    #[test]
    fn a_forgery_says_the_same_and_only_its_signature_tells() {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::create(folder.path()).expect("an authority");
        let batch = Batch::new(&authority).expect("a batch");
        let phone = LabPhone::new(MacAddress::new([2, 0, 0, 0, 0, 1]));
        let read = |pem: &str| X509::from_pem(pem.as_bytes()).expect("a certificate");
        let ca = read(&std::fs::read_to_string(authority.certificate()).expect("a file"));
        let ca_key = ca.public_key().expect("a key");
        let (genuine, forged) = (batch.certificate(&phone).expect("signed"), batch.forgery(&phone).expect("signed"));
        for (pem, is_signed) in [(&genuine, true), (&forged, false)] {
            let certificate = read(pem);
            let issuer = certificate.issuer_name().to_der().expect("a name");
            assert_eq!(issuer, ca.subject_name().to_der().expect("a name"));
            assert_eq!(certificate.verify(&ca_key).expect("a verdict"), is_signed);
            let device = certificate::device(&certificate.to_der().expect("DER")).expect("a device");
            assert_eq!(device.mac(), Some(phone.mac));
        }
    }

    #[test]
    fn every_phone_has_its_own_certificate_for_the_one_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::create(folder.path()).expect("an authority");
        let batch = Batch::new(&authority).expect("a batch");
        let of = |last: u8| LabPhone::new(MacAddress::new([2, 0, 0, 0, 0, last]));
        let [one, two] = [1, 2].map(|last| batch.certificate(&of(last)).expect("signed"));
        assert_ne!(one, two);
        let key = openssl::pkey::PKey::private_key_from_pem(batch.key().expose().as_bytes()).expect("a key");
        for pem in [one, two] {
            let public = X509::from_pem(pem.as_bytes()).expect("a certificate").public_key().expect("a key");
            assert!(public.public_eq(&key));
        }
    }
}
