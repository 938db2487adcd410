//! `[uploads]`: where files that were handed in are kept, for whom they are encrypted, and for how long.

use std::path::{Path, PathBuf};
use std::time::Duration;

use age::x25519::Recipient;
use serde::Deserialize;

use super::{Bytes, Period};

/// Files that were handed in: reports and problem reports of phones, and files of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploads {
    /// The folder that they are in.
    pub folder: PathBuf,
    /// Those who can read them, at least one.
    pub recipients: Vec<Recipient>,
    /// The identity of one of those, for commands on this host; the server never reads it.
    pub identity: Option<PathBuf>,
    /// What has to stay free on the disk.
    pub floor: Bytes,
    /// The most that all of them may have together.
    pub quota: Option<Bytes>,
    /// The most that those of one case may have together.
    pub quota_per_case: Option<Bytes>,
    /// How many files there may be in all: on the disk, where each part of one is a file.
    pub files: u64,
    /// How many one case may have.
    pub files_per_case: u64,
    /// How many reports and problem reports one device may have.
    pub files_per_device: u64,
    /// How long a phone's reports are kept.
    pub keep_reports: Period,
    /// How long problem reports are kept.
    pub keep_problem_reports: Period,
    /// How long files of a case are kept after it was closed.
    pub keep_cases: Period,
    /// How long a file is kept of which only the beginning came.
    pub keep_partial: Period,
    /// How long a client may take for the next bytes of a file.
    pub stall: Period,
    /// The largest message that `phoneprov case mail` reads.
    pub mail_size: Bytes,
}

/// The table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    folder: PathBuf,
    recipients: Vec<String>,
    recipients_file: Option<PathBuf>,
    identity: Option<PathBuf>,
    floor: Bytes,
    quota: Option<Bytes>,
    quota_per_case: Option<Bytes>,
    files: u64,
    files_per_case: u64,
    files_per_device: u64,
    keep_reports: Period,
    keep_problem_reports: Period,
    keep_cases: Period,
    keep_partial: Period,
    stall: Period,
    mail_size: Bytes,
}

/// A day, in seconds.
const DAY: u64 = 24 * 3600;

/// The most recipients: each adds a line to every file.
const MOST: usize = 20;

/// The shortest time that something is kept.
const SHORTEST: Duration = Duration::from_mins(1);

/// The longest: a thousand years are more than a date can be moved by.
const LONGEST: Duration = Duration::from_secs(100 * 366 * DAY);

/// Bounds of the largest message: below, mail without attachments; above, what is read into memory.
const MAIL_SIZES: std::ops::RangeInclusive<u64> = 64 * 1024..=1024 * 1024 * 1024;

impl Default for Written {
    fn default() -> Self {
        Self {
            folder: "state/uploads".into(),
            recipients: Vec::new(),
            recipients_file: None,
            identity: None,
            floor: Bytes::mebibytes(1024),
            quota: None,
            quota_per_case: None,
            // ext4 has an inode for each 16 KiB: 1.2 million on a disk of 20 GB.
            files: 1_000_000,
            files_per_case: 10_000,
            // A hundred a day for as long as they are kept.
            files_per_device: 10_000,
            keep_reports: Period::seconds(90 * DAY),
            keep_problem_reports: Period::seconds(90 * DAY),
            // Eighteen months.
            keep_cases: Period::seconds(548 * DAY),
            keep_partial: Period::seconds(7 * DAY),
            stall: Period::seconds(60),
            mail_size: Bytes::mebibytes(64),
        }
    }
}

impl Written {
    /// Reads the recipients. What is not for somebody would have to be kept in clear, and is not taken in at all.
    pub(super) fn check(self, folder: &Path, has_store: bool) -> Result<Uploads, String> {
        if !has_store {
            return Err("[uploads] are listed in the store, and there is none: add [store]".into());
        }
        let recipients = self.recipients(folder)?;
        self.check_numbers()?;
        Ok(Uploads {
            folder: folder.join(self.folder),
            recipients,
            identity: self.identity.map(|identity| folder.join(identity)),
            floor: self.floor,
            quota: self.quota,
            quota_per_case: self.quota_per_case,
            files: self.files,
            files_per_case: self.files_per_case,
            files_per_device: self.files_per_device,
            keep_reports: self.keep_reports,
            keep_problem_reports: self.keep_problem_reports,
            keep_cases: self.keep_cases,
            keep_partial: self.keep_partial,
            stall: self.stall,
            mail_size: self.mail_size,
        })
    }

    fn recipients(&self, folder: &Path) -> Result<Vec<Recipient>, String> {
        let mut found = Vec::new();
        for text in &self.recipients {
            found.push(recipient(text).map_err(|error| format!("uploads.recipients: {error}"))?);
        }
        if let Some(file) = &self.recipients_file {
            let path = folder.join(file);
            let at = |error: &dyn std::fmt::Display| format!("uploads.recipients_file: {}: {error}", path.display());
            let text = super::file::read_secret(&path).map_err(|error| at(&error))?;
            // As `age -R` reads it.
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            for line in lines {
                found.push(recipient(line).map_err(|error| at(&error))?);
            }
        }
        if found.is_empty() {
            return Err("uploads.recipients is empty, and nothing is ever kept in clear: `age-keygen -o uploads.key` \
                        makes an identity, and prints the recipient `age1…` that belongs here or into \
                        uploads.recipients_file"
                .into());
        }
        if found.len() > MOST {
            return Err(format!("uploads: {} recipients, expected {MOST} at the most", found.len()));
        }
        Ok(found)
    }

    fn check_numbers(&self) -> Result<(), String> {
        let kept = [
            ("keep_reports", self.keep_reports),
            ("keep_problem_reports", self.keep_problem_reports),
            ("keep_cases", self.keep_cases),
            ("keep_partial", self.keep_partial),
        ];
        for (key, period) in kept {
            if !(SHORTEST..=LONGEST).contains(&period.duration()) {
                return Err(format!("uploads.{key} is {period}: expected \"1m\" to \"36600d\""));
            }
        }
        if !(Duration::from_secs(1)..=Duration::from_hours(1)).contains(&self.stall.duration()) {
            return Err(format!("uploads.stall is {}: expected \"1s\" to \"1h\"", self.stall));
        }
        if !MAIL_SIZES.contains(&self.mail_size.count()) {
            return Err(format!("uploads.mail_size is {}: expected 64 KiB to 1 GiB", self.mail_size.count()));
        }
        let bytes = |quota: Option<Bytes>| quota.map(Bytes::count);
        let bounds = [
            ("quota", bytes(self.quota)),
            ("quota_per_case", bytes(self.quota_per_case)),
            ("files", Some(self.files)),
            ("files_per_case", Some(self.files_per_case)),
            ("files_per_device", Some(self.files_per_device)),
        ];
        match bounds.into_iter().find(|(_, most)| *most == Some(0)) {
            Some((key, _)) => Err(format!("uploads.{key} is 0: leave it out, and [uploads] out to take nothing")),
            None => Ok(()),
        }
    }
}

fn recipient(text: &str) -> Result<Recipient, String> {
    if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
        // Not shown: it is one.
        return Err("there is an identity where a recipient belongs: `age-keygen -y FILE` prints it".into());
    }
    text.parse()
        .map_err(|error| format!("`{text}` is no recipient ({error}): expected one such as age1…, of age-keygen"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

    fn checked(text: &str) -> Result<Uploads, String> {
        toml::from_str::<Written>(text).map_err(|error| error.to_string())?.check(Path::new("/etc/phoneprov"), true)
    }

    #[test]
    fn uploads_have_a_folder_and_somebody_who_can_read_them() {
        let uploads = checked(&format!("recipients = [\"{ONE}\"]")).expect("uploads");
        assert_eq!(uploads.folder, Path::new("/etc/phoneprov/state/uploads"));
        assert_eq!(uploads.keep_cases.duration(), Duration::from_hours(548 * 24));
        assert_eq!(uploads.recipients[0].to_string(), ONE);
        let error = toml::from_str::<Written>("").expect("a table").check(Path::new(""), false).expect_err("no store");
        assert!(error.contains("add [store]"), "{error}");
    }

    #[test]
    fn an_upload_in_clear_never_exists() {
        let error = checked("").expect_err("nobody could read it");
        assert!(error.starts_with("uploads.recipients is empty"), "{error}");
    }

    #[test]
    fn an_identity_is_no_recipient_and_is_not_shown() {
        let secret = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
        for text in [secret.to_owned(), secret.to_ascii_lowercase()] {
            let error = checked(&format!("recipients = [\"{text}\"]")).expect_err("no recipient");
            assert!(error.contains("an identity where a recipient belongs"), "{error}");
            assert!(!error.to_ascii_uppercase().contains("1GQ9778"), "{error}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let cases = [
            ("keep_cases = \"1s\"", "uploads.keep_cases is 1s"),
            ("keep_reports = \"40000d\"", "uploads.keep_reports is"),
            ("stall = \"0s\"", "uploads.stall is"),
            ("mail_size = \"1 KiB\"", "uploads.mail_size is 1024"),
            ("quota = \"0\"", "uploads.quota is 0"),
            ("files = 0", "uploads.files is 0"),
            ("files_per_case = 0", "uploads.files_per_case is 0"),
            ("recipients_file = \"nowhere\"", "uploads.recipients_file: /etc/phoneprov/nowhere"),
        ];
        for (text, wanted) in cases {
            let error = checked(&format!("recipients = [\"{ONE}\"]\n{text}")).expect_err("refused");
            assert!(error.starts_with(wanted), "{text}: {error}");
        }
        assert!(
            checked("recipients = [\"age1nonsense\"]").expect_err("refused").contains("`age1nonsense` is no recipient")
        );
    }
}
