//! SIGHUP: a good change takes effect, a bad one changes nothing and is told.

use std::io::{Read, Write};
use std::process::Command;

use crate::outsider::{connect, curl, curl_tftp, decrypt, openssl, run};
use crate::server::{Server, free_port, serve};
use crate::site::{ALL, PHONE, Site, config};

const GOOD: &str = "INFO phoneprov::server: reloaded";
const BAD: &str = "reload refused, the configuration in force stays";

#[test]
fn a_new_rule_and_a_new_variable_take_effect() {
    let server = Site::new("").start();
    assert!(server.http("/8851-3PCC.xml").text().contains("pool.ntp.org"));

    let rule = "[[rule]]\npath = \"/basic.txt\"\nencrypt = \"aes-256-cbc\"\nkey = \"NewKey\"\n";
    server.reload(&config(&ALL, rule).replace("pool.ntp.org", "time.example.net"), GOOD);

    assert!(decrypt("NewKey", &server.http("/basic.txt").body).starts_with(b"<flat-profile>"));
    assert!(server.http("/8851-3PCC.xml").text().contains("time.example.net"));
}

/// What a certificate proved under the old configuration is not asked of the new one: the phone connects again.
#[test]
fn an_open_connection_ends_with_the_configuration_that_judged_it() {
    let server = Site::new("").start();
    let mut stream = connect(server.port("http"));
    stream.write_all(b"GET /basic.txt HTTP/1.1\r\nHost: a\r\n\r\n").expect("an open connection");
    assert!(stream.read(&mut [0; 4096]).expect("an answer") > 0);

    server.reload(&config(&ALL, "[[rule]]\npath = \"/basic.txt\"\nlisteners = [\"tftp\"]\n"), GOOD);

    assert_eq!(stream.read(&mut [0; 4096]).expect("an end"), 0);
    assert_eq!(server.http("/basic.txt").status, 404);
}

#[test]
fn a_listener_is_opened_and_another_closed() {
    let server = Site::new("").start();
    let (old, new) = (server.url("tftp", "/basic.txt"), free_port());

    let listener = format!("[[listen]]\naddress = \"127.0.0.1:{new}\"\nprotocol = \"http\"\n");
    server.reload(&config(&["http", "https"], &listener), GOOD);

    assert_eq!(curl(&[&format!("http://127.0.0.1:{new}/basic.txt")]).status, 200);
    assert_eq!(server.http("/basic.txt").status, 200);
    assert_eq!(server.phone("/basic.txt").status, 200);
    assert!(run("timeout", &["3", "curl", "-s", &old], b"").stdout.is_empty(), "tftp is still served");
}

#[test]
fn each_fault_of_a_refused_configuration_is_a_line_in_their_order() {
    let server = Site::new("").start();
    let rules =
        "[[rule]]\npath = \"/a\"\nmethods = []\n[limits]\nidle = \"0s\"\n[[rule]]\npath = \"/b\"\nkey = \"k\"\n";
    let text = config(&ALL, rules);
    let line = |part: &str| 1 + text.lines().position(|line| line.contains(part)).expect("a line");

    server.reload(&text, "rule.key without rule.encrypt");

    let log = server.log();
    let told: Vec<&str> = log.lines().filter(|line| line.contains(BAD)).collect();
    let expected = [line("[[rule]]"), line("idle"), line("idle") + 1];
    assert_eq!(told.len(), expected.len(), "{log}");
    for (told, line) in told.iter().zip(expected) {
        assert!(told.contains(&format!("config.toml:{line}: ")), "{line}: {told}");
    }
    assert!(
        log.lines().all(|line| !line.contains("rule.") || line.contains("ERROR")),
        "no line without its level: {log}"
    );
}

/// The serial number of the certificate that the server shows.
fn serial(server: &Server) -> String {
    let address = format!("127.0.0.1:{}", server.port("https"));
    let shown = run("openssl", &["s_client", "-connect", &address], b"").stdout;
    String::from_utf8_lossy(&openssl(&["x509", "-noout", "-serial"], &shown)).into_owned()
}

#[test]
fn a_renewed_server_certificate_takes_effect() {
    let site = Site::new("");
    let folder = site.path("lab").display().to_string();
    let make = |more: &[&str]| {
        let output = run(env!("CARGO_BIN_EXE_phoneprov"), &[&["certs", "lab", "--dir", &folder], more].concat(), b"");
        assert!(output.status.success(), "{output:?}");
    };
    make(&[]);
    let tls = "certificate = \"lab/server.pem\"\nkey = \"lab/server.key\"\n";
    let text = config(&["http"], &format!("[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"https\"\n{tls}"));
    site.configure(&text);
    let server = site.start();
    let before = serial(&server);

    make(&["--renew"]);
    assert_eq!(serial(&server), before, "not before it is told");
    server.reload(&text, GOOD);

    assert_ne!(serial(&server), before);
}

#[test]
fn a_bad_change_keeps_the_old_configuration_and_says_why() {
    let server = Site::new("").start();
    let good = config(&ALL, "");
    let taken = server.port("http");
    let bad = [
        (good.replace("[[listen]]", "[[listen"), "config.toml:6"),
        (good.replace("protocol = \"http\"", "protocl = \"http\""), "unknown key `protocl`"),
        (good.replace("profiles = \"profiles\"", "profiles = \"missing\""), "make the folder"),
        (good.replace("server.pem", "missing.pem"), "missing.pem"),
        (good.replace("server.key", "phone-000e08abcdef.key"), "phone-000e08abcdef.key"),
        (
            format!("{good}[[listen]]\naddress = \"127.0.0.1:{taken}\"\nprotocol = \"http\"\n"),
            "another program listens",
        ),
        (format!("{good}[[rule]]\npath = \"basic.txt\"\n"), "expected it to begin with `/`"),
    ];

    for (text, reason) in bad {
        let before = server.log().len();
        // What a half-applied change would show.
        server.reload(&text.replace("pool.ntp.org", "half.example.net"), BAD);
        let log = server.log().split_off(before);
        assert!(log.lines().any(|line| line.contains(BAD) && line.contains(reason)), "{reason}\n{log}");
        assert!(server.http("/8851-3PCC.xml").text().contains("pool.ntp.org"), "{reason}");
        assert_eq!(server.phone(&format!("/{PHONE}.cfg")).status, 200, "{reason}");
        assert!(curl_tftp(&server.url("tftp", "/basic.txt")).is_ok(), "{reason}");
    }
    server.reload(&good.replace("pool.ntp.org", "good.example.net"), GOOD);
    assert!(server.http("/8851-3PCC.xml").text().contains("good.example.net"));
    let metrics = curl(&[&server.admin("/metrics")]).text();
    assert!(metrics.contains("phoneprov_reloads_total 1"), "{metrics}");
    assert!(metrics.contains("phoneprov_failed_reloads_total 7"), "{metrics}");
}

#[test]
fn a_new_connection_limit_takes_effect() {
    let server = Site::new("[limits]\nconnections = 4\n").start();

    server.reload(&config(&ALL, "[limits]\nconnections = 100\n"), GOOD);
    // What the accept loops have asked for already still counts by the old limit.
    let idle: Vec<_> = (0..10).map(|_| connect(server.port("http"))).collect();
    let answer = curl(&["--max-time", "3", &server.url("http", "/basic.txt")]);

    assert_eq!(answer.status, 200);
    drop(idle);
}

#[test]
fn a_new_transfer_limit_takes_effect() {
    let server = Site::new("").start();
    server.profile("a.bin", vec![7; 100_000]);

    server.reload(&config(&ALL, "[limits]\ntransfer = \"1s\"\n"), GOOD);
    let client = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    client.send_to(b"\0\x01a.bin\0octet\0", ("127.0.0.1", server.port("tftp"))).expect("a socket");

    server.log_line(&["path=\"a.bin\"", "longer than limits.transfer"]);
}

#[test]
fn a_level_from_the_command_line_is_no_change_of_the_log() {
    let site = Site::new("");
    let text = config(&ALL, "");
    let mut command: Command = serve(&site);
    command.args(["--log", "debug"]);
    let server = Server::run(site, command);

    server.reload(&text, GOOD);

    assert!(!server.log().contains("count from the next start"), "{}", server.log());
}

#[test]
fn a_change_that_waits_for_the_next_start_is_told() {
    let server = Site::new("").start();

    server.reload(&config(&ALL, "[log]\nformat = \"json\"\n"), GOOD);

    let told = server.log_line(&["WARN", "count from the next start"]);
    assert!(told.ends_with("count from the next start: log.format"), "{told}");

    // It is held against the start, not against the reload before.
    let json = config(&ALL, "[log]\nformat = \"json\"\n");
    server.reload(&format!("state = \"state\"\n{json}"), GOOD);
    server.log_line(&["WARN", "count from the next start: log.format, state"]);
    let before = server.log().len();
    server.reload(&config(&ALL, ""), GOOD);
    assert!(!server.log()[before..].contains("count from the next start"), "{}", server.log());
}

#[test]
fn a_new_format_and_a_new_level_of_the_log_wait_for_the_next_start_in_every_line() {
    let server = Site::new("").start();

    server.reload(&config(&ALL, "[log]\nformat = \"json\"\nlevel = \"off\"\n"), GOOD);
    server.http("/basic.txt");

    server.log_line(&[" INFO phoneprov::request: ", "path=\"/basic.txt\"", "outcome=\"served\""]);
    server.log_line(&["WARN", "count from the next start: log.level, log.format"]);
    assert!(!server.log().contains('{'), "{}", server.log());
    let server = server.stop().start();
    server.http("/basic.txt");
    assert_eq!(server.log(), "");
}

#[test]
fn request_lines_begin_and_end_with_a_reload() {
    let server = Site::new("").start();

    server.reload(&config(&ALL, "[log]\nrequests = false\n"), GOOD);
    server.http("/basic.txt");
    server.reload(&config(&ALL, ""), GOOD);
    server.http("/missing.txt");

    server.log_line(&["path=\"/missing.txt\""]);
    assert!(!server.log().contains("/basic.txt"), "{}", server.log());
}
