//! Keys of devices that change: from first contact to steady state, as a phone fetches.

use serde_json::Value;

use crate::outsider::{decrypt, run};
use crate::postgres;
use crate::server::{Server, wait_for};
use crate::site::{ALL, OTHER, PHONE, Site, config};

const RULES: &str = "[[rule]]\npath = \"/secure/$MA.cfg\"\nproof = \"none\"\nencrypt = \"aes-256-cbc\"\n\
    key_from = \"device\"\nlisteners = [\"http\", \"tftp\"]\n\
    [[rule]]\npath = \"/content/$MA.cfg\"\nproof = \"none\"\nencrypt = \"aes128gcm\"\nkey_from = \"device\"\n";

/// What a profile hands over, as the phone takes it from there: its key, and the rule's URL from the path on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Handed {
    key: String,
    path: String,
}

fn start(url: &str) -> Server {
    let site = Site::new("");
    let store = format!("{RULES}[store]\nurl = \"{url}\"\nseal_key_file = \"seal.key\"\n");
    site.configure(&config(&ALL, &store));
    for (file, kind, path) in [
        ("first/$MA.cfg", "key", "/secure/{{ MA }}.cfg?key={{ key.next_id }}"),
        ("secure/$MA.cfg", "key", "/secure/{{ MA }}.cfg?key={{ key.next_id }}"),
        ("content/$MA.cfg", "ikm", "/content/{{ MA }}.cfg?key={{ ikm.next_id }}"),
        ("first-content/$MA.cfg", "ikm", "/content/{{ MA }}.cfg?key={{ ikm.next_id }}"),
    ] {
        let text =
            format!("<flat-profile><Profile_Rule>[--key {{{{ {kind}.next }}}}] {path}</Profile_Rule></flat-profile>");
        site.profile(file, text);
    }
    std::fs::write(site.path("seal.key"), site.tell(&["secrets", "key"])).expect("room for a key");
    site.tell(&["device", "add", PHONE]);
    site.start()
}

fn handed(profile: &str) -> Handed {
    let rule = profile.split("[--key ").nth(1).and_then(|rest| rest.split('<').next()).expect("a rule");
    let (key, path) = rule.split_once("] ").expect("a rule with a key");
    Handed { key: key.to_owned(), path: path.to_owned() }
}

/// What the phone reads that has this key and rule.
fn fetch(server: &Server, has: &Handed) -> String {
    let answer = server.http(&has.path);
    assert_eq!(answer.status, 200, "{}\n{}", has.path, server.log());
    String::from_utf8(decrypt(&has.key, &answer.body)).expect("text")
}

fn states(server: &Server, kind: &str) -> Vec<String> {
    let keys: Value = serde_json::from_str(&server.tell(&["device", "key", "show", PHONE, "--json"])).expect("JSON");
    let keys = keys.as_array().expect("a list").iter().filter(|key| key["kind"] == kind);
    let word = |key: &Value| {
        let used = if key["used"].is_null() { "" } else { " used" };
        format!("{} {}{used}", key["generation"], key["stage"].as_str().expect("a word"))
    };
    keys.map(word).collect()
}

fn becomes(server: &Server, kind: &str, expected: &[&str]) {
    assert!(wait_for(|| states(server, kind) == expected), "{:?}\n{}", states(server, kind), server.log());
}

#[test]
fn from_first_contact_to_steady_state_with_a_key_that_changes() {
    for url in postgres::stores() {
        let server = start(&url);
        let secure = format!("/secure/{PHONE}.cfg");
        assert_eq!(server.http(&secure).status, 404, "no key, no profile");
        server.log_line(&["the device has no key of its own: `phoneprov device key rotate 000e08abcdef` makes one"]);

        // First contact: by certificate, the phone is handed its first key.
        server.tell(&["device", "key", "rotate", PHONE]);
        let first = || server.phone(&format!("/first/{PHONE}.cfg"));
        assert!(wait_for(|| first().status == 200), "{}", server.log());
        let one = handed(&first().text());
        assert_eq!((one.key.len(), states(&server, "key")), (64, vec!["1 current".to_owned()]));

        // Steady: the same profile each time, and the same bytes.
        assert_eq!(handed(&fetch(&server, &one)), one);
        becomes(&server, "key", &["1 current used"]);
        assert_eq!(server.http(&one.path).body, server.http(&one.path).body);
        assert_eq!(server.http(&secure).body, server.http(&one.path).body, "who says nothing has the current key");

        // Rotation: under the key that the phone has comes the next one.
        server.tell(&["device", "key", "rotate", PHONE]);
        assert!(wait_for(|| handed(&fetch(&server, &one)) != one));
        let two = handed(&fetch(&server, &one));
        assert!(two.key != one.key && two.path != one.path, "{two:?}");
        assert_eq!(states(&server, "key"), ["1 current used", "2 next"]);
        assert!(server.tell(&["device", "list"]).contains("key 1→2"));
        let again = server.phoneprov(&["device", "key", "rotate", PHONE]);
        let said = String::from_utf8_lossy(&again.stdout);
        assert!(again.status.code() == Some(1) && said.contains("has not asked under its next key yet"), "{said}");

        // Until the phone has asked under it, both are good.
        assert_eq!(handed(&fetch(&server, &one)), two);
        assert_eq!(handed(&fetch(&server, &two)), two);
        becomes(&server, "key", &["1 retired used", "2 current used"]);
        assert!(wait_for(|| server.http(&one.path).status == 404), "the old one is retired");
        server.log_line(&["the phone asks under a key that is not its device's, or is retired"]);
        assert_eq!(handed(&fetch(&server, &two)), two);
        assert_eq!(server.http(&secure).body, server.http(&two.path).body);
        assert!(server.tell(&["device", "list"]).contains("key 2 "));

        let log = format!("{}{}", server.log(), server.tell(&["device", "log", "--json"]));
        assert!(!log.contains(&one.key) && !log.contains(&two.key));
        assert!(log.contains("\"the phone\"") && log.contains("key in use"), "{log}");
        let shown = server.tell(&["device", "key", "show", PHONE]);
        assert!(!shown.contains(&two.key) && shown.contains("••••"), "{shown}");
        assert!(server.tell(&["device", "key", "show", PHONE, "--reveal"]).contains(&two.key));
        assert!(server.tell(&["device", "log", "--limit", "1"]).contains("device key show --reveal"));
    }
}

#[test]
fn nobody_retires_a_key_by_guessing_the_next_one() {
    for url in postgres::stores() {
        let server = start(&url);
        server.tell(&["device", "key", "rotate", PHONE]);
        server.tell(&["device", "key", "rotate", PHONE]);
        for guess in ["2", "", "0000000000000000", "%00", "next"] {
            let path = format!("/secure/{PHONE}.cfg?key={guess}");
            assert!(wait_for(|| server.http(&path).status == 404), "{guess}");
        }
        server.log_line(&["the phone asks under a key that is not its device's"]);
        std::thread::sleep(std::time::Duration::from_millis(600));
        assert_eq!(states(&server, "key"), ["1 current", "2 next"]);
    }
}

#[test]
fn a_key_of_rfc_8188_changes_likewise() {
    for url in postgres::stores() {
        let server = start(&url);
        server.tell(&["device", "key", "rotate", PHONE, "--kind", "ikm"]);
        let first = || server.phone(&format!("/first-content/{PHONE}.cfg"));
        assert!(wait_for(|| first().status == 200), "{}", server.log());
        let read = |has: &Handed| {
            let answer = server.http(&has.path);
            assert_eq!(answer.status, 200, "{}", server.log());
            let args = ["decrypt", "--scheme", "aes128gcm", "--key", &has.key];
            let output = run(env!("CARGO_BIN_EXE_phoneprov"), &args, &answer.body);
            handed(&String::from_utf8(output.stdout).expect("text"))
        };
        let one = handed(&first().text());
        assert_eq!(read(&one), one);
        server.tell(&["device", "key", "rotate", PHONE, "--kind", "ikm"]);
        assert!(wait_for(|| read(&one) != one));
        let two = read(&one);
        assert_eq!(read(&two), two);
        becomes(&server, "ikm", &["1 retired used", "2 current used"]);
        assert_eq!(server.http(&format!("/secure/{PHONE}.cfg")).status, 404, "one kind is not the other");
    }
}

#[test]
fn the_key_that_a_phone_has_already_is_taken_over_and_asked_for_over_tftp_too() {
    for url in postgres::stores() {
        let server = start(&url);
        let config = server.config().display().to_string();
        let set = ["device", "key", "set", PHONE, "--config", &config];
        let set = run(env!("CARGO_BIN_EXE_phoneprov"), &set, b"MyOwnSecret\n");
        assert!(set.status.success(), "{set:?}");
        let plain = format!("/secure/{PHONE}.cfg");
        assert!(wait_for(|| server.http(&plain).status == 200), "{}", server.log());
        server.tell(&["device", "key", "rotate", PHONE]);
        let has = Handed { key: "MyOwnSecret".into(), path: plain };
        assert!(wait_for(|| handed(&fetch(&server, &has)).key != has.key));
        let next = handed(&fetch(&server, &has));
        let over_tftp = crate::outsider::tftp(server.port("tftp"), "octet", next.path.trim_start_matches('/'));
        assert_eq!(decrypt(&next.key, &over_tftp.expect("a file")), fetch(&server, &next).into_bytes());
        becomes(&server, "key", &["1 retired", "2 current used"]);
    }
}

#[test]
fn keys_survive_a_removal_that_is_undone_and_are_sealed_anew_with_the_rest() {
    for url in postgres::stores() {
        let server = start(&url);
        server.tell(&["device", "add", OTHER]);
        assert!(server.tell(&["device", "key", "rotate", "--all"]).starts_with("2 devices have a new key"));
        let key = |args: &[&str]| server.tell(&[&["device", "key", "show", PHONE, "--reveal"], args].concat());
        let before: Value = serde_json::from_str(&key(&["--json"])).expect("JSON");
        server.tell(&["device", "remove", PHONE]);
        server.tell(&["device", "undo", "5"]);
        server.tell(&["secrets", "rotate", "--new"]);
        let after: Value = serde_json::from_str(&key(&["--json"])).expect("JSON");
        assert_eq!(before[0]["key"], after[0]["key"]);
        let keys: Value = serde_json::from_str(&server.tell(&["secrets", "show", "--json"])).expect("JSON");
        assert_eq!((&keys[0]["secrets"], &keys[0]["known"]), (&Value::from(2), &Value::from("seals")));
        assert!(server.tell(&["check"]).contains("0 errors"));
    }
}
