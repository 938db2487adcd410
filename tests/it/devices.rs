//! `phoneprov device` and `phoneprov group` on the store, in both databases.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::outsider::run;
use crate::postgres::{self, Postgres};
use crate::site::Site;

/// A site with a store and no listener.
struct Desk(Site);

impl Desk {
    /// One in each database.
    fn both() -> [Self; 2] {
        postgres::stores().map(|url| Self::at(&url))
    }

    fn at(url: &str) -> Self {
        let listen = "[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\n";
        Self(Site::bare(&format!("profiles = \"profiles\"\n{listen}[store]\nurl = \"{url}\"\n")))
    }

    /// What a command prints that is to succeed.
    fn says(&self, args: &[&str]) -> String {
        self.0.tell(args)
    }

    /// What one says that is to fail with this code.
    fn refuses(&self, code: i32, args: &[&str]) -> String {
        let output = self.0.phoneprov(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
        String::from_utf8([output.stdout, output.stderr].concat()).expect("text")
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.says(&[args, &["--json"]].concat())).expect("JSON")
    }

    fn table(&self, text: impl AsRef<[u8]>) -> String {
        let path = self.0.path("table.csv");
        fs::write(&path, text).expect("room for a table");
        path.display().to_string()
    }

    fn count(&self) -> usize {
        self.says(&["device", "export", "--json"]).lines().count()
    }
}

#[test]
fn a_device_is_added_seen_changed_and_removed() {
    for desk in Desk::both() {
        desk.says(&["group", "add", "sales", "--notes", "first floor"]);
        let text = desk.says(&[
            "device",
            "add",
            "00:0E:08:AB:CD:EF",
            "--serial",
            "fch2133e8b9",
            "--product",
            "CP-8841-3PCC",
            "--label",
            "Hall",
            "--alias",
            "0e08abcdef01",
            "--group",
            "sales",
            "sip_user=100",
            "lines:=[1,2]",
        ]);
        assert!(text.contains("mac         000e08abcdef\n") && text.contains("variable    lines = [1,2]\n"), "{text}");
        let expected = json!({
            "id": 1, "mac": "000e08abcdef", "serial": "FCH2133E8B9", "product": "CP-8841-3PCC", "label": "Hall", "enabled": true,
            "aliases": ["0e08abcdef01"], "groups": ["sales"], "variables": {"sip_user": "100", "lines": [1, 2]},
        });
        assert_eq!(desk.json(&["device", "show", "0e08abcdef01"]), expected);

        desk.says(&["device", "set", "sn:FCH2133E8B9", "--label", "Küche", "sip_user=200"]);
        desk.says(&["device", "unset", "000e08abcdef", "lines", "--field", "groups", "--field", "aliases"]);
        desk.says(&["device", "disable", "000e08abcdef"]);
        let shown = desk.json(&["device", "show", "000e08abcdef"]);
        assert_eq!((&shown["label"], &shown["enabled"]), (&json!("Küche"), &json!(false)));
        assert_eq!((&shown["variables"], &shown["groups"]), (&json!({"sip_user": "200"}), &Value::Null));
        assert!(desk.says(&["device", "list"]).contains("000e08abcdef  FCH2133E8B9  CP-8841-3PCC  Küche  -       no"));
        assert_eq!(desk.says(&["device", "enable", "000e08abcdef"]), "device enable: change 6\n");
        assert_eq!(desk.says(&["device", "enable", "000e08abcdef"]), "device enable: nothing to change\n");

        desk.says(&["device", "remove", "000e08abcdef"]);
        let said = desk.refuses(2, &["device", "show", "000e08abcdef"]);
        assert_eq!(said, "phoneprov: there is no device 000e08abcdef: `phoneprov device add` makes one\n");
        assert!(desk.says(&["group", "list"]).contains("sales  0        first floor"));
        desk.says(&["group", "remove", "sales"]);
    }
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    for desk in Desk::both() {
        desk.says(&["device", "add", "000e08000001", "--serial", "AAAAAA"]);
        let refused: [(&[&str], &str); 8] = [
            (&["device", "add", "000e08000001"], "000e08000001 is a name of the device 000e08000001 already"),
            (
                &["device", "add", "000e08000002", "--serial", "AAAAAA"],
                "sn:AAAAAA is a name of the device 000e08000001",
            ),
            (&["device", "add", "000e08000002", "--group", "sale"], "there is no group sale: `phoneprov group add`"),
            (&["device", "add", "zz"], "`zz` names no device: expected a MAC address"),
            (&["device", "set", "000e08000001", "MA=x"], "`MA` is a phone's macro: choose another name"),
            (&["device", "set", "000e08000001", "x:=y"], "what follows := is no JSON"),
            (&["device", "unset", "000e08000001", "sip_user"], "000e08000001 has no variable sip_user of its own"),
            (&["device", "disable", "000e08000001", "000e08000009"], "there is no device 000e08000009"),
        ];
        for (args, reason) in refused {
            let said = desk.refuses(2, args);
            assert!(said.contains(reason), "{args:?}: {said}");
        }
        assert_eq!(desk.json(&["device", "log"]).as_array().expect("a list").len(), 1);
        assert_eq!(desk.json(&["device", "show", "000e08000001"])["enabled"], json!(true));
    }
}

#[test]
fn without_a_store_a_command_says_what_makes_one() {
    let site = Site::new("");
    let config = site.config().display().to_string();
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), &["device", "list", "--config", &config], b"");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("there is no store: a line `[store]` makes one, in state/phoneprov.db"), "{said}");
    assert!(!site.path("state").exists(), "nothing is made");
}

#[test]
fn a_list_goes_on_page_by_page() {
    let desk = Desk::at("sqlite://state/phoneprov.db");
    let rows = (0..250).map(|number| format!("000e08{number:06x},Desk {number}\n")).collect::<Vec<String>>().concat();
    let table = desk.table(format!("mac,label\n{rows}"));
    assert_eq!(
        desk.says(&["device", "import", &table]),
        "250 added, 0 changed, 0 unchanged, 0 with findings: change 1\n"
    );
    let first = desk.says(&["device", "list"]);
    assert_eq!((first.lines().count(), first.lines().last()), (102, Some("more: --after 100")));
    let last = desk.json(&["device", "list", "--after", "200"]);
    assert_eq!((last["devices"].as_array().expect("a list").len(), &last["next"]), (50, &Value::Null));
    assert!(desk.says(&["device", "list", "--search", "desk 249"]).contains("000e080000f9"));
    let stale = desk.says(&["device", "list", "--stale", "24h"]);
    assert!(stale.lines().count() == 251 && !stale.contains("more:"), "what is wrong is listed in one");
    assert!(desk.says(&["device", "list", "--stale", "24h", "--limit", "9"]).ends_with("more: --after 9\n"));
}

#[test]
fn an_import_is_undone_as_a_whole() {
    for desk in Desk::both() {
        desk.says(&["device", "add", "000e08000000", "--label", "before", "sip_user=1"]);
        let rows =
            (0..1200).map(|number| format!("000e08{number:06x},Desk {number}\n")).collect::<Vec<String>>().concat();
        let table = desk.table(format!("mac,label\n{rows}"));
        assert_eq!(
            desk.says(&["device", "import", &table]),
            "1199 added, 1 changed, 0 unchanged, 0 with findings: change 2\n"
        );
        assert_eq!(desk.count(), 1200);
        let said = desk.says(&["device", "undo", "2"]);
        assert_eq!(said, "change 2 is undone by change 3: 1200 of 1200\n");
        assert_eq!(desk.count(), 1);
        assert_eq!(desk.json(&["device", "show", "000e08000000"])["label"], json!("before"));
        let said = desk.refuses(2, &["device", "undo", "2"]);
        assert!(said.contains("was changed again by change 3: undo that one first"), "{said}");
    }
}

/// A spreadsheet's table: a byte order mark, semicolons, CRLF, a quoted line end; and every kind of mistake.
#[test]
fn every_row_that_cannot_be_is_told_with_its_line() {
    let table = "\u{feff}mac;label;groups;vlan:json\r\n\
        000e08000001;\"two\r\nlines; quoted\";sales;7\r\n\
        000e08000001;again;;\r\n\
        000e0800000g;typo;;\r\n\
        000e08000002;x\r\n\
        000e08000003;x;sale;\r\n\
        000e08000004;x;;{\r\n\
        000e08000005;x;;\r\n\
        ;x;;\r\n\
        sn;x;;\r\n";
    let expected = "\
        line 4: 000e08000001 stands on line 2 already\n\
        line 5: `000e0800000g` is not a MAC address: expected 12 hexadecimal digits, alone, in pairs joined by `:` or `-`, or in fours joined by `.`\n\
        line 6: 2 cells, but the header has 4\n\
        line 7: there is no group sale: `phoneprov group add` makes one\n\
        line 8: vlan is no JSON: EOF while parsing an object at line 1 column 1\n\
        line 10: the row has neither a MAC address nor a serial number\n\
        line 11: `sn` is not a MAC address: expected 12 hexadecimal digits, alone, in pairs joined by `:` or `-`, or in fours joined by `.`\n\
        2 added, 0 changed, 0 unchanged, 7 with findings";
    for desk in Desk::both() {
        desk.says(&["group", "add", "sales"]);
        let file = desk.table(table);
        let said = desk.refuses(1, &["device", "import", &file]);
        assert!(said.starts_with(expected), "{said}");
        assert!(said.ends_with("; nothing was written, because of the findings: --keep-going leaves their rows out\n"));
        assert_eq!(desk.count(), 0);
        let said = desk.refuses(1, &["device", "import", &file, "--keep-going"]);
        assert!(said.starts_with(expected) && said.ends_with(": change 2\n"), "{said}");
        assert_eq!(desk.count(), 2);
        let shown = desk.json(&["device", "show", "000e08000001"]);
        assert_eq!((&shown["label"], &shown["variables"]["vlan"]), (&json!("two\r\nlines; quoted"), &json!(7)));
    }
}

#[test]
fn a_quote_that_is_never_closed_hides_nothing_of_what_stands_before_it() {
    let table = "mac,label,groups\n\
        000e08000001,x,sale\n\
        000e0800000g,x,\n\
        000e08000002,\"two\nlines\",\"sales\n\
        000e08000003,x,nowhere\n";
    let expected =
        "line 2: there is no group sale: `phoneprov group add` makes one\nline 3: `000e0800000g` is not a MAC address";
    let end = "0 added, 0 changed, 0 unchanged, 2 with findings; nothing was written, because the table cannot be read to its end\n\
        phoneprov: line 5: the quote that begins here is never closed\n";
    for desk in Desk::both() {
        for how in [&[][..], &["--keep-going"], &["--dry-run"]] {
            let file = desk.table(table);
            let said = desk.refuses(2, &[&["device", "import", &file], how].concat());
            assert!(said.starts_with(expected) && said.ends_with(end), "{said}");
            assert_eq!(desk.count(), 0);
        }
    }
}

#[test]
fn a_column_that_is_nearly_a_fields_is_told_of() {
    for desk in Desk::both() {
        let file = desk.table("mac,lable,group\n000e08000001,x,sales\n");
        let said = desk.refuses(2, &["device", "import", &file]);
        assert!(
            said.contains("the column `group`: did you mean groups? A variable of that name is meant by `group:text`"),
            "{said}"
        );
        assert!(said.contains("warning: the column `lable` is taken for a variable's: did you mean label?"), "{said}");
        assert_eq!(desk.count(), 0);
        let file = desk.table("mac,label:text,group:text\n000e08000001,x,sales\n");
        let output = desk.0.phoneprov(&["device", "import", &file]);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let shown = desk.json(&["device", "show", "000e08000001"]);
        assert_eq!((&shown["variables"]["group"], &shown["variables"]["label"]), (&json!("sales"), &json!("x")));
        // An export says what they are.
        let file = desk.table(desk.says(&["device", "export"]));
        let said = desk.says(&["device", "import", &file]);
        assert!(said.starts_with("0 added, 0 changed, 1 unchanged, 0 with findings"), "{said}");
    }
}

#[test]
fn a_table_that_is_none_is_refused() {
    let desk = Desk::at("sqlite://state/phoneprov.db");
    let tables: [(&[u8], &str); 5] = [
        (b"", "the table is empty"),
        (b"label\nx\n", "no column is called mac or serial"),
        (b"mac,MA\n", "`MA` is a phone's macro"),
        (b"mac\n\"000e08000001\n", "line 2: the quote that begins here is never closed"),
        (b"mac,label\n000e08000001,\xff\n", "line 2: not UTF-8: save the table in that encoding"),
    ];
    for (text, reason) in tables {
        let file = desk.table(text);
        let said = desk.refuses(2, &["device", "import", &file]);
        assert!(said.contains(reason), "{said}");
    }
    assert_eq!(desk.count(), 0);
}

#[test]
fn an_export_is_what_an_import_takes() {
    for desk in Desk::both() {
        desk.says(&["group", "add", "a"]);
        desk.says(&["group", "add", "b"]);
        desk.says(&[
            "device",
            "add",
            "000e08abcdef",
            "--label",
            "a, \"b\"\nc",
            "--group",
            "b",
            "--group",
            "a",
            "--alias",
            "0e08abcdef01",
            "sip_user=0100",
            "vlan:=7",
            "mixed=x",
        ]);
        desk.says(&["device", "add", "sn:FCH2133E8B9", "--disabled", "--notes", "spare", "mixed:=[1]"]);
        let before = desk.says(&["device", "export", "--json"]);
        let file = desk.table(desk.says(&["device", "export"]));
        let said = desk.says(&["device", "import", &file, "--dry-run"]);
        assert!(said.starts_with("0 added, 0 changed, 2 unchanged, 0 with findings"), "{said}");
        desk.says(&["device", "remove", "000e08abcdef", "sn:FCH2133E8B9"]);
        desk.says(&["device", "import", &file]);
        assert_eq!(desk.says(&["device", "export", "--json"]), before);
    }
}

/// The process is killed in the middle of imports, again and again: each of them is there as a whole, or not at all.
#[test]
fn an_import_that_is_killed_leaves_nothing_half_done() {
    for desk in Desk::both() {
        let config = desk.0.config().display().to_string();
        desk.says(&["device", "add", "000e08ffffff"]);
        let mut acknowledged = 1;
        for round in 0..8_u32 {
            let rows = (0..3000)
                .map(|number| format!("000e{:02x}{number:06x}\n", round + 16))
                .collect::<Vec<String>>()
                .concat();
            let file = desk.table(format!("mac\n{rows}"));
            let mut command = Command::new(env!("CARGO_BIN_EXE_phoneprov"));
            command.args(["device", "import", &file, "--config", &config]).stdout(Stdio::null());
            let mut child = command.spawn().expect("the binary starts");
            std::thread::sleep(Duration::from_millis(u64::from(60 * round)));
            let done = child.try_wait().expect("a child").is_some();
            // It may have ended just now.
            let _ = child.kill();
            let _ = child.wait();
            let count = desk.count();
            assert!(
                count == acknowledged || count == acknowledged + 3000,
                "{count} after {acknowledged}, round {round}"
            );
            assert!(!done || count == acknowledged + 3000, "an acknowledged import is lost");
            acknowledged = count;
        }
        assert_eq!(desk.json(&["device", "show", "000e08ffffff"])["enabled"], json!(true));
    }
}

#[test]
fn a_database_that_is_away_is_said_so_and_is_back_when_it_is() {
    let mut postgres = Postgres::start();
    let desk = Desk::at(&postgres.database());
    desk.says(&["device", "add", "000e08000001"]);
    postgres.order("stop");
    let said = desk.refuses(2, &["device", "list"]);
    assert!(said.contains("the store postgres:///test_") && said.contains("is not to be reached: "), "{said}");
    postgres.order("start");
    assert!(desk.says(&["device", "list"]).contains("000e08000001"));
}

/// A file system of two megabytes, in a name space of the test's own.
/// SQLite makes two files beside the database before anything is read: without room for them the system calls that an error of
/// the disk.
#[test]
fn a_disk_without_a_free_byte_at_the_start_is_told_with_what_is_free() {
    let desk = Desk::at("sqlite://state/phoneprov.db");
    let (state, config) = (desk.0.path("state"), desk.0.config());
    desk.says(&["device", "add", "000e08ffffff"]);
    let database = desk.0.path("phoneprov.db");
    fs::rename(state.join("phoneprov.db"), &database).expect("the same disk");
    let script = format!(
        "mount -t tmpfs -o size=2m none '{state}' && cp '{database}' '{state}/'\n\
        dd if=/dev/zero of='{state}/other' bs=1024 2>&1 | tail -1\n\
        for command in 'device list' serve; do\n'{binary}' $command --config '{config}' 2>&1; echo \"code $?\"; done\n\
        rm '{state}/other'; '{binary}' device list --config '{config}' 2>&1",
        binary = env!("CARGO_BIN_EXE_phoneprov"),
        state = state.display(),
        database = database.display(),
        config = config.display(),
    );
    let output = run("unshare", &["--user", "--map-root-user", "--mount", "sh", "-c", &script], b"");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mount = state.canonicalize().expect("a folder");
    let expected = format!(
        "phoneprov.db is full: nothing was changed. Make room on its disk: 0 bytes are free on the one that is mounted at \
         {}\ncode 2",
        mount.display()
    );
    assert_eq!(said.matches(&expected).count(), 2, "{said}\n{output:?}");
    assert!(said.ends_with("000e08ffffff  -       -        -      -       yes      -     never\n"), "{said}");
}

#[test]
fn a_full_disk_and_one_that_cannot_be_written_lose_nothing() {
    let desk = Desk::at("sqlite://state/phoneprov.db");
    let rows = (0..9000)
        .map(|number| format!("000e08{number:06x},a label that takes some room\n"))
        .collect::<Vec<String>>()
        .concat();
    let table = desk.table(format!("mac,label\n{rows}"));
    let (state, config) = (desk.0.path("state"), desk.0.config());
    fs::create_dir(&state).expect("a folder");
    let binary = env!("CARGO_BIN_EXE_phoneprov");
    let script = format!(
        "mount -t tmpfs -o size=2m none '{state}' && p() {{ '{binary}' \"$@\" --config '{config}' 2>&1; }}\n\
        p device add 000e08ffffff >/dev/null && p device import '{table}'; p device list\n\
        mount -o remount,ro '{state}' && p device disable 000e08ffffff; mount -o remount,rw '{state}'; p device list",
        state = state.display(),
        config = config.display(),
    );
    let output = run("unshare", &["--user", "--map-root-user", "--mount", "sh", "-c", &script], b"");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("phoneprov.db is full: nothing was changed. Make room on its disk"), "{said}\n{output:?}");
    assert!(
        said.contains("phoneprov.db cannot be opened: the file or its folder cannot be written"),
        "{said}\n{output:?}"
    );
    assert_eq!(said.matches("000e08ffffff  -").count(), 2, "{said}\n{output:?}");
}
