//! What a server needs: a folder with a configuration, a tree of profiles and the certificates of a lab.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::outsider::run;
use crate::server::Server;

/// The phone that the sample configuration knows.
pub(crate) const PHONE: &str = "000e08abcdef";
/// Another phone of the same lab.
pub(crate) const OTHER: &str = "000e08000002";

/// A listener of each kind.
pub(crate) const ALL: [&str; 3] = ["http", "https", "tftp"];

/// A folder with all that a server needs, gone when the test ends.
pub(crate) struct Site {
    folder: TempDir,
}

impl Site {
    /// The repository's profiles behind a listener of each kind; `extra` ends the configuration.
    pub(crate) fn new(extra: &str) -> Self {
        let site = Self::bare(&config(&ALL, extra));
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
        copy(&samples, &site.path("profiles"));
        site
    }

    /// An empty tree of profiles and this configuration.
    pub(crate) fn bare(config: &str) -> Self {
        let site = Self { folder: tempfile::tempdir().expect("room for a folder") };
        fs::create_dir(site.path("profiles")).expect("a fresh folder");
        site.configure(config);
        site
    }

    /// Replaces the configuration.
    pub(crate) fn configure(&self, config: &str) {
        fs::write(self.config(), config).expect("room for a configuration");
    }

    /// The configuration file.
    pub(crate) fn config(&self) -> PathBuf {
        self.path("config.toml")
    }

    /// A path below the site's folder.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Writes a profile, with its folders.
    pub(crate) fn profile(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("profiles").join(name);
        let folder = path.parent().expect("a name below the profile folder");
        fs::create_dir_all(folder).expect("room for a folder");
        fs::write(&path, content).expect("room for a profile");
        path
    }

    /// Runs a command of the program with the site's configuration.
    pub(crate) fn phoneprov(&self, args: &[&str]) -> Output {
        let config = self.config().display().to_string();
        run(env!("CARGO_BIN_EXE_phoneprov"), &[args, &["--config", &config]].concat(), b"")
    }

    /// What a command prints that is to succeed.
    pub(crate) fn tell(&self, args: &[&str]) -> String {
        let output = self.phoneprov(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// Starts a server that is ready.
    pub(crate) fn start(self) -> Server {
        Server::start(self)
    }
}

/// A configuration with these listeners on ports that the kernel chooses. Tables that a test wants otherwise come in
/// `extra`, except those that stand here inline.
pub(crate) fn config(listeners: &[&str], extra: &str) -> String {
    let mut text = format!(
        "profiles = \"profiles\"\n\
         admin = {{ address = \"127.0.0.1:0\" }}\n\
         keys = {{ master_file = \"{}\" }}\n\
         variables = {{ provisioning_server = \"localhost:8443\", sip_proxy = \"sip.example.com\", \
         ntp_server = \"pool.ntp.org\" }}\n",
        lab("master.key")
    );
    for protocol in listeners {
        let _ = write!(text, "\n[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"{protocol}\"\n");
        if *protocol == "https" {
            text.push_str(&tls());
        }
    }
    format!("{text}\n{extra}")
}

/// The keys of an https listener with the lab's certificates.
pub(crate) fn tls() -> String {
    let [certificate, key, ca] = ["server.pem", "server.key", "ca.pem"].map(lab);
    format!("certificate = \"{certificate}\"\nkey = \"{key}\"\nclient_ca = [\"{ca}\"]\n")
}

/// A file of the lab that all tests share: an authority, a server, two phones and a master secret.
pub(crate) fn lab(file: &str) -> String {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let made = fs::metadata(env!("CARGO_BIN_EXE_phoneprov")).and_then(|binary| binary.modified());
        let made = made.expect("the binary").duration_since(std::time::UNIX_EPOCH).expect("a time after 1970");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lab-{}", made.as_millis()));
        if !folder.exists() {
            make_lab(&folder);
        }
        folder
    });
    folder.join(file).display().to_string()
}

/// Makes the lab beside its place and moves it there whole: another process of the tests may do the same.
fn make_lab(folder: &Path) {
    let made = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("room for a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_phoneprov"));
    command.args(["certs", "lab", "--dir"]).arg(made.path()).args(["--phone", PHONE, "--phone", OTHER]);
    let output = command.output().expect("the binary starts");
    assert!(output.status.success(), "{output:?}");
    fs::write(made.path().join("master.key"), "0123456789abcdef".repeat(4)).expect("room for a key");
    if fs::rename(made.path(), folder).is_ok() {
        let _ = made.keep();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("room for a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("a folder that can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("room for a file");
        }
    }
}
