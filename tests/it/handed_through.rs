//! Files of cases that come by way of a proxy: whose they are is what a trusted one says, and nobody else.

use std::time::{Duration, Instant};

use crate::handed_in::{CASE, Intake, bytes};
use crate::outsider::{Answer, curl, raw, run};
use crate::proxies::{nginx_with, shipped};
use crate::server::free_port;
use crate::site::lab;

const TRUSTING: &str = "protocol = \"http\"\ntrusted_proxies = [\"127.0.0.1\"]\nproxy_address = \"x-forwarded-for\"";

fn port(intake: &Intake) -> String {
    intake.port("http").trim_end_matches("/home/").to_owned()
}

/// Hands in as a proxy does that speaks for this address.
fn put_for(intake: &Intake, address: &str, who: &str, name: &str) -> Answer {
    let (file, said) = (intake.local("body", b"content"), format!("X-Forwarded-For: {address}"));
    curl(&["-u", who, "-T", &file, "-H", &said, &format!("http://127.0.0.1:{}/home/{name}", port(intake))])
}

/// Names, and where each came from.
fn origins(intake: &Intake) -> Vec<String> {
    let database = intake.server.path("state/phoneprov.db").display().to_string();
    let output = run("sqlite3", &["-readonly", &database, "select name, address from upload order by id"], b"");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn behind_nginx_a_file_comes_from_its_customer_whatever_that_says() {
    let table = shipped("nginx-intake.toml", &[]);
    let lines: Vec<&str> = table.lines().filter(|line| line.contains(" = ") && !line.starts_with("address")).collect();
    assert_eq!(lines.join("\n"), TRUSTING);
    let intake = Intake::start(&[TRUSTING]);
    let front = free_port();
    let (to, listen) = (format!("127.0.0.1:{}", port(&intake)), format!("listen 127.0.0.1:{front} ssl"));
    let conf = shipped("nginx-intake.conf", &[("127.0.0.1:9080", &to), ("listen 443 ssl", &listen)]);
    let _proxy = nginx_with(&conf, front);
    let content = bytes(3_000_001);
    let (file, ca, user) = (intake.local("show tech.txt", &content), lab("ca.pem"), format!("{CASE}:{}", intake.token));
    let url = format!("https://127.0.0.1:{front}/home/show%20tech.txt");
    let forged = ["-H", "X-Forwarded-For: 203.0.113.9", "-H", "Forwarded: for=203.0.113.9"];
    let put = |user: &str| {
        curl(&[&["--interface", "127.0.0.2", "--cacert", &ca, "-u", user, "-T", &file], &forged[..], &[&url]].concat())
    };
    assert_eq!(put(&user).status, 201, "{}", intake.server.log());
    assert_eq!(origins(&intake), ["show tech.txt|127.0.0.2"]);
    assert!(intake.content("show tech.txt") == content);
    assert_eq!(put(&format!("{CASE}:wrong")).status, 401, "and not 502: what is not read is not in the way");
    intake.server.log_line(&["not let in", "peer=127.0.0.2", "the token is wrong"]);
}

#[test]
fn a_stranger_behind_a_proxy_slows_himself_and_no_customer() {
    let delay = Duration::from_millis(1500);
    let intake = Intake::with(&[TRUSTING], "[throttle]\npasswords = 3\ndelay = \"1500ms\"\n");
    let timed = |address: &str, who: &str, name: &str| {
        let began = Instant::now();
        (put_for(&intake, address, who, name).status, began.elapsed() >= delay)
    };
    for _ in 0..4 {
        assert_eq!(timed("192.0.2.66", "699999999:wrong", "a").0, 401);
    }
    assert_eq!(timed("192.0.2.66", "699999999:wrong", "a"), (401, true), "{}", intake.server.log());
    let right = format!("{CASE}:{}", intake.token);
    assert_eq!(timed("192.0.2.7", &right, "a"), (201, false), "{}", intake.server.log());
    assert_eq!(timed("198.51.100.1, 192.0.2.66", &right, "b"), (201, true), "what a client claims does not help it");
    assert_eq!(origins(&intake), ["a|192.0.2.7", "b|192.0.2.66"]);
    intake.server.log_line(&["not let in", "peer=192.0.2.66", "there is no such case"]);
}

#[test]
fn nobody_but_a_trusted_proxy_speaks_for_another() {
    let intake = Intake::start(&[TRUSTING]);
    let user = format!("{CASE}:{}", intake.token);
    let answer = put_for(&intake, "nonsense", &user, "a");
    assert_eq!(answer.status, 400, "{answer:?}");
    intake.server.log_line(&["not let in", "proxy=127.0.0.1:", "`nonsense` is no address"]);
    let (file, url) = (intake.local("body", b"content"), format!("http://127.0.0.1:{}/home/b", port(&intake)));
    let stranger = ["--interface", "127.0.0.2", "-u", &user, "-T", &file, "-H", "X-Forwarded-For: 192.0.2.7", &url];
    assert_eq!(curl(&stranger).status, 201);
    assert_eq!(curl(&["-u", &user, "-T", &file, &url]).status, 201, "a proxy that says nothing asks for itself");
    assert_eq!(origins(&intake), ["b|127.0.0.2", "b|127.0.0.1"]);
}

#[test]
fn a_balancer_that_hands_tcp_through_announces_the_customer() {
    let lines = "protocol = \"http\"\ntrusted_proxies = [\"127.0.0.1\"]\nproxy_protocol = true";
    let intake = Intake::start(&[lines]);
    let port: u16 = port(&intake).parse().expect("a port");
    let user = data_encoding::BASE64.encode(format!("{CASE}:{}", intake.token).as_bytes());
    let put = format!(
        "PUT /home/a HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {user}\r\nX-Forwarded-For: 203.0.113.9\r\n\
         Content-Length: 1\r\nConnection: close\r\n\r\nx"
    );
    let announced = format!("PROXY TCP4 192.0.2.7 10.0.0.1 4711 80\r\n{put}");
    assert_eq!(raw(port, announced.as_bytes()).status, 201, "{}", intake.server.log());
    assert_eq!(raw(port, put.as_bytes()).status, 0, "a trusted one that announces nobody is closed");
    intake.server.log_line(&["phoneprov::proxy", "does not begin with a PROXY header"]);
    assert_eq!(origins(&intake), ["a|192.0.2.7"]);
}
