//! Who changed what, and when.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::rows::{Cell, insert};
use super::{Store, StoreError, Writing};
use crate::device::Origin;

/// What a change is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// What holds for every device.
    Defaults,
    /// A group.
    Group,
    /// A device.
    Device,
    /// A code that makes a new phone a device.
    Code,
}

/// A change of one device or group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The number of the change; one change may be of many devices.
    pub revision: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// By what.
    pub action: String,
    /// What kind of thing was changed.
    pub layer: Layer,
    /// Its number.
    #[serde(skip)]
    pub owner: i64,
    /// What it was called.
    pub subject: String,
    /// The whole of it before; none where it was made.
    pub before: Option<Value>,
    /// The whole of it after; none where it was removed.
    pub after: Option<Value>,
}

/// A change of one thing, on its way into the history.
pub(super) struct Snapshot {
    layer: Layer,
    owner: i64,
    subject: String,
    before: Option<String>,
    after: Option<String>,
}

const COLUMNS: &str = "insert into history (revision, place, at, who, action, layer, owner, subject, before, after)";

const OF_ONE: &str = "select revision, at, who, action, layer, owner, subject, before, after from history \
    where revision < $1 and (subject = $2 or layer = 'device' and owner = $3) order by revision desc, place desc limit $4";

const OF_ALL: &str = "select revision, at, who, action, layer, owner, subject, before, after from history \
    where revision < $1 order by revision desc, place desc limit $2";

const OF_REVISION: &str = "select revision, at, who, action, layer, owner, subject, before, after from history \
    where revision = $1 order by place desc";

const SINCE: &str = "select revision, at, who, action, layer, owner, subject, before, after from history \
    where revision > $1 and revision <= $2 order by revision, place limit $3";

impl Layer {
    /// As the store has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Defaults => "defaults",
            Self::Group => "group",
            Self::Device => "device",
            Self::Code => "code",
        }
    }

    /// The kind of thing that variables are from.
    pub(super) fn of(origin: &Origin) -> Self {
        match origin {
            Origin::Configuration | Origin::Defaults => Self::Defaults,
            Origin::Group(_) => Self::Group,
            Origin::Device => Self::Device,
        }
    }

    fn named(text: &str) -> Result<Self, StoreError> {
        let known =
            [Self::Defaults, Self::Group, Self::Device, Self::Code].into_iter().find(|layer| layer.as_str() == text);
        known.ok_or_else(|| StoreError::damaged("a change", format!("`{text}` is no layer")))
    }
}

impl Snapshot {
    /// Both sides, as JSON.
    pub(super) fn of<T: Serialize>(
        layer: Layer,
        owner: i64,
        subject: String,
        before: Option<&T>,
        after: Option<&T>,
    ) -> Self {
        let text = |side: Option<&T>| {
            side.map(|side| serde_json::to_string(side).expect("a device whose secrets are sealed is JSON"))
        };
        Self { layer, owner, subject, before: text(before), after: text(after) }
    }
}

impl Store {
    /// Changes of what has or had this name, or this number as a device; or all, the last first, those before a revision.
    ///
    /// # Errors
    /// The store does not answer, or holds what is no change.
    pub async fn log(
        &self,
        of: Option<(&str, Option<i64>)>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Change>, StoreError> {
        let before = before.unwrap_or(i64::MAX);
        let asked = match of {
            Some((subject, id)) => {
                sqlx::query(OF_ONE).bind(before).bind(subject.to_owned()).bind(id.unwrap_or(-1)).bind(limit)
            }
            None => sqlx::query(OF_ALL).bind(before).bind(limit),
        };
        self.within(async {
            let rows = asked.fetch_all(&self.pool).await.map_err(|error| self.error(error))?;
            rows.iter().map(|row| self.change(row)).collect()
        })
        .await
    }

    /// What was changed after one revision up to another, in order, the first so many; for nodes that remember.
    ///
    /// # Errors
    /// As [`Store::log`].
    pub async fn since(&self, after: i64, until: i64, limit: i64) -> Result<Vec<Change>, StoreError> {
        self.within(async {
            let asked = sqlx::query(SINCE).bind(after).bind(until).bind(limit).fetch_all(&self.pool).await;
            asked.map_err(|error| self.error(error))?.iter().map(|row| self.change(row)).collect()
        })
        .await
    }

    fn change(&self, row: &AnyRow) -> Result<Change, StoreError> {
        let read = || -> Result<_, sqlx::Error> {
            let texts: [String; 4] = [row.try_get(2)?, row.try_get(3)?, row.try_get(4)?, row.try_get(6)?];
            let sides: [Option<String>; 2] = [row.try_get(7)?, row.try_get(8)?];
            Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(5)?, texts, sides))
        };
        let (revision, at, owner, [who, action, layer, subject], sides) = read().map_err(|error| self.error(error))?;
        let [before, after] = sides.map(|side| {
            side.map(|side| serde_json::from_str(&side))
                .transpose()
                .map_err(|error| StoreError::damaged(format!("the change {revision}"), error))
        });
        let at = Timestamp::from_millisecond(at).unwrap_or_default();
        let layer = Layer::named(&layer)?;
        Ok(Change { revision, at, who, action, layer, owner, subject, before: before?, after: after? })
    }
}

impl Writing<'_> {
    /// Everything that one revision changed, the last first.
    pub(super) async fn revision_of(&mut self, revision: i64) -> Result<Vec<Change>, StoreError> {
        let store = self.store;
        let rows = sqlx::query(OF_REVISION).bind(revision).fetch_all(&mut *self.transaction).await;
        rows.map_err(|error| store.error(error))?.iter().map(|row| store.change(row)).collect()
    }

    /// Writes the history of what this change has done.
    pub(super) async fn note(&mut self, snapshots: Vec<Snapshot>) -> Result<(), StoreError> {
        let (store, revision, at) = (self.store, self.revision, self.at);
        let mut place = self.places;
        let rows: Vec<[Cell; 10]> = snapshots
            .into_iter()
            .map(|Snapshot { layer, owner, subject, before, after }| {
                place += 1;
                let (who, action) = (self.who.clone().into(), self.action.clone().into());
                let layer = layer.as_str().to_owned().into();
                [
                    revision.into(),
                    place.into(),
                    at.into(),
                    who,
                    action,
                    layer,
                    owner.into(),
                    subject.into(),
                    before.into(),
                    after.into(),
                ]
            })
            .collect();
        self.places = place;
        insert(&mut self.transaction, (COLUMNS, ""), rows).await.map_err(|error| store.error(error))
    }
}
