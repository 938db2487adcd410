//! What is wrong is told to people, without the secrets of the store that may be part of it.

use std::fs;

use crate::sealed::{SECRET, contents, furnish, tell};
use crate::server::wait_for;
use crate::site::{ALL, PHONE, Site, config};

#[test]
fn what_is_wrong_with_a_profile_is_told_without_the_secret_in_it() {
    let site = Site::new("");
    let lint = "[[rule]]\npath = \"/v/**\"\nproof = \"none\"\nlint = \"log\"\n";
    let store = "[store]\nurl = \"sqlite://state/phoneprov.db\"\nseal_key_file = \"seal.key\"\n[events]\n";
    site.configure(&config(&ALL, &format!("{lint}{store}")));
    fs::write(site.path("seal.key"), tell(&site, &["secrets", "key"])).expect("room for a key");
    let head = "<flat-profile><GPP_A>";
    site.profile("v/a$MA.cfg", "<flat-profile>\n<Resync_Periodic>{{ sip_password }}</Resync_Periodic>\n<Provision_Enable>maybe</Provision_Enable></flat-profile>");
    site.profile("v/b$MA.cfg", format!("{head}{{% include \"_\" ~ sip_password %}}</GPP_A></flat-profile>"));
    site.profile("v/c$MA.cfg", format!("{head}{{{{ nowhere }}}}</GPP_A></flat-profile>"));
    site.profile("v/d$MA.cfg", "<flat-profile>{{ param(sip_password, 1) }}</flat-profile>");
    furnish(&site);
    let server = site.start();
    for (name, status) in [("a", 200), ("b", 404), ("c", 404), ("d", 200)] {
        assert!(
            wait_for(|| server.http(&format!("/v/{name}{PHONE}.cfg")).status == status),
            "{name}: {}",
            server.log()
        );
    }
    let events = || String::from_utf8(server.phoneprov(&["events"]).stdout).expect("text");
    assert!(wait_for(|| events().contains("/v/d")), "{}", events());
    let (log, events) = (server.log(), events());
    for told in [&log, &events] {
        assert!(!told.contains(SECRET) && !told.contains("hush"), "{told}");
        assert!(told.contains("v/b$MA.cfg: what is wrong has a secret in it"), "{told}");
        assert!(told.contains("v/c$MA.cfg:1") && told.contains("nowhere"), "what has no secret in it is told: {told}");
    }
    assert!(log.contains("`maybe`"), "{log}");
    let site = server.stop();
    assert!(!contents(&site).contains("hush"));
}

#[test]
fn what_is_wrong_with_a_key_is_told_without_the_secret_in_it() {
    let site = Site::new("");
    let rule = |folder: &str, key: &str| {
        let cipher = format!("encrypt = \"aes-256-cbc\"\nkey = '{key}'\n");
        format!("[[rule]]\npath = \"/{folder}/$MA.cfg\"\nproof = \"none\"\n{cipher}")
    };
    let rules = rule("k", "{% include sip_password %}") + &rule("n", "{% include sip_user %}");
    let store = "[store]\nurl = \"sqlite://state/phoneprov.db\"\nseal_key_file = \"seal.key\"\n[events]\n";
    site.configure(&config(&ALL, &format!("{rules}{store}")));
    fs::write(site.path("seal.key"), tell(&site, &["secrets", "key"])).expect("room for a key");
    site.profile("k/$MA.cfg", "x");
    site.profile("n/$MA.cfg", "x");
    furnish(&site);
    let server = site.start();
    for folder in ["k", "n"] {
        assert_eq!(server.http(&format!("/{folder}/{PHONE}.cfg")).status, 404, "{}", server.log());
    }
    let events = || String::from_utf8(server.phoneprov(&["events"]).stdout).expect("text");
    assert!(wait_for(|| events().contains("/n/")), "{}", events());
    let render = |folder: &str, more: &[&str]| {
        let path = format!("/{folder}/{PHONE}.cfg");
        let output = server.phoneprov(&[&["render", &path, "--mac", PHONE, "--over", "http"], more].concat());
        String::from_utf8([output.stdout, output.stderr].concat()).expect("text")
    };
    let explained = render("k", &["--explain"]) + &render("n", &["--explain"]);
    for told in [server.log(), events(), explained] {
        assert!(!told.contains(SECRET) && !told.contains("hush"), "{told}");
        assert!(told.contains("the rule's key: what is wrong has a secret in it"), "{told}");
        assert!(told.contains("`100` is no part of other templates"), "what has no secret in it is told: {told}");
    }
    let masked = render("k", &[]);
    assert!(masked.contains("`********` is no part of other templates") && !masked.contains("hush"), "{masked}");
    let site = server.stop();
    assert!(!contents(&site).contains("hush"));
}
