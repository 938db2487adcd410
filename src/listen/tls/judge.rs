//! What a client's certificate chain proves: verified, read, and remembered for a while.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use quick_cache::sync::Cache;
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};

use super::revocation::Revocations;
use crate::certificate::{self, Credential, Reader, Signer};
use crate::provision::{Certified, Presented};

/// Client certificates whose verdict is remembered, and for how long: a phone that comes back within it costs no
/// chain verification. Its signature is verified at every full handshake all the same.
const VERDICTS: usize = 16_384;
const VERDICT_HOLDS: Duration = Duration::from_mins(10);

/// Whether a chain leads to an authority that is trusted, and has no certificate that is revoked.
pub(super) trait Verify: std::fmt::Debug + Send + Sync {
    /// As of a moment.
    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        at: Timestamp,
    ) -> Result<(), Objection>;
}

/// Why a chain does not verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Objection {
    /// One of its certificates has expired; as far as was looked, nothing else is wrong.
    Expired,
    /// Anything else, for the log.
    Other(String),
}

/// What is left of a chain that verifies, or did until the client's own certificate expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Valid,
    Expired,
}

/// Says what a certificate chain proves, and remembers it.
#[derive(Debug)]
pub(in crate::listen) struct Judge {
    verifier: Box<dyn Verify>,
    reader: Reader,
    revocations: Arc<Revocations>,
    verdicts: Cache<[u8; 32], Verdict>,
}

/// What a chain proves, and who signed it.
#[derive(Debug, Clone)]
pub(in crate::listen) struct Verdict {
    /// Whom it proves.
    pub(in crate::listen) presented: Presented,
    /// Who signed the client's own certificate, where it sent one.
    pub(in crate::listen) signer: Option<Arc<Signer>>,
    /// It leads to an authority that is trusted, now, whomever it proves.
    pub(super) is_verified: bool,
    until: SystemTime,
}

impl Verdict {
    /// What a connection has of it. Where a certificate is required, there is none without one that verifies: the
    /// handshake has seen to that but for what only a judge looks at.
    pub(super) fn of_connection(self, is_required: bool) -> io::Result<(Presented, Option<Arc<Signer>>)> {
        match (self.presented, self.is_verified || !is_required) {
            (presented, true) => Ok((presented, self.signer)),
            (Presented::Unproven(reason), false) => Err(io::Error::other(reason)),
            (_, false) => Err(io::Error::other("the certificate does not verify")),
        }
    }
}

impl Judge {
    /// One who asks this verifier and reads certificates so.
    pub(super) fn new(verifier: impl Verify + 'static, reader: &Reader, revocations: Arc<Revocations>) -> Self {
        Self { verifier: Box::new(verifier), reader: reader.clone(), revocations, verdicts: Cache::new(VERDICTS) }
    }

    /// What the chain proves, the client's own certificate first.
    pub(in crate::listen) fn verdict(&self, chain: &[CertificateDer<'_>], now: SystemTime) -> Verdict {
        let mut hash = Sha256::new();
        for certificate in chain {
            hash.update((certificate.len() as u64).to_be_bytes());
            hash.update(certificate);
        }
        let hash: [u8; 32] = hash.finalize().into();
        if let Some(verdict) = self.verdicts.get(&hash).filter(|verdict| verdict.until > now) {
            return verdict;
        }
        let (presented, signer, is_verified) = self.examine(chain, now);
        let expires = chain.first().and_then(|leaf| certificate::expires(leaf).ok()).map(SystemTime::from);
        let until = expires.filter(|expires| *expires > now).unwrap_or(now + VERDICT_HOLDS).min(now + VERDICT_HOLDS);
        let verdict = Verdict { presented, signer, is_verified, until };
        self.verdicts.insert(hash, verdict.clone());
        verdict
    }

    /// What a chain in DER form proves, which came otherwise than by a handshake.
    pub(in crate::listen) fn verdict_on(&self, chain: Vec<Vec<u8>>) -> Presented {
        let chain: Vec<CertificateDer<'_>> = chain.into_iter().map(CertificateDer::from).collect();
        self.verdict(&chain, SystemTime::now()).presented
    }

    fn examine(&self, chain: &[CertificateDer<'_>], now: SystemTime) -> (Presented, Option<Arc<Signer>>, bool) {
        let Some((leaf, intermediates)) = chain.split_first() else {
            return (Presented::Nothing, None, false);
        };
        let details = certificate::details(leaf);
        let chain = intermediates.iter().map(|der| &**der);
        let signer = details.as_ref().ok().map(Signer::of).map(|signer| signer.by_way_of(chain));
        let (standing, details) = match (self.standing(leaf, intermediates, now), details) {
            (Ok(standing), Ok(details)) => (standing, details),
            (Err(reason), _) => {
                // Anybody can write any name into a certificate that nobody vouches for.
                let signer = signer.map(|signer| Signer { issuer: "not trusted".to_owned(), ..signer });
                return (Presented::Unproven(reason), signer.map(Arc::new), false);
            }
            (Ok(standing), Err(error)) => {
                return (Presented::Unproven(error.to_string()), None, standing == Standing::Valid);
            }
        };
        let credential = Arc::new(Credential::new(details, leaf));
        let presented = match (self.reader.device(leaf), standing) {
            (Ok(identity), Standing::Valid) => {
                Presented::Device(Certified { identity: Arc::new(identity), credential })
            }
            (Ok(identity), Standing::Expired) => {
                Presented::Expired(Certified { identity: Arc::new(identity), credential })
            }
            (Err(error), Standing::Valid) => Presented::Nobody { credential, reason: error.to_string() },
            (Err(error), Standing::Expired) => Presented::Unproven(format!("it has expired, and {error}")),
        };
        (presented, signer.map(Arc::new), standing == Standing::Valid)
    }

    /// Verifies the chain as of now. Where all that is wrong is that it has expired, with the client's own certificate,
    /// it is verified once more as of that certificate's last moment: so nothing else is forgiven, whichever of the two
    /// libraries looks, and in whatever order it does.
    fn standing(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: SystemTime,
    ) -> Result<Standing, String> {
        let now = Timestamp::try_from(now).map_err(|error| error.to_string())?;
        let at = |moment| self.verifier.verify(leaf, intermediates, moment);
        let standing = match at(now) {
            Ok(()) => Standing::Valid,
            Err(Objection::Other(reason)) => return Err(reason),
            Err(Objection::Expired) => {
                if certificate::details(leaf).is_ok_and(|details| details.not_after < details.not_before) {
                    return Err("its dates are wrong: it ends before it begins".to_owned());
                }
                let ended = certificate::expires(leaf).map_err(|error| error.to_string())?;
                if ended >= now {
                    return Err("an authority of its chain has expired".to_owned());
                }
                match at(ended) {
                    Ok(()) => Standing::Expired,
                    Err(Objection::Expired) => return Err("it has expired, and before it its issuer".to_owned()),
                    Err(Objection::Other(reason)) => return Err(format!("it has expired, and {reason}")),
                }
            }
        };
        match self.revocations.past_date(leaf, intermediates, now) {
            None => Ok(standing),
            Some(reason) => Err(reason),
        }
    }
}
