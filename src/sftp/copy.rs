//! A copy by the older protocol of `scp`: files one after another into the case.

use tokio::time::Instant;

use super::label;
use super::sink::{CopyTo, Sink, Step};
use crate::intake::{Client, NotTaken, Upload};

/// A copy under way.
pub(super) struct Copy {
    grant: Client,
    to: CopyTo,
    sink: Sink,
    upload: Option<Upload>,
    /// The copy cannot go on.
    is_over: bool,
    /// Something went wrong, which the exit code tells.
    has_failed: bool,
}

/// Nods at what the client said.
const NOD: u8 = 0;

/// Begins the text of an error after which the client ends (2; 1 would let it go on).
const FATAL: u8 = 2;

impl Copy {
    /// A copy that begins; the first nod is the caller's.
    pub(super) fn new(grant: Client, to: CopyTo) -> Self {
        Self { grant, to, sink: Sink::new(), upload: None, is_over: false, has_failed: false }
    }

    /// Files under way.
    pub(super) fn files(&self) -> usize {
        usize::from(self.upload.is_some())
    }

    /// When more of the file under way has to have come.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.upload.as_ref().map(Upload::deadline)
    }

    /// Takes bytes in; what the client is told.
    pub(super) async fn hear(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut told = Vec::new();
        while let Some(step) = self.sink.step(&mut bytes).filter(|_| !self.is_over) {
            let result = match step {
                Step::Nod => {
                    told.push(NOD);
                    Ok(())
                }
                Step::Begin { name } => self.begin(&name).await.map(|()| told.push(NOD)),
                Step::Bytes(bytes) => match &mut self.upload {
                    Some(upload) => upload.write(bytes.to_vec()).await.map(drop).map_err(words),
                    None => Err("no file was begun"),
                },
                Step::Whole => self.finish().await.map(|()| told.push(NOD)),
                Step::Torn => {
                    self.has_failed = true;
                    self.abandon("the client could not read all of it");
                    Ok(())
                }
                Step::Wrong(words) => Err(words),
            };
            if let Err(words) = result {
                self.fail(words, &mut told);
            }
        }
        told
    }

    /// Whether nothing of the file under way is missing but the zero behind it.
    pub(super) fn is_all_there(&self) -> bool {
        self.upload.is_some() && self.sink.is_all_there()
    }

    /// Whether it cannot go on.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Ends it where its client does; what that is told, and the exit code. libssh2 leaves out the zero behind a file's last
    /// byte: with all that was announced the file is whole, as OpenSSH's `scp -t` has it, too.
    pub(super) async fn end(mut self) -> (Vec<u8>, u32) {
        let mut told = Vec::new();
        if self.is_all_there() {
            match self.finish().await {
                Ok(()) => told.push(NOD),
                Err(words) => self.fail(words, &mut told),
            }
        }
        let is_torn = self.upload.is_some();
        self.abandon("the client ended before its file");
        (told, u32::from(is_torn || self.has_failed))
    }

    /// Gives up what is under way.
    pub(super) fn abandon(&mut self, reason: &str) {
        if let Some(upload) = self.upload.take() {
            upload.abandon(reason);
        }
    }

    async fn finish(&mut self) -> Result<(), &'static str> {
        self.upload.take().ok_or("no file was begun")?.finish().await.map_err(words)
    }

    fn fail(&mut self, words: &'static str, told: &mut Vec<u8>) {
        (self.is_over, self.has_failed) = (true, true);
        told.push(FATAL);
        told.extend_from_slice(format!("scp: {words}\n").as_bytes());
        self.abandon(words);
    }

    async fn begin(&mut self, name: &[u8]) -> Result<(), &'static str> {
        let name = self.to.name.as_deref().or_else(|| label(name)).ok_or("a file cannot be called that")?;
        self.upload = Some(self.grant.begin(name).await.map_err(words)?);
        Ok(())
    }
}

fn words(denied: NotTaken) -> &'static str {
    match denied {
        NotTaken::Name => "a file cannot be called that",
        NotTaken::Full => "there is no room for it",
        NotTaken::Closed => "the case is closed, or the token has ended",
        NotTaken::Busy => "too many files are on their way: try again",
        NotTaken::Broken => "it could not be kept, and nothing of it is",
    }
}
