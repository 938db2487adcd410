//! Which phone this is: what is printed on its box, and how it calls itself.

use std::net::IpAddr;

use super::family::{Family, is_linksys};
use crate::device::{MacAddress, Model, SerialNumber};

/// One device with its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// `$PN`.
    pub model: Model,
    /// `$MA`, `$MAU`, `$MAC`.
    pub mac: MacAddress,
    /// `$SN`.
    pub serial: SerialNumber,
    /// `$SWVER`; a pretended upgrade changes it.
    pub firmware: String,
    /// `$HWVER`.
    pub hardware: String,
    /// `$IP`.
    pub address: Option<IpAddr>,
}

impl Unit {
    /// The phone with this product and address. Serial number and firmware are samples of its family's.
    #[must_use]
    pub fn new(model: Model, mac: MacAddress) -> Self {
        let firmware = Family::of(&model).firmware(&model);
        Self { model, mac, serial: SerialNumber::for_lab(mac), firmware, hardware: "2.0.1".to_owned(), address: None }
    }

    /// The family that the product belongs to.
    #[must_use]
    pub fn family(&self) -> Family {
        Family::of(&self.model)
    }

    /// `$VERSION` of `HTTP_User_Agent_Name`: product and version as the User-Agent has them.
    #[must_use]
    pub fn version(&self) -> String {
        let (model, firmware) = (&self.model, &self.firmware);
        match self.family() {
            Family::Mpp => format!("Cisco-{model}/{}", mpp_version(firmware)),
            Family::Ata => format!("Cisco/{model}-MPP-{}", after_dot(firmware)),
            Family::Spa if is_linksys(model) => format!("Linksys/{model}-{firmware}"),
            Family::Spa => format!("Cisco/{model}-{firmware}"),
        }
    }

    /// The User-Agent of the families that have no parameter for it; what stands in brackets differs: the serial number
    /// on ATA and Linksys devices, both on SPA 30x and 50x (ATA 191/192 Provisioning Guide; SPA Provisioning Guide;
    /// observed on SPA508G and SPA525G).
    #[must_use]
    pub fn user_agent(&self) -> String {
        let (version, serial) = (self.version(), &self.serial);
        match self.family() {
            Family::Mpp => format!("{version} ({})", self.mac.ma()),
            Family::Ata => format!("{version}({serial})"),
            Family::Spa if names_mac(&self.model) => format!("{version} ({})({serial})", self.mac.mau()),
            Family::Spa => format!("{version} ({serial})"),
        }
    }
}

/// `11.3.2` of `sip88xx.11-3-2MPP0001-609`.
fn mpp_version(firmware: &str) -> String {
    let version = after_dot(firmware);
    let numbers = version.split("MPP").next().unwrap_or(version);
    let numbers = numbers.split('M').next().unwrap_or(numbers);
    numbers.replace('-', ".")
}

fn after_dot(firmware: &str) -> &str {
    match firmware.split_once('.') {
        Some((load, version)) if load.starts_with(|c: char| c.is_ascii_alphabetic()) => version,
        _ => firmware,
    }
}

/// SPA 30x and 50x put the MAC address before the serial number; the SPA525G was seen without.
fn names_mac(model: &Model) -> bool {
    let series = model.series();
    series.starts_with("50") || series.starts_with("30")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(model: &str, firmware: &str, serial: &str) -> Unit {
        let mac = MacAddress::new([0x00, 0x02, 0xfd, 0xff, 0x21, 0x03]);
        let mut unit = Unit::new(model.parse().expect("a product name"), mac);
        unit.firmware = firmware.to_owned();
        unit.serial = serial.parse().expect("a serial number");
        unit
    }

    #[test]
    fn the_user_agent_is_as_documented_or_observed() {
        for (model, firmware, serial, agent) in [
            ("CP-8841-3PCC", "sip88xx.11-0MPP-376", "FCH2133E8B9", "Cisco-CP-8841-3PCC/11.0 (0002fdff2103)"),
            ("CP-8865-3PCC", "sip88xx.12-0-2MPP0101-7", "FCH2133E8B9", "Cisco-CP-8865-3PCC/12.0.2 (0002fdff2103)"),
            ("ATA192", "ATA19x.11-1-0MPP-16", "FCH2118DGQP", "Cisco/ATA192-MPP-11-1-0MPP-16(FCH2118DGQP)"),
            ("SPA508G", "7.4.4", "CBT141400UK", "Cisco/SPA508G-7.4.4 (0002FDFF2103)(CBT141400UK)"),
            ("SPA525G", "7.4.7", "CBT141900G7", "Cisco/SPA525G-7.4.7 (CBT141900G7)"),
            ("SPA-942", "6.1.5(a)", "88019FA42805", "Linksys/SPA-942-6.1.5(a) (88019FA42805)"),
        ] {
            assert_eq!(unit(model, firmware, serial).user_agent(), agent);
        }
    }
}
