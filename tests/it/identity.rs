//! Which certificate names whom: every layout of the field, an operator's own by a mapping, several authorities, and those
//! that name nobody; over a listener of each kind, with certificates of openssl's.

use rcgen::{CertificateParams, DistinguishedName, DnType, Issuer, KeyPair};

use crate::authority::{Authority, ask, ask_at, both};
use crate::legacy::Certificate;
use crate::outsider::openssl;
use crate::server::Server;
use crate::site::{OTHER, PHONE, lab};

const SERIAL: &str = "FCH2133E8B9";

fn serve(authorities: &[&Authority], extra: &str) -> Server {
    let trusted: Vec<String> = authorities.iter().map(|authority| authority.ca()).collect();
    let site = both(&trusted, "", extra);
    site.profile("csn/$SN.cfg", "<flat-profile><GPP_A>{{ SN }}</GPP_A></flat-profile>\n");
    site.start()
}

fn own() -> String {
    format!("/{PHONE}.cfg")
}

#[test]
fn every_layout_of_the_field_names_its_phone_on_both_listeners() {
    let maker = Authority::new("/O=Cisco/CN=Cisco Manufacturing CA III");
    let server = serve(&[&maker], "");
    let by_mac = [
        ("spa", "/OU=SPA-962/L=88012BA01234/ST=000e08abcdef"),
        ("mpp", "/OU=CP-8841-3PCC/L=88012BA01234/ST=000E08ABCDEF"),
        ("mic", "/serialNumber=PID:CP-8861 SN:FCH2133E8B9/O=Cisco Systems Inc./OU=CTG/CN=CP-8861-SEP000E08ABCDEF"),
        ("lsc", "/CN=SEP000E08ABCDEF"),
        ("plain", "/CN=000e08abcdef"),
    ];
    for (name, subject) in by_mac {
        let certificate = maker.issue(name, subject, &[]);
        assert_eq!(ask(&server, &own(), Some(&certificate)).status, 200, "{subject}");
        assert_eq!(ask(&server, &format!("/{OTHER}.cfg"), Some(&certificate)).status, 404, "{subject}");
    }
    let sudi =
        maker.issue("sudi", "/serialNumber=PID:CP-8861 SN:FCH2133E8B9/O=Cisco/OU=ACT-2 Lite SUDI/CN=CP-8861", &[]);
    assert_eq!(ask(&server, &format!("/csn/{SERIAL}.cfg"), Some(&sudi)).status, 200);
    assert_eq!(ask(&server, &own(), Some(&sudi)).status, 404, "it says no MAC address");
}

#[test]
fn an_operators_certificates_are_read_as_configured() {
    let operator = Authority::new("/O=Example Telco/CN=Phone CA 2");
    let by_subject = "[[certificates.mapping]]\nissuer = { O = \"Example Telco\", CN = \"Phone CA*\" }\n\
                      mac = \"CN=phone-*\"\nserial = \"serialNumber\"\nmodel = \"OU\"\n";
    let server = serve(&[&operator], by_subject);
    let subject = "/OU=CP-8841-3PCC/serialNumber=FCH2133E8B9/CN=phone-000e08abcdef";
    let mapped = operator.issue("mapped", subject, &[]);
    assert_eq!(ask(&server, &own(), Some(&mapped)).status, 200);
    assert_eq!(ask(&server, &format!("/csn/{SERIAL}.cfg"), Some(&mapped)).status, 200);
    assert_eq!(ask(&server, &format!("/{OTHER}.cfg"), Some(&mapped)).status, 404);
    let unmapped = operator.issue("unmapped", "/CN=a printer", &[]);
    assert_eq!(ask(&server, &own(), Some(&unmapped)).status, 404);
    server.log_line(&["the certificate proves nobody: no field names a device as its issuer's mapping says"]);
    let two = operator.issue("two", "/ST=000e08000002/CN=phone-000e08abcdef", &[]);
    for path in [own(), format!("/{OTHER}.cfg")] {
        assert_eq!(ask(&server, &path, Some(&two)).status, 404, "{path}");
    }
    server.log_line(&["it names 000e08abcdef by its issuer's mapping and 000e08000002 by the layout of its subject"]);
    let site = server.stop();
    let shown = site.tell(&["certs", "show", &mapped.pem]);
    assert!(shown.contains("device     MAC 000e08abcdef, serial FCH2133E8B9, model CP-8841-3PCC\n"), "{shown}");

    let without = serve(&[&operator], "");
    assert_eq!(ask(&without, &own(), Some(&mapped)).status, 404, "nothing is searched for without a mapping");
    let by_name = "[[certificates.mapping]]\nissuer = { CN = \"Phone CA 2\" }\nmac = \"DNS=*.phones.example.com\"\n";
    let server = serve(&[&operator], by_name);
    let named = operator.issue("named", "/CN=a phone", &["-extensions", "named"]);
    assert_eq!(ask(&server, &own(), Some(&named)).status, 200);
}

#[test]
fn a_mapping_is_not_for_factory_certificates() {
    let maker = Authority::new("/O=Cisco Systems/CN=Cisco Manufacturing CA");
    let everybody = "[[certificates.mapping]]\nissuer = { CN = \"*\" }\nmac = \"L\"\n";
    let server = serve(&[&maker], everybody);
    let mic = maker.issue("mic", &format!("/OU=SPA-962/L={OTHER}/ST={PHONE}"), &[]);
    assert_eq!(ask(&server, &own(), Some(&mic)).status, 200);
    assert_eq!(ask(&server, &format!("/{OTHER}.cfg"), Some(&mic)).status, 404);
}

#[test]
fn a_unit_of_the_faulty_run_is_refused_by_name() {
    let maker = Authority::new("/O=Sipura Technology, Inc./CN=Sipura CA");
    let faulty = maker.issue("faulty", "/OU=SPA-2102/L=FM500F123456/ST=000e08abcdef", &[]);
    let server = serve(&[&maker], "");
    let unknown = ask(&server, "/no-such-file", None);
    assert_eq!(ask(&server, &own(), Some(&faulty)), unknown);
    server.log_line(&["proves nobody: FM500F123456 is of the run FM500F100000-FM500F699999", "installed incorrectly"]);
    let trusting = serve(&[&maker], "[certificates]\nfaulty_serials = []\n");
    assert_eq!(ask(&trusting, &own(), Some(&faulty)).status, 200, "as the operator says");
    let stricter = serve(&[&maker], "[certificates]\nfaulty_serials = [\"88012BA00000-88012BA09999\"]\n");
    let unlucky = maker.issue("unlucky", "/OU=SPA-2102/L=88012BA01234/ST=000e08abcdef", &[]);
    assert_eq!(ask(&stricter, &own(), Some(&unlucky)), unknown);
}

#[test]
fn a_phone_whose_chain_moves_to_another_authority_is_still_itself() {
    let old = Authority::new("/O=Cisco/CN=Cisco Manufacturing CA SHA2");
    let new = Authority::new("/O=Cisco/CN=Cisco Manufacturing CA III");
    let root = Authority::new("/O=Cisco/CN=Cisco Basic Assurance Root CA 2099");
    let (before, after) = (old.phone("before", PHONE, &[]), new.phone("after", PHONE, &[]));
    let server = serve(&[&old, &new], "");
    assert_eq!(ask(&server, &own(), Some(&before)), ask(&server, &own(), Some(&after)));
    assert_eq!(ask(&server, &own(), Some(&after)).status, 200);

    // The new one known by its root alone: the phone sends what is between.
    let between = root.sign_authority(&new);
    let chain = [&after.pem, &between.pem].map(|file| std::fs::read_to_string(file).expect("a certificate")).concat();
    std::fs::write(new.file("chain.pem"), chain).expect("room for a file");
    let whole = Certificate { pem: new.file("chain.pem"), key: after.key.clone() };
    let server = serve(&[&old, &root], "");
    assert_eq!(ask(&server, &own(), Some(&before)).status, 200);
    assert_eq!(ask(&server, &own(), Some(&whole)).status, 200);
    assert_eq!(ask(&server, &own(), Some(&after)).status, 404, "without what is between");
}

/// A certificate that openssl would not write.
fn crafted(authority: &Authority, name: &str, subject: &[(DnType, &str)]) -> Certificate {
    let read = |file: String| std::fs::read_to_string(file).expect("a file");
    let key = KeyPair::from_pem(&read(authority.file("ca.key"))).expect("a key");
    let issuer = Issuer::from_ca_cert_pem(&read(authority.ca()), key).expect("an authority");
    let own = KeyPair::generate().expect("a key");
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    for (field, value) in subject {
        parameters.distinguished_name.push(field.clone(), *value);
    }
    let certificate = parameters.signed_by(&own, &issuer).expect("a certificate");
    let [pem, key] = ["pem", "key"].map(|ending| authority.file(&format!("{name}.{ending}")));
    std::fs::write(&pem, certificate.pem()).expect("room for a file");
    std::fs::write(&key, own.serialize_pem()).expect("room for a file");
    Certificate { pem, key }
}

#[test]
fn a_certificate_that_could_be_read_in_two_ways_is_nobodys() {
    let maker = Authority::new("/O=Cisco/CN=Cisco Manufacturing CA III");
    let server = serve(&[&maker], "");
    let unknown = ask(&server, "/no-such-file", None);
    let cases = [
        (crafted(&maker, "nul", &[(DnType::CommonName, "000e08abcdef\0.example.com")]), "CN holds"),
        (crafted(&maker, "cut", &[(DnType::CommonName, "SEP000E08ABCDEF\0")]), "CN holds"),
        (crafted(&maker, "wide", &[(DnType::CommonName, "０００e08abcdef")]), "no field names a device"),
        (maker.issue("umlaut", "/ST=000e08abcdéf/CN=Müller", &[]), "no field names a device"),
        (maker.issue("two", "/ST=000e08abcdef/ST=000e08000002", &[]), "ST stands twice in the subject"),
        (maker.issue("both", "/ST=000e08abcdef/CN=SEP000E08000002", &[]), "the subject names two devices"),
        (maker.issue("generic", "/OU=cisco.com/L=ciscogeneric/ST=ciscogeneric", &[]), "ciscogeneric"),
    ];
    for (certificate, reason) in cases {
        for path in [own(), format!("/{OTHER}.cfg")] {
            assert_eq!(ask(&server, &path, Some(&certificate)), unknown, "{reason}");
        }
        server.log_line(&["outcome=\"refused\"", "the certificate proves nobody", reason]);
        assert_eq!(ask(&server, "/basic.txt", Some(&certificate)).status, 200, "what needs no proof: {reason}");
    }
    assert!(!server.log().contains('\0'), "no NUL in the log");
    // RFC 5280: text beyond ASCII beside the name is no obstacle.
    let beside = maker.issue("beside", "/ST=000e08abcdef/OU=Büro/CN=Zoë", &[]);
    assert_eq!(ask(&server, &own(), Some(&beside)).status, 200);
}

#[test]
fn a_chain_of_openssls_in_any_order_is_the_clients_own_first_or_nobodys() {
    let root = Authority::new("/O=Cisco/CN=Cisco Root");
    let middle = Authority::new("/O=Cisco/CN=Cisco Manufacturing CA III");
    let between = root.sign_authority(&middle);
    let phone = middle.phone("phone", PHONE, &[]);
    let server = serve(&[&root], "");
    // s_client sends the file of -cert_chain as it stands: the root first, then what is between.
    let chain = [&root.ca(), &between.pem].map(|file| std::fs::read_to_string(file).expect("a certificate")).concat();
    std::fs::write(middle.file("reversed.pem"), chain).expect("room for a file");
    let reversed = middle.file("reversed.pem");
    for port in server.ports("https") {
        let options = ["-tls1_2", "-cert", &phone.pem, "-key", &phone.key, "-cert_chain", &reversed];
        let answer = crate::legacy::s_client(port, &own(), &options);
        assert_eq!(answer.status, 200, "its own certificate came first, the others are found by their names");
    }
    // The authority's own certificate first, with its key: it names nobody.
    let wrong = Certificate { pem: middle.ca(), key: middle.file("ca.key") };
    for port in server.ports("https") {
        assert_ne!(ask_at(port, &own(), Some(&wrong)).status, 200);
    }
}

#[test]
fn files_that_cannot_be_used_are_named_at_the_start() {
    let maker = Authority::new("/O=Cisco/CN=Cisco Manufacturing CA III");
    let said = |trusted: &str| crate::server::refused(&both(&[trusted.to_owned()], "", ""));
    let pem = std::fs::read_to_string(maker.ca()).expect("a certificate");
    let broken = maker.file("broken.pem");
    let lines: Vec<&str> = pem.lines().collect();
    let half = [&lines[..5], &["!!!! no base64 !!!!"], &lines[5..]].concat().join("\n");
    std::fs::write(&broken, format!("{pem}{half}\n")).expect("room for a file");
    let words = said(&broken);
    assert!(words.contains("broken.pem: certificate 2 of the file is damaged"), "{words}");
    let key = said(&maker.file("ca.key"));
    assert!(key.contains("ca.key: no certificate in it: expected PEM"), "{key}");
    assert!(said("/no/such/file.pem").contains("/no/such/file.pem"), "a file that is not there");

    let server = |certificate: &str, key: &str| {
        let site = both(&[maker.ca()], "", "");
        let text = std::fs::read_to_string(site.config()).expect("a configuration");
        let text = text.replace(&lab("server.pem"), certificate).replace(&lab("server.key"), key);
        site.configure(&text);
        crate::server::refused(&site)
    };
    let garbled = maker.file("garbled.key");
    std::fs::write(&garbled, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        .expect("room for a file");
    let words = server(&lab("server.pem"), &garbled);
    assert!(words.contains("garbled.key"), "{words}");
    let locked = maker.file("locked.key");
    openssl(&["pkey", "-in", &maker.file("ca.key"), "-aes256", "-passout", "pass:x", "-out", &locked], b"");
    assert!(server(&lab("server.pem"), &locked).contains("locked.key: the private key has a pass phrase"));
    let root = Authority::new("/O=Example/CN=Root");
    let between = root.sign_authority(&maker);
    let own = maker.issue("own", "/CN=localhost", &[]);
    let order = [&own.pem, &root.ca(), &between.pem].map(|file| std::fs::read_to_string(file).expect("a certificate"));
    std::fs::write(maker.file("order.pem"), order.concat()).expect("room for a file");
    let words = server(&maker.file("order.pem"), &own.key);
    assert!(
        words.contains("order.pem: the chain is in the wrong order: certificate 3 issued certificate 1"),
        "{words}"
    );
}
