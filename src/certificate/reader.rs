//! What a listener's certificates are read by: the layouts of the field, what an operator maps, and whom neither names.

use x509_parser::certificate::X509Certificate;

use super::error::NotADevice;
use super::mapping::Mapping;
use super::{Extensions, details, identity, parse};
use crate::device::{DeviceIdentity, SerialRange};

/// Units whose client certificates were installed incorrectly: some of the SPA2102, SPA3102 and SPA9000 that were made
/// between 2005-11-15 and 2006-06-15 (Cisco document 108605; SPA Provisioning Guide).
const FAULTY: [&str; 3] = ["FM500F100000-FM500F699999", "FM600F100000-FM600F699999", "FM700F100000-FM700F699999"];

/// Who makes the phones, as the issuers of their factory certificates have it in `O`: no mapping is for those.
const MAKERS: [&str; 3] = ["cisco", "sipura", "linksys"];

/// How certificates are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    mappings: Vec<Mapping>,
    faulty: Vec<SerialRange>,
}

impl Default for Reader {
    /// The layouts of the field, no mapping, and the documented faulty runs.
    fn default() -> Self {
        Self { mappings: Vec::new(), faulty: Self::documented_faulty() }
    }
}

impl Reader {
    /// One with these mappings, of which the first counts whose issuer fits, that takes nobody of these runs.
    #[must_use]
    pub fn new(mappings: Vec<Mapping>, faulty: Vec<SerialRange>) -> Self {
        Self { mappings, faulty }
    }

    /// The runs that are documented as faulty.
    #[must_use]
    pub fn documented_faulty() -> Vec<SerialRange> {
        FAULTY.iter().filter_map(|range| range.parse().ok()).collect()
    }

    /// The device that a client certificate, in DER form, names.
    ///
    /// The certificate must have been verified: this reads what it says, not whether it is true.
    ///
    /// # Errors
    /// It names none, or two, or one that no certificate counts for.
    pub fn device(&self, der: &[u8]) -> Result<DeviceIdentity, NotADevice> {
        let certificate = parse(der, if self.mappings.is_empty() { Extensions::Skip } else { Extensions::Read })?;
        let own = identity::read(certificate.subject().as_raw());
        let device = match self.mapping_for(&certificate)? {
            None => own?,
            Some(mapping) => mapping.read(&certificate, own)?,
        };
        let faulty = device.serial().and_then(|serial| self.faulty.iter().find(|range| range.contains(serial)));
        match (device.serial(), faulty) {
            (Some(serial), Some(range)) => Err(NotADevice::FaultyRun { serial: serial.clone(), range: range.clone() }),
            (Some(_) | None, _) => Ok(device),
        }
    }

    fn mapping_for(&self, certificate: &X509Certificate<'_>) -> Result<Option<&Mapping>, NotADevice> {
        if self.mappings.is_empty() {
            return Ok(None);
        }
        let issuer = details::name(certificate.issuer().as_raw())?;
        let is_maker = issuer.iter().any(|(field, value)| field == "O" && is_maker(value));
        Ok(self.mappings.iter().find(|mapping| !is_maker && mapping.is_for(&issuer)))
    }
}

/// Whether an organization is one that makes the phones: `Cisco`, `Cisco Systems, Inc.`
pub(super) fn is_maker(organization: &str) -> bool {
    let first = organization.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
    first.is_some_and(|word| MAKERS.iter().any(|maker| maker.eq_ignore_ascii_case(word)))
}
