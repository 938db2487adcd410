//! What a refusal costs its client: five milliseconds, and past a budget more.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::app::App;
use crate::event::{Journal, News};
use crate::log::Record;
use crate::metrics::Metrics;
use crate::provision::{Guess, REFUSAL_TAKES};
use crate::throttle::Alarm;

/// Nothing is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// There is no place left to wait for those who guess.
    #[error("past its budget, and no place left to wait: not answered")]
    NoPlace,
    /// The client has to shake hands again.
    #[error("the configuration that judged its certificate is not in force any more: not answered")]
    Reloaded,
}

/// Waits until the refusal of a request may be answered. `guess` is what it is paid as.
///
/// # Errors
/// It is not answered.
pub async fn pay(app: &App, record: &Record, guess: Option<Guess>) -> Result<(), Unanswered> {
    let metrics = record.metrics();
    let (mut takes, mut held) = (REFUSAL_TAKES, None);
    if let Some(Guess { tried, transport, peer }) = guess {
        let toll = app.throttle.refused(peer.ip(), tried, transport, Instant::now());
        if let Some(alarm) = &toll.alarm {
            raise(alarm, metrics, record.journal());
        }
        if toll.is_slow {
            held = Some(place(app, metrics, peer, &mut takes)?);
        }
    }
    tokio::time::sleep_until((record.began() + takes).into()).await;
    drop(held);
    Ok(())
}

/// Waits before a password of somebody is looked at who has sent many wrong ones.
///
/// # Errors
/// It is not looked at.
pub async fn hold(app: &App, metrics: &Metrics, peer: SocketAddr) -> Result<(), Unanswered> {
    let mut takes = Duration::ZERO;
    let _place = place(app, metrics, peer, &mut takes)?;
    tokio::time::sleep(takes).await;
    Ok(())
}

/// Tells an operator, once a window.
pub fn raise(alarm: &Alarm, metrics: &Metrics, journal: Option<&Journal>) {
    metrics.throttle.alarms.inc();
    tracing::warn!(target: "phoneprov::alarm", peer = %alarm.peer(), kind = alarm.kind(), "{alarm}");
    if let Some(journal) = journal {
        journal.tell(News::Alarm { at: Timestamp::now(), peer: alarm.peer(), text: alarm.to_string() });
    }
}

fn place(
    app: &App,
    metrics: &Metrics,
    peer: SocketAddr,
    takes: &mut Duration,
) -> Result<crate::throttle::Place, Unanswered> {
    let Some(place) = app.throttle.place(peer.ip()) else {
        metrics.throttle.unanswered.inc();
        return Err(Unanswered::NoPlace);
    };
    metrics.throttle.slow.inc();
    *takes = (*takes).max(app.throttle.settings().delay.duration());
    Ok(place)
}
