//! A token that has ended, by its date, by another one or with its case, begins no file: not even on a connection that it
//! opened before.

use std::io::{Read as _, Write as _};
use std::process::{Command, Output, Stdio};

use crate::ftp::Wire;
use crate::handed_in::{CASE, Intake, bytes, said};
use crate::outsider::connect;
use crate::server::wait_for;

const SFTP: &str = "protocol = \"sftp\"\nhost_key = \"host.key\"";
const FTP: &str = "protocol = \"ftp\"";
const HTTP: &str = "protocol = \"http\"";

/// Puts a file by SFTP, then does something, then puts another one on the same connection.
fn put_two(intake: &Intake, between: impl FnOnce()) -> Output {
    let (one, two) = (intake.local("one", b"1"), intake.local("two", b"2"));
    let mut sftp = intake.sftp_session();
    let mut script = sftp.stdin.take().expect("a pipe");
    writeln!(script, "put {one}").expect("it reads");
    assert!(wait_for(|| intake.listed().len() == 1), "{}", intake.server.log());
    between();
    writeln!(script, "put {two}").expect("it reads");
    drop(script);
    sftp.wait_with_output().expect("a child")
}

/// What FTP replies to `STOR` after something was done, and what it did before.
fn store_two(intake: &Intake, between: impl FnOnce()) -> String {
    let mut wire = Wire::login(intake);
    let data = wire.store("one");
    drop(data);
    assert!(wire.line().starts_with("226"));
    between();
    wire.passive();
    wire.say("STOR two")
}

#[test]
fn a_closed_case_begins_no_file_on_a_connection_that_is_there() {
    let intake = Intake::start(&[SFTP]);
    let output = put_two(&intake, || drop(intake.server.tell(&["case", "close", CASE])));
    assert!(!output.status.success() && said(&output).contains("Permission denied"), "{}", said(&output));
    intake.server.log_line(&["a file is not kept", "two", "the case is closed"]);
    assert!(intake.tells("refused", &["two: the case is closed"]));
    assert_eq!((intake.listed(), intake.names().len()), (vec!["one|1".to_owned()], 1));

    let intake = Intake::start(&[FTP]);
    let reply = store_two(&intake, || drop(intake.server.tell(&["case", "close", CASE])));
    assert!(reply.starts_with("550 The case is closed, or the token has ended"), "{reply}");
    assert_eq!(intake.listed(), ["one|0"]);
}

#[test]
fn a_replaced_token_begins_no_file_on_a_connection_that_is_there() {
    let intake = Intake::start(&[SFTP]);
    let output = put_two(&intake, || drop(intake.server.tell(&["case", "token", CASE])));
    assert!(!output.status.success() && said(&output).contains("Permission denied"), "{}", said(&output));
    intake.server.log_line(&["a file is not kept", "two", "the token has been replaced"]);
    assert!(intake.tells("refused", &["two: the token has been replaced"]));
    assert_eq!(intake.listed(), ["one|1"]);

    let intake = Intake::start(&[FTP]);
    let reply = store_two(&intake, || drop(intake.server.tell(&["case", "token", CASE])));
    assert!(reply.starts_with("550 The case is closed, or the token has ended"), "{reply}");
    let intake = Intake::start(&[FTP]);
    let reply = store_two(&intake, || drop(intake.server.tell(&["case", "token", CASE, "--keep"])));
    assert!(reply.starts_with("150"), "it counts beside the other: {reply}");
}

#[test]
fn a_token_past_its_date_begins_no_file_on_a_connection_that_is_there() {
    let mut intake = Intake::start(&[FTP]);
    let short: serde_json::Value =
        serde_json::from_str(&intake.server.tell(&["case", "token", CASE, "--expires", "3s", "--json"])).expect("JSON");
    intake.token = short["token"].as_str().expect("a token").to_owned();
    let reply = store_two(&intake, || std::thread::sleep(std::time::Duration::from_secs(3)));
    assert!(reply.starts_with("550 The case is closed, or the token has ended"), "{reply}");
    intake.server.log_line(&["a file is not kept", "two", "the token has expired"]);
    assert!(intake.tells("refused", &["two: the token has expired"]));
    assert_eq!(intake.listed(), ["one|0"]);
}

#[test]
fn a_file_under_way_outlives_its_token_and_not_its_case() {
    let intake = Intake::start(&[FTP]);
    let mut wire = Wire::login(&intake);
    let mut data = wire.store("one");
    data.write_all(&bytes(300_000)).expect("it reads");
    intake.server.tell(&["case", "token", CASE]);
    drop(data);
    assert!(wire.line().starts_with("226"), "it was begun with a token that counted");
    assert_eq!(intake.listed(), ["one|300000"]);

    let intake = Intake::start(&[FTP]);
    let mut wire = Wire::login(&intake);
    let mut data = wire.store("one");
    data.write_all(&bytes(300_000)).expect("it reads");
    intake.server.tell(&["case", "close", CASE]);
    drop(data);
    let reply = wire.line();
    assert!(reply.starts_with("550 The case is closed, or the token has ended"), "{reply}");
    assert!(intake.is_empty(), "{:?}", intake.names());
    let line = ["a file is not taken", "transport=\"ftp\" file=\"one\" peer=\"127.0.0.1\"", "the case has been closed"];
    intake.server.log_line(&line);
    assert!(intake.tells("refused", &["one: the case has been closed"]));
}

#[test]
fn a_long_upload_ends_soon_after_its_case() {
    let intake = Intake::start(&[HTTP]);
    let file = intake.local("long", &bytes(60_000_000));
    let url = format!("http://127.0.0.1:{}/home/long", intake.port("http").trim_end_matches("/home/"));
    let who = format!("{CASE}:{}", intake.token);
    let mut curl = Command::new("curl");
    let curl = curl.args(["-s", "-w", "%{http_code} %{size_upload}", "-o", "/dev/null", "--max-time", "50"]);
    let curl = curl.args(["--limit-rate", "1M", "-u", &who, "-T", &file, &url]).stdout(Stdio::piped());
    let curl = curl.spawn().expect("curl");
    assert!(wait_for(|| !intake.names().is_empty()), "it is under way");
    intake.server.tell(&["case", "close", CASE]);
    let output = curl.wait_with_output().expect("a child");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let sent = said.split(' ').nth(1).and_then(|sent| sent.parse::<u64>().ok()).expect("a number");
    assert!(said.starts_with("401 ") && sent < 40_000_000, "{said}");
    assert!(intake.is_empty(), "{:?}", intake.names());
    intake.server.log_line(&["a file is not taken", "the case has been closed"]);
}

#[test]
fn a_file_that_stalls_or_breaks_off_or_has_no_good_name_over_http_is_told_of() {
    let intake = Intake::with(&[HTTP], "stall = \"1s\"");
    let basic = data_encoding::BASE64.encode(format!("{CASE}:{}", intake.token).as_bytes());
    let put = |name: &str| {
        let mut stream = connect(intake.port("http").trim_end_matches("/home/").parse().expect("a port"));
        let head = format!("PUT /home/{name} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {basic}\r\n");
        let body = "Transfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n";
        stream.write_all(format!("{head}{body}").as_bytes()).expect("it reads");
        stream
    };
    let mut slow = put("slow");
    let mut answer = String::new();
    let _ = slow.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(intake.tells("refused", &["slow: it stalled: less than 16 KiB came within uploads.stall"]));
    let gone = put("gone");
    assert!(wait_for(|| !intake.names().is_empty()), "it is under way");
    drop(gone);
    assert!(intake.tells("refused", &["gone: it broke off before its end"]), "{}", intake.server.log());
    let _long = put(&"n".repeat(300));
    assert!(intake.tells("refused", &["nnn: the file's name is longer than 255 bytes"]));
    let _escape = put(&format!("%1b%5b2J%0a{}", "n".repeat(300)));
    assert!(intake.tells("refused", &["case 612345678: \u{fffd}[2J\u{fffd}nnn", "longer than 255 bytes"]));
    assert!(intake.is_empty(), "{:?}", intake.names());
}
