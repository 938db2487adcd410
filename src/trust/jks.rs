//! Java's key stores of the older forms, JKS and JCEKS: the certificates in them, never the keys.
//!
//! ```text
//! magic  version 2  count   entry …   SHA-1 of password, "Mighty Aphrodite" and all that stands before
//! entry: tag  alias  date   1: length key  count (type length certificate) …   2: type length certificate
//! ```
//!
//! Numbers are big-endian, texts are preceded by their length in 16 bits (`java.io.DataOutput`); the form is that of
//! `sun.security.provider.JavaKeyStore` and `com.sun.crypto.provider.JceKeyStore`.

use openssl::sha::Sha1;

use crate::device::Secret;

/// What a JKS file begins with.
const JKS: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];

/// What a JCEKS file begins with.
const JCEKS: [u8; 4] = [0xce, 0xce, 0xce, 0xce];

/// The bytes of the digest at the end.
const DIGEST: usize = 20;

/// A certificate with its name in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JksEntry {
    /// Its alias.
    pub alias: String,
    /// The certificate, DER. Of an entry with a private key it is that key's own.
    pub der: Vec<u8>,
}

/// The file is no key store that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JksError {
    /// It begins otherwise.
    #[error("not a Java key store: expected it to begin with fe ed fe ed or ce ce ce ce")]
    Magic,
    /// A form that we do not know.
    #[error("a Java key store of version {0}: expected 1 or 2")]
    Version(u32),
    /// It ends too early.
    #[error("the key store ends in the middle of entry {entry} of {count}: it is cut off, copy it again")]
    CutOff {
        /// The entry, counted from 1.
        entry: u32,
        /// How many there should be.
        count: u32,
    },
    /// It ends before its first entry.
    #[error("the key store ends in its first bytes: it is cut off, copy it again")]
    Empty,
    /// Something that is no certificate and has no length.
    #[error(
        "entry {entry} of the key store is a secret key, behind which nothing can be read: export the certificates by `keytool -exportcert`"
    )]
    SecretKey {
        /// The entry, counted from 1.
        entry: u32,
    },
    /// No kind of entry that there is.
    #[error(
        "entry {entry} of the key store is of kind {kind}: expected 1, a private key, or 2, a certificate: the file is damaged"
    )]
    Kind {
        /// The entry, counted from 1.
        entry: u32,
        /// What stands there.
        kind: u32,
    },
    /// A certificate of another kind.
    #[error("entry {entry} of the key store is a certificate of type `{kind}`: expected X.509")]
    Type {
        /// The entry, counted from 1.
        entry: u32,
        /// What stands there.
        kind: String,
    },
    /// Bytes behind the last entry that are no digest.
    #[error(
        "{0} bytes follow the last entry of the key store: expected the {DIGEST} of its digest; it is cut off or damaged"
    )]
    End(usize),
    /// The digest is of something else.
    #[error(
        "the password of the key store is wrong, or the file is damaged: its digest does not fit (Java's own default is `changeit`)"
    )]
    Digest,
}

/// Whether the file begins like a key store of this kind.
#[must_use]
pub fn is_jks(file: &[u8]) -> bool {
    file.starts_with(&JKS) || file.starts_with(&JCEKS)
}

/// The certificates of a key store, whose digest has to fit the password.
///
/// # Errors
/// It is cut off, has an entry that is no certificate and can't be skipped, or its digest is of another password.
pub fn certificates(file: &[u8], password: &Secret) -> Result<Vec<JksEntry>, JksError> {
    if !is_jks(file) {
        return Err(JksError::Magic);
    }
    let mut reader = Reader { rest: &file[JKS.len()..], entry: 0, count: 0 };
    let version = reader.number().map_err(|_| JksError::Empty)?;
    if !(1..=2).contains(&version) {
        return Err(JksError::Version(version));
    }
    reader.count = reader.number().map_err(|_| JksError::Empty)?;
    let mut entries = Vec::new();
    for entry in 1..=reader.count {
        reader.entry = entry;
        entries.extend(reader.entry(version)?);
    }
    if reader.rest.len() != DIGEST {
        return Err(JksError::End(reader.rest.len()));
    }
    let (content, found) = file.split_at(file.len() - DIGEST);
    if openssl::memcmp::eq(&digest(content, password), found) { Ok(entries) } else { Err(JksError::Digest) }
}

/// The digest that ends a key store of this content.
#[must_use]
pub fn digest(content: &[u8], password: &Secret) -> [u8; DIGEST] {
    let mut sha1 = Sha1::new();
    for unit in password.expose().encode_utf16() {
        sha1.update(&unit.to_be_bytes());
    }
    sha1.update(b"Mighty Aphrodite");
    sha1.update(content);
    sha1.finish()
}

/// What is left of the file, and how far we are.
struct Reader<'a> {
    rest: &'a [u8],
    entry: u32,
    count: u32,
}

impl<'a> Reader<'a> {
    /// An entry's certificate; a private key without one has none.
    fn entry(&mut self, version: u32) -> Result<Option<JksEntry>, JksError> {
        let kind = self.number()?;
        if kind == 3 {
            return Err(JksError::SecretKey { entry: self.entry });
        }
        if !(1..=2).contains(&kind) {
            return Err(JksError::Kind { entry: self.entry, kind });
        }
        let alias = self.text()?;
        self.take(8)?;
        let mut certificates = 1;
        if kind == 1 {
            self.block()?;
            certificates = self.number()?;
        }
        let mut own = None;
        for _ in 0..certificates {
            let der = self.certificate(version)?;
            own.get_or_insert(der);
        }
        Ok(own.map(|der| JksEntry { alias, der: der.to_vec() }))
    }

    fn certificate(&mut self, version: u32) -> Result<&'a [u8], JksError> {
        if version > 1 {
            let kind = self.text()?;
            if kind != "X.509" {
                return Err(JksError::Type { entry: self.entry, kind: kind.escape_debug().take(40).collect() });
            }
        }
        self.block()
    }

    fn text(&mut self) -> Result<String, JksError> {
        let length = self.take(2)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn block(&mut self) -> Result<&'a [u8], JksError> {
        let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        self.take(length)
    }

    fn number(&mut self) -> Result<u32, JksError> {
        Ok(self.take(4)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], JksError> {
        let cut_off = JksError::CutOff { entry: self.entry, count: self.count };
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(cut_off)?;
        self.rest = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret() -> Secret {
        Secret::new("changeit".to_owned())
    }

    fn text(text: &str) -> Vec<u8> {
        let length = u16::try_from(text.len()).expect("a short text");
        [&length.to_be_bytes()[..], text.as_bytes()].concat()
    }

    fn block(bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).expect("a short block");
        [&length.to_be_bytes()[..], bytes].concat()
    }

    fn trusted(alias: &str, der: &[u8]) -> Vec<u8> {
        [&[0, 0, 0, 2][..], &text(alias), &[0; 8], &text("X.509"), &block(der)].concat()
    }

    fn store(magic: [u8; 4], entries: &[Vec<u8>]) -> Vec<u8> {
        let count = u32::try_from(entries.len()).expect("a few");
        let mut file = [&magic[..], &[0, 0, 0, 2], &count.to_be_bytes(), &entries.concat()].concat();
        file.extend(digest(&file, &secret()));
        file
    }

    #[test]
    fn certificates_are_read_and_keys_are_passed_over() {
        let chain = [&[0, 0, 0, 2][..], &text("X.509"), &block(b"own"), &text("X.509"), &block(b"issuer")].concat();
        let key = [&[0, 0, 0, 1][..], &text("wsm"), &[0; 8], &block(b"sealed"), &chain].concat();
        for magic in [JKS, JCEKS] {
            let read = certificates(&store(magic, &[key.clone(), trusted("a", b"der")]), &secret()).expect("read");
            let read: Vec<_> = read.iter().map(|entry| (entry.alias.as_str(), entry.der.as_slice())).collect();
            assert_eq!(read, [("wsm", &b"own"[..]), ("a", b"der")]);
        }
    }

    #[test]
    fn another_password_or_a_changed_byte_is_found() {
        let mut file = store(JKS, &[trusted("a", b"der")]);
        assert_eq!(certificates(&file, &Secret::new("changeme".into())), Err(JksError::Digest));
        let at = file.len() - DIGEST - 1;
        file[at] ^= 1;
        assert_eq!(certificates(&file, &secret()), Err(JksError::Digest));
    }

    #[test]
    fn a_store_that_is_cut_off_says_where() {
        let file = store(JKS, &[trusted("a", b"der"), trusted("b", b"more")]);
        let half = certificates(&file[..file.len() / 2], &secret()).expect_err("cut off");
        assert!(matches!(half, JksError::CutOff { entry: 1 | 2, count: 2 }), "{half}");
        for end in 0..file.len() {
            assert!(certificates(&file[..end], &secret()).is_err(), "{end} bytes");
        }
    }

    #[test]
    fn what_is_no_certificate_is_named() {
        let secret_key = [&[0, 0, 0, 3][..], &text("k")].concat();
        assert_eq!(certificates(&store(JCEKS, &[secret_key]), &secret()), Err(JksError::SecretKey { entry: 1 }));
        let strange = [&[0, 0, 0, 9][..], &text("k")].concat();
        assert_eq!(certificates(&store(JKS, &[strange]), &secret()), Err(JksError::Kind { entry: 1, kind: 9 }));
        let other = [&[0, 0, 0, 2][..], &text("k"), &[0; 8], &text("PGP"), &block(b"x")].concat();
        assert!(matches!(certificates(&store(JKS, &[other]), &secret()), Err(JksError::Type { entry: 1, .. })));
    }

    proptest! {
        #[test]
        fn whatever_is_stored_comes_back(entries in prop::collection::vec(("\\PC{0,30}", prop::collection::vec(any::<u8>(), 0..200)), 0..8)) {
            let written: Vec<_> = entries.iter().map(|(alias, der)| trusted(alias, der)).collect();
            let read = certificates(&store(JKS, &written), &secret()).expect("read");
            let read: Vec<_> = read.into_iter().map(|entry| (entry.alias, entry.der)).collect();
            prop_assert_eq!(read, entries);
        }
    }
}
