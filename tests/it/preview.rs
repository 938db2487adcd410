//! What a change would do to phones' profiles, before it is made: of templates, groups, defaults, devices and tables.

use std::fs;
use std::process::Output;

use serde_json::{Value, json};

use crate::outsider::run;
use crate::postgres;
use crate::site::{ALL, Site, config};

const PROFILE: &str = "<flat-profile><Proxy_1_>{{ proxy }}</Proxy_1_><SIP_Port_1_>5060</SIP_Port_1_>\
    <Password_1_>{{ password }}</Password_1_><User_ID_1_>{{ user }}</User_ID_1_></flat-profile>";

fn ask(site: &Site, args: &[&str], input: &str) -> Output {
    let config = site.config().display().to_string();
    run(env!("CARGO_BIN_EXE_phoneprov"), &[args, &["--config", &config]].concat(), input.as_bytes())
}

/// What a command says that ends with this code.
fn says(site: &Site, code: i32, args: &[&str]) -> String {
    let output = ask(site, args, "");
    assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

fn mac(number: usize) -> String {
    format!("000e08{number:06x}")
}

/// Twelve phones of one group, and one of none.
fn site(url: &str) -> Site {
    let site = Site::new("");
    site.configure(&config(&ALL, &format!("[store]\nurl = \"{url}\"\nseal_key_file = \"seal.key\"\n")));
    fs::remove_dir_all(site.path("profiles")).expect("the shipped profiles");
    site.profile("p/$MA.cfg", PROFILE);
    fs::write(site.path("seal.key"), site.tell(&["secrets", "key"])).expect("room for a key");
    site.tell(&["group", "add", "sales"]);
    let set = ["defaults", "set", "proxy=a.example.com", "--secret", "password"];
    assert!(ask(&site, &set, "hush-old\n").status.success());
    let rows = (1..=12).map(|number| format!("{},sales,{number}\n", mac(number))).collect::<Vec<String>>().concat();
    fs::write(site.path("table.csv"), format!("mac,groups,user\n{rows}{},,13\n", mac(13))).expect("room for a table");
    let table = site.path("table.csv").display().to_string();
    site.tell(&["device", "import", &table]);
    site
}

fn both() -> [Site; 2] {
    postgres::stores().map(|url| site(&url))
}

fn history(site: &Site) -> Value {
    serde_json::from_str(&site.tell(&["device", "log", "--json"])).expect("JSON")
}

#[test]
fn a_change_of_a_group_is_told_by_parameter_and_phones_and_not_made() {
    for site in both() {
        let before = history(&site);
        let said = says(&site, 0, &["group", "set", "sales", "proxy=b.example.com", "--preview"]);
        let expected = "changes 1 parameter on 12 phones; 12 phones looked at; nothing was written\n\
            12 phones (000e08000001, 000e08000002, 000e08000003, …): p/$MA.cfg\n  \
            Proxy_1_: \"a.example.com\" -> \"b.example.com\"\n";
        assert_eq!(said, expected);
        let said = says(
            &site,
            0,
            &["group", "set", "sales", "--parameter", "Time_Zone:={\"value\":\"GMT\",\"ua\":\"ro\"}", "--preview"],
        );
        assert!(said.contains("\n  Time_Zone: none -> \"GMT\" (ua ro)\n"), "{said}");
        let said = says(&site, 0, &["group", "set", "sales", "proxy=a.example.com", "--preview"]);
        assert_eq!(said, "changes nothing; 12 phones looked at; nothing was written\n");
        let said = says(&site, 0, &["defaults", "set", "proxy=c", "--preview"]);
        assert!(said.starts_with("changes 1 parameter on 13 phones; 13 phones looked at"), "{said}");
        assert!(says(&site, 2, &["group", "set", "nobody", "a=b", "--preview"]).is_empty());

        let lost = says(&site, 1, &["defaults", "unset", "proxy", "--preview"]);
        assert!(
            lost.contains(
                "13 phones (000e08000001, 000e08000002, 000e08000003, …) would get nothing: p/$MA.cfg: \
            p/$MA.cfg:1: `proxy` is not defined"
            ),
            "{lost}"
        );
        assert_eq!(history(&site), before, "nothing was written");
    }
}

#[test]
fn a_secret_that_changes_is_told_and_not_shown() {
    for site in both() {
        let output = ask(&site, &["group", "set", "sales", "--secret", "password", "--preview"], "hush-new\n");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("12 phones") && said.contains("Password_1_: \"••••\" -> another \"••••\"\n"), "{said}");
        site.profile("p/$MA.cfg", PROFILE.replace("User_ID_1_", "GPP_A").replace("{{ user }}", "{{ password }}"));
        let output =
            ask(&site, &["group", "set", "sales", "--secret", "password", "--preview", "--json"], "hush-new\n");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("GPP_A") && !said.contains("hush"), "{said}");
    }
}

#[test]
fn a_change_of_devices_is_told_too() {
    let site = site("sqlite://state/phoneprov.db");
    let said = says(&site, 0, &["device", "set", &mac(1), "user=x", "--group", "sales", "--preview"]);
    assert!(said.contains("1 phone (000e08000001): p/$MA.cfg\n  User_ID_1_: \"1\" -> \"x\"\n"), "{said}");
    let said: Value =
        serde_json::from_str(&says(&site, 0, &["device", "set", &mac(1), "user=x", "--preview", "--json"]))
            .expect("JSON");
    let changes =
        json!([{"parameter": "User_ID_1_", "before": {"value": "1"}, "after": {"value": "x"}, "same_on_all": true}]);
    assert_eq!((&said["changed"], &said["groups"][0]["changes"]), (&json!(1), &changes));
    let said = says(&site, 1, &["device", "unset", &mac(1), "user", "--preview"]);
    assert!(said.contains("would get nothing: p/$MA.cfg: p/$MA.cfg:1: `user` is not defined"), "{said}");
    for verb in ["disable", "remove"] {
        let said = says(&site, 1, &["device", verb, &mac(1), &mac(2), "--preview"]);
        assert!(
            said.contains("2 phones (000e08000001, 000e08000002) would get nothing: p/$MA.cfg: the device"),
            "{said}"
        );
    }
    assert!(site.tell(&["device", "list"]).contains("000e08000001"));
}

#[test]
fn a_table_is_looked_at_row_by_row_and_not_taken_in() {
    for site in both() {
        let before = history(&site);
        let rows = format!(
            "mac,user,groups\n{},1,sales\n{},two,sales\n{},21,sales\n{},22,\n{},x,nowhere\n",
            mac(1),
            mac(2),
            mac(21),
            mac(22),
            mac(23)
        );
        fs::write(site.path("new.csv"), rows).expect("room for a table");
        let table = site.path("new.csv").display().to_string();
        let said = says(&site, 1, &["device", "import", &table, "--preview"]);
        assert!(said.contains("line 6: there is no group nowhere"), "{said}");
        assert!(said.contains("2 added, 1 changed, 1 unchanged, 1 with findings\n"), "{said}");
        assert!(said.contains("changes 1 parameter on 1 phone; 4 phones looked at, 2 of them new;"), "{said}");
        assert!(said.contains("1 phone (000e08000002): p/$MA.cfg\n  User_ID_1_: \"2\" -> \"two\"\n"), "{said}");
        assert_eq!(history(&site), before, "nothing was written");
    }
}

#[test]
fn another_folder_of_profiles_is_compared_for_every_device() {
    for site in both() {
        site.profile(
            "common.xml",
            "<flat-profile><NTP_Server>a</NTP_Server><Admin_Password>hush-1</Admin_Password></flat-profile>",
        );
        site.profile(&format!("{}.cfg", mac(3)), "<flat-profile><Text_Logo>old</Text_Logo></flat-profile>");
        let folder = site.path("new").display().to_string();
        let config = site.config().display().to_string();
        let copy = run("cp", &["-r", &site.path("profiles").display().to_string(), &folder], b"");
        assert!(copy.status.success(), "{copy:?}");
        assert_eq!(
            says(&site, 0, &["diff", "--profiles", &folder]),
            "changes nothing; 13 phones looked at; nothing was written\n"
        );
        let write = |name: &str, text: &str| fs::write(site.path("new").join(name), text).expect("room for a profile");
        write(
            "p/$MA.cfg",
            &PROFILE
                .replace("5060", "5061")
                .replace("<User_ID_1_>", "<Line_Enable_1_>{{ MA != '000e08000001' }}</Line_Enable_1_><User_ID_1_>"),
        );
        write(
            "common.xml",
            "<flat-profile><NTP_Server>b</NTP_Server><Admin_Password>hush-2</Admin_Password></flat-profile>",
        );
        write(&format!("{}.cfg", mac(3)), "<flat-profile><Text_Logo>new</Text_Logo></flat-profile>");
        let said = says(&site, 1, &["diff", "--profiles", &folder]);
        for line in [
            "changes 3 parameters on 13 phones; 13 phones looked at; nothing was written\n",
            "12 phones (000e08000002, 000e08000003, 000e08000004, …): p/$MA.cfg\n  Line_Enable_1_: none -> \"True\"\n  SIP_Port_1_: \"5060\" -> \"5061\"\n",
            "1 phone (000e08000001): p/$MA.cfg\n  Line_Enable_1_: none -> \"False\"\n",
            "1 phone (000e08000003): $MA.cfg\n  Text_Logo: \"old\" -> \"new\"\n",
            "everybody's common.xml\n  Admin_Password: \"••••\" -> another \"••••\"\n  NTP_Server: \"a\" -> \"b\"\n",
        ] {
            assert!(said.contains(line), "{line}\n{said}");
        }
        assert!(!said.contains("hush"), "{said}");
        let missing =
            run(env!("CARGO_BIN_EXE_phoneprov"), &["diff", "--profiles", "/nowhere", "--config", &config], b"");
        assert_eq!(missing.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&missing.stderr).contains("/nowhere"), "{missing:?}");
    }
}

/// A phone that was seen asking is taken at its word: another template that would fit it is none of its business.
#[test]
fn what_a_phone_is_known_to_ask_for_is_what_is_compared() {
    let site = Site::new("");
    site.configure(&config(&ALL, "[store]\n[events]\n"));
    site.profile("a/$MA.cfg", "<flat-profile><GPP_A>{{ x }}</GPP_A></flat-profile>");
    site.profile("b/$MA.cfg", "<flat-profile><GPP_B>{{ x }}</GPP_B></flat-profile>");
    site.tell(&["defaults", "set", "x=1"]);
    site.tell(&["device", "add", crate::site::PHONE]);
    let server = site.start();
    assert_eq!(server.phone(&format!("/a/{}.cfg", crate::site::PHONE)).status, 200, "{}", server.log());
    let asked = || server.tell(&["defaults", "set", "x=2", "--preview"]);
    assert!(crate::server::wait_for(|| !asked().contains("GPP_B")), "{}", asked());
    assert!(asked().contains("a/$MA.cfg\n  GPP_A: \"1\" -> \"2\"\n"), "{}", asked());
}
