//! A profile's bytes on their way, and the store of those that were finished before.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::{ContentHash, Profile, Validators};
use crate::certificate::Fingerprint;
use crate::device::Under;
use crate::metrics::CacheMetrics;
use crate::profile::macros::Macros;
use crate::profile::root::{Inode, Root, Stamp};
use crate::profile::template::Source;
use crate::profile::tree::{FileKind, Found, Tree};

/// Bytes on their way through the line, and what they were made from.
#[derive(Debug)]
pub struct Document {
    /// The profile, so far.
    pub bytes: Bytes,
    /// Every file it was made from: while their stamps hold, the bytes do.
    pub sources: Vec<Source>,
    /// When the last of its sources came to be what it is.
    pub modified: SystemTime,
    /// When the first of them was read.
    pub read: SystemTime,
    /// How the bytes are compressed.
    pub coding: Coding,
    /// They hang on the phone's certificate, or on there being none: nobody else's are the same.
    pub is_personal: bool,
}

/// A finished document with its validators.
#[derive(Debug)]
pub struct Finished {
    /// What is sent.
    pub bytes: Bytes,
    /// How it is compressed, which may be less than was wanted: nothing is compressed twice.
    pub coding: Coding,
    /// A hash of the bytes, and when their newest source was written.
    pub validators: Validators,
    /// A hash of the content as the phone reads it, however it is compressed and encrypted.
    pub version: ContentHash,
    own: Option<Stamp>,
    others: Box<[Source]>,
}

/// Whether and how a profile is compressed; never twice on one response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// Not at all.
    Identity,
    /// As a gzip file, which the phone recognises by its header.
    GzipFile,
    /// As `Content-Encoding: gzip`, which the client's HTTP library undoes.
    GzipTransport,
}

/// Everything that the bytes depend on beside the files they are made from and the configuration, whose store this is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    /// A literal file in clear: no macro and no device changes its bytes. There may be many of them, and few in the
    /// processor's cache: such a key is small, and compared where it stands.
    Literal(Literal),
    /// What is made for a device, or under its key.
    Made(Box<Made>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Literal {
    inode: Inode,
    /// The hash of its path: another name of the same file may be a link that leads out of the folder, and is opened first.
    name: u64,
    rule: usize,
    coding: Coding,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Made {
    file: Arc<str>,
    macros: Macros,
    /// What the device's variables are, where they count.
    device: Option<[u8; 16]>,
    /// Which of the device's own keys they are under.
    under: Option<Under>,
    rule: usize,
    coding: Coding,
    owner: Owner,
}

/// Whose certificate the bytes hang on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Owner {
    /// Nobody's: they are the same with and without any.
    All,
    /// On there being none.
    Without,
    /// On this one.
    Of(Fingerprint),
}

/// A [`Key`], borrowed for a look-up: it hashes alike.
#[derive(Hash)]
enum KeyOf<'a> {
    Literal(Literal),
    Made(MadeOf<'a>),
}

#[derive(Hash)]
struct MadeOf<'a> {
    file: &'a Arc<str>,
    macros: &'a Macros,
    device: Option<[u8; 16]>,
    under: Option<Under>,
    rule: usize,
    coding: Coding,
    owner: Owner,
}

/// What a profile takes, for the size of the cache's tables (bytes).
const TYPICAL: u64 = 4096;

/// Bytes that an entry takes.
#[derive(Debug, Clone)]
struct Weight;

/// Finished documents, bounded in bytes. Unchanged input gives the very same bytes; a changed file is noticed by its
/// stamp, at every request.
#[derive(Debug)]
pub struct Documents {
    cache: Cache<Key, Arc<Finished>, Weight>,
    /// Hashes names.
    names: RandomState,
    metrics: CacheMetrics,
}

impl Documents {
    /// Keeps at the most `size` bytes.
    #[must_use]
    pub fn new(size: u64, metrics: CacheMetrics) -> Self {
        let entries = usize::try_from(size / TYPICAL).unwrap_or(usize::MAX);
        Self { cache: Cache::with_weighter(entries, size, Weight), names: RandomState::new(), metrics }
    }

    /// The finished document of this profile, if every file it was made from is still the same.
    #[must_use]
    pub fn current(&self, tree: &Tree, profile: &Profile) -> Option<Arc<Finished>> {
        // What looks at no certificate is the same for all of them; what does has been kept for each by itself.
        let is_made = profile.grant().found().kind != FileKind::Literal;
        let kept = |owner| self.cache.get(&KeyOf::new(profile, owner, &self.names));
        let finished = kept(Owner::All).or_else(|| is_made.then(|| kept(Owner::of(profile))).flatten())?;
        let current = finished.holds(tree, profile.grant().found()).then_some(finished);
        self.metrics.hits.inc_by(current.is_some().into());
        current
    }

    /// Takes a finished document in; one whose files were written a moment ago is sent but not kept, since a second
    /// change may hide behind the same stamp.
    pub fn keep(&self, profile: &Profile, document: Document, version: ContentHash) -> Arc<Finished> {
        self.metrics.misses.inc();
        let settled =
            document.sources.iter().filter_map(|source| source.stamp).all(|stamp| stamp.is_settled(document.read));
        let owner = if document.is_personal { Owner::of(profile) } else { Owner::All };
        let finished = Arc::new(Finished::new(profile, document, version));
        if settled {
            self.cache.insert(KeyOf::new(profile, owner, &self.names).to_owned(), finished.clone());
        }
        finished
    }
}

impl Owner {
    fn of(profile: &Profile) -> Self {
        profile.grant().certificate().map_or(Self::Without, |certificate| Self::Of(certificate.fingerprint))
    }
}

impl<'a> KeyOf<'a> {
    fn new(profile: &'a Profile, owner: Owner, names: &RandomState) -> Self {
        let (found, treatment) = (profile.grant().found(), profile.grant().treatment());
        let (rule, coding) = (treatment.place, profile.coding());
        // A template is rendered with the macros and the device, and a key may be made from them.
        let is_encrypted = treatment.encryption.is_some();
        if found.kind == FileKind::Literal && !is_encrypted {
            let name = names.hash_one(&found.file);
            return Self::Literal(Literal { inode: found.stamp.inode(), name, rule, coding });
        }
        let counts = found.kind == FileKind::Template || is_encrypted;
        let device = profile.grant().device().filter(|_| counts).map(|known| known.print());
        let under = profile.grant().under();
        Self::Made(MadeOf { file: &found.file, macros: &found.macros, device, under, rule, coding, owner })
    }

    fn to_owned(&self) -> Key {
        match self {
            Self::Literal(literal) => Key::Literal(*literal),
            Self::Made(made) => Key::Made(Box::new(Made {
                file: made.file.clone(),
                macros: made.macros.clone(),
                device: made.device,
                under: made.under,
                rule: made.rule,
                coding: made.coding,
                owner: made.owner,
            })),
        }
    }
}

impl Equivalent<Key> for KeyOf<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        match (self, key) {
            (Self::Literal(literal), Key::Literal(other)) => literal == other,
            (Self::Made(made), Key::Made(other)) => made.is(other),
            (Self::Literal(_), Key::Made(_)) | (Self::Made(_), Key::Literal(_)) => false,
        }
    }
}

impl MadeOf<'_> {
    fn is(&self, key: &Made) -> bool {
        let Made { file, macros, device, under, rule, coding, owner } = key;
        let alike = self.file == file && self.macros == macros && self.device == *device;
        alike && self.under == *under && self.rule == *rule && self.coding == *coding && self.owner == *owner
    }
}

impl Weighter<Key, Arc<Finished>> for Weight {
    fn weight(&self, key: &Key, document: &Arc<Finished>) -> u64 {
        let sources: usize = document.others.iter().map(|source| source.file.len() + 96).sum();
        let name = match key {
            Key::Literal(_) => 0,
            Key::Made(made) => made.file.len(),
        };
        (document.bytes.len() + name + sources + 512) as u64
    }
}

impl Finished {
    fn new(profile: &Profile, document: Document, version: ContentHash) -> Self {
        let Document { bytes, sources, modified, coding, is_personal, .. } = document;
        let is_encrypted = profile.grant().treatment().encryption.is_some();
        let is_plain = coding == Coding::Identity && !is_encrypted;
        let tag = if is_plain { version } else { ContentHash::of(&bytes) };
        let (bytes, validators) = Validators::beside(&tag.to_string(), modified, &bytes);
        // When files were written says nothing of the key, nor of whose certificate it was.
        let validators = if is_encrypted || is_personal { validators.by_tag_alone() } else { validators };
        let file = &profile.grant().found().file;
        let own = sources.iter().find(|source| source.file == **file).and_then(|source| source.stamp);
        let others = sources.into_iter().filter(|source| source.file != **file).collect();
        Self { bytes, coding, validators, version, own, others }
    }

    /// Whether no link leads to any file that it was made from, or that a template looked for.
    pub(super) fn is_direct(&self, root: &Root, found: &Found) -> bool {
        root.is_direct(&found.file) && self.others.iter().all(|source| root.is_direct(&source.file))
    }

    /// Whether every file it was made from is still the same; the look-up has brought the stamp of the file asked for.
    fn holds(&self, tree: &Tree, found: &Found) -> bool {
        self.own == Some(found.stamp) && self.others.iter().all(|source| source.holds(tree.root()))
    }
}
