//! What a device's profile is made with, beside its names.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use super::{KeyKind, VariableValue};

/// A variable's name: letters, digits and `_`, beginning with a letter or `_`, 64 at the most; none that a phone's macro
/// has, which would hide it. Or a parameter, written as a profile's element begins: `<Time_Zone>`. No template can name that
/// one; its value takes the place of what the templates say.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariableName(String);

/// The text is not a variable's name, or its value none that is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    /// It cannot be written in a template.
    #[error("`{0}` is not a variable's name: expected up to 64 letters, digits and `_`, beginning with a letter")]
    Name(String),
    /// No profile has such a parameter.
    #[error(
        "`{0}` is not a parameter's name: expected up to 128 letters, digits, `_`, `-` and `.`, beginning with a letter or `_`"
    )]
    Parameter(String),
    /// A parameter has no such value.
    #[error("the value of {0} is neither text, a number, true or false, nor a table of `value` and `ua`")]
    ParameterValue(VariableName),
    /// It would hide a macro.
    #[error("`{0}` is a phone's macro: choose another name")]
    Macro(String),
    /// It would hide the phone's certificate.
    #[error("`{0}` is what the phone's certificate says: choose another name")]
    Certificate(String),
    /// It looks like what the store makes of secrets.
    #[error("the value of `{0}` is a table with `$sealed` in it, which is how secrets are kept: use another key")]
    Reserved(VariableName),
    /// It would hide the device's keys.
    #[error("`{0}` is what templates call the device's key: choose another name")]
    Key(String),
    /// It is larger than a profile needs.
    #[error("the value of `{name}` has {length} bytes: expected {LONGEST} at the most")]
    Long {
        /// The variable.
        name: VariableName,
        /// Its length as JSON.
        length: usize,
    },
}

/// The longest value, in bytes of JSON.
const LONGEST: usize = 65_536;

/// The phone's certificate, as templates write it.
const CERTIFICATE: &str = "certificate";

/// Macros of more than one letter; `A` to `P` are the others.
const MACROS: [&str; 6] = ["MA", "MAU", "MAC", "SN", "PN", "PSN"];

impl VariableName {
    /// What stands for a parameter of this name.
    ///
    /// # Errors
    /// No element can be called so.
    pub fn of_parameter(name: &str) -> Result<Self, VariableError> {
        let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        let written = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        match begins && written && name.len() <= 128 {
            true => Ok(Self(format!("<{name}>"))),
            false => Err(VariableError::Parameter(name.to_owned())),
        }
    }

    /// The parameter that it stands for, if it does.
    #[must_use]
    pub fn parameter(&self) -> Option<&str> {
        self.0.strip_prefix('<')?.strip_suffix('>')
    }

    /// Its text, as templates write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Holds a value against what is kept of one.
    ///
    /// # Errors
    /// It is too long, or would pass for a sealed secret.
    pub fn check(&self, value: &Value) -> Result<(), VariableError> {
        if VariableValue::is_reserved(value) {
            return Err(VariableError::Reserved(self.clone()));
        }
        if self.parameter().is_some() && !is_of_parameter(value) {
            return Err(VariableError::ParameterValue(self.clone()));
        }
        let length = value.to_string().len();
        if length > LONGEST { Err(VariableError::Long { name: self.clone(), length }) } else { Ok(()) }
    }
}

/// Found by its text; it compares as the text does.
impl std::borrow::Borrow<str> for VariableName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for VariableName {
    type Err = VariableError;

    fn from_str(text: &str) -> Result<Self, VariableError> {
        if let Some(name) = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')) {
            return Self::of_parameter(name);
        }
        let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        let written = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !begins || !written || text.len() > 64 {
            return Err(VariableError::Name(text.to_owned()));
        }
        if MACROS.contains(&text) || matches!(text.as_bytes(), [b'A'..=b'P']) {
            return Err(VariableError::Macro(text.to_owned()));
        }
        if text == CERTIFICATE {
            return Err(VariableError::Certificate(text.to_owned()));
        }
        if KeyKind::ALL.iter().any(|kind| kind.as_str() == text) {
            return Err(VariableError::Key(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether an element can have it: a value, or a table of it and of what the phone's user may do.
fn is_of_parameter(value: &Value) -> bool {
    let plain = |value: &Value| match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => true,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    };
    let Value::Object(table) = value else { return plain(value) };
    let access = table.get("ua").is_none_or(|ua| matches!(ua.as_str(), Some("na" | "ro" | "rw")));
    let known = table.keys().all(|key| key == "value" || key == "ua");
    known && access && table.get("value").is_some_and(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_can_be_written_in_a_template_and_hides_no_macro() {
        for text in ["sip_user", "_x", "GPP_B", "Q", "ma"] {
            assert_eq!(text.parse::<VariableName>().expect("a name").as_str(), text);
        }
        for text in ["", "1a", "a-b", "a b", "é", "MA", "PSN", "A", "P", "certificate", "key", "ikm"] {
            assert!(text.parse::<VariableName>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_parameter_is_a_name_that_no_template_can_write() {
        let zone: VariableName = "<Time_Zone>".parse().expect("a parameter");
        assert_eq!((zone.parameter(), zone.as_str()), (Some("Time_Zone"), "<Time_Zone>"));
        assert_eq!(VariableName::of_parameter("Time_Zone"), Ok(zone.clone()));
        assert_eq!("Time_Zone".parse::<VariableName>().expect("a variable").parameter(), None);
        for text in ["<>", "<1a>", "<a b>", "<a", "a>", "<é>", "<<a>>", "<MA/>"] {
            assert!(text.parse::<VariableName>().is_err(), "{text}");
        }
        for value in [json!("x"), json!(7), json!(true), json!({"value": "x"}), json!({"value": 1, "ua": "rw"})] {
            assert_eq!(zone.check(&value), Ok(()), "{value}");
        }
        for value in [json!(null), json!([1]), json!({}), json!({"ua": "rw"}), json!({"value": "x", "ua": "x"})] {
            let error = zone.check(&value).expect_err("refused").to_string();
            assert!(error.starts_with("the value of <Time_Zone> is neither text"), "{error}");
        }
    }

    #[test]
    fn a_value_has_an_end() {
        let name: VariableName = "notes".parse().expect("a name");
        assert_eq!(name.check(&Value::from("x".repeat(60_000))), Ok(()));
        let error = name.check(&Value::from("x".repeat(70_000))).expect_err("too long").to_string();
        assert!(error.contains("`notes` has 70002 bytes"), "{error}");
    }
}
