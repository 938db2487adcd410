//! A client certificate as it comes in the handshake, and a certificate file: nothing panics, and no control character
//! of theirs reaches a log or a terminal.

#![no_main]

use libfuzzer_sys::fuzz_target;
use phoneprov::certificate::{self, Block, Details};

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    for block in certificate::blocks(bytes).unwrap_or_default() {
        if let Block::Certificate(der) = block {
            read(&der);
        }
    }
});

fn read(der: &[u8]) {
    match certificate::device(der) {
        Ok(identity) => assert!(identity.mac().is_some() || identity.serial().is_some()),
        Err(error) => printable(&error.to_string()),
    }
    match certificate::details(der) {
        Ok(details) => all_printable(&details),
        Err(error) => printable(&error.to_string()),
    }
    assert_eq!(certificate::expires(der).is_ok(), certificate::public_key(der).is_ok());
}

fn all_printable(details: &Details) {
    let subject = details.subject.iter().flat_map(|(name, value)| [name, value]);
    let others = [&details.issuer, &details.serial, &details.key.kind, &details.signature];
    subject.chain(others).chain(&details.alternative_names).for_each(|text| printable(text));
}

fn printable(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
