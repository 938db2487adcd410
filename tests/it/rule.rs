//! `phoneprov rule`: what a phone does by a rule, and what curl gets by the URL that it prints.

use std::process::Output;

use crate::outsider::{curl, run};
use crate::site::{ALL, PHONE, Site, config, lab};

/// The binary with this rule, on a site's configuration.
fn rule(site: &Site, arguments: &[&str]) -> Output {
    let config = site.config().display().to_string();
    run(env!("CARGO_BIN_EXE_phoneprov"), &[&["rule", "--config", &config], arguments].concat(), b"")
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The lines of a name, such as `fetches`.
fn lines<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let named = |line: &'a str| line.strip_prefix(name).filter(|rest| rest.starts_with(' ')).map(str::trim);
    text.lines().filter_map(named).collect()
}

#[test]
fn the_url_that_is_printed_is_the_one_that_curl_gets_the_profile_by() {
    let server = Site::new("").start();
    let text = format!(
        "($SWVER lt sip88xx.11-0-0MPP-1)? tftp://localhost/old.cfg | (GPP_A = \"$PN\";)! https://localhost:{}/$MA.cfg",
        server.port("https")
    );
    let site = Site::new("");
    let output =
        rule(&site, &[&text, "--model", "CP-8841-3PCC", "--mac", PHONE, "--firmware", "sip88xx.11-3-2MPP0001-609"]);

    let told = printed(&output);
    assert!(output.status.success(), "{output:?}");
    let url = lines(&told, "fetches")[0];
    let answer = curl(
        &[
            &["--cacert", &lab("ca.pem")],
            &["--cert", &lab(&format!("phone-{PHONE}.pem")), "--key", &lab(&format!("phone-{PHONE}.key"))][..],
            &[url],
        ]
        .concat(),
    );
    assert_eq!(answer.status, 200, "{told}");
    let bytes = format!("200, {} bytes, ", answer.body.len());
    assert!(lines(&told, "answer")[0].starts_with(&bytes), "{told}");
    assert_eq!(lines(&told, "sets"), ["GPP_A = \"CP-8841-3PCC\""]);
    assert!(lines(&told, "1.")[0].starts_with("not taken: $SWVER lt sip88xx.11-0-0MPP-1 is "), "{told}");
    assert_eq!(lines(&told, "2."), ["taken: it has no condition"]);
    server.stop();
}

#[test]
fn what_the_rule_leaves_out_is_told_as_the_phone_fills_it_in() {
    let site = Site::new("");
    let first_contact = rule(&site, &["/$PSN.xml", "--model", "CP-8841-3PCC", "--server", "prov.example.com"]);
    let told = printed(&first_contact);
    assert_eq!(lines(&told, "fetches"), ["tftp://prov.example.com:69/8841-3PCC.xml"]);
    assert_eq!(lines(&told, "path"), ["/8841-3PCC.xml over tftp"]);
    assert!(first_contact.status.success(), "{told}");

    let nowhere = rule(&site, &["/$PSN.xml", "--model", "CP-8841-3PCC"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(printed(&nowhere).contains("the rule names no server, and none is known from DHCP option 66"));

    let unknown = rule(&site, &["http://h/$A/x"]);
    assert_eq!(lines(&printed(&unknown), "note")[..1], ["$A has no value here and expands to nothing: --set GPP_A=…"]);
}

#[test]
fn a_refusal_of_the_server_is_told_and_ends_with_1() {
    let site = Site::new("");
    let http = rule(&site, &["http://localhost/$MA.cfg", "--mac", PHONE]);
    assert_eq!(http.status.code(), Some(1));
    assert_eq!(lines(&printed(&http), "reason"), ["a certificate is needed, which http does not carry"]);

    let other = Site::bare(&config(&ALL[..1], ""));
    other.profile("x.cfg", "x");
    let deaf = rule(&other, &["tftp://localhost/x.cfg"]);
    assert!(lines(&printed(&deaf), "note")[0].contains("speaks tftp"), "{}", printed(&deaf));
}

#[test]
fn what_a_listener_does_not_speak_is_told() {
    let site = Site::bare(
        "profiles = \"profiles\"\n[[listen]]\naddress = \"127.0.0.1:8080\"\nprotocol = \"http\"\n\
         [[listen]]\naddress = \"127.0.0.1:6969\"\nprotocol = \"tftp\"\n",
    );
    site.profile("x.cfg", "x");
    let crossed = rule(&site, &["tftp://localhost:8080/x.cfg"]);
    let note = "the listener at port 8080 speaks http, and not tftp";
    assert!(lines(&printed(&crossed), "note")[0].ends_with(note), "{}", printed(&crossed));
    assert_eq!(lines(&printed(&rule(&site, &["tftp://localhost:6969/x.cfg"])), "note").len(), 0);

    let lab = Site::new("");
    let old = |model| printed(&rule(&lab, &["https://localhost/$MA.cfg", "--mac", PHONE, "--model", model]));
    assert!(old("SPA504G").contains("give them one with tls = \"legacy\" (docs/old-phones.md)"), "{}", old("SPA504G"));
    assert!(!old("CP-8841-3PCC").contains("legacy"), "{}", old("CP-8841-3PCC"));
}

#[test]
fn an_assigned_parameter_that_nobody_knows_is_told_of() {
    let told =
        printed(&rule(&Site::new(""), &["(GPP_A = \"1\"; Line_Enabel_1_ = \"No\";)! http://localhost/basic.txt"]));
    assert!(
        lines(&told, "note").contains(&"`Line_Enabel_1_` is not a known parameter: is Line_Enable_1_ meant?"),
        "{told}"
    );
}

#[test]
fn keys_and_passwords_are_not_shown() {
    let site = Site::new("");
    let text = "[--uid u --pwd \"$SB\" --key MyOwnSecret] http://localhost/basic.txt";
    let good = rule(&site, &[text, "--set", "GPP_SB=s3cret"]);
    let wrong = rule(&site, &[&format!("{text} x"), "--set", "GPP_SB=s3cret"]);
    let sets = rule(&site, &["(Admin_Password = \"s3cret\";)! http://u:s3cret@localhost/basic.txt"]);
    let query = rule(&site, &["http://localhost/basic.txt?user=u&password=s3cret"]);
    let doubt = rule(&site, &["(GPP_SA = \"s3cret$x\";)! http://localhost/x?token=s3cret$y |"]);
    for output in [&good, &wrong, &sets, &query, &doubt] {
        let all = format!("{}{}", printed(output), String::from_utf8_lossy(&output.stderr));
        assert!(!all.contains("MyOwnSecret") && !all.contains("s3cret"), "{all}");
    }
    assert_eq!(lines(&printed(&good), "with").len(), 3);
    let told = printed(&good);
    let notes = lines(&told, "note");
    assert!(notes.iter().any(|note| note.contains("the file is not encrypted: the phone refuses it")), "{notes:?}");
    assert_eq!(good.status.code(), Some(1));
}

#[test]
fn without_a_configuration_the_rule_is_told_and_no_answer() {
    let folder = tempfile::tempdir().expect("room for a folder");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_phoneprov"));
    let output = command.current_dir(folder.path()).args(["rule", "https://prov.example.com/x"]).output();
    let output = output.expect("the binary");
    let told = printed(&output);
    assert!(output.status.success() && told.contains("fetches     https://prov.example.com:443/x"), "{output:?}");
    assert!(lines(&told, "note")[0].starts_with("no config.toml here"), "{told}");
}

#[test]
fn a_wrong_rule_has_a_caret_under_the_character() {
    let site = Site::new("");
    let output = rule(&site, &["($PRVTMR ge 600 or 1 eq 1)? /x"]);

    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(
        lines[0],
        "phoneprov: Profile_Rule: there is no `or`: write a further alternative after `|`, at character 17"
    );
    assert_eq!(&lines[1][lines[2].find('^').expect("a caret")..][..2], "or");
}

#[test]
fn each_kind_of_rule_has_its_grammar() {
    let site = Site::new("");
    let trigger = ["$UPGTMR gt 300 and $PRVTMR ge 600", "--kind", "trigger", "--set", "UPGTMR=301", "--set"];
    let told = |time, model| {
        let told = printed(&rule(&site, &[&trigger[..], &[time, "--model", model]].concat()));
        lines(&told, "outcome")[0].to_owned()
    };
    assert_eq!(told("PRVTMR=600", "CP-8841-3PCC"), "true: a resync that is due goes ahead");
    assert!(told("PRVTMR=599", "CP-8841-3PCC").starts_with("not true: a resync that is due does not go ahead"));
    assert_eq!(told("PRVTMR=600", "SPA504G"), "true: it sets a resync off");
    assert_eq!(told("PRVTMR=599", "ATA192"), "not true: it sets no resync off");

    let upgrade = rule(&site, &["/x.loads", "--kind", "upgrade", "--server", "h"]);
    assert_eq!(upgrade.status.code(), Some(1));

    let report = rule(&site, &["[--delta] http://h/d [--status] http://h/s", "--kind", "report"]);
    assert_eq!(lines(&printed(&report), "sends"), ["to    http://h:80/d", "to    http://h:80/s"]);

    let wrong = rule(&site, &["/x", "--set", "GPP_Q=1"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    let nowhere = rule(&site, &["/x", "--server", "ftp://h"]);
    assert_eq!(nowhere.status.code(), Some(2), "{nowhere:?}");
}

#[test]
fn an_empty_rule_and_an_unknown_product_are_told_of() {
    let site = Site::new("");
    let empty = rule(&site, &[""]);
    assert_eq!(empty.status.code(), Some(1));
    assert_eq!(lines(&printed(&empty), "outcome"), ["the rule is empty: the phone goes on with the next rule"]);
    let unknown = rule(&site, &["http://localhost/basic.txt", "--model", "8841"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("is CP-8841-3PCC meant?"), "{unknown:?}");
}

#[test]
fn a_value_cannot_forge_a_line() {
    let site = Site::new("");
    let output =
        rule(&site, &["(GPP_A = \"$B\";)! http://localhost/basic.txt", "--set", "GPP_B=x\noutcome     true\u{1b}[2J"]);
    let told = printed(&output);
    assert_eq!(lines(&told, "sets"), [r#"GPP_A = "x\noutcome     true\u{1b}[2J""#], "{told}");
    assert_eq!(lines(&told, "outcome").len(), 0, "{told}");
}
