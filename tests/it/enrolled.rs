//! The server with a store: whom it serves, how soon a change counts, and what is left while the store is away.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::outsider::{curl, decrypt, run};
use crate::postgres::{self, Postgres};
use crate::server::{Server, wait_for};
use crate::site::{ALL, OTHER, PHONE, Site, config};

const SECURE: &str = "[[rule]]\npath = \"/secure/$MA.cfg\"\nproof = \"none\"\nencrypt = \"aes-256-cbc\"\nkey = \"k\"\n";

/// A site with the sample profiles and a store.
fn site(url: &str) -> Site {
    let site = Site::new("");
    site.configure(&config(&ALL, &format!("{SECURE}[store]\nurl = \"{url}\"\n")));
    site
}

/// A server with a store of each kind.
fn both() -> [Server; 2] {
    postgres::stores().map(|url| site(&url).start())
}

/// Waits until a path has this status for a phone, and says how long that took.
fn becomes(server: &Server, mac: &str, path: &str, status: u16) -> Duration {
    let began = Instant::now();
    let mut last = 0;
    let came = wait_for(|| {
        last = server.https(mac, path).status;
        last == status
    });
    assert!(came, "{path} has {last}, not {status}:\n{}", server.log());
    began.elapsed()
}

#[test]
fn only_a_device_of_the_store_that_is_enabled_gets_anything() {
    for server in both() {
        let own = format!("/{PHONE}.cfg");
        assert_eq!(server.phone(&own).status, 404);
        server.log_line(&[&own, "the store has no device 000e08abcdef"]);
        assert_eq!(server.http(&format!("/secure/{PHONE}.cfg")).status, 404, "proof or none");
        assert_eq!(server.http("/basic.txt").status, 200, "what is everybody's needs no device");
        assert_eq!(server.phone("/basic.txt").status, 200, "nor does who is not known yet");

        server.tell(&["device", "add", PHONE]);
        let took = becomes(&server, PHONE, &own, 200);
        assert!(took < Duration::from_secs(2), "a change counts within a second: {took:?}");
        assert!(decrypt("k", &server.http(&format!("/secure/{PHONE}.cfg")).body).starts_with(b"<"));

        server.tell(&["device", "disable", PHONE]);
        becomes(&server, PHONE, &own, 404);
        server.log_line(&[&own, "the device 000e08abcdef is disabled"]);
        assert_eq!(server.phone("/basic.txt").status, 404, "nothing at all, once it proves who it is");
        server.tell(&["device", "enable", PHONE]);
        becomes(&server, PHONE, &own, 200);
        server.tell(&["device", "remove", PHONE]);
        becomes(&server, PHONE, &own, 404);
    }
}

#[test]
fn a_certificate_counts_where_a_rule_asks_for_one_only_if_the_store_has_its_device() {
    let server = site("sqlite://state/phoneprov.db");
    let rule = "[[rule]]\npath = \"/book.xml\"\nproof = \"certificate\"\n";
    server.configure(&config(&ALL, &format!("{rule}[store]\n")));
    server.profile("book.xml", "numbers");
    let server = server.start();
    assert_eq!(server.phone("/book.xml").status, 404);
    server.log_line(&["/book.xml", "the store has no device 000e08abcdef"]);
    server.tell(&["device", "add", PHONE]);
    becomes(&server, PHONE, "/book.xml", 200);
}

#[test]
fn a_device_is_every_name_that_the_store_gives_it() {
    for server in both() {
        server.profile("csn/$SN.cfg", "for {{ SN }}");
        server.tell(&["device", "add", PHONE, "--alias", "0e08abcdef01", "--serial", "ZZZ123456"]);
        server.tell(&["device", "add", OTHER]);
        becomes(&server, PHONE, "/0e08abcdef01.cfg", 200);
        assert_eq!(server.phone("/csn/ZZZ123456.cfg").text(), "for ZZZ123456", "which its certificate does not say");
        for path in ["/0e08abcdef01.cfg", "/csn/ZZZ123456.cfg", "/000e08abcdef.cfg"] {
            assert_eq!(server.https(OTHER, path).status, 404, "{path}");
        }
        assert_eq!(server.phone("/0e08abcdef02.cfg").status, 404, "no name of anybody");
        // An alias is asked with, and never proves anything.
        server.tell(&["device", "remove", OTHER]);
        server.tell(&["device", "set", PHONE, "--alias", OTHER]);
        becomes(&server, PHONE, &format!("/{OTHER}.cfg"), 200);
        assert_eq!(server.https(OTHER, &format!("/{PHONE}.cfg")).status, 404);
    }
}

#[test]
fn a_folder_that_is_the_devices_own_is_closed_to_guesses() {
    for server in both() {
        server.profile("cisco/$B/$MA.cfg", "in {{ B }}");
        server.tell(&["device", "add", PHONE, "GPP_B=k3ep0ut"]);
        server.tell(&["device", "add", OTHER]);
        let own = |folder: &str, mac: &str| format!("/cisco/{folder}/{mac}.cfg");
        becomes(&server, PHONE, &own("k3ep0ut", PHONE), 200);
        assert_eq!(server.phone(&own("guess", PHONE)).status, 404);
        let line = server.log_line(&["the path's $B is not what the device has in GPP_B"]);
        assert!(!line.contains("k3ep0ut"), "{line}");
        becomes(&server, OTHER, &own("anything", OTHER), 200);
    }
}

#[test]
fn when_a_device_was_seen_outlives_the_server() {
    for server in both() {
        server.tell(&["device", "add", PHONE]);
        server.tell(&["device", "add", OTHER]);
        becomes(&server, PHONE, &format!("/{PHONE}.cfg"), 200);
        let site = server.stop();
        let shown: Value = serde_json::from_str(&site.tell(&["device", "show", PHONE, "--json"])).expect("JSON");
        assert_eq!(shown["address"], "127.0.0.1", "{shown}");
        assert!(site.tell(&["device", "show", OTHER]).contains("seen        never"));
        assert_eq!(site.tell(&["device", "log"]).matches("change ").count(), 2, "being seen is no change");
    }
}

#[test]
fn a_command_that_asks_in_a_phones_place_asks_the_store_too() {
    let site = site("sqlite://state/phoneprov.db");
    site.tell(&["device", "add", PHONE]);
    let asked = |mac: &str| {
        let config = site.config().display().to_string();
        let path = format!("/{mac}.cfg");
        run(env!("CARGO_BIN_EXE_phoneprov"), &["render", &path, "--mac", mac, "--config", &config], b"")
    };
    assert!(asked(PHONE).status.success());
    let refused = asked(OTHER);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("the store has no device 000e08000002"), "{refused:?}");
}

/// The status of a file over HTTPS, and when to come again.
fn status(server: &Server, mac: &str) -> (u16, Option<String>) {
    let answer = server.https(mac, &format!("/{mac}.cfg"));
    let again = answer.headers.iter().find(|(name, _)| name == "retry-after").map(|(_, value)| value.clone());
    (answer.status, again)
}

#[test]
fn two_nodes_share_a_database_and_outlive_it() {
    let mut postgres = Postgres::start();
    let url = postgres.database();
    let nodes = [site(&url).start(), site(&url).start()];
    let own = format!("/{PHONE}.cfg");
    nodes[0].tell(&["device", "add", PHONE]);
    nodes[1].tell(&["device", "add", OTHER]);
    for node in &nodes {
        becomes(node, PHONE, &own, 200);
    }
    nodes[0].tell(&["device", "disable", PHONE]);
    becomes(&nodes[1], PHONE, &own, 404);
    nodes[1].tell(&["device", "enable", PHONE]);
    becomes(&nodes[0], PHONE, &own, 200);
    // A node forgets what it hears of, though it may have read it already: what is asked for after that is remembered.
    std::thread::sleep(std::time::Duration::from_secs(2));
    becomes(&nodes[0], PHONE, &own, 200);
    becomes(&nodes[1], PHONE, &own, 200);
    becomes(&nodes[1], OTHER, &format!("/{OTHER}.cfg"), 200);

    let metric = |node: &Server, name: &str| {
        let text = curl(&[&node.admin("/metrics")]).text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).map(str::to_owned);
        line.and_then(|number| number.parse::<i64>().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
    };
    for node in &nodes {
        assert!(wait_for(|| metric(node, "phoneprov_store_revision") == 4), "{}", node.log());
        assert_eq!(metric(node, "phoneprov_store_up"), 1);
        let is_read_again = || {
            becomes(node, PHONE, &own, 200);
            metric(node, "phoneprov_store_reads_total") >= 2
        };
        assert!(wait_for(is_read_again), "{}", node.log());
    }

    postgres.order("stop");
    let ready = |node: &Server| curl(&[&node.admin("/readyz")]).text();
    for node in &nodes {
        node.log_line(&["ERROR", "the store does not answer"]);
        assert!(ready(node).starts_with("degraded: "), "{}", ready(node));
        assert!(wait_for(|| metric(node, "phoneprov_store_up") == 0));
        assert_eq!(status(node, PHONE).0, 200, "this one is remembered");
        assert_eq!(node.http("/basic.txt").status, 200);
    }
    assert_eq!(status(&nodes[0], OTHER), (503, Some("30".into())), "who knows whether it may have it?");
    assert_eq!(status(&nodes[1], OTHER).0, 200);

    postgres.order("start");
    for node in &nodes {
        node.log_line(&["INFO", "the store is back"]);
        assert_eq!(ready(node), "ready\n");
        becomes(node, OTHER, &format!("/{OTHER}.cfg"), 200);
    }
    nodes[0].tell(&["device", "disable", OTHER]);
    becomes(&nodes[1], OTHER, &format!("/{OTHER}.cfg"), 404);
}

#[test]
fn a_server_that_starts_without_its_database_waits_for_it() {
    let mut postgres = Postgres::start();
    let url = postgres.database();
    postgres.order("stop");
    let server = site(&url).start();
    server.log_line(&["started without the store"]);
    assert_eq!(server.http("/basic.txt").status, 200);
    assert_eq!(status(&server, PHONE).0, 503);
    postgres.order("start");
    server.log_line(&["the store is back"]);
    server.tell(&["device", "add", PHONE]);
    becomes(&server, PHONE, &format!("/{PHONE}.cfg"), 200);
}

/// A site whose store says this of devices that it does not have.
fn open_to(unknown: &str, url: &str) -> Server {
    let site = Site::new("");
    site.configure(&config(&ALL, &format!("{SECURE}[store]\nurl = \"{url}\"\nunknown = \"{unknown}\"\n")));
    site.profile("new.cfg", "welcome");
    site.start()
}

#[test]
fn a_phone_that_asks_waits_until_somebody_approves() {
    for url in postgres::stores() {
        let server = open_to("wait", &url);
        assert_eq!(server.phone(&format!("/{PHONE}.cfg")).status, 404);
        assert_eq!(server.http(&format!("/{OTHER}.cfg")).status, 404, "without a proof");
        assert_eq!(server.http(&format!("/secure/{OTHER}.cfg")).status, 404, "where none is needed");
        let listed = || server.tell(&["device", "waiting"]);
        assert!(wait_for(|| listed().lines().count() == 3), "{}", listed());
        let waiting: Value = serde_json::from_str(&server.tell(&["device", "waiting", "--json"])).expect("JSON");
        let told = |at: usize, key: &str| waiting["waiting"][at][key].clone();
        assert_eq!(
            (told(0, "name"), told(0, "proven"), told(0, "address")),
            (OTHER.into(), false.into(), "127.0.0.1".into())
        );
        assert_eq!((told(0, "path"), told(1, "proven")), (format!("/secure/{OTHER}.cfg").into(), true.into()));

        server.tell(&["device", "approve", PHONE, "--label", "Hall"]);
        becomes(&server, PHONE, &format!("/{PHONE}.cfg"), 200);
        let config = server.config().display().to_string();
        let refused = run(env!("CARGO_BIN_EXE_phoneprov"), &["device", "approve", OTHER, "--config", &config], b"");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("has proven nothing"), "{refused:?}");
        server.tell(&["device", "approve", OTHER, "--unproven"]);
        assert_eq!(listed().lines().count(), 1, "nobody waits any more: {}", listed());
        assert_eq!(server.tell(&["device", "log"]).matches("device approve").count(), 2);
    }
}

#[test]
fn a_phone_that_is_not_known_gets_the_one_profile_for_such() {
    let server = open_to("/new.cfg", "sqlite://state/phoneprov.db");
    assert_eq!(server.phone(&format!("/{PHONE}.cfg")).text(), "welcome");
    assert_eq!(server.http(&format!("/{PHONE}.cfg")).status, 404, "not without what the path needs");
    assert!(decrypt("k", &server.http(&format!("/secure/{OTHER}.cfg")).body).starts_with(b"welcome"));
    assert!(wait_for(|| server.tell(&["device", "waiting"]).contains(PHONE)));
    server.tell(&["device", "add", PHONE, "--disabled"]);
    becomes(&server, PHONE, &format!("/{PHONE}.cfg"), 404);
    let checked = |server: &Server| {
        let config = server.config().display().to_string();
        String::from_utf8_lossy(&run(env!("CARGO_BIN_EXE_phoneprov"), &["check", "--config", &config], b"").stdout)
            .into_owned()
    };
    assert!(!checked(&server).contains("store.unknown"), "{}", checked(&server));
    std::fs::remove_file(server.path("profiles/new.cfg")).expect("a file");
    assert!(checked(&server).contains("error: store: store.unknown: /new.cfg is not there"), "{}", checked(&server));
}
