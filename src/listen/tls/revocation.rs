//! The revocation lists of a listener, read once, for whichever library verifies.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

use super::{TlsError, doubts, file};
use crate::certificate::{self, RevocationList};
use crate::config::{PastDate, Revocation};

/// The largest file of lists (bytes): some half a million certificates.
const LARGEST: u64 = 32 * 1024 * 1024;

/// The endings of the files that count in a folder.
const ENDINGS: [&str; 3] = ["crl", "pem", "der"];

/// A listener's lists.
#[derive(Debug)]
pub(super) struct Revocations {
    lists: Vec<List>,
    past_date: PastDate,
}

/// A list and where it stands.
#[derive(Debug)]
pub(super) struct List {
    pub(super) path: PathBuf,
    pub(super) der: Vec<u8>,
    said: RevocationList,
}

impl Revocations {
    /// Reads them for a listener that trusts these authorities, and warns of what speaks against one.
    pub(super) fn open(config: &Revocation, client_ca: &[PathBuf]) -> Result<Self, TlsError> {
        let read = Self::read(config)?;
        for doubt in doubts::of(&read, client_ca)? {
            tracing::warn!(file = %doubt.path.display(), "{doubt}");
        }
        Ok(read)
    }

    /// Reads them.
    pub(super) fn read(config: &Revocation) -> Result<Self, TlsError> {
        let mut lists = Vec::new();
        for path in &config.lists {
            for path in file::files_of(path, &ENDINGS)? {
                lists.extend(read(&path)?);
            }
        }
        if let Some(path) = config.lists.first().filter(|_| lists.is_empty()) {
            return Err(TlsError::Missing { path: path.clone(), what: "revocation list" });
        }
        Ok(Self { lists, past_date: config.past_date })
    }

    /// All of them.
    pub(super) fn lists(&self) -> &[List] {
        &self.lists
    }

    /// The lists in rounds, in each of which an issuer has one at the most: those that come first, and all others.
    pub(super) fn rounds(&self) -> (Vec<&List>, Vec<Vec<&List>>) {
        let mut rounds: Vec<Vec<&List>> = Vec::new();
        for list in &self.lists {
            let free =
                |round: &&mut Vec<&List>| round.iter().all(|other| other.said.issuer_name != list.said.issuer_name);
            match rounds.iter_mut().find(free) {
                Some(round) => round.push(list),
                None => rounds.push(vec![list]),
            }
        }
        let mut rounds = rounds.into_iter();
        (rounds.next().unwrap_or_default(), rounds.collect())
    }

    /// What becomes of phones when one is past its date.
    pub(super) fn at_past_date(&self) -> PastDate {
        self.past_date
    }

    /// Whether there is a list of this issuer, by its DER-encoded name, that is not past its date.
    pub(super) fn has_current(&self, issuer_name: &[u8], now: Timestamp) -> bool {
        self.lists.iter().any(|list| list.said.issuer_name == issuer_name && !list.is_past(now))
    }

    /// Why no certificate counts whose revocation nobody knows: the list of one of the issuers is past its date, and the
    /// listener is to go by no such list.
    pub(super) fn past_date(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Option<String> {
        if self.past_date == PastDate::Keep {
            return None;
        }
        let mut names = std::iter::once(leaf).chain(intermediates).filter_map(|der| certificate::names(der).ok());
        let past = |list: &&List| list.is_past(now);
        let list = names.find_map(|names| {
            let mut of_issuer = self.lists.iter().filter(|list| list.said.issuer_name == names.issuer);
            // A newer one beside it makes up for it.
            of_issuer.find(past).filter(|_| !self.has_current(names.issuer, now))
        })?;
        Some(format!("the revocation list of its issuer, {}, is past its date", list.path.display()))
    }
}

impl List {
    /// What it says of itself.
    pub(super) fn said(&self) -> &RevocationList {
        &self.said
    }

    /// Whether it should have been replaced by now.
    pub(super) fn is_past(&self, now: Timestamp) -> bool {
        self.said.next.is_some_and(|next| next < now)
    }
}

fn read(path: &Path) -> Result<Vec<List>, TlsError> {
    let wrong = |error: String| TlsError::Revocation { path: path.to_owned(), error };
    file::regular(path)?;
    let size = fs::metadata(path).map_err(|error| TlsError::unreadable(path, error))?.len();
    if size > LARGEST {
        return Err(wrong(format!("longer than {LARGEST} bytes")));
    }
    let content = fs::read(path).map_err(|error| TlsError::unreadable(path, error))?;
    let lists = certificate::revocation_lists(&content).map_err(|error| wrong(error.to_string()))?;
    let list = |der: Vec<u8>| {
        let said = certificate::revocation_list(&der).map_err(|error| wrong(error.to_string()))?;
        Ok(List { path: path.to_owned(), der, said })
    };
    lists.into_iter().map(list).collect()
}
