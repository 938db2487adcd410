//! HTTP against nginx and Apache: redirects, statuses, codings, passwords.

use super::servers::{Outsider, Scripted, ok};
use super::{PROFILE, phone, run};

#[test]
fn only_301_and_302_are_followed() {
    let server = Outsider::nginx(
        "",
        "location /moved { return 301 /x.xml; } location /found { return 302 x.xml; }\n\
         location /other { return 303 /x.xml; } location /temporary { return 307 /x.xml; }\n\
         location /permanent { return 308 /x.xml; } location /loop { return 302 /loop; }",
    );
    server.put("x.xml", PROFILE);
    for path in ["/moved", "/found"] {
        phone(&["--profile-rule", &server.url("http", path)]).succeeded(&["redirected to http://127.0.0.1", "GPP_A"]);
    }
    for (path, status) in [("/other", 303), ("/temporary", 307), ("/permanent", 308)] {
        let line = format!("class C: the server answered {status}: phones follow 301 and 302 only");
        phone(&["--profile-rule", &server.url("http", path)]).ended(4, &[&line]);
    }
    let looped = phone(&["--profile-rule", &server.url("http", "/loop")]);
    looped.ended(4, &["class C: more than 5 redirects"]);
    assert_eq!(looped.lines("asked").len(), 6, "{}", looped.said);
}

#[test]
fn statuses_have_the_documented_classes() {
    let server = Outsider::nginx(
        "",
        "location /400 { return 400; } location /403 { return 403; } location /500 { return 500; }\n\
         location /503 { return 503; } location /204 { return 204; }",
    );
    for status in ["400", "403", "500", "503", "204"] {
        let url = server.url("http", &format!("/{status}"));
        phone(&["--profile-rule", &url]).ended(4, &[&format!("class C: the server answered {status}")]);
    }
    phone(&["--profile-rule", &server.url("http", "/404")]).ended(3, &["class B: not found"]);
}

#[test]
fn a_transfer_coding_and_a_packed_file_are_two_things() {
    let server = Outsider::nginx("", "gzip on; gzip_min_length 1; gzip_types *; location /plain { gzip off; }");
    server.put("x.xml", PROFILE);
    let packed = run("gzip", &["-c"], PROFILE.as_bytes()).stdout;
    server.put("plain/x.xml", &packed);
    server.put("both.xml", &packed);
    let said = |path: &str| phone(&["--profile-rule", &server.url("http", path)]);
    let coded = said("/x.xml");
    coded.succeeded(&["the answer's gzip", "GPP_A"]);
    assert!(!coded.said.contains("the file's gzip"), "{}", coded.said);
    said("/plain/x.xml").succeeded(&["the file's gzip", "GPP_A"]);
    said("/both.xml").succeeded(&["the answer's gzip", "the file's gzip", "GPP_A"]);
    // Only MPP phones were seen to ask for a coding.
    let ata = phone(&["--model", "ATA192", "--profile-rule", &server.url("http", "/x.xml")]);
    ata.succeeded(&["GPP_A"]);
    assert!(!ata.said.contains("unpacked"), "{}", ata.said);
}

#[test]
fn a_request_looks_like_the_captured_one() {
    let server = Scripted::saying(ok("", PROFILE.as_bytes()));
    phone(&["--profile-rule", &server.url("/x.xml?a=$MA")]).succeeded(&["GPP_A"]);
    let request = String::from_utf8(server.heard()).expect("text");
    let expected = format!(
        "GET /x.xml?a=000e08abcdef HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\
         User-Agent: Cisco-CP-8841-3PCC/11.3.2 (000e08abcdef)\r\nAccept-Encoding: deflate, gzip\r\nAccept: */*\r\n\
         Accept-Language: en\r\nAccept-Charset: iso-8859-1\r\n\r\n",
        server.port
    );
    assert_eq!(request, expected);
    for (model, agent) in [
        ("ATA192", "Cisco/ATA192-MPP-11-1-0MPP-16(FCH0ROU6UI7)"),
        ("SPA508G", "Cisco/SPA508G-7.4.4 (000E08ABCDEF)(FCH0ROU6UI7)"),
    ] {
        phone(&["--model", model, "--profile-rule", &server.url("/x.xml")]).succeeded(&[agent]);
        assert!(String::from_utf8_lossy(&server.heard()).contains(&format!("User-Agent: {agent}\r\n")));
    }
}

#[test]
fn a_register_is_posted() {
    let server = Scripted::saying(ok("", PROFILE.as_bytes()));
    let rule = format!("[--post b] {}", server.url("/x"));
    phone(&["--model", "SPA504G", "--profile-rule", &rule, "--set", "GPP_B=mac=$MA"]).succeeded(&["asked      POST"]);
    let request = String::from_utf8(server.heard()).expect("text");
    assert!(request.starts_with("POST /x HTTP/1.1\r\n") && request.ends_with("\r\n\r\nmac=000e08abcdef"), "{request}");
}

/// Apache with one user, who is asked for by Basic below `/basic`, and by Digest below `/digest`.
fn apache() -> Outsider {
    // htdigest asks for the password at a terminal; its line is user, realm and MD5 of all three (htdigest(1)).
    let line = run("openssl", &["dgst", "-md5", "-r"], b"phone:prov:s3cret").stdout;
    let hash = String::from_utf8_lossy(&line[..32]).into_owned();
    let basic = run("openssl", &["passwd", "-apr1", "s3cret"], b"").stdout;
    let basic = String::from_utf8_lossy(&basic).trim().to_owned();
    let server = Outsider::apache(
        "<Location /basic>\nAuthType Basic\nAuthName prov\nAuthUserFile PLACE/files/basic.users\nRequire valid-user\n</Location>\n\
         <Location /digest>\nAuthType Digest\nAuthName prov\nAuthDigestProvider file\nAuthUserFile PLACE/files/digest.users\n\
         Require valid-user\n</Location>",
    );
    server.put("basic.users", format!("phone:{basic}\n"));
    server.put("digest.users", format!("phone:prov:{hash}\n"));
    server.put("basic/x.xml", PROFILE);
    server.put("digest/x.xml", PROFILE);
    server
}

#[test]
fn apache_is_given_user_and_password_by_basic_and_digest() {
    let server = apache();
    for (path, scheme) in [("/basic/x.xml", "Basic, realm `prov`"), ("/digest/x.xml", "Digest with MD5, realm `prov`")]
    {
        let url = server.url("http", path);
        let right = phone(&["--profile-rule", &format!("[--uid phone --pwd s3cret] {url}")]);
        right.succeeded(&[&format!("challenged {scheme}"), "GPP_A = `12345678`"]);
        assert_eq!(right.lines("asked").len(), 2, "{}", right.said);
        // Two answers, and no third.
        let wrong = phone(&["--profile-rule", &format!("[--uid phone --pwd wrong] {url}")]);
        wrong.ended(4, &["class C: the server refused user name and password 2 times"]);
        assert_eq!(wrong.lines("asked").len(), 3, "{}", wrong.said);
        phone(&["--profile-rule", &url]).ended(4, &["class C: the server asks for a password"]);
        // Secrets of the phone's own, which no line shows.
        let rule = format!("[--uid $A --pwd $SA] {url}");
        let hidden = phone(&["--profile-rule", &rule, "--set", "GPP_A=phone", "--set", "GPP_SA=s3cret"]);
        hidden.succeeded(&["class A"]);
        assert!(!hidden.said.contains("s3cret"), "{}", hidden.said);
    }
}

#[test]
fn under_fips_no_digest_is_answered() {
    let server = apache();
    let asked = |path: &str| {
        let rule = format!("[--uid phone --pwd s3cret] {}", server.url("http", path));
        phone(&["--set", "FIPS_Mode=Enabled", "--profile-rule", &rule])
    };
    asked("/basic/x.xml").succeeded(&["challenged Basic, realm `prov`"]);
    asked("/digest/x.xml").ended(4, &["class C: FIPS_Mode is on, which has no Digest", "offers no Basic: Digest"]);
}

#[test]
fn a_password_does_not_follow_to_another_host() {
    let server = apache();
    let target = format!("http://localhost:{}/basic/x.xml", server.port);
    let redirect = Scripted::saying(format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"));
    let rule = format!("[--uid phone --pwd s3cret] {}", redirect.url("/x"));
    phone(&["--profile-rule", &rule]).ended(4, &["redirected", "class C: the server asks for a password"]);
}

#[test]
fn what_is_only_ntlm_is_no_login() {
    let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n";
    let server = Scripted::saying(answer);
    let rule = format!("[--uid phone --pwd s3cret] {}", server.url("/x"));
    phone(&["--profile-rule", &rule]).ended(4, &["offers no way to log in that phones have: Negotiate, NTLM"]);
}
