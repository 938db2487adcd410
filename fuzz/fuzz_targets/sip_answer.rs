//! An answer to a NOTIFY: nothing panics, what is read has a status and names the request, and its words move no cursor. A
//! challenge in it is chosen or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use phoneprov::phone::credentials::Challenge;
use phoneprov::push::sip::Answer;

fuzz_target!(|bytes: &[u8]| {
    let Some(answer) = Answer::parse(bytes) else { return };
    assert!((100..700).contains(&answer.status));
    assert!(answer.reason.chars().count() <= 80 && !answer.reason.chars().any(char::is_control));
    let _ = Challenge::choose(answer.challenges.iter().map(String::as_str));
});
