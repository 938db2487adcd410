//! Phones that go on, by a clock that runs faster.

use std::time::{Duration, Instant};

use super::servers::{Outsider, Scripted, ok};
use super::{PROFILE, phone};

#[test]
fn a_phone_goes_on_by_its_period_and_begins_with_power_up() {
    let server = Outsider::nginx("", "");
    server
        .put("x.xml", "<flat-profile><Resync_Periodic>600,1200</Resync_Periodic><GPP_A>$PRVST</GPP_A></flat-profile>");
    let rule = format!("(\"$PRVST\" eq \"0\")? {0} | {0}?$PRVST", server.url("http", "/x.xml"));
    let began = Instant::now();
    let ran = phone(&["--profile-rule", &rule, "--follow", "--speed", "2000", "--resyncs", "3"]);
    ran.succeeded(&["alternative 1 taken", "of Resync_Random_Delay"]);
    let waits: Vec<&str> =
        ran.said.lines().filter_map(|line| line.split_once(" waiting ").map(|(_, wait)| wait.trim())).collect();
    assert!(waits[0].ends_with("s of Resync_Random_Delay"), "{waits:?}");
    assert_eq!(waits[1..], ["600 s of Resync_Periodic", "1200 s of Resync_Periodic"], "{}", ran.said);
    let log = server.requests();
    assert_eq!(log.len(), 3);
    assert!(log[1].contains("/x.xml?1 ") && log[2].contains("/x.xml?1 "), "{log:?}");
    // 1 840 seconds at most, two thousand times as fast.
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[test]
fn errors_are_waited_out_longer_and_longer() {
    let server = Outsider::nginx("", "");
    let url = server.url("http", "/missing.xml");
    let set = ["--set", "Resync_Random_Delay=0", "--set", "Resync_Error_Retry_Delay=60,120,240+30"];
    let ran = phone(&[&["--profile-rule", &url, "--follow", "--speed", "1000", "--resyncs", "5"][..], &set].concat());
    ran.ended(3, &["waiting    60 s of Resync_Error_Retry_Delay; then the sequence begins again", "waiting    120 s"]);
    let later: Vec<u64> = ran
        .said
        .lines()
        .filter_map(|line| line.split_once("waiting    ")?.1.split_once(" s of Resync_Error")?.0.parse().ok())
        .collect();
    assert_eq!(later.len(), 4, "{}", ran.said);
    assert!((240..=270).contains(&later[2]) && (240..=270).contains(&later[3]), "{later:?}");
    assert_eq!(server.requests().len(), 5);
    let never = [
        &["--profile-rule", &url, "--follow", "--set", "Resync_Random_Delay=0"][..],
        &["--set", "Resync_Error_Retry_Delay=0"],
    ];
    phone(&never.concat()).ended(3, &["no further resync: its timer is off"]);
}

#[test]
fn a_time_of_day_replaces_the_period() {
    let server = Outsider::nginx("", "");
    server.put("x.xml", PROFILE);
    let rule = server.url("http", "/x.xml");
    let set = ["--set", "Resync_Random_Delay=0", "--set", "Resync_At__HHmm_=0300"];
    let ran = phone(&[&["--profile-rule", &rule, "--follow", "--speed", "20000", "--resyncs", "2"][..], &set].concat());
    ran.succeeded(&["s until Resync_At__HHmm_"]);
    // Where the machine's clock shows UTC, the line itself says when that is: within the window, by the phone's clock.
    let line = ran.said.lines().find(|line| line.contains("until Resync_At__HHmm_")).expect("a wait");
    let zone = std::process::Command::new("date").arg("+%z").output().expect("date").stdout;
    if zone.starts_with(b"+0000") {
        let began: jiff::Timestamp = line.split(' ').next().expect("a time").parse().expect("a time");
        let seconds: i64 = line
            .split_once("waiting    ")
            .expect("a wait")
            .1
            .split(' ')
            .next()
            .expect("a number")
            .parse()
            .expect("a number");
        let due = (began.as_second() + seconds).rem_euclid(86_400);
        // The line is printed a moment after the wait was computed, which a fast clock makes minutes.
        assert!((3 * 3600..4 * 3600).contains(&due), "{line}");
    }
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_phone_keeps_its_state_while_it_goes_on() {
    let server = Outsider::nginx("", "");
    server.put("x.xml", PROFILE);
    let state = server.path("phone.json").display().to_string();
    let rule = server.url("http", "/x.xml");
    let set = ["--set", "Resync_Random_Delay=0", "--set", "Resync_Periodic=10"];
    let follow = ["--profile-rule", &rule, "--state", &state, "--follow", "--speed", "1000", "--resyncs", "2"];
    phone(&[&follow[..], &set].concat()).succeeded(&[]);
    let kept = std::fs::read_to_string(&state).expect("a state");
    assert!(kept.contains("\"successes\": 2") && kept.contains("\"GPP_A\": \"12345678\""), "{kept}");
}

#[test]
fn after_a_failure_the_sequence_begins_again_from_its_first_rule() {
    let server = Outsider::nginx("", "");
    server.put("a.xml", PROFILE);
    let (a, b) = (server.url("http", "/a.xml"), format!("Profile_Rule_B={}", server.url("http", "/b.xml")));
    let set = ["--set", &b, "--set", "Resync_Random_Delay=0", "--set", "Resync_Error_Retry_Delay=60"];
    let ran = phone(&[&["--profile-rule", &a, "--follow", "--speed", "1000", "--resyncs", "2"][..], &set].concat());
    ran.ended(3, &["class B: not found"]);
    let log = server.requests();
    let asked: Vec<&str> = log.iter().filter_map(|line| line.split_once("GET ")?.1.split(' ').next()).collect();
    assert_eq!(asked, ["/a.xml", "/b.xml", "/a.xml", "/b.xml"]);
}

#[test]
fn a_trigger_of_an_spa_device_brings_the_next_resync_forward() {
    let server = Outsider::nginx("", "");
    server.put("x.xml", PROFILE);
    let rule = server.url("http", "/x.xml");
    let set = [
        "--set",
        "Resync_Random_Delay=0",
        "--set",
        "Resync_Periodic=86400",
        "--set",
        "Resync_Trigger_1=$PRVTMR ge 600",
    ];
    let follow = ["--model", "SPA504G", "--profile-rule", &rule, "--follow", "--speed", "600", "--resyncs", "2"];
    let began = Instant::now();
    let named = "note       Resync_Trigger_1 is true and sets a resync off";
    phone(&[&follow[..], &set].concat()).succeeded(&["waiting    86400 s of Resync_Periodic", named]);
    assert_eq!(server.requests().len(), 2);
    // A day would take two minutes and a half.
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
    // Nor does it need a timer.
    let set =
        ["--set", "Resync_Random_Delay=0", "--set", "Resync_Periodic=0", "--set", "Resync_Trigger_1=$PRVTMR ge 600"];
    phone(&[&follow[..], &set].concat()).succeeded(&[named]);
}

const PLAIN: &str = "<flat-profile><GPP_A>1</GPP_A></flat-profile>";

#[test]
fn reports_go_out_by_their_own_period() {
    let (server, reports) = (Outsider::nginx("", ""), Scripted::saying(ok("", b"")));
    server.put("x.xml", PLAIN);
    let (rule, report) = (server.url("http", "/x.xml"), format!("Report_Rule={}", reports.url("/report")));
    let set = ["Resync_Random_Delay=0", "Resync_Periodic=2000", "Report_To_Server=Periodically", &report];
    let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    let period = ["--set", "Periodic_Upload_To_Server=600"];
    let ran = phone(
        &[&["--profile-rule", &rule, "--follow", "--speed", "1000", "--resyncs", "2"], &set[..], &period].concat(),
    );
    ran.succeeded(&["POST http://127.0.0.1"]);
    // At 600, 1200 and 1800 seconds, before the second resync.
    assert_eq!(ran.said.matches(" POST ").count(), 3, "{}", ran.said);
    assert!(String::from_utf8_lossy(&reports.heard()).contains("<GPP_A>1</GPP_A>"));
}

#[test]
fn a_change_at_the_phone_is_reported_once() {
    let (server, reports) = (Outsider::nginx("", ""), Scripted::saying(ok("", b"")));
    server.put("x.xml", PLAIN);
    let (rule, report) = (server.url("http", "/x.xml"), format!("Report_Rule=[--delta] {}", reports.url("/report")));
    let set = ["Resync_Random_Delay=0", "Resync_Periodic=1000", "Report_To_Server=On Local Change", &report];
    let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    let ran = phone(&[&["--profile-rule", &rule, "--follow", "--speed", "1000", "--resyncs", "2"], &set[..]].concat());
    ran.succeeded(&[]);
    assert_eq!(ran.said.matches(" POST ").count(), 1, "{}", ran.said);
}

/// What was asked for, one word each.
fn asked(server: &Outsider) -> Vec<String> {
    server.requests().iter().filter_map(|line| Some(line.split(' ').nth(6)?.to_owned())).collect()
}

#[test]
fn a_resync_follows_an_attempt_to_upgrade() {
    let server = Outsider::nginx("", "");
    server.put("x.xml", PLAIN);
    server.put("sip88xx.12-0-1MPP0001-7.loads", "image");
    let rule = server.url("http", "/x.xml");
    let follow = |image: &str, more: &[&str]| {
        let image = format!("Upgrade_Rule={}", server.url("http", image));
        let set = ["Resync_Random_Delay=0", "Resync_Periodic=3000", "Upgrade_Error_Retry_Delay=1000", &image];
        let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
        phone(&[&["--profile-rule", &rule, "--follow", "--speed", "5000", "--resyncs", "3"], &set[..], more].concat())
    };
    follow("/sip88xx.12-0-1MPP0001-7.loads", &[]).succeeded(&[
        "waiting    0 s of Resync_After_Upgrade_Attempt",
        "Cisco-CP-8841-3PCC/12.0.1",
        "waiting    3000 s of Resync_Periodic",
    ]);
    assert_eq!(asked(&server), ["/x.xml", "/sip88xx.12-0-1MPP0001-7.loads", "/x.xml", "/x.xml"]);
    // What failed is tried again after its own delay, and not by the resync that follows it.
    follow("/gone.loads", &[]).ended(3, &["waiting    1000 s of Upgrade_Error_Retry_Delay"]);
    assert_eq!(asked(&server)[4..], ["/x.xml", "/gone.loads", "/x.xml", "/x.xml", "/gone.loads"]);
    let off = follow("/gone.loads", &["--set", "Resync_After_Upgrade_Attempt=No"]);
    assert!(!off.said.contains("of Resync_After_Upgrade_Attempt"), "{}", off.said);
}
