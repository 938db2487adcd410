//! Old phones: TLS 1.0 and 1.1, RSA-1024, SHA-1 and X.509 version 1, played by openssl; and that none of it reaches a
//! modern listener.

use tempfile::TempDir;

use crate::outsider::{Answer, curl, openssl, run};
use crate::server::{Server, refused, wait_for};
use crate::site::{ALL, OTHER, PHONE, Site, config, lab};

/// What every old phone of these tests speaks: AES-CBC with RSA key exchange, TLS 1.0.
pub(crate) const SPA: [&str; 3] = ["-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0"];

/// An authority as they were, RSA-1024 and SHA-1, and certificates by it.
pub(crate) struct Factory {
    folder: TempDir,
}

/// How a certificate is made.
#[derive(Clone, Copy)]
pub(crate) enum Made {
    /// By the factory, X.509 version 3.
    V3,
    /// By the factory, X.509 version 1.
    V1,
    /// By the factory, signed with MD5.
    Md5,
    /// By the factory, for an RSA key of 512 bits.
    Rsa512,
    /// By the factory, expired yesterday, but from today on: all that `openssl x509` makes.
    Expired,
    /// By nobody else.
    SelfSigned,
}

impl Factory {
    pub(crate) fn new() -> Self {
        let factory = Self { folder: tempfile::tempdir().expect("room for a folder") };
        let (key, ca) = (factory.file("ca.key"), factory.file("ca.pem"));
        let subject = ["-subj", "/O=Cisco Systems/CN=Old Manufacturing CA", "-days", "3"];
        let request = ["req", "-x509", "-newkey", "rsa:1024", "-nodes", "-sha1", "-keyout", &key, "-out", &ca];
        openssl(&[&request[..], &subject].concat(), b"");
        factory
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A certificate of the guides' layout, and its key.
    pub(crate) fn phone(&self, name: &str, mac: &str, made: Made) -> Certificate {
        let [key, request, pem, ca, ca_key, extensions] =
            [&format!("{name}.key"), &format!("{name}.csr"), &format!("{name}.pem"), "ca.pem", "ca.key", "extensions"]
                .map(|file| self.file(file));
        let subject = format!("/OU=SPA504G/L=CBT141900G7/ST={mac}");
        let bits = if matches!(made, Made::Rsa512) { "rsa:512" } else { "rsa:1024" };
        openssl(&["req", "-new", "-newkey", bits, "-nodes", "-keyout", &key, "-out", &request, "-subj", &subject], b"");
        std::fs::write(&extensions, "keyUsage = digitalSignature\n").expect("room for a file");
        let by_factory = ["-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial"];
        let rest: Vec<&str> = match made {
            Made::V3 | Made::Rsa512 => [&by_factory[..], &["-sha1", "-days", "2", "-extfile", &extensions]].concat(),
            Made::V1 => [&by_factory[..], &["-sha1", "-days", "2"]].concat(),
            Made::Md5 => [&by_factory[..], &["-md5", "-days", "2", "-extfile", &extensions]].concat(),
            Made::Expired => [&by_factory[..], &["-sha1", "-days", "-1", "-extfile", &extensions]].concat(),
            Made::SelfSigned => vec!["-signkey", &key, "-sha1", "-days", "2"],
        };
        openssl(&[&["x509", "-req", "-in", &request, "-out", &pem][..], &rest].concat(), b"");
        Certificate { pem, key }
    }

    /// An https listener for old phones.
    fn listener(&self, extra: &str) -> String {
        let [certificate, key] = ["server.pem", "server.key"].map(lab);
        format!(
            "\n[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"https\"\ntls = \"legacy\"\n\
             certificate = \"{certificate}\"\nkey = \"{key}\"\nclient_ca = [\"{}\"]\n{extra}",
            self.file("ca.pem")
        )
    }

    /// A server with a modern listener and one for old phones; both trust the same authority.
    pub(crate) fn serve(&self, extra: &str) -> Server {
        let ca = format!("client_ca = [\"{}\"]", lab("ca.pem"));
        let both = format!("client_ca = [\"{}\", \"{}\"]", lab("ca.pem"), self.file("ca.pem"));
        let site = Site::new("");
        let text = config(&ALL, &self.listener(extra)).replacen(&ca, &both, 1);
        site.configure(&format!("state = \"state\"\n{text}"));
        site.start()
    }
}

/// Files of openssl's.
pub(crate) struct Certificate {
    pub(crate) pem: String,
    pub(crate) key: String,
}

impl Certificate {
    pub(crate) fn options(&self) -> [&str; 4] {
        ["-cert", &self.pem, "-key", &self.key]
    }
}

/// The listener for old phones.
pub(crate) fn old_port(server: &Server) -> u16 {
    server.ports("https")[1]
}

/// What `openssl s_client` gets by these options, without the date and what it asked for itself.
pub(crate) fn s_client(port: u16, path: &str, options: &[&str]) -> Answer {
    s_client_as("", port, path, options)
}

/// The same with a header that says what it is.
pub(crate) fn s_client_as(header: &str, port: u16, path: &str, options: &[&str]) -> Answer {
    let (address, ca) = (format!("127.0.0.1:{port}"), lab("ca.pem"));
    let fixed = ["s_client", "-quiet", "-ign_eof", "-connect", &address, "-CAfile", &ca, "-verify_return_error"];
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{header}Connection: close\r\n\r\n");
    let mut answer = Answer::parse(&run("openssl", &[&fixed[..], options].concat(), request.as_bytes()).stdout);
    answer.headers.retain(|(name, _)| name != "connection");
    answer.timeless()
}

fn metric(server: &Server, line: &str) -> bool {
    wait_for(|| curl(&[&server.admin("/metrics")]).text().lines().any(|found| found == line))
}

fn own_profile(answer: &Answer) -> bool {
    answer.status == 200 && answer.text().contains(&format!("<User_ID_1_>{PHONE}</User_ID_1_>"))
}

#[test]
fn an_old_phone_with_sha_1_and_a_short_key_gets_its_profile() {
    let factory = Factory::new();
    let phone = factory.phone("phone", PHONE, Made::V3);
    let server = factory.serve("");
    let path = format!("/{PHONE}.cfg");

    for (version, cipher) in
        [("-tls1", "DEFAULT"), ("-tls1", "AES256-SHA"), ("-tls1_1", "AES128-SHA"), ("-tls1_2", "ALL")]
    {
        let cipher = format!("{cipher}:@SECLEVEL=0");
        let answer =
            s_client(old_port(&server), &path, &[&[version, "-cipher", &cipher][..], &phone.options()].concat());
        assert!(own_profile(&answer), "{version} {cipher}: {answer:?}");
    }
    server.log_line(&["transport=\"https\"", "device.proven=000e08abcdef/CBT141900G7", "outcome=\"served\""]);
    assert!(metric(&server, "phoneprov_handshakes_total{version=\"1.0\",resumed=\"no\"} 2"));
    assert!(metric(&server, "phoneprov_handshakes_total{version=\"1.1\",resumed=\"no\"} 1"));
}

#[test]
fn an_old_phone_with_a_certificate_of_version_1_gets_its_profile() {
    let factory = Factory::new();
    let phone = factory.phone("phone", PHONE, Made::V1);
    let text = openssl(&["x509", "-noout", "-text", "-in", &phone.pem], b"");
    assert!(String::from_utf8_lossy(&text).contains("Version: 1 "), "openssl made another version");
    let server = factory.serve("");

    let answer = s_client(old_port(&server), &format!("/{PHONE}.cfg"), &[&SPA[..], &phone.options()].concat());

    assert!(own_profile(&answer), "{answer:?}");
}

/// A proxy that speaks TLS 1.0 with them; phoneprov behind it speaks none.
#[test]
fn behind_a_proxy_an_old_phone_proves_itself_to_a_listener_for_old_phones_only() {
    let factory = Factory::new();
    let phone = factory.phone("phone", PHONE, Made::V3);
    let proxied = format!(
        "[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\ntrusted_proxies = [\"127.0.0.1\"]\n\
         proxy_certificate = \"nginx\"\nclient_ca = [\"{}\"]\n",
        factory.file("ca.pem")
    );
    let site = Site::new("");
    site.configure(&config(&[], &format!("{proxied}tls = \"legacy\"\n{proxied}")));
    let server = site.start();
    let pem = std::fs::read_to_string(&phone.pem).expect("a certificate");
    let escaped = percent_encoding::utf8_percent_encode(&pem, percent_encoding::NON_ALPHANUMERIC);
    let header = format!("X-SSL-Client-Cert: {escaped}");
    let get = |port: u16| curl(&["-H", &header, &format!("http://127.0.0.1:{port}/{PHONE}.cfg")]);

    assert!(own_profile(&get(server.ports("http")[0])), "{}", server.log());
    assert_eq!(get(server.ports("http")[1]).status, 404);
    server.log_line(&["the certificate proves nobody", "too old or unknown"]);
}

#[test]
fn nothing_old_is_taken_by_a_modern_listener() {
    let factory = Factory::new();
    let (v3, v1) = (factory.phone("v3", PHONE, Made::V3), factory.phone("v1", PHONE, Made::V1));
    let server = factory.serve("");
    let (modern, path) = (server.port("https"), format!("/{PHONE}.cfg"));

    for version in ["-tls1", "-tls1_1"] {
        let answer = s_client(modern, "/basic.txt", &[version, "-cipher", "ALL:@SECLEVEL=0"]);
        assert_eq!(answer.status, 0, "{version}");
    }
    for suite in ["AES128-SHA", "AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA"] {
        let answer = s_client(modern, "/basic.txt", &["-tls1_2", "-cipher", &format!("{suite}:@SECLEVEL=0")]);
        assert_eq!(answer.status, 0, "{suite}");
    }
    for (certificate, name) in [(&v3, "SHA-1"), (&v1, "version 1")] {
        for version in ["-tls1_2", "-tls1_3"] {
            let options = [&[version, "-cipher", "ALL:@SECLEVEL=0"][..], &certificate.options()].concat();
            let answer = s_client(modern, &path, &options);
            assert_ne!(answer.status, 200, "{name} {version}: {answer:?}");
        }
    }
}

#[test]
fn a_certificate_that_proves_nobody_gets_what_an_unknown_file_gets() {
    let factory = Factory::new();
    let server = factory.serve("");
    let (port, path) = (old_port(&server), format!("/{PHONE}.cfg"));
    let with = |name: &str, mac: &str, made| {
        let certificate = factory.phone(name, mac, made);
        s_client(port, &path, &[&SPA[..], &certificate.options()].concat())
    };
    let unknown = s_client(port, "/no-such-file.cfg", &SPA);
    assert_eq!(unknown.status, 404);

    assert_eq!(s_client(port, &path, &SPA), unknown, "no certificate");
    assert_eq!(with("other", OTHER, Made::V3), unknown, "another phone");
    assert_eq!(with("expired", PHONE, Made::Expired), unknown, "expired");
    assert_eq!(with("stranger", PHONE, Made::SelfSigned), unknown, "by nobody");
    assert_eq!(with("md5", PHONE, Made::Md5), unknown, "forgeable");
    assert_eq!(with("rsa512", PHONE, Made::Rsa512), unknown, "its key can be found out");
    assert_eq!(s_client(port, "/basic.txt", &SPA).status, 200, "what needs no proof is served");

    server.log_line(&["outcome=\"refused\"", "none was sent"]);
    server.log_line(&["outcome=\"refused\"", "the path names 000e08abcdef, the certificate 000e08000002"]);
    server.log_line(&[
        "outcome=\"refused\"",
        "the certificate proves nobody: its dates are wrong: it ends before it begins",
    ]);
    server.log_line(&["outcome=\"refused\"", "the certificate proves nobody: none of listen.client_ca issued it"]);
    server.log_line(&[
        "outcome=\"refused\"",
        "the certificate proves nobody: its chain has a signature that anybody can forge",
    ]);
    server.log_line(&["outcome=\"refused\"", "its chain has an RSA key of 512 bits: expected 1024 at the least"]);
}

#[test]
fn a_listener_that_requires_a_certificate_shakes_no_hand_without_one() {
    let factory = Factory::new();
    let phone = factory.phone("phone", PHONE, Made::V1);
    let expired = factory.phone("expired", PHONE, Made::Expired);
    let server = factory.serve("client_certificate = \"require\"\n");
    let port = old_port(&server);

    assert_eq!(s_client(port, "/basic.txt", &[&SPA[..], &phone.options()].concat()).status, 200);
    assert_eq!(s_client(port, "/basic.txt", &[&SPA[..], &expired.options()].concat()).status, 0);
    assert_eq!(s_client(port, "/basic.txt", &SPA).status, 0);
    server.log_line(&["phoneprov::handshake", "peer did not return a certificate"]);
}

#[test]
fn a_resumed_session_proves_what_its_first_did() {
    let factory = Factory::new();
    let phone = factory.phone("phone", PHONE, Made::V3);
    let server = factory.serve("");
    let (port, path, session) = (old_port(&server), format!("/{PHONE}.cfg"), factory.file("session"));

    let first = [&SPA[..], &phone.options(), &["-sess_out", &session]].concat();
    assert!(own_profile(&s_client(port, &path, &first)));
    let second = s_client(port, &path, &[&SPA[..], &["-sess_in", &session]].concat());

    assert!(own_profile(&second), "{second:?}");
    assert!(metric(&server, "phoneprov_handshakes_total{version=\"1.0\",resumed=\"yes\"} 1"));
}

#[test]
fn a_listener_limited_to_models_refuses_all_others() {
    let factory = Factory::new();
    let phone = factory.phone("phone", PHONE, Made::V3);
    let unnamed = {
        let other = factory.phone("unnamed", PHONE, Made::V3);
        let (request, pem) = (factory.file("cn.csr"), factory.file("cn.pem"));
        let subject = format!("/CN={PHONE}");
        openssl(&["req", "-new", "-key", &other.key, "-out", &request, "-subj", &subject], b"");
        let (ca, ca_key) = (factory.file("ca.pem"), factory.file("ca.key"));
        let issue = ["x509", "-req", "-in", &request, "-out", &pem, "-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial"];
        openssl(&issue, b"");
        Certificate { pem, ..other }
    };
    let limited = |models: &str| factory.serve(&format!("models = [{models}]\n"));
    let get = |server: &Server, path: &str, certificate: Option<&Certificate>| {
        let options = certificate.map(Certificate::options);
        s_client(old_port(server), path, &[&SPA[..], options.as_ref().map_or(&[][..], |options| options)].concat())
    };
    let own = format!("/{PHONE}.cfg");

    let spa = limited("\"spa504g\", \"SPA525G\"");
    let unknown = get(&spa, "/no-such-file", None);
    assert!(own_profile(&get(&spa, &own, Some(&phone))));
    assert_eq!(get(&spa, "/basic.txt", Some(&phone)).status, 200);
    assert_eq!(get(&spa, "/basic.txt", None), unknown, "nothing says what it is");
    assert_eq!(get(&spa, "/504G.xml", None).status, 200, "the path's $PSN says it");
    assert_eq!(get(&spa, "/8841-3PCC.xml", None), unknown, "the path's $PSN says another");
    assert_eq!(get(&spa, &format!("/SPA525G/{PHONE}.cfg"), Some(&unnamed)).status, 200, "the path's $PN says it");
    assert_eq!(get(&spa, &format!("/CP-8841-3PCC/{PHONE}.cfg"), Some(&unnamed)), unknown, "it says another");
    spa.log_line(&["outcome=\"refused\"", "the listener is limited to models, and neither certificate nor path says"]);
    spa.log_line(&["outcome=\"refused\"", "the listener is limited to other models than CP-8841-3PCC"]);

    let other = limited("\"SPA525G\"");
    assert_eq!(get(&other, &own, Some(&phone)), get(&other, "/no-such-file", None), "the certificate says another");
    assert_eq!(get(&other, "/525G.xml", Some(&phone)).status, 404, "a path does not outdo a certificate");
}

#[test]
fn check_asks_for_encrypt_on_what_a_listener_for_old_phones_serves() {
    let factory = Factory::new();
    let check = |rules: &str| {
        let site = Site::new("");
        site.configure(&config(&ALL, &format!("{}{rules}", factory.listener(""))));
        let config = site.config().display().to_string();
        String::from_utf8_lossy(&run(env!("CARGO_BIN_EXE_phoneprov"), &["check", "--config", &config], b"").stdout)
            .into_owned()
    };
    let encrypted = "encrypt = \"aes-256-cbc\"\nkey_from = \"master\"\n";

    let plain = check("");
    assert!(plain.contains("warning: rule default: sends devices' files ($MA.cfg and "), "{plain}");
    let rules = check(&format!("[[rule]]\npath = \"/**\"\n{encrypted}"));
    assert!(!rules.contains("old phones"), "{rules}");
    let elsewhere = check("[[rule]]\npath = \"/**\"\nproof = \"certificate\"\nlisteners = [\"http\"]\n");
    assert!(!elsewhere.contains("old phones"), "{elsewhere}");
}

#[test]
fn a_modern_listener_can_be_held_to_one_version() {
    for (only, option, other) in [("1.2", "-tls1_2", "-tls1_3"), ("1.3", "-tls1_3", "-tls1_2")] {
        let site = Site::new("");
        let key = format!("key = \"{}\"\n", lab("server.key"));
        let text = config(&ALL, "").replace(&key, &format!("{key}tls_min = \"{only}\"\ntls_max = \"{only}\"\n"));
        site.configure(&text);
        let server = site.start();
        assert_eq!(s_client(server.port("https"), "/basic.txt", &[option]).status, 200, "{only}");
        assert_eq!(s_client(server.port("https"), "/basic.txt", &[other]).status, 0, "{only}");
    }
}

#[test]
fn bad_files_are_told_by_name_whatever_the_listener() {
    let factory = Factory::new();
    let (server, server_key, ca) = (lab("server.pem"), lab("server.key"), factory.file("ca.pem"));
    let read = |path: &str| std::fs::read_to_string(path).expect("text");
    let write = |name: &str, text: &str| {
        let path = factory.file(name);
        std::fs::write(&path, text).expect("room for a file");
        path
    };
    let locked = factory.file("locked.key");
    openssl(&["rsa", "-in", &server_key, "-out", &locked, "-aes256", "-passout", "pass:secret"], b"");
    let noise = write("noise.key", "-----BEGIN PRIVATE KEY-----\nnot base64\n-----END PRIVATE KEY-----\n");
    let reversed = write("reversed.pem", &[read(&lab("ca.pem")), read(&server)].concat());
    let broken = write("broken.pem", &[read(&ca).as_str(), &read(&ca).replacen("MII", "M!I", 1)].concat());
    let other_key = lab(&format!("phone-{PHONE}.key"));
    let cases = [
        (&server_key, &locked, "the private key has a pass phrase"),
        (&server_key, &noise, "noise.key: "),
        (&server_key, &other_key, "they do not belong together: the key is of another certificate"),
        (
            &server,
            &reversed,
            "the chain is in the wrong order: certificate 1 issued certificate 2 and has to follow it",
        ),
        (&ca, &broken, "broken.pem: certificate 2 of the file is damaged"),
    ];
    for (from, to, wanted) in cases {
        for kind in ["tls = \"modern\"", "tls = \"legacy\""] {
            let listener = factory.listener("").replace("tls = \"legacy\"", kind).replace(from.as_str(), to);
            let said = refused(&Site::bare(&config(&["http"], &listener)));
            assert!(said.contains(wanted), "{kind}, {to}: {said}");
        }
    }
}

#[test]
fn a_chain_in_its_order_is_sent_whole() {
    let factory = Factory::new();
    let read = |path: &str| std::fs::read_to_string(path).expect("text");
    let chain = factory.file("chain.pem");
    std::fs::write(&chain, [read(&lab("server.pem")), read(&lab("ca.pem"))].concat()).expect("room for a file");
    let listener = factory.listener("").replace(&lab("server.pem"), &chain);
    let server = Site::bare(&config(&["http"], &listener)).start();
    let address = format!("127.0.0.1:{}", server.port("https"));
    let shown = run("openssl", &["s_client", "-connect", &address, "-showcerts", "-tls1_2"], b"").stdout;
    assert_eq!(String::from_utf8_lossy(&shown).matches("BEGIN CERTIFICATE").count(), 2);
}

/// What sslscan finds at a port: versions that are spoken, suites as `version name`.
fn scanned(port: u16) -> (Vec<String>, Vec<String>, String) {
    let output = run("sslscan", &["--no-colour", &format!("127.0.0.1:{port}")], b"").stdout;
    let text = String::from_utf8_lossy(&output).into_owned();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let enabled =
        text.lines().filter(|line| line.ends_with(" enabled") && (line.starts_with("TLS") || line.starts_with("SSL")));
    let versions = enabled.map(|line| words(line)[0].clone()).collect();
    let accepted = text.lines().filter(|line| line.starts_with("Preferred") || line.starts_with("Accepted"));
    let suites = accepted.map(|line| {
        let words = words(line);
        let bits = words.iter().position(|word| word == "bits").expect("a suite has a strength");
        format!("{} {}", words[1], words[bits + 1])
    });
    let suites = suites.collect();
    (versions, suites, text)
}

#[test]
fn a_scanner_finds_what_each_listener_should_speak_and_nothing_else() {
    let server = Factory::new().serve("");

    let (versions, suites, text) = scanned(server.port("https"));
    assert_eq!(versions, ["TLSv1.2", "TLSv1.3"], "{text}");
    for suite in &suites {
        let is_strong = suite.starts_with("TLSv1.3 ") || suite.starts_with("TLSv1.2 ECDHE-");
        assert!(is_strong && !suite.ends_with("-SHA") && !suite.contains("CBC"), "{suite}: {text}");
    }

    let (versions, suites, text) = scanned(old_port(&server));
    assert_eq!(versions, ["TLSv1.0", "TLSv1.1", "TLSv1.2"], "{text}");
    for wanted in ["TLSv1.0 AES128-SHA", "TLSv1.1 AES256-SHA", "TLSv1.0 ECDHE-RSA-AES128-SHA", "TLSv1.2 AES128-SHA"] {
        assert!(suites.iter().any(|suite| suite == wanted), "{wanted}: {text}");
    }
    for banned in ["RC4", "DES", "NULL", "EXP", "ADH", "AECDH", "MD5", "PSK", "SEED", "IDEA", "CAMELLIA"] {
        assert!(!suites.iter().any(|suite| suite.contains(banned)), "{banned}: {text}");
    }
    assert!(!text.contains("vulnerable to heartbleed") || text.contains("not vulnerable to heartbleed"), "{text}");
    assert!(!text.contains("Insecure session renegotiation"), "{text}");
}
