//! A profile's bytes on their way, and the store of those that were finished before.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use super::Profile;
use crate::metrics::CacheMetrics;
use crate::profile::macros::Macros;
use crate::profile::template::Source;
use crate::profile::tree::Tree;

/// Bytes on their way through the line, and what they were made from.
#[derive(Debug)]
pub struct Document {
    /// The profile, so far.
    pub bytes: Bytes,
    /// Every file it was made from: while their stamps hold, the bytes do.
    pub sources: Vec<Source>,
    /// When the newest of its sources was written.
    pub modified: SystemTime,
    /// When the first of them was read.
    pub read: SystemTime,
}

/// A finished document with its entity tag.
#[derive(Debug)]
pub struct Finished {
    /// What is sent.
    pub bytes: Bytes,
    /// A strong validator: a hash of the bytes (RFC 9110 §8.8.3), with its quotes.
    pub tag: String,
    /// For `Last-Modified`.
    pub modified: SystemTime,
    sources: Vec<Source>,
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
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    file: String,
    macros: Macros,
    rule: usize,
    coding: Coding,
}

/// Finished documents, bounded in bytes. Unchanged input gives the very same bytes; a changed file is noticed by its
/// stamp, at every request.
#[derive(Debug)]
pub struct Documents {
    cache: Cache<Key, Arc<Finished>>,
    metrics: CacheMetrics,
}

impl Documents {
    /// Keeps at the most `size` bytes.
    #[must_use]
    pub fn new(size: u64, metrics: CacheMetrics) -> Self {
        let weight = |key: &Key, document: &Arc<Finished>| {
            let sources: usize = document.sources.iter().map(|source| source.file.len() + 96).sum();
            u32::try_from(document.bytes.len() + key.file.len() + sources + 256).unwrap_or(u32::MAX)
        };
        Self { cache: Cache::builder().max_capacity(size).weigher(weight).build(), metrics }
    }

    /// The finished document of this profile, if every file it was made from is still the same.
    #[must_use]
    pub fn current(&self, tree: &Tree, profile: &Profile) -> Option<Arc<Finished>> {
        let finished = self.cache.get(&Key::of(profile))?;
        let found = profile.grant().found();
        let holds = |source: &Source| {
            if source.file == found.file {
                return source.stamp == found.stamp;
            }
            matches!(tree.root().stamp(&source.file), Ok(Some(stamp)) if stamp == source.stamp)
        };
        let current = finished.sources.iter().all(holds).then_some(finished);
        self.metrics.hits.inc_by(current.is_some().into());
        current
    }

    /// Takes a finished document in; one whose files were written a moment ago is sent but not kept, since a second
    /// change may hide behind the same stamp.
    pub fn keep(&self, profile: &Profile, document: Document) -> Arc<Finished> {
        self.metrics.misses.inc();
        let settled = document.sources.iter().all(|source| source.stamp.is_settled(document.read));
        let finished = Arc::new(Finished::new(document));
        if settled {
            self.cache.insert(Key::of(profile), finished.clone());
        }
        finished
    }
}

impl Key {
    fn of(profile: &Profile) -> Self {
        let found = profile.grant().found();
        Self {
            file: found.file.clone(),
            macros: found.macros.clone(),
            rule: profile.grant().treatment().place,
            coding: profile.coding(),
        }
    }
}

impl Finished {
    fn new(document: Document) -> Self {
        let hash = Sha256::digest(&document.bytes);
        let tag = HEXLOWER.encode(&hash[..12]);
        let Document { bytes, sources, modified, .. } = document;
        Self { bytes, tag: format!("\"{tag}\""), modified, sources }
    }
}
