//! Questions to the store.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::rows::{CHUNK, Cell, Style, list, pad};
use super::{Store, StoreError};
use crate::device::{Device, DeviceIdentity, DeviceName, GroupName, MacAddress, Values, VariableName, VariableValue};

/// A device, with its number in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number, which is never another device's.
    pub id: i64,
    /// The device.
    pub device: Device,
}

/// When a device was last given something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// Where it was then.
    pub address: String,
}

/// What the values of one variable are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Texts.
    Text,
    /// Not all of them texts.
    Json,
    /// Some of them secrets.
    Secret,
}

/// Which devices a page is of; by default all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Those that have this in a name, product or label, in any case.
    pub text: Option<String>,
    /// Those of this group.
    pub group: Option<GroupName>,
    /// Those that are enabled, or not.
    pub enabled: Option<bool>,
}

const BY_MAC: &str = "select id, mac, serial, product, series, label, notes, enabled from device \
    where id in (select id from device where mac = $1 union all select device from alias where mac = $1)";

const BY_SERIAL: &str = "select id, mac, serial, product, series, label, notes, enabled from device where serial = $1";

const PAGE: &str = "select id, mac, serial, product, series, label, notes, enabled from device d \
    where id > $1 \
    and ($2 = '' or d.mac like $2 or lower(d.serial) like $2 or lower(d.product) like $2 or lower(d.label) like $2) \
    and ($3 < 0 or d.enabled = $3) \
    order by id limit $4";

/// The same of a group's devices, by the index of those: PostgreSQL would go through all members of all groups for each page.
const PAGE_OF_GROUP: &str = "select d.id, d.mac, d.serial, d.product, d.series, d.label, d.notes, d.enabled \
    from membership m join device d on d.id = m.device \
    where m.device_group = (select id from device_group where name = $5) and m.device > $1 and d.id > $1 \
    and ($2 = '' or d.mac like $2 or lower(d.serial) like $2 or lower(d.product) like $2 or lower(d.label) like $2) \
    and ($3 < 0 or d.enabled = $3) \
    order by m.device limit $4";

impl Store {
    /// The number of the last change: 0 before the first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        let asked = sqlx::query_scalar("select number from revision where id = 1").fetch_one(&self.pool);
        self.within(async { asked.await.map_err(|error| self.error(error)) }).await
    }

    /// The device with this name.
    ///
    /// # Errors
    /// The store does not answer, or holds what is no device.
    pub async fn device(&self, name: &DeviceName) -> Result<Option<Entry>, StoreError> {
        self.within(async {
            let mut connection = self.pool.acquire().await.map_err(|error| self.error(error))?;
            self.named(&mut connection, name).await
        })
        .await
    }

    /// Devices in the order in which they came, those after this number.
    ///
    /// # Errors
    /// As [`Store::device`].
    pub async fn page(&self, after: i64, limit: i64, filter: &Filter) -> Result<Vec<Entry>, StoreError> {
        self.within(async {
            let mut connection = self.pool.acquire().await.map_err(|error| self.error(error))?;
            self.page_of(&mut connection, (after, limit), filter).await
        })
        .await
    }

    /// The same, as a transaction sees it.
    pub(super) async fn page_of(
        &self,
        connection: &mut AnyConnection,
        (after, limit): (i64, i64),
        filter: &Filter,
    ) -> Result<Vec<Entry>, StoreError> {
        let text = filter.text.as_ref().map(|text| format!("%{}%", text.to_lowercase())).unwrap_or_default();
        let statement = if filter.group.is_some() { PAGE_OF_GROUP } else { PAGE };
        let page = sqlx::query(statement).bind(after).bind(text).bind(filter.enabled.map_or(-1, i64::from)).bind(limit);
        let page = match &filter.group {
            Some(group) => page.bind(group.to_string()),
            None => page,
        };
        let page = page.fetch_all(&mut *connection).await;
        self.entries(connection, page.map_err(|error| self.error(error))?).await
    }

    /// How many devices there are.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn count(&self) -> Result<i64, StoreError> {
        let asked = sqlx::query_scalar("select count(*) from device").fetch_one(&self.pool);
        self.within(async { asked.await.map_err(|error| self.error(error)) }).await
    }

    /// Every variable that some device has of its own, and what it is for all of them.
    ///
    /// # Errors
    /// As [`Store::device`].
    pub async fn variable_names(&self) -> Result<Vec<(VariableName, Kind)>, StoreError> {
        self.within(async {
            let asked = sqlx::query(VARIABLE_NAMES).fetch_all(&self.pool).await.map_err(|error| self.error(error))?;
            let read = |row: &AnyRow| -> Result<(String, i64, i64), sqlx::Error> {
                Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
            };
            let named = |row: &AnyRow| {
                let (name, others, sealed) = read(row).map_err(|error| self.error(error))?;
                let kind = match (sealed, others) {
                    (0, 0) => Kind::Text,
                    (0, _) => Kind::Json,
                    (_, _) => Kind::Secret,
                };
                Ok((parsed("a variable's name", &name)?, kind))
            };
            asked.iter().map(named).collect()
        })
        .await
    }

    /// When these devices were last given something; nothing of those that never were.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn seen(&self, ids: &[i64]) -> Result<HashMap<i64, Seen>, StoreError> {
        self.within(async {
            let mut connection = self.pool.acquire().await.map_err(|error| self.error(error))?;
            let cells = ids.iter().map(|id| Cell::Number(*id)).collect();
            let rows = self.of(&mut connection, "select device, at, address from seen where device in", cells).await?;
            let seen = |row: &AnyRow| {
                let at = Timestamp::from_millisecond(row.try_get(1)?).unwrap_or_default();
                Ok((row.try_get(0)?, Seen { at, address: row.try_get(2)? }))
            };
            rows.iter().map(seen).collect::<Result<_, sqlx::Error>>().map_err(|error| self.error(error))
        })
        .await
    }

    /// The device with this name, as a transaction sees it.
    pub(super) async fn named(
        &self,
        connection: &mut AnyConnection,
        name: &DeviceName,
    ) -> Result<Option<Entry>, StoreError> {
        let (statement, text) = match name {
            DeviceName::Mac(mac) => (BY_MAC, mac.to_string()),
            DeviceName::Serial(serial) => (BY_SERIAL, serial.to_string()),
        };
        let row = sqlx::query(statement).bind(text).fetch_optional(&mut *connection).await;
        let row = row.map_err(|error| self.error(error))?;
        Ok(self.entries(connection, row.into_iter().collect()).await?.pop())
    }

    /// The devices with these numbers, in any order.
    pub(super) async fn numbered(&self, connection: &mut AnyConnection, ids: &[i64]) -> Result<Vec<Entry>, StoreError> {
        let cells = ids.iter().map(|id| Cell::Number(*id)).collect();
        let rows = self.of(connection, SELECT_BY_ID, cells).await?;
        self.entries(connection, rows).await
    }

    /// The rest of what is kept of devices, read for all of them at once.
    pub(super) async fn entries(
        &self,
        connection: &mut AnyConnection,
        rows: Vec<AnyRow>,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut entries = rows.iter().map(|row| self.entry(row)).collect::<Result<Vec<_>, _>>()?;
        let places: HashMap<i64, usize> = entries.iter().enumerate().map(|(at, entry)| (entry.id, at)).collect();
        let ids: Vec<Cell> = entries.iter().map(|entry| Cell::Number(entry.id)).collect();
        for (id, mac) in self.parts(connection, ALIASES, ids.clone()).await? {
            entries[places[&id]].device.aliases.push(parsed("a MAC address", &mac)?);
        }
        for (id, group) in self.parts(connection, GROUPS, ids.clone()).await? {
            entries[places[&id]].device.groups.push(parsed("a group's name", &group)?);
        }
        for row in self.of(connection, VARIABLES, ids).await? {
            let (id, name, value) = self.variable(&row)?;
            entries[places[&id]].device.variables.insert(name, value);
        }
        Ok(entries)
    }

    /// The variables of a layer's owner.
    pub(super) async fn variables(
        &self,
        connection: &mut AnyConnection,
        layer: &'static str,
        owner: i64,
    ) -> Result<Values, StoreError> {
        let asked = sqlx::query("select owner, name, value from variable where layer = $1 and owner = $2");
        let rows = asked.bind(layer).bind(owner).fetch_all(connection).await.map_err(|error| self.error(error))?;
        rows.iter().map(|row| self.variable(row).map(|(_, name, value)| (name, value))).collect()
    }

    fn variable(&self, row: &AnyRow) -> Result<(i64, VariableName, VariableValue), StoreError> {
        let read = || -> Result<(i64, String, String), sqlx::Error> {
            Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
        };
        let (owner, name, value) = read().map_err(|error| self.error(error))?;
        let value = serde_json::from_str(&value)
            .map_err(|error| StoreError::damaged(format!("a value of the variable {name}"), error))?;
        Ok((owner, parsed("a variable's name", &name)?, value))
    }

    /// Rows of two columns: a device's number, and a text.
    async fn parts(
        &self,
        connection: &mut AnyConnection,
        statement: &'static str,
        ids: Vec<Cell>,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        let rows = self.of(connection, statement, ids).await?;
        let read = |row: &AnyRow| Ok((row.try_get(0)?, row.try_get(1)?));
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(|error| self.error(error))
    }

    /// The rows of a statement that ends in `in`, for these cells.
    pub(super) async fn of(
        &self,
        connection: &mut AnyConnection,
        statement: &'static str,
        cells: Vec<Cell>,
    ) -> Result<Vec<AnyRow>, StoreError> {
        let (head, tail) = statement.split_once("in ()").unwrap_or((statement, ""));
        let head = head.trim_end_matches("in");
        let mut rows = Vec::new();
        for chunk in cells.chunks(CHUNK) {
            // Only parameters are put in.
            let text = AssertSqlSafe(format!("{head} in ({}){tail}", list(Style::of(connection), chunk.len())));
            let query = pad(chunk.to_vec()).into_iter().fold(sqlx::query(text), |query, cell| cell.bind(query));
            rows.extend(query.fetch_all(&mut *connection).await.map_err(|error| self.error(error))?);
        }
        Ok(rows)
    }

    /// A device of its first eight columns, without what is many of it.
    pub(super) fn entry(&self, row: &AnyRow) -> Result<Entry, StoreError> {
        let id = row.try_get(0).map_err(|error| self.error(error))?;
        let text = |at: usize| row.try_get::<Option<String>, _>(at).map_err(|error| self.error(error));
        let mac: Option<MacAddress> = text(1)?.map(|text| parsed("a MAC address", &text)).transpose()?;
        let serial = text(2)?.map(|text| parsed("a serial number", &text)).transpose()?;
        let product = text(3)?.map(|text| parsed("a product name", &text)).transpose()?;
        let identity = DeviceIdentity::new(mac, serial, product).ok_or_else(|| {
            StoreError::damaged(format!("the device {id}"), "it has neither address nor serial number")
        })?;
        let device = Device {
            series: text(4)?.map(|text| parsed("a series", &text)).transpose()?,
            label: text(5)?.unwrap_or_default(),
            notes: text(6)?.unwrap_or_default(),
            enabled: row.try_get::<i64, _>(7).map_err(|error| self.error(error))? != 0,
            ..Device::new(identity)
        };
        Ok(Entry { id, device })
    }
}

const SELECT_BY_ID: &str = "select id, mac, serial, product, series, label, notes, enabled from device where id in";

const ALIASES: &str = "select device, mac from alias where device in () order by device, place";

const GROUPS: &str = "select m.device, g.name from membership m join device_group g on g.id = m.device_group \
    where m.device in () order by m.device, m.place";

/// In JSON, a text begins with a quotation mark.
const VARIABLE_NAMES: &str = "select name, count(case when value not like '\"%' then 1 end), \
    count(case when value like '{\"$sealed\"%' then 1 end) from variable where layer = 'device' group by name order by name";

const VARIABLES: &str = "select owner, name, value from variable where layer = 'device' and owner in";

/// A text of the store, as the type that it was when it was written.
pub(super) fn parsed<T>(what: &str, text: &str) -> Result<T, StoreError>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| StoreError::damaged(what, error))
}
