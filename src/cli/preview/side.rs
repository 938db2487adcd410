//! A server as it is, or as it would be: what it gives a phone, without a socket and without a word of it anywhere.

use std::sync::Arc;

use crate::app::App;
use crate::cli::answer::{Asker, Question};
use crate::cli::store::Secrets;
use crate::config::Protocol;
use crate::device::{Device, DeviceName};
use crate::inventory::Known;
use crate::provision::{self, Document, Profile, Refusal, Trail, Verb};
use crate::store::{Entry, KeyState, Outlook, Store};

/// Names that one path may need.
const NAMES: usize = 20;

/// Files, rules and layers of devices.
#[derive(Debug, Clone)]
pub(crate) struct Side {
    /// Files, rules and the configuration's variables.
    pub(crate) app: Arc<App>,
    /// What devices have in common.
    pub(crate) outlook: Outlook,
}

/// A device on one side.
#[derive(Debug)]
pub(crate) struct Subject {
    device: Device,
    known: Arc<Known>,
}

impl Subject {
    /// The device with what its profiles are made with there.
    pub(crate) fn new(store: &Store, side: &Side, entry: &Entry, keys: &[KeyState]) -> Self {
        Self { device: entry.device.clone(), known: Arc::new(store.foresee(&side.outlook, entry, keys)) }
    }

    /// What is known of it.
    pub(crate) fn known(&self) -> &Known {
        &self.known
    }

    /// The device.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Whether no profile can tell it from another.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.known == other.known
    }
}

impl Side {
    /// What the device may have under a path, over what it proves most by first; or the reason why it may not.
    pub(crate) fn admit(&self, subject: &Subject, path: &str) -> Result<Profile, String> {
        let identity = &subject.device.identity;
        let asker = Asker { mac: identity.mac(), serial: identity.serial().cloned(), model: identity.model().cloned() };
        let mut reason = String::new();
        for over in [Protocol::Https, Protocol::Http, Protocol::Tftp] {
            let question = Question {
                path: path.to_owned(),
                over,
                verb: Verb::Get,
                presented: asker.presented(over),
                password: asker.password(),
                secrets: Secrets::Used,
            };
            match self.walk(subject, &question) {
                Ok(profile) => return Ok(profile),
                // What the first of them says is what the others only vary.
                Err(refusal) if reason.is_empty() => reason = refusal.to_string(),
                Err(_) => {}
            }
        }
        Err(reason)
    }

    /// The profile's content.
    pub(crate) fn draft(&self, profile: &Profile) -> Result<Document, String> {
        provision::draft(&self.app.line, profile).map_err(|refusal| refusal.to_string())
    }

    fn walk(&self, subject: &Subject, question: &Question) -> Result<Profile, Refusal> {
        let mut request = question.request();
        let mut trail = Trail::default();
        // Memory has nothing, so every name is looked for here.
        request.read = subject.device.names().map(|name| (name, Some(subject.known.clone()))).collect();
        for _ in 0..NAMES {
            match provision::admit(&self.app.line, &request, &mut trail) {
                Err(Refusal::Unread(name)) => request.read.push(nobody(name)),
                admitted => return admitted,
            }
        }
        Err(Refusal::NoSuchFile)
    }
}

fn nobody(name: DeviceName) -> (DeviceName, Option<Arc<Known>>) {
    (name, None)
}
