//! What templates have for flat-profiles: parameters written as phones read them, those of numbered lines, and profiles
//! laid over each other. The same input gives the same text: parameters come in a fixed order.

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, Value};

use super::{Plain, effort};
use crate::profile::flat::{FlatProfile, Parameter, UserAccess};

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
    Ok(Value::from_safe_string(parameter(name, value, access)?.to_string()))
}

/// `lines([{"User_ID": "101"}, {"User_ID": "102"}], first=1, ua="na")`: the elements of `User_ID_1_` and `User_ID_2_`, a
/// line of text each. A name may say where its number goes: `Unit_1_Key_n_`.
#[expect(clippy::needless_pass_by_value, reason = "as minijinja hands it over")]
fn lines(entries: &Value, options: Kwargs) -> Result<Value, Error> {
    let first = options.get::<Option<usize>>("first")?.unwrap_or(1);
    let access = access(options.get("ua")?)?;
    options.assert_all_used()?;
    if entries.kind() != ValueKind::Seq || entries.len().is_none_or(|entries| entries > LINES) {
        return Err(Plain(format!("lines() takes a list of at most {LINES} tables, one for each line")).into());
    }
    let mut elements = Vec::new();
    for (number, entry) in (first..).zip(entries.try_iter()?) {
        if entry.kind() != ValueKind::Map {
            return Err(Plain(format!("entry {number} of lines() is no table of names and values")).into());
        }
        for name in entry.try_iter()? {
            let value = entry.get_item(&name)?;
            elements.push(parameter(&numbered(text_of(&name)?, number), &value, access)?.to_string());
        }
    }
    Ok(Value::from_safe_string(elements.join("\n")))
}

/// `profile | merge(layer, …)`: the profile with each layer over it, parameter by parameter. A layer is a table of names
/// and values, of which one may be a table of `value` and `ua`; or the text of a profile.
#[expect(clippy::needless_pass_by_value, reason = "as minijinja hands it over")]
fn merge(profile: &Value, layers: Rest<Value>) -> Result<Value, Error> {
    let merged = layers.iter().try_fold(layer(profile)?, |below, above| Ok::<_, Error>(below.overlaid(&layer(above)?)));
    Ok(Value::from_safe_string(merged?.to_xml()))
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
    if value.kind() != ValueKind::Map {
        return parameter(name, value, None);
    }
    let ua = value.get_attr("ua")?;
    let ua = if ua.is_undefined() { None } else { Some(text_of(&ua)?.to_owned()) };
    parameter(name, &value.get_attr("value")?, access(ua)?)
}

fn parameter(name: &str, value: &Value, access: Option<UserAccess>) -> Result<Parameter, Error> {
    let value = match value.kind() {
        ValueKind::String | ValueKind::Number => value.to_string(),
        // As phones write them.
        ValueKind::Bool => if value.is_true() { "Yes" } else { "No" }.to_owned(),
        ValueKind::Undefined | ValueKind::None => {
            return Err(Plain(format!("{name} has no value: give it a default")).into());
        }
        other => {
            return Err(
                Plain(format!("the value of {name} is a {other}: expected text, a number, or true or false")).into()
            );
        }
    };
    let parameter = Parameter::new(name, &value).map_err(|error| Plain(error.to_string()))?;
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

/// The name with its number: where the name says, or at its end.
fn numbered(name: &str, number: usize) -> String {
    match name.contains(NUMBER) {
        true => name.replacen(NUMBER, &format!("_{number}_"), 1),
        false => format!("{}_{number}_", name.trim_end_matches('_')),
    }
}

fn text_of(value: &Value) -> Result<&str, Error> {
    value.as_str().ok_or_else(|| Plain("a parameter's name, and `ua`, are text".to_owned()).into())
}

#[cfg(test)]
mod tests;
