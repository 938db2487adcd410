//! What is known of a followed folder is always what reading it would give.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::TempDir;

use super::*;

fn followed() -> (TempDir, Root, Crowd) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("phones")).expect("a folder");
    fs::create_dir(folder.path().join("beside")).expect("a folder");
    for name in ["$MA.cfg", "Basic.txt", "000e08abcdef.cfg"] {
        fs::write(folder.path().join("phones").join(name), name).expect("a file");
    }
    let root = Root::open(folder.path()).expect("the folder");
    let crowd = Crowd::follow(&root, "phones").expect("a queue").expect("a folder");
    (folder, root, crowd)
}

/// What is known after a look-up.
fn known(crowd: &Crowd, root: &Root) -> Result<Names, Lost> {
    crowd.candidates(root, "x")?;
    Ok(crowd.names.lock().expect("no panic").clone().expect("names, after a look-up"))
}

fn read(root: &Root) -> Names {
    let (entries, _) = root.list("phones").expect("a folder").expect("the folder");
    Names::read(entries.into_iter().map(|entry| entry.name))
}

#[test]
fn more_news_than_the_kernel_keeps_are_said_to_be_lost() {
    let (folder, root, crowd) = followed();
    let path = folder.path().join("phones/000E08ABCDEF.cfg");
    for _ in 0..20_000 {
        fs::write(&path, "").expect("a file");
        fs::remove_file(&path).expect("removed");
    }
    for _ in 0..2 {
        assert_eq!(known(&crowd, &root), Err(Lost), "for good");
    }
}

#[test]
fn a_folder_that_is_gone_is_lost() {
    let (folder, root, crowd) = followed();
    fs::remove_dir_all(folder.path().join("phones")).expect("removed");
    for _ in 0..2 {
        assert_eq!(known(&crowd, &root), Err(Lost), "for good");
    }
}

/// Something that a person, an editor, or a program that puts profiles there does to the name of this place.
#[derive(Debug, Clone, Copy)]
enum Act {
    Write(usize),
    Remove(usize),
    Rename(usize, usize),
    Exchange(usize, usize),
    Link(usize, usize),
    LinkToNothing(usize),
    Folder(usize),
    Leave(usize),
    Return(usize),
}

const NAMES: [&str; 9] =
    ["$MA.cfg", "$PN.cfg", "$PN$PSN.cfg", "a.cfg", "A.cfg", "a.CFG", "Basic.txt", "_Base.xml", "é.Cfg"];

fn acts() -> impl Strategy<Value = Act> {
    let name = || 0..NAMES.len();
    prop_oneof![
        name().prop_map(Act::Write),
        name().prop_map(Act::Remove),
        (name(), name()).prop_map(|(from, to)| Act::Rename(from, to)),
        (name(), name()).prop_map(|(from, to)| Act::Exchange(from, to)),
        (name(), name()).prop_map(|(from, to)| Act::Link(from, to)),
        name().prop_map(Act::LinkToNothing),
        name().prop_map(Act::Folder),
        name().prop_map(Act::Leave),
        name().prop_map(Act::Return),
    ]
}

/// Does it, as far as it can be done.
fn perform(act: Act, folder: &Path) {
    let at = |name: usize| folder.join("phones").join(NAMES[name]);
    let beside = |name: usize| folder.join("beside").join(NAMES[name]);
    let _ = match act {
        Act::Write(name) => fs::write(at(name), "x"),
        Act::Remove(name) => fs::remove_file(at(name)).or_else(|_| fs::remove_dir(at(name))),
        Act::Rename(from, to) => fs::rename(at(from), at(to)),
        Act::Exchange(from, to) => exchange(&at(from), &at(to)),
        Act::Link(from, to) => fs::hard_link(at(from), at(to)),
        Act::LinkToNothing(name) => symlink("nowhere", at(name)),
        Act::Folder(name) => fs::create_dir(at(name)),
        Act::Leave(name) => fs::rename(at(name), beside(name)),
        Act::Return(name) => fs::rename(beside(name), at(name)),
    };
}

fn exchange(from: &PathBuf, to: &PathBuf) -> io::Result<()> {
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE)?)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_known_is_what_reading_would_give(acts in prop::collection::vec((acts(), any::<bool>()), 1..30)) {
        let (folder, root, crowd) = followed();
        for (act, is_asked) in acts {
            perform(act, folder.path());
            if is_asked {
                prop_assert_eq!(known(&crowd, &root), Ok(read(&root)), "{:?}", act);
            }
        }
        prop_assert_eq!(known(&crowd, &root), Ok(read(&root)));
    }
}
