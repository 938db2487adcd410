//! Single parameters that the store has for all devices, a group or a device: laid over what the templates make.

use std::fs;
use std::process::Output;

use serde_json::{Value, json};

use crate::outsider::run;
use crate::postgres;
use crate::server::wait_for;
use crate::site::{ALL, OTHER, PHONE, Site, config};

const TEMPLATE: &str =
    "<flat-profile>\n  <Time_Zone ua=\"na\">GMT</Time_Zone>\n  <User_ID_1_>{{ user }}</User_ID_1_>\n</flat-profile>\n";

fn site(url: &str) -> Site {
    let site = Site::new("");
    site.configure(&config(&ALL, &format!("[store]\nurl = \"{url}\"\nseal_key_file = \"seal.key\"\n")));
    site.profile("p/$MA.cfg", TEMPLATE);
    site.profile("t/$MA.txt", "{{ user }}");
    fs::write(site.path("seal.key"), site.tell(&["secrets", "key"])).expect("room for a key");
    site.tell(&["group", "add", "lyon"]);
    site.tell(&["defaults", "set", "user=nobody"]);
    site.tell(&["device", "add", PHONE, "--group", "lyon", "user=100"]);
    site.tell(&["device", "add", OTHER]);
    site
}

fn both() -> [Site; 2] {
    postgres::stores().map(|url| site(&url))
}

fn ask(site: &Site, args: &[&str], input: &str) -> Output {
    let config = site.config().display().to_string();
    run(env!("CARGO_BIN_EXE_phoneprov"), &[args, &["--config", &config]].concat(), input.as_bytes())
}

fn refused(site: &Site, args: &[&str]) -> String {
    let output = ask(site, args, "");
    assert!(!output.status.success(), "{args:?}: {output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn rendered(site: &Site, mac: &str) -> String {
    site.tell(&["render", &format!("/p/{mac}.cfg"), "--mac", mac])
}

#[test]
fn a_group_or_a_device_overrides_single_parameters_without_a_template_of_its_own() {
    for site in both() {
        assert_eq!(rendered(&site, PHONE), TEMPLATE.replace("{{ user }}", "100"), "untouched, byte for byte");
        site.tell(&["defaults", "set", "--parameter", "Time_Zone=GMT-05:00", "--parameter", "Text_Logo=All"]);
        site.tell(&["group", "set", "lyon", "--parameter", "Time_Zone=GMT+01:00"]);
        site.tell(&["device", "set", PHONE, "--parameter", "Display_Name_1_:={\"value\": \"Zoë\", \"ua\": \"rw\"}"]);
        let expected = "<flat-profile>\n  <Time_Zone ua=\"na\">GMT+01:00</Time_Zone>\n  <User_ID_1_>100</User_ID_1_>\n  \
            <Display_Name_1_ ua=\"rw\">Zo&#235;</Display_Name_1_>\n  <Text_Logo>All</Text_Logo>\n</flat-profile>\n";
        assert_eq!(rendered(&site, PHONE), expected);
        assert!(rendered(&site, OTHER).contains("<Time_Zone ua=\"na\">GMT-05:00</Time_Zone>"));
        assert_eq!(site.tell(&["render", &format!("/t/{PHONE}.txt"), "--mac", PHONE]), "100", "no profile");

        let told = site.tell(&["explain", PHONE, "<Time_Zone>"]);
        assert!(
            told.contains("<Time_Zone> = \"GMT+01:00\"  from group lyon\n  not \"GMT-05:00\"  from defaults\n"),
            "{told}"
        );
        let shown = site.tell(&["group", "show", "lyon"]);
        assert!(shown.contains("parameter   <Time_Zone> = \"GMT+01:00\"\n"), "{shown}");
        let log = site.tell(&["device", "log", PHONE, "--limit", "1"]);
        assert!(log.contains("variable <Display_Name_1_>: none -> {"), "{log}");

        site.tell(&["group", "unset", "lyon", "--parameter", "Time_Zone"]);
        site.tell(&["defaults", "unset", "--parameter", "Time_Zone", "--parameter", "Text_Logo"]);
        site.tell(&["device", "unset", PHONE, "--parameter", "Display_Name_1_"]);
        assert_eq!(rendered(&site, PHONE), TEMPLATE.replace("{{ user }}", "100"));
        let changes = site.tell(&["device", "log", "--limit", "1", "--json"]);
        let changes: Value = serde_json::from_str(&changes).expect("JSON");
        site.tell(&["device", "undo", &changes[0]["revision"].to_string()]);
        assert!(rendered(&site, PHONE).contains("<Display_Name_1_ ua=\"rw\">Zo&#235;</Display_Name_1_>"));
    }
}

#[test]
fn a_running_server_has_a_changed_parameter_at_once() {
    for site in both() {
        let server = site.start();
        let path = format!("/p/{PHONE}.cfg");
        let first = server.phone(&path);
        server.tell(&["device", "set", PHONE, "--parameter", "Time_Zone=GMT+02:00"]);
        assert!(wait_for(|| server.phone(&path).text().contains("GMT+02:00")), "{}", server.log());
        assert_ne!(server.phone(&path).header("etag"), first.header("etag"));
    }
}

#[test]
fn a_name_that_is_hardly_meant_is_told_of_and_taken() {
    let site = site("sqlite://state/phoneprov.db");
    let said = |args: &[&str]| {
        let output = ask(&site, args, "");
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let device = ["device", "set", PHONE, "--parameter", "time_zone=GMT"];
    assert_eq!(said(&device), "phoneprov: warning: `time_zone` is not a known parameter: is Time_Zone meant?\n");
    let group = ["group", "set", "lyon", "--parameter", "Nonsense_Param=1", "--parameter", "Time_Zone=GMT"];
    assert_eq!(said(&group), "phoneprov: warning: `Nonsense_Param` is not a known parameter\n");
    assert!(said(&["defaults", "set", "--parameter", "Time_Zon=GMT"]).contains("is Time_Zone meant?"));
    assert!(rendered(&site, PHONE).contains("<time_zone>GMT</time_zone>"), "a newer phone may know it");

    let configured = fs::read_to_string(site.config()).expect("a configuration");
    site.configure(&format!("{configured}\n[lint]\nknown = [\"Nonsense_Param\"]\n"));
    assert_eq!(said(&group), "");
}

#[test]
fn a_password_among_them_is_sealed_and_masked() {
    for site in both() {
        for (input, args) in [
            ("hush-1\n", ["device", "set", PHONE, "--parameter", "Admin_Password"]),
            ("", ["group", "set", "lyon", "--parameter", "User_Password=hush-2"]),
        ] {
            let output = ask(&site, &args, input);
            assert!(output.status.success() && !String::from_utf8_lossy(&output.stdout).contains("hush"), "{output:?}");
        }
        for args in [
            vec!["device", "show", PHONE, "--json"],
            vec!["device", "export"],
            vec!["device", "log", "--json"],
            vec!["explain", PHONE],
            vec!["group", "show", "lyon"],
            vec!["render", "/p/000e08abcdef.cfg", "--mac", PHONE],
        ] {
            let text = site.tell(&args);
            assert!((text.contains("••••") || text.contains("****")) && !text.contains("hush"), "{args:?}: {text}");
        }
        let shown: Value = serde_json::from_str(&site.tell(&["device", "show", PHONE, "--json"])).expect("JSON");
        assert_eq!(shown["variables"]["<Admin_Password>"], json!("••••"));
        let server = site.start();
        let text = server.phone(&format!("/p/{PHONE}.cfg")).text();
        assert!(text.contains("<Admin_Password>hush-1</Admin_Password>"), "{text}");
        assert!(text.contains("<User_Password>hush-2</User_Password>"), "{text}");
        fs::write(server.path("seal.key"), server.tell(&["secrets", "key"])).expect("room for a key");
        let server = server.stop().start();
        assert_eq!(server.phone(&format!("/p/{PHONE}.cfg")).status, 404, "without the key there is no half profile");
        server.log_line(&["is a secret that this server cannot open"]);
    }
}

#[test]
fn a_table_has_columns_of_parameters_both_ways() {
    for site in both() {
        let table = site.path("table.csv");
        fs::write(&table, format!("mac,<Time_Zone>,<Admin_Password>\n{PHONE},GMT+01:00,hush\n{OTHER},,\n"))
            .expect("room");
        let table = table.display().to_string();
        let told = site.tell(&["device", "import", &table]);
        assert!(told.starts_with("0 added, 1 changed, 1 unchanged"), "{told}");
        assert!(rendered(&site, PHONE).contains("<Time_Zone ua=\"na\">GMT+01:00</Time_Zone>"));
        let exported = site.tell(&["device", "export"]);
        assert!(exported.lines().next().is_some_and(|head| head.contains("<Admin_Password>:secret,<Time_Zone>")));
        assert!(!exported.contains("hush"), "{exported}");
        fs::write(&table, exported).expect("room for a table");
        let told = site.tell(&["device", "import", &table]);
        assert!(told.starts_with("0 added, 0 changed, 2 unchanged"), "{told}");
    }
}

#[test]
fn what_no_profile_can_hold_is_refused() {
    let site = site("sqlite://state/phoneprov.db");
    for (args, reason) in [
        (["device", "set", PHONE, "--parameter", "Time Zone=x"], "is not a parameter's name"),
        (["device", "set", PHONE, "--parameter", "Time_Zone:=[1]"], "neither text, a number, true or false"),
        (["device", "unset", PHONE, "--parameter", "Time_Zone"], "has no parameter <Time_Zone> of its own"),
        (["group", "set", "lyon", "--parameter", "A:={\"value\":1,\"ua\":\"x\"}"], "nor a table of `value` and `ua`"),
    ] {
        let said = refused(&site, &args);
        assert!(said.contains(reason), "{args:?}: {said}");
    }
    assert!(refused(&site, &["device", "unset", PHONE]).contains("nothing is named that is to go"));
}
