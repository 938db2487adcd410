//! Support cases: opened, given tokens, closed; and the record of each.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};

use super::read::parsed;
use super::{Store, StoreError};
use crate::case::{Case, CaseNumber, Credential, Record};
use crate::password::TokenPrint;

/// What becomes of the tokens that a case has when it is given another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They are good until their dates.
    Stay,
    /// They count no more.
    End,
}

/// Something that was done to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseEntry {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub who: String,
    /// What.
    pub action: String,
    /// To what, and why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subject: String,
}

/// A case with what has come for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseTotal {
    /// The case.
    #[serde(flatten)]
    pub case: Case,
    /// How many files.
    pub files: u64,
    /// How much they have together (bytes).
    pub bytes: u64,
}

/// Tokens of one case that count at the most; of more, those that end first go.
const TOKENS: i64 = 16;

const CASE: &str = "select number, opened, closed, note from support_case where number = $1";

const CASES: &str = "select c.number, c.opened, c.closed, c.note, count(u.id), cast(coalesce(sum(u.size), 0) as bigint) \
    from support_case c left join upload u on u.number = c.number where c.number > $1 \
    group by c.number, c.opened, c.closed, c.note order by c.number limit $2";

const CROWDED: &str = "delete from case_token where number = $1 and print not in \
    (select print from case_token where number = $1 order by expires desc, made desc limit $2)";

impl Store {
    /// Opens a case.
    ///
    /// # Errors
    /// [`StoreError::CaseTaken`], or the store cannot be written.
    pub async fn open_case(&self, number: &CaseNumber, note: &str, who: &str) -> Result<(), StoreError> {
        self.within(async {
            let mut transaction = self.begin().await?;
            let text =
                "insert into support_case (number, opened, note) values ($1, $2, $3) on conflict (number) do nothing";
            let opened = sqlx::query(text).bind(number.to_string()).bind(Timestamp::now().as_millisecond());
            let opened = opened.bind(note.to_owned()).execute(&mut *transaction).await;
            if opened.map_err(|error| self.error(error))?.rows_affected() == 0 {
                return Err(StoreError::CaseTaken(number.clone()));
            }
            self.enter(&mut transaction, number, (who, "opened", "")).await?;
            transaction.commit().await.map_err(|error| self.error(error))
        })
        .await
    }

    /// Gives a case a token, of which only the print is kept; `how` is for its record.
    ///
    /// # Errors
    /// There is no such case, it is closed, or the store cannot be written.
    pub async fn give_token(
        &self,
        number: &CaseNumber,
        (credential, others): (&Credential, Others),
        (who, how): (&str, &str),
    ) -> Result<(), StoreError> {
        self.within(async {
            let mut transaction = self.begin().await?;
            self.still_open(&mut transaction, number).await?;
            if others == Others::End {
                let ended = sqlx::query("delete from case_token where number = $1").bind(number.to_string());
                ended.execute(&mut *transaction).await.map_err(|error| self.error(error))?;
            }
            let text = "insert into case_token (print, number, made, expires) values ($1, $2, $3, $4)";
            let given = sqlx::query(text).bind(credential.print.to_string()).bind(number.to_string());
            let given = given.bind(Timestamp::now().as_millisecond()).bind(credential.expires.as_millisecond());
            given.execute(&mut *transaction).await.map_err(|error| self.error(error))?;
            let crowded = sqlx::query(CROWDED).bind(number.to_string()).bind(TOKENS);
            crowded.execute(&mut *transaction).await.map_err(|error| self.error(error))?;
            self.enter(&mut transaction, number, (who, "token made", how)).await?;
            transaction.commit().await.map_err(|error| self.error(error))
        })
        .await
    }

    /// Closes a case; its tokens are gone.
    ///
    /// # Errors
    /// There is no such case, it is closed already, or the store cannot be written.
    pub async fn close_case(&self, number: &CaseNumber, who: &str) -> Result<(), StoreError> {
        self.within(async {
            let mut transaction = self.begin().await?;
            self.still_open(&mut transaction, number).await?;
            let closed = sqlx::query("update support_case set closed = $1 where number = $2");
            let closed = closed.bind(Timestamp::now().as_millisecond()).bind(number.to_string());
            closed.execute(&mut *transaction).await.map_err(|error| self.error(error))?;
            let ended = sqlx::query("delete from case_token where number = $1").bind(number.to_string());
            ended.execute(&mut *transaction).await.map_err(|error| self.error(error))?;
            self.enter(&mut transaction, number, (who, "closed", "")).await?;
            transaction.commit().await.map_err(|error| self.error(error))
        })
        .await
    }

    /// A case with its tokens.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn case(&self, number: &CaseNumber) -> Result<Option<Record>, StoreError> {
        self.within(async {
            let row = sqlx::query(CASE).bind(number.to_string()).fetch_optional(&self.pool).await;
            let Some(row) = row.map_err(|error| self.error(error))? else { return Ok(None) };
            let case = self.case_of(&row)?;
            let tokens = sqlx::query_as("select print, expires from case_token where number = $1");
            let tokens = tokens.bind(number.to_string()).fetch_all(&self.pool).await;
            let tokens: Vec<(String, i64)> = tokens.map_err(|error| self.error(error))?;
            let credential = |(print, expires): (String, i64)| {
                let print: TokenPrint = parsed("a token", &print)?;
                Ok(Credential { print, expires: Timestamp::from_millisecond(expires).unwrap_or_default() })
            };
            let credentials = tokens.into_iter().map(credential).collect::<Result<_, StoreError>>()?;
            Ok(Some(Record { case, credentials }))
        })
        .await
    }

    /// Cases with what has come for them, by number, after this one.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn cases(&self, after: &str, limit: i64) -> Result<Vec<CaseTotal>, StoreError> {
        self.within(async {
            let rows = sqlx::query(CASES).bind(after.to_owned()).bind(limit).fetch_all(&self.pool).await;
            let total = |row: &AnyRow| {
                let read = || -> Result<[i64; 2], sqlx::Error> { Ok([row.try_get(4)?, row.try_get(5)?]) };
                let numbers = read().map_err(|error| self.error(error))?;
                let [files, bytes] = numbers.map(|number| u64::try_from(number).unwrap_or_default());
                Ok(CaseTotal { case: self.case_of(row)?, files, bytes })
            };
            rows.map_err(|error| self.error(error))?.iter().map(total).collect()
        })
        .await
    }

    /// What was done to a case, the first first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn case_entries(&self, number: &CaseNumber) -> Result<Vec<CaseEntry>, StoreError> {
        self.within(async {
            let text = "select at, who, action, subject from case_entry where number = $1 order by ordinal";
            let rows = sqlx::query_as(text).bind(number.to_string()).fetch_all(&self.pool).await;
            let rows: Vec<(i64, String, String, String)> = rows.map_err(|error| self.error(error))?;
            let entry = |(at, who, action, subject)| {
                let at = Timestamp::from_millisecond(at).unwrap_or_default();
                CaseEntry { at, who, action, subject }
            };
            Ok(rows.into_iter().map(entry).collect())
        })
        .await
    }

    /// Takes the case's row, so that nobody else changes it meanwhile.
    pub(super) async fn still_open(
        &self,
        transaction: &mut Transaction<'static, Any>,
        number: &CaseNumber,
    ) -> Result<(), StoreError> {
        let taken = sqlx::query_scalar("update support_case set note = note where number = $1 returning closed");
        let taken = taken.bind(number.to_string()).fetch_optional(&mut **transaction).await;
        let closed: Option<Option<i64>> = taken.map_err(|error| self.error(error))?;
        match closed {
            None => Err(StoreError::NoSuchCase(number.clone())),
            Some(Some(_)) => Err(StoreError::CaseClosed(number.clone())),
            Some(None) => Ok(()),
        }
    }

    fn case_of(&self, row: &AnyRow) -> Result<Case, StoreError> {
        let read = || -> Result<(String, i64, Option<i64>, String), sqlx::Error> {
            Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))
        };
        let (number, opened, closed, note) = read().map_err(|error| self.error(error))?;
        let time = |at| Timestamp::from_millisecond(at).unwrap_or_default();
        Ok(Case {
            number: parsed("the number of a case", &number)?,
            opened: time(opened),
            closed: closed.map(time),
            note,
        })
    }
}
