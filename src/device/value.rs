//! What a variable is set to.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use super::{Secret, VariableName};

/// A variable's value: one that whoever sees the device may see, or a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableValue {
    /// Text, a number, a truth value, a list or a table.
    Open(Value),
    /// A secret text in clear: on its way into the store, or opened.
    Secret(Secret),
    /// A secret as it is kept: only the store's key opens it.
    Sealed(String),
}

/// Variables with their values.
pub type Values = BTreeMap<VariableName, VariableValue>;

/// What is shown in place of a secret.
pub const MASK: &str = "••••";

/// What stands for one in a profile that people look at, and in what is said of it; XML leaves it as it is.
pub const MASK_IN_PROFILES: &str = "********";

/// What marks a sealed value among others, in JSON.
const SEALED: &str = "$sealed";

impl VariableValue {
    /// As a program that prints devices has it: sealed ones masked, those that were opened on request as they are.
    #[must_use]
    pub fn shown(&self) -> Value {
        match self {
            Self::Open(value) => value.clone(),
            Self::Secret(secret) => secret.expose().into(),
            Self::Sealed(_) => MASK.into(),
        }
    }

    /// Whether nobody is to see it.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        match self {
            Self::Open(_) => false,
            Self::Secret(_) | Self::Sealed(_) => true,
        }
    }

    /// What takes this value's place when somebody says `value`: a text in place of a secret is one too.
    #[must_use]
    pub fn followed_by(&self, value: Self) -> Self {
        match value {
            Self::Open(Value::String(text)) if self.is_secret() => Self::Secret(Secret::new(text)),
            value => value,
        }
    }

    /// Whether JSON that a person gives would pass for a sealed value.
    #[must_use]
    pub fn is_reserved(value: &Value) -> bool {
        value.get(SEALED).is_some()
    }
}

/// The same, as people and programs are shown them.
#[must_use]
pub fn shown(values: &Values) -> Values {
    values.iter().map(|(name, value)| (name.clone(), VariableValue::Open(value.shown()))).collect()
}

impl From<Value> for VariableValue {
    fn from(value: Value) -> Self {
        match value.get(SEALED).and_then(Value::as_str) {
            Some(sealed) => Self::Sealed(sealed.to_owned()),
            None => Self::Open(value),
        }
    }
}

impl Serialize for VariableValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Open(value) => value.serialize(serializer),
            Self::Sealed(sealed) => json!({ SEALED: sealed }).serialize(serializer),
            Self::Secret(_) => Err(serde::ser::Error::custom("a secret is sealed before it is written")),
        }
    }
}

impl<'de> Deserialize<'de> for VariableValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}

/// As a line of text has it: JSON, or a mask.
impl fmt::Display for VariableValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(value) => value.fmt(f),
            Self::Secret(_) | Self::Sealed(_) => f.write_str(MASK),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_neither_printed_nor_written_in_clear() {
        let secret = VariableValue::Secret(Secret::new("hush".into()));
        assert_eq!(format!("{secret} {secret:?}"), "•••• Secret(Secret(••••))");
        assert!(serde_json::to_string(&secret).expect_err("not in clear").to_string().contains("is sealed before"));
        let sealed = VariableValue::Sealed("v1.0a.xyz".into());
        assert_eq!((sealed.to_string(), sealed.shown()), (MASK.into(), MASK.into()));
    }

    #[test]
    fn a_sealed_value_reads_back_and_others_are_json() {
        for value in [VariableValue::Sealed("v1.0a.xyz".into()), VariableValue::Open(json!({"a": [1, "x"]}))] {
            let text = serde_json::to_string(&value).expect("JSON");
            assert_eq!(serde_json::from_str::<VariableValue>(&text).expect("a value"), value);
        }
        assert!(VariableValue::is_reserved(&json!({"$sealed": 1})) && !VariableValue::is_reserved(&json!(["$sealed"])));
    }

    #[test]
    fn a_text_in_place_of_a_secret_is_one_too() {
        let sealed = VariableValue::Sealed("v1.0a.xyz".into());
        assert_eq!(sealed.followed_by(json!("new").into()), VariableValue::Secret(Secret::new("new".into())));
        assert_eq!(sealed.followed_by(json!(7).into()), VariableValue::Open(json!(7)));
        assert_eq!(VariableValue::Open(json!(7)).followed_by(json!("x").into()), VariableValue::Open(json!("x")));
    }
}
