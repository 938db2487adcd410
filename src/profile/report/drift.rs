//! What a phone has and nobody intended.

use std::collections::BTreeMap;

use crate::profile::flat::{FlatProfile, Parameter};
use crate::profile::parameters::is_secret;

/// How what a phone has differs from what it would be given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// Parameters that differ, in the report's order.
    pub differing: Vec<Differing>,
    /// How many were held against each other.
    pub compared: usize,
    /// How many are intended that the report does not have: the phone does not know them, or never tells them.
    pub untold: usize,
}

/// A parameter that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// Its name, behind its groups where it is a router's.
    pub name: String,
    /// What the phone has.
    pub value: String,
    /// What it would be given, the last profile's last; none where no profile sets it, and its user has.
    pub intended: Vec<String>,
    /// Its user has set it.
    pub by_user: bool,
}

impl Drift {
    /// Holds a report against profiles. A value that any of them gives is intended: which one a phone takes last is its
    /// rules' matter. What no profile sets counts where its user has set it. Secrets are never told, and do not count.
    #[must_use]
    pub fn of(reported: &FlatProfile, profiles: &[FlatProfile]) -> Self {
        let mut intended: BTreeMap<String, Vec<Parameter>> = BTreeMap::new();
        for parameter in profiles.iter().flat_map(|profile| profile.effective().parameters) {
            if !is_secret(parameter.name()) {
                intended.entry(parameter.key()).or_default().push(parameter);
            }
        }
        let mut drift = Self::default();
        for parameter in reported.effective().parameters.iter().filter(|parameter| !is_secret(parameter.name())) {
            let name = parameter.key();
            let wanted = intended.remove(&name).unwrap_or_default();
            drift.compared += usize::from(!wanted.is_empty());
            let is_meant = wanted.iter().any(|wanted| wanted.value() == parameter.value() || leaves_alone(wanted));
            let by_user = parameter.is_user_modified();
            if (wanted.is_empty() && by_user) || (!wanted.is_empty() && !is_meant) {
                let intended = wanted.iter().map(|wanted| wanted.value().to_owned()).collect();
                drift.differing.push(Differing { name, value: parameter.value().to_owned(), intended, by_user });
            }
        }
        drift.untold = intended.len();
        drift
    }
}

/// `<X ua="rw"/>` leaves what the user has set (Cisco MPP administration guide, Provisioning Formats).
fn leaves_alone(parameter: &Parameter) -> bool {
    parameter.value().is_empty() && parameter.is_self_closing() && parameter.user_access() == Some("rw")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(inner: &str) -> FlatProfile {
        FlatProfile::read(format!("<flat-profile>{inner}</flat-profile>").as_bytes()).expect("a profile")
    }

    fn names(reported: &str, profiles: &[&str]) -> Vec<String> {
        let profiles: Vec<FlatProfile> = profiles.iter().map(|inner| profile(inner)).collect();
        Drift::of(&profile(reported), &profiles).differing.into_iter().map(|differing| differing.name).collect()
    }

    #[test]
    fn what_differs_and_what_the_user_has_set_is_told() {
        let reported = "<A>1</A><B um='y'>2</B><C>3</C><D um='y'>4</D><E>5</E><F/>";
        assert_eq!(names(reported, &["<A>1</A><B>1</B><C>4</C><E>5</E><F></F>"]), ["B", "C", "D"]);
        let drift = Drift::of(&profile(reported), &[profile("<B>1</B><Z>1</Z>")]);
        assert_eq!((drift.compared, drift.untold), (1, 1));
        let b = &drift.differing[0];
        assert_eq!((b.value.as_str(), &b.intended[..], b.by_user), ("2", &["1".to_owned()][..], true));
    }

    #[test]
    fn secrets_and_what_is_left_to_the_user_are_no_drift() {
        assert_eq!(names("<Admin_Password um='y'/><A um='y'>2</A>", &["<Admin_Password>x</Admin_Password>"]), ["A"]);
        assert_eq!(names("<A um='y'>2</A>", &["<A ua='rw'/>"]), [""; 0]);
        assert_eq!(names("<A um='y'>2</A>", &["<A ua='rw'></A>"]), ["A"]);
    }

    #[test]
    fn a_value_of_any_profile_is_intended() {
        assert_eq!(names("<A>1</A>", &["<A>1</A>", "<A>2</A>"]), [""; 0]);
        assert_eq!(names("<A>3</A>", &["<A>1</A>", "<A>2</A>"]), ["A"]);
        assert_eq!(names("<A>1</A>", &["<A>1</A><A>2</A>"]), ["A"], "of one profile the last counts");
    }
}
