//! `Custom_CA_Rule` and `Custom_CA_URL`: an authority of the operator's own, served as a file like any other, and what it is
//! good for from then on.

use crate::outsider::{curl, curl_tftp, phoneprov, run};
use crate::server::Server;
use crate::site::{PHONE, Site, config, lab};

/// What the simulated phone says, which knows no authority but those that it fetches.
fn phone(arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), &[&["phone", "--mac", PHONE], arguments].concat(), b"");
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// A server that phones reach before they trust anything, with the authority among its files, and a second one, by https,
/// whose certificate that authority signed.
fn two() -> (Server, Server) {
    let site = Site::bare(&config(
        &["http", "tftp"],
        "[[rule]]\npath = \"/ca.pem\"\nproof = \"none\"\nlisteners = [\"http\", \"tftp\"]\n",
    ));
    let folder = site.path("trust").display().to_string();
    phoneprov(&["certs", "trust", "--dir", &folder, "add", &lab("ca.pem"), "--alias", "own"], b"");
    let file = site.path("profiles/ca.pem").display().to_string();
    phoneprov(&["certs", "trust", "--dir", &folder, "export", "own", "--out", &file], b"");
    let second = Site::bare(&config(&["http", "https"], ""));
    second.profile("second.xml", "<flat-profile><GPP_B>from the second server</GPP_B></flat-profile>");
    (site.start(), second.start())
}

#[test]
fn a_phone_that_fetched_the_authority_trusts_the_second_server() {
    let (first, second) = two();
    for (scheme, model, parameter) in [
        ("http", "CP-8841-3PCC", "Custom_CA_Rule"),
        ("tftp", "CP-8841-3PCC", "Custom_CA_Rule"),
        ("http", "ATA192", "Custom_CA_URL"),
    ] {
        let rule = first.url(scheme, "/ca.pem");
        let profile = format!("<flat-profile><{parameter}>{rule}</{parameter}></flat-profile>");
        std::fs::write(first.path("profiles/first.xml"), profile).expect("room for a profile");
        let start = first.url("http", "/first.xml");
        let then = format!("Profile_Rule_B={}", second.url("https", "/second.xml"));
        let (code, said) = phone(&["--model", model, "--profile-rule", &start, "--set", &then]);
        assert_eq!(code, Some(0), "{said}");
        let installed = format!("{parameter}: installed: ");
        for expected in [installed.as_str(), "phoneprov lab authority", "GPP_B = `from the second server`"] {
            assert!(said.contains(expected), "{scheme} {model} {expected}: {said}");
        }
        // Without the authority the same phone goes no further than the first server.
        std::fs::write(first.path("profiles/first.xml"), "<flat-profile></flat-profile>").expect("room for a profile");
        let (code, said) = phone(&["--model", model, "--profile-rule", &start, "--set", &then]);
        assert_eq!(code, Some(4), "{said}");
        assert!(said.contains("class C at Profile_Rule_B"), "{said}");
    }
}

/// Whether phones undo a coding there is not documented: the file goes out as it is, and the simulated phone takes either.
#[test]
fn an_authority_is_sent_as_it_is_and_read_as_it_comes() {
    let (first, _second) = two();
    let plain = curl(&["--compressed", &first.url("http", "/ca.pem")]);
    assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
    std::fs::copy(lab("ca.pem"), first.path("profiles/ca.txt")).expect("a copy");
    let rule =
        format!("<flat-profile><Custom_CA_Rule>{}</Custom_CA_Rule></flat-profile>", first.url("http", "/ca.txt"));
    std::fs::write(first.path("profiles/first.xml"), rule).expect("room for a profile");
    let (_, said) = phone(&["--profile-rule", &first.url("http", "/first.xml")]);
    assert!(said.contains("Content-Encoding: gzip") && said.contains("Custom_CA_Rule: installed: "), "{said}");
}

#[test]
fn the_file_is_the_authority_for_other_programs_too() {
    let (first, second) = two();
    let answer = curl(&[&first.url("http", "/ca.pem")]);
    assert_eq!(curl_tftp(&first.url("tftp", "/ca.pem")).as_deref(), Ok(answer.body.as_slice()));
    let file = first.path("fetched.pem").display().to_string();
    std::fs::write(&file, &answer.body).expect("room for a file");
    let url = second.url("https", "/second.xml");
    assert_eq!(curl(&["--cacert", &file, &url]).status, 200);
    assert_eq!(curl(&[&url]).status, 0, "curl knows nobody who vouches for it");
}
