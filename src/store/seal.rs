//! Secrets of the store: sealed before they are written, opened for profiles, and for people who ask for them by name.
//!
//! What a secret is sealed for is its layer, owner and name: moved to another device, it does not open.

use std::sync::{Arc, PoisonError, RwLock};

use super::{Layer, Store, StoreError};
use crate::cipher::seal::{NONCE, SealError, SealingKey, id_of};
use crate::config::Sealing;
use crate::device::{MASK_IN_PROFILES, Secret, Values, VariableValue};

/// Keys of one file: those that are being replaced stay for a while.
const MOST: usize = 16;

/// How secrets are sealed and opened.
#[derive(Debug)]
pub(super) enum Sealer {
    /// Each one opens as a mask, for people.
    Masked,
    /// By keys, read when they are first needed.
    With(RwLock<Kept>),
}

/// Where the keys are, and the keys.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// None: no key is configured, and secrets are neither sealed nor opened.
    place: Option<Sealing>,
    keys: Option<Arc<[SealingKey]>>,
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
    /// By the keys of this place; without one, not at all.
    pub(super) fn of(sealing: Option<&Sealing>) -> Self {
        Self::With(RwLock::new(Kept { place: sealing.cloned(), keys: None }))
    }

    /// The same, whose keys are read when they are first needed.
    pub(super) fn twin(&self) -> Self {
        match self {
            Self::Masked => Self::Masked,
            Self::With(kept) => Self::of(kept.read().unwrap_or_else(PoisonError::into_inner).place.as_ref()),
        }
    }

    /// The keys, the one that seals first.
    pub(super) fn keys(&self) -> Result<Arc<[SealingKey]>, StoreError> {
        if let Self::With(kept) = self
            && let Some(keys) = kept.read().unwrap_or_else(PoisonError::into_inner).keys.clone()
        {
            return Ok(keys);
        }
        self.reread()?;
        let Self::With(kept) = self else { return Err(StoreError::NoSealingKey) };
        kept.read().unwrap_or_else(PoisonError::into_inner).keys.clone().ok_or(StoreError::NoSealingKey)
    }

    /// Reads the keys again; whether they are others.
    fn reread(&self) -> Result<bool, StoreError> {
        let Self::With(kept) = self else { return Ok(false) };
        let place = kept.read().unwrap_or_else(PoisonError::into_inner).place.clone();
        let keys = place.as_ref().map(read).transpose()?;
        let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
        // Another place may have been named meanwhile.
        Ok(kept.place == place && kept.take(keys))
    }

    /// Reads the keys of a place, which counts from now on; whether they are others than before.
    fn move_to(&self, place: Option<&Sealing>) -> Result<bool, StoreError> {
        let Self::With(kept) = self else { return Ok(false) };
        let keys = place.map(read).transpose()?;
        let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.place = place.cloned();
        Ok(kept.take(keys))
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

impl Kept {
    /// Takes over keys; whether they are others.
    fn take(&mut self, keys: Option<Arc<[SealingKey]>>) -> bool {
        let ids = |keys: &[SealingKey]| keys.iter().map(|key| key.id().to_owned()).collect::<Vec<_>>();
        let before = std::mem::replace(&mut self.keys, keys);
        before.as_deref().map(ids) != self.keys.as_deref().map(ids)
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

    /// Reads the keys of the secrets from where they are named now; whether they are others than before.
    ///
    /// # Errors
    /// They cannot be read, and those from before stay.
    pub fn reread_keys(&self, sealing: Option<&Sealing>) -> Result<bool, StoreError> {
        self.sealer.move_to(sealing)
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
