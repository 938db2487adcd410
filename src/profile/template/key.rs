//! A rule's key before anybody asks: whether it can be read as a template.

use minijinja::{Environment, ErrorKind};

use super::{Plain, code};

/// How reasons begin that tell kinds of text apart, and quote none.
const QUOTE_NOTHING: [&str; 4] = ["unexpected ", "expected ", "empty ", "invalid "];

/// Why a key is no template, in words that hold nothing of it: even a name in it may be part of a secret.
#[must_use]
pub fn key_fault(key: &str) -> Option<String> {
    if let Err(Plain(reason)) = code::look("key", key) {
        return Some(reason);
    }
    let error = Environment::new().template_from_str(key).err()?;
    let detail = error.detail().filter(|detail| QUOTE_NOTHING.iter().any(|begin| detail.starts_with(begin)));
    Some(match (error.kind(), detail) {
        (ErrorKind::SyntaxError, Some(detail)) => format!("syntax error, {detail}"),
        (kind, _) => kind.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_cannot_be_read_is_told_without_its_text() {
        for key in ["plain", "", "{{ MA }}-{{ nope }}", "{{ MA | nope }}", "a { b"] {
            assert_eq!(key_fault(key), None, "{key}");
        }
        for key in
            ["{{ geheim", "{{ geheim geheim }}", "{% geheim %}", "{{ 'geheim", "{% if %}geheim", "{{ geheim ! }}"]
        {
            let fault = key_fault(key).expect("a fault");
            assert!(fault.starts_with("syntax error") && !fault.contains("geheim"), "{key}: {fault}");
        }
        let long = format!("{{{{ {}1 }}}}", "1+".repeat(5000));
        assert!(key_fault(&long).is_some_and(|fault| fault.contains("operators") && !fault.contains("1+1")));
    }
}
