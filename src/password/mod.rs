//! Accounts and the passwords that prove them: Basic (RFC 7617) and Digest (RFC 7616) as they go over HTTP.
//!
//! [`Authorization`] reads what a client sends, [`Accounts`] what an operator has stored, and an [`Examiner`] holds the
//! one against the other. Which path needs which accounts is a rule's matter, and what follows from a verdict is
//! `provision`'s. Nothing here waits: an [`Examination`] takes as long as Argon2 does, and its caller decides where.

mod accounts;
mod authorization;
mod code;
mod digest;
mod examiner;
mod hash;
mod holders;
mod nonce;
mod recent;
mod scheme;
mod token;

pub use accounts::{Accounts, AccountsError};
pub use authorization::{Authorization, AuthorizationError, Basic, Digest};
pub use code::{Code, CodeFault};
pub use digest::Algorithm;
pub use examiner::{Attempt, Examination, Examiner, Fault, Judgement, Staleness, Verdict};
pub use hash::{Hash, HashError};
pub use holders::{Holders, HoldersError};
pub use scheme::Scheme;
pub use token::{Token, TokenPrint, TokenPrintError};

use crate::device::Secret;

/// The realm where a rule names none.
pub const REALM: &str = "phoneprov";

/// A line of a password file, good for one scheme.
///
/// # Errors
/// There are no random numbers to be had for the salt.
pub fn line(scheme: Scheme, user: &str, realm: &str, password: &Secret) -> Result<Secret, HashError> {
    let line = match scheme {
        Scheme::Basic => format!("{user}:{}", Hash::make(password)?),
        Scheme::DigestMd5 => format!("{user}:{realm}:{}", Algorithm::Md5.account(user, realm, password)),
        Scheme::DigestSha256 => format!("{user}:{realm}:{}", Algorithm::Sha256.account(user, realm, password)),
    };
    Ok(Secret::new(line))
}
