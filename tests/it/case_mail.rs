//! Attachments of messages that Python's email package makes, and tokens that programs are given.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::outsider::{Answer, curl, run};
use crate::server::Server;
use crate::site::{Site, config};

/// Makes a message as people's programs do.
const MAKE: &str = r#"
import sys
from email.message import EmailMessage
message = EmailMessage()
message["From"] = "Anna Muster <anna@example.com>"
message["To"] = "attach@prov.example.com"
message["Subject"] = sys.argv[1]
message.set_content("The log is attached.\n")
for at, name in enumerate(sys.argv[2:]):
    kind = ("text", "plain") if name.endswith(".txt") else ("application", "octet-stream")
    message.add_attachment(bytes(range(256)) * (at + 1) if kind[0] != "text" else b"caf\xc3\xa9\n", maintype=kind[0],
                           subtype=kind[1], filename=name)
sys.stdout.buffer.write(message.as_bytes())
"#;

fn message(arguments: &[&str]) -> Vec<u8> {
    let made = run("python3", &[&["-c", MAKE], arguments].concat(), b"");
    assert!(made.status.success(), "{made:?}");
    made.stdout
}

/// A site with an open case, and the file of who can read.
fn site(extra: &str) -> (Site, String) {
    let site = Site::bare("");
    let key = site.path("reader.key").display().to_string();
    assert!(run("age-keygen", &["-o", &key], b"").status.success());
    fs::write(site.path("uploads.pub"), run("age-keygen", &["-y", &key], b"").stdout).expect("a file");
    let text = format!(
        "[store]\n[events]\n[uploads]\nrecipients_file = \"uploads.pub\"\nidentity = \"reader.key\"\nfloor = \"1 MiB\"\n{extra}"
    );
    site.configure(&config(&["http"], &text));
    site.tell(&["case", "open", "--number", "612345678"]);
    (site, key)
}

fn mail(site: &Site, message: &[u8]) -> (Option<i32>, String) {
    let config = site.config().display().to_string();
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), &["case", "mail", "--config", &config], message);
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn a_message_that_is_cut_or_garbled_goes_back_and_nothing_of_it_is_kept() {
    let (site, _) = site("");
    let whole = message(&["Case no. 612345678\u{1b}[2J", "core.bin", "Notiz.txt"]);
    let end = whole.windows(4).rposition(|part| part == b"Noti").expect("a name");
    let (code, said) = mail(&site, &whole[..end]);
    assert_eq!((code, said.contains("cut short")), (Some(65), true), "{said}");
    let garbled = String::from_utf8_lossy(&whole).replace("AAECAwQ", "*******");
    let (code, said) = mail(&site, garbled.as_bytes());
    assert_eq!((code, said.contains("the attachment core.bin is not in the encoding")), (Some(65), true), "{said}");
    assert_eq!(files(&site), Vec::<Value>::new());
    let told = site.tell(&["events", "--kind", "upload"]);
    assert!(told.contains("case 612345678: `Case no. 612345678") && !told.contains('\u{1b}'), "{told}");
    assert_eq!(mail(&site, &whole), (Some(0), "case 612345678: 2 files by mail\n".into()));
}

#[test]
fn as_many_attachments_as_a_message_may_have_are_kept_and_one_more_goes_back() {
    let (site, _) = site("");
    let names: Vec<String> = (0..33).map(|at| format!("{at}.txt")).collect();
    let many: Vec<&str> = ["Case612345678"].into_iter().chain(names.iter().map(String::as_str)).collect();
    assert_eq!(mail(&site, &message(&many[..33])), (Some(0), "case 612345678: 32 files by mail\n".into()));
    let (code, said) = mail(&site, &message(&many));
    assert_eq!((code, said.contains("more than 32 attachments")), (Some(65), true), "{said}");
    assert_eq!(files(&site).len(), 32);
}

fn files(site: &Site) -> Vec<Value> {
    let shown: Value = serde_json::from_str(&site.tell(&["case", "show", "612345678", "--json"])).expect("JSON");
    shown["files"].as_array().expect("a list").clone()
}

#[test]
fn attachments_of_a_message_become_files_of_the_case_that_it_names() {
    let (site, _) = site("");
    let subject = "Re: [EXT] case 612345678 – kein Rufton";
    let sent = message(&[subject, "core.bin", "Notiz für Sie.txt", "../../evil.bin"]);
    assert!(sent.windows(8).any(|part| part.eq_ignore_ascii_case(b"=?utf-8?")), "the subject is encoded");
    assert_eq!(mail(&site, &sent), (Some(0), "case 612345678: 3 files by mail\n".into()));
    let files = files(&site);
    let names: Vec<&str> = files.iter().filter_map(|file| file["name"].as_str()).collect();
    assert_eq!(names, ["core.bin", "Notiz für Sie.txt", "../../evil.bin"]);
    assert_eq!(
        (&files[0]["address"], &files[0]["description"]),
        (&json!("mail from anna@example.com"), &json!(subject))
    );
    let told = site.tell(&["events", "--kind", "upload"]);
    for file in ["core.bin, 256 bytes", "Notiz für Sie.txt, 6 bytes", "../../evil.bin, 768 bytes"] {
        let line = format!("mail from anna@example.com  kept  case 612345678: {file}\n");
        assert!(told.contains(&line), "{line}: {told}");
    }
    let out = site.path("out").display().to_string();
    let written = site.tell(&["case", "get", "612345678", "--all", "-o", &out]);
    let contents: Vec<Vec<u8>> = written.lines().map(|path| fs::read(Path::new(path)).expect("a file")).collect();
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(contents, [all.clone(), "café\n".into(), all.repeat(3)]);
}

#[test]
fn a_mail_server_is_told_what_it_knows() {
    let (site, key) = site("mail_size = \"64 KiB\"");
    let code = |message: &[u8]| mail(&site, message).0;
    assert_eq!(code(&message(&["no number here", "a.bin"])), Some(65));
    assert_eq!(code(&message(&["Case 612345678"])), Some(65), "nothing is attached");
    assert_eq!(code(b""), Some(65));
    assert_eq!(code(&[0xff; 1000]), Some(65));
    assert_eq!(code(&message(&["Case 699999999", "a.bin"])), Some(67));
    let large = [message(&["Case 612345678", "a.bin"]), vec![b'\n'; 70_000]].concat();
    let (status, said) = mail(&site, &large);
    assert_eq!((status, said.contains("larger than 65536 bytes")), (Some(65), true), "{said}");
    let told = site.tell(&["events", "--kind", "upload"]);
    for (subject, reason) in [
        ("`no number here`", "the subject names no case"),
        ("case 612345678: `Case 612345678`", "the message has no attachment"),
        ("case 699999999: `Case 699999999`", "there is no open case 699999999"),
        ("case 612345678: `Case 612345678`", "the message is larger than 65536 bytes"),
    ] {
        let line = format!("mail from anna@example.com  refused  {subject}: {reason}");
        assert!(told.contains(&line), "{line}: {told}");
    }
    let text = fs::read_to_string(site.config()).expect("a configuration");
    for wrong in
        [text.replace("floor = \"1 MiB\"", "floor = \"900000 GiB\""), text.replace("[store]", ""), "nonsense".into()]
    {
        site.configure(&wrong);
        assert_eq!(code(&message(&["Case 612345678", "a.bin"])), Some(75), "the message waits until it is mended");
    }
    site.configure(&text);
    site.tell(&["case", "close", "612345678"]);
    assert_eq!(code(&message(&["Case 612345678", "a.bin"])), Some(67));
    assert_eq!(files(&site), Vec::<Value>::new());
    assert!(Path::new(&key).exists());
}

/// Asks as the API's documentation has it.
fn ask(server: &Server, number: &str, token: &str, body: &str) -> Answer {
    let (bearer, url) =
        (format!("Authorization: Bearer {token}"), server.admin(&format!("/credentials/case/{number}")));
    curl(&["-H", "Content-Type: application/json", "-H", &bearer, "-d", body, &url])
}

#[test]
fn a_program_with_a_token_of_its_own_is_given_one_of_a_case() {
    let intake =
        "[[intake]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\n[api]\ntokens_file = \"state/api-tokens\"\n";
    let (site, _) = site(intake);
    let made = site.tell(&["api-token", "add", "ticket-desk"]);
    let (server, token) = (site.start(), made.trim());
    let body = r#"{"username": "anna", "email": "anna@example.com"}"#;
    let answer = ask(&server, "612345678", token, body);
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")), "{answer:?}");
    let given: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(given["username"], "612345678");
    let greeting = server.greeting();
    let intake =
        greeting.lines().find_map(|line| line.trim().strip_prefix("intake    ")).expect("an intake").to_owned();
    let who = format!("612345678:{}", given["token"].as_str().expect("a token"));
    let put = || curl(&["-u", &who, "-X", "PUT", "-d", "content", &format!("{intake}a.txt")]).status;
    assert_eq!(put(), 201);
    assert_eq!(ask(&server, "612345678", token, body).status, 200);
    assert_eq!(put(), 201, "one that was given before counts on");
    let record = server.tell(&["case", "show", "612345678"]);
    assert!(record.contains("ticket-desk (API)  token made  for anna <anna@example.com>"), "{record}");
    for (number, token, body, wanted) in [
        ("612345678", "wrong", body, 401),
        ("612345678", "", body, 401),
        ("699999999", "wrong", body, 401),
        ("699999999", token, body, 404),
        ("x", token, body, 404),
        ("612345678", token, "{}", 400),
        ("612345678", token, r#"{"username": "", "email": "anna@example.com"}"#, 400),
        ("612345678", token, "nonsense", 400),
        ("612345678", token, &"x".repeat(20_000), 400),
    ] {
        let answer = ask(&server, number, token, body);
        assert_eq!(answer.status, wanted, "{number} {body:.40}: {answer:?}");
        assert!(serde_json::from_slice::<Value>(&answer.body).expect("JSON")["error"].is_string());
    }
    assert_eq!(
        curl(&["-d", body, &server.url("http", "/credentials/case/612345678")]).status,
        404,
        "never on a phone's"
    );
    server.tell(&["api-token", "remove", "ticket-desk"]);
    assert_eq!(ask(&server, "612345678", token, body).status, 401);
    assert!(!fs::read_to_string(server.path("state/api-tokens")).expect("a file").contains(token));
    assert!(!server.log().contains(token));
}

#[test]
fn what_is_past_its_time_goes_and_the_record_stays() {
    let (site, _) = site("keep_cases = \"1m\"\n");
    assert_eq!(mail(&site, &message(&["Case 612345678", "a.bin", "b.bin"])).0, Some(0));
    site.tell(&["case", "close", "612345678"]);
    let database = site.path("state/phoneprov.db").display().to_string();
    let ages = "update support_case set closed = closed - 3600000";
    assert!(run("sqlite3", &[&database, ages], b"").status.success());
    let kept = || fs::read_dir(server_folder(&site)).expect("a folder").count();
    assert_eq!(kept(), 2);
    let server = site.start();
    server.log_line(&["removed files that are past their time", "2"]);
    assert_eq!(files(&server), Vec::<Value>::new());
    let ages: Vec<String> = fs::read_dir(server_folder(&server))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains(".age"))
        .collect();
    assert_eq!(ages, Vec::<String>::new());
    let record = server.tell(&["case", "show", "612345678"]);
    assert!(
        record.contains("the server  file deleted  file 1 a.bin, 256 bytes: kept for 60s, which is over"),
        "{record}"
    );
}

fn server_folder(site: &Site) -> std::path::PathBuf {
    site.path("state/uploads")
}

#[test]
fn another_store_sweeps_nothing_away() {
    let (site, _) = site("");
    let server = site.start();
    crate::server::wait_for(|| server.path("state/uploads/folder.id").exists());
    assert_eq!(mail(&server, &message(&["Case 612345678", "a.bin"])).0, Some(0));
    let site = server.stop();
    let old = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    for entry in fs::read_dir(server_folder(&site)).expect("a folder") {
        let file = fs::File::options().write(true).open(entry.expect("an entry").path()).expect("a file");
        file.set_modified(old).expect("a time");
    }
    let text = fs::read_to_string(site.config()).expect("a configuration");
    site.configure(&text.replace("[store]", "[store]\nurl = \"sqlite://state/other.db\""));
    let server = site.start();
    server.log_line(&["the store does not know this folder of uploads"]);
    let site = server.stop();
    let ages = || {
        let entries = fs::read_dir(server_folder(&site)).expect("a folder");
        entries
            .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().extension().is_some_and(|end| end == "age")))
            .count()
    };
    assert_eq!(ages(), 1);
    // With its own it sweeps what nobody lists.
    let database = site.path("state/phoneprov.db").display().to_string();
    assert!(run("sqlite3", &[&database, "delete from upload_part"], b"").status.success());
    site.configure(&text);
    let server = site.start();
    server.log_line(&["swept away files that nobody lists"]);
    let site = server.stop();
    assert_eq!(fs::read_dir(server_folder(&site)).expect("a folder").count(), 1, "the mark alone");
}
