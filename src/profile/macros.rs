//! The phones' macro variables, as far as a server can know them, and the values that one request binds them to.
//!
//! Names and forms: Cisco MPP administration guide, "Macro Expansion Variables".

use std::collections::BTreeMap;
use std::fmt;

use crate::device::{DeviceIdentity, MacAddress, Model, SerialNumber};

/// A macro that a file name or a rule's path may hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Macro {
    /// `$MAC`: lower case with colons.
    Mac,
    /// `$MA`: lower case.
    Ma,
    /// `$MAU`: upper case.
    Mau,
    /// `$SN`: the serial number.
    Sn,
    /// `$PSN`: the product series number.
    Psn,
    /// `$PN`: the product name.
    Pn,
    /// `$A` … `$P`: what the phone holds in `GPP_A` … `GPP_P`; to the server a free segment.
    Register(Register),
}

/// One of the sixteen general purpose parameters, `A` to `P`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Register(u8);

impl Register {
    /// The register with this letter, in either case: `A` in macros, `a` in assignments and options.
    #[must_use]
    pub fn lettered(letter: char) -> Option<Self> {
        let upper = u8::try_from(letter.to_ascii_uppercase()).ok()?;
        (b'A'..=b'P').contains(&upper).then_some(Self(upper))
    }

    /// `A` to `P`.
    #[must_use]
    pub fn letter(self) -> char {
        char::from(self.0)
    }

    /// The parameter: `GPP_A` to `GPP_P`.
    #[must_use]
    pub fn parameter(self) -> String {
        format!("GPP_{}", self.letter())
    }
}

impl Macro {
    /// The macro with this name, written without `$`; names are in upper case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.as_bytes() {
            b"MAC" => Self::Mac,
            b"MA" => Self::Ma,
            b"MAU" => Self::Mau,
            b"SN" => Self::Sn,
            b"PSN" => Self::Psn,
            b"PN" => Self::Pn,
            [letter @ b'A'..=b'P'] => Self::Register(Register(*letter)),
            _ => return None,
        })
    }

    /// Whether a name with this macro names one device.
    #[must_use]
    pub fn names_device(self) -> bool {
        match self {
            Self::Mac | Self::Ma | Self::Mau | Self::Sn => true,
            Self::Psn | Self::Pn | Self::Register(_) => false,
        }
    }

    /// Whether `byte` may stand in a value of this macro.
    #[must_use]
    pub fn may_hold(self, byte: u8) -> bool {
        match self {
            Self::Mac => byte.is_ascii_hexdigit() || byte == b':',
            Self::Ma | Self::Mau => byte.is_ascii_hexdigit(),
            Self::Sn => byte.is_ascii_alphanumeric(),
            Self::Psn | Self::Pn => byte.is_ascii_alphanumeric() || b"-._".contains(&byte),
            Self::Register(_) => true,
        }
    }

    /// The length in bytes of the longest and of the shortest value.
    #[must_use]
    pub fn lengths(self) -> (usize, usize) {
        match self {
            Self::Mac => (17, 17),
            Self::Ma | Self::Mau => (12, 12),
            Self::Sn => (20, 6),
            Self::Psn | Self::Pn => (40, 1),
            Self::Register(_) => (255, 1),
        }
    }

    /// Whether values differ in length.
    #[must_use]
    pub fn is_open(self) -> bool {
        let (longest, shortest) = self.lengths();
        longest != shortest
    }
}

impl fmt::Display for Macro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac => f.write_str("$MAC"),
            Self::Ma => f.write_str("$MA"),
            Self::Mau => f.write_str("$MAU"),
            Self::Sn => f.write_str("$SN"),
            Self::Psn => f.write_str("$PSN"),
            Self::Pn => f.write_str("$PN"),
            Self::Register(register) => write!(f, "${}", char::from(register.0)),
        }
    }
}

/// The values that are known of one request's phone, from its path and its certificate.
#[derive(Clone, Default, Debug, PartialEq, Eq, Hash)]
pub struct Macros {
    mac: Option<MacAddress>,
    serial: Option<SerialNumber>,
    model: Option<Model>,
    series: Option<String>,
    registers: BTreeMap<Register, String>,
}

impl Macros {
    /// Takes the text that a name's macro stood for. `false` when the text is no value of that macro, or when the
    /// macro is bound to another one: `$MA/$MA.cfg` is one phone's.
    pub fn bind(&mut self, name: Macro, text: &str) -> bool {
        match name {
            Macro::Ma | Macro::Mau => bind_once(&mut self.mac, MacAddress::from_digits(text.as_bytes())),
            Macro::Mac => bind_once(&mut self.mac, text.parse().ok()),
            Macro::Sn => bind_once(&mut self.serial, text.parse().ok()),
            Macro::Pn => bind_once(&mut self.model, text.parse().ok()),
            Macro::Psn => bind_once(&mut self.series, text.parse::<Model>().ok().map(|series| series.to_string())),
            // A value that a template may put into a file's name must not lead anywhere else.
            Macro::Register(_) if matches!(text, "." | "..") => false,
            Macro::Register(register) => match self.registers.get(&register) {
                Some(bound) => bound == text,
                None => self.registers.insert(register, text.to_owned()).is_none(),
            },
        }
    }

    /// Adds what a certificate proves and the path did not say.
    pub fn complete(&mut self, identity: &DeviceIdentity) {
        self.mac = self.mac.or(identity.mac());
        self.serial = self.serial.take().or_else(|| identity.serial().cloned());
        self.model = self.model.take().or_else(|| identity.model().cloned());
    }

    /// The MAC address, where it is known.
    #[must_use]
    pub fn mac(&self) -> Option<MacAddress> {
        self.mac
    }

    /// The serial number, where it is known.
    #[must_use]
    pub fn serial(&self) -> Option<&SerialNumber> {
        self.serial.as_ref()
    }

    /// The registers that the path gives a value.
    pub fn registers(&self) -> impl Iterator<Item = (Register, &str)> {
        self.registers.iter().map(|(register, text)| (*register, text.as_str()))
    }

    /// What the macro expands to; `None` when it is not known. `$PSN` is derived from `$PN` where the path does not
    /// give it.
    #[must_use]
    pub fn value(&self, name: Macro) -> Option<String> {
        match name {
            Macro::Mac => self.mac.map(MacAddress::mac),
            Macro::Ma => self.mac.map(MacAddress::ma),
            Macro::Mau => self.mac.map(MacAddress::mau),
            Macro::Sn => self.serial.as_ref().map(ToString::to_string),
            Macro::Pn => self.model.as_ref().map(ToString::to_string),
            Macro::Psn => self.series.clone().or_else(|| self.model.as_ref().map(|model| model.series().to_owned())),
            Macro::Register(register) => self.registers.get(&register).cloned(),
        }
    }
}

fn bind_once<T: PartialEq>(place: &mut Option<T>, value: Option<T>) -> bool {
    let Some(value) = value else { return false };
    if let Some(bound) = place {
        *bound == value
    } else {
        *place = Some(value);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_macro_holds_one_value() {
        let mut macros = Macros::default();
        assert!(macros.bind(Macro::Ma, "000e08abcdef"));
        assert!(macros.bind(Macro::Mau, "000E08ABCDEF"), "the same address, written otherwise");
        assert!(!macros.bind(Macro::Ma, "000e08abcdee"), "another address");
        assert_eq!(macros.value(Macro::Mac).as_deref(), Some("00:0e:08:ab:cd:ef"));
    }

    #[test]
    fn the_series_follows_from_the_product_unless_the_path_says_it() {
        let mut macros = Macros::default();
        assert!(macros.bind(Macro::Pn, "CP-8841-3PCC"));
        assert_eq!(macros.value(Macro::Psn).as_deref(), Some("8841-3PCC"));
        assert!(macros.bind(Macro::Psn, "V03"));
        assert_eq!(macros.value(Macro::Psn).as_deref(), Some("V03"));
    }

    #[test]
    fn no_variable_hides_a_macro() {
        let letters = ('A'..='P').map(String::from);
        for name in ["MAC", "MA", "MAU", "SN", "PSN", "PN"].map(String::from).into_iter().chain(letters) {
            assert!(Macro::named(&name).is_some(), "{name}");
            assert!(name.parse::<crate::device::VariableName>().is_err(), "{name}");
        }
    }

    #[test]
    fn names_are_read_in_upper_case_only() {
        assert_eq!(Macro::named("MAU"), Some(Macro::Mau));
        assert_eq!(Macro::named("P").map(|name| name.to_string()).as_deref(), Some("$P"));
        for unknown in ["ma", "Q", "", "MAconfig", "SWVER"] {
            assert_eq!(Macro::named(unknown), None, "{unknown}");
        }
    }
}
