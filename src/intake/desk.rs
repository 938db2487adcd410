//! What doors ask that know clients by their connection, not by each request: SFTP and FTP.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Announced, Intake, IntakeError, Pace, Place, Receiving, Told};
use crate::case::{CaseFault, CaseGrant, FileName, Label};
use crate::config::IntakeProtocol;
use crate::device::Secret;
use crate::listen::Shared;

/// What the connections of one listener share.
#[derive(Debug, Clone)]
pub struct Desk {
    intake: Arc<Intake>,
    shared: Arc<Shared>,
    protocol: IntakeProtocol,
}

/// The right of one client to hand in files for one case.
#[derive(Debug, Clone)]
pub struct Client {
    desk: Desk,
    case: CaseGrant,
    peer: SocketAddr,
}

/// A file on its way. Dropped before it is finished, it never was.
#[derive(Debug)]
pub struct Upload {
    /// Gone when it has ended, one way or the other.
    receiving: Option<Receiving>,
    pace: Pace,
}

/// Why a file is not taken. Doors put it into words of their protocol; the reason is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It has no name, or a longer one than any file.
    #[error("a file cannot be called that")]
    Name,
    /// There is no room, or a quota is spent.
    #[error("there is no room for it")]
    Full,
    /// Too many are on their way.
    #[error("too many files are on their way: try again")]
    Busy,
    /// The case is closed, or the token has ended.
    #[error("the case is closed, or the token has ended")]
    Closed,
    /// Something of ours.
    #[error("it could not be kept, and nothing of it is")]
    Broken,
}

impl Desk {
    /// The desk of a listener.
    #[must_use]
    pub fn new(intake: Arc<Intake>, shared: Arc<Shared>, protocol: IntakeProtocol) -> Self {
        Self { intake, shared, protocol }
    }

    /// Lets a client in whose token is one of the case's. Whatever is wrong, the client is told the same, as late.
    pub async fn login(&self, number: &str, token: &Secret, peer: SocketAddr) -> Option<Client> {
        let app = self.shared.app();
        let case = self.intake.login(&app, peer.ip(), number, token).await.ok()?;
        Some(Client { desk: self.clone(), case, peer })
    }
}

impl Client {
    /// Begins a file. Since the client came the case may have been closed, or the token replaced.
    ///
    /// # Errors
    /// The client may not, its name is none, or there is no room.
    pub async fn begin(&self, name: &[u8]) -> Result<Upload, NotTaken> {
        let shown = FileName::shortened(name).ok();
        let name = FileName::parse(name);
        let name = name.map_err(|error| self.not_taken(shown.as_ref(), NotTaken::Name, &error.to_string()))?;
        let intake = &self.desk.intake;
        let record = intake.store().case(self.case.number()).await;
        let record = record.map_err(|error| self.not_taken(Some(&name), NotTaken::Broken, &error.to_string()))?;
        let renewed = record.ok_or(CaseFault::Unknown).and_then(|record| record.renew(&self.case, Timestamp::now()));
        let grant = renewed.map_err(|fault| self.not_taken(Some(&name), NotTaken::Closed, &fault.to_string()))?;
        let label = Label::named(name);
        let (address, transport) = (self.address(), self.desk.protocol.as_str());
        let announced = Announced { label, address, transport, place: Place::New { total: None }, length: None };
        // What is wrong is told there.
        let receiving = intake.begin(&grant, announced).await.map_err(|error| NotTaken::of(&error))?;
        Ok(Upload { receiving: Some(receiving), pace: Pace::new(intake.settings().stall.duration()) })
    }

    fn address(&self) -> String {
        self.peer.ip().to_canonical().to_string()
    }

    /// Tells why a file is not begun.
    fn not_taken(&self, name: Option<&FileName>, answer: NotTaken, reason: &str) -> NotTaken {
        let (file, peer) = (name.map_or("-", FileName::as_str), &self.address());
        let told = Told { file, peer, transport: self.desk.protocol.as_str() };
        self.desk.intake.not_kept(self.case.number(), told, (reason, 0));
        answer
    }
}

impl Upload {
    /// When more has to have come. A door gives up then what has [`STALLED`](super::STALLED).
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.pace.deadline()
    }

    /// Adds bytes, and returns their room for more.
    ///
    /// # Errors
    /// There is no room, or they cannot be written. Nothing of the file is kept then.
    pub async fn write(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, NotTaken> {
        let receiving = self.receiving.as_mut().ok_or(NotTaken::Broken)?;
        self.pace.came(bytes.len());
        match receiving.write(&bytes).await {
            Ok(()) => {
                self.pace.wrote();
                Ok(bytes)
            }
            Err(error) => {
                self.receiving = None;
                Err(NotTaken::of(&error))
            }
        }
    }

    /// Ends the file: it is on the disk and in the case's list when this returns.
    ///
    /// # Errors
    /// It could not be kept. Nothing of it is left then.
    pub async fn finish(mut self) -> Result<(), NotTaken> {
        let receiving = self.receiving.take().ok_or(NotTaken::Broken)?;
        receiving.finish().await.map(drop).map_err(|error| NotTaken::of(&error))
    }

    /// Gives the file up.
    pub fn abandon(mut self, reason: &str) {
        self.end(reason);
    }

    fn end(&mut self, reason: &str) {
        if let Some(receiving) = self.receiving.take() {
            receiving.abandon(reason);
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.end("the connection ended before the file");
    }
}

impl NotTaken {
    fn of(error: &IntakeError) -> Self {
        match error {
            IntakeError::Full(_) => Self::Full,
            IntakeError::Later(_) => Self::Busy,
            IntakeError::Expired | IntakeError::Closed => Self::Closed,
            IntakeError::Occupied | IntakeError::Gap | IntakeError::Failed(_) => Self::Broken,
        }
    }
}
