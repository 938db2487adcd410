//! The file that `openssl enc -aes-256-cbc -md md5 -k KEY` writes and every flat-profile phone reads.
//!
//! `Salted__`, eight octets of salt, then AES-256-CBC with PKCS#7 padding. Key and IV come from `EVP_BytesToKey` with
//! MD5 and one iteration: guessing is cheap, so the pass phrase must be random, and nothing but the padding shows a
//! wrong key (Cisco "Provisioning Formats" and openssl-enc(1); OpenSSL 1.1 and later need the `-md md5`).

use aes::Aes256;
use aes::cipher::block_padding::{Padding, Pkcs7};
use aes::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use md5::{Digest, Md5};

use super::hmac::hmac_sha256;

const MAGIC: &[u8] = b"Salted__";
const SALT: usize = 8;
const HEADER: usize = MAGIC.len() + SALT;
const BLOCK: usize = 16;

/// Why a file could not be decrypted; no message shows key or content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// It does not begin as `openssl enc` begins a salted file.
    #[error("not made by openssl enc: the file does not begin with `Salted__`")]
    Unsalted,
    /// It has the beginning, and then no whole number of blocks; the length is that of the file in octets.
    #[error(
        "the file is damaged or cut short: {0} octets, expected 16 for the header and then a positive multiple of 16"
    )]
    Length(usize),
    /// It decrypts to something that does not end as it should.
    #[error("wrong key or damaged file: the decrypted padding is not valid")]
    Padding,
}

/// Encrypts; the result is 17 to 32 octets longer than the content.
///
/// Take the salt from [`salt_for`]: a phone sees no difference between that and a random one.
#[must_use]
pub fn encrypt(passphrase: &[u8], salt: [u8; SALT], plain: &[u8]) -> Vec<u8> {
    let tail = plain.len() % BLOCK;
    let length = HEADER + plain.len() - tail + BLOCK;
    let mut file = Vec::with_capacity(length);
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&salt);
    file.extend_from_slice(plain);
    file.resize(length, 0);

    let (blocks, _) = Block::<Aes256>::slice_as_chunks_mut(&mut file[HEADER..]);
    if let Some(last) = blocks.last_mut() {
        Pkcs7::pad(last, tail);
    }
    let (key, iv) = key_and_iv(passphrase, salt);
    cbc::Encryptor::<Aes256>::new(&key.into(), &iv.into()).encrypt_blocks(blocks);
    file
}

/// Decrypts a whole file.
///
/// # Errors
/// The file has another format, is damaged, or was made with another key. The last is noticed by the padding only: in
/// one case of 256 a wrong key gives octets without meaning instead.
pub fn decrypt(passphrase: &[u8], file: &[u8]) -> Result<Vec<u8>, DecryptError> {
    let salted = file.strip_prefix(MAGIC).ok_or(DecryptError::Unsalted)?;
    let (salt, ciphertext) = salted.split_first_chunk().ok_or(DecryptError::Length(file.len()))?;
    if ciphertext.is_empty() || ciphertext.len() % BLOCK != 0 {
        return Err(DecryptError::Length(file.len()));
    }
    let (key, iv) = key_and_iv(passphrase, *salt);
    let mut plain = ciphertext.to_vec();
    let unpadded = cbc::Decryptor::<Aes256>::new(&key.into(), &iv.into()).decrypt_padded::<Pkcs7>(&mut plain);
    let length = unpadded.map_err(|_| DecryptError::Padding)?.len();
    plain.truncate(length);
    Ok(plain)
}

/// Whether the file begins as this format does.
#[must_use]
pub fn is_salted(file: &[u8]) -> bool {
    file.starts_with(MAGIC)
}

/// The salt for this content under this pass phrase: the same for the same, and otherwise as good as random.
#[must_use]
pub fn salt_for(passphrase: &[u8], plain: &[u8]) -> [u8; SALT] {
    hmac_sha256(passphrase, &[b"phoneprov openssl enc salt\0", plain])
}

/// `EVP_BytesToKey(3)` with MD5 and a count of one: D1‖D2 is the key, D3 the IV, each the digest of the one before it
/// (nothing before D1), the pass phrase and the salt.
fn key_and_iv(passphrase: &[u8], salt: [u8; SALT]) -> ([u8; 32], [u8; 16]) {
    let digest = |before: &[u8]| Md5::new().chain_update(before).chain_update(passphrase).chain_update(salt).finalize();
    let first = digest(&[]);
    let second = digest(&first);
    let mut key = [0; 32];
    key[..16].copy_from_slice(&first);
    key[16..].copy_from_slice(&second);
    (key, digest(&second).into())
}

#[cfg(test)]
mod tests {
    use data_encoding::{HEXLOWER, HEXUPPER};
    use proptest::prelude::*;

    use super::*;

    const PASSPHRASE: &[u8] = b"SecretPhrase1234";
    const VECTOR_SALT: [u8; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
    const PROFILE: &[u8] = b"<flat-profile><GPP_A>x</GPP_A></flat-profile>\n";

    proptest! {
        #[test]
        fn what_was_encrypted_decrypts(passphrase: Vec<u8>, salt: [u8; 8], plain: Vec<u8>) {
            let file = encrypt(&passphrase, salt, &plain);
            prop_assert_eq!(file.len(), file.capacity());
            prop_assert_eq!(decrypt(&passphrase, &file), Ok(plain));
        }

        #[test]
        fn no_octets_panic(passphrase: Vec<u8>, salt: [u8; 8], rest: Vec<u8>) {
            let _ = decrypt(&passphrase, &rest);
            let _ = decrypt(&passphrase, &[MAGIC, &rest].concat());
            let whole = rest.len() - rest.len() % BLOCK;
            let _ = decrypt(&passphrase, &[MAGIC, &salt, &rest[..whole]].concat());
        }

        #[test]
        fn a_file_cut_anywhere_is_refused_or_lacks_whole_blocks(plain: Vec<u8>, at: prop::sample::Index) {
            let file = encrypt(PASSPHRASE, VECTOR_SALT, &plain);
            let cut = &file[..at.index(file.len())];
            if decrypt(PASSPHRASE, cut).is_ok() {
                prop_assert_eq!(cut.len() % BLOCK, 0);
            }
        }
    }

    #[test]
    fn the_key_and_iv_are_those_of_openssl_3() {
        let (key, iv) = key_and_iv(PASSPHRASE, VECTOR_SALT);
        assert_eq!(HEXUPPER.encode(&key), "02B4B43C835F3890EE33C79B9D9A37A9FBECCDCA2E31E9B4EAE21D95DDCB9D53");
        assert_eq!(HEXUPPER.encode(&iv), "977A51BB32DC5589B8B46BBE180EFFF4");
    }

    #[test]
    fn the_file_is_that_of_openssl_3() {
        let file = encrypt(PASSPHRASE, VECTOR_SALT, PROFILE);
        assert_eq!(&file[..HEADER], b"Salted__\x00\x01\x02\x03\x04\x05\x06\x07");
        assert_eq!(
            HEXLOWER.encode(&file[HEADER..]),
            "aaf2677c334d136943dffd1e61f358c93720a893d19cefa341c5ca577329d7a84c8b60b40fa27b6f32abc2ce6e392f53"
        );
        assert_eq!(decrypt(PASSPHRASE, &file).as_deref(), Ok(PROFILE));
    }

    #[test]
    fn the_salt_follows_key_and_content() {
        let salt = salt_for(PASSPHRASE, PROFILE);
        assert_eq!(HEXLOWER.encode(&salt), "14943f4b9856a98d", "a change here alters every file served");
        assert_ne!(salt, salt_for(b"SecretPhrase1235", PROFILE));
        assert_ne!(salt, salt_for(PASSPHRASE, &PROFILE[1..]));
    }

    #[test]
    fn a_wrong_key_shows_in_the_padding() {
        let file = encrypt(PASSPHRASE, VECTOR_SALT, PROFILE);
        assert_eq!(decrypt(b"SecretPhrase1235", &file), Err(DecryptError::Padding));
    }

    #[test]
    fn a_profile_in_clear_is_not_made_by_openssl() {
        for file in [PROFILE, b"", b"Salted_"] {
            assert_eq!(decrypt(PASSPHRASE, file), Err(DecryptError::Unsalted));
        }
    }

    #[test]
    fn a_file_without_whole_blocks_is_cut_short() {
        let file = encrypt(PASSPHRASE, VECTOR_SALT, PROFILE);
        for length in [8, 15, 16, 17, file.len() - 1] {
            assert_eq!(decrypt(PASSPHRASE, &file[..length]), Err(DecryptError::Length(length)));
        }
    }
}
