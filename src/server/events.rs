//! Events on their way to the store: many at a time, by one task that nobody waits for, and all that is left at the end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Events;
use crate::event::{Inbox, Journal, News};
use crate::metrics::Metrics;
use crate::store::Store;

/// What is written at once.
const BATCH: usize = 4000;

/// Between two writings, while little happens.
const OFTEN: Duration = Duration::from_millis(200);

/// A line waits this long: a phone may say that it has a profile before the request for it is told.
const LINES_WAIT: SignedDuration = SignedDuration::from_millis(300);

/// Between two tries of a store that does not answer.
const AWAY: Duration = Duration::from_secs(1);

/// For what is left when the server stops.
const LAST: Duration = Duration::from_secs(8);

/// Between two looks for what is too old.
const TRIM: Duration = Duration::from_mins(1);

/// The task that keeps events, and how it is told to end.
pub(super) struct Keeper {
    task: JoinHandle<()>,
    finish: CancellationToken,
}

/// What the task works with.
struct Desk {
    store: Arc<Store>,
    settings: Events,
    metrics: Arc<Metrics>,
    /// News that can be kept now.
    ready: Vec<News>,
    /// Lines that wait for their time.
    early: VecDeque<News>,
    trimmed: Option<Instant>,
    is_away: bool,
}

/// Starts it, where events are kept.
pub(super) fn start(
    settings: Option<&Events>,
    store: Option<&Arc<Store>>,
    metrics: &Arc<Metrics>,
) -> Option<(Arc<Journal>, Keeper)> {
    let (settings, store) = settings.zip(store)?;
    let (journal, inbox) = Journal::new(metrics.lost_events.clone());
    let finish = CancellationToken::new();
    let desk = Desk {
        store: store.clone(),
        settings: settings.clone(),
        metrics: metrics.clone(),
        ready: Vec::new(),
        early: VecDeque::new(),
        trimmed: None,
        is_away: false,
    };
    let task = tokio::spawn(desk.keep(inbox, finish.clone()));
    Some((Arc::new(journal), Keeper { task, finish }))
}

impl Keeper {
    /// Writes what is left. Nothing is told any more.
    pub(super) async fn finish(self) {
        self.finish.cancel();
        if tokio::time::timeout(LAST, self.task).await.is_err() {
            tracing::error!("events are lost: the store did not take them in time");
        }
    }
}

impl Desk {
    async fn keep(mut self, mut inbox: Inbox, finish: CancellationToken) {
        while !finish.is_cancelled() {
            let is_full = self.take(&mut inbox, Timestamp::now().saturating_sub(LINES_WAIT).unwrap_or_default());
            let wrote = self.write(&inbox).await;
            self.trim().await;
            let pause = match (wrote, is_full) {
                (false, _) => AWAY,
                (true, true) => continue,
                (true, false) => OFTEN,
            };
            tokio::select! {
                () = finish.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        while self.take(&mut inbox, Timestamp::MAX) || !self.ready.is_empty() {
            if !self.write(&inbox).await {
                tokio::time::sleep(OFTEN).await;
            }
        }
    }

    /// Takes out what is there, lines of before `until`; whether there is more than is written at once.
    fn take(&mut self, inbox: &mut Inbox, until: Timestamp) -> bool {
        if self.ready.is_empty() {
            while self.ready.len() < BATCH
                && let Ok(news) = inbox.news.try_recv()
            {
                self.ready.push(news);
            }
            while self.early.len() < BATCH
                && let Some(line) = inbox.lines.try_recv()
            {
                self.early.push_back(News::Said(line));
            }
            while self.ready.len() < 2 * BATCH
                && let Some(line) = self.early.pop_front_if(|line| line.at() <= until)
            {
                self.ready.push(line);
            }
            self.ready.sort_by_key(News::at);
        }
        self.ready.len() >= BATCH
    }

    /// Writes it; `false`: the store does not answer, and it waits.
    async fn write(&mut self, inbox: &Inbox) -> bool {
        if self.ready.is_empty() {
            return true;
        }
        let error = match self.store.keep(&self.ready).await {
            Ok(()) => {
                self.settle(inbox);
                self.is_away = false;
                return true;
            }
            Err(error) => error,
        };
        if !std::mem::replace(&mut self.is_away, true) {
            tracing::error!(%error, "events wait for the store");
        }
        if !error.is_passing() {
            self.metrics.lost_events.inc_by(self.ready.len() as u64);
            self.settle(inbox);
        }
        false
    }

    /// What was ready is where it belongs, and there is room for as much.
    fn settle(&mut self, inbox: &Inbox) {
        for news in self.ready.drain(..) {
            if let News::Said(line) = news {
                inbox.lines.done(&line);
            }
        }
    }

    /// Forgets what is too old.
    async fn trim(&mut self) {
        if self.is_away || self.trimmed.is_some_and(|at| at.elapsed() < TRIM) {
            return;
        }
        self.trimmed = Some(Instant::now());
        let kept = SignedDuration::try_from(self.settings.keep.duration()).unwrap_or(SignedDuration::MAX);
        let before = Timestamp::now().saturating_sub(kept).unwrap_or(Timestamp::MIN);
        if let Err(error) = self.store.trim_events(before, self.settings.most).await {
            tracing::warn!(%error, "old events are still there");
        }
    }
}
