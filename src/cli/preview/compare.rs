//! One phone before and after: what its profiles say otherwise, with no secret in it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::profile::flat::{Compared, Difference, FlatProfile, Parameter, compare};
use crate::profile::lint::is_profile;
use crate::profile::mask;
use crate::profile::tree::{FileKind, Found};
use crate::provision::{Document, Named, Profile};
use crate::store::{Entry, KeyState, Store};

use super::places::Places;
use super::side::{Side, Subject};
use super::tally::{Content, Shift, Tally, of};

/// Files that are everybody's whose comparison is remembered.
const REMEMBERED: usize = 1000;

/// What stands for the text of a file that is no profile.
const TEXT: &str = "the file's text";

/// A phone that a change may touch.
#[derive(Debug)]
pub(crate) struct Case {
    /// As it is; none of one that the change adds.
    pub(crate) before: Option<Entry>,
    /// As it would be; none of one that goes.
    pub(crate) after: Option<Entry>,
    /// Its keys.
    pub(crate) keys: Vec<KeyState>,
    /// What it asks for, as far as anybody has seen.
    pub(crate) asks: Vec<String>,
}

/// Two servers, and where phones look.
#[derive(Debug)]
pub(crate) struct Comparison {
    store: Store,
    masked: Store,
    before: Side,
    after: Side,
    places: Places,
    /// What came of two files that are everybody's.
    common: Mutex<HashMap<[Arc<str>; 2], Outcome>>,
}

/// What came of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Same,
    /// Other bytes that say the same.
    Alike,
    Shifted(String, Vec<Shift>),
    New,
    Gained(String),
    Lost(String),
    /// Given neither before nor after.
    Never(String),
}

impl Comparison {
    /// Two servers over the same store.
    pub(crate) fn new(store: &Store, before: Side, after: Side) -> anyhow::Result<Self> {
        let mut places = Places::default();
        places.add(before.app.line.tree.root())?;
        if !Arc::ptr_eq(&before.app, &after.app) {
            places.add(after.app.line.tree.root())?;
        }
        Ok(Self { store: store.twin(), masked: store.masked_twin(), before, after, places, common: Mutex::default() })
    }

    /// Counts what becomes of these phones.
    pub(super) fn count(&self, cases: &[Case]) -> Tally {
        let mut tally = Tally::default();
        for case in cases {
            self.phone(case, &mut tally);
        }
        tally
    }

    /// What becomes of files that are everybody's.
    pub(super) fn common(&self) -> Vec<(String, Vec<Shift>)> {
        let read = |side: &Side, path: &str| side.app.line.tree.root().read(path, LONGEST).ok().map(|(bytes, _)| bytes);
        let files = self.places.common().filter_map(|path| {
            let (before, after) = (read(&self.before, path), read(&self.after, path));
            let shifts = if before == after { Vec::new() } else { literal(before.as_deref(), after.as_deref()) };
            (!shifts.is_empty()).then(|| (path.to_owned(), shifts))
        });
        files.collect()
    }

    fn phone(&self, case: &Case, tally: &mut Tally) {
        let subject =
            |side: &Side, entry: &Option<Entry>| Some(Subject::new(&self.store, side, entry.as_ref()?, &case.keys));
        let (before, after) = (subject(&self.before, &case.before), subject(&self.after, &case.after));
        let Some(known) = after.as_ref().or(before.as_ref()) else { return };
        tally.phones += 1;
        tally.new += usize::from(before.is_none());
        let is_one_tree = Arc::ptr_eq(&self.before.app, &self.after.app);
        if is_one_tree && before.as_ref().zip(after.as_ref()).is_some_and(|(before, after)| before.is_same(after)) {
            return;
        }
        let paths = match case.asks.as_slice() {
            [] => self.places.of(known.device(), known.known()).into_iter().collect(),
            asks => asks.to_vec(),
        };
        let name = known.device().name().to_string();
        let outcomes = paths.iter().map(|path| self.path(case, (before.as_ref(), after.as_ref()), path));
        let outcomes: Vec<Outcome> = outcomes.collect();
        Self::enter(tally, &name, outcomes);
    }

    fn enter(tally: &mut Tally, name: &str, outcomes: Vec<Outcome>) {
        let is_served = outcomes.iter().any(|outcome| !matches!(outcome, Outcome::Never(_)));
        let anonymous = |reason: String| reason.replace(name, "…");
        let (mut is_changed, mut is_alike) = (false, false);
        for outcome in outcomes {
            match outcome {
                Outcome::Alike => is_alike = true,
                Outcome::Shifted(file, shifts) => {
                    tally.shifted(&file, name, shifts);
                    is_changed = true;
                }
                Outcome::Gained(file) => {
                    of(&mut tally.gained, file).add(name);
                    is_changed = true;
                }
                Outcome::Lost(reason) => {
                    of(&mut tally.lost, anonymous(reason)).add(name);
                    is_changed = true;
                }
                Outcome::Never(reason) if !is_served => {
                    of(&mut tally.unserved, anonymous(reason)).add(name);
                    break;
                }
                Outcome::Same | Outcome::New | Outcome::Never(_) => {}
            }
        }
        tally.changed += usize::from(is_changed);
        if is_alike && !is_changed {
            tally.alike.add(name);
        }
    }

    fn path(&self, case: &Case, (before, after): (Option<&Subject>, Option<&Subject>), path: &str) -> Outcome {
        let gone = || Err("the device is removed".to_owned());
        let old = before.map(|subject| self.before.admit(subject, path));
        let new = after.map_or_else(gone, |subject| self.after.admit(subject, path));
        if let (Some(Ok(old)), Ok(new)) = (&old, &new)
            && is_everybodys(old)
            && is_everybodys(new)
        {
            return self.everybodys(old, new);
        }
        let draft = |side: &Side, profile: Profile| side.draft(&profile).map(|document| (profile, document));
        let old = old.map(|old| old.and_then(|profile| draft(&self.before, profile)));
        let new = new.and_then(|profile| draft(&self.after, profile));
        match (old, new) {
            (Some(Ok((_, old))), Ok((profile, new))) if old.bytes == new.bytes => {
                drop(profile);
                Outcome::Same
            }
            (Some(Ok((_, old))), Ok((profile, new))) => self.shifted(case, path, &profile, (&old, &new)),
            (None, Ok(_)) => Outcome::New,
            (Some(Err(_)), Ok((profile, _))) => Outcome::Gained(label(profile.grant().found())),
            (Some(Ok((profile, _))), Err(reason)) => {
                Outcome::Lost(format!("{}: {reason}", label(profile.grant().found())))
            }
            (None | Some(Err(_)), Err(reason)) => Outcome::Never(reason),
        }
    }

    /// How two documents of a phone differ; the values are those of the same profiles with masks in them.
    fn shifted(&self, case: &Case, path: &str, profile: &Profile, (old, new): (&Document, &Document)) -> Outcome {
        let masked = |side: &Side, entry: &Option<Entry>| {
            let subject = Subject::new(&self.masked, side, entry.as_ref()?, &case.keys);
            let profile = side.admit(&subject, path).ok()?;
            read(&side.draft(&profile).ok()?.bytes)
        };
        let file = label(profile.grant().found());
        let (Some(first), Some(second)) = (read(&old.bytes), read(&new.bytes)) else {
            return Outcome::Shifted(file, vec![text_differs()]);
        };
        let differences = compare(&first, &second, Compared::All);
        if differences.is_empty() {
            return Outcome::Alike;
        }
        let sides = [masked(&self.before, &case.before), masked(&self.after, &case.after)];
        Outcome::Shifted(file, shifts(&differences, &sides))
    }

    fn everybodys(&self, old: &Profile, new: &Profile) -> Outcome {
        let files = [old, new].map(|profile| profile.grant().found().file.clone());
        if Arc::ptr_eq(&self.before.app, &self.after.app) && files[0] == files[1] {
            return Outcome::Same;
        }
        let known = || self.common.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outcome) = known().get(&files) {
            return outcome.clone();
        }
        let outcome = match (self.before.draft(old), self.after.draft(new)) {
            (Ok(old), Ok(new)) if old.bytes == new.bytes => Outcome::Same,
            (Ok(old), Ok(new)) => match literal(Some(&old.bytes), Some(&new.bytes)) {
                shifts if shifts.is_empty() => Outcome::Alike,
                shifts => Outcome::Shifted(files[1].to_string(), shifts),
            },
            (Err(_), Ok(_)) => Outcome::Gained(files[1].to_string()),
            (Ok(_), Err(reason)) => Outcome::Lost(format!("{}: {reason}", files[0])),
            (Err(_), Err(reason)) => Outcome::Never(reason),
        };
        let mut known = known();
        if known.len() < REMEMBERED {
            known.insert(files, outcome.clone());
        }
        outcome
    }
}

/// The longest file that is compared (bytes), as what the server renders.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Whether it is a file that is served as it stands, whoever asks.
fn is_everybodys(profile: &Profile) -> bool {
    let found = profile.grant().found();
    found.kind == FileKind::Literal && Named::of(found) == Named::Nobody
}

/// What a file is called that other phones have as well: a phone's own, by the macro of its address.
fn label(found: &Found) -> String {
    let file = found.file.to_string();
    match Named::of(found) {
        Named::Device { mac: Some(mac), .. } if found.kind == FileKind::Literal => {
            let shown = file.replace(&mac.ma(), "$MA");
            if shown == file { file.replace(&mac.ma().to_ascii_uppercase(), "$MAU") } else { shown }
        }
        _ => file,
    }
}

fn read(bytes: &[u8]) -> Option<FlatProfile> {
    is_profile(bytes).then(|| FlatProfile::read(bytes).ok()).flatten()
}

fn text_differs() -> Shift {
    Shift { parameter: TEXT.to_owned(), before: None, after: None }
}

/// How two files differ whose secrets stand in clear in them: only the names of parameters tell which they are.
fn literal(before: Option<&[u8]>, after: Option<&[u8]>) -> Vec<Shift> {
    let profile = |bytes: Option<&[u8]>| bytes.map_or(Some(FlatProfile::default()), read);
    match (profile(before), profile(after)) {
        (Some(first), Some(second)) => {
            let differences = compare(&first, &second, Compared::All);
            shifts(&differences, &[Some(first), Some(second)])
        }
        _ => vec![text_differs()],
    }
}

/// The differences with values that people may see: as the masked profiles have them, and masked by their names again.
fn shifts(differences: &[Difference], masked: &[Option<FlatProfile>; 2]) -> Vec<Shift> {
    let of_side = |profile: &Option<FlatProfile>| -> HashMap<String, Content> {
        let parameters = profile.iter().flat_map(|profile| &profile.parameters);
        parameters.map(|parameter| (parameter.key(), content(parameter))).collect()
    };
    let sides = [of_side(&masked[0]), of_side(&masked[1])];
    let mut shifts: Vec<Shift> = differences
        .iter()
        .map(|difference| {
            let (old, new) = match difference {
                Difference::Gone(old) => (Some(old), None),
                Difference::New(new) => (None, Some(new)),
                Difference::Changed(old, new) => (Some(old), Some(new)),
            };
            let parameter = new.or(old).map(Parameter::key).unwrap_or_default();
            let value = |side: usize| sides[side].get(&parameter).cloned().unwrap_or_else(unseen);
            let (before, after) = (old.map(|_| value(0)), new.map(|_| value(1)));
            Shift { parameter, before, after }
        })
        .collect();
    shifts.sort();
    shifts
}

/// Of a profile that cannot be made with masks.
fn unseen() -> Content {
    Content { value: mask::MASK.to_owned(), access: None }
}

fn content(parameter: &Parameter) -> Content {
    let value = mask::masked(parameter.name(), parameter.value()).into_owned();
    Content { value, access: parameter.user_access().map(str::to_owned) }
}
