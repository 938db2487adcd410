//! The tree of profiles: which file a path means.
//!
//! Nothing is registered. A path is looked up segment by segment, and in each folder the names are tried in this order:
//! the name as it was asked for; the same name in other case; then the names with macros, in the order of
//! [`Name::rank`]. The first file found this way, from the left, is the answer. A folder's names are read once and again
//! when the folder's own stamp changes; those of a crowded one once, and then name by name, as the kernel tells. So a look-up
//! costs a few `stat` calls however many files there are.

mod crowd;
mod folder;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use self::crowd::Crowd;
use self::folder::{Candidates, Folder};
use super::macros::Macros;
use super::name::{Name, Star};
use super::path::RequestPath;
use super::root::{Kind, Root, Stamp};

/// Folders whose names are remembered; past that they are forgotten all at once.
const FOLDERS_KEPT: usize = 16_384;

/// Crowded folders that are followed: the kernel allows a user 128 queues in all.
const CROWDS: usize = 32;

/// Folders that one look-up may visit: sixteen segments with a few macro names each stay far below.
const FOLDERS_VISITED: usize = 256;

/// The tree below the profile folder.
#[derive(Debug)]
pub struct Tree {
    root: Arc<Root>,
    folders: RwLock<HashMap<String, Known>>,
    /// Held by who reads a crowded folder: the others wait for what it finds.
    reading: Mutex<()>,
}

/// What is known of a folder.
#[derive(Debug, Clone)]
enum Known {
    /// Its names, as long as its stamp holds.
    Read(Arc<Folder>),
    /// Its names, kept as the kernel tells.
    Followed(Arc<Crowd>),
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
        Self { root, folders: RwLock::default(), reading: Mutex::default() }
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
        let Some(candidates) = self.candidates(&at.folder, &segment.to_ascii_lowercase())? else {
            return Ok(None);
        };
        for step in at.others(&candidates, segment) {
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

    /// The names of a folder that a segment with this lower-case form may mean; `None` when there is no such folder.
    fn candidates(&self, path: &str, lower: &str) -> io::Result<Option<Candidates>> {
        let Some(stamp) = self.root.stamp(path)?.filter(|stamp| stamp.kind() == Kind::Folder) else {
            return Ok(None);
        };
        let known = self.known(path);
        if let Some(candidates) = known.as_ref().and_then(|known| self.still(known, &stamp, lower)) {
            return Ok(Some(candidates));
        }
        match known {
            Some(Known::Read(folder)) if !folder.is_crowded => self.read(path, lower),
            Some(Known::Read(_) | Known::Followed(_)) => self.read_crowd(path, lower),
            None => self.read(path, lower),
        }
    }

    /// What is known of a folder, if it holds for a folder of this stamp.
    fn still(&self, known: &Known, stamp: &Stamp, lower: &str) -> Option<Candidates> {
        match known {
            Known::Read(folder) if folder.is_settled && folder.stamp == *stamp => Some(folder.names.candidates(lower)),
            Known::Followed(crowd) if crowd.inode() == stamp.inode() => crowd.candidates(&self.root, lower).ok(),
            Known::Read(_) | Known::Followed(_) => None,
        }
    }

    fn read(&self, path: &str, lower: &str) -> io::Result<Option<Candidates>> {
        let now = SystemTime::now();
        let Some((entries, stamp)) = self.root.list(path)? else {
            return Ok(None);
        };
        let folder = Folder::read(entries, stamp, now);
        let candidates = folder.names.candidates(lower);
        self.learn(path, Known::Read(Arc::new(folder)));
        Ok(Some(candidates))
    }

    /// Reads a folder that was crowded the last time, and follows it if that is possible.
    fn read_crowd(&self, path: &str, lower: &str) -> io::Result<Option<Candidates>> {
        let _turn = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have read it while this one waited.
        let Some(stamp) = self.root.stamp(path)? else {
            return Ok(None);
        };
        if let Some(candidates) = self.known(path).and_then(|known| self.still(&known, &stamp, lower)) {
            return Ok(Some(candidates));
        }
        // Whatever the kernel has against it: what is read each time needs no following.
        let crowd =
            if self.has_room_for_a_crowd() { Crowd::follow(&self.root, path).unwrap_or_default() } else { None };
        let Some(crowd) = crowd else {
            return self.read(path, lower);
        };
        let Ok(candidates) = crowd.candidates(&self.root, lower) else {
            return self.read(path, lower);
        };
        self.learn(path, Known::Followed(Arc::new(crowd)));
        Ok(Some(candidates))
    }

    /// Whether one more may be followed; crowds that are no more leave their places.
    fn has_room_for_a_crowd(&self) -> bool {
        let mut folders = self.folders.write().unwrap_or_else(PoisonError::into_inner);
        let crowds =
            |folders: &HashMap<_, Known>| folders.values().filter(|known| matches!(known, Known::Followed(_))).count();
        if crowds(&folders) < CROWDS {
            return true;
        }
        folders.retain(|_, known| match known {
            Known::Followed(crowd) => crowd.stands(&self.root),
            Known::Read(_) => true,
        });
        crowds(&folders) < CROWDS
    }

    fn known(&self, path: &str) -> Option<Known> {
        self.folders.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    fn learn(&self, path: &str, known: Known) {
        let mut folders = self.folders.write().unwrap_or_else(PoisonError::into_inner);
        if folders.len() >= FOLDERS_KEPT {
            folders.clear();
        }
        folders.insert(path.to_owned(), known);
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
    fn others<'a>(&'a self, candidates: &'a Candidates, segment: &'a str) -> impl Iterator<Item = Step> + 'a {
        let lower = Some(segment.to_ascii_lowercase()).filter(|lower| lower != segment);
        let odd = candidates.odd.iter().filter(move |name| *name != segment).cloned();
        let cases = lower.into_iter().chain(odd);
        let cases = cases.filter_map(|name| Some(Step { tried: false, ..self.literal(&name)? }));
        let named = candidates.named.iter().filter_map(move |name| {
            let macros = name.matches(segment, &self.macros)?;
            Some(Step { folder: self.below(name.as_str()), macros, kind: FileKind::Template, tried: false })
        });
        cases.chain(named)
    }

    fn below(&self, name: &str) -> String {
        below(&self.folder, name)
    }
}

/// The path of a name in a folder.
fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests;
