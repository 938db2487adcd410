//! What happened, and what phones say of it: logger and Python's syslog client as outsiders, the simulated phone as a phone.

use std::net::UdpSocket;
use std::process::Stdio;

use serde_json::Value;

use crate::outsider::run;
use crate::postgres;
use crate::server::{Server, wait_for};
use crate::site::{ALL, OTHER, PHONE, Site, config, lab};

/// What keeps events and takes lines in.
fn keeping(url: &str, more: &str) -> String {
    format!("[store]\nurl = \"{url}\"\n[events]\n[syslog]\naddress = \"127.0.0.1:0\"\n{more}")
}

/// A server with a device, its store in a file.
pub(crate) fn server() -> Server {
    of("sqlite://state/phoneprov.db", "")
}

pub(crate) fn of(url: &str, more: &str) -> Server {
    let site = Site::new("");
    site.configure(&config(&ALL, &keeping(url, more)));
    site.tell(&["device", "add", PHONE]);
    site.start()
}

/// What `events --json` prints, once something like this is among it.
pub(crate) fn events(server: &Server, holds: impl Fn(&Value) -> bool) -> Vec<Value> {
    let read = || -> Vec<Value> {
        let text = server.tell(&["events", "--json", "--limit", "1000"]);
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    wait_for(|| read().iter().any(&holds));
    let events = read();
    assert!(events.iter().any(&holds), "{events:#?}\n{}", server.log());
    events
}

/// The first path of the device's status.
pub(crate) fn standing(site: &Site, mac: &str) -> Value {
    let output = site.phoneprov(&["device", "status", mac, "--json"]);
    let status: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let path = status[0]["paths"][0].clone();
    let is_well = !["behind", "failing"].contains(&status[0]["step"].as_str().unwrap_or_default());
    assert_eq!(output.status.success(), is_well, "{status}");
    path
}

pub(crate) fn logger(server: &Server, how: &[&str], text: &str) {
    let port = server.port("syslog").to_string();
    let output = run("logger", &[&["-n", "127.0.0.1", "-P", &port], how, &["--", text]].concat(), b"");
    assert!(output.status.success(), "{output:?}");
}

pub(crate) fn says(what: &str) -> String {
    format!("CP-8841-3PCC 00:0e:08:ab:cd:ef -- {what}")
}

pub(crate) fn is(event: &Value, kind: &str, outcome: &str) -> bool {
    event["kind"] == kind && event["outcome"] == outcome
}

#[test]
fn a_profile_that_is_given_is_confirmed_by_a_line_in_both_stores() {
    for url in ["sqlite://state/phoneprov.db".to_owned(), postgres::database()] {
        let server = of(&url, "");
        let own = format!("/{PHONE}.cfg");
        assert!(wait_for(|| server.phone(&own).status == 200));
        let given = events(&server, |event| is(event, "request", "served"));
        let given = given.iter().rfind(|event| is(event, "request", "served")).expect("it");
        assert_eq!((&given["name"], &given["certain"]), (&PHONE.into(), &true.into()));
        assert_eq!(standing(&server, PHONE)["step"], "current", "as long as it has never said anything");

        let url = server.url("https", &own);
        logger(&server, &["-d", "--rfc3164"], &says(&format!("Successful resync {url}")));
        let all = events(&server, |event| is(event, "syslog", "success"));
        let said = all.iter().find(|event| is(event, "syslog", "success")).expect("it");
        assert_eq!((&said["follows"], &said["version"]), (&given["id"], &given["version"]), "{said}");
        let confirmed = standing(&server, PHONE);
        assert_eq!(confirmed["confirmed"]["version"], confirmed["intended"], "{confirmed}");

        server.profile("$MA.cfg", "<flat-profile><GPP_A>new</GPP_A></flat-profile>");
        assert_eq!(standing(&server, PHONE)["step"], "behind");
        assert!(server.tell(&["device", "list", "--behind"]).contains(PHONE));
        assert_eq!(server.phone(&own).status, 200);
        assert!(wait_for(|| standing(&server, PHONE)["step"] == "unconfirmed"));
        logger(&server, &["-T", "--octet-count"], &says(&format!("Successful resync {url}")));
        assert!(wait_for(|| standing(&server, PHONE)["step"] == "current"));
        assert!(!server.tell(&["device", "list", "--behind"]).contains(PHONE));
    }
}

#[test]
fn a_phone_that_fails_is_listed_with_its_error_until_it_succeeds() {
    let server = server();
    let own = format!("/{PHONE}.cfg");
    assert!(wait_for(|| server.phone(&own).status == 200));
    let url = server.url("https", &own);
    events(&server, |event| is(event, "request", "served"));
    // Python's client, and another dash than most.
    let script = "import logging, logging.handlers, sys\n\
                  handler = logging.handlers.SysLogHandler(address=('127.0.0.1', int(sys.argv[1])))\n\
                  handler.emit(logging.makeLogRecord({'msg': sys.argv[2], 'levelno': 20}))\n";
    let tell = |text: &str| {
        let port = server.port("syslog").to_string();
        let output = run("python3", &["-c", script, &port, text], b"");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    };
    tell(&says(&format!("Requesting resync {url}")).replace("--", "\u{2013}-"));
    tell(&says("Resync failed: FPRV_ERR_SERVER_CONNECTION_FAILED"));
    events(&server, |event| is(event, "syslog", "failure"));
    let failing = standing(&server, PHONE);
    assert_eq!(failing["failing"]["error"], "FPRV_ERR_SERVER_CONNECTION_FAILED", "{failing}");
    assert!(server.tell(&["device", "list", "--failing"]).contains(PHONE));
    tell(&says(&format!("Successful resync {url}")));
    assert!(wait_for(|| standing(&server, PHONE)["failing"].is_null()));
    assert!(!server.tell(&["device", "list", "--failing"]).contains(PHONE));
}

#[test]
fn a_line_for_a_device_that_was_never_served_there_changes_nothing() {
    let server = server();
    server.tell(&["device", "add", OTHER]);
    assert!(wait_for(|| server.phone(&format!("/{PHONE}.cfg")).status == 200));
    events(&server, |event| is(event, "request", "served"));
    logger(&server, &["-d"], &says("Resync failed: forged").replace("00:0e:08:ab:cd:ef", "000E08000002"));
    logger(&server, &["-d"], "just a line of somebody's");
    let all = events(&server, |event| is(event, "syslog", "line"));
    let forged = all.iter().find(|event| is(event, "syslog", "failure")).expect("it is kept");
    assert_eq!((&forged["name"], &forged["certain"]), (&OTHER.into(), &false.into()));
    let shown = server.tell(&["events", "--mac", OTHER]);
    assert!(shown.contains("000e08000002?") && shown.lines().count() == 1, "{shown}");
    assert!(!server.tell(&["device", "list", "--failing"]).contains(OTHER));
}

#[test]
fn the_simulated_phone_is_understood_and_so_are_an_operators_own_words() {
    let server = of("sqlite://state/phoneprov.db", "success = [\"$MAC Resynchronisation réussie $PATH\"]\n");
    let syslog = format!("Syslog_Server=127.0.0.1:{}", server.port("syslog"));
    let [ca, certificate, key] =
        [lab("ca.pem"), lab(&format!("phone-{PHONE}.pem")), lab(&format!("phone-{PHONE}.key"))];
    let rule = server.url("https", "/$MA.cfg");
    let phone = |own: &str| {
        let args = ["phone", "--mac", PHONE, "--ca", &ca, "--cert", &certificate, "--key", &key];
        let set = ["--set", &syslog, "--set", own, "--profile-rule", &rule];
        let output = run(env!("CARGO_BIN_EXE_phoneprov"), &[&args[..], &set].concat(), b"");
        assert!(output.status.success(), "{output:?}");
    };
    assert!(wait_for(|| server.phone(&format!("/{PHONE}.cfg")).status == 200));
    phone("Syslog_Identifier=$MAU");
    let all = events(&server, |event| is(event, "syslog", "success"));
    assert!(all.iter().any(|event| is(event, "syslog", "request")), "{all:#?}");
    phone("Log_Success_Msg=$MAC Resynchronisation réussie $PATH");
    let own = |event: &Value| is(event, "syslog", "success") && event["text"].to_string().contains("réussie");
    let all = events(&server, own);
    assert!(all.iter().any(|event| own(event) && event["certain"] == true), "{all:#?}");
    assert_eq!(standing(&server, PHONE)["step"], "current");
}

#[test]
fn whatever_comes_in_is_a_line_at_the_most() {
    let server = server();
    let port = server.port("syslog");
    let long = b"x".repeat(65_400);
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    for bytes in [&[0xff; 3000][..], &[], b"<999>", &long, b"a\0\n\x1b[2Jb"] {
        udp.send_to(bytes, ("127.0.0.1", port)).expect("loopback");
    }
    let mut tcp = crate::outsider::connect(port);
    std::io::Write::write_all(&mut tcp, &[&long, &b"\nafter\n"[..]].concat()).expect("loopback");
    let all = events(&server, |event| event["text"] == "after");
    assert!(all.iter().any(|event| event["text"] == "[2Jb"), "{all:#?}");
    assert!(all.iter().all(|event| event["text"].as_str().is_none_or(|text| text.len() <= 2048)));
    assert_eq!(server.http("/basic.txt").status, 200);
}

#[test]
fn what_was_told_before_a_stop_is_kept_and_what_is_old_is_not() {
    let server = server();
    assert!(wait_for(|| server.phone(&format!("/{PHONE}.cfg")).status == 200));
    for number in 0..50 {
        server.http(&format!("/nothing-{number}"));
        logger(&server, &["-d"], &format!("line {number}"));
    }
    let site = server.stop();
    let all = site.tell(&["events", "--limit", "1000"]);
    assert_eq!((all.matches("/nothing-").count(), all.matches("  line ").count()), (50, 50), "{all}");
    assert_eq!(site.tell(&["events", "--kind", "alarm"]).lines().count(), 0);
    assert_eq!(site.tell(&["events", "--since", "1h", "--limit", "3"]).lines().count(), 3);

    site.configure(&config(
        &ALL,
        &keeping("sqlite://state/phoneprov.db", "").replace("[events]", "[events]\nmost = 10"),
    ));
    let server = site.start();
    assert!(wait_for(|| server.tell(&["events", "--limit", "1000"]).lines().count() <= 10));
}

#[test]
fn events_are_followed_as_they_happen() {
    let server = server();
    let config = server.config().display().to_string();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_phoneprov"));
    command.args(["events", "--follow", "--limit", "0", "--config", &config]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary starts");
    let out = child.stdout.take().expect("a pipe");
    let reader = std::thread::spawn(move || {
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(out));
        lines.next().and_then(Result::ok).unwrap_or_default()
    });
    let came = wait_for(|| {
        server.http("/followed");
        reader.is_finished()
    });
    let _ = child.kill();
    let _ = child.wait();
    assert!(came && reader.join().expect("a thread").contains("/followed"));
}

#[test]
fn without_a_store_lines_stand_in_the_log() {
    let site = Site::new("");
    site.configure(&config(&ALL, "[syslog]\naddress = \"127.0.0.1:0\"\n"));
    let server = site.start();
    logger(&server, &["-d"], &says("Resync failed: Download failed"));
    let line = server.log_line(&["phoneprov::syslog", "Resync failed: Download failed"]);
    assert!(line.contains("said=\"failure\"") && line.contains("000e08abcdef"), "{line}");
    let refused =
        Site::bare("profiles = \"profiles\"\n[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\n[events]\n");
    assert!(crate::server::refused(&refused).contains("add [store]"));
}

#[test]
fn without_events_nothing_looks_as_if_all_were_well() {
    let site = Site::new("");
    site.configure(&config(&ALL, "[store]\n"));
    site.tell(&["device", "add", PHONE, "phone_address=127.0.0.1:9"]);
    for command in [
        &["events"][..],
        &["device", "status", PHONE],
        &["device", "list", "--behind"],
        &["device", "list", "--failing", "--json"],
        &["resync", PHONE, "--force"],
        &["resync", "--behind"],
        &["resync", PHONE, "--event", "reboot"],
    ] {
        let output = site.phoneprov(command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{command:?}: {output:?}");
        assert!(said.contains("config.toml: there are no events") && said.contains("a line `[events]`"), "{said}");
    }
    // What a device was last given is known without.
    let stale = site.tell(&["device", "list", "--stale", "24h", "--json"]);
    let stale: Value = serde_json::from_str(&stale).expect("JSON");
    assert!(stale["devices"][0].is_object() && stale["devices"][0].get("behind").is_none(), "{stale}");
}

#[test]
fn who_is_no_device_has_no_events_to_look_for() {
    let site = Site::new("");
    site.configure(&config(&ALL, "[store]\n[events]\n"));
    for wrong in ["2c3124c9f8e99", "garbage"] {
        let output = site.phoneprov(&["events", "--mac", wrong]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(said.contains(&format!("`{wrong}` is not a MAC address")), "{said}");
    }
    assert_eq!(site.tell(&["events", "--mac", "sn:FCH2133E8B9"]), "");
}

#[test]
fn a_stranger_makes_no_device_look_fine_that_proved_itself_and_was_not_served() {
    let stranger = "127.0.0.9";
    let server = of("sqlite://state/phoneprov.db", "[[rule]]\npath = \"/led/**\"\nproof = \"none\"\n");
    let own = format!("/led/{PHONE}.cfg");
    server.profile("led/$MA.cfg", "{{ nothing }}");
    assert!(
        wait_for(|| server.phone(&own).status == 404 && server.log().contains("led/$MA.cfg:1")),
        "{}",
        server.log()
    );
    events(&server, |event| is(event, "request", "failed"));
    server.profile("led/$MA.cfg", "fine");
    let ask = || run("curl", &["-s", "--interface", stranger, &server.url("http", &own)], b"").stdout;
    assert!(wait_for(|| ask() == b"fine"), "{}", server.log());
    let socket = UdpSocket::bind((stranger, 0)).expect("a socket");
    let line = says("Resync failed: made up by a stranger");
    socket.send_to(line.as_bytes(), ("127.0.0.1", server.port("syslog"))).expect("sent");

    let all = events(&server, |event| is(event, "syslog", "failure"));
    let said = all.iter().find(|event| is(event, "syslog", "failure")).expect("it is kept");
    assert_eq!((&said["name"], &said["certain"]), (&PHONE.into(), &false.into()));
    assert!(all.iter().any(|event| is(event, "request", "served")), "{all:#?}");
    let standing = standing(&server, PHONE);
    let error = standing["failing"]["error"].as_str().expect("it fails still");
    assert!(!error.contains("made up") && standing["given"].is_null(), "{standing}");
}
