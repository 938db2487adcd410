//! The room on the vault's disk: what is free above the floor, less what files under way have announced and not written yet.
//!
//! Of one process. Another one over the same folder is seen as what it has written, by the looks that go on while a file
//! comes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::VaultError;

/// What is set aside at once for a file whose length nobody said, and how far a file may come between two looks at the disk
/// (bytes).
pub(super) const STEP: u64 = 256 * 1024;

/// What encryption and the buffer behind it hold back (bytes): a chunk of 64 KiB, and what is gathered of the next.
const HELD: u64 = 128 * 1024;

/// What a file takes beside its bytes: age's header with a line for each of twenty recipients, and the disk's blocks (bytes).
const HEAD: u64 = 16 * 1024;

/// Files that others can still make on the disk, however many came in: the store and the log need some.
const INODES: u64 = 4096;

/// The disk that the vault is on.
#[derive(Debug)]
pub(super) struct Room {
    folder: PathBuf,
    /// Bytes that have to stay free.
    floor: u64,
    /// Bytes that files under way are still to write.
    promised: Mutex<u64>,
}

/// Room that is set aside for one file. It shrinks as the file is written, and what is left of it is free again when it is
/// dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    room: Arc<Room>,
    /// What was set aside in all (bytes).
    whole: u64,
    /// What of it is not written (bytes).
    left: u64,
}

impl Room {
    /// A folder's disk, of which so much has to stay free (bytes).
    pub(super) fn new(folder: &Path, floor: u64) -> Arc<Self> {
        Arc::new(Self { folder: folder.to_owned(), floor, promised: Mutex::new(0) })
    }

    /// Sets room aside for a file of this length; without one, for its first step.
    ///
    /// # Errors
    /// [`VaultError::Full`]: with all that is set aside already, the disk would fall below the floor.
    pub(super) fn reserve(self: &Arc<Self>, length: Option<u64>) -> Result<Reservation, VaultError> {
        let whole = length.map_or(STEP, taken);
        self.promise(whole)?;
        Ok(Reservation { room: self.clone(), whole, left: whole })
    }

    fn promise(&self, more: u64) -> Result<(), VaultError> {
        // One after the other: two that look at once would both see the same room.
        let mut promised = self.promised.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = promised.saturating_add(more);
        self.check(wanted, *promised)?;
        *promised = wanted;
        Ok(())
    }

    fn release(&self, bytes: u64) {
        let mut promised = self.promised.lock().unwrap_or_else(PoisonError::into_inner);
        *promised = promised.saturating_sub(bytes);
    }

    /// Refuses so many bytes more where less than they and the floor is free.
    fn check(&self, more: u64, promised: u64) -> Result<(), VaultError> {
        let failed = |error| VaultError::of(&self.folder, error);
        if let Some(reason) = crowded(&self.folder).map_err(failed)? {
            return Err(VaultError::Full { folder: self.folder.clone(), reason });
        }
        let free = free(&self.folder).map_err(failed)?;
        if free >= self.floor.saturating_add(more) {
            return Ok(());
        }
        let more = more.saturating_sub(promised);
        let shown = Unit::showing(free, &[promised, more, self.floor]);
        let aside = match promised {
            0 => String::new(),
            bytes => format!(", {} of it set aside for files under way", shown.of(bytes)),
        };
        let (free, floor, more) = (shown.of(free), shown.of(self.floor), shown.of(more));
        let reason = format!("{free} are free{aside}, {more} are wanted, and uploads.floor is {floor}");
        Err(VaultError::Full { folder: self.folder.clone(), reason })
    }
}

/// What sizes are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    name: &'static str,
    bytes: u64,
}

impl Unit {
    /// The largest in which it can be seen that what is free is less than what is needed in all, and in which nothing that is
    /// there is told as 0 (bytes).
    #[must_use]
    pub fn showing(free: u64, needed: &[u64]) -> Self {
        let units = [("MiB", 1 << 20), ("KiB", 1 << 10)].map(|(name, bytes)| Self { name, bytes });
        let shows = |unit: &&Self| {
            let sum: u64 = needed.iter().map(|bytes| bytes / unit.bytes).fold(0, u64::saturating_add);
            let vanishes = |bytes: &u64| *bytes > 0 && bytes / unit.bytes == 0;
            free / unit.bytes < sum && !needed.iter().any(vanishes)
        };
        units.iter().find(shows).copied().unwrap_or(Self { name: "bytes", bytes: 1 })
    }

    /// So many bytes in it, rounded down.
    #[must_use]
    pub fn of(self, bytes: u64) -> String {
        format!("{} {}", bytes / self.bytes, self.name)
    }
}

impl Reservation {
    /// Makes sure that there is room for `more` bytes of a file of which `size` have come.
    ///
    /// # Errors
    /// [`VaultError::Full`]: more comes than was set aside, and there is no room for it; or somebody else has filled the disk.
    pub(super) fn make_room(&mut self, size: u64, more: u64) -> Result<(), VaultError> {
        let wanted = taken(size.saturating_add(more));
        if wanted > self.whole {
            let step = (wanted - self.whole).max(STEP);
            self.room.promise(step)?;
            (self.whole, self.left) = (self.whole + step, self.left + step);
        } else if size / STEP != (size + more) / STEP {
            // Never more than what is set aside: who was let in is refused only where others have filled the disk.
            let rest = self.whole.saturating_sub(taken(size));
            self.room.check(rest.min(more.saturating_add(STEP)), 0)?;
        }
        Ok(())
    }

    /// Gives back what is not needed any more, of a file of which so much has come (bytes).
    pub(super) fn came(&mut self, size: u64) {
        let left = self.whole.saturating_sub(size.saturating_sub(HELD)).min(self.left);
        self.room.release(self.left - left);
        self.left = left;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.room.release(self.left);
    }
}

/// Whether a folder's disk has any room at all, full or not: `/proc` and its like have none.
///
/// # Errors
/// There is no such folder.
pub fn is_disk(folder: &Path) -> io::Result<bool> {
    Ok(rustix::fs::statvfs(folder)?.f_blocks > 0)
}

/// What is free on the disk of a folder for those who are not root (bytes).
///
/// # Errors
/// There is no such folder.
pub fn free(folder: &Path) -> io::Result<u64> {
    let space = rustix::fs::statvfs(folder)?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

/// Why the disk of a folder takes no more files, whatever is free on it. (Where any number can be made, it counts none at all.)
///
/// # Errors
/// There is no such folder.
pub fn crowded(folder: &Path) -> io::Result<Option<String>> {
    let space = rustix::fs::statvfs(folder)?;
    let reason = || format!("{} more files can be made on the disk, and {INODES} are left to others", space.f_favail);
    Ok((space.f_files > 0 && space.f_favail < INODES).then(reason))
}

/// What a file of this length takes on the disk at the most: 16 bytes more for each 64 KiB, and as much for the lists that a
/// file system keeps of its blocks.
fn taken(length: u64) -> u64 {
    length.saturating_add(length / 2048).saturating_add(HEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1024 * 1024 * 1024;

    /// A room of which so much is free above the floor, give or take what other programs write meanwhile.
    fn room(folder: &Path, free: u64) -> Arc<Room> {
        Room::new(folder, super::free(folder).expect("a disk").saturating_sub(free))
    }

    fn promised(room: &Room) -> u64 {
        *room.promised.lock().expect("nobody panicked")
    }

    #[test]
    fn what_is_announced_is_set_aside_until_it_is_written_or_given_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let room = room(folder.path(), GIB);
        let (large, half) = (GIB / 2 + GIB / 8, GIB / 2);
        let mut first = room.reserve(Some(large)).expect("room");
        let error = room.reserve(Some(half)).expect_err("together they are too much").to_string();
        assert!(error.contains("MiB of it set aside for files under way"), "{error}");
        first.came(large);
        let rest = promised(&room);
        assert!(rest <= HELD + taken(large) - large, "{rest}");
        drop(first);
        let all = [room.reserve(Some(GIB / 4)).expect("room"), room.reserve(Some(GIB / 4)).expect("room again")];
        assert_eq!(promised(&room), 2 * taken(GIB / 4));
        drop(all);
        assert_eq!(promised(&room), 0);
    }

    #[test]
    fn figures_are_told_in_a_unit_that_shows_what_is_missing() {
        let told = |free: u64, needed: &[u64]| Unit::showing(free, needed).of(free);
        let (kib, mib) = (1 << 10, 1 << 20);
        assert_eq!(told(34 * mib, &[24 * mib, 8 * mib, 10 * mib]), "34 MiB");
        // What is wanted would be told as 0 MiB.
        assert_eq!(told(34 * mib, &[24 * mib, 272 * kib, 10 * mib]), "34816 KiB");
        // 10 MiB are free, and 10 MiB have to stay so.
        assert_eq!(told(10 * mib + 100 * kib, &[0, 272 * kib, 10 * mib]), "10340 KiB");
        assert_eq!(told(10 * mib + 5, &[0, 6, 10 * mib]), "10485765 bytes");
        // 3.9 and 20.9 and 10 are more than 34, which 3 and 20 and 10 are not.
        assert_eq!(told(34 * mib, &[4 * mib - kib, 21 * mib - kib, 10 * mib]), "34816 KiB");
        assert_eq!(told(0, &[1 << 40]), "0 MiB");
        assert_eq!(told(u64::MAX, &[u64::MAX, u64::MAX]), "17592186044415 MiB");
    }

    #[test]
    fn a_file_without_a_length_is_given_room_step_by_step() {
        let folder = tempfile::tempdir().expect("a folder");
        let room = room(folder.path(), GIB);
        let mut file = room.reserve(None).expect("room");
        assert_eq!(promised(&room), STEP);
        let mut size = 0;
        for _ in 0..100 {
            file.make_room(size, STEP).expect("room");
            size += STEP;
            file.came(size);
            assert!(promised(&room) <= 3 * STEP, "{}", promised(&room));
        }
        let other = room.reserve(Some(GIB - GIB / 8)).expect("room for the rest");
        assert!(file.make_room(size, GIB / 4).expect_err("the other has it").is_full());
        drop((file, other));
        assert_eq!(promised(&room), 0);
    }

    #[test]
    fn a_file_that_was_let_in_is_not_refused_for_others_that_were() {
        let folder = tempfile::tempdir().expect("a folder");
        let room = room(folder.path(), GIB);
        let mut files: Vec<Reservation> = (0..3).map(|_| room.reserve(Some(GIB / 4)).expect("room")).collect();
        assert!(room.reserve(Some(GIB / 4)).is_err());
        for at in 0..100 {
            let (size, more) = (at * (GIB / 400), GIB / 400);
            for file in &mut files {
                file.make_room(size, more).expect("it was set aside");
                file.came(size + more);
            }
        }
    }

    #[test]
    fn numbers_that_no_disk_has_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let room = Room::new(folder.path(), 0);
        assert!(room.reserve(Some(u64::MAX)).expect_err("no room").is_full());
        assert_eq!(promised(&room), 0);
    }
}
