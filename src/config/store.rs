//! `[store]`: where devices are kept.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use crate::device::Secret;
use crate::profile::path::RequestPath;

/// The store of devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Where it is.
    pub place: Place,
    /// How many names of devices are kept in memory.
    pub remembered: usize,
    /// What becomes of a device that it does not have.
    pub unknown: Unknown,
    /// Where the keys are that its secrets are sealed under.
    pub sealing: Option<Sealing>,
}

/// Where the keys are that secrets are sealed under. They are read when they are needed: without them, devices that have
/// no secret are served all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealing {
    /// In a file, a key a line: the first one seals, all of them open.
    File(PathBuf),
    /// In an environment variable, likewise.
    Environment(String),
}

/// What becomes of a device that the store does not have, and that proves all that its path needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Unknown {
    /// It gets nothing.
    #[default]
    Refuse,
    /// It gets nothing, and waits for somebody to approve of it.
    Wait,
    /// It waits, and gets this file in place of every one that names a device.
    Serve(RequestPath),
}

/// Where the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file of this host, made where it is not there.
    Sqlite(PathBuf),
    /// On a server that several nodes may share; the URL may hold a password.
    Postgres(Secret),
}

/// The table as it is written: one of the three, or the default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    url: Option<Secret>,
    url_file: Option<PathBuf>,
    url_env: Option<String>,
    remembered: Option<usize>,
    unknown: Option<String>,
    seal_key_file: Option<PathBuf>,
    seal_key_env: Option<String>,
}

/// Names in memory when nothing is said: some 100 MB, if all are of devices.
const REMEMBERED: usize = 200_000;

/// Where it is when nothing is said.
const DEFAULT: &str = "sqlite://state/phoneprov.db";

impl Written {
    /// Reads the URL. A file's path is relative to the configuration's folder.
    pub(super) fn check(self, folder: &Path) -> Result<Store, String> {
        let (key, url) = match (self.url, self.url_file, self.url_env) {
            (None, None, None) => ("store.url", Secret::new(DEFAULT.to_owned())),
            (Some(url), None, None) => ("store.url", url),
            (None, Some(file), None) => {
                let path = folder.join(file);
                let text = super::file::read_secret(&path)
                    .map_err(|error| format!("store.url_file: {}: {error}", path.display()))?;
                ("store.url_file", Secret::new(text.trim().to_owned()))
            }
            (None, None, Some(name)) => {
                let text = std::env::var(&name)
                    .map_err(|_| format!("store.url_env: the environment has no variable `{name}`"))?;
                ("store.url_env", Secret::new(text.trim().to_owned()))
            }
            _ => return Err("store.url, store.url_file and store.url_env exclude each other: keep one".into()),
        };
        let place = Place::parse(&url, folder).map_err(|error| format!("{key}: {error}"))?;
        let remembered = self.remembered.unwrap_or(REMEMBERED);
        if !(1..=100_000_000).contains(&remembered) {
            return Err(format!("store.remembered is {remembered}: expected 1 to 100000000"));
        }
        let unknown = self.unknown.map_or(Ok(Unknown::default()), |unknown| unknown.parse());
        let sealing = match (self.seal_key_file, self.seal_key_env) {
            (None, None) => None,
            (Some(file), None) => Some(Sealing::File(folder.join(file))),
            (None, Some(name)) => Some(Sealing::Environment(name)),
            (Some(_), Some(_)) => {
                return Err("store.seal_key_file and store.seal_key_env exclude each other: keep one".into());
            }
        };
        Ok(Store { place, remembered, unknown: unknown.map_err(|error| format!("store.unknown: {error}"))?, sealing })
    }
}

impl Sealing {
    /// The keys' text, as it is there now.
    ///
    /// # Errors
    /// There is none, in words that name the place.
    pub fn read(&self) -> Result<Secret, String> {
        match self {
            Self::File(file) => {
                super::file::read_secret(file).map(Secret::new).map_err(|error| format!("{self}: {error}"))
            }
            Self::Environment(name) => std::env::var(name)
                .map(Secret::new)
                .map_err(|_| format!("{self}: the environment has no variable of that name")),
        }
    }
}

impl fmt::Display for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "store.seal_key_file {}", file.display()),
            Self::Environment(name) => write!(f, "store.seal_key_env {name}"),
        }
    }
}

impl FromStr for Unknown {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "wait" => Ok(Self::Wait),
            path if path.starts_with('/') => {
                RequestPath::from_http(path).map(Self::Serve).map_err(|error| format!("`{path}`: {error}"))
            }
            other => {
                Err(format!("`{other}`: expected \"refuse\", \"wait\", or the path of a profile, such as \"/new.cfg\""))
            }
        }
    }
}

impl Place {
    fn parse(url: &Secret, folder: &Path) -> Result<Self, String> {
        let text = url.expose();
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err("expected sqlite://FILE, or postgres://USER@HOST/DATABASE".into());
        };
        match scheme {
            "sqlite" if rest.is_empty() || rest.contains(['?', ':']) => {
                Err("expected the file's path after sqlite://, and nothing more".into())
            }
            "sqlite" => Ok(Self::Sqlite(folder.join(rest))),
            "postgres" | "postgresql" => Ok(Self::Postgres(url.clone())),
            other => Err(format!("`{other}` is no store: expected sqlite or postgres")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<Store, String> {
        toml::from_str::<Written>(text).map_err(|error| error.to_string())?.check(Path::new("/etc/phoneprov"))
    }

    #[test]
    fn an_empty_table_is_a_file_in_the_state_folder() {
        let file = PathBuf::from("/etc/phoneprov/state/phoneprov.db");
        assert_eq!(checked("").expect("a store").place, Place::Sqlite(file));
        let file = PathBuf::from("/var/lib/phoneprov/x.db");
        assert_eq!(checked("url = \"sqlite:///var/lib/phoneprov/x.db\"").expect("a store").place, Place::Sqlite(file));
    }

    #[test]
    fn a_device_that_is_unknown_is_refused_unless_something_else_is_said() {
        let unknown = |text: &str| checked(text).map(|store| store.unknown);
        assert_eq!(unknown(""), Ok(Unknown::Refuse));
        assert_eq!(unknown("unknown = \"wait\""), Ok(Unknown::Wait));
        assert!(
            matches!(unknown("unknown = \"/new.cfg\""), Ok(Unknown::Serve(path)) if path.to_string() == "/new.cfg")
        );
        for text in ["unknown = \"new.cfg\"", "unknown = \"/../x\"", "unknown = \"\""] {
            assert!(unknown(text).expect_err("refused").starts_with("store.unknown: "), "{text}");
        }
    }

    #[test]
    fn the_password_of_a_url_is_not_shown() {
        let store = checked("url = \"postgres://prov:hush@db/phoneprov\"").expect("a store");
        assert!(!format!("{store:?}").contains("hush"));
        let error = checked("url = \"mysql://prov:hush@db/phoneprov\"").expect_err("no store");
        assert!(error.contains("`mysql` is no store") && !error.contains("hush"), "{error}");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in
            ["url = \"\"", "url = \"state/x.db\"", "url = \"sqlite://\"", "url = \"sqlite://:memory:\"", "url = 7"]
        {
            assert!(checked(text).is_err(), "{text}");
        }
        assert!(checked("url = \"sqlite://a\"\nurl_env = \"A\"").expect_err("two").contains("exclude each other"));
    }
}
