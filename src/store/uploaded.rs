//! Questions about files that were handed in.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::read::parsed;
use super::rows::Cell;
use super::upload::number_of;
use super::{Store, StoreError, UploadKind};
use crate::case::{CaseNumber, FileName};
use crate::device::DeviceName;
use crate::vault::KeptName;

/// A file that was handed in, or the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Upload {
    /// Its number: later ones are greater.
    pub id: i64,
    /// What it is.
    pub kind: UploadKind,
    /// When it came, or its beginning.
    pub at: Timestamp,
    /// When its last bytes came.
    pub touched: Timestamp,
    /// The device that it is of, as it was named then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The case that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseNumber>,
    /// What its client calls it.
    pub name: String,
    /// What its client says that it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Which kind of file its client thinks that it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub category: String,
    /// How much has come (bytes, before encryption).
    pub size: u64,
    /// How much was announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The SHA-256 of the whole, where it came in one part; each part has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Whether all of it has come.
    pub state: UploadState,
    /// Where it came from.
    pub address: String,
    /// Where its bytes are, in order.
    pub parts: Vec<Part>,
}

/// Whether all of a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UploadState {
    /// All of it.
    Complete,
    /// Its beginning.
    Partial,
}

/// A part of a file: an age file of its own in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is called there.
    #[serde(serialize_with = "as_text")]
    pub kept: KeptName,
    /// Its length before encryption (bytes).
    pub size: u64,
    /// The SHA-256 of what it was before.
    pub sha256: String,
}

const SELECT: &str = "select id, kind, at, touched, size, total, device, number, name, description, category, sha256, \
    state, address from upload";

const PARTS: &str = "select upload, ordinal, size, kept, sha256 from upload_part where upload in";

impl UploadState {
    /// As it is kept.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
        }
    }
}

impl Store {
    /// The files of a device of these kinds, the first first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn uploads_of_device(
        &self,
        device: &DeviceName,
        kinds: &[UploadKind],
    ) -> Result<Vec<Upload>, StoreError> {
        let uploads = self.uploads("where device = $1 order by id", &[device.to_string().into()]).await?;
        Ok(uploads.into_iter().filter(|upload| kinds.contains(&upload.kind)).collect())
    }

    /// The files of a case, the first first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn uploads_of_case(&self, case: &CaseNumber) -> Result<Vec<Upload>, StoreError> {
        self.uploads("where number = $1 order by id", &[case.to_string().into()]).await
    }

    /// Files of a case with this name and length, whole ones and beginnings, the newest first, at most twenty.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn uploads_called(
        &self,
        case: &CaseNumber,
        name: &FileName,
        total: u64,
    ) -> Result<Vec<Upload>, StoreError> {
        let of = [case.to_string().into(), name.to_string().into(), number_of(total).into()];
        self.uploads("where number = $1 and name = $2 and total = $3 order by id desc limit 20", &of).await
    }

    /// A file by its number.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn upload(&self, id: i64) -> Result<Option<Upload>, StoreError> {
        Ok(self.uploads("where id = $1", &[id.into()]).await?.pop())
    }

    /// Those of these names that no file has.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn unlisted(&self, kept: Vec<KeptName>) -> Result<Vec<KeptName>, StoreError> {
        self.within(async {
            let mut connection = self.pool.acquire().await.map_err(|error| self.error(error))?;
            let cells = kept.iter().map(|name| name.to_string().into()).collect();
            let rows = self.of(&mut connection, "select kept from upload_part where kept in", cells).await?;
            let known: Result<HashSet<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
            let known = known.map_err(|error| self.error(error))?;
            Ok(kept.into_iter().filter(|name| !known.contains(name.as_str())).collect())
        })
        .await
    }

    /// Whether files of this store are in a folder with this mark; it is noted, where `is_new`.
    ///
    /// # Errors
    /// The store does not answer, or cannot be written.
    pub async fn knows_folder(&self, mark: &str, is_new: bool) -> Result<bool, StoreError> {
        self.within(async {
            if is_new {
                let noted = sqlx::query("insert into upload_folder (id, made) values ($1, $2)");
                let noted = noted.bind(mark.to_owned()).bind(Timestamp::now().as_millisecond());
                noted.execute(&self.pool).await.map_err(|error| self.error(error))?;
            }
            let found = sqlx::query("select made from upload_folder where id = $1").bind(mark.to_owned());
            let found = found.fetch_optional(&self.pool).await.map_err(|error| self.error(error))?;
            Ok(found.is_some())
        })
        .await
    }

    /// Files by the end of a statement and its parameters.
    pub(super) async fn uploads(&self, end: &'static str, of: &[Cell]) -> Result<Vec<Upload>, StoreError> {
        self.within(async {
            let mut connection = self.pool.acquire().await.map_err(|error| self.error(error))?;
            // Only the texts of this module and its neighbours are put in.
            let query = sqlx::query(AssertSqlSafe(format!("{SELECT} {end}")));
            let query = of.iter().fold(query, |query, cell| cell.clone().bind(query));
            let rows = query.fetch_all(&mut *connection).await.map_err(|error| self.error(error))?;
            let mut uploads = rows.iter().map(|row| self.listed(row)).collect::<Result<Vec<_>, _>>()?;
            let ids = uploads.iter().map(|upload| upload.id).collect();
            let mut parts = self.parts_of(&mut connection, ids).await?;
            for upload in &mut uploads {
                upload.parts = parts.remove(&upload.id).unwrap_or_default();
            }
            Ok(uploads)
        })
        .await
    }

    async fn parts_of(
        &self,
        connection: &mut AnyConnection,
        ids: Vec<i64>,
    ) -> Result<HashMap<i64, Vec<Part>>, StoreError> {
        let ids = ids.into_iter().map(Cell::from).collect();
        let mut found: Vec<(i64, i64, Part)> = Vec::new();
        for row in self.of(connection, PARTS, ids).await? {
            let read = || -> Result<_, sqlx::Error> {
                let numbers: [i64; 3] = [row.try_get(0)?, row.try_get(1)?, row.try_get(2)?];
                let texts: [String; 2] = [row.try_get(3)?, row.try_get(4)?];
                Ok((numbers, texts))
            };
            let ([upload, ordinal, size], [kept, sha256]) = read().map_err(|error| self.error(error))?;
            let part = Part { kept: parsed("a part of a file", &kept)?, size: length(size), sha256 };
            found.push((upload, ordinal, part));
        }
        found.sort_by_key(|(upload, ordinal, _)| (*upload, *ordinal));
        let mut parts: HashMap<i64, Vec<Part>> = HashMap::new();
        for (upload, _, part) in found {
            parts.entry(upload).or_default().push(part);
        }
        Ok(parts)
    }

    fn listed(&self, row: &AnyRow) -> Result<Upload, StoreError> {
        let read = || -> Result<_, sqlx::Error> {
            let numbers: [i64; 4] = [row.try_get(0)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?];
            let texts: [String; 5] =
                [row.try_get(1)?, row.try_get(8)?, row.try_get(9)?, row.try_get(10)?, row.try_get(13)?];
            let maybe: [Option<String>; 3] = [row.try_get(6)?, row.try_get(7)?, row.try_get(11)?];
            Ok((numbers, row.try_get::<Option<i64>, _>(5)?, texts, maybe, row.try_get::<String, _>(12)?))
        };
        let ([id, at, touched, size], total, [kind, name, description, category, address], maybe, state) =
            read().map_err(|error| self.error(error))?;
        let [device, case, sha256] = maybe;
        let strange = |what: &str| StoreError::damaged(format!("the file {id}"), format!("it is of no known {what}"));
        let kind = UploadKind::ALL.into_iter().find(|known| known.as_str() == kind).ok_or_else(|| strange("kind"))?;
        let states = [UploadState::Complete, UploadState::Partial];
        let state = states.into_iter().find(|known| known.as_str() == state).ok_or_else(|| strange("state"))?;
        let time = |at| Timestamp::from_millisecond(at).unwrap_or_default();
        Ok(Upload {
            id,
            kind,
            at: time(at),
            touched: time(touched),
            device,
            case: case.map(|case| parsed("the number of a case", &case)).transpose()?,
            name,
            description,
            category,
            size: length(size),
            total: total.map(length),
            sha256,
            state,
            address,
            parts: Vec::new(),
        })
    }
}

fn length(size: i64) -> u64 {
    u64::try_from(size).unwrap_or_default()
}

fn as_text<S: serde::Serializer>(name: &KeptName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(name)
}
