//! Secrets of the store: sealed before they are written, opened for profiles, and for people who ask for them by name.
//!
//! What a secret is sealed for is its layer, owner and name: moved to another device, it does not open.

use std::sync::{Arc, PoisonError, RwLock};

use super::{Layer, Store, StoreError};
use crate::cipher::seal::{NONCE, SealError, SealingKey, id_of};
use crate::config::Sealing;
use crate::device::{Secret, Values, VariableValue};

/// Keys of one file: those that are being replaced stay for a while.
const MOST: usize = 16;

/// What stands for a secret in a profile that people look at; XML leaves it as it is.
pub(super) const MASK_IN_PROFILES: &str = "********";

/// How secrets are sealed and opened.
#[derive(Debug)]
pub(super) enum Sealer {
    /// Not at all: no key is configured.
    Without,
    /// Each one opens as a mask, for people.
    Masked,
    /// By the keys of this place, read when they are first needed.
    With(Sealing, RwLock<Option<Arc<[SealingKey]>>>),
}

/// Where a secret is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The kind of its owner.
    pub(super) layer: &'a str,
    /// The owner's number.
    pub(super) owner: i64,
    /// What it is called there.
    pub(super) name: &'a str,
}

impl Place<'_> {
    /// What is authenticated with the secret.
    fn bound(&self) -> String {
        format!("{}\0{}\0{}", self.layer, self.owner, self.name)
    }

    fn shown(&self) -> String {
        format!("the secret {} of {} {}", self.name, self.layer, self.owner)
    }
}

impl Sealer {
    /// By the keys of this place.
    pub(super) fn of(sealing: Option<&Sealing>) -> Self {
        sealing.map_or(Self::Without, |sealing| Self::With(sealing.clone(), RwLock::default()))
    }

    /// The same, whose keys are read when they are first needed.
    pub(super) fn twin(&self) -> Self {
        match self {
            Self::Without => Self::Without,
            Self::Masked => Self::Masked,
            Self::With(sealing, _) => Self::With(sealing.clone(), RwLock::default()),
        }
    }

    /// The keys, the one that seals first.
    pub(super) fn keys(&self) -> Result<Arc<[SealingKey]>, StoreError> {
        let Self::With(sealing, kept) = self else { return Err(StoreError::NoSealingKey) };
        if let Some(keys) = kept.read().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(keys);
        }
        let keys = read(sealing)?;
        *kept.write().unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
        Ok(keys)
    }

    /// Reads the keys again; whether they are others.
    pub(super) fn reread(&self) -> Result<bool, StoreError> {
        let Self::With(sealing, kept) = self else { return Ok(false) };
        let keys = read(sealing)?;
        let ids = |keys: &[SealingKey]| keys.iter().map(|key| key.id().to_owned()).collect::<Vec<_>>();
        let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
        let before = kept.replace(keys.clone());
        Ok(before.is_none_or(|before| ids(&before) != ids(&keys)))
    }

    /// Seals a secret for its place.
    pub(super) fn seal(&self, place: Place<'_>, secret: &Secret) -> Result<String, StoreError> {
        let keys = self.keys()?;
        let key = keys.first().ok_or(StoreError::NoSealingKey)?;
        let mut nonce = [0; NONCE];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| StoreError::NoRandomNumbers)?;
        Ok(key.seal(nonce, &place.bound(), secret))
    }

    /// Opens what was sealed for this place. A key that is not known may have been added since the keys were read.
    pub(super) fn open(&self, place: Place<'_>, sealed: &str) -> Result<Secret, StoreError> {
        if matches!(self, Self::Masked) {
            return Ok(Secret::new(MASK_IN_PROFILES.to_owned()));
        }
        let fault = |error| StoreError::Sealed { what: place.shown(), error };
        let wanted = id_of(sealed).ok_or_else(|| fault(SealError::Form))?;
        let find = || Ok(self.keys()?.iter().find(|key| key.id() == wanted).cloned());
        let key = match find()? {
            None if self.reread()? => find()?,
            found => found,
        };
        let key = key.ok_or_else(|| fault(SealError::OtherKey(wanted.to_owned())))?;
        key.open(&place.bound(), sealed).map_err(fault)
    }

    /// Seals the secrets among an owner's variables; one that is what it was before is left as it is.
    pub(super) fn seal_all(
        &self,
        layer: Layer,
        owner: i64,
        before: Option<&Values>,
        after: &mut Values,
    ) -> Result<(), StoreError> {
        for (name, value) in after {
            let VariableValue::Secret(secret) = value else { continue };
            let place = Place { layer: layer.as_str(), owner, name: name.as_str() };
            let kept = before.and_then(|before| before.get(name)).and_then(|before| match before {
                VariableValue::Sealed(sealed) => Some(sealed),
                VariableValue::Open(_) | VariableValue::Secret(_) => None,
            });
            let same = kept.filter(|sealed| self.open(place, sealed).is_ok_and(|opened| opened == *secret));
            *value = VariableValue::Sealed(same.map_or_else(|| self.seal(place, secret), |same| Ok(same.clone()))?);
        }
        Ok(())
    }

    /// Opens the secrets among an owner's variables.
    pub(super) fn open_all(&self, layer: Layer, owner: i64, values: &mut Values) -> Result<(), StoreError> {
        let mut first = Ok(());
        for (name, value) in values {
            let VariableValue::Sealed(sealed) = value else { continue };
            match self.open(Place { layer: layer.as_str(), owner, name: name.as_str() }, sealed) {
                Ok(secret) => *value = VariableValue::Secret(secret),
                Err(error) => first = first.and(Err(error)),
            }
        }
        first
    }
}

impl Store {
    /// The same store, with the keys of its secrets.
    #[must_use]
    pub fn sealing(self, sealing: Option<&Sealing>) -> Self {
        Self { sealer: Sealer::of(sealing), ..self }
    }

    /// The same store, for people: profiles are made with a mask in place of each secret.
    #[must_use]
    pub fn masked(self) -> Self {
        Self { sealer: Sealer::Masked, ..self }
    }

    /// Reads the keys of the secrets again; whether they are others than before.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn reread_keys(&self) -> Result<bool, StoreError> {
        self.sealer.reread()
    }
}

/// The keys of a place: a line each, `#` begins a comment.
fn read(sealing: &Sealing) -> Result<Arc<[SealingKey]>, StoreError> {
    let fault = |reason: String| StoreError::SealingKey(reason);
    let text = sealing.read().map_err(fault)?;
    let lines = text.expose().lines().map(str::trim).enumerate();
    let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).map(|(at, line)| {
        SealingKey::parse(line).map_err(|error| fault(format!("{sealing}: line {}: {error}", at + 1)))
    });
    let keys: Vec<SealingKey> = keys.collect::<Result<_, _>>()?;
    match keys.len() {
        0 => Err(fault(format!("{sealing}: no key is in it: `phoneprov secrets key` makes one"))),
        1..=MOST => Ok(keys.into()),
        many => Err(fault(format!("{sealing}: {many} keys are too many: expected {MOST} at the most"))),
    }
}
