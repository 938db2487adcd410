//! What becomes of phones that were told to come, by their own word: a phone played by curl, a socket for SIP and one for syslog.

use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::push::{answer, change, resync, server};
use crate::reports::{RECIPIENT, send};
use crate::server::{Server, wait_for};
use crate::site::{OTHER, PHONE};

/// A phone that hears SIP at a socket, and says by syslog what it took.
struct Talker {
    server: Server,
    sip: UdpSocket,
}

impl Talker {
    fn new() -> Self {
        Self::at("")
    }

    /// One of a server that is configured with this, too.
    fn at(more: &str) -> Self {
        let sip = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        sip.set_read_timeout(Some(Duration::from_secs(20))).expect("a time");
        let address = format!("phone_address={}", sip.local_addr().expect("bound"));
        Self { server: server(more, &[&address]), sip }
    }

    /// What it says when it has taken a profile.
    fn says(&self, path: &str) {
        self.tells(&format!("Successful resync {}", self.server.url("https", path)));
    }

    /// A line of its own.
    fn tells(&self, text: &str) {
        let line = format!("CP-8841-3PCC {PHONE} -- {text}");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.send_to(line.as_bytes(), ("127.0.0.1", self.server.port("syslog"))).expect("sent");
    }

    fn fetches(&self, path: &str) {
        assert_eq!(self.server.phone(path).status, 200);
    }

    /// Says yes to the NOTIFY that comes.
    fn is_told(&self) {
        let mut buffer = [0; 4096];
        let (length, from) = self.sip.recv_from(&mut buffer).expect("a NOTIFY");
        let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
        self.sip.send_to(answer(&request, "200 OK").as_bytes(), from).expect("sent");
        assert!(wait_for(|| self.server.tell(&["events", "--kind", "push"]).contains("answered")));
    }

    fn status(&self) -> String {
        String::from_utf8_lossy(&self.server.phoneprov(&["device", "status", PHONE]).stdout).into_owned()
    }

    fn is_listed(&self, how: &str) -> bool {
        self.server.tell(&["device", "list", how]).contains(PHONE)
    }

    fn is_behind(&self) -> bool {
        self.server.tell(&["device", "list", "--behind"]).contains(PHONE)
    }
}

#[test]
fn what_was_fetched_before_syslog_was_set_up_keeps_no_push_unconfirmed() {
    let phone = Talker::new();
    let (first, own) = ("/8841-3PCC.xml", format!("/{PHONE}.cfg"));
    // First contact, by a path that it never says a word of; then its own, of which it does.
    phone.server.profile("8841-3PCC.xml", "<flat-profile><GPP_B>first contact</GPP_B></flat-profile>");
    assert!(wait_for(|| phone.server.phone(first).status == 200));
    assert!(wait_for(|| phone.status().contains("/8841-3PCC.xml  current")), "{}", phone.status());
    phone.says(&own);
    assert!(wait_for(|| phone.status().matches("never").count() == 1), "of one path it has: {}", phone.status());
    assert!(!phone.is_behind(), "{}", phone.status());

    change(&phone.server);
    phone.server.profile("8841-3PCC.xml", "<flat-profile><GPP_B>changed, too</GPP_B></flat-profile>");
    assert!(phone.is_behind());
    let (well, said) = thread::scope(|scope| {
        let told = scope.spawn(|| resync(&phone.server, &["--behind", "--wait", "20s"]));
        phone.is_told();
        phone.fetches(&own);
        assert!(wait_for(|| phone.status().contains("unconfirmed")), "{}", phone.status());
        assert!(!told.is_finished(), "it is held to its word");
        phone.says(&own);
        told.join().expect("a thread")
    });
    assert!(well && said.contains("1 confirmed; 0 came"), "{said}\n{}", phone.status());
}

#[test]
fn a_phone_that_runs_a_second_rule_is_held_to_its_word_for_that_too() {
    let phone = Talker::new();
    let (own, second) = (format!("/{PHONE}.cfg"), format!("/lines/{PHONE}.xml"));
    phone.server.profile("lines/$MA.xml", "<flat-profile><GPP_B>1</GPP_B></flat-profile>");
    assert!(wait_for(|| phone.server.phone(&second).status == 200));
    assert!(wait_for(|| phone.status().contains("/lines/")), "{}", phone.status());
    phone.says(&own);
    phone.says(&second);
    assert!(wait_for(|| !phone.status().contains("never")), "{}", phone.status());
    phone.server.profile("lines/$MA.xml", "<flat-profile><GPP_B>2</GPP_B></flat-profile>");
    let (well, said) = thread::scope(|scope| {
        let told = scope.spawn(|| resync(&phone.server, &["--behind", "--wait", "20s"]));
        phone.is_told();
        // Nothing has changed in the first profile, so it is confirmed at once.
        phone.fetches(&own);
        thread::sleep(Duration::from_millis(1200));
        phone.fetches(&second);
        assert!(wait_for(|| phone.status().contains("unconfirmed")), "{}", phone.status());
        assert!(!told.is_finished());
        phone.says(&second);
        told.join().expect("a thread")
    });
    assert!(well && said.contains("1 confirmed; 0 came"), "{said}\n{}", phone.status());
}

#[test]
fn a_phone_that_failed_is_behind_is_told_and_its_next_error_is_shown() {
    let phone = Talker::new();
    let own = format!("/{PHONE}.cfg");
    let stale = || phone.server.tell(&["device", "list", "--stale", "24h"]);
    assert!(!stale().contains(PHONE), "it came a moment ago: {}", stale());
    assert!(!phone.server.tell(&["device", "list"]).contains("never"));
    phone.tells("Resync failed: Download failed");
    assert!(wait_for(|| phone.is_listed("--failing")));
    assert!(phone.is_behind(), "the last that it said of what it would be given");
    change(&phone.server);
    assert!(phone.is_listed("--failing") && phone.is_behind());
    assert!(phone.status().contains("standing    failing, and behind"), "{}", phone.status());
    let listed: Value =
        serde_json::from_str(&phone.server.tell(&["device", "list", "--behind", "--json"])).expect("JSON");
    let listed = &listed["devices"][0];
    assert_eq!((&listed["step"], &listed["behind"]), (&json!("failing"), &json!(true)), "{listed}");

    let (well, said) = thread::scope(|scope| {
        let told = scope.spawn(|| resync(&phone.server, &["--behind", "--wait", "20s"]));
        phone.is_told();
        phone.fetches(&own);
        assert!(wait_for(|| phone.server.tell(&["events", "--kind", "request"]).matches("  served  ").count() == 2));
        thread::sleep(Duration::from_millis(1200));
        assert!(!told.is_finished(), "that it failed before is nothing that it says of this");
        phone.tells("Resync failed: bad xml");
        told.join().expect("a thread")
    });
    assert!(!well && said.contains("  came, says that it failed: bad xml\n"), "{said}");
    assert!(said.contains("0 confirmed; 0 came, did not confirm; 1 came, failed; 0 answered"), "{said}");
    assert!(phone.is_behind(), "it was given it, and has not taken it");
    phone.says(&own);
    assert!(wait_for(|| !phone.is_listed("--failing")) && !phone.is_behind(), "{}", phone.status());
}

#[test]
fn a_phone_that_is_told_to_report_has_done_so_once_its_report_is_kept() {
    let phone = Talker::at(&format!(
        "[uploads]\nrecipients = [\"{RECIPIENT}\"]\nfloor = \"1 MiB\"\n[[rule]]\npath = \"/report/$MA.xml\"\n\
         accept = \"report\"\n[[rule]]\npath = \"/prt\"\naccept = \"prt\"\n"
    ));
    phone.server.tell(&["device", "add", OTHER]);
    let report = |mac: &str| {
        let body = ["--data-binary", "<flat-profile><GPP_A>1</GPP_A></flat-profile>"];
        assert_eq!(send(&phone.server, mac, &format!("/report/{mac}.xml"), &body).status, 200);
    };
    // Before it was told, and another's, are none.
    assert!(wait_for(|| phone.server.tell(&["device", "list"]).contains(OTHER)));
    report(PHONE);
    report(OTHER);
    assert!(wait_for(|| phone.server.tell(&["events", "--kind", "report"]).matches("  kept  ").count() == 2));
    let output = phone.server.phoneprov(&["device", "status", OTHER]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("standing    it has reported, and"), "{output:?}");
    for event in ["report", "prt"] {
        let (well, said) = thread::scope(|scope| {
            let told = scope.spawn(|| resync(&phone.server, &[PHONE, "--event", event, "--wait", "20s"]));
            phone.is_told();
            thread::sleep(Duration::from_millis(800));
            assert!(!told.is_finished(), "nothing has come yet");
            match event {
                "report" => report(PHONE),
                _ => assert_eq!(send(&phone.server, PHONE, "/prt", &["--data-binary", "logs"]).status, 200),
            }
            told.join().expect("a thread")
        });
        assert!(well && said.ends_with("  reported\n1 reported; 0 answered, did not report; 0 failed\n"), "{said}");
    }
    let (well, said) = thread::scope(|scope| {
        let told = scope.spawn(|| resync(&phone.server, &[PHONE, "--event", "report", "--wait", "1s"]));
        phone.is_told();
        told.join().expect("a thread")
    });
    assert!(!well && said.contains("0 reported; 1 answered, did not report"), "{said}");
}
