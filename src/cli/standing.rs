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
    /// It was given the version, and is held to its word, and has not said that it took it.
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

/// What each path comes to.
pub(super) fn steps(paths: &[Path]) -> Vec<Step> {
    let failing = |path: &Path| (path.is_current && path.standing.failing.is_some()).then_some(Step::Failing);
    versions(paths).into_iter().zip(paths).map(|(step, path)| failing(path).unwrap_or(step)).collect()
}

/// Whether a device has some path in another version than it would be given, or has not taken that, failing or not.
pub(super) fn is_behind(paths: &[Path]) -> bool {
    versions(paths).into_iter().zip(paths).any(|(step, path)| match step {
        Step::Behind | Step::Unconfirmed => true,
        // The last that it said of what it would still be given is that it failed.
        Step::Current => path.standing.failing.as_ref().is_some_and(|failing| failing.told),
        Step::Failing | Step::Past => false,
    })
}

/// What each path comes to by versions alone, whether it fails or not. The phone is held to its word for a path that it has
/// ever confirmed, and for all of them where it has confirmed something some time and nothing of this resync; of any other,
/// what it was given has to do.
fn versions(paths: &[Path]) -> Vec<Step> {
    let has_confirmed = |path: &Path| path.standing.confirmed.is_some();
    let is_silent = paths.iter().any(has_confirmed) && !paths.iter().any(|path| path.is_current && path.is_confirmed());
    paths.iter().map(|path| step(path, is_silent || has_confirmed(path))).collect()
}

/// The same paths, as if only those were current that were asked for since then.
pub(super) fn since(paths: &[Path], at: Timestamp) -> Vec<Path> {
    paths.iter().map(|path| Path { is_current: path.standing.touched >= at, ..path.clone() }).collect()
}

/// Where a device was when it was last heard of: where it proved to be it, if it ever did.
pub(super) fn address(paths: &[Path]) -> Option<Place> {
    let last = paths.iter().max_by_key(|path| (path.standing.proven, path.standing.touched))?;
    Some(Place { ip: last.standing.address.parse().ok()?, proven: last.standing.proven })
}

/// An address that something was given to in a device's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) ip: IpAddr,
    /// It was the device, by a certificate or password.
    pub(super) proven: bool,
}

/// What all paths come to: the worst of them.
pub(super) fn worst(paths: &[Path]) -> Option<Step> {
    let steps = steps(paths);
    [Step::Failing, Step::Behind, Step::Unconfirmed, Step::Current].into_iter().find(|step| steps.contains(step))
}

impl Path {
    /// Whether the phone has said that it took what it was given last.
    fn is_confirmed(&self) -> bool {
        let Standing { given, confirmed, .. } = &self.standing;
        confirmed.as_ref().zip(given.as_ref()).is_some_and(|(confirmed, given)| confirmed.hash == given.hash)
    }
}

fn step(path: &Path, is_held: bool) -> Step {
    let standing = &path.standing;
    let Some(intended) = path.intended.as_ref().filter(|_| path.is_current) else { return Step::Past };
    let given = standing.given.as_ref().map(|version| &version.hash);
    let confirmed = standing.confirmed.as_ref().map(|version| &version.hash);
    match (given == Some(intended), confirmed == Some(intended)) {
        (true, false) if is_held => Step::Unconfirmed,
        (true, _) | (_, true) => Step::Current,
        (false, false) => Step::Behind,
    }
}

/// What a device comes to, as fields of JSON.
pub(super) fn in_short(paths: &[Path]) -> [(&'static str, Value); 2] {
    [("step", json!(worst(paths).map(Step::as_str))), ("behind", is_behind(paths).into())]
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
    fn a_path_that_was_never_confirmed_is_judged_by_what_was_given_beside_one_that_is() {
        let never = path("x", "", "x");
        assert_eq!(steps(&[never.clone(), path("b", "b", "b")]), [Step::Current, Step::Current]);
        assert_eq!(
            steps(&[never.clone(), path("b", "b", "c")]),
            [Step::Current, Step::Behind],
            "what it took of the last resync is its word, whatever has changed since"
        );
        assert_eq!(steps(&[path("a", "", "x"), path("b", "b", "b")]), [Step::Behind, Step::Current]);
    }

    #[test]
    fn a_path_that_was_confirmed_once_is_held_to_it_whatever_others_say() {
        assert_eq!(steps(&[path("b", "a", "b"), path("c", "c", "c")]), [Step::Unconfirmed, Step::Current]);
    }

    #[test]
    fn a_phone_that_has_confirmed_and_says_nothing_of_this_resync_is_held_to_its_word_for_all() {
        let never = path("x", "", "x");
        assert_eq!(steps(&[never.clone(), path("b", "a", "b")]), [Step::Unconfirmed, Step::Unconfirmed]);
        let earlier = Path { is_current: false, ..path("b", "b", "b") };
        assert_eq!(steps(&[never.clone(), earlier]), [Step::Unconfirmed, Step::Past]);
        assert_eq!(steps(&[never.clone(), never]), [Step::Current, Step::Current], "one that never does");
    }

    #[test]
    fn only_what_was_asked_for_since_a_push_counts_for_it() {
        let at = |second| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
        let (mut before, mut after) = (path("a", "", "b"), path("b", "b", "b"));
        (before.standing.touched, after.standing.touched) = (at(10), at(20));
        assert_eq!(worst(&[before.clone(), after.clone()]), Some(Step::Behind));
        assert_eq!(worst(&since(&[before.clone(), after.clone()], at(20))), Some(Step::Current));
        after.standing.confirmed = None;
        before.standing.confirmed = Some(Version { hash: "a".into(), at: at(10) });
        let both = since(&[before, after], at(20));
        assert_eq!(worst(&both), Some(Step::Unconfirmed), "that it has ever confirmed is not forgotten");
        assert_eq!(worst(&since(&both, at(21))), None);
    }

    #[test]
    fn a_phone_that_fails_is_behind_where_it_has_not_taken_what_it_would_be_given() {
        let fails = |path: Path, told: bool| {
            let failing = Some(Failing { since: Timestamp::UNIX_EPOCH, error: "x".into(), told });
            Path { standing: Standing { failing, ..path.standing }, ..path }
        };
        let refused = fails(path("b", "", "b"), false);
        for (paths, is_behind, why) in [
            (vec![fails(path("a", "", "b"), true)], true, "its profile changed since"),
            (vec![fails(path("", "", "b"), false)], true, "it was refused, and would be served now"),
            (vec![fails(path("x", "", ""), true), path("a", "", "b")], true, "it fails with another path"),
            (vec![fails(path("b", "", "b"), true)], true, "it failed at what it would be given"),
            (vec![fails(path("b", "a", "b"), false)], true, "its word counts, and it has not given it"),
            (vec![refused.clone(), path("c", "", "c")], false, "it was refused once, and has all"),
            (vec![fails(path("a", "", ""), true)], false, "there is nothing for it"),
            (vec![Path { is_current: false, ..fails(path("a", "", "b"), true) }], false, "it asks for that no more"),
        ] {
            assert_eq!(super::is_behind(&paths), is_behind, "{why}");
        }
        assert_eq!(worst(&[refused]), Some(Step::Failing), "a column shows the worst");
    }

    #[test]
    fn a_device_is_where_it_proved_to_be_it() {
        let (mut proven, mut later) = (path("a", "", "a"), path("a", "", "a"));
        (proven.standing.proven, later.standing.address) = (true, "192.0.2.66".into());
        later.standing.touched += SignedDuration::from_hours(1);
        let at = |text: &str, proven| Some(Place { ip: text.parse().expect("an address"), proven });
        assert_eq!(address(&[proven, later.clone()]), at("192.0.2.1", true));
        assert_eq!(address(&[later]), at("192.0.2.66", false));
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
