//! `phoneprov explain` of a parameter: its value, where it is written, and what it is made with.

use std::fs;

use serde_json::{Value, json};

use crate::outsider::run;
use crate::postgres;
use crate::site::{ALL, OTHER, PHONE, Site, config};

fn site(url: &str) -> Site {
    let site = Site::new("");
    let store = format!("[store]\nurl = \"{url}\"\nseal_key_file = \"seal.key\"\n");
    site.configure(&config(&ALL, &store));
    fs::remove_dir_all(site.path("profiles")).expect("the shipped profiles");
    site.profile("_base.xml", "<flat-profile>\n{% block all %}{% endblock %}\n<Profile_Rule>[--key {{ rule_key }}]https://{{ provisioning_server }}/$MA.cfg</Profile_Rule>\n</flat-profile>\n");
    site.profile(
        "p/$MA.cfg",
        "{% extends \"_base.xml\" %}\n{% set own = {\"Text_Logo\": logo} %}\n{% block all %}\n<Station_Name ua=\"na\">{{ MA }} {{ label | default(\"-\") }}</Station_Name>\n\
         {% include \"_lines.xml\" %}\n<Time_Zone>GMT</Time_Zone>\n{% endblock %}",
    );
    site.profile(
        "_lines.xml",
        "\n{{ lines(accounts, ua=\"na\") }}\n{{ param(\"Admin_Password\", password) }}\n<Idle/>",
    );
    site.profile(&format!("{OTHER}.xml"), "<flat-profile>\n<Time_Zone>\nGMT+02:00</Time_Zone><Admin_Password>hush-literal</Admin_Password></flat-profile>");
    fs::write(site.path("seal.key"), site.tell(&["secrets", "key"])).expect("room for a key");
    site.tell(&["group", "add", "sales", "logo=Sales"]);
    site.tell(&[
        "defaults",
        "set",
        "logo=All",
        "rule_key=K",
        "accounts:=[{\"User_ID\":\"100\"},{\"User_ID\":\"101\"}]",
    ]);
    site.tell(&["device", "add", PHONE, "--group", "sales"]);
    site.tell(&["device", "add", OTHER]);
    let config = site.config().display().to_string();
    let set = ["defaults", "set", "--secret", "password", "--config", &config];
    assert!(run(env!("CARGO_BIN_EXE_phoneprov"), &set, b"hush-store\n").status.success());
    site
}

#[test]
fn what_a_device_has_is_told_before_the_listeners_can_be_opened() {
    let site = site("sqlite://state/phoneprov.db");
    let text = fs::read_to_string(site.config()).expect("a configuration");
    let lost = text.lines().map(|line| match line.split_once(" = ") {
        Some((key @ ("certificate" | "key"), _)) => format!("{key} = \"nowhere/{key}.pem\"\n"),
        Some(("client_ca", _)) => "client_ca = [\"nowhere/client-ca\"]\n".to_owned(),
        _ => format!("{line}\n"),
    });
    let lost: String = lost.collect();
    assert!(lost.contains("nowhere/certificate.pem") && lost.contains("nowhere/client-ca"), "{lost}");
    fs::write(site.config(), format!("{lost}[events]\n")).expect("room for a configuration");
    site.profile("wrong-$MA.cfg", "{{ nowhere }}");
    let check = site.phoneprov(&["check"]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(said.contains("nowhere/") && said.contains("`nowhere` is not defined"), "neither hides the other: {said}");
    assert!(site.tell(&["explain", PHONE, "logo"]).starts_with("logo = \"Sales\"  from group sales\n"));
    assert!(site.tell(&["explain", PHONE, "Time_Zone"]).starts_with("Time_Zone = \"GMT\"  in /p/000e08abcdef.cfg"));
    assert!(site.tell(&["device", "status", PHONE]).contains("nothing was heard of it"));
    let told = site.tell(&["defaults", "set", "rule_key=other", "--preview"]);
    assert!(told.contains("changes 1 parameter on 2 phones"), "{told}");
}

#[test]
fn a_parameter_is_told_with_its_template_its_line_and_what_it_is_made_with() {
    for url in postgres::stores() {
        let site = site(&url);
        let told = site.tell(&["explain", PHONE, "Profile_Rule"]);
        let expected = "Profile_Rule = \"[--key ••••]https://localhost:8443/$MA.cfg\"  in /p/000e08abcdef.cfg, from _base.xml, line 3\n  \
            provisioning_server = \"localhost:8443\"  from [variables]\n  rule_key = \"K\"  from defaults\n";
        assert_eq!(told, expected);
        let told = site.tell(&["explain", PHONE, "User_ID_2_", "Station_Name", "Idle"]);
        for line in [
            "User_ID_2_ = \"101\"  in /p/000e08abcdef.cfg, from _lines.xml, line 2\n  accounts = [",
            "Station_Name = \"000e08abcdef -\"  in /p/000e08abcdef.cfg, from p/$MA.cfg, line 4\n  MA = \"000e08abcdef\"  from the path or certificate\n",
            "Idle = \"\"  in /p/000e08abcdef.cfg, from _lines.xml, line 4\n",
        ] {
            assert!(told.contains(line), "{line}\n{told}");
        }
        let told = site.tell(&["explain", PHONE, "Admin_Password"]);
        assert!(told.contains("Admin_Password = \"••••\"  in /p/000e08abcdef.cfg, from _lines.xml, line 3\n  password = \"••••\"  from defaults\n"), "{told}");
        let told = site.tell(&["explain", PHONE, "Admin_Password", "--reveal"]);
        assert!(told.contains("Admin_Password = \"hush-store\""), "{told}");
        let told = site.tell(&["explain", OTHER, "Time_Zone", "Admin_Password"]);
        assert!(
            told.contains("Time_Zone = \"GMT+02:00\"  in /000e08000002.xml, from 000e08000002.xml, line 2\n"),
            "{told}"
        );
        assert!(told.contains("Admin_Password = \"••••\"  in /000e08000002.xml") && !told.contains("hush"), "{told}");
    }
}

#[test]
fn layers_merged_in_a_template_and_parameters_of_the_store_are_told_too() {
    let site = site("sqlite://state/phoneprov.db");
    site.profile(
        "p/$MA.cfg",
        "{% set own = {\"Text_Logo\": logo} %}\n{% filter merge(own) %}\n<flat-profile><Time_Zone>GMT</Time_Zone>\n<Text_Logo>none</Text_Logo></flat-profile>\n{% endfilter %}",
    );
    let told = site.tell(&["explain", PHONE, "Text_Logo"]);
    let expected = "Text_Logo = \"Sales\"  in /p/000e08abcdef.cfg, from p/$MA.cfg, line 2\n  \
        logo = \"Sales\"  from group sales\n    not \"All\"  from defaults\n";
    assert_eq!(told, expected);
    site.tell(&["defaults", "set", "--parameter", "Time_Zone=GMT-05:00"]);
    site.tell(&["group", "set", "sales", "--parameter", "Time_Zone=GMT+01:00"]);
    let told: Value = serde_json::from_str(&site.tell(&["explain", PHONE, "Time_Zone", "--json"])).expect("JSON");
    let expected = json!([{
        "parameter": "Time_Zone", "value": "GMT+01:00", "path": "/p/000e08abcdef.cfg", "layer": "group sales", "from": null, "variables": [],
        "instead_of": [{"layer": "defaults", "value": "GMT-05:00"}, {"file": "p/$MA.cfg", "line": 3, "value": "GMT"}],
    }]);
    assert_eq!(told, expected);
}

#[test]
fn what_neither_a_layer_nor_a_profile_has_is_said() {
    let site = site("sqlite://state/phoneprov.db");
    let config = site.config().display().to_string();
    let ask = |name: &str| run(env!("CARGO_BIN_EXE_phoneprov"), &["explain", PHONE, name, "--config", &config], b"");
    let output = ask("No_Such_Thing");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("no layer has No_Such_Thing, and no profile"),
        "{output:?}"
    );
    assert_eq!(ask("no thing").status.code(), Some(2));
}
