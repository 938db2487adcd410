//! Tables on the disk: JSON, written whole beside its place and renamed into it.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The file's form; one of another number is not read.
const FORMAT: u32 = 1;

/// Twice what a full table takes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The table cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CensusError {
    /// The system says no.
    #[error("{path}: {error}")]
    System {
        /// The file.
        path: PathBuf,
        /// What it says.
        error: io::Error,
    },
    /// It is no table, or one of another release.
    #[error("{path}: not a table in the form {FORMAT}: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<T> {
    format: u32,
    rows: T,
}

/// The rows in a file; none where there is no file.
pub(super) fn read<T: DeserializeOwned + Default>(path: &Path) -> Result<T, CensusError> {
    let content = |reason: String| CensusError::Content { path: path.to_owned(), reason };
    let mut text = String::new();
    // A pipe would wait for ever for somebody to write.
    let regular = fs::metadata(path).and_then(|found| match found.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("not a regular file")),
    });
    let read = regular.and_then(|()| File::open(path)?.take(LARGEST).read_to_string(&mut text));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(T::default()),
        Err(error) => return Err(CensusError::System { path: path.to_owned(), error }),
        Ok(_) => {}
    }
    let written: Written<T> = serde_json::from_str(&text).map_err(|error| content(error.to_string()))?;
    match written.format {
        FORMAT => Ok(written.rows),
        other => Err(content(format!("its format is {other}"))),
    }
}

/// Puts the rows into a file. A crash leaves the old file or the new one.
pub(super) fn write<T: Serialize>(path: &Path, rows: T) -> Result<(), CensusError> {
    let system = |error| CensusError::System { path: path.to_owned(), error };
    let mut text =
        serde_json::to_vec_pretty(&Written { format: FORMAT, rows }).map_err(|error| system(error.into()))?;
    text.push(b'\n');
    let beside = path.with_extension(format!("json.{}", std::process::id()));
    let filled = File::create(&beside).and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()));
    filled.and_then(|()| fs::rename(&beside, path)).map_err(|error| {
        let _ = fs::remove_file(&beside);
        system(error)
    })
}
