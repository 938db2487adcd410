//! Single parameters of a device, in place of what its templates say.
//!
//! They come among the variables, under names that are written as elements, `<Time_Zone>`, and are merged by element into
//! every profile that is rendered for the device. What is no profile stays as it is.

use minijinja::Error;
use minijinja::value::ValueKind;

use super::{Plain, Variables, functions};
use crate::profile::flat::{FlatProfile, Parameter};
use crate::profile::lint;

/// The profile with these parameters over its own.
pub(super) fn lay(profile: String, variables: &Variables) -> Result<String, Error> {
    let mut own = own(variables).peekable();
    if own.peek().is_none() || !lint::is_profile(profile.as_bytes()) {
        return Ok(profile);
    }
    let parameters = own.collect::<Result<Vec<Parameter>, Error>>()?;
    let layer = FlatProfile { parameters, ..FlatProfile::default() };
    let beneath = FlatProfile::read(profile.trim().as_bytes())
        .map_err(|error| Plain(format!("the device's own parameters cannot be laid over it: {error}")))?;
    Ok(beneath.overlaid(&layer).to_xml())
}

/// Those of the variables that are parameters, by name.
fn own(variables: &Variables) -> impl Iterator<Item = Result<Parameter, Error>> {
    // Nothing else begins so.
    let own = variables.range("<".to_owned().."=".to_owned());
    own.map(|(name, value)| match value.kind() {
        ValueKind::Invalid => {
            Err(Plain(format!("{name} is a secret that this server cannot open: `phoneprov check` says why; a key named since counts from SIGHUP on")).into())
        }
        _ => functions::kept(name.trim_matches(['<', '>']), value),
    })
}

#[cfg(test)]
mod tests {
    use minijinja::Value;

    use super::*;
    use crate::profile::template::unavailable;

    fn laid(profile: &str, own: &[(&str, Value)]) -> Result<String, String> {
        let variables = own.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        lay(profile.to_owned(), &variables)
            .map_err(|error| std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string))
    }

    const PROFILE: &str =
        "<flat-profile><Time_Zone ua='na'>GMT</Time_Zone><User_ID_1_>{{x}}</User_ID_1_></flat-profile>\n";

    #[test]
    fn a_parameter_takes_the_place_of_the_templates_and_a_new_one_comes_last() {
        let rw = Value::from_pairs([("value", "Zo\u{eb}"), ("ua", "rw")]);
        let own = [("<Time_Zone>", Value::from("GMT+01:00")), ("<Display_Name_1_>", rw), ("other", Value::from("x"))];
        let expected = "<flat-profile>\n  <Time_Zone ua=\"na\">GMT+01:00</Time_Zone>\n  <User_ID_1_>{{x}}</User_ID_1_>\n  \
            <Display_Name_1_ ua=\"rw\">Zo&#235;</Display_Name_1_>\n</flat-profile>\n";
        assert_eq!(laid(PROFILE, &own).as_deref(), Ok(expected));
    }

    #[test]
    fn without_one_and_where_there_is_no_profile_nothing_is_touched() {
        assert_eq!(laid(PROFILE, &[("a", Value::from(1)), ("z", Value::from(1))]).as_deref(), Ok(PROFILE));
        for text in ["plain text", "<directory><Item>a</Item></directory>", ""] {
            assert_eq!(laid(text, &[("<Time_Zone>", Value::from("x"))]).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_cannot_be_laid_over_is_an_error_that_holds_no_value() {
        let broken = "<flat-profile><Time_Zone>hush</flat-profile>";
        let error = laid(broken, &[("<Time_Zone>", Value::from("hush"))]).expect_err("refused");
        assert!(error.starts_with("the device's own parameters cannot be laid over it: "), "{error}");
        let error = laid(PROFILE, &[("<Time_Zone>", Value::from("hush\u{1}"))]).expect_err("refused");
        assert_eq!(error, "the value of Time_Zone has a control character, which XML does not allow");
        let sealed = [("<Admin_Password>", unavailable("no key".into()))];
        assert!(laid(PROFILE, &sealed).expect_err("refused").starts_with("<Admin_Password> is a secret that"));
    }
}
