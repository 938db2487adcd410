//! What templates have for flat-profiles: parameters written as phones read them, those of numbered lines, and profiles
//! laid over each other. The same input gives the same text: parameters come in a fixed order.

use std::fmt;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, Value};

use super::{Plain, effort, trace};
use crate::profile::flat::{FlatProfile, Parameter, ParameterError, UserAccess};
use crate::profile::parameters;

/// What stands in the name of a numbered parameter for its number.
const NUMBER: &str = "_n_";

/// Lines that one call may write: phones have sixteen, key expansion modules some hundred keys.
const LINES: usize = 1000;

/// Makes them known to templates.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.add_function("param", param);
    environment.add_function("lines", lines);
    effort::add_filter(environment, "merge", Value::from_function(merge));
}

/// `param("Station_Name", name, ua="rw")`: one parameter's element.
#[expect(clippy::needless_pass_by_value, reason = "as minijinja hands it over")]
fn param(name: &str, value: &Value, options: Kwargs) -> Result<Value, Error> {
    let access = access(options.get("ua")?)?;
    options.assert_all_used()?;
    Ok(Value::from_safe_string(parameter(Spot { name, place: Place::Argument }, value, access)?.to_string()))
}

/// `lines([{"User_ID": "101"}, {"User_ID": "102"}], first=1, ua="na")`: the elements of `User_ID_1_` and `User_ID_2_`, a
/// line of text each. A name may say where its number goes: `Unit_1_Key_n_`.
#[expect(clippy::needless_pass_by_value, reason = "as minijinja hands it over")]
fn lines(entries: &Value, options: Kwargs) -> Result<Value, Error> {
    let first = options.get::<Option<usize>>("first")?.unwrap_or(1);
    let access = access(options.get("ua")?)?;
    options.assert_all_used()?;
    if !(1..=LINES).contains(&first) {
        return Err(Plain(format!("first of lines() is not a line's number: expected 1 to {LINES}")).into());
    }
    if entries.kind() != ValueKind::Seq || entries.len().is_none_or(|entries| entries > LINES) {
        return Err(Plain(format!("lines() takes a list of at most {LINES} tables, one for each line")).into());
    }
    let mut elements = Vec::new();
    for (number, entry) in (first..).zip(entries.try_iter()?) {
        if entry.kind() != ValueKind::Map {
            return Err(Plain(format!("entry {number} of lines() is no table of names and values")).into());
        }
        for name in entry.try_iter()? {
            let (value, place) = (entry.get_item(&name)?, Place::Entry(number));
            let name = numbered(text_of(&name)?, number)?;
            elements.push(parameter(Spot { name: &name, place }, &value, access)?.to_string());
        }
    }
    Ok(Value::from_safe_string(elements.join("\n")))
}

/// `profile | merge(layer, …)`: the profile with each layer over it, parameter by parameter. A layer is a table of names
/// and values, of which one may be a table of `value` and `ua`; or the text of a profile.
#[expect(clippy::needless_pass_by_value, reason = "as minijinja hands it over")]
fn merge(profile: &Value, layers: Rest<Value>) -> Result<Value, Error> {
    let layers = layers.iter().map(layer).collect::<Result<Vec<_>, Error>>()?;
    Ok(Value::from_safe_string(layer(profile)?.overlaid_by(&layers).to_xml()))
}

fn layer(layer: &Value) -> Result<FlatProfile, Error> {
    match layer.kind() {
        ValueKind::String => {
            let text = text_of(layer)?;
            FlatProfile::read(text.trim().as_bytes()).map_err(|error| Plain(format!("merge: {error}")).into())
        }
        ValueKind::Map => {
            let parameters = layer.try_iter()?.map(|name| own(text_of(&name)?, &layer.get_item(&name)?));
            Ok(FlatProfile { parameters: parameters.collect::<Result<_, _>>()?, ..FlatProfile::default() })
        }
        _ => Err(Plain("merge takes profiles, and tables of names and values".to_owned()).into()),
    }
}

/// A layer's parameter: a value, or a table of it and what the user may do.
fn own(name: &str, value: &Value) -> Result<Parameter, Error> {
    placed(Spot { name, place: Place::Layer }, value)
}

/// The same of what the store has for a device.
pub(super) fn kept(name: &str, value: &Value) -> Result<Parameter, Error> {
    placed(Spot { name, place: Place::Store }, value)
}

fn placed(spot: Spot<'_>, value: &Value) -> Result<Parameter, Error> {
    if value.kind() != ValueKind::Map {
        return parameter(spot, value, None);
    }
    for key in value.try_iter()? {
        let key = text_of(&key)?;
        if !["value", "ua"].contains(&key) {
            // A word of the template; anything else may be somebody's value.
            let is_word = key.len() <= 32 && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            let key = if is_word { format!("the key `{key}`") } else { "another key".to_owned() };
            return Err(Plain(format!("the table of {spot} has {key}: expected `value` and `ua`")).into());
        }
    }
    let ua = value.get_attr("ua")?;
    let ua = if ua.is_undefined() { None } else { Some(text_of(&ua)?.to_owned()) };
    parameter(spot, &value.get_attr("value")?, access(ua)?)
}

/// A parameter that is to be written, for messages: its name may be the value of a variable, and that a secret, so that
/// only names that are known to be some are told.
#[derive(Clone, Copy)]
struct Spot<'a> {
    name: &'a str,
    place: Place,
}

/// Where a name was given.
#[derive(Clone, Copy)]
enum Place {
    /// As the first argument of `param`.
    Argument,
    /// In the entry of `lines` for this line.
    Entry(usize),
    /// In a table of `merge`.
    Layer,
    /// By somebody who set it, who cannot have called it anything secret.
    Store,
}

impl fmt::Display for Spot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            _ if parameters::find(self.name).is_some() => f.write_str(self.name),
            Place::Argument => f.write_str("the parameter that param() names"),
            Place::Entry(number) => write!(f, "a parameter in entry {number} of lines()"),
            Place::Layer => f.write_str("a parameter in a table of merge"),
            Place::Store => write!(f, "<{}>", self.name),
        }
    }
}

fn parameter(spot: Spot<'_>, value: &Value, access: Option<UserAccess>) -> Result<Parameter, Error> {
    let value = match value.kind() {
        ValueKind::String | ValueKind::Number => value.to_string(),
        // As phones write them.
        ValueKind::Bool => if value.is_true() { "Yes" } else { "No" }.to_owned(),
        ValueKind::Undefined | ValueKind::None => {
            return Err(Plain(format!("{spot} has no value: give it a default")).into());
        }
        other => {
            let expected = "expected text, a number, or true or false";
            return Err(Plain(format!("the value of {spot} is a {other}: {expected}")).into());
        }
    };
    let parameter = Parameter::new(spot.name, &value).map_err(|error| match error {
        ParameterError::Name(_) => {
            let expected = "expected a letter or `_`, then letters, digits, `_`, `-` and `.`";
            Plain(format!("the name of {spot} is not one: {expected}"))
        }
        ParameterError::Value(_) => {
            Plain(format!("the value of {spot} has a control character, which XML does not allow"))
        }
    })?;
    let parameter = trace::mark(parameter);
    Ok(match access {
        Some(access) => parameter.with_user_access(access),
        None => parameter,
    })
}

fn access(ua: Option<String>) -> Result<Option<UserAccess>, Error> {
    let named = |ua: String| {
        UserAccess::named(&ua).ok_or_else(|| Plain("ua is none of \"na\", \"ro\" and \"rw\"".to_owned()).into())
    };
    ua.map(named).transpose()
}

/// The name with its number: where the name says, or at its end. A name that has one already would get a second.
fn numbered(name: &str, number: usize) -> Result<String, Error> {
    if name.contains(NUMBER) {
        return Ok(name.replacen(NUMBER, &format!("_{number}_"), 1));
    }
    let bare = name.trim_end_matches('_');
    let numbered = format!("{bare}_{number}_");
    let last = bare.rsplit_once('_').map_or("", |(_, last)| last);
    let has_number = name.ends_with('_') && !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    if has_number && parameters::find(&numbered).is_none() {
        let mend = "leave it out, or write `_n_` where it goes";
        return Err(Plain(format!("a name in entry {number} of lines() ends with a line's number: {mend}")).into());
    }
    Ok(numbered)
}

fn text_of(value: &Value) -> Result<&str, Error> {
    value.as_str().ok_or_else(|| Plain("a parameter's name, and `ua`, are text".to_owned()).into())
}

#[cfg(test)]
mod tests;
