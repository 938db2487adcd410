//! A request for a server certificate that another authority signs: a key, and what it is asked to certify.

use std::path::{Path, PathBuf};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, PKCS_RSA_SHA384, PKCS_RSA_SHA512,
};

use super::file::{self, Present, Readers, exists};
use super::{AuthorityError, EmailTail, HostName, crypto, issue, key};

/// The longest common name, in characters (RFC 5280 appendix A.1, `ub-common-name`).
const LONGEST_COMMON_NAME: usize = 64;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The name under which phones reach the server, a fully qualified one: the common name.
    pub name: HostName,
    /// Further names of the same server.
    pub others: Vec<HostName>,
    /// What follows the common name's `/`, where Cisco signs.
    pub tail: Option<EmailTail>,
    /// `O`.
    pub organization: Option<String>,
    /// `L`.
    pub locality: Option<String>,
    /// `ST`.
    pub state: Option<String>,
    /// `C`, two letters.
    pub country: Option<String>,
}

/// A request and the key that it is for, as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// The request, PKCS #10 PEM.
    pub request: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// There is nothing to ask for like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WantedError {
    /// A name that phones do not take.
    #[error(
        "`{0}` is a wildcard: phones look for the server's own name (Cisco 8800 Provisioning Guide), expected it written out"
    )]
    Wildcard(HostName),
    /// A name that is none in the DNS.
    #[error(
        "`{0}` is not a fully qualified name: expected one such as prov.example.com, which is what a phone compares with its rule"
    )]
    Unqualified(HostName),
    /// Too much for the common name.
    #[error(
        "the common name `{0}` is longer than {LONGEST_COMMON_NAME} characters (RFC 5280): leave the e-mail address out, or \
         take a shorter name"
    )]
    Long(String),
    /// No country.
    #[error("`{0}` is not a country: expected two letters, such as FR (ISO 3166)")]
    Country(String),
    /// A field that cannot stand in a name.
    #[error("a field of the subject is `{0}`: expected 1 to 64 characters, none of them a control character")]
    Field(String),
}

impl Wanted {
    /// Whether it can be asked for.
    fn check(&self) -> Result<(), WantedError> {
        for name in std::iter::once(&self.name).chain(&self.others) {
            if matches!(name, HostName::Dns(text) if text.starts_with('*')) {
                return Err(WantedError::Wildcard(name.clone()));
            }
        }
        if !matches!(&self.name, HostName::Dns(text) if text.contains('.')) {
            return Err(WantedError::Unqualified(self.name.clone()));
        }
        let common_name = self.common_name();
        if common_name.chars().count() > LONGEST_COMMON_NAME {
            return Err(WantedError::Long(common_name));
        }
        let is_country = |text: &&String| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        if let Some(country) = self.country.as_ref().filter(|text| !is_country(text)) {
            return Err(WantedError::Country(country.clone()));
        }
        let fits = |text: &&String| (1..=64).contains(&text.chars().count()) && !text.contains(char::is_control);
        match [&self.organization, &self.locality, &self.state].into_iter().flatten().find(|text| !fits(text)) {
            Some(wrong) => Err(WantedError::Field(wrong.clone())),
            None => Ok(()),
        }
    }

    /// The subject's `CN`: `prov.example.com`, or with the tail `prov.example.com/admin@example.com` (seed 004).
    fn common_name(&self) -> String {
        match &self.tail {
            Some(tail) => format!("{}/{tail}", self.name),
            None => self.name.to_string(),
        }
    }

    fn parameters(&self) -> Result<CertificateParams, AuthorityError> {
        let mut subject = DistinguishedName::new();
        if let Some(country) = &self.country {
            let country = country.to_ascii_uppercase().as_str().try_into().map_err(crypto)?;
            subject.push(DnType::CountryName, DnValue::PrintableString(country));
        }
        let fields = [
            (DnType::StateOrProvinceName, &self.state),
            (DnType::LocalityName, &self.locality),
            (DnType::OrganizationName, &self.organization),
        ];
        for (field, value) in fields {
            if let Some(value) = value {
                subject.push(field, value.as_str());
            }
        }
        subject.push(DnType::CommonName, self.common_name());
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = subject;
        let names = std::iter::once(&self.name).chain(self.others.iter().filter(|other| **other != self.name));
        parameters.subject_alt_names = names.cloned().map(issue::alternative_name).collect::<Result<_, _>>()?;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        Ok(parameters)
    }
}

/// Writes `NAME.csr` into `folder`, and a fresh RSA key of 2048 bits, `NAME.key`, mode 0600, unless there is a `key`
/// already that it shall be for. Nothing that exists is overwritten.
///
/// # Errors
/// A name is a wildcard or not fully qualified, a field is of the wrong kind, one of the files is there already or cannot
/// be written, or the key is none of RSA's.
pub fn request(folder: &Path, wanted: &Wanted, key: Option<&Path>) -> Result<Requested, AuthorityError> {
    wanted.check()?;
    file::folder(folder)?;
    let path = folder.join(format!("{}.csr", wanted.name));
    let parameters = wanted.parameters()?;
    if exists(&path)? {
        return Err(AuthorityError::Exists(path));
    }
    let path_of_key = key.map_or_else(|| folder.join(format!("{}.key", wanted.name)), Path::to_owned);
    let pair = if key.is_some() { existing(&path_of_key)? } else { key::make(&path_of_key)? };
    let text = parameters.serialize_request(&pair).and_then(|request| request.pem()).map_err(crypto)?;
    file::write(&path, &text, Readers::Everyone, Present::Refuse)?;
    Ok(Requested { request: path, key: path_of_key })
}

fn existing(path: &Path) -> Result<KeyPair, AuthorityError> {
    let key = key::open(path)?;
    let rsa = [&PKCS_RSA_SHA256, &PKCS_RSA_SHA384, &PKCS_RSA_SHA512];
    match rsa.iter().any(|algorithm| key.is_compatible(algorithm)) {
        true => Ok(key),
        false => Err(AuthorityError::Content {
            path: path.to_owned(),
            reason: "it is not an RSA key, which is what phones take (Cisco 8800 Provisioning Guide)".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str) -> Wanted {
        Wanted {
            name: name.parse().expect("a name"),
            others: Vec::new(),
            tail: None,
            organization: None,
            locality: None,
            state: None,
            country: None,
        }
    }

    #[test]
    fn a_wildcard_is_refused_wherever_it_stands() {
        let error = wanted("*.example.com").check().expect_err("a wildcard");
        assert!(error.to_string().starts_with("`*.example.com` is a wildcard: "), "{error}");
        let mut second = wanted("prov.example.com");
        second.others.push("*.example.com".parse().expect("a name"));
        assert!(matches!(second.check(), Err(WantedError::Wildcard(_))));
    }

    #[test]
    fn the_first_name_is_one_of_the_dns_and_fits_the_common_name() {
        for name in ["localhost", "192.0.2.1", "2001:db8::1"] {
            assert!(matches!(wanted(name).check(), Err(WantedError::Unqualified(_))), "{name}");
        }
        let long = format!("{}.example.com", "a".repeat(53));
        assert!(matches!(wanted(&long).check(), Err(WantedError::Long(_))));
        assert_eq!(wanted("prov.example.com").check(), Ok(()));
        let tail = Some("admin@example.com".parse().expect("an address"));
        assert_eq!(Wanted { tail, ..wanted("prov.example.com") }.common_name(), "prov.example.com/admin@example.com");
    }

    #[test]
    fn fields_are_of_their_kind() {
        let country = |text: &str| Wanted { country: Some(text.into()), ..wanted("prov.example.com") };
        assert_eq!(country("fr").check(), Ok(()));
        assert!(matches!(country("FRA").check(), Err(WantedError::Country(_))));
        let organization = |text: &str| Wanted { organization: Some(text.into()), ..wanted("prov.example.com") };
        for wrong in ["", "a\nb", &"x".repeat(65)] {
            assert!(matches!(organization(wrong).check(), Err(WantedError::Field(_))), "{wrong:?}");
        }
        assert_eq!(organization("Téléphone SA").check(), Ok(()));
    }

    #[test]
    fn a_key_that_is_there_is_not_touched() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("prov.example.com.key");
        std::fs::write(&key, "precious").expect("room for a file");
        let error = request(folder.path(), &wanted("prov.example.com"), None).expect_err("refused");
        assert!(error.to_string().contains("prov.example.com.key` exists already"), "{error}");
        assert_eq!(std::fs::read_to_string(&key).expect("a file"), "precious");
        assert!(!folder.path().join("prov.example.com.csr").exists(), "no request without its key");
    }

    #[test]
    fn a_key_of_another_kind_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("ec.key");
        let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
        std::fs::write(&key, pair.serialize_pem()).expect("room for a file");
        let error = request(folder.path(), &wanted("prov.example.com"), Some(&key)).expect_err("refused");
        assert!(error.to_string().contains("it is not an RSA key"), "{error}");
    }
}
