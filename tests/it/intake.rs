//! Files of cases over HTTP: handed in by curl and by Python's requests, cut, gone on with, killed, and read by age.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::outsider::{Answer, curl, run};
use crate::server::{Server, wait_for};
use crate::site::{Site, config, lab};

/// A server that takes files for case 612345678, over HTTPS and in clear.
pub(crate) struct Desk {
    pub(crate) server: Server,
    pub(crate) token: String,
    /// Whoever reads: its identity is nowhere in the server's configuration.
    pub(crate) reader: tempfile::TempDir,
}

pub(crate) const CASE: &str = "612345678";

impl Desk {
    pub(crate) fn open(extra: &str) -> Self {
        let reader = tempfile::tempdir().expect("a folder");
        let (site, token) = site(&reader, extra);
        Self { server: site.start(), token, reader }
    }

    /// The address of a file.
    pub(crate) fn url(&self, protocol: &str, name: &str) -> String {
        format!("{protocol}://127.0.0.1:{}/home/{name}", port(&self.server, protocol))
    }

    /// Hands in by curl, in clear, with these options more.
    pub(crate) fn put(&self, name: &str, bytes: &[u8], more: &[&str]) -> Answer {
        self.put_as(&format!("{CASE}:{}", self.token), name, bytes, more)
    }

    pub(crate) fn put_as(&self, who: &str, name: &str, bytes: &[u8], more: &[&str]) -> Answer {
        let file = self.reader.path().join("body");
        fs::write(&file, bytes).expect("a file");
        let (file, url) = (file.display().to_string(), self.url("http", name));
        curl(&[&["--path-as-is", "-u", who, "-T", &file], more, &[&url]].concat())
    }

    pub(crate) fn identity(&self) -> String {
        self.reader.path().join("reader.key").display().to_string()
    }

    /// The case as it is shown.
    pub(crate) fn case(&self) -> Value {
        serde_json::from_str(&self.server.tell(&["case", "show", CASE, "--json"])).expect("JSON")
    }

    pub(crate) fn files(&self) -> Vec<Value> {
        self.case()["files"].as_array().expect("a list").clone()
    }

    /// What `case get` writes for a file.
    pub(crate) fn get(&self, file: &Value) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder");
        let (id, out) = (file["id"].to_string(), folder.path().display().to_string());
        let said = self.server.tell(&["case", "get", CASE, &id, "--identity", &self.identity(), "-o", &out]);
        fs::read(said.trim()).expect("the file that it names")
    }

    /// Names in the folder of uploads, finished and not.
    pub(crate) fn kept(&self) -> Vec<PathBuf> {
        kept(&self.server)
    }
}

fn kept(site: &Site) -> Vec<PathBuf> {
    let entries = fs::read_dir(site.path("state/uploads")).into_iter().flatten();
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "age" || end == "part")).collect()
}

/// A site with an open case; who can read is made by age-keygen, outside of it.
pub(crate) fn site(reader: &tempfile::TempDir, extra: &str) -> (Site, String) {
    site_over("sqlite://state/phoneprov.db", reader, extra)
}

/// The same over a store of the test's own.
pub(crate) fn site_over(store: &str, reader: &tempfile::TempDir, extra: &str) -> (Site, String) {
    let key = reader.path().join("reader.key").display().to_string();
    let made = run("age-keygen", &["-o", &key], b"");
    assert!(made.status.success(), "{made:?}");
    let recipient = String::from_utf8(run("age-keygen", &["-y", &key], b"").stdout).expect("text");
    let (certificate, server_key) = (lab("server.pem"), lab("server.key"));
    let text = format!(
        "[store]\nurl = \"{store}\"\n[events]\n[uploads]\nrecipients = [\"{}\"]\n{extra}\n\
         [[intake]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\n\
         [[intake]]\naddress = \"127.0.0.1:0\"\nprotocol = \"https\"\ncertificate = \"{certificate}\"\nkey = \"{server_key}\"\n",
        recipient.trim()
    );
    let floor = if extra.contains("floor") { "" } else { "floor = \"1 MiB\"\n" };
    let text = text.replace("[uploads]\n", &format!("[uploads]\n{floor}"));
    let site = Site::bare(&config(&["http"], &text));
    let opened = site.tell(&["case", "open", "--number", CASE, "--json"]);
    let opened: Value = serde_json::from_str(&opened).expect("JSON");
    (site, opened["token"].as_str().expect("a token").to_owned())
}

pub(crate) fn port(server: &Server, protocol: &str) -> u16 {
    let start = format!("intake    {protocol}://localhost:");
    let greeting = server.greeting();
    let mut ports =
        greeting.lines().filter_map(|line| line.trim().strip_prefix(&start)?.strip_suffix("/home/")?.parse().ok());
    ports.next().expect("an intake")
}

/// Bytes that do not repeat, so that a part out of its place is found.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    (0..length.div_ceil(4)).flat_map(|at| u32::try_from(at).expect("small").to_be_bytes()).take(length).collect()
}

#[test]
fn a_file_that_curl_hands_in_is_read_by_age_and_by_nobody_else() {
    let desk = Desk::open("");
    let content = [b"show tech-support\n".as_slice(), &bytes(300_000)].concat();
    let path = "show%20tech.txt?description=no%20ring+tone&category=logs";
    let answer = desk.put(path, &content, &["-H", "Expect: 100-continue"]);
    assert_eq!(answer.status, 201, "{answer:?}");
    let files = desk.files();
    assert_eq!((files.len(), &files[0]["name"], &files[0]["state"]), (1, &"show tech.txt".into(), &"complete".into()));
    assert_eq!((&files[0]["description"], &files[0]["category"]), (&"no ring tone".into(), &"logs".into()));
    assert!(answer.text().contains(files[0]["sha256"].as_str().expect("a hash")), "{answer:?}");
    let kept = desk.kept();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let stored = fs::read(&kept[0]).expect("a file");
    assert!(stored.starts_with(b"age-encryption.org/v1\n") && !stored.windows(9).any(|part| part == b"show tech"));
    let opened = run("age", &["-d", "-i", &desk.identity(), &kept[0].display().to_string()], b"");
    assert!(opened.status.success() && opened.stdout == content, "{:?}", String::from_utf8_lossy(&opened.stderr));
    assert!(desk.get(&files[0]) == content);
    let piped = |what: &[&str]| {
        let identity = desk.identity();
        desk.server.phoneprov(&[&["case", "get", CASE], what, &["--identity", &identity, "-o", "-"]].concat())
    };
    assert!(piped(&["show tech.txt"]).stdout == content);
    let all = piped(&["--all"]);
    assert!(all.status.code() == Some(2) && all.stdout.is_empty(), "{all:?}");
    assert!(!desk.server.path("-").exists());
    let refused = desk.server.phoneprov(&["case", "get", CASE, "--all"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("only the holder of an identity"), "{said}");
    let events = desk.server.tell(&["events", "--kind", "upload"]);
    assert!(
        wait_for(|| desk.server.tell(&["events", "--kind", "upload"]).contains("kept  case 612345678: show tech.txt")),
        "{events}"
    );
    let metrics = curl(&[&desk.server.admin("/metrics")]).text();
    assert!(metrics.contains("phoneprov_case_files_total 1"), "{metrics}");
}

/// The code that Cisco prints, with our address, number and token in place of theirs.
#[test]
fn the_code_that_customers_have_works_as_it_is_printed() {
    let desk = Desk::open("");
    let folder = tempfile::tempdir().expect("a folder");
    let content = bytes(3_000_000);
    fs::write(folder.path().join("showtech.txt"), &content).expect("a file");
    let script = format!(
        "import requests\nfrom requests.auth import HTTPBasicAuth\nurl = '{}'\nusername = '{CASE}'\npassword = '{}'\n\
         auth = HTTPBasicAuth(username, password)\nfilename = 'showtech.txt'\nf = open(filename, 'rb')\n\
         r = requests.put(url + filename, f, auth=auth, verify=False)\nr.close()\nf.close()\n\
         if r.status_code == 201:\n    print(\"File Uploaded Successfully\")\n",
        desk.url("https", ""),
        desk.token
    );
    let mut python = Command::new("timeout");
    let output = python.args(["60", "python3", "-c", &script]).current_dir(folder.path()).output().expect("python3");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "File Uploaded Successfully\n", "{output:?}");
    assert!(desk.get(&desk.files()[0]) == content);
}

#[test]
fn a_token_hands_in_and_neither_reads_nor_lists() {
    let desk = Desk::open("");
    assert_eq!(desk.put("a.txt", b"content", &[]).status, 201);
    let who = format!("{CASE}:{}", desk.token);
    for (method, path, wanted) in [
        ("GET", "a.txt", 405),
        ("HEAD", "a.txt", 405),
        ("GET", "", 405),
        ("DELETE", "a.txt", 405),
        ("PROPFIND", "", 405),
        ("POST", "a.txt", 405),
        ("GET", "../a.txt", 405),
        ("GET", "../../metrics", 405),
    ] {
        let url = desk.url("http", path);
        let with: Answer = if method == "HEAD" {
            curl(&["--path-as-is", "-u", &who, "-I", &url])
        } else {
            curl(&["--path-as-is", "-u", &who, "-X", method, &url])
        };
        assert_eq!(with.status, wanted, "{method} {path}: {with:?}");
        assert!(!with.text().contains("content"), "{with:?}");
    }
    let root = desk.url("http", "").replace("/home/", "/");
    let answers: Vec<Answer> = [vec![root.as_str()], vec!["-u", who.as_str(), root.as_str()]]
        .iter()
        .map(|asked| curl(asked).timeless())
        .collect();
    assert_eq!((answers[0].status, &answers[0]), (404, &answers[1]));
    // What it is told of itself is the same for whoever has a wrong token.
    assert_eq!(curl(&[&desk.server.admin("/home/a.txt")]).status, 404);
}

#[test]
fn every_refusal_is_the_same_whatever_is_wrong() {
    let desk = Desk::open("");
    let other = desk.server.tell(&["case", "open", "--number", "600000001", "--json"]);
    let other: Value = serde_json::from_str(&other).expect("JSON");
    let other = other["token"].as_str().expect("a token").to_owned();
    let expiring = desk.server.tell(&["case", "token", "600000001", "--expires", "1s", "--keep", "--json"]);
    let expiring: Value = serde_json::from_str(&expiring).expect("JSON");
    let expired = expiring["token"].as_str().expect("a token").to_owned();
    assert_eq!(desk.put_as(&format!("600000001:{other}"), "a", b"x", &[]).status, 201);
    desk.server.tell(&["case", "close", "600000001"]);
    let refused: Vec<Answer> = [
        format!("{CASE}:{other}"),
        format!("600000001:{other}"),
        format!("600000001:{expired}"),
        format!("699999999:{}", desk.token),
        format!("{CASE}:"),
        format!("' or 1=1:{}", desk.token),
        format!("{}:{}", "9".repeat(5000), desk.token),
    ]
    .iter()
    .map(|who| desk.put_as(who, "a.txt", b"content", &[]).timeless())
    .collect();
    for answer in &refused {
        assert_eq!((answer.status, answer), (401, &refused[0]));
    }
    assert_eq!(desk.files(), Vec::<Value>::new());
    let log = desk.server.log();
    for reason in ["the case is closed", "the token is wrong", "there is no such case"] {
        let reason = if reason == "the case is closed" { "the token is wrong" } else { reason };
        assert!(log.contains(reason), "{reason}: {log}");
    }
    assert!(!log.contains(&other) && !log.contains(&desk.token), "a token stands in the log");
}

#[test]
fn a_file_comes_in_ranges_and_each_is_acknowledged_when_it_is_kept() {
    let desk = Desk::open("");
    let content = bytes(1_000_000);
    let total = content.len();
    let put = |first: usize, end: usize| {
        let range = format!("Content-Range: bytes {first}-{}/{total}", end - 1);
        desk.put("core.gz", &content[first..end], &["-H", &range])
    };
    let ask = || desk.put("core.gz", b"", &["-H", &format!("Content-Range: bytes */{total}")]);
    let there = |answer: &Answer| (answer.status, answer.header("range").map(str::to_owned));
    assert_eq!(there(&ask()), (308, None));
    assert_eq!(there(&put(0, 400_000)), (308, Some("bytes=0-399999".into())));
    assert_eq!(there(&ask()), (308, Some("bytes=0-399999".into())));
    for (first, end) in [(400_001, 500_000), (300_000, 500_000), (399_999, 400_000)] {
        assert_eq!(there(&put(first, end)), (416, Some("bytes=0-399999".into())), "{first}-{end}");
    }
    assert_eq!(there(&put(400_000, 700_000)), (308, Some("bytes=0-699999".into())));
    assert_eq!(put(700_000, total).status, 201);
    assert_eq!((ask().status, put(700_000, total).status), (201, 416));
    let files = desk.files();
    assert_eq!((files.len(), files[0]["parts"].as_array().map(Vec::len)), (1, Some(3)));
    assert!(desk.get(&files[0]) == content);
    for range in ["bytes 0-9/*", "bytes 9-0/100", "chapters 1-2/3", "bytes 0-9/1000000"] {
        assert_eq!(desk.put("x", b"abc", &["-H", &format!("Content-Range: {range}")]).status, 400, "{range}");
    }
    assert_eq!(put(0, 10).status, 308, "the same name from its beginning is another file");
    assert_eq!(desk.files().len(), 2);
}

/// Sends headers and the beginning of a body, and goes away.
fn begin_and_leave(desk: &Desk, name: &str, length: usize, sent: &[u8]) {
    let mut stream = TcpStream::connect(("127.0.0.1", port(&desk.server, "http"))).expect("a connection");
    let basic = data_encoding::BASE64.encode(format!("{CASE}:{}", desk.token).as_bytes());
    let head = format!(
        "PUT /home/{name} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {basic}\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(sent)).expect("sent");
}

#[test]
fn a_file_that_broke_off_is_gone_on_with_by_curl() {
    let desk = Desk::open("");
    let content = bytes(900_000);
    begin_and_leave(&desk, "dump.bin", content.len(), &content[..500_000]);
    assert!(wait_for(|| desk.files().len() == 1), "{:?}", desk.files());
    let files = desk.files();
    let size = files[0]["size"].as_u64().expect("a number");
    assert_eq!((&files[0]["state"], size), (&"partial".into(), 500_000));
    let file = desk.reader.path().join("dump.bin");
    fs::write(&file, &content).expect("a file");
    let who = format!("{CASE}:{}", desk.token);
    // curl says by itself which bytes these are.
    let answer = curl(&["-u", &who, "-C", "500000", "-T", &file.display().to_string(), &desk.url("http", "dump.bin")]);
    assert_eq!(answer.status, 201, "{answer:?}");
    let files = desk.files();
    assert_eq!((files.len(), &files[0]["state"]), (1, &"complete".into()));
    assert!(desk.get(&files[0]) == content);
}

#[test]
fn a_client_that_stalls_holds_its_place_for_a_while_and_what_came_is_kept() {
    let desk = Desk::open("stall = \"1s\"");
    let mut stream = TcpStream::connect(("127.0.0.1", port(&desk.server, "http"))).expect("a connection");
    let basic = data_encoding::BASE64.encode(format!("{CASE}:{}", desk.token).as_bytes());
    let head = format!(
        "PUT /home/slow HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {basic}\r\nContent-Length: 1000\r\n\r\nbegin"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    // A byte now and then is no progress.
    for _ in 0..20 {
        thread::sleep(Duration::from_millis(200));
        if stream.write_all(b".").is_err() {
            break;
        }
    }
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let files = desk.files();
    assert_eq!((files.len(), &files[0]["state"]), (1, &"partial".into()));
    assert!(files[0]["size"].as_u64().is_some_and(|size| (5..20).contains(&size)), "{files:?}");
}

#[test]
fn a_kill_loses_what_was_not_acknowledged_and_the_next_start_sweeps_it() {
    let desk = Desk::open("");
    let content = bytes(64_000_000);
    let half = content.len() / 2;
    let range = format!("Content-Range: bytes 0-{}/{}", half - 1, content.len());
    assert_eq!(desk.put("big.bin", &content[..half], &["-H", &range]).status, 308);
    // The other half, slowly, and a file in one go: both are under way when the server is killed.
    let file = desk.reader.path().join("rest");
    fs::write(&file, &content[half..]).expect("a file");
    let (who, file) = (format!("{CASE}:{}", desk.token), file.display().to_string());
    let rest = format!("Content-Range: bytes {half}-{}/{}", content.len() - 1, content.len());
    let slow = |name: &str, more: &[&str]| {
        let url = desk.url("https", name);
        let all = [&["-k", "-sS", "-u", &who, "--limit-rate", "8M", "-T", &file], more, &[&url]].concat();
        Command::new("curl")
            .args(&all)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("curl")
    };
    let mut clients = [slow("big.bin", &["-H", &rest]), slow("other.bin", &[])];
    let unfinished =
        || desk.kept().into_iter().filter(|path| path.extension().is_some_and(|end| end == "part")).collect::<Vec<_>>();
    let is_large = |path: &Path| fs::metadata(path).is_ok_and(|metadata| metadata.len() > 2_000_000);
    assert!(wait_for(|| unfinished().iter().filter(|path| is_large(path)).count() == 2), "{:?}", desk.kept());
    let Desk { server, token, reader } = desk;
    let site = server.kill();
    for client in &mut clients {
        assert!(!client.wait().expect("curl").success(), "nothing acknowledged it");
    }
    assert_eq!(kept(&site).len(), 3);
    let desk = Desk { server: site.start(), token, reader };
    assert!(wait_for(|| desk.kept().len() == 1), "{:?}", desk.kept());
    let files = desk.files();
    assert_eq!((files.len(), files[0]["size"].as_u64()), (1, Some(half as u64)));
    assert_eq!(desk.put("big.bin", &content[half..], &["-H", &rest]).status, 201);
    assert!(desk.get(&desk.files()[0]) == content);
}

#[test]
fn names_are_shown_and_lead_nowhere() {
    let desk = Desk::open("");
    let long = "a".repeat(4096);
    for (name, wanted) in [
        ("../../../etc/passwd", 201),
        ("..%2f..%2fetc%2fpasswd", 201),
        ("a%00b", 201),
        ("%ff%fe", 201),
        ("%1b%5b2J%0aclosed", 201),
        ("", 400),
        ("%20", 400),
        (long.as_str(), 400),
        (&long[..256], 400),
        (&long[..255], 201),
    ] {
        let answer = desk.put(name, b"content", &["--request-target", &format!("/home/{name}")]);
        assert_eq!(answer.status, wanted, "{name}: {answer:?}");
    }
    assert_eq!(desk.put("same", b"one", &[]).status, 201);
    assert_eq!(desk.put("same", b"two", &[]).status, 201);
    let shown = desk.server.tell(&["case", "show", CASE]);
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out").display().to_string();
    let written = desk.server.tell(&["case", "get", CASE, "--all", "--identity", &desk.identity(), "-o", &out]);
    assert_eq!(written.lines().count(), desk.files().len());
    assert!(written.lines().all(|path| Path::new(path).parent() == Some(Path::new(&out))), "{written}");
    assert!(written.contains("-passwd\n"), "{written}");
    let all = desk.kept();
    assert!(all.iter().all(|path| path.file_stem().is_some_and(|name| name.len() == 32)), "{all:?}");
}

#[test]
fn without_room_nothing_is_kept_and_the_client_is_told_so() {
    let desk = Desk::open("floor = \"900000 GiB\"");
    let answer = desk.put("a", b"content", &[]);
    assert_eq!((answer.status, desk.files().len(), desk.kept().len()), (507, 0, 0), "{answer:?}");
    let desk = Desk::open("quota = \"1 MiB\"\nquota_per_case = \"512 KiB\"");
    assert_eq!(desk.put("a", &bytes(600_000), &[]).status, 507, "it is announced");
    let chunked = desk.put("a", &bytes(600_000), &["-H", "Transfer-Encoding: chunked"]);
    assert_eq!(chunked.status, 507, "it is found as it comes: {chunked:?}");
    assert_eq!((desk.files().len(), desk.kept().len()), (0, 0));
    assert_eq!(desk.put("a", &bytes(500_000), &[]).status, 201);
    assert_eq!(desk.put("b", &bytes(500_000), &[]).status, 507);
    let id = desk.files()[0]["id"].to_string();
    desk.server.tell(&["case", "delete", CASE, &id, "--why", "asked by anna"]);
    assert_eq!((desk.files().len(), desk.kept().len()), (0, 0));
    assert_eq!(desk.put("b", &bytes(500_000), &[]).status, 201, "there is room again");
    let record = desk.case()["record"].to_string();
    assert!(record.contains("file deleted") && record.contains("a, 500000 bytes: asked by anna"), "{record}");
}

/// A file system of three megabytes, in a name space of the test's own.
#[test]
fn a_disk_that_fills_keeps_what_was_there_and_nothing_half_written() {
    let reader = tempfile::tempdir().expect("a folder");
    let (site, token) = site(&reader, "floor = \"0\"");
    let uploads = site.path("state/uploads");
    fs::create_dir_all(&uploads).expect("a folder");
    fs::write(reader.path().join("small"), bytes(1_000_000)).expect("a file");
    fs::write(reader.path().join("large"), bytes(5_000_000)).expect("a file");
    let script = format!(
        "mount -t tmpfs -o size=3m none '{uploads}'; '{binary}' serve --config '{config}' 2>'{reader}/said' >/dev/null & server=$!\n\
         for i in $(seq 100); do port=$(sed -n 's,.*intake *http://localhost:\\([0-9]*\\).*,\\1,p' '{reader}/said'); [ -n \"$port\" ] && break; sleep 0.1; done\n\
         for file in small large small; do curl -s -o /dev/null -w '%{{http_code}} ' -u '{CASE}:{token}' -T '{reader}/'$file http://127.0.0.1:$port/home/$file; done\n\
         ls -A '{uploads}' | grep -c -e age -e part; '{binary}' case show {CASE} --json --config '{config}' | grep -c '\"state\": \"complete\"'\n\
         kill $server; wait $server",
        uploads = uploads.display(),
        binary = env!("CARGO_BIN_EXE_phoneprov"),
        config = site.config().display(),
        reader = reader.path().display(),
    );
    let output = run("unshare", &["--user", "--map-root-user", "--mount", "bash", "-c", &script], b"");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "201 507 201 2\n2\n", "{output:?}");
}

#[test]
fn whoever_guesses_waits_and_an_operator_hears_of_it() {
    let reader = tempfile::tempdir().expect("a folder");
    let (site, token) = site(&reader, "");
    let text = fs::read_to_string(site.config()).expect("a configuration");
    site.configure(&format!("{text}\n[throttle]\npasswords = 3\ndelay = \"300ms\"\n"));
    let desk = Desk { server: site.start(), token, reader };
    for at in 0..5 {
        let began = std::time::Instant::now();
        assert_eq!(desk.put_as(&format!("{CASE}:wrong"), "a", b"x", &[]).status, 401);
        assert!(at < 4 || began.elapsed() >= Duration::from_millis(300), "{at}: {:?}", began.elapsed());
    }
    desk.server.log_line(&["phoneprov::alarm"]);
}
