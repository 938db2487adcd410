//! The rules, ready to be asked: which one a path has, and what follows from it.

use std::sync::Arc;

use crate::config::{Encryption, Method, Proof, Protocol, Rule};
use crate::profile::macros::Macros;
use crate::profile::path::RequestPath;
use hyper::header::{HeaderName, HeaderValue};

/// All rules, in the order of the configuration, with the one for paths that have none.
#[derive(Debug)]
pub struct Rules {
    entries: Vec<(Rule, Arc<Treatment>)>,
    fallback: Arc<Treatment>,
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
}

impl Rules {
    /// Takes the rules of a configuration.
    #[must_use]
    pub fn new(rules: &[Rule]) -> Self {
        let treatment = |(place, rule): (usize, &Rule)| Treatment {
            name: rule.path.to_string().into(),
            place,
            proof: rule.proof,
            listeners: rule.listeners.clone(),
            methods: rule.methods.clone(),
            gzip: rule.gzip,
            encryption: rule.encryption.clone(),
            headers: rule.headers.clone(),
        };
        let entries = rules.iter().enumerate().map(|entry| (entry.1.clone(), Arc::new(treatment(entry)))).collect();
        Self { entries, fallback: Arc::new(Treatment::fallback(rules.len())) }
    }

    /// What the first rule with this path says, closed by default where none has it; and what the macros of the rule's
    /// path stand for: a rule for `/csn/$SN.cfg` is about that one device, whatever the file is called.
    #[must_use]
    pub fn treatment(&self, path: &RequestPath) -> (&Arc<Treatment>, Macros) {
        let entry = self.entries.iter().find_map(|(rule, treatment)| Some((treatment, rule.path.bind(path)?)));
        entry.unwrap_or_else(|| (&self.fallback, Macros::default()))
    }
}

impl Treatment {
    fn fallback(place: usize) -> Self {
        Self {
            name: "default".into(),
            place,
            proof: None,
            listeners: None,
            methods: vec![Method::Get, Method::Head],
            gzip: false,
            encryption: None,
            headers: Vec::new(),
        }
    }

    /// What a request for this file must prove: what the rule says, else a certificate where a device is named.
    #[must_use]
    pub fn proof_for(&self, names_device: bool) -> Proof {
        self.proof.unwrap_or(if names_device { Proof::Certificate } else { Proof::None })
    }
}
