//! Variables and their values, as they are typed.

use std::str::FromStr;

use anyhow::ensure;
use serde_json::Value;

use crate::cli::hidden;
use crate::device::{Values, VariableName, VariableValue};

/// Variables that a command sets.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(id = "assignments", multiple = true)]
pub(in crate::cli) struct Assignments {
    /// Variables: NAME=TEXT, or NAME:=JSON for a number, a truth value, a list or a table.
    #[arg(value_name = "NAME=VALUE")]
    variables: Vec<Assignment>,
    /// A variable that is a secret. Its text is asked for, or is a line of standard input for each; it is kept sealed.
    #[arg(long = "secret", value_name = "NAME")]
    secrets: Vec<VariableName>,
}

impl Assignments {
    /// The variables with their values; those that are secrets are asked for.
    pub(in crate::cli) fn read(&self) -> anyhow::Result<Vec<(VariableName, VariableValue)>> {
        let open = self.variables.iter().cloned().map(|Assignment { name, value }| (name, value.into()));
        let mut all: Vec<(VariableName, VariableValue)> = open.collect();
        for name in &self.secrets {
            ensure!(all.iter().all(|(other, _)| other != name), "{name} is given twice");
            all.push((name.clone(), VariableValue::Secret(hidden::ask(name.as_str())?)));
        }
        Ok(all)
    }
}

/// Puts variables among those that there are. What is a secret stays one.
pub(in crate::cli) fn put(all: &mut Values, set: &[(VariableName, VariableValue)]) {
    for (name, value) in set {
        let value = match all.get(name) {
            Some(before) => before.followed_by(value.clone()),
            None => value.clone(),
        };
        all.insert(name.clone(), value);
    }
}

/// `sip_user=100` is the text 100; `vlan:=7`, `lines:=[1, 2]` and `on:=true` are JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Assignment {
    /// The variable.
    pub(in crate::cli) name: VariableName,
    /// Its value.
    pub(in crate::cli) value: Value,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, value)) = text.split_once('=') else {
            return Err("expected NAME=TEXT, or NAME:=JSON for a number, a truth value, a list or a table".into());
        };
        let (name, value) = match name.strip_suffix(':') {
            Some(name) => {
                (name, serde_json::from_str(value).map_err(|error| format!("what follows := is no JSON: {error}"))?)
            }
            None => (name, Value::from(value)),
        };
        let name: VariableName = name.parse().map_err(|error: crate::device::VariableError| error.to_string())?;
        if value.is_null() {
            return Err(format!("null is no value: `phoneprov device unset` takes {name} away"));
        }
        name.check(&value).map_err(|error| error.to_string())?;
        Ok(Self { name, value })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_text_unless_it_is_said_to_be_json() {
        let value = |text: &str| text.parse::<Assignment>().map(|assignment| assignment.value);
        assert_eq!(value("a=5"), Ok(json!("5")));
        assert_eq!(value("a=x=y"), Ok(json!("x=y")));
        assert_eq!(value("a="), Ok(json!("")));
        assert_eq!(value("a:=5"), Ok(json!(5)));
        assert_eq!(value("a:=[1, true]"), Ok(json!([1, true])));
        for text in ["a", "a:=", "a:=x", "a:=null", "=x", "MA=x", "a b=x"] {
            assert!(value(text).is_err(), "{text}");
        }
    }
}
