//! `phoneprov certs check`: certificates of openssl's making, good ones and each kind of bad one, and servers that show them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use tempfile::TempDir;

use crate::legacy::{Factory, old_port};
use crate::outsider::{openssl, run};
use crate::server::{Server, refused};
use crate::site::{Site, config, lab};

/// An authority of openssl's, an intermediate one below it, and what they sign.
struct Authority(TempDir);

/// What a server's certificate says.
const SERVER: &str = "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n";

impl Authority {
    fn new(name: &str) -> Self {
        let authority = Self(tempfile::tempdir().expect("room for a folder"));
        let [root, root_key] = ["root.pem", "root.key"].map(|file| authority.file(file));
        let subject = format!("/O={name}/CN={name} Root");
        openssl(
            &["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", &root_key, "-out", &root, "-subj", &subject],
            b"",
        );
        authority.sign(
            "middle",
            [&format!("/CN={name} Server CA"), "root"],
            "basicConstraints=critical,CA:true\n",
            &[],
        );
        authority
    }

    fn file(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Signs a certificate with these extensions; `options` are `openssl x509`'s.
    fn sign(&self, name: &str, [subject, issuer]: [&str; 2], extensions: &str, options: &[&str]) {
        let [key, request, pem, ca, ca_key, file] = [
            format!("{name}.key"),
            format!("{name}.csr"),
            format!("{name}.pem"),
            format!("{issuer}.pem"),
            format!("{issuer}.key"),
            "extensions".to_owned(),
        ]
        .map(|name| self.file(&name));
        if !fs::exists(&key).expect("a folder") {
            openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", &key], b"");
        }
        openssl(&["req", "-new", "-key", &key, "-out", &request, "-subj", subject], b"");
        fs::write(&file, extensions).expect("room for a file");
        let days = if options.contains(&"-days") { &[][..] } else { &["-days", "300"] };
        let sign =
            ["x509", "-req", "-in", &request, "-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial", "-extfile", &file];
        openssl(&[&sign[..], &["-out", &pem], days, options].concat(), b"");
    }

    /// A chain of these certificates in one file, with the key of the first beside it.
    fn chain(&self, name: &str, certificates: &[&str]) -> String {
        let text: String = certificates.iter().map(|name| self.read(&format!("{name}.pem"))).collect();
        fs::write(self.file(&format!("{name}.pem")), text).expect("room for a file");
        fs::copy(self.file(&format!("{}.key", certificates[0])), self.file(&format!("{name}.key"))).expect("a key");
        self.file(&format!("{name}.pem"))
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).expect("a file")
    }
}

/// What the command says and how it ends.
fn check(arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), &[&["certs", "check"], arguments].concat(), b"");
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_chain_in_order_is_taken_by_phones_that_trust_its_root() {
    let authority = Authority::new("Public");
    authority.sign("server", ["/CN=localhost", "middle"], SERVER, &[]);
    let (code, said) = check(&[&authority.chain("chain", &["server", "middle"])]);
    assert_eq!(code, Some(0), "{said}");
    for expected in [
        "note: ",
        "MPP phones would take it, provided that their firmware has O=Public, CN=Public Root, or Custom_CA_Rule gives it to them \
         (Cisco MPP Administration Guide, Security)",
        "ATA 19x would take it, provided that their firmware has O=Public, CN=Public Root, or Custom_CA_URL gives it",
        "SPA phones would refuse it: its CN, localhost, is not a fully qualified name; O=Public, CN=Public Root is not in their \
         firmware, and they take no other (Cisco SPA Provisioning Guide)",
        "0 errors, 0 warnings",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let (code, said) = check(&[&authority.file("chain.pem"), "--for", "spa"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("error: ") && said.contains("1 error, 0 warnings"), "{said}");
}

/// « CN=pv.telco.net/admin@telco.net », signed by Cisco (seed 004).
#[test]
fn a_name_with_an_address_behind_it_is_what_spa_phones_look_for() {
    let authority = Authority::new("Cisco");
    authority.sign("server", ["/CN=pv.telco.invalid\\/admin@telco.invalid", "middle"], SERVER, &[]);
    let (code, said) = check(&[&authority.chain("chain", &["server", "middle"]), "--for", "spa,mpp"]);
    assert!(said.contains("SPA phones would take it, provided that pv.telco.invalid leads to the address"), "{said}");
    assert!(said.contains("warning: ") && said.contains("pv.telco.invalid leads to no address from here"), "{said}");
    assert_eq!(code, Some(1), "it leads nowhere");
}

#[test]
fn each_thing_that_is_wrong_is_named() {
    let authority = Authority::new("Public");
    let sign = |name: &str, extensions: &str, options: &[&str]| {
        authority.sign(name, ["/CN=localhost", "middle"], extensions, options);
        authority.file(&format!("{name}.pem"))
    };
    sign("server", SERVER, &[]);
    let wildcard = SERVER.replace("DNS:localhost", "DNS:*.example.com");
    let reversed = authority.chain("reversed", &["server", "root", "middle"]);
    // Of the same name as the real one, with another key.
    fs::copy(Authority::new("Public").file("middle.pem"), authority.file("forged.pem")).expect("a file");
    fs::copy(Authority::new("Stranger").file("root.pem"), authority.file("stranger.pem")).expect("a file");
    let cases = [
        (reversed, "error", "wrong order: certificate 3 issued certificate 1 and has to follow it"),
        (
            authority.chain("forged-chain", &["server", "forged"]),
            "error",
            "certificate 1 is not signed by the one behind it, which has its issuer's name but not its key",
        ),
        (
            authority.chain("stray", &["server", "middle", "stranger"]),
            "warning",
            "certificate 3 of the file is no part of the chain",
        ),
        (sign("expired", SERVER, &["-days", "-1"]), "error", "it expired on "),
        (sign("soon", SERVER, &["-days", "3"]), "warning", "it expires on "),
        (sign("sha1", SERVER, &["-sha1"]), "warning", "it is signed with SHA-1"),
        (
            sign("client", "subjectAltName=DNS:localhost\nextendedKeyUsage=clientAuth\n", &[]),
            "error",
            "does not verify: unsuitable certificate purpose",
        ),
        (
            sign("wildcard", &wildcard, &[]),
            "warning",
            "*.example.com is a wildcard: phones look for the server's own name",
        ),
        (
            sign("nowhere", &SERVER.replace("localhost", "prov.invalid"), &[]),
            "warning",
            "prov.invalid leads to no address from here",
        ),
        (
            sign("elsewhere", "subjectAltName=DNS:localhost,IP:192.0.2.1\n", &["-md5"]),
            "error",
            "it is signed with MD5, which anybody can forge",
        ),
    ];
    for (file, severity, expected) in cases {
        let (code, said) = check(&[&file]);
        assert!(said.lines().any(|line| line.starts_with(severity) && line.contains(expected)), "{expected}: {said}");
        assert_eq!(code, Some(1), "{expected}: {said}");
    }
}

#[test]
fn a_key_is_of_its_certificate_and_nobody_elses_to_read() {
    let authority = Authority::new("Public");
    authority.sign("server", ["/CN=localhost", "middle"], SERVER, &[]);
    let chain = authority.chain("chain", &["server", "middle"]);
    let locked = authority.file("locked.key");
    openssl(&["rsa", "-in", &authority.file("server.key"), "-out", &locked, "-aes256", "-passout", "pass:secret"], b"");
    let open = authority.file("open.key");
    fs::copy(authority.file("server.key"), &open).expect("a key");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).expect("our file");
    let noise = authority.file("noise.key");
    fs::write(&noise, "-----BEGIN PRIVATE KEY-----\nnoise\n-----END PRIVATE KEY-----\n").expect("room for a file");
    for (key, expected) in [
        (&authority.file("root.key"), "root.key is of another certificate"),
        (&locked, "locked.key has a pass phrase: expected one without"),
        (&open, "every user of this machine may read its key"),
        (&noise, "noise.key is none: expected PEM"),
        (&authority.file("nowhere.key"), "nowhere.key`: No such file"),
    ] {
        let (code, said) = check(&[&chain, "--key", key]);
        assert!(said.contains(expected), "{key}: {said}");
        assert_eq!(code, Some(1), "{key}");
    }
}

#[test]
fn a_key_that_is_not_rsa_is_not_for_spa_phones() {
    let folder = tempfile::tempdir().expect("room for a folder");
    let [key, pem] = ["ec.key", "ec.pem"].map(|file| folder.path().join(file).display().to_string());
    let made =
        ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"];
    openssl(&[&made[..], &["-keyout", &key, "-out", &pem, "-days", "300"]].concat(), b"");
    let (code, said) = check(&[&pem]);
    assert_eq!(code, Some(1));
    assert!(said.contains("warning: ") && said.contains("its key is EC: the guides know RSA only"), "{said}");
    assert!(said.contains("SPA phones would refuse it: their suites need an RSA key"), "{said}");
    assert!(said.contains("their firmware has the certificate itself, CN=localhost, or Custom_CA_Rule"), "{said}");
}

#[test]
fn what_cannot_be_looked_at_ends_with_2() {
    let folder = tempfile::tempdir().expect("room for a folder");
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("room for a file");
        path.display().to_string()
    };
    let pem = fs::read_to_string(lab("server.pem")).expect("a file");
    let broken = file("broken.pem", &[pem.as_str(), &pem.replacen("MII", "M!I", 1)].concat());
    let large = file("large.pem", "");
    fs::File::options().write(true).open(&large).and_then(|file| file.set_len(1 << 30)).expect("a sparse file");
    for (target, expected) in [
        (broken.as_str(), "broken.pem`: certificate 2 of the file is damaged"),
        (&file("hello.txt", "hello"), "hello.txt`: neither PEM nor DER"),
        (&large, "large.pem`: larger than 4 MiB"),
        ("nowhere.pem", "cannot read `nowhere.pem`"),
        (&lab("server.key"), "server.key` holds no certificate"),
        ("127.0.0.1:1", "127.0.0.1:1: "),
    ] {
        let (code, said) = check(&[target]);
        assert!(code == Some(2) && said.contains(expected), "{target}: {said}");
    }
}

#[test]
fn listeners_and_other_servers_are_looked_at_with_the_versions_that_they_speak() {
    let server = Factory::new().serve("");
    let (code, said) = check(&["--config", &server.path("config.toml").display().to_string()]);
    assert_eq!(code, Some(1), "the listener for old phones has the lab's certificate, which they do not take: {said}");
    assert!(
        said.contains("note: ") && said.contains("SPA phones would refuse it: TLS 1.0 is not spoken there"),
        "{said}"
    );
    assert!(said.contains("error: ") && said.contains("SPA phones would refuse it: its CN, localhost"), "{said}");

    let [modern, old] = [server.port("https"), old_port(&server)].map(|port| format!("localhost:{port}"));
    let (code, said) = check(&[&modern, "--json"]);
    let json: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(code, Some(0), "{said}");
    let spa = json[0]["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .find(|finding| finding["message"].as_str().is_some_and(|text| text.starts_with("SPA")));
    let spa = spa.expect("a verdict");
    assert_eq!((&spa["severity"], &spa["source"]), (&"note".into(), &"Cisco SPA Provisioning Guide".into()));
    assert!(spa["message"].as_str().expect("text").contains("TLS 1.0 is not spoken there"), "{said}");
    let (_, said) = check(&[&old]);
    assert!(!said.contains("TLS 1.0 is not spoken there") && said.contains("MPP phones would take it"), "{said}");

    // A server that is reached by a name which its certificate has not.
    let stranger = Server::start(Site::new(""));
    let (code, said) = check(&[&format!("127.0.0.2:{}", stranger.port("https"))]);
    assert!(code == Some(2) || said.contains("it is not for 127.0.0.2: it names localhost, 127.0.0.1, ::1"), "{said}");
}

/// A wrong path that leads to a disk image must not fill the memory.
#[test]
fn a_listener_reads_no_file_that_is_far_too_large() {
    for file in ["server.pem", "server.key", "ca.pem"] {
        let site = Site::new("");
        let large = site.path("large.pem");
        fs::File::create(&large).and_then(|file| file.set_len(1 << 30)).expect("a sparse file");
        site.configure(&config(&["http", "https"], "").replace(&lab(file), &large.display().to_string()));
        let said = refused(&site);
        assert!(said.contains("large.pem: larger than 64 MiB, which no file of certificates is"), "{file}: {said}");
    }
}

#[test]
fn where_no_listener_speaks_tls_there_is_nothing_to_say() {
    let site = Site::bare(&config(&["http"], ""));
    let (code, said) = check(&["--config", &site.config().display().to_string()]);
    assert_eq!((code, said.as_str()), (Some(0), "no listener has a certificate\n0 errors, 0 warnings\n"));
}
