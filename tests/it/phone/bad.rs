//! Servers and files that behave badly: each is a failure with a class and a line, in bounded time and memory.

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::servers::{Outsider, Scripted, ok};
use super::{PROFILE, phone};
use crate::outsider::{openssl, run};

#[test]
fn a_server_that_sends_an_octet_a_second_is_left() {
    let server = Scripted::new(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        while stream.write_all(b"<").is_ok() {
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    let began = Instant::now();
    let ran = phone(&["--profile-rule", &server.url("/x"), "--timeout", "2"]);
    ran.ended(4, &["class C: the server took longer than 2 s to send the file", "FPRV_ERR_SERVER_CONNECTION_FAILED"]);
    assert!(ran.lines("got")[0].ends_with(" octets; Content-Length: 1000"), "{}", ran.said);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn a_server_that_says_nothing_is_left() {
    let silent = Scripted::new(|_| std::thread::sleep(Duration::from_secs(30)));
    let ran = phone(&["--profile-rule", &silent.url("/x"), "--timeout", "1"]);
    ran.ended(4, &["class C: the server took longer than 1 s to answer"]);
    let tls = format!("https://127.0.0.1:{}/x", silent.port);
    phone(&["--profile-rule", &tls, "--timeout", "6"]).ended(4, &["longer than 1 s to agree on TLS"]);
}

#[test]
fn what_is_not_http_is_told() {
    let server = Scripted::saying("220 ftp ready\r\n");
    phone(&["--profile-rule", &server.url("/x")]).ended(4, &["class C: the server broke off or did not speak HTTP"]);
    let server = Scripted::saying("");
    phone(&["--profile-rule", &server.url("/x")]).ended(4, &["class C: the server broke off without an answer"]);
    let port = crate::server::free_port();
    let closed = format!("http://127.0.0.1:{port}/x");
    phone(&["--profile-rule", &closed]).ended(4, &["class C: cannot connect to 127.0.0.1", "connection refused"]);
    let ran = phone(&["--profile-rule", "http://no-such-name.invalid/x"]);
    ran.ended(4, &["class C: cannot find the address of no-such-name.invalid"]);
}

#[test]
fn a_gzip_bomb_stops_at_its_bound() {
    let server = Outsider::nginx("", "");
    let bomb = run("sh", &["-c", "head -c 200000000 /dev/zero | tr '\\0' ' ' | gzip -9 -c"], b"").stdout;
    assert!(bomb.len() < 1_000_000);
    server.put("bomb.xml", &bomb);
    let secret = openssl(&["enc", "-aes-256-cbc", "-md", "md5", "-k", "k"], &bomb);
    server.put("secret.xml", &secret);
    let url = server.url("http", "/bomb.xml");
    phone(&["--profile-rule", &url]).ended(3, &["class B: the unpacked profile is larger than 16777216 octets"]);
    let rule = format!("[--key k] {}", server.url("http", "/secret.xml"));
    phone(&["--profile-rule", &rule]).ended(3, &["class B: the unpacked profile is larger"]);
    // The same as a transfer coding.
    let coded = Scripted::saying(ok("Content-Encoding: gzip\r\n", &bomb));
    phone(&["--profile-rule", &coded.url("/x")]).ended(3, &["class B: the unpacked profile is larger"]);
}

#[test]
fn a_file_without_end_stops_at_its_bound() {
    let server = Scripted::new(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b' '; 4096]).is_ok() {}
    });
    phone(&["--profile-rule", &server.url("/x")]).ended(3, &["class B: the file is larger than 4194304 octets"]);
}

#[test]
fn what_came_of_an_answer_that_ends_too_early_is_told() {
    let server =
        Scripted::saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Type: text/xml\r\n\r\n<flat-profile>");
    let ran = phone(&["--profile-rule", &server.url("/x")]);
    ran.ended(4, &["200 OK, 14 octets; Content-Length: 100; Content-Type: text/xml", "class C: "]);
    // The same over TFTP: one full block, then an error.
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let url = format!("tftp://127.0.0.1:{}/x", socket.local_addr().expect("an address").port());
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    let server = std::thread::spawn(move || {
        let mut datagram = [0; 1500];
        let (_, phone) = socket.recv_from(&mut datagram).expect("a request");
        let block = [&[0, 3, 0, 1][..], &[b'<'; 512]].concat();
        socket.send_to(&block, phone).expect("a block");
        socket.recv_from(&mut datagram).expect("an acknowledgement");
        socket.send_to(b"\0\x05\0\x03disk full\0", phone).expect("an error");
    });
    let ran = phone(&["--profile-rule", &url]);
    server.join().expect("the server's part");
    ran.ended(4, &["got        a part of the file, 512 octets", "TFTP error 3"]);
}

#[test]
fn a_cut_off_or_wrongly_keyed_file_is_class_b() {
    let server = Outsider::nginx("", "");
    let secret = openssl(&["enc", "-aes-256-cbc", "-md", "md5", "-k", "k"], PROFILE.as_bytes());
    server.put("cut.xml", &secret[..secret.len() - 5]);
    server.put("whole.xml", &secret);
    // What `openssl enc` makes today without -md md5.
    server.put("sha.xml", openssl(&["enc", "-aes-256-cbc", "-md", "sha256", "-k", "k"], PROFILE.as_bytes()));
    let packed = run("gzip", &["-c"], PROFILE.as_bytes()).stdout;
    server.put("half.gz", &packed[..packed.len() / 2]);
    server.put("plain.xml", PROFILE);
    let said =
        |options: &str, file: &str| phone(&["--profile-rule", &format!("{options}{}", server.url("http", file))]);
    said("[--key k] ", "/cut.xml").ended(3, &["class B: the file does not decrypt: the file is damaged or cut short"]);
    said("[--key j] ", "/whole.xml").ended(3, &["class B"]);
    said("[--key k] ", "/sha.xml").ended(3, &["class B"]);
    said("[--key k] ", "/plain.xml").ended(3, &["does not begin with `Salted__`"]);
    said("", "/whole.xml").ended(3, &["class B: the profile is corrupt"]);
    said("", "/half.gz").ended(3, &["class B: the file does not unpack"]);
}

#[test]
fn what_is_no_profile_is_class_b_and_changes_nothing() {
    let server = Outsider::nginx("", "");
    let bombs =
        "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><flat-profile><GPP_A>&b;</GPP_A></flat-profile>";
    let deep = format!("<flat-profile>{}</flat-profile>", "<a>".repeat(5000));
    for (name, content) in [
        ("html", "<html><body>hello</body></html>"),
        ("open", "<flat-profile><GPP_A>1</GPP_A>"),
        ("entity", bombs),
        ("deep", &deep),
        ("empty", ""),
        ("text", "hello"),
    ] {
        server.put(&format!("{name}.xml"), content);
        let state = server.path(&format!("{name}.json")).display().to_string();
        let ran = phone(&["--profile-rule", &server.url("http", &format!("/{name}.xml")), "--state", &state]);
        ran.ended(3, &["class B: the profile is corrupt"]);
        let kept = std::fs::read_to_string(&state).expect("a state");
        assert!(!kept.contains("GPP_A"), "{name}: {kept}");
    }
}

#[test]
fn a_rule_that_cannot_be_read_is_told_with_its_place() {
    let server = Outsider::nginx("", "");
    let wrong = "<flat-profile><Profile_Rule_B>($SWVER lt)? http://127.0.0.1/x</Profile_Rule_B></flat-profile>";
    server.put("x.xml", wrong);
    let ran = phone(&["--profile-rule", &server.url("http", "/x.xml")]);
    ran.ended(4, &["Profile_Rule_B, class C: the rule cannot be read", "\n           ", "^"]);
    // One that somebody gives is no phone's failure.
    phone(&["--profile-rule", "($SWVER lt)? http://127.0.0.1/x"]).ended(2, &["Profile_Rule: ", "^"]);
    phone(&["--set", "Upgrade_Rule=/x"]).ended(2, &["Upgrade_Rule: ", "^"]);
    let long = format!("http://127.0.0.1/{}", "x".repeat(20_000));
    assert_eq!(phone(&["--profile-rule", &long]).code, Some(4));
    phone(&["--profile-rule", "gds://1234567890123456"]).ended(4, &["Cisco's onboarding service"]);
}

#[test]
fn no_value_of_a_server_forges_a_line_or_shows_a_secret() {
    let server = Outsider::nginx("", "");
    let rule = "( GPP_SA = &quot;s3cret&quot;; )! http://127.0.0.1:1/?token=s3cret";
    let lie = "x&#10;end        class A, 1 profile&#155;2J";
    server.put(
        "x.xml",
        format!("<flat-profile><GPP_A>{lie}</GPP_A><Profile_Rule_D>{rule}</Profile_Rule_D></flat-profile>"),
    );
    let url = server.url("http", "/x.xml?password=s3cret");
    let ran = phone(&["--profile-rule", &url, "--set", "Log_Request_Msg=$SCHEME://$PATH"]);
    ran.ended(4, &["class A, 1 profile", "GPP_SA = \"••••\"", "password=••••"]);
    assert!(!ran.said.contains("s3cret"), "{}", ran.said);
    assert_eq!(ran.lines("end").len(), 1, "{}", ran.said);
    assert!(!ran.said.contains('\u{9b}'), "{}", ran.said);
    let told = phone(&["--profile-rule", &url, "--reveal"]);
    assert!(told.said.contains("GPP_SA = \"s3cret\"") && told.said.contains("password=s3cret"), "{}", told.said);
}

#[test]
fn an_answer_to_tftp_options_that_nobody_asked_for_is_told() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    let server = std::thread::spawn(move || {
        let mut datagram = [0; 1500];
        let (_, phone) = socket.recv_from(&mut datagram).expect("a request");
        socket.send_to(b"\0\x06blksize\x001468\0", phone).expect("an answer");
        let (length, _) = socket.recv_from(&mut datagram).expect("an error");
        datagram[..length].to_vec()
    });
    let why = "it agreed to `blksize=1468`: blocks of 512 octets were asked for";
    phone(&["--profile-rule", &format!("tftp://127.0.0.1:{port}/x.xml")]).ended(4, &[why]);
    let answer = server.join().expect("a server that ends");
    assert_eq!(answer[..4], [0, 5, 0, 8], "an ERROR with code 8");
}

#[test]
fn what_cannot_begin_exits_with_two() {
    phone(&["--ca", "/no/such/file"]).ended(2, &["cannot read `/no/such/file`"]);
    phone(&["--set", "novalue"]).ended(2, &["is not NAME=VALUE"]);
    phone(&["--speed", "60"]).ended(2, &["--follow"]);
    phone(&["--model", "a b"]).ended(2, &["is not a product name"]);
    phone(&["--server", "gopher://h"]).ended(2, &["`gopher` is no scheme"]);
    let hourly = phone(&["--set", "Resync_Periodic=hourly", "--profile-rule", "http://127.0.0.1:1/x"]);
    hourly.ended(4, &["warning: `Resync_Periodic` is `hourly`: expected seconds"]);
    phone(&["--tls-min", "1.3", "--tls-max", "1.0"]).ended(2, &["--tls-min is newer"]);
    phone(&["--domain", "a b"]).ended(2, &["cannot hold a blank"]);
    phone(&["--state", "/no/such/folder/phone.json", "--profile-rule", "http://127.0.0.1:1/x"])
        .ended(2, &["cannot write the state file"]);
    let folder = tempfile::tempdir().expect("room for a folder");
    let file = folder.path().join("x.pem");
    std::fs::write(&file, "hello").expect("room for a file");
    phone(&["--ca", &file.display().to_string()]).ended(2, &["has no PEM certificate in it"]);
}
