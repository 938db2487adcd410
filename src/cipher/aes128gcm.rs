//! Encrypted content-coding `aes128gcm` (RFC 8188), which MPP phones read from firmware 11.2(3).
//!
//! A header of salt (16 octets), record size (4, big-endian), key id length (1) and key id, then records: AES-128-GCM
//! over content, a delimiter octet and zeros as padding. The delimiter is 1, in the last record 2, so that a file cut
//! between records does not pass for a whole one. We send no key id and no padding; we read both.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes128Gcm, KeyInit, Nonce, Tag};

use super::hmac::hmac_sha256;

const SALT: usize = 16;
const TAG: usize = 16;
/// What a record holds beside content: one delimiter and the tag.
const OVERHEAD: usize = 1 + TAG;
/// Salt, record size and key id length.
const HEADER: usize = SALT + 4 + 1;

const MORE: u8 = 1;
const LAST: u8 = 2;

/// How many octets a record takes in the file, delimiter and tag included: at least 18 (RFC 8188 section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordSize(u32);

/// Why a file could not be decrypted; no message shows key or content. Records count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// Too short for a header with its key id; the length is that of the file in octets.
    #[error("not aes128gcm (RFC 8188), or cut short: {0} octets do not hold the header")]
    Header(usize),
    /// A record size that cannot be.
    #[error("not aes128gcm (RFC 8188): the header gives a record size of {0}, where 18 is the smallest")]
    RecordSize(u32),
    /// The end comes before that of the record marked as the last, or there is no record at all.
    #[error("the file is cut short: record {0} is missing or not whole")]
    Truncated(usize),
    /// The tag does not fit.
    #[error("wrong key or damaged file: record {0} is not authentic")]
    Unauthentic(usize),
    /// Neither 1 nor 2 stands between content and padding.
    #[error("the file is not valid aes128gcm (RFC 8188): record {0} has no valid delimiter")]
    Delimiter(usize),
    /// Records follow the one that is marked as the last.
    #[error("the file does not end after record {0}, which is marked as the last")]
    Trailing(usize),
}

impl RecordSize {
    /// The size in octets; `None` below 18.
    #[must_use]
    pub const fn new(octets: u32) -> Option<Self> {
        if octets < 18 { None } else { Some(Self(octets)) }
    }

    fn as_usize(self) -> usize {
        // Where usize is smaller, no content in memory exceeds its greatest value.
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// The record size for content of this length: the next multiple of 4096 that holds it in one record, at most 65536.
///
/// A last record that fills its size exactly is lawful but rare; the lengths here leave a spare octet, for readers that
/// take a full record for one that has a successor.
#[must_use]
pub fn record_size_for(length: usize) -> RecordSize {
    let whole = length.saturating_add(OVERHEAD + 1).div_ceil(4096).min(16);
    RecordSize(u32::try_from(whole).map_or(65536, |pages| pages * 4096))
}

/// Encrypts, with an empty key id. The keying material is octets: see [`IkmEncoding`](super::IkmEncoding).
///
/// A salt must never serve two contents or two record sizes under the same keying material, or AES-GCM gives both away;
/// take it from [`salt_for`].
#[must_use]
pub fn encrypt(ikm: &[u8], salt: [u8; SALT], record_size: RecordSize, plain: &[u8]) -> Vec<u8> {
    let room = record_size.as_usize() - OVERHEAD;
    let records = plain.len().div_ceil(room).max(1);
    let mut file = Vec::with_capacity(HEADER + plain.len() + records * OVERHEAD);
    file.extend_from_slice(&salt);
    file.extend_from_slice(&record_size.0.to_be_bytes());
    file.push(0);

    let keys = Keys::derive(ikm, salt);
    for record in 0..records {
        let content = &plain[record * room..plain.len().min((record + 1) * room)];
        let start = file.len();
        file.extend_from_slice(content);
        file.push(if record + 1 == records { LAST } else { MORE });
        let tag = keys.seal(record, &mut file[start..]);
        file.extend_from_slice(&tag);
    }
    file
}

/// Decrypts a whole file, of any record size and key id; the key id is not looked at.
///
/// # Errors
/// The file has another format, is damaged or not whole, or was made with another key.
pub fn decrypt(ikm: &[u8], file: &[u8]) -> Result<Vec<u8>, DecryptError> {
    let (salt, record_size, body) = split_header(file)?;
    let keys = Keys::derive(ikm, salt);
    let records = body.len().div_ceil(record_size.as_usize());
    if records == 0 {
        return Err(DecryptError::Truncated(1));
    }
    let mut plain = Vec::with_capacity(body.len());
    for (record, sealed) in body.chunks(record_size.as_usize()).enumerate() {
        let start = plain.len();
        let (content, tag) = sealed.split_last_chunk::<TAG>().ok_or(DecryptError::Truncated(record + 1))?;
        if content.is_empty() {
            return Err(DecryptError::Truncated(record + 1));
        }
        plain.extend_from_slice(content);
        keys.open(record, &mut plain[start..], *tag)?;
        let length = content_length(&plain[start..], record, records)?;
        plain.truncate(start + length);
    }
    Ok(plain)
}

/// Whether the file has a header as a server would write it and room for a record; chance may give another file one.
#[must_use]
pub fn is_plausible(file: &[u8]) -> bool {
    split_header(file).is_ok_and(|(_, record_size, body)| record_size.0 < 1 << 24 && body.len() >= OVERHEAD)
}

/// The salt for this content in records of this size under this keying material: the same for the same, and otherwise
/// as good as random.
#[must_use]
pub fn salt_for(ikm: &[u8], record_size: RecordSize, plain: &[u8]) -> [u8; SALT] {
    hmac_sha256(ikm, &[b"phoneprov aes128gcm salt\0", &record_size.0.to_be_bytes(), plain])
}

fn split_header(file: &[u8]) -> Result<([u8; SALT], RecordSize, &[u8]), DecryptError> {
    let header = || {
        let (salt, rest) = file.split_first_chunk::<SALT>()?;
        let (record_size, rest) = rest.split_first_chunk::<4>()?;
        let (key_id_length, rest) = rest.split_first()?;
        let (_key_id, body) = rest.split_at_checked(usize::from(*key_id_length))?;
        Some((*salt, u32::from_be_bytes(*record_size), body))
    };
    let (salt, octets, body) = header().ok_or(DecryptError::Header(file.len()))?;
    let record_size = RecordSize::new(octets).ok_or(DecryptError::RecordSize(octets))?;
    Ok((salt, record_size, body))
}

/// How much of an opened record is content: all before its last octet that is not zero, which is the delimiter.
fn content_length(opened: &[u8], record: usize, records: usize) -> Result<usize, DecryptError> {
    let length = opened.iter().rposition(|octet| *octet != 0).ok_or(DecryptError::Delimiter(record + 1))?;
    let is_last = record + 1 == records;
    match opened[length] {
        MORE if is_last => Err(DecryptError::Truncated(record + 2)),
        LAST if !is_last => Err(DecryptError::Trailing(record + 1)),
        MORE | LAST => Ok(length),
        _ => Err(DecryptError::Delimiter(record + 1)),
    }
}

/// Content encryption key and nonce base of one file.
struct Keys {
    cipher: Aes128Gcm,
    nonce: [u8; 12],
}

impl Keys {
    /// RFC 8188 sections 2.2 and 2.3: HKDF with SHA-256, of which one block is enough.
    fn derive(ikm: &[u8], salt: [u8; SALT]) -> Self {
        let prk: [u8; 32] = hmac_sha256(&salt, &[ikm]);
        let key: [u8; 16] = hmac_sha256(&prk, &[b"Content-Encoding: aes128gcm\0", &[1]]);
        let nonce = hmac_sha256(&prk, &[b"Content-Encoding: nonce\0", &[1]]);
        Self { cipher: Aes128Gcm::new(&key.into()), nonce }
    }

    fn seal(&self, record: usize, content: &mut [u8]) -> Tag {
        self.cipher
            .encrypt_inout_detached(&self.nonce_of(record), &[], content.into())
            .expect("a record is under 4 GiB, AES-GCM takes 64 GiB")
    }

    fn open(&self, record: usize, content: &mut [u8], tag: [u8; TAG]) -> Result<(), DecryptError> {
        self.cipher
            .decrypt_inout_detached(&self.nonce_of(record), &[], content.into(), &tag.into())
            .map_err(|_| DecryptError::Unauthentic(record + 1))
    }

    /// RFC 8188 section 2.3: the base, exclusive or the record's number, from 0, as a 96-bit big-endian integer.
    fn nonce_of(&self, record: usize) -> Nonce<aes_gcm::aes::cipher::consts::U12> {
        let mut nonce = self.nonce;
        for (octet, number) in nonce.iter_mut().rev().zip(record.to_le_bytes()) {
            *octet ^= number;
        }
        nonce.into()
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
    use proptest::prelude::*;

    use super::*;

    const WALRUS: &[u8] = b"I am the walrus";
    const SALT_OF_TESTS: [u8; 16] = [7; 16];

    fn size(octets: u32) -> RecordSize {
        RecordSize::new(octets).expect("at least 18")
    }

    fn decode(base64url: &str) -> Vec<u8> {
        BASE64URL_NOPAD.decode(base64url.as_bytes()).expect("base64url of the RFC")
    }

    /// A file with these opened records (content, delimiter and padding), whatever they say.
    fn forge(ikm: &[u8], record_size: u32, opened: &[&[u8]]) -> Vec<u8> {
        let keys = Keys::derive(ikm, SALT_OF_TESTS);
        let mut file = [&SALT_OF_TESTS[..], &record_size.to_be_bytes(), &[0]].concat();
        for (record, content) in opened.iter().enumerate() {
            let mut sealed = content.to_vec();
            let tag = keys.seal(record, &mut sealed);
            file.extend([&sealed[..], &tag].concat());
        }
        file
    }

    proptest! {
        #[test]
        fn what_was_encrypted_decrypts(ikm: Vec<u8>, salt: [u8; 16], octets in 18..200_u32, plain: Vec<u8>) {
            let file = encrypt(&ikm, salt, size(octets), &plain);
            prop_assert_eq!(file.len(), file.capacity());
            prop_assert_eq!(decrypt(&ikm, &file), Ok(plain));
        }

        #[test]
        fn no_octets_panic(ikm: Vec<u8>, octets: u32, rest: Vec<u8>) {
            let _ = decrypt(&ikm, &rest);
            let _ = decrypt(&ikm, &[&SALT_OF_TESTS[..], &octets.to_be_bytes(), &[0], &rest].concat());
            let _ = is_plausible(&rest);
        }

        #[test]
        fn no_opened_record_panics(octets in 18..40_u32, opened in prop::collection::vec(any::<Vec<u8>>(), 0..4)) {
            let opened: Vec<&[u8]> = opened.iter().map(Vec::as_slice).collect();
            let _ = decrypt(b"key", &forge(b"key", octets, &opened));
        }

        #[test]
        fn a_file_cut_anywhere_is_refused(octets in 18..60_u32, plain: Vec<u8>, at: prop::sample::Index) {
            let file = encrypt(b"key", SALT_OF_TESTS, size(octets), &plain);
            prop_assert!(decrypt(b"key", &file[..at.index(file.len())]).is_err());
        }

        #[test]
        fn a_changed_octet_is_refused(plain: Vec<u8>, at: prop::sample::Index, change in 1..=255_u8) {
            let mut file = encrypt(b"key", SALT_OF_TESTS, record_size_for(plain.len()), &plain);
            let at = at.index(file.len());
            // The record size is authentic only as far as it cuts the records.
            prop_assume!(!(SALT..SALT + 4).contains(&at));
            file[at] ^= change;
            prop_assert!(decrypt(b"key", &file).is_err());
        }

        #[test]
        fn a_chosen_record_size_holds_the_content_until_64_kib(length in 0..200_000_usize) {
            let chosen = record_size_for(length).as_usize();
            prop_assert!(chosen.is_multiple_of(4096) && chosen <= 65536);
            prop_assert!(chosen > length + OVERHEAD || chosen == 65536);
        }
    }

    #[test]
    fn the_example_of_rfc_8188_section_3_1_goes_both_ways() {
        let ikm = decode("yqdlZ-tYemfogSmv7Ws5PQ");
        let file = decode("I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg");
        assert_eq!(decrypt(&ikm, &file).as_deref(), Ok(WALRUS));
        let salt = *file.first_chunk().expect("a salt");
        assert_eq!(encrypt(&ikm, salt, size(4096), WALRUS), file);
    }

    #[test]
    fn the_example_of_rfc_8188_section_3_2_decrypts_with_key_id_and_padding() {
        let ikm = decode("BO3ZVPxUlnLORbVGMpbT1Q");
        let file = decode(
            "uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_gnvgOqdGYovxyjuqRyJFjEDyoF1Fvkj6hQPdPHI51OEUKEpgz3SsLWIqS_uA",
        );
        assert_eq!(decrypt(&ikm, &file).as_deref(), Ok(WALRUS));
    }

    #[test]
    fn the_records_of_rfc_8188_section_3_2_are_sealed_as_there() {
        let ikm = decode("BO3ZVPxUlnLORbVGMpbT1Q");
        let file = decode(
            "uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_gnvgOqdGYovxyjuqRyJFjEDyoF1Fvkj6hQPdPHI51OEUKEpgz3SsLWIqS_uA",
        );
        let keys = Keys::derive(&ikm, *file.first_chunk().expect("a salt"));
        let (mut first, mut second) = (*b"I am th\x01\x00", *b"e walrus\x02");
        let tags = [keys.seal(0, &mut first), keys.seal(1, &mut second)];
        assert_eq!([&first[..], &tags[0], &second, &tags[1]].concat(), file[HEADER + 2..]);
    }

    #[test]
    fn the_salt_follows_key_and_content_and_record_size() {
        let salt = salt_for(b"key", size(4096), WALRUS);
        assert_eq!(
            HEXLOWER.encode(&salt),
            "1411d400d82586175c84ffd31cc3e196",
            "a change here alters every file served"
        );
        assert_ne!(salt, salt_for(b"kez", size(4096), WALRUS));
        assert_ne!(salt, salt_for(b"key", size(4097), WALRUS), "a nonce must not serve two record sizes");
        assert_ne!(salt, salt_for(b"key", size(4096), &WALRUS[1..]));
    }

    #[test]
    fn nothing_makes_one_record() {
        let file = encrypt(b"key", SALT_OF_TESTS, size(18), b"");
        assert_eq!(file.len(), HEADER + OVERHEAD);
        assert_eq!(decrypt(b"key", &file), Ok(vec![]));
    }

    #[test]
    fn a_wrong_key_is_told_by_the_tag() {
        let file = encrypt(b"key", SALT_OF_TESTS, size(4096), WALRUS);
        assert_eq!(decrypt(b"kez", &file), Err(DecryptError::Unauthentic(1)));
    }

    #[test]
    fn a_file_cut_between_records_is_not_whole() {
        let file = encrypt(b"key", SALT_OF_TESTS, size(25), &[9; 24]);
        assert_eq!(decrypt(b"key", &file[..HEADER]), Err(DecryptError::Truncated(1)));
        assert_eq!(decrypt(b"key", &file[..HEADER + 50]), Err(DecryptError::Truncated(3)));
        assert_eq!(decrypt(b"key", &file[..HEADER + 50 + 16]), Err(DecryptError::Truncated(3)));
    }

    #[test]
    fn what_follows_the_last_record_is_refused() {
        assert_eq!(decrypt(b"key", &forge(b"key", 18, &[b"a\x02", b"\x02"])), Err(DecryptError::Trailing(1)));
    }

    #[test]
    fn a_wrong_delimiter_is_refused() {
        for opened in [&b"a\x03"[..], b"\x00\x00", b"a\xff\x00"] {
            assert_eq!(decrypt(b"key", &forge(b"key", 30, &[opened])), Err(DecryptError::Delimiter(1)));
        }
    }

    #[test]
    fn a_header_that_cannot_be_is_refused() {
        assert_eq!(decrypt(b"key", &[0; 20]), Err(DecryptError::Header(20)));
        assert_eq!(decrypt(b"key", &forge(b"key", 17, &[])), Err(DecryptError::RecordSize(17)));
        let beyond = [&SALT_OF_TESTS[..], &[0, 0, 16, 0, 5], b"abcd"].concat();
        assert_eq!(decrypt(b"key", &beyond), Err(DecryptError::Header(25)));
    }
}
