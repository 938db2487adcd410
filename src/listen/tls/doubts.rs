//! What speaks against a listener's revocation lists, for the log at the start and for `check`: none of it keeps the
//! listener from opening.

use std::path::PathBuf;

use jiff::Timestamp;
use openssl::x509::{X509, X509Crl};
use rustls::pki_types::CertificateDer;

use super::revocation::{List, Revocations};
use super::{TlsError, file};
use crate::certificate;
use crate::config::{PastDate, Revocation};

/// What speaks against a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The file that the list stands in.
    pub path: PathBuf,
    /// Whose list it is, as `O=Cisco, CN=Cisco Manufacturing CA`.
    pub issuer: String,
    /// What it is.
    pub kind: DoubtKind,
}

/// Of which kind a doubt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoubtKind {
    /// It should have been replaced by then, and there is no newer one of its issuer.
    PastDate(Timestamp, PastDate),
    /// No authority of `client_ca` has the name of its issuer.
    Stranger,
    /// Its issuer's name is that of an authority whose key did not sign it.
    Forged,
}

impl DoubtKind {
    /// Whether a phone is refused for it that should not be.
    #[must_use]
    pub fn shuts_out(self) -> bool {
        match self {
            Self::PastDate(_, PastDate::Refuse) | Self::Forged => true,
            Self::PastDate(_, PastDate::Keep) | Self::Stranger => false,
        }
    }
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let issuer = &self.issuer;
        match self.kind {
            DoubtKind::PastDate(next, past_date) => {
                let day = next.strftime("%Y-%m-%d");
                write!(f, "the revocation list of {issuer} is past its date, {day}: ")?;
                match past_date {
                    PastDate::Keep => {
                        f.write_str("what was revoked since is not known, and crl_past_date = \"keep\" serves it")
                    }
                    PastDate::Refuse => {
                        f.write_str("with crl_past_date = \"refuse\" no certificate of its issuer counts")
                    }
                }
            }
            DoubtKind::Stranger => write!(
                f,
                "the revocation list of {issuer} takes nothing back from phones: no authority of client_ca has that \
                 name, letter by letter and in the same encoding"
            ),
            DoubtKind::Forged => write!(
                f,
                "the revocation list of {issuer} is not signed by the authority of that name in client_ca: no \
                 certificate of that authority counts; take the list from where its present key publishes it"
            ),
        }
    }
}

/// What speaks against the lists of a listener that trusts these authorities.
///
/// # Errors
/// A file cannot be read, or holds something else.
pub fn doubts(client_ca: &[PathBuf], revocation: &Revocation) -> Result<Vec<Doubt>, TlsError> {
    of(&Revocations::read(revocation)?, client_ca)
}

/// The same of lists that have been read.
pub(super) fn of(revocations: &Revocations, client_ca: &[PathBuf]) -> Result<Vec<Doubt>, TlsError> {
    if revocations.lists().is_empty() {
        return Ok(Vec::new());
    }
    let authorities = file::authorities(client_ca)?;
    let now = Timestamp::now();
    let lists = revocations.lists().iter();
    Ok(lists.flat_map(|list| of_list(list, revocations, &authorities, now)).collect())
}

fn of_list(
    list: &List,
    all: &Revocations,
    authorities: &[(PathBuf, CertificateDer<'_>)],
    now: Timestamp,
) -> Vec<Doubt> {
    let doubt = |kind| Doubt { path: list.path.clone(), issuer: list.said().issuer.clone(), kind };
    let mut doubts = Vec::new();
    if let Some(next) =
        list.said().next.filter(|_| list.is_past(now) && !all.has_current(&list.said().issuer_name, now))
    {
        doubts.push(doubt(DoubtKind::PastDate(next, all.at_past_date())));
    }
    let is_named =
        |der: &CertificateDer<'_>| certificate::names(der).is_ok_and(|names| names.subject == list.said().issuer_name);
    let mut issuers = authorities.iter().map(|(_, der)| der).filter(|der| is_named(der)).peekable();
    if issuers.peek().is_none() {
        doubts.push(doubt(DoubtKind::Stranger));
    } else if !issuers.any(|der| has_signed(der, &list.der)) {
        doubts.push(doubt(DoubtKind::Forged));
    }
    doubts
}

fn has_signed(authority: &[u8], list: &[u8]) -> bool {
    let signed = || {
        let key = X509::from_der(authority)?.public_key()?;
        X509Crl::from_der(list)?.verify(&key)
    };
    signed().unwrap_or(false)
}
