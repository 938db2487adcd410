//! A phone's rule, of each parameter that holds one: nothing panics or runs long, what is read prints as the same rule
//! and can be decided, and what is not read has its caret on a character. The first byte chooses the parameter.

#![no_main]

use libfuzzer_sys::fuzz_target;
use phoneprov::profile::rule::{Dialect, Rule, Verdict};
use phoneprov::profile::values::Values;

fuzz_target!(|text: &str| {
    let Some(first) = text.chars().next() else { return };
    let dialect = match first {
        'u' => Dialect::Upgrade,
        'r' => Dialect::Report,
        'p' => Dialect::Upload,
        't' => Dialect::Trigger,
        _ => Dialect::Profile,
    };
    let written = &text[first.len_utf8()..];
    match Rule::parse(written, dialect) {
        Ok(rule) => follow(&rule),
        Err(error) => {
            assert!(written.is_char_boundary(error.offset()));
            assert_eq!(error.excerpt().lines().count(), 2, "{error}");
        }
    }
});

fn follow(rule: &Rule) {
    let printed = rule.to_string();
    assert_eq!(Rule::parse(&printed, rule.dialect()).as_ref(), Ok(rule), "{printed}");
    let decision = rule.evaluate(&phone());
    assert_eq!(decision.verdicts.len(), rule.alternatives().len());
    let taken = decision.verdicts.iter().position(|verdict| matches!(verdict, Verdict::Taken(_)));
    assert_eq!(decision.taken.map(|taken| taken.alternative), taken);
    let _ = rule.doubts();
}

fn phone() -> Values {
    let mut values = Values::default();
    let given =
        [("MA", "000e08abcdef"), ("PN", "CP-8841-3PCC"), ("SWVER", "sip88xx.11-3-2MPP0001-609"), ("GPP_A", "é/a")];
    for (name, text) in given {
        values.set(name, text).expect("a variable");
    }
    values.set_server("https://192.0.2.66:8443/x");
    values
}
