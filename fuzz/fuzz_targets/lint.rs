//! A file that is looked at: nothing panics, every finding has a place in it, and mending keeps to its word or declines.

#![no_main]

use libfuzzer_sys::fuzz_target;
use phoneprov::profile::lint::{Code, Context, MOST, Sent, Settings, fix, lint};

fuzz_target!(|file: &[u8]| {
    let settings = Settings::default();
    let context = Context { sent: Sent::Clear, ..Context::new(&settings) };
    let findings = lint(file, &context);
    assert!(findings.len() <= MOST + 1);
    for finding in &findings {
        assert!(finding.place.offset <= file.len() && finding.place.line > 0 && finding.place.column > 0);
        assert!(!finding.message.is_empty() && !finding.message.contains('\n'), "{}", finding.message);
    }
    let Ok(fixed) = fix(file, &findings) else { return };
    let again = lint(fixed.text.as_bytes(), &context);
    assert!(!again.iter().any(|finding| finding.code == Code::NotWellFormed), "{}", fixed.text);
    assert!(fixed.mended > 0 || fixed.text.len() <= file.len());
});
