//! `[variables]`: values that every template sees.

use minijinja::Value;

use crate::device::VariableName;
use crate::profile::template::Variables;

/// Takes the table over; a variable may not hide a macro.
pub(super) fn check(table: toml::Table) -> Result<Variables, String> {
    table
        .into_iter()
        .map(|(name, value)| {
            let known = name.parse::<VariableName>().map_err(|error| format!("variables.{name}: {error}"))?;
            // Whoever looks for a parameter of all phones looks among the templates; what is set beside them is in the store.
            if known.parameter().is_some() {
                return Err(format!(
                    "variables.{name} is a parameter: write it into a template, or set it in the store"
                ));
            }
            Ok((name, to_value(value)))
        })
        .collect()
}

/// The same value as templates see it; dates are text.
fn to_value(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(values) => values.into_iter().map(to_value).collect::<Vec<_>>().into(),
        toml::Value::Table(table) => Value::from_pairs(table.into_iter().map(|(name, value)| (name, to_value(value)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<Variables, String> {
        check(text.parse().expect("a table"))
    }

    #[test]
    fn values_keep_their_kind() {
        let variables = checked("proxy = \"sip.example.com\"\nport = 5060\nlines = [1, 2]\nvlan = { id = 7 }");
        let shown: Vec<String> =
            variables.expect("variables").iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(shown, ["lines=[1, 2]", "port=5060", "proxy=sip.example.com", "vlan={'id': 7}"]);
    }

    #[test]
    fn a_variable_does_not_hide_a_macro_and_can_be_written_in_a_template() {
        for text in ["MA = 1", "P = 1", "\"a-b\" = 1", "\"\" = 1", "1a = 1", "\"<Time_Zone>\" = 1"] {
            assert!(checked(text).is_err(), "{text}");
        }
    }
}
