//! Holds what a client presents against the accounts of a rule.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::nonce::Nonces;
use super::recent::Recent;
use super::{Accounts, Algorithm, Authorization, AuthorizationError, Basic, CodeFault, Digest, HashError, Scheme};

/// The accounts of a rule, what they are asked for, and what has been seen of them.
pub struct Examiner {
    accounts: Arc<Accounts>,
    schemes: Vec<Scheme>,
    realm: String,
    nonces: Nonces,
    recent: Recent,
}

/// What a request says of its client, and what a digest covers.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The `Authorization` headers: one at the most, where nobody plays tricks.
    pub headers: &'a [&'a [u8]],
    /// The HTTP method.
    pub method: &'a str,
    /// Path and query, as they came.
    pub target: &'a str,
}

/// What is to be thought of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Verdict {
    /// Nothing was presented.
    #[default]
    Nothing,
    /// It proves nobody.
    Wrong(Fault),
    /// It is the account's, but not for this request: the client may answer a fresh nonce without asking anybody.
    Stale(Staleness),
    /// It is this account's.
    Right(Arc<str>),
}

/// Why something that was presented proves nobody; for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The header.
    #[error(transparent)]
    Malformed(#[from] AuthorizationError),
    /// The rule does not offer this.
    #[error("the rule does not offer this scheme")]
    Scheme,
    /// The account.
    #[error("there is no such account, or it has no line for this scheme")]
    Account,
    /// The password.
    #[error("the password is wrong")]
    Password,
    /// The digest is for another realm.
    #[error("the digest is for another realm")]
    Realm,
    /// The digest is for another request.
    #[error("the digest is for another URL")]
    Target,
    /// The code that was typed in place of a password.
    #[error("the code {0}")]
    Code(CodeFault),
    /// Nobody looked.
    #[error("too many wrong ones came before it: it was not looked at")]
    Unexamined,
}

/// Why a right digest is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Staleness {
    /// Not ours, or not any more.
    #[error("its nonce is too old, or of another server")]
    Nonce,
    /// Used before.
    #[error("it was sent before: its count does not rise")]
    Replayed,
}

/// A verdict, or what it takes to come to one.
#[derive(Debug)]
pub enum Judgement {
    /// Nothing was presented, or nothing that could be right, or it was right a short while ago.
    Passed(Verdict),
    /// It has to be examined.
    Pending(Examination),
}

/// A password that has to be examined: [`Examination::run`] takes as long whoever it is.
#[derive(Debug)]
pub struct Examination {
    examiner: Arc<Examiner>,
    presented: Presented,
}

#[derive(Debug)]
enum Presented {
    Basic(Basic),
    Digest { digest: Digest, method: String },
}

impl Examiner {
    /// Examines for these accounts.
    ///
    /// # Errors
    /// There are no random numbers to be had.
    pub fn new(accounts: Arc<Accounts>, schemes: Vec<Scheme>, realm: String, now: Instant) -> Result<Self, HashError> {
        let mut keys = [[0; 32]; 2];
        for key in &mut keys {
            aws_lc_rs::rand::fill(key).map_err(|_| HashError::Random)?;
        }
        let [nonces, recent] = keys;
        let (nonces, recent) = (Nonces::new(nonces, now), Recent::new(recent));
        Ok(Self { accounts, schemes, realm, nonces, recent })
    }

    /// The values of `WWW-Authenticate`, one a scheme, in the order of the rule. `stale` where the client knows the
    /// password and needs a fresh nonce only.
    #[must_use]
    pub fn challenges(&self, stale: bool, now: Instant) -> Vec<String> {
        let realm = self.realm.replace('\\', "\\\\").replace('"', "\\\"");
        let stale = if stale { ", stale=true" } else { "" };
        let digest = |algorithm: &str| {
            let nonce = self.nonces.issue(now);
            format!("Digest realm=\"{realm}\", qop=\"auth\", algorithm={algorithm}, nonce=\"{nonce}\"{stale}")
        };
        let challenge = |scheme: &Scheme| match scheme {
            Scheme::Basic => format!("Basic realm=\"{realm}\""),
            Scheme::DigestMd5 => digest("MD5"),
            Scheme::DigestSha256 => digest("SHA-256"),
        };
        self.schemes.iter().map(challenge).collect()
    }

    /// Looks at what is presented.
    #[must_use]
    pub fn judge(self: &Arc<Self>, attempt: &Attempt<'_>) -> Judgement {
        match Authorization::of(attempt.headers) {
            Ok(None) => Judgement::Passed(Verdict::Nothing),
            Ok(Some(Authorization::Basic(basic))) => self.basic(basic),
            Ok(Some(Authorization::Digest(digest))) => self.digest(digest, attempt),
            Err(error) => Judgement::Passed(Verdict::Wrong(error.into())),
        }
    }

    fn basic(self: &Arc<Self>, presented: Basic) -> Judgement {
        if !self.schemes.contains(&Scheme::Basic) {
            return Judgement::Passed(Verdict::Wrong(Fault::Scheme));
        }
        match self.accounts.find(&presented.user) {
            (Some(user), _) if self.recent.has(user, &presented.password) => {
                Judgement::Passed(Verdict::Right(user.clone()))
            }
            _ => Judgement::Pending(Examination { examiner: self.clone(), presented: Presented::Basic(presented) }),
        }
    }

    fn digest(self: &Arc<Self>, digest: Digest, attempt: &Attempt<'_>) -> Judgement {
        let scheme = match digest.algorithm {
            Algorithm::Md5 => Scheme::DigestMd5,
            Algorithm::Sha256 => Scheme::DigestSha256,
        };
        let fault = match () {
            () if !self.schemes.contains(&scheme) => Fault::Scheme,
            () if digest.realm != self.realm => Fault::Realm,
            () if !is_target(&digest.target, attempt.target) => Fault::Target,
            () => {
                let presented = Presented::Digest { digest, method: attempt.method.to_owned() };
                return Judgement::Pending(Examination { examiner: self.clone(), presented });
            }
        };
        Judgement::Passed(Verdict::Wrong(fault))
    }

    fn is_right_basic(&self, basic: &Basic) -> Verdict {
        let (user, account) = self.accounts.find(&basic.user);
        let known = account.hash();
        let right = known.or_else(|| self.accounts.nobody().hash()).is_some_and(|hash| hash.is_of(&basic.password));
        match (user, known) {
            (Some(user), Some(_)) if right => {
                self.recent.keep(user, &basic.password);
                Verdict::Right(user.clone())
            }
            (Some(_), Some(_)) => Verdict::Wrong(Fault::Password),
            _ => Verdict::Wrong(Fault::Account),
        }
    }

    fn is_right_digest(&self, digest: &Digest, method: &str, now: Instant) -> Verdict {
        let (user, account) = self.accounts.find(&digest.user);
        let known = account.digest(digest.algorithm);
        let secret = known.or_else(|| self.accounts.nobody().digest(digest.algorithm));
        let right = secret.is_some_and(|secret| digest.algorithm.is_response(digest, method, secret));
        let (Some(user), Some(_)) = (user, known) else { return Verdict::Wrong(Fault::Account) };
        if !right {
            return Verdict::Wrong(Fault::Password);
        }
        match self.nonces.read(&digest.nonce, now) {
            None => Verdict::Stale(Staleness::Nonce),
            Some(nonce) if self.nonces.spend(nonce, digest.count, now) => Verdict::Right(user.clone()),
            Some(_) => Verdict::Stale(Staleness::Replayed),
        }
    }
}

/// Whether a digest's `uri` is the request's target: as it stands, or as an absolute URL.
fn is_target(uri: &str, target: &str) -> bool {
    let after_host = || uri.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    uri == target || after_host() == Some(target)
}

impl Examination {
    /// Whose password is to be examined, as the client says.
    #[must_use]
    pub fn user(&self) -> &str {
        match &self.presented {
            Presented::Basic(basic) => &basic.user,
            Presented::Digest { digest, .. } => &digest.user,
        }
    }

    /// Whether it takes longer than a task should hold a thread.
    #[must_use]
    pub fn is_costly(&self) -> bool {
        matches!(self.presented, Presented::Basic(_))
    }

    /// Examines it, at the same cost whether the account is there or not.
    #[must_use]
    pub fn run(&self, now: Instant) -> Verdict {
        match &self.presented {
            Presented::Basic(basic) => self.examiner.is_right_basic(basic),
            Presented::Digest { digest, method } => self.examiner.is_right_digest(digest, method, now),
        }
    }
}

impl fmt::Debug for Examiner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accounts, schemes, realm, .. } = self;
        f.debug_struct("Examiner")
            .field("accounts", accounts)
            .field("schemes", schemes)
            .field("realm", realm)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use data_encoding::BASE64;

    use super::*;
    use crate::device::Secret;
    use crate::password::Hash;

    const ALL: [Scheme; 3] = [Scheme::Basic, Scheme::DigestMd5, Scheme::DigestSha256];

    fn examiner(schemes: &[Scheme]) -> (Arc<Examiner>, Instant) {
        let password = Secret::new("secret".into());
        let hash = Hash::make(&password).expect("a hash");
        let digests = [Algorithm::Md5, Algorithm::Sha256].map(|a| a.account("desk", "phones", &password));
        let text = format!("desk:{hash}\ndesk:phones:{}\ndesk:phones:{}\n", digests[0], digests[1]);
        let accounts = Arc::new(Accounts::parse(&text, "phones").expect("a file"));
        let now = Instant::now();
        (Arc::new(Examiner::new(accounts, schemes.to_vec(), "phones".into(), now).expect("random numbers")), now)
    }

    fn verdict(examiner: &Arc<Examiner>, header: &str, now: Instant) -> Verdict {
        let attempt = Attempt { headers: &[header.as_bytes()], method: "GET", target: "/a.cfg" };
        match examiner.judge(&attempt) {
            Judgement::Passed(verdict) => verdict,
            Judgement::Pending(examination) => examination.run(now),
        }
    }

    fn basic(credentials: &str) -> String {
        format!("Basic {}", BASE64.encode(credentials.as_bytes()))
    }

    /// What a client answers to a challenge.
    fn digest(challenge: &str, user: &str, password: &str, count: u32) -> String {
        let nonce = challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a nonce");
        let algorithm = if challenge.contains("SHA-256") { Algorithm::Sha256 } else { Algorithm::Md5 };
        let account = algorithm.account(user, "phones", &Secret::new(password.into()));
        let of = |text: &str| algorithm.account("", "", &Secret::new(text.into())).len();
        assert_eq!(of(""), algorithm.digits());
        let hash = |parts: &[&str]| {
            let [first, second, rest @ ..] = parts else { panic!("three parts") };
            algorithm.account(first, second, &Secret::new(rest.join(":")))
        };
        // H(A2) has two parts only: the method and the target are one text to this.
        let request = {
            use md5::Digest as _;
            match algorithm {
                Algorithm::Md5 => data_encoding::HEXLOWER.encode(&md5::Md5::digest("GET:/a.cfg")),
                Algorithm::Sha256 => data_encoding::HEXLOWER.encode(&sha2::Sha256::digest("GET:/a.cfg")),
            }
        };
        let response = hash(&[&account, nonce, &format!("{count:08x}"), "c", "auth", &request]);
        format!(
            "Digest username=\"{user}\", realm=\"phones\", nonce=\"{nonce}\", uri=\"/a.cfg\", cnonce=\"c\", \
             nc={count:08x}, qop=auth, response=\"{response}\", algorithm={}",
            algorithm.as_str()
        )
    }

    #[test]
    fn a_right_password_is_examined_once_and_a_wrong_one_each_time() {
        let (examiner, now) = examiner(&ALL);
        let attempt = |header: &str| {
            let header = header.as_bytes().to_vec();
            let attempt = Attempt { headers: &[header.as_slice()], method: "GET", target: "/a.cfg" };
            matches!(examiner.judge(&attempt), Judgement::Pending(_))
        };
        let right = basic("desk:secret");
        assert!(attempt(&right));
        assert_eq!(verdict(&examiner, &right, now), Verdict::Right("desk".into()));
        assert!(!attempt(&right));
        for (credentials, fault) in [("desk:secreT", Fault::Password), ("desc:secret", Fault::Account)] {
            for _ in 0..2 {
                assert!(attempt(&basic(credentials)));
                assert_eq!(verdict(&examiner, &basic(credentials), now), Verdict::Wrong(fault));
            }
        }
    }

    #[test]
    fn a_digest_is_taken_once_for_each_count_and_until_its_nonce_is_old() {
        let (examiner, now) = examiner(&ALL);
        for challenge in &examiner.challenges(false, now)[1..] {
            let right = digest(challenge, "desk", "secret", 1);
            assert_eq!(verdict(&examiner, &right, now), Verdict::Right("desk".into()), "{challenge}");
            assert_eq!(verdict(&examiner, &right, now), Verdict::Stale(Staleness::Replayed));
            let next = digest(challenge, "desk", "secret", 2);
            let late = now + Duration::from_mins(6);
            assert_eq!(verdict(&examiner, &next, late), Verdict::Stale(Staleness::Nonce));
            assert_eq!(verdict(&examiner, &next, now), Verdict::Right("desk".into()));
            let wrong = digest(challenge, "desk", "secreT", 3);
            assert_eq!(verdict(&examiner, &wrong, now), Verdict::Wrong(Fault::Password));
            let unknown = digest(challenge, "desc", "secret", 3);
            assert_eq!(verdict(&examiner, &unknown, now), Verdict::Wrong(Fault::Account));
            let elsewhere = right.replace("/a.cfg", "/b.cfg");
            assert_eq!(verdict(&examiner, &elsewhere, now), Verdict::Wrong(Fault::Target));
        }
    }

    #[test]
    fn only_what_is_offered_is_taken_and_ntlm_is_never_offered() {
        for offered in ALL {
            let (examiner, now) = examiner(&[offered]);
            let challenges = examiner.challenges(true, now);
            assert_eq!(challenges.len(), 1);
            assert!(challenges[0].starts_with("Basic ") || challenges[0].starts_with("Digest "), "{challenges:?}");
            let (all, _) = self::examiner(&ALL);
            for (scheme, challenge) in ALL.into_iter().zip(all.challenges(false, now)).skip(1) {
                let expected =
                    if scheme == offered { Verdict::Stale(Staleness::Nonce) } else { Verdict::Wrong(Fault::Scheme) };
                assert_eq!(verdict(&examiner, &digest(&challenge, "desk", "secret", 1), now), expected);
            }
            let by_basic = verdict(&examiner, &basic("desk:secret"), now);
            assert_eq!(by_basic == Verdict::Right("desk".into()), offered == Scheme::Basic, "{by_basic:?}");
        }
    }
}
