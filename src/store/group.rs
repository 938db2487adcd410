//! Groups of devices.

use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, Row as _};

use super::history::{Layer, Snapshot};
use super::read::parsed;
use super::rows::{Cell, insert};
use super::{Store, StoreError, Writing};
use crate::device::{GroupName, Values, VariableName, VariableValue};

/// A group: what its devices have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub name: GroupName,
    /// What people want to know of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Its variables.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub variables: Values,
}

impl Group {
    /// A group of which nothing more is known.
    #[must_use]
    pub fn new(name: GroupName) -> Self {
        Self { name, notes: String::new(), variables: Values::new() }
    }
}

impl Store {
    /// Every group by name, with the number of its devices.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn groups(&self) -> Result<Vec<(Group, i64)>, StoreError> {
        self.within(async {
            let mut connection = self.pool.acquire().await.map_err(|error| self.error(error))?;
            let asked = "select g.id, g.name, (select count(*) from membership m where m.device_group = g.id) \
                from device_group g order by g.name";
            let rows = sqlx::query(asked).fetch_all(&mut *connection).await.map_err(|error| self.error(error))?;
            let mut groups = Vec::with_capacity(rows.len());
            for row in rows {
                let name: String = row.try_get(1).map_err(|error| self.error(error))?;
                let devices = row.try_get(2).map_err(|error| self.error(error))?;
                let group = self.group_named(&mut connection, &parsed("a group's name", &name)?).await?;
                groups.extend(group.map(|(_, group)| (group, devices)));
            }
            Ok(groups)
        })
        .await
    }

    /// The group with this name, and its number.
    pub(super) async fn group_named(
        &self,
        connection: &mut AnyConnection,
        name: &GroupName,
    ) -> Result<Option<(i64, Group)>, StoreError> {
        let asked = sqlx::query("select id, notes from device_group where name = $1").bind(name.to_string());
        let row = asked.fetch_optional(&mut *connection).await.map_err(|error| self.error(error))?;
        let Some(row) = row else { return Ok(None) };
        let id = row.try_get(0).map_err(|error| self.error(error))?;
        let notes = row.try_get(1).map_err(|error| self.error(error))?;
        let variables = self.variables(connection, Layer::Group.as_str(), id).await?;
        Ok(Some((id, Group { name: name.clone(), notes, variables })))
    }
}

impl Writing<'_> {
    /// The group with this name.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn group(&mut self, name: &GroupName) -> Result<Option<Group>, StoreError> {
        Ok(self.store.group_named(&mut self.transaction, name).await?.map(|(_, group)| group))
    }

    /// Makes, changes or removes a group; `name` is the one that it has now.
    ///
    /// # Errors
    /// There is none of this name, or there is one that is to be made; or devices are in one that is to be removed.
    pub async fn change_group(&mut self, name: &GroupName, mut after: Option<Group>) -> Result<(), StoreError> {
        let store = self.store;
        let before = store.group_named(&mut self.transaction, name).await?;
        if let Some(after) = after.as_ref().filter(|after| after.name != *name)
            && store.group_named(&mut self.transaction, &after.name).await?.is_some()
        {
            return Err(StoreError::GroupTaken(after.name.clone()));
        }
        let id = match &before {
            Some((id, _)) => *id,
            None => {
                self.count_up("update revision set last_group = last_group + $1 where id = 1 returning last_group", 1)
                    .await?
            }
        };
        if let Some(after) = &mut after {
            let before = before.as_ref().map(|(_, group)| &group.variables);
            store.sealer.seal_all(Layer::Group, id, before, &mut after.variables)?;
        }
        if before.as_ref().map(|(_, group)| group) == after.as_ref() {
            return Ok(());
        }
        self.forget_group(id, before.is_some() && after.is_none(), name).await?;
        if let Some(group) = &after {
            self.write_group(id, group).await?;
        }
        let snapshot =
            Snapshot::of(Layer::Group, id, name.to_string(), before.as_ref().map(|(_, group)| group), after.as_ref());
        self.note(vec![snapshot]).await
    }

    async fn forget_group(&mut self, id: i64, whole: bool, name: &GroupName) -> Result<(), StoreError> {
        let store = self.store;
        let connection = &mut *self.transaction;
        if whole {
            let asked = sqlx::query_scalar("select count(*) from membership where device_group = $1").bind(id);
            let devices: i64 = asked.fetch_one(&mut *connection).await.map_err(|error| store.error(error))?;
            if devices > 0 {
                return Err(StoreError::GroupInUse { group: name.clone(), devices });
            }
            let removed =
                sqlx::query("delete from device_group where id = $1").bind(id).execute(&mut *connection).await;
            removed.map_err(|error| store.error(error))?;
        }
        let forgotten = sqlx::query("delete from variable where layer = 'group' and owner = $1").bind(id);
        forgotten.execute(connection).await.map(drop).map_err(|error| store.error(error))
    }

    async fn write_group(&mut self, id: i64, group: &Group) -> Result<(), StoreError> {
        let (store, at) = (self.store, self.at);
        let written = sqlx::query(
            "insert into device_group (id, name, notes, changed) values ($1, $2, $3, $4) \
            on conflict (id) do update set name = excluded.name, notes = excluded.notes, changed = excluded.changed",
        );
        let written = written.bind(id).bind(group.name.to_string()).bind(group.notes.clone()).bind(at);
        written.execute(&mut *self.transaction).await.map_err(|error| store.error(error))?;
        let variables = group.variables.iter();
        let rows = variables.map(|(name, value)| variable(Layer::Group, id, name, value)).collect();
        insert(&mut self.transaction, (VARIABLE, ""), rows).await.map_err(|error| store.error(error))
    }
}

/// Where variables go.
pub(super) const VARIABLE: &str = "insert into variable (layer, owner, name, value)";

/// A variable's row.
pub(super) fn variable(layer: Layer, owner: i64, name: &VariableName, value: &VariableValue) -> [Cell; 4] {
    let value = serde_json::to_string(value).expect("a sealed value is JSON");
    [layer.as_str().to_owned().into(), owner.into(), name.to_string().into(), value.into()]
}
