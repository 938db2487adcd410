//! What a phone remembers from one resync to the next, and the file that a simulated one keeps it in.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::device::MacAddress;

/// The version of the file that this program writes, and the only one that it reads.
pub const FORMAT: u64 = 1;

/// The largest file that is read.
const LARGEST: u64 = 16 << 20;

/// What is remembered. Parameters are those that were set; the rest are the family's defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Parameters by their exact name.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Authorities fetched by `Custom_CA_Rule`, and the rule that they came by.
    #[serde(default)]
    pub custom_ca: Option<CustomCa>,
    /// The firmware, where a pretended upgrade changed it.
    #[serde(default)]
    pub firmware: Option<String>,
    /// `Upgrade_Rule` and the address that the last upgrade came from: it runs again when one of them changes.
    #[serde(default)]
    pub upgraded: Option<Upgraded>,
    /// The parameters as of the last report, for `--delta`.
    #[serde(default)]
    pub reported: Option<BTreeMap<String, String>>,
    /// The second since 1970 of the last resync, for `$PRVTMR`.
    #[serde(default)]
    pub resynced: Option<i64>,
    /// The second since 1970 of the last attempt to upgrade, for `$UPGTMR`.
    #[serde(default)]
    pub upgrade_attempted: Option<i64>,
    /// Failures since the last success: the place in `Resync_Error_Retry_Delay`.
    #[serde(default)]
    pub failures: usize,
    /// Successes since power-up: the place in `Resync_Periodic`.
    #[serde(default)]
    pub successes: usize,
}

/// Authorities of the operator's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomCa {
    /// The rule's text.
    pub rule: String,
    /// The certificates.
    pub pem: String,
}

/// An upgrade that went well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upgraded {
    /// The rule's text.
    pub rule: String,
    /// What it came to.
    pub url: String,
}

/// The file: which phone's, and of which version.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u64,
    mac: String,
    state: State,
}

/// Just enough to see which version a file is of.
#[derive(Debug, Deserialize)]
struct Version {
    format: u64,
}

/// Why a state file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file, or its folder.
    #[error("cannot {doing} the state file `{}`: {cause}", path.display())]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// More than any phone's state.
    #[error("the state file `{}` is larger than 16 MiB: it is not a phone's state", .0.display())]
    Large(PathBuf),
    /// Not what we write.
    #[error("the state file `{}` is damaged: {cause}; delete it to begin as a phone fresh from its box", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Where and why.
        cause: serde_json::Error,
    },
    /// Another version's.
    #[error(
        "the state file `{}` has format {found}, and this phoneprov reads format {FORMAT} only: use the version that \
         wrote it, or another file",
        path.display()
    )]
    Format {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// Another phone's.
    #[error("the state file `{}` is that of the phone {found}, not of {wanted}", path.display())]
    Other {
        /// Which.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        wanted: MacAddress,
    },
}

impl State {
    /// Reads the state of a phone; where there is no file, that of one fresh from its box.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, of another version, or another phone's.
    pub fn load(path: &Path, mac: MacAddress) -> Result<Self, StateError> {
        let trouble = |cause| StateError::File { doing: "read", path: path.to_owned(), cause };
        let damaged = |cause| StateError::Damaged { path: path.to_owned(), cause };
        // A pipe would hold us, and a device has no end.
        if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Err(trouble(io::Error::other("it is no regular file")));
        }
        let file = match fs::File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            other => other.map_err(trouble)?,
        };
        let mut text = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut text).map_err(trouble)?;
        if u64::try_from(text.len()).is_ok_and(|length| length > LARGEST) {
            return Err(StateError::Large(path.to_owned()));
        }
        let version: Version = serde_json::from_slice(&text).map_err(damaged)?;
        if version.format != FORMAT {
            return Err(StateError::Format { path: path.to_owned(), found: version.format });
        }
        let file: File = serde_json::from_slice(&text).map_err(damaged)?;
        if file.mac != mac.ma() {
            return Err(StateError::Other { path: path.to_owned(), found: file.mac, wanted: mac });
        }
        Ok(file.state)
    }

    /// Tries whether [`State::save`] will find room: it writes nothing that stays.
    ///
    /// # Errors
    /// The folder cannot be written to, or a folder stands where the file should.
    pub fn try_place(path: &Path) -> Result<(), StateError> {
        let trouble = |cause| StateError::File { doing: "write", path: path.to_owned(), cause };
        if path.is_dir() {
            return Err(trouble(io::ErrorKind::IsADirectory.into()));
        }
        let (beside, _) = beside(path).map_err(trouble)?;
        fs::remove_file(&beside).map_err(trouble)
    }

    /// Writes the state beside its place and moves it there whole. Only its owner may read it: profiles hold passwords.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn save(&self, path: &Path, mac: MacAddress) -> Result<(), StateError> {
        let trouble = |cause| StateError::File { doing: "write", path: path.to_owned(), cause };
        let file = File { format: FORMAT, mac: mac.ma(), state: self.clone() };
        let mut text = serde_json::to_vec_pretty(&file).map_err(|error| trouble(error.into()))?;
        text.push(b'\n');
        let (beside, mut new) = beside(path).map_err(trouble)?;
        let written = new.write_all(&text).and_then(|()| new.sync_all()).and_then(|()| fs::rename(&beside, path));
        written.map_err(|error| {
            let _ = fs::remove_file(&beside);
            trouble(error)
        })
    }
}

/// A new file beside a state file, which only its owner may read.
fn beside(path: &Path) -> io::Result<(PathBuf, fs::File)> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let mut options = fs::OpenOptions::new();
    let new = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    Ok((beside, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONE: MacAddress = MacAddress::new([0, 0x0e, 8, 0xab, 0xcd, 0xef]);

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("phone.json");
        (folder, path)
    }

    fn refusal(text: &str) -> String {
        let (_folder, path) = place();
        fs::write(&path, text).expect("room for a file");
        State::load(&path, PHONE).expect_err("a file of no use").to_string()
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let (_folder, path) = place();
        assert_eq!(State::load(&path, PHONE).expect("no file"), State::default());
        let mut state = State { failures: 3, resynced: Some(7), ..State::default() };
        state.parameters.insert("GPP_A".to_owned(), "12345678".to_owned());
        state.save(&path, PHONE).expect("room for a file");
        assert_eq!(State::load(&path, PHONE).expect("a file"), state);
    }

    #[test]
    fn a_saved_state_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, path) = place();
        State::default().save(&path, PHONE).expect("room for a file");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_place_is_tried_without_a_trace() {
        let (folder, path) = place();
        State::try_place(&path).expect("a folder to write to");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
        let nowhere = State::try_place(&folder.path().join("none/phone.json")).expect_err("no folder").to_string();
        assert!(nowhere.starts_with("cannot write the state file"), "{nowhere}");
        assert!(State::try_place(folder.path()).is_err(), "a folder is no file");
        let device = State::load(Path::new("/dev/zero"), PHONE).expect_err("no end").to_string();
        assert!(device.ends_with("it is no regular file"), "{device}");
    }

    #[test]
    fn a_state_of_another_version_is_refused() {
        let text = refusal(r#"{"format": 2, "anything": ["else"]}"#);
        assert!(text.contains("has format 2, and this phoneprov reads format 1 only"), "{text}");
    }

    #[test]
    fn a_state_of_another_phone_is_refused() {
        let text = refusal(r#"{"format": 1, "mac": "000e08000002", "state": {}}"#);
        assert!(text.contains("is that of the phone 000e08000002, not of 000e08abcdef"), "{text}");
    }

    #[test]
    fn what_is_no_state_is_damaged() {
        for text in ["", "{", "[]", r#"{"format": 1}"#, r#"{"format": 1, "mac": "000e08abcdef", "state": {"x": 1}}"#] {
            assert!(refusal(text).contains("is damaged"), "{text}");
        }
    }
}
