//! Reports and problem reports that phones were told to send: the events say when one has come.

use std::time::{Duration, Instant};

use super::watch::{Fate, OFTEN, Told};
use crate::event::{Event, Kind};
use crate::provision::Outcome;
use crate::store::{Store, Wanted};

/// Events that are asked for at once.
const AT_ONCE: i64 = 1000;

/// Waits until every phone that answered has sent one that was kept, or the time is over. Events up to this one are older.
pub(super) async fn until_they_came(
    told: &mut [Told],
    store: &Store,
    (kind, mut after): (Kind, i64),
    wait: Duration,
) -> anyhow::Result<()> {
    let until = Instant::now() + wait;
    loop {
        loop {
            let wanted = Wanted { after, kind: Some(kind), ..Wanted::default() };
            let events = store.events_after(&wanted, AT_ONCE).await?;
            let Some(last) = events.last().map(|event| event.id) else { break };
            after = last;
            for told in told.iter_mut().filter(|told| told.fate == Fate::Answered) {
                if events.iter().any(|event| is_of(event, told)) {
                    told.fate = Fate::Reported;
                }
            }
        }
        if !told.iter().any(|told| told.fate == Fate::Answered) || Instant::now() >= until {
            return Ok(());
        }
        tokio::time::sleep(OFTEN).await;
    }
}

/// Whether this is what a phone has sent since it was told.
fn is_of(event: &Event, told: &Told) -> bool {
    // Events are kept to the millisecond.
    let is_since = event.at.as_millisecond() >= told.at.as_millisecond();
    is_since && event.device == Some(told.entry.id) && event.outcome == Outcome::Kept.as_str()
}
