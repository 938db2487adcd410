//! TFTP beyond the exercises: what is refused, how large files and odd clients fare.

use std::net::UdpSocket;
use std::time::Duration;

use crate::outsider::{atftp, curl_output, curl_tftp, run, tftp};
use crate::server::{SOON, Server};
use crate::site::{PHONE, Site, config};

#[test]
fn an_upload_is_refused_with_error_2() {
    let site = Site::new("");
    let upload = site.path("upload.txt");
    std::fs::write(&upload, "x").expect("room for a file");
    let server = site.start();
    let (upload, port) = (upload.display().to_string(), server.port("tftp").to_string());

    let curl = curl_output(&["-T", &upload, &server.url("tftp", "/upload.txt")]);
    let hpa = run("tftp", &["127.0.0.1", &port, "-c", "put", &upload, "upload.txt"], b"");

    assert_eq!(curl.status.code(), Some(69), "curl calls it a permission problem: {curl:?}");
    let said = String::from_utf8_lossy(&[hpa.stdout, hpa.stderr].concat()).into_owned();
    assert!(said.contains("Error code 2: this server takes no uploads"), "{said}");
    assert!(!server.path("profiles/upload.txt").exists());
}

#[test]
fn a_refused_upload_has_its_line_in_the_log() {
    let site = Site::new("");
    let upload = site.path("upload.txt");
    std::fs::write(&upload, "x").expect("room for a file");
    let server = site.start();

    curl_output(&["-T", &upload.display().to_string(), &server.url("tftp", "/upload.txt")]);

    server.log_line(&["transport=\"tftp\"", "upload.txt", "outcome=\"refused\""]);
}

#[test]
fn a_missing_file_is_error_1_and_so_is_every_refusal() {
    let server = Site::new("").start();
    let port = server.port("tftp");
    let device = format!("{PHONE}.cfg");

    for name in ["missing.txt", &device, "_base.xml", "../config.toml", "a//b", "secure", "$MA.cfg", "..\\config.toml"]
    {
        let refused = tftp(port, "octet", name).expect_err(name);
        assert!(refused.contains("Error code 1: file not found"), "{name}: {refused}");
    }
    assert_eq!(curl_tftp(&server.url("tftp", "/missing.txt")), Err(68), "curl calls it file not found");
    server.log_line(&["path=\"missing.txt\"", "outcome=\"unknown\"", "no such file"]);
    server.log_line(&[&device, "outcome=\"refused\"", "only where a rule's listeners name it"]);
    server.log_line(&["_base.xml", "names that begin with"]);
    server.log_line(&["../config.toml", "dot segment"]);
}

#[test]
fn a_rule_that_names_tftp_but_keeps_the_proof_still_refuses() {
    let server = Site::new("[[rule]]\npath = \"/$MA.cfg\"\nlisteners = [\"tftp\", \"https\"]\n").start();

    let refused = tftp(server.port("tftp"), "octet", &format!("{PHONE}.cfg"));

    assert!(refused.expect_err("no proof").contains("Error code 1"));
    server.log_line(&["outcome=\"refused\"", "a certificate is needed, which tftp does not carry"]);
    assert_eq!(server.phone(&format!("/{PHONE}.cfg")).status, 200);
}

#[test]
fn every_client_gets_large_files_with_its_own_options() {
    let site = Site::new("");
    let content: Vec<u8> = (0..750_000_u32).flat_map(u32::to_be_bytes).collect();
    site.profile("image/sip.loads", &content);
    let server = site.start();
    let port = server.port("tftp");
    let is_whole = |got: Result<Vec<u8>, String>| assert!(got.expect("the file") == content);

    is_whole(atftp(port, &["blksize 1428"], "image/sip.loads"));
    is_whole(atftp(port, &["blksize 1428", "windowsize 16", "tsize 0"], "image/sip.loads"));
    is_whole(tftp(port, "octet", "image/sip.loads"));
    let curl = curl_output(&["--tftp-blksize", "1468", &server.url("tftp", "/image/sip.loads")]);
    assert!(curl.stdout == content, "{}", String::from_utf8_lossy(&curl.stderr));
}

#[test]
fn block_numbers_roll_over() {
    let site = Site::new("");
    let content: Vec<u8> = (0..140_000_u32).flat_map(u32::to_be_bytes).collect();
    site.profile("long.bin", &content);
    let server = site.start();

    let got = atftp(server.port("tftp"), &["blksize 8", "windowsize 32"], "long.bin");

    assert!(got.expect("70 000 blocks") == content);
}

#[test]
fn netascii_is_translated_on_the_wire_and_back_by_the_client() {
    let site = Site::new("");
    site.profile("lines.txt", "one\ntwo\r\n\n");
    let server = site.start();

    let got = tftp(server.port("tftp"), "netascii", "lines.txt");
    let mut client = Client::new(&server);
    client.ask(b"lines.txt\0netascii\0");
    let (wire, _) = client.hear();

    assert_eq!(got.as_deref(), Ok(&b"one\ntwo\r\n\n"[..]));
    assert_eq!(wire, b"\0\x03\0\x01one\r\ntwo\r\0\r\n\r\n");
}

#[test]
fn single_port_answers_from_the_listening_port_and_the_other_kind_does_not() {
    let single = config(&["tftp"], "").replace("protocol = \"tftp\"", "protocol = \"tftp\"\nsingle_port = true");
    for (text, same) in [(single, true), (config(&["tftp"], ""), false)] {
        let site = Site::bare(&text);
        let content = vec![7; 100_000];
        site.profile("a.bin", &content);
        let server = site.start();
        let port = server.port("tftp");

        let mut client = Client::new(&server);
        client.ask(b"a.bin\0octet\0");
        let (_, from) = client.hear();

        assert_eq!(from == port, same, "single_port = {same}");
        assert!(tftp(port, "octet", "a.bin").as_ref() == Ok(&content));
        assert!(atftp(port, &["blksize 1428", "windowsize 8"], "a.bin").as_ref() == Ok(&content));
        assert!(curl_tftp(&server.url("tftp", "/a.bin")).as_ref() == Ok(&content));
    }
}

#[test]
fn a_client_that_is_gone_is_told_in_the_log() {
    let site = Site::new("");
    site.profile("a.bin", vec![7; 100_000]);
    let server = site.start();

    let mut client = Client::new(&server);
    client.ask(b"a.bin\0octet\0");
    client.hear();
    drop(client);

    server.log_line(&["path=\"a.bin\"", "outcome=\"broken\"", "the client stopped answering"]);
    assert!(curl_tftp(&server.url("tftp", "/a.bin")).is_ok(), "others are served");
}

#[test]
fn a_client_that_falls_silent_is_given_up_after_the_limit() {
    let site = Site::new("[limits]\ntransfer = \"2s\"\n");
    site.profile("a.bin", vec![7; 100_000]);
    let server = site.start();

    let mut client = Client::new(&server);
    client.ask(b"a.bin\0octet\0");
    client.hear();

    server.log_line(&["path=\"a.bin\"", "outcome=\"broken\"", "longer than limits.transfer"]);
    assert!(curl_tftp(&server.url("tftp", "/a.bin")).is_ok(), "others are served");
}

#[test]
fn more_transfers_than_allowed_are_told_to_come_again() {
    let site = Site::new("[limits]\ntransfers = 1\n");
    site.profile("a.bin", vec![7; 100_000]);
    let server = site.start();
    let mut first = Client::new(&server);
    first.ask(b"a.bin\0octet\0");
    first.hear();

    let mut second = Client::new(&server);
    second.ask(b"a.bin\0octet\0");

    assert_eq!(second.hear().0, b"\0\x05\0\0busy, try again\0");
    server.log_line(&["phoneprov::request", "path=\"a.bin\" outcome=\"refused\"", "limits.transfers are under way"]);
    let metrics = crate::outsider::curl(&[&server.admin("/metrics")]).text();
    assert!(metrics.contains("requests_total{transport=\"tftp\",outcome=\"refused\"} 1"), "{metrics}");
}

#[test]
fn what_is_no_request_is_answered_with_an_error_or_not_at_all() {
    let server = Site::new("").start();

    for (packet, expected) in [
        (&b"\0\x01basic.txt\0mail\0"[..], &b"\0\x05\0\x04"[..]),
        (b"\0\x01basic.txt", b"\0\x05\0\x04"),
        (b"\0\x04\0\x01", b"\0\x05\0\x05"),
        (b"\0\x09", b"\0\x05\0\x04"),
    ] {
        let client = Client::new(&server);
        client.socket.send_to(packet, ("127.0.0.1", server.port("tftp"))).expect("a socket");
        let mut client = client;
        assert!(client.hear().0.starts_with(expected), "{packet:?}");
    }
    server.log_line(&["path=\"basic.txt\"", "outcome=\"refused\"", "its mode is neither octet nor netascii"]);
    assert!(curl_tftp(&server.url("tftp", "/basic.txt")).is_ok());
}

/// A client by hand, for what no program does.
struct Client {
    socket: UdpSocket,
    port: u16,
}

impl Client {
    fn new(server: &Server) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_read_timeout(Some(SOON.min(Duration::from_secs(5)))).expect("a time above zero");
        Self { socket, port: server.port("tftp") }
    }

    fn ask(&mut self, request: &[u8]) {
        let packet = [b"\0\x01", request].concat();
        self.socket.send_to(&packet, ("127.0.0.1", self.port)).expect("a socket");
    }

    /// A packet, and the port that it came from.
    fn hear(&mut self) -> (Vec<u8>, u16) {
        let mut room = [0; 2048];
        let (length, from) = self.socket.recv_from(&mut room).expect("an answer");
        (room[..length].to_vec(), from.port())
    }
}
