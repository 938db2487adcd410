//! News become events, and change how devices stand.
//!
//! A line by syslog proves nothing. It counts for a device where it comes from the address that the device was last served
//! at, for the path that it was served there: what it can say then is no more than whether that was taken. Any other line
//! is kept with the name that it claims, and changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::{Event, Kind, News, Reception, Requested, Standing, Version};
use crate::device::{Agent, DeviceName};
use crate::provision::Outcome;
use crate::syslog::{KEPT, Line, Said, Stage, clipped};

/// How long a device that has proven itself is where it did so: what others say in its name from elsewhere does not count.
const VOUCHES: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Paths of a device that are kept; of more, those that were heard of last.
const PATHS: usize = 32;

/// The longest path, error and text that are kept, but for that of a line (bytes).
const LONGEST: usize = 500;

/// How the file is named that a phone's image begins with: `sip88xx.11-3-2MPP0001-609.loads`.
const IMAGE: &str = ".loads";

/// What news are held against: devices and how they stand, as far as these news need them.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The devices' numbers, by every name that the news have.
    pub ids: HashMap<DeviceName, i64>,
    /// The only device that was served at an address, for lines that name none.
    pub alone_at: HashMap<IpAddr, (i64, DeviceName)>,
    /// The path of the image that each device last said that it would fetch.
    pub upgrading: HashMap<i64, String>,
    standings: BTreeMap<i64, BTreeMap<String, Standing>>,
    changed: BTreeSet<(i64, String)>,
    dropped: BTreeSet<(i64, String)>,
}

impl Ledger {
    /// Takes in how a device stands with a path.
    pub fn add(&mut self, standing: Standing) {
        self.standings.entry(standing.device).or_default().insert(standing.path.clone(), standing);
    }

    /// Enters news under this number.
    pub fn enter(&mut self, news: &News, id: i64) -> Event {
        match news {
            News::Requested(requested) => self.requested(requested, id),
            News::Said(line) => self.said(line, id),
            News::Pushed { at, device, address, text, answered } => Event {
                id,
                at: *at,
                kind: Kind::Push,
                device: self.ids.get(device).copied(),
                name: Some(device.to_string()),
                certain: true,
                address: address.clone(),
                path: None,
                outcome: if *answered { "answered" } else { "failed" }.to_owned(),
                version: None,
                text: safe(text, LONGEST),
                follows: None,
            },
            News::Uploaded { at, device, address, path, text, reception } => Event {
                id,
                at: *at,
                kind: Kind::Upload,
                device: device.as_ref().and_then(|device| self.ids.get(device)).copied(),
                name: device.as_ref().map(ToString::to_string),
                certain: news.is_vouched(),
                address: address.clone(),
                path: path.as_deref().map(path_of),
                outcome: if *reception == Reception::Kept { "kept" } else { "refused" }.to_owned(),
                version: None,
                text: safe(text, LONGEST),
                follows: None,
            },
            News::Alarm { at, peer, text } => Event {
                id,
                at: *at,
                kind: Kind::Alarm,
                device: None,
                name: None,
                certain: true,
                address: peer.to_string(),
                path: None,
                outcome: "alarm".to_owned(),
                version: None,
                text: safe(text, LONGEST),
                follows: None,
            },
        }
    }

    /// The standings that have changed, and those that make room: device and path.
    #[must_use]
    pub fn into_changes(mut self) -> (Vec<Standing>, Vec<(i64, String)>) {
        let taken = |(device, path): &(i64, String)| self.standings.get_mut(device)?.remove(path);
        let changed = self.changed.iter().filter_map(taken).collect();
        (changed, self.dropped.into_iter().collect())
    }

    fn requested(&mut self, requested: &Requested, id: i64) -> Event {
        let (proven, claimed) = (requested.proven(), requested.claimed());
        let certain = proven.is_some();
        let name = proven.or(claimed);
        let device = name.as_ref().and_then(|name| self.ids.get(name)).copied();
        let (path, address) = (path_of(&requested.path), requested.peer.to_canonical().to_string());
        let counts = |device: &i64| certain || self.may_be_at(*device, &address, requested.at);
        if let Some(device) = device.filter(|_| requested.trail.upload.is_none()).filter(counts) {
            self.served(requested, (device, &path), &address, (id, certain));
        }
        Event {
            id,
            at: requested.at,
            kind: requested.kind(),
            device,
            name: name.map(|name| name.to_string()),
            certain,
            address,
            path: Some(path),
            outcome: requested.outcome.as_str().to_owned(),
            version: requested.version.map(|version| version.to_string()),
            text: safe(&requested.text(), LONGEST),
            follows: None,
        }
    }

    fn served(&mut self, requested: &Requested, of: (i64, &str), address: &str, (id, certain): (i64, bool)) {
        let at = requested.at;
        match (requested.outcome, &requested.version) {
            (Outcome::Served | Outcome::Unchanged, Some(version)) => {
                let standing = self.standing(of, address, at);
                standing.proven = certain || (standing.proven && standing.address == address);
                address.clone_into(&mut standing.address);
                (standing.request, standing.touched) = (id, at);
                standing.given = Some(Version { hash: version.to_string(), at });
                if let Some(agent) = requested.agent.as_deref().and_then(Agent::parse) {
                    agent.firmware.clone_into(&mut standing.firmware);
                }
                standing.failing.take_if(|failing| !failing.told);
            }
            // Who has not proven anything may be anybody, and what names another device is none of its own.
            (Outcome::Refused | Outcome::Failed | Outcome::Unknown, _) if certain && self.is_missed(requested, of) => {
                let standing = self.standing(of, address, at);
                // To be refused says where a device is just as well.
                standing.proven = true;
                address.clone_into(&mut standing.address);
                (standing.request, standing.touched) = (id, at);
                standing.fail(at, safe(requested.reason.as_deref().unwrap_or("not served"), LONGEST), false);
            }
            _ => {}
        }
    }

    /// Whether a device is worse off for not being served this path: it names the device, or none. Phones ask for many a
    /// file that never was: one that is not there is missed where it was given before.
    fn is_missed(&self, requested: &Requested, (device, path): (i64, &str)) -> bool {
        let is_own = requested.claimed().is_none_or(|claimed| self.ids.get(&claimed) == Some(&device));
        let before = self.standings.get(&device).and_then(|paths| paths.get(path));
        is_own && (requested.outcome != Outcome::Unknown || before.is_some_and(|before| before.given.is_some()))
    }

    fn said(&mut self, line: &Line, id: i64) -> Event {
        let address = line.peer.to_string();
        let (device, name) = match (&line.name, self.alone_at.get(&line.peer)) {
            (Some(name), _) => (self.ids.get(name).copied(), Some(name.to_string())),
            (None, Some((device, name))) if self.is_at(*device, &address) => (Some(*device), Some(name.to_string())),
            (None, _) => (None, None),
        };
        let device = device.filter(|device| self.is_at(*device, &address));
        let mut event = Event {
            id,
            at: line.at,
            kind: Kind::Syslog,
            device,
            name,
            // By its address alone, a line is only taken to be the device's.
            certain: device.is_some() && line.name.is_some(),
            address,
            path: line.said.as_ref().and_then(|said| said.path.as_deref()).map(path_of),
            outcome: line.said.as_ref().map_or("line", |said| said.stage.as_str()).to_owned(),
            version: None,
            text: safe(&line.text, KEPT),
            follows: None,
        };
        if let Some((device, said)) = device.zip(line.said.as_ref()) {
            self.heard(device, said, &mut event);
        }
        event
    }

    /// What a line changes that counts.
    fn heard(&mut self, device: i64, said: &Said, event: &mut Event) {
        let is_of_image = matches!(said.stage, Stage::UpgradeRequest | Stage::UpgradeSuccess | Stage::UpgradeFailure);
        if let (Stage::UpgradeRequest, Some(path)) = (said.stage, &event.path) {
            self.upgrading.insert(device, path.clone());
        }
        // What becomes of an image says nothing of a profile. The phones' own text of a failure has no path.
        let latest = || match is_of_image {
            true => self.upgrading.get(&device).cloned().or_else(|| self.latest_at(device, &event.address, is_image)),
            false => self.latest_at(device, &event.address, |path| !is_image(path)),
        };
        let Some(path) = event.path.clone().or_else(latest) else { return };
        let known = self.standings.get(&device).and_then(|paths| paths.get(&path));
        let elsewhere = known.is_some_and(|known| known.address != event.address);
        // A request makes a path known, and so does an image that fails, wherever it comes from; anything else that a line
        // says is of a file that is not ours.
        let makes_known = matches!(said.stage, Stage::Request | Stage::UpgradeFailure);
        if elsewhere || (known.is_none() && !makes_known) {
            return;
        }
        let standing = self.standing((device, &path), &event.address, event.at);
        standing.touched = event.at;
        event.follows = Some(standing.request).filter(|request| *request != 0);
        match said.stage {
            Stage::Request | Stage::UpgradeRequest => {}
            Stage::Success | Stage::UpgradeSuccess => {
                standing.failing = None;
                standing.confirmed =
                    standing.given.clone().map(|given| Version { at: event.at, ..given }).or(standing.confirmed.take());
                event.version = standing.given.as_ref().map(|given| given.hash.clone());
                // It was there for its failure alone.
                if is_of_image && standing.given.is_none() && standing.confirmed.is_none() {
                    self.forget(device, path.clone());
                }
            }
            Stage::Failure | Stage::UpgradeFailure => {
                let error = said.error.as_deref().unwrap_or("the phone gives no reason");
                standing.fail(event.at, safe(error, LONGEST), true);
            }
        }
        event.path = Some(path);
    }

    /// Whether somebody at this address may be this device without any proof: nothing says that it is elsewhere.
    fn may_be_at(&self, device: i64, address: &str, at: Timestamp) -> bool {
        let proven = self.standings.get(&device).into_iter().flat_map(BTreeMap::values).filter(|path| path.proven);
        let latest = proven.max_by_key(|path| path.touched);
        latest.is_none_or(|path| path.address == address || at.duration_since(path.touched) > VOUCHES)
    }

    /// Whether a device was heard of at this address.
    fn is_at(&self, device: i64, address: &str) -> bool {
        self.standings.get(&device).is_some_and(|paths| paths.values().any(|standing| standing.address == address))
    }

    /// The path of these that a device at this address was last heard of with.
    fn latest_at(&self, device: i64, address: &str, is_meant: impl Fn(&str) -> bool) -> Option<String> {
        let paths = self.standings.get(&device)?.values();
        let paths = paths.filter(|standing| standing.address == address && is_meant(&standing.path));
        paths.max_by_key(|standing| standing.touched).map(|standing| standing.path.clone())
    }

    fn forget(&mut self, device: i64, path: String) {
        if let Some(paths) = self.standings.get_mut(&device) {
            paths.remove(&path);
        }
        self.changed.remove(&(device, path.clone()));
        self.dropped.insert((device, path));
    }

    fn standing(&mut self, (device, path): (i64, &str), address: &str, at: Timestamp) -> &mut Standing {
        let paths = self.standings.entry(device).or_default();
        if !paths.contains_key(path) && paths.len() >= PATHS {
            let oldest = paths.values().min_by_key(|standing| standing.touched).map(|oldest| oldest.path.clone());
            if let Some(oldest) = oldest {
                self.forget(device, oldest);
            }
        }
        let paths = self.standings.entry(device).or_default();
        self.changed.insert((device, path.to_owned()));
        self.dropped.remove(&(device, path.to_owned()));
        let new = || Standing::new(device, path.to_owned(), address.to_owned(), at);
        paths.entry(path.to_owned()).or_insert_with(new)
    }
}

/// Whether a path names an image.
fn is_image(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(IMAGE)
}

/// A path as requests have it: without a query, and with its first slash, which TFTP leaves out.
fn path_of(text: &str) -> String {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let slash = if path.starts_with('/') { "" } else { "/" };
    safe(&format!("{slash}{path}"), LONGEST)
}

/// Text that is kept: without control characters, and not too long.
fn safe(text: &str, most: usize) -> String {
    clipped(&text.replace(char::is_control, " "), most)
}
