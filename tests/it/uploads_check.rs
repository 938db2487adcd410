//! What `phoneprov check` says of `[uploads]`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::outsider::run;
use crate::reports::{IDENTITY, RECIPIENT};
use crate::site::{Site, config};

/// A site with `[uploads]`, this under it, and a file of an identity.
fn site(more: &str) -> Site {
    let uploads = format!("[store]\n[uploads]\nrecipients = [\"{RECIPIENT}\"]\nfloor = \"1 MiB\"\n{more}\n");
    let site = Site::bare(&config(&["http"], &uploads));
    fs::write(site.path("age.key"), format!("{IDENTITY}\n")).expect("room for a key");
    mode(&site.path("age.key"), 0o600);
    site
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a file of ours");
}

/// The findings of uploads alone.
fn found(site: &Site) -> Vec<String> {
    let output = site.phoneprov(&["check"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.code().is_some_and(|code| code < 2), "{output:?}");
    said.lines().filter(|line| line.contains(": uploads: ")).map(str::to_owned).collect()
}

#[test]
fn uploads_that_are_in_order_are_no_finding() {
    assert_eq!(found(&site("")), Vec::<String>::new());
    let site = site("quota = \"1 GiB\"\nquota_per_case = \"1 GiB\"");
    assert_eq!(found(&site), Vec::<String>::new());
    assert!(!site.path("state/uploads").exists(), "check makes nothing");
}

#[test]
fn an_identity_that_is_not_there_is_told_unless_the_lab_makes_it() {
    let site = site("identity = \"not-here.key\"");
    let findings = found(&site);
    assert!(findings.len() == 1 && findings[0].starts_with("warning: uploads: identity "), "{findings:?}");
    assert!(findings[0].contains("/not-here.key: there is no such file"), "{findings:?}");
    // Of a lab it is made before anything is looked at.
    let text = fs::read_to_string(site.config()).expect("a configuration");
    site.configure(&format!("{}\n[lab]\n", text.replace("not-here.key", "certs/lab/uploads.key")));
    let findings = found(&site);
    assert!(!findings.iter().any(|line| line.contains("no such file")), "{findings:?}");
}

#[test]
fn a_case_that_may_have_more_than_all_together_is_told() {
    let findings = found(&site("quota = \"10 MiB\"\nquota_per_case = \"20 MiB\""));
    assert!(findings.len() == 1 && findings[0].starts_with("warning: uploads: quota_per_case is "), "{findings:?}");
    assert!(findings[0].contains("20971520 bytes") && findings[0].contains("10485760:"), "{findings:?}");
}

#[test]
fn a_case_that_may_have_more_files_than_all_together_is_told() {
    let findings = found(&site("files = 20000\nfiles_per_case = 30000"));
    let wanted = "warning: uploads: files_per_case is 30000, and files, which is for all together, 20000: ";
    assert!(findings.len() == 1 && findings[0].starts_with(wanted), "{findings:?}");
}

#[test]
fn a_folder_where_nothing_can_be_made_is_told_as_that() {
    let findings = found(&site("folder = \"/proc/uploads\""));
    assert!(findings.len() == 1 && findings[0].starts_with("error: uploads: folder /proc/uploads: "), "{findings:?}");
    let is_root = findings[0].contains("/proc has no room for any file");
    assert!(is_root || findings[0].contains("this user cannot write /proc"), "{findings:?}");
    assert!(!findings[0].contains("MiB"), "{findings:?}");
}

#[test]
fn too_little_room_is_told_with_both_figures() {
    let site = site("");
    let text = fs::read_to_string(site.config()).expect("a configuration");
    site.configure(&text.replace("floor = \"1 MiB\"", "floor = \"1000000 GiB\""));
    let findings = found(&site);
    assert!(findings.len() == 1 && findings[0].starts_with("error: uploads: folder "), "{findings:?}");
    assert!(findings[0].contains(" MiB are free, and uploads.floor is 1024000000 MiB"), "{findings:?}");
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let site = site("folder = \"file/uploads\"");
    fs::write(site.path("file"), "").expect("a file");
    let findings = found(&site);
    assert!(findings.len() == 1 && findings[0].ends_with("/file is no folder"), "{findings:?}");
    // A disk that is mounted to be read, in a name space of the test's own.
    let site = self::site("");
    let uploads = site.path("state/uploads");
    fs::create_dir_all(&uploads).expect("a folder");
    let script = format!(
        "mount -t tmpfs -o ro none '{}'; '{}' check --config '{}'",
        uploads.display(),
        env!("CARGO_BIN_EXE_phoneprov"),
        site.config().display()
    );
    let output = run("unshare", &["--user", "--map-root-user", "--mount", "bash", "-c", &script], b"");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("error: uploads: folder ") && said.contains("Read-only file system"), "{output:?}");
}

#[test]
fn an_identity_on_the_servers_disk_is_told_and_more_so_one_that_others_read_or_that_opens_nothing() {
    let site = site("identity = \"age.key\"");
    let findings = found(&site);
    assert!(findings.len() == 1 && findings[0].contains("whoever gets this host's disk reads"), "{findings:?}");
    mode(&site.path("age.key"), 0o644);
    let findings = found(&site);
    assert!(findings.len() == 2 && findings[0].contains("others on this host may read it (mode 644)"), "{findings:?}");
    mode(&site.path("age.key"), 0o600);
    fs::remove_file(site.path("age.key")).expect("a file");
    let made = run("age-keygen", &["-o", &site.path("age.key").display().to_string()], b"");
    assert!(made.status.success(), "{made:?}");
    let findings = found(&site);
    assert!(findings.len() == 2 && findings[0].contains("is that of none of uploads.recipients"), "{findings:?}");
    fs::write(site.path("age.key"), "nonsense\n").expect("room");
    let findings = found(&site);
    assert!(findings.len() == 2 && findings[0].contains("line 1 is no identity"), "{findings:?}");
    assert!(findings.iter().all(|line| line.starts_with("warning: ") && !line.contains("nonsense")), "{findings:?}");
}
