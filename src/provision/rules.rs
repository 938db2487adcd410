//! The rules, ready to be asked: which one a path has, and what follows from it.

use std::sync::Arc;
use std::time::Instant;

use crate::config::{Accept, Encryption, Expired, GoodFor, Linting, Method, Passwords, Proof, Protocol, Rule};
use crate::password::{Examiner, HashError};
use crate::profile::lint::Sent;
use crate::profile::macros::Macros;
use crate::profile::path::RequestPath;
use hyper::header::{HeaderName, HeaderValue};

/// All rules, in the order of the configuration, with the one for paths that have none.
#[derive(Debug)]
pub struct Rules {
    entries: Vec<(Rule, Arc<Treatment>)>,
    fallback: Arc<Treatment>,
    /// Some rule asks for a password; where none does, no request is held against it.
    ask: bool,
    /// Some rule takes uploads; where none does, no body is looked at.
    accept: bool,
}

/// Who guards a path that needs a password.
#[derive(Debug)]
pub struct Gate {
    /// The accounts, and what has been seen of them.
    pub examiner: Arc<Examiner>,
    /// What an account is good for.
    pub good_for: GoodFor,
    /// The file that they are in, for people.
    pub file: String,
}

/// The rules cannot be put to work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule}: {error}")]
pub struct RulesError {
    rule: String,
    error: HashError,
}

/// What a rule makes of a path: what it needs, and what becomes of its profile.
#[derive(Debug)]
pub struct Treatment {
    /// The rule's path, for the log; `default` where there is no rule.
    pub name: Arc<str>,
    /// Its place among the rules; distinguishes the documents of two rules.
    pub place: usize,
    /// What must be proven, where the rule says.
    pub proof: Option<Proof>,
    /// What a certificate is worth that has expired.
    pub expired: Expired,
    /// Who examines passwords, with [`Proof::Password`].
    pub gate: Option<Gate>,
    /// The protocols that it is served over, where the rule says.
    pub listeners: Option<Vec<Protocol>>,
    /// The HTTP methods.
    pub methods: Vec<Method>,
    /// Sent as a gzip file.
    pub gzip: bool,
    /// How it is encrypted.
    pub encryption: Option<Encryption>,
    /// Headers of the answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether its profiles are looked at when they are made.
    pub lint: Linting,
    /// What its paths take in.
    pub accept: Option<Accept>,
}

impl Rules {
    /// Takes the rules of a configuration.
    ///
    /// # Errors
    /// A rule asks for passwords, and there are no random numbers to do so safely.
    pub fn new(rules: &[Rule]) -> Result<Self, RulesError> {
        let entry = |(place, rule): (usize, &Rule)| {
            let treatment = Treatment::new(place, rule);
            treatment
                .map(|treatment| (rule.clone(), Arc::new(treatment)))
                .map_err(|error| RulesError { rule: rule.path.to_string(), error })
        };
        let entries: Vec<_> = rules.iter().enumerate().map(entry).collect::<Result<_, _>>()?;
        let ask = entries.iter().any(|(_, treatment)| treatment.challenges());
        let accept = rules.iter().any(|rule| rule.accept.is_some());
        Ok(Self { entries, fallback: Arc::new(Treatment::fallback(rules.len())), ask, accept })
    }

    /// Whether any rule takes uploads.
    #[must_use]
    pub fn accept(&self) -> bool {
        self.accept
    }

    /// Whether any rule asks for a password.
    #[must_use]
    pub fn ask(&self) -> bool {
        self.ask
    }

    /// The rule that asks for a password on this path, file or no file. A path that ends in `.gz` is asked about with and
    /// without the ending, since which of the two rules counts depends on what is there.
    #[must_use]
    pub fn asking(&self, path: &RequestPath) -> Option<&Arc<Treatment>> {
        let of = |path: &RequestPath| Some(self.treatment(path).0).filter(|treatment| treatment.challenges());
        let asking = || of(path).or_else(|| of(&path.without_gz()?));
        self.ask.then(asking).flatten()
    }

    /// What the first rule with this path says, closed by default where none has it; and what the macros of the rule's
    /// path stand for: a rule for `/csn/$SN.cfg` is about that one device, whatever the file is called.
    #[must_use]
    pub fn treatment(&self, path: &RequestPath) -> (&Arc<Treatment>, Macros) {
        let entry = self.entries.iter().find_map(|(rule, treatment)| Some((treatment, rule.path.bind(path)?)));
        entry.unwrap_or_else(|| (&self.fallback, Macros::default()))
    }
}

impl Gate {
    fn new(passwords: &Passwords) -> Result<Self, HashError> {
        let Passwords { file, accounts, challenge, realm, good_for } = passwords.clone();
        let examiner = Arc::new(Examiner::new(accounts, challenge, realm, Instant::now())?);
        Ok(Self { examiner, good_for, file: file.display().to_string() })
    }

    /// What an account is good for.
    pub(super) fn good_for(&self) -> GoodFor {
        self.good_for
    }
}

impl Treatment {
    fn new(place: usize, rule: &Rule) -> Result<Self, HashError> {
        Ok(Self {
            name: rule.path.to_string().into(),
            place,
            proof: rule.proof,
            expired: rule.expired.clone(),
            gate: rule.passwords.as_ref().map(Gate::new).transpose()?,
            listeners: rule.listeners.clone(),
            methods: rule.methods.clone(),
            gzip: rule.gzip,
            encryption: rule.encryption.clone(),
            headers: rule.headers.clone(),
            lint: rule.lint,
            accept: rule.accept,
        })
    }

    fn fallback(place: usize) -> Self {
        Self {
            name: "default".into(),
            place,
            proof: None,
            expired: Expired::Refuse,
            gate: None,
            listeners: None,
            methods: vec![Method::Get, Method::Head],
            gzip: false,
            encryption: None,
            headers: Vec::new(),
            lint: Linting::Off,
            accept: None,
        }
    }

    /// How its files go out, as the check of a profile sees it.
    #[must_use]
    pub fn sent(&self, names_device: bool) -> Sent {
        let only_tls = self.listeners.as_ref().is_some_and(|listeners| listeners == &[Protocol::Https]);
        match self.proof_for(names_device) {
            _ if self.encryption.is_some() => Sent::Protected,
            Proof::Certificate => Sent::Protected,
            Proof::Password | Proof::Code if only_tls => Sent::Protected,
            Proof::Password | Proof::Code | Proof::None => Sent::Clear,
        }
    }

    /// Whether a request without credentials is asked for some.
    #[must_use]
    pub fn challenges(&self) -> bool {
        self.gate.is_some() || self.proof == Some(Proof::Code)
    }

    /// What a request for this file must prove: what the rule says, else a certificate where a device is named.
    #[must_use]
    pub fn proof_for(&self, names_device: bool) -> Proof {
        self.proof.unwrap_or(if names_device { Proof::Certificate } else { Proof::None })
    }
}
