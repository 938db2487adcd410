//! Events that go: because they are old, or because there are more than there may be.

use jiff::Timestamp;
use sqlx::{Any, Transaction};

use super::{Store, StoreError};

/// Of what there may be, events that nobody stands behind have one part in so many where the others need the room. Anybody
/// can make them: refusals, what is everybody's, lines under a name that is only claimed.
const SHARE: i64 = 4;

const OLD: &str = "delete from event where at < $1";

/// Whoever writes takes this row first. What it gives is more than there are: numbers of events that went are in between.
const SPAN: &str = "update event_count set last = last where id = 1 \
    returning last - coalesce((select min(id) from event), last + 1) + 1";

const COUNT: &str = "select count(*) from event";
const COUNT_NOBODYS: &str = "select count(*) from event where certain = 0";

const OLDEST: &str = "delete from event where id in (select id from event order by id limit $1)";
const OLDEST_NOBODYS: &str =
    "delete from event where id in (select id from event where certain = 0 order by id limit $1)";

impl Store {
    /// Forgets events from before a time, and then as many as are too many: of those that nobody stands behind, until they
    /// have no more than their share; then the oldest of all. Returns how many.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn trim_events(&self, before: Timestamp, most: u64) -> Result<u64, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let old = sqlx::query(OLD).bind(before.as_millisecond()).execute(&self.pool).await;
        let old = old.map_err(|error| self.error(error))?.rows_affected();
        let mut transaction = self.begin().await?;
        let mut gone = 0;
        if self.number(&mut transaction, SPAN).await? > most {
            let too_many = self.number(&mut transaction, COUNT).await? - most;
            let past_share = self.number(&mut transaction, COUNT_NOBODYS).await? - most / SHARE;
            let nobodys = too_many.min(past_share).max(0);
            gone += self.forget(&mut transaction, OLDEST_NOBODYS, nobodys).await?;
            gone += self.forget(&mut transaction, OLDEST, too_many - nobodys).await?;
        }
        transaction.commit().await.map_err(|error| self.error(error))?;
        Ok(old + gone)
    }

    async fn number(&self, transaction: &mut Transaction<'static, Any>, text: &'static str) -> Result<i64, StoreError> {
        let asked = sqlx::query_scalar(text).fetch_one(&mut **transaction).await;
        asked.map_err(|error| self.error(error))
    }

    /// Deletes so many events, if any.
    async fn forget(
        &self,
        transaction: &mut Transaction<'static, Any>,
        text: &'static str,
        events: i64,
    ) -> Result<u64, StoreError> {
        if events <= 0 {
            return Ok(0);
        }
        let done = sqlx::query(text).bind(events).execute(&mut **transaction).await;
        done.map(|done| done.rows_affected()).map_err(|error| self.error(error))
    }
}
