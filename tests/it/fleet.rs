//! Many simulated phones at once, against our server.

use serde_json::Value;

use crate::outsider::run;
use crate::server::{Server, free_port};
use crate::site::{Site, config, lab};

/// Where the sample profiles have a template for every phone, given to that phone alone.
const OWN: &str = "/$PN/$MA.cfg";

/// What a fleet came to.
#[derive(Debug)]
struct Came {
    code: Option<i32>,
    result: Value,
}

impl Came {
    #[track_caller]
    fn number(&self, name: &str) -> u64 {
        self.result[name].as_u64().unwrap_or_else(|| panic!("no number `{name}` in {}", self.result))
    }

    /// Phones that were served, were refused, and failed.
    fn counts(&self) -> [u64; 3] {
        let failed = self.result["failed"]["count"].as_u64().expect("a count");
        [self.number("served"), self.number("refused"), failed]
    }
}

/// Runs a fleet of the lab's phones to its end.
#[track_caller]
fn fleet(rule: &str, arguments: &[&str]) -> Came {
    let ca = lab("ca.pem");
    let folder = ca.trim_end_matches("/ca.pem");
    let all = ["fleet", "--json", "--authority", folder, "--ca", &ca, "--profile-rule", rule];
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), &[&all, arguments].concat(), b"");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.is_empty(), "on what is no terminal it says nothing more: {said}");
    Came { code: output.status.code(), result: serde_json::from_slice(&output.stdout).expect("JSON") }
}

fn own(server: &Server) -> String {
    server.url("https", OWN)
}

#[test]
fn after_a_power_cut_every_phone_gets_its_own_profile() {
    let server = Site::new("").start();
    let came = fleet(&own(&server), &["--phones", "200", "--scenario", "power-cut"]);
    assert_eq!((came.code, came.counts()), (Some(0), [200, 0, 0]), "{came:?}");
    assert_eq!((came.number("phones"), came.number("handshakes")), (200, 200));
    let time = |name: &str| came.result[name].as_f64().expect("a time");
    let [p50, p99, slowest, took] = ["p50_ms", "p99_ms", "slowest_ms", "took_ms"].map(time);
    assert!(0.0 < p50 && p50 <= p99 && p99 <= slowest && slowest <= took, "{came:?}");
    assert!(came.number("bytes") > 200 * 100, "{came:?}");
    // The server saw them as different phones: the first, and the last.
    server.log_line(&["/CP-8841-3PCC/020000000000.cfg", "200"]);
    server.log_line(&["/CP-8841-3PCC/0200000000c7.cfg", "200"]);
}

#[test]
fn steady_phones_come_one_after_the_other() {
    let server = Site::new("").start();
    let came = fleet(&own(&server), &["--phones", "50", "--scenario", "steady", "--over", "2", "--at-once", "10"]);
    assert_eq!((came.code, came.counts()), (Some(0), [50, 0, 0]), "{came:?}");
    // The last of fifty begins after 49 fiftieths of the time.
    assert!(came.result["took_ms"].as_f64().expect("a time") >= 1960.0, "{came:?}");
}

#[test]
fn a_scan_gets_nothing_that_its_phones_own() {
    let server = Site::new("").start();
    let came = fleet(&own(&server), &["--phones", "200", "--scenario", "scan"]);
    assert_eq!((came.code, came.counts()), (Some(0), [0, 200, 0]), "{came:?}");
    assert_eq!(came.result["breach"], Value::Null);
}

#[test]
fn a_server_that_has_had_enough_hangs_up_and_passes() {
    // Of refusals that wait, one address has 16: the rest get no answer.
    let server = Site::new("[throttle]\naddress = 20\nprefix = 20\n").start();
    let came = fleet(&own(&server), &["--phones", "100", "--scenario", "scan"]);
    assert_eq!((came.code, came.number("served"), came.number("refused") + came.number("hung_up")), (Some(0), 0, 100));
    assert!(came.number("hung_up") > 0, "{came:?}");
}

#[test]
fn a_scan_of_a_listener_that_demands_certificates_is_refused_by_tls_too() {
    let site = Site::new("");
    site.configure(&config(&["https"], "client_certificate = \"require\""));
    let server = site.start();
    let came = fleet(&own(&server), &["--phones", "40", "--scenario", "scan"]);
    assert_eq!((came.code, came.counts()), (Some(0), [0, 40, 0]), "{came:?}");
    // A quarter has no certificate, and so no TLS.
    assert!(came.number("handshakes") <= 30, "{came:?}");
}

#[test]
fn a_scan_that_is_served_is_a_finding() {
    let server = Site::new("[[rule]]\npath = \"/$PN/$MA.cfg\"\nproof = \"none\"\n").start();
    let came = fleet(&own(&server), &["--phones", "8", "--scenario", "scan"]);
    assert_eq!((came.code, came.counts()), (Some(1), [8, 0, 0]), "{came:?}");
    assert!(came.result["breach"].as_str().is_some_and(|breach| breach.starts_with("asked as ")), "{came:?}");
}

#[test]
fn a_server_that_is_not_there_refuses_nobody() {
    let rule = format!("https://127.0.0.1:{}{OWN}", free_port());
    let came = fleet(&rule, &["--phones", "8", "--scenario", "scan"]);
    assert_eq!((came.code, came.counts()), (Some(1), [0, 0, 8]), "{came:?}");
    assert_eq!(came.result["failed"]["C"]["connect"]["count"], 8, "{came:?}");
}

#[test]
fn phones_that_fail_try_again_as_often_as_they_may() {
    let rule = format!("https://127.0.0.1:{}{OWN}", free_port());
    let came = fleet(&rule, &["--phones", "5", "--retries", "2", "--speed", "1000"]);
    assert_eq!((came.code, came.counts(), came.number("retries")), (Some(1), [0, 0, 5], 10), "{came:?}");
}

#[test]
fn a_profile_that_is_not_there_is_a_failure_of_class_b() {
    let server = Site::new("").start();
    let came = fleet(&server.url("https", "/nowhere/at/all/$MA.cfg"), &["--phones", "5"]);
    assert_eq!((came.code, came.counts()), (Some(1), [0, 0, 5]), "{came:?}");
    assert_eq!(came.result["failed"]["B"]["not-found"]["count"], 5, "{came:?}");
    assert_eq!(came.result["failed"]["B"]["not-found"]["such_as"], "not found");
}
