//! Whether a file is meant to be a profile, by what is in it and not by its name.

use std::collections::HashSet;

use crate::profile::parameters;

/// Bytes in which something that says what the file is has to stand.
const HEAD: usize = 64 * 1024;

/// What only profiles have in them, in lower case: their roots, and parameters that tell one whose root is wrong.
const SIGNS: [&[u8]; 9] = [
    b"<flat-profile",
    b"<router-configuration",
    b"<flat_profile",
    b"<flatprofile",
    b"<profile_rule",
    b"<resync_periodic",
    b"<line_enable_1_",
    b"<user_id_1_",
    b"<proxy_1_",
];

/// Roots of documents that stand beside profiles and are none: pages, pictures, and what XML services give to phones.
const OTHERS: [&str; 3] = ["html", "svg", "CiscoIPPhone"];

/// The longest name of a root that is told.
const LONGEST: usize = 64;

/// What a file that is no profile is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Other {
    /// XML that nobody would take for a profile.
    Document,
    /// XML of a root that says nothing, and without anything that only profiles have.
    Root(String),
    /// Text before the first tag, and then a profile: phones read none of it.
    Late,
    /// Anything else: firmware, pictures, tables.
    File,
}

/// Whether a file is meant to be a profile.
#[must_use]
pub fn is_profile(file: &[u8]) -> bool {
    other_than_profile(file).is_none()
}

/// What a file is that is not meant to be a profile; none for one that is.
#[must_use]
pub fn other_than_profile(file: &[u8]) -> Option<Other> {
    let head = &file[..file.len().min(HEAD)];
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let is_text = !text.contains(&0);
    if !text.starts_with(b"<") {
        let begins = SIGNS[..2].iter().any(|sign| has(text, sign));
        return Some(if is_text && begins { Other::Late } else { Other::File });
    }
    if SIGNS.into_iter().any(|sign| has(text, sign)) {
        return None;
    }
    let text = String::from_utf8_lossy(text);
    let mut names = names(&text);
    let Some(root) = names.next() else { return Some(Other::File) };
    if OTHERS.iter().any(|other| root.get(..other.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(other))) {
        return Some(Other::Document);
    }
    let inside: HashSet<&str> = names.collect();
    let known = inside.iter().filter(|name| is_setting(name)).count();
    if known > 0 && known * 2 >= inside.len() {
        return None;
    }
    Some(Other::Root(root.chars().take(LONGEST).collect()))
}

fn has(text: &[u8], sign: &[u8]) -> bool {
    text.windows(sign.len()).any(|window| window.eq_ignore_ascii_case(sign))
}

/// The names in start tags, in their order; comments are passed over.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            rest = &rest[rest.find('<')? + 1..];
            if rest.starts_with("!--") {
                rest = &rest[rest.find("-->")?..];
                continue;
            }
            let end = rest.find(|c: char| !(c.is_alphanumeric() || "_-.:".contains(c))).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                rest = after;
                return Some(name);
            }
        }
    })
}

/// A name that only phones have: of several words, and set by people. What a phone says of itself has names that lists of
/// phones have too.
fn is_setting(name: &str) -> bool {
    name.contains('_') && parameters::find(name).is_some_and(|known| !known.group().starts_with("Status"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_known_by_its_content() {
        let wrong_root = "<profile><Proxy_1_>sip.example.com</Proxy_1_></profile>";
        let any_setting = "<settings>\n<!-- <b> --><Time_Zone>GMT+01:00</Time_Zone><own>1</own></settings>";
        let late = "\u{feff}\n<?xml version=\"1.0\"?><device><Flat-Profile>";
        for text in ["<flat-profile/>", late, "<router-configuration>", "<FlatProfile>", wrong_root, any_setting] {
            assert_eq!(other_than_profile(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_profile_is_told_apart() {
        let root = |name: &str| Some(Other::Root(name.to_owned()));
        let list =
            "<phones><phone><Product_Name>CP-8841-3PCC</Product_Name><Serial_Number>1</Serial_Number></phone></phones>";
        let few = "<site><a/><b/><c/><Time_Zone>GMT</Time_Zone></site>";
        for (text, expected) in [
            ("", Some(Other::File)),
            ("-----BEGIN CERTIFICATE-----", Some(Other::File)),
            ("mac,model\n000e08abcdef,<b>", Some(Other::File)),
            ("hello <flat-profile>", Some(Other::Late)),
            ("\u{0}\u{1}<flat-profile>", Some(Other::File)),
            ("<?xml version='1.0'?><!DOCTYPE html><HTML><body>", Some(Other::Document)),
            ("<CiscoIPPhoneDirectory><Title>x</Title></CiscoIPPhoneDirectory>", Some(Other::Document)),
            ("<customer><SIP-number>1001</SIP-number></customer>", root("customer")),
            ("<device><fullConfig>false</fullConfig></device>", root("device")),
            (list, root("phones")),
            (few, root("site")),
            ("< no tag", Some(Other::File)),
        ] {
            assert_eq!(other_than_profile(text.as_bytes()), expected, "{text}");
        }
    }
}
