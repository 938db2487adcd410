//! Sockets: from the service manager where it brings them, from the kernel otherwise.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use listenfd::ListenFd;
use nix::libc;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel queues while we accept: 5 000 phones may come back at once.
const BACKLOG: i32 = 4096;

/// How long the kernel keeps a connection to itself that has sent nothing (seconds).
const DEFERRED: u32 = 1;

/// Bytes of datagrams that the kernel queues on a TFTP listener.
const DATAGRAMS: usize = 4 * 1024 * 1024;

/// A connection is accepted when its first bytes are there (tcp(7), `TCP_DEFER_ACCEPT`).
#[derive(Debug, Clone, Copy)]
struct DeferAccept;

nix::setsockopt_impl!(DeferAccept, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, u32, sockopt::SetStruct<u32>);

/// The sockets that systemd opened for us (`LISTEN_FDS`), each taken once, by its address.
pub struct Passed {
    tcp: Vec<TcpListener>,
    udp: Vec<UdpSocket>,
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{key} {address}: {error}{hint}")]
pub struct BindError {
    key: &'static str,
    address: SocketAddr,
    error: io::Error,
    hint: &'static str,
}

impl Passed {
    /// Takes over what the service manager passed.
    #[must_use]
    pub fn from_environment() -> Self {
        let mut fds = ListenFd::from_env();
        let (mut tcp, mut udp) = (Vec::new(), Vec::new());
        for index in 0..fds.len() {
            if let Ok(Some(socket)) = fds.take_tcp_listener(index) {
                tcp.push(socket);
            } else if let Ok(Some(socket)) = fds.take_udp_socket(index) {
                udp.push(socket);
            }
        }
        Self { tcp, udp }
    }

    /// Says which sockets no listener of the configuration took.
    pub fn warn_of_rest(&self) {
        let tcp = self.tcp.iter().map(TcpListener::local_addr);
        for address in tcp.chain(self.udp.iter().map(UdpSocket::local_addr)).flatten() {
            tracing::warn!(%address, "the service manager passed a socket that no [[listen]] has the address of");
        }
    }

    /// A listening TCP socket for this address.
    ///
    /// # Errors
    /// The port is taken, or below 1024 without the right to it, or the address is not this host's.
    pub fn tcp(&mut self, address: SocketAddr) -> Result<TcpListener, BindError> {
        let passed = self.tcp.iter().position(|socket| socket.local_addr().is_ok_and(|local| local == address));
        let listener = match passed {
            Some(index) => Ok(self.tcp.swap_remove(index)),
            None => bind(address, Type::STREAM, Protocol::TCP).and_then(|socket| {
                socket.listen(BACKLOG)?;
                Ok(socket.into())
            }),
        };
        let ready = listener.and_then(|listener: TcpListener| {
            // Without it a connection is waited for twice. A kernel that does not know it accepts at once, as before.
            let _ = setsockopt(&listener, DeferAccept, &DEFERRED);
            // Accepted sockets inherit it, which saves a system call for each.
            socket2::SockRef::from(&listener).set_tcp_nodelay(true)?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        ready.map_err(|error| BindError::new(address, error))
    }

    /// The same for a protocol in which the server speaks first: a connection is accepted at once.
    ///
    /// # Errors
    /// As [`Passed::tcp`].
    pub fn tcp_at_once(&mut self, address: SocketAddr) -> Result<TcpListener, BindError> {
        let listener = self.tcp(address)?;
        let _ = setsockopt(&listener, DeferAccept, &0);
        Ok(listener)
    }

    /// A UDP socket for this address.
    ///
    /// # Errors
    /// As [`Passed::tcp`].
    pub fn udp(&mut self, address: SocketAddr) -> Result<UdpSocket, BindError> {
        let passed = self.udp.iter().position(|socket| socket.local_addr().is_ok_and(|local| local == address));
        let socket = match passed {
            Some(index) => Ok(self.udp.swap_remove(index)),
            None => bind(address, Type::DGRAM, Protocol::UDP).map(Into::into),
        };
        let ready = socket.and_then(|socket: UdpSocket| {
            // The kernel's own bound may be lower; what it gives is enough.
            let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(DATAGRAMS);
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        ready.map_err(|error| BindError::new(address, error))
    }
}

fn bind(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

impl BindError {
    fn new(address: SocketAddr, error: io::Error) -> Self {
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => ": another program listens there; stop it, or choose another port",
            io::ErrorKind::PermissionDenied => {
                ": ports below 1024 need the right to bind them (CAP_NET_BIND_SERVICE, or a systemd socket)"
            }
            io::ErrorKind::AddrNotAvailable => ": it is no address of this host; 0.0.0.0 and [::] mean all of them",
            _ => "",
        };
        Self { key: "listen.address", address, error, hint }
    }

    /// That of another key's address, such as `admin.address`.
    #[must_use]
    pub fn of(key: &'static str, address: SocketAddr, error: io::Error) -> Self {
        Self { key, ..Self::new(address, error) }
    }

    /// The same of an address of `[[intake]]`.
    #[must_use]
    pub fn of_intake(self) -> Self {
        Self { key: "intake.address", ..self }
    }
}
