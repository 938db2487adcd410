//! Exchanging self-signed certificates between servers (seed 001), with files that openssl and Java's keytool made; and
//! files that are none.

use std::fs;
use std::process::Output;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::outsider::{curl, openssl, phoneprov, run};
use crate::server::Server;
use crate::site::{PHONE, Site, config, lab};

/// A server with a certificate that nobody else signed.
fn self_signed(name: &str, client_tls: &str) -> Server {
    let site = Site::bare("");
    let [key, pem] = ["own.key", "own.pem"].map(|file| site.path(file).display().to_string());
    let subject = format!("/CN={name}");
    let names = format!("subjectAltName=DNS:{name},DNS:localhost,IP:127.0.0.1");
    let made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-keyout", &key, "-out", &pem];
    openssl(&[&made[..], &["-subj", &subject, "-addext", &names]].concat(), b"");
    let listener =
        "[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"https\"\ncertificate = \"own.pem\"\nkey = \"own.key\"\n";
    site.configure(&config(&["http"], &format!("{listener}\n{client_tls}")));
    site.start()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What the binary says, whether it succeeds or not.
fn asked(arguments: &[&str]) -> Output {
    run(env!("CARGO_BIN_EXE_phoneprov"), arguments, b"")
}

/// All that it says where it fails, without changing anything.
fn refused(arguments: &[&str]) -> String {
    let output = asked(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    text(&output.stderr)
}

/// A folder for files of openssl's and keytool's, with a password.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().expect("room for a folder"));
        fs::write(files.path("password"), "changeit\n").expect("room for a file");
        files
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Java's keytool on a key store of this type.
    fn keytool(kind: &str, store: &str, arguments: &[&str]) -> Vec<u8> {
        let fixed = ["-J-Duser.language=en", "-storetype", kind, "-keystore", store, "-storepass", "changeit"];
        let (command, rest) = arguments.split_first().expect("a command");
        let output = run("keytool", &[&[*command][..], &fixed, rest].concat(), b"");
        assert!(output.status.success(), "keytool {arguments:?}: {output:?}");
        output.stdout
    }

    /// `phoneprov certs trust` on the folder `trust` of these files.
    fn trust(&self, arguments: &[&str]) -> String {
        let folder = self.path("trust");
        text(&phoneprov(&[&["certs", "trust", "--dir", &folder], arguments].concat(), b""))
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let folder = self.path("trust");
        refused(&[&["certs", "trust", "--dir", &folder], arguments].concat())
    }

    /// A self-signed certificate and its key, PEM.
    fn certificate(&self, name: &str) -> [String; 2] {
        let [pem, key] = [self.path(&format!("{name}.pem")), self.path(&format!("{name}.key"))];
        let subject = format!("/CN={name}");
        openssl(
            &["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &pem, "-subj", &subject],
            b"",
        );
        [pem, key]
    }
}

#[test]
fn an_empty_folder_and_a_phones_certificate_are_answered_with_what_to_do() {
    let files = Files::new();
    let folder = files.path("trust");
    let listed = asked(&["certs", "trust", "--dir", &folder, "list"]);
    let hint = format!("`phoneprov certs trust --dir {folder} add FILE` adds one");
    assert!(String::from_utf8_lossy(&listed.stderr).contains(&hint), "{listed:?}");

    let add = |pem: &str| asked(&["certs", "trust", "--dir", &folder, "add", pem]);
    let leaf = add(&lab(&format!("phone-{PHONE}.pem")));
    let said = String::from_utf8_lossy(&leaf.stderr).into_owned();
    assert!(
        said.contains("warning: phone-000e08abcdef is no authority (CA:FALSE): client_ca passes it over"),
        "{said}"
    );
    assert_eq!(String::from_utf8_lossy(&add(&lab("ca.pem")).stderr), "");
}

fn fingerprint(pem: &str) -> String {
    let said = text(&openssl(&["x509", "-noout", "-fingerprint", "-sha256", "-in", pem], b""));
    said.trim().split_once('=').expect("a fingerprint").1.to_owned()
}

/// « Échange de certificats entre le routeur/enregistreur, le PG et le serveur AW »: each of two servers trusts the other's
/// self-signed certificate, and a third one's that comes as a file.
#[test]
fn servers_exchange_their_self_signed_certificates() {
    let client = "[client_tls]\nca = [\"trust\"]\n";
    let rogger = self_signed("myrgra.domain.com", "");
    let aw = self_signed("myawa.domain.com", client);
    let (config, folder) = (aw.path("config.toml").display().to_string(), aw.path("trust").display().to_string());
    let peer = format!("localhost:{}", rogger.port("https"));
    let trust = |arguments: &[&str]| asked(&[&["certs", "trust", "--dir", &folder], arguments].concat());

    // « Attention : avant de commencer, vous devez sauvegarder le keystore »: there is nothing yet.
    assert!(text(&trust(&["backup"]).stdout).contains("there is no trust anchor"));
    let before = asked(&["certs", "fetch", &peer, "--config", &config]);
    assert_eq!(before.status.code(), Some(2), "nobody can vouch for it: {before:?}");
    assert!(text(&before.stderr).contains("client_tls.ca: ") && text(&before.stderr).contains("No such file"));
    // The other side's operator tells the fingerprint.
    let expected = fingerprint(&rogger.path("own.pem").display().to_string());
    let fetch = ["fetch", &peer, "--alias", "myrgra.domain.com_IIS", "--config", &config, "--fingerprint"];
    let stranger = trust(&[&fetch[..], &[&fingerprint(&lab("ca.pem"))]].concat());
    assert_eq!(stranger.status.code(), Some(2));
    assert!(text(&stranger.stderr).contains(&format!("its SHA-256 is {expected}, not ")), "{stranger:?}");
    let fetched = text(&trust(&[&fetch[..], &[&expected]].concat()).stdout);
    assert!(
        fetched.starts_with("added     myrgra.domain.com_iis: CN=myrgra.domain.com, expires in 29 days\n"),
        "{fetched}"
    );
    let after = asked(&["certs", "fetch", &peer, "--config", &config]);
    assert!(after.status.success() && text(&after.stderr).contains("vouches for it"), "{after:?}");

    // « Enregistrez le certificat … X.509 codé en base 64 (.CER) », and its way back into another tool.
    let exported = aw.path("ICMrgra.cer").display().to_string();
    let export = trust(&["export", "myrgra.domain.com_iis", "--out", &exported]);
    assert!(export.status.success(), "{export:?}");
    let url = format!("https://localhost:{}/basic.txt", rogger.port("https"));
    assert_eq!(curl(&["--cacert", &exported, &url]).status, 404, "curl trusts it; the file is not there");
    assert!(text(&openssl(&["verify", "-CAfile", &exported, &exported], b"")).contains("OK"));

    // The certificate is renewed: it is another one, so it is not trusted until it takes the place of the old one.
    let renewed = self_signed("myrgra.domain.com", "");
    let peer = format!("localhost:{}", renewed.port("https"));
    let again = ["fetch", &peer, "--alias", "myrgra.domain.com_iis", "--config", &config];
    assert!(text(&trust(&again).stderr).contains("is another certificate's: choose one with --alias"));
    let replaced = text(&trust(&[&again[..], &["--replace"]].concat()).stdout);
    assert!(replaced.contains("replaced  myrgra.domain.com_iis") && replaced.contains("kept      "), "{replaced}");
    let copies = fs::read_dir(aw.path("trust/backup")).expect("copies").count();
    assert_eq!(copies, 1, "the one change of what was there");
}

/// The same store is what a listener trusts phones by, after « Redémarrez le service »: SIGHUP.
#[test]
fn a_listener_trusts_what_the_folder_holds() {
    let files = Files::new();
    let authority = files.trust(&["add", &lab("ca.pem"), "--alias", "lab"]);
    assert!(authority.starts_with("added     lab: "), "{authority}");
    let ca = format!("client_ca = [\"{}\"]", lab("ca.pem"));
    let own = format!("client_ca = [\"{}\"]", files.path("trust"));
    let site = Site::new("");
    site.configure(&config(&["http", "https"], "").replace(&ca, &own));
    let server = site.start();
    let path = format!("/{}.cfg", crate::site::PHONE);
    assert_eq!(server.phone(&path).status, 200);

    let [stranger, _] = files.certificate("stranger");
    files.trust(&["add", &stranger]);
    files.trust(&["remove", "lab"]);
    server.signal(Signal::HUP);
    server.log_line(&["reload"]);
    assert!(crate::server::wait_for(|| server.phone(&path).status == 404), "it is trusted no more");
}

/// « keytool -keystore …\cacerts -import … » and « keytool -storetype JCEKS … -export »: stores of Java's as they are.
#[test]
fn key_stores_of_java_are_read() {
    let files = Files::new();
    let [own, _] = files.certificate("vos");
    for (kind, store) in [("JKS", "cacerts.jks"), ("JCEKS", ".keystore"), ("PKCS12", "cacerts.p12")] {
        let path = files.path(store);
        Files::keytool(kind, &path, &["-importcert", "-noprompt", "-alias", &format!("{kind}-VOS"), "-file", &own]);
        let added = files.trust(&["add", &path, "--password-file", &files.path("password")]);
        let alias = format!("{kind}-VOS").to_lowercase();
        let expected = if kind == "JKS" { "added     jks-vos: CN=vos" } else { "known     jks-vos: CN=vos" };
        assert!(added.contains(expected) && added.contains(&fingerprint(&own)), "{alias}: {added}");
        let wrong = files.path("wrong");
        fs::write(&wrong, "changeme\n").expect("room for a file");
        let said = files.refused(&["add", &path, "--password-file", &wrong]);
        assert!(said.contains(store) && said.contains("is wrong, or the file is damaged"), "{said}");
        let said = files.refused(&["add", &path]);
        assert!(said.contains("has a password: give a file of it by --password-file"), "{said}");
    }
    // A private key with its certificate, as a server's own store has: the certificate alone is taken.
    for kind in ["JKS", "JCEKS"] {
        let path = files.path(&format!("server.{kind}"));
        let subject = format!("CN=wsm-{kind}.domain.com");
        let key =
            ["-genkeypair", "-alias", "wsm_certificate", "-keyalg", "RSA", "-keypass", "changeit", "-dname", &subject];
        Files::keytool(kind, &path, &key);
        let alias = format!("{kind}_wsm");
        let added = files.trust(&["add", &path, "--password-file", &files.path("password"), "--alias", &alias]);
        let exported = Files::keytool(kind, &path, &["-exportcert", "-alias", "wsm_certificate"]);
        let back = phoneprov(&["certs", "trust", "--dir", &files.path("trust"), "export", &alias, "--der"], b"");
        assert_eq!(back, exported, "{added}");
    }
    // And the way back: keytool takes what we export.
    files.trust(&["export", "jks_wsm", "--out", &files.path("back.pem")]);
    let store = files.path("back.jks");
    Files::keytool("JKS", &store, &["-importcert", "-noprompt", "-alias", "back", "-file", &files.path("back.pem")]);
    let listed = text(&Files::keytool("JKS", &store, &["-list", "-v"]));
    assert!(listed.contains("CN=wsm-JKS.domain.com"), "{listed}");
}

#[test]
fn archives_of_openssl_are_read() {
    let files = Files::new();
    let [[own, key], [other, _]] = ["own", "other"].map(|name| files.certificate(name));
    let export = |name: &str, options: &[&str]| {
        let path = files.path(name);
        let fixed = ["pkcs12", "-export", "-out", &path, "-passout", "pass:changeit", "-name", "Own Server"];
        openssl(&[&fixed[..], options].concat(), b"");
        path
    };
    let add = |path: &str| files.trust(&["add", path, "--password-file", &files.path("password")]);
    let added = add(&export("with-key.p12", &["-in", &own, "-inkey", &key, "-certfile", &other]));
    assert!(added.contains("added     own-server: CN=own") && added.contains("left out  1 of the chain"), "{added}");
    let added = add(&export("certificates.p12", &["-nokeys", "-in", &other]));
    assert!(added.contains(": CN=other"), "{added}");
    // As OpenSSL 1.1 wrote them: opened where OpenSSL still has the algorithm, or said how to write it anew.
    let old = export("old.p12", &["-legacy", "-in", &own, "-inkey", &key]);
    let output = asked(&[
        "certs",
        "trust",
        "--dir",
        &files.path("old"),
        "add",
        &old,
        "--password-file",
        &files.path("password"),
    ]);
    let said = text(&output.stderr);
    assert!(output.status.success() || said.contains("`openssl pkcs12 -legacy -in OLD"), "{output:?}");

    let listed = files.trust(&["list"]);
    let json: serde_json::Value = serde_json::from_str(&files.trust(&["list", "--json"])).expect("JSON");
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert_eq!(json[1]["certificates"][0]["sha256"], fingerprint(&own), "{json}");
    let shown = files.trust(&["show", "Own-Server"]);
    assert!(shown.contains(&format!("SHA-256    {}", fingerprint(&own))), "{shown}");
    let der = phoneprov(&["certs", "trust", "--dir", &files.path("trust"), "export", "own-server", "--der"], b"");
    assert_eq!(der, openssl(&["x509", "-in", &own, "-outform", "der"], b""));
}

#[test]
fn what_cannot_be_added_is_named_and_nothing_is_lost() {
    let files = Files::new();
    let [own, key] = files.certificate("own");
    files.trust(&["add", &own]);
    let password = files.path("password");
    let write = |name: &str, content: &[u8]| {
        fs::write(files.path(name), content).expect("room for a file");
        files.path(name)
    };
    let jks = files.path("whole.jks");
    Files::keytool("JKS", &jks, &["-importcert", "-noprompt", "-alias", "own", "-file", &own]);
    let whole = fs::read(&jks).expect("a file");
    let half = write("half.jks", &whole[..whole.len() / 2]);
    let pem = fs::read_to_string(&own).expect("a file");
    let broken = write("broken.pem", [pem.as_str(), &pem.replacen("MII", "M!I", 1)].concat().as_bytes());
    let hello = write("hello.txt", b"hello");
    let large = files.path("large.pem");
    fs::File::create(&large).and_then(|file| file.set_len(1 << 30)).expect("a sparse file");
    let cases: [(&[&str], &str); 9] = [
        (
            &["add", &half, "--password-file", &password],
            "half.jks`: the key store ends in the middle of entry 1 of 1: it is cut off",
        ),
        (&["add", &broken], "broken.pem`: certificate 2 of the file is damaged"),
        (&["add", &hello], "hello.txt`: not a file of certificates: expected PEM"),
        (&["add", &large], "large.pem`: larger than 4 MiB"),
        (&["add", &key], "own.key`: no certificate in it"),
        (&["add", &files.path("nowhere.pem")], "nowhere.pem`: No such file"),
        (&["add", &own, "--alias", "../../escaped"], "`../../escaped` is not an alias: expected 1 to 100"),
        (&["show", "../own"], "`../own` is not an alias"),
        (&["remove", "stranger"], "no alias `stranger` in"),
    ];
    for (arguments, expected) in cases {
        let said = files.refused(arguments);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    assert_eq!(fs::read_to_string(files.path("trust/own.pem")).expect("a file"), pem);
    assert_eq!(fs::read_dir(files.path("trust")).expect("a folder").count(), 1, "nothing was changed, so no copy");
}
