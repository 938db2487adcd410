//! TLS against nginx: certificates of both sides, versions, names.

use super::servers::Outsider;
use super::{PROFILE, https, lab, phone, proven};

fn with_profile(server: Outsider) -> Outsider {
    server.put("x.xml", PROFILE);
    server
}

#[test]
fn a_server_that_requires_a_certificate_gets_the_phones() {
    let server = with_profile(https(&format!("ssl_client_certificate {}; ssl_verify_client on;", lab("ca.pem"))));
    let url = server.url("https", "/x.xml");
    proven(&["--profile-rule", &url]).succeeded(&["tls ", "server CN=localhost", "GPP_A = `12345678`"]);
    // nginx answers 400 to who shows none.
    phone(&["--ca", &lab("ca.pem"), "--profile-rule", &url]).ended(4, &["class C: the server answered 400"]);
}

#[test]
fn a_server_of_an_unknown_authority_is_refused() {
    let server = with_profile(https(""));
    let url = server.url("https", "/x.xml");
    let ran = phone(&["--profile-rule", &url]);
    ran.ended(4, &["the server's certificate is refused", "trusts no authority at all"]);
    assert!(server.requests().is_empty());
}

#[test]
fn each_family_speaks_the_versions_of_its_age() {
    let old = with_profile(https("ssl_protocols TLSv1; ssl_ciphers ALL:@SECLEVEL=0;"));
    let middle = with_profile(https("ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;"));
    let new = with_profile(https("ssl_protocols TLSv1.2;"));
    let newest = with_profile(https("ssl_protocols TLSv1.3;"));
    let ca = lab("ca.pem");
    let ends = |server: &Outsider, model: &str, more: &[&str]| {
        let url = server.url("https", "/x.xml");
        let resolve = ["--ca", &ca, "--model", model, "--profile-rule", &url];
        phone(&[&resolve[..], more].concat())
    };
    ends(&old, "SPA504G", &[]).succeeded(&["TLSv1 ", "-SHA, server"]);
    let hint = "this phone speaks TLS 1.0 and nothing newer (--tls-max is for firmware that does)";
    ends(&new, "SPA504G", &[]).ended(4, &["class C: no TLS with", hint, "docs/old-phones.md"]);
    ends(&middle, "ATA192", &[]).succeeded(&["TLSv1.1 "]);
    ends(&old, "ATA192", &[]).ended(4, &["class C: no TLS with"]);
    ends(&new, "ATA192", &[]).succeeded(&["TLSv1.2 "]);
    ends(&new, "CP-8841-3PCC", &[]).succeeded(&["TLSv1.2 "]);
    ends(&middle, "CP-8841-3PCC", &[]).ended(4, &["class C: no TLS with"]);
    ends(&newest, "CP-8841-3PCC", &[]).ended(4, &["class C: no TLS with"]);
    // A parameter moves the limit, and so does who knows the firmware better.
    ends(&middle, "CP-8841-3PCC", &["--set", "TLS_Client_Min_Version=TLS 1.0"]).succeeded(&["TLSv1.1 "]);
    ends(&newest, "CP-8841-3PCC", &["--tls-max", "1.3"]).succeeded(&["TLSv1.3 "]);
    ends(&newest, "CP-7832-3PCC", &["--set", "TLS_Client_Min_Version=TLS 1.3"]).succeeded(&["TLSv1.3 "]);
}

#[test]
fn a_scheme_of_another_port_is_hinted_at() {
    let server = crate::site::Site::new("").start();
    let to = |scheme: &str, port: &str| format!("{scheme}://localhost:{}/basic.txt", server.port(port));
    proven(&["--profile-rule", &to("http", "https")]).ended(4, &["it answered in TLS; is https:// meant?"]);
    let plain = ["the port speaks no TLS; is http:// meant?"];
    proven(&["--profile-rule", &to("https", "http")]).ended(4, &plain);
    proven(&["--profile-rule", &to("https", "http"), "--model", "SPA504G"]).ended(4, &plain);
    let modern = proven(&["--profile-rule", &to("https", "https"), "--model", "SPA504G"]);
    modern.ended(4, &["this phone speaks TLS 1.0", "docs/old-phones.md"]);
    let nginx = with_profile(Outsider::nginx("", ""));
    phone(&["--profile-rule", &nginx.url("https", "/x.xml")]).ended(4, &plain);
    server.stop();
}

#[test]
fn a_list_of_suites_narrows_what_is_offered() {
    let server = with_profile(https("ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;"));
    let url = server.url("https", "/x.xml");
    let set = |list: &str| proven(&["--profile-rule", &url, "--set", &format!("TLS_Cipher_List={list}")]);
    set("ECDHE-RSA-AES128-GCM-SHA256").succeeded(&["ECDHE-RSA-AES128-GCM-SHA256"]);
    set("AES256-SHA").ended(4, &["class C: no TLS with"]);
}

#[test]
fn names_are_checked_as_each_family_does() {
    let server = with_profile(https(""));
    let other = format!("https://prov.example.com:{}/x.xml", server.port);
    let ca = lab("ca.pem");
    let resolve = ["--ca", &ca, "--resolve", "prov.example.com=127.0.0.1", "--profile-rule", &other];
    let ends = |more: &[&str]| phone(&[&resolve[..], more].concat());
    ends(&[]).ended(4, &["is not for prov.example.com: it names", "127.0.0.1", "localhost"]);
    ends(&["--model", "ATA192"]).ended(4, &["is not for prov.example.com"]);
    ends(&["--model", "ATA192", "--set", "HTTPS_Name_Validate=No"]).succeeded(&["GPP_A"]);
    // An SPA device looks whether the address is one of the certificate's name.
    let spa = ["--model", "SPA504G", "--tls-max", "1.2"];
    ends(&spa).succeeded(&["GPP_A"]);
    ends(&[&spa[..], &["--resolve", "localhost=192.0.2.1"]].concat())
        .ended(4, &["is not for 127.0.0.1, which none of its names leads to"]);
    assert_eq!(server.requests().len(), 2, "nobody asks a server that is not whom it should be");
}

#[test]
fn an_authority_of_the_operators_own_is_fetched_and_forgotten() {
    let server = with_profile(https(""));
    let plain = Outsider::nginx("", "");
    let ca = std::fs::read_to_string(lab("ca.pem")).expect("the authority");
    let rule = plain.url("http", "/ca.pem");
    plain.put("ca.pem", ca);
    plain.put("first.xml", format!("<flat-profile><Custom_CA_Rule>{rule}</Custom_CA_Rule></flat-profile>"));
    plain.put("last.xml", "<flat-profile><Custom_CA_Rule></Custom_CA_Rule></flat-profile>");
    let state = plain.path("phone.json").display().to_string();
    let (first, last) = (plain.url("http", "/first.xml"), plain.url("http", "/last.xml"));
    let b = format!("Profile_Rule_B={}", server.url("https", "/x.xml"));
    // The second rule needs what the first one brought.
    let ran = phone(&["--state", &state, "--profile-rule", &first, "--set", &b]);
    ran.succeeded(&["Custom_CA_Rule: installed: ", "tls ", "class A, 2 profiles"]);
    let again = phone(&["--state", &state]);
    again.succeeded(&["class A, 2 profiles"]);
    assert!(!again.said.contains("installed"), "{}", again.said);
    let gone = phone(&["--state", &state, "--profile-rule", &last]);
    gone.ended(4, &["are deleted", "trusts no authority at all", "class C at Profile_Rule_B"]);
}

#[test]
fn an_authority_that_is_set_at_the_phone_is_there_for_its_first_profile() {
    let server = with_profile(https(""));
    let ca = lab("ca.pem");
    server.put("ca.pem", std::fs::read_to_string(&ca).expect("the authority"));
    let other = Outsider::nginx("", "");
    other.put("ca.pem", std::fs::read_to_string(&ca).expect("the authority"));
    // Over http, from a server that it need not trust.
    let set = format!("Custom_CA_Rule={}", other.url("http", "/ca.pem"));
    let ran = phone(&["--profile-rule", &server.url("https", "/x.xml"), "--set", &set]);
    ran.succeeded(&["Custom_CA_Rule: installed: ", "class A, 1 profile"]);
    // Over https it is asked for, and fails as long as nobody vouches for that server.
    let set = format!("Custom_CA_Rule={}", server.url("https", "/ca.pem"));
    let rule = server.url("https", "/x.xml");
    let ran = phone(&["--profile-rule", &rule, "--set", &set]);
    ran.ended(4, &["failed     Custom_CA_Rule, class C: ", "class C at Profile_Rule"]);
    let ran = phone(&["--profile-rule", &rule, "--set", &set, "--ca", &ca]);
    ran.succeeded(&["/ca.pem at ", "Custom_CA_Rule: installed: ", "class A, 1 profile"]);
}

#[test]
fn what_is_no_authority_does_not_fail_the_resync() {
    let plain = Outsider::nginx("", "");
    plain.put("ca.pem", "hello");
    plain.put("x.xml", PROFILE);
    let set = format!("Custom_CA_Rule={}", plain.url("http", "/ca.pem"));
    let ran = phone(&["--profile-rule", &plain.url("http", "/x.xml"), "--set", &set]);
    ran.succeeded(&["the file of authorities is of no use: no PEM certificate", "class A, 1 profile"]);
}
