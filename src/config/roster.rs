//! `[allow]` and `[deny]`: which devices may come at all.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::device::{Kind, Roster};

/// The largest file of names (bytes): some four million addresses.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Who may come, and who may not. Who is on both may not.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    /// The only ones who may; `None`: everybody.
    pub allow: Option<Roster>,
    /// Those who may not.
    pub deny: Option<Roster>,
    /// The files that they were read from.
    pub files: Vec<PathBuf>,
}

/// Either table as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    macs: Vec<String>,
    prefixes: Vec<String>,
    serials: Vec<String>,
    models: Vec<String>,
    files: Vec<PathBuf>,
}

impl Admission {
    /// Reads both tables with their files.
    pub(super) fn check(allow: Option<Written>, deny: Option<Written>, folder: &Path) -> Result<Self, String> {
        let mut files = Vec::new();
        let mut read = |table: &str, written: Option<Written>| -> Result<Option<Roster>, String> {
            let Some(written) = written else { return Ok(None) };
            files.extend(written.files.iter().map(|file| folder.join(file)));
            let has_files = !written.files.is_empty();
            let roster = written.roster(table, folder)?;
            match roster.is_empty() && !has_files {
                true => Err(format!(
                    "{table} names nobody: name macs, prefixes, serials, models or files, or leave the table out"
                )),
                false => Ok(Some(roster)),
            }
        };
        let (allow, deny) = (read("allow", allow)?, read("deny", deny)?);
        Ok(Self { allow, deny, files })
    }
}

impl Written {
    fn roster(self, table: &str, folder: &Path) -> Result<Roster, String> {
        let mut roster = Roster::default();
        let lists = [
            ("macs", Kind::Mac, &self.macs),
            ("prefixes", Kind::Prefix, &self.prefixes),
            ("serials", Kind::Serial, &self.serials),
            ("models", Kind::Model, &self.models),
        ];
        for (key, kind, names) in lists {
            roster.add(kind, names, &format!("{table}.{key}")).map_err(|error| error.to_string())?;
        }
        for file in &self.files {
            let path = folder.join(file);
            let text = super::file::read_bounded(&path, LARGEST)
                .map_err(|error| format!("{table}.files: {}: {error}", path.display()))?;
            roster.read(&text, &path.display().to_string()).map_err(|error| format!("{table}.files: {error}"))?;
        }
        Ok(roster)
    }
}
