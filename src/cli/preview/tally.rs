//! What a change comes to over many phones: like with like, counted, in memory that does not grow with the phones.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::hash::{DefaultHasher, Hasher as _};

/// Phones of a kind that are named.
const NAMED: usize = 3;

/// Parameters of one kind of change that are shown.
const SHOWN: usize = 50;

/// Sets of values of one kind of change that are kept apart; of more, one is an example of all.
const SETS: usize = 4;

/// Kinds of change.
const KINDS: usize = 1000;

/// Parameters that are counted.
const PARAMETERS: usize = 20_000;

/// Characters of a value that are kept.
const LONGEST: usize = 200;

/// A parameter before and after, as people may see it; none where it is not there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Shift {
    pub(super) parameter: String,
    pub(super) before: Option<Content>,
    pub(super) after: Option<Content>,
}

/// A parameter's value, as people may see it, and what the phone's user may do with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Content {
    pub(super) value: String,
    pub(super) access: Option<String>,
}

/// Phones, of which the first few are named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Phones {
    pub(super) count: usize,
    pub(super) named: Vec<String>,
}

/// Changes of the same parameters of the same file.
#[derive(Debug, Default)]
pub(super) struct Kind {
    pub(super) file: String,
    pub(super) phones: Phones,
    /// How many parameters.
    pub(super) parameters: usize,
    /// Values that change alike, by a hash of all of them.
    pub(super) sets: BTreeMap<u64, (Vec<Shift>, Phones)>,
    /// There were more of those than are kept.
    pub(super) is_various: bool,
    /// The parameters, with the values of the first phone; and whether all phones have the same.
    pub(super) shifts: Vec<(Shift, bool)>,
}

/// What became of all phones that were looked at.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) phones: usize,
    pub(super) changed: usize,
    /// Added by the change.
    pub(super) new: usize,
    /// Served neither before nor after, and why.
    pub(super) unserved: BTreeMap<String, Phones>,
    /// Served before and not after.
    pub(super) lost: BTreeMap<String, Phones>,
    /// Served after and not before.
    pub(super) gained: BTreeMap<String, Phones>,
    /// Given other bytes that say the same.
    pub(super) alike: Phones,
    pub(super) parameters: BTreeSet<String>,
    pub(super) kinds: HashMap<u64, Kind>,
    /// Of kinds that found no room.
    pub(super) others: Phones,
}

impl Phones {
    pub(super) fn add(&mut self, name: &str) {
        self.merge(Self { count: 1, named: vec![name.to_owned()] });
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.named.extend(other.named);
        self.named.sort();
        self.named.truncate(NAMED);
    }
}

impl Tally {
    /// Takes in how one file of a phone changes.
    pub(super) fn shifted(&mut self, file: &str, phone: &str, mut shifts: Vec<Shift>) {
        for shift in &mut shifts {
            [&mut shift.before, &mut shift.after].into_iter().flatten().for_each(Content::clip);
            if self.parameters.len() < PARAMETERS && !self.parameters.contains(&shift.parameter) {
                self.parameters.insert(shift.parameter.clone());
            }
        }
        let names = hash(&(file, shifts.iter().map(|shift| &shift.parameter).collect::<Vec<_>>()));
        let values = hash(&shifts);
        let parameters = shifts.len();
        shifts.truncate(SHOWN);
        let phones = Phones { count: 1, named: vec![phone.to_owned()] };
        self.kind(
            names,
            Kind {
                file: file.to_owned(),
                phones: phones.clone(),
                parameters,
                shifts: shifts.iter().map(|shift| (shift.clone(), true)).collect(),
                sets: BTreeMap::from([(values, (shifts, phones))]),
                is_various: false,
            },
        );
    }

    fn kind(&mut self, names: u64, kind: Kind) {
        let has_room = self.kinds.len() < KINDS;
        match self.kinds.get_mut(&names) {
            Some(known) => known.merge(kind),
            None if has_room => drop(self.kinds.insert(names, kind)),
            None => self.others.merge(kind.phones),
        }
    }

    /// Adds what others have counted.
    pub(super) fn merge(&mut self, other: Self) {
        self.phones += other.phones;
        self.changed += other.changed;
        self.new += other.new;
        self.alike.merge(other.alike);
        self.others.merge(other.others);
        for (mine, theirs) in
            [(&mut self.unserved, other.unserved), (&mut self.lost, other.lost), (&mut self.gained, other.gained)]
        {
            for (reason, phones) in theirs {
                of(mine, reason).merge(phones);
            }
        }
        for parameter in other.parameters {
            if self.parameters.len() < PARAMETERS {
                self.parameters.insert(parameter);
            }
        }
        for (names, kind) in other.kinds {
            self.kind(names, kind);
        }
    }
}

/// The phones of a reason; of too many reasons, those of the others.
pub(super) fn of(reasons: &mut BTreeMap<String, Phones>, reason: String) -> &mut Phones {
    let reason =
        if reasons.len() < KINDS || reasons.contains_key(&reason) { reason } else { "other reasons".to_owned() };
    reasons.entry(reason).or_default()
}

impl Kind {
    fn merge(&mut self, other: Self) {
        self.phones.merge(other.phones);
        self.is_various |= other.is_various;
        for (values, (shifts, phones)) in other.sets {
            let has_room = self.sets.len() < SETS;
            match self.sets.get_mut(&values) {
                Some((_, known)) => known.merge(phones),
                None if has_room => drop(self.sets.insert(values, (shifts, phones))),
                None => self.is_various = true,
            }
        }
        for ((mine, same), (theirs, also)) in self.shifts.iter_mut().zip(other.shifts) {
            *same &= also && *mine == theirs;
        }
    }
}

fn hash(value: &impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Content {
    fn clip(&mut self) {
        if let Some((end, _)) = self.value.char_indices().nth(LONGEST) {
            self.value.truncate(end);
            self.value.push('…');
        }
    }
}

/// As `explain` prints values, in quotation marks.
impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", serde_json::Value::from(self.value.as_str()))?;
        self.access.as_ref().map_or(Ok(()), |access| write!(f, " (ua {access})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shift(parameter: &str, before: &str, after: &str) -> Shift {
        let content = |value: &str| Some(Content { value: value.into(), access: None });
        Shift { parameter: parameter.into(), before: content(before), after: content(after) }
    }

    #[test]
    fn phones_that_change_alike_are_counted_together_whoever_counted_them() {
        let mut all = Tally::default();
        for part in 0..4 {
            let mut tally = Tally::default();
            for number in 0..25 {
                let phone = format!("{:04}", part * 25 + number);
                let port = if number == 7 { "5070" } else { "5060" };
                tally.shifted("$MA.cfg", &phone, vec![shift("SIP_Port_1_", port, "5061")]);
            }
            all.merge(tally);
        }
        let kind = all.kinds.values().next().expect("a kind");
        let counts: BTreeSet<usize> = kind.sets.values().map(|(_, phones)| phones.count).collect();
        assert_eq!((all.kinds.len(), kind.phones.count, counts), (1, 100, BTreeSet::from([4, 96])));
        assert_eq!(kind.phones.named, ["0000", "0001", "0002"]);
        assert!(!kind.is_various && !kind.shifts[0].1);
    }

    #[test]
    fn what_differs_for_each_phone_takes_no_room_for_each() {
        let mut tally = Tally::default();
        for number in 0..5000 {
            let own = format!("{number}");
            tally.shifted("$MA.cfg", &own, vec![shift("Proxy_1_", "a", "b"), shift("User_ID_1_", "x", &own)]);
        }
        let kind = tally.kinds.values().next().expect("a kind");
        assert_eq!((kind.sets.len(), kind.is_various, kind.phones.count), (SETS, true, 5000));
        assert_eq!(kind.shifts.iter().map(|(_, same)| *same).collect::<Vec<_>>(), [true, false]);
        for number in 0..5000 {
            tally.shifted(&format!("{number}.cfg"), "one", vec![shift("A", "1", &"x".repeat(1000))]);
        }
        assert_eq!((tally.kinds.len(), tally.others.count), (KINDS, 5001 - KINDS));
        assert!(tally.kinds.values().flat_map(|kind| &kind.shifts).all(|(shift, _)| {
            shift.after.as_ref().is_some_and(|after| after.value.chars().count() <= LONGEST + 1)
        }));
    }
}
