//! A list of devices by name: who may come, or who may not. Looking one up takes as long with a million names as with one.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use super::{MacAddress, Model, SerialNumber};

/// Names of devices, each with the place that it was read from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    macs: HashMap<MacAddress, Place>,
    prefixes: HashMap<[u8; 3], Place>,
    serials: HashMap<SerialNumber, Place>,
    /// In lower case, as models compare.
    models: HashMap<String, Place>,
    /// The series of those, for paths that say no more of a phone.
    series: HashMap<String, Place>,
    sources: Vec<String>,
}

/// What a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A MAC address.
    Mac,
    /// The first three octets of one.
    Prefix,
    /// A serial number.
    Serial,
    /// A product name.
    Model,
}

/// Where a name was read: which source, and which line of it, 0 where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    source: usize,
    line: usize,
}

/// What is known of a device that is looked up.
#[derive(Debug, Clone, Copy, Default)]
pub struct Names<'a> {
    /// Its MAC address.
    pub mac: Option<MacAddress>,
    /// Its serial number.
    pub serial: Option<&'a SerialNumber>,
    /// Its product name.
    pub model: Option<&'a str>,
    /// Its series, where nothing says the product.
    pub series: Option<&'a str>,
}

/// The name by which a device is on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed<'a> {
    /// What it is of.
    pub kind: Kind,
    source: &'a str,
    line: usize,
}

/// A name that is none. The text has the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// Not three octets.
    #[error("{0}: `{1}` is not a MAC prefix: expected 6 hexadecimal digits, alone or in pairs joined by `:` or `-`")]
    Prefix(String, String),
    /// Not a name of its kind.
    #[error("{0}: {1}")]
    Name(String, String),
    /// A line that begins with something else.
    #[error("{0}: `{1}` is not understood: expected a MAC address, or mac, prefix, serial or model and then the name")]
    Line(String, String),
}

impl Roster {
    /// Takes names of one kind from a table of the configuration.
    ///
    /// # Errors
    /// One is none.
    pub fn add(&mut self, kind: Kind, names: &[String], source: &str) -> Result<(), RosterError> {
        let source = self.source(source);
        names.iter().try_for_each(|name| self.insert(kind, name, Place { source, line: 0 }))
    }

    /// Takes the lines of a file: `mac 000e08abcdef`, `prefix 000e08`, `serial FCH2133E8B9`, `model SPA504G`, or a MAC
    /// address alone; `#` begins a comment.
    ///
    /// # Errors
    /// A line is none of these.
    pub fn read(&mut self, text: &str, source: &str) -> Result<(), RosterError> {
        let source = self.source(source);
        for (at, line) in text.lines().enumerate() {
            let place = Place { source, line: at + 1 };
            let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
            match words.as_slice() {
                [] => {}
                [name] | ["mac", name] => self.insert(Kind::Mac, name, place)?,
                ["prefix", name] => self.insert(Kind::Prefix, name, place)?,
                ["serial", name] => self.insert(Kind::Serial, name, place)?,
                ["model", name] => self.insert(Kind::Model, name, place)?,
                _ => {
                    return Err(RosterError::Line(
                        self.place(place),
                        printable(&line.chars().take(60).collect::<String>()),
                    ));
                }
            }
        }
        Ok(())
    }

    /// The name by which a device is on it, the most exact one first.
    #[must_use]
    pub fn find(&self, names: Names<'_>) -> Option<Listed<'_>> {
        let lower = |text: &str| text.to_ascii_lowercase();
        let mac = || Some((Kind::Mac, self.macs.get(&names.mac?)?));
        let serial = || Some((Kind::Serial, self.serials.get(names.serial?)?));
        let prefix = || Some((Kind::Prefix, self.prefixes.get(&names.mac?.prefix())?));
        let model = || Some((Kind::Model, self.models.get(&lower(names.model?))?));
        let series = || Some((Kind::Model, self.series.get(&lower(names.series?))?));
        let (kind, place) = mac().or_else(serial).or_else(prefix).or_else(model).or_else(series)?;
        Some(Listed { kind, source: &self.sources[place.source], line: place.line })
    }

    /// How many names it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.macs.len() + self.prefixes.len() + self.serials.len() + self.models.len()
    }

    /// Whether nobody is on it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names that are on both, in words; one of them, and how many there are.
    #[must_use]
    pub fn shared_with(&self, other: &Self) -> Option<(String, usize)> {
        let macs = both(&self.macs, &other.macs).map(ToString::to_string);
        let serials = both(&self.serials, &other.serials).map(ToString::to_string);
        let models = both(&self.models, &other.models).cloned();
        let prefixes = both(&self.prefixes, &other.prefixes).map(|[a, b, c]| format!("{a:02x}{b:02x}{c:02x}"));
        let mut names = macs.chain(serials).chain(prefixes).chain(models);
        let first = names.next()?;
        Some((first, 1 + names.count()))
    }

    fn source(&mut self, source: &str) -> usize {
        self.sources.push(source.to_owned());
        self.sources.len() - 1
    }

    /// The first place of a name counts.
    fn insert(&mut self, kind: Kind, name: &str, place: Place) -> Result<(), RosterError> {
        let wrong = |roster: &Self, error: &dyn fmt::Display| {
            RosterError::Name(roster.place(place), printable(&error.to_string()))
        };
        match kind {
            Kind::Mac => {
                let mac = name.parse().map_err(|error: super::MacError| wrong(self, &error))?;
                self.macs.entry(mac).or_insert(place);
            }
            Kind::Prefix => {
                let prefix = prefix(name).ok_or_else(|| RosterError::Prefix(self.place(place), printable(name)))?;
                self.prefixes.entry(prefix).or_insert(place);
            }
            Kind::Serial => {
                let serial = name.parse().map_err(|error: super::SerialError| wrong(self, &error))?;
                self.serials.entry(serial).or_insert(place);
            }
            Kind::Model => {
                let model: Model = name.parse().map_err(|error: super::ModelError| wrong(self, &error))?;
                self.series.entry(model.series().to_ascii_lowercase()).or_insert(place);
                self.models.entry(model.as_str().to_ascii_lowercase()).or_insert(place);
            }
        }
        Ok(())
    }

    fn place(&self, place: Place) -> String {
        at(&self.sources[place.source], place.line)
    }
}

/// A text of a file's as an error shows it: what would move a terminal's cursor is written out.
fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

fn both<'a, K: Eq + Hash>(one: &'a HashMap<K, Place>, other: &'a HashMap<K, Place>) -> impl Iterator<Item = &'a K> {
    one.keys().filter(|key| other.contains_key(key))
}

/// Three octets: six digits, alone or in pairs.
fn prefix(text: &str) -> Option<[u8; 3]> {
    // The rest of an address makes it one.
    let whole = match text.len() {
        6 => format!("{text}000000"),
        8 => format!("{text}{0}00{0}00{0}00", text.get(2..3)?),
        _ => return None,
    };
    whole.parse().ok().map(MacAddress::prefix)
}

fn at(source: &str, line: usize) -> String {
    if line == 0 { source.to_owned() } else { format!("{source} line {line}") }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mac => "MAC address",
            Self::Prefix => "MAC prefix",
            Self::Serial => "serial number",
            Self::Model => "model",
        })
    }
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by {}, {}", self.kind, at(self.source, self.line))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "# stolen\n000e08abcdef  # van, 2026-03\n00:0E:08:00:00:02\n\nprefix 0002fd\nprefix 00-1b-54\n\
                        serial fch2133e8b9\nmodel SPA504G\n";

    fn roster() -> Roster {
        let mut roster = Roster::default();
        roster.read(FILE, "stolen.txt").expect("names");
        roster.add(Kind::Model, &["ATA192".into()], "deny.models").expect("names");
        roster
    }

    fn found(names: Names<'_>) -> Option<String> {
        roster().find(names).map(|listed| listed.to_string())
    }

    #[test]
    fn a_device_is_found_by_any_of_its_names_and_the_place_is_told() {
        let mac = |text: &str| Names { mac: Some(text.parse().expect("an address")), ..Names::default() };
        assert_eq!(found(mac("000e08abcdef")).as_deref(), Some("by MAC address, stolen.txt line 2"));
        assert_eq!(found(mac("000e08000002")).as_deref(), Some("by MAC address, stolen.txt line 3"));
        assert_eq!(found(mac("0002fdffffff")).as_deref(), Some("by MAC prefix, stolen.txt line 5"));
        assert_eq!(found(mac("001b54000000")).as_deref(), Some("by MAC prefix, stolen.txt line 6"));
        assert_eq!(found(mac("000e08000003")), None);
        let serial: SerialNumber = "FCH2133E8B9".parse().expect("a serial number");
        let by_serial = Names { serial: Some(&serial), ..mac("000e08000003") };
        assert_eq!(found(by_serial).as_deref(), Some("by serial number, stolen.txt line 7"));
        let model = Names { model: Some("ata192"), ..Names::default() };
        assert_eq!(found(model).as_deref(), Some("by model, deny.models"));
        let series = Names { series: Some("504g"), ..Names::default() };
        assert_eq!(found(series).as_deref(), Some("by model, stolen.txt line 8"));
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let wrong = |text: &str| Roster::default().read(text, "list.txt").expect_err("refused").to_string();
        assert!(wrong("\nzz\n").starts_with("list.txt line 2: `zz` is not a MAC address"));
        assert!(wrong("prefix 000e0").starts_with("list.txt line 1: `000e0` is not a MAC prefix"));
        assert!(wrong("prefix 00:0e-08").contains("is not a MAC prefix"));
        assert!(wrong("serial ../x").contains("is not a serial number"));
        assert!(wrong("model a/b").contains("is not a product name"));
        assert!(wrong("phone 000e08abcdef").contains("is not understood"));
        assert!(wrong("000e08abcdef stolen").contains("is not understood"));
    }

    #[test]
    fn what_is_on_both_lists_is_counted() {
        let mut other = Roster::default();
        assert_eq!(roster().shared_with(&other), None);
        other.read("000e08abcdef\nprefix 0002fd\n000e08000003\n", "allow.txt").expect("names");
        assert_eq!(roster().shared_with(&other), Some(("000e08abcdef".into(), 2)));
    }

    #[test]
    fn an_error_has_no_control_character() {
        for line in
            ["mac 00:0e\u{15}:08", "prefix 00\u{1b}[2J", "serial a\u{7f}", "model \u{9b}", "nonsense \u{1b} a b"]
        {
            let error = Roster::default().read(line, "list").expect_err("no name").to_string();
            assert!(!error.chars().any(char::is_control), "{error:?}");
        }
    }

    proptest! {
        #[test]
        fn whoever_is_put_on_it_is_found(octets: [u8; 6], others: Vec<[u8; 6]>) {
            let mac = MacAddress::new(octets);
            let mut roster = Roster::default();
            let lines: Vec<String> = others.iter().chain([&octets]).map(|octets| MacAddress::new(*octets).mac()).collect();
            roster.read(&lines.join("\n"), "list").expect("names");
            let is_listed = roster.find(Names { mac: Some(mac), ..Names::default() }).is_some();
            prop_assert!(is_listed);
            prop_assert!(roster.len() <= lines.len());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = Roster::default().read(&text, "list");
        }
    }
}
