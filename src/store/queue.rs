//! Names that are not in memory, on their way to the store. While it is asked others come, and all of those are the next question:
//! when a thousand phones start at once, the way there and back is made for sixteen of them at a time.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot::{self, Receiver, Sender};

use super::{Store, StoreError};
use crate::device::DeviceName;
use crate::inventory::Known;

/// Names of one question.
const MOST: usize = 16;

/// What the store said of a name, and its last change then.
type Reply = Result<(i64, Option<Arc<Known>>), StoreError>;

/// Names that wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Vec<(DeviceName, Sender<Reply>)>>,
    /// Held while the store is asked.
    turn: tokio::sync::Mutex<()>,
}

impl Queue {
    fn join(&self, name: &DeviceName) -> Receiver<Reply> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((name.clone(), sender));
        receiver
    }

    /// The first of those that still want to know.
    fn take(&self, most: usize) -> (Vec<DeviceName>, Vec<Sender<Reply>>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|(_, sender)| !sender.is_closed());
        let most = waiting.len().min(most);
        waiting.drain(..most).unzip()
    }
}

impl Store {
    /// The device with this name as requests need it, and the last change of the store then.
    pub(super) async fn known(&self, name: &DeviceName) -> Reply {
        self.within(async {
            let mut reply = self.queue.join(name);
            // Those that are about to ask may do so in the same question.
            tokio::task::yield_now().await;
            loop {
                tokio::select! {
                    biased;
                    said = &mut reply => match said {
                        Ok(said) => return said,
                        // Who asked for it was given up half-way.
                        Err(_) => reply = self.queue.join(name),
                    },
                    _turn = self.queue.turn.lock() => self.ask().await,
                }
            }
        })
        .await
    }

    /// Asks for those that have waited longest, and tells them. Where the store does not answer, all learn that.
    async fn ask(&self) {
        let (names, mut senders) = self.queue.take(MOST);
        if names.is_empty() {
            return;
        }
        let replies = self.knowns(&names).await.unwrap_or_else(|error| {
            senders.extend(self.queue.take(usize::MAX).1);
            vec![Err(error); senders.len()]
        });
        for (sender, reply) in senders.into_iter().zip(replies) {
            // Who is not there any more has lost nothing.
            let _ = sender.send(reply);
        }
    }

    async fn knowns(&self, names: &[DeviceName]) -> Result<Vec<Reply>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(|error| self.error(error))?;
        let answer = self.wholes(&mut connection, names).await?;
        let revision = answer.revision;
        let known = |whole: Option<_>| (revision, whole.map(|whole| Arc::new(self.opened(whole))));
        Ok(answer.found.into_iter().map(|found| found.map(known)).collect())
    }
}
