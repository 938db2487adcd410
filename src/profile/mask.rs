//! Values that are shown to people: secrets are not.

use std::borrow::Cow;

use super::parameters;

/// What stands in a secret's place.
pub const MASK: &str = "••••";

/// Options of a profile rule whose argument is a secret.
const SECRET_OPTIONS: [&str; 2] = ["--key", "--pwd"];

/// The value of a parameter as it may be shown: nothing of a password or key, and of a rule all but the arguments of
/// `--key` and `--pwd` and the password in a URL. An argument that is a macro is no secret.
#[must_use]
pub fn masked<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if value.is_empty() {
        return Cow::Borrowed(value);
    }
    if parameters::is_secret(name) {
        return Cow::Borrowed(MASK);
    }
    let mut shown = Cow::Borrowed(value);
    for option in SECRET_OPTIONS {
        if shown.contains(option) {
            shown = Cow::Owned(without_arguments(&shown, option));
        }
    }
    if shown.contains("://") {
        shown = Cow::Owned(without_url_passwords(&shown));
    }
    shown
}

fn without_arguments(text: &str, option: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(option) {
        let (before, after) = rest.split_at(at + option.len());
        shown.push_str(before);
        let argument = after.trim_start_matches([' ', '\t', '=']);
        shown.push_str(&after[..after.len() - argument.len()]);
        let end = argument_end(argument);
        shown.push_str(if end == 0 || is_macro(&argument[..end]) { &argument[..end] } else { MASK });
        rest = &argument[end..];
    }
    shown + rest
}

/// Whether an argument is made of macros only: `$B`, `"$(SA)"`, `$MUID$PDOM`.
pub(super) fn is_macro(argument: &str) -> bool {
    let mut names = argument.trim_matches('"').split('$');
    let is_name = |name: &str| {
        let name = name.strip_prefix('(').and_then(|name| name.strip_suffix(')')).unwrap_or(name);
        (1..=16).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    names.next() == Some("") && argument.contains('$') && names.all(is_name)
}

/// Where an argument ends: at its closing quote, or at white space or the bracket's end.
fn argument_end(argument: &str) -> usize {
    match argument.strip_prefix('"') {
        Some(quoted) => quoted.find('"').map_or(argument.len(), |end| end + 2),
        None => argument.find([' ', '\t', '\n', ']']).unwrap_or(argument.len()),
    }
}

/// `https://user:password@host` without the password.
fn without_url_passwords(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let authority = &after[..after.find(['/', ' ', '?', '|', '"', ']']).unwrap_or(after.len())];
        rest = after;
        if let Some((user, _)) = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')) {
            shown.push_str(user);
            shown.push(':');
            shown.push_str(MASK);
            rest = &after[authority.rfind('@').unwrap_or_default()..];
        }
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        for name in ["Admin_Password", "Password_2_", "GPP_SA", "Admin_Passwd", "My_Own_Password", "PSK_Passphrase_1_"]
        {
            assert_eq!(masked(name, "topsecret"), MASK, "{name}");
        }
        assert_eq!(masked("Admin_Password", ""), "");
        assert_eq!(masked("User_ID_1_", "1001"), "1001");
        assert_eq!(masked("PSK_1", "fnc=sd"), "fnc=sd");
    }

    #[test]
    fn a_rule_is_shown_without_its_keys() {
        let rule = "[--key \"top secret\" --uid u --pwd topsecret]https://u:topsecret@h:1/$MA.cfg|[--key $B]tftp://h/x";
        let shown = "[--key •••• --uid u --pwd ••••]https://u:••••@h:1/$MA.cfg|[--key $B]tftp://h/x";
        assert_eq!(masked("Profile_Rule", rule), shown);
        assert_eq!(masked("GPP_A", "[--key"), "[--key");
        assert_eq!(masked("Profile_Rule", "http://h/a:b@c"), "http://h/a:b@c");
    }

    proptest! {
        #[test]
        fn whatever_the_text_masking_ends_and_keys_are_gone(text in "(--key |--pwd |[\"$ \\]|:/@é]|topsecret){0,12}") {
            let shown = masked("Profile_Rule", &text);
            prop_assert!(!shown.contains("--key topsecret"), "{}", shown);
        }
    }
}
