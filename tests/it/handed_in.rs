//! A place to hand in files of cases, and what it has of them: decrypted by age's own program, listed by SQLite's.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::outsider::run;
use crate::server::{Server, wait_for};
use crate::site::{Site, config};

/// The case of the tests.
pub(crate) const CASE: &str = "612345678";

/// A server that takes files of one case, whose token is known.
pub(crate) struct Intake {
    pub(crate) server: Server,
    pub(crate) token: String,
}

impl Intake {
    /// Listens as these lines of `[[intake]]` say, each one listener.
    pub(crate) fn start(listeners: &[&str]) -> Self {
        Self::with(listeners, "")
    }

    /// The same with more under `[uploads]`.
    pub(crate) fn with(listeners: &[&str], uploads: &str) -> Self {
        let site = Site::new("");
        let key = site.path("uploads.key").display().to_string();
        assert!(run("age-keygen", &["-o", &key], b"").status.success());
        let recipient = String::from_utf8(run("age-keygen", &["-y", &key], b"").stdout).expect("text");
        let host_key = site.path("host.key").display().to_string();
        assert!(run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &host_key], b"").status.success());
        let intake = listeners.iter().map(|lines| format!("[[intake]]\naddress = \"127.0.0.1:0\"\n{lines}\n"));
        let more = format!(
            "[store]\nurl = \"sqlite://state/phoneprov.db\"\n[events]\n[uploads]\nrecipients = [\"{}\"]\nfloor = \"0\"\n\
             {uploads}\n{}",
            recipient.trim(),
            intake.collect::<String>()
        );
        site.configure(&config(&["http"], &more));
        let opened: serde_json::Value =
            serde_json::from_str(&site.tell(&["case", "open", "--number", CASE, "--json"])).expect("JSON");
        let token = opened["token"].as_str().expect("a token").to_owned();
        let intake = Self { server: site.start(), token };
        intake.answer(&intake.token);
        intake
    }

    /// The port of the listener with this protocol.
    pub(crate) fn port(&self, protocol: &str) -> String {
        let greeting = self.server.greeting();
        let start = format!("intake    {protocol}://localhost:");
        let line = greeting.lines().find_map(|line| line.trim().strip_prefix(&start)).expect("it listens");
        line.split(' ').next().unwrap_or_default().to_owned()
    }

    /// Names and sizes of the case's files, in the order in which they came.
    pub(crate) fn listed(&self) -> Vec<String> {
        let database = self.server.path("state/phoneprov.db").display().to_string();
        let query = "select name, size from upload where state = 'complete' order by id";
        let output = run("sqlite3", &["-readonly", &database, query], b"");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    /// What is in the file with this name, as `age -d` reads it.
    pub(crate) fn content(&self, name: &str) -> Vec<u8> {
        let database = self.server.path("state/phoneprov.db").display().to_string();
        let query = format!("select kept from upload u, upload_part p where p.upload = u.id and u.name = '{name}'");
        let kept = run("sqlite3", &["-readonly", &database, &query], b"").stdout;
        let file = self.folder().join(format!("{}.age", String::from_utf8_lossy(&kept).trim()));
        let key = self.server.path("uploads.key").display().to_string();
        let output = run("age", &["-d", "-i", &key, &file.display().to_string()], b"");
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }

    /// Whether there is soon an event of this outcome with these words in it, from this host.
    pub(crate) fn tells(&self, outcome: &str, words: &[&str]) -> bool {
        let is_it = |line: &str| {
            line.contains(&format!("127.0.0.1  {outcome}  case {CASE}: "))
                && words.iter().all(|word| line.contains(word))
        };
        wait_for(|| self.server.tell(&["events", "--kind", "upload"]).lines().any(is_it))
    }

    /// All names in the folder of files, hidden ones too, the mark of the folder left out.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        let is_file = |name: &String| Path::new(name).extension().is_some_and(|end| end == "age" || end == "part");
        names.filter(is_file).collect()
    }

    /// Whether nothing of a file is left soon, half of it or all.
    pub(crate) fn is_empty(&self) -> bool {
        wait_for(|| self.names().is_empty()) && self.listed().is_empty()
    }

    fn folder(&self) -> std::path::PathBuf {
        self.server.path("state/uploads")
    }

    /// A program of OpenSSH with the token of the case, or another one; its standard input is a file of these bytes.
    pub(crate) fn openssh(&self, program: &str, token: &str, arguments: &[&str], input: &[u8]) -> Output {
        self.answer(token);
        self.openssh_for(&[&["60", program][..], arguments].concat(), input)
    }

    /// The same for so many seconds: those, the program, and its arguments.
    pub(crate) fn openssh_for(&self, arguments: &[&str], input: &[u8]) -> Output {
        fs::write(self.server.path("input"), input).expect("room");
        let mut command = self.openssh_command(arguments);
        command.stdin(fs::File::open(self.server.path("input")).expect("a file"));
        command.output().expect("tests/run installs this program")
    }

    /// OpenSSH's `sftp`, logged in with the case's token, that is told what to do line by line.
    pub(crate) fn sftp_session(&self) -> Child {
        self.answer(&self.token);
        let (port, host) = (self.port("sftp"), format!("{CASE}@127.0.0.1"));
        self.session(&["60", "sftp", "-b", "-", "-P", &port, &host])
    }

    /// OpenSSH's `ssh`, logged in with the case's token, that passes bytes on.
    pub(crate) fn ssh_session(&self, arguments: &[&str]) -> Child {
        self.answer(&self.token);
        self.session(&[&["60", "ssh"][..], arguments].concat())
    }

    fn session(&self, arguments: &[&str]) -> Child {
        let mut command = self.openssh_command(arguments);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("tests/run installs this program")
    }

    fn openssh_command(&self, arguments: &[&str]) -> Command {
        let ask = self.server.path("ask");
        let hosts = format!("UserKnownHostsFile={}", self.server.path("known_hosts").display());
        let (program, arguments) = arguments.split_at(2);
        let mut command = Command::new("timeout");
        command.args(program).args(["-F", "/dev/null", "-o", "BatchMode=no", "-o", "NumberOfPasswordPrompts=1"]);
        command.args(["-o", "StrictHostKeyChecking=accept-new", "-o", &hosts, "-o", "LogLevel=ERROR"]);
        command.args(arguments).env("SSH_ASKPASS", &ask).env("SSH_ASKPASS_REQUIRE", "force");
        command
    }

    /// What OpenSSH is answered when it asks for a token.
    fn answer(&self, token: &str) {
        let ask = self.server.path("ask");
        fs::write(&ask, format!("#!/bin/sh\necho '{token}'\n")).expect("room");
        fs::set_permissions(&ask, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("a file");
    }

    /// A file of the client's.
    pub(crate) fn local(&self, name: &str, content: &[u8]) -> String {
        let path = self.server.path(name);
        fs::write(&path, content).expect("room");
        path.display().to_string()
    }
}

/// Bytes that do not repeat, so that any that are missing or moved are noticed.
pub(crate) fn bytes(length: u32) -> Vec<u8> {
    (0..length.div_ceil(4)).flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()).take(length as usize).collect()
}

/// What a program said.
pub(crate) fn said(output: &Output) -> String {
    [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat()
}

/// Whether a path exists.
pub(crate) fn exists(path: &str) -> bool {
    Path::new(path).exists()
}
