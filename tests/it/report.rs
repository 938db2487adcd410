//! `phoneprov certs report`: whose certificates end when, as the server has seen them.

use crate::authority::{Authority, ask, ask_at, both, days_from_now};
use crate::legacy::Certificate;
use crate::outsider::{curl, phoneprov};
use crate::server::{Server, wait_for};
use crate::site::{OTHER, PHONE, Site, config};

fn report(config: &str, json: bool) -> String {
    let flags: &[&str] = if json { &["--json"] } else { &[] };
    let report = phoneprov(&[&["certs", "report", "--config", config][..], flags].concat(), b"");
    String::from_utf8_lossy(&report).into_owned()
}

/// The month of openssl's time.
fn month(days: i64) -> String {
    let time = days_from_now(days);
    format!("{}-{}", &time[..4], &time[4..6])
}

#[test]
fn devices_are_listed_by_the_month_in_which_their_certificates_end() {
    let maker = Authority::new("/O=Cisco/CN=Cisco Manufacturing CA SHA2");
    let ended = maker.phone_between("ended", PHONE, -400, -70);
    let late = maker.issue("late", &format!("/OU=SPA-962/L=88012BA01234/ST={OTHER}"), &["-days", "700"]);
    let sudi = maker.issue("sudi", "/serialNumber=PID:CP-8861 SN:FCH2133E8B9/CN=CP-8861", &["-days", "100"]);
    let generic = maker.issue("generic", "/OU=cisco.com/L=ciscogeneric/ST=ciscogeneric", &[]);
    let stranger = Authority::new("/O=Cisco/CN=Cisco Manufacturing CA SHA2");
    let foreign = stranger.phone("foreign", "000e08ffffff", &[]);
    let server = both(&[maker.ca()], "", "").start();
    let config = server.config().display().to_string();
    for certificate in [&ended, &late, &sudi, &generic, &foreign] {
        ask(&server, "/basic.txt", Some(certificate));
    }
    let table = server.path("state/certificates.json");
    assert!(wait_for(|| table.exists()), "no table");
    let site = server.stop();

    let text = report(&config, false);
    let months: Vec<&str> = text.lines().filter(|line| !line.starts_with(' ')).collect();
    let expected = [
        format!("{}  1 device, expired", month(-70)),
        format!("{}  1 device", month(100)),
        format!("{}  1 device", month(700)),
    ];
    assert_eq!(months, expected, "{text}");
    let line = text.lines().nth(1).expect("a device");
    assert!(line.starts_with("  000e08abcdef  FCH2133E8B9   CP-8841-3PCC  "), "{text}");
    assert!(line.contains("O=Cisco, CN=Cisco Manufacturing CA SHA2  seen "), "{text}");
    assert!(!text.contains("000e08ffffff"), "nobody vouches for it: {text}");
    let json: serde_json::Value = serde_json::from_str(&report(&config, true)).expect("JSON");
    assert_eq!(json["months"][0]["expired"], 1);
    assert_eq!(json["months"][1]["devices"][0]["serial"], "FCH2133E8B9");
    assert_eq!(json["months"][1]["devices"][0]["mac"], serde_json::Value::Null);
    assert_eq!(json["months"][2]["devices"][0]["model"], "SPA-962");

    // It comes back with a renewed one: the same device, another month.
    let renewed = maker.phone("renewed", PHONE, &["-days", "1000"]);
    let server = site.start();
    ask(&server, "/basic.txt", Some(&renewed));
    let _site = server.stop();
    let text = report(&config, false);
    assert!(!text.contains(&month(-70)) && text.contains(&month(1000)), "{text}");
    assert_eq!(text.matches(PHONE).count(), 1, "{text}");
}

#[test]
fn a_certificate_by_way_of_a_proxy_is_in_the_report() {
    let maker = Authority::new("/O=Cisco/CN=Cisco Manufacturing CA SHA2");
    let phone = maker.phone("phone", PHONE, &[]);
    let site = Site::new("");
    let listen = format!(
        "[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\ntrusted_proxies = [\"127.0.0.1\"]\n\
         proxy_certificate = \"nginx\"\nclient_ca = [\"{}\"]\n",
        maker.ca()
    );
    site.configure(&format!("state = \"state\"\n{}", config(&[], &listen)));
    let server = site.start();
    let pem = std::fs::read_to_string(&phone.pem).expect("a certificate");
    let escaped = percent_encoding::utf8_percent_encode(&pem, percent_encoding::NON_ALPHANUMERIC);
    let header = format!("X-SSL-Client-Cert: {escaped}");
    assert_eq!(curl(&["-H", &header, &server.url("http", "/basic.txt")]).status, 200);
    let config = server.config().display().to_string();
    let _site = server.stop();
    assert!(report(&config, false).contains(PHONE));
}

#[test]
fn a_table_that_cannot_be_read_is_set_aside() {
    let maker = Authority::new("/O=Cisco/CN=Cisco Manufacturing CA SHA2");
    let phone: Certificate = maker.phone("phone", PHONE, &[]);
    let site = both(&[maker.ca()], "", "");
    std::fs::create_dir(site.path("state")).expect("room for a folder");
    for table in ["tls.json", "certificates.json"] {
        std::fs::write(site.path("state").join(table), "{").expect("room for a file");
    }
    let server: Server = site.start();
    server.log_line(&["certificates.json: not a table", "the table begins anew"]);
    assert_eq!(ask_at(server.port("https"), "/basic.txt", Some(&phone)).status, 200);
    assert!(wait_for(|| server.path("state/certificates.json").exists()), "{}", server.log());
}
