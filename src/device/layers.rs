//! Where a device's variables come from, and which counts.

use std::collections::BTreeMap;
use std::fmt;

use super::{GroupName, Values, VariableName, VariableValue};

/// Variables of one origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stratum {
    /// Where they are from.
    pub origin: Origin,
    /// Their values.
    pub variables: Values,
}

/// Where variables are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `[variables]` of the configuration.
    Configuration,
    /// What holds for every device of the store.
    Defaults,
    /// A group.
    Group(GroupName),
    /// The device itself.
    Device,
}

/// All that a device's variables come from: what comes later counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layers(pub Vec<Stratum>);

impl Layers {
    /// Each variable with the value that counts.
    #[must_use]
    pub fn effective(&self) -> BTreeMap<&VariableName, &VariableValue> {
        self.0.iter().flat_map(|stratum| &stratum.variables).collect()
    }

    /// The same, with nothing left of what does not count.
    #[must_use]
    pub fn into_effective(self) -> Values {
        self.0.into_iter().flat_map(|stratum| stratum.variables).collect()
    }

    /// Where a variable has a value, the one that counts first.
    pub fn of<'a>(&'a self, name: &'a VariableName) -> impl Iterator<Item = (&'a Origin, &'a VariableValue)> {
        self.0.iter().rev().filter_map(|stratum| Some((&stratum.origin, stratum.variables.get(name)?)))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration => f.write_str("[variables]"),
            Self::Defaults => f.write_str("defaults"),
            Self::Group(group) => write!(f, "group {group}"),
            Self::Device => f.write_str("device"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn stratum(group: &str, values: &BTreeMap<String, i64>) -> Stratum {
        let variables = values.iter().map(|(name, value)| (name.parse().expect("a name"), json!(value).into()));
        Stratum { origin: Origin::Group(group.parse().expect("a name")), variables: variables.collect() }
    }

    proptest! {
        #[test]
        fn the_last_origin_that_has_a_variable_counts(
            strata in proptest::collection::vec(proptest::collection::btree_map("[a-c]", 0..9_i64, 0..4), 0..5)
        ) {
            let layers = Layers(strata.iter().map(|values| stratum("g", values)).collect());
            for name in ["a", "b", "c"] {
                let expected = strata.iter().rev().find_map(|values| values.get(name)).map(|value| VariableValue::from(json!(value)));
                let name: VariableName = name.parse().expect("a name");
                prop_assert_eq!(layers.effective().get(&name).map(|value| (*value).clone()), expected.clone());
                prop_assert_eq!(layers.clone().into_effective().get(&name).cloned(), expected.clone());
                prop_assert_eq!(layers.of(&name).next().map(|(_, value)| value.clone()), expected);
            }
        }
    }
}
