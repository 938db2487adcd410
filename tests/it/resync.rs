//! Who is told by `phoneprov resync`, and what counts as having come.

use std::fs;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::push::{answer, change, resync, server};
use crate::server::{Server, wait_for};
use crate::site::{ALL, OTHER, PHONE, Site, config};

#[test]
fn names_a_group_and_behind_narrow_each_other() {
    let server = server("[push]\nsip_port = 9\n", &["sip_user=1"]);
    server.tell(&["device", "add", OTHER]);
    server.tell(&["group", "add", "desk"]);
    change(&server);
    assert!(wait_for(|| server.tell(&["device", "list", "--behind"]).contains(PHONE)));
    let told = |more: &[&str]| resync(&server, &[more, &["--patience", "300ms", "--wait", "0s"]].concat()).1;
    for nobody in [&[OTHER, "--behind"][..], &[PHONE, "--group", "desk"], &["--group", "desk", "--behind"]] {
        let said = told(nobody);
        assert!(!said.contains(PHONE) && !said.contains(OTHER), "{nobody:?}: {said}");
    }
    for one in [&[PHONE, OTHER, "--behind"][..], &["--behind"]] {
        let said = told(one);
        assert!(said.contains(PHONE) && !said.contains(OTHER), "{one:?}: {said}");
    }
    let none = server.phoneprov(&["resync", PHONE, "--group", "nowhere"]);
    assert!(String::from_utf8_lossy(&none.stderr).contains("nowhere"), "{none:?}");

    let spellings = [PHONE, "00:0E:08:AB:CD:EF", "000E08ABCDEF"];
    let said = told(&spellings);
    assert_eq!(said.matches(PHONE).count(), 1, "{said}");
    assert!(said.contains("1 failed"), "{said}");
}

#[test]
fn a_device_that_is_named_and_not_meant_is_not_told_and_why_is_said() {
    let server = server("[push]\nsip_port = 9\n", &["sip_user=1"]);
    server.tell(&["group", "add", "desk"]);
    server.tell(&["device", "add", OTHER, "--group", "desk"]);
    let told = |more: &[&str]| {
        let output = server.phoneprov(&[&["resync", "--patience", "300ms", "--wait", "0s", "--force"], more].concat());
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (text(output.stdout), text(output.stderr))
    };
    let (said, why) = told(&[PHONE, OTHER, "--group", "desk"]);
    assert!(!said.contains(PHONE) && said.contains(OTHER), "{said}");
    assert_eq!(why, format!("phoneprov: {PHONE} is not told: it is not in the group desk\n"));
    let (said, why) = told(&[OTHER, "--behind"]);
    assert!(!said.contains(OTHER) && why.contains(&format!("{OTHER} is not told: it is not behind")), "{said}{why}");
    server.tell(&["device", "disable", OTHER]);
    for more in [&[OTHER, "--group", "desk"][..], &[OTHER]] {
        let (said, why) = told(more);
        assert!(!said.contains(OTHER), "{more:?}: {said}");
        assert_eq!(why, format!("phoneprov: {OTHER} is not told: it is disabled\n"), "{more:?}");
    }
    let (said, why) = told(&["--group", "desk"]);
    assert!(!said.contains(OTHER) && why.is_empty(), "it was not named: {said}{why}");
}

/// What `resync` says of a phone that takes the push, and then does this.
fn told_that_it(comes: impl FnOnce(&Server) + Send, prepare: impl FnOnce(&Server)) -> (bool, String) {
    let phone = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    phone.set_read_timeout(Some(Duration::from_millis(100))).expect("a time");
    let address = format!("phone_address={}", phone.local_addr().expect("bound"));
    let server = server("", &[&address]);
    prepare(&server);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut buffer = [0; 4096];
            while !done.load(Ordering::Relaxed) {
                let Ok((length, from)) = phone.recv_from(&mut buffer) else { continue };
                let yes = answer(&String::from_utf8_lossy(&buffer[..length]), "200 OK");
                let _ = phone.send_to(yes.as_bytes(), from);
                return comes(&server);
            }
        });
        let told = resync(&server, &[PHONE, "--force", "--wait", "20s"]);
        done.store(true, Ordering::Relaxed);
        told
    })
}

#[test]
fn a_phone_that_comes_for_a_profile_that_is_gone_came_and_was_refused() {
    let own = format!("/{PHONE}.cfg");
    let (well, said) = told_that_it(
        |server| assert_eq!(server.phone(&own).status, 404),
        |server| {
            fs::remove_file(server.path("profiles").join("$MA.cfg")).expect("it was there");
            assert!(wait_for(|| server.http("/nothing").status == 404));
        },
    );
    assert!(!well && said.contains("came, was refused: ") && said.contains("1 came, failed"), "{said}");
}

#[test]
fn a_phone_that_asks_for_what_it_never_had_came_all_the_same() {
    let (well, said) = told_that_it(|server| assert_eq!(server.phone("/new.cfg").status, 404), |_| {});
    assert!(!well && said.contains("came, was refused: /new.cfg: "), "{said}");
}

#[test]
fn nobody_tells_all_phones_by_leaving_something_out() {
    let site = Site::new("");
    site.configure(&config(&ALL, "[store]\n[events]\n"));
    let output = site.phoneprov(&["resync"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(["NAMES", "--group", "--behind"].iter().all(|way| said.contains(way)), "{said}");
}
