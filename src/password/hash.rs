//! A password as it is stored: an Argon2 hash in PHC text, as most tools write it.

use std::fmt;
use std::str::FromStr;

use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq;

use crate::device::Secret;

/// The most memory that one examination may take (KiB), and its most passes and lanes: a hash is an operator's to
/// choose, but no slip of the pen may stop the server.
const MOST: [u32; 3] = [256 * 1024, 16, 16];

/// An Argon2 hash of a password, with its salt and its cost.
#[derive(Clone)]
pub struct Hash {
    cost: Cost,
    salt: Salt,
    output: Output,
}

/// What an examination costs: algorithm, version, memory, passes and lanes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cost {
    algorithm: Algorithm,
    version: Version,
    params: Params,
}

/// The text is no hash that we would examine, or none can be made. No text here holds any part of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Not PHC text, or not all of it.
    #[error("not an Argon2 hash: expected $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH, as `phoneprov password` prints it")]
    Malformed,
    /// Another algorithm.
    #[error("a hash of another kind than Argon2: make one with `phoneprov password`")]
    Algorithm,
    /// It would take a server down.
    #[error("the hash is too costly: expected m={}, t={} and p={} at the most", MOST[0], MOST[1], MOST[2])]
    Cost,
    /// The system gives no random numbers.
    #[error("no random numbers for the salt")]
    Random,
}

impl Hash {
    /// A fresh hash of a password, at the cost that OWASP names for Argon2id (19 MiB, two passes).
    ///
    /// # Errors
    /// There are no random numbers to be had for the salt.
    pub fn make(password: &Secret) -> Result<Self, HashError> {
        let mut salt = [0; 16];
        aws_lc_rs::rand::fill(&mut salt).map_err(|_| HashError::Random)?;
        let salt = Salt::new(&salt).map_err(|_| HashError::Malformed)?;
        let cost = Cost::default();
        let output = cost.hash(password, &salt, Params::DEFAULT_OUTPUT_LEN).ok_or(HashError::Malformed)?;
        Ok(Self { cost, salt, output })
    }

    /// A hash that no password has, at a given cost: what an unknown account is held against.
    pub(super) fn of_nobody(cost: &Cost) -> Self {
        let salt = Salt::new(b"nobody's salt").expect("a salt of 8 to 64 octets");
        let output = Output::new(&[0; Params::DEFAULT_OUTPUT_LEN]).expect("an output of 10 to 64 octets");
        Self { cost: cost.clone(), salt, output }
    }

    /// Whether the password is the one. It takes as long as the cost says, right or wrong.
    #[must_use]
    pub fn is_of(&self, password: &Secret) -> bool {
        let output = self.cost.hash(password, &self.salt, self.output.len());
        output.is_some_and(|output| output.as_bytes().ct_eq(self.output.as_bytes()).into())
    }

    /// What it costs to examine a password.
    pub(super) fn cost(&self) -> &Cost {
        &self.cost
    }
}

impl Cost {
    fn hash(&self, password: &Secret, salt: &Salt, length: usize) -> Option<Output> {
        let argon2 = Argon2::new(self.algorithm, self.version, self.params.clone());
        let mut output = vec![0; length];
        argon2.hash_password_into(password.expose().as_bytes(), salt, &mut output).ok()?;
        Output::new(&output).ok()
    }
}

impl Default for Cost {
    fn default() -> Self {
        Self { algorithm: Algorithm::Argon2id, version: Version::V0x13, params: Params::DEFAULT }
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let parsed = phc::PasswordHash::new(text).map_err(|_| HashError::Malformed)?;
        let algorithm = Algorithm::try_from(parsed.algorithm.as_str()).map_err(|_| HashError::Algorithm)?;
        let version = parsed.version.map_or(Ok(Version::V0x10), Version::try_from).map_err(|_| HashError::Malformed)?;
        let params = Params::try_from(&parsed.params).map_err(|_| HashError::Malformed)?;
        let costs = [params.m_cost(), params.t_cost(), params.p_cost()];
        if costs.iter().zip(MOST).any(|(cost, most)| *cost > most) {
            return Err(HashError::Cost);
        }
        let (Some(salt), Some(output)) = (parsed.salt, parsed.hash) else { return Err(HashError::Malformed) };
        Ok(Self { cost: Cost { algorithm, version, params }, salt, output })
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params = ParamsString::try_from(&self.cost.params).map_err(|_| fmt::Error)?;
        let hash = phc::PasswordHash {
            algorithm: self.cost.algorithm.ident(),
            version: Some(self.cost.version.into()),
            params,
            salt: Some(self.salt),
            hash: Some(self.output),
        };
        hash.fmt(f)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(••••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first line is of the `argon2` program, `echo -n secret | argon2 somesalt -id -m 6 -t 1 -p 1 -e`.
    const CHEAP: &str = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$";

    #[test]
    fn a_password_is_known_by_the_hash_that_was_made_of_it_and_by_no_other() {
        let password = Secret::new("correct horse".into());
        let hash = Hash::make(&password).expect("a hash");
        let read: Hash = hash.to_string().parse().expect("what was printed");
        assert!(read.is_of(&password));
        assert!(!read.is_of(&Secret::new("correct horsf".into())));
        assert!(!Hash::of_nobody(read.cost()).is_of(&password));
        assert!(!hash.to_string().contains("horse") && !format!("{hash:?}").contains("argon2"));
    }

    #[test]
    fn two_hashes_of_one_password_differ() {
        let password = Secret::new("x".into());
        assert_ne!(Hash::make(&password).map(|h| h.to_string()), Hash::make(&password).map(|h| h.to_string()));
    }

    #[test]
    fn what_is_no_hash_of_ours_is_refused_by_what_is_wrong_with_it() {
        let refused = |text: &str| text.parse::<Hash>().map(|_| ()).expect_err("refused");
        let output = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert!(format!("{CHEAP}{output}").parse::<Hash>().is_ok());
        for text in
            ["", "secret", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ", CHEAP, "$argon2id$v=19$m=1$c29tZXNhbHQ$AA"]
        {
            assert_eq!(refused(text), HashError::Malformed, "{text}");
        }
        assert_eq!(refused(&format!("$scrypt$ln=15,r=8,p=1$c29tZXNhbHQ${output}")), HashError::Algorithm);
        assert_eq!(refused(&format!("$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ${output}")), HashError::Cost);
        assert_eq!(refused(&format!("$argon2id$v=19$m=64,t=1000,p=1$c29tZXNhbHQ${output}")), HashError::Cost);
    }
}
