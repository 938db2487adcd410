//! HTTP as phones and their operators use it: validators, ranges, old and new versions, headers of a rule.

use std::io::{Read, Write};

use crate::outsider::{Answer, connect, curl, openssl, raw, read_to_close, run};
use crate::server::Server;
use crate::site::Site;

/// Three megabytes in which every place differs from its neighbours.
fn firmware() -> Vec<u8> {
    (0..3 * 1024 * 1024 / 4_u32).flat_map(u32::to_be_bytes).collect()
}

#[test]
fn head_has_the_headers_of_get_and_no_body() {
    let site = Site::new("");
    site.profile("image/sip.loads", firmware());
    let server = site.start();

    for path in ["/basic.txt", "/8851-3PCC.xml", "/image/sip.loads", "/basic.cfg"] {
        let get = curl(&[&server.url("http", path)]).timeless();
        let head = curl(&["-I", &server.url("http", path)]).timeless();
        assert_eq!((head.status, &head.headers, head.body.len()), (200, &get.headers, 0), "{path}");
        assert_eq!(get.header("content-length"), Some(get.body.len().to_string().as_str()), "{path}");
    }
}

#[test]
fn what_the_client_has_already_is_not_sent_again() {
    let server = Site::new("").start();

    for path in ["/basic.txt", "/8851-3PCC.xml"] {
        let url = server.url("http", path);
        let first = curl(&[&url]);
        let (tag, date) = (first.header("etag").expect("a tag"), first.header("last-modified").expect("a date"));
        let same = [
            format!("If-None-Match: {tag}"),
            format!("If-None-Match: \"other\", W/{tag}"),
            "If-None-Match: *".to_owned(),
            format!("If-Modified-Since: {date}"),
        ];
        for header in &same {
            let answer = curl(&["-H", header, &url]);
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{path} {header}");
            assert_eq!(answer.header("etag"), Some(tag), "{path} {header}");
            // RFC 9110 §8.6: no length, or that of the 200.
            let length = first.body.len().to_string();
            assert!(answer.header("content-length").is_none_or(|other| other == length), "{answer:?}");
        }
        let other = ["If-None-Match: \"other\"", "If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT"];
        for header in other {
            assert_eq!(curl(&["-H", header, &url]).body, first.body, "{path} {header}");
        }
        let both = ["-H", "If-None-Match: \"other\"", "-H", &format!("If-Modified-Since: {date}"), &url];
        assert_eq!(curl(&both).status, 200, "the tag counts where there are both");
    }
    server.log_line(&["path=\"/basic.txt\"", "outcome=\"unchanged\"", "bytes=0"]);
}

#[test]
fn a_date_counts_only_where_it_says_what_the_bytes_are() {
    let rule = "[[rule]]\npath = \"/sealed.txt\"\nproof = \"none\"\nencrypt = \"aes-256-cbc\"\nkey_file = \"key\"\n\
                [[rule]]\npath = \"/of/**\"\nproof = \"none\"\n";
    let site = Site::new(rule);
    std::fs::write(site.path("key"), "one").expect("a key");
    site.profile("sealed.txt", "the same text");
    site.profile("of/$A.txt", "{% include 'of/_part.txt' %}{% include 'of/_other/x.txt' ignore missing %}");
    for part in ["_part.txt", "_other/x.txt", "_next/x.txt"] {
        site.profile(&format!("of/{part}"), part);
    }
    let server = site.start();
    let since = |server: &Server, path: &str, date: &str| {
        curl(&["-H", &format!("If-Modified-Since: {date}"), &server.url("http", path)])
    };
    let date = |answer: &Answer| answer.header("last-modified").expect("a date").to_owned();
    // HTTP's dates are whole seconds.
    let next_second = || std::thread::sleep(std::time::Duration::from_millis(1100));
    let old = |path: &str| {
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        std::fs::File::options()
            .write(true)
            .open(path)
            .and_then(|file| file.set_modified(long_ago))
            .expect("an older date");
    };

    // A part that takes another's place is older than it; a folder of parts likewise; a part goes.
    let changes: [&dyn Fn(&Server); 3] = [
        &|server| {
            let new = server.profile("of/_new.txt", "new");
            old(new.to_str().expect("a path"));
            std::fs::rename(new, server.path("profiles/of/_part.txt")).expect("another part");
        },
        &|server| {
            let at = |name: &str| server.path(&format!("profiles/of/{name}"));
            std::fs::rename(at("_other"), at("_before")).expect("moved away");
            std::fs::rename(at("_next"), at("_other")).expect("moved there");
        },
        &|server| std::fs::remove_file(server.path("profiles/of/_other/x.txt")).expect("removed"),
    ];
    for (number, change) in changes.iter().enumerate() {
        let first = server.http("/of/a.txt");
        assert_eq!(since(&server, "/of/a.txt", &date(&first)).status, 304, "{number}");
        next_second();
        change(&server);
        let then = since(&server, "/of/a.txt", &date(&first));
        assert_eq!((then.status, then.body != first.body), (200, true), "{number}");
    }

    // Links on the way may turn to what is older, and no folder by the name that was asked for tells.
    let linked = |target: &str, name: &str| {
        let name = server.path(&format!("profiles/of/{name}"));
        let _ = std::fs::remove_file(&name);
        std::os::unix::fs::symlink(target, name).expect("a link");
    };
    server.profile("of/old/rel/v0/$A.txt", "old");
    server.profile("of/old/rel/v1/$A.txt", "new");
    linked("v1", "old/rel/live");
    linked("old/rel/live", "now");
    let first = server.http("/of/now/a.txt");
    linked("v0", "old/rel/live");
    let then = since(&server, "/of/now/a.txt", &date(&first));
    assert_eq!((first.text(), then.status, then.text()), ("new".to_owned(), 200, "old".to_owned()));
    let tag = format!("If-None-Match: {}", then.header("etag").expect("a tag"));
    assert_eq!(curl(&["-H", &tag, &server.url("http", "/of/now/a.txt")]).status, 304);

    // Two files of one date, one in place of the other.
    let first = server.http("/basic.txt");
    let modified = std::fs::metadata(server.path("profiles/basic.txt")).and_then(|of| of.modified()).expect("a date");
    next_second();
    let other = server.profile("other.txt", "another");
    std::fs::File::options().write(true).open(&other).and_then(|file| file.set_modified(modified)).expect("its date");
    std::fs::rename(other, server.path("profiles/basic.txt")).expect("in its place");
    assert_eq!(since(&server, "/basic.txt", &date(&first)).text(), "another");

    // What is under another key is another file, and no part of one fits the other.
    let first = server.http("/sealed.txt");
    assert_eq!(first.status, 200, "{}", server.log());
    std::fs::write(server.path("key"), "two").expect("another key");
    server.signal(rustix::process::Signal::HUP);
    server.log_line(&["reloaded"]);
    let then = since(&server, "/sealed.txt", &date(&first));
    assert_eq!((then.status, then.body != first.body), (200, true));
    let if_range = format!("If-Range: {}", date(&first));
    assert_eq!(curl(&["-r", "20-", "-H", &if_range, &server.url("http", "/sealed.txt")]).status, 200);
    let tag = format!("If-None-Match: {}", then.header("etag").expect("a tag"));
    assert_eq!(curl(&["-H", &tag, &server.url("http", "/sealed.txt")]).status, 304);
}

#[test]
fn a_large_file_with_its_old_date_is_another() {
    let site = Site::new("");
    let path = site.profile("image/sip.loads", firmware());
    let server = site.start();
    let first = curl(&["-I", &server.url("http", "/image/sip.loads")]);
    let modified = std::fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("a date");
    let mut file = std::fs::File::options().write(true).open(&path).expect("the file");
    file.write_all(b"patched").and_then(|()| file.set_modified(modified)).expect("patched in place");
    let tag = format!("If-None-Match: {}", first.header("etag").expect("a tag"));
    assert_eq!(curl(&["-I", "-H", &tag, &server.url("http", "/image/sip.loads")]).status, 200);
}

#[test]
fn firmware_is_sent_whole_or_in_parts() {
    let site = Site::new("");
    let content = firmware();
    site.profile("image/sip.loads", &content);
    let server = site.start();
    let url = server.url("http", "/image/sip.loads");

    let whole = curl(&["-H", "Accept-Encoding: gzip", &url]);
    assert!(whole.body == content, "{:?}", whole.headers);
    assert_eq!(whole.header("content-encoding"), None);
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    let parts = [
        ("bytes=0-99", 0, 99),
        ("bytes=1048570-2097160", 1_048_570, 2_097_160),
        ("bytes=3145000-", 3_145_000, 3_145_727),
        ("bytes=-10", 3_145_718, 3_145_727),
    ];
    for (range, first, last) in parts {
        let part = curl(&["-H", &format!("Range: {range}"), &url]);
        assert_eq!(part.status, 206, "{range}");
        assert!(part.body == content[first..=last], "{range}");
        assert_eq!(part.header("content-range"), Some(format!("bytes {first}-{last}/3145728").as_str()));
    }
    let beyond = curl(&["-H", "Range: bytes=3145728-", &url]);
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */3145728")));
    server.log_line(&["path=\"/image/sip.loads\"", "outcome=\"served\"", "bytes=3145728"]);
}

#[test]
fn a_range_holds_only_for_the_file_it_was_begun_with() {
    let site = Site::new("");
    site.profile("image/sip.loads", firmware());
    let server = site.start();

    for path in ["/image/sip.loads", "/basic.txt"] {
        let url = server.url("http", path);
        let tag = curl(&["-I", &url]).header("etag").expect("a tag").to_owned();
        let part = |tag: &str| curl(&["-H", "Range: bytes=5-9", "-H", &format!("If-Range: {tag}"), &url]).status;
        assert_eq!((part(&tag), part("\"other\"")), (206, 200), "{path}");
    }
}

#[test]
fn a_small_file_is_sent_in_parts_too() {
    let server = Site::new("").start();
    let url = server.url("http", "/basic.txt");

    let part = curl(&["-H", "Range: bytes=1-12", "-H", "Accept-Encoding: gzip", &url]);
    let two = curl(&["-H", "Range: bytes=0-1,4-5", &url]);

    assert_eq!((part.status, part.text().as_str()), (206, "flat-profile"));
    assert_eq!((two.status, two.body.len()), (200, include_bytes!("../../profiles/basic.txt").len()));
}

#[test]
fn http_1_0_is_served_with_and_without_host_and_then_closed() {
    let server = Site::new("").start();
    let port = server.port("http");
    let expected = curl(&[&server.url("http", "/basic.txt")]).body;

    for request in ["GET /basic.txt HTTP/1.0\r\n\r\n", "GET /basic.txt HTTP/1.0\r\nHost: prov.example\r\n\r\n"] {
        let answer = raw(port, request.as_bytes());
        assert_eq!((answer.status, &answer.body), (200, &expected), "{request}");
        assert_eq!(answer.header("content-length"), Some(expected.len().to_string().as_str()));
        assert_eq!(answer.header("transfer-encoding"), None);
    }
}

#[test]
fn http_1_1_without_host_and_with_an_absolute_target_is_served() {
    let server = Site::new("").start();
    let port = server.port("http");

    let absolute =
        raw(port, b"GET http://prov.example/basic.txt?cisco HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

    assert!(absolute.status == 200 && absolute.text().contains("12345678"), "{absolute:?}");
}

#[test]
fn every_answer_has_a_length_and_none_is_chunked() {
    let site = Site::new("");
    site.profile("image/sip.loads", firmware());
    site.profile("empty.txt", "");
    let server = site.start();

    for path in ["/basic.txt", "/8851-3PCC.xml", "/image/sip.loads", "/basic.txt.gz", "/empty.txt", "/missing"] {
        let answer = curl(&["--raw", &server.url("http", path)]);
        assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()), "{path}");
        assert_eq!(answer.header("transfer-encoding"), None, "{path}");
    }
}

#[test]
fn one_connection_carries_many_requests() {
    let server = Site::new("").start();
    let (first, second) = (server.url("https", "/basic.txt"), server.url("https", "/missing"));

    let ca = crate::site::lab("ca.pem");
    let connects = ["-o", "/dev/null", "--cacert", &ca, "-w", "%{num_connects} "];
    let arguments = [&connects[..], &[&first, "-o", "/dev/null", &second, "-o", "/dev/null", &first]].concat();
    let output = crate::outsider::curl_output(&arguments);

    assert_eq!(String::from_utf8_lossy(&output.stdout), "1 0 0 ");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Site::new("").start();
    let mut stream = connect(server.port("http"));
    let get = |path: &str, last: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n{last}\r\n");
    let requests = [
        get("/basic.txt", ""),
        get("/missing", ""),
        get("/basic2.txt", ""),
        get("/basic.txt", "Connection: close\r\n"),
    ];

    stream.write_all(requests.concat().as_bytes()).expect("an open connection");
    let wire = String::from_utf8(read_to_close(&mut stream)).expect("text");

    let places = ["12345678", "not found", "ABCD"].map(|text| wire.find(text).expect("every answer"));
    assert!(places.is_sorted(), "{wire}");
    assert_eq!((wire.matches("HTTP/1.1 ").count(), wire.matches("12345678").count()), (4, 2), "{wire}");
}

#[test]
fn keep_alive_goes_on_after_a_refusal() {
    let server = Site::new("").start();
    let mut stream = connect(server.port("http"));
    let mut ask = |path: &str| {
        write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").expect("an open connection");
        let mut wire = [0; 4096];
        let length = stream.read(&mut wire).expect("an answer");
        Answer::parse(&wire[..length]).status
    };

    assert_eq!([ask("/missing"), ask("/_base.xml"), ask("/basic.txt")], [404, 404, 200]);
}

#[test]
fn a_rule_sets_headers() {
    let headers = "headers = { \"Content-Type\" = \"application/x-cisco\", \"Cache-Control\" = \"max-age=60\", \
                   \"X-Robots-Tag\" = \"none\" }";
    let server = Site::new(&format!("[[rule]]\npath = \"/*.txt\"\n{headers}\n")).start();

    let (ruled, default) = (server.http("/basic.txt"), server.http("/8851-3PCC.xml"));

    let values = |answer: &Answer, name: &str| answer.headers.iter().filter(|header| header.0 == name).count();
    assert_eq!(ruled.header("content-type"), Some("application/x-cisco"));
    assert_eq!(ruled.header("cache-control"), Some("max-age=60"));
    assert_eq!(ruled.header("x-robots-tag"), Some("none"));
    assert_eq!((values(&ruled, "content-type"), values(&ruled, "cache-control")), (1, 1), "{ruled:?}");
    assert_eq!(default.header("content-type"), Some("text/xml; charset=utf-8"));
    assert_eq!(default.header("cache-control"), Some("private, no-cache"));
}

#[test]
fn a_rule_may_leave_get_out() {
    let server = Site::new("[[rule]]\npath = \"/basic.txt\"\nmethods = [\"HEAD\"]\n").start();
    let url = server.url("http", "/basic.txt");

    assert_eq!((curl(&["-I", &url]).status, curl(&[&url]).status), (200, 404));
}

#[test]
fn what_is_compressed_or_encrypted_already_is_not_coded_again() {
    let site = Site::new("[[rule]]\npath = \"/zipped/**\"\ngzip = true\n");
    let text = "<GPP_A>x</GPP_A>\n".repeat(1000);
    let zipped = run("gzip", &["-nc"], text.as_bytes()).stdout;
    let sealed = openssl(&["enc", "-aes-256-cbc", "-md", "md5", "-k", "x"], text.as_bytes());
    site.profile("made.xml", &zipped);
    site.profile("zipped/made.xml", &zipped);
    site.profile("sealed.cfg", &sealed);
    let server = site.start();

    for (path, expected) in [("/made.xml", &zipped), ("/zipped/made.xml", &zipped), ("/sealed.cfg", &sealed)] {
        let answer = curl(&["-H", "Accept-Encoding: gzip", &server.url("http", path)]);
        assert_eq!((answer.header("content-encoding"), &answer.body), (None, expected), "{path}");
    }
}

#[test]
fn a_requests_line_has_its_method_and_what_the_client_calls_itself() {
    let server = Site::new("").start();
    let url = server.url("http", "/basic.txt");
    let padding = "x".repeat(300);

    curl(&["-A", "Cisco/SPA508G-7.4.4 (0002FDFF2103)(CBT141400UK)", &url]);
    curl(&["-A", "a\"b\\\tc\u{9b}d\u{202e}", "-X", "PROPFIND", &url]);
    curl(&["-A", &padding, "-I", &url]);
    curl(&["-H", "User-Agent:", &server.url("http", "/missing.txt")]);

    let agent = "user_agent=\"Cisco/SPA508G-7.4.4 (0002FDFF2103)(CBT141400UK)\"";
    server.log_line(&[&format!("method=\"GET\" path=\"/basic.txt\" {agent} profile.file=")]);
    server.log_line(&["method=\"PROPFIND\"", r#"user_agent="a\"b\\\tc\u{9b}d\u{202e}""#]);
    server.log_line(&["method=\"HEAD\"", &format!("user_agent=\"{}\" ", "x".repeat(200))]);
    let silent = server.log_line(&["path=\"/missing.txt\""]);
    assert!(silent.contains("method=\"GET\"") && !silent.contains("user_agent"), "{silent}");
}

#[test]
fn so_has_a_line_in_json() {
    let server = Site::new("[log]\nformat = \"json\"\n").start();

    curl(&["-A", "a\"b\u{9b}", &server.url("http", "/basic.txt")]);

    server.log_line(&[r#","method":"GET","path":"/basic.txt","user_agent":"a\"b\u009b","#]);
}
