//! Who can read what is handed in to a lab: an identity of age, and its recipient in a file of its own.

use std::path::Path;

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;

use super::AuthorityError;
use super::file::{self, Present, Readers, exists};

/// The identity, which commands read and the server does not.
const IDENTITY: &str = "uploads.key";

/// Its recipient, for `uploads.recipients_file`.
const RECIPIENT: &str = "uploads.pub";

/// Makes both where there is no identity, and the recipient's file where that alone is missing.
pub(super) fn prepare(folder: &Path) -> Result<(), AuthorityError> {
    let (secret, public) = (folder.join(IDENTITY), folder.join(RECIPIENT));
    if !exists(&secret)? {
        let identity = Identity::generate();
        let text = format!("# public key: {}\n{}\n", identity.to_public(), identity.to_string().expose_secret());
        match file::write(&secret, &text, Readers::Owner, Present::Refuse) {
            // Another process was faster.
            Err(AuthorityError::Exists(_)) => {}
            written => written?,
        }
    }
    if exists(&public)? {
        return Ok(());
    }
    let recipient = format!("{}\n", recipient(&secret)?);
    match file::write(&public, &recipient, Readers::Everyone, Present::Refuse) {
        Err(AuthorityError::Exists(_)) => Ok(()),
        written => written,
    }
}

/// The recipient of the first identity in a file.
fn recipient(path: &Path) -> Result<String, AuthorityError> {
    let text = file::read(path)?;
    let mut identities = text.lines().filter_map(|line| line.trim().parse::<Identity>().ok());
    let none = || AuthorityError::Content { path: path.into(), reason: "expected a line AGE-SECRET-KEY-1…".into() };
    Ok(identities.next().ok_or_else(none)?.to_public().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lab_has_one_identity_and_its_recipient() {
        let folder = tempfile::tempdir().expect("a folder");
        prepare(folder.path()).expect("made");
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a file");
        let (secret, public) = (read(IDENTITY), read(RECIPIENT));
        assert!(secret.contains(public.trim()) && secret.contains("\nAGE-SECRET-KEY-1"));
        std::fs::remove_file(folder.path().join(RECIPIENT)).expect("removed");
        prepare(folder.path()).expect("made again");
        assert_eq!((read(IDENTITY), read(RECIPIENT)), (secret, public));
    }
}
