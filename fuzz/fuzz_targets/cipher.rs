//! Both encrypted formats, with bytes that nobody encrypted and with what we did: nothing panics, and content comes
//! back. The first octet is the length of the key, which stands after it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use phoneprov::cipher::{IkmEncoding, Scheme, aes128gcm, openssl};

fuzz_target!(|bytes: &[u8]| {
    let Some((length, rest)) = bytes.split_first() else { return };
    let (key, content) = rest.split_at(rest.len().min(usize::from(length % 33)));
    for scheme in [Scheme::Aes256Cbc, Scheme::Aes128Gcm] {
        let file = scheme.encrypt(key, content);
        assert_eq!(scheme.decrypt(key, &file).as_deref(), Ok(content));
        let _ = scheme.decrypt(key, content);
    }
    foreign_openssl(key, content);
    foreign_records(key, content);
    keying_material(key);
});

/// Whatever decrypts has one ciphertext only under its key and salt.
fn foreign_openssl(key: &[u8], content: &[u8]) {
    let file = [b"Salted__", content].concat();
    if let Ok(plain) = openssl::decrypt(key, &file) {
        let salt = *content.first_chunk().expect("a salt");
        assert_eq!(openssl::encrypt(key, salt, &plain), file);
    }
}

/// Records of every size, cut, and with a header of the input's own.
fn foreign_records(key: &[u8], content: &[u8]) {
    let Some((number, plain)) = content.split_first_chunk().map(|(head, rest)| (u32::from_be_bytes(*head), rest))
    else {
        return;
    };
    let size = aes128gcm::RecordSize::new(18 + number % 5000).expect("18 and more");
    let mut file = aes128gcm::encrypt(key, [7; 16], size, plain);
    assert_eq!(aes128gcm::decrypt(key, &file).as_deref(), Ok(plain));
    assert!(aes128gcm::is_plausible(&file));
    let cut = file.len() - 1 - usize::try_from(number).unwrap_or_default() % file.len();
    assert!(aes128gcm::decrypt(key, &file[..cut]).is_err(), "cut after {cut} of {} octets", file.len());
    file[cut] ^= 1;
    // The key id's length and the record size are not authenticated by themselves; what they frame is.
    assert_ne!(aes128gcm::decrypt(key, &file).as_deref(), Ok(&[plain, b"x"].concat()[..]));
}

fn keying_material(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    for encoding in [IkmEncoding::Text, IkmEncoding::Base64url, IkmEncoding::Hex] {
        assert!(encoding.decode(text).is_ok_and(|octets| !octets.is_empty()) || encoding.decode(text).is_err());
    }
}
