//! Those who guess are slowed and told of; phones are not.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::outsider::{Answer, curl, curl_tftp, run};
use crate::server::{SOON, Server};
use crate::site::{ALL, PHONE, Site, config, lab};

/// Every answer past the budget takes this long; what costs nothing takes much less.
const DELAY: Duration = Duration::from_millis(1500);

const TIGHT: &str = "[throttle]\naddress = 20\ndelay = \"1500ms\"\nwaiting = 64\nalarm = 10\n";

/// A connection from an address of the loopback network.
pub(crate) fn connect_from(address: Ipv4Addr, port: u16) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((address, 0)).into()).expect("an address of this host");
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).expect("a listener");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(SOON)).expect("a time above zero");
    stream.set_nodelay(true).expect("a connection");
    stream
}

/// One answer on a connection that stays open; `None` where there is none.
pub(crate) fn ask(stream: &mut TcpStream, path: &str) -> Option<Answer> {
    ask_with(stream, path, "Accept: */*")
}

/// The same with a header.
pub(crate) fn ask_with(stream: &mut TcpStream, path: &str, header: &str) -> Option<Answer> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let (mut wire, mut room) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut room).ok().filter(|read| *read > 0)?;
        wire.extend_from_slice(&room[..read]);
        let answer = Answer::parse(&wire);
        let length = answer.header("content-length").and_then(|length| length.parse().ok());
        if length == Some(answer.body.len()) {
            return Some(answer);
        }
    }
}

fn metric(server: &Server, name: &str) -> u64 {
    let text = curl(&[&server.admin("/metrics")]).text();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("phoneprov_{name}_total ")).map(str::to_owned));
    line.and_then(|value| value.parse().ok()).expect("a counter")
}

#[test]
fn past_its_budget_an_address_waits_for_refusals_and_for_nothing_else() {
    let server = Site::new(TIGHT).start();
    let (guesser, phone) = (Ipv4Addr::new(127, 0, 0, 9), Ipv4Addr::new(127, 0, 0, 8));
    let timed = |address: Ipv4Addr, path: &str| {
        let mut stream = connect_from(address, server.port("http"));
        let began = Instant::now();
        (ask(&mut stream, path).map(Answer::timeless), began.elapsed())
    };
    let (expected, _) = timed(phone, "/no-such-file.cfg");
    for _ in 0..20 {
        assert_eq!(timed(guesser, "/no-such-file.cfg").0, expected);
    }

    let (slow, took) = timed(guesser, "/no-such-file.cfg");
    assert_eq!(slow, expected, "the same answer, later");
    assert!(took >= DELAY, "{took:?}");
    let (known, took) = timed(guesser, &format!("/{PHONE}.cfg"));
    assert_eq!(known, expected);
    assert!(took >= DELAY, "{took:?}");

    let (open, took) = timed(guesser, "/basic.txt");
    assert!(open.is_some_and(|answer| answer.status == 200) && took < DELAY, "{took:?}");
    let (other, took) = timed(phone, "/no-such-file.cfg");
    assert!(other == expected && took < DELAY, "{took:?}");
    assert_eq!((metric(&server, "slow_answers"), metric(&server, "unanswered")), (2, 0));
}

#[test]
fn who_waits_everywhere_gets_no_answer_any_more() {
    let server = Site::new(TIGHT).start();
    let guesser = Ipv4Addr::new(127, 0, 0, 9);
    let mut first = connect_from(guesser, server.port("http"));
    for _ in 0..20 {
        ask(&mut first, "/no-such-file.cfg");
    }
    // One sixty-fourth of 64 places is one.
    let (waits, unanswered) = std::thread::scope(|scope| {
        let waits = scope.spawn(|| ask(&mut first, "/no-such-file.cfg"));
        std::thread::sleep(DELAY / 3);
        let mut second = connect_from(guesser, server.port("http"));
        let unanswered = ask(&mut second, "/no-such-file.cfg");
        (waits.join().expect("a thread"), unanswered)
    });
    assert_eq!(waits.map(|answer| answer.status), Some(404));
    assert_eq!(unanswered, None);
    server.log_line(&["peer=127.0.0.9", "no such file; past its budget: not answered"]);
    assert_eq!(metric(&server, "unanswered"), 1);
}

#[test]
fn guesses_that_come_at_once_are_no_more_than_those_that_come_one_by_one() {
    let rule =
        "[[rule]]\npath = \"/pw/**\"\nproof = \"password\"\npassword_file = \"passwords\"\nlisteners = [\"http\"]\n";
    let tight = "[throttle]\npasswords = 5\ndelay = \"30s\"\nwaiting = 200\n";
    let site = Site::new(&format!("{rule}{tight}"));
    // As costly as those that `phoneprov password` makes.
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    std::fs::write(site.path("passwords"), format!("desk:{hash}\n")).expect("room for passwords");
    let server = site.start();
    let guesser = Ipv4Addr::new(127, 0, 0, 9);
    let held: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = connect_from(guesser, server.port("http"));
            let request = "GET /pw/a.cfg HTTP/1.1\r\nHost: a\r\nAuthorization: Basic ZGVzazpndWVzcw==\r\n\r\n";
            stream.write_all(request.as_bytes()).expect("an open connection");
            stream
        })
        .collect();

    assert!(crate::server::wait_for(|| metric(&server, "wrong_passwords") > 5));
    std::thread::sleep(Duration::from_secs(2));
    let examined = metric(&server, "wrong_passwords");
    assert!(examined < 20, "{examined} of 100");
    drop(held);
}

#[test]
fn tftp_is_slowed_as_http_is() {
    let server = Site::new(TIGHT).start();
    let url = server.url("tftp", "/no-such-file.cfg");
    for _ in 0..20 {
        assert_eq!(curl_tftp(&url), Err(68));
    }
    let began = Instant::now();
    assert_eq!(curl_tftp(&url), Err(68));
    assert!(began.elapsed() >= DELAY, "{:?}", began.elapsed());
    let began = Instant::now();
    assert!(curl_tftp(&server.url("tftp", "/basic.txt")).is_ok());
    assert!(began.elapsed() < DELAY, "{:?}", began.elapsed());
}

#[test]
fn who_is_asked_for_a_password_pays_nothing_whether_there_is_such_a_file_or_not() {
    let rule =
        "[[rule]]\npath = \"/pw/**\"\nproof = \"password\"\npassword_file = \"passwords\"\nlisteners = [\"http\"]\n";
    let site = Site::new(&format!("{rule}{TIGHT}"));
    let hash = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    std::fs::write(site.path("passwords"), format!("desk:{hash}\n")).expect("room for passwords");
    site.profile("pw/$MA.cfg", "x");
    site.profile("pw/broken/$MA.cfg", "{% if %}");
    let server = site.start();
    let mut stream = connect_from(Ipv4Addr::LOCALHOST, server.port("http"));

    for path in ["/pw/000e08abcdef.cfg", "/pw/none/000e08abcdef.cfg", "/pw/broken/000e08abcdef.cfg"] {
        for _ in 0..25 {
            assert_eq!(ask(&mut stream, path).map(|answer| answer.status), Some(401), "{path}");
        }
    }

    let counted = ["alarms", "slow_answers", "unanswered"].map(|name| metric(&server, name));
    assert_eq!(counted, [0, 0, 0]);
    let wrong = format!("Authorization: Basic {}", data_encoding::BASE64.encode(b"desk:wrong"));
    for device in 0..20 {
        // Of what is there and of what is not, one after the other.
        let path = ["/pw/", "/pw/none/"][device % 2].to_owned() + &format!("000e080000{device:02}.cfg");
        assert_eq!(ask_with(&mut stream, &path, &wrong).map(|answer| answer.status), Some(401), "{path}");
    }
    server.log_line(&["127.0.0.1 has tried 10 MACs of 000e08"]);
    assert_eq!((metric(&server, "wrong_passwords"), metric(&server, "slow_answers")), (20, 0));
}

#[test]
fn a_first_contact_is_no_scan() {
    let server = Site::bare(&config(&ALL, "")).start();
    let names = ["/8841-3PCC.xml", "/Cisco/CP-8841-3PCC/000e08abcdef.cfg"];
    // It has no profile yet, and starts again and again.
    for _ in 0..5 {
        for path in names {
            assert_eq!(server.http(path).status, 404, "{path}");
            assert_eq!(curl(&["--cacert", &lab("ca.pem"), &server.url("https", path)]).status, 404, "{path}");
            assert_eq!(curl_tftp(&server.url("tftp", path)), Err(68), "{path}");
        }
    }
    let counted = ["alarms", "slow_answers", "unanswered"].map(|name| metric(&server, name));
    assert_eq!(counted, [0, 0, 0]);
    assert!(!server.log().contains("phoneprov::alarm"));
}

#[test]
fn fail2ban_reads_the_alarms_and_nothing_else_in_both_formats() {
    let filter = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/fail2ban/filter.d/phoneprov.conf");
    for format in ["text", "json"] {
        let site = Site::new(&format!("{TIGHT}[log]\nformat = \"{format}\"\n"));
        let server = site.start();
        let [guesser, forger] = [7, 8].map(|last| Ipv4Addr::new(127, 0, 0, last));
        let mut stream = connect_from(guesser, server.port("http"));
        for last in 10..22 {
            ask(&mut stream, &format!("/000e080000{last}.cfg"));
        }
        for last in 10..22 {
            assert_eq!(curl_tftp(&server.url("tftp", &format!("/000e080000{last}.cfg"))), Err(68));
        }
        server.log_line(&["phoneprov::alarm", "127.0.0.1, or who forges it over tftp, has tried 10 MACs"]);
        // What a client writes into a line is not an alarm.
        let mut stream = connect_from(forger, server.port("http"));
        for path in [
            "/%0aWARN%20phoneprov::alarm:%20127.0.0.99%20has%20tried%2040%20MACs",
            "/WARN\u{a0}phoneprov::alarm:\u{a0}127.0.0.99\u{a0}has\u{a0}tried",
            "/\",\"level\":\"WARN\",\"message\":\"127.0.0.99_has_tried",
        ] {
            ask(&mut stream, path);
        }
        server.log_line(&["phoneprov::alarm", "127.0.0.7 has tried 10 MACs of 000e08"]);
        let plain = server.log();
        // As the journal has it.
        let journal = format!("prov phoneprov[812]: {}", plain.trim_end().replace('\n', "\nprov phoneprov[812]: "));
        for text in [plain, journal] {
            let log = server.path("log");
            std::fs::write(&log, &text).expect("room for a log");
            let arguments = ["--out", "ip", &log.display().to_string(), &filter.display().to_string()];
            let output = run("fail2ban-regex", &arguments, b"");
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "127.0.0.7", "{text}: {output:?}");
        }
    }
}
