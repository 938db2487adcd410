//! Reports and problem reports, over all devices.

use super::read::parsed;
use super::{Store, StoreError, Upload, UploadKind};
use crate::device::DeviceName;

const REPORTING: &str =
    "select distinct device from upload where kind in ('report', 'delta') and device is not null order by device";

impl Store {
    /// The devices that have sent a report that is kept, as they were named then.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn reporting(&self) -> Result<Vec<DeviceName>, StoreError> {
        let asked = sqlx::query_scalar(REPORTING).fetch_all(&self.pool);
        let names: Vec<String> = self.within(async { asked.await.map_err(|error| self.error(error)) }).await?;
        names.iter().map(|name| parsed("a device's name", name)).collect()
    }

    /// The newest files of phones of these kinds, so many at the most, the first first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn newest_of_phones(&self, kinds: &[UploadKind], limit: i64) -> Result<Vec<Upload>, StoreError> {
        let end = match kinds {
            [UploadKind::Prt] => "where kind = 'prt' order by id desc limit $1",
            _ => "where kind in ('report', 'delta', 'status') order by id desc limit $1",
        };
        let mut uploads = self.uploads(end, &[limit.into()]).await?;
        uploads.reverse();
        Ok(uploads)
    }
}
