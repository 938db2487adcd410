//! Reading files that a person named: regular ones, and no longer than they can sensibly be.

use std::io::Read as _;
use std::path::Path;

use super::ConfigError;
use crate::device::Secret;

/// A configuration's text.
pub(super) fn read(file: &Path) -> Result<String, ConfigError> {
    read_bounded(file, 16 * 1024 * 1024).map_err(|error| {
        let next = "name a configuration with --config, or start in the folder that has config.toml";
        let is_text = error.kind() != std::io::ErrorKind::InvalidData;
        let message = match is_text {
            true => format!("{error}: {next}"),
            false => "it is not UTF-8, which a configuration has to be".to_owned(),
        };
        ConfigError::new(file, None, message)
    })
}

/// A file that holds a key: some line of text, not a device that never ends.
pub(super) fn read_secret(file: &Path) -> std::io::Result<String> {
    read_bounded(file, 64 * 1024)
}

/// A file of identities, for commands that read what was kept encrypted.
///
/// # Errors
/// It is no regular file of text, or cannot be read.
pub fn read_identity(file: &Path) -> std::io::Result<Secret> {
    read_secret(file).map(Secret::new)
}

/// The folder that a file is in, which paths of a configuration are relative to.
pub(super) fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// The text of a regular file: a pipe would wait for ever, a device never end.
pub(super) fn read_bounded(file: &Path, longest: u64) -> std::io::Result<String> {
    if !std::fs::metadata(file)?.is_file() {
        return Err(std::io::Error::other("not a regular file"));
    }
    let mut text = String::new();
    std::fs::File::open(file)?.take(longest + 1).read_to_string(&mut text)?;
    match text.len() as u64 > longest {
        true => Err(std::io::Error::other(format!("longer than {longest} bytes"))),
        false => Ok(text),
    }
}
