//! Codes that people type on new phones, as curl types them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::outsider::{Answer, curl, run};
use crate::postgres;
use crate::server::{Server, wait_for};
use crate::site::{ALL, OTHER, PHONE, Site, config, lab};

const RULES: &str = "[[rule]]\npath = \"/start/$MA.cfg\"\nproof = \"code\"\n";
const NEW: &str = "000e08000042";

fn start(url: &str) -> Server {
    let site = Site::new("");
    let store = format!("{RULES}[store]\nurl = \"{url}\"\nseal_key_file = \"seal.key\"\n");
    site.configure(&config(&ALL, &store));
    site.profile("start/$MA.cfg", "{{ MA }} {{ sip_user }} {{ sip_password | default('none') }}");
    std::fs::write(site.path("seal.key"), site.tell(&["secrets", "key"])).expect("room for a key");
    site.tell(&["group", "add", "sales", "sip_user=100"]);
    site.start()
}

/// A code that was given out, as it is read to somebody.
fn code(server: &Server, args: &[&str]) -> String {
    let said = server.tell(&[&["device", "code", "--group", "sales"], args].concat());
    said.lines().next().expect("a code").to_owned()
}

/// What a phone hears that has typed this.
fn types(server: &Server, mac: &str, user: &str, code: &str) -> Answer {
    let url = server.url("https", &format!("/start/{mac}.cfg"));
    curl(&["--cacert", &lab("ca.pem"), "--user", &format!("{user}:{code}"), &url])
}

#[test]
fn a_new_phone_is_challenged_and_the_code_makes_it_a_device() {
    for url in postgres::stores() {
        let server = start(&url);
        let config = server.config().display().to_string();
        let given =
            ["device", "code", "--group", "sales", "--label", "Hall", "--secret", "sip_password", "--config", &config];
        let given = run(env!("CARGO_BIN_EXE_phoneprov"), &given, b"hush-hall\n");
        let said = String::from_utf8(given.stdout).expect("text");
        let code = said.lines().next().expect("a code");
        assert!(code.len() == 19 && said.contains("code 1, good once, until "), "{said}");

        let url = server.url("https", &format!("/start/{NEW}.cfg"));
        let asked = curl(&["--cacert", &lab("ca.pem"), &url]);
        let challenge = asked.headers.iter().find(|(name, _)| name == "www-authenticate");
        assert_eq!((asked.status, challenge.map(|(_, text)| text.starts_with("Basic realm="))), (401, Some(true)));
        let answer = types(&server, NEW, "anybody", code);
        assert_eq!((answer.status, answer.text()), (200, format!("{NEW} 100 hush-hall")), "{}", server.log());

        let shown: Value = serde_json::from_str(&server.tell(&["device", "show", NEW, "--json"])).expect("JSON");
        assert_eq!((&shown["label"], &shown["groups"]), (&json!("Hall"), &json!(["sales"])));
        let codes: Value = serde_json::from_str(&server.tell(&["device", "code", "--list", "--json"])).expect("JSON");
        assert_eq!(codes[0]["device"], json!(NEW));
        let log = server.tell(&["device", "log", "--limit", "3"]);
        assert!(log.contains("the phone at 127.0.0.1  code  device 000e08000042"), "{log}");
        let digits = code.replace(' ', "");
        let all = format!("{}{log}{}", server.log(), server.tell(&["device", "log", "--json"]));
        assert!(!all.contains(code) && !all.contains(&digits) && !all.contains("hush-hall"));
    }
}

#[test]
fn a_used_an_expired_a_withdrawn_a_wrong_and_a_guessed_code_are_refused_alike() {
    for url in postgres::stores() {
        let server = start(&url);
        server.tell(&["device", "add", OTHER]);
        let used = code(&server, &[]);
        assert_eq!(types(&server, NEW, "x", &used).status, 200, "{}", server.log());
        let expired = code(&server, &["--expires", "1ms"]);
        let withdrawn = code(&server, &[]);
        server.tell(&["device", "code", "--withdraw", "3"]);
        let said = server.tell(&["device", "code", "--group", "sales"]);
        assert!(said.contains("code 4, good once"), "a withdrawn number is nobody else's: {said}");
        let good = said.lines().next().expect("a code").to_owned();
        std::thread::sleep(Duration::from_millis(20));
        let refused = [
            ("000e08000043", used.as_str(), "the code has been used"),
            (NEW, &used, "the code has been used"),
            ("000e08000044", &expired, "the code has expired"),
            ("000e08000045", &withdrawn, "the code is none that was given out"),
            ("000e08000046", "0000 0000 0000 0000", "the code is none that was given out"),
            ("000e08000047", "guess", "the code is none that was given out"),
            (OTHER, &good, "the code is for a new device, and the store has this one"),
        ];
        let mut heard = Vec::new();
        for (mac, code, reason) in refused {
            let answer = types(&server, mac, "x", code);
            assert_eq!(answer.status, 401, "{mac} {reason}");
            server.log_line(&[mac, reason]);
            heard.push(answer.timeless());
        }
        assert!(heard.iter().all(|other| *other == heard[0]), "{heard:?}");
        // Without [events], too, somebody who tries codes is seen.
        let metrics = curl(&[&server.admin("/metrics")]).text();
        for counted in ["activated\"} 1", "used\"} 2", "expired\"} 1", "unknown\"} 3", "enrolled\"} 1", "away\"} 0"] {
            assert!(metrics.contains(&format!("phoneprov_activation_codes_total{{outcome=\"{counted}\n")), "{metrics}");
        }
        assert_eq!(types(&server, "000e08000048", "x", &good).status, 200, "none of that has used it up");
        let devices = server.tell(&["device", "export"]);
        assert_eq!(devices.lines().count(), 4, "{devices}");
    }
}

/// Where events are kept, which have an end, each refusal is one: who, from where, and which of the reasons it was.
#[test]
fn a_refused_code_is_an_event_that_says_why_and_not_what_was_typed() {
    for url in postgres::stores() {
        let site = Site::new("");
        site.configure(&config(&ALL, &format!("{RULES}[store]\nurl = \"{url}\"\n[events]\nmost = 1000\n")));
        site.profile("start/$MA.cfg", "{{ MA }}");
        site.tell(&["group", "add", "sales"]);
        let server = site.start();
        let used = code(&server, &[]);
        let expired = code(&server, &["--expires", "1ms"]);
        assert_eq!(types(&server, NEW, "x", &used).status, 200, "{}", server.log());
        let refused = [
            ("000e08000043", used.as_str(), "the code has been used"),
            ("000e08000044", &expired, "the code has expired"),
            ("000e08000045", "0000 0000 0000 1234", "the code is none that was given out"),
        ];
        for (mac, code, _) in refused {
            assert_eq!(types(&server, mac, "x", code).status, 401);
        }
        let events = || server.tell(&["events", "--json"]);
        assert!(wait_for(|| refused.iter().all(|(mac, ..)| events().contains(mac))), "{}", events());
        let all: Vec<Value> = events().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for (mac, code, reason) in refused {
            let event = all.iter().find(|event| event["name"] == mac).expect("an event");
            assert_eq!((&event["outcome"], &event["certain"]), (&json!("refused"), &json!(false)), "{event}");
            assert!(event["text"].as_str().is_some_and(|text| text.contains(reason)), "{event}");
            assert!(!event.to_string().contains(code) && !event.to_string().contains(&code.replace(' ', "")));
        }
    }
}

/// Two phones that type the same code at once are one device and one refusal.
#[test]
fn a_code_is_good_once_also_at_the_same_moment() {
    for url in postgres::stores() {
        let server = start(&url);
        let code = code(&server, &[]);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..6)
                .map(|at| {
                    let (server, code) = (&server, &code);
                    scope.spawn(move || types(server, &format!("000e080001{at:02}"), "x", code).status)
                })
                .collect();
            asking.into_iter().map(|asking| asking.join().expect("an answer")).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(server.tell(&["device", "export"]).lines().count(), 2);
    }
}

#[test]
fn a_certificate_that_comes_with_the_code_is_bound_too() {
    let server = start("sqlite://state/phoneprov.db");
    let (certificate, key) = (lab(&format!("phone-{PHONE}.pem")), lab(&format!("phone-{PHONE}.key")));
    let first = code(&server, &[]);
    let asks = |mac: &str| {
        let url = server.url("https", &format!("/start/{mac}.cfg"));
        let user = format!("{first}:");
        curl(&["--cacert", &lab("ca.pem"), "--cert", &certificate, "--key", &key, "--user", &user, &url])
    };
    assert_eq!(asks(NEW).status, 401, "the path names another phone");
    server.log_line(&["neither path nor certificate names"]);
    assert_eq!(asks(PHONE).status, 200, "typed as a name: {}", server.log());
    assert!(wait_for(|| server.phone(&format!("/{PHONE}.cfg")).status == 200), "{}", server.log());
}

#[test]
fn check_tells_of_a_variable_that_no_code_has_brought_once_codes_are_given_out() {
    for url in postgres::stores() {
        let site = Site::new("");
        site.configure(&config(&ALL, &format!("{RULES}[store]\nurl = \"{url}\"\n")));
        site.profile("start/$MA.cfg", "<flat-profile><User_ID_1_>{{ sip_user }}</User_ID_1_></flat-profile>");
        let check = || {
            let output = site.phoneprov(&["check"]);
            (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let missing = "start/$MA.cfg: gives no profile for a sample phone: start/$MA.cfg:1: `sip_user` is not defined";
        assert_eq!(check(), (Some(0), "0 errors, 0 warnings\n".to_owned()));
        site.tell(&["device", "code", "sip_usr=100"]);
        let (code, said) = check();
        assert!(code == Some(1) && said.contains(missing), "{said}");
        site.tell(&["device", "code", "sip_user=100"]);
        assert_eq!(check(), (Some(0), "0 errors, 0 warnings\n".to_owned()));
        // What is wrong in itself is told at once, and so is a variable of a file that needs no code.
        site.tell(&["device", "code", "--withdraw", "1"]);
        site.tell(&["device", "code", "--withdraw", "2"]);
        site.profile("$MA.cfg", "{{ sip_user }}");
        site.profile("start/$MA.cfg", "{{ sip_user");
        let (code, said) = check();
        assert!(
            code == Some(1) && said.contains("2 errors") && said.contains("error: $MA.cfg: gives no profile"),
            "{said}"
        );
    }
}

#[test]
fn whoever_tries_codes_is_slowed_down_and_told_of() {
    let server = start("sqlite://state/phoneprov.db");
    for at in 0..40 {
        types(&server, &format!("000e080002{at:02}"), "x", &format!("{at:016}"));
    }
    let metrics = curl(&[&server.admin("/metrics")]).text();
    let wrong = metrics.lines().find(|line| line.starts_with("phoneprov_") && line.contains("wrong_passwords"));
    assert!(wrong.is_some_and(|line| !line.ends_with(" 0")), "{metrics}");
    assert_eq!(server.tell(&["device", "list"]).lines().count(), 1);
}

#[test]
fn a_code_needs_a_store_and_a_connection_that_carries_it() {
    let site = Site::new("");
    for (rules, expected) in [
        (RULES.to_owned(), "rule.proof = \"code\": there is no [store]"),
        (format!("{RULES}listeners = [\"tftp\"]\n[store]\n"), "tftp carries no password"),
        (format!("{RULES}password_file = \"x\"\n[store]\n"), "only a rule with proof = \"password\" has it"),
    ] {
        site.configure(&config(&ALL, &rules));
        let check = site.phoneprov(&["check"]);
        assert!(String::from_utf8_lossy(&check.stderr).contains(expected), "{check:?}");
    }
}
