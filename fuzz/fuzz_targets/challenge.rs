//! `WWW-Authenticate` as a server writes it: nothing panics, and an answer never breaks out of its header.

#![no_main]

use libfuzzer_sys::fuzz_target;
use phoneprov::device::Secret;
use phoneprov::phone::credentials::{Challenge, Covered, Credentials};

fuzz_target!(|headers: &[u8]| {
    let text = String::from_utf8_lossy(headers);
    // What a header can hold, as hyper lets it through (RFC 9110, section 5.5).
    let fits = |line: &&str| line.bytes().all(|byte| byte == b'\t' || (0x20..0x7f).contains(&byte));
    let Ok(challenge) = Challenge::choose(text.split('\n').filter(fits)) else { return };
    let credentials = Credentials { user: "u\"s\\er".to_owned(), password: Secret::new("pass".to_owned()) };
    let covered = Covered { method: "GET", path: "/x", cnonce: "c", count: 1 };
    let answer = challenge.answer(&credentials, covered);
    assert!(!answer.expose().contains(['\r', '\n']));
    assert!(!challenge.describe().contains("pass") || text.contains("pass"));
});
