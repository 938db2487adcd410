//! Changes of devices: numbered, checked, written with their history, and committed together or not at all.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};

use super::group::{VARIABLE, variable};
use super::history::{Layer, Snapshot};
use super::read::parsed;
use super::rows::{Cell, insert};
use super::{Entry, Store, StoreError};
use crate::device::{Device, DeviceName, GroupName};

/// A change under way. Nothing of it is there for others before [`Writing::commit`]; dropped, it never was.
#[derive(Debug)]
pub struct Writing<'a> {
    pub(super) store: &'a Store,
    pub(super) transaction: Transaction<'static, Any>,
    pub(super) revision: i64,
    pub(super) at: i64,
    pub(super) who: String,
    pub(super) action: String,
    /// Rows of the history so far.
    pub(super) places: i64,
}

/// A device before and after.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) before: Option<Entry>,
    pub(super) after: Option<Device>,
    /// The number of one that is made, where it has one: removed before, it comes back as the same.
    pub(super) id: Option<i64>,
}

/// A device before and after, its number, and its place among those that change together.
struct Numbered {
    at: usize,
    id: i64,
    before: Option<Device>,
    after: Option<Device>,
}

/// What came of a change of many devices, by their places among those that were given.
#[derive(Debug, Default)]
pub struct Changed {
    /// Those that cannot be, and why.
    pub faults: Vec<(usize, StoreError)>,
    /// Those that are as they were.
    pub unchanged: BTreeSet<usize>,
}

const DEVICE: &str = "insert into device (id, mac, serial, product, series, label, notes, enabled, changed)";

/// With [`DEVICE`]: the same statement makes a device and changes it.
const CHANGED: &str = " on conflict (id) do update set mac = excluded.mac, serial = excluded.serial, \
    product = excluded.product, series = excluded.series, label = excluded.label, notes = excluded.notes, \
    enabled = excluded.enabled, changed = excluded.changed";

/// Who has one of these names.
const MACS: &str = "select id, mac from device where mac in";
const ALIASES: &str = "select device, mac from alias where mac in";
const SERIALS: &str = "select id, serial from device where serial in";

impl Store {
    /// Begins a change by somebody, by way of an action that people know. Another one waits until it has ended.
    ///
    /// # Errors
    /// The store is not to be reached or cannot be written.
    pub async fn write(&self, who: &str, action: &str) -> Result<Writing<'_>, StoreError> {
        let begun = self.within(async {
            let mut transaction = self.pool.begin_with(self.engine.begin()).await.map_err(|error| self.error(error))?;
            let number = "update revision set number = number + 1 where id = 1 returning number";
            let revision = sqlx::query_scalar(number).fetch_one(&mut *transaction).await;
            Ok((transaction, revision.map_err(|error| self.error(error))?))
        });
        let (transaction, revision) = begun.await?;
        let at = Timestamp::now().as_millisecond();
        let (who, action) = (who.to_owned(), action.to_owned());
        Ok(Writing { store: self, transaction, revision, at, who, action, places: 0 })
    }
}

impl Writing<'_> {
    /// The device with this name.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn device(&mut self, name: &DeviceName) -> Result<Option<Entry>, StoreError> {
        self.store.named(&mut self.transaction, name).await
    }

    /// The devices with these names.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn devices(&mut self, names: &[DeviceName]) -> Result<HashMap<DeviceName, Entry>, StoreError> {
        let owners = self.owners(names).await?;
        let ids: BTreeSet<i64> = owners.values().copied().collect();
        let ids: Vec<i64> = ids.into_iter().collect();
        let entries = self.store.numbered(&mut self.transaction, &ids).await?;
        let entries: HashMap<i64, Entry> = entries.into_iter().map(|entry| (entry.id, entry)).collect();
        Ok(owners.into_iter().filter_map(|(name, id)| Some((name, entries.get(&id)?.clone()))).collect())
    }

    /// Makes (`before` is none), changes, or removes (`after` is none) each of these devices.
    ///
    /// # Errors
    /// A name is another device's, a group is not there, or the store cannot be written. The change has to be given up.
    pub async fn change(&mut self, devices: Vec<(Option<Entry>, Option<Device>)>) -> Result<(), StoreError> {
        self.change_what_can_be(devices).await?.faults.into_iter().try_for_each(|(_, fault)| Err(fault))
    }

    /// The same, but leaves out what cannot be.
    ///
    /// # Errors
    /// The store cannot be written. The change has to be given up.
    pub async fn change_what_can_be(
        &mut self,
        devices: Vec<(Option<Entry>, Option<Device>)>,
    ) -> Result<Changed, StoreError> {
        self.steps(devices.into_iter().map(|(before, after)| Step { before, after, id: None }).collect()).await
    }

    /// Ends it; for others it is there from now on. Returns its number; none where nothing was changed.
    ///
    /// # Errors
    /// The store cannot be written: then nothing was.
    pub async fn commit(self) -> Result<Option<i64>, StoreError> {
        let Self { store, transaction, revision, places, .. } = self;
        if places == 0 {
            return transaction.rollback().await.map(|()| None).map_err(|error| store.error(error));
        }
        transaction.commit().await.map(|()| Some(revision)).map_err(|error| store.error(error))
    }

    /// Ends it, though it may be no change of a device or group.
    ///
    /// # Errors
    /// The store cannot be written: then nothing was.
    pub async fn keep(self) -> Result<(), StoreError> {
        let Self { store, transaction, .. } = self;
        transaction.commit().await.map_err(|error| store.error(error))
    }

    pub(super) async fn steps(&mut self, steps: Vec<Step>) -> Result<Changed, StoreError> {
        let given = steps.len();
        let mut steps = self.number(steps).await?;
        let changing: HashSet<usize> = steps.iter().map(|step| step.at).collect();
        let unchanged = (0..given).filter(|at| !changing.contains(at)).collect();
        let groups = self.group_numbers(&steps).await?;
        let faults = self.faults(&steps, &groups).await?;
        steps.retain(|step| !faults.iter().any(|(at, _)| *at == step.at));
        self.clear(&steps).await?;
        self.fill(&steps, &groups).await?;
        let snapshot = |step: &Numbered| {
            let known = step.after.as_ref().or(step.before.as_ref())?;
            let subject = known.name().to_string();
            Some(Snapshot::of(Layer::Device, step.id, subject, step.before.as_ref(), step.after.as_ref()))
        };
        self.note(steps.iter().filter_map(snapshot).collect()).await?;
        let added = steps.iter().filter(|step| step.before.is_none()).filter_map(|step| step.after.as_ref());
        let added: Vec<DeviceName> = added.flat_map(Device::names).collect();
        self.dismiss(Some(&added)).await?;
        Ok(Changed { faults, unchanged })
    }

    /// Adds to a counter of the revision's row, and returns it.
    pub(super) async fn count_up(&mut self, statement: &'static str, by: i64) -> Result<i64, StoreError> {
        let store = self.store;
        let counted = sqlx::query_scalar(statement).bind(by).fetch_one(&mut *self.transaction).await;
        counted.map_err(|error| store.error(error))
    }

    /// Gives new devices their numbers, seals secrets, and leaves out devices that do not change.
    async fn number(&mut self, steps: Vec<Step>) -> Result<Vec<Numbered>, StoreError> {
        let new = steps.iter().filter(|step| step.before.is_none() && step.id.is_none()).count();
        let mut last = 0;
        if new > 0 {
            let by = i64::try_from(new).unwrap_or(i64::MAX);
            let statement = "update revision set last_device = last_device + $1 where id = 1 returning last_device";
            last = self.count_up(statement, by).await? - by;
        }
        let mut numbered = Vec::with_capacity(steps.len());
        for (at, Step { before, mut after, id }) in steps.into_iter().enumerate() {
            let known = before.as_ref().map(|entry| entry.id).or(id);
            let id = known.unwrap_or_else(|| {
                last += 1;
                last
            });
            let before = before.map(|entry| entry.device);
            if let Some(after) = &mut after {
                let before = before.as_ref().map(|device| &device.variables);
                self.store.sealer.seal_all(Layer::Device, id, before, &mut after.variables)?;
            }
            if before != after {
                numbered.push(Numbered { at, id, before, after });
            }
        }
        Ok(numbered)
    }

    /// Which of the devices cannot be: a name is another one's, a group is not there, or there is too much of it.
    async fn faults(
        &mut self,
        steps: &[Numbered],
        groups: &HashMap<GroupName, i64>,
    ) -> Result<Vec<(usize, StoreError)>, StoreError> {
        let mut faults = Vec::new();
        let mut wanted: HashMap<DeviceName, (usize, i64)> = HashMap::new();
        for (step, device) in steps.iter().filter_map(|step| Some((step, step.after.as_ref()?))) {
            let kept = device.check().map_err(|error| StoreError::Device { name: device.name(), error });
            let missing = device.groups.iter().find(|group| !groups.contains_key(*group));
            let grouped = missing.map_or(Ok(()), |missing| Err(StoreError::NoSuchGroup(missing.clone())));
            let twice = device.names().find(|name| wanted.contains_key(name));
            let once = twice.map_or(Ok(()), |name| Err(StoreError::Twice(name)));
            match kept.and(grouped).and(once) {
                Ok(()) => wanted.extend(device.names().map(|name| (name, (step.at, step.id)))),
                Err(fault) => faults.push((step.at, fault)),
            }
        }
        let changing: HashSet<i64> = steps.iter().map(|step| step.id).collect();
        let names: Vec<DeviceName> = wanted.keys().cloned().collect();
        for (name, owner) in self.owners(&names).await? {
            // One that changes too gives the name up, or it would be wanted twice.
            if !changing.contains(&owner) {
                let owner = self.store.numbered(&mut self.transaction, &[owner]).await?.pop();
                let owner = owner.map_or_else(|| name.clone(), |owner| owner.device.name());
                faults.push((wanted[&name].0, StoreError::Taken { name, owner }));
            }
        }
        faults.sort_by_key(|(at, _)| *at);
        faults.dedup_by_key(|(at, _)| *at);
        Ok(faults)
    }

    /// The numbers of the devices that have these names now.
    async fn owners(&mut self, names: &[DeviceName]) -> Result<HashMap<DeviceName, i64>, StoreError> {
        let store = self.store;
        let (mut macs, mut serials) = (Vec::new(), Vec::new());
        for name in names {
            match name {
                DeviceName::Mac(mac) => macs.push(Cell::from(mac.to_string())),
                DeviceName::Serial(serial) => serials.push(Cell::from(serial.to_string())),
            }
        }
        let pair = |row: &AnyRow| -> Result<(i64, String), StoreError> {
            let read = || -> Result<_, sqlx::Error> { Ok((row.try_get(0)?, row.try_get(1)?)) };
            read().map_err(|error| store.error(error))
        };
        let mut owners = HashMap::new();
        for (statement, cells) in [(MACS, macs.clone()), (ALIASES, macs)] {
            for row in store.of(&mut self.transaction, statement, cells).await? {
                let (id, mac) = pair(&row)?;
                owners.insert(DeviceName::Mac(parsed("a MAC address", &mac)?), id);
            }
        }
        for row in store.of(&mut self.transaction, SERIALS, serials).await? {
            let (id, serial) = pair(&row)?;
            owners.insert(DeviceName::Serial(parsed("a serial number", &serial)?), id);
        }
        Ok(owners)
    }

    /// Removes what is written anew, and devices that go.
    async fn clear(&mut self, steps: &[Numbered]) -> Result<(), StoreError> {
        let changed = |differs: fn(&Device, &Device) -> bool| -> Vec<Cell> {
            let both = |step: &&Numbered| match (&step.before, &step.after) {
                (Some(before), Some(after)) => differs(before, after),
                (Some(_), None) => true,
                (None, _) => false,
            };
            steps.iter().filter(both).map(|step| step.id.into()).collect()
        };
        let gone = steps.iter().filter(|step| step.after.is_none()).map(|step| step.id.into()).collect();
        let statements = [
            ("delete from alias where device in", changed(|before, after| before.aliases != after.aliases)),
            ("delete from membership where device in", changed(|before, after| before.groups != after.groups)),
            (
                "delete from variable where layer = 'device' and owner in",
                changed(|before, after| before.variables != after.variables),
            ),
            ("delete from device where id in", gone),
        ];
        for (statement, cells) in statements {
            self.store.of(&mut self.transaction, statement, cells).await?;
        }
        Ok(())
    }

    /// Writes devices, and those of their parts that differ.
    async fn fill(&mut self, steps: &[Numbered], groups: &HashMap<GroupName, i64>) -> Result<(), StoreError> {
        let (store, at) = (self.store, self.at);
        let there: Vec<_> = steps.iter().filter_map(|step| Some((step, step.after.as_ref()?))).collect();
        let connection = &mut *self.transaction;
        let rows = there.iter().map(|(step, device)| device_row(step.id, device, at)).collect();
        insert(connection, (DEVICE, CHANGED), rows).await.map_err(|error| store.error(error))?;
        let (mut aliases, mut memberships, mut variables) = (Vec::new(), Vec::new(), Vec::new());
        for (step, device) in there {
            let before = step.before.as_ref();
            if before.is_none_or(|before| before.aliases != device.aliases) {
                aliases.extend((0..).zip(&device.aliases).map(|(place, mac)| -> [Cell; 3] {
                    [mac.to_string().into(), step.id.into(), Cell::Number(place)]
                }));
            }
            if before.is_none_or(|before| before.groups != device.groups) {
                memberships.extend((0..).zip(&device.groups).map(|(place, group)| -> [Cell; 3] {
                    [step.id.into(), Cell::Number(place), groups[group].into()]
                }));
            }
            if before.is_none_or(|before| before.variables != device.variables) {
                let own = device.variables.iter();
                variables.extend(own.map(|(name, value)| variable(Layer::Device, step.id, name, value)));
            }
        }
        let into = ["insert into alias (mac, device, place)", "insert into membership (device, place, device_group)"];
        insert(connection, (into[0], ""), aliases).await.map_err(|error| store.error(error))?;
        insert(connection, (into[1], ""), memberships).await.map_err(|error| store.error(error))?;
        insert(connection, (VARIABLE, ""), variables).await.map_err(|error| store.error(error))
    }

    /// The numbers of those groups of devices that are there.
    async fn group_numbers(&mut self, steps: &[Numbered]) -> Result<HashMap<GroupName, i64>, StoreError> {
        let store = self.store;
        let devices = steps.iter().filter_map(|step| step.after.as_ref());
        let names: BTreeSet<&GroupName> = devices.flat_map(|device| &device.groups).collect();
        let cells = names.iter().map(|name| Cell::from(name.to_string())).collect();
        let rows = store.of(&mut self.transaction, "select id, name from device_group where name in", cells).await?;
        let number = |row: &AnyRow| -> Result<(GroupName, i64), StoreError> {
            let read = || -> Result<(i64, String), sqlx::Error> { Ok((row.try_get(0)?, row.try_get(1)?)) };
            let (id, name) = read().map_err(|error| store.error(error))?;
            Ok((parsed("a group's name", &name)?, id))
        };
        rows.iter().map(number).collect()
    }
}

fn device_row(id: i64, device: &Device, at: i64) -> [Cell; 9] {
    let text = |text: Option<String>| Cell::Text(text);
    [
        id.into(),
        text(device.identity.mac().map(|mac| mac.to_string())),
        text(device.identity.serial().map(ToString::to_string)),
        text(device.identity.model().map(ToString::to_string)),
        text(device.series.as_ref().map(ToString::to_string)),
        device.label.clone().into(),
        device.notes.clone().into(),
        i64::from(device.enabled).into(),
        at.into(),
    ]
}
