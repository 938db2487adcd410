//! `[lab]`: an authority of our own, for trying things out.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::authority::{HostName, LabPhone};

/// The lab authority, made at the first start: its certificate, one for this server, and one for each sample phone.
/// Leave the table out where real phones are served.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lab {
    /// The folder that it is kept in.
    pub directory: PathBuf,
    /// Names and addresses of the server's certificate, beside localhost.
    pub names: Vec<HostName>,
    /// Sample phones, as `MAC[,MODEL[,SERIAL]]`.
    pub phones: Vec<LabPhone>,
}

impl Default for Lab {
    fn default() -> Self {
        Self { directory: "certs/lab".into(), names: Vec::new(), phones: Vec::new() }
    }
}

impl Lab {
    pub(super) fn in_folder(self, folder: &Path) -> Self {
        Self { directory: folder.join(self.directory), ..self }
    }
}
