//! Room for what is handed in: the floor counts all that is under way, and quotas count reports and problem reports too.

use std::fs;

use crate::handed_in::bytes;
use crate::intake::{CASE, site};
use crate::outsider::run;
use crate::reports::{json, kept, send, server};
use crate::server::Server;
use crate::site::{PHONE, Site};

/// Runs a script beside a server whose uploads are on a file system of this size, in a name space of its own. The script
/// finds `$intake` and `$http`, the ports, `$uploads`, the folder, and `$local`, one for its own files.
fn on_a_small_disk(site: &Site, room: &str, script: &str) -> String {
    fs::create_dir_all(site.path("state/uploads")).expect("a folder");
    fs::create_dir_all(site.path("local")).expect("a folder");
    let script = format!(
        "uploads='{uploads}' local='{local}' case='{CASE}'\n\
         mount -t tmpfs -o size={room} none \"$uploads\"; '{binary}' serve --config '{config}' 2>\"$local/said\" >\"$local/log\" & server=$!\n\
         port() {{ sed -n \"s,.*$1 *http://localhost:\\\\([0-9]*\\\\).*,\\\\1,p\" \"$local/said\"; }}\n\
         for i in $(seq 300); do grep -q '^  profiles ' \"$local/said\" && break; sleep 0.1; done\n\
         intake=$(port intake) http=$(port listens)\n\
         {script}\nkill $server; wait $server",
        uploads = site.path("state/uploads").display(),
        local = site.path("local").display(),
        binary = env!("CARGO_BIN_EXE_phoneprov"),
        config = site.config().display(),
    );
    let output = run("unshare", &["--user", "--map-root-user", "--mount", "bash", "-c", &script], b"");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// What so many clients are told that hand in a file of 8 MB each at the same time, and how much they had sent by then; then how
/// many whole files there are, and how many others.
fn all_at_once(site: &Site, (room, n): (&str, u32), token: &str) -> (Vec<(u16, u64)>, String) {
    fs::create_dir_all(site.path("local")).expect("a folder");
    fs::write(site.path("local/file"), bytes(8_000_000)).expect("a file");
    let script = format!(
        "for i in $(seq {n}); do curl -s -o /dev/null -w '%{{http_code}} %{{size_upload}}\n' --limit-rate 2M \
         -u \"$case:{token}\" -T \"$local/file\" http://127.0.0.1:$intake/home/$i & all=\"$all $!\"; done\n\
         wait $all; echo $(ls -A \"$uploads\" | grep -c '[.]age$') $(ls -A \"$uploads\" | grep -c '[.]part$')"
    );
    let said = on_a_small_disk(site, room, &script);
    let mut lines: Vec<&str> = said.lines().collect();
    let left = lines.pop().unwrap_or_default().to_owned();
    let answer = |line: &&str| {
        Some(line.split_once(' ')?).and_then(|(code, sent)| Some((code.parse().ok()?, sent.parse().ok()?)))
    };
    (lines.iter().filter_map(answer).collect(), left)
}

/// How many are told 201, and how many 507 before half of their file was sent.
fn told(answers: &[(u16, u64)]) -> (usize, usize) {
    let count = |wanted: &dyn Fn(&&(u16, u64)) -> bool| answers.iter().filter(wanted).count();
    (count(&|(code, _)| *code == 201), count(&|(code, sent)| *code == 507 && *sent < 4_000_000))
}

#[test]
fn of_twenty_uploads_at_once_those_are_taken_that_fit_and_the_others_are_refused_before_they_begin() {
    let reader = tempfile::tempdir().expect("a folder");
    let (site, token) = site(&reader, "floor = \"8 MiB\"");
    // 40 MiB, of which 8 stay free: four files fit.
    let (answers, left) = all_at_once(&site, ("40m", 20), &token);
    assert_eq!((told(&answers), left.as_str()), ((4, 16), "4 0"), "{answers:?}");
    let shown = json(&site, &["case", "show", CASE]);
    let sizes: Vec<_> = shown["files"].as_array().expect("a list").iter().map(|file| file["size"].as_u64()).collect();
    assert_eq!(sizes, [Some(8_000_000); 4]);
    let log = fs::read_to_string(site.path("local/log")).expect("a log");
    let no_room = log.lines().find(|line| line.contains("set aside for files under way")).expect("a refusal");
    assert!(no_room.contains("peer=\"127.0.0.1\"") && no_room.contains("file="), "{no_room}");
    let told = site.tell(&["events", "--kind", "upload"]);
    let of_one =
        |line: &str| line.contains(&format!("127.0.0.1  refused  case {CASE}: ")) && line.contains("no room for more");
    assert_eq!(told.lines().filter(|line| of_one(line)).count(), 16, "{told}");
}

#[test]
fn two_servers_over_one_folder_keep_no_more_than_fits_beside_the_floor() {
    let reader = tempfile::tempdir().expect("a folder");
    let (site, token) = site(&reader, "floor = \"8 MiB\"");
    fs::create_dir_all(site.path("local")).expect("a folder");
    fs::write(site.path("local/file"), bytes(8_000_000)).expect("a file");
    // Of 40 MiB, four files leave 8: each server takes four for what fits.
    let script = format!(
        "'{binary}' serve --config '{config}' 2>\"$local/other\" >\"$local/log2\" & second=$!\n\
         for i in $(seq 300); do grep -q '^  profiles ' \"$local/other\" && break; sleep 0.1; done\n\
         other=$(sed -n \"s,.*intake *http://localhost:\\([0-9]*\\).*,\\1,p\" \"$local/other\")\n\
         for i in $(seq 8); do for port in $intake $other; do curl -s -o /dev/null -w '%{{http_code}}\n' --limit-rate 2M \
         -u \"$case:{token}\" -T \"$local/file\" http://127.0.0.1:$port/home/$i & all=\"$all $!\"; done; done\n\
         wait $all; kill $second; wait $second\n\
         echo $(ls -A \"$uploads\" | grep -c '[.]age$') $(ls -A \"$uploads\" | grep -c '[.]part$') $(stat -f -c '%a %S' \"$uploads\")",
        binary = env!("CARGO_BIN_EXE_phoneprov"),
        config = site.config().display(),
    );
    let said = on_a_small_disk(&site, "40m", &script);
    let count = |wanted: &str| said.lines().filter(|line| *line == wanted).count();
    let left: Vec<u64> =
        said.lines().last().unwrap_or_default().split(' ').filter_map(|number| number.parse().ok()).collect();
    let [kept, half, blocks, block] = left[..] else { panic!("{said}") };
    assert_eq!((count("201") as u64, half), (kept, 0), "what was acknowledged, and nothing else: {said}");
    assert_eq!(count("201") + count("507"), 16, "{said}");
    assert!((1..=4).contains(&kept) && blocks * block >= 8 << 20, "{said}");
}

#[test]
fn a_quota_counts_what_is_under_way() {
    for quota in ["quota = \"20000000\"", "quota_per_case = \"20000000\"", "files = 2", "files_per_case = 2"] {
        let reader = tempfile::tempdir().expect("a folder");
        let (site, token) = site(&reader, quota);
        let (answers, left) = all_at_once(&site, ("100m", 8), &token);
        assert_eq!((told(&answers), left.as_str()), ((2, 6), "2 0"), "{quota}: {answers:?}");
    }
}

#[test]
fn what_a_case_has_announced_is_no_room_for_a_problem_report_until_it_is_given_up() {
    let reader = tempfile::tempdir().expect("a folder");
    let (site, token) = site(&reader, "floor = \"8 MiB\"");
    let text = fs::read_to_string(site.config()).expect("a configuration");
    site.configure(&format!("{text}\n[[rule]]\npath = \"/prt\"\naccept = \"prt\"\nproof = \"none\"\n"));
    site.tell(&["device", "add", PHONE]);
    fs::create_dir_all(site.path("local")).expect("a folder");
    fs::write(site.path("local/file"), bytes(16_000_000)).expect("a file");
    fs::write(site.path("local/prt"), bytes(12_000_000)).expect("a file");
    let said = on_a_small_disk(
        &site,
        "32m",
        &format!(
            "prt() {{ curl -s -o /dev/null -w '%{{http_code}}\\n' -F devicename=SEP{name} -F prt_file=@\"$local/prt\" $1 http://127.0.0.1:$http/prt; }}\n\
             curl -s -o /dev/null --limit-rate 1M -u \"$case:{token}\" -T \"$local/file\" http://127.0.0.1:$intake/home/a & slow=$!\n\
             for i in $(seq 100); do [ -n \"$(ls -A \"$uploads\" | grep '[.]part$')\" ] && break; sleep 0.1; done\n\
             prt; prt -HTransfer-Encoding:chunked; kill $slow; wait $slow\n\
             for i in $(seq 100); do [ -z \"$(ls -A \"$uploads\" | grep '[.]part$')\" ] && break; sleep 0.1; done\n\
             prt; ls -A \"$uploads\" | grep -c '[.]part$'",
            name = PHONE.to_uppercase()
        ),
    );
    assert_eq!(said, "507\n507\n200\n0\n");
}

/// A server whose uploads have these quotas.
fn with_quota(quota: &str) -> Server {
    let rules = "[[rule]]\npath = \"/report/$MA.xml\"\naccept = \"report\"\n\
        [[rule]]\npath = \"/prt\"\naccept = \"prt\"\n";
    server("sqlite://state/phoneprov.db", &format!("{quota}\n{rules}"))
}

/// What a report is answered that has some bytes more than this.
fn report(server: &Server, length: usize) -> u16 {
    let body = format!("<flat-profile><GPP_A>{}</GPP_A></flat-profile>", "x".repeat(length));
    let file = server.path("report");
    fs::write(&file, body).expect("room for a file");
    let path = format!("/report/{PHONE}.xml");
    send(server, PHONE, &path, &["--data-binary", &format!("@{}", file.display())]).status
}

/// The same of a problem report.
fn problem(server: &Server, length: u32) -> u16 {
    let file = server.path("prt");
    fs::write(&file, bytes(length)).expect("room for a file");
    send(server, PHONE, "/prt", &["-F", &format!("prt_file=@{};filename=a.tar.gz", file.display())]).status
}

#[test]
fn a_spent_quota_refuses_reports_and_problem_reports_and_leaves_nothing_of_them() {
    let server = with_quota("quota = \"1 MiB\"");
    assert_eq!((report(&server, 400_000), problem(&server, 500_000)), (200, 200), "{}", server.log());
    assert_eq!((report(&server, 400_000), problem(&server, 500_000)), (507, 507), "{}", server.log());
    server.log_line(&["path=\"/prt\"", "uploads.quota is 1048576 bytes"]);
    server.log_line(&["path=\"/report/", "uploads.quota is 1048576 bytes"]);
    assert_eq!(kept(&server), 2, "nothing of the others");
    let listed = |what: &str| json(&server, &[what, "list"]).as_array().map(Vec::len);
    assert_eq!((listed("report"), listed("prt")), (Some(1), Some(1)));
    assert_eq!(report(&server, 1000), 200, "there is room for a small one");
}

#[test]
fn the_quota_of_a_case_is_none_of_reports_and_problem_reports() {
    let server = with_quota("quota_per_case = \"1 KiB\"");
    assert_eq!((report(&server, 400_000), problem(&server, 500_000)), (200, 200), "{}", server.log());
}

#[test]
fn a_phone_has_no_more_reports_than_it_may() {
    let server = with_quota("files_per_device = 2");
    assert_eq!((report(&server, 10), problem(&server, 10)), (200, 200), "{}", server.log());
    assert_eq!((report(&server, 10), problem(&server, 10)), (507, 507), "{}", server.log());
    server.log_line(&["path=\"/prt\"", "uploads.files_per_device is 2"]);
    assert_eq!(kept(&server), 2, "nothing of the others");
}

#[test]
fn a_case_has_no_more_files_than_it_may_however_small_they_are() {
    let reader = tempfile::tempdir().expect("a folder");
    let (site, token) = site(&reader, "files_per_case = 3");
    fs::write(site.path("empty"), "").expect("a file");
    let (server, user) = (site.start(), format!("{CASE}:{token}"));
    let url = format!("http://127.0.0.1:{}/home/empty", crate::intake::port(&server, "http"));
    let put = || {
        let file = server.path("empty").display().to_string();
        crate::outsider::curl(&["-u", &user, "-T", &file, &url]).status
    };
    assert_eq!([put(), put(), put(), put()], [201, 201, 201, 507], "{}", server.log());
    server.log_line(&["a file is not taken", "file=\"empty\"", "uploads.files_per_case is 3"]);
    let is_told = |line: &str| line.contains("refused  case 612345678: empty: uploads.files_per_case is 3");
    assert!(crate::server::wait_for(|| server.tell(&["events", "--kind", "upload"]).lines().any(is_told)));
    assert_eq!(kept(&server), 3);
    server.tell(&["case", "delete", CASE, "1", "--why", "full"]);
    assert_eq!([put(), put()], [201, 507], "one was deleted");
}

#[test]
fn files_of_before_they_were_counted_are_counted() {
    let server = with_quota("files = 2");
    assert_eq!(report(&server, 10), 200, "{}", server.log());
    let database = server.path("state/phoneprov.db").display().to_string();
    let before = "alter table upload_count drop column files; delete from _sqlx_migrations where version = 302";
    assert!(run("sqlite3", &[&database, before], b"").status.success());
    server.tell(&["device", "list"]);
    assert_eq!((report(&server, 10), report(&server, 10)), (200, 507), "{}", server.log());
}

#[test]
fn a_disk_keeps_files_for_others_that_can_be_made_on_it() {
    let reader = tempfile::tempdir().expect("a folder");
    let (site, token) = site(&reader, "");
    fs::create_dir_all(site.path("local")).expect("a folder");
    fs::write(site.path("local/empty"), "").expect("a file");
    // The folder is one, and its mark another.
    let said = on_a_small_disk(
        &site,
        "40m,nr_inodes=4100",
        &format!(
            "for i in 1 2 3 4; do curl -s -o /dev/null -w '%{{http_code}} ' -u \"$case:{token}\" -T \"$local/empty\" \
             http://127.0.0.1:$intake/home/$i; done; ls \"$uploads\" | grep -c '[.]age$'"
        ),
    );
    let log = fs::read_to_string(site.path("local/log")).expect("a log");
    assert_eq!(said, "201 201 201 507 3\n", "{log}");
    assert!(log.contains("4095 more files can be made on the disk, and 4096 are left to others"), "{log}");
}

#[test]
fn a_file_that_can_never_be_whole_is_refused_at_its_first_part() {
    let reader = tempfile::tempdir().expect("a folder");
    let (site, token) = site(&reader, "quota_per_case = \"512 KiB\"");
    fs::write(site.path("part"), bytes(1000)).expect("a file");
    let part = site.path("part").display().to_string();
    let server = site.start();
    let url = format!("http://127.0.0.1:{}/home/a", crate::intake::port(&server, "http"));
    let put = |total: u64| {
        let range = format!("Content-Range: bytes 0-999/{total}");
        crate::outsider::curl(&["-u", &format!("{CASE}:{token}"), "-H", &range, "-T", &part, &url]).status
    };
    for total in [600_000, 10_u64.pow(17)] {
        assert_eq!(put(total), 507, "{total}");
    }
    assert_eq!((put(500_000), kept(&server)), (308, 1));
}
