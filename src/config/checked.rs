//! All tables of the file together: read whole, checked whole, and against each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use toml::Spanned;

use super::error::Findings;
use super::file::{folder_of, read};
use super::written::Written;
use super::{
    Admin, Admission, Api, Cache, ClientTls, ConfigError, Events, Intake, Lab, Limits, Lint, Listen, Log, MasterKey,
    Push, Rule, Store, Syslog, Throttle, Uploads,
};
use super::{intake, listen, reflect, rule, variables};
use crate::certificate::Reader;
use crate::profile::path::RequestPath;
use crate::profile::template::Variables;

/// Everything that the configuration file says, checked.
#[derive(Debug)]
pub struct Config {
    /// The file that was read.
    pub file: PathBuf,
    /// When that file was last written.
    pub modified: SystemTime,
    /// The folder of profiles.
    pub profiles: PathBuf,
    /// The folder that the server writes to; `None`: it writes nowhere.
    pub state: Option<PathBuf>,
    /// Where phones are heard, at least one.
    pub listen: Vec<Listen>,
    /// How client certificates are read.
    pub certificates: Reader,
    /// Who may come at all.
    pub admission: Arc<Admission>,
    /// What paths need, in the order in which they are tried.
    pub rules: Vec<Rule>,
    /// The path that answers with what the phone's certificate says; `None`: nothing does.
    pub reflect: Option<RequestPath>,
    /// Values for templates.
    pub variables: Variables,
    /// What one client may take.
    pub limits: Limits,
    /// What those may do who guess.
    pub throttle: Throttle,
    /// How much finished work is kept.
    pub cache: Cache,
    /// What profiles are held against.
    pub lint: Lint,
    /// How it is told.
    pub log: Log,
    /// Health and metrics; `None`: nowhere.
    pub admin: Admin,
    /// TLS of connections that we open.
    pub client_tls: ClientTls,
    /// The master secret, where there is one.
    pub master: Option<MasterKey>,
    /// The lab authority, where one is wanted.
    pub lab: Option<Lab>,
    /// Where devices are kept; `None`: nowhere, a device is what its certificate and path say.
    pub store: Option<Store>,
    /// What is kept of what happens; `None`: nothing.
    pub events: Option<Events>,
    /// How phones are told to come.
    pub push: Push,
    /// Where phones' lines are taken in; `None`: nowhere.
    pub syslog: Option<Syslog>,
    /// Programs that ask for upload tokens; `None`: none may.
    pub api: Option<Api>,
    /// Files that are handed in; `None`: none are.
    pub uploads: Option<Uploads>,
    /// Where files of cases are handed in.
    pub intake: Vec<Intake>,
}

impl Config {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, has an unknown key or a value of the wrong kind, or its parts contradict
    /// each other.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let text = read(file)?;
        let modified = std::fs::metadata(file).and_then(|metadata| metadata.modified());
        let modified = modified.map_err(|error| ConfigError::new(file, None, error.to_string()))?;
        Self::parse(&text, file, modified)
    }

    /// Only the `[lab]` table of a file: what it names has to be made before the rest can be checked.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn lab(file: &Path) -> Result<Option<Lab>, ConfigError> {
        Ok(Written::parse(&read(file)?, file)?.lab.map(|lab| lab.in_folder(folder_of(file))))
    }

    /// Checks the text of a configuration file.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, file: &Path, modified: SystemTime) -> Result<Self, ConfigError> {
        let written = Written::parse(text, file)?;
        let folder = folder_of(file);
        let mut findings = Findings::new(file, text);
        let listen = each(&mut findings, written.listen, |listen| listen.check(folder));
        if findings.is_empty() {
            findings.note(None, listen::check_all(&listen));
        }
        let master = findings.note(None, written.keys.load(folder)).flatten();
        let rules = each(&mut findings, written.rule, |rule| rule.check(folder, master.as_ref()));
        let certificates = findings.note(None, written.certificates.check()).unwrap_or_default();
        let admission = findings.note(None, Admission::check(written.allow, written.deny, folder)).unwrap_or_default();
        let reflect = findings.note(None, reflect::check(written.reflect.as_deref())).flatten();
        let variables = findings.note(None, variables::check(written.variables)).unwrap_or_default();
        let client_tls = findings.note(None, written.client_tls.check(folder)).unwrap_or_default();
        let limits = findings.note(None, written.limits.check()).unwrap_or_default();
        let throttle = findings.note(None, written.throttle.check()).unwrap_or_default();
        let lint = findings.note(None, written.lint.check()).unwrap_or_default();
        let push = findings.note(None, written.push.check()).unwrap_or_default();
        let store = written.store.map(|store| findings.note(None, store.check(folder)));
        let events = written.events.and_then(|events| findings.note(None, events.check(store.is_some())));
        let syslog = written.syslog.and_then(|syslog| findings.note(None, syslog.check()));
        let uploads = written.uploads.map(|uploads| findings.note(None, uploads.check(folder, store.is_some())));
        let api = written.api.and_then(|api| findings.note(None, api.check(folder, store.is_some())));
        let intake = each(&mut findings, written.intake, |intake| intake.check(folder));
        findings.note(None, intake::check_all(&intake, uploads.is_some()));
        findings.note(None, rule::check_all(&rules, store.is_some(), uploads.is_some()));
        findings.end()?;
        Ok(Self {
            file: file.to_owned(),
            modified,
            profiles: folder.join(written.profiles),
            state: written.state.map(|state| folder.join(state)),
            listen,
            certificates,
            admission: Arc::new(admission),
            rules,
            reflect,
            variables,
            limits,
            throttle,
            cache: written.cache,
            lint,
            log: written.log,
            admin: written.admin,
            client_tls,
            master,
            lab: written.lab.map(|lab| lab.in_folder(folder)),
            store: store.flatten(),
            events,
            push,
            syslog,
            api,
            uploads: uploads.flatten(),
            intake,
        })
    }
}

/// Checks the tables of one name, each with its line.
fn each<W, T>(findings: &mut Findings<'_>, tables: Vec<Spanned<W>>, check: impl Fn(W) -> Result<T, String>) -> Vec<T> {
    let note = |table: Spanned<W>| findings.note(Some(table.span()), check(table.into_inner()));
    tables.into_iter().filter_map(note).collect()
}
