//! The tree of profiles: which file a path means.
//!
//! Nothing is registered. A path is looked up segment by segment, and in each folder the names are tried in this order:
//! the name as it was asked for; the same name in other case; then the names with macros, in the order of
//! [`Name::rank`]. The first file found this way, from the left, is the answer. A folder's names are read once and again
//! when the folder's own stamp changes, so a look-up costs a few `stat` calls however many files there are.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use super::macros::Macros;
use super::name::{Name, Star};
use super::path::RequestPath;
use super::root::{Kind, Root, Stamp};

/// Folders whose names are remembered; past that they are forgotten all at once.
const FOLDERS_KEPT: usize = 16_384;

/// Folders that one look-up may visit: sixteen segments with a few macro names each stay far below.
const FOLDERS_VISITED: usize = 256;

/// The tree below the profile folder.
#[derive(Debug)]
pub struct Tree {
    root: Arc<Root>,
    folders: RwLock<HashMap<String, Arc<Folder>>>,
}

/// The file that a path means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The file, relative to the profile folder, as it is written there.
    pub file: Arc<str>,
    /// Its stamp.
    pub stamp: Stamp,
    /// A literal file is served byte for byte; a file with a macro in its path is a template.
    pub kind: FileKind,
    /// What the macros of the file's path stand for.
    pub macros: Macros,
    /// The path asked for this file with `.gz` appended.
    pub gz: bool,
}

/// Whether a file's content is served as it stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FileKind {
    /// Served byte for byte.
    Literal,
    /// Rendered for the device.
    Template,
    /// No file: what the phone's own certificate says, as a profile.
    Reflection,
    /// No file: the path takes in what a phone sends.
    Upload,
}

/// What of a folder's content a look-up needs beside the file system itself: a literal name is found by `stat`.
#[derive(Debug)]
struct Folder {
    stamp: Stamp,
    settled: bool,
    /// Names with upper-case letters, by their lower-case form.
    odd: HashMap<String, Vec<String>>,
    /// Names with macros, in order of rank.
    named: Vec<Name>,
}

impl Found {
    /// What stands for the reflector, which no folder has.
    #[must_use]
    pub fn reflection() -> Self {
        let file = "the reflector.xml".into();
        Self { file, stamp: Stamp::of_nothing(), kind: FileKind::Reflection, macros: Macros::default(), gz: false }
    }

    /// What stands for a path that takes uploads, which no folder has.
    #[must_use]
    pub fn upload(path: &RequestPath) -> Self {
        let file = path.shared();
        Self { file, stamp: Stamp::of_nothing(), kind: FileKind::Upload, macros: Macros::default(), gz: false }
    }
}

impl Tree {
    /// The tree below `root`; nothing of it is read yet.
    #[must_use]
    pub fn new(root: Arc<Root>) -> Self {
        Self { root, folders: RwLock::default() }
    }

    /// The folder that the tree stands in.
    #[must_use]
    pub fn root(&self) -> &Arc<Root> {
        &self.root
    }

    /// The file that `path` means; `None` when there is none. Without one, `/x.cfg.gz` means `/x.cfg` compressed.
    ///
    /// # Errors
    /// The file system fails, or a folder is a link out of the tree.
    pub fn find(&self, path: &RequestPath) -> io::Result<Option<Found>> {
        if let Some(found) = self.find_plain(path)? {
            return Ok(Some(found));
        }
        let Some(plain) = path.without_gz() else {
            return Ok(None);
        };
        Ok(self.find_plain(&plain)?.map(|found| Found { gz: true, ..found }))
    }

    fn find_plain(&self, path: &RequestPath) -> io::Result<Option<Found>> {
        // An all-literal path beats every other, so one `stat` settles the commonest case.
        if !path.as_str().contains('$')
            && let Some(stamp) = self.root.stamp(path.as_str())?
            && stamp.kind() == Kind::File
        {
            let file = path.shared();
            let found = Found { file, stamp, kind: FileKind::Literal, macros: Macros::default(), gz: false };
            return Ok(Some(found));
        }
        let segments: Vec<&str> = path.segments().collect();
        let mut visits = FOLDERS_VISITED;
        let tried = !path.as_str().contains('$');
        let start = Step { folder: String::new(), macros: Macros::default(), kind: FileKind::Literal, tried };
        self.descend(&start, &segments, &mut visits)
    }

    fn descend(&self, at: &Step, segments: &[&str], visits: &mut usize) -> io::Result<Option<Found>> {
        let Some((segment, rest)) = segments.split_first() else {
            return Ok(None);
        };
        if *visits == 0 {
            return Err(io::Error::other(format!("more than {FOLDERS_VISITED} folders could hold this path")));
        }
        *visits -= 1;
        // The name as it was asked for comes first and needs no knowledge of the others.
        if let Some(step) = at.literal(segment)
            && let Some(found) = self.enter(step, rest, visits)?
        {
            return Ok(Some(found));
        }
        let Some(folder) = self.folder(&at.folder)? else {
            return Ok(None);
        };
        for step in at.others(&folder, segment) {
            if let Some(found) = self.enter(step, rest, visits)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn enter(&self, step: Step, rest: &[&str], visits: &mut usize) -> io::Result<Option<Found>> {
        if !rest.is_empty() {
            return self.descend(&step, rest, visits);
        }
        if step.tried {
            return Ok(None);
        }
        let stamp = self.root.stamp(&step.folder)?.filter(|stamp| stamp.kind() == Kind::File);
        let Step { folder: file, macros, kind, .. } = step;
        Ok(stamp.map(|stamp| Found { file: file.into(), stamp, kind, macros, gz: false }))
    }

    /// What is known of a folder, read anew when its stamp is another; `None` when there is no such folder.
    fn folder(&self, path: &str) -> io::Result<Option<Arc<Folder>>> {
        let Some(stamp) = self.root.stamp(path)? else {
            return Ok(None);
        };
        if stamp.kind() != Kind::Folder {
            return Ok(None);
        }
        let known = self.folders.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(path).cloned();
        if let Some(folder) = known.filter(|folder| folder.settled && folder.stamp == stamp) {
            return Ok(Some(folder));
        }
        let now = SystemTime::now();
        let Some((entries, stamp)) = self.root.list(path)? else {
            return Ok(None);
        };
        let folder = Arc::new(Folder::read(entries.into_iter().map(|entry| entry.name), stamp, now));
        let mut folders = self.folders.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if folders.len() >= FOLDERS_KEPT {
            folders.clear();
        }
        folders.insert(path.to_owned(), folder.clone());
        Ok(Some(folder))
    }
}

/// How far a look-up has come: the path on disk, and what its macros stand for.
struct Step {
    folder: String,
    macros: Macros,
    kind: FileKind,
    /// All names so far are as they were asked for, and the whole path has been tried that way.
    tried: bool,
}

impl Step {
    /// To the name as it was asked for; `None` for a macro's own text, which is no name that a phone asks for: `/$MA.cfg`
    /// would hand out the template of all phones.
    fn literal(&self, name: &str) -> Option<Step> {
        if name.contains('$') && !Name::parse(name, Star::Literal).is_literal() {
            return None;
        }
        Some(Step { folder: self.below(name), macros: self.macros.clone(), kind: self.kind, tried: self.tried })
    }

    /// Where else `segment` may lead from here, in the order in which it is tried.
    fn others<'a>(&'a self, folder: &'a Folder, segment: &'a str) -> impl Iterator<Item = Step> + 'a {
        let lower = segment.to_ascii_lowercase();
        let odd = folder.odd.get(&lower).into_iter().flatten().filter(move |name| *name != segment);
        let lower = Some(lower).filter(|lower| lower != segment);
        let cases = lower.into_iter().chain(odd.cloned());
        let cases = cases.filter_map(|name| Some(Step { tried: false, ..self.literal(&name)? }));
        let named = folder.named.iter().filter_map(move |name| {
            let macros = name.matches(segment, &self.macros)?;
            Some(Step { folder: self.below(name.as_str()), macros, kind: FileKind::Template, tried: false })
        });
        cases.chain(named)
    }

    fn below(&self, name: &str) -> String {
        if self.folder.is_empty() { name.to_owned() } else { format!("{}/{name}", self.folder) }
    }
}

impl Folder {
    fn read(entries: impl Iterator<Item = String>, stamp: Stamp, now: SystemTime) -> Self {
        let mut odd: HashMap<String, Vec<String>> = HashMap::new();
        let mut named: Vec<Name> = Vec::new();
        for text in entries.filter(|name| !name.starts_with(['.', '_'])) {
            let name = Name::parse(&text, Star::Literal);
            if !name.is_literal() {
                // A name that can be read in two ways is never served; `check` tells of it.
                if name.check().is_ok() {
                    named.push(name);
                }
            } else if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
                odd.entry(text.to_ascii_lowercase()).or_default().push(text);
            }
        }
        for names in odd.values_mut() {
            names.sort();
        }
        named.sort_by(|a, b| a.rank().cmp(&b.rank()));
        Self { stamp, settled: stamp.is_settled(now), odd, named }
    }
}

#[cfg(test)]
mod tests;
