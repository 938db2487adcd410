//! Where files are kept that are handed in: whether there is room, and who could read them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::{Access, access};

use super::Finding;
use crate::config::{Config, Uploads};
use crate::vault::{self, Identities};

/// Looks at the folder, and at the identity where one is configured.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let Some(uploads) = &config.uploads else { return Vec::new() };
    let mut findings: Vec<Finding> = folder(uploads).into_iter().collect();
    if let Some(path) = uploads.identity.as_deref().filter(|path| path.exists()) {
        findings.extend(identity(path, uploads));
        // A lab shows how it is done, on one host.
        if config.lab.is_none() {
            let message = format!(
                "identity {}: whoever gets this host's disk reads what is kept; without it here, nobody does: keep it \
                 elsewhere, and use --identity there",
                path.display()
            );
            findings.push(Finding::warning("uploads", message));
        }
    }
    findings
}

/// The folder, or the one that it will be made in, as this user finds it.
fn folder(uploads: &Uploads) -> Option<Finding> {
    let folder = &uploads.folder;
    let there = folder.ancestors().find(|path| path.exists()).filter(|path| !path.as_os_str().is_empty());
    let there = there.unwrap_or(Path::new("."));
    let error = |reason: &str| Finding::error("uploads", format!("folder {}: {reason}", folder.display()));
    if !there.is_dir() {
        return Some(error(&format!("{} is no folder", there.display())));
    }
    if let Err(reason) = access(there, Access::WRITE_OK | Access::EXEC_OK) {
        let reason = format!("this user cannot write {}: {reason}", there.display());
        return Some(error(&format!("{reason}: let the user that phoneprov runs as write there")));
    }
    let (free, floor) = (vault::free(there).ok()?, uploads.floor.count());
    let mebibytes = |bytes: u64| bytes / (1024 * 1024);
    (free < floor).then(|| {
        let (free, floor) = (mebibytes(free), mebibytes(floor));
        error(&format!("{free} MiB are free, and uploads.floor is {floor} MiB: every upload is refused with 507"))
    })
}

/// The identity that commands read with: nobody else's, and one of those that files are for.
fn identity(path: &Path, uploads: &Uploads) -> Vec<Finding> {
    let warning = |reason: &str| Finding::warning("uploads", format!("identity {}: {reason}", path.display()));
    let mut findings = Vec::new();
    let mode = path.metadata().map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o077 != 0 {
        findings.push(warning(&format!("others on this host may read it (mode {:03o}): chmod 600", mode & 0o777)));
    }
    match Identities::read(path) {
        Err(error) => findings.push(Finding::warning("uploads", error.to_string())),
        Ok(identities) if !identities.open(&uploads.recipients) => {
            findings.push(warning("it is that of none of uploads.recipients, and opens nothing that is kept now"));
        }
        Ok(_) => {}
    }
    findings
}
