//! Secrets of the store: sealed where they are kept, masked wherever people look, used where profiles are made.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::outsider::run;
use crate::postgres;
use crate::server::{Server, wait_for};
use crate::site::{ALL, OTHER, PHONE, Site, config};

pub(crate) const SECRET: &str = "hush-4711-hush";
const KEYED: &str =
    "[[rule]]\npath = \"/keyed/$MA.cfg\"\nproof = \"none\"\nencrypt = \"aes-256-cbc\"\nkey = \"{{ sip_password }}\"\n";

fn site(url: &str) -> Site {
    let site = Site::new("");
    let store = format!("{KEYED}[store]\nurl = \"{url}\"\nseal_key_file = \"seal.key\"\n");
    site.configure(&config(&ALL, &store));
    site.profile("s/$MA.cfg", "{{ sip_password }}");
    site.profile("o/$MA.cfg", "{{ sip_user }}");
    site.profile("keyed/$MA.cfg", "x");
    fs::write(site.path("seal.key"), tell(&site, &["secrets", "key"])).expect("room for a key");
    site
}

/// In each kind of database, with a site of its own.
fn both() -> [Site; 2] {
    ["sqlite://state/phoneprov.db".to_owned(), postgres::database()].map(|url| site(&url))
}

fn ask(site: &Site, args: &[&str], input: &str) -> Output {
    let config = site.config().display().to_string();
    run(env!("CARGO_BIN_EXE_phoneprov"), &[args, &["--config", &config]].concat(), input.as_bytes())
}

/// What a command prints that is to succeed; it may print no secret.
pub(crate) fn tell(site: &Site, args: &[&str]) -> String {
    given(site, args, "")
}

fn given(site: &Site, args: &[&str], input: &str) -> String {
    let output = ask(site, args, input);
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

pub(crate) fn furnish(site: &Site) {
    tell(site, &["group", "add", "sales"]);
    given(site, &["device", "add", PHONE, "--group", "sales", "sip_user=100", "--secret", "sip_password"], SECRET);
    tell(site, &["device", "add", OTHER, "sip_user=200"]);
}

/// All that a database holds, as bytes that a thief would search.
pub(crate) fn contents(site: &Site) -> String {
    let config = fs::read_to_string(site.config()).expect("a configuration");
    match config.split("url = \"").nth(1).and_then(|rest| rest.split('"').next()) {
        Some(url) if url.starts_with("postgres") => {
            let select = "select string_agg(t, ' ') from (select value as t from variable \
                union all select coalesce(before, '') || coalesce(after, '') from history) as all_of_it";
            postgres::shared_sql(postgres::name_of(url), select)
        }
        _ => ["state/phoneprov.db", "state/phoneprov.db-wal"]
            .map(|file| String::from_utf8_lossy(&fs::read(site.path(file)).unwrap_or_default()).into_owned())
            .concat(),
    }
}

#[test]
fn a_secret_is_sealed_masked_everywhere_and_in_the_profile() {
    for site in both() {
        furnish(&site);
        given(&site, &["group", "set", "sales", "--secret", "group_secret"], "hush-group-hush\n");
        given(&site, &["defaults", "set", "a=1", "--secret", "all_secret"], "hush-all-hush\n");
        assert!(contents(&site).contains("$sealed") && !contents(&site).contains("hush-"), "in clear");
        let shown: [&[&str]; 12] = [
            &["device", "show", PHONE],
            &["device", "show", PHONE, "--json"],
            &["device", "list", "--json"],
            &["device", "log"],
            &["device", "log", "--json"],
            &["device", "export"],
            &["device", "export", "--json"],
            &["explain", PHONE],
            &["explain", PHONE, "--json"],
            &["group", "show", "sales", "--json"],
            &["defaults", "show"],
            &["render", &format!("/s/{PHONE}.cfg"), "--mac", PHONE],
        ];
        for args in shown {
            let text = tell(&site, args);
            assert!(
                (text.contains("••••") || text.contains("****"))
                    && !text.contains("hush-")
                    && !text.contains("$sealed"),
                "{args:?}: {text}"
            );
        }
        let server = site.start();
        assert_eq!(server.phone(&format!("/s/{PHONE}.cfg")).text(), SECRET, "{}", server.log());
        assert_eq!(server.phone(&format!("/o/{PHONE}.cfg")).text(), "100");
        assert!(!server.log().contains("hush-"));
    }
}

#[test]
fn who_is_shown_a_secret_is_in_the_history_which_has_nothing_to_undo() {
    for site in both() {
        furnish(&site);
        given(&site, &["group", "set", "sales", "--secret", "group_secret"], "hush-group-hush\n");
        let revealing: [(&[&str], &str); 5] = [
            (&["device", "show", PHONE, "--reveal"], "device show --reveal  device 000e08abcdef"),
            (&["group", "show", "sales", "--reveal"], "group show --reveal  group sales"),
            (&["explain", PHONE, "sip_password", "--reveal"], "explain --reveal  device 000e08abcdef"),
            (&["device", "export", "--reveal"], "device export --reveal  defaults every device"),
            (
                &["render", &format!("/s/{PHONE}.cfg"), "--mac", PHONE, "--reveal"],
                "render --reveal  device 000e08abcdef",
            ),
        ];
        for (args, expected) in revealing {
            let text = tell(&site, args);
            assert!(text.contains("hush-"), "{args:?}: {text}");
            let log = tell(&site, &["device", "log", "--limit", "1"]);
            assert!(log.contains(expected) && !log.contains("hush-"), "{log}");
        }
        let last = tell(&site, &["device", "log", "--limit", "1"]);
        let number = last.split_whitespace().nth(1).expect("a number");
        let refused = ask(&site, &["device", "undo", number], "");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("nothing that could be taken back"), "{refused:?}");
        // Looking does not stand on a change: that of the group can be taken back.
        tell(&site, &["device", "undo", "4"]);
        assert!(!tell(&site, &["group", "show", "sales"]).contains("group_secret"));
    }
}

#[test]
fn a_secret_stays_one_and_the_same_text_changes_nothing() {
    for site in both() {
        furnish(&site);
        tell(&site, &["device", "set", PHONE, "sip_password=hush-other"]);
        assert!(!contents(&site).contains("hush-"), "set without --secret");
        let revision = tell(&site, &["device", "log", "--limit", "1"]);
        given(&site, &["device", "set", PHONE, "--secret", "sip_password"], "hush-other");
        assert_eq!(tell(&site, &["device", "log", "--limit", "1"]), revision, "the same text");
        assert!(revision.contains("variable sip_password: •••• -> ••••"), "{revision}");
        tell(&site, &["device", "undo", "4"]);
        let text = tell(&site, &["device", "show", PHONE, "--reveal"]);
        assert!(text.contains(SECRET), "{text}");
        for (args, expected) in [
            (&["device", "set", PHONE, "--secret", "x"][..], "no x on standard input"),
            (&["device", "set", PHONE, "x=1", "--secret", "x"], "x is given twice"),
            (&["device", "set", PHONE, "x:={\"$sealed\":\"v1.0.0\"}"], "is how secrets are kept"),
        ] {
            let refused = ask(&site, args, "");
            assert!(String::from_utf8_lossy(&refused.stderr).contains(expected), "{refused:?}");
        }
    }
}

#[test]
fn a_table_brings_secrets_and_a_mask_in_it_leaves_them() {
    for site in both() {
        furnish(&site);
        let table = |text: &str| {
            fs::write(site.path("t.csv"), text).expect("room");
            ask(&site, &["device", "import", &site.path("t.csv").display().to_string()], "")
        };
        let text = format!("mac,sip_password:secret\n{OTHER},hush-table\n000e08000009,hush-new\n");
        assert!(table(&text).status.success());
        assert!(!contents(&site).contains("hush-"));
        let again = table(&text);
        assert!(String::from_utf8_lossy(&again.stdout).starts_with("0 added, 0 changed, 2 unchanged"), "{again:?}");
        let export = tell(&site, &["device", "export"]);
        assert!(export.lines().next().expect("a header").contains("sip_password:secret"), "{export}");
        let again = table(&export);
        assert!(String::from_utf8_lossy(&again.stdout).starts_with("0 added, 0 changed, 3 unchanged"), "{again:?}");
        let revealed = tell(&site, &["device", "export", "--reveal"]);
        assert!(revealed.contains("hush-table") && revealed.contains(SECRET), "{revealed}");
        assert!(String::from_utf8_lossy(&table(&revealed).stdout).starts_with("0 added, 0 changed, 3 unchanged"));
        let masked = table("mac,sip_password:secret\n000e0800000a,••••\n");
        assert_eq!(masked.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&masked.stdout).contains("line 2: sip_password is masked"), "{masked:?}");
    }
}

#[test]
fn a_sealed_value_opens_for_nobody_else() {
    for site in both() {
        furnish(&site);
        let server = site.start();
        let config = fs::read_to_string(server.config()).expect("a configuration");
        let url = config.split("url = \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a URL").to_owned();
        let moved = "insert into variable (layer, owner, name, value) \
            select layer, 2, name, value from variable where name = 'sip_password'";
        if url.starts_with("postgres") {
            postgres::shared_sql(postgres::name_of(&url), moved);
        } else {
            let file = server.path("state/phoneprov.db").display().to_string();
            let output = run("sqlite3", &[&file, moved], b"");
            assert!(output.status.success(), "{output:?}");
        }
        assert_eq!(server.https(OTHER, &format!("/s/{OTHER}.cfg")).status, 404);
        server.log_line(&["`sip_password` is a secret that this server cannot open"]);
        server.log_line(&["was damaged, or sealed for another place"]);
        assert_eq!(server.https(OTHER, &format!("/o/{OTHER}.cfg")).text(), "200");
        assert_eq!(server.phone(&format!("/s/{PHONE}.cfg")).text(), SECRET);
    }
}

#[test]
fn without_the_key_only_what_needs_a_secret_is_not_served() {
    for site in both() {
        furnish(&site);
        let key = fs::read_to_string(site.path("seal.key")).expect("a key");
        for broken in ["", "hush-no-key\n", &"0".repeat(64)] {
            fs::write(site.path("seal.key"), broken).expect("room");
            let check = ask(&site, &["check"], "");
            assert_eq!(check.status.code(), Some(1), "{check:?}");
            let said = String::from_utf8_lossy(&check.stdout).into_owned();
            assert!(said.contains("seal_key_file") && !said.contains("hush-"), "{said}");
            let refused = ask(&site, &["device", "show", PHONE, "--reveal"], "");
            assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        }
        fs::remove_file(site.path("seal.key")).expect("a key");
        let server = site.start();
        let secret = || server.phone(&format!("/s/{PHONE}.cfg"));
        assert_eq!(server.phone(&format!("/o/{PHONE}.cfg")).text(), "100", "{}", server.log());
        assert_eq!(secret().status, 404);
        server.log_line(&["a secret does not open", "seal.key"]);
        assert_eq!(server.http(&format!("/keyed/{PHONE}.cfg")).status, 404, "never under another key");

        fs::write(server.path("seal.key"), key).expect("room");
        let config = fs::read_to_string(server.config()).expect("a configuration");
        server.reload(&config, "reloaded");
        assert_eq!(secret().text(), SECRET, "{}", server.log());
    }
}

#[test]
fn a_key_that_is_named_while_the_server_runs_counts_from_the_reload_on() {
    for site in both() {
        furnish(&site);
        let named = fs::read_to_string(site.config()).expect("a configuration");
        let key = "seal_key_file = \"seal.key\"\n";
        fs::write(site.config(), named.replace(key, "")).expect("room");
        let server = site.start();
        let secret = || server.phone(&format!("/s/{PHONE}.cfg"));
        assert_eq!(secret().status, 404);
        server.log_line(&["`sip_password` is a secret that this server cannot open", "counts from SIGHUP on"]);

        let unreadable = named.replace(key, "seal_key_file = \"nowhere.key\"\n");
        server.reload(&unreadable, "the keys of the store's secrets stay as they were");
        assert_eq!(secret().status, 404);
        server.reload(&named, "reloaded");
        assert_eq!(secret().text(), SECRET, "{}", server.log());

        // Those of another store wait for it.
        let elsewhere = "[store]\nurl = \"sqlite://state/other.db\"\n";
        let other = format!("{}{elsewhere}", &named[..named.find("[store]").expect("a store")]);
        server.reload(&other, "count from the next start: [store]");
        assert_eq!(secret().text(), SECRET, "{}", server.log());
        assert_eq!(server.log().matches("count from the next start").count(), 1, "{}", server.log());
    }
}

#[test]
fn all_secrets_are_sealed_anew_while_the_server_serves() {
    for site in both() {
        furnish(&site);
        given(&site, &["defaults", "set", "--secret", "all_secret"], "hush-all-hush\n");
        given(&site, &["device", "set", PHONE, "--secret", "sip_password"], "hush-second");
        let server = site.start();
        let becomes = |text: &str| {
            let get = || server.phone(&format!("/s/{PHONE}.cfg"));
            assert!(wait_for(|| get().text() == text), "{}", server.log());
        };
        becomes("hush-second");
        let said = tell(&server, &["secrets", "rotate", "--new"]);
        assert!(said.starts_with("2 secrets and "), "{said}");
        let keys: Value = serde_json::from_str(&tell(&server, &["secrets", "show", "--json"])).expect("JSON");
        assert_eq!(keys[0]["known"], json!("seals"));
        assert_eq!((&keys[0]["secrets"], &keys[1]["secrets"]), (&json!(2), &json!(0)));
        becomes("hush-second");
        // The old key may go, and a change from before comes back all the same.
        let file = fs::read_to_string(server.path("seal.key")).expect("keys");
        fs::write(server.path("seal.key"), file.lines().next().expect("a key")).expect("room");
        tell(&server, &["device", "undo", "5"]);
        becomes(SECRET);
        assert!(tell(&server, &["device", "log", "--limit", "9"]).contains("secrets rotate  defaults secrets"));
    }
}

/// A process that is killed while it seals anew leaves every secret under the key before.
#[test]
fn a_rotation_that_is_cut_short_leaves_nothing_half_done() {
    for site in both() {
        tell(&site, &["group", "add", "sales"]);
        let rows: Vec<String> = (0..3000).map(|at| format!("000e09{at:06x},hush-{at}")).collect();
        fs::write(site.path("t.csv"), format!("mac,sip_password:secret\n{}\n", rows.join("\n"))).expect("room");
        tell(&site, &["device", "import", &site.path("t.csv").display().to_string()]);
        let mut ended = 0;
        for round in 0..8_u64 {
            let config = site.config().display().to_string();
            let mut child = Command::new(env!("CARGO_BIN_EXE_phoneprov"))
                .args(["secrets", "rotate", "--new", "--config", &config])
                .stdout(Stdio::null())
                .spawn()
                .expect("the binary starts");
            std::thread::sleep(Duration::from_millis(20 + 60 * round));
            let _ = child.kill();
            ended += u32::from(child.wait().expect("a child").success());
            let keys: Value = serde_json::from_str(&tell(&site, &["secrets", "show", "--json"])).expect("JSON");
            let under: Vec<&Value> =
                keys.as_array().expect("a list").iter().filter(|key| key["secrets"] != 0).collect();
            assert_eq!(under.len(), 1, "{keys}");
            assert_eq!(under[0]["secrets"], json!(3000), "{keys}");
        }
        assert!(ended < 8, "no rotation was cut short");
        tell(&site, &["secrets", "rotate"]);
        let export = tell(&site, &["device", "export", "--reveal"]);
        assert_eq!(export.matches("hush-").count(), 3000);
        let _ = std::io::stderr().flush();
    }
}

#[test]
fn a_store_without_a_key_takes_no_secret() {
    let site = Site::new("");
    site.configure(&config(&ALL, "[store]\n"));
    let refused = ask(&site, &["device", "add", PHONE, "--secret", "x"], "hush-x\n");
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("`phoneprov secrets key > state/seal.key`") && !said.contains("hush-"), "{said}");
    assert!(!contents(&site).contains("hush-"));
    let server: Server = site.start();
    assert_eq!(server.http("/basic.txt").status, 200);
}
