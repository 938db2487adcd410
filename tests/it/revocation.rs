//! Revocation lists of openssl's, PEM and DER, on a listener of each kind, and through a proxy.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use crate::authority::{Authority, ask, ask_at, both, both_config, days_from_now};
use crate::legacy::Certificate;
use crate::outsider::{Answer, curl, openssl, run};
use crate::server::{Server, refused};
use crate::site::{OTHER, PHONE};

fn maker() -> Authority {
    Authority::new("/O=Cisco/CN=Cisco Manufacturing CA III")
}

fn own() -> String {
    format!("/{PHONE}.cfg")
}

fn serve(authorities: &[&Authority], listen: &str) -> Server {
    let trusted: Vec<String> = authorities.iter().map(|authority| authority.ca()).collect();
    both(&trusted, listen, "").start()
}

fn check(site: &crate::site::Site) -> String {
    let config = site.config().display().to_string();
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), &["check", "--config", &config], b"");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn a_certificate_that_was_taken_back_proves_nobody() {
    let maker = maker();
    let (stolen, kept) = (maker.phone("stolen", PHONE, &[]), maker.phone("kept", OTHER, &[]));
    let before = serve(&[&maker], "");
    assert_eq!(ask(&before, &own(), Some(&stolen)).status, 200);

    maker.revoke(&stolen);
    let pem = maker.list("list.pem", &[]);
    let der = maker.file("list.crl");
    openssl(&["crl", "-in", &pem, "-outform", "DER", "-out", &der], b"");
    fs::create_dir(maker.file("folder")).expect("room for a folder");
    fs::copy(&der, maker.file("folder/a.crl")).expect("room for a file");
    fs::write(maker.file("folder/README"), "not a list").expect("room for a file");
    for lists in [&pem, &der, &maker.file("folder")] {
        let server = serve(&[&maker], &format!("crl = [\"{lists}\"]"));
        let unknown = ask(&server, "/no-such-file", None);
        assert_eq!(ask(&server, &own(), Some(&stolen)), unknown, "{lists}");
        assert_eq!(ask(&server, &format!("/{OTHER}.cfg"), Some(&kept)).status, 200, "{lists}");
        assert_eq!(ask(&server, "/basic.txt", Some(&stolen)).status, 200, "what needs no proof");
        server.log_line(&["outcome=\"refused\"", "the certificate proves nobody: it has been revoked"]);
    }
}

#[test]
fn a_listener_that_requires_a_certificate_takes_no_revoked_one() {
    let maker = maker();
    let (stolen, kept) = (maker.phone("stolen", PHONE, &[]), maker.phone("kept", OTHER, &[]));
    maker.revoke(&stolen);
    let list = maker.list("list.pem", &[]);
    let server = serve(&[&maker], &format!("crl = [\"{list}\"]\nclient_certificate = \"require\""));
    for port in server.ports("https") {
        assert_eq!(ask_at(port, "/basic.txt", Some(&kept)).status, 200);
        assert_eq!(ask_at(port, "/basic.txt", Some(&stolen)).status, 0);
    }
}

#[test]
fn a_new_list_counts_after_a_reload() {
    let maker = maker();
    let phone = maker.phone("phone", PHONE, &[]);
    let list = maker.list("list.pem", &[]);
    let listen = format!("crl = [\"{list}\"]");
    let server = serve(&[&maker], &listen);
    assert_eq!(ask(&server, &own(), Some(&phone)).status, 200);
    maker.revoke(&phone);
    maker.list("list.pem", &[]);
    server.reload(&both_config(&[maker.ca()], &listen, ""), "reloaded");
    assert_eq!(ask(&server, &own(), Some(&phone)).status, 404);
}

#[test]
fn an_authority_in_between_can_be_taken_back() {
    let (root, middle) = (Authority::new("/O=Cisco/CN=Cisco Root"), maker());
    let between = root.sign_authority(&middle);
    let phone = middle.phone("phone", PHONE, &[]);
    let chain = [&phone.pem, &between.pem].map(|file| fs::read_to_string(file).expect("a certificate")).concat();
    fs::write(middle.file("chain.pem"), chain).expect("room for a file");
    let whole = Certificate { pem: middle.file("chain.pem"), key: phone.key };
    let clean = root.list("clean.pem", &[]);
    let server = serve(&[&root], &format!("crl = [\"{clean}\"]"));
    assert_eq!(ask(&server, &own(), Some(&whole)).status, 200, "who has no list has revoked nobody");
    root.revoke(&between);
    let list = root.list("list.pem", &[]);
    let server = serve(&[&root], &format!("crl = [\"{list}\"]"));
    assert_eq!(ask(&server, &own(), Some(&whole)).status, 404);
}

#[test]
fn a_list_that_its_issuer_did_not_sign_lets_nobody_of_that_issuer_in() {
    let (maker, other_key) = (maker(), maker());
    let (phone, other) = (maker.phone("phone", PHONE, &[]), Authority::new("/O=Cisco/CN=Another CA"));
    let others = other.phone("others", PHONE, &[]);
    // The same name, another key: somebody struck out what was on it.
    let forged = other_key.list("forged.pem", &[]);
    let server = serve(&[&maker, &other], &format!("crl = [\"{forged}\"]"));
    assert_eq!(ask(&server, &own(), Some(&phone)).status, 404);
    server.log_line(&["the certificate proves nobody: the revocation list of its issuer has a wrong signature"]);
    assert_eq!(ask(&server, &own(), Some(&others)).status, 200);
}

#[test]
fn a_list_past_its_date_goes_on_to_count_unless_it_is_to_refuse() {
    let maker = maker();
    let other = Authority::new("/O=Cisco/CN=Another CA");
    let (stolen, kept) = (maker.phone("stolen", PHONE, &[]), maker.phone("kept", OTHER, &[]));
    let others = other.phone("others", PHONE, &[]);
    maker.revoke(&stolen);
    let dates = ["-crl_lastupdate", &days_from_now(-60), "-crl_nextupdate", &days_from_now(-30)];
    let past = maker.list("past.pem", &dates);
    let others_path = format!("/{OTHER}.cfg");

    let keep = serve(&[&maker, &other], &format!("crl = [\"{past}\"]"));
    keep.log_line(&["is past its date, ", "what was revoked since is not known", "past.pem"]);
    assert_eq!(ask(&keep, &own(), Some(&stolen)).status, 404);
    assert_eq!(ask(&keep, &others_path, Some(&kept)).status, 200);
    let found = check(&keep);
    assert!(
        found.contains("past.pem: the revocation list of O=Cisco, CN=Cisco Manufacturing CA III is past its date"),
        "{found}"
    );
    assert!(found.contains("warning: ") && found.contains("crl_past_date"), "{found}");

    let refuse = format!("crl = [\"{past}\"]\ncrl_past_date = \"refuse\"");
    let server = serve(&[&maker, &other], &refuse);
    server.log_line(&["is past its date, ", "no certificate of its issuer counts", "past.pem"]);
    assert_eq!(ask(&server, &own(), Some(&stolen)).status, 404);
    assert_eq!(ask(&server, &others_path, Some(&kept)).status, 404);
    assert_eq!(ask(&server, &own(), Some(&others)).status, 200, "another issuer's");
    server.log_line(&["the certificate proves nobody: the revocation list of its issuer, ", " is past its date"]);
    assert!(check(&server).contains("error: "), "no phone of that issuer is served");

    assert_eq!(check(&server).matches("past its date").count(), 1, "both listeners have it");

    // A new list beside the old one makes up for it.
    let fresh = maker.list("fresh.pem", &[]);
    let listen = format!("crl = [\"{past}\", \"{fresh}\"]\ncrl_past_date = \"refuse\"");
    server.reload(&both_config(&[maker.ca(), other.ca()], &listen, ""), "reloaded");
    assert_eq!(ask(&server, &others_path, Some(&kept)).status, 200);
    assert_eq!(ask(&server, &own(), Some(&stolen)).status, 404);
}

#[test]
fn every_list_of_an_issuer_counts() {
    let maker = maker();
    let phone = maker.phone("phone", PHONE, &[]);
    let before = maker.list("0.pem", &[]);
    maker.revoke(&phone);
    let after = maker.list("1.pem", &[]);
    for lists in [[&before, &after], [&after, &before]] {
        let server = serve(&[&maker], &format!("crl = {lists:?}"));
        assert_eq!(ask(&server, &own(), Some(&phone)).status, 404, "{lists:?}");
        server.log_line(&["the certificate proves nobody: it has been revoked"]);
    }
}

#[test]
fn a_list_that_counts_for_nobody_or_against_everybody_is_a_finding() {
    let (maker, other_key, stranger) = (maker(), maker(), Authority::new("/O=Cisco/CN=Another CA"));
    let lists = [other_key.list("forged.pem", &[]), stranger.list("stranger.pem", &[])];
    let server = serve(&[&maker], &format!("crl = {lists:?}"));
    server.log_line(&["forged.pem", "is not signed by the authority of that name in client_ca"]);
    let found = check(&server);
    for expected in [
        "error: ",
        "forged.pem: the revocation list of O=Cisco, CN=Cisco Manufacturing CA III is not signed by the authority",
        "warning: ",
        "stranger.pem: the revocation list of O=Cisco, CN=Another CA takes nothing back from phones",
    ] {
        assert!(found.contains(expected), "{expected}: {found}");
    }
}

#[test]
fn a_handshake_that_outlives_a_reload_proves_nothing() {
    let maker = maker();
    let phone = maker.phone("phone", PHONE, &[]);
    let list = maker.list("list.pem", &[]);
    let listen = format!("crl = [\"{list}\"]");
    let server = serve(&[&maker], &listen);
    let mut held = Vec::new();
    for (port, half) in server.ports("https").iter().flat_map(|port| [(port, "handshake"), (port, "request")]) {
        let mut client = Command::new("python3")
            .args(["-c", HELD, &port.to_string(), &phone.pem, &phone.key, half, &own()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/run installs this program");
        let mut told = BufReader::new(client.stdout.take().expect("a pipe"));
        let mut line = String::new();
        told.read_line(&mut line).expect("a line");
        assert_eq!(line, "held\n");
        held.push((client, told));
    }
    maker.revoke(&phone);
    maker.list("list.pem", &[]);
    server.reload(&both_config(&[maker.ca()], &listen, ""), "reloaded");
    for (mut client, mut told) in held {
        drop(client.stdin.take());
        let mut rest = String::new();
        told.read_to_string(&mut rest).expect("text");
        assert!(client.wait().expect("an end").success(), "{rest}");
        assert!(rest.starts_with("ended") && !rest.contains("200"), "{rest}");
    }
}

/// A client that stops after half of its handshake, or of its request, until its input ends; then it goes on, and prints
/// what it was answered.
const HELD: &str = r#"
import socket, ssl, sys
port, certificate, key, half, path = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
context.set_ciphers("DEFAULT@SECLEVEL=0")
context.load_cert_chain(certificate, key)
link = socket.create_connection(("127.0.0.1", int(port)), 10)
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(incoming, outgoing)
def turn(step):
    while True:
        try:
            done = step()
            link.sendall(outgoing.read())
            return done
        except ssl.SSLWantReadError:
            link.sendall(outgoing.read())
            received = link.recv(65536)
            if not received:
                raise EOFError
            incoming.write(received)
def hold():
    print("held", flush=True)
    sys.stdin.read()
try:
    if half == "handshake":
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            link.sendall(outgoing.read())
        hold()
        turn(tls.do_handshake)
        turn(lambda: tls.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()))
    else:
        turn(tls.do_handshake)
        turn(lambda: tls.write(f"GET {path} HTTP/1.1\r\n".encode()))
        hold()
        turn(lambda: tls.write(b"Host: localhost\r\n\r\n"))
    print("ended", turn(lambda: tls.read(65536))[:40])
except (EOFError, OSError) as error:
    print("ended", type(error).__name__)
"#;

#[test]
fn a_file_that_is_no_list_is_named_at_the_start() {
    let maker = maker();
    let said = |file: &str| refused(&both(&[maker.ca()], &format!("crl = [\"{file}\"]"), ""));
    assert!(said(&maker.ca()).contains("ca.pem: not usable as a revocation list: no revocation list in it"));
    let list = fs::read_to_string(maker.list("list.pem", &[])).expect("a list");
    let broken = maker.file("broken.pem");
    fs::write(&broken, list.replacen("MII", "!!!", 1)).expect("room for a file");
    let words = said(&broken);
    assert!(words.contains("broken.pem: not usable as a revocation list: list 1 of the file is damaged"), "{words}");
    let config = fs::read_to_string(maker.file("openssl.cnf")).expect("a configuration");
    fs::write(maker.file("openssl.cnf"), config.replace("crl_extensions = list\n", "").replace("crlnumber = ", "#"))
        .expect("room for a file");
    let words = said(&maker.list("version1.pem", &[]));
    assert!(words.contains("its version is 1: expected 2"), "{words}");
    let empty = maker.file("empty");
    fs::create_dir(&empty).expect("room for a folder");
    assert!(said(&empty).contains("empty: no revocation list in it"));
    let without = refused(&both(&[], &format!("crl = [\"{broken}\"]\nclient_certificate = \"none\""), ""));
    assert!(without.contains("listen.crl"), "{without}");
}

#[test]
fn a_certificate_by_way_of_a_proxy_is_held_against_the_lists_too() {
    let maker = maker();
    let (stolen, kept) = (maker.phone("stolen", PHONE, &[]), maker.phone("kept", PHONE, &[]));
    maker.revoke(&stolen);
    let list = maker.list("list.pem", &[]);
    for kind in ["modern", "legacy"] {
        let site = crate::site::Site::new("");
        site.configure(&crate::site::config(
            &[],
            &format!(
                "[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\ntrusted_proxies = [\"127.0.0.1\"]\n\
                 proxy_certificate = \"nginx\"\ntls = \"{kind}\"\nclient_ca = [\"{}\"]\ncrl = [\"{list}\"]\n",
                maker.ca()
            ),
        ));
        let server = site.start();
        let get = |certificate: &Certificate| -> Answer {
            let pem = fs::read_to_string(&certificate.pem).expect("a certificate");
            let escaped = percent_encoding::utf8_percent_encode(&pem, percent_encoding::NON_ALPHANUMERIC);
            curl(&["-H", &format!("X-SSL-Client-Cert: {escaped}"), &server.url("http", &own())])
        };
        assert_eq!(get(&kept).status, 200, "{kind}");
        assert_eq!(get(&stolen).status, 404, "{kind}");
        server.log_line(&["the certificate proves nobody: it has been revoked"]);
    }
}
