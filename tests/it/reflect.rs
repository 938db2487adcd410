//! What a phone's certificate says, as content: the reflector, and the variables of templates.

use crate::authority::{Authority, ask, ask_at, both};
use crate::legacy::{Certificate, s_client};
use crate::outsider::{openssl, run};
use crate::server::{Server, refused};
use crate::site::{OTHER, PHONE, Site};

const SPA: &str = "/OU=SPA-962/L=88012BA01234/ST=000e08abcdef";

fn maker() -> Authority {
    Authority::new("/O=Cisco/CN=Cisco Manufacturing CA III")
}

fn reflecting(maker: &Authority, extra: &str) -> Site {
    let site = both(&[maker.ca()], "", extra);
    let text = std::fs::read_to_string(site.config()).expect("a configuration");
    site.configure(&format!("reflect = \"/reflect\"\n{text}"));
    site
}

fn reflected(unit: &str, locality: &str, state: &str) -> String {
    format!("<flat-profile><GPP_D>OU={unit}, L={locality}, S={state}</GPP_D></flat-profile>\n")
}

#[test]
fn the_reflector_says_what_the_subject_says_and_nothing_of_the_issuer() {
    let maker = Authority::new("/OU=The Issuer/L=Elsewhere/ST=000e08000002/O=Cisco/CN=Cisco Manufacturing CA III");
    let spa = maker.issue("spa", SPA, &[]);
    let server = reflecting(&maker, "").start();
    for path in ["/reflect", "/reflect?", "/Reflect?x=1"] {
        let answer = ask(&server, path, Some(&spa));
        assert_eq!((answer.status, answer.text()), (200, reflected("SPA-962", "88012BA01234", PHONE)), "{path}");
        assert_eq!(answer.header("content-type"), Some("text/xml; charset=utf-8"));
    }
    // By openssl alone, on either listener.
    for port in server.ports("https") {
        let answer = s_client(port, "/reflect", &["-tls1_2", "-cert", &spa.pem, "-key", &spa.key]);
        assert_eq!(answer.text(), reflected("SPA-962", "88012BA01234", PHONE));
    }
    let mic = maker.issue("mic", "/serialNumber=PID:CP-8861 SN:FCH2133E8B9/OU=CTG/CN=CP-8861-SEP2C3124C9F8E1", &[]);
    assert_eq!(ask(&server, "/reflect", Some(&mic)).text(), reflected("CTG", "", ""));
    // As the seed has it: units of before release 2.0 give generic strings.
    let generic = maker.issue("generic", "/OU=cisco.com/L=ciscogeneric/ST=ciscogeneric", &[]);
    assert_eq!(ask(&server, "/reflect", Some(&generic)).text(), reflected("cisco.com", "ciscogeneric", "ciscogeneric"));
    assert_eq!(ask(&server, &format!("/{PHONE}.cfg"), Some(&generic)).status, 404, "which is nobody's identity");
}

#[test]
fn what_is_reflected_is_escaped_and_well_formed() {
    let maker = maker();
    let nasty = maker.issue("nasty", "/OU=<a>&\"'é/L=]]>/ST=000e08abcdef", &[]);
    let server = reflecting(&maker, "").start();
    let answer = ask(&server, "/reflect", Some(&nasty));
    assert_eq!(answer.text(), reflected("&lt;a&gt;&amp;&quot;&apos;&#233;", "]]&gt;", PHONE));
    let checked = run("xmllint", &["--noout", "-"], &answer.body);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn nobody_gets_what_anothers_certificate_says() {
    let maker = maker();
    let spa = maker.issue("spa", SPA, &[]);
    let other = maker.phone("other", OTHER, &[]);
    let server = reflecting(&maker, "").start();
    let unknown = ask(&server, "/no-such-file", None);
    for _ in 0..3 {
        assert_eq!(ask(&server, "/reflect", Some(&spa)).text(), reflected("SPA-962", "88012BA01234", PHONE));
        assert_eq!(ask(&server, "/reflect", Some(&other)).text(), reflected("CP-8841-3PCC", "FCH2133E8B9", OTHER));
        assert_eq!(ask(&server, "/reflect", None), unknown);
    }
    assert_eq!(server.http("/reflect").timeless(), unknown, "over http");
    let other_authority = Authority::new("/O=Cisco/CN=Cisco Manufacturing CA III");
    let stranger = other_authority.issue("stranger", SPA, &[]);
    assert_eq!(ask(&server, "/reflect", Some(&stranger)), unknown);
    let expired = maker.phone_between("expired", PHONE, -400, -1);
    assert_eq!(ask(&server, "/reflect", Some(&expired)), unknown);
}

#[test]
fn it_is_off_unless_the_configuration_says_where() {
    let maker = maker();
    let spa = maker.issue("spa", SPA, &[]);
    let off = both(&[maker.ca()], "", "").start();
    assert_eq!(ask(&off, "/reflect", Some(&spa)).status, 404);
    let site = reflecting(&maker, "");
    let text = std::fs::read_to_string(site.config()).expect("a configuration");
    site.configure(&text.replace("\"/reflect\"", "\"/cgi-bin/reflect.pl\""));
    let server = site.start();
    assert_eq!(ask(&server, "/cgi-bin/reflect.pl?", Some(&spa)).status, 200);
    assert_eq!(ask(&server, "/reflect", Some(&spa)).status, 404);
    let wrong = reflecting(&maker, "");
    let text = std::fs::read_to_string(wrong.config()).expect("a configuration");
    wrong.configure(&text.replace("\"/reflect\"", "\"reflect\""));
    assert!(refused(&wrong).contains("reflect: `reflect`: expected it to begin with `/`"));
}

#[test]
fn a_rule_is_for_the_reflector_too() {
    let maker = maker();
    let spa = maker.issue("spa", SPA, &[]);
    let generic = maker.issue("generic", "/OU=cisco.com/L=ciscogeneric/ST=ciscogeneric", &[]);
    let rule =
        "[[rule]]\npath = \"/reflect\"\nproof = \"certificate\"\ngzip = true\n[deny]\nmacs = [\"000e08000002\"]\n";
    let server = reflecting(&maker, rule).start();
    let answer = ask(&server, "/reflect", Some(&spa));
    assert_eq!(crate::outsider::gunzip(&answer.body), reflected("SPA-962", "88012BA01234", PHONE).as_bytes());
    assert_eq!(ask(&server, "/reflect", Some(&generic)).status, 404, "the rule asks for a device");
    assert_eq!(ask(&server, "/reflect", Some(&maker.phone("denied", OTHER, &[]))).status, 404);
}

/// The bytes of `openssl x509 -fingerprint -sha256`.
fn fingerprint(certificate: &Certificate) -> String {
    let said = openssl(&["x509", "-in", &certificate.pem, "-noout", "-fingerprint", "-sha256"], b"");
    let said = String::from_utf8_lossy(&said).into_owned();
    said.trim().split_once('=').expect("a fingerprint").1.to_owned()
}

fn templates(maker: &Authority) -> Server {
    let site = both(&[maker.ca()], "", "[[rule]]\npath = \"/who/*\"\nproof = \"none\"\n");
    let text = "<flat-profile><GPP_A>{{ certificate.OU }}|{{ certificate.S }}|{{ certificate.ST }}</GPP_A>\
                <GPP_B>{{ certificate.issuer }}</GPP_B><GPP_C>{{ certificate.expires }}</GPP_C>\
                <GPP_D>{{ certificate.fingerprint }}</GPP_D></flat-profile>\n";
    site.profile("who/$PSN.xml", text);
    site.profile("perhaps/$PSN.xml", "<flat-profile><GPP_A>{% if certificate is defined %}{{ certificate.ST }}{% else %}nobody{% endif %}</GPP_A></flat-profile>\n");
    site.profile("missing/$PSN.xml", "<flat-profile><GPP_A>{{ certificate.serialNumber }}</GPP_A></flat-profile>\n");
    site.profile(
        "default/$PSN.xml",
        "<flat-profile><GPP_A>{{ certificate.serialNumber | default(\"-\") }}</GPP_A></flat-profile>\n",
    );
    site.start()
}

#[test]
fn the_fields_of_a_certificate_are_variables_of_templates() {
    let maker = maker();
    let (spa, other) =
        (maker.issue("spa", "/OU=R&D/L=88012BA01234/ST=000e08abcdef", &[]), maker.phone("other", OTHER, &[]));
    let server = templates(&maker);
    // More than once: what was made for one must not be there for another.
    for _ in 0..3 {
        let text = ask(&server, "/who/8841.xml", Some(&spa)).text();
        assert!(text.contains("<GPP_A>R&amp;D|000e08abcdef|000e08abcdef</GPP_A>"), "{text}");
        assert!(text.contains("<GPP_B>O=Cisco, CN=Cisco Manufacturing CA III</GPP_B>"), "{text}");
        assert!(text.contains(&format!("<GPP_D>{}</GPP_D>", fingerprint(&spa))), "{text}");
        let expires = openssl(&["x509", "-in", &spa.pem, "-noout", "-enddate", "-dateopt", "iso_8601"], b"");
        let expires = String::from_utf8_lossy(&expires).trim().replace("notAfter=", "").replace(' ', "T");
        assert!(text.contains(&format!("<GPP_C>{expires}</GPP_C>")), "{text}, {expires}");
        let text = ask(&server, "/who/8841.xml", Some(&other)).text();
        assert!(text.contains("<GPP_A>CP-8841-3PCC|000e08000002|000e08000002</GPP_A>"), "{text}");
        assert_eq!(ask(&server, "/who/8841.xml", None).status, 404, "undefined is an error");
        let seen = |certificate| ask(&server, "/perhaps/8841.xml", certificate).text();
        assert!(
            seen(Some(&spa)).contains(PHONE) && seen(Some(&other)).contains(OTHER) && seen(None).contains("nobody")
        );
        assert_eq!(server.http("/perhaps/8841.xml").text(), seen(None));
    }
    server.log_line(&["`certificate` is not known: the phone showed none that verifies"]);
    assert_eq!(ask(&server, "/missing/8841.xml", Some(&spa)).status, 404);
    server.log_line(&[
        "missing/$PSN.xml:1: `certificate.serialNumber` is not defined: the phone's certificate has no such field",
    ]);
    assert!(ask(&server, "/default/8841.xml", Some(&spa)).text().contains("<GPP_A>-</GPP_A>"));
}

/// A template that looks at no certificate is made once for all of them.
#[test]
fn what_looks_at_no_certificate_is_kept_for_all() {
    let maker = maker();
    let (spa, other) = (maker.issue("spa", SPA, &[]), maker.phone("other", OTHER, &[]));
    let server = templates(&maker);
    let hits = || {
        let metrics = crate::outsider::curl(&[&server.admin("/metrics")]).text();
        let line = metrics.lines().find_map(|line| line.strip_prefix("phoneprov_cache_hits_total ")).map(str::to_owned);
        line.and_then(|count| count.parse::<u64>().ok()).expect("a counter")
    };
    // A file is kept once it has settled.
    std::thread::sleep(std::time::Duration::from_millis(100));
    let port = server.port("https");
    let ask = |path: &str, certificate| assert_eq!(ask_at(port, path, certificate).status, 200);
    ask("/8841-3PCC.xml", Some(&spa));
    let before = hits();
    ask("/8841-3PCC.xml", Some(&other));
    ask("/8841-3PCC.xml", None);
    assert_eq!(hits(), before + 2);
    ask("/who/8841.xml", Some(&spa));
    ask("/who/8841.xml", Some(&other));
    assert_eq!(hits(), before + 2, "each is its own");
    ask("/who/8841.xml", Some(&spa));
    assert_eq!(hits(), before + 3);
}

#[test]
fn a_variable_cannot_pose_as_the_certificate() {
    let site = Site::bare(&crate::site::config(&["http"], ""));
    let text = std::fs::read_to_string(site.config()).expect("a configuration");
    site.configure(&text.replace("variables = {", "variables = { certificate = \"x\","));
    assert!(refused(&site).contains("`certificate` is what the phone's certificate says"));
}
