//! `--alias`: elements of a provider's own under the names of parameters (SPA Provisioning Guide, "Optional Resync
//! Arguments" and "Parameter Name Aliases").

use super::failure::Failure;
use crate::profile::flat::{Document, Element, FlatError, FlatProfile, Form, Parameter, Wrong};

/// Aliases of one map; SPA Provisioning Guide: up to 30.
const MOST: usize = 30;

/// What the right side of an alias begins with.
const TARGET: &str = "/flat-profile/";

/// The map in a register: `/customer/number = /flat-profile/User_ID_1_ ; …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Aliases(Vec<Alias>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Alias {
    /// The last elements of a path, the innermost last.
    path: Vec<String>,
    parameter: String,
}

impl Aliases {
    /// Reads a register.
    ///
    /// # Errors
    /// An alias that is none, or too many. What a phone does with such a map is not documented.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |alias: &str| {
            let expected = "expected `/customer/number = /flat-profile/User_ID_1_ ;`";
            Failure::Rule(format!("`{}` is no alias: {expected}", alias.chars().take(60).collect::<String>()))
        };
        let aliases = text.split(';').map(str::trim).filter(|alias| !alias.is_empty());
        let aliases: Vec<Alias> =
            aliases.map(|alias| Alias::parse(alias).ok_or_else(|| wrong(alias))).collect::<Result<_, _>>()?;
        if aliases.len() > MOST {
            return Err(Failure::Rule(format!("the map has {} aliases: expected {MOST} at the most", aliases.len())));
        }
        Ok(Self(aliases))
    }

    /// What a file means by this map: its flat profile, if it has one, and every element that the map names. Which of two
    /// wins that set one parameter is not documented; here it is the alias.
    ///
    /// # Errors
    /// The file is not XML, or holds neither.
    pub(super) fn read(&self, file: &[u8]) -> Result<FlatProfile, FlatError> {
        let document = Document::read(file)?;
        let mut found = Vec::new();
        for root in document.roots() {
            self.collect(root, &mut Vec::new(), &mut found);
        }
        let named: Vec<&Element> = found.iter().map(|(element, _)| *element).collect();
        let mut profile = match FlatProfile::of(&document) {
            // A provider's own form need not hold a flat profile.
            Err(FlatError { wrong: Wrong::Root(_) | Wrong::NoProfile(_) | Wrong::Nested { .. }, .. })
                if !found.is_empty() =>
            {
                FlatProfile { form: Form::default(), parameters: Vec::new() }
            }
            other => other?,
        };
        profile.parameters.retain(|parameter| named.iter().all(|element| element.place != parameter.place()));
        let values = found
            .iter()
            .filter_map(|(element, name)| Parameter::new(name, element.value.as_deref().unwrap_or_default()).ok());
        profile.parameters.extend(values);
        Ok(profile)
    }

    /// The elements with a text in this one that the map names, with their parameters.
    fn collect<'a>(&'a self, element: &'a Element, path: &mut Vec<&'a str>, found: &mut Vec<(&'a Element, &'a str)>) {
        path.push(&element.name);
        if element.value.is_some() {
            let alias = self.0.iter().find(|alias| alias.fits(path));
            found.extend(alias.map(|alias| (element, alias.parameter.as_str())));
        }
        for inner in element.elements() {
            self.collect(inner, path, found);
        }
        path.pop();
    }
}

impl Alias {
    fn parse(text: &str) -> Option<Self> {
        let (path, target) = text.split_once('=')?;
        let path = path.trim().strip_prefix('/')?;
        let parameter = target.trim().strip_prefix(TARGET)?;
        let is_name = |name: &str| !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '/');
        let path: Vec<String> = path.split('/').map(str::to_owned).collect();
        let fits = path.iter().all(|name| is_name(name)) && is_name(parameter);
        fits.then(|| Self { path, parameter: parameter.to_owned() })
    }

    /// Whether an element's path ends as the alias says: the element may be nested further.
    fn fits(&self, path: &[&str]) -> bool {
        path.len() >= self.path.len() && path.iter().rev().zip(self.path.iter().rev()).all(|(a, b)| a == b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUSTOMER: &str = "<CPE><SIP-Credentials><name>J. Smith</name><number>14085551234</number>\
                            <auth-secret>732091751563sfd</auth-secret></SIP-Credentials></CPE>";

    fn read(map: &str, file: &str) -> Vec<String> {
        let profile = Aliases::parse(map).expect("a map").read(file.as_bytes()).expect("a file");
        profile.parameters.iter().map(|one| format!("{}={}", one.name(), one.value())).collect()
    }

    #[test]
    fn the_example_of_the_guide_is_read_by_its_whole_path_and_by_its_end() {
        let expected = ["Display_Name_1_=J. Smith", "User_ID_1_=14085551234", "Password_1_=732091751563sfd"];
        let whole = "/CPE/SIP-Credentials/name = /flat-profile/Display_Name_1_ ;\n\
                     /CPE/SIP-Credentials/number = /flat-profile/User_ID_1_ ;\n\
                     /CPE/SIP-Credentials/auth-secret = /flat-profile/Password_1_ ;";
        assert_eq!(read(whole, CUSTOMER), expected);
        let end = "/SIP-Credentials/name = /flat-profile/Display_Name_1_ ; /SIP-Credentials/number = \
                   /flat-profile/User_ID_1_ ; /auth-secret = /flat-profile/Password_1_ ;";
        assert_eq!(read(end, CUSTOMER), expected);
    }

    #[test]
    fn names_are_whole_and_a_longer_path_does_not_fit() {
        let file = "<a><b><name>1</name><nickname>2</nickname></b></a>";
        assert_eq!(read("/name = /flat-profile/GPP_A", file), ["GPP_A=1"]);
        let none = Aliases::parse("/x/a/b/name = /flat-profile/GPP_A").expect("a map").read(file.as_bytes());
        assert!(none.is_err(), "{none:?}");
    }

    #[test]
    fn a_flat_profile_keeps_its_own_parameters() {
        let file = "<flat-profile><number>1</number><GPP_B>2</GPP_B></flat-profile>";
        assert_eq!(read("/number = /flat-profile/User_ID_1_", file), ["GPP_B=2", "User_ID_1_=1"]);
        assert_eq!(read("", file), ["number=1", "GPP_B=2"]);
    }

    #[test]
    fn a_map_that_is_none_says_what_would_be() {
        for wrong in ["number", "number = /flat-profile/X", "/a/ = /flat-profile/X", "/a = /flat-profile/", "/a = X"] {
            let failure = Aliases::parse(wrong).expect_err("no map").to_string();
            assert!(failure.contains("is no alias: expected `/customer/number = "), "{failure}");
        }
        assert!(Aliases::parse(&"/a = /flat-profile/X;".repeat(31)).is_err());
    }
}
