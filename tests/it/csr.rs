//! « Obtenir un certificat du serveur » (seeds 002 and 004): a key, a request, an authority of openssl's, and a server that
//! shows what came back.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use tempfile::TempDir;

use crate::outsider::{curl, openssl, run};
use crate::site::{Site, config};

fn csr(folder: &TempDir, arguments: &[&str]) -> Output {
    let dir = folder.path().display().to_string();
    run(env!("CARGO_BIN_EXE_phoneprov"), &[&["certs", "csr", "--dir", &dir], arguments].concat(), b"")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What openssl reads in a request; the signature has to be right.
fn read(folder: &TempDir, name: &str) -> String {
    let file = folder.path().join(name).display().to_string();
    let output =
        run("openssl", &["req", "-in", &file, "-noout", "-text", "-verify", "-nameopt", "utf8,sep_comma_plus"], b"");
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && said.contains("verify OK"), "{said}");
    said
}

#[test]
fn a_request_has_the_name_twice_and_a_key_that_stays() {
    let folder = tempfile::tempdir().expect("room for a folder");
    let fields = ["--organization", "Télé SA", "--locality", "Lyon", "--state", "Rhône", "--country", "fr"];
    let output = csr(&folder, &[&["--name", "prov.example.com", "--name", "prov2.example.com"][..], &fields].concat());
    assert!(output.status.success(), "{output:?}");
    let said = text(&output.stdout);
    assert!(said.contains("next:\n  1. send ") && said.contains("certs check "), "{said}");

    let request = read(&folder, "prov.example.com.csr");
    assert!(request.contains("Subject: C=FR,ST=Rhône,L=Lyon,O=Télé SA,CN=prov.example.com"), "{request}");
    assert!(request.contains("DNS:prov.example.com, DNS:prov2.example.com"), "{request}");
    assert!(request.contains("Public-Key: (2048 bit)") && request.contains("sha256WithRSAEncryption"), "{request}");
    assert!(request.contains("TLS Web Server Authentication"), "{request}");
    let key = folder.path().join("prov.example.com.key");
    assert_eq!(fs::metadata(&key).expect("a key").permissions().mode() & 0o777, 0o600);
    assert!(
        text(&openssl(&["rsa", "-in", &key.display().to_string(), "-check", "-noout"], b"")).contains("RSA key ok")
    );
}

/// « CN=prof.voice.com/info@voice.com » (seed 004).
#[test]
fn where_cisco_signs_an_address_may_follow_the_name() {
    let folder = tempfile::tempdir().expect("room for a folder");
    let output = csr(&folder, &["--name", "pv.telco.net", "--email", "admin@telco.net"]);
    assert!(output.status.success(), "{output:?}");
    let request = read(&folder, "pv.telco.net.csr");
    assert!(request.contains("CN=pv.telco.net/admin@telco.net"), "{request}");
    assert!(request.contains("DNS:pv.telco.net\n"), "the other name is the host's alone: {request}");
}

#[test]
fn what_phones_would_not_take_is_not_asked_for() {
    let folder = tempfile::tempdir().expect("room for a folder");
    let cases: [(&[&str], &str); 6] = [
        (&["--name", "*.example.com"], "`*.example.com` is a wildcard: phones look for the server's own name"),
        (&["--name", "a.example.com", "--name", "*.b.example.com"], "`*.b.example.com` is a wildcard"),
        (&["--name", "192.0.2.1"], "`192.0.2.1` is not a fully qualified name: expected one such as prov.example.com"),
        (&["--name", "https://prov"], "`https://prov` is not a host name"),
        (&["--name", "a.example.com", "--email", "admin"], "`admin` is not an e-mail address"),
        (&["--name", "a.example.com", "--country", "France"], "`France` is not a country: expected two letters"),
    ];
    for (arguments, expected) in cases {
        let output = csr(&folder, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{arguments:?}: {output:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing was made");
}

#[test]
fn a_key_or_a_request_that_is_there_is_never_overwritten() {
    let folder = tempfile::tempdir().expect("room for a folder");
    assert!(csr(&folder, &["--name", "a.example.com"]).status.success());
    let (key, request) = (folder.path().join("a.example.com.key"), folder.path().join("a.example.com.csr"));
    let before = [fs::read(&key).expect("a key"), fs::read(&request).expect("a request")];
    let again = csr(&folder, &["--name", "a.example.com"]);
    assert!(text(&again.stderr).contains("a.example.com.csr` exists already and was not overwritten"), "{again:?}");
    fs::remove_file(&request).expect("a request");
    let again = csr(&folder, &["--name", "a.example.com"]);
    assert!(text(&again.stderr).contains("a.example.com.key` exists already and was not overwritten"), "{again:?}");
    assert!(!request.exists());
    // For a renewal with the same key.
    let renewal = csr(&folder, &["--name", "a.example.com", "--key", &key.display().to_string()]);
    assert!(renewal.status.success(), "{renewal:?}");
    assert_eq!(fs::read(&key).expect("a key"), before[0]);
    read(&folder, "a.example.com.csr");
}

/// « Générez une demande … Envoyez le fichier CSR … Stockez le certificat du serveur signé, le fichier de paire de clés … »
#[test]
fn a_server_certificate_is_asked_for_signed_and_shown() {
    let site = Site::new("");
    let folder = tempfile::tempdir_in(site.path("")).expect("room for a folder");
    assert!(csr(&folder, &["--name", "prov.example.com"]).status.success());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let [ca, ca_key, request, pem, key, extensions] =
        ["ca.pem", "ca.key", "prov.example.com.csr", "prov.example.com.pem", "prov.example.com.key", "extensions"]
            .map(file);
    let authority =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=Cisco/CN=Server CA", "-keyout", &ca_key];
    openssl(&[&authority[..], &["-out", &ca]].concat(), b"");
    fs::write(&extensions, "subjectAltName=DNS:prov.example.com\nextendedKeyUsage=serverAuth\n").expect("room");
    let sign = ["x509", "-req", "-in", &request, "-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial", "-days", "365"];
    openssl(&[&sign[..], &["-extfile", &extensions, "-out", &pem]].concat(), b"");

    let listener = format!(
        "[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"https\"\ncertificate = \"{pem}\"\nkey = \"{key}\"\n"
    );
    site.configure(&config(&["http"], &listener));
    let server = site.start();
    let port = server.port("https");
    let resolve = format!("prov.example.com:{port}:127.0.0.1");
    let url = format!("https://prov.example.com:{port}/basic.txt");
    assert_eq!(curl(&["--cacert", &ca, "--resolve", &resolve, &url]).status, 200);
}
