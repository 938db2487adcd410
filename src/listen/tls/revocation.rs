//! The revocation lists of a listener, read once, for whichever library verifies.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, OnceLock};

use jiff::Timestamp;
use openssl::error::ErrorStack;
use openssl::x509::X509Crl;
use rustls::pki_types::CertificateDer;

use super::held::{self, Held};
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
    lists: Vec<Arc<List>>,
    past_date: PastDate,
}

/// A list and where it stands.
pub(super) struct List {
    pub(super) path: PathBuf,
    pub(super) der: Vec<u8>,
    said: RevocationList,
    /// As OpenSSL has it, where somebody has asked for it.
    parsed: OnceLock<X509Crl>,
}

/// The lists that listeners hold, by path and content.
static LISTS: LazyLock<Held<List>> = LazyLock::new(Held::default);

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
    pub(super) fn lists(&self) -> &[Arc<List>] {
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
        let past = |list: &&Arc<List>| list.is_past(now);
        let list = names.find_map(|names| {
            let mut of_issuer = self.lists.iter().filter(|list| list.said.issuer_name == names.issuer);
            // A newer one beside it makes up for it.
            of_issuer.find(past).filter(|_| !self.has_current(names.issuer, now))
        })?;
        Some(format!("the revocation list of its issuer, {}, is past its date", list.path.display()))
    }
}

impl std::fmt::Debug for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("List").field("path", &self.path).field("issuer", &self.said.issuer).finish_non_exhaustive()
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

    /// The list as OpenSSL has it, read when it is first asked for.
    pub(super) fn parsed(&self) -> Result<&X509Crl, ErrorStack> {
        match self.parsed.get() {
            Some(parsed) => Ok(parsed),
            None => X509Crl::from_der(&self.der).map(|parsed| self.parsed.get_or_init(|| parsed)),
        }
    }
}

/// The lists of a file. Listeners with the same file have them in common.
fn read(path: &Path) -> Result<Vec<Arc<List>>, TlsError> {
    let wrong = |error: String| TlsError::Revocation { path: path.to_owned(), error };
    file::regular(path)?;
    let size = fs::metadata(path).map_err(|error| TlsError::unreadable(path, error))?.len();
    if size > LARGEST {
        return Err(wrong(format!("longer than {LARGEST} bytes")));
    }
    let content = fs::read(path).map_err(|error| TlsError::unreadable(path, error))?;
    let lists = certificate::revocation_lists(&content).map_err(|error| wrong(error.to_string()))?;
    let list = |der: Vec<u8>| {
        LISTS.get_or(held::key([path.as_os_str().as_bytes(), &der]), || {
            let said = certificate::revocation_list(&der).map_err(|error| wrong(error.to_string()))?;
            Ok(List { path: path.to_owned(), der, said, parsed: OnceLock::new() })
        })
    };
    lists.into_iter().map(list).collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{
        CertificateParams, CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
        SerialNumber, date_time_ymd,
    };

    use super::*;

    fn list(number: u64) -> Vec<u8> {
        let key = KeyPair::generate().expect("a key");
        let mut issuer = CertificateParams::default();
        issuer.key_usages = vec![KeyUsagePurpose::CrlSign];
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 2),
            next_update: date_time_ymd(2026, 2, 2),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&Issuer::new(issuer, &key)).expect("a list").der().to_vec()
    }

    #[test]
    fn listeners_with_the_same_file_have_its_lists_in_common() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, other) = (folder.path().join("a.crl"), folder.path().join("b.crl"));
        let content = list(1);
        fs::write(&path, &content).expect("room");
        fs::write(&other, &content).expect("room");
        let lists = |path: &Path| {
            let config = Revocation { lists: vec![path.to_owned()], past_date: PastDate::Keep };
            Revocations::read(&config).expect("a list")
        };
        let first = lists(&path);
        let is_same = |again: &Revocations| Arc::ptr_eq(&first.lists[0], &again.lists[0]);
        assert!(is_same(&lists(&path)));
        assert!(!is_same(&lists(&other)), "errors name the file");
        let parsed: *const _ = first.lists[0].parsed().expect("a list");
        assert!(std::ptr::eq(parsed, lists(&path).lists[0].parsed().expect("a list")));
        fs::write(&path, list(2)).expect("room");
        assert!(!is_same(&lists(&path)), "another list");
    }
}
