//! `[[rule]]`: what a path needs and what becomes of its profile. The first rule whose path matches is the one.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use hyper::header::{HeaderName, HeaderValue};
use serde::Deserialize;

use super::accept::{self, Accept, Beside, Report};
use super::password::{self, GoodFor, Passwords};
use super::{Expired, Linting, MasterKey, Protocol};
use crate::cipher::{IkmEncoding, Scheme};
use crate::device::Secret;
use crate::profile::pattern::PathPattern;
use crate::profile::template;

/// One rule, checked.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The paths that it is for.
    pub path: PathPattern,
    /// What a request must prove; `None`: a certificate where the file names a device, nothing elsewhere.
    pub proof: Option<Proof>,
    /// What a certificate is worth that has expired.
    pub expired: Expired,
    /// Whose passwords prove it, with [`Proof::Password`].
    pub passwords: Option<Passwords>,
    /// The profile is sent as a gzip file.
    pub gzip: bool,
    /// How it is encrypted.
    pub encryption: Option<Encryption>,
    /// The protocols that it is served over; `None`: all, but a device's file not over TFTP.
    pub listeners: Option<Vec<Protocol>>,
    /// The HTTP methods that are answered.
    pub methods: Vec<Method>,
    /// Headers of the answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether profiles are looked at when they are made.
    pub lint: Linting,
    /// What its paths take in; `None`: nothing, they give.
    pub accept: Option<Accept>,
}

/// What a request must prove of the device that its path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// Nothing: anybody gets it.
    None,
    /// A password, of the device's own or shared by the rule.
    Password,
    /// A code that a person types once, which makes the phone a device of the store.
    Code,
    /// A client certificate that names the device.
    Certificate,
}

/// An HTTP method that a path answers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// The profile.
    Get,
    /// Its headers.
    Head,
    /// An upload.
    Post,
    /// An upload.
    Put,
}

/// A cipher and where its key comes from.
#[derive(Debug, Clone)]
pub struct Encryption {
    /// The file format.
    pub scheme: Scheme,
    /// How the key's text becomes keying material (`aes128gcm`; not documented by Cisco, hence a setting).
    pub ikm: IkmEncoding,
    /// The key.
    pub key: KeySource,
}

/// Where a key comes from.
#[derive(Clone)]
pub enum KeySource {
    /// A template over the device's macros and the variables.
    Template(Secret),
    /// The same text for every device.
    Fixed(Secret),
    /// Derived from the master secret and the device's identity.
    Master(MasterKey),
    /// The device's own in the store, which may be changed.
    Device,
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

impl KeySource {
    /// What it is, without what it holds.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Template(_) => "the rule's key",
            Self::Fixed(_) => "the key file",
            Self::Master(_) => "the master secret",
            Self::Device => "the device's key",
        }
    }
}

/// The table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    path: PathPattern,
    proof: Option<Proof>,
    expired: Option<String>,
    renew: Option<String>,
    #[serde(default)]
    gzip: bool,
    encrypt: Option<Scheme>,
    key: Option<Secret>,
    key_file: Option<PathBuf>,
    key_from: Option<KeyFrom>,
    ikm: Option<IkmEncoding>,
    listeners: Option<Vec<Protocol>>,
    methods: Option<Vec<Method>>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    password_file: Option<PathBuf>,
    challenge: Option<Vec<crate::password::Scheme>>,
    realm: Option<String>,
    accounts: Option<GoodFor>,
    #[serde(default)]
    lint: Linting,
    accept: Option<accept::Kind>,
    report: Option<Report>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KeyFrom {
    Master,
    Device,
}

/// Headers that the server itself answers for.
const OWN_HEADERS: [&str; 12] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "date",
    "etag",
    "last-modified",
    "server",
    "transfer-encoding",
    "upgrade",
    "vary",
    "www-authenticate",
];

impl Written {
    pub(super) fn check(mut self, folder: &Path, master: Option<&MasterKey>) -> Result<Rule, String> {
        if self.listeners.as_ref().is_some_and(Vec::is_empty) {
            return Err("rule.listeners is empty: leave it out for all, or name http, https or tftp".into());
        }
        if self.methods.as_ref().is_some_and(Vec::is_empty) {
            return Err("rule.methods is empty: leave it out for all that fit, or name GET and HEAD".into());
        }
        let only_clear = |listeners: &Vec<Protocol>| !listeners.contains(&Protocol::Https);
        if self.proof == Some(Proof::Certificate) && self.listeners.as_ref().is_some_and(only_clear) {
            return Err("rule.proof: a certificate is proven over https only, which rule.listeners leaves out".into());
        }
        let expired = Expired::parse(self.expired.as_deref(), self.renew.as_deref())?;
        if expired != Expired::Refuse && matches!(self.proof, Some(Proof::None | Proof::Password | Proof::Code)) {
            return Err("rule.expired: only where a certificate is the proof does it matter that it has expired".into());
        }
        let accept = self.accept(&expired)?;
        if accept.is_some() {
            // What is sent in has to be somebody's unless the rule says otherwise, whatever the path names.
            self.proof.get_or_insert(Proof::Certificate);
        }
        let passwords = self.passwords(folder)?;
        let headers = self.headers.iter().map(|(name, value)| header(name, value)).collect::<Result<_, _>>()?;
        Ok(Rule {
            encryption: self.encryption(folder, master)?,
            path: self.path,
            proof: self.proof,
            expired,
            passwords,
            gzip: self.gzip,
            listeners: self.listeners,
            lint: self.lint,
            methods: self.methods.unwrap_or_else(|| match accept {
                Some(_) => vec![Method::Post, Method::Put],
                None => vec![Method::Get, Method::Head],
            }),
            headers,
            accept,
        })
    }

    fn accept(&self, expired: &Expired) -> Result<Option<Accept>, String> {
        accept::Written { accept: self.accept, report: self.report }.check(&Beside {
            proof: self.proof,
            renews: matches!(expired, Expired::Renew(_)),
            serves: self.gzip || !self.headers.is_empty() || self.lint != Linting::Off,
            encrypt: self.encrypt,
            listeners: self.listeners.as_deref(),
            methods: self.methods.as_deref(),
        })
    }

    /// The rule's accounts. Passwords go over https unless the rule says otherwise, and never over tftp.
    fn passwords(&mut self, folder: &Path) -> Result<Option<Passwords>, String> {
        let written = password::Written {
            password_file: self.password_file.take(),
            challenge: self.challenge.take(),
            realm: self.realm.take(),
            accounts: self.accounts.take(),
        };
        if self.proof != Some(Proof::Password) {
            let stray = written.stray().map(|key| format!("rule.{key}: only a rule with proof = \"password\" has it"));
            stray.map_or(Ok(()), Err)?;
        }
        if !matches!(self.proof, Some(Proof::Password | Proof::Code)) {
            return Ok(None);
        }
        if self.listeners.get_or_insert_with(|| vec![Protocol::Https]).contains(&Protocol::Tftp) {
            return Err("rule.proof: tftp carries no password, and rule.listeners names it".into());
        }
        if self.proof == Some(Proof::Code) { Ok(None) } else { written.check(folder).map(Some) }
    }

    fn encryption(&self, folder: &Path, master: Option<&MasterKey>) -> Result<Option<Encryption>, String> {
        let Some(scheme) = self.encrypt else {
            let stray = self.key.is_some() || self.key_file.is_some() || self.key_from.is_some() || self.ikm.is_some();
            let message = "rule.key without rule.encrypt: add encrypt = \"aes-256-cbc\" or \"aes128gcm\"";
            return if stray { Err(message.into()) } else { Ok(None) };
        };
        if self.ikm.is_some() && scheme != Scheme::Aes128Gcm {
            return Err("rule.ikm: only encrypt = \"aes128gcm\" has keying material".into());
        }
        let key = match (&self.key, &self.key_file, self.key_from) {
            (Some(key), None, None) => KeySource::Template(template(key)?),
            (None, Some(file), None) => KeySource::Fixed(read_key(&folder.join(file))?),
            (None, None, Some(KeyFrom::Master)) => KeySource::Master(
                master
                    .ok_or("rule.key_from: there is no master secret: set keys.master_file or keys.master_env")?
                    .clone(),
            ),
            (None, None, Some(KeyFrom::Device)) => KeySource::Device,
            (None, None, None) => {
                let one = "key (a template), key_file, or key_from = \"master\" or \"device\"";
                return Err(format!("rule.encrypt needs one of {one}"));
            }
            (key, file, from) => {
                let keys = [(key.is_some(), "key"), (file.is_some(), "key_file"), (from.is_some(), "key_from")];
                let keys: Vec<&str> = keys.iter().filter(|(is_there, _)| *is_there).map(|(_, key)| *key).collect();
                return Err(format!("rule.encrypt has {}: only one of them can be the key", keys.join(" and ")));
            }
        };
        Ok(Some(Encryption { scheme, ikm: self.ikm.unwrap_or_default(), key }))
    }
}

/// Holds the rules against the rest of the configuration.
pub(super) fn check_all(rules: &[Rule], has_store: bool, has_uploads: bool) -> Result<(), String> {
    if !has_store && rules.iter().any(|rule| rule.proof == Some(Proof::Code)) {
        return Err("rule.proof = \"code\": there is no [store], which keeps codes".into());
    }
    if !has_store && rules.iter().any(|rule| rule.accept.is_some()) {
        return Err("rule.accept: there is no [store], which keeps what has come in of whom".into());
    }
    if !has_uploads && rules.iter().any(|rule| rule.accept.is_some()) {
        return Err("rule.accept: what comes in is kept for somebody who can read it: add [uploads]".into());
    }
    let mut keys = rules.iter().filter_map(|rule| rule.encryption.as_ref()).map(|encryption| &encryption.key);
    match keys.any(|key| matches!(key, KeySource::Device)) && !has_store {
        true => Err("rule.key_from = \"device\": there is no [store], which keeps devices' keys".into()),
        false => Ok(()),
    }
}

/// A key that can be read as a template; what is said of another holds nothing of it.
fn template(key: &Secret) -> Result<Secret, String> {
    let right = "expected text, and macros and variables in braces, as in key = \"{{ MA }}-{{ site }}\"";
    template::key_fault(key.expose()).map_or(Ok(key.clone()), |fault| Err(format!("rule.key: {fault}: {right}")))
}

fn read_key(file: &Path) -> Result<Secret, String> {
    let text = super::file::read_secret(file).map_err(|error| format!("rule.key_file: {}: {error}", file.display()))?;
    let key = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if key.is_empty() {
        return Err(format!("rule.key_file: {} is empty", file.display()));
    }
    Ok(Secret::new(key.to_owned()))
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let parsed: HeaderName = name.parse().map_err(|_| format!("rule.headers: `{name}` is not the name of a header"))?;
    if OWN_HEADERS.contains(&parsed.as_str()) {
        return Err(format!("rule.headers: `{name}` is the server's own; it follows from the profile"));
    }
    let value = HeaderValue::from_str(value)
        .map_err(|_| format!("rule.headers: the value of `{name}` has a character that no header may hold"))?;
    Ok((parsed, value))
}
