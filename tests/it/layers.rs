//! Variables of devices: where they come from, which ones count, and what profiles are made with them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::outsider::{Answer, curl, decrypt, run};
use crate::postgres;
use crate::server::{Server, wait_for};
use crate::site::{ALL, OTHER, PHONE, Site, config, lab};

const RULES: &str =
    "[[rule]]\npath = \"/keyed/$MA.cfg\"\nproof = \"none\"\nencrypt = \"aes-256-cbc\"\nkey = \"{{ phone_key }}\"\n";

fn site(url: &str) -> Site {
    let site = Site::new("");
    site.configure(&config(&ALL, &format!("{RULES}[store]\nurl = \"{url}\"\n")));
    site.profile("v/$MA.cfg", "{{ proxy }} {{ user }} {{ vlan + 1 }} {{ sip_proxy }}");
    site.profile("keyed/$MA.cfg", "secret of {{ user }}");
    site
}

fn both() -> [Server; 2] {
    postgres::stores().map(|url| site(&url).start())
}

fn of(mac: &str) -> String {
    format!("/v/{mac}.cfg")
}

/// Waits until a phone's profile is this.
fn becomes(server: &Server, mac: &str, text: &str) -> Answer {
    let get = || server.https(mac, &of(mac));
    assert!(wait_for(|| get().text() == text), "{} is not {text}\n{}", get().text(), server.log());
    get()
}

fn header(answer: &Answer, name: &str) -> String {
    answer.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).expect("a header")
}

fn furnish(site: &Site) {
    site.tell(&["defaults", "set", "proxy=a", "user=nobody", "vlan:=1"]);
    site.tell(&["group", "add", "sales", "proxy=b", "vlan:=2"]);
    site.tell(&["group", "add", "night", "vlan:=3"]);
    site.tell(&["device", "add", PHONE, "--group", "sales", "--group", "night", "user=100"]);
    site.tell(&["device", "add", OTHER]);
}

#[test]
fn a_later_layer_counts_and_every_change_of_a_layer_does_at_once() {
    for server in both() {
        furnish(&server);
        let first = becomes(&server, PHONE, "b 100 4 sip.example.com");
        becomes(&server, OTHER, "a nobody 2 sip.example.com");
        assert_eq!(server.https(PHONE, &of(PHONE)).timeless(), first.clone().timeless(), "unchanged input");

        // HTTP's dates are whole seconds.
        std::thread::sleep(Duration::from_millis(1100));
        server.tell(&["group", "set", "sales", "proxy=<&>"]);
        let second = becomes(&server, PHONE, "&lt;&amp;&gt; 100 4 sip.example.com");
        assert_ne!(header(&second, "etag"), header(&first, "etag"));
        let (url, since) =
            (server.url("https", &of(PHONE)), format!("If-Modified-Since: {}", header(&first, "last-modified")));
        let [ca, certificate, key] = ["ca.pem", "phone-000e08abcdef.pem", "phone-000e08abcdef.key"].map(lab);
        let asked = curl(&["--cacert", &ca, "--cert", &certificate, "--key", &key, "-H", &since, &url]);
        assert_eq!(asked.status, 200, "{since}: {asked:?}");

        server.tell(&["device", "set", PHONE, "--group", "night", "--group", "sales", "sip_proxy=own.example.com"]);
        becomes(&server, PHONE, "&lt;&amp;&gt; 100 3 own.example.com");
        server.tell(&["defaults", "set", "user=everybody"]);
        becomes(&server, OTHER, "a everybody 2 sip.example.com");
        server.tell(&["defaults", "unset", "user"]);
        assert!(wait_for(|| server.https(OTHER, &of(OTHER)).status == 404));
        server.log_line(&["`user` is not defined"]);
        becomes(&server, PHONE, "&lt;&amp;&gt; 100 3 own.example.com");
    }
}

#[test]
fn explain_says_which_layer_counts_and_which_ones_lose() {
    for url in postgres::stores() {
        let site = site(&url);
        furnish(&site);
        let expected = "proxy = \"b\"  from group sales\n  not \"a\"  from defaults\n\
            vlan = 3  from group night\n  not 2  from group sales\n  not 1  from defaults\n";
        assert_eq!(site.tell(&["explain", PHONE, "vlan", "proxy"]), expected);
        let all = site.tell(&["explain", PHONE]);
        assert!(all.contains("ntp_server = \"pool.ntp.org\"  from [variables]\n"), "{all}");
        let told: Value = serde_json::from_str(&site.tell(&["explain", OTHER, "user", "--json"])).expect("JSON");
        assert_eq!(told, json!([{"name": "user", "value": "nobody", "layer": "defaults", "instead_of": []}]));

        let config = site.config().display().to_string();
        let missing = run(env!("CARGO_BIN_EXE_phoneprov"), &["explain", PHONE, "nothing", "--config", &config], b"");
        assert_eq!(missing.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&missing.stderr).contains("no layer has nothing"), "{missing:?}");
    }
}

#[test]
fn a_change_of_a_layer_is_told_and_can_be_undone() {
    for url in postgres::stores() {
        let site = site(&url);
        furnish(&site);
        site.tell(&["group", "set", "sales", "proxy=c", "extra=1"]);
        site.tell(&["defaults", "unset", "vlan"]);
        let log = site.tell(&["device", "log", "--limit", "2"]);
        assert!(log.contains("defaults unset  defaults defaults\n  variable vlan: 1 -> none\n"), "{log}");
        assert!(
            log.contains("group set  group sales\n  variable extra: none -> \"1\"\n  variable proxy: \"b\" -> \"c\"\n")
        );
        for change in ["7", "6"] {
            site.tell(&["device", "undo", change]);
        }
        let shown: Value = serde_json::from_str(&site.tell(&["group", "show", "sales", "--json"])).expect("JSON");
        assert_eq!(shown["variables"], json!({"proxy": "b", "vlan": 2}));
        assert!(site.tell(&["defaults", "show"]).contains("vlan = 1\n"));
    }
}

#[test]
fn a_key_and_a_folder_may_be_variables_too() {
    let server = site("sqlite://state/phoneprov.db").start();
    furnish(&server);
    server.profile("cisco/$B/$MA.cfg", "x");
    server.tell(&["group", "set", "sales", "GPP_B=ours", "phone_key=K-sales"]);
    server.tell(&["device", "set", OTHER, "phone_key=K-other"]);
    let keyed = |mac: &str| server.http(&format!("/keyed/{mac}.cfg"));
    assert!(wait_for(|| keyed(PHONE).status == 200 && keyed(OTHER).status == 200), "{}", server.log());
    assert_eq!(decrypt("K-sales", &keyed(PHONE).body), b"secret of 100");
    assert_eq!(decrypt("K-other", &keyed(OTHER).body), b"secret of nobody");
    assert_eq!(server.phone(&format!("/cisco/ours/{PHONE}.cfg")).status, 200);
    assert_eq!(server.phone(&format!("/cisco/theirs/{PHONE}.cfg")).status, 404);
}

/// A certificate that is not asked for makes no other device of the one that the path names.
#[test]
fn a_file_that_needs_no_proof_is_made_for_the_device_of_its_path() {
    let server = site("sqlite://state/phoneprov.db").start();
    furnish(&server);
    server.tell(&["defaults", "set", "phone_key=K"]);
    let asked = |mac: &str| server.phone(&format!("/keyed/{mac}.cfg"));
    assert!(wait_for(|| asked(OTHER).status == 200), "{}", server.log());
    assert_eq!(decrypt("K", &asked(OTHER).body), b"secret of nobody", "not of the one that asks");
    assert_eq!(decrypt("K", &asked(PHONE).body), b"secret of 100");
    server.tell(&["device", "disable", OTHER]);
    assert!(wait_for(|| asked(OTHER).status == 404));
    server.tell(&["device", "enable", OTHER]);
    server.tell(&["device", "disable", PHONE]);
    assert!(wait_for(|| asked(PHONE).status == 404));
    assert_eq!(asked(OTHER).status, 404, "who proves to be disabled gets nothing, whatever it asks for");
}

#[test]
fn check_knows_the_variables_of_the_store() {
    let site = site("sqlite://state/phoneprov.db");
    let check = || {
        let config = site.config().display().to_string();
        String::from_utf8_lossy(&run(env!("CARGO_BIN_EXE_phoneprov"), &["check", "--config", &config], b"").stdout)
            .into_owned()
    };
    site.profile("v/$MA.cfg", "<flat-profile><Proxy_1_>{{ proxy }}</Proxy_1_></flat-profile>");
    assert!(check().contains("`proxy` is not defined"), "{}", check());
    furnish(&site);
    assert!(!check().contains("v/$MA.cfg"), "{}", check());
}
