//! The DHCP options that are printed, read by dnsmasq and as JSON.

use std::fs;

use crate::outsider::run;
use crate::site::{Site, config};

fn printed(site: &Site, dialect: &str) -> String {
    site.tell(&["dhcp", "--for", dialect, "--server", "192.0.2.5", "--path", "/$PSN.xml"])
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
    assert!(!check(&text.replace("option6:160", "option6:nonsense")), "it looks at what it is given");
}

#[test]
fn the_url_is_that_of_the_best_listener_and_what_is_no_host_is_refused() {
    let listeners = "[[listen]]\naddress = \"0.0.0.0:69\"\nprotocol = \"tftp\"\n";
    let site =
        Site::bare(&config(&["https"], listeners).replace("127.0.0.1:0\"\nprotocol", "127.0.0.1:443\"\nprotocol"));
    let text = printed(&site, "kea");
    assert!(text.contains("\"https://192.0.2.5/$PSN.xml\"") && text.contains("\"192.0.2.5\""), "{text}");
    let output = site.phoneprov(&["dhcp", "--for", "isc", "--server", "x\";\noption y"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("expected a host's name or address"), "{output:?}");
}
