//! Firmware versions as rules compare them, in the format of each family.

use std::cmp::Ordering;
use std::fmt;

/// A version: `2.0.6(b)` (SPA), `sip88xx.11-3-2MPP0001-609` (MPP), `ATA19x.11-1-0MPP-23` (ATA).
///
/// The order is that of major, minor and micro version, digits before letters, then of the build. The model part and
/// the ending of a load (`.loads`, `.img`) do not count (Cisco MPP guide, "Version Numbers" and `SWVER`). Cisco gives
/// `11-0-0MPP` < `11-0-0MN-1MPP`, so `MPP` itself is a mark and no letter of the version; digits after it
/// (`2MPP0001`, from 11.3(2) on) count as a further number. Whether phones compare the format before 11.3(2) with the
/// one after it is not documented; here they are one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    family: Family,
    text: String,
    numbers: Vec<Component>,
    build: Option<Component>,
}

/// Whose format a version is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// `2.0.6`, `1.0.31(b)`, `7.5.2b`.
    Spa,
    /// `sip….11-3-2MPP0001-609`.
    Mpp,
    /// `ATA….11-1-0MPP-23`.
    Ata,
    /// `11-0-0MPP-7`, without a model: compares with MPP and ATA.
    Unnamed,
}

/// Digits, then letters and digits: `2`, `0MN`, `0401`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Component {
    number: u64,
    letters: String,
}

/// Endings of firmware loads.
const ENDINGS: [&str; 3] = [".loads", ".img", ".bin"];

/// The most parts between hyphens.
const MOST_PARTS: usize = 6;

impl Version {
    /// Reads a version of any family.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_ending = |ending: &&str| {
            text.len()
                .checked_sub(ending.len())
                .is_some_and(|at| text.is_char_boundary(at) && text[at..].eq_ignore_ascii_case(ending))
        };
        let bare =
            ENDINGS.iter().find(|ending| is_ending(ending)).map_or(text, |ending| &text[..text.len() - ending.len()]);
        let (family, numbers, build) = dotted(bare).or_else(|| hyphened(bare))?;
        Some(Self { family, text: text.to_owned(), numbers, build })
    }

    /// The order of two versions; `None` when their formats differ.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        let comparable = match (self.family, other.family) {
            (Family::Spa, Family::Spa)
            | (Family::Mpp, Family::Mpp | Family::Unnamed)
            | (Family::Ata, Family::Ata | Family::Unnamed)
            | (Family::Unnamed, Family::Mpp | Family::Ata | Family::Unnamed) => true,
            (Family::Spa, Family::Mpp | Family::Ata | Family::Unnamed)
            | (Family::Mpp, Family::Spa | Family::Ata)
            | (Family::Ata, Family::Spa | Family::Mpp)
            | (Family::Unnamed, Family::Spa) => false,
        };
        comparable.then(|| self.numbers.cmp(&other.numbers).then_with(|| self.build.cmp(&other.build)))
    }

    /// Whose format it is.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }
}

type Read = (Family, Vec<Component>, Option<Component>);

/// `major.minor.build` with letters after it or a feature in parentheses (SPA Provisioning Guide; letters as SPA 5xx
/// write them, `7.5.2b`, are seen in public templates).
fn dotted(text: &str) -> Option<Read> {
    let (numbers, feature) = match text.strip_suffix(')') {
        Some(rest) => rest.split_once('(').map(|(numbers, feature)| (numbers, Some(feature)))?,
        None => (text, None),
    };
    let numbers: Vec<Component> = numbers.split('.').map(Component::parse).collect::<Option<_>>()?;
    if numbers.len() != 3 || numbers[..2].iter().any(|component| !component.letters.is_empty()) {
        return None;
    }
    let feature = match feature {
        Some(text) => Some(Component::parse_feature(text)?),
        None => None,
    };
    Some((Family::Spa, numbers, feature))
}

/// `model.major-minor-micro-build`, the model and the build at will.
fn hyphened(text: &str) -> Option<Read> {
    let (family, rest) = match text.split_once('.') {
        None => (Family::Unnamed, text),
        Some((model, rest)) => {
            let begins = |with: &str| model.get(..3).is_some_and(|head| head.eq_ignore_ascii_case(with));
            let written = model.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            match () {
                () if written && begins("sip") => (Family::Mpp, rest),
                () if written && begins("ata") => (Family::Ata, rest),
                () => return None,
            }
        }
    };
    let mut parts: Vec<Component> =
        rest.split('-').take(MOST_PARTS + 1).map(Component::parse).collect::<Option<_>>()?;
    if !(3..=MOST_PARTS).contains(&parts.len()) {
        return None;
    }
    let build = if parts.len() > 3 { parts.pop() } else { None };
    let numbers = parts.into_iter().flat_map(Component::without_mark).collect();
    Some((family, numbers, build))
}

impl Component {
    /// Digits first, at the most 18 of them, then letters and digits.
    fn parse(text: &str) -> Option<Self> {
        text.starts_with(|c: char| c.is_ascii_digit()).then(|| Self::parse_feature(text))?
    }

    /// The same, where letters may come first: `b`, `0412s`, `SR5`.
    fn parse_feature(text: &str) -> Option<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, letters) = text.split_at(digits);
        let fits = digits <= 18 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let number = if number.is_empty() { 0 } else { number.parse().ok()? };
        (fits && !text.is_empty()).then(|| Self { number, letters: letters.to_owned() })
    }

    /// `2MPP0001` as 2 and 1, `1MPP` as 1.
    fn without_mark(self) -> impl Iterator<Item = Self> {
        let (first, second) = match self.letters.strip_prefix("MPP") {
            None => (self, None),
            Some(after) => (Self { number: self.number, letters: String::new() }, Self::parse_feature(after)),
        };
        std::iter::once(first).chain(second)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spa => "SPA",
            Self::Mpp => "MPP",
            Self::Ata => "ATA",
            Self::Unnamed => "MPP or ATA",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| panic!("{text} is a version"))
    }

    #[test]
    fn versions_are_ordered_as_the_guides_say() {
        // Cisco MPP guide, "Comparison" (yyyy and BN replaced); 6800 Provisioning Guide; Cisco community 3985912.
        let ascending = [
            ("sip7832.11-2-3MPP-256", "sip7832.11-3-1MPP-110"),
            ("sip7832.11-3-2MPP0001-609", "sip7832.11-3-2MPP0002-256"),
            ("sip68xx.11-0-0MPP-7", "sip68xx.11-0-0MN-1MPP-7"),
            ("sip88xx.9-3-1-7MPP-1", "sip88xx.11-0-0MPP-1"),
            ("sip78xx.11-0-0MPP-7", "sip78xx.11-0-0MPP-8"),
            // From one format to the other, and by build alone.
            ("sip88xx.11-3-1MPP-999", "sip88xx.11-3-2MPP0001-609"),
            ("sip88xx.11-2-3MPP-1", "sip88xx.11-2-3MSR1-1"),
            ("sip88xx.11-0-0MPP", "sip88xx.11-0-0MPP-376"),
            ("ATA19x.11-1-0MPP-23", "ATA19X.11-1-0MPP0401-002"),
            ("11-0-0MPP-7", "sip88xx.11-0-1MPP-312"),
            // SPA: major, minor, build, feature.
            ("1.0.31(b)", "1.0.33"),
            ("1.0.31", "1.0.31(b)"),
            ("2.0.3(0412s)", "2.0.3(0413)"),
            ("2.0.3", "2.0.3(G)"),
            ("7.5.2b", "7.5.5"),
            ("7.4.9c", "7.10.1"),
        ];
        for (older, newer) in ascending {
            assert_eq!(version(older).compare(&version(newer)), Some(Ordering::Less), "{older} < {newer}");
            assert_eq!(version(newer).compare(&version(older)), Some(Ordering::Greater), "{newer} > {older}");
        }
    }

    #[test]
    fn the_model_and_the_ending_do_not_count() {
        // Cisco MPP guide, macro variable SWVER.
        let same = [
            ("sip88xx.11-3-2MPP0001-598.loads", "sip8845_65.11-3-2MPP0001-598.loads"),
            ("sip88xx.11-1-1MSR-1dev.loads", "sip8845_65.11-1-1MSR-1dev"),
            ("11-0-0MPP-7", "ATA191.11-0-0MPP-7.img"),
        ];
        for (left, right) in same {
            assert_eq!(version(left).compare(&version(right)), Some(Ordering::Equal), "{left} = {right}");
        }
    }

    #[test]
    fn versions_of_two_families_do_not_compare() {
        let families = ["2.0.6", "sip88xx.11-0-1MPP-376", "ATA19x.11-1-0MPP-23"];
        for (at, left) in families.iter().enumerate() {
            for (other, right) in families.iter().enumerate() {
                assert_eq!(version(left).compare(&version(right)).is_some(), at == other, "{left}, {right}");
            }
        }
        assert_eq!(version("11-0-0MPP-7").compare(&version("2.0.6")), None);
    }

    #[test]
    fn what_is_no_version_is_refused() {
        let no_versions = [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "1.2.3(",
            "1.2.3()",
            "1.2.3)",
            "1.2.3(b)c",
            "a.b.c",
            "sip88xx.11.0.0",
            "11-0",
            "sip88xx.11-0-0MPP-BN",
            "1-2-3-4-5-6-7",
            "foo.11-0-0",
            "1.2.3é",
            "-1-2-3",
            "1--2-3",
            ".loads",
        ];
        for text in no_versions {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_is_total_within_a_format(texts in prop::collection::vec("[0-9]{1,2}-[0-9]-[0-9](MPP|MN)?-[0-9]{1,3}", 3)) {
            let mut versions: Vec<Version> = texts.iter().map(|text| version(text)).collect();
            versions.sort_by(|left, right| left.compare(right).expect("one format"));
            for pair in versions.windows(2) {
                prop_assert_ne!(pair[0].compare(&pair[1]), Some(Ordering::Greater));
            }
            prop_assert_ne!(versions[0].compare(&versions[2]), Some(Ordering::Greater));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            if let Some(version) = Version::parse(&text) {
                prop_assert_eq!(version.compare(&version), Some(Ordering::Equal));
                prop_assert_eq!(version.to_string(), text);
            }
        }
    }
}
