//! What SFTP asks on one channel, and the answers: a folder in which nothing is ever seen, and files that are only written.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::packet::{self, Answer, Request, Status};
use super::{broken, is_folder, label};
use crate::intake::{Client, NotTaken, Upload};

/// Files that are open at once on a channel: OpenSSH has one.
const FILES: usize = 4;

/// The handle of the only folder.
const FOLDER: &[u8] = b"/";

/// A conversation that may be in the middle of a packet.
pub(super) struct Conversation {
    grant: Client,
    bytes: Vec<u8>,
    files: BTreeMap<u64, Open>,
    opened: u64,
}

/// A file under way.
struct Open {
    upload: Upload,
    size: u64,
    /// Bytes could not be kept: nothing that comes later makes it whole.
    is_torn: bool,
}

impl Conversation {
    /// A conversation that begins.
    pub(super) fn new(grant: Client) -> Self {
        Self { grant, bytes: Vec::new(), files: BTreeMap::new(), opened: 0 }
    }

    /// Files under way.
    pub(super) fn files(&self) -> usize {
        self.files.len()
    }

    /// When more of a file under way has to have come.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.files.values().map(|open| open.upload.deadline()).min()
    }

    /// Takes bytes in, and does what whole packets among them ask; the answers to them.
    ///
    /// # Errors
    /// A packet is longer than any may be, or is none. Nothing after it can be read.
    pub(super) async fn hear(&mut self, bytes: &[u8]) -> Result<Vec<u8>, russh::Error> {
        self.bytes.extend_from_slice(bytes);
        let (mut answers, mut done) = (Vec::new(), 0);
        // What was heard is taken out first: the answers need all of self.
        let heard = std::mem::take(&mut self.bytes);
        while let Some((length, rest)) = heard[done..].split_first_chunk::<4>() {
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            if length > packet::LONGEST {
                return Err(broken("a packet of SFTP is longer than any may be"));
            }
            let Some(packet) = rest.get(..length) else { break };
            answers.extend(self.answer(packet).await?);
            done += 4 + length;
        }
        self.bytes = heard;
        self.bytes.drain(..done);
        Ok(answers)
    }

    /// Gives up what is under way.
    pub(super) fn end(self, reason: &str) {
        for open in self.files.into_values() {
            open.upload.abandon(reason);
        }
    }

    async fn answer(&mut self, packet: &[u8]) -> Result<Vec<u8>, russh::Error> {
        let (id, request) = packet::parse(packet).ok_or_else(|| broken("a packet of SFTP has no number"))?;
        let status = |status, text| Answer::status(id, status, text);
        let Some(request) = request else { return Ok(status(Status::BadMessage, "the packet ends too early")) };
        Ok(match request {
            Request::Init => Answer::version(),
            Request::Open { path, flags } => self.open(id, path, flags).await,
            Request::Write { handle, offset, data } => self.write(id, handle, offset, data).await,
            // Clients set times and rights when a file is there. They are not kept, and nobody needs to fail for that.
            Request::Setstat | Request::Close { handle: FOLDER } => status(Status::Ok, ""),
            Request::Close { handle } => self.close(id, handle).await,
            Request::Fstat { handle: FOLDER } => Answer::folder(id),
            Request::Fstat { handle } => match self.file(handle) {
                Some((_, open)) => Answer::size(id, open.size),
                None => status(Status::Failure, "no such handle"),
            },
            Request::Stat { path } if is_folder(path) => Answer::folder(id),
            Request::Opendir { path } if is_folder(path) => Answer::handle(id, FOLDER),
            Request::Stat { .. } | Request::Opendir { .. } => status(Status::NoSuchFile, "no such file"),
            Request::Readdir { handle: FOLDER } => status(Status::Eof, "nothing can be seen here"),
            Request::Readdir { .. } => status(Status::Failure, "no such handle"),
            Request::Realpath { path } => match label(path) {
                None => Answer::root(id),
                Some(name) => Answer::name(id, name),
            },
            Request::Forbidden => status(Status::PermissionDenied, "files are only taken here"),
            Request::Unknown => status(Status::Unsupported, "not known here"),
        })
    }

    async fn open(&mut self, id: u32, path: &[u8], flags: u32) -> Vec<u8> {
        let refused = |status, text| Answer::status(id, status, text);
        if flags & packet::READ != 0 || flags & packet::WRITE == 0 {
            return refused(Status::PermissionDenied, "files are only taken here");
        }
        if flags & packet::APPEND != 0 {
            return refused(Status::Unsupported, "a file is taken from its beginning");
        }
        let Some(name) = label(path) else {
            return refused(Status::Failure, "that is a folder");
        };
        if self.files.len() >= FILES {
            return refused(Status::Failure, "too many files at once: close one");
        }
        match self.grant.begin(name).await {
            Ok(upload) => {
                self.opened += 1;
                self.files.insert(self.opened, Open { upload, size: 0, is_torn: false });
                Answer::handle(id, self.opened.to_string().as_bytes())
            }
            Err(denied) => refused_by(id, denied),
        }
    }

    async fn write(&mut self, id: u32, handle: &[u8], offset: u64, data: &[u8]) -> Vec<u8> {
        let Some((_, open)) = self.file(handle) else { return Answer::status(id, Status::Failure, "no such handle") };
        if open.is_torn {
            return Answer::status(id, Status::Failure, "the file is given up");
        }
        if offset != open.size {
            open.is_torn = true;
            return Answer::status(id, Status::Failure, "a file is written from its beginning to its end");
        }
        if data.is_empty() {
            return Answer::status(id, Status::Ok, "");
        }
        match open.upload.write(data.to_vec()).await {
            Ok(_) => {
                open.size += data.len() as u64;
                Answer::status(id, Status::Ok, "")
            }
            Err(denied) => {
                open.is_torn = true;
                refused_by(id, denied)
            }
        }
    }

    async fn close(&mut self, id: u32, handle: &[u8]) -> Vec<u8> {
        let found = self.file(handle).map(|(number, _)| number).and_then(|number| self.files.remove(&number));
        let Some(open) = found else { return Answer::status(id, Status::Failure, "no such handle") };
        if open.is_torn {
            // What could not be kept is told of already.
            open.upload.abandon("it was not written from its beginning to its end");
            return Answer::status(id, Status::Failure, "nothing of the file is kept");
        }
        match open.upload.finish().await {
            Ok(()) => Answer::status(id, Status::Ok, ""),
            Err(denied) => refused_by(id, denied),
        }
    }

    fn file(&mut self, handle: &[u8]) -> Option<(u64, &mut Open)> {
        let number = std::str::from_utf8(handle).ok()?.parse().ok()?;
        self.files.get_mut(&number).map(|open| (number, open))
    }
}

fn refused_by(id: u32, denied: NotTaken) -> Vec<u8> {
    let (status, text) = match denied {
        NotTaken::Name => (Status::Failure, "a file cannot be called that"),
        NotTaken::Full => (Status::Failure, "there is no room for it"),
        NotTaken::Closed => (Status::PermissionDenied, "the case is closed, or the token has ended"),
        NotTaken::Busy => (Status::Failure, "too many files are on their way: try again"),
        NotTaken::Broken => (Status::Failure, "it could not be kept, and nothing of it is"),
    };
    Answer::status(id, status, text)
}
