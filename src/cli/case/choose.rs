//! Which file of a case somebody means.

use anyhow::bail;

use crate::case::CaseNumber;
use crate::store::{Store, StoreError, Upload};
use crate::terminal::OneLine;

/// The files of a case that is there.
pub(super) async fn files(store: &Store, number: &CaseNumber) -> anyhow::Result<Vec<Upload>> {
    if store.case(number).await?.is_none() {
        return Err(StoreError::NoSuchCase(number.clone()).into());
    }
    Ok(store.uploads_of_case(number).await?)
}

/// The file with this number, or the only one with this name.
pub(super) fn one(files: Vec<Upload>, wanted: &str) -> anyhow::Result<Upload> {
    let by_number = wanted.parse::<i64>().ok();
    let mut found: Vec<Upload> =
        files.into_iter().filter(|file| by_number == Some(file.id) || file.name == wanted).collect();
    if let Some(at) = found.iter().position(|file| by_number == Some(file.id)) {
        return Ok(found.swap_remove(at));
    }
    match (found.len(), found.pop()) {
        (1, Some(file)) => Ok(file),
        (_, None) => bail!("the case has no file {}: `phoneprov case show` lists them", OneLine(wanted)),
        (_, Some(last)) => {
            bail!("the case has several files {}: name one by its number, such as {}", OneLine(wanted), last.id)
        }
    }
}
