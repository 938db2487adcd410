//! Files of cases over SSH: OpenSSH's `sftp`, and `scp` by either protocol.

use std::io::Write as _;
use std::process::Output;

use crate::handed_in::{CASE, Intake, bytes, exists, said};
use crate::outsider::run;
use crate::server::wait_for;

const SFTP: &str = "protocol = \"sftp\"\nhost_key = \"host.key\"";

fn intake() -> Intake {
    let intake = Intake::start(&[SFTP]);
    assert!(!intake.port("sftp").is_empty());
    intake
}

/// Says this to `sftp`; a line that begins with `-` may fail.
fn sftp(intake: &Intake, token: &str, script: &str) -> Output {
    let (port, host) = (intake.port("sftp"), format!("{CASE}@127.0.0.1"));
    intake.openssh("sftp", token, &["-b", "-", "-P", &port, &host], script.as_bytes())
}

fn scp(intake: &Intake, options: &[&str], from: &[&str], to: &str) -> Output {
    let (port, to) = (intake.port("sftp"), format!("{CASE}@127.0.0.1:{to}"));
    intake.openssh("scp", &intake.token, &[options, &["-P", &port], from, &[&to]].concat(), b"")
}

#[test]
fn what_sftp_puts_is_what_the_case_has() {
    let intake = intake();
    let content = bytes(3_000_001);
    let file = intake.local("show tech.txt", &content);
    let empty = intake.local("empty", b"");
    let script = format!("put \"{file}\"\nput -p {empty}\nput {empty} ../../etc/passwd\n");
    let output = sftp(&intake, &intake.token, &script);
    assert!(output.status.success(), "{}\n{}", said(&output), intake.server.log());
    assert_eq!(intake.listed(), ["show tech.txt|3000001", "empty|0", "passwd|0"]);
    assert!(intake.content("show tech.txt") == content);
    intake.server.log_line(&["612345678", "show tech.txt", "3000001 bytes are kept"]);
}

#[test]
fn scp_copies_by_either_protocol() {
    let intake = intake();
    let content = bytes(1_000_003);
    let (one, two) = (intake.local("one", &content), intake.local("two", b"2"));
    for options in [&["-s"][..], &["-O"], &["-O", "-p"]] {
        let output = scp(&intake, options, &[&one, &two], "");
        assert!(output.status.success(), "{options:?}: {}\n{}", said(&output), intake.server.log());
    }
    for (options, name) in [("-s", "renamed"), ("-O", "/home/legacy")] {
        let output = scp(&intake, &[options], &[&one], name);
        assert!(output.status.success(), "{options}: {}", said(&output));
    }
    let all = ["one|1000003", "two|1"].repeat(3);
    assert_eq!(intake.listed(), [all, vec!["renamed|1000003", "legacy|1000003"]].concat());
    assert!(intake.content("renamed") == content && intake.content("legacy") == content);
}

/// libssh2 sends no zero behind a file, which ends a copy of `scp`: the end of what it sends stands for it.
#[test]
fn curl_uploads_by_sftp_and_scp() {
    let intake = intake();
    let content = bytes(1_000_003);
    let (file, empty) = (intake.local("one", &content), intake.local("empty", b""));
    let (port, user) = (intake.port("sftp"), format!("{CASE}:{}", intake.token));
    for (url, file) in [("sftp", &file), ("scp", &file), ("scp", &empty)] {
        let url = format!("{url}://127.0.0.1:{port}/~/{url}.bin");
        let arguments = ["-sS", "--max-time", "30", "--noproxy", "*", "-k", "-u", &user, "-T", file, &url];
        let output = run("curl", &arguments, b"");
        assert!(output.status.success(), "{url}: {}\n{}", said(&output), intake.server.log());
    }
    let whole = || intake.listed() == ["sftp.bin|1000003", "scp.bin|1000003", "scp.bin|0"];
    assert!(wait_for(whole), "{:?}\n{}", intake.listed(), intake.server.log());
    assert!(intake.content("sftp.bin") == content);
    assert!(!intake.server.log().contains("a file is not kept"), "{}", intake.server.log());
}

#[test]
fn a_copy_of_scp_that_ends_is_whole_with_its_last_byte_and_not_before() {
    let intake = intake();
    let (port, host) = (intake.port("sftp"), format!("{CASE}@127.0.0.1"));
    for (sent, code, answer) in [
        (&b"C0644 4 whole\nfour"[..], 0, &[0, 0, 0][..]),
        (b"C0644 4 short\nfou", 1, &[0, 0]),
        (b"C0644 4 torn\nfour\x01scp: read error\n", 1, &[0, 0, 0]),
    ] {
        let output = intake.openssh("ssh", &intake.token, &["-p", &port, &host, "scp -t ."], sent);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(code), answer), "{}", said(&output));
    }
    assert_eq!(intake.listed(), ["whole|4"]);
    assert!(intake.content("whole") == b"four");
    assert!(intake.tells("refused", &["short: the client ended before its file"]), "{}", intake.server.log());
    assert!(intake.tells("refused", &["torn: the client could not read all of it"]), "{}", intake.server.log());
}

/// lftp asks OpenSSH, and answers what that asks if it looks like a question for a password.
#[test]
fn lftp_uploads_by_sftp() {
    let intake = intake();
    let content = bytes(200_000);
    let (file, port) = (intake.local("lftp.bin", &content), intake.port("sftp"));
    let hosts = intake.server.path("known_hosts").display().to_string();
    for methods in ["keyboard-interactive", "password"] {
        let ssh = format!(
            "ssh -a -x -F /dev/null -o StrictHostKeyChecking=no -o UserKnownHostsFile={hosts} -o LogLevel=ERROR \
             -o PreferredAuthentications={methods}"
        );
        let script = format!(
            "set net:max-retries 1; set net:timeout 10; set cmd:fail-exit yes; set sftp:connect-program \"{ssh}\"; \
             open -u {CASE},{} sftp://127.0.0.1:{port}; put {file} -o {methods}; bye",
            intake.token
        );
        let output = run("timeout", &["30", "lftp", "-c", &script], b"");
        assert!(output.status.success(), "{methods}: {}\n{}", said(&output), intake.server.log());
    }
    assert_eq!(intake.listed(), ["keyboard-interactive|200000", "password|200000"]);
    assert!(intake.content("keyboard-interactive") == content);
}

#[test]
fn a_token_reads_and_lists_nothing() {
    let intake = intake();
    let file = intake.local("secret", b"of somebody");
    assert!(sftp(&intake, &intake.token, &format!("put {file}\n")).status.success());
    let listed = sftp(&intake, &intake.token, "pwd\nls -la\nls /\n");
    assert!(listed.status.success() && !said(&listed).contains("secret |of"), "{}", said(&listed));
    assert!(!said(&listed).lines().any(|line| line.ends_with("secret")), "{}", said(&listed));
    let got = intake.server.path("got").display().to_string();
    for line in [
        format!("get secret {got}"),
        "rm secret".into(),
        "rename secret other".into(),
        "mkdir folder".into(),
        "rmdir folder".into(),
        "ln -s secret link".into(),
        "cd folder".into(),
        "ls secret".into(),
        format!("reput {file} secret"),
        format!("put -r {}", intake.server.path("profiles").display()),
    ] {
        let output = sftp(&intake, &intake.token, &format!("{line}\n"));
        assert!(!output.status.success(), "{line}: {}", said(&output));
    }
    let copied = scp(&intake, &["-O", "-r"], &[&intake.server.path("profiles").display().to_string()], "");
    assert!(!copied.status.success() && said(&copied).contains("no folders here"), "{}", said(&copied));
    assert!(!exists(&got));
    assert_eq!(intake.listed(), ["secret|11"]);
}

#[test]
fn nothing_but_files_comes_by_ssh() {
    let intake = intake();
    let (port, host) = (intake.port("sftp"), format!("{CASE}@127.0.0.1"));
    for command in [&["id"][..], &["scp -f /etc/passwd"], &["scp -t x; id"], &["-s", "shell"], &[]] {
        let arguments = [&["-p", &port, &host][..], command].concat();
        let output = intake.openssh("ssh", &intake.token, &arguments, b"id\n");
        assert!(!output.status.success() && !said(&output).contains("uid="), "{command:?}: {}", said(&output));
    }
    // A tunnel: the address would answer.
    let http = format!("127.0.0.1:{}", intake.server.port("http"));
    let output = intake.openssh("ssh", &intake.token, &["-p", &port, "-W", &http, &host], b"GET / HTTP/1.0\r\n\r\n");
    assert!(!said(&output).contains("HTTP/1"), "{}", said(&output));
    let arguments = ["-p", &port, "-N", "-R", "0:127.0.0.1:9", "-o", "ExitOnForwardFailure=yes", &host];
    assert!(!intake.openssh("ssh", &intake.token, &arguments, b"").status.success());
}

#[test]
fn a_wrong_token_or_a_closed_case_hands_nothing_in() {
    let intake = intake();
    let file = intake.local("file", b"x");
    let output = sftp(&intake, "wrong", &format!("put {file}\n"));
    assert!(!output.status.success() && said(&output).contains("Permission denied"), "{}", said(&output));
    let (port, host) = (intake.port("sftp"), "999999999@127.0.0.1");
    let unknown = intake.openssh("sftp", &intake.token, &["-b", "-", "-P", &port, host], b"ls\n");
    assert_eq!(said(&unknown).replace("999999999", CASE), said(&output), "both are told the same");
    intake.server.log_line(&["not let in", "the token is wrong"]);
    intake.server.log_line(&["not let in", "there is no such case"]);
    assert!(!intake.server.log().contains(&intake.token));
    // By keyboard-interactive, as some clients have it.
    let interactive = ["-o", "PreferredAuthentications=keyboard-interactive", "-b", "-", "-P", &port];
    let host = format!("{CASE}@127.0.0.1");
    let script = format!("put {file}\n");
    let output = intake.openssh("sftp", &intake.token, &[&interactive[..], &[&host]].concat(), script.as_bytes());
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(intake.listed(), ["file|1"]);
    close(&intake);
    assert!(!sftp(&intake, &intake.token, &script).status.success());
    assert_eq!(intake.listed(), ["file|1"]);
}

/// Closes the case in the store, as its command does.
fn close(intake: &Intake) {
    let database = intake.server.path("state/phoneprov.db").display().to_string();
    let output = run("sqlite3", &[&database, "update support_case set closed = 1"], b"");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn strange_names_and_quotas_are_refused_and_nothing_is_left() {
    let intake = Intake::with(&[SFTP], "quota_per_case = \"100 KiB\"");
    let (small, large) = (intake.local("small", b"x"), intake.local("large", &bytes(200_000)));
    let long = "n".repeat(4096);
    for (script, reason) in [
        (format!("put {small} {long}\n"), "longer than 255 bytes"),
        (format!("put {large}\n"), "quota"),
        (format!("put {small} /\n"), ""),
    ] {
        let output = sftp(&intake, &intake.token, &script);
        if reason.is_empty() {
            // The client adds the file's own name to a folder's.
            assert!(output.status.success(), "{}", said(&output));
        } else {
            assert!(!output.status.success(), "{reason}: {}", said(&output));
            let file = if reason == "quota" { "large" } else { &long[..255] };
            intake.server.log_line(&["a file is not", &format!("file=\"{file}\""), "peer=\"127.0.0.1\"", reason]);
            assert!(intake.tells("refused", &[file, reason]), "{}", intake.server.log());
        }
    }
    let output = scp(&intake, &["-O"], &[&large], "");
    assert!(!output.status.success() && said(&output).contains("no room"), "{}", said(&output));
    assert_eq!(intake.listed(), ["small|1"]);
    assert_eq!(intake.names().len(), 1);
}

#[test]
fn more_files_than_a_case_may_have_are_refused_whichever_way_they_come() {
    let intake = Intake::with(&[SFTP], "files_per_case = 2");
    let empty = intake.local("empty", b"");
    assert!(sftp(&intake, &intake.token, &format!("put {empty}\nput {empty}\n")).status.success());
    let output = sftp(&intake, &intake.token, &format!("put {empty}\n"));
    assert!(!output.status.success() && said(&output).contains("Failure"), "{}", said(&output));
    assert!(intake.tells("refused", &["empty", "uploads.files_per_case is 2"]), "{}", intake.server.log());
    let output = scp(&intake, &["-O"], &[&empty], "");
    assert!(!output.status.success() && said(&output).contains("no room"), "{}", said(&output));
    assert_eq!(intake.names().len(), 2);
}

#[test]
fn a_cut_connection_leaves_nothing() {
    let intake = intake();
    let file = intake.local("large", &bytes(20_000_000));
    let (port, host) = (intake.port("sftp"), format!("{CASE}@127.0.0.1"));
    for (program, arguments) in [
        ("sftp", vec!["-l", "4000", "-b", "-", "-P", &port, &host]),
        ("scp", vec!["-O", "-l", "4000", "-P", &port, &file, "HOST:"]),
    ] {
        let target = format!("{host}:");
        let arguments: Vec<&str> =
            arguments.iter().map(|argument| if *argument == "HOST:" { target.as_str() } else { argument }).collect();
        let arguments = [&["1", program][..], &[], &arguments].concat();
        // `timeout` ends the client in the middle, at half a megabyte a second.
        let script = format!("put {file}\n");
        let output = intake.openssh_for(&arguments, script.as_bytes());
        assert!(!output.status.success(), "{}", said(&output));
        intake.server.log_line(&["a file is not kept", "large"]);
        assert!(intake.tells("refused", &["large: the "]));
        assert!(intake.is_empty(), "{:?}", intake.names());
    }
}

#[test]
fn a_client_that_opens_a_file_and_stalls_holds_no_place() {
    let intake = Intake::with(&[SFTP], "stall = \"1s\"");
    let (port, host) = (intake.port("sftp"), format!("{CASE}@127.0.0.1"));
    let open = packet(3, &[&1_u32.to_be_bytes(), &text(b"stalls"), &0x1a_u32.to_be_bytes(), &[0; 4]]);
    let begin = [packet(1, &[&3_u32.to_be_bytes()]), open].concat();
    let write = |at: u64| packet(6, &[&2_u32.to_be_bytes(), &text(b"1"), &at.to_be_bytes(), &text(b".")]);
    for is_silent in [true, false] {
        let mut ssh = intake.ssh_session(&["-p", &port, "-s", &host, "sftp"]);
        let mut to_server = ssh.stdin.take().expect("a pipe");
        to_server.write_all(&begin).expect("it reads");
        assert!(wait_for(|| intake.names().len() == 1), "{}", intake.server.log());
        // Bytes now and then are no progress, nor are questions.
        for at in 0..50 {
            let stat = packet(17, &[&3_u32.to_be_bytes(), &text(b"/")]);
            let bytes = if is_silent { stat } else { write(at) };
            if to_server.write_all(&bytes).is_err() || ssh.try_wait().expect("a child").is_some() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        assert!(ssh.try_wait().expect("a child").is_some(), "it is cut");
        assert!(intake.is_empty(), "{:?}", intake.names());
    }
    let reason = "it stalled: less than 16 KiB came within uploads.stall";
    intake.server.log_line(&["a file is not kept", "file=\"stalls\"", "bytes=0", reason]);
    assert!(intake.tells("refused", &["stalls", reason]), "{}", intake.server.log());
}

#[test]
fn a_copy_of_scp_that_stalls_is_cut_and_one_that_is_only_slow_is_taken() {
    let intake = Intake::with(&[SFTP], "stall = \"2s\"");
    let (port, host) = (intake.port("sftp"), format!("{CASE}@127.0.0.1"));
    let mut ssh = intake.ssh_session(&["-p", &port, &host, "scp -t ."]);
    let mut to_server = ssh.stdin.take().expect("a pipe");
    to_server.write_all(b"C0644 10 stalls\nhalf ").expect("it reads");
    assert!(wait_for(|| intake.names().len() == 1), "{}", intake.server.log());
    assert!(wait_for(|| ssh.try_wait().expect("a child").is_some()), "it is cut");
    assert!(intake.is_empty(), "{:?}", intake.names());
    assert!(intake.tells("refused", &["stalls: it stalled: less than 16 KiB"]), "{}", intake.server.log());
    // All that was announced, and then neither the zero nor an end.
    let mut ssh = intake.ssh_session(&["-p", &port, &host, "scp -t ."]);
    let mut to_server = ssh.stdin.take().expect("a pipe");
    to_server.write_all(b"C0644 5 whole\nwhole").expect("it reads");
    assert!(wait_for(|| ssh.try_wait().expect("a child").is_some()), "it is cut");
    assert!(wait_for(|| intake.listed() == ["whole|5"]), "{:?}\n{}", intake.listed(), intake.server.log());
    assert_eq!(intake.content("whole"), b"whole");
    // Thirty KiB a second.
    let slow = intake.local("slow", &bytes(150_000));
    let output = scp(&intake, &["-O", "-l", "240"], &[&slow], "");
    assert!(output.status.success(), "{}\n{}", said(&output), intake.server.log());
    assert_eq!(intake.listed(), ["whole|5", "slow|150000"]);
}

/// A packet of SFTP, its length before it.
fn packet(kind: u8, fields: &[&[u8]]) -> Vec<u8> {
    let body = [&[kind], fields.concat().as_slice()].concat();
    [&u32::try_from(body.len()).expect("small").to_be_bytes(), body.as_slice()].concat()
}

fn text(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).expect("small").to_be_bytes(), bytes].concat()
}

/// The kinds of the answers, and the texts of those that are a status.
fn answers(mut bytes: &[u8]) -> Vec<(u8, String)> {
    let mut found = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let (answer, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        let said = if answer[0] == 101 { String::from_utf8_lossy(&answer[13..]).into_owned() } else { String::new() };
        found.push((answer[0], said));
        bytes = rest;
    }
    found
}

/// What the server has in memory (KiB).
fn memory(intake: &Intake) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", intake.server.pid())).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says so");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn a_client_that_opens_ten_thousand_files_has_four_and_is_told_so() {
    let intake = intake();
    let open = |id: u32| {
        let name = text(format!("file-{id}").as_bytes());
        packet(3, &[&id.to_be_bytes(), &name, &0x1a_u32.to_be_bytes(), &0_u32.to_be_bytes()])
    };
    let script: Vec<u8> =
        std::iter::once(packet(1, &[&3_u32.to_be_bytes()])).chain((1..=10_000).map(open)).flatten().collect();
    let (port, host, before) = (intake.port("sftp"), format!("{CASE}@127.0.0.1"), memory(&intake));
    let output = intake.openssh("ssh", &intake.token, &["-p", &port, "-s", &host, "sftp"], &script);
    let answers = answers(&output.stdout);
    let count = |wanted: u8| answers.iter().filter(|(kind, _)| *kind == wanted).count();
    assert_eq!((count(2), count(102), count(101)), (1, 4, 9_996), "{}", String::from_utf8_lossy(&output.stderr));
    let refused = answers.iter().filter(|(kind, _)| *kind == 101);
    assert!(refused.clone().all(|(_, said)| said.contains("too many files at once: close one")), "{answers:?}");
    let grown = memory(&intake).saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} KiB more");
    // They are given up with the connection, and the server goes on.
    assert!(intake.is_empty(), "{:?}", intake.names());
    let file = intake.local("file", b"x");
    assert!(sftp(&intake, &intake.token, &format!("put {file}\n")).status.success());
    assert_eq!(intake.listed(), ["file|1"]);
}
