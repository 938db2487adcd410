//! The families of phones, and which of them a parameter is for.

use std::fmt;

use crate::device::Model;

/// A family of phones with the same firmware.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Family {
    /// CP-68xx, 78xx, 88xx with multiplatform firmware, and 8875, 98xx after them.
    Mpp,
    /// ATA 191 and 192, and SPA112, 122 and 232D before them, whose parameters have the same names.
    Ata,
    /// Sipura, Linksys and Cisco SPA phones: 30x, 50x, 52x, 9xx.
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
    /// The family that a product name belongs to; `None` for a name of no known form, and for the older adapters (PAP2T,
    /// SPA2102, SPA3102), whose parameters no document of the dictionary's lists.
    #[must_use]
    pub fn of(model: &Model) -> Option<Self> {
        let name = model.as_str().to_ascii_uppercase();
        let begins = |prefix: &str| {
            let rest = name.strip_prefix(prefix);
            rest.is_some_and(|rest| rest.trim_start_matches('-').starts_with(|next: char| next.is_ascii_digit()))
        };
        if begins("CP-") || begins("DP-") || name.ends_with("-3PCC") {
            Some(Self::Mpp)
        } else if begins("ATA") {
            Some(Self::Ata)
        } else if begins("SPA") {
            let number: String = name.chars().filter(char::is_ascii_digit).take(4).collect();
            match number.as_str() {
                "112" | "122" | "232" => Some(Self::Ata),
                // SPA525G2 is 525, generation 2.
                _ if number.len() == 3 || number.starts_with("525") => Some(Self::Spa),
                _ => None,
            }
        } else {
            None
        }
    }

    /// The family whose product a path names: `CP-8841-3PCC/x.cfg`, `spa504g.cfg`.
    #[must_use]
    pub fn in_path(path: &str) -> Option<Self> {
        let stem = |name: &str| name.rsplit_once('.').map_or_else(|| name.to_owned(), |(stem, _)| stem.to_owned());
        path.split('/')
            .find_map(|name| stem(name).parse().ok().or_else(|| name.parse().ok()).and_then(|m| Self::of(&m)))
    }
}

impl Families {
    /// Those that a list of models names, as the table has it: `88xx, ATA191/192, SPA301`.
    pub(super) fn parse(models: &str) -> Option<Self> {
        let mut families = Self::default();
        for model in models.split(", ") {
            if model.starts_with("ATA") || model.starts_with("SPA112") {
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
        assert_eq!(family("SPA525G2"), Some(Family::Spa));
        assert_eq!(family("SPA-942"), Some(Family::Spa));
        assert_eq!(family("SPA122"), Some(Family::Ata));
        assert_eq!(family("SPA2102"), None);
        assert_eq!(family("PAP2T"), None);
        assert_eq!(family("toaster"), None);
        assert_eq!(family("spam"), None);
        assert_eq!(Family::in_path("CP-8841-3PCC/$MA.cfg"), Some(Family::Mpp));
        assert_eq!(Family::in_path("spa504g.cfg"), Some(Family::Spa));
        assert_eq!(Family::in_path("$PN/$MA.cfg"), None);
    }
}
