//! Problem reports: forms and files that curl sends, with and without a certificate, and whatever is no form.

use std::fs;
use std::io::Write as _;

use serde_json::Value;

use crate::outsider::{Answer, connect, curl, read_to_close, run};
use crate::reports::{IDENTITY, json, keeping, kept, send, server};
use crate::server::{Server, wait_for};
use crate::site::{ALL, OTHER, PHONE, Site, config};

const SQLITE: &str = "sqlite://state/phoneprov.db";

/// A path for phones with a certificate, one for adapters without, and one that names the device.
const RULES: &str = "[[rule]]\npath = \"/prt\"\naccept = \"prt\"\n\
    [[rule]]\npath = \"/ata\"\naccept = \"prt\"\nproof = \"none\"\n\
    [[rule]]\npath = \"/any/$MA/*\"\naccept = \"prt\"\nproof = \"none\"\n\
    [[rule]]\npath = \"/prt/$MA/*\"\naccept = \"prt\"\n";

/// An archive with bytes of every kind.
fn archive() -> Vec<u8> {
    let noise: Vec<u8> =
        (0..3_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).take(3_000_000).collect();
    [&noise[..], b"\r\n--", &noise[..1000]].concat()
}

fn form(fields: &[&str]) -> Vec<String> {
    fields.iter().flat_map(|field| ["-F".to_owned(), (*field).to_owned()]).collect()
}

/// Sends a form over HTTPS with the sample phone's certificate, or over HTTP with none.
fn sent(server: &Server, path: &str, fields: &[&str]) -> Answer {
    let form = form(fields);
    let how: Vec<&str> = form.iter().map(String::as_str).collect();
    match path {
        "/ata" => curl(&[&how[..], &[&server.url("http", path)]].concat()),
        _ => send(server, PHONE, path, &how),
    }
}

fn list(server: &Server) -> Vec<Value> {
    json(server, &["prt", "list"]).as_array().cloned().unwrap_or_default()
}

/// What `prt get` gives of the newest.
fn newest(server: &Server) -> Vec<u8> {
    let id = list(server).last().expect("one")["id"].to_string();
    let output = server.phoneprov(&["prt", "get", &id]);
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

#[test]
fn forms_and_files_are_kept_byte_for_byte_and_answered_with_200_and_nothing() {
    let server = server(SQLITE, RULES);
    let file = server.path("probrep-20260101-010203.tar.gz");
    fs::write(&file, archive()).expect("room for a file");
    let at = file.display().to_string();
    let answer = sent(
        &server,
        "/prt",
        &[
            &format!("devicename=\"SEP{}\"", PHONE.to_uppercase()),
            "serialno=\"FCH0ROU6UI7\"",
            "username=\"1001\"",
            &format!("prt_file=@{at};type=application/x-gzip"),
        ],
    );
    assert_eq!((answer.status, answer.body.len()), (200, 0), "{answer:?}\n{}", server.log());
    assert!(newest(&server) == archive());
    let one = list(&server).pop().expect("one");
    assert_eq!((&one["device"], &one["kind"]), (&PHONE.into(), &"prt".into()), "{one}");
    assert_eq!((&one["name"], &one["description"]), (&"probrep-20260101-010203.tar.gz".into(), &"1001".into()));

    assert_eq!(send(&server, PHONE, "/prt", &["-T", &at]).status, 200, "as it is, by PUT");
    assert!(newest(&server) == archive());
    let raw = ["--data-binary", &format!("@{at}"), "-H", "Content-Type: application/x-gzip"];
    assert_eq!(send(&server, PHONE, &format!("/prt/{PHONE}/x.tar.gz"), &raw).status, 200, "by POST");
    assert_eq!(list(&server).pop().expect("one")["name"], "x.tar.gz");
    let named: Vec<Value> = list(&server).iter().map(|one| one["device"].clone()).collect();
    assert_eq!(named, [PHONE, PHONE, PHONE]);

    let to = server.path("got").display().to_string();
    let id = list(&server)[0]["id"].to_string();
    server.tell(&["prt", "get", &id, "--output", &to]);
    assert!(fs::read(&to).expect("what was got") == archive());
    assert!(!server.phoneprov(&["prt", "get", &id, "--output", &to]).status.success(), "nothing is overwritten");
    assert!(server.phoneprov(&["prt", "get", &id, "-o", "-"]).stdout == archive());
    assert!(!server.phoneprov(&["prt", "get", "4711"]).status.success());
    assert!(wait_for(|| server.tell(&["events", "--kind", "prt"]).contains("kept")));
}

#[test]
fn an_adapter_without_a_certificate_is_taken_at_its_word_where_a_rule_says_so() {
    let server = server(SQLITE, RULES);
    let name = format!("devicename=SEP{}", OTHER.to_uppercase());
    let file = "prt_file=content;filename=a.tar.gz";
    assert_eq!(sent(&server, "/ata", &[&name, file]).status, 200, "{}", server.log());
    assert_eq!(list(&server).pop().expect("one")["device"], OTHER);
    assert!(wait_for(|| server.tell(&["events", "--kind", "prt"]).contains(&format!("{OTHER}?"))), "it is a claim");
    let refused = [
        (vec![file], "neither path nor certificate nor form says"),
        (vec!["devicename=SEP000E08FFFFFF", file], "the store has no device 000e08ffffff"),
        (vec![&name], "no part is called prt_file"),
        (vec![&name, "prt_file=;filename=a"], "nothing was sent"),
    ];
    for (fields, reason) in refused {
        assert_eq!(sent(&server, "/ata", &fields).status, 404, "{reason}");
        server.log_line(&["path=\"/ata\"", reason]);
    }
    server.tell(&["device", "disable", OTHER]);
    assert_eq!(sent(&server, "/ata", &[&name, file]).status, 404);
    server.log_line(&["path=\"/ata\"", "is disabled"]);
    assert_eq!(curl(&["-F", file, &server.url("http", "/prt")]).status, 404, "the other rule wants a certificate");
    assert_eq!(curl(&["-T", "/dev/null", &server.url("http", "/ata")]).status, 404, "a file says nothing of its phone");
    assert_eq!(list(&server).len(), 1);
    assert_eq!(kept(&server), 1);
}

#[test]
fn a_form_that_names_another_device_than_its_certificate_is_refused() {
    let server = server(SQLITE, RULES);
    let name = format!("devicename=SEP{}", OTHER.to_uppercase());
    for path in ["/prt".to_owned(), format!("/prt/{PHONE}/a")] {
        assert_eq!(sent(&server, &path, &[&name, "prt_file=x;filename=a"]).status, 404);
    }
    server.log_line(&["the form says that it is of 000e08000002, and it was sent by 000e08abcdef"]);
    assert_eq!(sent(&server, &format!("/prt/{OTHER}/a"), &["prt_file=x;filename=a"]).status, 404, "another's path");
    // No certificate is asked for, and there is one.
    let path = format!("/any/{OTHER}/a");
    for fields in [&[name.as_str(), "prt_file=x;filename=a"][..], &["prt_file=x;filename=a"]] {
        assert_eq!(sent(&server, &path, fields).status, 404);
    }
    server.log_line(&["/any/", "it is of 000e08000002, and the certificate is of 000e08abcdef"]);
    assert_eq!(kept(&server), 0);
    let own = sent(&server, &format!("/any/{PHONE}/a"), &["prt_file=x;filename=a"]);
    assert_eq!((own.status, kept(&server)), (200, 1), "{}", server.log());
}

#[test]
fn a_form_that_names_two_devices_names_nobody() {
    let server = server(SQLITE, RULES);
    let file = "prt_file=x;filename=a";
    let [own, other] = [PHONE, OTHER].map(|mac| format!("devicename=SEP{}", mac.to_uppercase()));
    let (user, serial) = ("username=u", "serialno=FCH2133E8B9");
    for fields in
        [[own.as_str(), &other, file], [&own, file, &own], [serial, "serialno=FCH2133E8B8", file], [user, file, user]]
    {
        assert_eq!(sent(&server, "/prt", &fields).status, 404, "{fields:?}");
    }
    for field in ["devicename", "serialno", "username"] {
        server.log_line(&["path=\"/prt\"", &format!("the form: two parts are called {field}")]);
    }
    assert_eq!(kept(&server), 0);
    assert_eq!(sent(&server, "/prt", &[&own, serial, user, file]).status, 200, "{}", server.log());
}

#[test]
fn a_form_with_another_devices_serial_number_is_refused_and_one_that_nobody_has_is_not() {
    let server = server(SQLITE, RULES);
    server.tell(&["device", "set", OTHER, "--serial", "FCH11111111"]);
    let (own, others) = (format!("devicename=SEP{PHONE}"), format!("devicename=SEP{OTHER}"));
    let file = "prt_file=x;filename=a";
    let (theirs, nobodys) = ("serialno=\"FCH11111111\"", "serialno=FCH22222222");
    for (path, fields) in
        [("/prt", &[theirs, file][..]), ("/prt", &[&own, theirs, file]), ("/ata", &[&own, theirs, file])]
    {
        assert_eq!(sent(&server, path, fields).status, 404, "{path} {fields:?}: {}", server.log());
    }
    for path in ["path=\"/prt\"", "path=\"/ata\""] {
        server
            .log_line(&[path, "the form has the serial number FCH11111111 of 000e08000002, and it is of 000e08abcdef"]);
    }
    assert_eq!(kept(&server), 0);
    for (path, fields) in
        [("/prt", &[nobodys, file][..]), ("/prt", &[&own, nobodys, file]), ("/ata", &[&others, theirs, file])]
    {
        assert_eq!(sent(&server, path, fields).status, 200, "{path} {fields:?}: {}", server.log());
    }
}

#[test]
fn what_a_client_calls_a_file_is_a_label_and_nothing_else() {
    let server = server(SQLITE, RULES);
    let long = "x".repeat(4096);
    let post = |name: &str| {
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"prt_file\"; filename=\"{name}\"\r\n\r\ncontent\r\n--b--\r\n"
        );
        fs::write(server.path("body"), body).expect("room for a file");
        let data = format!("@{}", server.path("body").display());
        let how = ["--data-binary", &data, "-H", "Content-Type: multipart/form-data; boundary=b"];
        send(&server, PHONE, "/prt", &how).status
    };
    for (name, label) in [
        ("../../../etc/cron.d/x", "x"),
        ("..\\\\..\\\\x.gz", "x.gz"),
        ("a\0b", "ab"),
        ("\u{1b}[2Jx\u{202e}y", "2Jxy"),
        (long.as_str(), &long[..80]),
        ("..", "prt"),
    ] {
        assert_eq!(post(name), 200, "{name:?} {}", server.log());
        assert_eq!(list(&server).pop().expect("one")["name"], label, "{name:?}");
        assert_eq!(newest(&server), b"content");
    }
    assert_eq!(kept(&server), 6);
    let names: Vec<String> = fs::read_dir(server.path("state/uploads"))
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "folder.id")
        .collect();
    let random =
        |name: &String| name.strip_suffix(".age").is_some_and(|name| name.bytes().all(|b| b.is_ascii_hexdigit()));
    assert!(names.iter().all(random), "{names:?}");
}

#[test]
fn what_is_no_form_is_refused_and_nothing_of_it_is_kept() {
    let server = server(SQLITE, &format!("{RULES}[limits]\nprt_size = \"2 MiB\"\nrequest = \"2s\"\n"));
    let part = |name: &str, content: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a\"\r\n\r\n{content}\r\n")
    };
    let field = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n".to_owned();
    let end = "--b--\r\n".to_owned();
    let whole = part("prt_file", "content");
    let forms = [
        (whole.clone(), "the form: it ends before its last boundary"),
        (field.repeat(10_000) + &end, "the form: more than 32 parts"),
        (field.clone() + &end, "no part is called prt_file"),
        (whole.clone() + &whole + &end, "two parts are called prt_file"),
        (part(&"x".repeat(20_000), "1") + &end, "the headers of a part do not end"),
        (field.replace("\r\n1\r\n", &format!("\r\n{}\r\n", "1".repeat(5000))) + &end, "a field is longer than"),
        ("x".repeat(100_000), "the headers of a part do not end"),
        (part("prt_file", &"x".repeat(3 << 20)) + &end, "larger than limits.prt_size"),
        (String::new(), "it ends before its last boundary"),
    ];
    let nothing = server.http("/nothing");
    for (body, reason) in &forms {
        fs::write(server.path("body"), body).expect("room for a file");
        let data = format!("@{}", server.path("body").display());
        let how = ["--data-binary", &data, "-H", "Content-Type: multipart/form-data; boundary=b"];
        let answer = send(&server, PHONE, "/prt", &how);
        assert_eq!((answer.status, &answer.body), (404, &nothing.body), "{reason}: {}", server.log());
        server.log_line(&["upload=\"prt\"", reason]);
    }
    let how = ["--data-binary", &whole, "-H", "Content-Type: multipart/form-data"];
    assert_eq!(send(&server, PHONE, "/prt", &how).status, 404);
    server.log_line(&["has no boundary"]);
    // One that stops in its file.
    let mut stream = connect(server.port("http"));
    let head = "POST /ata HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 90000\r\n\r\n";
    stream.write_all(&[head.as_bytes(), whole.as_bytes()].concat()).expect("loopback");
    assert!(String::from_utf8_lossy(&read_to_close(&mut stream)).starts_with("HTTP/1.1 404"));
    server.log_line(&["outcome=\"broken\"", "nothing for limits.request"]);
    assert!(wait_for(|| kept(&server) == 0), "{}", kept(&server));
    assert_eq!(list(&server).len(), 0);
    let metrics = curl(&[&server.admin("/metrics")]).text();
    assert!(metrics.contains("kind=\"prt\",outcome=\"broken\"} 1"), "{metrics}");
}

#[test]
fn the_simulated_phones_problem_report_is_understood() {
    let site = Site::new("");
    fs::write(site.path("age.key"), IDENTITY).expect("room for a key");
    site.configure(&config(&ALL, &keeping(SQLITE, RULES)));
    site.tell(&["device", "add", PHONE]);
    let server = site.start();
    let rule = format!("PRT_Upload_Rule={}", server.url("http", "/ata"));
    let profile = server.url("http", "/basic.txt");
    let args = ["phone", "--mac", PHONE, "--profile-rule", &profile, "--prt", "--set", &rule];
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), &args, b"");
    assert!(output.status.success(), "{output:?}\n{}", server.log());
    fs::write(server.path("got.tar.gz"), newest(&server)).expect("room for a file");
    let got = server.path("got.tar.gz").display().to_string();
    let listed = run("tar", &["-xzOf", &got, "messages"], b"");
    assert!(String::from_utf8_lossy(&listed.stdout).contains("simulated problem report"), "{listed:?}");
}
