//! `User-Agent` → model and firmware. The header is configurable, so this is a hint of what a phone is, never a proof.

use super::Model;

/// What a phone says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agent<'a> {
    /// The product name: `CP-8841-3PCC`.
    pub model: &'a str,
    /// The firmware, as the family writes it: `12.0.2`, `MPP-11-1-0MPP-16`, `6.1.5(a)`.
    pub firmware: &'a str,
}

/// The longest firmware name that is taken.
const LONGEST: usize = 40;

impl<'a> Agent<'a> {
    /// Reads the header of a Cisco, Linksys or Sipura phone (Cisco 8800 Provisioning Guide; public provisioning plug-ins
    /// for ATA and SPA):
    ///
    /// | family | header |
    /// |---|---|
    /// | MPP | `Cisco-CP-8841-3PCC/11.0 (00562b043615)` |
    /// | ATA | `Cisco/ATA192-MPP-11-1-0MPP-16(FCH2118DGQP)` |
    /// | SPA | `Cisco/SPA508G-7.4.4 (0002FDFF2103)(CBT141400UK)`, `Linksys/SPA-942-6.1.5(a) (88019FA42805)` |
    #[must_use]
    pub fn parse(header: &'a str) -> Option<Self> {
        let (model, firmware) = if let Some(rest) = header.strip_prefix("Cisco-") {
            let (model, rest) = rest.split_once('/')?;
            (model, rest.split([' ', '(', '_']).next()?)
        } else {
            let (vendor, rest) = header.split_once('/')?;
            if !["Cisco", "Linksys", "Sipura"].contains(&vendor) {
                return None;
            }
            // A bracket may belong to the firmware; only without a space does it begin what follows.
            let name = rest.split_once(' ').or_else(|| rest.split_once('(')).map_or(rest, |(name, _)| name);
            if name.starts_with("ATA") { name.split_once('-')? } else { name.rsplit_once('-')? }
        };
        let is_firmware = |byte: u8| byte.is_ascii_alphanumeric() || b".-_()".contains(&byte);
        let fits = (1..=LONGEST).contains(&firmware.len()) && firmware.bytes().all(is_firmware);
        (fits && Model::is_name(model)).then_some(Self { model, firmware })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_familys_header_is_read() {
        let cases = [
            ("Cisco-CP-8841-3PCC/11.0 (00562b043615)", "CP-8841-3PCC", "11.0"),
            ("Cisco-CP-8865-3PCC/12.0.2 (14a2a0e0837a)", "CP-8865-3PCC", "12.0.2"),
            ("Cisco/ATA192-MPP-11-1-0MPP-16(FCH2118DGQP)", "ATA192", "MPP-11-1-0MPP-16"),
            ("Cisco/ATA191-MPP-11-1-0-MSR4 (FCH2443D9R4)", "ATA191", "MPP-11-1-0-MSR4"),
            ("Cisco/SPA508G-7.4.4 (0002FDFF2103)(CBT141400UK)", "SPA508G", "7.4.4"),
            ("Cisco/SPA525G-7.4.7 (CBT141900G7)", "SPA525G", "7.4.7"),
            ("Linksys/SPA-942-6.1.5(a) (88019FA42805)", "SPA-942", "6.1.5(a)"),
            ("Linksys/SPA-2102-2.0.5 (88012BA01234)", "SPA-2102", "2.0.5"),
        ];
        for (header, model, firmware) in cases {
            assert_eq!(Agent::parse(header), Some(Agent { model, firmware }), "{header}");
        }
    }

    #[test]
    fn another_client_says_nothing() {
        let long = format!("Cisco/SPA508G-{}", "7".repeat(41));
        for header in
            ["", "curl/8.5.0", "Mozilla/5.0 (X11)", "Cisco-", "Cisco/SPA508G", "Cisco/-7", "Cisco-a b/1", &long]
        {
            assert_eq!(Agent::parse(header), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_short_and_plain(header in "(Cisco[-/]|Linksys/|)\\PC{0,60}") {
            if let Some(agent) = Agent::parse(&header) {
                prop_assert!(agent.model.len() <= 40 && agent.firmware.len() <= LONGEST);
                prop_assert!(agent.model.is_ascii() && agent.firmware.is_ascii());
            }
        }
    }
}
