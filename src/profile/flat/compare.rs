//! Two profiles, parameter by parameter.

use std::collections::HashMap;

use super::profile::{FlatProfile, Parameter};

/// What an export writes and no profile needs: who changed the value, and the heading on the phone's web page.
const OF_EXPORTS: [&str; 2] = ["um", "group"];

/// One way in which two profiles differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Only the first has it.
    Gone(Parameter),
    /// Only the second has it.
    New(Parameter),
    /// The second has it otherwise.
    Changed(Parameter, Parameter),
}

/// What of a parameter is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// Its value, its attributes but for those that only exports have, and which of the two empty forms it is.
    All,
    /// Its value.
    Values,
}

/// The differences, in the first profile's order and then in the second's. Order of parameters, comments, the form of
/// the file and values that a later one overrides are none.
#[must_use]
pub fn compare(first: &FlatProfile, second: &FlatProfile, compared: Compared) -> Vec<Difference> {
    let (first, second) = (first.effective(), second.effective());
    let mut of_second: HashMap<String, &Parameter> =
        second.parameters.iter().map(|parameter| (parameter.key(), parameter)).collect();
    let mut differences = Vec::new();
    for parameter in &first.parameters {
        match of_second.remove(&parameter.key()) {
            None => differences.push(Difference::Gone(parameter.clone())),
            Some(other) if !are_same(parameter, other, compared) => {
                differences.push(Difference::Changed(parameter.clone(), other.clone()));
            }
            Some(_) => {}
        }
    }
    let new = second.parameters.iter().filter(|parameter| of_second.contains_key(&parameter.key()));
    differences.extend(new.cloned().map(Difference::New));
    differences
}

fn are_same(a: &Parameter, b: &Parameter, compared: Compared) -> bool {
    let attributes = |parameter: &Parameter| -> Vec<(String, String)> {
        let of_profile = parameter.attributes().iter().filter(|a| !OF_EXPORTS.contains(&a.name.as_str()));
        let mut pairs: Vec<_> = of_profile.map(|a| (a.name.clone(), a.value.clone())).collect();
        pairs.sort();
        pairs
    };
    let is_left_alone = |parameter: &Parameter| parameter.value().is_empty() && parameter.is_self_closing();
    let same_value = a.value() == b.value();
    match compared {
        Compared::Values => same_value,
        Compared::All => same_value && attributes(a) == attributes(b) && is_left_alone(a) == is_left_alone(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences(first: &str, second: &str, compared: Compared) -> Vec<String> {
        let read = |inner: &str| FlatProfile::read(format!("<flat-profile>{inner}</flat-profile>").as_bytes());
        let found = compare(&read(first).expect("a profile"), &read(second).expect("a profile"), compared);
        let lines = found.iter().map(|difference| match difference {
            Difference::Gone(old) => format!("-{old}"),
            Difference::New(new) => format!("+{new}"),
            Difference::Changed(old, new) => format!("{old} {new}"),
        });
        lines.collect()
    }

    #[test]
    fn order_comments_and_overridden_values_do_not_differ() {
        let first = "<A>1</A><!-- c --><B ua='na' x='1'>2</B>";
        let second = "<B>3</B>\n<B x='1' ua='na' um='y' group='G'> 2 </B><A>&#49;</A>";
        assert_eq!(differences(first, second, Compared::All), [""; 0]);
    }

    #[test]
    fn each_parameter_differs_once() {
        let found = differences("<A>1</A><B>2</B><C/>", "<C></C><D>4</D><B>3</B>", Compared::All);
        assert_eq!(found, ["-<A>1</A>", "<B>2</B> <B>3</B>", "<C/> <C></C>", "+<D>4</D>"]);
    }

    #[test]
    fn attributes_count_unless_only_values_do() {
        let (first, second) = ("<A ua='na'>1</A><B/>", "<A ua='rw'>1</A><B></B>");
        assert_eq!(differences(first, second, Compared::All).len(), 2);
        assert_eq!(differences(first, second, Compared::Values), [""; 0]);
    }
}
