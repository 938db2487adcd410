//! Factory certificates that have run out: refused, forgiven for some days, or good for one profile that renews them.

use crate::authority::{Authority, ask, ask_at, both};
use crate::outsider::run;
use crate::server::{Server, refused};
use crate::site::{OTHER, PHONE};

const RENEWAL: &str = "<flat-profile><MIC_Cert_Refresh_Enable>Yes</MIC_Cert_Refresh_Enable></flat-profile>\n";

fn maker() -> Authority {
    Authority::new("/O=Cisco/CN=Cisco Manufacturing CA SHA2")
}

fn serve(maker: &Authority, rules: &str) -> Server {
    let site = both(&[maker.ca()], "", rules);
    site.profile("renew.xml", RENEWAL);
    site.profile("phonebook.xml", "<CiscoIPPhoneDirectory/>\n");
    site.start()
}

fn own() -> String {
    format!("/{PHONE}.cfg")
}

#[test]
fn an_expired_certificate_proves_nobody_where_no_rule_says_otherwise() {
    let maker = maker();
    let expired = maker.phone_between("expired", PHONE, -400, -10);
    for rules in ["", "[[rule]]\npath = \"/**\"\nexpired = \"refuse\"\n"] {
        let server = serve(&maker, rules);
        let unknown = ask(&server, "/no-such-file", None);
        assert_eq!(ask(&server, &own(), Some(&expired)), unknown);
        server.log_line(&["outcome=\"refused\"", "the certificate proves nobody: it has expired on ", PHONE]);
        assert_eq!(ask(&server, "/basic.txt", Some(&expired)).status, 200, "what needs no proof");
    }
}

#[test]
fn a_rule_forgives_some_days_and_not_more() {
    let maker = maker();
    let server = serve(&maker, "[[rule]]\npath = \"/**/$MA.cfg\"\nexpired = \"30d\"\n");
    let unknown = ask(&server, "/no-such-file", None);
    let (late, too_late) =
        (maker.phone_between("late", PHONE, -400, -29), maker.phone_between("too-late", PHONE, -400, -31));
    let fresh = maker.phone("fresh", PHONE, &[]);
    let profile = ask(&server, &own(), Some(&fresh));
    assert_eq!(profile.status, 200);
    assert_eq!(ask(&server, &own(), Some(&late)), profile, "the very same profile");
    assert_eq!(ask(&server, &own(), Some(&too_late)), unknown);
    assert_eq!(ask(&server, &format!("/{OTHER}.cfg"), Some(&late)), unknown, "another phone's");
    assert_eq!(ask(&server, &format!("/SPA962/{PHONE}.cfg"), Some(&late)).status, 200);
    server.log_line(&["outcome=\"served\"", "device.proven=000e08abcdef", "certificate.expired="]);
}

#[test]
fn with_renew_an_expired_certificate_gets_the_profile_that_renews_it_and_nothing_else() {
    let maker = maker();
    let rules = "[[rule]]\npath = \"/phonebook.xml\"\nproof = \"certificate\"\nexpired = \"renew\"\n\
                 renew = \"/renew.xml\"\n[[rule]]\npath = \"/**/$MA.cfg\"\nexpired = \"renew\"\nrenew = \"/renew.xml\"\n";
    let server = serve(&maker, rules);
    let unknown = ask(&server, "/no-such-file", None);
    let expired = maker.phone_between("expired", PHONE, -4000, -1000);
    for path in [own(), "/phonebook.xml".to_owned()] {
        let answer = ask(&server, &path, Some(&expired));
        assert_eq!((answer.status, answer.text().as_str()), (200, RENEWAL), "{path}");
    }
    server.log_line(&["device.proven=000e08abcdef", "profile.file=\"renew.xml\"", "outcome=\"served\""]);
    assert_eq!(ask(&server, &format!("/{OTHER}.cfg"), Some(&expired)), unknown, "another phone's");
    assert_eq!(ask(&server, &own(), None), unknown, "no certificate");

    // It comes back with a new one, of another authority or the same.
    let renewed = maker.phone("renewed", PHONE, &[]);
    let profile = ask(&server, &own(), Some(&renewed));
    assert!(profile.text().contains(&format!("<User_ID_1_>{PHONE}</User_ID_1_>")), "{profile:?}");
}

/// Each of these is expired as well, on listeners whose rules forgive that: and nothing but that.
#[test]
fn nothing_but_the_date_is_forgiven() {
    let maker = maker();
    let stranger = Authority::new("/O=Cisco/CN=Cisco Manufacturing CA SHA2");
    let [until_yesterday, since_long] = [-1, -400].map(crate::authority::days_from_now);
    let expired = ["-startdate", since_long.as_str(), "-enddate", until_yesterday.as_str()];
    let revoked = maker.phone_between("revoked", PHONE, -400, -1);
    maker.revoke(&revoked);
    let list = maker.list("list.pem", &[]);
    let generic = maker.issue("generic", "/OU=cisco.com/L=ciscogeneric/ST=ciscogeneric", &expired);
    let two = maker.issue("two", "/ST=000e08abcdef/CN=SEP000E08000002", &expired);
    let faulty = maker.issue("faulty", "/OU=SPA-2102/L=FM500F123456/ST=000e08abcdef", &expired);
    let foreign = stranger.phone_between("foreign", PHONE, -400, -1);
    let early = maker.phone_between("early", PHONE, 10, 20);
    let authority = maker.issue("authority", "/ST=000e08abcdef", &[&expired[..], &["-extensions", "middle"]].concat());
    for rule in ["expired = \"3650d\"", "expired = \"renew\"\nrenew = \"/renew.xml\""] {
        let site =
            both(&[maker.ca()], &format!("crl = [\"{list}\"]"), &format!("[[rule]]\npath = \"/**/$MA.cfg\"\n{rule}\n"));
        site.profile("renew.xml", RENEWAL);
        let server = site.start();
        let unknown = ask(&server, "/no-such-file", None);
        for (certificate, what) in [
            (&revoked, "revoked"),
            (&generic, "ciscogeneric"),
            (&two, "two devices"),
            (&faulty, "installed incorrectly"),
            (&foreign, ""),
            (&early, "not valid yet"),
        ] {
            assert_eq!(ask(&server, &own(), Some(certificate)), unknown, "{rule}: {what}");
            server.log_line(&["outcome=\"refused\"", "the certificate proves nobody", what]);
        }
        // What a modern listener takes for no client's, a legacy one takes: purposes are not its matter.
        assert_eq!(ask_at(server.ports("https")[0], &own(), Some(&authority)).status, 404);
    }
}

#[test]
fn an_expired_authority_is_not_the_clients_own_date() {
    let root = maker();
    let middle = Authority::new("/O=Cisco/CN=Short-lived CA");
    let [from, until] = [-400, -300].map(crate::authority::days_from_now);
    let request = middle.file("middle.csr");
    let (config, key) = (root.file("openssl.cnf"), middle.file("ca.key"));
    let new = ["req", "-config", &config, "-new", "-key", &key, "-out", &request, "-subj", middle.subject()];
    crate::outsider::openssl(&new, b"");
    let below = middle.file("below.pem");
    let sign = ["ca", "-config", &config, "-batch", "-notext", "-preserveDN", "-in", &request, "-out", &below];
    let dates = ["-extensions", "middle", "-startdate", &from, "-enddate", &until];
    crate::outsider::openssl(&[&sign[..], &dates].concat(), b"");
    let server = serve(&root, "[[rule]]\npath = \"/**/$MA.cfg\"\nexpired = \"3650d\"\n");
    let whole = |leaf: crate::legacy::Certificate, name: &str| {
        let chain = [&leaf.pem, &below].map(|file| std::fs::read_to_string(file).expect("a certificate")).concat();
        std::fs::write(middle.file(name), chain).expect("room for a file");
        crate::legacy::Certificate { pem: middle.file(name), key: leaf.key }
    };
    let valid = whole(middle.phone("valid", PHONE, &[]), "valid-chain.pem");
    assert_eq!(ask(&server, &own(), Some(&valid)).status, 404);
    server.log_line(&["the certificate proves nobody: an authority of its chain has expired"]);
    let outlived = whole(middle.phone_between("outlived", PHONE, -390, -10), "outlived-chain.pem");
    assert_eq!(ask(&server, &own(), Some(&outlived)).status, 404);
    server.log_line(&["the certificate proves nobody: it has expired, and before it its issuer"]);
    let together = whole(middle.phone_between("together", PHONE, -390, -310), "together-chain.pem");
    assert_eq!(ask(&server, &own(), Some(&together)).status, 200, "it ended while its issuer was still valid");
}

#[test]
fn a_certificate_that_ends_before_it_begins_is_not_its_issuers_fault() {
    let maker = maker();
    let server = serve(&maker, "[[rule]]\npath = \"/**/$MA.cfg\"\nexpired = \"3650d\"\n");
    for (name, from, to) in [("past", -10, -400), ("future", 400, 100)] {
        let certificate = maker.phone_between(name, PHONE, from, to);
        assert_eq!(ask(&server, &own(), Some(&certificate)).status, 404, "{name}");
    }
    let modern = server.ports("https")[0];
    let certificate = maker.phone_between("again", PHONE, -10, -400);
    assert_eq!(ask_at(modern, &own(), Some(&certificate)).status, 404);
    server.log_line(&["the certificate proves nobody: its dates are wrong: it ends before it begins"]);
}

#[test]
fn what_rustls_calls_by_one_word_is_said_in_words() {
    let maker = maker();
    let server = serve(&maker, "");
    let below = Authority::new("/O=Cisco/CN=000e08abcdef");
    let authority = maker.sign_authority(&below);
    assert_eq!(ask_at(server.ports("https")[0], &own(), Some(&authority)).status, 404);
    server.log_line(&["the certificate proves nobody: it is an authority's own certificate (CA:TRUE), not a phone's"]);
    assert!(!server.log().contains("OtherError"), "{}", server.log());
}

#[test]
fn the_profile_that_renews_goes_through_the_rules_own_transforms() {
    let maker = maker();
    let rules = "[[rule]]\npath = \"/**/$MA.cfg\"\nexpired = \"renew\"\nrenew = \"/renew/$PN.xml\"\ngzip = true\n\
                 encrypt = \"aes-256-cbc\"\nkey = \"{{ MA }}-secret\"\n";
    let site = both(&[maker.ca()], "", rules);
    site.profile("renew/$PN.xml", "<flat-profile><GPP_A>{{ MA }} {{ PN }}</GPP_A></flat-profile>\n");
    let server = site.start();
    let expired = maker.phone_between("expired", PHONE, -400, -10);
    let answer = ask(&server, &own(), Some(&expired));
    let clear = crate::outsider::gunzip(&crate::outsider::decrypt("000e08abcdef-secret", &answer.body));
    assert_eq!(
        String::from_utf8_lossy(&clear),
        "<flat-profile><GPP_A>000e08abcdef CP-8841-3PCC</GPP_A></flat-profile>\n"
    );
}

#[test]
fn check_looks_for_the_profile_that_renews() {
    let maker = maker();
    let rule = "[[rule]]\npath = \"/**/$MA.cfg\"\nexpired = \"renew\"\nrenew = \"/renew.xml\"\n";
    let site = both(&[maker.ca()], "client_certificate = \"require\"\n", rule);
    let check = || {
        let config = site.config().display().to_string();
        let output = run(env!("CARGO_BIN_EXE_phoneprov"), &["check", "--config", &config], b"");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let missing = check();
    assert!(missing.contains("error: rule /**/$MA.cfg: no file for rule.renew, /renew.xml"), "{missing}");
    assert!(missing.contains("requires a certificate that is valid"), "{missing}");
    site.profile("renew.xml", "<flat-profile><GPP_A>x</GPP_A></flat-profile>\n");
    let other = check();
    assert!(other.contains("renew.xml: rule.renew names it, and it does not set MIC_Cert_Refresh_Enable"), "{other}");
    site.profile("renew.xml", RENEWAL);
    let right = check();
    assert!(!right.contains("rule.renew"), "{right}");
}

#[test]
fn a_rule_that_cannot_be_meant_is_refused() {
    let maker = maker();
    for (rule, words) in [
        ("expired = \"renew\"", "rule.renew is missing"),
        ("expired = \"soon\"", "rule.expired: `soon` is not understood"),
        ("expired = \"30d\"\nproof = \"none\"", "only where a certificate is the proof"),
        ("renew = \"/renew.xml\"", "only a rule with expired = \"renew\""),
    ] {
        let said = refused(&both(&[maker.ca()], "", &format!("[[rule]]\npath = \"/a\"\n{rule}\n")));
        assert!(said.contains(words), "{said}");
    }
}
