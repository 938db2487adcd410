//! The paths that a rule is for: the macro language of file names, with `*` within a segment and `**` for any number of
//! segments.

use std::fmt;
use std::str::FromStr;

use super::macros::Macros;
use super::name::{Name, Star};
use super::path::RequestPath;

/// A rule's path, such as `/secure/$MA.cfg`, `/firmware/**` or `/*.txt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Name(Name),
    AnyDepth,
}

/// The text is no path for a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It does not begin with `/`.
    #[error("`{0}` is not a path for a rule: expected it to begin with `/`, such as /secure/$MA.cfg or /firmware/**")]
    NotAbsolute(String),
    /// `//`, or a `/` at its end.
    #[error("`{0}` has an empty segment: write /folder/** for all that is in a folder")]
    EmptySegment(String),
    /// `**` beside other text, or twice.
    #[error("`{0}`: `**` stands alone between two slashes, and once")]
    AnyDepth(String),
}

impl PathPattern {
    /// What the pattern's macros stand for in this path; `None` when the path is not of this pattern.
    #[must_use]
    pub fn bind(&self, path: &RequestPath) -> Option<Macros> {
        let Some(gap) = self.segments.iter().position(|segment| *segment == Segment::AnyDepth) else {
            let is_as_deep = self.segments.len() == path.depth();
            return is_as_deep.then(|| bind_names(&self.segments, path.segments(), Macros::default()))?;
        };
        let (head, tail) = (&self.segments[..gap], &self.segments[gap + 1..]);
        let last = path.depth().checked_sub(tail.len()).filter(|last| *last >= head.len())?;
        bind_names(tail, path.segments().skip(last), bind_names(head, path.segments(), Macros::default())?)
    }

    /// Whether some path may be of this pattern and mean the file with this name, macros and all. It says yes where it is
    /// in doubt.
    #[must_use]
    pub fn may_mean(&self, file: &str) -> bool {
        let names: Vec<Name> = file.split('/').map(|segment| Name::parse(segment, Star::Literal)).collect();
        let fit = |(segment, name): (&Segment, &Name)| match segment {
            Segment::Name(of_rule) => of_rule.may_meet(name),
            Segment::AnyDepth => true,
        };
        let Some(gap) = self.segments.iter().position(|segment| *segment == Segment::AnyDepth) else {
            return self.segments.len() == names.len() && self.segments.iter().zip(&names).all(fit);
        };
        let (head, tail) = (&self.segments[..gap], &self.segments[gap + 1..]);
        let ends = || self.segments.iter().rev().zip(names.iter().rev()).take(tail.len()).all(fit);
        names.len() >= head.len() + tail.len() && head.iter().zip(&names).all(fit) && ends()
    }

    /// A path of this pattern by which a file with this name may be asked for: where the pattern has literal text, that text,
    /// elsewhere what the file's name stands for with these values. Which file the path means is the tree's to say.
    #[must_use]
    pub fn path_to(&self, file: &str, macros: &Macros) -> Option<String> {
        let names: Vec<Name> = file.split('/').map(|segment| Name::parse(segment, Star::Literal)).collect();
        let gap = self.segments.iter().position(|segment| *segment == Segment::AnyDepth);
        let (head, tail) = match gap {
            Some(gap) if names.len() + 1 >= self.segments.len() => (&self.segments[..gap], &self.segments[gap + 1..]),
            None if names.len() == self.segments.len() => (self.segments.as_slice(), [].as_slice()),
            Some(_) | None => return None,
        };
        let text = |(place, name): (usize, &Name)| {
            let of_tail = || tail.get(place.checked_sub(names.len() - tail.len())?);
            match head.get(place).or_else(of_tail) {
                Some(Segment::Name(of_rule)) if of_rule.is_literal() => Some(of_rule.as_str().to_owned()),
                _ if name.is_literal() => Some(name.as_str().to_owned()),
                _ => name.expand(macros),
            }
        };
        let path = names.iter().enumerate().map(text).collect::<Option<Vec<String>>>()?;
        Some(path.join("/"))
    }

    /// Whether every path of the other pattern is of this one: they are the same, or this one is for all below a folder that
    /// the other's paths are in. It says no where it is in doubt.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let folder = self.segments.split_last().filter(|(last, _)| **last == Segment::AnyDepth);
        self.segments == other.segments || folder.is_some_and(|(_, folder)| other.segments.starts_with(folder))
    }

    /// The names between the slashes; `**` is left out.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Name(name) => Some(name),
            Segment::AnyDepth => None,
        })
    }
}

fn bind_names<'a>(names: &[Segment], texts: impl Iterator<Item = &'a str>, bound: Macros) -> Option<Macros> {
    names.iter().zip(texts).try_fold(bound, |macros, (segment, text)| match segment {
        Segment::Name(name) => name.matches(text, &macros),
        Segment::AnyDepth => Some(macros),
    })
}

impl FromStr for PathPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let path = text.strip_prefix('/').ok_or_else(|| PatternError::NotAbsolute(text.into()))?;
        let mut segments = Vec::new();
        for segment in path.split('/') {
            segments.push(match segment {
                "" => return Err(PatternError::EmptySegment(text.into())),
                "**" if segments.contains(&Segment::AnyDepth) => return Err(PatternError::AnyDepth(text.into())),
                "**" => Segment::AnyDepth,
                _ if segment.contains("**") => return Err(PatternError::AnyDepth(text.into())),
                _ => Segment::Name(Name::parse(segment, Star::Any)),
            });
        }
        Ok(Self { text: text.to_owned(), segments })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for PathPattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::macros::Macro;

    fn matches(pattern: &str, path: &str) -> bool {
        let pattern: PathPattern = pattern.parse().expect("a pattern");
        pattern.bind(&RequestPath::from_http(path).expect("a path")).is_some()
    }

    #[test]
    fn macros_stars_and_depth_match_as_their_names_say() {
        assert!(matches("/secure/$MA.cfg", "/secure/000e08abcdef.cfg"));
        assert!(matches("/secure/$MA.cfg", "/SECURE/000E08ABCDEF.CFG"));
        assert!(!matches("/secure/$MA.cfg", "/secure/basic.cfg"));
        assert!(!matches("/secure/$MA.cfg", "/secure/a/000e08abcdef.cfg"));
        assert!(matches("/*.txt", "/basic.txt"));
        assert!(!matches("/*.txt", "/a/basic.txt"));
        assert!(matches("/firmware/**", "/firmware/a/b.loads"));
        assert!(matches("/firmware/**", "/firmware/b.loads"));
        assert!(matches("/**/$MA.cfg", "/000e08abcdef.cfg"));
        assert!(matches("/**/$MA.cfg", "/a/b/000e08abcdef.cfg"));
        assert!(!matches("/**/$MA.cfg", "/a/b/c.cfg"));
        assert!(matches("/**", "/anything/at/all"));
    }

    #[test]
    fn a_file_that_no_path_of_a_pattern_means_is_told_from_one_that_some_path_may_mean() {
        let may_mean = |pattern: &str, file: &str| pattern.parse::<PathPattern>().expect("a pattern").may_mean(file);
        for (pattern, file) in [
            ("/secure/$MA.cfg", "Secure/$MA.cfg"),
            ("/secure/$MA.cfg", "secure/000e08abcdef.cfg"),
            ("/secure/000e08abcdef.cfg", "secure/$MA.cfg"),
            ("/8841/*", "$PN/$MA.cfg"),
            ("/desks/*", "$A/$MA.cfg"),
            ("/**", "basic.txt"),
            ("/a/**/b.xml", "a/c/d/b.xml"),
        ] {
            assert!(may_mean(pattern, file), "{pattern} {file}");
        }
        for (pattern, file) in [
            ("/secrue/$MA.cfg", "secure/$MA.cfg"),
            ("/secrue/**", "secure/$MA.cfg"),
            ("/secrue/$MA.cfg", "$PN/$MA.cfg"),
            ("/secure/$MA.cfg", "secure/basic.cfg"),
            ("/secure/basic.cfg", "secure/$MA.cfg"),
            ("/*.cfg", "basic.txt"),
            ("/a/**/b.xml", "a/c/d/c.xml"),
            ("/a/**/b.xml", "b.xml"),
        ] {
            assert!(!may_mean(pattern, file), "{pattern} {file}");
        }
    }

    #[test]
    fn a_path_is_found_by_which_a_file_is_asked_for_under_a_pattern() {
        let mut macros = Macros::default();
        assert!(macros.bind(Macro::Ma, "000e08abcdef") && macros.bind(Macro::Pn, "CP-8841-3PCC"));
        let path =
            |pattern: &str, file: &str| pattern.parse::<PathPattern>().expect("a pattern").path_to(file, &macros);
        for (pattern, file, expected) in [
            ("/**", "$PN/$MA.cfg", "CP-8841-3PCC/000e08abcdef.cfg"),
            ("/6841/*", "$PN/$MA.cfg", "6841/000e08abcdef.cfg"),
            ("/a/**/000e08000001.cfg", "a/b/$MA.cfg", "a/b/000e08000001.cfg"),
            ("/000e08000001.cfg", "$MA.cfg", "000e08000001.cfg"),
        ] {
            assert_eq!(path(pattern, file).as_deref(), Some(expected), "{pattern} {file}");
        }
        assert_eq!(path("/a", "a/b"), None);
        assert_eq!(path("/a/**/b", "b"), None);
        assert_eq!(path("/**", "$SN.cfg"), None, "no value");
    }

    #[test]
    fn a_pattern_covers_itself_and_what_is_below_its_folder() {
        let covers = |one: &str, other: &str| {
            let pattern = |text: &str| text.parse::<PathPattern>().expect("a pattern");
            pattern(one).covers(&pattern(other))
        };
        for (one, other) in
            [("/**", "/a"), ("/**", "/**/$MA.cfg"), ("/a/**", "/a/b/c"), ("/a", "/a"), ("/a/**", "/a/**/b")]
        {
            assert!(covers(one, other), "{one} {other}");
        }
        for (one, other) in [("/a/**", "/**"), ("/a", "/**"), ("/a/**", "/b/c"), ("/**/a", "/b/a"), ("/*", "/a")] {
            assert!(!covers(one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_pattern_that_means_nothing_says_so() {
        for text in ["basic.txt", "", "//a", "/a/", "/a**", "/**/**"] {
            assert!(text.parse::<PathPattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn many_stars_take_no_long_time() {
        let path = format!("/{}", "a".repeat(250));
        assert!(!matches("/*a*a*a*a*a*a*a*a*a*a*b", &path));
    }
}
