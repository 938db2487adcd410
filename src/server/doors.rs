//! The listeners that are open, and how a reload changes them without closing those that stay.

use std::collections::HashMap;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::ServeError;
use crate::config::{Config, Listen, Protocol, Speaks};
use crate::listen::bind::Passed;
use crate::listen::{Shared, tcp};

/// Open listeners, by what the configuration calls them.
#[derive(Default)]
pub(super) struct Doors {
    open: HashMap<Name, Door>,
}

/// A listener of the configuration. Two with port 0 are told apart by their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Name {
    address: SocketAddr,
    protocol: Protocol,
    single_port: bool,
    nth: usize,
}

struct Door {
    bound: SocketAddr,
    /// The listener's place in the configuration in force.
    place: watch::Sender<usize>,
    stop: CancellationToken,
}

/// What a configuration needs, with every socket that it needs anew already bound.
pub(super) struct Plan {
    wanted: Vec<(Name, Option<Socket>)>,
}

enum Socket {
    Tcp(std::net::TcpListener),
    Udp(std::net::UdpSocket),
}

impl Doors {
    /// Binds what the configuration has and we have not. Nothing changes yet.
    pub(super) fn plan(&self, config: &Config, passed: &mut Passed) -> Result<Plan, ServeError> {
        let mut wanted: Vec<(Name, Option<Socket>)> = Vec::new();
        for listen in &config.listen {
            let mut name = Name::of(listen);
            name.nth = wanted.iter().filter(|(other, _)| Name { nth: 0, ..other.clone() } == name).count();
            let socket = match (self.open.contains_key(&name), name.protocol) {
                (true, _) => None,
                (false, Protocol::Tftp) => Some(Socket::Udp(passed.udp(listen.address)?)),
                (false, Protocol::Http | Protocol::Https) => Some(Socket::Tcp(passed.tcp(listen.address)?)),
            };
            wanted.push((name, socket));
        }
        Ok(Plan { wanted })
    }

    /// Carries a plan out: closes what is not wanted any more, opens what is new.
    pub(super) fn change(&mut self, plan: Plan, shared: &Shared) -> Result<(), ServeError> {
        self.open.retain(|name, door| {
            let stays = plan.wanted.iter().any(|(wanted, _)| wanted == name);
            if !stays {
                door.stop.cancel();
            }
            stays
        });
        for (place, (name, socket)) in plan.wanted.into_iter().enumerate() {
            match socket {
                Some(socket) => {
                    let door = open(place, &name, socket, shared)?;
                    self.open.insert(name, door);
                }
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
            self.open.iter().map(|(name, door)| (*door.place.borrow(), name.protocol, door.bound)).collect();
        doors.sort_by_key(|(place, ..)| *place);
        doors.into_iter().map(|(_, protocol, bound)| (protocol, bound)).collect()
    }
}

impl Name {
    fn of(listen: &Listen) -> Self {
        let single_port = matches!(listen.speaks, Speaks::Tftp { single_port: true });
        Self { address: listen.address, protocol: listen.protocol(), single_port, nth: 0 }
    }
}

fn open(place: usize, name: &Name, socket: Socket, shared: &Shared) -> Result<Door, ServeError> {
    let (sender, receiver) = watch::channel(place);
    let stop = shared.stop.child_token();
    let bound = match socket {
        Socket::Tcp(listener) => {
            let listener = TcpListener::from_std(listener)?;
            let bound = listener.local_addr()?;
            let accept = tcp::accept(listener, name.protocol, shared.clone(), receiver, stop.clone());
            shared.tasks.spawn(accept);
            bound
        }
        Socket::Udp(socket) => {
            let bound = socket.local_addr()?;
            shared.tasks.spawn(crate::tftp::door::serve(socket, name.single_port, shared.clone(), stop.clone()));
            bound
        }
    };
    Ok(Door { bound, place: sender, stop })
}
