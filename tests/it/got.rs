//! Files of a case as `case get` writes them to the disk of who reads.

use std::fs;

use crate::intake::{CASE, Desk};

#[test]
fn what_cannot_be_read_keeps_no_other_file_back_and_what_is_there_is_not_written_again() {
    let desk = Desk::open("");
    for name in ["one", "two", "three"] {
        assert_eq!(desk.put(name, name.as_bytes(), &[]).status, 201);
    }
    let damaged = desk.files()[1]["parts"][0]["kept"].as_str().expect("a name").to_owned();
    let damaged = desk.server.path(&format!("state/uploads/{damaged}.age"));
    let whole = fs::read(&damaged).expect("a file");
    fs::write(&damaged, &whole[..whole.len() - 1]).expect("a file");
    let out = desk.reader.path().join("out").display().to_string();
    let get = |which: &str| {
        let output = desk.server.phoneprov(&["case", "get", CASE, which, "--identity", &desk.identity(), "-o", &out]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&out, "out");
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, written, said) = get("--all");
    assert_eq!((code, written.as_str()), (Some(2), "out/1-one\nout/3-three\n"), "{said}");
    assert!(said.contains("file 2 two: ") && said.contains("1 of 3 files could not be written: 2\n"), "{said}");
    fs::write(&damaged, &whole).expect("a file");
    fs::write(desk.reader.path().join("out/3-three"), "other").expect("a file");
    let (code, written, said) = get("--all");
    assert_eq!((code, written.as_str()), (Some(2), "out/2-two\n"), "{said}");
    assert!(said.starts_with("out/1-one is there already, the same\n"), "{said}");
    assert!(said.contains("out/3-three is there already and is another file"), "{said}");
    fs::remove_file(desk.reader.path().join("out/3-three")).expect("a file");
    assert_eq!(get("--all").0, Some(0));
    assert_eq!(get("3"), (Some(0), String::new(), "out/3-three is there already, the same\n".into()));
    assert_eq!(fs::read_to_string(desk.reader.path().join("out/3-three")).expect("a file"), "three");
    let names = fs::read_dir(desk.reader.path().join("out")).expect("a folder").count();
    assert_eq!(names, 3, "no half of a file is left");
}
