//! Step 6: encryption, under the key that the rule names for this device.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Document, Grant, Line, Profile, Refusal, render};
use crate::cipher::Scheme;
use crate::config::{Encryption, KeySource, MasterKey};
use crate::device::{KeyKind, Secret};
use crate::profile::macros::{Macro, Macros};
use crate::profile::template::Source;

/// Encrypts where the rule says so. The salt follows from key and content: the same input gives the same bytes.
pub(super) fn encrypt(line: &Line, profile: &Profile, document: Document) -> Result<Document, Refusal> {
    let grant = profile.grant();
    let Some(encryption) = &grant.treatment().encryption else {
        return Ok(document);
    };
    let (key, sources) = key_for(line, encryption, grant)?;
    let material = material(encryption, &key)?;
    let bytes = encryption.scheme.encrypt(&material, &document.bytes).into();
    let sources = document.sources.into_iter().chain(sources).collect();
    Ok(Document { bytes, sources, ..document })
}

/// Makes the key that a profile would be encrypted with, where its rule has one: for people who look whether that can be.
///
/// # Errors
/// There is none for this device, or it is no key of that format.
pub fn try_key(line: &Line, profile: &Profile) -> Result<(), Refusal> {
    let Some(encryption) = &profile.grant().treatment().encryption else { return Ok(()) };
    let (key, _) = key_for(line, encryption, profile.grant())?;
    material(encryption, &key).map(drop)
}

/// The same for no profile, with these values of the macros. A device's own key is its own matter.
///
/// # Errors
/// As [`try_key`].
pub fn try_sample(line: &Line, encryption: &Encryption, macros: &Macros) -> Result<(), Refusal> {
    let key = match &encryption.key {
        KeySource::Device => return Ok(()),
        KeySource::Fixed(key) => key.clone(),
        KeySource::Master(master) => device_key(master, macros).ok_or(Refusal::NobodysKey)?,
        KeySource::Template(template) => {
            Secret::new(line.templates.render_key(template.expose(), macros, &line.variables)?.text)
        }
    };
    material(encryption, &key).map(drop)
}

/// The octets that a key's text stands for.
fn material(encryption: &Encryption, key: &Secret) -> Result<Vec<u8>, Refusal> {
    let material = match encryption.scheme {
        Scheme::Aes256Cbc => key.expose().as_bytes().to_vec(),
        Scheme::Aes128Gcm => encryption
            .ikm
            .decode(key.expose())
            .map_err(|error| Refusal::KeyingMaterial(encryption.key.kind(), error))?,
    };
    match material.is_empty() {
        true => Err(Refusal::EmptyKey(encryption.key.kind())),
        false => Ok(material),
    }
}

/// The keys that a phone may have encrypted with what it sends: the one that the rule names, or of the device's own all
/// that are in use.
pub(super) fn keys_of(line: &Line, encryption: &Encryption, grant: &Grant) -> Result<Vec<Vec<u8>>, Refusal> {
    if !matches!(encryption.key, KeySource::Device) {
        let (key, _) = key_for(line, encryption, grant)?;
        return Ok(vec![material(encryption, &key)?]);
    }
    let pair = grant.device().and_then(|known| known.keys(kind_of(encryption.scheme))).ok_or(Refusal::NobodysKey)?;
    std::iter::once(&pair.current).chain(&pair.next).map(|key| material(encryption, key.secret())).collect()
}

fn key_for(line: &Line, encryption: &Encryption, grant: &Grant) -> Result<(Secret, Vec<Source>), Refusal> {
    let macros = &grant.found().macros;
    match &encryption.key {
        KeySource::Fixed(key) => Ok((key.clone(), Vec::new())),
        KeySource::Master(master) => Ok((device_key(master, macros).ok_or(Refusal::NobodysKey)?, Vec::new())),
        // Without devices, somebody looks whether profiles can be made at all.
        KeySource::Device if line.inventory.is_none() => Ok((Secret::new("0".repeat(64)), Vec::new())),
        KeySource::Device => Ok((own_key(encryption.scheme, grant)?, Vec::new())),
        KeySource::Template(template) => {
            let make = |given: &_| line.templates.render_key(template.expose(), macros, given);
            let rendered = make(&render::variables(line, grant))
                .map_err(|error| render::unveiled(line, grant, ("the rule's key", error), make))?;
            Ok((Secret::new(rendered.text), rendered.sources))
        }
    }
}

/// The key that the phone has, by what it says and the store knows.
fn own_key(scheme: Scheme, grant: &Grant) -> Result<Secret, Refusal> {
    let pair = grant.device().and_then(|known| known.keys(kind_of(scheme)));
    let key = pair.zip(grant.under()).map(|(pair, under)| pair.get(under).secret().clone());
    key.ok_or(Refusal::NobodysKey)
}

/// Which of a device's keys a format takes.
pub(super) fn kind_of(scheme: Scheme) -> KeyKind {
    match scheme {
        Scheme::Aes256Cbc => KeyKind::Key,
        Scheme::Aes128Gcm => KeyKind::Ikm,
    }
}

/// The device's own key under a master secret: HMAC-SHA256 (RFC 2104) over `phoneprov device key 1`, a NUL, and the
/// identity, which is `$MA` or, without one, `$SN`; 64 hexadecimal digits. `None` when neither is known.
#[must_use]
pub fn device_key(master: &MasterKey, macros: &Macros) -> Option<Secret> {
    let identity = macros.value(Macro::Ma).or_else(|| macros.value(Macro::Sn))?;
    let mut hmac = Hmac::<Sha256>::new_from_slice(master.secret().expose().as_bytes()).ok()?;
    hmac.update(b"phoneprov device key 1\0");
    hmac.update(identity.as_bytes());
    Some(Secret::new(HEXLOWER.encode(&hmac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(identity: Macro, text: &str) -> String {
        let master = MasterKey::new(&"0123456789abcdef".repeat(4)).expect("a master secret");
        let mut macros = Macros::default();
        assert!(macros.bind(identity, text));
        device_key(&master, &macros).expect("a key").expose().to_owned()
    }

    /// `printf 'phoneprov device key 1\0000e08abcdef' | openssl dgst -sha256 -hmac 0123456789abcdef…` (four times).
    #[test]
    fn the_key_is_what_openssl_derives() {
        assert_eq!(key(Macro::Ma, "000e08abcdef"), "156889b1e1ecd6bf683f289dc401491e31556e119c14609df06b67ea8c7e6713");
        assert_eq!(key(Macro::Ma, "000e08abcdef"), key(Macro::Mau, "000E08ABCDEF"));
        assert_ne!(key(Macro::Ma, "000e08abcdef"), key(Macro::Ma, "000e08abcdee"));
    }
}
