//! How devices stand, held against what the server would give them now: for commands that look at devices.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::answer::{Asker, Question};
use super::store::Secrets;
use crate::app::App;
use crate::config::{Config, Protocol};
use crate::device::{Device, DeviceName};
use crate::event::Standing;
use crate::inventory::Known;
use crate::profile::flat::FlatProfile;
use crate::provision::{self, Profile, Refusal, Response, Trail, Verb};
use crate::store::{Entry, Store};

/// What a phone asks for within this time is one resync.
const RESYNC: SignedDuration = SignedDuration::from_mins(5);

/// The server as phones would find it now.
pub(super) struct Sight {
    app: App,
    store: Arc<Store>,
}

/// A path of a device: how it stands, and what it would be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) standing: Standing,
    /// The version that the server has for it; none where it would be refused.
    pub(super) intended: Option<String>,
    /// It was asked for at the last resync; an older path leads nowhere any more.
    pub(super) is_current: bool,
}

/// What a path comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The phone does not get it, or not take it.
    Failing,
    /// It has another version than it would be given.
    Behind,
    /// It was given the version, and has not said that it took it, though it says so of others.
    Unconfirmed,
    /// It has what it would be given.
    Current,
    /// It was asked for at an earlier resync only, or would not be given any more.
    Past,
}

impl Step {
    /// As people and programs have it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Behind => "behind",
            Self::Unconfirmed => "unconfirmed",
            Self::Current => "current",
            Self::Past => "past",
        }
    }
}

impl Sight {
    /// The server of a configuration.
    pub(super) fn open(config: Config, store: Arc<Store>) -> anyhow::Result<Self> {
        let app = super::store::app(config).context("the server's side cannot be looked at")?;
        Ok(Self { app, store })
    }

    /// What the configuration says.
    pub(super) fn config(&self) -> &Config {
        &self.app.config
    }

    /// A device with its variables, secrets among them.
    pub(super) async fn known(&self, name: &DeviceName) -> anyhow::Result<Option<Arc<Known>>> {
        let Some(inventory) = &self.app.line.inventory else { return Ok(None) };
        Ok(self.store.recall(inventory, name).await?)
    }

    /// How these devices stand, with what they would be given.
    pub(super) async fn of(&self, entries: &[Entry]) -> anyhow::Result<HashMap<i64, Vec<Path>>> {
        let ids: Vec<i64> = entries.iter().map(|entry| entry.id).collect();
        let mut standings: HashMap<i64, Vec<Standing>> = HashMap::new();
        for standing in self.store.standings_of(&ids).await? {
            standings.entry(standing.device).or_default().push(standing);
        }
        let mut paths: HashMap<i64, Vec<Path>> = HashMap::new();
        for entry in entries {
            let standings = standings.remove(&entry.id).unwrap_or_default();
            let last = standings.iter().map(|standing| standing.touched).max().unwrap_or(Timestamp::MIN);
            for standing in standings {
                let is_current = last.duration_since(standing.touched) <= RESYNC;
                let intended = self.intended(&entry.device, &standing.path).await;
                paths.entry(entry.id).or_default().push(Path { standing, intended, is_current });
            }
        }
        Ok(paths)
    }

    /// The version that a device would be given.
    async fn intended(&self, device: &Device, path: &str) -> Option<String> {
        self.given(device, path).await.map(|(_, response)| response.version.to_string())
    }

    /// The parameters that a device would be given with a path; none where it would be refused, or what it would be given is
    /// no profile.
    pub(super) async fn profile(&self, device: &Device, path: &str) -> Option<FlatProfile> {
        let (profile, _) = self.given(device, path).await?;
        let document = provision::preview(&self.app.line, &profile).ok()?;
        FlatProfile::read(&document.bytes).ok()
    }

    /// What a device would be given: over what it proves most by first.
    async fn given(&self, device: &Device, path: &str) -> Option<(Profile, Response)> {
        let identity = &device.identity;
        let asker = Asker { mac: identity.mac(), serial: identity.serial().cloned(), model: identity.model().cloned() };
        for over in [Protocol::Https, Protocol::Http, Protocol::Tftp] {
            let question = Question {
                path: path.to_owned(),
                over,
                verb: Verb::Get,
                presented: asker.presented(over),
                password: asker.password(),
                secrets: Secrets::Used,
            };
            let mut request = question.request();
            let mut trail = Trail::default();
            let admitted = match provision::admit(&self.app.line, &request, &mut trail) {
                Err(Refusal::Unread(name)) => self.app.admit(Some(&self.store), &mut request, &mut trail, name).await,
                admitted => admitted,
            };
            let given = admitted
                .and_then(|profile| Ok((provision::finish(&self.app.line, &request, &profile)?, profile)))
                .map(|(response, profile)| (profile, response));
            if let Ok(given) = given {
                return Some(given);
            }
        }
        None
    }
}

/// The paths that a device asks for, by its last resync.
pub(super) fn asked(standings: &[Standing]) -> Vec<String> {
    let last = standings.iter().map(|standing| standing.touched).max().unwrap_or(Timestamp::MIN);
    let current = standings.iter().filter(|standing| last.duration_since(standing.touched) <= RESYNC);
    current.map(|standing| standing.path.clone()).collect()
}

/// What each path comes to. A phone that has ever confirmed anything is held to its word; of another, what it was given
/// has to do.
pub(super) fn steps(paths: &[Path]) -> Vec<Step> {
    let confirms = paths.iter().any(|path| path.standing.confirmed.is_some());
    paths.iter().map(|path| step(path, confirms)).collect()
}

/// Where a device was when it was last heard of.
pub(super) fn address(paths: &[Path]) -> Option<IpAddr> {
    let last = paths.iter().max_by_key(|path| path.standing.touched)?;
    last.standing.address.parse().ok()
}

/// What all paths come to: the worst of them.
pub(super) fn worst(paths: &[Path]) -> Option<Step> {
    let steps = steps(paths);
    [Step::Failing, Step::Behind, Step::Unconfirmed, Step::Current].into_iter().find(|step| steps.contains(step))
}

fn step(path: &Path, confirms: bool) -> Step {
    let standing = &path.standing;
    if !path.is_current {
        return Step::Past;
    }
    if standing.failing.is_some() {
        return Step::Failing;
    }
    let Some(intended) = &path.intended else { return Step::Past };
    let given = standing.given.as_ref().map(|version| &version.hash);
    let confirmed = standing.confirmed.as_ref().map(|version| &version.hash);
    match (given == Some(intended), confirmed == Some(intended)) {
        (true, false) if confirms => Step::Unconfirmed,
        (true, _) | (_, true) => Step::Current,
        (false, false) => Step::Behind,
    }
}

/// A path as JSON.
pub(super) fn json(path: &Path, step: Step) -> Value {
    let Standing { path: name, address, given, confirmed, failing, .. } = &path.standing;
    let version = |version: &crate::event::Version| json!({ "version": version.hash, "at": version.at.to_string() });
    json!({
        "path": name,
        "step": step.as_str(),
        "address": address,
        "intended": path.intended,
        "given": given.as_ref().map(version),
        "confirmed": confirmed.as_ref().map(version),
        "failing": failing.as_ref().map(|failing| json!({ "since": failing.since.to_string(), "error": failing.error })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Failing, Version};

    fn path(given: &str, confirmed: &str, intended: &str) -> Path {
        let at = Timestamp::UNIX_EPOCH;
        let version = |hash: &str| (!hash.is_empty()).then(|| Version { hash: hash.to_owned(), at });
        let mut standing = Standing::new(1, "/a.cfg".into(), "192.0.2.1".into(), at);
        (standing.given, standing.confirmed) = (version(given), version(confirmed));
        Path { standing, intended: version(intended).map(|version| version.hash), is_current: true }
    }

    #[test]
    fn a_phone_that_confirms_is_held_to_its_word() {
        assert_eq!(steps(&[path("b", "a", "b")]), [Step::Unconfirmed]);
        assert_eq!(steps(&[path("b", "b", "b")]), [Step::Current]);
        assert_eq!(steps(&[path("a", "a", "b")]), [Step::Behind]);
        assert_eq!(steps(&[path("b", "", "b")]), [Step::Current], "one that never does");
        assert_eq!(steps(&[path("a", "", "b")]), [Step::Behind]);
        assert_eq!(
            steps(&[path("a", "b", "b")]),
            [Step::Current],
            "given something older since, and not said to be taken"
        );
    }

    #[test]
    fn what_was_asked_for_earlier_or_is_gone_does_not_count() {
        let earlier = Path { is_current: false, ..path("a", "", "b") };
        assert_eq!(steps(&[earlier.clone(), path("a", "", "")]), [Step::Past, Step::Past]);
        assert_eq!(worst(&[earlier, path("b", "", "b")]), Some(Step::Current));
        let mut failing = path("b", "b", "b");
        let at = Timestamp::UNIX_EPOCH;
        failing.standing.failing = Some(Failing { since: at, error: "x".into(), told: true });
        assert_eq!(worst(&[path("a", "", "b"), failing]), Some(Step::Failing));
        assert_eq!(worst(&[]), None);
    }
}
