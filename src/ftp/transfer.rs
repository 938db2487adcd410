//! A file on its way in: from the data connection into the case, while the control connection is listened to.
//!
//! In clear, a file ends where its connection does, whatever the reason (RFC 959 §3.4.1). So that a client that was cut off
//! leaves nothing that looks whole, the control connection has to be there still when the file has ended. By TLS the end is
//! said by the client itself; without that there is no file.

use std::io;
use std::time::Duration;

use tokio::time::{timeout, timeout_at};

use super::command::Command;
use super::control::Wire;
use super::passive::Passive;
use super::session::{Next, Session, WAITING};
use crate::intake::{NotTaken, STALLED, Upload};

/// For a handshake on a connection for data.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A client that dies closes both its connections at once: the news of the other may come this much later.
const LINGERS: Duration = Duration::from_millis(100);

/// What is written at once (bytes).
const PIECE: usize = 128 * 1024;

/// What a file is called whose client leaves that to us.
const UNNAMED: &[u8] = b"unnamed";

/// Why a file was not taken.
enum Failure {
    /// The client said so, or is gone.
    Given(Given),
    /// There was no data connection, or no TLS on it.
    Nobody(io::Error),
    /// The data connection broke.
    Data(io::Error),
    /// It came too slowly.
    Stalled,
    /// The case.
    Denied(NotTaken),
}

/// What a client said while its file came.
enum Given {
    /// `ABOR`.
    Up,
    /// Nothing more: the connection has ended.
    Way(io::Error),
}

impl Session {
    /// Takes a file.
    pub(super) async fn take(&mut self, name: Option<Vec<u8>>) -> io::Result<Next> {
        let Some(grant) = &self.grant else {
            self.control.reply(530, "Log in first").await?;
            return Ok(Next::Command);
        };
        if self.settings.is_required && !self.is_private {
            self.control.reply(521, "Data go by TLS here: PROT P comes first").await?;
            return Ok(Next::Command);
        }
        let Some(passive) = self.passive.take() else {
            self.control.reply(425, "PASV or EPSV comes first").await?;
            return Ok(Next::Command);
        };
        let mut upload = match grant.begin(name.as_deref().unwrap_or(UNNAMED)).await {
            Ok(upload) => upload,
            Err(denied) => {
                self.denied(denied).await?;
                return Ok(Next::Command);
            }
        };
        match name {
            Some(_) => self.control.reply(150, "Send it").await?,
            None => self.control.reply(150, "FILE: unnamed").await?,
        }
        match self.receive(passive, &mut upload).await {
            Ok(()) => match upload.finish().await {
                Ok(()) => self.control.reply(226, "The file is in the case").await?,
                Err(denied) => self.denied(denied).await?,
            },
            Err(failure) => {
                upload.abandon(&failure.reason());
                match failure {
                    Failure::Given(Given::Way(error)) => return Err(error),
                    Failure::Given(Given::Up) => {
                        self.control.reply(426, "Nothing of it is kept").await?;
                        self.control.reply(226, "Stopped").await?;
                    }
                    Failure::Nobody(_) => self.control.reply(425, "No connection for data came about").await?,
                    Failure::Data(_) => self.control.reply(426, "The connection broke, nothing is kept").await?,
                    Failure::Stalled => self.control.reply(426, "It came too slowly, nothing is kept").await?,
                    Failure::Denied(denied) => self.denied(denied).await?,
                }
            }
        }
        Ok(Next::Command)
    }

    /// Reads the data connection to its end, which is the file's where the client is still there.
    async fn receive(&mut self, passive: Passive, upload: &mut Upload) -> Result<(), Failure> {
        let cover = self.settings.cover.clone().filter(|_| self.is_private);
        let receiving = async {
            let mut wire = connect(passive, cover.as_ref()).await.map_err(Failure::Nobody)?;
            let mut piece = vec![0; PIECE];
            loop {
                let length = timeout_at(upload.deadline(), wire.read(&mut piece)).await;
                let length = length.map_err(|_| Failure::Stalled)?.map_err(Failure::Data)?;
                if length == 0 {
                    // By TLS, clients wait for our word that it was all (Python), and fail where the connection just ends.
                    wire.close().await;
                    return Ok(());
                }
                piece.truncate(length);
                piece = upload.write(piece).await.map_err(Failure::Denied)?;
                piece.resize(PIECE, 0);
            }
        };
        tokio::select! {
            received = receiving => received?,
            given = listen(&mut self.control, &mut self.waiting) => return Err(Failure::Given(given)),
        }
        let is_leaving = self.waiting.contains(&Command::Quit);
        match timeout(LINGERS, listen(&mut self.control, &mut self.waiting)).await {
            Ok(Given::Up) => Err(Failure::Given(Given::Up)),
            Ok(given) if !is_leaving => Err(Failure::Given(given)),
            Ok(Given::Way(_)) | Err(_) => Ok(()),
        }
    }

    /// A connection for data, and TLS on it where that was agreed.
    pub(super) async fn data(&self, passive: Passive) -> io::Result<Wire> {
        connect(passive, self.settings.cover.as_ref().filter(|_| self.is_private)).await
    }

    async fn denied(&mut self, denied: NotTaken) -> io::Result<()> {
        let (code, text) = match denied {
            NotTaken::Name => (553, "A file cannot be called that"),
            NotTaken::Full => (452, "There is no room for it"),
            NotTaken::Closed => (550, "The case is closed, or the token has ended"),
            NotTaken::Busy => (450, "Too many files are on their way: try again"),
            NotTaken::Broken => (451, "It could not be kept, and nothing of it is"),
        };
        self.control.reply(code, text).await
    }
}

async fn connect(passive: Passive, cover: Option<&crate::listen::tls::Cover>) -> io::Result<Wire> {
    let stream = passive.accept().await?;
    Ok(match cover {
        Some(cover) => Wire::Covered(Box::new(timeout(HANDSHAKE, cover.accept_data(stream)).await??)),
        None => Wire::Clear(stream),
    })
}

/// Hears what the client says, until it gives its file up or itself.
async fn listen(control: &mut super::control::Control, waiting: &mut std::collections::VecDeque<Command>) -> Given {
    loop {
        match control.line().await {
            Ok(line) => match Command::parse(&line) {
                Command::Abor => return Given::Up,
                command if waiting.len() < WAITING => waiting.push_back(command),
                _ => return Given::Way(io::Error::new(io::ErrorKind::InvalidData, "too many commands at once")),
            },
            Err(error) => return Given::Way(error),
        }
    }
}

impl Failure {
    fn reason(&self) -> String {
        match self {
            Self::Given(Given::Up) => "the client stopped it".to_owned(),
            Self::Given(Given::Way(error)) if is_end(error) => "the client went away: its connection ended".to_owned(),
            Self::Given(Given::Way(error)) => format!("the client went away: {error}"),
            Self::Nobody(error) if error.kind() == io::ErrorKind::TimedOut => {
                "nobody came to the port for data, or began TLS there, in time".to_owned()
            }
            Self::Nobody(error) => format!("no connection for data came about: {error}"),
            Self::Data(error) if is_end(error) => {
                "the connection for data ended without the client's word that it was all (TLS close_notify)".to_owned()
            }
            Self::Data(error) => format!("the connection for data broke: {error}"),
            Self::Stalled => STALLED.to_owned(),
            Self::Denied(denied) => denied.to_string(),
        }
    }
}

/// Whether a connection just ended. What rustls says of it is for programmers.
fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}
