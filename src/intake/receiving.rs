//! One file as it comes: gathered, encrypted off the runtime's threads, and listed when it is on the disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;

use super::pledge::{Left, Pledge, Unpledged};
use super::turn::Turn;
use super::{Announced, Intake, IntakeError, Place, Tag, Told};
use crate::case::{CaseGrant, CaseNumber};
use crate::event::Reception;
use crate::store::{Load, NewUpload, StoreError, UploadKind};
use crate::vault::{Deposit, Kept};

/// Bytes that are gathered before they are written: a task of its own for less would cost more than the writing.
const GATHERED: usize = 256 * 1024;

/// Between two looks whether the case of a file that goes on coming is still open.
const LOOKS: Duration = Duration::from_secs(10);

/// A file that is coming in. Dropped, nothing of what has come is kept.
#[derive(Debug)]
pub struct Receiving {
    intake: Arc<Intake>,
    case: CaseNumber,
    announced: Announced,
    deposit: Option<Deposit>,
    gathered: Vec<u8>,
    /// What has come now (bytes).
    came: u64,
    /// What it has announced, and what may come of it as quotas stood at the beginning.
    pledge: Pledge,
    /// When the case was known to be open.
    looked: Instant,
    _turn: Option<Turn>,
    _place: OwnedSemaphorePermit,
}

/// What is there of a file: it is on the disk and listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// How much of it has come (bytes).
    pub size: u64,
    /// How much it is to be.
    pub total: u64,
    /// The SHA-256 of what came now, in hexadecimal digits.
    pub sha256: String,
    /// What it is known by.
    pub tag: Tag,
}

impl Taken {
    /// Whether all of it has come.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.size == self.total
    }
}

impl Intake {
    /// Begins a file.
    ///
    /// # Errors
    /// There is no room for it, too many others come in, or the store does not answer.
    pub async fn begin(self: &Arc<Self>, grant: &CaseGrant, announced: Announced) -> Result<Receiving, IntakeError> {
        let begun = self.try_begin(grant, announced.clone()).await;
        begun.inspect_err(|error| self.refused(grant.number(), announced.told(), error))
    }

    async fn try_begin(self: &Arc<Self>, grant: &CaseGrant, announced: Announced) -> Result<Receiving, IntakeError> {
        if !grant.is_good(Timestamp::now()) {
            return Err(IntakeError::Expired);
        }
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| IntakeError::Later("as many files as may come at once come in".into()))?;
        let turn = match announced.place {
            Place::After { upload, .. } => Some(self.turns.take(upload).ok_or(IntakeError::Occupied)?),
            Place::New { .. } => None,
        };
        let (left, rest) = (self.left(grant.number()).await?, announced.rest());
        let pledge = self.pledges.take(grant.number(), left, rest).map_err(|why| self.unpledged(why))?;
        let vault = self.vault.clone();
        let deposit = spawn_blocking(move || vault.begin(rest)).await.map_err(|error| failed(&error))??;
        Ok(Receiving {
            intake: self.clone(),
            case: grant.number().clone(),
            announced,
            deposit: Some(deposit),
            gathered: Vec::new(),
            came: 0,
            pledge,
            looked: Instant::now(),
            _turn: turn,
            _place: place,
        })
    }

    /// What quotas leave, by what the store counts.
    async fn left(&self, case: &CaseNumber) -> Result<Left, IntakeError> {
        let quota = self.quota;
        let left = |bytes: Option<u64>, files: u64, there: Load| Load {
            bytes: bytes.map_or(u64::MAX, |quota| quota.saturating_sub(there.bytes)),
            files: files.saturating_sub(there.files),
        };
        let total = left(quota.total, quota.files, self.store.uploaded().await?);
        let case = left(quota.per_case, quota.files_per_case, self.store.uploaded_for(case).await?);
        Ok(Left { total, case })
    }

    fn unpledged(&self, why: Unpledged) -> IntakeError {
        match why {
            Unpledged::Room(room) => past_quota(room),
            Unpledged::Crowded => StoreError::Crowded { key: "files", most: self.quota.files }.into(),
            Unpledged::CaseCrowded => {
                StoreError::Crowded { key: "files_per_case", most: self.quota.files_per_case }.into()
            }
            Unpledged::Files => IntakeError::Later("as many files of this case come in as of one may at once".into()),
        }
    }

    /// Notes a file that is not taken.
    fn refused(&self, case: &CaseNumber, Told { file, peer, transport }: Told<'_>, error: &IntakeError) {
        match error {
            IntakeError::Full(_) => self.metrics.case_files.full.inc(),
            _ => self.metrics.case_files.failed.inc(),
        };
        tracing::warn!(target: "phoneprov::intake", %case, transport, file, peer, reason = %error, "a file is not taken");
        self.tell(peer.to_owned(), format!("case {case}: {file}: {error}"), Reception::Refused);
    }
}

impl Receiving {
    /// Takes bytes.
    ///
    /// # Errors
    /// There is no room for them, or they cannot be written. The file has to be given up.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), IntakeError> {
        self.came += bytes.len() as u64;
        if self.came > self.pledge.room() {
            return Err(self.noted(past_quota(self.pledge.room())));
        }
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() < GATHERED {
            return Ok(());
        }
        self.flush().await.map_err(|error| self.noted(error))
    }

    /// How much has come now (bytes).
    #[must_use]
    pub fn came(&self) -> u64 {
        self.came
    }

    /// Ends it: what has come is on the disk, and listed, when this returns. `Place::New` without a length is whole now.
    ///
    /// # Errors
    /// There is no room, or it cannot be written or listed: nothing of it is left.
    pub async fn finish(mut self) -> Result<Taken, IntakeError> {
        let ended = self.end().await;
        match ended {
            Ok(taken) => {
                self.took(&taken);
                Ok(taken)
            }
            Err(error) => Err(self.noted(error)),
        }
    }

    /// Ends it where no more comes, and why: what has come is kept if the rest can follow, which needs the length of the whole.
    pub async fn cut(self, reason: &str) {
        let can_follow = match self.announced.place {
            Place::New { total } => total.is_some_and(|total| total > self.came),
            Place::After { .. } => true,
        };
        if can_follow && self.came > 0 {
            // What went wrong is noted.
            let _ = self.finish().await;
        } else {
            self.abandon(reason);
        }
    }

    /// Gives it up, because of what its client did: nothing of what has come is kept.
    pub fn abandon(self, reason: &str) {
        self.intake.not_kept(&self.case, self.announced.told(), (reason, self.came));
    }

    async fn end(&mut self) -> Result<Taken, IntakeError> {
        self.flush().await?;
        let deposit = self.deposit.take().ok_or_else(|| IntakeError::Failed("the file was given up".into()))?;
        let kept = spawn_blocking(move || deposit.finish()).await.map_err(|error| failed(&error))??;
        let listed = self.list(&kept).await;
        if listed.is_err() {
            // Nobody knows of it.
            let vault = self.intake.vault.clone();
            let removed = spawn_blocking(move || vault.remove(&kept.name)).await;
            if let Ok(Err(error)) = removed {
                tracing::warn!(%error, "a file that is not listed stays until the next sweep");
            }
        }
        listed
    }

    async fn list(&self, kept: &Kept) -> Result<Taken, IntakeError> {
        let (store, quota, sha256) = (&self.intake.store, self.intake.quota, kept.sha256.clone());
        match self.announced.place {
            Place::After { upload, offset, total, tag } => match store.go_on(upload, offset, kept, quota).await? {
                true => Ok(Taken { size: offset + kept.size, total, sha256, tag }),
                false => Err(IntakeError::Gap),
            },
            Place::New { total } => {
                let total = total.unwrap_or(kept.size);
                let upload = NewUpload {
                    kind: UploadKind::Case,
                    at: Timestamp::now(),
                    device: None,
                    case: Some(self.case.clone()),
                    label: self.announced.label.clone(),
                    address: self.announced.address.clone(),
                    kept: kept.clone(),
                    total: Some(total),
                };
                store.add_upload(upload, quota).await?;
                Ok(Taken { size: kept.size, total, sha256, tag: Tag::of(&kept.name) })
            }
        }
    }

    async fn flush(&mut self) -> Result<(), IntakeError> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        self.look().await?;
        let (bytes, deposit) = (std::mem::take(&mut self.gathered), self.deposit.take());
        let mut deposit = deposit.ok_or_else(|| IntakeError::Failed("the file was given up".into()))?;
        let written = spawn_blocking(move || deposit.write(&bytes).map(|()| (deposit, bytes))).await;
        let (deposit, mut bytes) = written.map_err(|error| failed(&error))??;
        bytes.clear();
        (self.gathered, self.deposit) = (bytes, Some(deposit));
        Ok(())
    }

    /// Ends a file early whose case has been closed: it would not be listed. A store that is away says so at the end.
    async fn look(&mut self) -> Result<(), IntakeError> {
        if self.looked.elapsed() < LOOKS {
            return Ok(());
        }
        self.looked = Instant::now();
        match self.intake.store.case(&self.case).await {
            Ok(record) if record.as_ref().is_none_or(|record| record.case.closed.is_some()) => {
                self.deposit = None;
                Err(IntakeError::Closed)
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn took(&self, taken: &Taken) {
        let (case, name, address) = (&self.case, &self.announced.label.name, &self.announced.address);
        let metrics = &self.intake.metrics.case_files;
        metrics.bytes.inc_by(self.came);
        let what = if taken.is_complete() {
            metrics.files.inc();
            format!("{} bytes", taken.size)
        } else {
            metrics.parts.inc();
            format!("{} of {} bytes", taken.size, taken.total)
        };
        tracing::info!(target: "phoneprov::intake", %case, file = %name, peer = %address, "{what} are kept");
        self.intake.tell(address.clone(), format!("case {case}: {name}, {what}"), Reception::Kept);
    }

    fn noted(&self, error: IntakeError) -> IntakeError {
        self.intake.refused(&self.case, self.announced.told(), &error);
        error
    }
}

fn past_quota(room: u64) -> IntakeError {
    IntakeError::Full(format!("uploads.quota and quota_per_case leave {room} bytes beside what is under way"))
}

fn failed(error: &tokio::task::JoinError) -> IntakeError {
    IntakeError::Failed(error.to_string())
}
