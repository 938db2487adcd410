//! What is past its time goes, and is heard of: an event, a metric and a line of the log for each kind.

use std::fs;

use crate::handed_in::bytes;
use crate::intake::{CASE, port};
use crate::outsider::{curl, run};
use crate::reports::{json, keeping, kept, send};
use crate::server::{Server, wait_for};
use crate::site::{ALL, PHONE, Site, config};

const RULES: &str = "[[intake]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\n\
    [[rule]]\npath = \"/report/$MA.xml\"\naccept = \"report\"\n[[rule]]\npath = \"/prt\"\naccept = \"prt\"\n";

/// A server with two files of each kind and a beginning.
fn full() -> Server {
    let site = Site::new("");
    site.configure(&config(&ALL, &keeping("sqlite://state/phoneprov.db", RULES)));
    site.tell(&["device", "add", PHONE]);
    let token = json(&site, &["case", "open", "--number", CASE])["token"].as_str().expect("a token").to_owned();
    let file = site.path("file").display().to_string();
    fs::write(&file, bytes(1000)).expect("room for a file");
    let server = site.start();
    let who = format!("{CASE}:{token}");
    let put = |name: &str, more: &[&str]| {
        let url = format!("http://127.0.0.1:{}/home/{name}", port(&server, "http"));
        curl(&[&["-u", &who, "-T", &file], more, &[&url]].concat()).status
    };
    assert_eq!((put("a", &[]), put("b", &[])), (201, 201));
    assert_eq!(put("c", &["-H", "Content-Range: bytes 0-999/2000"]), 308);
    for _ in 0..2 {
        let report = ["--data", "<flat-profile><GPP_A>1</GPP_A></flat-profile>"];
        assert_eq!(send(&server, PHONE, &format!("/report/{PHONE}.xml"), &report).status, 200);
        assert_eq!(send(&server, PHONE, "/prt", &["-F", &format!("prt_file=@{file}")]).status, 200);
    }
    assert_eq!(kept(&server), 7);
    server
}

fn sqlite(site: &Site, statement: &str) {
    let database = site.path("state/phoneprov.db").display().to_string();
    let output = run("sqlite3", &[&database, statement], b"");
    assert!(output.status.success(), "{output:?}");
}

/// Events with this outcome, as they are printed.
fn removed(site: &Site, kind: &str) -> Vec<String> {
    let events = site.tell(&["events", "--kind", kind]);
    events.lines().filter(|line| line.contains("  removed  ")).map(str::to_owned).collect()
}

#[test]
fn what_is_past_its_time_is_removed_and_heard_of_by_its_kind() {
    let server = full();
    server.tell(&["case", "close", CASE]);
    let site = server.stop();
    sqlite(&site, "update upload set at = 1 where kind in ('report', 'prt'); update support_case set closed = 1");
    let server = site.start();
    assert!(wait_for(|| kept(&server) == 0), "{}", server.log());
    let [reports, problems, files] = ["report", "prt", "upload"].map(|kind| removed(&server, kind));
    for (events, text) in [
        (&reports, "2 reports, 100 bytes, removed by the server: kept for 90d, which is over"),
        (&problems, "2 problem reports, 2000 bytes, removed by the server: kept for 90d, which is over"),
        (&files, "case 612345678: 3 files, 3000 bytes, removed by the server: kept for 548d, which is over"),
    ] {
        assert!(events.len() == 1 && events[0].ends_with(text), "{text}: {events:?}");
    }
    let metrics = curl(&[&server.admin("/metrics")]).text();
    for (kind, count) in [("reports", 2), ("problem_reports", 2), ("cases", 3), ("partial", 0)] {
        let line = format!("phoneprov_uploads_removed_total{{kind=\"{kind}\"}} {count}");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
    server.log_line(&["removed files that are past their time", "kind=\"problem_reports\"", "files=2", "bytes=2000"]);
    let record = json(&server, &["case", "show", CASE])["record"].to_string();
    assert_eq!(record.matches("file deleted").count(), 3, "{record}");
}

#[test]
fn a_beginning_that_nobody_goes_on_with_is_removed_and_the_rest_stays() {
    let site = full().stop();
    sqlite(&site, "update upload set touched = 1");
    let server = site.start();
    assert!(wait_for(|| kept(&server) == 6), "{}", server.log());
    let events = removed(&server, "upload");
    let text = "case 612345678: 1 file, 1000 bytes, removed by the server: kept for 7d, which is over";
    assert!(events.len() == 1 && events[0].ends_with(text), "{events:?}");
    assert_eq!((removed(&server, "report").len(), removed(&server, "prt").len()), (0, 0));
    let metrics = curl(&[&server.admin("/metrics")]).text();
    assert!(metrics.contains("phoneprov_uploads_removed_total{kind=\"partial\"} 1"), "{metrics}");
}
