//! What a configuration may say and what it is told when it says something else.

use std::path::Path;
use std::time::SystemTime;

use super::*;

fn parse(text: &str) -> Result<Config, String> {
    let text = format!("profiles = \"profiles\"\n{text}");
    Config::parse(&text, Path::new("/etc/phoneprov/config.toml"), SystemTime::UNIX_EPOCH)
        .map_err(|error| error.to_string())
}

fn refused(text: &str) -> String {
    parse(text).expect_err("refused")
}

const HTTP: &str = "[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\n";

#[test]
fn the_least_configuration_has_every_default() {
    let config = parse(HTTP).expect("a configuration");
    assert_eq!(config.profiles, Path::new("/etc/phoneprov/profiles"));
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.cache, Cache::default());
    assert!(config.lab.is_none() && config.admin.address.is_none() && config.master.is_none());
}

#[test]
fn a_stray_key_in_any_table_is_refused_with_its_line() {
    let tables = [
        "limits",
        "throttle",
        "cache",
        "lint",
        "log",
        "admin",
        "keys",
        "lab",
        "client_tls",
        "certificates",
        "allow",
        "deny",
    ];
    for table in tables {
        let error = refused(&format!("{HTTP}[{table}]\nstray = 1\n"));
        assert!(error.starts_with("/etc/phoneprov/config.toml:6: unknown key `stray`"), "{error}");
    }
    let error = refused("[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\nprotocl = \"http\"\n");
    assert!(error.contains(":5: unknown key `protocl`, expected one of `address`"), "{error}");
    let error = refused(&format!("{HTTP}[[rule]]\npath = \"/a\"\nprof = \"none\"\n"));
    assert!(error.contains("unknown key `prof`"), "{error}");
    assert!(refused("stray = 1\n").contains(":2: unknown key `stray`"));
}

#[test]
fn a_rule_has_one_key() {
    let rule = "[[rule]]\npath = \"/a\"\nencrypt = \"aes-256-cbc\"\nkey = \"x\"\nkey_file = \"y\"\n";
    let said = refused(&format!("{HTTP}{rule}"));
    assert!(said.contains("rule.encrypt has key and key_file: only one of them can be the key"), "{said}");
}

#[test]
fn a_wrong_value_says_what_would_be_right() {
    let cases = [
        (format!("{HTTP}[limits]\nidle = \"10 days\"\n"), "expected a number with ms, s, m, h or d"),
        (format!("{HTTP}[cache]\nsize = \"64MB\"\n"), "expected a number alone or with KiB"),
        (format!("{HTTP}[log]\nformat = \"xml\"\n"), "expected `text` or `json`"),
        (
            format!("{HTTP}[certificates]\nfaulty_serials = [\"a-b\"]\n"),
            "certificates.faulty_serials: `a` is not a serial",
        ),
        (
            format!("{HTTP}[[certificates.mapping]]\nissuer = {{ O = \"Cisco\" }}\nmac = \"CN\"\n"),
            "certificates.mapping: issuer.O `Cisco` makes the phones",
        ),
        (format!("{HTTP}[deny]\nserials = [\"a b\"]\n"), "deny.serials: `a b` is not a serial number"),
        (format!("{HTTP}[allow]\nmacs = []\n"), "allow names nobody"),
        (format!("{HTTP}[[rule]]\npath = \"/a\"\nexpired = \"30\"\n"), "rule.expired: `30` is not understood"),
        (format!("reflect = \"x\"\n{HTTP}"), "reflect: `x`: expected it to begin with `/`"),
        (format!("{HTTP}[[rule]]\npath = \"a.cfg\"\n"), "expected it to begin with `/`"),
        (format!("{HTTP}[[rule]]\npath = \"/a\"\nproof = \"password\"\n"), "rule.password_file is missing"),
        (format!("{HTTP}[[rule]]\npath = \"/a\"\nencrypt = \"aes\"\n"), "aes-256-cbc"),
        (format!("{HTTP}[[rule]]\npath = \"/a\"\nencrypt = \"aes-256-cbc\"\n"), "needs one of key"),
        (format!("{HTTP}[[rule]]\npath = \"/a\"\nkey = \"x\"\n"), "rule.key without rule.encrypt"),
        (
            format!("{HTTP}[[rule]]\npath = \"/a\"\nencrypt = \"aes-256-cbc\"\nkey_from = \"master\"\n"),
            "keys.master_file",
        ),
        (format!("{HTTP}[[rule]]\npath = \"/a\"\nlisteners = []\n"), "rule.listeners is empty"),
        (format!("{HTTP}[[rule]]\npath = \"/a\"\nproof = \"certificate\"\nlisteners = [\"tftp\"]\n"), "https only"),
        (format!("{HTTP}[[rule]]\npath = \"/a\"\nheaders = {{ ETag = \"x\" }}\n"), "the server's own"),
        (format!("{HTTP}[variables]\nMA = \"x\"\n"), "`MA` is a phone's macro"),
        (format!("{HTTP}[keys]\nmaster_env = \"PHONEPROV_NO_SUCH\"\n"), "the environment has no variable"),
        ("[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"https\"\n".into(), "https needs both"),
        ("[[listen]]\naddress = \"127.0.0.1\"\nprotocol = \"http\"\n".into(), "not an address with a port"),
        (format!("{HTTP}single_port = true\n"), "only a listener with protocol = \"tftp\""),
        (format!("{HTTP}certificate = \"x\"\n"), "only a listener with protocol = \"https\""),
        (format!("{HTTP}proxy_protocol = true\n"), "listen.proxy_protocol without listen.trusted_proxies"),
        (format!("{HTTP}trusted_proxies = [\"10.0.0.1\"]\n"), "in which words do they speak"),
        (
            format!("{HTTP}trusted_proxies = [\"10.0.0.1\"]\nproxy_certificate = \"nginx\"\n"),
            "without listen.client_ca",
        ),
        (
            format!("{HTTP}trusted_proxies = [\"everybody\"]\nproxy_protocol = true\n"),
            "listen.trusted_proxies: `everybody` is no network",
        ),
        (format!("{HTTP}proxy_address = \"x-real-ip\"\n"), "expected `forwarded` or `x-forwarded-for`"),
        (
            "[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"tftp\"\ntrusted_proxies = [\"10.0.0.1\"]\n".into(),
            "only http and https go through proxies",
        ),
        (String::new(), "no [[listen]]"),
    ];
    for (text, wanted) in cases {
        let error = refused(&text);
        assert!(error.contains(wanted), "{text}\n{error}");
    }
}

#[test]
fn a_level_that_is_none_and_a_bound_that_cannot_be_kept_are_refused() {
    let level = refused(&format!("{HTTP}[log]\nlevel = \"inof\"\n"));
    let size = refused(&format!("{HTTP}[limits]\nheader_size = \"1 KiB\"\n"));

    assert!(level.contains("config.toml:6: log.level: `inof` is not understood: expected error"), "{level}");
    assert!(size.contains("limits.header_size: 1 KiB is too little for a request: expected 8 KiB or more"), "{size}");
}

#[test]
fn bounds_within_which_nothing_works_are_refused_with_line_and_key() {
    let zeros = [
        ("limits", "connections = 0"),
        ("limits", "connections_per_address = 0"),
        ("limits", "handshake = \"0s\""),
        ("limits", "header = \"0ms\""),
        ("limits", "idle = \"0s\""),
        ("limits", "request = \"0h\""),
        ("limits", "url_size = \"0\""),
        ("limits", "transfers = 0"),
        ("limits", "transfers_per_address = 0"),
        ("limits", "transfer = \"0s\""),
        ("limits", "report_size = \"0 KiB\""),
        ("limits", "prt_size = \"0\""),
        ("limits", "upload = \"0s\""),
        ("limits", "uploads = 0"),
        ("limits", "uploads_per_address = 0"),
        ("lint", "largest = \"0\""),
        ("push", "sip_port = 0"),
        ("throttle", "address = 0"),
    ];
    for (table, line) in zeros {
        let error = refused(&format!("{HTTP}[{table}]\n{line}\n"));
        let key = line.split(' ').next().unwrap_or_default();
        let place = format!("/etc/phoneprov/config.toml:6: {table}.{key} is 0");
        assert!(error.starts_with(&place) && error.len() > place.len() + 10, "{line}: {error}");
    }
    assert!(parse(&format!("{HTTP}[limits]\ndrain = \"0s\"\n[cache]\nsize = \"0\"\n")).is_ok(), "these mean something");
    let methods = refused(&format!("{HTTP}[[rule]]\npath = \"/a\"\nmethods = []\n"));
    assert!(methods.contains("config.toml:5: rule.methods is empty: leave it out"), "{methods}");
}

#[test]
fn faults_are_told_in_the_order_of_their_lines() {
    let error = refused(&format!(
        "{HTTP}[limits]\nconnections = 0\n[[rule]]\npath = \"/a\"\nkey = \"x\"\n[throttle]\nalarm = 0\n[[rule]]\n\
         path = \"/b\"\nencrypt = \"aes-256-cbc\"\nkey = \"{{{{ b\"\n"
    ));
    let places: Vec<&str> = error.lines().filter_map(|line| line.split(": ").next()).collect();
    let at = |line: usize| format!("/etc/phoneprov/config.toml:{line}");
    assert_eq!(places, [at(6), at(7), at(11), at(12)], "{error}");
}

#[test]
fn a_listener_in_clear_has_authorities_where_a_proxy_hands_over_certificates() {
    let text = "trusted_proxies = [\"10.0.0.1\"]\nproxy_certificate = \"envoy\"\nclient_ca = [\"ca.pem\"]\n";
    let config = parse(&format!("{HTTP}{text}")).expect("a configuration");
    let proxies = config.listen[0].proxies.as_ref().expect("proxies");
    assert_eq!(proxies.client_ca, [Path::new("/etc/phoneprov/ca.pem")]);
    assert_eq!((proxies.certificate, proxies.address), (Some(CertificateHeader::Envoy), None));
    assert!(refused(&format!("{HTTP}client_ca = [\"ca.pem\"]\n")).contains("only a listener with protocol"));
}

#[test]
fn no_message_holds_a_secret() {
    let error = refused(&format!("{HTTP}[[rule]]\npath = \"/a\"\nkey = 31415926535\n"));
    assert!(error.contains("written in quotes") && !error.contains("31415"), "{error}");
    let rule = format!("{HTTP}[[rule]]\npath = \"/a\"\nencrypt = \"aes-256-cbc\"\nkey = \"geheim\"\n");
    assert!(!format!("{:?}", parse(&rule).expect("a configuration")).contains("geheim"));
}

#[test]
fn two_listeners_need_two_addresses() {
    let listen = "[[listen]]\naddress = \"127.0.0.1:8080\"\nprotocol = \"http\"\n";
    assert!(refused(&listen.repeat(2)).contains("two [[listen]] have the address 127.0.0.1:8080"));
    let tftp = listen.replace("http", "tftp");
    assert!(parse(&format!("{listen}{tftp}")).is_ok(), "TCP and UDP are two ports");
}

#[test]
fn the_shipped_configuration_is_one() {
    let text = include_str!("../../config.toml").replace("master_file", "#");
    let without_master =
        text.split("[[rule]]").filter(|rule| !rule.contains("key_from = \"master\" ")).collect::<Vec<_>>();
    let joined = without_master.join("[[rule]]");
    let error = Config::parse(&joined, Path::new("config.toml"), SystemTime::UNIX_EPOCH);
    assert!(error.is_ok(), "{error:?}");
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let error = refused(&format!(
        "{HTTP}single_port = true\n[[rule]]\npath = \"/a\"\nkey = \"x\"\n[[rule]]\npath = \"/b\"\nencrypt = \"aes-256-cbc\"\n\
         [variables]\nMA = 1\n"
    ));
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 4, "{error}");
    assert!(lines[0].contains(":2: listen.single_port") && lines[1].contains(":6: rule.key without"), "{error}");
}

const HTTPS: &str = "[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"https\"\ncertificate = \"a\"\nkey = \"b\"\n";

fn versions(keys: &str) -> Result<(TlsVersion, TlsVersion), String> {
    let config = parse(&format!("{HTTPS}{keys}"))?;
    match &config.listen[0].speaks {
        Speaks::Https(tls) => Ok((tls.versions.min, tls.versions.max)),
        Speaks::Http | Speaks::Tftp { .. } => Err("not https".into()),
    }
}

#[test]
fn a_listener_speaks_the_versions_of_its_kind_within_its_bounds() {
    use TlsVersion::{V10, V11, V12, V13};
    assert_eq!(versions(""), Ok((V12, V13)));
    assert_eq!(versions("tls_min = \"1.3\"\n"), Ok((V13, V13)));
    assert_eq!(versions("tls = \"legacy\"\n"), Ok((V10, V12)));
    assert_eq!(versions("tls = \"legacy\"\ntls_min = \"1.1\"\ntls_max = \"1.1\"\n"), Ok((V11, V11)));
    let cases = [
        ("tls_min = \"1.0\"\n", "tls = \"modern\" speaks 1.2 to 1.3, not 1.0: tls = \"legacy\" does"),
        ("tls = \"legacy\"\ntls_max = \"1.3\"\n", "tls = \"legacy\" speaks 1.0 to 1.2, not 1.3"),
        ("tls_min = \"1.3\"\ntls_max = \"1.2\"\n", "listen.tls_min 1.3 is above listen.tls_max 1.2"),
        ("tls_min = 1.2\n", "expected a string"),
        ("tls_min = \"1.4\"\n", "`1.4` is not a version of TLS: expected \"1.0\", \"1.1\", \"1.2\" or \"1.3\""),
    ];
    for (keys, wanted) in cases {
        let error = versions(keys).expect_err("refused");
        assert!(error.contains(wanted), "{keys}\n{error}");
    }
}

#[test]
fn only_a_listener_for_old_phones_is_limited_to_models() {
    let legacy = format!("{HTTPS}tls = \"legacy\"\n");
    assert!(parse(&format!("{legacy}models = [\"SPA504G\"]\n")).is_ok());
    let cases = [
        (format!("{HTTPS}models = [\"SPA504G\"]\n"), "only a listener with tls = \"legacy\""),
        (format!("{legacy}models = []\n"), "which would serve nobody"),
        (format!("{legacy}models = [\"SPA 504G\"]\n"), "listen.models: `SPA 504G` is not a product name"),
        (format!("{HTTP}tls = \"legacy\"\n"), "listen.tls: only a listener with protocol = \"https\""),
    ];
    for (text, wanted) in cases {
        let error = refused(&text);
        assert!(error.contains(wanted), "{text}\n{error}");
    }
}

#[test]
fn a_clients_versions_are_not_a_listeners() {
    let config = parse(&format!("{HTTP}[client_tls]\nmin = \"1.0\"\nca = [\"peer.pem\"]\n")).expect("a configuration");
    assert_eq!((config.client_tls.min, config.client_tls.max), (TlsVersion::V10, TlsVersion::V13));
    assert_eq!(config.client_tls.ca, [Path::new("/etc/phoneprov/peer.pem")]);
    let error = refused(&format!("{HTTP}[client_tls]\nmin = \"1.3\"\nmax = \"1.2\"\n"));
    assert!(error.contains("client_tls.min 1.3 is above client_tls.max 1.2"), "{error}");
}
