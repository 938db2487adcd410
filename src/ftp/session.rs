//! One client's connection: what it says, and what is done about it.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::Settings;
use super::command::{Command, Family, Protection, Representation};
use super::control::Control;
use super::passive::{Passive, entering};
use crate::device::Secret;
use crate::intake::{Client, Desk};

/// From the connection's beginning to the right token.
const LOGIN: Duration = Duration::from_mins(1);

/// Between two commands afterwards.
const IDLE: Duration = Duration::from_mins(5);

/// For a handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Tokens that are tried on one connection.
const TRIES: u32 = 3;

/// Commands that may come while a file does.
pub(super) const WAITING: usize = 16;

/// What the server can, beyond what was always there (RFC 2389).
const FEATURES: &str = "211-Features:\r\n AUTH TLS\r\n EPSV\r\n PASV\r\n PBSZ\r\n PROT\r\n UTF8\r\n211 End\r\n";

/// A connection.
pub(super) struct Session {
    pub(super) settings: Arc<Settings>,
    pub(super) control: Control,
    pub(super) peer: SocketAddr,
    /// Where the client came to.
    pub(super) local: IpAddr,
    pub(super) desk: Desk,
    /// What the client may, once it is known.
    pub(super) grant: Option<Client>,
    user: Option<String>,
    tries: u32,
    pub(super) is_private: bool,
    only_extended: bool,
    pub(super) passive: Option<Passive>,
    /// What came while a file did.
    pub(super) waiting: VecDeque<Command>,
    stop: CancellationToken,
}

/// Whether there is more to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The next command.
    Command,
    /// Nothing.
    End,
}

impl Session {
    /// A connection on which nothing has been said.
    pub(super) fn new(
        settings: Arc<Settings>,
        control: Control,
        desk: Desk,
        (peer, local): (SocketAddr, SocketAddr),
        stop: CancellationToken,
    ) -> Self {
        // Where the control connection is by TLS from its beginning, so are data (as clients of implicit FTPS have it).
        let is_private = settings.is_implicit;
        Self {
            settings,
            control,
            peer,
            local: local.ip().to_canonical(),
            desk,
            grant: None,
            user: None,
            tries: 0,
            is_private,
            only_extended: false,
            passive: None,
            waiting: VecDeque::new(),
            stop,
        }
    }

    /// Serves the client to its end.
    ///
    /// # Errors
    /// The client is gone, or says what nobody can read.
    pub(super) async fn run(&mut self) -> io::Result<()> {
        let login = Instant::now() + LOGIN;
        self.control.reply(220, "Case files are taken here: user is the case, password its token").await?;
        loop {
            let command = if let Some(command) = self.waiting.pop_front() {
                command
            } else {
                let end = if self.grant.is_some() { Instant::now() + IDLE } else { login };
                let line = tokio::select! {
                    () = self.stop.cancelled() => return self.control.reply(421, "The server stops").await,
                    line = timeout_at(end, self.control.line()) => line,
                };
                match line {
                    Ok(line) => Command::parse(&line?),
                    Err(_) => return self.control.reply(421, "Too long without a word").await,
                }
            };
            if self.obey(command).await? == Next::End {
                return Ok(());
            }
        }
    }

    async fn obey(&mut self, command: Command) -> io::Result<Next> {
        match command {
            Command::User(user) => self.user(user).await?,
            Command::Pass(token) => return self.pass(token).await,
            Command::Auth { tls } => return self.auth(tls).await,
            Command::Quit => {
                self.control.reply(221, "Goodbye").await?;
                return Ok(Next::End);
            }
            Command::Feat => self.control.send(FEATURES).await?,
            Command::Syst => self.control.reply(215, "UNIX Type: L8").await?,
            Command::Noop => self.control.reply(200, "Nothing done").await?,
            Command::Help => self.control.reply(214, "USER, PASS, PASV or EPSV, STOR").await?,
            Command::Opts { utf8: true } => self.control.reply(200, "Names are UTF-8").await?,
            Command::Opts { utf8: false } => self.control.reply(501, "No such option").await?,
            Command::Pbsz | Command::Prot(_) if !self.control.is_covered() => {
                self.control.reply(503, "AUTH TLS comes first").await?;
            }
            Command::Pbsz => self.control.reply(200, "PBSZ=0").await?,
            Command::Prot(protection) => self.protect(protection).await?,
            Command::Unknown => self.control.reply(500, "Not known here").await?,
            _ if self.grant.is_none() => self.control.reply(530, "Log in first").await?,
            Command::Stor(name) => return self.take(Some(name)).await,
            Command::Stou => return self.take(None).await,
            Command::List => return self.list().await,
            other => self.small(other).await?,
        }
        Ok(Next::Command)
    }

    /// What takes one reply, of a client that is known.
    async fn small(&mut self, command: Command) -> io::Result<()> {
        let (code, text) = match command {
            Command::Pasv => return self.pasv().await,
            Command::Epsv(family) => return self.epsv(family).await,
            Command::Type(Representation::Ascii | Representation::Image) => (200, "Bytes are taken as they come"),
            Command::Structure { usual: true } => (200, "As always"),
            Command::Type(Representation::Other) | Command::Structure { usual: false } => (504, "Not here"),
            Command::Pwd => (257, "\"/\" is all there is"),
            Command::Cwd => (250, "It is the same everywhere"),
            Command::Rest(0) => (350, "From the beginning"),
            Command::Rest(_) | Command::Appe(_) => (502, "A file is taken from its beginning: STOR"),
            Command::Active => (502, "The server connects to nobody: PASV or EPSV"),
            Command::Abor => (226, "Nothing is under way"),
            Command::Stat { of_path: false } => (211, "Waiting for files"),
            Command::Size | Command::Touch | Command::Stat { of_path: true } => (550, "No such file"),
            _ => (550, "Files are only taken here"),
        };
        self.control.reply(code, text).await
    }

    async fn user(&mut self, user: String) -> io::Result<()> {
        if self.settings.is_required && !self.control.is_covered() {
            return self.control.reply(530, "AUTH TLS comes first: nobody is to hear the token").await;
        }
        self.grant = None;
        self.user = Some(user);
        self.control.reply(331, "And the token of the case?").await
    }

    async fn pass(&mut self, token: Secret) -> io::Result<Next> {
        let Some(user) = self.user.take() else {
            self.control.reply(503, "USER comes first").await?;
            return Ok(Next::Command);
        };
        self.tries += 1;
        self.grant = self.desk.login(&user, &token, self.peer).await;
        if self.grant.is_some() {
            self.control.reply(230, "Send files").await?;
            return Ok(Next::Command);
        }
        self.control.reply(530, "Case or token is wrong").await?;
        Ok(if self.tries < TRIES { Next::Command } else { Next::End })
    }

    async fn auth(&mut self, tls: bool) -> io::Result<Next> {
        let refusal = match (&self.settings.cover, tls) {
            (_, _) if self.control.is_covered() => (503, "It is by TLS already"),
            (Some(cover), true) => {
                let cover = cover.clone();
                self.control.reply(234, "Shake hands").await?;
                // What was said before may have been another's.
                (self.user, self.grant, self.passive) = (None, None, None);
                self.control.cover(&cover, HANDSHAKE).await?;
                return Ok(Next::Command);
            }
            (None, true) => (502, "There is no TLS here"),
            (_, false) => (504, "TLS or nothing"),
        };
        self.control.reply(refusal.0, refusal.1).await?;
        Ok(Next::Command)
    }

    async fn protect(&mut self, protection: Protection) -> io::Result<()> {
        match protection {
            Protection::Private => {
                self.is_private = true;
                self.control.reply(200, "Data by TLS").await
            }
            Protection::Clear if self.settings.is_required => self.control.reply(534, "Only by TLS here").await,
            Protection::Clear => {
                self.is_private = false;
                self.control.reply(200, "Data in clear").await
            }
            Protection::Other => self.control.reply(536, "TLS has no such thing").await,
        }
    }

    async fn pasv(&mut self) -> io::Result<()> {
        let address = match self.settings.external.unwrap_or(self.local) {
            IpAddr::V4(address) if !self.only_extended => address,
            IpAddr::V4(_) | IpAddr::V6(_) => return self.control.reply(425, "EPSV, please").await,
        };
        match self.open().await {
            Ok(port) => self.control.reply(227, &entering(address, port)).await,
            Err(error) => self.no_port(&error).await,
        }
    }

    async fn epsv(&mut self, family: Family) -> io::Result<()> {
        let of_here = if self.local.is_ipv4() { Family::V4 } else { Family::V6 };
        match family {
            Family::All => {
                self.only_extended = true;
                return self.control.reply(200, "EPSV from now on").await;
            }
            Family::Same => {}
            Family::V4 | Family::V6 if family == of_here => {}
            Family::V4 => return self.control.reply(522, "Network protocol not here, use (2)").await,
            Family::V6 | Family::Other => return self.control.reply(522, "Network protocol not here, use (1)").await,
        }
        match self.open().await {
            Ok(port) => self.control.reply(229, &format!("Entering extended passive mode (|||{port}|)")).await,
            Err(error) => self.no_port(&error).await,
        }
    }

    async fn open(&mut self) -> io::Result<u16> {
        // The one before is given back first: a client has one port.
        self.passive = None;
        let passive = Passive::open(&self.settings.ports, self.local, self.peer.ip()).await?;
        let port = passive.port()?;
        self.passive = Some(passive);
        Ok(port)
    }

    async fn no_port(&mut self, error: &io::Error) -> io::Result<()> {
        let ports = &self.settings.ports;
        tracing::warn!(%error, "no port for data is free between {} and {}", ports.start(), ports.end());
        self.control.reply(425, "No port is free").await
    }

    /// A folder that is always empty, as far as anybody can see.
    async fn list(&mut self) -> io::Result<Next> {
        let Some(passive) = self.passive.take() else {
            self.control.reply(425, "PASV or EPSV comes first").await?;
            return Ok(Next::Command);
        };
        self.control.reply(150, "Nothing to be seen").await?;
        match timeout(HANDSHAKE, self.data(passive)).await {
            Ok(Ok(mut wire)) => {
                wire.close().await;
                self.control.reply(226, "That was all").await?;
            }
            Ok(Err(_)) | Err(_) => self.control.reply(425, "Nobody came for it").await?,
        }
        Ok(Next::Command)
    }
}
