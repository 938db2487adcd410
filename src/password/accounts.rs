//! A password file: one account a line, as `htpasswd` and `htdigest` lay theirs out.
//!
//! ```text
//! # for Basic: NAME:ARGON2
//! 000e08abcdef:$argon2id$v=19$m=19456,t=2,p=1$…$…
//! # for Digest: NAME:REALM:HASH, of MD5 (32 digits) or SHA-256 (64)
//! 000e08abcdef:phoneprov:8ca523f5e9506fed4657c9700eebdbec
//! ```

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::hash::{Cost, Hash, HashError};
use super::{Algorithm, Scheme};
use crate::device::Secret;

/// The longest name of an account, in bytes.
const LONGEST: usize = 128;

/// The accounts of a password file, for one realm.
pub struct Accounts {
    accounts: HashMap<Arc<str>, Account>,
    nobody: Account,
}

/// What is stored of an account: at least one of the three.
#[derive(Debug, Default)]
pub(super) struct Account {
    hash: Option<Hash>,
    md5: Option<Secret>,
    sha256: Option<Secret>,
}

/// A password file is refused. No text here holds a hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountsError {
    /// Not of any form that a line may have.
    #[error("line {0}: expected NAME:ARGON2 or NAME:REALM:HASH, as `phoneprov password` prints them")]
    Line(usize),
    /// The name of an account.
    #[error("line {0}: the name is empty, longer than {LONGEST} bytes or has a control character in it")]
    Name(usize),
    /// The hash of an account.
    #[error("line {0}: {1}")]
    Hash(usize, HashError),
    /// Two lines say the same of one account.
    #[error("line {0}: the account has such a line already")]
    Twice(usize),
    /// Some accounts take longer to examine than others, which would show who is known.
    #[error(
        "line {0}: the hash costs another time than those before it, which would tell accounts apart: make it anew"
    )]
    Cost(usize),
    /// The rule asks for what the file has not.
    #[error("no line is good for `{scheme}` in the realm `{realm}`")]
    None {
        /// What the rule offers.
        scheme: &'static str,
        /// The rule's realm.
        realm: String,
    },
}

impl Accounts {
    /// Reads a file's text, for a realm.
    ///
    /// # Errors
    /// A line is not understood, or does not go with another one.
    pub fn parse(text: &str, realm: &str) -> Result<Self, AccountsError> {
        let mut accounts = Self { accounts: HashMap::new(), nobody: Account::default() };
        let mut cost: Option<Cost> = None;
        for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
            if !line.is_empty() && !line.starts_with('#') {
                accounts.add(number, line, realm, &mut cost)?;
            }
        }
        accounts.nobody = Account::nobody(&cost.unwrap_or_default());
        Ok(accounts)
    }

    fn add(&mut self, number: usize, line: &str, realm: &str, cost: &mut Option<Cost>) -> Result<(), AccountsError> {
        let (user, rest) = line.split_once(':').ok_or(AccountsError::Line(number))?;
        if user.is_empty() || user.len() > LONGEST || user.contains(char::is_control) {
            return Err(AccountsError::Name(number));
        }
        let twice = |is_first: bool| if is_first { Ok(()) } else { Err(AccountsError::Twice(number)) };
        let account = self.accounts.entry(user.into()).or_default();
        match rest.rsplit_once(':') {
            None => {
                let hash: Hash = rest.parse().map_err(|error| AccountsError::Hash(number, error))?;
                if cost.get_or_insert_with(|| hash.cost().clone()) != hash.cost() {
                    return Err(AccountsError::Cost(number));
                }
                twice(account.hash.replace(hash).is_none())
            }
            Some((of, digits)) => {
                let digits = digits.to_ascii_lowercase();
                let place = match digits.len() {
                    _ if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => None,
                    32 => Some(&mut account.md5),
                    64 => Some(&mut account.sha256),
                    _ => None,
                };
                let place = place.ok_or(AccountsError::Line(number))?;
                // Another realm's line is another rule's.
                if of == realm { twice(place.replace(Secret::new(digits)).is_none()) } else { Ok(()) }
            }
        }
    }

    /// Holds the file against what a rule offers.
    ///
    /// # Errors
    /// No account could ever answer one of the challenges.
    pub fn answer_to(&self, schemes: &[Scheme], realm: &str) -> Result<(), AccountsError> {
        let missing = schemes.iter().find(|scheme| !self.accounts.values().any(|account| account.answers_to(**scheme)));
        match missing {
            Some(scheme) => Err(AccountsError::None { scheme: scheme.as_str(), realm: realm.to_owned() }),
            None => Ok(()),
        }
    }

    /// The account with this name, and the name as it is stored; else one that nobody has, so that both take as long.
    pub(super) fn find(&self, user: &str) -> (Option<&Arc<str>>, &Account) {
        match self.accounts.get_key_value(user) {
            Some((name, account)) => (Some(name), account),
            None => (None, &self.nobody),
        }
    }

    /// An account that no password opens.
    pub(super) fn nobody(&self) -> &Account {
        &self.nobody
    }
}

impl Account {
    fn nobody(cost: &Cost) -> Self {
        let digits = |algorithm: Algorithm| Some(Secret::new("0".repeat(algorithm.digits())));
        Self { hash: Some(Hash::of_nobody(cost)), md5: digits(Algorithm::Md5), sha256: digits(Algorithm::Sha256) }
    }

    fn answers_to(&self, scheme: Scheme) -> bool {
        match scheme {
            Scheme::Basic => self.hash.is_some(),
            Scheme::DigestMd5 => self.md5.is_some(),
            Scheme::DigestSha256 => self.sha256.is_some(),
        }
    }

    /// The hash of its password, where it may answer to Basic.
    pub(super) fn hash(&self) -> Option<&Hash> {
        self.hash.as_ref()
    }

    /// What stands for its password in a digest.
    pub(super) fn digest(&self, algorithm: Algorithm) -> Option<&Secret> {
        match algorithm {
            Algorithm::Md5 => self.md5.as_ref(),
            Algorithm::Sha256 => self.sha256.as_ref(),
        }
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accounts({})", self.accounts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const MD5: &str = "8ca523f5e9506fed4657c9700eebdbec";

    #[test]
    fn a_file_has_lines_for_basic_and_for_digest_and_says_which_account_has_what() {
        let sha256 = MD5.repeat(2);
        let text = format!("# phones\n\na:{HASH}\na:phoneprov:{MD5}\nb:phoneprov:{sha256}\nb:other realm:{MD5}\r\n");
        let accounts = Accounts::parse(&text, "phoneprov").expect("a file");
        let (a, b) = (accounts.find("a").1, accounts.find("b").1);
        assert!(a.hash().is_some() && a.digest(Algorithm::Md5).is_some() && a.digest(Algorithm::Sha256).is_none());
        assert!(b.hash().is_none() && b.digest(Algorithm::Md5).is_none(), "another realm's line is another rule's");
        assert!(accounts.find("c").0.is_none() && accounts.find("A").0.is_none());
        assert_eq!(accounts.answer_to(&[Scheme::Basic, Scheme::DigestSha256, Scheme::DigestMd5], "phoneprov"), Ok(()));
        let printed = format!("{accounts:?} {a:?} {b:?}");
        assert!(!printed.contains("c29t") && !printed.contains(MD5), "{printed}");
    }

    #[test]
    fn a_line_that_is_wrong_is_named_by_its_number() {
        let other = HASH.replace("t=1", "t=2");
        let cases = [
            ("a".to_owned(), AccountsError::Line(1)),
            (format!(":{HASH}"), AccountsError::Name(1)),
            (format!("{}:{HASH}", "a".repeat(129)), AccountsError::Name(1)),
            ("a:secret".into(), AccountsError::Hash(1, HashError::Malformed)),
            ("a:$apr1$x$y".into(), AccountsError::Hash(1, HashError::Malformed)),
            (format!("#\na:{HASH}\na:{HASH}"), AccountsError::Twice(3)),
            (format!("a:{HASH}\nb:{other}"), AccountsError::Cost(2)),
            (format!("a:phoneprov:{MD5}0"), AccountsError::Line(1)),
            (format!("a:phoneprov:{MD5}\na:phoneprov:{MD5}"), AccountsError::Twice(2)),
        ];
        for (text, expected) in cases {
            assert_eq!(Accounts::parse(&text, "phoneprov").map(|_| ()), Err(expected), "{text}");
        }
        let accounts = Accounts::parse(&format!("a:{HASH}"), "phoneprov").expect("a file");
        assert!(accounts.answer_to(&[Scheme::Basic, Scheme::DigestMd5], "phoneprov").is_err());
    }
}
