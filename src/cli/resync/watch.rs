//! What becomes of phones that were told: they come, and say that they took it.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::awaited::Awaited;
use super::requests::Requests;
use crate::cli::standing::{self, Path, Sight, Step};
use crate::cli::table;
use crate::event::Version;
use crate::store::{Entry, Store};
use crate::terminal::OneLine;

/// A phone that was told, or not.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) entry: Entry,
    pub(super) address: String,
    pub(super) at: Timestamp,
    pub(super) fate: Fate,
    /// When it was seen to have confirmed all that it had asked for; it may ask for more.
    settles: Option<Instant>,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has what it would be given: nothing was sent.
    PassedOver,
    /// It could not be told.
    Failed(String),
    /// It said yes, and was not seen since.
    Answered,
    /// It came, and was given something of what it asked for.
    Came,
    /// It came, and was refused, or says itself that it failed: why.
    Fails(Says, String),
    /// It has sent the report that it was told to send.
    Reported,
    /// It came, and has what it should.
    Confirmed,
}

/// Who says that a phone fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// The phone.
    Phone,
    /// The server, which refused it.
    Server,
}

impl Told {
    /// One that was told at this address and time, or could not be.
    pub(super) fn new(entry: Entry, (address, at): (String, Timestamp), fate: Fate) -> Self {
        Self { entry, address, at, fate, settles: None }
    }

    /// One that needs nothing.
    pub(super) fn passed_over(entry: Entry) -> Self {
        Self::new(entry, (String::new(), Timestamp::now()), Fate::PassedOver)
    }

    /// Whether something may still become of it.
    fn is_open(&self) -> bool {
        match self.fate {
            Fate::Answered | Fate::Came => true,
            Fate::Confirmed | Fate::Fails(..) => self.settles.is_none_or(|since| since.elapsed() < SETTLED),
            Fate::PassedOver | Fate::Failed(_) | Fate::Reported => false,
        }
    }

    fn becomes(&mut self, fate: Fate) {
        let is_same = std::mem::discriminant(&fate) == std::mem::discriminant(&self.fate);
        let settles = matches!(fate, Fate::Confirmed | Fate::Fails(..));
        self.settles = settles.then(|| self.settles.filter(|_| is_same).unwrap_or_else(Instant::now));
        self.fate = fate;
    }

    /// Whether it did what it was told.
    pub(super) fn is_well(&self, awaited: Awaited) -> bool {
        match &self.fate {
            Fate::Confirmed | Fate::Came | Fate::PassedOver | Fate::Reported => true,
            Fate::Answered => awaited == Awaited::Nothing,
            Fate::Failed(_) | Fate::Fails(..) => false,
        }
    }

    /// What became of it, in words.
    fn said(&self, awaited: Awaited) -> String {
        match &self.fate {
            Fate::Failed(reason) => format!("failed: {}", OneLine(reason)),
            Fate::Fails(Says::Phone, error) => format!("came, says that it failed: {}", OneLine(error)),
            Fate::Fails(Says::Server, error) => format!("came, was refused: {}", OneLine(error)),
            other => other.as_str(awaited).to_owned(),
        }
    }
}

impl Fate {
    /// In a word, of those that have nothing more to say, and as they are counted.
    fn as_str(&self, awaited: Awaited) -> &'static str {
        match (self, awaited) {
            (Self::PassedOver, _) => "current",
            (Self::Failed(_), _) => "failed",
            (Self::Answered, Awaited::Profiles) => "answered, did not come",
            (Self::Answered, Awaited::Upload(_)) => "answered, did not report",
            (Self::Answered, Awaited::Nothing) => "answered",
            (Self::Came, _) => "came, did not confirm",
            (Self::Fails(..), _) => "came, failed",
            (Self::Reported, _) => "reported",
            (Self::Confirmed, _) => "confirmed",
        }
    }
}

/// Between two looks.
pub(super) const OFTEN: Duration = Duration::from_millis(500);

/// How long a phone that has confirmed what it asked for, or failed, may take to ask for more: it runs its rules one after the
/// other.
const SETTLED: Duration = Duration::from_secs(3);

/// Waits until every phone that answered has come and confirmed, or the time is over.
pub(super) async fn until_they_came(
    told: &mut [Told],
    (sight, store): (&Sight, &Store),
    mut requests: Requests,
    wait: Duration,
) -> anyhow::Result<()> {
    let until = Instant::now() + wait;
    loop {
        let open: Vec<Entry> = told.iter().filter(|told| told.is_open()).map(|told| told.entry.clone()).collect();
        if open.is_empty() {
            return Ok(());
        }
        requests.read_on(told, store).await?;
        let paths = sight.of(&open).await?;
        for told in told.iter_mut().filter(|told| told.is_open()) {
            let by_paths = paths.get(&told.entry.id).map_or(Fate::Answered, |paths| fate(paths, told.at));
            let id = told.entry.id;
            told.becomes(if by_paths == Fate::Answered { requests.fate(id) } else { by_paths });
        }
        if Instant::now() >= until {
            return Ok(());
        }
        tokio::time::sleep(OFTEN).await;
    }
}

/// What a device's paths say of it since it was told: those that it has not asked for since say nothing.
fn fate(paths: &[Path], since: Timestamp) -> Fate {
    let came = paths.iter().filter_map(|path| path.standing.given.as_ref()).any(|given| given.at >= since);
    let current = standing::since(paths, since);
    if let Some((says, error)) = current.iter().filter(|path| path.is_current).find_map(|path| failed(path, since)) {
        return Fate::Fails(says, error);
    }
    match (came, standing::worst(&current)) {
        (true, Some(Step::Current)) => Fate::Confirmed,
        (true, _) => Fate::Came,
        (false, _) => Fate::Answered,
    }
}

/// The error of a path that has failed since then: it may have failed before, and was given something new, of which nothing is
/// said yet.
fn failed(path: &Path, since: Timestamp) -> Option<(Says, String)> {
    let failing = path.standing.failing.as_ref()?;
    let is_after = |given: &Version| path.standing.touched > given.at;
    let is_new = failing.since >= since || path.standing.given.as_ref().is_none_or(is_after);
    let says = if failing.told { Says::Phone } else { Says::Server };
    is_new.then(|| (says, failing.error.clone()))
}

/// A line for each, and how many there are of each kind.
pub(super) fn print(out: &mut impl Write, told: &[Told], awaited: Awaited) -> io::Result<()> {
    let cells = |told: &Told| {
        let address = if told.address.is_empty() { "-".to_owned() } else { told.address.clone() };
        vec![told.entry.device.name().to_string(), address, told.said(awaited)]
    };
    let rows: Vec<Vec<String>> = told.iter().map(cells).collect();
    table::print(out, &["device", "told at", "what came of it"], &rows)?;
    let count = |wanted: &str| told.iter().filter(|told| told.fate.as_str(awaited) == wanted).count();
    let counted = |fate: Fate| format!("{} {}", count(fate.as_str(awaited)), fate.as_str(awaited));
    let counts: Vec<String> = awaited.fates().into_iter().map(counted).collect();
    writeln!(out, "{}", counts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Failing, Standing};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn given(second: i64, failing: Option<(i64, bool)>) -> Path {
        let mut standing = Standing::new(1, "/a.cfg".into(), "192.0.2.1".into(), at(second));
        standing.given = Some(Version { hash: "a".into(), at: at(second) });
        standing.failing = failing.map(|(since, told)| Failing { since: at(since), error: "bad xml".into(), told });
        Path { standing, intended: Some("a".into()), is_current: true }
    }

    #[test]
    fn a_phone_that_fails_since_it_was_told_is_one_that_says_so() {
        let fails = |says| Fate::Fails(says, "bad xml".into());
        assert_eq!(fate(&[given(20, Some((21, true)))], at(20)), fails(Says::Phone));
        assert_eq!(fate(&[given(9, Some((20, false)))], at(10)), Fate::Answered, "nothing since then was heard of it");
        let mut again = given(20, Some((5, true)));
        assert_eq!(
            fate(std::slice::from_ref(&again), at(20)),
            Fate::Came,
            "it failed before, and has said nothing since"
        );
        again.standing.touched = at(21);
        assert_eq!(fate(std::slice::from_ref(&again), at(20)), fails(Says::Phone), "it says so again");
        let mut refused = given(5, Some((21, false)));
        refused.standing.touched = at(21);
        assert_eq!(fate(&[given(20, None), refused], at(20)), fails(Says::Server));
        assert_eq!(fate(&[given(20, None), given(5, Some((5, true)))], at(20)), Fate::Confirmed);
    }
}
