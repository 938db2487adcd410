//! Who may come at all: lists by MAC address, prefix, serial number and model, in the configuration and in files.

use std::fmt::Write as _;

use crate::authority::{Authority, ask, both, both_config};
use crate::legacy::Certificate;
use crate::outsider::{Answer, curl_tftp, run};
use crate::server::{Server, refused};
use crate::site::{OTHER, PHONE};

struct Phones {
    maker: Authority,
    /// CP-8841-3PCC, FCH2133E8B9.
    one: Certificate,
    /// SPA-962, 88012BA01234.
    two: Certificate,
}

impl Phones {
    fn new() -> Self {
        let maker = Authority::new("/O=Cisco/CN=Cisco Manufacturing CA III");
        let one = maker.phone("one", PHONE, &[]);
        let two = maker.issue("two", &format!("/OU=SPA-962/L=88012BA01234/ST={OTHER}"), &[]);
        Self { maker, one, two }
    }

    fn serve(&self, lists: &str) -> Server {
        let site = both(&[self.maker.ca()], "", &format!("{lists}\n{RULES}"));
        site.profile("open/$MA.cfg", "<flat-profile><GPP_A>{{ MA }}</GPP_A></flat-profile>\n");
        site.profile("csn/$SN.cfg", "<flat-profile><GPP_A>{{ SN }}</GPP_A></flat-profile>\n");
        site.profile("by/$PN.cfg", "<flat-profile><GPP_A>{{ PN }}</GPP_A></flat-profile>\n");
        std::fs::write(site.path("list.txt"), format!("# stolen\nserial 88012BA01234\n\n{PHONE} # van\n"))
            .expect("a list");
        site.start()
    }
}

const RULES: &str =
    "[[rule]]\npath = \"/open/$MA.cfg\"\nproof = \"none\"\nlisteners = [\"http\", \"https\", \"tftp\"]\n";

fn own(mac: &str) -> String {
    format!("/{mac}.cfg")
}

/// What the first phone gets, and the second one.
fn both_get(server: &Server, phones: &Phones) -> [u16; 2] {
    [ask(server, &own(PHONE), Some(&phones.one)).status, ask(server, &own(OTHER), Some(&phones.two)).status]
}

#[test]
fn a_denied_device_gets_what_an_unknown_file_gets_by_whichever_name_it_is_denied() {
    let phones = Phones::new();
    for (list, why) in [
        ("macs = [\"00:0E:08:AB:CD:EF\"]", "by MAC address, deny.macs"),
        ("serials = [\"fch2133e8b9\"]", "by serial number, deny.serials"),
        ("models = [\"cp-8841-3pcc\"]", "by model, deny.models"),
        ("files = [\"list.txt\"]", "list.txt line 4"),
    ] {
        let server = phones.serve(&format!("[deny]\n{list}"));
        let unknown = ask(&server, "/no-such-file", None);
        for path in [own(PHONE), "/basic.txt".into(), format!("/open/{PHONE}.cfg"), format!("/open/{OTHER}.cfg")] {
            assert_eq!(ask(&server, &path, Some(&phones.one)), unknown, "{list}: {path}");
        }
        server.log_line(&["outcome=\"refused\"", "000e08abcdef/FCH2133E8B9/CP-8841-3PCC is on the deny list: ", why]);
        let other = if list.contains("files") { 404 } else { 200 };
        assert_eq!(ask(&server, &own(OTHER), Some(&phones.two)).status, other, "{list}: the other phone");
        assert_eq!(ask(&server, "/basic.txt", None).status, 200, "nobody knows who asks");
    }
    let server = phones.serve("[deny]\nprefixes = [\"00:0e:08\"]");
    assert_eq!(both_get(&server, &phones), [404, 404]);
}

#[test]
fn a_path_names_a_denied_device_as_well_as_a_certificate_does() {
    let phones = Phones::new();
    let server = phones.serve("[deny]\nfiles = [\"list.txt\"]\nmodels = [\"SPA504G\"]");
    let unknown = server.http("/no-such-file").timeless();
    let open = |mac: &str| server.http(&format!("/open/{mac}.cfg")).timeless();
    assert_eq!(open(PHONE), unknown);
    assert_eq!(open(OTHER).status, 200, "its path has no serial number, by which it is denied");
    assert_eq!(open("000E08ABCDEF"), unknown);
    assert!(curl_tftp(&server.url("tftp", &format!("/open/{PHONE}.cfg"))).is_err());
    assert!(curl_tftp(&server.url("tftp", &format!("/open/{OTHER}.cfg"))).is_ok());
    assert_eq!(server.http("/by/SPA504G.cfg").timeless(), unknown);
    assert_eq!(server.http("/by/SPA525G.cfg").status, 200);
    assert_eq!(server.http("/504G.xml").timeless(), unknown, "the series says it");
    server.log_line(&[
        "path=\"/open/000e08abcdef.cfg\"",
        "000e08abcdef is on the deny list: by MAC address, ",
        "list.txt line 4",
    ]);
}

#[test]
fn only_who_is_allowed_is_served_and_deny_wins() {
    let phones = Phones::new();
    let cases = [
        ("[allow]\nmacs = [\"000e08abcdef\"]", [200, 404]),
        ("[allow]\nprefixes = [\"000e08\"]", [200, 200]),
        ("[allow]\nserials = [\"88012BA01234\"]", [404, 200]),
        ("[allow]\nmodels = [\"CP-8841-3PCC\"]", [200, 404]),
        ("[allow]\nfiles = [\"list.txt\"]", [200, 200]),
        ("[allow]\nprefixes = [\"000e08\"]\n[deny]\nmacs = [\"000e08000002\"]", [200, 404]),
        ("[allow]\nmacs = [\"000e08abcdef\"]\n[deny]\nprefixes = [\"000e08\"]", [404, 404]),
        ("[allow]\nprefixes = [\"0002fd\"]", [404, 404]),
    ];
    for (lists, expected) in cases {
        let server = phones.serve(lists);
        assert_eq!(both_get(&server, &phones), expected, "{lists}");
        assert_eq!(server.http("/basic.txt").status, 200, "{lists}: nobody knows who asks");
    }
    let server = phones.serve("[allow]\nmacs = [\"000e08abcdef\"]");
    assert_eq!(server.http(&format!("/open/{OTHER}.cfg")).status, 404, "a path names it");
    assert_eq!(server.http(&format!("/open/{PHONE}.cfg")).status, 200);
    server.log_line(&["outcome=\"refused\"", "000e08000002 is on no allow list"]);
}

/// Something is refused, whatever the list says: nobody gets more by being on one.
#[test]
fn a_list_is_no_proof() {
    let phones = Phones::new();
    let server = phones.serve("[allow]\nmacs = [\"000e08abcdef\"]");
    let unknown = ask(&server, "/no-such-file", None);
    assert_eq!(ask(&server, &own(PHONE), None), unknown);
    assert_eq!(ask(&server, &own(PHONE), Some(&phones.two)), unknown);
}

#[test]
fn a_long_list_costs_a_request_nothing_and_counts_after_a_reload() {
    let phones = Phones::new();
    let server = phones.serve("[deny]\nfiles = [\"list.txt\"]");
    let mut long = String::new();
    for number in 0..200_000 {
        let _ = writeln!(long, "0002fd{number:06x}");
    }
    std::fs::write(server.path("list.txt"), format!("{long}{OTHER}\n")).expect("a list");
    assert_eq!(ask(&server, &own(PHONE), Some(&phones.one)).status, 404);
    server.reload(&both_config(&[phones.maker.ca()], "", "[deny]\nfiles = [\"list.txt\"]"), "reloaded");
    assert_eq!(both_get(&server, &phones), [200, 404]);
    server.log_line(&["is on the deny list: by MAC address, ", "list.txt line 200001"]);
}

#[test]
fn a_list_that_cannot_be_read_is_named() {
    let phones = Phones::new();
    let said = |lists: &str, file: &str| {
        let site = both(&[phones.maker.ca()], "", lists);
        std::fs::write(site.path("list.txt"), file).expect("a list");
        refused(&site)
    };
    let words = said("[deny]\nfiles = [\"list.txt\"]", "000e08abcdef\n000e08abcdeg\n");
    assert!(
        words.contains("deny.files: ") && words.contains("list.txt line 2: `000e08abcdeg` is not a MAC address"),
        "{words}"
    );
    assert!(said("[deny]\nfiles = [\"none.txt\"]", "").contains("none.txt: No such file"));
    assert!(said("[allow]\n", "").contains("allow names nobody"));
    assert!(said("[deny]\nmacs = [\"x\"]", "").contains("deny.macs: `x` is not a MAC address"));
    assert!(said("[deny]\nprefixes = [\"000e\"]", "").contains("deny.prefixes: `000e` is not a MAC prefix"));
    assert!(said("[deny]\nmac = [\"x\"]", "").contains("unknown key `mac`"));
}

#[test]
fn check_says_who_is_on_both_lists() {
    let phones = Phones::new();
    let lists = "[allow]\nmacs = [\"000e08abcdef\", \"000e08000002\"]\n[deny]\nmacs = [\"000e08abcdef\"]\n";
    let site = both(&[phones.maker.ca()], "", lists);
    let config = site.config().display().to_string();
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), &["check", "--config", &config], b"").stdout;
    let output = String::from_utf8_lossy(&output);
    assert!(output.contains("warning: allow: 000e08abcdef is on the deny list as well, which wins"), "{output}");
}

/// The seeds' word for it is filtering: unknown, known without proof, denied, and not allowed look the same.
#[test]
fn nobody_learns_who_is_on_a_list() {
    let phones = Phones::new();
    let denied = phones.serve("[deny]\nmacs = [\"000e08abcdef\"]");
    let unlisted = phones.serve("[allow]\nmacs = [\"000e08000002\"]");
    let answers: Vec<Answer> = [
        ask(&denied, &own(PHONE), Some(&phones.one)),
        ask(&denied, &own(PHONE), None),
        ask(&denied, "/000e08ffffff.cfg", Some(&phones.one)),
        ask(&unlisted, &own(PHONE), Some(&phones.one)),
        ask(&unlisted, "/no-such-file", None),
    ]
    .into();
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");
}
