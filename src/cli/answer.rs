//! What this server would answer to a phone, and why: for the commands that ask in a phone's place.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use hyper::header::CONTENT_TYPE;

use super::store::Secrets;
use crate::app::App;
use crate::cipher::Scheme;
use crate::config::{Proof, Protocol};
use crate::device::{DeviceIdentity, MacAddress, Model, Secret, SerialNumber, VariableName, VariableValue};
use crate::profile::macros::{Macro, Macros};
use crate::profile::mask::in_passing;
use crate::profile::path::{RequestPath, key_of};
use crate::profile::tree::FileKind;
use crate::provision::{
    self, Body, Certified, Coding, Conditions, Examined, Named, Presented, Profile, Refusal, Request, Response, Trail,
    Treatment, Verb,
};
use crate::terminal::OneLine;

/// The phone that asks, as a command's options name it.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    /// Its MAC address.
    pub(super) mac: Option<MacAddress>,
    /// Its serial number.
    pub(super) serial: Option<SerialNumber>,
    /// Its product name.
    pub(super) model: Option<Model>,
}

/// A phone's question.
pub(super) struct Question {
    /// What for, macros expanded.
    pub(super) path: String,
    /// What it comes over.
    pub(super) over: Protocol,
    /// What is to be done.
    pub(super) verb: Verb,
    /// What its certificate proves.
    pub(super) presented: Presented,
    /// What its password came to.
    pub(super) password: Examined,
    /// What becomes of the secrets of its device.
    pub(super) secrets: Secrets,
}

/// What came of a question.
pub(super) struct Answer<'a> {
    question: &'a Question,
    trail: Trail,
    /// The rule, where the path has one.
    treatment: Option<Arc<Treatment>>,
    /// What a refusal asks for.
    challenges: Vec<String>,
    outcome: Result<(Profile, Response), Refusal>,
}

impl Asker {
    /// What the phone proves by its certificate: over HTTPS, that it is this one.
    pub(super) fn presented(&self, over: Protocol) -> Presented {
        let identity = DeviceIdentity::new(self.mac, self.serial.clone(), self.model.clone());
        match (identity, over) {
            (Some(identity), Protocol::Https) => Presented::Device(Certified::as_given(identity)),
            (_, Protocol::Http | Protocol::Tftp) | (None, Protocol::Https) => Presented::Nothing,
        }
    }

    /// Where a path needs a password, the phone's own was right.
    pub(super) fn password(&self) -> Examined {
        let account = self.mac.map(|mac| mac.to_string()).or_else(|| self.serial.as_ref().map(ToString::to_string));
        account.map(|account| Examined::as_given(&account)).unwrap_or_default()
    }
}

impl Question {
    /// Walks the line as a request would.
    pub(super) fn ask(&self, app: &App) -> Answer<'_> {
        let mut request = self.request();
        let mut trail = Trail::default();
        let admitted = match provision::admit(&app.line, &request, &mut trail) {
            Err(Refusal::Unread(name)) => super::store::admit(app, &mut request, &mut trail, (name, self.secrets)),
            admitted => admitted,
        };
        let outcome = admitted.and_then(|profile| {
            let response = provision::finish(&app.line, &request, &profile)?;
            Ok((profile, response))
        });
        let challenges = provision::challenges(&app.line, &request, Instant::now());
        let treatment = self.treatment(app, &trail);
        Answer { question: self, trail, treatment, challenges, outcome }
    }

    /// The rule that a request has come to, which for a path in `.gz` may be that of the path without.
    fn treatment(&self, app: &App, trail: &Trail) -> Option<Arc<Treatment>> {
        let (rule, path) = (trail.rule.as_ref()?, self.request().path.ok()?);
        let of =
            |path: &RequestPath| Some(app.line.rules.treatment(path).0).filter(|treatment| treatment.name == *rule);
        of(&path).cloned().or_else(|| of(&path.without_gz()?).cloned())
    }

    /// As it would come in.
    pub(super) fn request(&self) -> Request<'_> {
        let path = match self.over {
            Protocol::Http | Protocol::Https => RequestPath::from_http(&self.path),
            Protocol::Tftp => RequestPath::from_tftp(self.path.as_bytes()),
        };
        Request {
            transport: self.over,
            peer: ([127, 0, 0, 1], 0).into(),
            verb: self.verb,
            path,
            key: key_of(&self.path),
            presented: &self.presented,
            models: None,
            password: self.password.clone(),
            accepts_gzip: false,
            conditions: Conditions::default(),
            read: Vec::new(),
        }
    }

    /// The path, as it is understood, or as it was given where it means nothing; without a query, which may have a key in it.
    pub(super) fn asked(&self) -> String {
        let given = || self.path.split('?').next().unwrap_or_default().to_owned();
        self.request().path.map_or_else(|_| given(), |path| path.to_string())
    }
}

impl Answer<'_> {
    /// The profile and the response, or nothing and the reason on standard error.
    pub(super) fn served(self) -> Option<(Profile, Response)> {
        match self.outcome {
            Ok(served) => Some(served),
            Err(refusal) => {
                eprintln!("phoneprov: {}: not found: {}", OneLine(self.question.asked()), OneLine(refusal));
                None
            }
        }
    }

    /// Whether there is a profile.
    pub(super) fn is_served(&self) -> bool {
        self.outcome.is_ok()
    }

    /// Why a phone with this `--key` could not read the answer, as far as its bytes tell.
    pub(super) fn is_closed_to(&self, key: Option<&Secret>) -> Option<&'static str> {
        let (_, response) = self.outcome.as_ref().ok()?;
        let Body::Bytes(bytes) = &response.body else { return None };
        match (bytes.starts_with(b"Salted__"), key) {
            (true, None) => Some("the file is encrypted, and the rule has no --key: the phone cannot read it"),
            (true, Some(key)) if Scheme::Aes256Cbc.decrypt(key.expose().as_bytes(), bytes).is_err() => {
                Some("the rule's --key does not open the file: phoneprov key prints the one that a master secret gives")
            }
            // Its header tells the phone to leave `--key` alone.
            (false, Some(_)) if response.content_encoding != Some("aes128gcm") => {
                Some("the rule has --key, and the file is not encrypted: the phone refuses it")
            }
            _ => None,
        }
    }

    /// Whether `.gz` at the end of the path asks for compression, as no file of that name is there.
    fn asks_for_gz(&self) -> bool {
        let is_gz = |file: &Arc<str>| file.to_ascii_lowercase().ends_with(".gz");
        let asks = self.question.request().path.is_ok_and(|path| path.without_gz().is_some());
        asks && self.trail.file.as_ref().is_some_and(|file| !is_gz(file))
    }

    /// Prints which file, rule, proof, transforms, headers and answer, or why there are none.
    pub(super) fn explain(&self, out: &mut impl Write) -> io::Result<()> {
        line(out, "path", &format!("{} over {}", self.question.asked(), self.question.over))?;
        match &self.outcome {
            Ok((profile, response)) => explain(out, profile)
                .and_then(|()| told_headers(out, self.question.over, response))
                .and_then(|()| line(out, "answer", &given(self.question.over, response))),
            Err(refusal) => {
                line(out, "file", self.trail.file.as_deref().unwrap_or("none"))?;
                line(out, "names", &self.trail.claimed.to_string())?;
                line(out, "rule", self.trail.rule.as_deref().unwrap_or("not reached, or refused by it"))?;
                if let Some(treatment) = &self.treatment {
                    line(out, "proof", proof(treatment, &self.trail.claimed))?;
                    line(out, "transforms", &transforms(treatment, treatment.gzip || self.asks_for_gz()))?;
                }
                line(out, "answer", &refused(self.question.over, refusal, &self.challenges))?;
                line(out, "reason", &refusal.to_string())
            }
        }
    }
}

fn explain(out: &mut impl Write, profile: &Profile) -> io::Result<()> {
    let grant = profile.grant();
    let (found, treatment) = (grant.found(), grant.treatment());
    let kind = match found.kind {
        FileKind::Literal => "served byte for byte",
        FileKind::Template => "a template, rendered for this phone",
        FileKind::Reflection => "what the certificate says",
        FileKind::Upload => "takes uploads",
    };
    let named = Named::of(found);
    line(out, "file", &format!("{} ({kind})", found.file))?;
    line(out, "macros", &known(&found.macros))?;
    line(out, "names", &named.to_string())?;
    line(out, "rule", &treatment.name)?;
    let given = match treatment.proof_for(named != Named::Nobody) {
        Proof::None => "",
        Proof::Password | Proof::Code | Proof::Certificate => ", taken as given",
    };
    line(out, "proof", &format!("{}{given}", proof(treatment, &named)))?;
    line(out, "transforms", &transforms(treatment, profile.coding() == Coding::GzipFile))
}

/// What has to be proven.
fn proof(treatment: &Treatment, named: &Named) -> &'static str {
    match treatment.proof_for(*named != Named::Nobody) {
        Proof::None => "none",
        Proof::Password => "a password of this device's account",
        Proof::Code => "a code that was given out",
        Proof::Certificate => "a certificate that names this device",
    }
}

/// What becomes of the profile.
fn transforms(treatment: &Treatment, is_gzip: bool) -> String {
    let cipher = treatment.encryption.as_ref();
    let cipher = cipher.map(|encryption| format!("{} under {}", encryption.scheme, encryption.key.kind()));
    let all: Vec<String> = is_gzip.then(|| "gzip".to_owned()).into_iter().chain(cipher).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", then ") }
}

/// The rule's own headers, which TFTP has not. Its `Content-Type` is told with the answer.
fn told_headers(out: &mut impl Write, over: Protocol, response: &Response) -> io::Result<()> {
    let own = response.headers.iter().filter(|(name, _)| over != Protocol::Tftp && *name != CONTENT_TYPE);
    own.into_iter().try_for_each(|(name, value)| {
        line(out, "header", &format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
    })
}

/// The answer of a protocol to a request that it serves.
fn given(over: Protocol, response: &Response) -> String {
    let bytes = response.body.length();
    let own = response.headers.iter().rfind(|(name, _)| *name == CONTENT_TYPE);
    let own = own.map(|(_, value)| String::from_utf8_lossy(value.as_bytes()));
    match over {
        Protocol::Tftp => format!("the file, {bytes} bytes"),
        Protocol::Http | Protocol::Https => {
            format!("200, {bytes} bytes, {}", own.as_deref().unwrap_or(response.content_type))
        }
    }
}

/// The answer to one that it refuses; `challenges` are what it would be asked for.
pub(super) fn refused(over: Protocol, refusal: &Refusal, challenges: &[String]) -> String {
    let schemes: Vec<&str> = challenges.iter().filter_map(|challenge| challenge.split(' ').next()).collect();
    match (over, refusal) {
        (Protocol::Tftp, _) => "error 1, file not found, whatever the reason".to_owned(),
        (_, Refusal::Store(_)) => "503, try again later".to_owned(),
        _ if schemes.is_empty() => "404 not found, whatever the reason".to_owned(),
        _ => format!("401, which asks for a password by {}", schemes.join(" or ")),
    }
}

/// The macros that have a value, as `MA=000e08abcdef`.
fn known(macros: &Macros) -> String {
    const NAMES: [&str; 22] = [
        "MA", "MAU", "MAC", "SN", "PN", "PSN", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N",
        "O", "P",
    ];
    let value = |name: &&str| Some(format!("{name}={}", macros.value(Macro::named(name)?)?));
    let known: Vec<String> = NAMES.iter().filter_map(value).collect();
    if known.is_empty() { "none".to_owned() } else { known.join(" ") }
}

/// Prints a variable, whose secrets are masked by whoever read it: what is left is meant to be seen.
pub(super) fn variable(out: &mut impl Write, name: &VariableName, value: &VariableValue) -> io::Result<()> {
    let what = if name.parameter().is_some() { "parameter" } else { "variable" };
    writeln!(out, "{what:<11} {name} = {}", OneLine(value))
}

/// Prints a name and what there is to say of it, on one line and without the passwords in URLs.
pub(super) fn line(out: &mut impl Write, name: &str, value: &str) -> io::Result<()> {
    writeln!(out, "{name:<11} {}", OneLine(in_passing(value)))
}
