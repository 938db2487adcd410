//! What a change would do to phones' profiles, before anybody makes it: every profile is made as it is and as it would be, and
//! the two are compared parameter by parameter. Nothing is written.

mod compare;
mod places;
mod report;
mod side;
mod tally;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::task::JoinSet;

use self::compare::{Case, Comparison};
pub(super) use self::places::Places;
pub(super) use self::side::{Side, Subject};
use self::tally::Tally;
use super::standing::asked;
use super::store::{app, with_shared_store};
use crate::config::Config;
use crate::device::{Device, GroupName};
use crate::store::{Entry, Filter, Outlook, Store};

/// Devices that are read at once.
const PAGE: i64 = 1000;

/// Devices that are compared at once.
const BATCH: usize = 250;

/// To look before a change is made.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
#[group(id = "previewing", multiple = true)]
pub(super) struct Args {
    /// Say what the change would do to phones' profiles, and change nothing. Exits with 1 where a phone would lose its profile.
    #[arg(long)]
    pub(super) preview: bool,
    /// With --preview: print JSON.
    #[arg(long, requires = "preview")]
    pub(super) json: bool,
}

/// A comparison under way.
pub(super) struct Preview {
    comparison: Arc<Comparison>,
    batches: JoinSet<Tally>,
    most: usize,
    tally: Tally,
}

impl Preview {
    /// Of a change of layers, or of devices: the files are what they are.
    pub(super) async fn begin(
        store: &Store,
        config: Config,
        change: impl FnOnce(&mut Outlook) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let app = Arc::new(app(config).context("the server's side cannot be looked at")?);
        let before = Side { app, outlook: store.outlook().await? };
        let mut after = before.clone();
        change(&mut after.outlook)?;
        Self::of(store, before, after)
    }

    fn of(store: &Store, before: Side, after: Side) -> anyhow::Result<Self> {
        let comparison = Arc::new(Comparison::new(store, before, after)?);
        let most = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { comparison, batches: JoinSet::new(), most, tally: Tally::default() })
    }

    /// Looks at devices, each as it is and as it would be.
    pub(super) async fn look(
        &mut self,
        store: &Store,
        devices: Vec<(Option<Entry>, Option<Entry>)>,
    ) -> anyhow::Result<()> {
        let ids: Vec<i64> = devices.iter().filter_map(|(before, _)| Some(before.as_ref()?.id)).collect();
        let mut keys = store.keys(&ids).await?;
        let mut standings = std::collections::HashMap::<i64, Vec<_>>::new();
        for standing in store.standings_of(&ids).await? {
            standings.entry(standing.device).or_default().push(standing);
        }
        let mut cases = devices.into_iter().map(|(before, after)| {
            let id = before.as_ref().map_or(0, |entry| entry.id);
            let asks = standings.get(&id).map(|standings| asked(standings)).unwrap_or_default();
            Case { before, after, keys: keys.remove(&id).unwrap_or_default(), asks }
        });
        loop {
            let batch: Vec<Case> = cases.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return Ok(());
            }
            // What waits for a core waits in memory.
            while self.batches.len() > self.most {
                self.join().await?;
            }
            let comparison = self.comparison.clone();
            self.batches.spawn_blocking(move || comparison.count(&batch));
        }
    }

    /// Looks at all devices of the store, or those of a group.
    pub(super) async fn look_at_all(&mut self, store: &Store, group: Option<GroupName>) -> anyhow::Result<()> {
        let filter = Filter { group, ..Filter::default() };
        let mut after = 0;
        loop {
            let page = store.page(after, PAGE, &filter).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            self.look(store, page.into_iter().map(|entry| (Some(entry.clone()), Some(entry))).collect()).await?;
        }
    }

    async fn join(&mut self) -> anyhow::Result<()> {
        if let Some(tally) = self.batches.join_next().await {
            self.tally.merge(tally.context("a comparison has failed")?);
        }
        Ok(())
    }

    /// Prints what it came to.
    pub(super) async fn tell(mut self, json: bool) -> anyhow::Result<Told> {
        while !self.batches.is_empty() {
            self.join().await?;
        }
        report::print(&self.tally, &[], json)?;
        Ok(Told::of(&self.tally, false))
    }
}

/// What a preview came to, for the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// A phone would lose its profile, or a new one have none.
    pub(super) loses: bool,
    /// Something would be otherwise.
    pub(super) differs: bool,
}

impl Told {
    fn of(tally: &Tally, differs: bool) -> Self {
        let new = tally.new > 0 && !tally.unserved.is_empty();
        Self { loses: !tally.lost.is_empty() || new, differs: differs || tally.changed > 0 || tally.alike.count > 0 }
    }

    /// That of a command which would make the change.
    pub(super) fn code(self) -> ExitCode {
        if self.loses { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// A device that would be another; a new one has no number yet.
pub(super) fn pair(before: Option<Entry>, after: Option<Device>) -> (Option<Entry>, Option<Entry>) {
    let id = before.as_ref().map_or(0, |entry| entry.id);
    (before, after.map(|device| Entry { id, device }))
}

/// Of another folder of profiles, for all devices. Whether anything differs.
pub(super) fn of_folder(file: &Path, profiles: &Path, json: bool) -> anyhow::Result<Told> {
    with_shared_store(file, async |config, store| {
        let other = Config { profiles: profiles.to_owned(), ..super::load(file)? };
        let before = Side { app: Arc::new(app(config)?), outlook: store.outlook().await? };
        let after = Side { app: Arc::new(app(other)?), outlook: before.outlook.clone() };
        let mut preview = Preview::of(&store, before, after)?;
        preview.look_at_all(&store, None).await?;
        while !preview.batches.is_empty() {
            preview.join().await?;
        }
        let common = preview.comparison.common();
        report::print(&preview.tally, &common, json)?;
        Ok(Told::of(&preview.tally, !common.is_empty()))
    })
}
