//! The transfers that are live, by client address and port: one for each, and not more than the limits.

use std::collections::{HashMap, hash_map};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use super::Settings;
use super::link::Reply;

/// Replies that wait for a transfer on the single port; a client sends one for each window.
const REPLIES: usize = 8;

/// The table of live transfers. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Live {
    table: Arc<Mutex<Table>>,
    limit: usize,
    per_address: usize,
    single_port: bool,
}

#[derive(Debug, Default)]
struct Table {
    by_peer: HashMap<SocketAddr, Entry>,
    /// Places of each address that has any.
    by_address: HashMap<IpAddr, usize>,
    taken: usize,
    next_id: u64,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    request: Box<[u8]>,
    replies: Option<mpsc::Sender<Reply>>,
}

/// The answer to a client that wants a transfer.
#[derive(Debug)]
pub(super) enum Admission {
    /// It gets one.
    Admit(Place),
    /// It has just this one already: the request was sent twice, and retransmission will answer it.
    Duplicate,
    /// All places are taken, or all that one address may have.
    Full,
}

/// A place among the live transfers, free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    live: Live,
    peer: SocketAddr,
    id: u64,
    replies: Option<mpsc::Receiver<Reply>>,
}

impl Live {
    /// An empty table.
    #[must_use]
    pub(super) fn new(settings: &Settings) -> Self {
        let Settings { max_transfers: limit, max_per_address: per_address, single_port, .. } = *settings;
        Self { table: Arc::default(), limit, per_address, single_port }
    }

    /// Takes a place for the request datagram of `peer`.
    ///
    /// A new request from the same port means that the client is done with the old one, whose last acknowledgement may
    /// still be waiting: the old transfer runs out by itself.
    #[must_use]
    pub(super) fn admit(&self, peer: SocketAddr, request: &[u8]) -> Admission {
        let mut table = self.lock();
        if table.by_peer.get(&peer).is_some_and(|entry| *entry.request == *request) {
            return Admission::Duplicate;
        }
        let address = peer.ip().to_canonical();
        let its = table.by_address.get(&address).copied().unwrap_or_default();
        if table.taken >= self.limit || its >= self.per_address {
            return Admission::Full;
        }
        table.by_address.insert(address, its + 1);
        let id = table.next_id;
        table.next_id += 1;
        table.taken += 1;
        let (sender, replies) = self.single_port.then(|| mpsc::channel(REPLIES)).unzip();
        table.by_peer.insert(peer, Entry { id, request: request.into(), replies: sender });
        Admission::Admit(Place { live: self.clone(), peer, id, replies })
    }

    /// Hands a reply to the transfer of `peer`; false if there is none. A reply that finds no room is lost.
    #[must_use]
    pub(super) fn deliver(&self, peer: SocketAddr, reply: Reply) -> bool {
        let table = self.lock();
        let Some(replies) = table.by_peer.get(&peer).and_then(|entry| entry.replies.as_ref()) else {
            return false;
        };
        if replies.try_send(reply).is_err() {
            tracing::debug!(%peer, "reply lost: the transfer is behind");
        }
        true
    }

    /// Whether no transfer is live.
    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.lock().taken == 0
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The client whose transfer this is.
    #[must_use]
    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// What the client says, if its transfer is on the single port.
    pub(super) fn take_replies(&mut self) -> Option<mpsc::Receiver<Reply>> {
        self.replies.take()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.live.lock();
        table.taken -= 1;
        if let hash_map::Entry::Occupied(mut its) = table.by_address.entry(self.peer.ip().to_canonical()) {
            *its.get_mut() -= 1;
            if *its.get() == 0 {
                its.remove();
            }
        }
        if table.by_peer.get(&self.peer).is_some_and(|entry| entry.id == self.id) {
            table.by_peer.remove(&self.peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 53240);

    fn live(max_transfers: usize, single_port: bool) -> Live {
        Live::new(&Settings { single_port, max_transfers, ..Settings::default() })
    }

    fn admitted(live: &Live, request: &[u8]) -> Place {
        match live.admit(PEER, request) {
            Admission::Admit(place) => place,
            other => panic!("not admitted: {other:?}"),
        }
    }

    #[test]
    fn the_same_request_twice_gets_one_place_until_that_is_free() {
        let live = live(2, false);
        let place = admitted(&live, b"a");
        assert!(matches!(live.admit(PEER, b"a"), Admission::Duplicate));
        drop(place);
        assert!(live.is_empty());
        admitted(&live, b"a");
    }

    #[test]
    fn the_next_file_from_the_same_port_need_not_wait() {
        let live = live(2, false);
        let old = admitted(&live, b"a");
        let _new = admitted(&live, b"b");
        drop(old);
        assert!(matches!(live.admit(PEER, b"b"), Admission::Duplicate));
    }

    #[test]
    fn replaced_transfers_count_towards_the_limit() {
        let live = live(2, false);
        let _places = [admitted(&live, b"a"), admitted(&live, b"b")];
        assert!(matches!(live.admit(PEER, b"c"), Admission::Full));
    }

    #[test]
    fn one_address_does_not_get_all_places() {
        let live = Live::new(&Settings { max_transfers: 3, max_per_address: 2, ..Settings::default() });
        let admit = |address: [u8; 4], port| match live.admit((address, port).into(), b"a") {
            Admission::Admit(place) => Some(place),
            Admission::Duplicate | Admission::Full => None,
        };
        let places = [admit([192, 0, 2, 1], 1), admit([192, 0, 2, 1], 2)];
        assert!(places.iter().all(Option::is_some));
        assert!(admit([192, 0, 2, 1], 3).is_none());
        assert!(admit([192, 0, 2, 2], 1).is_some(), "there is one left for others");
        drop(places);
        assert!(admit([192, 0, 2, 1], 3).is_some());
        assert!(live.is_empty() && live.lock().by_address.is_empty());
    }

    #[test]
    fn replies_go_to_the_transfer_of_their_sender_and_too_many_are_lost() {
        let live = live(1, true);
        assert!(!live.deliver(PEER, Reply::Ack(0)));
        let mut place = admitted(&live, b"a");
        let mut replies = place.take_replies().expect("a single port");
        for block in 0..20 {
            assert!(live.deliver(PEER, Reply::Ack(block)));
        }
        assert_eq!(replies.try_recv(), Ok(Reply::Ack(0)));
        assert_eq!(replies.len(), REPLIES - 1);
    }
}
