//! What `phoneprov render --explain` tells is what is answered.

use std::fs;

use crate::outsider::{curl, run};
use crate::site::{PHONE, Site, lab};

/// What is told of a path that is asked for over this.
fn told(site: &Site, path: &str, over: &str) -> String {
    let output = site.phoneprov(&["render", path, "--over", over, "--explain"]);
    String::from_utf8(output.stdout).expect("text")
}

/// What stands behind a name, once or not at all.
fn value<'a>(told: &'a str, name: &str) -> Option<&'a str> {
    let mut found = told.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).map(str::trim_start);
    let first = found.next();
    assert_eq!(found.next(), None, "{told}");
    first
}

#[test]
fn the_rules_headers_are_told_and_its_content_type_is_the_answers() {
    let headers = "headers = { Content-Type = \"application/x-foo\", Cache-Control = \"max-age=60\" }\n";
    let server = Site::new(&format!("[[rule]]\npath = \"/basic.txt\"\n{headers}")).start();
    let answer = server.http("/basic.txt");
    assert_eq!(answer.header("content-type"), Some("application/x-foo"));

    let explained = told(&server, "/basic.txt", "http");

    let expected = format!("200, {} bytes, application/x-foo", answer.body.len());
    assert_eq!(value(&explained, "answer"), Some(expected.as_str()), "{explained}");
    assert_eq!(value(&explained, "header"), Some("cache-control: max-age=60"), "{explained}");
    let explained = told(&server, "/basic.txt", "tftp");
    let expected = format!("the file, {} bytes", answer.body.len());
    assert_eq!(
        (value(&explained, "answer"), value(&explained, "header")),
        (Some(expected.as_str()), None),
        "{explained}"
    );
}

#[test]
fn a_path_that_asks_for_a_password_is_told_as_such_and_with_its_rule() {
    let rule = "[[rule]]\npath = \"/pw/**\"\nproof = \"password\"\npassword_file = \"passwords\"\ngzip = true\n";
    let site = Site::new(rule);
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), &["password", PHONE], b"secret\n");
    fs::write(site.path("passwords"), output.stdout).expect("room for passwords");
    site.profile("pw/$MA.cfg", "<flat-profile></flat-profile>");
    let server = site.start();
    let path = format!("/pw/{PHONE}.cfg");
    assert_eq!(curl(&["--cacert", &lab("ca.pem"), &server.url("https", &path)]).status, 401);
    assert_eq!(server.http(&path).status, 404, "a password goes over https alone");

    let (asked, clear) = (told(&server, &path, "https"), told(&server, &path, "http"));

    assert_eq!(value(&asked, "answer"), Some("401, which asks for a password by Basic"), "{asked}");
    assert_eq!(value(&asked, "reason"), Some("a password is needed, and none was sent"), "{asked}");
    assert_eq!(value(&asked, "proof"), Some("a password of this device's account"), "{asked}");
    assert_eq!(value(&asked, "transforms"), Some("gzip"), "{asked}");
    assert_eq!(value(&clear, "answer"), Some("404 not found, whatever the reason"), "{clear}");
}

#[test]
fn a_refusal_over_tftp_is_told_in_the_words_of_tftp() {
    let site = Site::new("");
    let explained = told(&site, &format!("/{PHONE}.cfg"), "tftp");
    assert_eq!(value(&explained, "answer"), Some("error 1, file not found, whatever the reason"), "{explained}");
    assert_eq!(value(&explained, "proof"), Some("a certificate that names this device"), "{explained}");
    assert_eq!(value(&explained, "transforms"), Some("none"), "{explained}");
    let explained = told(&site, &format!("/{PHONE}.cfg.gz"), "http");
    assert_eq!(value(&explained, "transforms"), Some("gzip"), "{explained}");
    let explained = told(&site, "/nothing.txt", "tftp");
    assert_eq!((value(&explained, "proof"), value(&explained, "transforms")), (None, None), "no rule is reached");
}
