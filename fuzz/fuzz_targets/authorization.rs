//! The `Authorization` header: nothing panics, no name has a colon in it, and what was read is read alike once it is
//! written down again. No error says any of what was sent.

#![no_main]

use libfuzzer_sys::fuzz_target;
use phoneprov::password::{Authorization, Digest};

fuzz_target!(|value: &[u8]| {
    match Authorization::parse(value) {
        Ok(Authorization::Basic(basic)) => assert!(!basic.user.contains(':')),
        Ok(Authorization::Digest(digest)) => again(&digest),
        Err(error) => assert!(error.to_string().len() < 128),
    }
});

fn again(digest: &Digest) {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let Digest { user, realm, nonce, target, response, algorithm, client_nonce, count } = digest;
    assert_eq!(response.len(), algorithm.digits());
    let [user_text, realm_text, nonce_text] = [user, realm, nonce].map(|text| quoted(text));
    let [target_text, client_text] = [target, client_nonce].map(|text| quoted(text));
    let written = format!(
        "Digest username={user_text}, realm={realm_text}, nonce={nonce_text}, uri={target_text}, qop=auth, \
         cnonce={client_text}, nc={count:08x}, response={response}, algorithm={}",
        algorithm.as_str()
    );
    let Ok(Authorization::Digest(read)) = Authorization::parse(written.as_bytes()) else {
        panic!("not a digest: {written}");
    };
    assert_eq!((&read.user, &read.realm, &read.nonce), (user, realm, nonce));
    assert_eq!((&read.target, &read.client_nonce, &read.response), (target, client_nonce, response));
    assert_eq!((read.algorithm, read.count), (*algorithm, *count));
}
