//! A name server's answer about SRV records: nothing panics or hangs, and a place that is found has a name and a port.

#![no_main]

use libfuzzer_sys::fuzz_target;
use phoneprov::phone::wire::dns::{Answer, parse};

fuzz_target!(|message: &[u8]| {
    let id = message.first_chunk().map_or(7, |id| u16::from_be_bytes(*id));
    let Some(Answer::Places(places)) = parse(message, id) else { return };
    assert!(places.len() <= 32);
    for place in places {
        assert!(!place.host.is_empty() && place.port != 0);
        assert!(place.host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
    }
});
