//! The DHCP options that are printed, read by dnsmasq, Kea and ISC DHCP, each looking at its own.

use std::fs;

use crate::outsider::run;
use crate::site::{Site, config};

fn printed(site: &Site, dialect: &str) -> String {
    site.tell(&["dhcp", "--for", dialect, "--server", "192.0.2.5", "--path", "/$PSN.xml"])
}

/// TFTP on its own port, so that there is an option 150 too.
fn site() -> Site {
    let listeners = "[[listen]]\naddress = \"0.0.0.0:69\"\nprotocol = \"tftp\"\n";
    Site::bare(&config(&["http"], listeners).replace("127.0.0.1:0\"\nprotocol", "127.0.0.1:8080\"\nprotocol"))
}

/// Every form of what is printed in a dialect, looked at by that server's own check; damaged, it is refused.
fn is_taken(dialect: &str, ipv6: &[&str], check: &[&str]) {
    let site = site();
    let file = site.path("dhcp.conf");
    let is_right = |text: &str| {
        fs::write(&file, text).expect("room for a file");
        let place = file.display().to_string();
        let arguments: Vec<&str> =
            check.iter().map(|word| if *word == "FILE" { place.as_str() } else { word }).collect();
        run("env", &arguments, b"").status.success()
    };
    for acs in [&[][..], &["--acs", "https://acs.example.com:7547/cwmp"]] {
        let server = ["dhcp", "--for", dialect, "--server", "192.0.2.5", "--path", "/$PSN.xml"];
        let text = site.tell(&[&server[..], ipv6, acs].concat());
        assert!(is_right(&text), "{text}");
        let damaged = text.replace("159", "nonsense").replace("160", "nonsense");
        assert!(damaged != text && !is_right(&damaged), "it looks at what it is given");
    }
}

#[test]
fn kea_takes_what_is_printed_for_it() {
    let check = |program| ["KEA_LOCKFILE_DIR=none", program, "-t", "FILE"];
    is_taken("kea", &[], &check("kea-dhcp4"));
    is_taken("kea", &["--ipv6"], &check("kea-dhcp6"));
}

#[test]
fn isc_dhcp_takes_what_is_printed_for_it() {
    let check = |family| ["dhcpd", "-t", family, "-cf", "FILE", "-lf", "/dev/null"];
    is_taken("isc", &[], &check("-4"));
    is_taken("isc", &["--ipv6"], &check("-6"));
}

#[test]
fn dnsmasq_takes_what_is_printed_for_it() {
    let site = Site::bare(&config(&["http"], "").replace("127.0.0.1:0\"\nprotocol", "127.0.0.1:8080\"\nprotocol"));
    let text = printed(&site, "dnsmasq");
    assert!(text.contains("dhcp-option-force=66,\"http://192.0.2.5:8080/$PSN.xml\""), "{text}");
    let file = site.path("dnsmasq.conf");
    let check = |text: &str| {
        fs::write(&file, text).expect("room for a file");
        run("dnsmasq", &["--test", &format!("--conf-file={}", file.display())], b"").status.success()
    };
    assert!(check(&text), "{text}");
    let acs = ["dhcp", "--for", "dnsmasq", "--server", "192.0.2.5", "--acs", "http://acs.example.com/"];
    let with = site.tell(&acs);
    assert!(check(&with) && with.contains("dhcp-option=option6:17,00:00:0d:e9:00:01:00:17:68:74"), "{with}");
    assert!(!check(&text.replace("option6:160", "option6:nonsense")), "it looks at what it is given");
}

#[test]
fn the_url_is_that_of_the_best_listener_and_what_is_no_host_is_refused() {
    let listeners = "[[listen]]\naddress = \"0.0.0.0:69\"\nprotocol = \"tftp\"\n";
    let site =
        Site::bare(&config(&["https"], listeners).replace("127.0.0.1:0\"\nprotocol", "127.0.0.1:443\"\nprotocol"));
    let text = printed(&site, "kea");
    assert!(text.contains("\"https://192.0.2.5/$PSN.xml\"") && text.contains("\"192.0.2.5\""), "{text}");
    let site = Site::bare(&config(&["https"], ""));
    let text = site.tell(&["dhcp", "--for", "isc", "--server", "h.example.com", "--address", "192.0.2.5"]);
    assert!(text.contains("# 150 is left out: the configuration has no tftp listener"), "{text}");
    let output = site.phoneprov(&["dhcp", "--for", "isc", "--server", "x\";\noption y"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("expected a host's name or address"), "{output:?}");
}
