//! The path of a request, as HTTP and as TFTP bring it, looked up in a tree with links out of it: whatever the bytes,
//! nothing panics and what is found lies in the tree.

#![no_main]

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use phoneprov::profile::name::{Name, Star};
use phoneprov::profile::path::RequestPath;
use phoneprov::profile::root::Root;
use phoneprov::profile::tree::{FileKind, Found, Tree};

/// Each kind of name that a look-up tells apart; their content is their own name.
const FILES: [&str; 15] = [
    "basic.txt",
    "Mixed.TXT",
    "mixed.txt",
    "$MA.cfg",
    "$MAC.cfg",
    "spa$PSN.cfg",
    "$(PN)-$(SN).xml",
    "a/basic.txt",
    "a/$A.txt",
    "$PN/$MA.cfg",
    "$A/$B/$A-$(MAU).cfg",
    "b/c/d/e.txt",
    "_base.xml",
    "_parts/x.txt",
    ".git/config",
];

static TREE: LazyLock<(Tree, PathBuf)> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("request-path-{}", std::process::id()));
    let inside = folder.join("tree");
    write(&folder.join("secret.txt"));
    FILES.iter().for_each(|file| write(&inside.join(file)));
    symlink("../secret.txt", inside.join("out.txt")).expect("a link");
    symlink("..", inside.join("up")).expect("a link");
    symlink("a", inside.join("in")).expect("a link");
    let inside = inside.canonicalize().expect("the tree");
    (Tree::new(Arc::new(Root::open(&inside).expect("the tree"))), inside)
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(path) = RequestPath::from_tftp(bytes) {
        look_up(&path);
    }
    if let Some(path) = std::str::from_utf8(bytes).ok().and_then(|target| RequestPath::from_http(target).ok()) {
        look_up(&path);
    }
});

fn look_up(path: &RequestPath) {
    for segment in path.segments() {
        assert!(!segment.is_empty() && !segment.starts_with(['.', '_']), "{path}");
        assert!(!segment.contains(['/', '\\', '\0']), "{path}");
    }
    let (tree, inside) = &*TREE;
    // A folder that is a link out of the tree is an error, and so no find.
    let Ok(Some(found)) = tree.find(path) else { return };
    let asked = if found.gz { path.without_gz().expect("a path that ends in .gz") } else { path.clone() };
    fits(&asked, &found);
    if tree.root().read(&found.file, 1000).is_ok() {
        let real = inside.join(&*found.file).canonicalize().expect("a file that was read");
        assert!(real.starts_with(inside), "{path} is read from {}", real.display());
    }
}

/// Expanded again, the names of the file that was found are those that were asked for.
fn fits(asked: &RequestPath, found: &Found) {
    let names: Vec<Name> = found.file.split('/').map(|name| Name::parse(name, Star::Literal)).collect();
    assert_eq!(names.len(), asked.segments().count(), "{asked} means {}", found.file);
    let literal = names.iter().all(Name::is_literal);
    assert_eq!(literal, found.kind == FileKind::Literal, "{asked} means {}", found.file);
    for (name, segment) in names.iter().zip(asked.segments()) {
        assert!(!name.as_str().starts_with(['.', '_']), "{asked} means {}", found.file);
        let expanded = name.expand(&found.macros).expect("a value for each macro");
        assert!(expanded.eq_ignore_ascii_case(segment), "{asked} means {}, which is {expanded}", found.file);
    }
}

fn write(file: &Path) {
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    std::fs::write(file, file.as_os_str().as_encoded_bytes()).expect("a file");
}
