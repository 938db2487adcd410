//! Which file a path means, against real folders.

use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::profile::macros::Macro;

fn tree(files: &[&str]) -> (TempDir, Tree) {
    let folder = tempfile::tempdir().expect("a folder");
    for file in files {
        write(&folder, file);
    }
    let root = Root::open(folder.path()).expect("the folder");
    (folder, Tree::new(Arc::new(root)))
}

fn write(folder: &TempDir, file: &str) {
    let path = folder.path().join(file);
    fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
    fs::write(path, file).expect("a file");
}

fn find(tree: &Tree, path: &str) -> Option<Found> {
    tree.find(&RequestPath::from_http(path).expect("a path")).expect("a look-up")
}

fn file(tree: &Tree, path: &str) -> Option<String> {
    find(tree, path).map(|found| found.file.to_string())
}

#[test]
fn a_literal_name_beats_a_macro() {
    let (_folder, tree) = tree(&["$PN/$MA.cfg", "CP-8841-3PCC/000e08abcdef.cfg", "CP-8841-3PCC/other.cfg"]);
    assert_eq!(file(&tree, "/CP-8841-3PCC/000e08abcdef.cfg").as_deref(), Some("CP-8841-3PCC/000e08abcdef.cfg"));
    assert_eq!(
        file(&tree, "/CP-8841-3PCC/000e08abcdee.cfg").as_deref(),
        Some("$PN/$MA.cfg"),
        "the folder is tried, then left"
    );
    assert_eq!(file(&tree, "/CP-8851-3PCC/000e08abcdef.cfg").as_deref(), Some("$PN/$MA.cfg"));
    assert_eq!(file(&tree, "/CP-8841-3PCC/none.cfg"), None);
}

#[test]
fn more_literal_beats_less_and_a_narrow_macro_beats_a_wide_one() {
    let (_folder, tree) = tree(&["$A", "$A.cfg", "$PN.cfg", "$SN.cfg", "$MA.cfg", "spa$PSN.cfg", "$(MA)-lab.cfg"]);
    assert_eq!(file(&tree, "/000e08abcdef.cfg").as_deref(), Some("$MA.cfg"));
    assert_eq!(file(&tree, "/000e08abcdef-lab.cfg").as_deref(), Some("$(MA)-lab.cfg"));
    assert_eq!(file(&tree, "/FCH2133E8B9.cfg").as_deref(), Some("$SN.cfg"));
    assert_eq!(file(&tree, "/spa504G.cfg").as_deref(), Some("spa$PSN.cfg"));
    assert_eq!(file(&tree, "/CP-8841-3PCC.cfg").as_deref(), Some("$PN.cfg"));
    assert_eq!(file(&tree, "/any thing.cfg").as_deref(), Some("$A.cfg"));
    assert_eq!(file(&tree, "/any thing").as_deref(), Some("$A"));
}

#[test]
fn names_compare_without_case() {
    let (_folder, tree) = tree(&["spa504G.cfg", "Cisco/$PN/$MAU.cfg", "000E08ABCDEF.CFG"]);
    assert_eq!(file(&tree, "/spa504g.cfg").as_deref(), Some("spa504G.cfg"));
    assert_eq!(file(&tree, "/SPA504G.CFG").as_deref(), Some("spa504G.cfg"));
    assert_eq!(file(&tree, "/cisco/CP-8841-3PCC/000e08abcdef.cfg").as_deref(), Some("Cisco/$PN/$MAU.cfg"));
    assert_eq!(file(&tree, "/000e08abcdef.cfg").as_deref(), Some("000E08ABCDEF.CFG"));
}

#[test]
fn gz_means_the_same_file_compressed_unless_it_is_there_itself() {
    let (_folder, tree) = tree(&["basic.txt", "made.txt", "made.txt.gz", "$MA.cfg"]);
    let found = find(&tree, "/basic.txt.gz").expect("a file");
    assert_eq!((&*found.file, found.gz), ("basic.txt", true));
    let found = find(&tree, "/made.txt.gz").expect("a file");
    assert_eq!((&*found.file, found.gz), ("made.txt.gz", false));
    let found = find(&tree, "/000e08abcdef.cfg.GZ").expect("a file");
    assert_eq!((&*found.file, found.gz), ("$MA.cfg", true));
}

#[test]
fn a_change_counts_from_the_next_look_up() {
    let (folder, tree) = tree(&["$MA.cfg"]);
    assert_eq!(file(&tree, "/000e08abcdef.cfg").as_deref(), Some("$MA.cfg"));
    for _ in 0..20 {
        write(&folder, "000E08ABCDEF.cfg");
        assert_eq!(file(&tree, "/000e08abcdef.cfg").as_deref(), Some("000E08ABCDEF.cfg"), "a new file");
        fs::remove_file(folder.path().join("000E08ABCDEF.cfg")).expect("removed");
        assert_eq!(file(&tree, "/000e08abcdef.cfg").as_deref(), Some("$MA.cfg"), "a removed file");
    }
    write(&folder, "$MA/phone.cfg");
    assert_eq!(file(&tree, "/000e08abcdef/phone.cfg").as_deref(), Some("$MA/phone.cfg"));
}

/// Whether the names of a folder are followed.
fn is_followed(tree: &Tree, folder: &str) -> bool {
    matches!(tree.known(folder), Some(Known::Followed(_)))
}

#[test]
fn a_crowded_folder_is_followed_and_a_change_counts_from_the_next_look_up() {
    let (folder, tree) = tree(&["$MA.cfg", "few/$MA.cfg"]);
    for number in 0..2000 {
        fs::write(folder.path().join(format!("000e08{number:06x}.cfg")), "").expect("a file");
    }
    let at = |name: &str| folder.path().join(name);
    let asked = || file(&tree, "/000e08abcdef.cfg").expect("a file");
    assert_eq!(asked(), "$MA.cfg");
    for _ in 0..20 {
        write(&folder, "000E08ABCDEF.cfg");
        assert_eq!(asked(), "000E08ABCDEF.cfg", "a new file");
        fs::rename(at("000E08ABCDEF.cfg"), at("$PN.cfg")).expect("renamed");
        assert_eq!(asked(), "$MA.cfg", "a removed file");
        assert_eq!(file(&tree, "/CP-8841-3PCC.cfg").as_deref(), Some("$PN.cfg"), "a renamed file");
        fs::remove_file(at("$PN.cfg")).expect("removed");
        assert_eq!(file(&tree, "/CP-8841-3PCC.cfg"), None);
        assert_eq!(file(&tree, "/few/000e08abcdef.cfg").as_deref(), Some("few/$MA.cfg"));
    }
    assert!(is_followed(&tree, "") && !is_followed(&tree, "few"));
}

#[test]
fn a_crowded_folder_may_be_replaced() {
    let (folder, tree) = tree(&["old/$MA.cfg", "new/$SN.cfg"]);
    let at = |name: &str| folder.path().join(name);
    for number in 0..2000 {
        fs::write(at("old").join(format!("{number}.cfg")), "").expect("a file");
        fs::write(at("new").join(format!("{number}.cfg")), "").expect("a file");
    }
    for name in ["A", "B"] {
        write(&folder, &format!("old/{name}"));
        assert_eq!(file(&tree, "/old/000e08abcdef.cfg").as_deref(), Some("old/$MA.cfg"));
    }
    assert!(is_followed(&tree, "old"));
    fs::rename(at("old"), at("gone")).expect("moved");
    assert_eq!(file(&tree, "/old/000e08abcdef.cfg"), None);
    fs::rename(at("new"), at("old")).expect("moved");
    assert_eq!(file(&tree, "/old/000e08abcdef.cfg").as_deref(), Some("old/$SN.cfg"));
}

#[test]
fn a_crowded_folder_of_which_the_kernel_has_lost_count_is_read_again() {
    let (folder, tree) = tree(&["old/$MA.cfg"]);
    let at = |name: &str| folder.path().join(name);
    for number in 0..2000 {
        fs::write(at("old").join(format!("{number}.cfg")), "").expect("a file");
    }
    let follow = || {
        for name in ["A", "B"] {
            write(&folder, &format!("old/{name}"));
            assert_eq!(file(&tree, "/old/000e08abcdef.cfg").as_deref(), Some("old/$MA.cfg"));
        }
        assert!(is_followed(&tree, "old"));
    };
    follow();
    for _ in 0..20_000 {
        write(&folder, "old/C");
        fs::remove_file(at("old/C")).expect("removed");
    }
    write(&folder, "old/$PN.xml");
    assert_eq!(file(&tree, "/old/CP-8841-3PCC.xml").as_deref(), Some("old/$PN.xml"));
    follow();

    // Removed and made again, which may be the same inode.
    fs::remove_dir_all(at("old")).expect("removed");
    write(&folder, "old/$SN.xml");
    write(&folder, "old/Upper.cfg");
    assert_eq!(file(&tree, "/old/upper.cfg").as_deref(), Some("old/Upper.cfg"));
    assert_eq!(file(&tree, "/old/FCH2133E8B9.xml").as_deref(), Some("old/$SN.xml"));
}

#[test]
fn crowded_folders_that_are_gone_leave_their_places() {
    let (folder, tree) = tree(&[]);
    let crowded = |name: &str| {
        for number in 0..1100 {
            write(&folder, &format!("{name}/{number}.cfg"));
        }
        for new in ["A", "B"] {
            write(&folder, &format!("{name}/{new}"));
            assert_eq!(file(&tree, &format!("/{name}/000e08abcdef.cfg")), None);
        }
    };
    for number in 0..CROWDS {
        crowded(&format!("crowd{number}"));
    }
    crowded("more");
    assert!(!is_followed(&tree, "more"), "as many as there may be");
    fs::remove_dir_all(folder.path().join("crowd7")).expect("removed");
    write(&folder, "more/C");
    assert_eq!(file(&tree, "/more/c").as_deref(), Some("more/C"));
    assert!(is_followed(&tree, "more"));
}

#[test]
fn what_is_not_meant_for_phones_is_not_found() {
    let (_folder, tree) = tree(&["_base.xml", ".hidden", "$MA.cfg", "$PN$PSN.cfg", "folder/x.cfg"]);
    assert_eq!(file(&tree, "/$MA.cfg"), None, "the template of all phones, by its own name");
    assert_eq!(file(&tree, "/abcd.cfg"), None, "a name that can be read in two ways");
    assert_eq!(file(&tree, "/folder"), None, "a folder");
    assert!(RequestPath::from_http("/_base.xml").is_err());
}

#[test]
fn one_path_is_one_phone() {
    let (_folder, tree) = tree(&["$MA/$MA.cfg"]);
    assert!(find(&tree, "/000e08abcdef/000e08abcdef.cfg").is_some());
    assert!(find(&tree, "/000e08abcdef/000e08abcdee.cfg").is_none());
}

/// Names whose macros can be told apart, as people write them.
const NAMES: [&str; 12] = [
    "$MA.cfg",
    "$MAU.xml",
    "$MAC.cfg",
    "$(SN).cfg",
    "$PN.cfg",
    "spa$PSN.cfg",
    "ata$(PSN).cfg",
    "$PN-$MA.cfg",
    "$PN$MA.cfg",
    "$SN-$PN.cfg",
    "$A.txt",
    "SEP$(MAU).cnf.xml",
];

fn phone() -> impl Strategy<Value = Macros> {
    (
        "[0-9a-f]{12}",
        "[A-Z]{3}[0-9]{4}[0-9A-Z]{4}",
        "(CP-[678]8[0-9]{2}-3PCC|SPA5[0-9]{2}G|ATA19[12])",
        "[a-z0-9]{1,20}",
    )
        .prop_map(|(mac, serial, model, register)| {
            let mut macros = Macros::default();
            let register_a = Macro::named("A").expect("a macro");
            for (name, text) in [(Macro::Ma, &mac), (Macro::Sn, &serial), (Macro::Pn, &model), (register_a, &register)]
            {
                assert!(macros.bind(name, text));
            }
            macros
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_name_expanded_for_a_phone_resolves_to_itself(macros in phone(), folder in 0..12_usize, name in 0..12_usize) {
        let written = format!("{}/{}", NAMES[folder], NAMES[name]);
        let (_folder, tree) = tree(&[&written]);
        let expand = |text: &str| Name::parse(text, Star::Literal).expand(&macros).expect("all values are known");
        let asked = format!("/{}/{}", expand(NAMES[folder]), expand(NAMES[name]));
        let found = find(&tree, &asked).expect("its own name");
        prop_assert_eq!(&*found.file, written.as_str());
        for name in [Macro::Ma, Macro::Sn] {
            if let Some(value) = found.macros.value(name) {
                prop_assert_eq!(Some(value), macros.value(name));
            }
        }
    }

    #[test]
    fn a_name_is_matched_within_bounds(pattern in "[$AMPNS()a*.-]{0,12}", text in "[a-f0-9A-Z.-]{0,40}") {
        let name = Name::parse(&pattern, Star::Any);
        let _ = name.matches(&text, &Macros::default());
        let _ = name.check();
    }
}
