//! What comes before step 2 where a path needs a password: the `Authorization` header is held against the accounts of the
//! path's rule. It is a step of its own because Argon2 takes long, and its caller decides which thread it takes.
//!
//! Whether a refusal is a challenge is decided by the path's text alone, never by what the tree has: asking for a
//! password tells nothing about what is there.

use std::time::Instant;

use super::identify::mac_in;
use super::rules::Treatment;
use super::{Line, Refusal, Request};
use crate::device::DeviceIdentity;
use crate::password::{Attempt, Authorization, Code, CodeFault, Examination, Fault, Judgement, REALM, Verdict};

/// What a request's password came to. By default there was none, or none was asked for.
#[derive(Debug, Clone, Default)]
pub struct Examined {
    /// The rule whose accounts it was held against; `None`: any, for a person who looks at what would be served.
    rule: Option<usize>,
    verdict: Verdict,
}

/// An examination under way.
#[derive(Debug)]
pub enum Examining {
    /// It is over.
    Done(Examined),
    /// It takes its time, and a throttle may have a word.
    Pending(Pending),
    /// A code is to be held against the store's.
    Code(PendingCode),
}

/// A code that is to be examined, and the phone that presents it.
#[derive(Debug)]
pub struct PendingCode {
    rule: usize,
    code: Option<Code>,
    identity: Option<DeviceIdentity>,
}

/// A password that is to be examined.
#[derive(Debug)]
pub struct Pending {
    rule: usize,
    examination: Examination,
}

/// Begins to examine what the request presents; nothing is to be examined where its path needs no password.
#[must_use]
pub fn examine(line: &Line, request: &Request<'_>, attempt: &Attempt<'_>) -> Examining {
    let Some(treatment) = asked(line, request) else { return Examining::Done(Examined::default()) };
    let rule = treatment.place;
    let Some(gate) = &treatment.gate else { return code(line, request, rule, attempt.headers) };
    match gate.examiner.judge(attempt) {
        Judgement::Passed(verdict) => Examining::Done(Examined { rule: Some(rule), verdict }),
        Judgement::Pending(examination) => Examining::Pending(Pending { rule, examination }),
    }
}

/// What is presented where a code is asked for.
fn code(line: &Line, request: &Request<'_>, rule: usize, headers: &[&[u8]]) -> Examining {
    match Authorization::of(headers) {
        Ok(None) => Examining::Done(Examined { rule: Some(rule), ..Examined::default() }),
        Ok(Some(authorization)) => {
            let code = Code::presented(&authorization);
            Examining::Code(PendingCode { rule, code, identity: identity(line, request) })
        }
        Err(error) => Examining::Done(Examined { rule: Some(rule), verdict: Verdict::Wrong(error.into()) }),
    }
}

/// The phone that presents a code: the one of its certificate, which the path may not contradict, or the one of the path.
fn identity(line: &Line, request: &Request<'_>) -> Option<DeviceIdentity> {
    let path = request.path.as_ref().ok()?;
    let (_, bound) = line.rules.treatment(path);
    let mac = bound.mac().or_else(|| path.segments().find_map(mac_in));
    match request.presented.identity() {
        Some(identity) => {
            let other = mac.is_some() && identity.mac().is_some() && mac != identity.mac();
            let mac = identity.mac().or(mac);
            let (serial, model) = (identity.serial().cloned(), identity.model().cloned());
            DeviceIdentity::new(mac, serial, model).filter(|_| !other)
        }
        None => DeviceIdentity::new(mac, bound.serial().cloned(), None),
    }
}

/// The challenges that a refusal of this request carries; none where it is "not found".
#[must_use]
pub fn challenges(line: &Line, request: &Request<'_>, now: Instant) -> Vec<String> {
    let Some(treatment) = asked(line, request) else { return Vec::new() };
    let Some(gate) = &treatment.gate else {
        let challenge = format!("Basic realm=\"{REALM}\", charset=\"UTF-8\"");
        return if matches!(request.password.verdict, Verdict::Right(_)) { Vec::new() } else { vec![challenge] };
    };
    match request.password.verdict {
        Verdict::Right(_) => Vec::new(),
        Verdict::Nothing | Verdict::Wrong(_) => gate.examiner.challenges(false, now),
        Verdict::Stale(_) => gate.examiner.challenges(true, now),
    }
}

/// The refusal of a request that does not give the password of its path, file or no file.
pub(super) fn ungiven(line: &Line, request: &Request<'_>) -> Option<Refusal> {
    asked(line, request)?;
    match &request.password.verdict {
        Verdict::Right(_) => None,
        Verdict::Nothing => Some(Refusal::NoPassword),
        Verdict::Wrong(fault) => Some((*fault).into()),
        Verdict::Stale(staleness) => Some((*staleness).into()),
    }
}

/// The rule whose password the request's path needs, whatever the tree has for it.
fn asked<'a>(line: &'a Line, request: &Request<'_>) -> Option<&'a Treatment> {
    let treatment = line.rules.asking(request.path.as_ref().ok()?)?;
    let serves = treatment.listeners.as_ref().is_none_or(|listeners| listeners.contains(&request.transport));
    serves.then_some(treatment.as_ref())
}

impl PendingCode {
    /// The code; none where what was presented cannot be one.
    #[must_use]
    pub fn code(&self) -> Option<&Code> {
        self.code.as_ref()
    }

    /// The phone, where path or certificate name one.
    #[must_use]
    pub fn identity(&self) -> Option<&DeviceIdentity> {
        self.identity.as_ref()
    }

    /// The phone is this device from now on.
    #[must_use]
    pub fn is_right(&self, account: &str) -> Examined {
        Examined { rule: Some(self.rule), verdict: Verdict::Right(account.into()) }
    }

    /// It is not.
    #[must_use]
    pub fn is_wrong(&self, fault: CodeFault) -> Examined {
        Examined { rule: Some(self.rule), verdict: Verdict::Wrong(Fault::Code(fault)) }
    }

    /// Does not look at it.
    #[must_use]
    pub fn pass_over(&self) -> Examined {
        Examined { rule: Some(self.rule), verdict: Verdict::Wrong(Fault::Unexamined) }
    }
}

impl Pending {
    /// Whose password it is, as the client says.
    #[must_use]
    pub fn user(&self) -> &str {
        self.examination.user()
    }

    /// Whether it takes an Argon2 run.
    #[must_use]
    pub fn is_costly(&self) -> bool {
        self.examination.is_costly()
    }

    /// Examines it.
    #[must_use]
    pub fn run(&self, now: Instant) -> Examined {
        Examined { rule: Some(self.rule), verdict: self.examination.run(now) }
    }

    /// Does not look at it.
    #[must_use]
    pub fn pass_over(&self) -> Examined {
        Examined { rule: Some(self.rule), verdict: Verdict::Wrong(Fault::Unexamined) }
    }
}

impl Examined {
    /// As if this account's password had been right, whatever the rule.
    #[must_use]
    pub fn as_given(user: &str) -> Self {
        Self { rule: None, verdict: Verdict::Right(user.into()) }
    }

    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Whether somebody presented what proves nobody.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        matches!(self.verdict, Verdict::Wrong(_))
    }

    /// Whether it was held against the accounts of this rule.
    pub(super) fn is_of(&self, treatment: &Treatment) -> bool {
        self.rule.is_none_or(|rule| rule == treatment.place)
    }
}
