//! Lines by syslog: none is lost by a stop, each is kept as it came, and what it is worth. Python's sockets and clients, and
//! logger, as outsiders.

use std::fs;
use std::io::Write as _;
use std::net::UdpSocket;

use serde_json::Value;

use crate::events::{events, is, logger, of, says, server, standing};
use crate::outsider::{connect, curl, run};
use crate::server::wait_for;
use crate::site::{ALL, OTHER, PHONE, Site, config, lab};

const SQLITE: &str = "sqlite://state/phoneprov.db";

#[test]
fn no_line_of_a_stream_is_lost_by_a_stop() {
    let server = server();
    let port = server.port("syslog");
    let mut open = connect(port);
    open.write_all(b"it is open\n").expect("loopback");
    events(&server, |event| event["text"] == "it is open");
    // One that is open, and one that was just made.
    let mut fresh = connect(port);
    for (stream, name) in [(&mut open, "open"), (&mut fresh, "fresh")] {
        let lines =
            (0..3000).fold(String::new(), |lines, number| lines + &format!("<13>line {number} of the {name}\n"));
        stream.write_all(format!("{lines}<13>last of the {name}").as_bytes()).expect("loopback");
    }
    let site = server.stop();
    let all = site.tell(&["events", "--kind", "syslog", "--limit", "10000"]);
    let count = |text: &str| all.lines().filter(|line| line.contains(text)).count();
    assert_eq!((count("of the open"), count("of the fresh")), (3001, 3001));
    assert_eq!((count("last of the open"), count("last of the fresh")), (1, 1));
    drop((open, fresh));
}

#[test]
fn a_line_is_kept_as_it_came_and_several_are_several() {
    let server = server();
    let port = server.port("syslog");
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let long = format!("long {}", "x".repeat(1500));
    for text in ["a-b - x  \u{2014} : y", &long, "<13>first of two\n<13>second of two\0"] {
        udp.send_to(text.as_bytes(), ("127.0.0.1", port)).expect("loopback");
    }
    // Python ends each line of a stream with a zero.
    let script = "import logging, logging.handlers, socket, sys\n\
                  handler = logging.handlers.SysLogHandler(('127.0.0.1', int(sys.argv[1])), socktype=socket.SOCK_STREAM)\n\
                  for text in 'one', 'two': handler.emit(logging.makeLogRecord({'msg': 'python ' + text, 'levelno': 20}))\n";
    let output = run("python3", &["-c", script, &port.to_string()], b"");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    for text in ["a-b - x  \u{2014} : y", &long, "first of two", "second of two", "python one", "python two"] {
        events(&server, |event| event["text"] == text);
    }
    let cut = format!("cut {}", "x".repeat(4000));
    udp.send_to(cut.as_bytes(), ("127.0.0.1", port)).expect("loopback");
    let marked = |event: &Value| event["text"].as_str().is_some_and(|text| text.ends_with("xx…"));
    events(&server, |event| marked(event) && event["text"].to_string().starts_with("\"cut "));
}

#[test]
fn streams_are_as_many_as_the_configuration_says() {
    let server = of(SQLITE, "streams_per_address = 1\n");
    let port = server.port("syslog");
    let mut first = connect(port);
    first.write_all(b"the first\n").expect("loopback");
    events(&server, |event| event["text"] == "the first");
    let mut second = connect(port);
    let _ = second.write_all(b"the second\n");
    server.log_line(&["its address has as many streams as it may"]);
    drop(first);
    let again = || {
        let _ = connect(port).write_all(b"the third\n");
        server.tell(&["events"]).contains("the third")
    };
    assert!(wait_for(again));
    assert!(!server.tell(&["events"]).contains("the second"));
}

#[test]
fn a_profile_that_is_gone_is_missed_by_its_phone() {
    let server = server();
    let own = format!("/{PHONE}.cfg");
    assert!(wait_for(|| server.phone(&own).status == 200));
    events(&server, |event| is(event, "request", "served"));
    fs::remove_file(server.path("profiles").join("$MA.cfg")).expect("it was there");
    assert!(wait_for(|| server.phone(&own).status == 404));
    assert_eq!(server.phone("/optional.wav").status, 404);
    assert!(wait_for(|| standing(&server, PHONE)["step"] == "failing"), "{}", standing(&server, PHONE));
    let status = server.phoneprov(&["device", "status", PHONE]);
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(status.contains("failing") && !status.contains("optional"), "{status}");
    assert!(server.tell(&["device", "list", "--failing"]).contains(PHONE));
    server.profile("$MA.cfg", "<flat-profile><GPP_A>back</GPP_A></flat-profile>");
    assert!(server.tell(&["device", "list", "--behind"]).contains(PHONE), "it has something to come for");
    assert_eq!(server.phone(&own).status, 200);
    assert!(wait_for(|| standing(&server, PHONE)["step"] == "current"));
}

#[test]
fn a_profile_that_is_gone_is_missed_by_a_phone_that_proves_itself_by_password() {
    let site = Site::new("");
    let rule = "[[rule]]\npath = \"/pw/**\"\nproof = \"password\"\npassword_file = \"passwords\"\n";
    site.configure(&config(&ALL, &format!("{rule}[store]\n[events]\n")));
    let password = run(env!("CARGO_BIN_EXE_phoneprov"), &["password", PHONE], b"s3cret\n");
    assert!(password.status.success(), "{password:?}");
    fs::write(site.path("passwords"), password.stdout).expect("room for passwords");
    let profile = site.profile("pw/of/$MA.cfg", "<flat-profile/>");
    site.tell(&["device", "add", PHONE]);
    let server = site.start();
    let asks = |user: &[&str]| {
        let (ca, url) = (lab("ca.pem"), server.url("https", &format!("/pw/of/{PHONE}.cfg")));
        curl(&[user, &["--cacert", &ca, &url]].concat()).status
    };
    let own = ["-u", &format!("{PHONE}:s3cret")];
    assert!(wait_for(|| asks(&own) == 200));
    assert!(wait_for(|| standing(&server, PHONE)["step"] == "current"));
    fs::remove_file(profile).expect("it was there");
    assert_eq!((asks(&[]), asks(&["-u", &format!("{PHONE}:wrong")])), (401, 401));
    assert!(wait_for(|| asks(&own) == 404));
    assert!(wait_for(|| standing(&server, PHONE)["step"] == "failing"), "{}", server.tell(&["events"]));
}

#[test]
fn an_upgrade_that_fails_is_of_the_image_that_was_asked_for() {
    let server = server();
    assert!(wait_for(|| server.phone(&format!("/{PHONE}.cfg")).status == 200));
    events(&server, |event| is(event, "request", "served"));
    logger(&server, &["-d"], &says("Requesting upgrade http://files.example.com:80/sip88xx.loads"));
    events(&server, |event| is(event, "syslog", "upgrade_request"));
    // What was said before is known to another batch, and to another start.
    let server = server.stop().start();
    logger(&server, &["-d"], &says("Upgrade failed: http_get failed"));
    let all = events(&server, |event| is(event, "syslog", "upgrade_failure"));
    let failed = all.iter().find(|event| is(event, "syslog", "upgrade_failure")).expect("it");
    assert_eq!((&failed["path"], &failed["certain"]), (&"/sip88xx.loads".into(), &true.into()), "{failed}");
    let status = server.phoneprov(&["device", "status", PHONE]);
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(status.contains("/sip88xx.loads") && status.contains("http_get failed"), "{status}");
    assert!(server.tell(&["device", "list", "--failing"]).contains(PHONE));
    logger(&server, &["-d"], &says("Successful upgrade http://files.example.com:80/sip88xx.loads"));
    assert!(wait_for(|| !server.tell(&["device", "list", "--failing"]).contains(PHONE)));
}

#[test]
fn a_line_that_names_nobody_is_shown_as_of_the_only_device_at_its_address_in_both_stores() {
    for url in [SQLITE.to_owned(), crate::postgres::database()] {
        let server = of(&url, "success = [\"Resync done\"]\n");
        let own = format!("/{PHONE}.cfg");
        assert!(wait_for(|| server.phone(&own).status == 200));
        events(&server, |event| is(event, "request", "served"));
        logger(&server, &["-d"], "Resync done");
        let all = events(&server, |event| is(event, "syslog", "success"));
        let done = all.iter().find(|event| is(event, "syslog", "success")).expect("it");
        assert_eq!((&done["name"], &done["certain"]), (&PHONE.into(), &false.into()), "{done}");
        assert!(done["follows"].is_number(), "{done}");
        assert!(server.tell(&["events", "--kind", "syslog"]).contains(&format!("{PHONE}?")));
        assert!(wait_for(|| !standing(&server, PHONE)["confirmed"].is_null()));

        server.tell(&["device", "add", OTHER]);
        assert!(wait_for(|| server.https(OTHER, &format!("/{OTHER}.cfg")).status == 200));
        assert!(wait_for(|| server.tell(&["events"]).contains(&format!("/{OTHER}.cfg"))));
        logger(&server, &["-d"], "there are two now");
        let all = events(&server, |event| event["text"].to_string().contains("there are two now"));
        let line = all.iter().find(|event| event["text"].to_string().contains("two now")).expect("it");
        assert!(line["name"].is_null(), "{line}");
    }
}
