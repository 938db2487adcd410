//! Whether the certificates of a chain follow one another: each is followed by the one that issued it.

use super::{NotACertificate, names};

/// A certificate that another one should follow, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misplaced {
    /// Whose issuer stands elsewhere.
    pub issued: usize,
    /// That issuer.
    pub issuer: usize,
}

/// Bytes of a chain that are no certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoLink {
    /// Which, counted from 1.
    pub number: usize,
    /// What is wrong with it.
    pub error: NotACertificate,
}

/// The first certificate whose issuer is in the chain, but not right behind it. An issuer that is nowhere in the chain is
/// somebody's root, and missed by nobody here.
///
/// # Errors
/// One of them is no certificate.
pub fn misplaced<C: AsRef<[u8]>>(chain: &[C]) -> Result<Option<Misplaced>, NoLink> {
    let mut read = Vec::new();
    for (at, der) in chain.iter().enumerate() {
        read.push(names(der.as_ref()).map_err(|error| NoLink { number: at + 1, error })?);
    }
    for (at, own) in read.iter().enumerate().filter(|(_, own)| own.issuer != own.subject) {
        let follows = read.get(at + 1).is_some_and(|next| next.subject == own.issuer);
        if let Some(issuer) = read.iter().position(|other| other.subject == own.issuer).filter(|_| !follows) {
            return Ok(Some(Misplaced { issued: at + 1, issuer: issuer + 1 }));
        }
    }
    Ok(None)
}

/// How many certificates the chain of the first one has: each link's issuer is the next one's subject.
///
/// # Errors
/// One of them is no certificate.
pub fn linked<C: AsRef<[u8]>>(chain: &[C]) -> Result<usize, NoLink> {
    let mut length = 0;
    let mut issuer = None;
    for (at, der) in chain.iter().enumerate() {
        let own = names(der.as_ref()).map_err(|error| NoLink { number: at + 1, error })?;
        if issuer.is_some_and(|issuer| issuer != own.subject) {
            break;
        }
        issuer = Some(own.issuer);
        length = at + 1;
    }
    Ok(length)
}
