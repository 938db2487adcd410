//! The exercises of the Cisco guide (seed 002), each by its name, done by clients that are not ours.

use std::process::{Command, Stdio};

use crate::outsider::{Answer, atftp, curl, curl_tftp, decrypt, gunzip, openssl, phoneprov, run, tftp};
use crate::server::Server;
use crate::site::{OTHER, PHONE, Site, lab};

const BASIC: &str = include_str!("../../profiles/basic.txt");

/// « Resynchronisation TFTP »
#[test]
fn resync_by_tftp_gets_basic_txt_with_every_client() {
    let server = Site::new("").start();
    let port = server.port("tftp");

    assert_eq!(tftp(port, "octet", "basic.txt").as_deref(), Ok(BASIC.as_bytes()));
    assert_eq!(tftp(port, "octet", "/basic.txt").as_deref(), Ok(BASIC.as_bytes()));
    assert_eq!(atftp(port, &[], "basic.txt").as_deref(), Ok(BASIC.as_bytes()));
    assert_eq!(curl_tftp(&server.url("tftp", "/basic.txt")).as_deref(), Ok(BASIC.as_bytes()));
    assert_eq!(curl_tftp(&server.url("tftp", "//basic.txt")).as_deref(), Ok(BASIC.as_bytes()));
    assert!(BASIC.contains("<GPP_A> 12345678 </GPP_A>"));
    server.log_line(&[
        "transport=\"tftp\"",
        "path=\"basic.txt\"",
        "outcome=\"served\"",
        &format!("bytes={}", BASIC.len()),
    ]);
}

/// « Resynchroniser avec HTTP GET »
#[test]
fn resync_by_http_get_gets_basic_txt() {
    let server = Site::new("").start();

    let answer = server.http("/basic.txt");

    assert_eq!((answer.status, answer.text().as_str()), (200, BASIC));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    server.log_line(&["transport=\"http\"", "path=\"/basic.txt\"", "outcome=\"served\""]);
}

/// « Authentifier à l'aide de la resynchronisation HTTPS de base »
#[test]
fn basic_https_resync_gets_basic_txt_from_a_server_that_proves_itself() {
    let server = Site::new("").start();
    let url = server.url("https", "/basic.txt");

    let trusted = curl(&["--cacert", &lab("ca.pem"), &url]);
    let untrusted = curl(&[&url]);

    assert_eq!((trusted.status, trusted.text().as_str()), (200, BASIC));
    assert_eq!(untrusted.status, 0, "curl does not know the lab's authority");
    for version in ["--tlsv1.3", "--tls-max=1.2"] {
        let version: Vec<&str> = version.split('=').collect();
        let answer = curl(&[version.as_slice(), &["--cacert", &lab("ca.pem"), &url]].concat());
        assert_eq!(answer.status, 200, "{version:?}");
    }
}

/// « Mettre à disposition un profil de téléphone IP spécifique sur un serveur TFTP »
#[test]
fn a_profile_named_by_the_mac_address_goes_out_by_tftp_where_a_rule_says_so() {
    let site = Site::new("[[rule]]\npath = \"/CP-7841-3PCC*\"\nproof = \"none\"\nlisteners = [\"tftp\"]\n");
    site.profile(&format!("CP-7841-3PCC{PHONE}.cfg"), BASIC);
    let server = site.start();
    let name = format!("CP-7841-3PCC{PHONE}.cfg");

    assert_eq!(tftp(server.port("tftp"), "octet", &name).as_deref(), Ok(BASIC.as_bytes()));
    assert_eq!(curl_tftp(&server.url("tftp", &format!("/{name}"))).as_deref(), Ok(BASIC.as_bytes()));
}

/// « Profils uniques, expansion de macro et HTTP »
#[test]
fn the_profile_of_every_phone_is_rendered_for_the_one_that_asks() {
    let server = Site::new("").start();

    let own = server.phone(&format!("/{PHONE}.cfg"));
    let other = server.https(OTHER, &format!("/{OTHER}.cfg"));

    assert!(own.status == 200 && own.text().contains(&format!("<User_ID_1_>{PHONE}</User_ID_1_>")), "{own:?}");
    assert!(other.status == 200 && other.text().contains(&format!("<User_ID_1_>{OTHER}</User_ID_1_>")), "{other:?}");
}

/// « Résolution d'URL avec une expansion de macro »
#[test]
fn macros_expand_in_sub_folders() {
    let site = Site::new("");
    site.profile("cisco/config/$PN.cfg", "<flat-profile><!-- {{ PN }} {{ PSN }} --></flat-profile>\n");
    site.profile("cisco/$B/$MA.cfg", "<flat-profile><User_ID_1_>{{ B }} {{ MAU }}</User_ID_1_></flat-profile>\n");
    let server = site.start();

    let series = server.http("/cisco/config/CP-8841-3PCC.cfg");
    let register = server.phone(&format!("/cisco/Dj6Lmp23Q/{PHONE}.cfg"));
    let sample = server.phone(&format!("/CP-8841-3PCC/{PHONE}.cfg"));
    let first_contact = server.http("/8851-3PCC.xml");

    assert!(series.text().contains("<!-- CP-8841-3PCC 8841-3PCC -->"), "{series:?}");
    assert!(register.text().contains("<User_ID_1_>Dj6Lmp23Q 000E08ABCDEF</User_ID_1_>"), "{register:?}");
    assert!(sample.text().contains("<Station_Name>CP-8841-3PCC 000E08ABCDEF</Station_Name>"), "{sample:?}");
    assert!(first_contact.text().contains("https://localhost:8443/$PN/$MA.cfg"), "{first_contact:?}");
    assert_eq!(curl_tftp(&server.url("tftp", "/cisco/config/CP-8841-3PCC.cfg")).as_deref(), Ok(series.body.as_slice()));
}

/// « Compresser un profil ouvert avec Gzip »
#[test]
fn a_gz_name_gives_a_gzip_file_over_every_protocol() {
    let server = Site::new("").start();

    let plain = server.http("/basic.txt.gz");
    let accepting = curl(&["-H", "Accept-Encoding: deflate, gzip", &server.url("http", "/basic.txt.gz")]);

    assert_eq!(gunzip(&plain.body), BASIC.as_bytes());
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!((&accepting.body, accepting.header("content-encoding")), (&plain.body, None), "never both");
    assert_eq!(tftp(server.port("tftp"), "octet", "basic.txt.gz"), Ok(plain.body));
}

#[test]
fn a_rule_makes_a_gzip_file_and_accept_encoding_a_transport_coding_never_both() {
    let site = Site::new("[[rule]]\npath = \"/zipped.xml\"\ngzip = true\n");
    let profile = format!("<flat-profile>{}</flat-profile>\n", "<GPP_A>12345678</GPP_A>".repeat(100));
    site.profile("zipped.xml", &profile);
    site.profile("plain.xml", &profile);
    let server = site.start();
    let accepting = |path: &str| curl(&["-H", "Accept-Encoding: deflate, gzip", &server.url("http", path)]);

    let by_rule = accepting("/zipped.xml");
    let coded = accepting("/plain.xml");
    let identity = server.http("/plain.xml");

    assert_eq!((gunzip(&by_rule.body), by_rule.header("content-encoding")), (profile.clone().into(), None));
    assert_eq!((gunzip(&coded.body), coded.header("content-encoding")), (profile.clone().into(), Some("gzip")));
    assert_eq!((identity.text(), identity.header("content-encoding")), (profile, None));
    assert_eq!(coded.header("vary"), Some("Accept-Encoding"));
    assert_eq!(identity.header("vary"), Some("Accept-Encoding"));
    assert_ne!(coded.header("etag"), identity.header("etag"));
}

const ENCRYPTED: &str = "
[[rule]]
path = \"/basic.cfg\"
encrypt = \"aes-256-cbc\"
key = \"MyOwnSecret\"

[[rule]]
path = \"/both.cfg\"
gzip = true
encrypt = \"aes-256-cbc\"
key = \"MyOwnSecret\"

[[rule]]
path = \"/gcm.cfg\"
gzip = true
encrypt = \"aes128gcm\"
key = \"MyOwnSecret\"

[[rule]]
path = \"/secure/$MA.cfg\"
proof = \"none\"
gzip = true
encrypt = \"aes-256-cbc\"
key_from = \"master\"
listeners = [\"https\", \"http\", \"tftp\"]
";

/// « Chiffrer un profil avec OpenSSL »
#[test]
fn openssl_decrypts_an_encrypted_profile_plain_or_compressed() {
    let site = Site::new(ENCRYPTED);
    site.profile("both.cfg", BASIC);
    let server = site.start();

    let plain = server.http("/basic.cfg");
    let both = curl(&["-H", "Accept-Encoding: gzip", &server.url("http", "/both.cfg")]);

    assert!(plain.body.starts_with(b"Salted__"));
    assert_eq!(decrypt("MyOwnSecret", &plain.body), BASIC.as_bytes());
    assert_eq!(gunzip(&decrypt("MyOwnSecret", &both.body)), BASIC.as_bytes());
    assert_eq!((plain.header("content-encoding"), both.header("content-encoding")), (None, None));
    assert_eq!(tftp(server.port("tftp"), "octet", "basic.cfg"), Ok(plain.body));
}

#[test]
fn an_rfc_8188_profile_says_so_and_the_tool_decrypts_it() {
    let site = Site::new(ENCRYPTED);
    site.profile("gcm.cfg", BASIC);
    let server = site.start();

    let answer = curl(&["-H", "Accept-Encoding: gzip", &server.url("http", "/gcm.cfg")]);

    assert_eq!(answer.header("content-encoding"), Some("aes128gcm"));
    let clear = phoneprov(&["decrypt", "--scheme", "aes128gcm", "--key", "MyOwnSecret"], &answer.body);
    assert_eq!(gunzip(&clear), BASIC.as_bytes());
}

#[test]
fn each_device_has_a_key_of_its_own_under_the_master_secret() {
    let server = Site::new(ENCRYPTED).start();
    let config = server.config().display().to_string();
    let key_of = |mac: &str| {
        let key = run(env!("CARGO_BIN_EXE_phoneprov"), &["key", "--config", &config, "--mac", mac], b"").stdout;
        String::from_utf8_lossy(&key).trim().to_owned()
    };

    let answer = server.http(&format!("/secure/{PHONE}.cfg"));
    let other = server.http(&format!("/secure/{OTHER}.cfg"));

    let own_profile = String::from_utf8_lossy(&gunzip(&decrypt(&key_of(PHONE), &answer.body))).into_owned();
    assert!(own_profile.contains(&format!("<User_ID_1_>{PHONE}</User_ID_1_>")), "{own_profile}");
    assert_ne!(key_of(PHONE), key_of(OTHER));
    let other_profile = gunzip(&decrypt(&key_of(OTHER), &other.body));
    assert!(String::from_utf8_lossy(&other_profile).contains(OTHER));
    assert_eq!(tftp(server.port("tftp"), "octet", &format!("secure/{PHONE}.cfg")), Ok(answer.body));
}

/// « Créer des profils partitionnés »
#[test]
fn partitioned_profiles_are_fetched_one_after_the_other() {
    let server = Site::new("").start();

    let both = [server.url("tftp", "/basic.txt"), server.url("tftp", "/basic2.txt")].map(|url| curl_tftp(&url));

    let [first, second] = both.map(|profile| String::from_utf8(profile.expect("a profile")).expect("text"));
    assert_eq!(first, BASIC);
    assert!(second.contains("<GPP_B>ABCD</GPP_B>"));
    assert_eq!(server.http("/basic2.txt").text(), second);
}

/// « Authentifier HTTPS par certificat client »
#[test]
fn only_the_phone_with_its_own_certificate_gets_its_profile() {
    let server = Site::new("").start();
    let path = format!("/{PHONE}.cfg");
    let url = server.url("https", &path);
    let with = |certificate: &Certificate| {
        curl(&["--cacert", &lab("ca.pem"), "--cert", &certificate.pem, "--key", &certificate.key, &url]).timeless()
    };
    let unknown_file = server.http("/no-such-file.cfg").timeless();

    assert_eq!(server.phone(&path).status, 200);
    assert_eq!(s_client(&server, &path, PHONE).status, 200);

    let folder = tempfile::tempdir().expect("room for a folder");
    let stranger = Certificate::make(&folder, "/OU=CP-8841-3PCC/L=FCH0ROU6UI7/ST=000e08abcdef", &[]);
    let (ca, ca_key) = (lab("ca.pem"), lab("ca.key"));
    let ciscogeneric =
        Certificate::make(&folder, "/OU=cisco.com/L=ciscogeneric/ST=ciscogeneric", &["-CA", &ca, "-CAkey", &ca_key]);
    let refusals = [
        ("no certificate", curl(&["--cacert", &lab("ca.pem"), &url]).timeless()),
        ("another phone", server.https(OTHER, &path).timeless()),
        ("another phone by openssl", s_client(&server, &path, OTHER).timeless()),
        ("an unknown authority", with(&stranger)),
        ("ciscogeneric", with(&ciscogeneric)),
        ("over http", server.http(&path).timeless()),
    ];
    for (who, answer) in refusals {
        assert_eq!(answer, unknown_file, "{who}");
    }
    server.log_line(&["outcome=\"refused\"", "none was sent"]);
    server.log_line(&["outcome=\"refused\"", &format!("device.proven={OTHER}"), "the certificate 000e08000002"]);
    server.log_line(&["outcome=\"refused\"", "the certificate proves nobody", "ciscogeneric"]);
    server.log_line(&["outcome=\"refused\"", "the certificate proves nobody", "none of listen.client_ca issued it"]);
}

/// « Configurer un serveur HTTPS pour le filtrage client et le contenu dynamique »: the script of step 2, at its path of
/// step 5, answers from the certificate of the phone that asks, and nobody without one.
#[test]
fn the_reflector_gives_each_phone_what_its_own_certificate_says() {
    let site = Site::new("");
    let text = std::fs::read_to_string(site.config()).expect("a configuration");
    site.configure(&format!("reflect = \"/cgi-bin/reflect.pl\"\n{text}"));
    let server = site.start();
    let path = "/cgi-bin/reflect.pl?";

    for mac in [PHONE, OTHER] {
        let by_curl = server.https(mac, path);
        let profile = by_curl.text();
        assert!(
            profile.starts_with("<flat-profile><GPP_D>OU=") && profile.contains(&format!("S={mac}</GPP_D>")),
            "{profile}"
        );
        assert_eq!(s_client(&server, path, mac).text(), profile);
    }

    let url = server.url("https", path);
    assert_eq!(curl(&["--cacert", &lab("ca.pem"), &url]).timeless(), server.http("/no-such-file").timeless());
    server.log_line(&["path=\"/cgi-bin/reflect.pl\"", "a certificate is needed, and none was sent"]);
}

struct Certificate {
    pem: String,
    key: String,
}

impl Certificate {
    /// Made by openssl: self-signed, or by the authority in `issuer`.
    fn make(folder: &tempfile::TempDir, subject: &str, issuer: &[&str]) -> Self {
        let file = |ending: &str| folder.path().join(format!("{}.{ending}", issuer.len())).display().to_string();
        let (pem, key) = (file("pem"), file("key"));
        let request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-sha256", "-subj", subject];
        let usage = ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=clientAuth"];
        openssl(&[&request[..], &usage, &["-out", &pem, "-keyout", &key], issuer].concat(), b"");
        Self { pem, key }
    }
}

/// What `openssl s_client` gets with the certificate of a phone.
fn s_client(server: &Server, path: &str, mac: &str) -> Answer {
    let (certificate, key) = (lab(&format!("phone-{mac}.pem")), lab(&format!("phone-{mac}.key")));
    let address = format!("127.0.0.1:{}", server.port("https"));
    let mut command = Command::new("timeout");
    command.args(["20", "openssl", "s_client", "-quiet", "-connect", &address, "-CAfile", &lab("ca.pem")]);
    command.args(["-verify_return_error", "-cert", &certificate, "-key", &key]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("openssl");
    let mut stdin = child.stdin.take().expect("a pipe");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    std::io::Write::write_all(&mut stdin, request.as_bytes()).expect("openssl reads");
    let output = child.wait_with_output().expect("a child");
    let mut answer = Answer::parse(&output.stdout);
    // It was asked for.
    answer.headers.retain(|(name, _)| name != "connection");
    answer
}
