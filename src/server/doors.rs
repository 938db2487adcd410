//! The listeners that are open, and how a reload changes them without closing those that stay.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::ServeError;
use crate::config::{Config, Limits, Listen, Protocol, Speaks};
use crate::listen::bind::Passed;
use crate::listen::{Shared, tcp};
use crate::tftp::Settings;

/// Open listeners, by what the configuration calls them.
#[derive(Default)]
pub(super) struct Doors {
    open: HashMap<Name, Door>,
}

/// A socket of the configuration. Two with port 0 are told apart by their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Name {
    address: SocketAddr,
    datagrams: bool,
    nth: usize,
}

/// How a socket is served; where that changes, the socket stays and what serves it is another.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Manner {
    Tcp(tcp::Manner),
    Tftp(Settings),
}

struct Door {
    bound: SocketAddr,
    manner: Manner,
    /// The same socket once more, for another manner.
    socket: Socket,
    /// The listener's place in the configuration in force.
    place: watch::Sender<usize>,
    stop: CancellationToken,
}

/// What a configuration needs, with every socket that it needs anew already there.
pub(super) struct Plan {
    wanted: Vec<(Name, Manner, Option<Socket>)>,
}

enum Socket {
    Tcp(std::net::TcpListener),
    Udp(std::net::UdpSocket),
}

impl Doors {
    /// Binds what the configuration has and we have not. Nothing changes yet.
    pub(super) fn plan(&self, config: &Config, passed: &mut Passed) -> Result<Plan, ServeError> {
        let mut wanted: Vec<(Name, Manner, Option<Socket>)> = Vec::new();
        for listen in &config.listen {
            let manner = Manner::of(listen, &config.limits);
            let datagrams = listen.protocol() == Protocol::Tftp;
            let same = |name: &Name| name.address == listen.address && name.datagrams == datagrams;
            let nth = wanted.iter().filter(|(other, ..)| same(other)).count();
            let name = Name { address: listen.address, datagrams, nth };
            let socket = match self.open.get(&name) {
                Some(door) if door.manner == manner => None,
                Some(door) => Some(door.socket.again()?),
                None if datagrams => Some(Socket::Udp(passed.udp(listen.address)?)),
                None => Some(Socket::Tcp(passed.tcp(listen.address)?)),
            };
            wanted.push((name, manner, socket));
        }
        Ok(Plan { wanted })
    }

    /// Carries a plan out: closes what is not wanted any more, opens what is new.
    pub(super) fn change(&mut self, plan: Plan, shared: &Arc<Shared>) -> Result<(), ServeError> {
        self.open.retain(|name, door| {
            let stays = plan.wanted.iter().any(|(wanted, _, socket)| wanted == name && socket.is_none());
            if !stays {
                door.stop.cancel();
            }
            stays
        });
        for (place, (name, manner, socket)) in plan.wanted.into_iter().enumerate() {
            match socket {
                Some(socket) => drop(self.open.insert(name, Door::open(place, manner, socket, shared)?)),
                None => {
                    if let Some(door) = self.open.get(&name) {
                        door.place.send_replace(place);
                    }
                }
            }
        }
        Ok(())
    }

    /// Where we really listen, in the order of the configuration.
    pub(super) fn addresses(&self) -> Vec<(Protocol, SocketAddr)> {
        let mut doors: Vec<_> =
            self.open.values().map(|door| (*door.place.borrow(), door.manner.protocol(), door.bound)).collect();
        doors.sort_by_key(|(place, ..)| *place);
        doors.into_iter().map(|(_, protocol, bound)| (protocol, bound)).collect()
    }
}

impl Manner {
    fn of(listen: &Listen, limits: &Limits) -> Self {
        let tcp = |protocol| Self::Tcp(tcp::Manner { protocol, through_proxies: listen.proxies.is_some() });
        match &listen.speaks {
            Speaks::Http => tcp(Protocol::Http),
            Speaks::Https(_) => tcp(Protocol::Https),
            Speaks::Tftp { single_port } => Self::Tftp(Settings {
                single_port: *single_port,
                // The port is known, so that acknowledgements can be forged: each then costs one block, not a window.
                max_window: if *single_port { 1 } else { Settings::default().max_window },
                time_limit: limits.transfer.duration(),
                max_transfers: limits.transfers,
                max_per_address: limits.transfers_per_address,
                ..Settings::default()
            }),
        }
    }

    fn protocol(&self) -> Protocol {
        match self {
            Self::Tcp(manner) => manner.protocol,
            Self::Tftp(_) => Protocol::Tftp,
        }
    }
}

impl Socket {
    fn again(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(socket) => socket.try_clone().map(Self::Tcp),
            Self::Udp(socket) => socket.try_clone().map(Self::Udp),
        }
    }
}

impl Door {
    fn open(place: usize, manner: Manner, socket: Socket, shared: &Arc<Shared>) -> Result<Self, ServeError> {
        let (sender, receiver) = watch::channel(place);
        let stop = shared.stop.child_token();
        let spare = socket.again()?;
        let bound = match (socket, &manner) {
            (Socket::Tcp(listener), Manner::Tcp(manner)) => {
                let bound = listener.local_addr()?;
                #[expect(
                    deprecated,
                    reason = "its successor is `unsafe` and asks that the descriptor outlives the registration: a \
                              TcpListener's does"
                )]
                let listener = AsyncFd::with_interest(listener, Interest::READABLE)?;
                shared.tasks.spawn(tcp::accept(listener, *manner, shared.clone(), receiver, stop.clone()));
                bound
            }
            (Socket::Udp(socket), Manner::Tftp(settings)) => {
                let bound = socket.local_addr()?;
                let serve = crate::tftp::door::serve(socket, settings.clone(), shared.clone(), stop.clone());
                shared.tasks.spawn(serve);
                bound
            }
            (Socket::Tcp(_), Manner::Tftp(_)) | (Socket::Udp(_), Manner::Tcp(_)) => {
                return Err(io::Error::other("the socket is of another kind than its listener").into());
            }
        };
        Ok(Self { bound, manner, socket: spare, place: sender, stop })
    }
}
