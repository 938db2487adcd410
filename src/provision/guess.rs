//! What a refusal says of who asks: whether it may be somebody who tries addresses or passwords.

use std::net::SocketAddr;

use super::{Refusal, Request};
use crate::config::Protocol;
use crate::device::MacAddress;

/// A refusal that is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guess {
    /// The device that the path's text names, there or not.
    pub tried: Option<MacAddress>,
    /// What it came over.
    pub transport: Protocol,
    /// Whose it is.
    pub peer: SocketAddr,
}

impl Guess {
    /// What a request that was not admitted is paid as; `None` where its client guesses nothing.
    ///
    /// A phone that is asked for a password has not guessed yet, and one that has proven to be whom its path names does
    /// not guess. Nothing here may depend on what the tree has: a budget that lasts longer for what is there would say so.
    #[must_use]
    pub fn of(request: &Request<'_>, refusal: &Refusal) -> Option<Self> {
        // While the store is away, nobody hears what they might have guessed.
        let told_nothing = matches!(refusal, Refusal::NoPassword | Refusal::StaleDigest(_) | Refusal::Store(_));
        if told_nothing {
            return None;
        }
        let tried = request.path.as_ref().ok().and_then(|path| path.segments().find_map(super::identify::mac_in));
        let own =
            tried.is_some_and(|mac| request.presented.certified().is_some_and(|it| it.identity.mac() == Some(mac)));
        (!own).then_some(Self { tried, transport: request.transport, peer: request.peer })
    }
}
