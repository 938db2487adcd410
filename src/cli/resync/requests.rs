//! What phones have asked for since they were told, as the events have it: also what they were never given, of which nothing
//! is known beside.

use std::collections::HashMap;

use jiff::Timestamp;

use super::watch::{Fate, Says, Told};
use crate::event::{Event, Kind};
use crate::provision::Outcome;
use crate::store::{Store, StoreError, Wanted};

/// Events that are asked for at once.
const AT_ONCE: i64 = 1000;

/// What became of requests, by the devices' numbers.
#[derive(Debug)]
pub(super) struct Requests {
    after: i64,
    of: HashMap<i64, Asked>,
}

/// What a device has asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    /// Something that it was given, or began to be.
    Given,
    /// Nothing that it was given: why not, of the last.
    InVain(String),
}

impl Requests {
    /// Those after this event.
    pub(super) fn after(event: i64) -> Self {
        Self { after: event, of: HashMap::new() }
    }

    /// Takes in what has happened since the last time. Anybody can ask for a path that names a device: who has not proven to be
    /// it does not count.
    pub(super) async fn read_on(&mut self, told: &[Told], store: &Store) -> Result<(), StoreError> {
        let at: HashMap<i64, Timestamp> = told.iter().map(|told| (told.entry.id, told.at)).collect();
        loop {
            let wanted = Wanted { after: self.after, kind: Some(Kind::Request), ..Wanted::default() };
            let events = store.events_after(&wanted, AT_ONCE).await?;
            let Some(last) = events.last().map(|event| event.id) else { return Ok(()) };
            self.after = last;
            for event in events.iter().filter(|event| event.certain) {
                // Events are kept to the millisecond.
                let is_since = |at: &Timestamp| event.at.as_millisecond() >= at.as_millisecond();
                if let Some(device) = event.device.filter(|device| at.get(device).is_some_and(is_since)) {
                    self.note(device, event);
                }
            }
        }
    }

    /// What is known of a device by its requests alone.
    pub(super) fn fate(&self, device: i64) -> Fate {
        match self.of.get(&device) {
            None => Fate::Answered,
            Some(Asked::Given) => Fate::Came,
            Some(Asked::InVain(why)) => Fate::Fails(Says::Server, why.clone()),
        }
    }

    fn note(&mut self, device: i64, event: &Event) {
        let in_vain = [Outcome::Unknown, Outcome::Refused, Outcome::Failed];
        if !in_vain.iter().any(|outcome| outcome.as_str() == event.outcome) {
            self.of.insert(device, Asked::Given);
        } else if self.of.get(&device) != Some(&Asked::Given) {
            let path = event.path.as_deref().unwrap_or_default();
            self.of.insert(device, Asked::InVain(format!("{path}: {}", event.text)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requested(path: &str, outcome: Outcome, text: &str) -> Event {
        Event {
            id: 1,
            at: Timestamp::UNIX_EPOCH,
            kind: Kind::Request,
            device: Some(7),
            name: None,
            certain: true,
            address: "192.0.2.1".into(),
            path: Some(path.into()),
            outcome: outcome.as_str().into(),
            version: None,
            text: text.into(),
            follows: None,
        }
    }

    #[test]
    fn a_phone_that_gets_nothing_came_all_the_same() {
        let mut requests = Requests::after(0);
        assert_eq!(requests.fate(7), Fate::Answered);
        requests.note(7, &requested("/a.cfg", Outcome::Unknown, "no such file"));
        assert_eq!(requests.fate(7), Fate::Fails(Says::Server, "/a.cfg: no such file".into()));
        requests.note(7, &requested("/b.cfg", Outcome::Served, ""));
        requests.note(7, &requested("/c.cfg", Outcome::Refused, "no proof"));
        assert_eq!(requests.fate(7), Fate::Came, "many ask for files that never were");
    }
}
