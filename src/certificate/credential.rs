//! A certificate that has been verified, as far as profiles may be made from it.

use jiff::Timestamp;

use super::{Details, Fingerprint};
use crate::device::DeviceIdentity;

/// What a phone's certificate says, kept for as long as its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The subject's attributes in their order, as (`ST`, `000e08abcdef`); control characters are escaped.
    pub subject: Vec<(String, String)>,
    /// The issuer, as `O=Cisco, CN=Cisco Manufacturing CA`.
    pub issuer: String,
    /// The last moment at which it is valid.
    pub expires: Timestamp,
    /// By which people know it.
    pub fingerprint: Fingerprint,
}

impl Credential {
    /// That of the certificate with these details, which is `der`.
    #[must_use]
    pub fn new(details: Details, der: &[u8]) -> Self {
        let Details { subject, issuer, not_after, .. } = details;
        Self { subject, issuer, expires: not_after, fingerprint: Fingerprint::of(der) }
    }

    /// One that nobody has, for a person who looks at what would be served: the guides' layout.
    #[must_use]
    pub fn sample(identity: &DeviceIdentity) -> Self {
        let fields = [
            ("OU", identity.model().map(ToString::to_string)),
            ("L", identity.serial().map(ToString::to_string)),
            ("ST", identity.mac().map(|mac| mac.to_string())),
        ];
        let subject = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        Self {
            subject,
            issuer: "CN=a sample".to_owned(),
            expires: Timestamp::UNIX_EPOCH,
            fingerprint: Fingerprint::of(b""),
        }
    }

    /// A field of the subject: by its abbreviation, `ST` also as `S`. Where it stands several times, all of its values,
    /// joined by commas.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let name = if name == "S" { "ST" } else { name };
        let values: Vec<&str> =
            self.subject.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}
