//! What `phoneprov check` finds of rules, keys and files before a phone does, and what it says where it cannot.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;

use crate::outsider::run;
use crate::server::refused;
use crate::site::{ALL, Site, config};

/// What is printed for a site.
fn said(site: &Site) -> String {
    let output = site.phoneprov(&["check"]);
    assert!(output.status.code().is_some_and(|code| code < 2), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// The lines that speak of a rule with this path.
fn of_rule(site: &Site, path: &str) -> Vec<String> {
    let begins = [format!("error: rule {path}: "), format!("warning: rule {path}: ")];
    let said = said(site);
    said.lines().filter(|line| begins.iter().any(|begin| line.starts_with(begin))).map(str::to_owned).collect()
}

/// A rule that encrypts, with this key.
fn encrypts(path: &str, key: &str) -> String {
    format!("[[rule]]\npath = \"{path}\"\nproof = \"none\"\nencrypt = \"aes-256-cbc\"\nkey = \"{key}\"\n")
}

#[test]
fn a_key_that_cannot_be_made_is_told_once_whatever_file_has_the_rule() {
    for (key, reason) in [
        ("{{ nope }}", "the rule's key: `nope` is not defined: add it to [variables], or give it a default"),
        ("{{ MA }}", "the rule's key: `MA` is not known for this phone: neither its path nor its certificate says it"),
        ("{{ 1 // 0 }}", "the rule's key: `//` cannot be calculated: is the number after it 0?"),
        ("", "the rule's key is empty for this device"),
    ] {
        let site = Site::new(&encrypts("/basic.txt", key));
        let told = of_rule(&site, "/basic.txt");
        assert_eq!(told, [format!("error: rule /basic.txt: {reason}: basic.txt is not served")], "{key}");
        let asked = site.phoneprov(&["render", "/basic.txt"]);
        assert!(String::from_utf8_lossy(&asked.stderr).contains(reason), "{key}: {asked:?}");
    }
    let site = Site::new(&encrypts("/many/*", "{{ nope }}"));
    for name in ["a.txt", "b.txt", "$MA.cfg"] {
        site.profile(&format!("many/{name}"), "<flat-profile></flat-profile>");
    }
    let told = of_rule(&site, "/many/*");
    assert!(told.len() == 1 && told[0].ends_with(" and 2 more are not served"), "{told:?}");
}

#[test]
fn a_key_that_is_no_template_is_refused_with_its_line_before_anything_starts() {
    let site = Site::new(&encrypts("/basic.txt", "{{ geheim"));
    let place = format!("{}:", site.config().display());
    for said in [refused(&site), String::from_utf8_lossy(&site.phoneprov(&["check"]).stderr).into_owned()] {
        assert!(said.contains(&place) && said.contains("rule.key: syntax error, unexpected end of input"), "{said}");
        assert!(said.contains("as in key = \"{{ MA }}-{{ site }}\"") && !said.contains("geheim"), "{said}");
    }
}

#[test]
fn a_key_is_tried_with_what_the_path_says_and_without_a_file_with_sample_values() {
    let site = Site::new(&encrypts("/own/$MA.cfg", "{{ MA }}-x"));
    site.profile("own/000e08abcdef.cfg", "<flat-profile></flat-profile>");
    assert_eq!(of_rule(&site, "/own/$MA.cfg"), Vec::<String>::new());
    let site = Site::new(&encrypts("/own/$MA.cfg", "{{ SN }}"));
    site.profile("own/000e08abcdef.cfg", "<flat-profile></flat-profile>");
    assert!(of_rule(&site, "/own/$MA.cfg")[0].contains("`SN` is not known for this phone"));

    let of_none = |key: &str| of_rule(&Site::new(&encrypts("/none/$MA.cfg", key)), "/none/$MA.cfg");
    let without = "warning: rule /none/$MA.cfg: no file below profiles is asked for by this path";
    assert_eq!(of_none("{{ MA }}{{ SN }}"), [without]);
    let undefined = "the rule's key: `nope` is not defined: add it to [variables], or give it a default";
    assert_eq!(of_none("{{ nope }}"), [format!("error: rule /none/$MA.cfg: {undefined}").as_str(), without]);
}

#[test]
fn a_key_file_that_is_no_keying_material_is_told() {
    let rule = "[[rule]]\npath = \"/basic.txt\"\nencrypt = \"aes128gcm\"\nikm = \"base64url\"\nkey_file = \"k\"\n";
    let site = Site::new(rule);
    fs::write(site.path("k"), "no base64!\n").expect("room for a key");
    let told = of_rule(&site, "/basic.txt");
    assert!(told.len() == 1 && told[0].contains("the key file is no keying material"), "{told:?}");
}

#[test]
fn a_missing_folder_hides_no_missing_key() {
    let site = Site::new("");
    let text = config(&ALL, "").replace("profiles = \"profiles\"", "profiles = \"nope\"");
    let text = text.replace("server.key", "no-such.key");
    site.configure(&text);
    let said = said(&site);
    assert!(said.contains("profiles: ") && said.contains("make the folder, or let `profiles`"), "{said}");
    assert!(said.contains("no-such.key: No such file or directory"), "{said}");
    assert!(said.ends_with("2 errors, 0 warnings\n"), "{said}");
}

#[test]
fn files_that_this_user_cannot_read_and_names_that_are_no_text_are_told() {
    let site = Site::new("");
    let file = site.profile("closed.txt", "<flat-profile></flat-profile>");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).expect("a file of ours");
    fs::write(site.path("profiles").join(OsStr::from_bytes(b"na\xefve.cfg")), "x").expect("room for a file");
    // Root reads everything, but not in a name space where it is nobody.
    let config = site.config().display().to_string();
    let check = [env!("CARGO_BIN_EXE_phoneprov"), "check", "--config", &config];
    let output = run("unshare", &[&["--user"], &check[..]].concat(), b"");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("error: closed.txt: cannot be read: Permission denied"), "{output:?}");
    let nameless = "warning: na\u{fffd}ve.cfg: its name is not UTF-8, so it is never served";
    assert!(said.contains(nameless), "{output:?}");
}

#[test]
fn a_rule_that_no_file_has_is_told() {
    let rules = "[[rule]]\npath = \"/secrue/$MA.cfg\"\nproof = \"certificate\"\n\
         [[rule]]\npath = \"/secure/000e08000001.cfg\"\nproof = \"certificate\"\n[[rule]]\npath = \"/**\"\n";
    let said = said(&Site::new(rules));
    let told: Vec<&str> = said.lines().filter(|line| line.contains("no file below")).collect();
    assert_eq!(told, ["warning: rule /secrue/$MA.cfg: no file below profiles is asked for by this path"], "{said}");
}

#[test]
fn advice_on_tftp_is_what_can_be_done_and_given_once() {
    let rule = "[[rule]]\npath = \"/secure/$MA.cfg\"\nproof = \"none\"\nlisteners = [\"http\", \"tftp\"]\n";
    let said = said(&Site::new(rule));
    let advice = "add encrypt, or take tftp out of listeners";
    assert_eq!(said.matches(advice).count(), 1, "{said}");
    assert!(!said.contains("or proof = \"certificate\""), "{said}");
    let rule = "[[rule]]\npath = \"/secure/*\"\nproof = \"none\"\nlisteners = [\"tftp\"]\n";
    let told = of_rule(&Site::new(rule), "/secure/*");
    assert!(
        told.len() == 1 && told[0].contains("secure/$MA.cfg, go out over tftp to whoever asks, in clear"),
        "{told:?}"
    );
}

#[test]
fn macros_of_a_rule_that_cannot_be_told_apart_are_told_as_those_of_a_file() {
    let told = of_rule(&Site::new("[[rule]]\npath = \"/$PN$PSN\"\n"), "/$PN$PSN");
    assert!(told[0].starts_with("error: ") && told[0].contains("`$PN` and `$PSN` cannot be told apart"), "{told:?}");
}

#[test]
fn one_finding_is_counted_as_one() {
    let site = Site::new("");
    fs::write(site.path("profiles").join(OsStr::from_bytes(b"\xff")), "x").expect("room for a file");
    assert!(said(&site).ends_with("\n0 errors, 1 warning\n"));
    assert!(said(&Site::new(&encrypts("/basic.txt", ""))).ends_with("\n1 error, 0 warnings\n"));
}

#[test]
fn a_path_that_means_nothing_is_explained_as_it_was_given() {
    let site = Site::new("");
    for (path, reason) in [("//x", "empty segment"), ("/_base.xml", "never served"), ("/../x", "dot segment")] {
        let output = site.phoneprov(&["render", path, "--explain"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.starts_with(&format!("path        {path} over https\n")), "{said}");
        assert!(said.contains(reason), "{said}");
        let said = String::from_utf8_lossy(&site.phoneprov(&["render", path]).stderr).into_owned();
        assert!(said.starts_with(&format!("phoneprov: {path}: not found: ")), "{said}");
    }
    let forged = site.phoneprov(&["render", "//x\nfile        basic.txt", "--explain"]);
    assert!(String::from_utf8_lossy(&forged.stdout).starts_with("path        //x\\nfile "), "{forged:?}");
}

#[test]
fn without_a_configuration_check_says_what_serve_says() {
    let site = Site::new("");
    let hint = "name a configuration with --config, or start in the folder that has config.toml";
    fs::write(site.config(), b"profiles = \"\xff\"\n").expect("room for a configuration");
    let output = site.phoneprov(&["check"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("it is not UTF-8, which a configuration has to be") && !said.contains(hint), "{said}");
    fs::remove_file(site.config()).expect("a file");
    let output = site.phoneprov(&["check"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains(hint), "{output:?}");
}

#[test]
fn check_makes_what_a_lab_lacks_and_says_where_it_cannot() {
    let shipped = include_str!("../../config.toml");
    let site = Site::new("");
    site.configure(shipped);
    fs::create_dir_all(site.path("certs/client-ca")).expect("room for a folder");
    // A folder that is mounted to be read, in a name space of the test's own.
    let script = format!(
        "mount --bind {site} {site} && mount -o remount,ro,bind {site} {site} && exec {binary} check --config {config}",
        site = site.path("").display(),
        binary = env!("CARGO_BIN_EXE_phoneprov"),
        config = site.config().display(),
    );
    let output = run("unshare", &["--user", "--map-root-user", "--mount", "sh", "-c", &script], b"");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("[lab]: cannot write"), "{output:?}");
    assert!(said.contains("Read-only file system"), "{said}");

    assert_eq!(self::said(&site), "0 errors, 0 warnings\n", "the shipped configuration");
    assert!(site.path("certs/lab/master.key").exists(), "made as the server would");
}
