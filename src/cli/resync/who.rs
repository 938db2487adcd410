//! Which phones are told.

use std::collections::BTreeMap;

use anyhow::ensure;

use crate::cli::standing::{self, Path, Sight};
use crate::device::{DeviceName, GroupName};
use crate::store::{Entry, Filter, Store, StoreError};

/// Which phones: one of these at least, and each of them narrows the others. None that is disabled is meant.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub(super) struct Who {
    /// These devices. Of one that is not told, standard error says why.
    names: Vec<DeviceName>,
    /// Those of this group; of the devices that are named, the ones that are in it.
    #[arg(long)]
    group: Option<GroupName>,
    /// Those that are behind, those that fail among them; of the devices that are named and the group, the ones that are.
    #[arg(long)]
    behind: bool,
}

/// Devices that are looked at together.
const AT_ONCE: i64 = 500;

impl Who {
    /// Every device that is meant, and how it stands.
    pub(super) async fn candidates(&self, store: &Store, sight: &Sight) -> anyhow::Result<Vec<(Entry, Vec<Path>)>> {
        let Self { names, group, behind } = self;
        if let Some(group) = group {
            let groups = store.groups().await?;
            ensure!(groups.iter().any(|(known, _)| known.name == *group), StoreError::NoSuchGroup(group.clone()));
        }
        if !names.is_empty() {
            let mut found = with_paths(named(names, store).await?, sight).await?;
            found.retain(|(entry, paths)| self.takes(entry, paths));
            return Ok(found);
        }
        let filter = Filter { group: group.clone(), enabled: Some(true), ..Filter::default() };
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let some = store.page(after, AT_ONCE, &filter).await?;
            let Some(last) = some.last().map(|entry| entry.id) else { break };
            after = last;
            let all = with_paths(some, sight).await?;
            found.extend(all.into_iter().filter(|(_, paths)| !behind || standing::is_behind(paths)));
        }
        Ok(found)
    }

    /// Whether a device that is named is one of those that are meant; if not, standard error says why.
    fn takes(&self, entry: &Entry, paths: &[Path]) -> bool {
        let reason = self.leaves_out(entry, paths);
        if let Some(reason) = &reason {
            eprintln!("phoneprov: {} is not told: {reason}", entry.device.name());
        }
        reason.is_none()
    }

    fn leaves_out(&self, entry: &Entry, paths: &[Path]) -> Option<String> {
        match &self.group {
            Some(group) if !entry.device.groups.contains(group) => Some(format!("it is not in the group {group}")),
            _ if !entry.device.enabled => Some("it is disabled".to_owned()),
            _ if self.behind && !standing::is_behind(paths) => Some("it is not behind".to_owned()),
            _ => None,
        }
    }
}

/// The devices of these names, each once, whichever of its names it was called by.
async fn named(names: &[DeviceName], store: &Store) -> anyhow::Result<Vec<Entry>> {
    let mut entries: BTreeMap<i64, Entry> = BTreeMap::new();
    for name in names {
        let entry = store.device(name).await?.ok_or_else(|| StoreError::NoSuchDevice(name.clone()))?;
        entries.insert(entry.id, entry);
    }
    Ok(entries.into_values().collect())
}

async fn with_paths(entries: Vec<Entry>, sight: &Sight) -> anyhow::Result<Vec<(Entry, Vec<Path>)>> {
    let mut paths = sight.of(&entries).await?;
    let found = entries.into_iter().map(|entry| {
        let paths = paths.remove(&entry.id).unwrap_or_default();
        (entry, paths)
    });
    Ok(found.collect())
}
