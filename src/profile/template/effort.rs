//! How much one rendering may do beside its steps: a filter is one step whatever it is given, so what it is given, and
//! what it makes, is counted.

use std::cell::Cell;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters};

use super::Plain;

/// What all filters of one rendering may be given and may make (bytes, and [`EACH`] for every value): a profile of
/// 3 000 parameters that pass three filters each needs some 600 000.
const MOST: u64 = 16 * 1024 * 1024;

/// What a value costs beside its text.
const EACH: u64 = 16;

/// What comparing costs more than passing by.
const COMPARING: u64 = 4;

/// Lists in lists that are looked into.
const DEPTH: usize = 32;

/// The widest indentation, and the most lists that one is cut into.
const WIDEST: usize = 1000;

thread_local! {
    /// What the rendering that this thread is in may still do.
    static LEFT: Cell<u64> = const { Cell::new(MOST) };
}

/// A rendering begins.
pub(super) fn begin() {
    LEFT.set(MOST);
}

/// Counts so many bytes.
pub(super) fn spend(bytes: u64) -> Result<(), Error> {
    match LEFT.get().checked_sub(bytes) {
        Some(left) => {
            LEFT.set(left);
            Ok(())
        }
        None => Err(Plain("the template makes too much of its values: does it sort or join in a loop?".into()).into()),
    }
}

/// What makes a filter costlier than the length of what it is given and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cost {
    /// Nothing.
    Plain,
    /// It compares what it is given with each other.
    Compares,
    /// A number says how much it makes.
    Numbered,
    /// It puts a text between values, or in place of another.
    Inserts,
}

/// Puts minijinja's filters under the count.
pub(super) fn bound(environment: &mut Environment<'static>) {
    let costly = [
        ("replace", Value::from_function(filters::replace), Cost::Inserts),
        ("join", Value::from_function(filters::join), Cost::Inserts),
        ("indent", Value::from_function(filters::indent), Cost::Numbered),
        ("batch", Value::from_function(filters::batch), Cost::Numbered),
        ("slice", Value::from_function(filters::slice), Cost::Numbered),
        ("sort", Value::from_function(filters::sort), Cost::Compares),
        ("dictsort", Value::from_function(filters::dictsort), Cost::Compares),
        ("unique", Value::from_function(filters::unique), Cost::Compares),
        ("groupby", Value::from_function(filters::groupby), Cost::Compares),
        ("min", Value::from_function(filters::min), Cost::Plain),
        ("max", Value::from_function(filters::max), Cost::Plain),
        ("sum", Value::from_function(filters::sum), Cost::Plain),
        ("list", Value::from_function(filters::list), Cost::Plain),
        ("reverse", Value::from_function(filters::reverse), Cost::Plain),
        ("items", Value::from_function(filters::items), Cost::Plain),
        ("chain", Value::from_function(filters::chain), Cost::Plain),
        ("zip", Value::from_function(filters::zip), Cost::Plain),
        ("map", Value::from_function(filters::map), Cost::Plain),
        ("select", Value::from_function(filters::select), Cost::Plain),
        ("reject", Value::from_function(filters::reject), Cost::Plain),
        ("selectattr", Value::from_function(filters::selectattr), Cost::Plain),
        ("rejectattr", Value::from_function(filters::rejectattr), Cost::Plain),
        ("split", Value::from_function(filters::split), Cost::Plain),
        ("lines", Value::from_function(filters::lines), Cost::Plain),
        ("string", Value::from_function(filters::string), Cost::Plain),
        ("lower", Value::from_function(filters::lower), Cost::Plain),
        ("upper", Value::from_function(filters::upper), Cost::Plain),
        ("title", Value::from_function(filters::title), Cost::Plain),
        ("capitalize", Value::from_function(filters::capitalize), Cost::Plain),
        ("trim", Value::from_function(filters::trim), Cost::Plain),
        ("pprint", Value::from_function(filters::pprint), Cost::Plain),
        ("format", Value::from_function(filters::format), Cost::Plain),
    ];
    for (name, filter, cost) in costly {
        add(environment, name, filter, cost);
    }
    // It writes whatever is known into the profile, secrets too.
    environment.remove_global("debug");
}

/// Adds a filter of our own, which compares.
pub(super) fn add_filter(environment: &mut Environment<'static>, name: &'static str, filter: Value) {
    add(environment, name, filter, Cost::Compares);
}

fn add(environment: &mut Environment<'static>, name: &'static str, filter: Value, cost: Cost) {
    environment.add_filter(name, move |state: &mut State<'_, '_>, values: Rest<Value>, options: Kwargs| {
        let mut values = values.0;
        spend(expected(name, &values, cost)?)?;
        let options = Value::from(options);
        if options.len().is_some_and(|options| options > 0) {
            values.push(options);
        }
        let made = filter.call(state, &values).map_err(|error| told(name, error))?;
        spend(weight(&made, DEPTH))?;
        Ok::<_, Error>(made)
    });
}

/// An error that says which filter it comes from; minijinja's own text may quote a value.
fn told(name: &str, error: Error) -> Error {
    match error.kind() {
        ErrorKind::UndefinedError => error,
        _ if std::error::Error::source(&error).is_some() => error,
        kind => Plain(format!("the filter `{name}` cannot take what it is given here: {kind}")).into(),
    }
}

/// What a filter is going to do, before it does it.
fn expected(name: &str, values: &[Value], cost: Cost) -> Result<u64, Error> {
    let given: u64 = values.iter().map(|value| weight(value, DEPTH)).fold(0, u64::saturating_add);
    Ok(match cost {
        Cost::Plain => given,
        Cost::Compares => given.saturating_mul(COMPARING),
        Cost::Numbered => {
            if values.iter().skip(1).any(|value| value.as_usize().is_some_and(|number| number > WIDEST)) {
                return Err(Plain(format!("{name} takes no number above {WIDEST}")).into());
            }
            let width = values.get(1).and_then(Value::as_usize).unwrap_or(1);
            let lines = values.first().and_then(Value::as_str).map_or(1, |text| text.lines().count());
            given.saturating_add(product(lines, width))
        }
        Cost::Inserts => {
            let text = |at: usize| values.get(at).and_then(Value::as_str).unwrap_or_default();
            let inserted = match values.first().map(Value::kind) {
                Some(ValueKind::String) if values.len() > 2 => product(text(0).matches(text(1)).count(), text(2).len()),
                _ => product(values.first().and_then(Value::len).unwrap_or(0), text(1).len()),
            };
            given.saturating_add(inserted)
        }
    })
}

fn product(count: usize, bytes: usize) -> u64 {
    u64::try_from(count.saturating_mul(bytes)).unwrap_or(u64::MAX)
}

/// The length of a value and of all that is in it; counting ends where nothing is left to spend.
fn weight(value: &Value, depth: usize) -> u64 {
    if let Some(text) = value.as_str() {
        return EACH.saturating_add(product(1, text.len()));
    }
    let mut sum = EACH;
    // An iterator can be passed through once only.
    if depth == 0 || !matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::Iterable) {
        return sum;
    }
    let Ok(entries) = value.try_iter() else { return sum };
    let is_map = value.kind() == ValueKind::Map;
    for entry in entries {
        sum = sum.saturating_add(weight(&entry, depth - 1));
        if is_map && let Ok(of_name) = value.get_item(&entry) {
            sum = sum.saturating_add(weight(&of_name, depth - 1));
        }
        if sum > LEFT.get() {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests;
