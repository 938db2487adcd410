//! A storm of syslog lines: what the kernel delivers is kept, whatever else goes on. Figures are `benches/syslog.rs`'s.

use std::fs;
use std::net::UdpSocket;

use crate::outsider::run;
use crate::server::{Server, wait_for};
use crate::site::Site;
use rustix::process::Signal;

/// Lines of the storm: more than are written to the store at once.
const LINES: u64 = 20_000;

fn server() -> Server {
    let site =
        Site::new("[store]\nurl = \"sqlite://state/phoneprov.db\"\n[events]\n[syslog]\naddress = \"127.0.0.1:0\"\n");
    site.start()
}

fn storm(server: &Server) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    for number in 0..LINES {
        let line = format!("<134>CP-8841-3PCC 00:0e:08:ab:cd:ef -- SIP: register ok {number}");
        socket.send_to(line.as_bytes(), ("127.0.0.1", server.port("syslog"))).expect("loopback takes it");
    }
}

/// Datagrams that found the socket's queue full, as the kernel counts them.
fn dropped(server: &Server) -> u64 {
    let table = fs::read_to_string("/proc/net/udp").expect("Linux");
    let local = format!(":{:04X} ", server.port("syslog"));
    let line = table.lines().find(|line| line.contains(&local)).expect("the server's socket");
    line.split_whitespace().last().and_then(|drops| drops.parse().ok()).expect("a number")
}

/// Lines that the store has.
fn kept(site: &Site) -> u64 {
    let database = site.path("state/phoneprov.db").display().to_string();
    let output = run("sqlite3", &["-readonly", &database, "select count(*) from event where kind = 'syslog'"], b"");
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or_default()
}

#[test]
fn every_line_that_the_kernel_delivers_is_kept_while_requests_are_served() {
    let server = server();
    storm(&server);
    assert_eq!(server.http("/basic.txt").status, 200);
    let expected = LINES - dropped(&server);
    assert!(wait_for(|| kept(&server) >= expected), "{} of {expected}", kept(&server));
    assert_eq!(kept(&server), expected);
}

#[test]
fn what_the_kernel_has_when_the_server_stops_is_kept() {
    let mut server = server();
    storm(&server);
    let expected = LINES - dropped(&server);
    server.signal(Signal::TERM);
    assert!(server.ended().is_some_and(|status| status.success()), "{}", server.log());
    // Nothing can be dropped once it is in the queue; what came later than we looked may have been.
    assert!(kept(&server) <= expected && kept(&server) > 0);
    assert!(!server.log().contains("events are lost"), "{}", server.log());
    assert_eq!(kept(&server), expected);
}
