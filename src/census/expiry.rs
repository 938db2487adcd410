//! When the certificates of devices end, so that an operator knows before it happens: one row a device, the last
//! certificate that it showed.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::certificate::Credential;
use crate::device::{DeviceIdentity, MacAddress, Model, SerialNumber};

/// Devices that are kept: those whose certificates end first.
const MOST: usize = 65_536;

/// What is given up at once when there are more, so that the next ones have room.
const ROOM: usize = MOST / 16;

/// A device that did not come for as long as this makes room before any other.
const GONE: SignedDuration = SignedDuration::from_hours(400 * 24);

/// The longest issuer that is kept, in characters.
const LONGEST: usize = 200;

/// A device and its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expiry {
    /// Its MAC address, where the certificate names one.
    pub mac: Option<String>,
    /// Its serial number, likewise.
    pub serial: Option<String>,
    /// Its product, likewise.
    pub model: Option<String>,
    /// Who signed the certificate.
    pub issuer: String,
    /// When it ends.
    pub expires: Timestamp,
    /// The last day on which it was shown.
    pub last: Timestamp,
}

/// All that is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expiries {
    /// There were too many: of those whose certificates end later than this, not all are there.
    pub beyond: Option<Timestamp>,
    /// In the order in which their certificates end.
    pub devices: Vec<Expiry>,
}

/// The devices, found by name.
#[derive(Debug, Default)]
pub(super) struct Devices {
    rows: HashMap<Name, Expiry>,
    beyond: Option<Timestamp>,
}

/// What a device is known by: a renewed certificate may say more or less than the one before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Name {
    Mac(MacAddress),
    Serial(SerialNumber),
}

impl Devices {
    /// Those of an earlier run.
    pub(super) fn of(kept: Expiries) -> Self {
        let named = |row: Expiry| {
            let mac = row.mac.as_deref().and_then(|mac| mac.parse().ok()).map(Name::Mac);
            let serial = || row.serial.as_deref().and_then(|serial| serial.parse().ok()).map(Name::Serial);
            Some((mac.or_else(serial)?, row.clone()))
        };
        let rows = kept.devices.into_iter().take(MOST).filter_map(named).collect();
        Self { rows, beyond: kept.beyond }
    }

    /// Takes note of a device; whether anything has changed by it. Most of the time nothing has.
    pub(super) fn note(&mut self, identity: &DeviceIdentity, credential: &Credential, now: Timestamp) -> bool {
        let Some(name) = Name::of(identity) else { return false };
        if let Some(row) = self.rows.get_mut(&name) {
            let is_same = row.expires == credential.expires && day(row.last) == day(now);
            if !is_same {
                *row = Expiry::new(identity, credential, now);
            }
            return !is_same;
        }
        if self.beyond.is_some_and(|beyond| credential.expires > beyond) && self.rows.len() >= MOST - ROOM {
            return false;
        }
        if self.rows.len() >= MOST {
            self.make_room(now);
        }
        self.rows.insert(name, Expiry::new(identity, credential, now));
        true
    }

    /// All of them, in the order in which their certificates end.
    pub(super) fn kept(&self) -> Expiries {
        let mut devices: Vec<Expiry> = self.rows.values().cloned().collect();
        devices.sort_by(|a, b| (a.expires, &a.mac, &a.serial).cmp(&(b.expires, &b.mac, &b.serial)));
        Expiries { beyond: self.beyond, devices }
    }

    /// Gives up those that are gone; where that is not enough, those whose certificates end last.
    fn make_room(&mut self, now: Timestamp) {
        self.rows.retain(|_, row| now.duration_since(row.last) < GONE);
        let keep = MOST - ROOM;
        if self.rows.len() <= keep {
            return;
        }
        let mut ends: Vec<Timestamp> = self.rows.values().map(|row| row.expires).collect();
        let (_, last, _) = ends.select_nth_unstable(keep - 1);
        let last = *last;
        self.beyond = Some(last);
        // Many may end at the same moment: of those, as many as there is room for.
        let mut room = keep - self.rows.values().filter(|row| row.expires < last).count();
        self.rows.retain(|_, row| {
            let stays = row.expires < last || (row.expires == last && room > 0);
            room -= usize::from(stays && row.expires == last);
            stays
        });
    }
}

impl Name {
    fn of(identity: &DeviceIdentity) -> Option<Self> {
        identity.mac().map(Self::Mac).or_else(|| identity.serial().cloned().map(Self::Serial))
    }
}

impl Expiry {
    fn new(identity: &DeviceIdentity, credential: &Credential, now: Timestamp) -> Self {
        Self {
            mac: identity.mac().map(|mac| mac.to_string()),
            serial: identity.serial().map(ToString::to_string),
            model: identity.model().map(Model::to_string),
            issuer: credential.issuer.chars().take(LONGEST).collect(),
            expires: credential.expires,
            last: now,
        }
    }
}

/// Days since 1970: what is shown every hour changes the file once a day.
fn day(time: Timestamp) -> i64 {
    time.as_second().div_euclid(24 * 3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(day * 24 * 3600).expect("a time")
    }

    fn phone(number: u32) -> DeviceIdentity {
        let [_, a, b, c] = number.to_be_bytes();
        DeviceIdentity::new(Some(MacAddress::new([0, 0x0e, 8, a, b, c])), None, None).expect("an identity")
    }

    fn credential(identity: &DeviceIdentity, expires: i64) -> Credential {
        Credential { expires: at(expires), ..Credential::sample(identity) }
    }

    fn note(devices: &mut Devices, number: u32, expires: i64, now: i64) -> bool {
        let identity = phone(number);
        devices.note(&identity, &credential(&identity, expires), at(now))
    }

    #[test]
    fn a_device_is_one_row_that_changes_when_its_certificate_or_the_day_does() {
        let mut devices = Devices::default();
        assert!(note(&mut devices, 1, 100, 10));
        assert!(!note(&mut devices, 1, 100, 10), "nothing new");
        assert!(note(&mut devices, 1, 100, 11), "another day");
        assert!(note(&mut devices, 1, 900, 11), "a renewed certificate");
        let kept = devices.kept();
        assert_eq!((kept.devices.len(), kept.devices[0].expires, kept.beyond), (1, at(900), None));
        assert_eq!(Devices::of(kept.clone()).kept(), kept);
    }

    #[test]
    fn of_too_many_those_that_end_first_are_kept() {
        let mut devices = Devices::default();
        let many = u32::try_from(MOST).expect("a small number");
        for number in 0..many {
            note(&mut devices, number, i64::from(number), 10);
        }
        assert_eq!(devices.kept().beyond, None);
        assert!(note(&mut devices, many, 5, 10), "it ends early");
        let kept = devices.kept();
        assert_eq!(kept.devices.len(), MOST - ROOM + 1);
        assert_eq!(kept.beyond, Some(at(i64::from(many) - 1 - i64::try_from(ROOM).expect("a small number"))));
        assert!(!note(&mut devices, many + 1, 1_000_000, 10), "it ends late");
        assert!(note(&mut devices, 0, 1_000_000, 10), "one that is there stays");
    }

    #[test]
    fn whoever_is_gone_makes_room_before_others() {
        let mut devices = Devices::default();
        let many = u32::try_from(MOST).expect("a small number");
        for number in 0..many {
            let seen = if number % 2 == 0 { 10 } else { 1000 };
            note(&mut devices, number, 5000, seen);
        }
        assert!(note(&mut devices, many, 5000, 1000));
        assert_eq!((devices.kept().devices.len(), devices.kept().beyond), (MOST / 2 + 1, None));
    }

    #[test]
    fn many_that_end_at_once_are_no_more_than_fit() {
        let mut devices = Devices::default();
        for number in 0..=u32::try_from(MOST).expect("a small number") {
            note(&mut devices, number, 5000, 10);
        }
        assert_eq!(devices.kept().devices.len(), MOST - ROOM + 1);
    }
}
