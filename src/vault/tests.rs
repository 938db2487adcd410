//! The vault over a real folder.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;

use super::*;
use crate::config::{Bytes, Period};

/// A vault in a folder, and the file of an identity that reads it.
fn vault(folder: &Path, floor: u64) -> (Vault, Identities) {
    let identity = Identity::generate();
    let file = folder.join("uploads.key");
    fs::write(&file, format!("# a comment\n{}\n", identity.to_string().expose_secret())).expect("a file");
    let period = Period::seconds(3600);
    let uploads = Uploads {
        folder: folder.join("state/uploads"),
        recipients: vec![identity.to_public()],
        identity: None,
        floor: format!("{floor}").parse::<Bytes>().expect("a size"),
        quota: None,
        quota_per_case: None,
        files: 1000,
        files_per_case: 1000,
        files_per_device: 1000,
        keep_reports: period,
        keep_problem_reports: period,
        keep_cases: period,
        keep_partial: period,
        stall: period,
        mail_size: Bytes::mebibytes(1),
    };
    (Vault::open(&uploads).expect("a vault"), Identities::read(&file).expect("an identity"))
}

fn names(vault: &Vault) -> Vec<String> {
    let entries = fs::read_dir(vault.folder()).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

fn keep(vault: &Vault, bytes: &[u8]) -> Kept {
    let mut deposit = vault.begin(None).expect("room");
    deposit.write(bytes).expect("room");
    deposit.finish().expect("room")
}

#[test]
fn a_kept_file_is_read_by_its_identity_and_by_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let (vault, identities) = vault(folder.path(), 0);
    let content = b"show tech-support ".repeat(10_000);
    let kept = keep(&vault, &content);
    assert_eq!(kept.size, content.len() as u64);
    let mut read = Vec::new();
    vault.read(&kept.name, &identities).expect("a file").read_to_end(&mut read).expect("a whole file");
    assert!(read == content);

    let stored = fs::read(vault.path(&kept.name)).expect("a file");
    assert!(stored.starts_with(b"age-encryption.org/v1\n"));
    assert!(!stored.windows(9).any(|window| window == b"show tech"), "nothing of it stands there in clear");
    let stranger = folder.path().join("stranger.key");
    fs::write(&stranger, Identity::generate().to_string().expose_secret()).expect("a file");
    let stranger = Identities::read(&stranger).expect("an identity");
    let error = vault.read(&kept.name, &stranger).map(drop).expect_err("not for this one").to_string();
    assert!(error.contains("only the holder of an identity"), "{error}");
}

#[test]
fn a_file_has_no_name_before_all_of_it_is_there_and_is_gone_when_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let (vault, _) = vault(folder.path(), 0);
    let mut deposit = vault.begin(None).expect("room");
    deposit.write(b"half of it").expect("room");
    assert!(names(&vault).iter().all(|name| name.starts_with('.')), "{:?}", names(&vault));
    drop(deposit);
    assert!(names(&vault).is_empty());
}

#[test]
fn folder_and_files_are_for_this_user_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let (vault, _) = vault(folder.path(), 0);
    let kept = keep(&vault, b"");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(vault.folder()), mode(&vault.path(&kept.name))), (0o700, 0o600));
}

#[test]
fn nothing_is_begun_below_the_floor() {
    let folder = tempfile::tempdir().expect("a folder");
    let (vault, _) = vault(folder.path(), u64::MAX / 2);
    let error = vault.begin(None).expect_err("no room");
    assert!(error.is_full() && error.to_string().contains("uploads.floor"), "{error}");
    assert!(names(&vault).is_empty());
}

#[test]
fn a_sweep_leaves_what_is_being_written_and_what_it_does_not_know() {
    let folder = tempfile::tempdir().expect("a folder");
    let (vault, _) = vault(folder.path(), 0);
    let under_way = vault.begin(None).expect("room");
    let left = vault.folder().join(format!(".{}.part", "0".repeat(32)));
    fs::write(&left, "half of it").expect("a file");
    let strange = vault.folder().join(".notes.part");
    fs::write(&strange, "").expect("a file");
    assert_eq!(vault.sweep_unfinished().expect("a folder"), sweep::Swept { removed: 1, under_way: 1 });
    assert!(!left.exists() && strange.exists());
    under_way.finish().expect("it is still there");
}

#[test]
fn only_old_files_are_expected_to_be_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (vault, _) = vault(folder.path(), 0);
    let (old, _new) = (keep(&vault, b"old"), keep(&vault, b"new"));
    let file = fs::File::options().write(true).open(vault.path(&old.name)).expect("a file");
    file.set_modified(SystemTime::now() - Duration::from_mins(20)).expect("a time");
    assert_eq!(vault.finished().expect("a folder"), std::slice::from_ref(&old.name));
    vault.remove(&old.name).expect("removed");
    vault.remove(&old.name).expect("removed already");
    assert!(vault.finished().expect("a folder").is_empty());
}

#[test]
fn a_file_that_is_no_identity_is_refused_and_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("x.key");
    fs::write(&file, "# one\nAGE-SECRET-KEY-1HUSH\n").expect("a file");
    let error = Identities::read(&file).expect_err("no identity").to_string();
    assert!(error.contains("line 2 is no identity") && !error.contains("HUSH"), "{error}");
}
