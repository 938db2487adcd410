//! Files that were handed in, as they are listed. Their bytes are in the vault, which knows nothing of them.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::{Any, Transaction};

use super::rows::{Cell, insert};
use super::{Store, StoreError};
use crate::case::{CaseNumber, Label};
use crate::config::Uploads;
use crate::device::DeviceName;
use crate::vault::Kept;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UploadKind {
    /// All parameters of a phone.
    Report,
    /// Those that have changed.
    Delta,
    /// A phone's status.
    Status,
    /// A problem report of a phone.
    Prt,
    /// A file of a case.
    Case,
}

/// A file that came in, on its way to the list. Its parts are on the disk.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// What it is.
    pub kind: UploadKind,
    /// When it came.
    pub at: Timestamp,
    /// The device that it is of.
    pub device: Option<DeviceName>,
    /// The case that it is for.
    pub case: Option<CaseNumber>,
    /// What its client says of it.
    pub label: Label,
    /// Where it came from, as text.
    pub address: String,
    /// Where its bytes are.
    pub kept: Kept,
    /// How long the whole is where this is only its beginning (bytes).
    pub total: Option<u64>,
}

/// What files may have together: bytes, and how many there may be on the disk, of which each part of a file is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Bytes of all.
    pub total: Option<u64>,
    /// Bytes of those of one case.
    pub per_case: Option<u64>,
    /// Files in all.
    pub files: u64,
    /// Files of one case.
    pub files_per_case: u64,
    /// Files of one device: its reports and problem reports.
    pub files_per_device: u64,
}

/// What files come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// What they have together (bytes).
    pub bytes: u64,
    /// How many they are on the disk.
    pub files: u64,
}

/// Parts that one file has at the most: each is a file on the disk.
const PARTS: i64 = 10_000;

const INSERT: &str = "insert into upload \
    (id, kind, at, touched, device, number, name, description, category, size, total, sha256, state, address)";

const COUNT: &str = "update upload_count set last = last + $1, bytes = bytes + $2, files = files + 1 where id = 1 \
    returning last, bytes, files";

const OF_ALL: &str = "select bytes, files from upload_count where id = 1";

const OF_CASE: &str = "select cast(coalesce(sum(part.size), 0) as bigint), count(*) from upload \
    join upload_part part on part.upload = upload.id where upload.number = $1";

/// What a phone sends comes in one part.
const OF_DEVICE: &str = "select count(*) from upload where device = $1";

const GROW: &str = "update upload set size = size + $1, touched = $2, sha256 = null, \
    state = case when size + $1 = total then 'complete' else 'partial' end \
    where id = $3 and size = $4 and state = 'partial' and size + $1 <= total";

impl UploadKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Report, Self::Delta, Self::Status, Self::Prt, Self::Case];

    /// As it is kept.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Delta => "delta",
            Self::Status => "status",
            Self::Prt => "prt",
            Self::Case => "case",
        }
    }
}

impl From<&Uploads> for Quota {
    fn from(uploads: &Uploads) -> Self {
        let count = |quota: crate::config::Bytes| quota.count();
        Self {
            total: uploads.quota.map(count),
            per_case: uploads.quota_per_case.map(count),
            files: uploads.files,
            files_per_case: uploads.files_per_case,
            files_per_device: uploads.files_per_device,
        }
    }
}

impl Default for Quota {
    /// No bound at all.
    fn default() -> Self {
        let (total, per_case, most) = (None, None, u64::MAX);
        Self { total, per_case, files: most, files_per_case: most, files_per_device: most }
    }
}

impl NewUpload {
    fn is_complete(&self) -> bool {
        self.total.is_none_or(|total| total == self.kept.size)
    }
}

impl Store {
    /// Lists a file, whose bytes are on the disk already. Returns its number.
    ///
    /// # Errors
    /// [`StoreError::Quota`], [`StoreError::Crowded`], [`StoreError::CaseClosed`], or the store cannot be written: then its
    /// bytes are nobody's, and have to be removed.
    pub async fn add_upload(&self, upload: NewUpload, quota: Quota) -> Result<i64, StoreError> {
        self.within(async {
            let mut transaction = self.begin().await?;
            let size = upload.kept.size;
            let id = self.add_to_count(&mut transaction, 1, size, quota).await?;
            self.check_case(&mut transaction, upload.case.as_ref(), size, quota).await?;
            self.check_device(&mut transaction, upload.device.as_ref(), quota).await?;
            let part = (id, 0, upload.kept.clone());
            let rows = vec![row(id, upload)];
            insert(&mut transaction, (INSERT, ""), rows).await.map_err(|error| self.error(error))?;
            self.add_part(&mut transaction, part).await?;
            transaction.commit().await.map_err(|error| self.error(error))?;
            Ok(id)
        })
        .await
    }

    /// Adds a part to a file of which `offset` bytes have come. `false`: that many have not, or it is whole already; then
    /// the part's bytes are nobody's, and have to be removed.
    ///
    /// # Errors
    /// As [`Store::add_upload`].
    pub async fn go_on(&self, id: i64, offset: u64, kept: &Kept, quota: Quota) -> Result<bool, StoreError> {
        self.within(async {
            let mut transaction = self.begin().await?;
            self.add_to_count(&mut transaction, 0, kept.size, quota).await?;
            let number = sqlx::query_scalar("select number from upload where id = $1").bind(id);
            let number: Option<Option<String>> =
                number.fetch_optional(&mut *transaction).await.map_err(|error| self.error(error))?;
            let number = number.flatten().and_then(|number| number.parse().ok());
            self.check_case(&mut transaction, number.as_ref(), kept.size, quota).await?;
            let grown = sqlx::query(GROW).bind(number_of(kept.size)).bind(Timestamp::now().as_millisecond());
            let grown = grown.bind(id).bind(number_of(offset)).execute(&mut *transaction).await;
            if grown.map_err(|error| self.error(error))?.rows_affected() == 0 {
                return Ok(false);
            }
            let parts = sqlx::query_scalar("select count(*) from upload_part where upload = $1").bind(id);
            let parts: i64 = parts.fetch_one(&mut *transaction).await.map_err(|error| self.error(error))?;
            if parts >= PARTS {
                return Ok(false);
            }
            self.add_part(&mut transaction, (id, parts, kept.clone())).await?;
            transaction.commit().await.map_err(|error| self.error(error))?;
            Ok(true)
        })
        .await
    }

    /// What all files come to.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn uploaded(&self) -> Result<Load, StoreError> {
        let asked = sqlx::query_as(OF_ALL).fetch_one(&self.pool);
        self.within(async { asked.await.map(load).map_err(|error| self.error(error)) }).await
    }

    /// What the files of a case come to.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn uploaded_for(&self, case: &CaseNumber) -> Result<Load, StoreError> {
        let asked = sqlx::query_as(OF_CASE).bind(case.to_string()).fetch_one(&self.pool);
        self.within(async { asked.await.map(load).map_err(|error| self.error(error)) }).await
    }

    pub(super) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        self.pool.begin_with(self.engine.begin()).await.map_err(|error| self.error(error))
    }

    /// Takes the row of the count, which whoever writes does first. Returns the last number.
    async fn add_to_count(
        &self,
        transaction: &mut Transaction<'static, Any>,
        new: i64,
        size: u64,
        quota: Quota,
    ) -> Result<i64, StoreError> {
        let counted = sqlx::query_as(COUNT).bind(new).bind(number_of(size)).fetch_one(&mut **transaction).await;
        let (last, bytes, files): (i64, i64, i64) = counted.map_err(|error| self.error(error))?;
        let all = load((bytes, files));
        within_bytes("quota", all.bytes, quota.total)?;
        within_files("files", all.files, quota.files)?;
        Ok(last)
    }

    /// A case that is closed gets no more, and one that is open no more than it may have.
    async fn check_case(
        &self,
        transaction: &mut Transaction<'static, Any>,
        case: Option<&CaseNumber>,
        size: u64,
        quota: Quota,
    ) -> Result<(), StoreError> {
        let Some(case) = case else { return Ok(()) };
        self.still_open(transaction, case).await?;
        let asked = sqlx::query_as(OF_CASE).bind(case.to_string()).fetch_one(&mut **transaction).await;
        let there = asked.map(load).map_err(|error| self.error(error))?;
        within_bytes("quota_per_case", there.bytes.saturating_add(size), quota.per_case)?;
        within_files("files_per_case", there.files + 1, quota.files_per_case)
    }

    /// A device has no more reports and problem reports than it may.
    async fn check_device(
        &self,
        transaction: &mut Transaction<'static, Any>,
        device: Option<&DeviceName>,
        quota: Quota,
    ) -> Result<(), StoreError> {
        let Some(device) = device else { return Ok(()) };
        let asked = sqlx::query_scalar(OF_DEVICE).bind(device.to_string()).fetch_one(&mut **transaction).await;
        let there = asked.map(|files| load((0, files))).map_err(|error| self.error(error))?;
        within_files("files_per_device", there.files + 1, quota.files_per_device)
    }

    async fn add_part(
        &self,
        transaction: &mut Transaction<'static, Any>,
        (upload, ordinal, kept): (i64, i64, Kept),
    ) -> Result<(), StoreError> {
        let text = "insert into upload_part (upload, ordinal, kept, size, sha256) values ($1, $2, $3, $4, $5)";
        let part = sqlx::query(text).bind(upload).bind(ordinal).bind(kept.name.to_string());
        let part = part.bind(number_of(kept.size)).bind(kept.sha256).execute(&mut **transaction).await;
        part.map(drop).map_err(|error| self.error(error))
    }
}

/// A size as the databases count: no disk has more.
pub(super) fn number_of(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn load((bytes, files): (i64, i64)) -> Load {
    let [bytes, files] = [bytes, files].map(|count| u64::try_from(count).unwrap_or_default());
    Load { bytes, files }
}

fn within_bytes(key: &'static str, bytes: u64, quota: Option<u64>) -> Result<(), StoreError> {
    quota.filter(|quota| bytes > *quota).map_or(Ok(()), |quota| Err(StoreError::Quota { key, quota }))
}

fn within_files(key: &'static str, files: u64, most: u64) -> Result<(), StoreError> {
    if files > most { Err(StoreError::Crowded { key, most }) } else { Ok(()) }
}

fn row(id: i64, upload: NewUpload) -> [Cell; 14] {
    let state = if upload.is_complete() { "complete" } else { "partial" };
    let NewUpload { kind, at, device, case, label, address, kept, total } = upload;
    let at = at.as_millisecond();
    [
        id.into(),
        kind.as_str().to_owned().into(),
        at.into(),
        at.into(),
        device.map(|device| device.to_string()).into(),
        case.map(|case| case.to_string()).into(),
        label.name.to_string().into(),
        label.description.as_str().to_owned().into(),
        label.category.as_str().to_owned().into(),
        number_of(kept.size).into(),
        Cell::Maybe(total.map(number_of)),
        kept.sha256.into(),
        state.to_owned().into(),
        address.into(),
    ]
}
