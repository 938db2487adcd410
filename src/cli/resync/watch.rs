//! What becomes of phones that were told: they come, and say that they took it.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::cli::standing::{self, Path, Sight, Step};
use crate::cli::table;
use crate::store::Entry;
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
    /// It came and was given what it asked for.
    Came,
    /// It came, and has what it should.
    Confirmed,
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
            Fate::Confirmed => self.settles.is_none_or(|since| since.elapsed() < SETTLED),
            Fate::PassedOver | Fate::Failed(_) => false,
        }
    }

    fn becomes(&mut self, fate: Fate) {
        self.settles = (fate == Fate::Confirmed).then(|| self.settles.unwrap_or_else(Instant::now));
        self.fate = fate;
    }
}

impl Fate {
    fn as_str(&self) -> &'static str {
        match self {
            Self::PassedOver => "current",
            Self::Failed(_) => "failed",
            Self::Answered => "answered, did not come",
            Self::Came => "came, did not confirm",
            Self::Confirmed => "confirmed",
        }
    }
}

/// Between two looks.
const OFTEN: Duration = Duration::from_millis(500);

/// How long a phone that has confirmed what it asked for may take to ask for more: it runs its rules one after the other.
const SETTLED: Duration = Duration::from_secs(3);

/// Waits until every phone that answered has come and confirmed, or the time is over.
pub(super) async fn until_they_came(told: &mut [Told], sight: &Sight, wait: Duration) -> anyhow::Result<()> {
    let until = Instant::now() + wait;
    loop {
        let open: Vec<Entry> = told.iter().filter(|told| told.is_open()).map(|told| told.entry.clone()).collect();
        if open.is_empty() {
            return Ok(());
        }
        let paths = sight.of(&open).await?;
        for told in told.iter_mut().filter(|told| told.is_open()) {
            told.becomes(paths.get(&told.entry.id).map_or(Fate::Answered, |paths| fate(paths, told.at)));
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
    match (came, standing::worst(&standing::since(paths, since))) {
        (true, Some(Step::Current)) => Fate::Confirmed,
        (true, _) => Fate::Came,
        (false, _) => Fate::Answered,
    }
}

/// A line for each, and how many there are of each kind.
pub(super) fn print(out: &mut impl Write, told: &[Told]) -> io::Result<()> {
    let cells = |told: &Told| {
        let reason = match &told.fate {
            Fate::Failed(reason) => format!("failed: {}", OneLine(reason)),
            other => other.as_str().to_owned(),
        };
        let address = if told.address.is_empty() { "-".to_owned() } else { told.address.clone() };
        vec![told.entry.device.name().to_string(), address, reason]
    };
    let rows: Vec<Vec<String>> = told.iter().map(cells).collect();
    table::print(out, &["device", "told at", "what came of it"], &rows)?;
    let count = |wanted: &str| told.iter().filter(|told| told.fate.as_str() == wanted).count();
    let kinds = [Fate::Confirmed, Fate::Came, Fate::Answered, Fate::Failed(String::new()), Fate::PassedOver];
    let counts: Vec<String> = kinds.iter().map(|fate| format!("{} {}", count(fate.as_str()), fate.as_str())).collect();
    writeln!(out, "{}", counts.join("; "))
}
