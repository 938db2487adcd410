//! Behind real proxies with the shipped configurations: a genuine client gets its profile, and one that forges what a
//! proxy says gets what it would get without. Clients come from 127.0.0.2, proxies from 127.0.0.1, which is trusted.

use std::fs;
use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::outsider::{Answer, connect, curl, openssl, phoneprov, raw, read_to_close, run};
use crate::server::{Server, free_port, wait_for};
use crate::site::{OTHER, PHONE, Site, config, lab, tls};

const STRANGER: [&str; 2] = ["--interface", "127.0.0.2"];

/// A proxy under its shipped configuration, ended with the test.
pub(crate) struct Proxy {
    child: Child,
    folder: tempfile::TempDir,
}

/// A file of packaging/proxy with the paths and ports of a test.
pub(crate) fn shipped(file: &str, changes: &[(&str, &str)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/proxy").join(file);
    let mut text = fs::read_to_string(path).expect("a shipped file");
    let ours = ["server.pem", "server.key", "ca.pem"].map(|file| (format!("/etc/phoneprov/certs/{file}"), lab(file)));
    for (from, to) in &ours {
        text = text.replace(from, to);
    }
    for (from, to) in changes {
        assert!(text.contains(from), "{file} has no {from}");
        text = text.replace(from, to);
    }
    text
}

impl Proxy {
    /// `main` is the program's own configuration around the shipped one; `{folder}` stands for the test's folder.
    fn start(program: &str, arguments: &[&str], main: &str, shipped: &str, port: u16) -> Self {
        let folder = tempfile::tempdir().expect("room for a folder");
        let here = folder.path().display().to_string();
        for (file, text) in [("main", main), ("shipped.conf", shipped)] {
            fs::write(folder.path().join(file), text.replace("{folder}", &here)).expect("room for a file");
        }
        let pair = fs::read_to_string(lab("server.pem")).expect("a chain")
            + &fs::read_to_string(lab("server.key")).expect("a key");
        fs::write(folder.path().join("pair.pem"), pair).expect("room for a file");
        let output = fs::File::create(folder.path().join("output")).expect("room for a file");
        let child = Command::new(installed(program))
            .args(arguments.iter().map(|argument| argument.replace("{folder}", &here)))
            .stdin(Stdio::null())
            .stderr(output.try_clone().expect("a second handle"))
            .stdout(output)
            .spawn()
            .expect("tests/run installs this program");
        let proxy = Self { child, folder };
        let is_up = wait_for(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
        assert!(is_up, "{program}: {}", proxy.output());
        proxy
    }

    fn output(&self) -> String {
        let read = |file: &str| fs::read_to_string(self.folder.path().join(file)).unwrap_or_default();
        read("output") + &read("error.log")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Apache's children end with it when it is asked to.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        if !wait_for(|| self.child.try_wait().is_ok_and(|ended| ended.is_some())) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Servers are often not on an ordinary user's path.
fn installed(program: &str) -> PathBuf {
    let path = Path::new("/usr/sbin").join(program);
    if path.exists() { path } else { program.into() }
}

/// A server with what every test asks for, behind these listeners.
fn server(listen: &str) -> Server {
    let rules = "[[rule]]\npath = \"/tls-only.txt\"\nlisteners = [\"https\"]\n";
    let site = Site::bare(&config(&[], &format!("{listen}\n{rules}")));
    site.profile("$MA.cfg", "for {{ MA }}");
    site.profile("open.txt", "open");
    site.profile("tls-only.txt", "tls");
    site.start()
}

fn behind(file: &str) -> Server {
    server(&shipped(file, &[("127.0.0.1:8082", "127.0.0.1:0")]))
}

fn nginx(server: &Server) -> (Proxy, u16) {
    let port = free_port();
    let (to, listen) = (format!("127.0.0.1:{}", server.port("http")), format!("listen 127.0.0.1:{port} ssl"));
    let conf = shipped("nginx.conf", &[("127.0.0.1:8082", &to), ("listen 443 ssl", &listen)]);
    (nginx_with(&conf, port), port)
}

/// nginx with this configuration, which listens on this port.
pub(crate) fn nginx_with(conf: &str, port: u16) -> Proxy {
    let temporary =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|of| format!("{of}_temp_path {{folder}}/{of};"));
    let main = format!(
        "daemon off; master_process off; pid {{folder}}/pid; error_log {{folder}}/error.log; events {{}}\n\
         http {{ access_log off; {} include {{folder}}/shipped.conf; }}\n",
        temporary.join(" ")
    );
    Proxy::start("nginx", &["-e", "{folder}/error.log", "-c", "{folder}/main"], &main, conf, port)
}

fn apache(server: &Server) -> (Proxy, u16) {
    let port = free_port();
    let to = format!("127.0.0.1:{}", server.port("http"));
    let conf = shipped("apache.conf", &[("127.0.0.1:8082", &to), ("*:443", &format!("127.0.0.1:{port}"))]);
    let modules = ["mpm_event", "authz_core", "ssl", "socache_shmcb", "headers", "proxy", "proxy_http"];
    let modules = modules.map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"));
    let user = if rustix::process::geteuid().is_root() { "User www-data\nGroup www-data\n" } else { "" };
    let main = format!(
        "{}{user}ServerRoot {{folder}}\nServerName localhost\nPidFile {{folder}}/pid\nErrorLog {{folder}}/error.log\n\
         DefaultRuntimeDir {{folder}}\nListen 127.0.0.1:{port}\nInclude {{folder}}/shipped.conf\n",
        modules.concat()
    );
    (Proxy::start("apache2", &["-D", "FOREGROUND", "-f", "{folder}/main"], &main, &conf, port), port)
}

/// Where `HAProxy` ends TLS, and where it hands it through.
fn haproxy(server: &Server) -> (Proxy, u16, u16) {
    let (ends, through) = (free_port(), free_port());
    let changes = [
        ("127.0.0.1:8082", format!("127.0.0.1:{}", server.port("http"))),
        ("127.0.0.1:8445", format!("127.0.0.1:{}", server.port("https"))),
        ("bind :443", format!("bind 127.0.0.1:{ends}")),
        ("bind :8444", format!("bind 127.0.0.1:{through}")),
        ("/etc/haproxy/server.pem", "{folder}/pair.pem".to_owned()),
    ];
    let changes: Vec<_> = changes.iter().map(|(from, to)| (*from, to.as_str())).collect();
    let conf = shipped("haproxy.cfg", &changes);
    (Proxy::start("haproxy", &["-db", "-f", "{folder}/shipped.conf"], "", &conf, ends), ends, through)
}

/// What a client from another address gets over TLS, with a phone's certificate or without.
fn ask(port: u16, phone: Option<&str>, headers: &[String], path: &str) -> Answer {
    let url = format!("https://127.0.0.1:{port}{path}");
    let ca = lab("ca.pem");
    let files = phone.map(|mac| (certificate(mac), lab(&format!("phone-{mac}.key"))));
    let mut arguments = vec!["--cacert", &ca];
    arguments.extend(STRANGER);
    if let Some((certificate, key)) = &files {
        arguments.extend(["--cert", certificate, "--key", key]);
    }
    arguments.extend(headers.iter().flat_map(|header| ["-H", header]));
    arguments.push(&url);
    curl(&arguments)
}

/// What curl gets in clear from this address.
fn ask_in_clear(interface: &str, port: u16, headers: &[String], path: &str) -> Answer {
    let url = format!("http://127.0.0.1:{port}{path}");
    let mut arguments = vec!["--interface", interface];
    arguments.extend(headers.iter().flat_map(|header| ["-H", header]));
    arguments.push(&url);
    curl(&arguments)
}

fn certificate(mac: &str) -> String {
    lab(&format!("phone-{mac}.pem"))
}

fn base64(pem: &str) -> String {
    let der = openssl(&["x509", "-in", pem, "-outform", "der"], b"");
    data_encoding::BASE64.encode(&der)
}

fn escaped(pem: &str) -> String {
    let pem = fs::read_to_string(pem).expect("a certificate");
    percent_encoding::utf8_percent_encode(&pem, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A phone's certificate, which is no secret, in every form that some proxy sends.
fn forgeries(mac: &str) -> Vec<Vec<String>> {
    let pem = certificate(mac);
    let (base64, escaped) = (base64(&pem), escaped(&pem));
    let spaced = fs::read_to_string(pem).expect("a certificate").replace('\n', " ");
    let https =
        ["Forwarded: for=198.51.100.9;proto=https", "X-Forwarded-For: 198.51.100.9", "X-Forwarded-Proto: https"];
    let forms = [
        format!("Client-Cert: :{base64}:"),
        format!("X-SSL-Client-Cert: {base64}"),
        format!("X-SSL-Client-Cert: {escaped}"),
        format!("X-SSL-Client-Cert: {spaced}"),
        format!("X_SSL_Client_Cert: {base64}"),
        format!("X-Forwarded-Client-Cert: Cert=\"{escaped}\""),
    ];
    let with_address = |form: String| https.iter().map(ToString::to_string).chain([form]).collect();
    forms.into_iter().map(with_address).collect()
}

/// What must hold behind every proxy that ends TLS and sends the certificate on.
fn genuine_and_forged(server: &Server, port: u16) {
    let (own, others) = (format!("/{PHONE}.cfg"), format!("/{OTHER}.cfg"));

    let genuine = ask(port, Some(PHONE), &[], &own);
    assert_eq!((genuine.status, genuine.text()), (200, format!("for {PHONE}")), "{}", server.log());
    server.log_line(&["transport=\"https\"", "peer=127.0.0.2 proxy=127.0.0.1:", &own, "outcome=\"served\""]);
    assert_eq!(ask(port, Some(PHONE), &[], &others).status, 404);
    server.log_line(&[&format!("the path names {OTHER}"), PHONE]);
    assert_eq!(ask(port, None, &[], &own).status, 404);
    server.log_line(&[&own, "a certificate is needed, and none was sent"]);
    assert_eq!(ask(port, None, &[], "/open.txt").text(), "open");
    assert_eq!(ask(port, None, &[], "/tls-only.txt").text(), "tls");

    for forged in forgeries(PHONE) {
        assert_eq!(ask(port, None, &forged, &own).status, 404, "{forged:?}");
        assert_eq!(ask(port, Some(OTHER), &forged, &own).status, 404, "{forged:?}");
        assert_eq!(ask(port, Some(OTHER), &forged, &others).text(), format!("for {OTHER}"), "{forged:?}");
    }
    assert!(!server.log().contains("198.51.100.9"), "an address of the client's own making: {}", server.log());

    for forged in forgeries(PHONE) {
        let direct = ask_in_clear("127.0.0.2", server.port("http"), &forged, &own);
        assert_eq!(direct.status, 404, "{forged:?}");
        let hidden = ask_in_clear("127.0.0.2", server.port("http"), &forged, "/tls-only.txt");
        assert_eq!(hidden.status, 404, "{forged:?}");
    }
    server.log_line(&["transport=\"http\"", "peer=127.0.0.2:", "dropped=\"forwarded\"", &own]);
}

#[test]
fn behind_nginx_a_phone_gets_its_profile_and_a_forger_does_not() {
    let server = behind("nginx.toml");
    let (_proxy, port) = nginx(&server);
    genuine_and_forged(&server, port);
    // What nginx finds fault with is for phoneprov to judge: a phone whose certificate has expired gets what is open.
    let maker = crate::authority::Authority::new("/O=Cisco/CN=Cisco Manufacturing CA");
    let expired = maker.phone_between("expired", PHONE, -30, -1);
    let (ca, url) = (lab("ca.pem"), format!("https://127.0.0.1:{port}/tls-only.txt"));
    let shown = ["--cacert", &ca, "--cert", &expired.pem, "--key", &expired.key, &url];
    assert_eq!(curl(&shown).status, 200);
}

#[test]
fn behind_apache_a_phone_gets_its_profile_and_a_forger_does_not() {
    let server = behind("apache.toml");
    let (_proxy, port) = apache(&server);
    genuine_and_forged(&server, port);
}

#[test]
fn behind_haproxy_a_phone_gets_its_profile_and_a_forger_does_not() {
    let changes = [("127.0.0.1:8082", "127.0.0.1:0"), ("127.0.0.1:8445", "127.0.0.1:0")];
    let server = server(&shipped("haproxy.toml", &changes));
    let (_proxy, ends, through) = haproxy(&server);
    genuine_and_forged(&server, ends);

    let own = format!("/{PHONE}.cfg");
    let genuine = ask(through, Some(PHONE), &[], &own);
    assert_eq!((genuine.status, genuine.text()), (200, format!("for {PHONE}")), "{}", server.log());
    server.log_line(&["transport=\"https\"", "peer=127.0.0.2:", "proxy=127.0.0.1:", &own, "outcome=\"served\""]);
    assert_eq!(ask(through, Some(PHONE), &[], "/tls-only.txt").text(), "tls");
    for forged in forgeries(PHONE) {
        assert_eq!(ask(through, None, &forged, &own).status, 404, "{forged:?}");
        assert_eq!(ask(through, Some(OTHER), &forged, &own).status, 404, "{forged:?}");
    }
    assert!(!server.log().contains("198.51.100.9"), "{}", server.log());

    // A phone that is no proxy comes without the PROXY header, and must not send one.
    let direct = server.port("https");
    assert_eq!(ask(direct, Some(PHONE), &[], &own).text(), format!("for {PHONE}"));
    let ca = lab("ca.pem");
    let url = format!("https://127.0.0.1:{direct}/open.txt");
    let announced = ["--haproxy-protocol", "--cacert", &ca, &url];
    assert_eq!(curl(&announced).text(), "open", "version 1, from a trusted address");
    assert_eq!(curl(&[&STRANGER[..], &announced].concat()).status, 0);
    server.log_line(&["handshake failed", "127.0.0.2"]);
}

/// A listener in clear that trusts 127.0.0.1.
fn trusting(keys: &str) -> String {
    let ca = lab("ca.pem");
    let header = "[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\ntrusted_proxies = [\"127.0.0.1\"]\n";
    let ca = if keys.contains("proxy_certificate") { format!("client_ca = [\"{ca}\"]\n") } else { String::new() };
    format!("{header}{ca}{keys}\n")
}

#[test]
fn rfc_9440_and_envoy_s_header_prove_the_phone() {
    let own = format!("/{PHONE}.cfg");
    let chain = format!("Client-Cert-Chain: :{}:", base64(&lab("ca.pem")));
    let server = server(&(trusting("proxy_certificate = \"rfc9440\"") + &trusting("proxy_certificate = \"envoy\"")));
    let [rfc, envoy] = server.ports("http")[..] else { panic!("two listeners") };

    let client_cert = format!("Client-Cert: :{}:", base64(&certificate(PHONE)));
    let xfcc = format!("X-Forwarded-Client-Cert: Hash=00;Cert=\"{}\";Subject=\"CN=x\"", escaped(&certificate(PHONE)));
    let get = |port, headers: &[&String]| {
        let headers: Vec<String> = headers.iter().map(ToString::to_string).collect();
        ask_in_clear("127.0.0.1", port, &headers, &own)
    };
    assert_eq!(get(rfc, &[&client_cert]).text(), format!("for {PHONE}"), "{}", server.log());
    assert_eq!(get(rfc, &[&client_cert, &chain]).text(), format!("for {PHONE}"));
    assert_eq!(get(envoy, &[&xfcc]).text(), format!("for {PHONE}"), "{}", server.log());
    // Each listener hears its own proxy's words and no other's.
    assert_eq!((get(rfc, &[&xfcc]).status, get(envoy, &[&client_cert]).status), (404, 404));
    server.log_line(&["dropped=\"x-forwarded-client-cert\"", "outcome=\"refused\""]);
    server.log_line(&["dropped=\"client-cert\"", "outcome=\"refused\""]);
}

#[test]
fn a_certificate_that_we_do_not_trust_proves_nobody_whoever_sends_it() {
    let server = server(&trusting("proxy_certificate = \"haproxy\"\nproxy_address = \"forwarded\""));
    let (port, own) = (server.port("http"), format!("/{PHONE}.cfg"));
    let elsewhere = server.path("elsewhere").display().to_string();
    phoneprov(&["certs", "lab", "--dir", &elsewhere, "--phone", PHONE], b"");
    let others = base64(&format!("{elsewhere}/phone-{PHONE}.pem"));
    let get = |header: String| ask_in_clear("127.0.0.1", port, &[header], &own).status;

    assert_eq!(get(format!("X-SSL-Client-Cert: {others}")), 404);
    server.log_line(&[&own, "the certificate proves nobody: its issuer's signature is wrong"]);
    assert_eq!(get("X-SSL-Client-Cert: AAAA".into()), 404);
    server.log_line(&[&own, "the certificate proves nobody: it is not well-formed"]);
    let in_clear =
        [format!("X-SSL-Client-Cert: {}", base64(&certificate(PHONE))), "Forwarded: for=192.0.2.7;proto=http".into()];
    assert_eq!(ask_in_clear("127.0.0.1", port, &in_clear, &own).status, 404);
    server.log_line(&["peer=192.0.2.7 ", "a client that spoke http"]);
}

#[test]
fn what_a_proxy_gets_wrong_is_refused_and_logged() {
    let keys = "proxy_certificate = \"rfc9440\"\nproxy_address = \"forwarded\"";
    let server = server(&(trusting(keys) + "[limits]\nheader_size = \"1 MiB\"\n"));
    let (port, own) = (server.port("http"), format!("/{PHONE}.cfg"));
    let good = format!("Client-Cert: :{}:", base64(&certificate(PHONE)));
    let long = server.path("long");
    fs::write(&long, format!("Client-Cert: :{}:", "A".repeat(100 * 1024))).expect("room for a header");

    let cases: [(&[String], &str); 5] = [
        (&[good.clone(), good.clone()], "client-cert came 2 times"),
        (&["Client-Cert: :AA%00:".into()], "client-cert: expected base64"),
        (&["Client-Cert: MIIB".into()], "between two colons (RFC 9440)"),
        (&["Client-Cert-Chain: :AAAA:".into()], "client-cert-chain came without client-cert"),
        (&[format!("@{}", long.display())], "client-cert has 102402 bytes, expected 32768"),
    ];
    for (headers, reason) in cases {
        assert_eq!(ask_in_clear("127.0.0.1", port, headers, &own).status, 404, "{reason}");
        server.log_line(&[&own, "the certificate proves nobody", reason]);
        assert_eq!(ask_in_clear("127.0.0.1", port, headers, "/open.txt").text(), "open", "{reason}");
    }
    for (value, reason) in [("for=\"192.0.2.7", "a quote without its end"), ("for=nobody", "`nobody` is no address")] {
        let headers = [format!("Forwarded: {value}"), good.clone()];
        assert_eq!(ask_in_clear("127.0.0.1", port, &headers, &own).status, 404, "{value}");
        assert_eq!(ask_in_clear("127.0.0.1", port, &headers, "/open.txt").status, 404, "{value}");
        server.log_line(&["the proxy does not say for whom", reason, "outcome=\"refused\""]);
    }
    let nul = raw(port, b"GET /open.txt HTTP/1.1\r\nHost: a\r\nClient-Cert: :\0:\r\n\r\n");
    assert_eq!(nul.status, 400);
    server.log_line(&["request not understood"]);
}

#[test]
fn a_certificate_header_of_100_kib_is_too_large_for_the_usual_limit() {
    let server = server(&trusting("proxy_certificate = \"rfc9440\""));
    let long = server.path("long");
    fs::write(&long, format!("Client-Cert: :{}:", "A".repeat(100 * 1024))).expect("room for a header");
    let headers = [format!("@{}", long.display())];
    assert_eq!(ask_in_clear("127.0.0.1", server.port("http"), &headers, "/open.txt").status, 431);
    server.log_line(&["request not understood", "too large"]);
}

#[test]
fn what_the_proxy_does_not_say_counts_as_http() {
    let server = server(&trusting("proxy_address = \"x-forwarded-for\""));
    let port = server.port("http");
    let get = |headers: &[&str], path| {
        let headers: Vec<String> = headers.iter().map(ToString::to_string).collect();
        ask_in_clear("127.0.0.1", port, &headers, path).status
    };
    assert_eq!(get(&["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https"], "/tls-only.txt"), 200);
    assert_eq!(get(&["X-Forwarded-For: 192.0.2.7"], "/tls-only.txt"), 404);
    assert_eq!(get(&["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http"], "/tls-only.txt"), 404);
    assert_eq!(get(&["X-Forwarded-Proto: https"], "/tls-only.txt"), 404, "for whom?");
    server.log_line(&["peer=192.0.2.7 proxy=127.0.0.1:", "rule /tls-only.txt does not serve over http"]);
}

#[test]
fn check_knows_that_a_proxy_brings_https_to_a_listener_in_clear() {
    let rule = "[[rule]]\npath = \"/tls-only.txt\"\nlisteners = [\"https\"]\n";
    let check = |keys: &str| {
        let site = Site::bare(&config(&[], &(trusting(keys) + rule)));
        site.profile("tls-only.txt", "tls");
        let config = site.config().display().to_string();
        let output = run(env!("CARGO_BIN_EXE_phoneprov"), &["check", "--config", &config], b"");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let says_so = check("proxy_address = \"forwarded\"");
    assert!(says_so.ends_with("0 errors, 0 warnings\n"), "{says_so}");
    let does_not = check("proxy_protocol = true");
    assert!(does_not.contains("no listener of the configuration speaks what rule.listeners names"), "{does_not}");
}

#[test]
fn the_proxy_protocol_is_owed_by_trusted_peers_and_by_nobody_else() {
    let keys = "proxy_protocol = true\nproxy_address = \"forwarded\"";
    let server = server(&(trusting(keys) + "[limits]\nheader = \"1s\"\n"));
    let port = server.port("http");
    let get =
        "GET /open.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\nForwarded: for=198.51.100.9;proto=https\r\n\r\n";
    let send = |head: &str| raw(port, format!("{head}{get}").as_bytes());

    // Its headers are the client's, whatever they say.
    assert_eq!(send("PROXY TCP4 192.0.2.7 10.0.0.1 4711 80\r\n").text(), "open");
    server.log_line(&["transport=\"http\" peer=192.0.2.7:4711 proxy=127.0.0.1:", "dropped=\"forwarded\""]);
    assert_eq!(send("PROXY UNKNOWN\r\n").text(), "open");
    server.log_line(&["transport=\"http\" peer=127.0.0.1:", "dropped=\"forwarded\""]);
    // A trusted proxy behind another is heard.
    assert_eq!(send("PROXY TCP4 127.0.0.1 127.0.0.1 4711 80\r\n").text(), "open");
    server.log_line(&["transport=\"https\" peer=198.51.100.9 proxy=127.0.0.1:4711"]);

    assert_eq!(send("").status, 0);
    server.log_line(&["phoneprov::proxy", "connection closed", "does not begin with a PROXY header"]);
    let mut cut = connect(port);
    cut.write_all(b"PROXY TCP4 192.0").expect("an open connection");
    cut.shutdown(Shutdown::Write).expect("an open connection");
    assert!(read_to_close(&mut cut).is_empty());
    server.log_line(&["connection closed", "ended after 16 bytes of the PROXY header"]);
    let mut slow = connect(port);
    slow.write_all(b"PROXY").expect("an open connection");
    assert!(read_to_close(&mut slow).is_empty());
    server.log_line(&["connection closed", "no PROXY header within limits.header"]);

    let url = format!("http://127.0.0.1:{port}/open.txt");
    assert_eq!(curl(&[&STRANGER[..], &[&url]].concat()).text(), "open");
    assert_eq!(curl(&[&STRANGER[..], &["--haproxy-protocol", &url]].concat()).status, 400);
    server.log_line(&["request not understood", "peer=127.0.0.2:"]);
}

#[test]
fn a_phone_s_own_certificate_counts_where_no_proxy_speaks_for_it() {
    let keys = "trusted_proxies = [\"127.0.0.1\"]\nproxy_address = \"forwarded\"\n";
    let server = server(&format!("[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"https\"\n{}{keys}", tls()));
    let own = format!("/{PHONE}.cfg");
    assert_eq!(server.phone(&own).status, 200);
    let (ca, certificate, key) = (lab("ca.pem"), certificate(PHONE), lab(&format!("phone-{PHONE}.key")));
    let url = server.url("https", &own);
    let spoken_for = ["--cacert", &ca, "--cert", &certificate, "--key", &key, "-H", "Forwarded: for=192.0.2.7", &url];
    assert_eq!(curl(&spoken_for).status, 404, "the connection's certificate is the proxy's");
    server.log_line(&["peer=192.0.2.7 proxy=", "a certificate is needed"]);
}

#[test]
fn a_reload_changes_who_is_trusted() {
    let listen = trusting("proxy_address = \"forwarded\"");
    let server = server(&listen);
    let header = ["Forwarded: for=192.0.2.7".to_owned()];
    ask_in_clear("127.0.0.1", server.port("http"), &header, "/open.txt");
    server.log_line(&["peer=192.0.2.7 "]);

    server.reload(&config(&[], &listen.replace("[\"127.0.0.1\"]", "[\"192.0.2.1\"]")), "reloaded");
    ask_in_clear("127.0.0.1", server.port("http"), &header, "/open.txt");
    server.log_line(&["dropped=\"forwarded\""]);
    server.reload(&config(&["http"], ""), "reloaded");
    ask_in_clear("127.0.0.1", server.port("http"), &header, "/open.txt?again");
    let dropped = || server.log().matches("dropped=\"forwarded\"").count();
    assert!(wait_for(|| dropped() == 2), "{}", server.log());
}
