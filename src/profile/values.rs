//! Values of a phone's variables that somebody gave: on a command line, in a test, as samples.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::macros::{Macro, Macros};
use super::variable::{Lookup, Variable};
use crate::device::Secret;

/// The values of one phone's variables. Keys and passwords are masked when printed.
#[derive(Clone, Default, Debug)]
pub struct Values {
    identity: Macros,
    others: BTreeMap<Variable, String>,
    secrets: BTreeMap<Variable, Secret>,
    server: Option<String>,
}

/// A name or a value that cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// No such variable.
    #[error("`{0}` is no variable of a phone: expected GPP_A … GPP_P, GPP_SA … GPP_SD, or a macro such as PRVTMR")]
    Unknown(String),
    /// `$MA` and its like hold names of a device.
    #[error("`{text}` is no value of ${name}")]
    Unfit {
        /// The variable.
        name: String,
        /// What it cannot hold.
        text: String,
    },
}

impl Values {
    /// Sets a variable by the name of its parameter (`GPP_B`) or its own (`PRVTMR`, `$PRVTMR`).
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), ValueError> {
        let bare = name.strip_prefix('$').unwrap_or(name);
        let variable = Variable::of_parameter(bare).or_else(|| Variable::named(bare));
        let variable = variable.ok_or_else(|| ValueError::Unknown(name.to_owned()))?;
        let unfit = || ValueError::Unfit { name: variable.name().into_owned(), text: text.to_owned() };
        match variable {
            // A phone's register holds any text; only as part of a path need it fit in there.
            Variable::Macro(Macro::Register(_)) => drop(self.others.insert(variable, text.to_owned())),
            Variable::Macro(name) => self.identity.bind(name, text).then_some(()).ok_or_else(unfit)?,
            secret if secret.is_secret() => drop(self.secrets.insert(secret, Secret::new(text.to_owned()))),
            other => drop(self.others.insert(other, text.to_owned())),
        }
        Ok(())
    }

    /// Sets the server of DHCP option 66.
    pub fn set_server(&mut self, server: &str) {
        self.server = Some(server.to_owned());
    }

    /// What is known of the phone's identity.
    #[must_use]
    pub fn identity(&self) -> &Macros {
        &self.identity
    }
}

impl Lookup for Values {
    fn value(&self, variable: Variable) -> Option<Cow<'_, str>> {
        match variable {
            Variable::Macro(Macro::Register(_)) => self.others.get(&variable).map(Cow::from),
            Variable::Macro(name) => self.identity.value(name).map(Cow::Owned),
            Variable::UpgCond => Some(Cow::Borrowed(self.others.get(&variable).map_or("true", String::as_str))),
            secret if secret.is_secret() => self.secrets.get(&secret).map(|secret| Cow::Borrowed(secret.expose())),
            other => self.others.get(&other).map(Cow::from),
        }
    }

    fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_set_by_its_parameter_or_its_macro() {
        let mut values = Values::default();
        for (name, text) in [("GPP_B", "a b"), ("$PRVTMR", "600"), ("GPP_SA", "s3cret"), ("PN", "CP-8841-3PCC")] {
            values.set(name, text).expect("a variable");
        }
        let value = |name: &str| values.value(Variable::named(name).expect("a variable")).map(Cow::into_owned);
        assert_eq!(value("B").as_deref(), Some("a b"));
        assert_eq!(value("PRVTMR").as_deref(), Some("600"));
        assert_eq!(value("SA").as_deref(), Some("s3cret"));
        assert_eq!(value("PSN").as_deref(), Some("8841-3PCC"));
        assert_eq!(value("UPGCOND").as_deref(), Some("true"));
        assert_eq!(value("IP"), None);
        assert!(!format!("{values:?}").contains("s3cret"));
    }

    #[test]
    fn what_cannot_be_set_is_said() {
        let mut values = Values::default();
        assert!(matches!(values.set("GPP_Q", "x"), Err(ValueError::Unknown(_))));
        let error = values.set("MA", "zz").expect_err("no address");
        assert_eq!(error.to_string(), "`zz` is no value of $MA");
    }
}
