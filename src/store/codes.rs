//! Activation codes: what a new phone is to be, behind a code that is good once.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::group::{VARIABLE, variable};
use super::history::{Layer, Snapshot};
use super::rows::insert;
use super::{Store, StoreError, Writing};
use crate::device::{Device, DeviceIdentity, DeviceName, GroupName, Values};
use crate::password::CodeFault;

/// What the phone is to be that has the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What people call it.
    pub label: String,
    /// Anything else that people want to know.
    pub notes: String,
    /// Its groups.
    pub groups: Vec<GroupName>,
    /// Its variables.
    pub variables: Values,
}

/// A code that was given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Given {
    /// Its number.
    pub code: i64,
    /// What the phone will be called.
    pub label: String,
    /// Its groups.
    pub groups: Vec<GroupName>,
    /// Since when it is good.
    pub made: Timestamp,
    /// Until when.
    pub expires: Timestamp,
    /// When a phone had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
    /// That phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    #[serde(skip)]
    notes: String,
}

const BY_PRINT: &str = "select id, label, groups, made, expires, used, device, notes from code where print = $1";

const ALL: &str = "select id, label, groups, made, expires, used, device, notes from code order by id";

/// The number of the newest code, withdrawn ones included: the history speaks of them.
const LAST: &str = "select coalesce(max(id), 0) from \
    (select id from code union all select owner as id from history where layer = 'code') as numbers";

impl Store {
    /// Every code that was given out.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn codes(&self) -> Result<Vec<Given>, StoreError> {
        self.within(async {
            let rows = sqlx::query(ALL).fetch_all(&self.pool).await.map_err(|error| self.error(error))?;
            rows.iter().map(|row| self.given(row)).collect()
        })
        .await
    }

    /// Makes the device of a new phone from what is behind its code. The inner error is why the code gives nothing.
    ///
    /// # Errors
    /// The store does not answer or cannot be written.
    pub async fn activate(
        &self,
        print: &str,
        identity: &DeviceIdentity,
        place: &str,
    ) -> Result<Result<DeviceName, CodeFault>, StoreError> {
        // Guesses end here: they hold up nobody who writes.
        let known = self.within(async {
            let mut connection = self.pool.acquire().await.map_err(|error| self.error(error))?;
            self.code(&mut connection, print).await
        });
        if let Err(fault) = known.await?.ok_or(CodeFault::Unknown).and_then(|given| given.while_good(Timestamp::now()))
        {
            return Ok(Err(fault));
        }
        let mut writing = self.write(&format!("the phone at {place}"), "code").await?;
        let activated = writing.activate(print, identity).await?;
        if activated.is_ok() {
            writing.commit().await?;
        }
        Ok(activated)
    }

    async fn code(&self, connection: &mut AnyConnection, print: &str) -> Result<Option<Given>, StoreError> {
        let row = sqlx::query(BY_PRINT).bind(print.to_owned()).fetch_optional(connection).await;
        row.map_err(|error| self.error(error))?.map(|row| self.given(&row)).transpose()
    }

    fn given(&self, row: &AnyRow) -> Result<Given, StoreError> {
        let read = || -> Result<_, sqlx::Error> {
            let texts: [String; 3] = [row.try_get(1)?, row.try_get(2)?, row.try_get(7)?];
            let times: [i64; 2] = [row.try_get(3)?, row.try_get(4)?];
            Ok((row.try_get(0)?, texts, times, row.try_get::<Option<i64>, _>(5)?, row.try_get(6)?))
        };
        let (code, [label, groups, notes], times, used, device) = read().map_err(|error| self.error(error))?;
        let at = |at: i64| Timestamp::from_millisecond(at).unwrap_or_default();
        let groups = serde_json::from_str(&groups).map_err(|error| StoreError::damaged("a code", error))?;
        let [made, expires] = times.map(at);
        Ok(Given { code, label, groups, made, expires, used: used.map(at), device, notes })
    }
}

impl Given {
    fn while_good(self, now: Timestamp) -> Result<Self, CodeFault> {
        match (self.used, self.expires <= now) {
            (Some(_), _) => Err(CodeFault::Used),
            (None, true) => Err(CodeFault::Expired),
            (None, false) => Ok(self),
        }
    }
}

impl Writing<'_> {
    /// Gives a code out, of which only the print is kept. Returns its number.
    ///
    /// # Errors
    /// A group is not there, or the store cannot be written.
    pub async fn give_code(&mut self, print: &str, account: Account, expires: Timestamp) -> Result<i64, StoreError> {
        let store = self.store;
        let Account { label, notes, groups, mut variables } = account;
        for group in &groups {
            if self.group(group).await?.is_none() {
                return Err(StoreError::NoSuchGroup(group.clone()));
            }
        }
        let last = sqlx::query_scalar(LAST).fetch_one(&mut *self.transaction).await;
        let id: i64 = last.map_err(|error| store.error(error))?;
        let id = id + 1;
        let groups = serde_json::to_string(&groups).expect("names are JSON");
        let text =
            "insert into code (id, print, label, notes, groups, made, expires) values ($1, $2, $3, $4, $5, $6, $7)";
        let written = sqlx::query(text).bind(id).bind(print.to_owned()).bind(label).bind(notes).bind(groups);
        let written = written.bind(self.at).bind(expires.as_millisecond()).execute(&mut *self.transaction).await;
        written.map_err(|error| store.error(error))?;
        store.sealer.seal_all(Layer::Code, id, None, &mut variables)?;
        let rows = variables.iter().map(|(name, value)| variable(Layer::Code, id, name, value)).collect();
        insert(&mut self.transaction, (VARIABLE, ""), rows).await.map_err(|error| store.error(error))?;
        self.noted(id).await?;
        Ok(id)
    }

    /// Takes a code back, used or not. Whether there was one.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn withdraw_code(&mut self, id: i64) -> Result<bool, StoreError> {
        let store = self.store;
        let gone = sqlx::query("delete from code where id = $1").bind(id).execute(&mut *self.transaction).await;
        if gone.map_err(|error| store.error(error))?.rows_affected() == 0 {
            return Ok(false);
        }
        self.forget_code(id).await?;
        self.noted(id).await?;
        Ok(true)
    }

    async fn activate(
        &mut self,
        print: &str,
        identity: &DeviceIdentity,
    ) -> Result<Result<DeviceName, CodeFault>, StoreError> {
        let store = self.store;
        let given = store.code(&mut self.transaction, print).await?.ok_or(CodeFault::Unknown);
        let now = Timestamp::from_millisecond(self.at).unwrap_or_default();
        let given = match given.and_then(|given| given.while_good(now)) {
            Ok(given) => given,
            Err(fault) => return Ok(Err(fault)),
        };
        let mut device = Device { label: given.label, notes: given.notes, ..Device::new(identity.clone()) };
        let names: Vec<DeviceName> = device.names().collect();
        if !self.devices(&names).await?.is_empty() {
            return Ok(Err(CodeFault::Enrolled));
        }
        device.variables = store.variables(&mut self.transaction, Layer::Code.as_str(), given.code).await?;
        store.sealer.open_all(Layer::Code, given.code, &mut device.variables)?;
        for group in given.groups {
            // One that was removed since is no reason to leave the phone without a profile.
            if self.group(&group).await?.is_some() {
                device.groups.push(group);
            }
        }
        let name = device.name();
        self.change(vec![(None, Some(device))]).await?;
        let used = sqlx::query("update code set used = $1, device = $2 where id = $3");
        let used = used.bind(self.at).bind(name.to_string()).bind(given.code).execute(&mut *self.transaction).await;
        used.map_err(|error| store.error(error))?;
        self.forget_code(given.code).await?;
        self.noted(given.code).await?;
        Ok(Ok(name))
    }

    /// The variables behind a code: they are the device's now, or nobody's.
    async fn forget_code(&mut self, id: i64) -> Result<(), StoreError> {
        let store = self.store;
        let forgotten = sqlx::query("delete from variable where layer = 'code' and owner = $1").bind(id);
        forgotten.execute(&mut *self.transaction).await.map(drop).map_err(|error| store.error(error))
    }

    async fn noted(&mut self, id: i64) -> Result<(), StoreError> {
        self.note(vec![Snapshot::of::<Device>(Layer::Code, id, format!("code {id}"), None, None)]).await
    }
}
