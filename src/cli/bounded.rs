//! Reading what somebody names on the command line: all of it, up to a bound, and not waiting for ever.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::fs::{FileType, Mode, OFlags};

/// How long a pipe in the file system may have nobody who writes into it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause between two looks at such a pipe.
const PAUSE: Duration = Duration::from_millis(20);

/// A file's bytes, `most` at the most.
///
/// # Errors
/// It cannot be read, is larger, or is a pipe into which nobody writes.
pub(super) fn file(path: &Path, most: usize) -> anyhow::Result<Vec<u8>> {
    whole(beginning(path, most + 1)?, &format!("`{}`", path.display()), most)
}

/// A file's first bytes, `most` at the most, for who says himself what is too large.
///
/// # Errors
/// It cannot be read, or is a pipe into which nobody writes.
pub(super) fn beginning(path: &Path, most: usize) -> anyhow::Result<Vec<u8>> {
    let read = open(path).and_then(|(begun, file)| up_to(begun.chain(file), most));
    read.with_context(|| format!("cannot read `{}`", path.display()))
}

/// The bytes of standard input, `most` at the most.
///
/// # Errors
/// It cannot be read, or more comes.
pub(super) fn standard_input(most: usize) -> anyhow::Result<Vec<u8>> {
    whole(standard_input_up_to(most + 1)?, "standard input", most)
}

/// The first bytes of standard input, `most` at the most.
///
/// # Errors
/// It cannot be read.
pub(super) fn standard_input_up_to(most: usize) -> anyhow::Result<Vec<u8>> {
    up_to(io::stdin().lock(), most).context("cannot read standard input")
}

fn up_to(from: impl Read, most: usize) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn whole(bytes: Vec<u8>, name: &str, most: usize) -> anyhow::Result<Vec<u8>> {
    ensure!(bytes.len() <= most, "{name} is larger than {}, which is the most that is read", size(most));
    Ok(bytes)
}

/// `64 KiB`, `16 MiB`.
fn size(bytes: usize) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        bytes => format!("{} KiB", bytes >> 10),
    }
}

/// The file, and what was read of it already: a byte of a pipe.
fn open(path: &Path) -> anyhow::Result<(io::Cursor<Vec<u8>>, File)> {
    // Opened for reading alone, a pipe without a writer would hold us (fifo(7)).
    let descriptor = rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    let is_pipe = FileType::from_raw_mode(rustix::fs::fstat(&descriptor)?.st_mode) == FileType::Fifo;
    let mut file = File::from(descriptor);
    let begun = if is_pipe { first_byte(&mut file)? } else { Vec::new() };
    rustix::fs::fcntl_setfl(&file, rustix::fs::fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    Ok((io::Cursor::new(begun), file))
}

/// Waits for somebody who writes. An end of the pipe is an end only once somebody had it open, which nothing tells of; so it
/// is waited out.
fn first_byte(pipe: &mut File) -> anyhow::Result<Vec<u8>> {
    let (since, mut byte) = (Instant::now(), [0]);
    loop {
        match pipe.read(&mut byte) {
            Ok(0) if since.elapsed() > PATIENCE => bail!("it is a pipe, and nobody writes into it"),
            Ok(0) => std::thread::sleep(PAUSE),
            Ok(_) => return Ok(byte.to_vec()),
            // Somebody has it open and will write.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_without_an_end_is_read_up_to_the_bound() {
        let error = file(Path::new("/dev/zero"), 1 << 20).expect_err("no end").to_string();
        assert_eq!(error, "`/dev/zero` is larger than 1 MiB, which is the most that is read");
        let folder = tempfile::tempdir().expect("room for a folder");
        let path = folder.path().join("file");
        fs::write(&path, [b'x'; 4096]).expect("room for a file");
        assert_eq!(file(&path, 4096).expect("a file of the bound").len(), 4096);
        assert!(file(&path, 4095).is_err());
        assert!(file(folder.path(), 4096).is_err(), "a folder");
    }

    #[test]
    fn a_pipe_is_read_when_somebody_writes_and_left_when_nobody_does() {
        let folder = tempfile::tempdir().expect("room for a folder");
        let path = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, Mode::RUSR | Mode::WUSR).expect("room for a pipe");
        let writer = std::thread::spawn({
            let path = path.clone();
            move || fs::write(path, "hello").expect("a reader")
        });
        assert_eq!(file(&path, 4096).expect("what was written"), b"hello");
        writer.join().expect("a writer that ends");
        let error = format!("{:#}", file(&path, 4096).expect_err("nobody writes"));
        assert!(error.ends_with("it is a pipe, and nobody writes into it"), "{error}");
    }
}
