//! What minijinja says of an operation that failed, where that holds no value.

use minijinja::{Error, ErrorKind};

use super::LONGEST;

/// How details begin that name kinds of values, and no value.
const HOLD_NO_VALUE: [&str; 40] = [
    "tried to use ",
    "tried to extend a second time",
    "recursion limit exceeded",
    "strings can only be multiplied",
    "sequences and iterables can only be multiplied",
    "repeated ",
    "range has too many elements",
    "rounded value is too large",
    "cannot calculate length of value of type ",
    "cannot call this macro",
    "cannot convert ",
    "cannot create range with step of 0",
    "cannot get ",
    "cannot join value of type ",
    "cannot perform a containment check",
    "cannot recurse ",
    "cannot repeat unsized iterables",
    "cannot reverse values of type ",
    "cannot round value ",
    "cannot slice by step size of 0",
    "cannot super outside of block",
    "can only assign to namespaces",
    "can only sum numbers",
    "count cannot be 0",
    // With the name of a part, which other messages have too.
    "cycle in template inheritance",
    "filter name ",
    "invalid value to autoescape tag",
    "loop",
    "method must be ",
    "no parent block exists",
    "not an object",
    "not iterable",
    "object is not callable",
    "overflow",
    "super() takes no arguments",
    "template name was not a string",
    "unable to round value",
    "value is not ",
    "value of type ",
    "zip filter argument must be iterable",
];

/// Of which kind a value is that is not iterable.
const KINDS: [&str; 8] = ["undefined", "none", "bool", "number", "string", "bytes", "sequence", "map"];

/// Operators of numbers, whose detail quotes the numbers.
const OPERATORS: [&str; 7] = ["+", "-", "*", "/", "//", "%", "**"];

/// The reason in words, without a value.
pub(super) fn of(error: &Error) -> String {
    let (kind, detail) = (error.kind(), error.detail());
    match kind {
        ErrorKind::WriteFailure => format!("the profile is longer than {LONGEST} bytes"),
        ErrorKind::OutOfFuel => "the template ran for too long: does a loop end?".to_owned(),
        ErrorKind::SyntaxError
        | ErrorKind::TemplateNotFound
        | ErrorKind::UnknownFilter
        | ErrorKind::UnknownFunction
        | ErrorKind::UnknownMethod
        | ErrorKind::UnknownTest => detail.map_or_else(|| kind.to_string(), ToOwned::to_owned),
        ErrorKind::InvalidOperation => detail.and_then(operation).unwrap_or_else(|| {
            "an operation on the line cannot take the values that it is given: look at its operators, filters and their \
             arguments"
                .to_owned()
        }),
        _ => detail.filter(|detail| holds_none(detail)).map_or_else(|| kind.to_string(), ToOwned::to_owned),
    }
}

/// What operation failed.
fn operation(detail: &str) -> Option<String> {
    if holds_none(detail) {
        return Some(detail.to_owned());
    }
    if let Some(calculation) = detail.strip_prefix("unable to calculate ") {
        let operator = calculation.split_whitespace().find(|word| OPERATORS.contains(word))?;
        return Some(match operator {
            "/" | "//" | "%" => format!("`{operator}` cannot be calculated: is the number after it 0?"),
            _ => format!("`{operator}` cannot be calculated: is the result too large?"),
        });
    }
    // As the standard library says of a text that is no number.
    let is_number = detail.starts_with("invalid digit") || detail.starts_with("invalid float literal");
    let is_number = is_number || detail.starts_with("cannot parse float") || detail.starts_with("number too ");
    is_number.then(|| "`int` or `float` is given a text that is no number".to_owned())
}

fn holds_none(detail: &str) -> bool {
    let not_iterable = detail.strip_suffix(" is not iterable").is_some_and(|kind| KINDS.contains(&kind));
    not_iterable || HOLD_NO_VALUE.iter().any(|beginning| detail.starts_with(beginning))
}
