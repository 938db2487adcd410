//! Devices and all that their profiles are made from, by one question: phones wait for the answer, and all of it is of one
//! moment.
//!
//! What is many of one device comes as a list in one column, since a row for each would cost more than the reading does.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::keys::KeyState;
use super::layers::json;
use super::read::parsed;
use super::rows::{Cell, Style, padded, places};
use super::{Entry, Store, StoreError};
use crate::device::{DeviceName, GroupName, Origin, Stratum, Values};

/// A device, and all that its profiles are made from.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) entry: Entry,
    /// What lies beneath its own variables, each with its owner's number.
    pub(super) beneath: Vec<(i64, Stratum)>,
    /// Its keys, the oldest of each kind first.
    pub(super) keys: Vec<KeyState>,
    /// When any of that was last changed.
    pub(super) changed: SystemTime,
}

/// What the store said of some names, in their order.
#[derive(Debug)]
pub(super) struct Answer {
    /// Its last change then.
    pub(super) revision: i64,
    pub(super) found: Vec<Result<Option<Whole>, StoreError>>,
}

/// Stands before a row for each name: its place among them, and itself as an address or a serial number.
const ASKED: &str = "with asked (place, mac, serial) as (values ";

/// ASCII has a character that parts the records of a list (1e), and one for the fields of a record (1f): neither a name nor
/// JSON holds them. Lists are sorted by who reads them: SQLite would make a table for each.
const SELECT: &str = "), found (place, id) as (select place, coalesce((select id from device where mac = asked.mac), \
        (select device from alias where mac = asked.mac), (select id from device where serial = asked.serial)) \
        from asked where place is not null) \
    select d.id, d.mac, d.serial, d.product, d.series, d.label, d.notes, d.enabled, d.changed, \
    found.place, (select number from revision where id = 1), (select max(at) from history where layer = 'defaults'), \
    (select string_agg(concat_ws('\x1f', name, value), '\x1e') from variable where layer = 'defaults' and owner = 0), \
    (select string_agg(concat_ws('\x1f', place, mac), '\x1e') from alias where device = d.id), \
    (select string_agg(concat_ws('\x1f', m.place, g.id, g.changed, g.name), '\x1e') \
        from membership m join device_group g on g.id = m.device_group where m.device = d.id), \
    (select string_agg(concat_ws('\x1f', v.owner, v.name, v.value), '\x1e') \
        from membership m join variable v on v.layer = 'group' and v.owner = m.device_group where m.device = d.id), \
    (select string_agg(concat_ws('\x1f', name, value), '\x1e') from variable where layer = 'device' and owner = d.id), \
    (select string_agg(concat_ws('\x1f', generation, kind, state, print, secret, made, coalesce(used, -1)), '\x1e') \
        from device_key where device = d.id) \
    from found left join device d on d.id = found.id";

impl Whole {
    /// All that its variables come from, each with its owner's number.
    pub(super) fn strata(&self) -> Vec<(i64, Stratum)> {
        let own = Stratum { origin: Origin::Device, variables: self.entry.device.variables.clone() };
        self.beneath.iter().cloned().chain([(self.entry.id, own)]).collect()
    }
}

impl Store {
    /// What the store has of these names.
    pub(super) async fn wholes(
        &self,
        connection: &mut AnyConnection,
        names: &[DeviceName],
    ) -> Result<Answer, StoreError> {
        let rows = padded(names.len());
        // Only parameters are put in.
        let text = AssertSqlSafe(format!("{ASKED}{}{SELECT}", places(Style::of(connection), rows, 3)));
        let asked = names.iter().zip(0..).map(|(name, place)| match name {
            DeviceName::Mac(mac) => [Cell::Number(place), mac.to_string().into(), Cell::Text(None)],
            DeviceName::Serial(serial) => [Cell::Number(place), Cell::Text(None), serial.to_string().into()],
        });
        let nobody = std::iter::repeat([Cell::Maybe(None), Cell::Text(None), Cell::Text(None)]);
        let cells = asked.chain(nobody).take(rows).flatten();
        let rows = cells.fold(sqlx::query(text), |query, cell| cell.bind(query)).fetch_all(connection).await;
        let mut answer = Answer { revision: 0, found: names.iter().map(|_| Ok(None)).collect() };
        for row in rows.map_err(|error| self.error(error))? {
            let read = || -> Result<_, sqlx::Error> { Ok((row.try_get(0)?, row.try_get(9)?, row.try_get(10)?)) };
            let (id, place, revision): (Option<i64>, i64, i64) = read().map_err(|error| self.error(error))?;
            answer.revision = revision;
            if let Some(found) = usize::try_from(place).ok().and_then(|place| answer.found.get_mut(place)) {
                *found = id.map(|_| self.read_whole(&row)).transpose();
            }
        }
        Ok(answer)
    }

    /// What the store has of one name.
    pub(super) async fn whole(
        &self,
        connection: &mut AnyConnection,
        name: &DeviceName,
    ) -> Result<Option<Whole>, StoreError> {
        let answer = self.wholes(connection, std::slice::from_ref(name)).await?;
        answer.found.into_iter().next().unwrap_or(Ok(None))
    }

    fn read_whole(&self, row: &AnyRow) -> Result<Whole, StoreError> {
        let time = |at: usize| row.try_get::<Option<i64>, _>(at).map_err(|error| self.error(error));
        let list = |at: usize| row.try_get::<Option<String>, _>(at).map_err(|error| self.error(error));
        let lists = [list(12)?, list(13)?, list(14)?, list(15)?, list(16)?, list(17)?].map(Option::unwrap_or_default);
        let [defaults, aliases, groups, shared, own, keys] = &lists;
        let mut entry = self.entry(row)?;
        for [_, mac] in sorted(aliases)? {
            entry.device.aliases.push(parsed("a MAC address", mac)?);
        }
        entry.device.variables = values(records(own)?)?;
        let mut beneath = vec![(0, Stratum { origin: Origin::Defaults, variables: values(records(defaults)?)? })];
        let mut times = vec![time(8)?, time(11)?];
        let mut of_groups: BTreeMap<&str, Vec<[&str; 2]>> = BTreeMap::new();
        for [owner, name, value] in records(shared)? {
            of_groups.entry(owner).or_default().push([name, value]);
        }
        for [_, id, changed, name] in sorted(groups)? {
            let name: GroupName = parsed("a group's name", name)?;
            entry.device.groups.push(name.clone());
            times.push(Some(parsed("a time", changed)?));
            if let Some(records) = of_groups.remove(id) {
                let stratum = Stratum { origin: Origin::Group(name), variables: values(records)? };
                beneath.push((parsed("a group's number", id)?, stratum));
            }
        }
        let keys = sorted(keys)?.into_iter().map(key).collect::<Result<Vec<_>, _>>()?;
        times.extend(keys.iter().map(|key| Some(key.used.unwrap_or(key.made).as_millisecond())));
        let changed = Duration::from_millis(times.into_iter().flatten().max().unwrap_or_default().unsigned_abs());
        Ok(Whole { entry, beneath, keys, changed: SystemTime::UNIX_EPOCH + changed })
    }
}

fn values(records: Vec<[&str; 2]>) -> Result<Values, StoreError> {
    let read = |[name, value]: [&str; 2]| Ok((parsed("a variable's name", name)?, json(name, value)?));
    records.into_iter().map(read).collect()
}

fn key([generation, kind, state, print, secret, made, used]: [&str; 7]) -> Result<KeyState, StoreError> {
    let number = |text: &str| parsed::<i64>("a key", text);
    let used = Some(number(used)?).filter(|used| *used >= 0);
    KeyState::new((kind, number(generation)?), state, (print.to_owned(), secret.to_owned()), (number(made)?, used))
}

/// The records of a list by the number that each begins with.
fn sorted<const FIELDS: usize>(list: &str) -> Result<Vec<[&str; FIELDS]>, StoreError> {
    let mut records = records(list)?;
    records.sort_by_key(|record: &[&str; FIELDS]| record[0].parse::<i64>().unwrap_or(i64::MAX));
    Ok(records)
}

/// The records of a list, each of so many fields.
fn records<const FIELDS: usize>(list: &str) -> Result<Vec<[&str; FIELDS]>, StoreError> {
    let records = list.split('\x1e').filter(|record| !record.is_empty());
    let fields = |record: &str| record.bytes().filter(|byte| *byte == b'\x1f').count() + 1;
    if let Some(found) = records.clone().map(fields).find(|found| *found != FIELDS) {
        let reason = format!("{found} fields in a row: expected {FIELDS}");
        return Err(StoreError::damaged("what belongs to a device", reason));
    }
    Ok(records
        .map(|record| {
            let mut fields = record.split('\x1f');
            std::array::from_fn(|_| fields.next().unwrap_or_default())
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_records_of_fields_and_of_no_other_number() {
        assert_eq!(records::<2>("").expect("a list"), Vec::<[&str; 2]>::new());
        assert_eq!(records::<2>("a\x1f1\x1eb\x1f").expect("a list"), [["a", "1"], ["b", ""]]);
        let error = records::<2>("a\x1f1\x1eb\x1f2\x1f3").expect_err("a stray separator").to_string();
        assert!(error.contains("3 fields in a row: expected 2"), "{error}");
    }
}
