//! The dictionary: what is known of the parameters of a flat profile, by name.
//!
//! It is a table with sources, `parameters.tsv`, read once. It is not complete and cannot be: a name that it does not have
//! may be a parameter of firmware that nobody has described. Where a value's type was only inferred, [`Parameter`] says so.

mod allowed;
mod family;
mod kind;
mod nearest;
mod numbered;
mod parameter;
mod renamed;
mod value;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use allowed::Allowed;
pub use family::{Families, Family};
pub use kind::Kind;
pub use nearest::edits;
pub use parameter::{Certainty, Default, Parameter, RowError};
pub use value::{Mismatch, delays};

/// The table, as it stands in the repository.
const TABLE: &str = include_str!("parameters.tsv");

/// What the names of parameters with a secret have in them, in lower case; for names that the table does not have.
const SECRET_WORDS: [&str; 9] =
    ["passwd", "password", "passphrase", "private_key", "pskkey", "wep_key", "secret", "_pwd", "ikm_"];

static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(|| Dictionary::read(TABLE));

/// The parameters, and where each stands by its name.
#[derive(Debug)]
struct Dictionary {
    parameters: Vec<Parameter>,
    /// By the name with each number written `<n>`.
    by_name: HashMap<String, usize>,
    /// The same in lower case; several where names differ in case only.
    by_lower_name: HashMap<String, Vec<usize>>,
}

impl Dictionary {
    fn read(table: &'static str) -> Self {
        // A test reads every row; a row that says nothing is no reason to have no dictionary.
        let parameters: Vec<Parameter> = rows(table).filter_map(|row| Parameter::parse(row).ok()).collect();
        let mut by_name = HashMap::with_capacity(parameters.len());
        let mut by_lower_name: HashMap<String, Vec<usize>> = HashMap::with_capacity(parameters.len());
        for (place, parameter) in parameters.iter().enumerate() {
            by_lower_name.entry(parameter.pattern().to_ascii_lowercase()).or_default().push(place);
            by_name.insert(parameter.pattern().to_owned(), place);
        }
        Self { parameters, by_name, by_lower_name }
    }
}

/// The rows of the table below its heading.
fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#')).skip(1)
}

/// All parameters, in the order of their names.
#[must_use]
pub fn all() -> &'static [Parameter] {
    &DICTIONARY.parameters
}

/// The parameter with this name as an element has it: `User_ID_1_` is `User_ID_<n>_`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Parameter> {
    let dictionary = &*DICTIONARY;
    numbered::patterns(name).find_map(|(pattern, _)| Some(&dictionary.parameters[*dictionary.by_name.get(&*pattern)?]))
}

/// The number in the name of a parameter that has one: 3 of `User_ID_3_`.
#[must_use]
pub fn number_of(name: &str) -> Option<u32> {
    let known = |(pattern, numbers): (String, Vec<&str>)| {
        DICTIONARY.by_name.contains_key(&*pattern).then(|| match numbers[..] {
            [number] => number.parse().ok(),
            _ => None,
        })
    };
    numbered::patterns(name).find_map(known).flatten()
}

/// The known name that differs from this one in case only, with this one's numbers; `None` for a known name.
#[must_use]
pub fn in_other_case(name: &str) -> Option<String> {
    let dictionary = &*DICTIONARY;
    if find(name).is_some() {
        return None;
    }
    numbered::patterns(&name.to_ascii_lowercase()).find_map(|(pattern, numbers)| {
        let place = dictionary.by_lower_name.get(&*pattern)?.first()?;
        Some(numbered::fill(dictionary.parameters[*place].pattern(), &numbers))
    })
}

/// The known name that an unknown one is most like, with its numbers; `None` where none is near.
#[must_use]
pub fn nearest(name: &str) -> Option<String> {
    nearest::nearest(name, all())
}

/// The name with every number in it written `<n>`: the same for `Line_Enable_1_` and `Line_Enable_2_`.
#[must_use]
pub fn pattern_of(name: &str) -> String {
    numbered::patterns(name).last().map_or_else(|| name.to_owned(), |(pattern, _)| pattern)
}

/// Whether the values of this parameter are secrets, by the table or, where that does not have it, by its name.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    if let Some(parameter) = find(name) {
        return parameter.kind() == Kind::Secret;
    }
    let name = name.to_ascii_lowercase();
    in_other_case(&name).is_some_and(|known| is_secret(&known)) || SECRET_WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests;
