//! testssl.sh, which knows the attacks on TLS by name, over both kinds of listeners. What suites they have is sslscan's
//! matter, in `legacy.rs`.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::legacy::{Factory, old_port};

/// What testssl.sh finds at a port by these checks: severity and text of each finding by its name.
fn found(port: u16, checks: &[&str]) -> BTreeMap<String, (String, String)> {
    let folder = tempfile::tempdir().expect("room for a folder");
    let file = folder.path().join("found.json");
    let mut command = Command::new("timeout");
    // A minute of waiting on a machine that has little else to do.
    command.args(["300", "testssl", "--quiet", "--color", "0", "--warnings", "batch", "--nodns", "none", "--fast"]);
    command.args(["--ip", "127.0.0.1", "--jsonfile"]).arg(&file).args(checks).arg(format!("localhost:{port}"));
    let output = command.output().expect("tests/run installs this program");
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let found: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let findings = found.as_array().expect("a list of findings").iter();
    let field = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    findings.map(|finding| (field(finding, "id"), (field(finding, "severity"), field(finding, "finding")))).collect()
}

/// All of these are there, and nothing that was found is worse than testssl.sh's `INFO`, but for what is said to be.
fn judge(found: &BTreeMap<String, (String, String)>, wanted: &[(&str, &str)], known: &[&str]) {
    for (id, text) in wanted {
        let finding = found.get(*id);
        assert!(finding.is_some_and(|(_, finding)| finding.starts_with(text)), "{id}: {text}: {found:#?}");
    }
    // What testssl.sh's own OpenSSL lacks is no finding of ours.
    let of_listener = |id: &str| !known.contains(&id) && id != "engine_problem";
    for (id, (severity, text)) in found.iter().filter(|(id, _)| of_listener(id)) {
        assert!(["OK", "INFO"].contains(&severity.as_str()), "{id} {severity}: {text}");
    }
}

#[test]
fn no_attack_that_has_a_name_works_on_either_listener() {
    let server = Factory::new().serve("");
    let (modern, old) = (server.port("https"), old_port(&server));
    let common = ["-p", "-H", "-R", "-C", "-O", "-Z"];
    let (modern, old) = std::thread::scope(|scope| {
        let modern = scope.spawn(|| found(modern, &[&common[..], &["-I"]].concat()));
        // RSA key exchange is what Bleichenbacher's oracle lives on.
        let old = scope.spawn(|| found(old, &[&common[..], &["-BB", "-W"]].concat()));
        (modern.join().expect("a scan"), old.join().expect("a scan"))
    });
    let harmless = [
        ("SSLv2", "not offered"),
        ("SSLv3", "not offered"),
        ("TLS1_2", "offered"),
        ("heartbleed", "not vulnerable"),
        ("secure_renego", "supported"),
        ("secure_client_renego", "not vulnerable"),
        ("CRIME_TLS", "not vulnerable"),
        ("POODLE_SSL", "not vulnerable"),
    ];
    let only = [("TLS1", "not offered"), ("TLS1_1", "not offered"), ("TLS1_3", "offered"), ("CCS", "not vulnerable")];
    judge(&modern, &[&harmless[..], &only].concat(), &[]);
    let also = [
        ("TLS1", "offered"),
        ("TLS1_1", "offered"),
        ("ROBOT", "not vulnerable"),
        ("SWEET32", "not vulnerable"),
        ("fallback_SCSV", "supported"),
    ];
    // What it is for: testssl.sh calls versions before 1.2 deprecated.
    judge(&old, &[&harmless[..], &also].concat(), &["TLS1", "TLS1_1"]);
}
