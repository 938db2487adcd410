//! What is refused and what is not there look the same to the phone; the log tells them apart and holds no secret.

use std::io::{Read, Write};

use crate::outsider::{Answer, connect, curl, curl_output, decrypt, raw, run};
use crate::server::Server;
use crate::site::{OTHER, PHONE, Site, lab};

/// What curl gets for what is not there.
fn unknown(server: &Server) -> Answer {
    let answer = server.http("/no-such-file.cfg").timeless();
    assert_eq!((answer.status, answer.text().as_str()), (404, "not found\n"));
    answer
}

#[test]
fn every_refusal_is_byte_for_byte_that_of_an_unknown_file() {
    let site = Site::new("[[rule]]\npath = \"/over-tftp.txt\"\nlisteners = [\"tftp\"]\n");
    site.profile("over-tftp.txt", "x");
    site.profile("broken/$PN.xml", "{% if %}");
    site.profile("undefined/$PN.xml", "{{ nobody_defined_this }}");
    site.profile("SEP000E08ABCDEF.cnf.xml", "x");
    let server = site.start();
    let unknown = unknown(&server);

    let refusals = [
        ("/_base.xml", "names that begin with"),
        (&format!("/{PHONE}.cfg"), "a certificate is needed, which http does not carry"),
        ("/SEP000E08ABCDEF.cnf.xml", "a certificate is needed"),
        ("/over-tftp.txt", "rule /over-tftp.txt does not serve over http"),
        ("/broken/CP-8841-3PCC.xml", "broken/$PN.xml:1"),
        ("/undefined/CP-8841-3PCC.xml", "undefined/$PN.xml:1"),
        ("/$MA.cfg", "no such file"),
        ("/secure", "no such file"),
        ("/secure/", "empty segment"),
        ("/", "empty segment"),
    ];
    for (path, reason) in refusals {
        assert_eq!(server.http(path).timeless(), unknown, "{path}");
        server.log_line(&[&format!("path=\"{path}\""), reason]);
    }
}

#[test]
fn a_path_that_could_leave_the_tree_is_unknown_in_every_disguise() {
    let server = Site::new("").start();
    let unknown = unknown(&server);

    let paths = [
        ("/../config.toml", "dot segment"),
        ("/a/../basic.txt", "dot segment"),
        ("/%2e%2e/config.toml", "dot segment"),
        ("/%2E%2E/config.toml", "dot segment"),
        ("/./basic.txt", "dot segment"),
        ("/..%2fconfig.toml", "encoded slash"),
        ("/basic.txt%00", "NUL"),
        ("/%00", "NUL"),
        ("//basic.txt", "empty segment"),
        ("/secure//x.cfg", "empty segment"),
        ("/..%5cconfig.toml", "back-slash"),
        ("/%ff.cfg", "not UTF-8"),
        ("/%5Fbase.xml", "names that begin with"),
        ("/.git/config", "names that begin with"),
        ("/basic.txt%0a", "control character"),
    ];
    for (path, reason) in paths {
        assert_eq!(server.http(path).timeless(), unknown, "{path}");
        server.log_line(&[&format!("path=\"{path}\""), reason]);
    }
}

#[test]
fn characters_that_no_client_should_send_in_a_path_are_unknown_too() {
    let server = Site::new("").start();
    let unknown = unknown(&server);

    for path in ["/..\\config.toml", "/a\\b", "/a|b", "/\"", "/{x}", "/ä.cfg"] {
        let mut answer = raw(server.port("http"), &closing(path.as_bytes())).timeless();
        answer.headers.retain(|(name, _)| name != "connection");
        assert_eq!(answer, unknown, "{path}");
    }
}

#[test]
fn bytes_that_make_no_http_request_are_answered_alike_whatever_is_there() {
    let server = Site::new("").start();
    let answer = |path: &[u8]| raw(server.port("http"), &closing(path)).timeless();

    let expected = answer(b"/no-such-file.cfg\xff");

    assert_eq!((expected.status, expected.body.len()), (400, 0));
    for path in [&b"/basic.txt\xff"[..], b"/\xff.cfg", b"/_base.xml\xc3\x28", b"/a\0b", b"/a b", b"/<x>"] {
        assert_eq!(answer(path), expected, "{}", String::from_utf8_lossy(path));
    }
}

fn closing(path: &[u8]) -> Vec<u8> {
    [b"GET ", path, b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"].concat()
}

#[test]
fn a_link_out_of_the_tree_is_unknown_and_a_link_within_is_served() {
    let site = Site::new("");
    let outside = site.path("outside.txt");
    std::fs::write(&outside, "TopSecretOutside").expect("room for a file");
    std::os::unix::fs::symlink(&outside, site.path("profiles/out.txt")).expect("a link");
    std::os::unix::fs::symlink(site.path(""), site.path("profiles/up")).expect("a link");
    std::os::unix::fs::symlink("basic.txt", site.path("profiles/within.txt")).expect("a link");
    let server = site.start();
    let unknown = unknown(&server);

    for path in ["/out.txt", "/up/outside.txt", "/up/config.toml", "/out.txt.gz"] {
        assert_eq!(server.http(path).timeless(), unknown, "{path}");
        server.log_line(&[&format!("path=\"{path}\""), "a symbolic link leads out of the profile folder"]);
    }
    assert_eq!(server.http("/within.txt").status, 200);
}

#[test]
fn a_link_out_of_the_tree_stays_unknown_when_what_it_leads_to_is_in_memory() {
    let site = Site::new("");
    let (inside, outside) = (site.path("profiles/basic.txt"), site.path("same.txt"));
    std::fs::hard_link(&inside, &outside).expect("a second name");
    for (target, link) in [(&inside, "absolute.txt"), (&outside, "out.txt")] {
        std::os::unix::fs::symlink(target, site.path(&format!("profiles/{link}"))).expect("a link");
    }
    let server = site.start();
    std::thread::sleep(std::time::Duration::from_millis(100));
    for _ in 0..2 {
        assert_eq!(server.http("/basic.txt").status, 200);
        for path in ["/absolute.txt", "/out.txt"] {
            assert_eq!(server.http(path).status, 404, "{path}");
        }
    }
}

#[test]
fn methods_that_write_are_refused_like_anything_else() {
    let site = Site::new("");
    let large = site.path("large");
    std::fs::write(&large, vec![b'x'; 3 << 20]).expect("room for a file");
    let server = site.start();
    let unknown = unknown(&server);
    let (url, missing) = (server.url("http", "/basic.txt"), server.url("http", "/no-such-file.cfg"));
    let upload = large.display().to_string();

    for method in ["DELETE", "OPTIONS", "PATCH", "PROPFIND", "TRACE"] {
        assert_eq!(curl(&["-X", method, &url]).timeless(), unknown, "{method}");
    }
    for url in [&url, &missing] {
        assert_eq!(curl(&["-d", "a=b", url]).timeless(), unknown, "POST {url}");
        assert_eq!(curl(&["-X", "PUT", "-d", "a=b", url]).timeless(), unknown, "PUT {url}");
        let answer = curl(&["-H", "Expect:", "-T", &upload, url]);
        assert_eq!(answer.status, 404, "a large PUT {url}");
    }
    server.log_line(&["path=\"/basic.txt\"", "the method is not one that rule default answers"]);
    assert!(server.http("/basic.txt").text().contains("12345678"));
}

#[test]
fn check_tells_of_a_link_that_opens_what_is_closed() {
    let site = Site::new("");
    site.profile("_private.txt", "x");
    for (link, target) in [("front.cfg", "$MA.cfg"), ("open.txt", "_private.txt"), ("other.txt", "basic.txt")] {
        std::os::unix::fs::symlink(target, site.path(&format!("profiles/{link}"))).expect("a link");
    }
    let config = site.config().display().to_string();
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), &["check", "--config", &config], b"");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("warning: open.txt: open to everybody, although it is a link to `_private.txt`"), "{told}");
    assert!(told.contains("warning: front.cfg: open to everybody, although it is a link to `$MA.cfg`"), "{told}");
    assert!(!told.contains("other.txt"), "{told}");
}

#[test]
fn a_client_that_is_still_sending_hears_its_answer() {
    let server = Site::new("").start();
    let mut stream = connect(server.port("http"));
    let head = "PUT /basic.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 2097152\r\n\r\n";
    let part = vec![b'x'; 1 << 20];

    stream.write_all(head.as_bytes()).expect("a connection");
    for _ in 0..2 {
        // Long after the answer has come.
        std::thread::sleep(std::time::Duration::from_millis(200));
        stream.write_all(&part).expect("the server takes what it does not want");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer, and then the end");

    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[test]
fn head_of_a_refusal_has_the_same_headers_and_no_body() {
    let server = Site::new("").start();
    let get = unknown(&server);

    for path in ["/no-such-file.cfg", "/_base.xml", &format!("/{PHONE}.cfg")] {
        let head = curl(&["-I", &server.url("http", path)]).timeless();
        assert_eq!((head.status, &head.headers, head.body.len()), (404, &get.headers, 0), "{path}");
    }
}

#[test]
fn a_refusal_does_not_say_by_its_time_that_the_file_is_there() {
    let server = Site::new("").start();
    let mut stream = connect(server.port("http"));
    let mut time = |path: &str| {
        let mut fastest = std::time::Duration::MAX;
        for _ in 0..20 {
            let began = std::time::Instant::now();
            let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
            std::io::Write::write_all(&mut stream, request.as_bytes()).expect("an open connection");
            std::io::Read::read(&mut stream, &mut [0; 4096]).expect("an answer");
            fastest = fastest.min(began.elapsed());
        }
        fastest
    };

    let (absent, refused) = (time("/no-such-file.cfg"), time(&format!("/{PHONE}.cfg")));

    assert!(absent.abs_diff(refused).as_millis() < 3, "{absent:?} {refused:?}");
}

#[test]
fn the_log_holds_no_secret_and_no_body() {
    let site = Site::new(
        "[[rule]]\npath = \"/basic.cfg\"\nencrypt = \"aes-256-cbc\"\nkey = \"RuleKeySecret\"\n\
         [[rule]]\npath = \"/file.cfg\"\nencrypt = \"aes-256-cbc\"\nkey_file = \"key\"\n\
         [[rule]]\npath = \"/wrong/$PN.cfg\"\nencrypt = \"aes-256-cbc\"\nkey = \"TemplateSecret{{ nobody }}\"\n\
         [[rule]]\npath = \"/secure/$MA.cfg\"\nproof = \"none\"\nencrypt = \"aes-256-cbc\"\nkey_from = \"master\"\n\
         [log]\nlevel = \"trace\"\n",
    );
    std::fs::write(site.path("key"), "FileKeySecret\n").expect("room for a key");
    site.profile("file.cfg", "BodyOfTheProfile");
    site.profile("wrong/$PN.cfg", "x");
    site.profile("bad/$PN.cfg", "{% set password = \"LiteralSecret\" %}{{ password / 0 }}");
    site.profile("worse/$PN.cfg", "{% set password = \"LiteralSecret\" %}{{ password.user.name }}");
    let server = site.start();

    for path in ["/basic.cfg", "/basic.txt", "/file.cfg", "/wrong/a.cfg", "/bad/a.cfg", "/worse/a.cfg"] {
        server.http(path);
        server.phone(&format!("{path}?token=QuerySecret"));
    }
    server.http(&format!("/secure/{PHONE}.cfg"));
    server.phone(&format!("/{PHONE}.cfg"));
    server.https(OTHER, &format!("/{PHONE}.cfg"));
    let credentials = ["-u", "user:BasicSecret", "-d", "UploadedBody", &server.url("http", "/basic.txt")];
    curl(&credentials);

    server.log_line(&["path=\"/basic.txt\"", "the method is not one"]);
    let master = std::fs::read_to_string(lab("master.key")).expect("the master secret");
    let log = server.log();
    let secrets = [
        "RuleKeySecret",
        "FileKeySecret",
        "TemplateSecret",
        "LiteralSecret",
        "QuerySecret",
        "BasicSecret",
        "UploadedBody",
        "BodyOfTheProfile",
        "12345678",
        "<flat-profile>",
        "sip.example.com",
        "dXNlcjpCYXNpY1NlY3JldA",
        "PRIVATE KEY",
        master.trim(),
    ];
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}

/// What a phone gets from the cache is its own, whatever the path has in common with another phone's.
#[test]
fn two_phones_on_one_path_never_get_each_others_bytes() {
    let site = Site::new(
        "[[rule]]\npath = \"/shared.cfg\"\nproof = \"certificate\"\nencrypt = \"aes-256-cbc\"\nkey = \"key-of-{{ MA }}\"\n\
         [[rule]]\npath = \"/$PSN.xml\"\nproof = \"certificate\"\n",
    );
    site.profile("shared.cfg", "the same for all");
    site.profile("$PSN.xml", "{{ MA }}");
    // Only files that were not written a moment ago are kept.
    std::thread::sleep(std::time::Duration::from_millis(50));
    let server = site.start();

    for _ in 0..3 {
        for mac in [PHONE, OTHER] {
            let key = format!("key-of-{mac}");
            assert_eq!(decrypt(&key, &server.https(mac, "/shared.cfg").body), b"the same for all", "{mac}");
            assert_eq!(server.https(mac, "/8841-3PCC.xml").text(), mac);
        }
    }
    let metrics = curl(&[&server.admin("/metrics")]).text();
    assert!(metrics.contains("phoneprov_cache_hits_total 8"), "the cache was asked: {metrics}");
}

#[test]
fn https_to_the_http_port_leaves_a_line_and_a_client_that_leaves_without_an_alert_none() {
    let server = Site::new("").start();
    let tls = |protocol: &str, name: &str| {
        let port = server.port(protocol);
        let resolve = format!("{name}:{port}:127.0.0.1");
        let url = format!("https://{name}:{port}/basic.txt");
        curl_output(&["--cacert", &lab("ca.pem"), "--resolve", &resolve, &url]).status.code()
    };
    assert_eq!(tls("https", "localhost"), Some(0));
    assert_eq!(tls("https", "elsewhere.example.com"), Some(60), "the name is not in the certificate");
    assert_ne!(tls("http", "localhost"), Some(0));
    server.log_line(&["phoneprov::listen::rejected", "request not understood", "invalid HTTP method parsed"]);
    assert!(!server.log().contains("handshake failed"), "{}", server.log());
}
