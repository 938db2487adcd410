//! Starts: the first one, bad ones with what they say, and one on a very large tree.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use crate::outsider::{curl, openssl, run};
use crate::server::{refused, serve, wait_for};
use crate::site::{ALL, PHONE, Site, config, lab};

/// What a server says whose configuration has `from` replaced by `to`.
fn refused_with(from: &str, to: &str) -> String {
    let site = Site::new("");
    let text = config(&ALL, "");
    assert!(text.contains(from), "{from}");
    site.configure(&text.replace(from, to));
    refused(&site)
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let said = refused_with("protocol = \"http\"", "protocol = \"http\"\nsinglport = true");

    assert!(said.contains("config.toml:9: unknown key `singlport`, expected one of `address`"), "{said}");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();

    let said = refused_with("127.0.0.1:0\"\nprotocol = \"http\"", &format!("{address}\"\nprotocol = \"http\""));

    assert!(said.contains(&format!("listen.address {address}: Address already in use")), "{said}");
    assert!(said.contains("another program listens there; stop it, or choose another port"), "{said}");
}

#[test]
fn the_admin_ports_being_in_use_is_named_too() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();

    let said = refused_with("admin = { address = \"127.0.0.1:0\" }", &format!("admin = {{ address = \"{address}\" }}"));

    assert!(said.contains(&format!("admin.address {address}: Address already in use")), "{said}");
    assert!(said.contains("another program listens there; stop it, or choose another port"), "{said}");
}

#[test]
fn so_is_that_of_syslog() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();

    let said = refused(&Site::new(&format!("[syslog]\naddress = \"{address}\"\n")));

    assert!(said.contains(&format!("syslog.address {address}: Address already in use")), "{said}");
    assert!(said.contains("another program listens there; stop it, or choose another port"), "{said}");
}

#[test]
fn bounds_within_which_nothing_works_are_named_with_their_lines() {
    let said = refused(&Site::new("[limits]\nconnections = 0\n[[rule]]\npath = \"/a\"\nmethods = []\n"));

    let line = config(&ALL, "").lines().count() + 2;
    let limit = "limits.connections is 0, within which nothing ever works: expected 1 or more";
    assert!(said.contains(&format!("config.toml:{line}: {limit}")), "{said}");
    assert!(said.contains(&format!("config.toml:{}: rule.methods is empty: leave it out", line + 1)), "{said}");
}

#[test]
fn a_certificate_without_its_key_is_named() {
    let key = format!("key = \"{}\"", lab("server.key"));

    let none = refused_with(&key, "");
    let missing = refused_with(&key, "key = \"no-such.key\"");
    let empty = refused_with(&key, "key = \"config.toml\"");

    assert!(none.contains("listen.key is missing: the private key of listen.certificate, PEM"), "{none}");
    assert!(missing.contains("no-such.key") && missing.contains("No such file"), "{missing}");
    assert!(empty.contains("config.toml: no private key in it"), "{empty}");
}

#[test]
fn a_key_of_another_certificate_is_named() {
    let said = refused_with("server.key", &format!("phone-{PHONE}.key"));

    assert!(said.contains("server.pem and key") && said.contains(&format!("phone-{PHONE}.key")), "{said}");
    // "KeyMismatch" alone tells nobody what to do.
    assert!(said.contains("belong"), "{said}");
}

#[test]
fn a_level_that_is_none_is_refused_by_every_command() {
    let expected = "log.level: `inof` is not understood: expected error, warn, info, debug, trace or off";
    let site = Site::new("[log]\nlevel = \"inof\"\n");

    let said = refused(&site);
    let check = site.phoneprov(&["check"]);

    assert!(said.contains("config.toml:") && said.contains(expected), "{said}");
    assert_eq!(check.status.code(), Some(2), "{check:?}");
    assert!(String::from_utf8_lossy(&check.stderr).contains(expected), "{check:?}");
}

#[test]
fn so_is_one_of_the_command_line() {
    let site = Site::new("");

    for level in ["inof", "", "x=bogus"] {
        let said = site.phoneprov(&["serve", "--log", level]);
        let text = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(2), "{text}");
        assert!(text.contains(&format!("log.level: `{level}` is not understood")), "{text}");
    }
}

#[test]
fn a_missing_profile_folder_is_named() {
    let said = refused_with("profiles = \"profiles\"", "profiles = \"no-such-folder\"");

    assert!(said.contains("no-such-folder: No such file or directory"), "{said}");
    assert!(said.contains("make the folder, or let `profiles` in "), "{said}");
    assert!(said.contains("config.toml name another one"), "{said}");
}

#[test]
fn a_missing_configuration_is_named() {
    let site = Site::new("");
    fs::remove_file(site.config()).expect("a file");

    let said = refused(&site);

    assert!(said.contains("config.toml: No such file or directory"), "{said}");
    assert!(said.contains("name a configuration with --config, or start in the folder that has config.toml"), "{said}");
}

#[test]
fn a_server_certificate_of_tomorrow_starts_and_warns_as_check_does() {
    let site = Site::new("");
    issued(&site.path("old"), "20990101000000Z", "20990201000000Z");
    let text =
        config(&ALL, "").replace(&lab("server.pem"), "old/server.pem").replace(&lab("server.key"), "old/server.key");
    site.configure(&text);
    let check = site.phoneprov(&["check"]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(said.contains("the server's certificate is not valid before 2099-01-01"), "{said}");

    let server = site.start();

    server.log_line(&["WARN", "old/server.pem", "2099-01-01", "the server's certificate is not valid yet"]);
    assert_eq!(curl(&["-k", &server.url("https", "/basic.txt")]).status, 200);
}

#[test]
fn an_expired_server_certificate_starts_and_warns() {
    let site = Site::new("");
    expired(&site.path("old"));
    let text =
        config(&ALL, "").replace(&lab("server.pem"), "old/server.pem").replace(&lab("server.key"), "old/server.key");
    site.configure(&text);

    let server = site.start();

    server.log_line(&["WARN", "old/server.pem", "2021-01-01", "the server's certificate has expired"]);
    assert_eq!(curl(&["-k", &server.url("https", "/basic.txt")]).status, 200);
    assert_eq!(curl(&["--cacert", &lab("ca.pem"), &server.url("https", "/basic.txt")]).status, 0);
}

/// A certificate of the year 2020 for localhost.
fn expired(folder: &Path) {
    issued(folder, "20200101000000Z", "20210101000000Z");
}

/// A certificate for localhost with these dates, by `openssl ca`: `openssl req` makes none that has expired.
fn issued(folder: &Path, begins: &str, ends: &str) {
    fs::create_dir(folder).expect("room for a folder");
    let file = |name: &str| folder.join(name).display().to_string();
    let settings = format!(
        "[ca]\ndefault_ca = a\n[a]\ndatabase = {}\nnew_certs_dir = {}\nrand_serial = yes\ndefault_md = sha256\n\
         policy = p\nx509_extensions = x\n[x]\nsubjectAltName = IP:127.0.0.1\n[p]\ncommonName = supplied\n",
        file("index"),
        folder.display()
    );
    fs::write(folder.join("settings"), settings).expect("room for a file");
    fs::write(folder.join("index"), "").expect("room for a file");
    let (key, request) = (file("server.key"), file("request"));
    let new = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", &key];
    openssl(&[&new[..], &["-out", &request]].concat(), b"");
    let sign =
        ["ca", "-batch", "-selfsign", "-notext", "-config", &file("settings"), "-keyfile", &key, "-in", &request];
    let dates = ["-startdate", begins, "-enddate", ends, "-out", &file("server.pem")];
    openssl(&[&sign[..], &dates].concat(), b"");
}

#[test]
fn a_broken_template_is_one_phones_trouble_and_the_log_says_where() {
    let site = Site::new("");
    site.profile("syntax/$PN.xml", "<a>\n{% if %}\n</a>");
    site.profile("undefined/$PN.xml", "<a>\n\n{{ sip_proxi }}</a>");
    site.profile("base/$PN.xml", "{% extends \"_missing.xml\" %}");
    site.profile(
        "endless/$PN.xml",
        "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}",
    );
    let server = site.start();

    for path in ["/syntax/a.xml", "/undefined/a.xml", "/base/a.xml", "/endless/a.xml"] {
        assert_eq!(server.http(path).status, 404, "{path}");
    }

    server.log_line(&["WARN", "path=\"/syntax/a.xml\"", "outcome=\"failed\"", "syntax/$PN.xml:2"]);
    server.log_line(&["WARN", "path=\"/undefined/a.xml\"", "undefined/$PN.xml:3", "sip_proxi"]);
    server.log_line(&["WARN", "path=\"/base/a.xml\"", "_missing.xml"]);
    server.log_line(&["WARN", "path=\"/endless/a.xml\"", "endless/$PN.xml"]);
    assert_eq!(server.http("/8851-3PCC.xml").status, 200);
    assert_eq!(server.phone(&format!("/{PHONE}.cfg")).status, 200);
}

#[test]
fn the_first_start_of_the_shipped_configuration_makes_a_lab_and_says_what_to_try() {
    let site = Site::new("");
    let shipped = include_str!("../../config.toml").replace("0.0.0.0:8080", "127.0.0.1:0");
    let shipped = shipped.replace("0.0.0.0:8443", "127.0.0.1:0").replace("0.0.0.0:6969", "127.0.0.1:0");
    site.configure(&shipped.replace("127.0.0.1:8081", "127.0.0.1:0"));
    fs::create_dir_all(site.path("certs/client-ca")).expect("room for a folder");

    let server = site.start();

    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    for file in ["ca.key", "server.key", &format!("phone-{PHONE}.key"), "master.key"] {
        assert_eq!(mode(&server.path("certs/lab").join(file)), 0o600, "{file}");
    }
    let greeting = server.greeting();
    assert!(greeting.contains("certs     ") && greeting.contains("made just now"), "{greeting}");
    let tries: Vec<&str> = greeting.lines().map(str::trim).filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(tries.len(), 3, "{greeting}");
    for line in tries {
        let words: Vec<&str> = line.split(' ').skip(1).collect();
        let output = run("curl", &[&["-sSf", "--noproxy", "*"], words.as_slice()].concat(), b"");
        assert!(String::from_utf8_lossy(&output.stdout).contains("<flat-profile>"), "{line}: {output:?}");
    }
    let server = server.stop().start();
    assert!(!server.greeting().contains("made just now"), "{}", server.greeting());
    fs::remove_file(server.path("profiles/basic.txt")).expect("our sample");
    let server = server.stop().start();
    assert!(!server.greeting().contains("basic.txt"), "a command that cannot work: {}", server.greeting());
}

#[test]
fn a_reload_that_is_asked_for_during_the_start_comes_after_it() {
    // Making the lab takes a while, which begins with its authority.
    let site = Site::bare(&config(&["http"], "[lab]\ndirectory = \"made\"\n"));
    let mut command = serve(&site);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts");
    let pid = rustix::process::Pid::from_child(&child);
    assert!(wait_for(|| site.path("made").exists()), "no lab");

    let _ = rustix::process::kill_process(pid, rustix::process::Signal::HUP);
    let log = child.stdout.take().expect("a pipe");
    let line = BufReader::new(log).lines().map_while(Result::ok).find(|line| line.contains("reload"));
    let _ = child.kill();
    let _ = child.wait();

    assert!(line.as_ref().is_some_and(|line| line.contains(": reloaded")), "{line:?}");
}

#[test]
fn a_start_that_waits_for_its_store_ends_when_it_is_told_to() {
    let store = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("postgres://a:b@{}/c", store.local_addr().expect("an address"));
    let site = Site::bare(&config(&["http"], &format!("[store]\nurl = \"{url}\"\n")));
    let mut command = serve(&site);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts");
    let pid = rustix::process::Pid::from_child(&child);
    let (_never_answered, _) = store.accept().expect("the server's connection");

    let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    let ended = wait_for(|| child.try_wait().expect("a child").is_some());
    let _ = child.kill();
    let output = child.wait_with_output().expect("a child");

    assert!(ended && output.status.code() == Some(0), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("stopped before the start was done"), "{output:?}");
}

#[test]
fn a_json_log_is_one_object_a_line() {
    let site = Site::new("[log]\nformat = \"json\"\n");
    let mut server = site.start();
    server.http("/basic.txt");
    server.http("/a%22b\\..");
    server.https(PHONE, &format!("/{PHONE}.cfg"));
    server.log_line(&["\"transport\":\"https\"", "\"device.proven\""]);
    server.signal(rustix::process::Signal::TERM);
    server.ended();

    let parse = "import json,sys\nfor line in sys.stdin:\n e = json.loads(line)\n \
                 if 'request.id' in e: print(e['transport'], e['outcome'], e['bytes'] >= 0, e['duration_ms'] > 0)\n";
    let output = run("python3", &["-c", parse], server.log().as_bytes());

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(lines, "http served True True\nhttp unknown True True\nhttps served True True\n");
}

#[test]
fn a_tree_of_twenty_thousand_files_is_served_without_being_read() {
    let site = Site::new("");
    for folder in 0..20 {
        let folder = site.path(&format!("profiles/many/{folder:03}"));
        fs::create_dir_all(&folder).expect("room for a folder");
        for file in 0..1000 {
            fs::File::create(folder.join(format!("{file:03}.txt"))).expect("room for a file");
        }
    }
    site.profile("many/$PN/$MA.txt", "{{ MA }}");

    let server = site.start();

    assert_eq!(server.http("/many/019/999.txt").status, 200);
    assert_eq!(server.http("/many/019/missing.txt").status, 404);
    assert_eq!(server.phone(&format!("/many/015/{PHONE}.txt")).text(), PHONE);
}
