//! Values that are shown to people: secrets are not.

use std::borrow::Cow;

use super::parameters;

/// What stands in a secret's place.
pub const MASK: &str = "••••";

/// Options of a profile rule whose argument is a secret.
const SECRET_OPTIONS: [&str; 2] = ["--key", "--pwd"];

/// What the names of fields in a query have in them whose values are secrets, in lower case.
const SECRET_FIELDS: [&str; 5] = ["pass", "pwd", "secret", "token", "apikey"];

/// The same for whole names.
const SECRET_FIELD_NAMES: [&str; 5] = ["key", "pin", "pw", "auth", "code"];

/// The value of a parameter as it may be shown: nothing of a password or key, and of a rule all but the arguments of
/// `--key` and `--pwd`, what it assigns to a secret parameter, and the passwords in a URL. A macro is no secret.
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
    match in_passing(&shown) {
        Cow::Owned(text) => Cow::Owned(text),
        Cow::Borrowed(_) => shown,
    }
}

/// A line about what is done with a rule or a URL, without what it assigns to secret parameters and the passwords in URLs.
#[must_use]
pub fn in_passing(text: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(text);
    if shown.contains('=') {
        shown = Cow::Owned(without_assigned(&shown));
    }
    if shown.contains("://") {
        shown = Cow::Owned(without_url_passwords(&shown));
    }
    shown
}

/// Whether a query's field of this name holds a secret.
pub(super) fn is_secret_field(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_FIELD_NAMES.contains(&name.as_str()) || SECRET_FIELDS.iter().any(|word| name.contains(word))
}

/// `GPP_SA = "secret"` and `?password=secret` without their values.
fn without_assigned(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('=') {
        let (before, after) = rest.split_at(at + 1);
        let known = shown.len();
        shown.push_str(before);
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let written = shown[..known + at].trim_end_matches(' ');
        let start = written
            .rfind(|c| !is_of_name(c))
            .map_or(0, |end| end + written[end..].chars().next().map_or(0, char::len_utf8));
        let (name, opened) = (&written[start..], written[..start].chars().next_back());
        let is_secret = match opened {
            Some('?' | '&') => is_secret_field(name),
            _ => !name.is_empty() && parameters::is_secret(name),
        };
        rest = after;
        if !is_secret {
            continue;
        }
        let value = after.trim_start_matches(' ');
        let (start, end) = match value.strip_prefix('"') {
            Some(quoted) => (1, 1 + quoted.find('"').unwrap_or(quoted.len())),
            None => (0, after.find(|c: char| c.is_whitespace() || "&|\"`<>#".contains(c)).unwrap_or(after.len())),
        };
        let value = if start == 0 { after } else { value };
        shown.push_str(&after[..after.len() - value.len() + start]);
        let secret = &value[start..end];
        shown.push_str(if secret.is_empty() || is_macro(secret) { secret } else { MASK });
        rest = &value[end..];
    }
    shown + rest
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

/// Where an argument ends: at white space or the bracket's end, behind its closing quote where it has one. What follows that
/// quote without a space is not a rule's, and masked with it.
fn argument_end(argument: &str) -> usize {
    let quoted = argument.strip_prefix('"').map_or(0, |quoted| quoted.find('"').map_or(argument.len(), |end| end + 2));
    argument[quoted..].find([' ', '\t', '\n', ']']).map_or(argument.len(), |end| quoted + end)
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
        let rule = "( GPP_SA = \"topsecret\"; GPP_A=\"shown\"; My_Password=\"$SB\";)! http://h/$MA?password=topsecret&x=1&token=$B";
        let shown =
            "( GPP_SA = \"••••\"; GPP_A=\"shown\"; My_Password=\"$SB\";)! http://h/$MA?password=••••&x=1&token=$B";
        assert_eq!(masked("Profile_Rule", rule), shown);
        assert_eq!(
            masked("Profile_Rule", "($A=\"x\")? /a?xpassword=top;secret | /b"),
            "($A=\"x\")? /a?xpassword=•••• | /b"
        );
        assert_eq!(masked("GPP_A", "[--key"), "[--key");
        assert_eq!(masked("GPP_A", "[--key \"\"--key topsecret]"), "[--key •••• topsecret]");
        assert_eq!(masked("Profile_Rule", "http://h/a:b@c"), "http://h/a:b@c");
    }

    proptest! {
        #[test]
        fn whatever_the_text_masking_ends_and_keys_are_gone(
            text in "(--key |--pwd |GPP_SA *=|[?&]pwd=|[\"$ \\]|:/@é=]|topsecret){0,12}",
        ) {
            let shown = masked("Profile_Rule", &text);
            // What is masked once more may lose more, and says no more.
            for shown in [masked("Profile_Rule", &shown), shown.clone()] {
                for announced in ["--key topsecret", "GPP_SA=\"topsecret", "GPP_SA=topsecret", "?pwd=topsecret"] {
                    prop_assert!(!shown.contains(announced), "{}", shown);
                }
            }
        }
    }
}
