//! Files of one name and one length that come in ranges from several clients at once: none goes on with another's.

use std::process::{Child, Command, Stdio};

use crate::intake::{CASE, Desk, bytes, site_over};
use crate::outsider::Answer;
use crate::postgres;
use crate::server::wait_for;
use crate::site::Site;

const NAME: &str = "core.gz";

/// Sends bytes of a file from an address of the loopback network.
fn put(desk: &Desk, from: &str, content: &[u8], (first, end): (usize, usize), more: &[&str]) -> Answer {
    let range = format!("Content-Range: bytes {first}-{}/{}", end - 1, content.len());
    desk.put(NAME, &content[first..end], &[&["--interface", from, "-H", &range], more].concat())
}

fn ask(desk: &Desk, from: &str, total: usize, more: &[&str]) -> Answer {
    let range = format!("Content-Range: bytes */{total}");
    desk.put(NAME, b"", &[&["--interface", from, "-H", &range], more].concat())
}

fn there(answer: &Answer) -> (u16, Option<&str>) {
    (answer.status, answer.header("range"))
}

/// Two contents of one length that differ everywhere.
fn contents() -> [Vec<u8>; 2] {
    let one = bytes(300_000);
    let other = one.iter().map(|byte| !byte).collect();
    [one, other]
}

#[test]
fn two_clients_send_files_of_one_name_and_length_in_turn_and_each_becomes_its_own() {
    let desk = Desk::open("");
    let [one, other] = contents();
    let (a, b) = ("127.0.0.2", "127.0.0.3");
    assert_eq!(there(&put(&desk, a, &one, (0, 100_000), &[])), (308, Some("bytes=0-99999")));
    assert_eq!(there(&put(&desk, b, &other, (0, 100_000), &[])), (308, Some("bytes=0-99999")));
    assert_eq!(there(&put(&desk, b, &other, (100_000, 150_000), &[])), (308, Some("bytes=0-149999")));
    assert_eq!(there(&ask(&desk, a, one.len(), &[])), (308, Some("bytes=0-99999")), "of its own");
    assert_eq!(there(&put(&desk, a, &one, (150_000, 200_000), &[])), (416, Some("bytes=0-99999")));
    assert_eq!(there(&ask(&desk, "127.0.0.4", one.len(), &[])), (308, None), "it could be either");
    assert_eq!(there(&put(&desk, "127.0.0.4", &one, (100_000, 200_000), &[])), (416, None));
    assert_eq!(put(&desk, a, &one, (100_000, one.len()), &[]).status, 201);
    assert_eq!(ask(&desk, a, one.len(), &[]).status, 201);
    assert_eq!(there(&ask(&desk, b, one.len(), &[])), (308, Some("bytes=0-149999")), "the other's is not this one's");
    assert_eq!(put(&desk, b, &other, (150_000, other.len()), &[]).status, 201);
    let files = desk.files();
    assert_eq!(files.len(), 2);
    assert!(desk.get(&files[0]) == one && desk.get(&files[1]) == other);
}

#[test]
fn a_client_whose_address_has_changed_goes_on_with_the_only_beginning() {
    let desk = Desk::open("");
    let [one, _] = contents();
    assert_eq!(put(&desk, "127.0.0.2", &one, (0, 100_000), &[]).status, 308);
    assert_eq!(there(&ask(&desk, "127.0.0.3", one.len(), &[])), (308, Some("bytes=0-99999")));
    assert_eq!(put(&desk, "127.0.0.3", &one, (100_000, one.len()), &[]).status, 201);
    assert_eq!(there(&ask(&desk, "127.0.0.4", one.len(), &[])), (308, None), "nobody else has sent it");
    assert!(desk.get(&desk.files()[0]) == one);
}

#[test]
fn clients_behind_one_address_say_by_its_tag_which_file_they_go_on_with() {
    let desk = Desk::open("");
    let [one, other] = contents();
    let from = "127.0.0.1";
    let tags = [&one, &other].map(|content| {
        let answer = put(&desk, from, content, (0, 100_000), &[]);
        format!("If-Match: {}", answer.header("etag").expect("a tag"))
    });
    assert_ne!(tags[0], tags[1]);
    let half = put(&desk, from, &one, (100_000, 200_000), &["-H", &tags[0]]);
    assert_eq!(there(&half), (308, Some("bytes=0-199999")), "{half:?}");
    assert_eq!(format!("If-Match: {}", half.header("etag").expect("a tag")), tags[0], "it stays the same");
    assert_eq!(there(&ask(&desk, from, one.len(), &["-H", &tags[0]])), (308, Some("bytes=0-199999")));
    assert_eq!(there(&ask(&desk, from, one.len(), &["-H", &tags[1]])), (308, Some("bytes=0-99999")));
    let wrong = put(&desk, from, &other, (200_000, 300_000), &["-H", &tags[1]]);
    assert_eq!(there(&wrong), (416, Some("bytes=0-99999")));
    for range in [(0, 100), (100_000, 200_000)] {
        let strange = put(&desk, from, &other, range, &["-H", "If-Match: \"0123456789abcdef\""]);
        assert_eq!(strange.status, 412, "{range:?}");
    }
    assert_eq!(put(&desk, from, &other, (100_000, 300_000), &["-H", &tags[1]]).status, 201);
    assert_eq!(put(&desk, from, &one, (200_000, 300_000), &["-H", &tags[0]]).status, 201);
    let files = desk.files();
    assert!(files.len() == 2 && desk.get(&files[0]) == one && desk.get(&files[1]) == other);
}

/// curl that sends bytes slowly.
fn slowly(desk: &Desk, content: &[u8], first: usize) -> Child {
    let file = desk.reader.path().join("slow");
    std::fs::write(&file, &content[first..]).expect("a file");
    let range = format!("Content-Range: bytes {first}-{}/{}", content.len() - 1, content.len());
    let (who, file) = (format!("{CASE}:{}", desk.token), file.display().to_string());
    let url = desk.url("http", NAME);
    let mut curl = Command::new("curl");
    curl.args(["-sf", "--limit-rate", "200K", "-u", &who, "-H", &range, "-T", &file, &url]);
    curl.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("curl")
}

#[test]
fn one_client_at_a_time_goes_on_with_a_file_and_another_one_is_told_so() {
    let desk = Desk::open("");
    let content = bytes(600_000);
    assert_eq!(put(&desk, "127.0.0.1", &content, (0, 100_000), &[]).status, 308);
    let mut slow = slowly(&desk, &content, 100_000);
    assert!(wait_for(|| desk.kept().len() == 2), "it is under way");
    let other = put(&desk, "127.0.0.1", &content, (100_000, 200_000), &[]);
    assert_eq!((other.status, other.header("retry-after")), (409, Some("10")), "{other:?}");
    assert_eq!(desk.put("another", b"x", &[]).status, 201, "others are not held up");
    assert!(slow.wait().expect("curl").success());
    assert_eq!(ask(&desk, "127.0.0.1", content.len(), &[]).status, 201);
    assert_eq!(put(&desk, "127.0.0.1", &content, (100_000, 200_000), &[]).status, 416, "the turn is over");
    let files = desk.files();
    assert!(desk.get(&files[0]) == content && files.len() == 2, "{files:?}");
    assert!(wait_for(|| desk.kept().len() == 3), "nothing of the refused one is left");
}

/// Two nodes over one store and one folder.
fn nodes(store: &str) -> [Desk; 2] {
    let reader = tempfile::tempdir().expect("a folder");
    let (site, token) = site_over(store, &reader, "");
    let text = std::fs::read_to_string(site.config()).expect("a configuration");
    let folder = format!("[uploads]\nfolder = \"{}\"\n", site.path("state/uploads").display());
    let database = format!("sqlite://{}", site.path("state/phoneprov.db").display());
    let other = text.replace("[uploads]\n", &folder).replace("sqlite://state/phoneprov.db", &database);
    let first = Desk { server: site.start(), token: token.clone(), reader };
    let second = Desk { server: Site::bare(&other).start(), token, reader: tempfile::tempdir().expect("a folder") };
    [first, second]
}

#[test]
fn of_two_nodes_one_goes_on_with_a_file_and_no_two_parts_stand_in_one_place() {
    for store in ["sqlite://state/phoneprov.db".to_owned(), postgres::database()] {
        let [one, other] = nodes(&store);
        let content = bytes(600_000);
        assert_eq!(put(&one, "127.0.0.1", &content, (0, 100_000), &[]).status, 308);
        let mut slow = slowly(&one, &content, 100_000);
        assert!(wait_for(|| one.kept().len() == 2), "it is under way");
        let part = put(&other, "127.0.0.1", &content, (100_000, 200_000), &[]);
        assert_eq!(there(&part), (308, Some("bytes=0-199999")), "{part:?}");
        assert!(!slow.wait().expect("curl").success(), "it came too late");
        assert_eq!(there(&ask(&one, "127.0.0.1", content.len(), &[])), (308, Some("bytes=0-199999")));
        assert_eq!(put(&one, "127.0.0.1", &content, (200_000, content.len()), &[]).status, 201);
        let files = one.files();
        assert!(files.len() == 1 && one.get(&files[0]) == content, "{files:?}");
        assert_eq!(one.kept().len(), 3, "nothing of the late one is left");
    }
}
