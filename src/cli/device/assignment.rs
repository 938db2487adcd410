//! Variables and their values, as they are typed.

use std::str::FromStr;

use anyhow::ensure;
use serde_json::Value;

use crate::cli::{hidden, warning};
use crate::config::Lint;
use crate::device::{Secret, Values, VariableName, VariableValue};
use crate::profile::parameters::is_secret;

/// Variables that a command sets.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(id = "assignments", multiple = true)]
pub(in crate::cli) struct Assignments {
    /// Variables: NAME=TEXT, or NAME:=JSON for a number, a truth value, a list or a table.
    #[arg(value_name = "NAME=VALUE")]
    variables: Vec<Assignment>,
    /// A parameter of the phone, in place of what its templates say: NAME=TEXT, or NAME:=JSON, where {"value": …, "ua": "rw"}
    /// says what the phone's user may do. A NAME alone is a secret, which is asked for.
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<ParameterAssignment>,
    /// A variable that is a secret. Its text is asked for, or is a line of standard input for each; it is kept sealed.
    #[arg(long = "secret", value_name = "NAME")]
    secrets: Vec<VariableName>,
}

impl Assignments {
    /// The variables with their values; those that are secrets are asked for. A parameter that is hardly meant is told of
    /// and taken: a newer phone may know it.
    pub(in crate::cli) fn read(&self, lint: &Lint) -> anyhow::Result<Vec<(VariableName, VariableValue)>> {
        let known = lint.settings().known;
        for name in self.parameters.iter().filter_map(|ParameterAssignment(name, _)| name.parameter()) {
            if let Some(doubt) = warning::doubt_of_parameter(name, None).filter(|_| !known.contains(name)) {
                warning::say(&doubt);
            }
        }
        self.values()
    }

    fn values(&self) -> anyhow::Result<Vec<(VariableName, VariableValue)>> {
        let given = self.parameters.iter().filter_map(|ParameterAssignment(name, value)| {
            value.as_ref().map(|value| Assignment { name: name.clone(), value: value.clone() })
        });
        let mut all: Vec<(VariableName, VariableValue)> = Vec::new();
        for Assignment { name, value } in self.variables.iter().cloned().chain(given) {
            let value = guarded(&name, value);
            all.push((name, value));
        }
        let asked = self.parameters.iter().filter(|ParameterAssignment(_, value)| value.is_none());
        for name in self.secrets.iter().chain(asked.map(|ParameterAssignment(name, _)| name)) {
            ensure!(all.iter().all(|(other, _)| other != name), "{name} is given twice");
            all.push((name.clone(), VariableValue::Secret(hidden::ask(name.as_str())?)));
        }
        Ok(all)
    }
}

/// A value as it is kept: that of a parameter which is a password or a key is a secret, whoever gives it.
fn guarded(name: &VariableName, value: Value) -> VariableValue {
    if !name.parameter().is_some_and(is_secret) {
        return value.into();
    }
    match value {
        Value::String(text) => VariableValue::Secret(Secret::new(text)),
        other => VariableValue::Secret(Secret::new(other.to_string())),
    }
}

/// Variables and parameters that a command takes away.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct Unwanted {
    /// Variables.
    #[arg(value_name = "VARIABLE")]
    variables: Vec<VariableName>,
    /// A parameter: what the templates say counts again.
    #[arg(long = "parameter", value_name = "NAME", value_parser = VariableName::of_parameter)]
    parameters: Vec<VariableName>,
}

impl Unwanted {
    /// Takes them out of what is set; `whose` is told where one is not there.
    pub(in crate::cli) fn take(&self, whose: &str, all: &mut Values) -> anyhow::Result<()> {
        for name in self.variables.iter().chain(&self.parameters) {
            let what = if name.parameter().is_some() { "parameter" } else { "variable" };
            ensure!(all.remove(name).is_some(), "{whose} has no {what} {name} of its own");
        }
        Ok(())
    }

    /// Whether nothing is named.
    pub(in crate::cli) fn is_empty(&self) -> bool {
        self.variables.is_empty() && self.parameters.is_empty()
    }
}

/// `Time_Zone=GMT+01:00`; or `Admin_Password`, whose value is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ParameterAssignment(VariableName, Option<Value>);

impl FromStr for ParameterAssignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, value)) = text.split_once('=') else {
            let name = VariableName::of_parameter(text).map_err(|error| error.to_string())?;
            return Ok(Self(name, None));
        };
        let (name, sign) = name.strip_suffix(':').map_or((name, "="), |name| (name, ":="));
        let Assignment { name, value } = format!("<{name}>{sign}{value}").parse()?;
        if value.is_object() && name.parameter().is_some_and(is_secret) {
            return Err(format!("{name} is a secret, whose value is text"));
        }
        Ok(Self(name, Some(value)))
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

    #[test]
    fn a_parameter_is_given_by_its_name_and_a_password_among_them_is_a_secret() {
        let read = |texts: &[&str]| {
            let parameters = texts.iter().map(|text| text.parse()).collect::<Result<_, String>>()?;
            let assignments = Assignments { parameters, ..Assignments::default() };
            assignments.values().map_err(|error| error.to_string())
        };
        let zone: VariableName = "<Time_Zone>".parse().expect("a name");
        assert_eq!(read(&["Time_Zone=GMT+01:00"]), Ok(vec![(zone.clone(), json!("GMT+01:00").into())]));
        let rw = json!({"value": 1, "ua": "rw"});
        assert_eq!(read(&[&format!("Time_Zone:={rw}")]), Ok(vec![(zone, rw.into())]));
        let password = read(&["Admin_Password=hush"]).expect("a secret");
        assert_eq!(password[0].1, VariableValue::Secret(Secret::new("hush".into())));
        for (text, reason) in [
            ("Time Zone=x", "`Time Zone` is not a parameter's name"),
            ("Time_Zone:=[1]", "the value of <Time_Zone> is neither text"),
            ("Admin_Password:={\"value\":\"x\"}", "<Admin_Password> is a secret, whose value is text"),
            ("=x", "`` is not a parameter's name"),
        ] {
            let error = read(&[text]).expect_err("refused");
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
