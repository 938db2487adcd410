//! What ARCHITECTURE.md says of `src/`, held against the source's text.

use std::fs;
use std::path::{Path, PathBuf};

/// Each module of the crate's root, and the others that it may name. Towards the end of the list one knows more.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("device", &[]),
    ("terminal", &[]),
    ("certificate", &["device"]),
    ("cipher", &["device"]),
    ("password", &["device"]),
    ("case", &["password"]),
    ("profile", &["certificate", "device"]),
    ("authority", &["certificate", "config", "device"]),
    ("config", &["authority", "certificate", "cipher", "device", "password", "profile", "syslog"]),
    ("inventory", &["device", "profile"]),
    ("provision", &["certificate", "cipher", "config", "device", "inventory", "metrics", "password", "profile"]),
    ("metrics", &["config", "provision"]),
    ("syslog", &["device"]),
    ("event", &["config", "device", "provision", "syslog"]),
    ("log", &["config", "event", "metrics", "provision", "terminal"]),
    ("census", &["certificate", "config", "device"]),
    ("vault", &["config"]),
    ("store", &["case", "cipher", "config", "device", "event", "inventory", "password", "vault"]),
    ("trust", &["certificate", "config", "device"]),
    ("throttle", &["config", "device"]),
    (
        "app",
        &[
            "certificate",
            "config",
            "device",
            "inventory",
            "listen",
            "metrics",
            "profile",
            "provision",
            "store",
            "throttle",
        ],
    ),
    (
        "listen",
        &[
            "app",
            "case",
            "census",
            "certificate",
            "config",
            "device",
            "event",
            "log",
            "metrics",
            "password",
            "profile",
            "provision",
            "store",
            "throttle",
            "vault",
        ],
    ),
    (
        "intake",
        &["app", "case", "config", "device", "event", "listen", "metrics", "password", "provision", "store", "vault"],
    ),
    ("ftp", &["device", "intake", "listen"]),
    ("sftp", &["device", "intake"]),
    ("tftp", &["app", "config", "listen", "log", "profile", "provision"]),
    ("phone", &["cipher", "device", "profile", "terminal", "tftp"]),
    ("push", &["phone", "trust"]),
    (
        "server",
        &[
            "app",
            "authority",
            "case",
            "census",
            "config",
            "device",
            "event",
            "ftp",
            "intake",
            "inventory",
            "listen",
            "log",
            "metrics",
            "password",
            "sftp",
            "store",
            "syslog",
            "tftp",
            "vault",
        ],
    ),
    (
        "cli",
        &[
            "app",
            "authority",
            "case",
            "census",
            "certificate",
            "cipher",
            "config",
            "device",
            "event",
            "intake",
            "inventory",
            "metrics",
            "password",
            "phone",
            "profile",
            "provision",
            "push",
            "server",
            "store",
            "terminal",
            "trust",
            "vault",
        ],
    ),
];

/// What the line of seven steps and all below it never see: it is the same for every protocol.
const NEVER_BELOW_LISTENERS: [&str; 10] = [
    "axum",
    "hyper::body",
    "hyper::server",
    "hyper_util",
    "rustls",
    "socket2",
    "tokio",
    "tokio_rustls",
    "TcpStream",
    "UdpSocket",
];

/// The codecs that a simulated phone shares with the server: all that it may name in these two.
const CODECS: [&str; 7] = [
    "profile::expansion",
    "profile::flat",
    "profile::macros",
    "profile::parameters",
    "profile::rule",
    "profile::variable",
    "tftp::packet",
];

/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 13] = [
    "base", "common", "core", "handler", "handlers", "helper", "helpers", "manager", "misc", "service", "shared",
    "util", "utils",
];

/// One file below `src/`.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// The folder or file directly below `src/` that this belongs to.
    fn module(&self) -> String {
        let first = self.path.components().next().expect("a path has a component");
        Path::new(first.as_os_str()).with_extension("").display().to_string()
    }

    /// The lines with their numbers, comments left out.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
        lines.filter(|(_, line)| !line.starts_with("//"))
    }

    fn place(&self, line: usize) -> String {
        format!("src/{}:{line}", self.path.display())
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut sources) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the source") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                let path = path.strip_prefix(&root).expect("below src").to_owned();
                sources.push(Source { path, text });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

/// The modules that a line of code names by `crate::`.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

/// Whether `word` stands in the line as a word of its own.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(part_of_word) && !line[at + word.len()..].starts_with(part_of_word))
}

fn none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn dependencies_run_one_way() {
    let mut findings = Vec::new();
    for source in sources() {
        let module = source.module();
        let Some((_, allowed)) = MAY_NAME.iter().find(|(name, _)| *name == module) else {
            if !["lib", "main"].contains(&module.as_str()) {
                findings.push(format!("src/{module} is not in the table of this test: what may it name?"));
            }
            continue;
        };
        for (number, line) in source.code() {
            for other in named(line).filter(|other| *other != module && !allowed.contains(other)) {
                let what = if other.is_empty() { "several modules at once: one `use` for each" } else { other };
                findings.push(format!("{}: {module} may not name {what}", source.place(number)));
            }
        }
    }
    none(&findings);
}

#[test]
fn the_line_and_what_it_stands_on_see_no_protocol() {
    let below = ["certificate", "cipher", "device", "inventory", "password", "profile", "provision"];
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| below.contains(&source.module().as_str())) {
        for (number, line) in source.code() {
            for word in NEVER_BELOW_LISTENERS.iter().filter(|word| has_word(line, word)) {
                findings.push(format!("{}: `{word}` belongs to listen or tftp", source.place(number)));
            }
        }
    }
    none(&findings);
}

#[test]
fn tls_libraries_are_named_where_tls_is_spoken() {
    let mut findings = Vec::new();
    let places = ["listen/tls", "phone", "trust"];
    for source in sources().iter().filter(|source| !places.iter().any(|place| source.path.starts_with(place))) {
        let named = |line: &str| {
            ["rustls", "tokio_rustls", "openssl::ssl", "tokio_openssl"].iter().any(|word| has_word(line, word))
        };
        let lines = source.code().filter(|(_, line)| named(line));
        findings.extend(
            lines.map(|(number, _)| format!("{}: TLS is listen/tls's, and trust's as a client", source.place(number))),
        );
    }
    none(&findings);
}

#[test]
fn sql_stands_in_the_store() {
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| source.module() != "store") {
        let lines = source.code().filter(|(_, line)| has_word(line, "sqlx"));
        findings.extend(lines.map(|(number, _)| format!("{}: sqlx is the store's", source.place(number))));
    }
    none(&findings);
}

#[test]
fn the_simulated_phone_is_an_outsider_that_shares_codecs() {
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| source.module() == "phone") {
        for (number, line) in source.code() {
            for shared in ["profile::", "tftp::"] {
                let module = format!("crate::{shared}");
                let names = line.split(&module).skip(1);
                let strange = names.filter(|rest| !CODECS.iter().any(|codec| has_codec(codec, shared, rest)));
                findings.extend(strange.map(|_| format!("{}: {shared} has more than codecs", source.place(number))));
            }
        }
    }
    none(&findings);
}

/// Whether `rest`, which follows `crate::` and the module, begins with this codec.
fn has_codec(codec: &str, module: &str, rest: &str) -> bool {
    codec.strip_prefix(module).is_some_and(|name| rest.strip_prefix(name).is_some_and(|end| end.starts_with("::")))
}

#[test]
fn a_module_is_called_after_what_is_in_it() {
    let empty = |name: &str| EMPTY_NAMES.contains(&name);
    let mut findings = Vec::new();
    for source in sources() {
        let named_empty = source.path.with_extension("").iter().any(|part| part.to_str().is_some_and(empty));
        if named_empty {
            findings.push(format!("src/{}: the name says nothing of what is inside", source.path.display()));
        }
    }
    none(&findings);
}

#[test]
fn a_file_can_be_read_at_one_go() {
    let mut findings = Vec::new();
    for source in sources() {
        let is_front_page = source.path.ends_with("mod.rs") && !source.path.ends_with("tests/mod.rs");
        let limit = if is_front_page { 200 } else { 400 };
        let lines = source.text.lines().count();
        if lines > limit {
            findings.push(format!("src/{}: {lines} lines, expected {limit} at the most", source.path.display()));
        }
    }
    none(&findings);
}

#[test]
fn nothing_is_unwrapped_and_no_lint_is_allowed() {
    let mut findings = Vec::new();
    for source in sources() {
        for (number, line) in source.code() {
            if line.contains(".unwrap()") {
                findings.push(format!("{}: `expect` with the reason, or an error", source.place(number)));
            }
            if line.contains("#[allow(") || line.contains("#![allow(") {
                findings.push(format!("{}: `#[expect(…, reason = …)]`", source.place(number)));
            }
        }
    }
    none(&findings);
}
