//! Where files are kept that are handed in: whether there is room, and who could read them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::{Access, access};

use super::Finding;
use crate::config::{Config, Uploads};
use crate::vault::{self, Identities, Unit};

/// Looks at the folder, at the quotas, and at the identity where one is configured.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let Some(uploads) = &config.uploads else { return Vec::new() };
    let mut findings: Vec<Finding> = folder(uploads).into_iter().chain(quotas(uploads)).chain(files(uploads)).collect();
    let Some(path) = uploads.identity.as_deref() else { return findings };
    if !path.exists() {
        findings.push(missing(path));
        return findings;
    }
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
    findings
}

/// An identity that is not there. (A lab's is, by now.)
fn missing(path: &Path) -> Finding {
    let message = format!(
        "identity {}: there is no such file, so nothing that is kept can be read with it: mend the path, or leave `identity` \
         out here and use --identity where the file is",
        path.display()
    );
    Finding::warning("uploads", message)
}

/// A case that may have more than all of them.
fn quotas(uploads: &Uploads) -> Option<Finding> {
    let (all, case) = (uploads.quota?.count(), uploads.quota_per_case?.count());
    let message = format!(
        "quota_per_case is {case} bytes, and quota, which is for all files together, {all}: one case can take all of it, and \
         none gets as much as quota_per_case says"
    );
    (case > all).then(|| Finding::warning("uploads", message))
}

/// The same of their number.
fn files(uploads: &Uploads) -> Option<Finding> {
    let all = uploads.files;
    let each = [("files_per_case", uploads.files_per_case), ("files_per_device", uploads.files_per_device)];
    let (key, most) = each.into_iter().find(|(_, most)| *most > all)?;
    let message = format!("{key} is {most}, and files, which is for all together, {all}: one can take all of it");
    Some(Finding::warning("uploads", message))
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
    if !vault::is_disk(there).ok()? {
        let reason = format!("{} has no room for any file, as /proc and /sys have none", there.display());
        return Some(error(&format!("{reason}: name a folder on a disk")));
    }
    if let Some(reason) = vault::crowded(there).ok()? {
        return Some(error(&format!("{reason}: every upload is refused with 507")));
    }
    let (free, floor) = (vault::free(there).ok()?, uploads.floor.count());
    (free < floor).then(|| {
        let shown = Unit::showing(free, &[floor]);
        let (free, floor) = (shown.of(free), shown.of(floor));
        error(&format!("{free} are free, and uploads.floor is {floor}: every upload is refused with 507"))
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
