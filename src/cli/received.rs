//! What phones have sent, for commands that look at it: the store lists it, and an identity opens it.

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use jiff::Timestamp;

use crate::config::Config;
use crate::device::DeviceName;
use crate::event::{Event, Kind};
use crate::profile::flat::{FlatProfile, MAX_BYTES};
use crate::profile::report::{Entry as Report, State, What};
use crate::store::{Entry, Store, StoreError, Upload, UploadKind, Wanted};
use crate::vault::{Identities, Vault};

/// Events that are asked for at once.
const EVENTS: i64 = 1000;

/// The three kinds of reports.
pub(super) const REPORTS: [UploadKind; 3] = [UploadKind::Report, UploadKind::Delta, UploadKind::Status];

/// Whose identity opens what phones have sent.
#[derive(Debug, clap::Args)]
pub(super) struct IdentityArgs {
    /// The age identity that opens what is kept; else that of uploads.identity.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

/// Who can read what is kept.
pub(super) struct Reader {
    vault: Vault,
    identities: Identities,
    /// Uploads that were refused are known.
    has_events: bool,
}

impl IdentityArgs {
    /// Opens what a configuration keeps.
    pub(super) fn reader(&self, config: &Config) -> anyhow::Result<Reader> {
        let file = config.file.display();
        let uploads = config.uploads.as_ref();
        let uploads = uploads.with_context(|| format!("{file}: there is no [uploads], so nothing is kept"))?;
        let identity = self.identity.as_ref().or(uploads.identity.as_ref());
        let identity = identity.with_context(|| {
            format!("{file}: what is kept is opened with an age identity: name it with --identity or uploads.identity")
        })?;
        let identities = Identities::read(identity)?;
        Ok(Reader { vault: Vault::open(uploads)?, identities, has_events: config.events.is_some() })
    }
}

impl Reader {
    /// Whether uploads that were refused are known, which are gaps.
    pub(super) fn knows_gaps(&self) -> bool {
        self.has_events
    }

    /// What is in a file, part by part.
    pub(super) fn open(&self, upload: &Upload) -> anyhow::Result<impl std::io::Read + use<>> {
        let mut all: Box<dyn std::io::Read> = Box::new(std::io::empty());
        for part in &upload.parts {
            all = Box::new(all.chain(self.vault.read(&part.kept, &self.identities)?));
        }
        Ok(all)
    }

    /// The text of a report.
    pub(super) fn text(&self, upload: &Upload) -> anyhow::Result<String> {
        let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_mul(8);
        let mut text = String::new();
        self.open(upload)?.take(most).read_to_string(&mut text).with_context(|| format!("report {}", upload.id))?;
        ensure!(u64::try_from(text.len()).is_ok_and(|length| length < most), "report {} is too large", upload.id);
        Ok(text)
    }

    /// What a device's reports come to, those up to a time; none where it has sent none that counts.
    pub(super) async fn state(
        &self,
        store: &Arc<Store>,
        entry: &Entry,
        until: Timestamp,
    ) -> anyhow::Result<Option<State>> {
        let uploads = store.uploads_of_device(&entry.device.name(), &[UploadKind::Report, UploadKind::Delta]).await?;
        let uploads: Vec<Upload> = uploads.into_iter().filter(|upload| upload.at <= until).collect();
        let Some(first) = uploads.first() else { return Ok(None) };
        // What was before the last full report does not matter.
        let last_full = uploads.iter().rposition(|upload| upload.kind == UploadKind::Report).unwrap_or_default();
        let since = uploads.get(last_full).map_or(first.at, |full| full.at);
        let mut reports: Vec<Report> = uploads[last_full..].iter().map(|upload| self.report(upload)).collect();
        for lost in self.lost(store, entry, since..=until).await? {
            // Reports keep the order in which the store listed them, whatever the clocks of several nodes say.
            let place = reports.iter().rposition(|report| report.at <= lost.at).map_or(0, |before| before + 1);
            reports.insert(place, lost);
        }
        Ok(Some(State::of(reports)))
    }

    fn report(&self, upload: &Upload) -> Report {
        let read = self.text(upload).and_then(|text| Ok(FlatProfile::read(text.as_bytes())?));
        let what = match (read, upload.kind) {
            (Err(error), _) => What::Lost(format!("{error:#}")),
            (Ok(profile), UploadKind::Report) => What::Full(profile),
            (Ok(profile), _) => What::Delta(profile),
        };
        Report { at: upload.at, what }
    }

    /// The reports of a device that came in and were not kept, as far as events tell.
    async fn lost(
        &self,
        store: &Arc<Store>,
        entry: &Entry,
        within: std::ops::RangeInclusive<Timestamp>,
    ) -> anyhow::Result<Vec<Report>> {
        if !self.has_events {
            return Ok(Vec::new());
        }
        let of = Some((Some(entry.id), entry.device.name().to_string()));
        let mut wanted = Wanted { after: 0, of, kind: Some(Kind::Report), since: Some(*within.start()) };
        let mut found = Vec::new();
        loop {
            let events = store.events_after(&wanted, EVENTS).await?;
            let Some(last) = events.last() else { return Ok(found) };
            wanted.after = last.id;
            let counts = |event: &Event| within.contains(&event.at) && is_lost(event);
            found.extend(
                events.into_iter().filter(counts).map(|event| Report { at: event.at, what: What::Lost(event.text) }),
            );
        }
    }
}

/// A status is no part of what a phone has, and what nobody has proven to send is no word of the phone's.
fn is_lost(event: &Event) -> bool {
    event.certain && event.outcome != "kept" && !event.text.starts_with(UploadKind::Status.as_str())
}

/// Which files are listed, and how.
#[derive(Debug, clap::Args)]
pub(super) struct Listing {
    /// Only those of this device.
    device: Option<DeviceName>,
    /// No more than so many of the newest.
    #[arg(long, value_name = "COUNT", default_value = "1000", value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

impl Listing {
    /// Files of these kinds, the first first.
    pub(super) async fn of(&self, store: &Store, kinds: &[UploadKind]) -> anyhow::Result<Vec<Upload>> {
        let Some(name) = &self.device else { return Ok(store.newest_of_phones(kinds, self.limit).await?) };
        let entry = store.device(name).await?.ok_or_else(|| StoreError::NoSuchDevice(name.clone()))?;
        let mut uploads = store.uploads_of_device(&entry.device.name(), kinds).await?;
        let more = uploads.len().saturating_sub(usize::try_from(self.limit).unwrap_or(usize::MAX));
        Ok(uploads.split_off(more))
    }
}

/// A file as a line of a table: number, time, device, kind, size, address.
pub(super) fn row(upload: &Upload) -> Vec<String> {
    vec![
        upload.id.to_string(),
        upload.at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        upload.device.clone().unwrap_or_default(),
        upload.kind.as_str().to_owned(),
        upload.size.to_string(),
        upload.address.clone(),
    ]
}
