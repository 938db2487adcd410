//! What a phone fetches and sends beside profiles: images, reports, problem reports.

use std::fs;

use super::servers::{Outsider, Scripted, Syslog, ok};
use super::{PROFILE, phone, run};
use crate::outsider::decrypt;
use crate::site::Site;

#[test]
fn an_image_is_fetched_once_and_pretended() {
    let (server, syslog) = (Outsider::nginx("", ""), Syslog::new());
    server.put("x.xml", PROFILE);
    server.put("sip88xx.12-0-1MPP0001-7.loads", vec![7; 3_000_000]);
    let state = server.path("phone.json").display().to_string();
    let image = server.url("http", "/sip88xx.12-0-1MPP0001-7.loads");
    let set = [format!("Upgrade_Rule={image}"), format!("Syslog_Server={}", syslog.address())];
    let rule = server.url("http", "/x.xml");
    let first = phone(&["--state", &state, "--profile-rule", &rule, "--set", &set[0], "--set", &set[1]]);
    first.succeeded(&["3000000 octets", "pretends to run sip88xx.12-0-1MPP0001-7 now"]);
    let messages: Vec<String> = (0..4).map(|_| syslog.message()).collect();
    assert!(messages[2].contains("-- Requesting upgrade http://127.0.0.1"), "{messages:?}");
    assert!(messages[3].contains("-- Successful upgrade http://127.0.0.1"), "{messages:?}");
    // The phone calls itself by the new version, and does not fetch it again.
    let second = phone(&["--state", &state]);
    second.succeeded(&["as `Cisco-CP-8841-3PCC/12.0.1 (000e08abcdef)`", "neither rule nor address changed"]);
    assert_eq!(second.lines("asked").len(), 1, "{}", second.said);
    let told = phone(&["--firmware", "sip88xx.12-0-1MPP0001-7", "--profile-rule", &rule, "--set", &set[0]]);
    told.succeeded(&["that firmware runs already"]);
}

#[test]
fn an_image_that_is_none_is_told_and_tried_again() {
    let server = Outsider::nginx("", "");
    server.put("x.xml", PROFILE);
    server.put("empty.loads", "");
    let rule = server.url("http", "/x.xml");
    let with = |image: &str| phone(&["--profile-rule", &rule, "--set", &format!("Upgrade_Rule={image}")]);
    with(&server.url("http", "/empty.loads")).ended(3, &["class A, 1 profile", "the image is of no use: it is empty"]);
    let ends = "end        class A, 1 profile; the upgrade failed, class B: the phone keeps its firmware; ";
    with(&server.url("http", "/missing.loads"))
        .ended(3, &["failed     Upgrade_Rule, class B: not found", "Upgrade failed: Download failed", ends]);
    // Half an image is a connection that broke.
    let half = Scripted::saying("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
    with(&half.url("/half.loads")).ended(4, &["class C: the server broke off"]);
    with("/image.loads").ended(2, &["an upgrade rule must name its server"]);
    phone(&["--profile-rule", &rule, "--set", "Upgrade_Enable=No", "--set", "Upgrade_Rule=http://127.0.0.1:1/x"])
        .succeeded(&["class A"]);
}

#[test]
fn reports_are_sent_in_full_as_changes_and_as_status() {
    let server = Scripted::saying(ok("", b""));
    let page = Outsider::nginx("", "");
    page.put(
        "x.xml",
        "<flat-profile><GPP_A>1</GPP_A><IKM_HTTP_Encrypt_Content/><Password_1_>p</Password_1_></flat-profile>",
    );
    page.put("y.xml", "<flat-profile><GPP_B>2</GPP_B></flat-profile>");
    let state = page.path("phone.json").display().to_string();
    let (x, y) = (page.url("http", "/x.xml"), page.url("http", "/y.xml"));
    let rule = format!("Report_Rule=[--delta] {} [--status] {}", server.url("/delta"), server.url("/status"));
    let common = ["--state", &state, "--report", "--set", &rule];
    phone(&[&common[..], &["--profile-rule", &x]].concat()).succeeded(&["asked      POST http://127.0.0.1"]);
    let first = String::from_utf8(server.heard()).expect("text");
    assert!(first.starts_with("POST /delta") && first.contains("<GPP_A>1</GPP_A>"), "{first}");
    assert!(!first.contains("Password_1_"), "a report holds no secret: {first}");
    let status = String::from_utf8(server.heard()).expect("text");
    assert!(status.contains("<Product_Name>CP-8841-3PCC</Product_Name>"), "{status}");
    phone(&[&common[..], &["--profile-rule", &y]].concat()).succeeded(&[]);
    let second = String::from_utf8(server.heard()).expect("text");
    assert!(second.contains("<GPP_B>2</GPP_B>") && !second.contains("GPP_A"), "only what changed: {second}");
}

#[test]
fn a_report_is_put_and_encrypted_as_the_rule_says() {
    // nginx stores what is put.
    let server =
        Outsider::nginx("", "location /in/ { dav_methods PUT; create_full_put_path on; client_max_body_size 1m; }");
    server.put("x.xml", PROFILE);
    fs::create_dir(server.path("files/in")).expect("room for a folder");
    let set = format!("Report_Rule=[--key s3cret] {}", server.url("http", "/in/report.xml"));
    let ran = phone(&[
        "--profile-rule",
        &server.url("http", "/x.xml"),
        "--report",
        "--set",
        &set,
        "--set",
        "HTTP_Report_Method=PUT",
    ]);
    ran.succeeded(&["AES-256-CBC by --key", "asked      PUT", "got        201 Created", "takes any answer but 200"]);
    let stored = fs::read(server.path("files/in/report.xml")).expect("what was put");
    let plain = String::from_utf8(decrypt("s3cret", &stored)).expect("text");
    assert!(plain.contains("<GPP_A>12345678</GPP_A>"), "{plain}");
    // Without --key, by the keying material.
    let scripted = Scripted::saying(ok("", b""));
    let rule = server.url("http", "/x.xml");
    let set = [format!("Report_Rule={}", scripted.url("/r")), "IKM_HTTP_Encrypt_Content=sixteen octets..".to_owned()];
    phone(&["--profile-rule", &rule, "--report", "--set", &set[0], "--set", &set[1]])
        .succeeded(&["as aes128gcm by IKM"]);
    let request = scripted.heard();
    let end = request.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head") + 4;
    assert!(String::from_utf8_lossy(&request[..end]).contains("Content-Encoding: aes128gcm\r\n"));
    let script = "import sys, http_ece; sys.stdout.buffer.write(http_ece.decrypt(sys.stdin.buffer.read(), \
                  key=b'sixteen octets..', version='aes128gcm'))";
    let plain = run("python3", &["-c", script], &request[end..]);
    assert!(String::from_utf8_lossy(&plain.stdout).contains("<GPP_A>12345678</GPP_A>"), "{plain:?}");
}

#[test]
fn a_problem_report_is_a_form_that_another_program_reads() {
    let server = Scripted::saying(ok("", b""));
    let page = Outsider::nginx("", "");
    page.put("x.xml", PROFILE);
    let rule = format!("PRT_Upload_Rule={}", server.url("/prt?$MA"));
    let header = ["--set", "PRT_HTTP_Header=X-Case", "--set", "PRT_HTTP_Header_Value=4711"];
    let ran = phone(&[&["--profile-rule", &page.url("http", "/x.xml"), "--prt", "--set", &rule][..], &header].concat());
    ran.succeeded(&["sends probrep-", "asked      POST"]);
    let request = server.heard();
    assert!(String::from_utf8_lossy(&request).to_ascii_lowercase().contains("\r\nx-case: 4711\r\n"));
    // Python's mail parser takes the form apart, and its tar module the archive.
    let script = "import sys, email, io, tarfile\n\
        raw = sys.stdin.buffer.read(); head, body = raw.split(b'\\r\\n\\r\\n', 1)\n\
        kind = [line for line in head.split(b'\\r\\n') if line.lower().startswith(b'content-type:')][0]\n\
        for part in email.message_from_bytes(kind + b'\\r\\n\\r\\n' + body).get_payload():\n\
        \x20   name = part.get_param('name', header='content-disposition')\n\
        \x20   content = part.get_payload(decode=True)\n\
        \x20   if name != 'prt_file': print(name, content.decode()); continue\n\
        \x20   print(name, part.get_filename())\n\
        \x20   archive = tarfile.open(fileobj=io.BytesIO(content.removesuffix(b'\\r\\n')), mode='r:gz')\n\
        \x20   print(archive.getnames(), archive.extractfile('messages').read().decode())\n";
    let output = run("python3", &["-c", script], &request);
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    for part in [
        "devicename SEP000E08ABCDEF",
        "serialno FCH0ROU6UI7",
        "username",
        "prt_file probrep-20",
        ".tar.gz",
        "['messages']",
        "000e08abcdef",
    ] {
        assert!(said.contains(part), "no `{part}` in:\n{said}");
    }
}

#[test]
fn uploads_without_a_rule_are_skipped_and_a_refused_one_is_a_failure() {
    let server = Site::new("").start();
    let rule = server.url("http", "/basic.txt");
    phone(&["--profile-rule", &rule, "--report", "--prt"])
        .succeeded(&["skipped    Report_Rule", "skipped    PRT_Upload_Rule"]);
    let set = format!("Report_Rule={}", server.url("http", "/basic.txt"));
    let ran = phone(&["--profile-rule", &rule, "--report", "--set", &set]);
    assert!(matches!(ran.code, Some(3 | 4)), "{}", ran.said);
}
