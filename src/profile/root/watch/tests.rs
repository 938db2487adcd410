//! A remembered stamp is always the one that a look would give.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::super::{Root, asked};
use super::*;

fn watched() -> (TempDir, Root) {
    let folder = tempfile::tempdir().expect("a folder");
    for path in ["a/x", "a/y", "b/x", "c/d/x"] {
        write(&folder.path().join(path), "1");
    }
    let root = Root::open(folder.path()).expect("the folder").watched(asked);
    (folder, root)
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
    fs::write(path, text).expect("a file");
}

fn remembered(root: &Root) -> usize {
    let watches = root.watches.as_ref().expect("queues");
    watches.0.iter().map(|memory| memory.lock().expect("no panic").stamps.len()).sum()
}

#[test]
fn what_stands_still_is_looked_at_once() {
    let (folder, root) = watched();
    for _ in 0..2 {
        for path in ["a/x", "a/none", "", "a"] {
            root.stamp(path).expect("a look");
        }
    }
    assert_eq!(remembered(&root), 4, "two files, of which one is not there, and two folders");

    write(&folder.path().join("b/x"), "22");
    assert_eq!(root.stamp("b/x").expect("a look").map(|stamp| stamp.size()), Some(2), "in a folder not yet watched");
    fs::write(folder.path().join("a/x"), "333").expect("written");
    assert_eq!(root.stamp("a/x").expect("a look").map(|stamp| stamp.size()), Some(3));
    assert_eq!(remembered(&root), 1, "one change is reason to forget all");
}

#[test]
fn what_may_change_without_a_word_is_never_remembered() {
    let (folder, root) = watched();
    let at = |path: &str| folder.path().join(path);
    symlink("a/x", at("link")).expect("a link");
    symlink("a", at("way")).expect("a link");
    fs::hard_link(at("a/y"), at("b/y")).expect("a second name");
    for path in ["link", "way/x", "a/y", "b/y"] {
        for _ in 0..2 {
            root.stamp(path).expect("a look");
        }
    }
    assert_eq!(remembered(&root), 0);
}

#[test]
fn a_stamp_is_believed_for_a_while_only() {
    let (_folder, root) = watched();
    root.stamp("a/x").expect("a look");
    let watches = root.watches.as_ref().expect("queues");
    let mut memory = watches.mine().lock().expect("no panic");
    assert_eq!(memory.stamps.len(), 1);
    memory.since = now() - BELIEVED;
    assert!(memory.is_quiet());
    assert_eq!(memory.stamps.len(), 0);
}

/// Something that a person, an editor, or a program that puts profiles there does.
#[derive(Debug, Clone)]
enum Act {
    Write(usize, u8),
    Append(usize),
    Replace(usize, usize),
    Remove(usize),
    Link(usize, usize),
    SecondName(usize, usize),
    MoveFolder(usize, usize),
    RemoveFolder(usize),
    Age(usize),
    Look(usize),
}

const FILES: [&str; 6] = ["a/x", "a/y", "b/x", "c/d/x", "x", "a/e/x"];
const FOLDERS: [&str; 5] = ["a", "b", "c", "c/d", "a/e"];

fn act() -> impl Strategy<Value = Act> {
    let file = 0..FILES.len();
    let folder = 0..FOLDERS.len();
    prop_oneof![
        2 => (file.clone(), any::<u8>()).prop_map(|(file, size)| Act::Write(file, size)),
        1 => file.clone().prop_map(Act::Append),
        1 => (file.clone(), file.clone()).prop_map(|(from, to)| Act::Replace(from, to)),
        1 => file.clone().prop_map(Act::Remove),
        1 => (file.clone(), file.clone()).prop_map(|(to, at)| Act::Link(to, at)),
        1 => (file.clone(), file.clone()).prop_map(|(of, at)| Act::SecondName(of, at)),
        1 => (folder.clone(), folder.clone()).prop_map(|(from, to)| Act::MoveFolder(from, to)),
        1 => folder.prop_map(Act::RemoveFolder),
        1 => file.clone().prop_map(Act::Age),
        4 => file.prop_map(Act::Look),
    ]
}

impl Act {
    /// What cannot be done is no concern of the test.
    fn carry_out(&self, folder: &Path) {
        let file = |place: usize| folder.join(FILES[place]);
        let result = match *self {
            Self::Write(at, size) => fs::write(file(at), vec![b'x'; size.into()]),
            Self::Append(at) => {
                fs::read(file(at)).and_then(|text| fs::write(file(at), [text, b"more".into()].concat()))
            }
            Self::Replace(from, to) => fs::rename(file(from), file(to)),
            Self::Remove(at) => fs::remove_file(file(at)),
            Self::Link(to, at) => symlink(file(to), file(at)),
            Self::SecondName(of, at) => fs::hard_link(file(of), file(at)),
            Self::MoveFolder(from, to) => fs::rename(folder.join(FOLDERS[from]), folder.join(FOLDERS[to]))
                .and_then(|()| fs::create_dir_all(folder.join(FOLDERS[from]))),
            Self::RemoveFolder(at) => fs::remove_dir_all(folder.join(FOLDERS[at])),
            Self::Age(at) => fs::File::options()
                .append(true)
                .open(file(at))
                .and_then(|file| file.set_modified(std::time::UNIX_EPOCH)),
            Self::Look(_) => Ok(()),
        };
        drop(result);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_watched_folder_gives_the_stamps_that_a_look_gives(acts in prop::collection::vec(act(), 1..40)) {
        let (folder, root) = watched();
        let plain = Root::open(folder.path()).expect("the folder");
        for act in &acts {
            act.carry_out(folder.path());
            let looked = match act {
                Act::Look(at) => vec![FILES[*at]],
                _ => FILES.into_iter().chain(FOLDERS).chain([""]).collect(),
            };
            for path in looked {
                let (watched, looked) = (root.stamp(path).ok(), plain.stamp(path).ok());
                prop_assert_eq!(watched, looked, "{} after {:?}", path, act);
            }
        }
    }
}
