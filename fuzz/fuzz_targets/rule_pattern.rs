//! A rule's path and a file's name, each held against a path: nothing panics or runs long, and what matched expands
//! to what it was held against. The input is the pattern, a line feed, and the path.

#![no_main]

use libfuzzer_sys::fuzz_target;
use phoneprov::profile::macros::Macros;
use phoneprov::profile::name::{Name, Star};
use phoneprov::profile::path::RequestPath;
use phoneprov::profile::pattern::PathPattern;

fuzz_target!(|text: &str| {
    let (written, target) = text.split_once('\n').unwrap_or((text, "000e08abcdef.cfg"));
    let Ok(path) = RequestPath::from_http(target) else { return };
    rule(written, &path);
    for name in written.split('/') {
        for segment in path.segments() {
            held_against(&Name::parse(name, Star::Any), segment);
            file(&Name::parse(name, Star::Literal), segment);
        }
    }
});

fn rule(written: &str, path: &RequestPath) {
    let Ok(pattern) = written.parse::<PathPattern>() else { return };
    assert_eq!(pattern.to_string(), written);
    let matched = pattern.bind(path).is_some();
    if matched && !written.contains("**") {
        assert_eq!(pattern.names().count(), path.segments().count());
    }
    if written == "/**" {
        assert!(matched);
    }
    assert!(written.contains(['$', '*']) || matched == written[1..].eq_ignore_ascii_case(path.as_str()));
}

fn file(name: &Name, segment: &str) {
    if name.is_literal() {
        assert_eq!(held_against(name, segment).is_some(), name.as_str().eq_ignore_ascii_case(segment));
    }
    let (true, Some(macros)) = (name.check().is_ok(), held_against(name, segment)) else { return };
    let expanded = name.expand(&macros).expect("a value for each macro");
    assert!(expanded.eq_ignore_ascii_case(segment), "{name} expands to {expanded}");
    assert_eq!(held_against(name, &expanded), Some(macros), "{name} in {segment} and in {expanded}");
}

fn held_against(name: &Name, segment: &str) -> Option<Macros> {
    assert!(!name.rivals(name) || name.rank() == name.rank());
    name.matches(segment, &Macros::default())
}
