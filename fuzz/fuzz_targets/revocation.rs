//! A file of revocation lists: nothing panics, every list that is found can be named or refused in words, and no control
//! character of theirs reaches a log.

#![no_main]

use libfuzzer_sys::fuzz_target;
use phoneprov::certificate;

fuzz_target!(|bytes: &[u8]| {
    for der in certificate::revocation_lists(bytes).unwrap_or_default() {
        match certificate::revocation_list(&der) {
            Ok(list) => assert!(!list.issuer.chars().any(char::is_control), "{:?}", list.issuer),
            Err(error) => assert!(!error.to_string().chars().any(char::is_control), "{error}"),
        }
    }
});
