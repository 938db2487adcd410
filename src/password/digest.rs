//! Digest's arithmetic (RFC 7616 §3.4): hashes over texts joined by colons, written as hexadecimal digits.

use data_encoding::HEXLOWER;
use md5::{Digest as _, Md5};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::Digest;
use crate::device::Secret;

/// The hash of a digest. Its `-sess` forms are not offered: no client needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `MD5`, all that old phones know.
    Md5,
    /// `SHA-256`.
    Sha256,
}

impl Algorithm {
    /// As a challenge has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// Hexadecimal digits of a hash.
    #[must_use]
    pub fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha256 => 64,
        }
    }

    /// What is stored of an account, RFC 7616's H(A1): as good as the password within its realm.
    #[must_use]
    pub fn account(self, user: &str, realm: &str, password: &Secret) -> String {
        self.hash(&[user, realm, password.expose()])
    }

    /// Whether the digest's response is what the account's H(A1) makes of the request (RFC 7616 §3.4.1, `qop=auth`).
    pub(super) fn is_response(self, digest: &Digest, method: &str, account: &Secret) -> bool {
        let request = self.hash(&[method, &digest.target]);
        let count = format!("{:08x}", digest.count);
        let parts = [account.expose(), &digest.nonce, &count, &digest.client_nonce, "auth", &request];
        self.hash(&parts).as_bytes().ct_eq(digest.response.as_bytes()).into()
    }

    fn hash(self, parts: &[&str]) -> String {
        let text = parts.join(":");
        match self {
            Self::Md5 => HEXLOWER.encode(&Md5::digest(&text)),
            Self::Sha256 => HEXLOWER.encode(&Sha256::digest(&text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 §3.9.1.
    fn example(response: &str) -> Digest {
        Digest {
            user: "Mufasa".into(),
            realm: "http-auth@example.org".into(),
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".into(),
            target: "/dir/index.html".into(),
            response: response.into(),
            algorithm: Algorithm::Md5,
            client_nonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ".into(),
            count: 1,
        }
    }

    #[test]
    fn the_examples_of_rfc_7616_come_out() {
        let responses = [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ];
        for (algorithm, response) in responses {
            let password = Secret::new("Circle of Life".into());
            let account = Secret::new(algorithm.account("Mufasa", "http-auth@example.org", &password));
            assert!(algorithm.is_response(&example(response), "GET", &account), "{algorithm:?}");
            assert!(!algorithm.is_response(&example(response), "PUT", &account), "{algorithm:?}");
            let next = Digest { count: 2, ..example(response) };
            assert!(!algorithm.is_response(&next, "GET", &account), "{algorithm:?}");
        }
    }
}
