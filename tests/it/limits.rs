//! What a client may take: time, size and number, each with a limit that leaves the others unharmed.

use std::io::{Read, Write};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::outsider::{connect, curl, raw, run, time_to_close};
use crate::server::{Server, serve};
use crate::site::{Site, config, lab};

/// Sends a byte every tenth of a second until the server closes; how long that took.
fn drip(port: u16, bytes: &[u8]) -> Duration {
    let mut stream = connect(port);
    stream.set_read_timeout(Some(Duration::from_millis(100))).expect("a time above zero");
    let began = Instant::now();
    for byte in bytes.iter().cycle().take(100) {
        let closed = match stream.read(&mut [0; 1024]) {
            Ok(0) => true,
            Ok(_) => false,
            Err(error) => !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
        };
        if closed || stream.write_all(&[*byte]).is_err() {
            break;
        }
    }
    began.elapsed()
}

fn is_about_a_second(time: Duration) -> bool {
    (Duration::from_millis(900)..Duration::from_secs(4)).contains(&time)
}

#[test]
fn a_client_that_sends_its_headers_byte_by_byte_is_cut_off() {
    let server = Site::new("[limits]\nheader = \"1s\"\n").start();

    let took =
        drip(server.port("http"), b"GET /basic.txt HTTP/1.1\r\nHost: a\r\nX-Padding: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");

    assert!(is_about_a_second(took), "{took:?}");
    assert_eq!(server.http("/basic.txt").status, 200);
    server.log_line(&["INFO", "connection cut off", "a request's headers took longer than limits.header"]);
}

#[test]
fn a_handshake_that_does_not_end_is_cut_off() {
    let server = Site::new("[limits]\nhandshake = \"1s\"\n").start();
    let port = server.port("https");

    let silent = time_to_close(&mut connect(port));
    let slow = drip(port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");

    assert!(is_about_a_second(silent) && is_about_a_second(slow), "{silent:?} {slow:?}");
    server.log_line(&["handshake failed", "timed out"]);
    let answer = curl(&["--cacert", &lab("ca.pem"), &server.url("https", "/basic.txt")]);
    assert_eq!(answer.status, 200);
}

#[test]
fn an_idle_connection_is_closed_before_and_after_a_request() {
    let server = Site::new("[limits]\nidle = \"1s\"\n").start();
    let port = server.port("http");

    let before = time_to_close(&mut connect(port));
    let mut used = connect(port);
    used.write_all(b"GET /basic.txt HTTP/1.1\r\nHost: a\r\n\r\n").expect("an open connection");
    let after = time_to_close(&mut used);

    assert!(is_about_a_second(before) && is_about_a_second(after), "{before:?} {after:?}");
    assert!(!server.log().contains("cut off"), "{}", server.log());
}

#[test]
fn a_header_of_a_megabyte_is_refused_while_others_are_served() {
    let server = Site::new("").start();
    let padding = "x".repeat(1024 * 1024);
    let large = format!("GET /basic.txt HTTP/1.1\r\nHost: a\r\nX-Padding: {padding}\r\n\r\n");

    let (header, path) = std::thread::scope(|scope| {
        let header = scope.spawn(|| raw(server.port("http"), large.as_bytes()));
        let path = scope.spawn(|| raw(server.port("http"), format!("GET /{padding} HTTP/1.1\r\n\r\n").as_bytes()));
        for _ in 0..10 {
            assert_eq!(server.http("/basic.txt").status, 200);
        }
        (header.join().expect("an answer"), path.join().expect("an answer"))
    });

    // The answer may be lost in the reset that follows it.
    assert!([0, 431].contains(&header.status), "{header:?}");
    assert!([0, 414, 431].contains(&path.status), "{path:?}");
    server.log_line(&[
        "request not understood",
        "above limits.header_size (16 KiB), more than 100 headers, or a URL of more than 65534 bytes",
    ]);
}

#[test]
fn a_hundred_headers_are_read_and_more_are_refused() {
    let server = Site::new("").start();
    let ask = |count: usize| {
        let headers = "X: y\r\n".repeat(count);
        raw(server.port("http"), format!("GET /basic.txt HTTP/1.1\r\nConnection: close\r\n{headers}\r\n").as_bytes())
    };

    assert_eq!((ask(99).status, ask(100).status), (200, 431));
    server.log_line(&["request not understood", "more than 100 headers"]);
}

#[test]
fn what_is_no_request_has_a_line() {
    let server = Site::new("").start();

    assert_eq!(raw(server.port("http"), b"GET / HTTP/9.9\r\n\r\n").status, 400);

    server.log_line(&["INFO", "request not understood", "peer=127.0.0.1:"]);
}

#[test]
fn a_header_or_a_path_within_the_limit_is_read() {
    let server = Site::new("[limits]\nheader_size = \"32 KiB\"\nurl_size = \"1 KiB\"\n").start();
    let url = server.url("http", "/basic.txt");

    let large = curl(&["-H", &format!("X-Padding: {}", "x".repeat(20_000)), &url]);
    let within = curl(&[&format!("{url}?{}", "x".repeat(1000))]);
    let beyond = curl(&[&format!("{url}?{}", "x".repeat(1100))]);

    assert_eq!((large.status, within.status, beyond.status), (200, 200, 404));
    server.log_line(&["path=\"/basic.txt\"", "the path is longer than"]);
}

#[test]
fn a_new_client_is_served_although_idle_ones_hold_every_connection() {
    let server = Site::new("[limits]\nconnections = 20\nidle = \"1s\"\n").start();

    let idle: Vec<_> = (0..50).map(|_| connect(server.port("http"))).collect();
    let answer = server.http("/basic.txt");

    assert_eq!(answer.status, 200);
    drop(idle);
}

#[test]
fn fewer_connections_than_listeners_leave_no_listener_deaf() {
    let server = Site::new("[limits]\nconnections = 1\nidle = \"1s\"\n").start();

    for protocol in ["http", "http", "https", "https", "http"] {
        let url = server.url(protocol, "/basic.txt");
        let answer = curl(&["--max-time", "5", "--cacert", &lab("ca.pem"), &url]);
        assert_eq!(answer.status, 200, "{protocol}");
    }
}

#[test]
fn one_address_has_not_all_connections() {
    let server = Site::new("[limits]\nconnections = 20\nconnections_per_address = 10\n").start();
    let greedy = std::net::Ipv4Addr::new(127, 0, 0, 9);
    let port = server.port("http");
    let open: Vec<_> = (0..30)
        .map(|_| {
            let mut stream = crate::throttle::connect_from(greedy, port);
            // The kernel tells of a connection when its first bytes are there.
            stream.write_all(b"GET").expect("an open connection");
            stream
        })
        .collect();

    let metrics = || curl(&[&server.admin("/metrics")]).text();
    assert!(crate::server::wait_for(|| metrics().contains("phoneprov_refused_connections_total 20")), "{}", metrics());
    assert!(metrics().contains("phoneprov_connections 10\n"));
    assert_eq!(server.http("/basic.txt").status, 200, "from another address");
    drop(open);
    assert!(crate::server::wait_for(|| metrics().contains("phoneprov_connections 0\n")));
    let mut again = crate::throttle::connect_from(greedy, port);
    assert!(crate::throttle::ask(&mut again, "/basic.txt").is_some());
}

#[test]
fn ten_thousand_idle_connections_leave_the_server_at_work() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("up to the maximum is allowed");
    let count = if limit.maximum.is_none_or(|maximum| maximum >= 12_000) { 10_000 } else { 2_000 };
    let server = Site::new("").start();

    let idle: Vec<_> = (0..count).map(|_| connect(server.port("http"))).collect();
    let metrics = || curl(&[&server.admin("/metrics")]).text();
    let all_in = crate::server::wait_for(|| metrics().contains(&format!("phoneprov_connections {count}")));

    assert!(all_in, "{}", metrics());
    assert_eq!(server.http("/basic.txt").status, 200);
    assert_eq!(server.phone("/basic.txt").status, 200);
    drop(idle);
}

#[test]
fn a_client_that_reads_slowly_but_steadily_gets_all_of_it() {
    let limits = "[[rule]]\npath = \"/large.bin\"\ngzip = true\n[limits]\nrequest = \"2s\"\nidle = \"2s\"\n";
    let site = Site::bare(&config(&["http"], limits));
    let mut state = 1_u64;
    // Numbers that do not compress (Marsaglia's xorshift).
    let content = (0..1_000_000).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()
    });
    site.profile("large.bin", content.collect::<Vec<u8>>());
    let server = site.start();
    let length = server.http("/large.bin").body.len();

    // A small window, or the kernel's buffers would hide how slow the client is.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(64 * 1024).expect("a small buffer");
    let address: std::net::SocketAddr = ([127, 0, 0, 1], server.port("http")).into();
    socket.connect(&address.into()).expect("a listener");
    let mut stream = std::net::TcpStream::from(socket);
    stream.write_all(b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n").expect("an open connection");
    let (mut received, mut room) = (0, vec![0; 64 * 1024]);
    while received < length {
        match stream.read(&mut room) {
            Ok(read) if read > 0 => received += read,
            Ok(_) | Err(_) => break,
        }
        sleep(Duration::from_millis(40));
    }

    assert!(received >= length, "{received} of {length} bytes, then the server closed\n{}", server.log());
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let site = Site::new("[limits]\nrequest = \"1s\"\n");
    let file = std::fs::File::create(site.path("profiles/large.bin")).expect("room for a file");
    file.set_len(64 << 20).expect("a file with a hole");
    let server = site.start();

    let mut stream = connect(server.port("http"));
    stream.write_all(b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n").expect("an open connection");
    let line = server.log_line(&["path=\"/large.bin\""]);

    assert!(line.contains("outcome=\"broken\""), "{line}");
    server.log_line(&["connection cut off", "within limits.request"]);
    sleep(Duration::from_millis(10));
    assert_eq!(server.http("/basic.txt").status, 200);
}

#[test]
fn a_log_that_nobody_reads_stops_no_phone() {
    let site = Site::new("");
    let plain = serve(&site);
    let mut unread = Command::new("bash");
    // The other end of the pipe is held by a program that never reads; 600 lines are more than a pipe takes.
    let unread_command = unread.args(["-c", "exec \"$0\" \"$@\" > >(exec sleep 30)"]);
    unread_command.arg(plain.get_program()).args(plain.get_args()).current_dir(site.path(""));
    let server = Server::run(site, unread);

    let url = server.url("http", "/basic.txt?[1-600]");
    let statuses = run("curl", &["-s", "-m", "20", "-o", "/dev/null", "-w", "%{http_code}\n", &url], b"").stdout;

    assert_eq!(String::from_utf8_lossy(&statuses), "200\n".repeat(600));
}
