//! What phones say that they have: sent by curl, made by openssl and `http_ece` and by the simulated phone, and held against
//! what the server would give.

use std::fs;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::outsider::{Answer, connect, curl, curl_output, openssl, raw, run};
use crate::postgres;
use crate::server::{Server, wait_for};
use crate::site::{ALL, OTHER, PHONE, Site, config, lab};

/// Who can read what is kept, of the age specification's test vectors.
pub(crate) const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
pub(crate) const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";

const SQLITE: &str = "sqlite://state/phoneprov.db";

const FULL: &str = "<flat-profile><GPP_A>1</GPP_A><GPP_B>1</GPP_B><Admin_Password/></flat-profile>";

/// What keeps what phones send, and these rules.
pub(crate) fn keeping(url: &str, more: &str) -> String {
    format!(
        "[store]\nurl = \"{url}\"\n[events]\n[uploads]\nrecipients = [\"{RECIPIENT}\"]\nidentity = \"age.key\"\n\
         floor = \"1 MiB\"\n{more}"
    )
}

/// Rules for the three reports.
const RULES: &str = "[[rule]]\npath = \"/report/$MA.xml\"\naccept = \"report\"\n\
    [[rule]]\npath = \"/delta/$MA.xml\"\naccept = \"report\"\nreport = \"delta\"\n\
    [[rule]]\npath = \"/status/$MA.xml\"\naccept = \"report\"\nreport = \"status\"\n";

/// A server with two devices, somebody who can read, and this configuration at its end.
pub(crate) fn server(url: &str, more: &str) -> Server {
    let site = Site::new("");
    fs::write(site.path("age.key"), format!("# a test's\n{IDENTITY}\n")).expect("room for a key");
    site.configure(&config(&ALL, &keeping(url, more)));
    site.tell(&["device", "add", PHONE]);
    site.tell(&["device", "add", OTHER]);
    site.start()
}

/// What curl is answered that sends something with a phone's certificate.
pub(crate) fn send(server: &Server, mac: &str, path: &str, how: &[&str]) -> Answer {
    let (certificate, key, ca) = (lab(&format!("phone-{mac}.pem")), lab(&format!("phone-{mac}.key")), lab("ca.pem"));
    let url = server.url("https", path);
    curl(&[&["--cacert", &ca, "--cert", &certificate, "--key", &key], how, &[&url]].concat())
}

/// The same for a report of the sample phone.
fn report(server: &Server, path: &str, body: &str) -> Answer {
    send(server, PHONE, path, &["--data-binary", body])
}

/// Sends bytes by way of a file.
pub(crate) fn send_bytes(server: &Server, path: &str, bytes: &[u8], how: &[&str]) -> Answer {
    let file = server.path("body");
    fs::write(&file, bytes).expect("room for a file");
    send(server, PHONE, path, &[how, &["--data-binary", &format!("@{}", file.display())]].concat())
}

/// How many files the vault has, whatever their state.
pub(crate) fn kept(site: &Site) -> usize {
    // All but the mark by which the store knows its folder.
    let is_kept =
        |entry: &fs::DirEntry| [".age", ".part"].iter().any(|end| entry.file_name().to_string_lossy().ends_with(end));
    fs::read_dir(site.path("state/uploads")).map_or(0, |entries| entries.flatten().filter(is_kept).count())
}

pub(crate) fn json(site: &Site, args: &[&str]) -> Value {
    let output = site.phoneprov(&[args, &["--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {output:?} {said}"))
}

fn own(kind: &str) -> String {
    format!("/{kind}/{PHONE}.xml")
}

fn assert_ok(answer: &Answer) {
    assert_eq!((answer.status, answer.body.len()), (200, 0), "{answer:?}");
}

#[test]
fn reports_are_kept_in_their_order_and_held_against_what_is_intended_in_both_stores() {
    for url in [SQLITE.to_owned(), postgres::database()] {
        let server = server(&url, RULES);
        server.profile(
            "$MA.cfg",
            "<flat-profile><GPP_A>1</GPP_A><GPP_B>1</GPP_B><Admin_Password>x</Admin_Password></flat-profile>",
        );
        assert!(wait_for(|| server.phone(&format!("/{PHONE}.cfg")).status == 200));
        assert_ok(&report(&server, &own("report"), FULL));
        // What it was given is known a moment after it was.
        let drift = || String::from_utf8_lossy(&server.phoneprov(&["drift", PHONE]).stdout).into_owned();
        assert!(wait_for(|| drift().contains("nothing differs")), "{}", drift());

        let delta = "<flat-profile><GPP_B um=\"y\">2</GPP_B><GPP_C um=\"y\">\u{1b}[2J</GPP_C></flat-profile>";
        let put = ["-X", "PUT", "--data-binary", &delta.replace('\u{1b}', "")];
        assert_ok(&send(&server, PHONE, &own("delta"), &put));
        assert_ok(&report(&server, &own("status"), "<status><uptime>1</uptime></status>"));
        let drift = json(&server, &["drift", PHONE]);
        let names: Vec<&str> =
            drift["differing"].as_array().expect("a list").iter().filter_map(|d| d["name"].as_str()).collect();
        assert_eq!(names, ["GPP_B", "GPP_C"], "{drift}");
        let b = &drift["differing"][0];
        assert_eq!(
            (&b["value"], &b["intended"][0], &b["by_user"]),
            (&"2".into(), &"1".into(), &true.into()),
            "{drift}"
        );
        assert_eq!(
            (&drift["deltas"], &drift["gaps"], &drift["compared"]),
            (&1.into(), &Value::Array(vec![]), &2.into())
        );
        assert_eq!(server.phoneprov(&["drift", PHONE]).status.code(), Some(1), "a finding");
        let basic = json(&server, &["drift", PHONE, "--path", "/basic.txt"]);
        assert_eq!(
            (&basic["paths"][0], &basic["differing"][0]["name"]),
            (&"/basic.txt".into(), &"GPP_A".into()),
            "{basic}"
        );
        let none = server.phoneprov(&["drift", PHONE, "--path", "/nothing.cfg"]);
        assert_eq!(none.status.code(), Some(2), "{none:?}");
        let all = server.phoneprov(&["drift"]);
        let all = String::from_utf8_lossy(&all.stdout).into_owned();
        assert!(all.contains(PHONE) && !all.contains(OTHER), "only who has reported: {all}");

        let list = json(&server, &["report", "list", PHONE]);
        let kinds: Vec<&str> = list.as_array().expect("a list").iter().filter_map(|one| one["kind"].as_str()).collect();
        assert_eq!(kinds, ["report", "delta", "status"], "{list}");
        let shown = server.tell(&["report", "show", PHONE]);
        assert!(shown.contains("<GPP_B um=\"y\">2</GPP_B>") && shown.contains("<GPP_A>1</GPP_A>"), "{shown}");
        let at = list[0]["at"].as_str().expect("a time");
        let first = server.tell(&["report", "show", PHONE, "--at", at]);
        assert!(first.contains("<GPP_B>1</GPP_B>") && !first.contains("GPP_C"), "{first}");
        // As it is listed, all reports of that second count.
        let listed = server.tell(&["report", "list", PHONE]);
        let words: Vec<&str> = listed.lines().last().expect("a report").split_whitespace().collect();
        let as_listed = server.tell(&["report", "show", PHONE, "--at", &format!("{} {}", words[1], words[2])]);
        assert!(as_listed.contains("<GPP_B um=\"y\">2</GPP_B>"), "{listed}{as_listed}");
        assert!(server.tell(&["device", "status", PHONE]).contains("1 change since"));
        for word in ["kind=\"delta\",outcome=\"kept\"} 1", "kind=\"report\",outcome=\"kept\"} 1"] {
            assert!(curl(&[&server.admin("/metrics")]).text().contains(word), "{word}");
        }
    }
}

#[test]
fn where_nothing_could_be_compared_that_is_told_and_not_that_nothing_differs() {
    let server = server(SQLITE, RULES);
    let tells = |how: &[&str], code: i32, why: &str| {
        let output = server.phoneprov(&[&["drift"], how].concat());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let is_told = if why.is_empty() { !said.contains("could be compared") } else { said.contains(why) };
        assert!(output.status.code() == Some(code) && is_told, "{how:?}, {why}: {output:?}");
        assert!(why.is_empty() || !said.contains("nothing differs"), "{said}");
    };
    let both = |why: &str| {
        tells(&[PHONE], 2, &format!("cannot tell nothing could be compared: {why}"));
        tells(&[], 2, &format!("{PHONE}: nothing could be compared: {why}"));
        let one = json(&server, &["drift", PHONE]);
        assert!(one["cannot_tell"].as_str().is_some_and(|said| said.contains(why)), "{one}");
        assert_eq!(json(&server, &["drift"])[0]["cannot_tell"], one["cannot_tell"]);
    };
    tells(&[PHONE], 2, "it has sent no report that is kept");
    tells(&[], 2, "no device has sent a report that is kept");
    assert_eq!(
        json(&server, &["drift", PHONE])["cannot_tell"],
        "nothing could be compared: it has sent no report that is kept"
    );
    assert_ok(&report(&server, &own("delta"), "<flat-profile><GPP_K>0</GPP_K></flat-profile>"));
    both("no full report of it is kept");
    assert_ok(&report(&server, &own("report"), "<flat-profile><GPP_K>0</GPP_K></flat-profile>"));
    both("nothing is known of what it fetches");

    server.profile("$MA.cfg", "<flat-profile><GPP_A>1</GPP_A></flat-profile>");
    assert!(wait_for(|| server.phone(&format!("/{PHONE}.cfg")).status == 200));
    assert!(wait_for(|| server.tell(&["device", "status", PHONE]).contains("current")));
    both("its report holds no parameter that its profiles set");
    server.profile("$MA.cfg", "<flat-profile><Admin_Password>1</Admin_Password></flat-profile>");
    both("its profiles set no parameter that a report tells");
    fs::remove_file(server.path("profiles/$MA.cfg")).expect("it was there");
    both("of what it fetches, the server would give it nothing");

    server.profile("$MA.cfg", "<flat-profile><GPP_K>0</GPP_K></flat-profile>");
    tells(&[PHONE], 0, "");
    tells(&[], 0, "");
    assert_eq!(json(&server, &["drift", PHONE])["cannot_tell"], Value::Null);
    // One that can be compared is enough, and the other is told of.
    let other = format!("/report/{OTHER}.xml");
    assert_ok(&send(&server, OTHER, &other, &["--data-binary", FULL]));
    tells(&[], 0, &format!("{OTHER}: nothing could be compared: nothing is known of what it fetches"));
}

#[test]
fn what_is_kept_cannot_be_read_without_an_identity() {
    let server = server(SQLITE, RULES);
    let secret = "<flat-profile><GPP_A>find-this-text</GPP_A><Profile_Rule>[--key hush]https://h/x</Profile_Rule></flat-profile>";
    assert_ok(&report(&server, &own("report"), secret));
    let site = server.stop();
    let mut folders = vec![site.path("state")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            files += 1;
            let bytes = fs::read(entry.path()).expect("a file");
            assert!(!bytes.windows(14).any(|text| text == b"find-this-text"), "{:?}", entry.path());
        }
    }
    assert!(files > 1 && kept(&site) == 1);
    let shown = site.tell(&["report", "show", PHONE]);
    assert!(shown.contains("find-this-text") && !shown.contains("hush"), "{shown}");
    assert!(site.tell(&["report", "show", PHONE, "--reveal"]).contains("--key hush"));
    fs::remove_file(site.path("age.key")).expect("it was there");
    // An identity that opens nothing.
    let made = run("age-keygen", &["-o", &site.path("age.key").display().to_string()], b"");
    assert!(made.status.success(), "{made:?}");
    let output = site.phoneprov(&["report", "show", PHONE]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{output:?}");
    assert!(said.contains("only the holder of an identity") && said.contains("no report of"), "{said}");
    fs::remove_file(site.path("age.key")).expect("it was there");
    let output = site.phoneprov(&["report", "show", PHONE]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("age.key"), "{output:?}");
}

/// Rules for reports under a key in a file, by both formats.
fn encrypted() -> String {
    format!(
        "[[rule]]\npath = \"/aes/$MA.xml\"\naccept = \"report\"\nencrypt = \"aes-256-cbc\"\nkey_from = \"master\"\n\
         [[rule]]\npath = \"/ece/$MA.xml\"\naccept = \"report\"\nencrypt = \"aes128gcm\"\nkey = \"sixteen octets..\"\n\
         proof = \"none\"\n{RULES}"
    )
}

#[test]
fn gzip_and_both_ciphers_of_other_hands_are_undone() {
    let server = server(SQLITE, &encrypted());
    let key = server.tell(&["key", "--mac", PHONE]).trim().to_owned();
    let gzip = run("gzip", &["-c"], FULL.as_bytes()).stdout;
    let enc = |plain: &[u8]| openssl(&["enc", "-aes-256-cbc", "-md", "md5", "-k", &key], plain);
    assert_ok(&send_bytes(&server, &own("aes"), &enc(FULL.as_bytes()), &[]));
    assert_ok(&send_bytes(&server, &own("aes"), &enc(&gzip), &["-H", "Content-Type: application/x-gzip"]));
    assert_ok(&send_bytes(&server, &own("report"), &gzip, &["-H", "Content-Encoding: gzip"]));
    assert_ok(&send_bytes(&server, &own("report"), &gzip, &["-H", "Transfer-Encoding: chunked"]));
    let script = "import sys, http_ece; sys.stdout.buffer.write(http_ece.encrypt(sys.stdin.buffer.read(), \
                  key=b'sixteen octets..', version='aes128gcm'))";
    let ece = run("python3", &["-c", script], FULL.as_bytes()).stdout;
    assert_ok(&send_bytes(&server, &own("ece"), &ece, &["-H", "Content-Encoding: aes128gcm"]));
    let list = json(&server, &["report", "list", PHONE]);
    assert_eq!(list.as_array().map(Vec::len), Some(5), "{list}");
    let size = |at: usize| list[at]["size"].clone();
    assert!((1..5).all(|at| size(at) == size(0)), "each is kept as the same parameters: {list}");

    // Without a certificate, the key is the proof of what the rule takes from everybody.
    let file = server.path("body").display().to_string();
    let how = ["-H", "Content-Encoding: aes128gcm", "--data-binary", &format!("@{file}")];
    assert_ok(&curl(&[&how[..], &[&server.url("http", &own("ece"))]].concat()));
}

#[test]
fn a_devices_own_keys_open_its_reports_while_they_change() {
    let rules =
        "[[rule]]\npath = \"/own/$MA.xml\"\naccept = \"report\"\nencrypt = \"aes-256-cbc\"\nkey_from = \"device\"\n";
    let site = Site::new("");
    let seal = run(env!("CARGO_BIN_EXE_phoneprov"), &["secrets", "key"], b"").stdout;
    fs::write(site.path("seal.key"), seal).expect("room for a key");
    fs::write(site.path("age.key"), IDENTITY).expect("room for a key");
    let sealing = "[store]\nseal_key_file = \"seal.key\"\n";
    site.configure(&config(&ALL, &keeping(SQLITE, rules).replace("[store]\n", sealing)));
    site.tell(&["device", "add", PHONE]);
    let server = site.start();
    let enc = |key: &str| openssl(&["enc", "-aes-256-cbc", "-md", "md5", "-k", key], FULL.as_bytes());
    assert_eq!(send_bytes(&server, &own("own"), &enc("x"), &[]).status, 404, "it has none");
    server.tell(&["device", "key", "rotate", PHONE]);
    let shown = || server.tell(&["device", "key", "show", PHONE, "--reveal", "--json"]);
    let keys = |text: &str| -> Vec<String> {
        let is_key = |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_key).map(str::to_owned).collect()
    };
    let first = keys(&shown());
    assert_eq!(first.len(), 1, "{}", shown());
    assert!(wait_for(|| send_bytes(&server, &own("own"), &enc(&first[0]), &[]).status == 200));
    server.tell(&["device", "key", "rotate", PHONE]);
    let both = keys(&shown());
    assert_eq!(both.len(), 2, "{}", shown());
    for key in &both {
        assert!(wait_for(|| send_bytes(&server, &own("own"), &enc(key), &[]).status == 200), "{}", server.log());
    }
    assert_eq!(send_bytes(&server, &own("own"), &enc("y"), &[]).status, 404);
}

#[test]
fn what_is_not_in_order_is_refused_like_anything_else_and_nothing_of_it_is_kept() {
    let server = server(SQLITE, &format!("{}[limits]\nreport_size = \"64 KiB\"\n", encrypted()));
    let nothing = server.http("/nothing").timeless();
    let bomb = run("gzip", &["-c"], &vec![b' '; 8 << 20]).stdout;
    let wrong = |plain: &[u8]| openssl(&["enc", "-aes-256-cbc", "-md", "md5", "-k", "wrong"], plain);
    let aes: Vec<(String, Vec<u8>, &str, &str)> = vec![
        (own("aes"), wrong(FULL.as_bytes()), "", "no key of the rule opens it"),
        (own("aes"), FULL.into(), "", "sent in clear, and the rule takes aes-256-cbc only"),
        (own("ece"), vec![7; 100], "aes128gcm", "no key of the rule opens it"),
        (own("ece"), wrong(FULL.as_bytes()), "", "it is aes-256-cbc, and the rule has no key for that"),
        (own("report"), wrong(FULL.as_bytes()), "", "it is aes-256-cbc, and the rule has no key"),
        (own("report"), bomb.clone(), "gzip", "unpacks to more than"),
        (own("report"), bomb, "", "unpacks to more than"),
        (own("report"), FULL.into(), "br", "its coding is not one that is undone"),
        (own("report"), FULL.into(), "gzip", "its gzip is damaged"),
        (own("report"), b"<html>".to_vec(), "", "it is no report"),
        (own("report"), vec![0xff; 100], "", "it is no report"),
        (own("report"), vec![], "", "nothing was sent"),
        (own("report"), vec![b' '; 65 * 1024], "", "larger than limits.report_size"),
        (format!("/report/{OTHER}.xml"), FULL.into(), "", "the path names 000e08000002, the certificate"),
    ];
    for (path, body, coding, reason) in aes {
        let header = format!("Content-Encoding: {coding}");
        let how = ["-H", header.as_str()];
        let answer = send_bytes(&server, &path, &body, if coding.is_empty() { &[] } else { &how });
        assert_eq!(answer.status, 404, "{path} {reason}: {}", server.log());
        assert_eq!(answer.body, nothing.body, "{reason}");
        server.log_line(&[&path, reason]);
    }
    let refused = |how: &[&str], path: &str| curl(&[how, &[&server.url("http", path)]].concat()).status;
    assert_eq!(refused(&["--data-binary", FULL], &own("report")), 404, "without a certificate");
    assert_eq!(server.phone(&own("report")).status, 404, "nothing can be fetched there");
    let words = "the method is not one that rule /report/$MA.xml answers";
    server.log_line(&[&format!("path=\"{}\"", own("report")), "outcome=\"unknown\"", words]);
    assert_eq!(refused(&["--data-binary", FULL], "/basic.txt"), 404, "nothing takes it");
    let delete = send(&server, PHONE, &own("report"), &["-X", "DELETE"]);
    assert_eq!(delete.status, 404);
    assert_eq!(kept(&server), 0);
    assert_eq!(json(&server, &["report", "list", PHONE]), Value::Array(vec![]));
    let refusals = || server.tell(&["events", "--kind", "report", "--limit", "100"]);
    assert!(wait_for(|| refusals().contains("no key of the rule opens it")), "{}", refusals());
    let requests = || server.tell(&["events", "--kind", "request", "--limit", "100"]);
    assert!(wait_for(|| requests().contains("the path names 000e08000002")), "{}", requests());
    assert!(!server.tell(&["device", "list", "--failing"]).contains(PHONE), "it fails to tell, not to fetch");
    server.profile("report/$MA.xml", "a file where reports are sent to");
    let gz = [own("report"), own("report") + ".gz"];
    assert!(gz.iter().all(|path| server.phone(path).status == 404), "a file there is not given");
    assert_eq!(report(&server, &gz[1], FULL).status, 404, "nor by POST");
}

#[test]
fn what_a_stranger_sends_is_no_gap() {
    let open = "[[rule]]\npath = \"/open/$MA.xml\"\naccept = \"report\"\nproof = \"none\"\n";
    let server = server(SQLITE, &format!("{open}{RULES}"));
    assert_ok(&report(&server, &own("report"), FULL));
    let stranger = curl(&["--data-binary", "junk", &server.url("http", &own("open"))]);
    assert_eq!(stranger.status, 404, "{stranger:?}");
    let told = || server.tell(&["events", "--kind", "report"]);
    assert!(wait_for(|| told().contains(&format!("{PHONE}?"))), "{}", told());
    assert_eq!(json(&server, &["drift", PHONE])["gaps"], Value::Array(vec![]));
}

#[test]
fn a_report_that_was_not_taken_is_a_gap() {
    let server = server(SQLITE, RULES);
    assert_ok(&report(&server, &own("delta"), "<flat-profile><GPP_A>0</GPP_A></flat-profile>"));
    assert_eq!(json(&server, &["drift", PHONE])["gaps"][0], "no full report came before the changes");
    assert_ok(&report(&server, &own("report"), FULL));
    assert_eq!(json(&server, &["drift", PHONE])["gaps"], Value::Array(vec![]));
    assert_eq!(report(&server, &own("delta"), "<flat-profile><GPP_A>").status, 404);
    assert_eq!(report(&server, &own("status"), "no status").status, 404);
    assert_ok(&report(&server, &own("delta"), "<flat-profile><GPP_B>2</GPP_B></flat-profile>"));
    assert!(wait_for(|| json(&server, &["drift", PHONE])["gaps"][0].to_string().contains("it is no report")));
    let gaps = json(&server, &["drift", PHONE])["gaps"].clone();
    assert_eq!(gaps.as_array().map(Vec::len), Some(1), "a status is no part of it: {gaps}");
    assert_ok(&report(&server, &own("report"), FULL));
    assert_eq!(json(&server, &["drift", PHONE])["gaps"], Value::Array(vec![]), "a full report ends it");
}

#[test]
fn who_is_slow_or_goes_is_cut_off_and_leaves_nothing() {
    let limits = "[limits]\nrequest = \"1s\"\nupload = \"3s\"\nuploads_per_address = 2\n";
    let open = "[[rule]]\npath = \"/open/$MA.xml\"\naccept = \"report\"\nproof = \"none\"\n";
    let server = server(SQLITE, &format!("{open}{limits}"));
    let head = format!("POST {} HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n<flat", own("open"));
    let answer = raw(server.port("http"), head.as_bytes());
    assert_eq!(answer.status, 404, "{answer:?}");
    server.log_line(&["outcome=\"broken\"", "nothing for limits.request"]);

    // A byte now and then does not keep it alive.
    let mut drip = connect(server.port("http"));
    drip.write_all(head.as_bytes()).expect("loopback");
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(8) && drip.write_all(b"x").is_ok() {
        std::thread::sleep(Duration::from_millis(300));
    }
    server.log_line(&["outcome=\"broken\"", "not at its end within limits.upload"]);

    let mut streams = Vec::new();
    for _ in 0..2 {
        let mut stream = connect(server.port("http"));
        stream.write_all(head.as_bytes()).expect("loopback");
        streams.push(stream);
    }
    let busy = || curl(&["--data-binary", FULL, &server.url("http", &own("open"))]);
    let mut seen = 0;
    assert!(
        wait_for(|| {
            seen = busy().status;
            seen == 503
        }),
        "{seen}"
    );
    drop(streams);
    assert!(wait_for(|| busy().status == 200), "{}", server.log());
    server.log_line(&["outcome=\"broken\"", "the client"]);
    assert!(kept(&server) >= 1);
    let unfinished = || {
        fs::read_dir(server.path("state/uploads"))
            .expect("a folder")
            .flatten()
            .any(|e| e.path().extension().is_some_and(|end| end == "part"))
    };
    assert!(wait_for(|| !unfinished()));
}

#[test]
fn a_disk_without_room_is_said_and_leaves_nothing_half() {
    let site = Site::new("");
    let full = keeping(SQLITE, RULES).replace("floor = \"1 MiB\"", "floor = \"1000000 GiB\"");
    fs::write(site.path("age.key"), IDENTITY).expect("room for a key");
    site.configure(&config(&ALL, &full));
    site.tell(&["device", "add", PHONE]);
    let server = site.start();
    let answer = report(&server, &own("report"), FULL);
    assert_eq!((answer.status, answer.text().as_str()), (507, "no room\n"), "{}", server.log());
    assert_eq!(kept(&server), 0);
    server.log_line(&["outcome=\"failed\"", "no room for more"]);
    let refused = || server.tell(&["events", "--kind", "report", "--mac", PHONE]);
    assert!(wait_for(|| refused().contains("failed") && refused().contains("no room")), "{}", refused());
}

#[test]
fn a_reload_changes_how_many_uploads_there_may_be_at_once() {
    let site = Site::new("");
    let open = "[[rule]]\npath = \"/open/$MA\"\naccept = \"prt\"\nproof = \"none\"\n";
    let text = |uploads: u32| {
        config(&ALL, &keeping(SQLITE, &format!("{RULES}{open}[limits]\nrequest = \"1s\"\nuploads = {uploads}\n")))
    };
    site.configure(&text(1));
    site.tell(&["device", "add", PHONE]);
    let server = site.start();
    let under_way = || {
        let entries = fs::read_dir(server.path("state/uploads")).expect("a folder").flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".part")).count()
    };
    // What a report is answered while another upload comes in, a byte now and then.
    let status = || {
        let mut other = connect(server.port("http"));
        let head = format!("PUT /open/{PHONE} HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\nx");
        other.write_all(head.as_bytes()).expect("an open connection");
        assert!(wait_for(|| under_way() == 1), "{}", server.log());
        let answered = AtomicBool::new(false);
        let status = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !answered.load(Ordering::Relaxed) && other.write_all(b"x").is_ok() {
                    std::thread::sleep(Duration::from_millis(100));
                }
            });
            let status = report(&server, &own("report"), FULL).status;
            answered.store(true, Ordering::Relaxed);
            status
        });
        drop(other);
        assert!(wait_for(|| under_way() == 0), "{}", server.log());
        status
    };
    assert_eq!(status(), 503);
    server.reload(&text(2), "server: reloaded");
    assert_eq!((status(), status()), (200, 200));
    server.reload(&text(1), "server: reloaded");
    assert_eq!(status(), 503);
    assert!(!server.log().contains("count from the next start"), "{}", server.log());
}

#[test]
fn a_password_proves_a_report_too() {
    let rule = "[[rule]]\npath = \"/pass/$MA.xml\"\naccept = \"report\"\nproof = \"password\"\npassword_file = \"accounts\"\n\
                listeners = [\"http\", \"https\"]\n";
    let site = Site::new("");
    fs::write(site.path("age.key"), IDENTITY).expect("room for a key");
    let account = run(env!("CARGO_BIN_EXE_phoneprov"), &["password", PHONE], b"hush\n").stdout;
    fs::write(site.path("accounts"), account).expect("room for accounts");
    site.configure(&config(&ALL, &keeping(SQLITE, rule)));
    site.tell(&["device", "add", PHONE]);
    let server = site.start();
    let url = server.url("http", &own("pass"));
    let sent = |how: &[&str]| curl(&[how, &["--data-binary", FULL, &url]].concat()).status;
    assert_eq!(sent(&["-u", &format!("{PHONE}:hush")]), 200, "{}", server.log());
    assert_eq!(sent(&["-u", &format!("{PHONE}:wrong")]), 401);
    assert_eq!(sent(&[]), 401);
    assert_eq!(json(&server, &["report", "list"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn the_simulated_phones_reports_are_understood() {
    let server = server(SQLITE, RULES);
    server.profile("$MA.cfg", "<flat-profile><GPP_A>1</GPP_A></flat-profile>");
    let [ca, certificate, key] =
        [lab("ca.pem"), lab(&format!("phone-{PHONE}.pem")), lab(&format!("phone-{PHONE}.key"))];
    let rule = server.url("https", "/$MA.cfg");
    let state = server.path("phone.json").display().to_string();
    assert!(wait_for(|| server.phone(&format!("/{PHONE}.cfg")).status == 200));
    let phone = |kind: &str, more: &[&str]| {
        let report = format!("Report_Rule={kind}");
        let args = ["phone", "--mac", PHONE, "--ca", &ca, "--cert", &certificate, "--key", &key, "--state", &state];
        let all = [&args[..], &["--profile-rule", &rule, "--report", "--set", &report], more].concat();
        let output = run(env!("CARGO_BIN_EXE_phoneprov"), &all, b"");
        assert!(output.status.success(), "{output:?}\n{}", server.log());
    };
    phone(&server.url("https", "/report/$MA.xml"), &[]);
    let delta = format!("[--delta] {}", server.url("https", "/delta/$MA.xml"));
    phone(&delta, &["--set", "GPP_A=9", "--set", "HTTP_Report_Method=PUT"]);
    let drift = json(&server, &["drift", PHONE]);
    assert!(drift["deltas"] == 1 && drift["full"].is_string(), "{drift}");
}

#[test]
fn a_rule_that_takes_uploads_says_what_it_needs() {
    let said = |more: &str| {
        let site = Site::new("");
        site.configure(&config(&ALL, more));
        let output = site.phoneprov(&["check"]);
        assert!(!output.status.success(), "{more}");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let rule = "[[rule]]\npath = \"/r/$MA\"\naccept = \"report\"\n";
    assert!(said(rule).contains("there is no [store]"));
    assert!(said(&format!("{rule}[store]\n")).contains("add [uploads]"));
    for (line, reason) in [
        ("report = \"full\"", "only a rule with accept"),
        ("accept = \"prt\"\nreport = \"full\"", "takes problem reports"),
        ("methods = [\"POST\"]", "add accept"),
        ("accept = \"prt\"\nmethods = [\"GET\"]", "POST and PUT"),
        ("accept = \"prt\"\ngzip = true", "is given"),
        ("accept = \"report\"\nlisteners = [\"tftp\"]", "tftp"),
        ("accept = \"prt\"\nencrypt = \"aes-256-cbc\"\nkey = \"x\"", "do not encrypt problem reports"),
        ("accept = \"report\"\nproof = \"code\"", "a code"),
    ] {
        let text = said(&keeping(SQLITE, &format!("[[rule]]\npath = \"/r/$MA\"\n{line}\n")));
        assert!(text.contains(reason), "{line}: {text}");
    }
    let _ = curl_output(&["--version"]);
}
