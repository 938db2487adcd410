//! Which TLS is spoken by whom: the support table of seed 003 played in both roles, and the server's own table of phones.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::legacy::{Factory, Made, SPA, old_port, s_client, s_client_as};
use crate::outsider::{curl, openssl, phoneprov, run};
use crate::server::{Server, free_port, wait_for};
use crate::site::{ALL, PHONE, Site, config, lab};

/// The support table of seed 003, release by release: versions as a server, versions as a client.
const RELEASES: [(&str, [&str; 2], [&str; 2]); 7] = [
    ("10.6(1)SU2", ["1.0", "1.2"], ["1.0", "1.0"]),
    ("11.0(1)", ["1.0", "1.2"], ["1.0", "1.0"]),
    ("11.0(1)SU1", ["1.0", "1.2"], ["1.0", "1.0"]),
    ("11.5(1)", ["1.0", "1.2"], ["1.0", "1.0"]),
    ("10.6(1)SU3", ["1.0", "1.2"], ["1.1", "1.2"]),
    ("11.5(1)SU1", ["1.1", "1.2"], ["1.1", "1.2"]),
    ("11.6(1)", ["1.2", "1.2"], ["1.2", "1.2"]),
];

const VERSIONS: [(&str, &str); 4] = [("1.0", "-tls1"), ("1.1", "-tls1_1"), ("1.2", "-tls1_2"), ("1.3", "-tls1_3")];

#[test]
fn every_release_of_the_support_table_can_be_played_as_a_server() {
    let factory = Factory::new();
    for (release, [min, max], _) in RELEASES {
        let server = factory.serve(&format!("tls_min = \"{min}\"\ntls_max = \"{max}\"\n"));
        for (version, option) in VERSIONS {
            let answer = s_client(old_port(&server), "/basic.txt", &[option, "-cipher", "ALL:@SECLEVEL=0"]);
            let expected = if (min..=max).contains(&version) { 200 } else { 0 };
            assert_eq!(answer.status, expected, "{release}, TLS {version}");
        }
    }
}

/// A server of openssl's that speaks one version, ended with the test.
struct OneVersion {
    child: Child,
    port: u16,
}

impl OneVersion {
    fn start(option: &str) -> Self {
        let port = free_port();
        let mut command = Command::new("timeout");
        command.args(["60", "openssl", "s_server", "-quiet", "-accept", &format!("127.0.0.1:{port}"), option]);
        command.args(["-cert", &lab("server.pem"), "-key", &lab("server.key"), "-cipher", "ALL:@SECLEVEL=0"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::null());
        let server = Self { child: command.stderr(Stdio::null()).spawn().expect("openssl"), port };
        assert!(wait_for(|| TcpStream::connect(("127.0.0.1", port)).is_ok()), "s_server does not listen");
        server
    }
}

impl Drop for OneVersion {
    fn drop(&mut self) {
        // `timeout` hands SIGTERM on to openssl.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

#[test]
fn every_release_of_the_support_table_can_be_played_as_a_client() {
    let servers = VERSIONS.map(|(version, option)| (version, OneVersion::start(option)));
    for (release, _, [min, max]) in RELEASES {
        let client = format!("[client_tls]\nmin = \"{min}\"\nmax = \"{max}\"\nca = [\"{}\"]\n", lab("ca.pem"));
        // The server role of the same configuration has versions of its own.
        let site = Site::bare(&config(&ALL, &client));
        let file = site.config().display().to_string();
        for (version, server) in &servers {
            let peer = format!("localhost:{}", server.port);
            let fetch = ["certs", "fetch", &peer, "--config", &file];
            let output = run(env!("CARGO_BIN_EXE_phoneprov"), &fetch, b"");
            let said = String::from_utf8_lossy(&output.stderr);
            if (min..=max).contains(version) {
                assert!(
                    output.status.success() && said.contains(&format!("TLS {version}, ")),
                    "{release}, {version}: {said}"
                );
                assert!(said.contains("an authority of client_tls.ca vouches for it"), "{release}: {said}");
                let shown = openssl(&["x509", "-noout", "-subject"], &output.stdout);
                assert_eq!(String::from_utf8_lossy(&shown).trim(), "subject=CN = localhost");
            } else {
                assert_eq!(output.status.code(), Some(2), "{release}, {version}: {said}");
                assert!(said.contains(&format!("no TLS {min} to {max} with it")), "{release}, {version}: {said}");
            }
        }
    }
}

#[test]
fn a_server_that_nobody_vouches_for_is_shown_all_the_same() {
    let factory = Factory::new();
    let server = Server::start(Site::new(""));
    let fetch = |client: &str, peer: &str| {
        let site = Site::bare(&config(&["http"], client));
        let file = site.config().display().to_string();
        run(env!("CARGO_BIN_EXE_phoneprov"), &["certs", "fetch", peer, "--config", &file], b"")
    };
    let peer = format!("127.0.0.1:{}", server.port("https"));
    let stranger = fetch(&format!("[client_tls]\nca = [\"{}\"]\n", factory.file("ca.pem")), &peer);
    assert_eq!(stranger.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&stranger.stdout).contains("BEGIN CERTIFICATE"));
    assert!(String::from_utf8_lossy(&stranger.stderr).contains("no authority of client_tls.ca vouches for it"));
    let unasked = fetch("", &peer);
    assert!(unasked.status.success() && unasked.stdout == stranger.stdout);
    let in_clear = fetch("", &format!("127.0.0.1:{}", server.port("http")));
    assert_eq!(in_clear.status.code(), Some(2), "HTTP is not TLS");
    let nobody = fetch("", &format!("127.0.0.1:{}", free_port()));
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("refused"), "{nobody:?}");
}

#[test]
fn the_report_says_who_needs_what() {
    let factory = Factory::new();
    let phone = factory.phone("phone", PHONE, Made::V3);
    let server = factory.serve("");
    let config = server.config().display().to_string();
    let mpp = "User-Agent: Cisco-CP-8841-3PCC/12.0.2 (000e08abcdef)";
    let spa = "User-Agent: Cisco/SPA504G-7.4.7 (CBT141900G7)\r\n";
    let options = [&SPA[..], &phone.options()].concat();
    assert_eq!(s_client_as(spa, old_port(&server), "/basic.txt", &options).status, 200);
    let oldest = factory.phone("oldest", PHONE, Made::V1);
    let spa942 = "User-Agent: Linksys/SPA942-6.1.5(a) (88019FA42805)\r\n";
    let oldest = [&SPA[..], &oldest.options()].concat();
    assert_eq!(s_client_as(spa942, old_port(&server), "/basic.txt", &oldest).status, 200);
    let ca = lab("ca.pem");
    let own = [lab(&format!("phone-{PHONE}.pem")), lab(&format!("phone-{PHONE}.key"))];
    let modern = ["--cacert", &ca, "--cert", &own[0], "--key", &own[1], "-H", mpp];
    let modern_address = server.url("https", "/basic.txt");
    for _ in 0..2 {
        assert_eq!(curl(&[&modern[..], &[&modern_address, &modern_address]].concat()).status, 200);
    }

    // A second after the first change it is on the disk, while the server goes on.
    let table = server.path("state/tls.json");
    assert!(wait_for(|| table.exists()), "no table");
    let site = server.stop();
    let report = phoneprov(&["tls", "report", "--config", &config], b"");
    let json = phoneprov(&["tls", "report", "--json", "--config", &config], b"");

    let report = String::from_utf8_lossy(&report);
    let lines: Vec<Vec<&str>> = report.lines().map(|line| line.split_whitespace().collect()).collect();
    let old = ["SPA504G", "7.4.7", "1.0", "TLS_RSA_WITH_AES_128_CBC_SHA", "SHA-1,", "short", "key", "O=Cisco"];
    let oldest = ["SPA942", "6.1.5(a)", "1.0", "TLS_RSA_WITH_AES_128_CBC_SHA", "SHA-1,", "short", "key,", "v1"];
    assert!(lines.iter().any(|line| line.starts_with(&old)), "{report}");
    assert!(lines.iter().any(|line| line.starts_with(&oldest)), "{report}");
    let new_row = ["CP-8841-3PCC", "12.0.2", "1.3", "TLS_AES_256_GCM_SHA384", "SHA-2"];
    let new = lines.iter().find(|line| line.starts_with(&new_row)).expect("a row of the modern listener");
    assert_eq!(new.last(), Some(&"2"), "a connection counts once, whatever is asked on it: {report}");
    assert!(report.contains("\ndropping TLS 1.0 breaks: SPA504G 7.4.7 (last "), "{report}");
    assert!(report.contains("\ndropping RSA keys under 2048 bits breaks: SPA504G 7.4.7 (last "), "{report}");
    let version = report.lines().find(|line| line.starts_with("dropping certificates before X.509 version 3"));
    assert!(version.is_some_and(|line| line.contains("breaks: SPA942 6.1.5(a)") && !line.contains("504")), "{report}");
    assert!(report.contains("\ndropping TLS 1.1 breaks: nobody that was seen\n"), "{report}");
    assert!(report.contains("\ndropping SHA-1 certificates breaks: SPA504G 7.4.7 (last "), "{report}");
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["drops"][0]["breaks"][0]["model"], "SPA504G");

    let again = site.start();
    assert_eq!(curl(&[&modern[..], &[&again.url("https", "/basic.txt")]].concat()).status, 200);
    let _site = again.stop();
    let report = phoneprov(&["tls", "report", "--config", &config], b"");
    assert!(String::from_utf8_lossy(&report).contains("SPA504G"), "what was seen before the restart is still there");
}

#[test]
fn a_table_that_cannot_be_read_is_set_aside() {
    let site = Site::new("");
    site.configure(&format!("state = \"state\"\n{}", config(&ALL, "")));
    std::fs::create_dir(site.path("state")).expect("room for a folder");
    std::fs::write(site.path("state/tls.json"), "{").expect("room for a file");
    let server = site.start();
    server.log_line(&["tls.json: not a table", "the table begins anew"]);
    assert!(server.path("state/tls.json.unreadable").exists());
}

#[test]
fn phones_are_served_where_no_table_can_be_kept() {
    let site = Site::new("");
    std::fs::write(site.path("state"), "").expect("room for a file");
    site.configure(&format!("state = \"state\"\n{}", config(&ALL, "")));
    let server = site.start();
    server.log_line(&["the table of TLS is not kept"]);
    assert_eq!(server.phone(&format!("/{PHONE}.cfg")).status, 200);
}
