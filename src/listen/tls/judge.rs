//! What a client's certificate chain proves: verified, read, and remembered for a while.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use quick_cache::sync::Cache;
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};

use crate::certificate::{self, Signer};
use crate::provision::Presented;

/// Client certificates whose verdict is remembered, and for how long: a phone that comes back within it costs no
/// chain verification. Its signature is verified at every full handshake all the same.
const VERDICTS: usize = 16_384;
const VERDICT_HOLDS: Duration = Duration::from_mins(10);

/// Whether a chain leads to an authority that is trusted, now.
pub(super) trait Verify: std::fmt::Debug + Send + Sync {
    /// The reason why not is for the log.
    fn verify(&self, leaf: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Result<(), String>;
}

/// Says what a certificate chain proves, and remembers it.
#[derive(Debug)]
pub(in crate::listen) struct Judge {
    verifier: Box<dyn Verify>,
    verdicts: Cache<[u8; 32], Verdict>,
}

/// What a chain proves, and who signed it.
#[derive(Debug, Clone)]
pub(in crate::listen) struct Verdict {
    /// Whom it proves.
    pub(in crate::listen) presented: Presented,
    /// Who signed the client's own certificate, where it sent one.
    pub(in crate::listen) signer: Option<Arc<Signer>>,
    until: SystemTime,
}

impl Judge {
    /// One who asks this verifier.
    pub(super) fn new(verifier: impl Verify + 'static) -> Self {
        Self { verifier: Box::new(verifier), verdicts: Cache::new(VERDICTS) }
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
        let (presented, signer) = self.examine(chain);
        let expires = chain.first().and_then(|leaf| certificate::expires(leaf).ok()).map(SystemTime::from);
        let until = expires.filter(|expires| *expires > now).unwrap_or(now + VERDICT_HOLDS).min(now + VERDICT_HOLDS);
        let verdict = Verdict { presented, signer, until };
        self.verdicts.insert(hash, verdict.clone());
        verdict
    }

    /// What a chain in DER form proves, which came otherwise than by a handshake.
    pub(in crate::listen) fn verdict_on(&self, chain: Vec<Vec<u8>>) -> Presented {
        let chain: Vec<CertificateDer<'_>> = chain.into_iter().map(CertificateDer::from).collect();
        self.verdict(&chain, SystemTime::now()).presented
    }

    fn examine(&self, chain: &[CertificateDer<'_>]) -> (Presented, Option<Arc<Signer>>) {
        let Some((leaf, intermediates)) = chain.split_first() else {
            return (Presented::Nothing, None);
        };
        let signer = certificate::signer(leaf).ok();
        if let Err(reason) = self.verifier.verify(leaf, intermediates) {
            // Anybody can write any name into a certificate that nobody vouches for.
            let signer = signer.map(|signer| Signer { issuer: "not trusted".to_owned(), ..signer });
            return (Presented::Unproven(reason), signer.map(Arc::new));
        }
        let presented = match certificate::device(leaf) {
            Ok(identity) => Presented::Device(Arc::new(identity)),
            Err(error) => Presented::Unproven(error.to_string()),
        };
        (presented, signer.map(Arc::new))
    }
}
