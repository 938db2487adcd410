//! Files that go: because their time is over, or because somebody asked for it.

use jiff::Timestamp;
use sqlx::{Any, Transaction};

use super::removal::Tally;
use super::rows::Cell;
use super::upload::number_of;
use super::{Removal, Store, StoreError, Upload};
use crate::case::CaseNumber;
use crate::vault::KeptName;

/// Which files have been kept for long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    /// Reports of phones that came before.
    Reports(Timestamp),
    /// Problem reports that came before.
    ProblemReports(Timestamp),
    /// Files of cases that were closed before.
    Cases(Timestamp),
    /// Beginnings of files, of which nothing more has come since.
    Partial(Timestamp),
}

impl Overdue {
    /// Which, as logs and metrics call them.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reports(_) => "reports",
            Self::ProblemReports(_) => "problem_reports",
            Self::Cases(_) => "cases",
            Self::Partial(_) => "partial",
        }
    }
}

/// What was removed from the list. Its bytes are nobody's now, and have to be removed too.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Where the bytes are.
    pub kept: Vec<KeptName>,
    /// How many files it was.
    pub files: usize,
    /// What they had together (bytes).
    pub bytes: u64,
}

const REPORTS: &str = "where kind in ('report', 'delta', 'status') and at < $1 order by id limit $2";
const PROBLEM_REPORTS: &str = "where kind = 'prt' and at < $1 order by id limit $2";
const CASES: &str = "where number in (select number from support_case where closed < $1) order by id limit $2";
const PARTIAL: &str = "where state = 'partial' and touched < $1 order by id limit $2";

const LESS: &str = "update upload_count set bytes = bytes - $1, files = files - $2 where id = 1";

impl Store {
    /// Files that have been kept for long enough, at most so many.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn overdue(&self, overdue: Overdue, limit: i64) -> Result<Vec<Upload>, StoreError> {
        let (end, before) = match overdue {
            Overdue::Reports(before) => (REPORTS, before),
            Overdue::ProblemReports(before) => (PROBLEM_REPORTS, before),
            Overdue::Cases(before) => (CASES, before),
            Overdue::Partial(before) => (PARTIAL, before),
        };
        self.uploads(end, &[before.as_millisecond().into(), limit.into()]).await
    }

    /// Takes files off the list for good. What goes of a case stands in its record, with who and why; where events are kept,
    /// each kind is one.
    ///
    /// # Errors
    /// The store cannot be written: then all are still there.
    pub async fn remove_uploads(&self, uploads: &[Upload], removal: Removal<'_>) -> Result<Removed, StoreError> {
        let Removal { who, why, .. } = removal;
        self.within(async {
            let mut transaction = self.begin().await?;
            let (mut removed, mut tally) = (Removed::default(), Tally::default());
            // Whoever writes takes this row first: two would wait for each other else.
            let first = sqlx::query("update upload_count set bytes = bytes where id = 1");
            first.execute(&mut *transaction).await.map_err(|error| self.error(error))?;
            for upload in uploads {
                // Whoever removes it first has removed it.
                let gone = sqlx::query("delete from upload_part where upload = $1").bind(upload.id);
                let parts = gone.execute(&mut *transaction).await.map_err(|error| self.error(error))?.rows_affected();
                let gone = sqlx::query_scalar("delete from upload where id = $1 returning size").bind(upload.id);
                let size: Option<i64> =
                    gone.fetch_optional(&mut *transaction).await.map_err(|error| self.error(error))?;
                let Some(size) = size else { continue };
                let less = sqlx::query(LESS).bind(size).bind(number_of(parts));
                less.execute(&mut *transaction).await.map_err(|error| self.error(error))?;
                if let Some(case) = &upload.case {
                    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
                    let subject = format!("file {} {}, {size} bytes{why}", upload.id, upload.name);
                    self.enter(&mut transaction, case, (who, "file deleted", &subject)).await?;
                }
                removed.kept.extend(upload.parts.iter().map(|part| part.kept.clone()));
                removed.files += 1;
                removed.bytes += u64::try_from(size).unwrap_or_default();
                tally.add(upload, size);
            }
            if removal.is_told && removed.files > 0 {
                self.keep_with(&mut transaction, tally.events(&removal)).await?;
            }
            transaction.commit().await.map_err(|error| self.error(error))?;
            Ok(removed)
        })
        .await
    }

    /// Enters into a case's record what somebody did.
    pub(super) async fn enter(
        &self,
        transaction: &mut Transaction<'static, Any>,
        case: &CaseNumber,
        (who, action, subject): (&str, &str, &str),
    ) -> Result<(), StoreError> {
        let next = "select coalesce(max(ordinal), 0) + 1 from case_entry where number = $1";
        let next = sqlx::query_scalar(next).bind(case.to_string()).fetch_one(&mut **transaction).await;
        let next: i64 = next.map_err(|error| self.error(error))?;
        let cells: [Cell; 6] = [
            case.to_string().into(),
            next.into(),
            Timestamp::now().as_millisecond().into(),
            who.to_owned().into(),
            action.to_owned().into(),
            subject.to_owned().into(),
        ];
        let text = "insert into case_entry (number, ordinal, at, who, action, subject)";
        super::rows::insert(transaction, (text, ""), vec![cells]).await.map_err(|error| self.error(error))
    }
}
