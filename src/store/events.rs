//! Events, written many at a time, and read by people.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Row as _, Transaction};

use super::read::parsed;
use super::rows::{Cell, insert};
use super::{Store, StoreError};
use crate::device::DeviceName;
use crate::event::{Event, Kind, Ledger, News};

/// Which events are wanted; by default all.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Those after this one.
    pub after: i64,
    /// Those of this device: its number, or what it is called.
    pub of: Option<(Option<i64>, String)>,
    /// Those of this kind.
    pub kind: Option<Kind>,
    /// Those at this time or later.
    pub since: Option<Timestamp>,
}

const INSERT: &str = "insert into event \
    (id, at, kind, device, name, certain, address, path, outcome, version, text, follows)";

const SELECT: &str =
    "select id, at, kind, device, name, certain, address, path, outcome, version, text, follows from event";

/// Each is looked for by an index of its own.
const OF_DEVICE: &str = "and (device = $5 or (device = 0 and name = $6))";
const OF_NAME: &str = "and $5 < 0 and name = $6";
const OF_ANYBODY: &str = "and $5 < 0 and $6 = ''";

/// Devices and their addresses, with what they are called.
const AT: &str = "select distinct s.address, s.device, coalesce(d.mac, 'sn:' || d.serial) from standing s \
    join device d on d.id = s.device where s.address in";

const UPGRADING: &str = "select path from event where device = $1 and outcome = 'upgrade_request' and kind = 'syslog' \
    and path is not null order by id desc limit 1";

impl Store {
    /// Keeps news, in this order: all of them, or none.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn keep(&self, news: &[News]) -> Result<(), StoreError> {
        self.within(async {
            let mut transaction = self.pool.begin_with(self.engine.begin()).await.map_err(|error| self.error(error))?;
            let first = self.number_events(&mut transaction, news.len()).await?;
            let mut ledger = self.ledger(&mut transaction, news).await?;
            let rows = news.iter().zip(first..).map(|(news, id)| cells(ledger.enter(news, id))).collect();
            insert(&mut transaction, (INSERT, ""), rows).await.map_err(|error| self.error(error))?;
            self.stand(&mut transaction, ledger).await?;
            transaction.commit().await.map_err(|error| self.error(error))
        })
        .await
    }

    /// Events, the first after `wanted.after` first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn events_after(&self, wanted: &Wanted, limit: i64) -> Result<Vec<Event>, StoreError> {
        self.events("id", wanted, limit).await
    }

    /// The newest events, in the order in which they came.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn newest_events(&self, wanted: &Wanted, limit: i64) -> Result<Vec<Event>, StoreError> {
        let mut events = self.events("id desc", wanted, limit).await?;
        events.reverse();
        Ok(events)
    }

    /// The number of the newest event.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn last_event(&self) -> Result<i64, StoreError> {
        let asked = sqlx::query_scalar("select last from event_count where id = 1").fetch_one(&self.pool);
        self.within(async { asked.await.map_err(|error| self.error(error)) }).await
    }

    /// Enters what a change of the store is told as, together with the change. The events get their numbers here.
    pub(super) async fn keep_with(
        &self,
        transaction: &mut Transaction<'static, Any>,
        events: Vec<Event>,
    ) -> Result<(), StoreError> {
        let first = self.number_events(transaction, events.len()).await?;
        let rows = events.into_iter().zip(first..).map(|(event, id)| cells(Event { id, ..event })).collect();
        insert(transaction, (INSERT, ""), rows).await.map_err(|error| self.error(error))
    }

    /// Numbers for so many events; the first of them.
    async fn number_events(
        &self,
        transaction: &mut Transaction<'static, Any>,
        events: usize,
    ) -> Result<i64, StoreError> {
        let count = i64::try_from(events).unwrap_or(i64::MAX);
        let number = "update event_count set last = last + $1 where id = 1 returning last";
        let last = sqlx::query_scalar(number).bind(count).fetch_one(&mut **transaction).await;
        let last: i64 = last.map_err(|error| self.error(error))?;
        Ok(last - count + 1)
    }

    async fn events(&self, order: &'static str, wanted: &Wanted, limit: i64) -> Result<Vec<Event>, StoreError> {
        let (of, id, name) = match &wanted.of {
            None => (OF_ANYBODY, -1, ""),
            Some((None, name)) => (OF_NAME, -1, name.as_str()),
            Some((Some(id), name)) => (OF_DEVICE, *id, name.as_str()),
        };
        let text =
            format!("{SELECT} where id > $1 and at >= $2 and ($3 = '' or kind = $3) {of} order by {order} limit $4");
        // Only the texts above are put in.
        let asked = sqlx::query(AssertSqlSafe(text))
            .bind(wanted.after)
            .bind(wanted.since.map_or(i64::MIN, Timestamp::as_millisecond))
            .bind(wanted.kind.map_or("", Kind::as_str))
            .bind(limit)
            .bind(id)
            .bind(name.to_owned());
        self.within(async {
            let rows = asked.fetch_all(&self.pool).await.map_err(|error| self.error(error))?;
            rows.iter().map(|row| self.event(row)).collect()
        })
        .await
    }

    fn event(&self, row: &AnyRow) -> Result<Event, StoreError> {
        let read = || -> Result<_, sqlx::Error> {
            let texts: [String; 4] = [row.try_get(2)?, row.try_get(6)?, row.try_get(8)?, row.try_get(10)?];
            let maybe: [Option<String>; 3] = [row.try_get(4)?, row.try_get(7)?, row.try_get(9)?];
            let numbers: [i64; 3] = [row.try_get(0)?, row.try_get(1)?, row.try_get(5)?];
            let others: [i64; 2] = [row.try_get(3)?, row.try_get(11)?];
            Ok((texts, maybe, numbers, others.map(|id| Some(id).filter(|id| *id != 0))))
        };
        let ([kind, address, outcome, text], [name, path, version], [id, at, certain], [device, follows]) =
            read().map_err(|error| self.error(error))?;
        let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind);
        let kind = kind.ok_or_else(|| StoreError::damaged(format!("the event {id}"), "it is of no known kind"))?;
        let at = Timestamp::from_millisecond(at).unwrap_or_default();
        Ok(Event { id, at, kind, device, name, certain: certain != 0, address, path, outcome, version, text, follows })
    }

    /// Everything that these news are held against.
    async fn ledger(&self, connection: &mut AnyConnection, news: &[News]) -> Result<Ledger, StoreError> {
        let mut ledger = Ledger::default();
        let (mut names, mut addresses) = (BTreeSet::new(), BTreeSet::new());
        let mut unnamed = BTreeSet::new();
        for news in news {
            match news {
                News::Requested(requested) => names.extend(requested.proven().into_iter().chain(requested.claimed())),
                News::Said(line) => {
                    match &line.name {
                        Some(name) => drop(names.insert(name.clone())),
                        None => drop(addresses.insert(line.peer)),
                    }
                    unnamed.extend(line.is_of_unnamed_image().then_some((&line.name, line.peer)));
                }
                News::Pushed { device, .. } => drop(names.insert(device.clone())),
                News::Uploaded { device, .. } => names.extend(device.clone()),
                News::Alarm { .. } => {}
            }
        }
        ledger.ids = self.ids(connection, names).await?;
        ledger.alone_at = self.alone_at(connection, addresses).await?;
        for (name, peer) in unnamed {
            let alone = || ledger.alone_at.get(&peer).map(|(device, _)| *device);
            let Some(device) = name.as_ref().map_or_else(alone, |name| ledger.ids.get(name).copied()) else { continue };
            let path = self.upgrading(connection, device).await?;
            ledger.upgrading.extend(path.map(|path| (device, path)));
        }
        let alone = ledger.alone_at.values().map(|(device, _)| device);
        let ids: BTreeSet<i64> = ledger.ids.values().chain(alone).copied().collect();
        for standing in self.standings(connection, ids.into_iter().collect()).await? {
            ledger.add(standing);
        }
        Ok(ledger)
    }

    /// The numbers of those that are devices.
    async fn ids(
        &self,
        connection: &mut AnyConnection,
        names: BTreeSet<DeviceName>,
    ) -> Result<HashMap<DeviceName, i64>, StoreError> {
        let (mut macs, mut serials) = (Vec::new(), Vec::new());
        for name in names {
            match name {
                DeviceName::Mac(mac) => macs.push(Cell::from(mac.to_string())),
                DeviceName::Serial(serial) => serials.push(Cell::from(serial.to_string())),
            }
        }
        let mut ids = HashMap::new();
        for (statement, cells, prefix) in [
            ("select id, mac from device where mac in", macs.clone(), ""),
            ("select device, mac from alias where mac in", macs, ""),
            ("select id, serial from device where serial in", serials, "sn:"),
        ] {
            for row in self.of(connection, statement, cells).await? {
                let read = || -> Result<(i64, String), sqlx::Error> { Ok((row.try_get(0)?, row.try_get(1)?)) };
                let (id, name) = read().map_err(|error| self.error(error))?;
                ids.insert(parsed("a device's name", &format!("{prefix}{name}"))?, id);
            }
        }
        Ok(ids)
    }

    /// The devices that are the only ones at their addresses.
    async fn alone_at(
        &self,
        connection: &mut AnyConnection,
        addresses: BTreeSet<IpAddr>,
    ) -> Result<HashMap<IpAddr, (i64, DeviceName)>, StoreError> {
        let cells = addresses.iter().map(|address| address.to_string().into()).collect();
        let rows = self.of(connection, AT, cells).await?;
        let mut found: HashMap<IpAddr, Option<(i64, DeviceName)>> = HashMap::new();
        for row in rows {
            let read = || -> Result<(String, i64, String), sqlx::Error> {
                Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
            };
            let (address, device, name) = read().map_err(|error| self.error(error))?;
            let Ok(address) = address.parse() else { continue };
            let one = (device, parsed("a device's name", &name)?);
            found
                .entry(address)
                .and_modify(|other| *other = other.take().filter(|(other, _)| *other == device))
                .or_insert(Some(one));
        }
        Ok(found.into_iter().filter_map(|(address, device)| Some((address, device?))).collect())
    }

    /// The path of the image that a device last said that it would fetch.
    async fn upgrading(&self, connection: &mut AnyConnection, device: i64) -> Result<Option<String>, StoreError> {
        let asked = sqlx::query_scalar(UPGRADING).bind(device).fetch_optional(connection).await;
        asked.map_err(|error| self.error(error))
    }
}

fn cells(event: Event) -> [Cell; 12] {
    let Event { id, at, kind, device, name, certain, address, path, outcome, version, text, follows } = event;
    [
        id.into(),
        at.as_millisecond().into(),
        kind.as_str().to_owned().into(),
        device.unwrap_or_default().into(),
        name.into(),
        i64::from(certain).into(),
        address.into(),
        path.into(),
        outcome.into(),
        version.into(),
        text.into(),
        follows.unwrap_or_default().into(),
    ]
}
