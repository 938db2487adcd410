//! `proof = "password"`, with curl as the phone.

use crate::outsider::{Answer, curl, curl_output, curl_tftp, raw, run};
use crate::server::Server;
use crate::site::{OTHER, PHONE, Site, lab};

/// A site with a rule for `/pw/` that has these keys, and accounts of two phones and a shared one.
fn site(rule: &str) -> Site {
    let site = Site::new(&format!(
        "[[rule]]\npath = \"/pw/**\"\nproof = \"password\"\npassword_file = \"passwords\"\n{rule}\n"
    ));
    let lines: Vec<String> = [(PHONE, "Phone:Secret 1"), (OTHER, "OtherSecret"), ("desk", "DeskSecret")]
        .map(|(user, password)| line(user, password))
        .into();
    std::fs::write(site.path("passwords"), lines.concat()).expect("room for passwords");
    site.profile("pw/$MA.cfg", "profile of {{ MA }}");
    site.profile("pw/phonebook.xml", "<book/>");
    site
}

/// What `phoneprov password` prints.
fn line(user: &str, password: &str) -> String {
    let arguments = ["password", user, "--for", "basic,digest-md5,digest-sha256"];
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), &arguments, format!("{password}\n").as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// What curl gets over HTTPS, without a client certificate.
fn get(server: &Server, arguments: &[&str], path: &str) -> Answer {
    let (ca, url) = (lab("ca.pem"), server.url("https", path));
    let output = curl_output(&[&["-i", "--cacert", &ca], arguments, &[&url]].concat());
    // With --digest there are two answers; the last one counts.
    let wire = output.stdout;
    let last = wire.windows(9).rposition(|bytes| bytes == b"HTTP/1.1 ").unwrap_or(0);
    Answer::parse(&wire[last..])
}

fn challenges(answer: &Answer) -> Vec<&str> {
    answer.headers.iter().filter(|(name, _)| name == "www-authenticate").map(|(_, value)| value.as_str()).collect()
}

#[test]
fn curl_gets_its_profile_by_basic_and_nobody_elses() {
    let server = site("").start();
    let (phone, other) = (format!("/pw/{PHONE}.cfg"), format!("/pw/{OTHER}.cfg"));
    let credentials = format!("{PHONE}:Phone:Secret 1");

    let own = get(&server, &["--basic", "-u", &credentials], &phone);
    assert_eq!((own.status, own.text()), (200, format!("profile of {PHONE}")));
    server.log_line(&[&format!("account=\"{PHONE}\""), "outcome=\"served\""]);
    assert_eq!(get(&server, &["-u", &credentials], "/pw/phonebook.xml").text(), "<book/>");
    assert_eq!(get(&server, &["-u", &credentials], &other).status, 404);
    server.log_line(&[&format!("the path names {OTHER}, the password is that of {PHONE}")]);
    assert_eq!(get(&server, &["-u", "desk:DeskSecret"], &phone).status, 404, "nobody's account");
    assert_eq!(get(&server, &["-u", &credentials], "/pw/000e08ffffff.cfg").status, 404);
    // By default a password goes over https alone.
    let clear = curl(&["-u", &credentials, &server.url("http", &phone)]);
    assert_eq!((clear.status, challenges(&clear).len()), (404, 0));
    assert_eq!(curl_tftp(&server.url("tftp", &phone)), Err(68), "file not found");
    assert!(!server.log().contains("Secret"));
}

#[test]
fn of_two_authorization_headers_none_counts_and_names_are_told_apart_by_case() {
    let server = site("").start();
    let path = format!("/pw/{PHONE}.cfg");
    let header = |user: &str, password: &str| {
        let credentials = data_encoding::BASE64.encode(format!("{user}:{password}").as_bytes());
        format!("Authorization: Basic {credentials}")
    };
    let (right, wrong) = (header(PHONE, "Phone:Secret 1"), header(PHONE, "no"));
    assert_eq!(get(&server, &["-H", &right], &path).status, 200);
    for (first, second) in [(&right, &wrong), (&wrong, &right), (&right, &right)] {
        assert_eq!(get(&server, &["-H", first, "-H", second], &path).status, 401);
    }
    server.log_line(&["more than one Authorization header"]);
    let upper = header(&PHONE.to_uppercase(), "Phone:Secret 1");
    assert_eq!(get(&server, &["-H", &upper], &path).status, 401, "another account, as docs/passwords.md says");
    std::fs::write(server.path("passwords"), line(&PHONE.to_uppercase(), "Phone:Secret 1")).expect("room");
    let server = server.stop().start();
    assert_eq!(get(&server, &["-H", &upper], &path).status, 200, "whose account it is, is read in any case");
}

#[test]
fn a_shared_account_is_good_for_all_paths_of_its_rule() {
    let server = site("accounts = \"shared\"").start();
    for mac in [PHONE, OTHER] {
        let answer = get(&server, &["-u", "desk:DeskSecret"], &format!("/pw/{mac}.cfg"));
        assert_eq!((answer.status, answer.text()), (200, format!("profile of {mac}")));
    }
}

#[test]
fn every_refusal_is_the_same_challenge_whatever_the_path_names() {
    let site = site("challenge = [\"digest-sha256\", \"digest-md5\", \"basic\"]\nrealm = \"phoneprov\"");
    site.profile("pw/000e08000007.cfg", "one phone's own");
    site.profile("pw/broken/$MA.cfg", "{% if %}");
    let server = site.start();
    let answer = |arguments: &[&str], path: &str| {
        let mut answer = get(&server, arguments, path).timeless();
        for (name, value) in &mut answer.headers {
            if let Some(at) = value.find("nonce=\"").filter(|_| name == "www-authenticate") {
                let end = at + 7 + value[at + 7..].find('"').expect("the end of a nonce");
                value.replace_range(at + 7..end, "");
            }
        }
        answer
    };
    let expected = answer(&[], "/pw/no-such-file.cfg");

    assert_eq!((expected.status, expected.text().as_str()), (401, "a password is needed\n"));
    let offered = challenges(&expected);
    assert_eq!(
        offered,
        [
            "Digest realm=\"phoneprov\", qop=\"auth\", algorithm=SHA-256, nonce=\"\"",
            "Digest realm=\"phoneprov\", qop=\"auth\", algorithm=MD5, nonce=\"\"",
            "Basic realm=\"phoneprov\""
        ]
    );
    let paths = [PHONE, OTHER, "000e08000007", "000e08ffffff", "broken/000e08abcdef", "phonebook", "_base"];
    for path in paths.map(|name| format!("/pw/{name}.cfg")) {
        let known_wrong = answer(&["-u", &format!("{PHONE}:wrong")], &path);
        let unknown_wrong = answer(&["-u", "nobody:wrong"], &path);
        let certificate = ["--cert", &lab("phone-000e08000002.pem"), "--key", &lab("phone-000e08000002.key")];
        let answers = [answer(&[], &path), known_wrong, unknown_wrong, answer(&certificate, &path)];
        let expected = if path.contains("_base") { answer(&[], "/pw/_other.cfg") } else { expected.clone() };
        for answer in answers {
            assert_eq!(answer, expected, "{path}");
        }
        assert_eq!(answer(&[], &format!("{path}.gz")), expected, "{path}.gz");
        assert_eq!(answer(&["-X", "DELETE"], &path), expected, "{path}");
    }
}

#[test]
fn curl_gets_its_profile_by_digest_of_either_hash() {
    for (challenge, algorithm) in [("digest-md5", "MD5"), ("digest-sha256", "SHA-256")] {
        let server = site(&format!("challenge = [\"{challenge}\"]")).start();
        let path = format!("/pw/{PHONE}.cfg?resync=1");
        let answer = get(&server, &["--digest", "-u", &format!("{PHONE}:Phone:Secret 1")], &path);
        assert_eq!((answer.status, answer.text()), (200, format!("profile of {PHONE}")), "{challenge}");
        let wrong = get(&server, &["--digest", "-u", &format!("{PHONE}:Phone:Secret 2")], &path);
        assert_eq!(wrong.status, 401);
        assert!(
            challenges(&wrong)[0].contains(&format!("algorithm={algorithm}"))
                && !challenges(&wrong)[0].contains("stale")
        );
        // What is not offered is not taken.
        let basic = get(&server, &["--basic", "-u", &format!("{PHONE}:Phone:Secret 1")], &path);
        assert_eq!(basic.status, 401);
        server.log_line(&["the rule does not offer this scheme"]);
    }
}

#[test]
fn a_digest_that_is_sent_again_is_stale() {
    let server = site("challenge = [\"digest-sha256\"]\nlisteners = [\"http\"]").start();
    let url = server.url("http", &format!("/pw/{PHONE}.cfg"));
    let output = curl_output(&["-v", "--digest", "-u", &format!("{PHONE}:Phone:Secret 1"), &url]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("profile of {PHONE}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let header = said.lines().find_map(|line| line.strip_prefix("> Authorization: ")).expect("curl answered");
    let replay = |header: &str| {
        let request =
            format!("GET /pw/{PHONE}.cfg HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: {header}\r\n\r\n");
        raw(server.port("http"), request.as_bytes())
    };

    let again = replay(header);

    assert_eq!(again.status, 401);
    assert!(challenges(&again)[0].ends_with("stale=true"), "{again:?}");
    server.log_line(&["it was sent before: its count does not rise"]);
    let other_count = replay(&header.replace("nc=00000001", "nc=00000002"));
    assert!(
        other_count.status == 401 && !challenges(&other_count)[0].contains("stale"),
        "the count is part of the digest"
    );
}

#[test]
fn ntlm_is_offered_never_and_answered_never() {
    let server = site("challenge = [\"digest-sha256\", \"digest-md5\", \"basic\"]").start();
    let (ca, url) = (lab("ca.pem"), server.url("https", &format!("/pw/{PHONE}.cfg")));
    for scheme in ["--ntlm", "--negotiate", "--anyauth"] {
        let credentials = format!("{PHONE}:wrong");
        let output = curl_output(&["-i", "--cacert", &ca, scheme, "-u", &credentials, &url]);
        let wire = String::from_utf8_lossy(&output.stdout).to_lowercase();
        assert!(wire.contains("http/1.1 401"), "{scheme}: {wire}");
        assert!(!wire.contains("ntlm") && !wire.contains("negotiate"), "{scheme}: {wire}");
    }
}

#[test]
fn a_removed_account_counts_from_the_reload_on() {
    let server = site("").start();
    let (path, credentials) = (format!("/pw/{PHONE}.cfg"), format!("{PHONE}:Phone:Secret 1"));
    assert_eq!(get(&server, &["-u", &credentials], &path).status, 200);
    std::fs::write(server.path("passwords"), line(OTHER, "OtherSecret")).expect("room for passwords");
    let text = std::fs::read_to_string(server.config()).expect("the configuration");

    server.reload(&text, "reloaded");

    assert_eq!(get(&server, &["-u", &credentials], &path).status, 401);
    std::fs::write(server.path("passwords"), "a:SecretInClear\n").expect("room for passwords");
    server.reload(&text, "reload refused");
    server.log_line(&["rule.password_file", "line 1: not an Argon2 hash"]);
    assert!(!server.log().contains("SecretInClear"));
}
