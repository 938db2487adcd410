//! A file of devices that may, or may not, come: each name that was read is found again, and an error names one line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use phoneprov::device::{Names, Roster};

fuzz_target!(|text: &str| {
    let mut roster = Roster::default();
    if let Err(error) = roster.read(text, "list") {
        let error = error.to_string();
        assert!(error.starts_with("list line "), "{error}");
        assert!(!error.chars().any(char::is_control), "{error:?}");
        return;
    }
    for word in text.lines().filter_map(|line| line.split('#').next()?.split_whitespace().last()) {
        if let Ok(mac) = word.parse() {
            let names = Names { mac: Some(mac), ..Names::default() };
            let listed = roster.find(names).is_some();
            let is_serial = text.contains("serial") || text.contains("model");
            assert!(listed || is_serial, "{word}");
        }
    }
});
