//! The look-up of a path in trees of 1 thousand and 100 thousand names, and with `PHONEPROV_BENCH_1M` set of a million:
//! it may not grow with their number. The trees are made once and stay in the target folder.

use std::fs::{self, File};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use criterion::Criterion;
use phoneprov::profile::path::RequestPath;
use phoneprov::profile::root::Root;
use phoneprov::profile::tree::{FileKind, Tree};

/// How many names are looked up, in turn.
const ASKED_FOR: u64 = 1000;

/// How the names of a tree are spread over folders.
#[derive(Clone, Copy)]
enum Layout {
    /// 256 folders, by the address's last two digits.
    Hashed,
    /// One folder.
    Flat,
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut counts = vec![1_000, 100_000];
    if std::env::var_os("PHONEPROV_BENCH_1M").is_some() {
        counts.push(1_000_000);
    }
    for layout in [Layout::Hashed, Layout::Flat] {
        for count in &counts {
            look_ups(&mut criterion, layout, *count);
        }
    }
    criterion.final_summary();
}

fn look_ups(criterion: &mut Criterion, layout: Layout, count: u64) {
    let folder = made(layout, count);
    let tree = || Tree::new(Arc::new(Root::open(&folder).expect("the tree")));
    let warm = tree();
    let mut group = criterion.benchmark_group(format!("{}/{count}", layout.name()));
    // The same number of names from every tree, so that the kernel's own cache of names has them in each.
    let spread = |beyond: u64| -> Vec<RequestPath> {
        (0..ASKED_FOR).map(|place| path(&layout.file(place * (count / ASKED_FOR) + beyond))).collect()
    };
    let (own, others) = (spread(0), spread(count));
    let mut names = own.iter().cycle();
    group.bench_function("own file", |bencher| {
        bencher.iter(|| assert_eq!(names.next().and_then(|name| find(&warm, name)), Some(FileKind::Literal)));
    });
    let mut names = others.iter().cycle();
    group.bench_function("template", |bencher| {
        bencher.iter(|| assert_eq!(names.next().and_then(|name| find(&warm, name)), Some(FileKind::Template)));
    });
    let unknown = path("no-such-file.xml");
    group.bench_function("unknown", |bencher| bencher.iter(|| assert_eq!(find(&warm, &unknown), None)));
    // What the first request after a start pays, and the first after a change of the folder.
    group.sample_size(10).measurement_time(Duration::from_secs(2));
    let first = &others[0];
    group.bench_function("template, folder not yet read", |bencher| {
        bencher.iter_with_setup(tree, |tree| assert_eq!(find(&tree, first), Some(FileKind::Template)));
    });
    let new = folder.join(layout.file(count)).with_file_name("A-new-name.cfg");
    let changed = || {
        fs::write(&new, "").and_then(|()| fs::remove_file(&new)).expect("a name that comes and goes");
    };
    changed();
    assert_eq!(find(&warm, first), Some(FileKind::Template));
    group.bench_function("template, names came and went", |bencher| {
        bencher.iter_with_setup(changed, |()| assert_eq!(find(&warm, first), Some(FileKind::Template)));
    });
    group.finish();
}

fn find(tree: &Tree, path: &RequestPath) -> Option<FileKind> {
    tree.find(black_box(path)).expect("a look-up").map(|found| found.kind)
}

fn path(name: &str) -> RequestPath {
    RequestPath::from_http(name).expect("a path")
}

/// The tree with this many names; made where an earlier run has not.
fn made(layout: Layout, count: u64) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tree-{}-{count}", layout.name()));
    let complete = folder.join(".complete");
    if complete.exists() {
        return folder;
    }
    for template in layout.templates() {
        let file = folder.join(template);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, "<flat-profile/>\n").expect("a file");
    }
    for place in 0..count {
        File::create(folder.join(layout.file(place))).expect("a file");
    }
    File::create(complete).expect("a file");
    // Folders are remembered once their stamps are older than the file system's clock is coarse.
    std::thread::sleep(Duration::from_millis(50));
    folder
}

impl Layout {
    fn name(self) -> &'static str {
        match self {
            Self::Hashed => "hashed",
            Self::Flat => "flat",
        }
    }

    fn templates(self) -> Vec<String> {
        match self {
            Self::Hashed => (0..=255).map(|hash| format!("{hash:02x}/$MA.cfg")).collect(),
            Self::Flat => vec!["$MA.cfg".into(), "$PN-$MA.cfg".into(), "spa$PSN.cfg".into()],
        }
    }

    fn file(self, place: u64) -> String {
        let address = 0x000e_0800_0000 + place;
        match self {
            Self::Hashed => format!("{:02x}/{address:012x}.cfg", address & 0xff),
            Self::Flat => format!("{address:012x}.cfg"),
        }
    }
}
