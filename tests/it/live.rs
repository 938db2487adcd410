//! The tree is live, answers repeat, and the end of the process is orderly.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::outsider::{Answer, connect, curl, curl_tftp, read_to_close};
use crate::server::{Server, wait_for};
use crate::site::Site;

#[test]
fn an_edit_a_new_file_and_a_removed_file_count_from_the_next_request() {
    let server = Site::new("").start();
    assert_eq!(server.http("/basic.txt").status, 200);
    assert_eq!(server.http("/new/file.txt").status, 404);

    // Of the same length, and at once: nothing but the content differs.
    for digit in 1..20 {
        let content = format!("edited {digit:02}");
        server.profile("basic.txt", &content);
        assert_eq!(server.http("/basic.txt").text(), content);
        assert_eq!(curl_tftp(&server.url("tftp", "/basic.txt")).as_deref(), Ok(content.as_bytes()));
    }
    let new = server.profile("new/file.txt", "new");
    assert_eq!(server.http("/new/file.txt").text(), "new");
    fs::remove_file(new).expect("a file");
    assert_eq!(server.http("/new/file.txt").status, 404);
    fs::rename(server.path("profiles/basic2.txt"), server.path("profiles/basic.txt")).expect("a file");
    assert!(server.http("/basic.txt").text().contains("ABCD"));
    assert_eq!(server.http("/basic2.txt").status, 404);
}

#[test]
fn an_edit_counts_on_connections_that_stay_open_while_many_ask_at_once() {
    let site = Site::new("");
    for place in 0..4 {
        site.profile(&format!("folder{place}/edited.txt"), "0");
    }
    let server = site.start();
    let end = Instant::now() + Duration::from_secs(4);
    let ask = |stream: &mut TcpStream, path: &str, times: usize| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").repeat(times);
        stream.write_all(request.as_bytes()).expect("an open connection");
        let (mut wire, mut piece) = (String::new(), vec![0; 65536]);
        while wire.matches("\r\n\r\n").count() < times || !wire.ends_with('.') {
            let length = stream.read(&mut piece).expect("an answer");
            assert!(length > 0, "{wire}");
            wire.push_str(std::str::from_utf8(&piece[..length]).expect("text"));
        }
        wire
    };
    let (ask, server) = (&ask, &server);
    std::thread::scope(|scope| {
        for place in 0..4 {
            scope.spawn(move || {
                // Each waits for its answers, edits, and asks again at once: one by one, and several in one packet.
                let (path, mut stream) = (format!("/folder{place}/edited.txt"), connect(server.port("http")));
                let mut edits = 0;
                while Instant::now() < end {
                    edits += 1;
                    let content = format!("edit {edits:08}.");
                    server.profile(&path[1..], &content);
                    let times = 1 + edits % 3;
                    let wire = ask(&mut stream, &path, times);
                    assert_eq!(wire.matches(&content).count(), times, "{wire}");
                }
                assert!(edits > 100, "{edits} edits");
            });
        }
    });
}

#[test]
fn an_edited_base_or_include_counts_from_the_next_request() {
    let site = Site::new("");
    site.profile("_part.xml", "<A>first</A>");
    site.profile("$PN.cfg", "{% include \"_part.xml\" %}");
    let server = site.start();
    sleep(Duration::from_millis(50));
    assert_eq!(server.http("/CP-8841-3PCC.cfg").text(), "<A>first</A>");
    assert!(server.http("/8851-3PCC.xml").text().contains("86400"));

    server.profile("_part.xml", "<A>later</A>");
    server.profile("_base.xml", "<flat-profile>changed{% block account %}{% endblock %}</flat-profile>");

    assert_eq!(server.http("/CP-8841-3PCC.cfg").text(), "<A>later</A>");
    assert!(server.phone("/000e08abcdef.cfg").text().contains("<flat-profile>changed"));
    fs::remove_file(server.path("profiles/_part.xml")).expect("a file");
    assert_eq!(server.http("/CP-8841-3PCC.cfg").status, 404);
    server.log_line(&["path=\"/CP-8841-3PCC.cfg\"", "outcome=\"failed\"", "_part.xml"]);
}

#[test]
fn a_phone_that_gets_a_file_of_its_own_gets_that_and_later_the_common_one_again() {
    let server = Site::new("").start();
    let path = "/CP-8841-3PCC/000e08abcdef.cfg";
    let common = server.phone(path);

    let own = server.profile("CP-8841-3PCC/000e08abcdef.cfg", "<flat-profile>own</flat-profile>");
    let during = server.phone(path).text();
    let refused = server.http(path).status;
    fs::remove_file(own).expect("a file");

    assert_eq!((during.as_str(), refused), ("<flat-profile>own</flat-profile>", 404));
    assert_eq!(server.phone(path).timeless(), common.timeless());
}

#[test]
fn unchanged_input_gives_the_same_bytes_and_tag_even_after_a_restart() {
    let rules = "[[rule]]\npath = \"/secure/$MA.cfg\"\nproof = \"none\"\ngzip = true\nencrypt = \"aes-256-cbc\"\n\
                 key_from = \"master\"\n[[rule]]\npath = \"/basic.cfg\"\nencrypt = \"aes128gcm\"\nkey = \"Secret\"\n";
    let server = Site::new(rules).start();
    let ask = |server: &Server| -> Vec<Answer> {
        let paths = ["/basic.txt", "/basic.txt.gz", "/basic.cfg", "/8851-3PCC.xml", "/secure/000e08abcdef.cfg"];
        paths.iter().map(|path| server.http(path).timeless()).collect()
    };

    let first = ask(&server);
    let second = ask(&server);
    let server = server.stop().start();
    let third = ask(&server);

    assert!(first.iter().all(|answer| answer.status == 200 && answer.header("etag").is_some()), "{first:?}");
    assert_eq!(first, second);
    assert_eq!(first, third);
}

/// A file that takes longer to send than the kernel's buffers hide.
const LARGE: u64 = 64 << 20;

fn with_large_file(extra: &str) -> Server {
    let site = Site::new(extra);
    let file = fs::File::create(site.path("profiles/large.bin")).expect("room for a file");
    file.set_len(LARGE).expect("a file with a hole");
    site.start()
}

fn begin_download(server: &Server) -> TcpStream {
    let mut stream = connect(server.port("http"));
    stream.write_all(b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n").expect("an open connection");
    stream.read_exact(&mut [0; 1000]).expect("the beginning");
    stream
}

#[test]
fn sigterm_lets_a_running_download_end_and_takes_no_new_ones() {
    let mut server = with_large_file("");
    let mut stream = begin_download(&server);
    let idle = connect(server.port("http"));
    let port = server.port("http");

    server.signal(Signal::TERM);
    server.log_line(&["stopping"]);
    let closed = wait_for(|| TcpStream::connect(("127.0.0.1", port)).is_err());
    sleep(Duration::from_millis(300));
    let rest = read_to_close(&mut stream);

    assert!(closed, "new connections are taken");
    assert!(rest.len() as u64 > LARGE - 1000, "{} bytes", rest.len());
    assert!(server.ended().is_some_and(|status| status.success()));
    server.log_line(&["path=\"/large.bin\"", "outcome=\"served\"", &format!("bytes={LARGE}")]);
    server.log_line(&["stopped"]);
    drop(idle);
}

#[test]
fn a_download_that_does_not_end_does_not_hold_the_server_up_for_ever() {
    let mut server = with_large_file("[limits]\ndrain = \"1s\"\n");
    let _stream = begin_download(&server);
    let began = Instant::now();

    server.signal(Signal::TERM);
    let status = server.ended();

    assert!(status.is_some_and(|status| status.success()), "{status:?}");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    server.log_line(&["stopped before all were finished"]);
    server.log_line(&["path=\"/large.bin\"", "outcome=\"broken\"", "the server stopped, and what was begun"]);
}

#[test]
fn a_second_signal_ends_a_server_that_waits_for_a_download() {
    let mut server = with_large_file("");
    let _stream = begin_download(&server);
    let began = Instant::now();

    server.signal(Signal::TERM);
    server.log_line(&["stopping"]);
    server.signal(Signal::INT);
    let status = server.ended();

    assert_eq!(status.and_then(|status| status.code()), Some(0), "{status:?}");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    server.log_line(&["WARN", "told once more to stop", "connections=1"]);
    server.log_line(&["path=\"/large.bin\"", "outcome=\"broken\"", "the server stopped, and what was begun"]);
}

#[test]
fn sigint_ends_an_idle_server_at_once() {
    let mut server = Site::new("").start();
    let _idle = connect(server.port("http"));
    let began = Instant::now();

    server.signal(Signal::INT);

    assert!(server.ended().is_some_and(|status| status.success()));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn the_admin_surface_tells_health_readiness_and_counts() {
    let server = Site::new("").start();
    server.http("/basic.txt");
    server.http("/missing.txt");
    server.phone("/basic.txt");
    // The line is written, so the request is counted.
    server.log_line(&["transport=\"https\""]);

    let [health, ready, metrics] = ["/healthz", "/readyz", "/metrics"].map(|path| curl(&[&server.admin(path)]));

    assert_eq!((health.text().as_str(), ready.text().as_str()), ("ok\n", "ready\n"));
    let metrics = metrics.text();
    for line in [
        "phoneprov_requests_total{transport=\"http\",outcome=\"served\"} 1",
        "phoneprov_requests_total{transport=\"http\",outcome=\"unknown\"} 1",
        "phoneprov_requests_total{transport=\"https\",outcome=\"served\"} 1",
        "phoneprov_handshakes_total{version=\"1.3\",resumed=\"no\"} 1",
        "phoneprov_request_seconds_count{transport=\"http\"} 2",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert_eq!(server.http("/metrics").status, 404, "never on a phone's listener");
    fs::rename(server.path("profiles"), server.path("elsewhere")).expect("a folder");
    assert_eq!(curl(&[&server.admin("/readyz")]).status, 503);
}
