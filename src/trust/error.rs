//! Why a folder of trust anchors cannot be read or changed.

use std::io;
use std::path::PathBuf;

use super::{Alias, ImportError};

/// A folder of trust anchors, or what was to be put into it. The message names file and cause.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The system refused to read it.
    #[error("cannot read `{}`: {error}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The system refused to write it.
    #[error("cannot write `{}`: {error}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file that holds no certificates, or does not open.
    #[error("`{}`: {error}", path.display())]
    Import {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: ImportError,
    },
    /// The alias is another certificate's.
    #[error(
        "the alias `{0}` is another certificate's: choose one with --alias, or put this one in its place with --replace"
    )]
    Taken(Alias),
    /// No such alias.
    #[error("no alias `{alias}` in `{}`: there {known}", folder.display())]
    Unknown {
        /// What was asked for.
        alias: Alias,
        /// The folder.
        folder: PathBuf,
        /// What there is, in words.
        known: String,
    },
}
