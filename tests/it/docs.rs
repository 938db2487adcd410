//! Every `sh` block of README.md and docs/ is run: a page that says what the binary does not do fails here.
//!
//! A page's blocks are one script, in a fresh folder with the repository's config.toml, profiles/ and certs/. Its ports
//! are replaced by free ones. A `text` block right after an `sh` block is what the commands print: each of its lines has
//! to be in the output, where `…` stands for anything. Blocks that cannot be run here are `console`.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::server::free_port;

/// The longest that one page may take.
const LIMIT: Duration = Duration::from_mins(2);

/// The ports of the repository's config.toml, HTTP, HTTPS, admin, TFTP, syslog; and that of a second HTTPS listener on
/// the pages.
const PORTS: [&str; 6] = ["8080", "8443", "8081", "6969", "5514", "8444"];

/// How the repository is started; here its binary is built already, and the page goes on when it is ready.
const START: &str = "cargo run --release -- serve";

const STARTED: &str = "phoneprov serve &\nuntil curl -sf http://localhost:8081/readyz; do sleep 0.1; done";

/// The whole test command, of which this is a part.
const TEST: &str = "tests/run";

/// A page with the commands in it and what it says they print.
#[derive(Default)]
struct Page {
    commands: String,
    printed: Vec<String>,
}

impl Page {
    /// Reads the fenced blocks of Markdown text.
    fn read(text: &str) -> Self {
        let mut page = Self::default();
        let (mut block, mut after_commands) = (None, false);
        for line in text.lines() {
            match (block, line.strip_prefix("```")) {
                (None, Some(kind)) => block = Some(kind),
                (Some(kind), Some(_)) => (block, after_commands) = (None, kind == "sh"),
                (Some("sh"), None) => page.command(line),
                (Some("text"), None) if after_commands => page.printed.push(line.trim().to_owned()),
                (Some(_), None) => {}
                (None, None) => after_commands &= line.is_empty(),
            }
        }
        page
    }

    fn command(&mut self, line: &str) {
        let line = match line {
            TEST => return,
            START => STARTED,
            other => other,
        };
        writeln!(self.commands, "{line}").expect("a string takes text");
    }

    /// The lines that the page says are printed, and are not; bash shows the commands themselves after a `@`.
    fn missing(&self, output: &str) -> Vec<String> {
        let lines: Vec<&str> = output.lines().filter(|line| !line.starts_with('@')).collect();
        let printed = |wanted: &String| lines.iter().any(|line| is_like(wanted, line));
        self.printed.iter().filter(|wanted| !printed(wanted)).cloned().collect()
    }
}

/// Whether the pieces between `…` stand in the line in their order.
fn is_like(wanted: &str, line: &str) -> bool {
    let found = wanted.split('…').try_fold(line, |rest, piece| rest.find(piece).map(|at| &rest[at + piece.len()..]));
    found.is_some()
}

/// A fresh folder with what a clone has, and ports of its own.
struct Clone {
    folder: tempfile::TempDir,
    ports: Vec<String>,
}

impl Clone {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for part in ["config.toml", "profiles", "certs/README.md", "certs/client-ca"] {
            copy(&repository().join(part), &folder.path().join(part));
        }
        let clone = Self { folder, ports: PORTS.iter().map(|_| free_port().to_string()).collect() };
        let config = clone.folder.path().join("config.toml");
        let text = fs::read_to_string(&config).expect("the configuration");
        fs::write(&config, clone.with_own_ports(&text)).expect("the configuration");
        clone
    }

    /// The text with this clone's ports in place of the configuration's.
    fn with_own_ports(&self, text: &str) -> String {
        let mark = |place: usize| format!("\u{1}{place}\u{2}");
        let marked =
            PORTS.iter().enumerate().fold(text.to_owned(), |text, (place, port)| text.replace(port, &mark(place)));
        self.ports.iter().enumerate().fold(marked, |text, (place, port)| text.replace(&mark(place), port))
    }

    /// Runs commands to their end or the limit, and ends everything that they started.
    fn run(&self, commands: &str) -> (Option<ExitStatus>, String) {
        let output = self.folder.path().join("output");
        let file = File::create(&output).expect("a file");
        let script = format!("PS4='@ '\nset -x\n{}", self.with_own_ports(commands));
        let mut child = Command::new("bash")
            .args(["-eu", "-o", "pipefail", "-c", &script])
            .current_dir(self.folder.path())
            .env("PATH", path_with_binary())
            .stdin(Stdio::null())
            .stderr(file.try_clone().expect("a second handle"))
            .stdout(file)
            .process_group(0)
            .spawn()
            .expect("bash");
        let status = wait(&mut child);
        let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
        // An error means that nothing of it is left.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = child.wait();
        (status, String::from_utf8_lossy(&fs::read(&output).expect("the output")).into_owned())
    }
}

fn wait(child: &mut Child) -> Option<ExitStatus> {
    let begun = Instant::now();
    while begun.elapsed() < LIMIT {
        if let Some(status) = child.try_wait().expect("a child") {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn path_with_binary() -> OsString {
    let folder = Path::new(env!("CARGO_BIN_EXE_phoneprov")).parent().expect("the binary is in a folder");
    let others = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&others));
    std::env::join_paths(all).expect("paths without colons")
}

fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::create_dir_all(to.parent().expect("a file is in a folder")).expect("a folder");
        fs::copy(from, to).expect("a copy");
        return;
    }
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// README.md and every page of docs/, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let mut pages = vec![repository().join("README.md")];
    for entry in fs::read_dir(repository().join("docs")).expect("docs/") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    pages.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("text"))).collect()
}

/// What is wrong with a page, if anything.
fn complaint(path: &Path, text: &str) -> Option<String> {
    let page = Page::read(text);
    if page.commands.is_empty() {
        return None;
    }
    let clone = Clone::new();
    let (status, output) = clone.run(&page.commands);
    let wrong = match status {
        None => format!("took longer than {LIMIT:?}"),
        Some(status) if !status.success() => format!("ended with {status}"),
        Some(_) => {
            let missing = Page::read(&clone.with_own_ports(text)).missing(&output);
            if missing.is_empty() {
                return None;
            }
            format!("did not print:\n{}", missing.join("\n"))
        }
    };
    let name = path.strip_prefix(repository()).unwrap_or(path).display();
    Some(format!("{name} {wrong}\n--- its output:\n{output}"))
}

#[test]
fn every_command_of_the_documentation_works() {
    let pages = pages();
    let complaints: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = pages.iter().map(|(path, text)| scope.spawn(|| complaint(path, text))).collect();
        running.into_iter().filter_map(|page| page.join().expect("a page's thread")).collect()
    });
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n\n"));
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let mut broken = Vec::new();
    for (path, text) in pages() {
        let folder = path.parent().expect("a page is in a folder");
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for target in targets.filter(|target| !target.is_empty() && !target.contains("://")) {
            if !folder.join(target).exists() {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_key_of_the_shipped_configuration_is_explained() {
    let page = fs::read_to_string(repository().join("docs/configuration.md")).expect("the page");
    let config = fs::read_to_string(repository().join("config.toml")).expect("the configuration");
    let table: toml::Table = config.parse().expect("TOML");
    let mut missing = Vec::new();
    for (name, value) in &table {
        let inner: Vec<&String> = match value {
            toml::Value::Table(_) if name == "variables" => Vec::new(),
            toml::Value::Table(keys) => keys.keys().collect(),
            toml::Value::Array(tables) => {
                tables.iter().filter_map(toml::Value::as_table).flat_map(|t| t.keys()).collect()
            }
            _ => vec![name],
        };
        missing.extend(
            inner.into_iter().filter(|key| !page.contains(&format!("`{key}`"))).map(|key| format!("{name}.{key}")),
        );
    }
    assert!(missing.is_empty(), "docs/configuration.md does not have {missing:?}");
}
