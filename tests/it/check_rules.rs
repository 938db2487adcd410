//! What `phoneprov check` finds of rules that open, or close, more than they say.

use crate::outsider::run;
use crate::site::Site;

/// The findings of a site, without the line that counts them.
fn findings(site: &Site) -> Vec<String> {
    let output = site.phoneprov(&["check"]);
    let said = String::from_utf8(output.stdout).expect("text");
    said.lines().filter(|line| !line.ends_with("warnings")).map(str::to_owned).collect()
}

/// Those that begin like this.
fn of(site: &Site, begin: &str) -> Vec<String> {
    findings(site).into_iter().filter(|line| line.starts_with(begin)).collect()
}

fn rule(path: &str, keys: &str) -> String {
    format!("[[rule]]\npath = \"{path}\"\n{keys}\n")
}

#[test]
fn a_rule_that_gives_devices_files_to_everybody_is_told_whatever_its_path_names() {
    for (path, file) in [
        ("/**", "phones/000e08000001.cfg"),
        ("/phones/**", "phones/000e08000001.cfg"),
        ("/phones/000e08000001.cfg", "phones/000e08000001.cfg"),
        ("/phones/000e08000002.cfg", "phones/$MA.cfg"),
        ("/*.cfg", "$MA.cfg"),
        ("/$A.cfg", "$MA.cfg"),
        ("/6841/*", "$PN/$MA.cfg"),
    ] {
        let site = Site::new(&rule(path, "proof = \"none\""));
        site.profile(file, "<flat-profile></flat-profile>");
        let told = of(&site, &format!("warning: rule {path}: devices' files, such as "));
        let open = "go out without proof, in clear: add encrypt, or leave `proof` out";
        assert!(told.len() == 1 && told[0].contains(open), "{path}: {:?}", findings(&site));
        for closed in ["proof = \"certificate\"", "", "proof = \"none\"\nencrypt = \"aes-256-cbc\"\nkey = \"k\""] {
            let site = Site::new(&rule(path, closed));
            site.profile(file, "<flat-profile></flat-profile>");
            assert_eq!(of(&site, &format!("warning: rule {path}: devices' files")), [""; 0], "{path} {closed}");
        }
    }
}

#[test]
fn a_rule_is_told_of_once_and_not_for_files_that_another_rule_has() {
    let site = Site::new(&rule("/many/**", "proof = \"none\""));
    for number in 10..40 {
        site.profile(&format!("many/000e080000{number}.cfg"), "<flat-profile></flat-profile>");
    }
    assert_eq!(of(&site, "warning: rule /many/**: ").len(), 1);

    let closed = rule("/**/$MA.cfg", "proof = \"certificate\"");
    let site = Site::new(&format!("{closed}{}{}", rule("/*.txt", "proof = \"none\""), rule("/**", "proof = \"none\"")));
    assert_eq!(of(&site, "warning: rule /*"), [""; 0], "the first rule has every device's file");
}

#[test]
fn a_rule_for_tftp_whose_proof_cannot_be_shown_there_is_told_with_what_would_work() {
    let encrypted = "encrypt = \"aes-256-cbc\"\nkey = \"k\"";
    let tftp = "listeners = [\"tftp\"]";
    let path = "/own/$MA.cfg";
    for (keys, remedy) in [
        (format!("{tftp}\n{encrypted}"), "add proof = \"none\", as encrypt keeps them from others"),
        (tftp.to_owned(), "add proof = \"none\" and encrypt"),
        (format!("listeners = [\"tftp\", \"https\"]\n{encrypted}"), "add proof = \"none\", as encrypt"),
    ] {
        let told =
            of(&Site::new(&rule(path, &keys)), "warning: rule /own/$MA.cfg: devices' files are refused over tftp");
        assert!(told.len() == 1 && told[0].contains(remedy), "{keys}: {told:?}");
    }
    let told = of(&Site::new(&rule("/secure/*", tftp)), "warning: rule /secure/*: ");
    assert!(told.len() == 1 && told[0].contains("secure/$MA.cfg, are never served: without `proof`"), "{told:?}");
    let site = Site::new(&rule(path, &format!("{tftp}\n{encrypted}\nproof = \"none\"")));
    site.profile("own/$MA.cfg", "<flat-profile></flat-profile>");
    assert_eq!(findings(&site), [""; 0], "what the advice comes to");
}

#[test]
fn a_rule_behind_one_for_all_and_a_format_that_tftp_cannot_tell_of_are_told() {
    let site = Site::new(&format!("{}{}", rule("/**", ""), rule("/secure/$MA.cfg", "proof = \"certificate\"")));
    let told = of(&site, "error: rule /secure/$MA.cfg: ");
    assert_eq!(
        told,
        ["error: rule /secure/$MA.cfg: the rule /** before it has all of its paths, so this one is never asked"]
    );

    let gcm = |listeners: &str| {
        let keys = format!("proof = \"none\"\nencrypt = \"aes128gcm\"\nkey = \"0123\"\nlisteners = [{listeners}]");
        let told =
            of(&Site::new(&rule("/secure/$MA.cfg", &keys)), "warning: rule /secure/$MA.cfg: aes128gcm is told by");
        told.len()
    };
    assert_eq!((gcm("\"tftp\""), gcm("\"tftp\", \"http\"")), (1, 0));
}

#[test]
fn a_file_that_is_too_large_for_what_its_rule_does_to_it_is_told() {
    for (keys, is_told) in [("gzip = true", true), ("encrypt = \"aes-256-cbc\"\nkey = \"k\"", true), ("", false)] {
        let site = Site::new(&rule("/firmware/**", keys));
        let file = site.profile("firmware/sip.loads", "");
        let large = std::fs::File::options().write(true).open(&file).and_then(|file| file.set_len(17 << 20));
        large.expect("room for a sparse file");
        let told =
            of(&site, "error: firmware/sip.loads: never served, since its rule compresses or encrypts it: larger than");
        assert_eq!(told.len(), usize::from(is_told), "{keys}: {:?}", findings(&site));
        let asked = site.phoneprov(&["render", "/firmware/sip.loads", "--explain"]);
        assert_eq!(asked.status.success(), !is_told, "what is told is what happens");
    }
}

#[test]
fn every_part_is_read_and_every_device_with_a_part_of_its_own_is_tried() {
    let site = Site::new("");
    let template = "{% from \"_devices/\" ~ MA ~ \".txt\" import device -%}\n<flat-profile>\n\
                    <Station_Name>{{ device.name }}</Station_Name>\n</flat-profile>\n";
    site.profile("desk/$MA.cfg", template);
    let part = |mac: &str, text: &str| site.profile(&format!("_devices/{mac}.txt"), text);
    part("000e08abcdef", "{% set device = {\"name\": \"a\"} %}\n");
    part("000e08000001", "{% set device = {\"name\": \"b\"} %}\n");
    part("000e08000002", "{% set device = {\"name\": \"c\"} %}\n{% if %}\n");
    part("000e08000003", "{% set device = {\"nmae\": \"d\"} %}\n");
    site.profile("_odd.xml", "<a>{{ </a>\n");
    let told = findings(&site);
    let about = |text: &str| told.iter().filter(|line| line.contains(text)).collect::<Vec<_>>();
    let broken = about("000e08000002");
    assert!(
        broken.len() == 1 && broken[0].starts_with("error: _devices/000e08000002.txt:2: no template can take it in: "),
        "{told:?}"
    );
    let incomplete = about("000e08000003");
    let expected = "error: desk/$MA.cfg: gives no profile for 000e08000003: desk/$MA.cfg:3: ";
    assert!(incomplete.len() == 1 && incomplete[0].starts_with(expected), "{told:?}");
    assert_eq!(about("_odd.xml:1: no template can take it in").len(), 1, "{told:?}");
    assert_eq!(told.len(), 3, "{told:?}");
    for (mac, is_served) in [("000e08000001", true), ("000e08000002", false), ("000e08000003", false)] {
        let asked = site.phoneprov(&["render", "/desk/$MA.cfg", "--mac", mac]);
        assert_eq!(asked.status.success(), is_served, "{mac}: {asked:?}");
    }
}

#[test]
fn a_tree_of_many_parts_is_checked_in_time() {
    let site = Site::new("");
    site.profile("desk/$MA.cfg", "{% include \"_devices/\" ~ MA ~ \".xml\" %}");
    for number in 0..2000 {
        site.profile(&format!("_devices/000e0800{number:04}.xml"), "<flat-profile></flat-profile>");
    }
    site.profile("_devices/000e08abcdef.xml", "<flat-profile></flat-profile>");
    let config = site.config().display().to_string();
    let output = run("timeout", &["60", env!("CARGO_BIN_EXE_phoneprov"), "check", "--config", &config], b"");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0 errors, 0 warnings\n");
}
