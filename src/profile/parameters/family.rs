//! The families of phones, and which of them a parameter is for.

use std::fmt;

use crate::device::Model;

/// A family of phones with the same firmware.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Family {
    /// CP-68xx, 78xx, 88xx with multiplatform firmware, and 8875, 98xx after them.
    Mpp,
    /// ATA 191 and 192.
    Ata,
    /// Sipura, Linksys and Cisco SPA, PAP2T, WRP.
    Spa,
}

/// Some of the families.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Families {
    mpp: bool,
    ata: bool,
    spa: bool,
}

impl Family {
    /// The family that a product name belongs to; `None` for a name of no known form.
    #[must_use]
    pub fn of(model: &Model) -> Option<Self> {
        let name = model.as_str().to_ascii_uppercase();
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        if starts(&["CP-", "DP-"]) || name.ends_with("-3PCC") {
            Some(Self::Mpp)
        } else if starts(&["ATA19"]) {
            Some(Self::Ata)
        } else if starts(&["SPA", "PAP2", "WRP", "RTP", "WIP"]) {
            Some(Self::Spa)
        } else {
            None
        }
    }
}

impl Families {
    /// Those that a list of models names, as the table has it: `88xx, ATA191/192, SPA301`.
    pub(super) fn parse(models: &str) -> Option<Self> {
        let mut families = Self::default();
        for model in models.split(", ") {
            if model.starts_with("ATA") {
                families.ata = true;
            } else if model.starts_with("SPA") {
                families.spa = true;
            } else if model.contains("MPP") || model.starts_with(|first: char| first.is_ascii_digit()) {
                families.mpp = true;
            } else {
                return None;
            }
        }
        Some(families)
    }

    /// Whether this family is one of them.
    #[must_use]
    pub fn contains(self, family: Family) -> bool {
        match family {
            Family::Mpp => self.mpp,
            Family::Ata => self.ata,
            Family::Spa => self.spa,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mpp => "MPP",
            Self::Ata => "ATA",
            Self::Spa => "SPA",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_name_tells_the_family() {
        let family = |name: &str| Family::of(&name.parse().expect("a product name"));
        assert_eq!(family("CP-8841-3PCC"), Some(Family::Mpp));
        assert_eq!(family("8841-3PCC"), Some(Family::Mpp));
        assert_eq!(family("ATA192"), Some(Family::Ata));
        assert_eq!(family("spa504G"), Some(Family::Spa));
        assert_eq!(family("PAP2T"), Some(Family::Spa));
        assert_eq!(family("toaster"), None);
    }
}
