//! What SSH asks on one connection: who it is, and what its channels are for.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Response, Session};
use russh::{Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::broken;
use super::conversation::Conversation;
use super::copy::Copy;
use super::sink::CopyTo;
use crate::device::Secret;
use crate::intake::{Client, Desk, STALLED};

/// Channels that are open at once on a connection.
const CHANNELS: usize = 4;

/// Bytes of answers that wait for a client that does not read them.
const UNREAD: usize = 256 * 1024;

/// How keyboard-interactive asks for the token. lftp and sshpass answer what ends as a question for a password does.
const PROMPT: &str = "Token of the case, as the password: ";

/// A connection.
pub(super) struct Visit {
    desk: Desk,
    peer: SocketAddr,
    grant: Option<Client>,
    channels: HashMap<ChannelId, Talk>,
    state: Arc<State>,
}

/// What a channel is for.
struct Talk {
    about: About,
    /// Bytes of answers since the client last read all of them.
    unread: usize,
}

enum About {
    /// Nothing yet.
    Nothing,
    /// Files by SFTP.
    Sftp(Conversation),
    /// Files by `scp`.
    Copy(Box<Copy>),
    /// It is over.
    Over,
}

/// How far a connection is, for who watches it.
#[derive(Default)]
pub(super) struct State {
    is_known: AtomicBool,
    has_stalled: AtomicBool,
    under_way: watch::Sender<UnderWay>,
    /// Copies whose files were all there when the connection ended.
    left: Mutex<Vec<Copy>>,
}

/// Files on their way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct UnderWay {
    files: usize,
    /// When more of one of them has to have come; `None`: nobody is waited for.
    deadline: Option<Instant>,
}

impl State {
    /// Ends when nobody has said who it is for so long.
    pub(super) async fn overstays(&self, limit: Duration) {
        tokio::time::sleep(limit).await;
        if self.is_known.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    /// Ends when the server stops and no file is under way.
    pub(super) async fn may_stop(&self, stop: CancellationToken) {
        stop.cancelled().await;
        // Who tells lives as long as this.
        let _ = self.under_way.subscribe().wait_for(|under_way| under_way.files == 0).await;
    }

    /// Keeps what was all there when the connection ended without a word of its client.
    pub(super) async fn finish(&self) {
        let left = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        for copy in left {
            copy.end().await;
        }
    }

    /// While what a client asked for is done, nobody waits for the client.
    fn is_busy(&self) {
        self.under_way.send_modify(|under_way| under_way.deadline = None);
    }

    /// Ends when a file has come too slowly.
    pub(super) async fn stalls(&self) {
        let mut told = self.under_way.subscribe();
        loop {
            let deadline = told.borrow_and_update().deadline;
            let passes = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = told.changed() => {}
                () = passes => break,
            }
        }
        self.has_stalled.store(true, Ordering::Relaxed);
    }
}

impl Visit {
    /// A connection on which nothing has been said.
    pub(super) fn new(desk: Desk, peer: SocketAddr) -> (Self, Arc<State>) {
        let state = Arc::new(State::default());
        (Self { desk, peer, grant: None, channels: HashMap::new(), state: state.clone() }, state)
    }

    async fn login(&mut self, number: &str, token: &str) -> Auth {
        self.grant = self.desk.login(number, &Secret::new(token.to_owned()), self.peer).await;
        match &self.grant {
            Some(_) => {
                self.state.is_known.store(true, Ordering::Relaxed);
                Auth::Accept
            }
            None => again(),
        }
    }

    /// Begins what a channel is for, once.
    fn begin(&mut self, channel: ChannelId, about: impl FnOnce(Client) -> About) -> bool {
        let Some(grant) = &self.grant else { return false };
        match self.channels.get_mut(&channel) {
            Some(talk) if matches!(talk.about, About::Nothing) => {
                talk.about = about(grant.clone());
                true
            }
            Some(_) | None => false,
        }
    }

    fn count(&self) {
        let of_each = self.channels.values().map(|talk| match &talk.about {
            About::Sftp(conversation) => (conversation.files(), conversation.deadline()),
            About::Copy(copy) => (copy.files(), copy.deadline()),
            About::Nothing | About::Over => (0, None),
        });
        let mut under_way = UnderWay::default();
        for (files, deadline) in of_each {
            under_way.files += files;
            under_way.deadline = deadline.into_iter().chain(under_way.deadline).min();
        }
        self.state.under_way.send_replace(under_way);
    }

    /// Does what a channel's bytes ask for; whether it is over with them.
    async fn hear(&mut self, channel: ChannelId, data: &[u8], session: &mut Session) -> Result<bool, russh::Error> {
        let Some(talk) = self.channels.get_mut(&channel) else { return Ok(false) };
        let (answers, is_over) = match &mut talk.about {
            About::Nothing | About::Over => return Ok(false),
            About::Sftp(conversation) => (conversation.hear(data).await?, false),
            About::Copy(copy) => (copy.hear(data).await, copy.is_over()),
        };
        if !answers.is_empty() {
            talk.unread = if session.has_pending_data(channel) { talk.unread } else { 0 } + answers.len();
            if talk.unread > UNREAD {
                return Err(broken("the client reads no answers"));
            }
            session.data(channel, answers)?;
        }
        Ok(is_over)
    }

    /// Ends what a channel was for, and the channel where a program would.
    async fn end(&mut self, channel: ChannelId, session: Option<&mut Session>) -> Result<(), russh::Error> {
        let Some(talk) = self.channels.get_mut(&channel) else { return Ok(()) };
        let (told, code) = match std::mem::replace(&mut talk.about, About::Over) {
            About::Nothing | About::Over => return Ok(()),
            About::Sftp(conversation) => {
                conversation.end("the client ended before its file");
                (Vec::new(), 0)
            }
            About::Copy(copy) => {
                self.state.is_busy();
                copy.end().await
            }
        };
        self.count();
        if let Some(session) = session {
            if !told.is_empty() {
                session.data(channel, told)?;
            }
            session.exit_status_request(channel, code)?;
            session.eof(channel)?;
            session.close(channel)?;
        }
        Ok(())
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let has_stalled = self.state.has_stalled.load(Ordering::Relaxed);
        let reason = if has_stalled { STALLED } else { "the connection ended before the file" };
        for talk in self.channels.drain().map(|(_, talk)| talk) {
            match talk.about {
                About::Nothing | About::Over => {}
                About::Sftp(conversation) => conversation.end(reason),
                About::Copy(copy) if copy.is_all_there() => {
                    self.state.left.lock().unwrap_or_else(PoisonError::into_inner).push(*copy);
                }
                About::Copy(mut copy) => copy.abandon(reason),
            }
        }
    }
}

/// Another token may be tried.
fn again() -> Auth {
    let mut methods = MethodSet::empty();
    methods.push(MethodKind::Password);
    methods.push(MethodKind::KeyboardInteractive);
    Auth::Reject { proceed_with_methods: Some(methods), partial_success: false }
}

impl Handler for Visit {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, Self::Error> {
        Ok(again())
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(self.login(user, password).await)
    }

    async fn auth_publickey_offered(&mut self, _: &str, _: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        Ok(again())
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Some(mut response) = response else {
            let prompts = vec![(PROMPT.into(), false)].into();
            return Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts });
        };
        let token = response.next().and_then(|token| String::from_utf8(token.to_vec()).ok()).unwrap_or_default();
        Ok(self.login(user, &token).await)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.grant.is_none() || self.channels.len() >= CHANNELS {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        }
        self.channels.insert(channel.id(), Talk { about: About::Nothing, unread: 0 });
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        match name == "sftp" && self.begin(channel, |grant| About::Sftp(Conversation::new(grant))) {
            true => session.channel_success(channel),
            false => session.channel_failure(channel),
        }
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let begun = CopyTo::parse(command)
            .is_some_and(|to| self.begin(channel, |grant| About::Copy(Box::new(Copy::new(grant, to)))));
        if !begun {
            return session.channel_failure(channel);
        }
        session.channel_success(channel)?;
        session.data(channel, vec![0])
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(russh::Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        self.state.is_busy();
        let heard = self.hear(channel, data, session).await;
        self.count();
        if heard? { self.end(channel, Some(session)).await } else { Ok(()) }
    }

    async fn channel_eof(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        self.end(channel, Some(session)).await
    }

    async fn channel_close(&mut self, channel: ChannelId, _: &mut Session) -> Result<(), Self::Error> {
        let ended = self.end(channel, None).await;
        self.channels.remove(&channel);
        ended
    }
}
