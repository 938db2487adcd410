//! The simulated phone, against servers that nobody here wrote and against ours.

mod bad;
mod follow;
mod servers;
mod tls;
mod uploads;
mod web;

use std::fs;

use crate::outsider::{openssl, run};
use crate::server::free_port;
use crate::site::{OTHER, PHONE, Site, lab};
use servers::{Dnsmasq, Outsider, Scripted, Syslog, ok};

/// What a run of the simulated phone said, and how it ended.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    said: String,
}

impl Ran {
    /// The lines that begin with this word, without it.
    fn lines(&self, word: &str) -> Vec<&str> {
        let lines = self.said.lines().filter_map(|line| line.split_once(' ').filter(|(first, _)| *first == word));
        lines.map(|(_, rest)| rest.trim()).collect()
    }

    /// It ended as class A and said this.
    #[track_caller]
    fn succeeded(&self, parts: &[&str]) -> &Self {
        self.ended(0, parts)
    }

    #[track_caller]
    fn ended(&self, code: i32, parts: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.said);
        for part in parts {
            assert!(self.said.contains(part), "no `{part}` in:\n{}", self.said);
        }
        self
    }
}

/// Runs the sample phone with these arguments to its end.
fn phone(arguments: &[&str]) -> Ran {
    let all = [&["phone", "--mac", PHONE], arguments].concat();
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), &all, b"");
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    Ran { code: output.status.code(), said: String::from_utf8_lossy(&said).into_owned() }
}

/// The arguments for the lab's authority and the sample phone's certificate.
fn proof() -> [String; 6] {
    let [ca, cert, key] = ["ca.pem", "phone-000e08abcdef.pem", "phone-000e08abcdef.key"].map(lab);
    ["--ca".into(), ca, "--cert".into(), cert, "--key".into(), key]
}

/// Runs the sample phone with its certificate.
fn proven(arguments: &[&str]) -> Ran {
    let proof = proof();
    let all: Vec<&str> = proof.iter().map(String::as_str).chain(arguments.iter().copied()).collect();
    phone(&all)
}

const PROFILE: &str = "<flat-profile>\n  <GPP_A> 12345678 </GPP_A>\n</flat-profile>\n";

#[test]
fn a_second_resync_shows_what_a_second_resync_does() {
    let server = Site::new("").start();
    server.profile("$PN/$MA.cfg", "<flat-profile><User_ID_1_>{{ MA }}</User_ID_1_><GPP_A/></flat-profile>");
    let state = server.path("phone.json").display().to_string();
    let rule = server.url("https", "/$PN/$MA.cfg");
    let first = proven(&["--profile-rule", &rule, "--state", &state]);
    first.succeeded(&["asked ", "parsed ", "class A, 1 profile"]);
    assert!(first.lines("set").contains(&"User_ID_1_ = `000e08abcdef`"), "{}", first.said);
    let second = proven(&["--state", &state]);
    second.succeeded(&["unchanged "]);
    assert_eq!(second.lines("set").len() + second.lines("changed").len(), 0, "{}", second.said);
}

#[test]
fn a_phone_without_its_certificate_gets_class_b() {
    let server = Site::new("").start();
    let url = server.url("https", "/$MA.cfg");
    phone(&["--ca", &lab("ca.pem"), "--profile-rule", &url])
        .ended(3, &["class B: not found", "Resync failed: Download failed"]);
}

#[test]
fn first_contact_asks_for_each_familys_own_name() {
    let server = Site::new("").start();
    for (name, asked) in [("$PSN.xml", "8841-3PCC.xml"), ("spa504G.cfg", "spa504G.cfg"), ("ata192.cfg", "ata192.cfg")] {
        server.profile(name, PROFILE);
        let model = match asked.split('.').next() {
            Some("8841-3PCC") => "CP-8841-3PCC",
            Some("ata192") => "ATA192",
            _ => "SPA504G",
        };
        let option = format!("tftp://127.0.0.1:{}", server.port("tftp"));
        let ran = phone(&["--model", model, "--server", &option]);
        ran.succeeded(&["tsize=", "set        GPP_A = `12345678`"]);
        assert!(ran.said.contains(&format!("/{asked} ")), "{}", ran.said);
    }
}

#[test]
fn an_mpp_phone_tries_tftp_http_and_https_with_two_names_each() {
    let server = Site::new("").start();
    server.profile("Cisco/CP-8841-3PCC/000e08abcdef.cfg", PROFILE);
    fs::remove_file(server.path("profiles/$PSN.xml")).expect("a sample");
    let option = format!("127.0.0.1:{}", server.port("https"));
    let ran = proven(&["--server", &option, "--timeout", "6"]);
    ran.succeeded(&["set        GPP_A = `12345678`"]);
    let asked = ran.lines("asked");
    let last = asked.last().expect("a question");
    assert!(
        last.starts_with("GET https://127.0.0.1") && last.contains("/Cisco/CP-8841-3PCC/000e08abcdef.cfg"),
        "{asked:?}"
    );
    assert!(asked[0].starts_with("RRQ ") && asked[0].contains("/8841-3PCC.xml"), "{asked:?}");
}

#[test]
fn without_a_server_there_is_nothing_to_ask() {
    phone(&[]).ended(4, &["class C", "option 66", "Resync failed"]);
}

#[test]
fn rules_run_in_their_order_and_a_later_profile_wins() {
    let server = Site::new("").start();
    server.profile("one.xml", "<flat-profile><GPP_A>1</GPP_A><GPP_C>1</GPP_C></flat-profile>");
    server.profile("two.xml", "<flat-profile><GPP_A>2</GPP_A></flat-profile>");
    let (one, two) = (server.url("http", "/one.xml"), format!("Profile_Rule_C={}", server.url("http", "/two.xml")));
    let ran = phone(&["--profile-rule", &one, "--set", &two]);
    ran.succeeded(&["class A, 2 profiles", "set        GPP_A = `1`", "changed    GPP_A: `1` → `2`"]);
}

#[test]
fn a_failure_stops_the_sequence_which_begins_again() {
    let server = Site::new("").start();
    let (missing, basic) = (server.url("http", "/missing.txt"), server.url("http", "/basic.txt"));
    let (b, c) = (format!("Profile_Rule_B={missing}"), format!("Profile_Rule_C={basic}"));
    let ran = phone(&["--profile-rule", &basic, "--set", &b, "--set", &c]);
    ran.ended(3, &["class B at Profile_Rule_B; the sequence begins again from Profile_Rule in 60 s"]);
    assert_eq!(ran.lines("asked").len(), 2, "{}", ran.said);
    // The same answer is a success where the phone is told so.
    let ran = phone(&["--profile-rule", &basic, "--set", &b, "--set", &c, "--set", "Resync_Fails_On_FNF=No"]);
    ran.succeeded(&["which counts as success", "class A, 2 profiles"]);
}

#[test]
fn conditions_and_assignments_choose_the_place() {
    let server = Site::new("").start();
    let (old, new) = (server.url("http", "/missing.txt"), server.url("http", "/basic.txt"));
    let rule = format!("($SWVER lt sip88xx.11-0-1MPP-1)? {old} | (\"$A\" eq \"\")? (GPP_C = \"$MAU\";)! {new} | {old}");
    let ran = phone(&["--profile-rule", &rule]);
    ran.succeeded(&["alternative 1 not taken", "alternative 2 taken", "assigned   GPP_C = `000E08ABCDEF`", "GPP_A"]);
}

#[test]
fn a_providers_own_form_is_read_by_a_map_of_aliases() {
    let server = Outsider::nginx("", "");
    server.put("customer.xml", "<customer><SIP-number>1001</SIP-number><SIP-password>s3cret</SIP-password></customer>");
    let map = "GPP_M=/customer/SIP-number = /flat-profile/User_ID_1_ ; /SIP-password = /flat-profile/Password_1_ ;";
    let rule = format!("[--alias m] {}", server.url("http", "/customer.xml"));
    let ran = phone(&["--profile-rule", &rule, "--set", map]);
    ran.succeeded(&["User_ID_1_ = `1001`", "Password_1_ = `••••`", "class A, 1 profile"]);
    assert!(!ran.said.contains("s3cret"), "{}", ran.said);
    phone(&["--profile-rule", &rule, "--set", "GPP_M=SIP-number = User_ID_1_"])
        .ended(4, &["`SIP-number = User_ID_1_` is no alias: expected `/customer/number = /flat-profile/User_ID_1_ ;`"]);
    phone(&["--profile-rule", &rule, "--set", "GPP_M=/other = /flat-profile/User_ID_1_"])
        .ended(3, &["class B: the profile is corrupt: line 1, column 1: the root is `<customer>`"]);
}

#[test]
fn a_gate_holds_up_what_is_due_and_not_what_is_asked_for() {
    let server = Site::new("").start();
    let rule = server.url("http", "/basic.txt");
    let gated = ["--profile-rule", &rule, "--set", "Resync_Trigger_1=$PRVTMR ge 600"];
    phone(&[&gated[..], &["--cause", "periodic"]].concat()).succeeded(&["no resync: neither Resync_Trigger_1"]);
    phone(&gated).succeeded(&["class A, 1 profile"]);
    let spa = [&gated[..], &["--cause", "periodic", "--model", "SPA504G"]].concat();
    phone(&spa).succeeded(&["class A, 1 profile"]);
    phone(&["--profile-rule", &rule, "--set", "Provision_Enable=No"]).succeeded(&["Provision_Enable is No"]);
}

#[test]
fn files_of_openssl_gzip_and_http_ece_are_read_over_http_and_tftp() {
    let server = Site::new("").start();
    let packed = run("gzip", &["-c"], PROFILE.as_bytes()).stdout;
    let secret = openssl(&["enc", "-aes-256-cbc", "-md", "md5", "-k", "MyOwnSecret"], &packed);
    server.profile("packed.xml", &packed);
    server.profile("secret.xml", &secret);
    let rules = ["", "[--key MyOwnSecret] ", "[--key \"MyOwnSecret\"] "];
    for scheme in ["http", "tftp"] {
        for (options, file) in rules.iter().zip(["packed", "secret", "secret"]) {
            let rule = format!("{options}{}", server.url(scheme, &format!("/{file}.xml")));
            phone(&["--profile-rule", &rule]).succeeded(&["the file's gzip", "set        GPP_A = `12345678`"]);
        }
    }
    // A key in a special register is expanded and never shown.
    let rule = format!("[--key $SB] {}", server.url("http", "/secret.xml"));
    let ran = phone(&["--profile-rule", &rule, "--set", "GPP_SB=MyOwnSecret"]);
    ran.succeeded(&["decrypted  AES-256-CBC"]);
    assert!(!ran.said.contains("MyOwnSecret"), "{}", ran.said);
    // The content coding counts, whatever --key says.
    let script = "import sys, http_ece; sys.stdout.buffer.write(http_ece.encrypt(sys.stdin.buffer.read(), \
                  key=b'sixteen octets..', salt=bytes(16), version='aes128gcm'))";
    let coded = run("python3", &["-c", script], &packed);
    assert!(coded.status.success(), "{}", String::from_utf8_lossy(&coded.stderr));
    let scripted = Scripted::saying(ok("Content-Encoding: aes128gcm\r\n", &coded.stdout));
    let rule = format!("[--key MyOwnSecret] {}", scripted.url("/x"));
    let ikm = ["--set", "IKM_HTTP_Encrypt_Content=sixteen octets.."];
    let ran = phone(&[&["--profile-rule", &rule][..], &ikm].concat());
    ran.succeeded(&["aes128gcm (RFC 8188)", "so --key was not used", "the file's gzip", "GPP_A = `12345678`"]);
    phone(&["--profile-rule", &rule]).ended(3, &["IKM_HTTP_Encrypt_Content is empty"]);
}

#[test]
fn syslog_says_what_is_documented() {
    let (server, syslog) = (Site::new("").start(), Syslog::new());
    let (rule, port) = (server.url("http", "/basic.txt"), server.port("http"));
    let address = format!("Syslog_Server={}", syslog.address());
    let set = ["--set", &address, "--set", "Syslog_Identifier=$MAU"];
    phone(&[&["--profile-rule", &rule][..], &set].concat()).succeeded(&["syslog "]);
    let url = format!("http://127.0.0.1:{port}/basic.txt");
    let ends = |message: &str, text: &str| {
        message.ends_with(&format!(" 000E08ABCDEF CP-8841-3PCC 00:0e:08:ab:cd:ef -- {text}"))
    };
    let (first, second) = (syslog.message(), syslog.message());
    assert!(ends(&first, &format!("Requesting resync {url}")), "{first}");
    assert!(ends(&second, &format!("Successful resync {url}")), "{second}");
    let missing = server.url("http", "/missing");
    phone(&[&["--profile-rule", &missing, "--model", "ATA192"][..], &set].concat()).ended(3, &[]);
    assert!(syslog.message().contains("ATA192 00:0e:08:ab:cd:ef -- Requesting resync"));
    assert!(syslog.message().ends_with("Resync failed: Download failed"));
    // A blank message is off.
    let quiet = [&["--profile-rule", &rule][..], &set, &["--set", "Log_Request_Msg="]].concat();
    phone(&quiet).succeeded(&[]);
    assert!(syslog.message().contains("Successful resync"));
}

#[test]
fn a_tftp_server_of_another_hand_serves_on_its_usual_port() {
    let folder = tempfile::tempdir().expect("room for a folder");
    let secret = openssl(&["enc", "-aes-256-cbc", "-md", "md5", "-k", "k"], PROFILE.as_bytes());
    let large = format!("<flat-profile><GPP_A>{}</GPP_A></flat-profile>", "x".repeat(512 * 3 - 44));
    for (name, content) in
        [("8841-3PCC.xml", PROFILE.as_bytes()), ("secret.cfg", &secret), ("large.xml", large.as_bytes())]
    {
        fs::write(folder.path().join(name), content).expect("room for a file");
    }
    // Port 69 without root: a network of its own.
    let script = format!(
        "ip link set lo up || ifconfig lo up; dnsmasq --no-daemon --conf-file=/dev/null --port=0 --user=root --enable-tftp \
         --tftp-root={place} --listen-address=127.0.0.1 --bind-interfaces --pid-file= 2>{place}/errors & server=$!\n\
         for i in $(seq 100); do grep -q TFTP {place}/errors && break; sleep 0.1; done\n\
         one() {{ {binary} phone --mac 000e08abcdef \"$@\" || echo \"failed with $?\"; }}\n\
         one --server 127.0.0.1; one --profile-rule '[--key k] 127.0.0.1/secret.cfg'\n\
         one --profile-rule tftp://127.0.0.1/large.xml; one --profile-rule 127.0.0.1/missing.cfg\n\
         kill $server; cat {place}/errors",
        place = folder.path().display(),
        binary = env!("CARGO_BIN_EXE_phoneprov"),
    );
    let output = run("unshare", &["-rn", "bash", "-c", &script], b"");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(said.matches("GPP_A = `12345678`").count(), 2, "{said}");
    for part in
        ["RRQ tftp://127.0.0.1:69/8841-3PCC.xml", "blksize=512", "1536 octets", "class B: not found", "failed with 3"]
    {
        assert!(said.contains(part), "no `{part}` in:\n{said}");
    }
}

#[test]
fn a_service_is_found_by_srv_and_its_name_is_the_domains() {
    let server = https("location / { return 200 '<flat-profile><GPP_A>srv</GPP_A></flat-profile>'; }");
    let plain =
        Outsider::nginx("", "location /Cisco { return 200 '<flat-profile><GPP_A>plain</GPP_A></flat-profile>'; }");
    let dead = free_port();
    let dns = Dnsmasq::new(&[
        // The first in order is dead, the next is not.
        &format!("--srv-host=_ciscoprov-https._tls.localhost,one.test,{dead},10"),
        &format!("--srv-host=_ciscoprov-https._tls.localhost,two.test,{},20", server.port),
        &format!("--srv-host=_ciscoprov-https._tls.other.test,two.test,{},20", server.port),
        &format!("--srv-host=_ciscoprov-http._tcp.plain.test,two.test,{},20", plain.port),
    ]);
    let nameserver = format!("127.0.0.1:{}", dns.port);
    let ca = lab("ca.pem");
    let found = [
        "--nameserver",
        &nameserver,
        "--resolve",
        "one.test=127.0.0.1",
        "--resolve",
        "two.test=127.0.0.1",
        "--ca",
        &ca,
    ];
    let with = |more: &[&str]| phone(&[&found[..], more].concat());
    let asked = format!("GET https://localhost:443/x.xml at 127.0.0.1:{}", server.port);
    with(&["--profile-rule", "[--srv] https://localhost/x.xml"]).succeeded(&[&asked, "GPP_A = `srv`"]);
    // The certificate has to be the domain's, not that of the place where SRV leads.
    with(&["--profile-rule", "[--srv] https://other.test/x.xml"]).ended(4, &["is not for other.test"]);
    with(&["--profile-rule", "[--srv] https://missing.test/x.xml"])
        .ended(4, &["class C: cannot find the address of _ciscoprov-https._tls.missing.test"]);
    with(&["--profile-rule", "[--srv] tftp://localhost/x.xml"]).ended(4, &["--srv is for http and https"]);
    // Without option 66, first contact is with the domain's service: two names by HTTPS, two by HTTP.
    with(&["--domain", "localhost"]).succeeded(&["https://localhost:443/8841-3PCC.xml", "GPP_A = `srv`"]);
    with(&["--domain", "plain.test"]).succeeded(&[
        "http://plain.test:80/8841-3PCC.xml",
        "http://plain.test:80/Cisco/000e08abcdef.cfg",
        "GPP_A = `plain`",
    ]);
}

#[test]
fn an_spa_device_writes_its_report_by_tftp() {
    let folder = tempfile::tempdir().expect("room for a folder");
    // Three full blocks and an empty one as well as a short one.
    let frame = "<flat-profile>\n  <GPP_A></GPP_A>\n  <Report_Rule>tftp://127.0.0.1:6900/full.xml</Report_Rule>\n</flat-profile>\n";
    for (name, length) in [("short", frame.len() + 10), ("full", 512 * 3)] {
        let value = "x".repeat(length - frame.len());
        fs::write(folder.path().join(format!("{name}.value")), value).expect("room for a file");
    }
    let script = format!(
        "ip link set lo up; cd {place}; mkdir in\n\
         atftpd --daemon --no-fork --logfile - --port 6900 --bind-address 127.0.0.1 --user root.root {place}/in & server=$!\n\
         for i in $(seq 50); do grep -q ':1AF4' /proc/net/udp && break; sleep 0.1; done\n\
         for name in short full; do {binary} phone --mac 000e08abcdef --model SPA504G --report --reveal \
         --set GPP_A=$(cat $name.value) --set \"Report_Rule=tftp://127.0.0.1:6900/$name.xml\" | cut -c1-200; done\n\
         kill $server\n",
        place = folder.path().display(),
        binary = env!("CARGO_BIN_EXE_phoneprov"),
    );
    let output = run("unshare", &["-rn", "bash", "-c", &script], b"");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    for name in ["short", "full"] {
        let value = fs::read_to_string(folder.path().join(format!("{name}.value"))).expect("a value");
        let report = fs::read_to_string(folder.path().join(format!("in/{name}.xml"))).unwrap_or_default();
        assert!(
            report.contains(&format!("<GPP_A>{value}</GPP_A>")) && report.ends_with("</flat-profile>\n"),
            "{report}\n{said}"
        );
    }
    assert!(said.contains("WRQ tftp://127.0.0.1:6900"), "{said}");
}

#[test]
fn an_spa_device_gets_its_profile_from_our_listener_for_old_phones() {
    let site = Site::new(&format!(
        "[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"https\"\ntls = \"legacy\"\n{}",
        crate::site::tls()
    ));
    let server = site.start();
    let ports = server.ports("https");
    let at = |port: u16| format!("https://localhost:{port}/$MA.cfg");
    let said: Vec<Ran> =
        ports.iter().map(|port| proven(&["--model", "SPA504G", "--profile-rule", &at(*port)])).collect();
    let (old, modern): (Vec<&Ran>, Vec<&Ran>) = said.iter().partition(|ran| ran.code == Some(0));
    assert_eq!((old.len(), modern.len()), (1, 1), "{said:?}");
    old[0].succeeded(&["tls        TLSv1 ", "User_ID_1_ = `000e08abcdef`"]);
    modern[0].ended(4, &["class C: no TLS with"]);
}

#[test]
fn our_server_lets_the_phone_in_by_password_of_each_kind() {
    let rule = "[[rule]]\npath = \"/pw/**\"\nproof = \"password\"\npassword_file = \"passwords\"\n";
    for (challenge, described) in
        [("basic", "Basic, realm"), ("digest-md5", "Digest with MD5"), ("digest-sha256", "Digest with SHA-256")]
    {
        let site = Site::new(&format!("{rule}challenge = [\"{challenge}\"]\n"));
        let line = run(env!("CARGO_BIN_EXE_phoneprov"), &["password", PHONE, "--for", challenge], b"s3cret\n").stdout;
        fs::write(site.path("passwords"), line).expect("room for a password");
        site.profile("pw/$MA.cfg", "<flat-profile><GPP_A>{{ MA }}</GPP_A></flat-profile>");
        let server = site.start();
        let place = server.url("https", "/pw/$MA.cfg");
        let with = |password: &str| {
            let rule = format!("[--uid $MA --pwd {password}] {place}");
            phone(&["--ca", &lab("ca.pem"), "--profile-rule", &rule])
        };
        with("s3cret").succeeded(&[described, "GPP_A = `000e08abcdef`"]);
        with("wrong").ended(4, &["refused user name and password 2 times"]);
    }
}

#[test]
fn another_phones_state_and_another_versions_are_refused() {
    let folder = tempfile::tempdir().expect("room for a folder");
    let state = folder.path().join("phone.json");
    let path = state.display().to_string();
    fs::write(&state, r#"{"format": 7, "whatever": 1}"#).expect("room for a file");
    phone(&["--state", &path]).ended(2, &["has format 7, and this phoneprov reads format 1 only"]);
    fs::write(&state, format!(r#"{{"format": 1, "mac": "{OTHER}", "state": {{}}}}"#)).expect("room for a file");
    phone(&["--state", &path]).ended(2, &["is that of the phone 000e08000002"]);
    fs::write(&state, "{\"format\"").expect("room for a file");
    phone(&["--state", &path]).ended(2, &["is damaged"]);
}

#[test]
fn secrets_are_masked_unless_asked_for() {
    let server = Site::new("").start();
    server.profile(
        "secret.xml",
        "<flat-profile><Password_1_>hunter2</Password_1_>\
         <Profile_Rule_B>[--key hunter2] https://u:hunter2@h/x</Profile_Rule_B></flat-profile>",
    );
    let rule = format!("(Admin_Password = \"hunter2\";)! {}", server.url("http", "/secret.xml"));
    let wrong = phone(&["--profile-rule", &rule, "--set", "Profile_Rule_B=http://u:hunter2@127.0.0.1/x"]);
    wrong.ended(2, &["Profile_Rule_B: a user name stands before the server"]);
    assert!(!wrong.said.contains("hunter2"), "{}", wrong.said);
    let ran = phone(&["--profile-rule", &rule]);
    let shown = ["Password_1_ = `••••`", "`[--key ••••] https://u:••••@h/x`", "a user name stands before the server"];
    ran.ended(4, &shown);
    assert!(!ran.said.contains("hunter2"), "{}", ran.said);
    phone(&["--profile-rule", &rule, "--reveal"]).ended(4, &["Password_1_ = `hunter2`"]);
}

/// nginx with a server certificate of the lab.
fn https(lines: &str) -> Outsider {
    let (certificate, key) = (lab("server.pem"), lab("server.key"));
    Outsider::nginx("ssl", &format!("ssl_certificate {certificate}; ssl_certificate_key {key};\n{lines}"))
}
