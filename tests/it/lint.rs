//! `phoneprov lint` on files that have something, on files that have nothing, and behind `check` and the server.
//!
//! The corpus is tests/lint: in `findings/` each file has its findings beside it, line by line, and perhaps the options
//! that it is looked at with; what is in `clean/` has to give none, for a false alarm is the worst fault of a lint.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use phoneprov::profile::lint::Code;
use serde_json::Value;

use crate::outsider::run;
use crate::server::Server;
use crate::site::Site;

/// The binary with a configuration of no lab.
fn lint(site: &Site, arguments: &[&str]) -> Output {
    let config = site.config().display().to_string();
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), &[&["lint", "--config", &config], arguments].concat(), b"");
    assert_ne!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json(site: &Site, arguments: &[&str]) -> Value {
    serde_json::from_slice(&lint(site, &[&["--format", "json"], arguments].concat()).stdout).expect("JSON")
}

/// A configuration with nothing in it that a lint minds.
fn site() -> Site {
    Site::bare("profiles = \"profiles\"\n[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\n")
}

/// The profiles of a folder of the corpus, each with its options.
fn corpus(folder: &str) -> Vec<(PathBuf, Vec<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint").join(folder);
    let entries = fs::read_dir(folder).expect("the corpus").map(|entry| entry.expect("a file").path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "xml")).collect();
    files.sort();
    let options = |file: &PathBuf| fs::read_to_string(file.with_extension("args")).unwrap_or_default();
    files
        .into_iter()
        .map(|file| (options(&file).split_whitespace().map(str::to_owned).collect(), file))
        .map(|(o, f)| (f, o))
        .collect()
}

fn findings(site: &Site, file: &Path, options: &[String]) -> String {
    let file = file.display().to_string();
    let arguments: Vec<&str> = options.iter().map(String::as_str).chain([file.as_str()]).collect();
    let found = json(site, &arguments);
    let found = found["findings"].as_array().expect("findings").iter().map(|one| {
        let word = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        format!("{}:{} {} {}: {}\n", one["line"], one["column"], word("severity"), word("code"), word("message"))
    });
    found.collect()
}

#[test]
fn every_file_of_the_corpus_has_the_findings_beside_it() {
    let site = site();
    let files = corpus("findings");
    assert!(files.len() > 60, "{}", files.len());
    let mut wrong = Vec::new();
    for (file, options) in files {
        let expected = fs::read_to_string(file.with_extension("txt")).expect("the findings beside the file");
        let found = findings(&site, &file, &options);
        if found != expected || found.is_empty() {
            wrong.push(format!("{}\nexpected\n{expected}found\n{found}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn correct_profiles_have_no_finding() {
    let site = site();
    let mut wrong = Vec::new();
    for (file, options) in corpus("clean") {
        let found = findings(&site, &file, &options);
        if !found.is_empty() {
            wrong.push(format!("{}\n{found}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn standard_input_is_looked_at_and_not_mended() {
    let profile = b"<flat-profile><Resync_Periodc>3600</Resync_Periodc></flat-profile>";
    let folder = tempfile::tempdir().expect("room for a folder");
    let lint = |arguments: &[&str]| {
        let place = folder.path().display().to_string();
        let line = format!("cd {place} && exec {} lint {}", env!("CARGO_BIN_EXE_phoneprov"), arguments.join(" "));
        run("sh", &["-c", &line], profile)
    };
    let found = lint(&["-"]);
    assert_eq!(found.status.code(), Some(1));
    let told = text(&found);
    assert!(told.starts_with("-:1:15: warning: Resync_Periodc is not a known parameter"), "{told}");
    assert!(told.ends_with("0 errors, 1 warning, 0 notes in 1 profile\n"), "{told}");
    assert_eq!(lint(&["-", "--fix"]).status.code(), Some(2));
}

#[test]
fn a_name_of_a_file_forges_no_line() {
    let site = site();
    let file = site.config().with_file_name("a\n-:1:1: error\u{1b}[2J.xml");
    fs::write(&file, "<flat-profile><Nonsense/></flat-profile>").expect("room for a file");
    let told = text(&lint(&site, &[&file.display().to_string()]));
    assert!(told.contains("a\\n-:1:1: error\\u{1b}[2J.xml:1:15: warning"), "{told}");
    assert!(!told.contains('\u{1b}') && !told.lines().any(|line| line.starts_with("-:1:1")), "{told}");
}

#[test]
fn the_corpus_has_every_kind_of_finding() {
    let told: BTreeSet<String> = corpus("findings")
        .iter()
        .flat_map(|(file, _)| {
            let text = fs::read_to_string(file.with_extension("txt")).expect("the findings beside the file");
            text.lines()
                .filter_map(|line| Some(line.split_once(':')?.1.split([' ', ':']).nth(2)?.to_owned()))
                .collect::<Vec<_>>()
        })
        .collect();
    // Three need more than one small file, and have tests of their own.
    let apart = [Code::NotRendered, Code::TooLarge, Code::TooMany];
    let missing: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| !apart.contains(code))
        .map(|code| code.as_str())
        .filter(|code| !told.contains(*code))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_page_has_every_kind_of_finding_with_its_severity_and_no_other() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lint.md")).expect("the page");
    let rows = page.lines().filter(|line| !line.starts_with("| `--"));
    let rows = rows.filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let rows: Vec<(&str, &str)> = rows.map(|(code, rest)| (code, rest.split(' ').next().unwrap_or_default())).collect();
    let codes: Vec<(&str, &str)> = Code::ALL.iter().map(|code| (code.as_str(), code.severity().as_str())).collect();
    assert_eq!(rows, codes);
}

#[test]
fn the_samples_of_the_project_are_clean() {
    let site = Site::new("");
    let output = lint(&site, &[&site.path("profiles").display().to_string()]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).starts_with("0 errors, 0 warnings, 0 notes in 7 profiles"), "{}", text(&output));
}

#[test]
fn a_template_is_looked_at_as_the_phone_reads_it() {
    let site = site();
    site.profile(
        "$PN/$MA.cfg",
        "<flat-profile>\n<Station_Name>{{ PN }}</Station_Name><Proxi_1_>{{ MA }}</Proxi_1_>\n</flat-profile>",
    );
    site.profile("$MAU.cfg", "<flat-profile>{{ nobody_defined_this }}</flat-profile>");
    site.profile("_part.xml", "<nothing>");
    site.profile("readme.txt", "not <flat-profile>");
    let found = json(&site, &[&site.path("profiles").display().to_string()]);
    assert_eq!(found["profiles"], 2);
    let codes: Vec<&str> =
        found["findings"].as_array().expect("findings").iter().filter_map(|one| one["code"].as_str()).collect();
    assert_eq!(codes, ["not-rendered", "unknown-parameter"]);
    assert!(found["findings"][0]["message"].as_str().is_some_and(|message| message.contains("nobody_defined_this")));
    assert_eq!((&found["findings"][1]["rendered"], &found["findings"][1]["line"]), (&true.into(), &2.into()));
}

#[test]
fn a_secret_is_told_of_where_the_rules_send_it_to_anybody() {
    let site = Site::bare(
        "profiles = \"profiles\"\n[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\n\
         [[rule]]\npath = \"/secure/**\"\nencrypt = \"aes-256-cbc\"\nkey = \"x\"\nproof = \"none\"\n",
    );
    let profile = "<flat-profile><Password_1_>n2Vb7-Qx81</Password_1_></flat-profile>";
    for file in ["all.cfg", "secure/all.cfg", "$MA.cfg"] {
        site.profile(file, profile);
    }
    let output = lint(&site, &[&site.path("profiles").display().to_string()]);
    let told = text(&output);
    assert_eq!(told.matches("[secret-in-clear]").count(), 1, "{told}");
    assert!(told.contains("all.cfg:1:15: warning:") && !told.contains("n2Vb7"), "{told}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_the_configuration_knows_is_known() {
    let site = Site::bare(
        "profiles = \"profiles\"\nlint = { known = [\"New_Thing_1_\"], largest = \"1 KiB\" }\n\
         [[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\n",
    );
    let file =
        site.profile("a.xml", "<flat-profile><New_Thing_7_>x</New_Thing_7_></flat-profile>").display().to_string();
    assert!(lint(&site, &[&file]).status.success());
    site.profile("a.xml", format!("<flat-profile><GPP_A>{}</GPP_A></flat-profile>", "x".repeat(1024)));
    assert!(text(&lint(&site, &[&file])).contains("[too-large]"));
}

#[test]
fn fix_mends_files_and_leaves_templates() {
    let site = site();
    let before =
        "\u{feff}<flat-profile>\n  <gpp_a>é</gpp_a>\n  <GPP_B>1</GPP_B>\n  <GPP_B>2</GPP_B>\n</flat-profile>\n";
    let file = site.profile("a.xml", before);
    let template = site.profile("$MA.xml", "<flat-profile><gpp_a>{{ MA }}é</gpp_a></flat-profile>");
    let output = lint(&site, &["--fix", &site.path("profiles").display().to_string()]);
    assert!(text(&output).contains("4 mended"), "{}", text(&output));
    let after = "<flat-profile>\n  <GPP_A>&#233;</GPP_A>\n  <GPP_B>2</GPP_B>\n</flat-profile>\n";
    assert_eq!(fs::read_to_string(&file).expect("the file"), after);
    assert_eq!(
        fs::read_to_string(template).expect("the template"),
        "<flat-profile><gpp_a>{{ MA }}é</gpp_a></flat-profile>"
    );
    assert_eq!(fs::read_dir(site.path("profiles")).expect("the folder").count(), 2, "nothing is left beside it");
    assert!(lint(&site, &[&file.display().to_string()]).status.success());
}

/// What SARIF 2.1.0 requires of what we write, held by a program of its own.
const SARIF: &str = r#"
import json, sys
log = json.load(sys.stdin)
assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-schema-2.1.0.json")
[run] = log["runs"]
driver = run["tool"]["driver"]
assert driver["name"] == "phoneprov"
ids = [rule["id"] for rule in driver["rules"]]
assert len(ids) == len(set(ids))
for rule in driver["rules"]:
    assert rule["shortDescription"]["text"] and rule["fullDescription"]["text"] and rule["help"]["text"]
    assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
assert run["results"]
for result in run["results"]:
    assert result["message"]["text"] and result["level"] in ("none", "note", "warning", "error")
    assert ids[result["ruleIndex"]] == result["ruleId"]
    [location] = result["locations"]
    physical = location["physicalLocation"]
    uri = physical["artifactLocation"]["uri"]
    assert uri and " " not in uri and "$" in uri or "region" in physical
    if "region" in physical:
        assert physical["region"]["startLine"] >= 1 and physical["region"]["startColumn"] >= 1
[invocation] = run["invocations"]
assert invocation["executionSuccessful"] is True
for notice in invocation["toolExecutionNotifications"]:
    assert notice["message"]["text"] and notice["level"] == "note"
    assert notice["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
print(len(run["results"]), len(invocation["toolExecutionNotifications"]))
"#;

#[test]
fn sarif_has_what_its_standard_requires() {
    let site = site();
    site.profile("with space.xml", "<flat-profile><Proxi_1_>x</Proxi_1_></flat-profile>");
    site.profile("$MA.xml", "<flat-profile><Proxi_1_>x</Proxi_1_></flat-profile>");
    site.profile("other.xml", "<other/>");
    let output = lint(&site, &["--format", "sarif", &site.path("profiles").display().to_string()]);
    let checked = run("python3", &["-c", SARIF], &output.stdout);
    assert_eq!(text(&checked).trim(), "2 1", "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn a_file_that_is_passed_over_is_named_where_it_may_have_been_meant() {
    let site = site();
    site.profile("a.xml", "<flat-profile><GPP_A>1</GPP_A></flat-profile>");
    site.profile("b.xml", "<configuration>\n  <SIP-proxy>sip.example.com</SIP-proxy>\n</configuration>\n");
    site.profile("c.xml", "<settings><Time_Zone>GMT+01:00</Time_Zone></settings>");
    site.profile("d.xml", "// lobby\n<flat-profile><GPP_A>1</GPP_A></flat-profile>");
    site.profile("phones.csv", "mac,model\n000e08abcdef,CP-8841-3PCC\n");
    site.profile("directory.xml", "<CiscoIPPhoneDirectory><Title>All</Title></CiscoIPPhoneDirectory>");
    fs::write(site.profile("logo.png", ""), b"\x89PNG\r\n\x1a\n\0\0").expect("room");
    fs::write(site.profile("sip88xx.loads", ""), [0x7f, b'E', 0, 1]).expect("room");
    let plain = site.path("profiles/a.xml").display().to_string();
    run("gzip", &["-k", "-S", ".gz", &plain], b"");
    let folder = site.path("profiles").display().to_string();
    let told = text(&lint(&site, &[&folder]));
    assert!(told.contains("b.xml: passed over: its root <configuration> is no profile's"), "{told}");
    assert!(told.contains("c.xml:1:1: error: ") && told.contains("[wrong-root]"), "{told}");
    assert!(told.contains("d.xml: passed over: text stands before its first tag"), "{told}");
    assert!(told.contains("a.xml.gz: passed over: a profile compressed by gzip"), "{told}");
    assert!(
        told.contains("passed over: 4 files that are no profiles\n1 error, 0 warnings, 0 notes in 2 profiles"),
        "{told}"
    );
    assert!(!told.contains("phones.csv") && !told.contains("logo") && !told.contains("directory"), "{told}");
    let passed = json(&site, &[&folder])["passed_over"].as_array().expect("files").len();
    assert_eq!(passed, 7);
    let named = text(&lint(&site, &[&site.path("profiles/b.xml").display().to_string()]));
    assert!(named.contains("[wrong-root]"), "{named}");
}

#[test]
fn a_file_that_cannot_be_read_ends_with_2() {
    let config = site();
    let config = config.config().display().to_string();
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), &["lint", "--config", &config, "/no/such/file"], b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/file"));
}

#[test]
fn check_tells_of_errors_and_warnings_in_profiles() {
    let site = site();
    site.profile("a.xml", "<flat-profile><Proxi_1_>x</Proxi_1_><Resync_Periodic/></flat-profile>");
    site.profile("$PSN.xml", "<flat-profile><GPP_A>{{ PSN }}</flat-profile>");
    let config = site.config().display().to_string();
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), &["check", "--config", &config], b"");
    let told = text(&output);
    assert!(told.contains("warning: a.xml:1:15: Proxi_1_ is not a known parameter"), "{told}");
    assert!(told.contains("error: $PSN.xml:1:") && told.contains("[not-well-formed]"), "{told}");
    assert!(!told.contains("ambiguous-empty"), "{told}");
}

#[test]
fn the_server_tells_where_a_rule_asks_and_keeps_back_only_where_it_says_so() {
    let bad = "<flat-profile><Proxi_1_>x</Proxi_1_><Profile_Rule>[-key x] http://h/y</Profile_Rule></flat-profile>";
    let site = Site::bare(
        "profiles = \"profiles\"\nadmin = { address = \"127.0.0.1:0\" }\n[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\n\
         [[rule]]\npath = \"/log/**\"\nlint = \"log\"\n[[rule]]\npath = \"/refuse/**\"\nlint = \"refuse\"\n",
    );
    for folder in ["off", "log", "refuse"] {
        site.profile(&format!("{folder}/a.xml"), bad);
        site.profile(&format!("{folder}/b.txt"), "no profile");
    }
    let server: Server = site.start();
    for path in ["/off/a.xml", "/log/a.xml", "/off/b.txt", "/log/b.txt", "/refuse/b.txt"] {
        assert_eq!(server.http(path).status, 200, "{path}");
    }
    assert_eq!(server.http("/refuse/a.xml").status, 404);
    server.log_line(&["log/a.xml", "unknown-parameter", "Proxi_1_"]);
    server.log_line(&["path=\"/refuse/a.xml\"", "options begin with two hyphens", "bad-rule"]);
    let log = server.log();
    let told = log.lines().filter(|line| line.contains("phoneprov::lint"));
    assert!(!told.clone().any(|line| line.contains("off/")) && told.count() == 4, "{log}");
}
