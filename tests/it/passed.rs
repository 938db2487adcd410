//! The service manager: sockets that it brings, and what it is told.

use std::os::unix::net::UnixDatagram;
use std::process::Command;

use rustix::process::Signal;

use crate::outsider::{curl, curl_tftp};
use crate::server::{SOON, Server, free_port, serve};
use crate::site::{ALL, Site, config};

/// Opens a TCP and a UDP socket as descriptors 3 and 4, as systemd does, and becomes the server.
const ACTIVATE: &str = "
import fcntl, os, socket, sys
tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
tcp.bind(('127.0.0.1', int(sys.argv[1]))); tcp.listen(); udp.bind(('127.0.0.1', int(sys.argv[2])))
high = [fcntl.fcntl(s, fcntl.F_DUPFD, 10) for s in (tcp, udp)]
for place, fd in enumerate(high): os.dup2(fd, 3 + place); os.close(fd)
os.environ.update(LISTEN_FDS='2', LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[3], sys.argv[3:])
";

#[test]
fn sockets_of_the_service_manager_are_taken_over() {
    let (tcp, udp) = (free_port(), free_port());
    let text = config(&[], "");
    let listen =
        |port: u16, protocol: &str| format!("[[listen]]\naddress = \"127.0.0.1:{port}\"\nprotocol = \"{protocol}\"\n");
    let site = Site::new("");
    site.configure(&[text, listen(tcp, "http"), listen(udp, "tftp")].concat());
    let plain = serve(&site);
    let mut command = Command::new("python3");
    command.args(["-c", ACTIVATE, &tcp.to_string(), &udp.to_string()]).arg(plain.get_program()).args(plain.get_args());

    // It cannot bind these ports itself: they are taken.
    let server = Server::run(site, command);

    assert_eq!((server.port("http"), server.port("tftp")), (tcp, udp));
    assert_eq!(server.http("/basic.txt").status, 200);
    assert!(curl_tftp(&server.url("tftp", "/basic.txt")).is_ok());
    let text = std::fs::read_to_string(server.config()).expect("the configuration");
    server.reload(&text, "reloaded");
    assert_eq!(server.http("/basic.txt").status, 200);
}

#[test]
fn the_service_manager_hears_of_readiness_reload_and_stop() {
    let site = Site::new("");
    let path = site.path("notify");
    let manager = UnixDatagram::bind(&path).expect("a socket");
    manager.set_read_timeout(Some(SOON)).expect("a time above zero");
    let hear = || {
        let mut room = [0; 1024];
        let length = manager.recv(&mut room).expect("a notice");
        String::from_utf8_lossy(&room[..length]).into_owned()
    };
    let mut command = serve(&site);
    command.env("NOTIFY_SOCKET", &path);

    let mut server = Server::run(site, command);

    let ready = hear();
    assert!(ready.lines().any(|line| line == "READY=1"), "{ready}");
    server.reload(&config(&ALL, ""), "reloaded");
    let reloading = hear();
    assert!(reloading.lines().any(|line| line == "RELOADING=1"), "{reloading}");
    // Type=notify-reload takes no other (sd_notify(3)).
    assert!(reloading.lines().any(|line| line.starts_with("MONOTONIC_USEC=")), "{reloading}");
    assert!(hear().contains("READY=1"));
    server.signal(Signal::TERM);
    assert!(hear().contains("STOPPING=1"));
    assert!(server.ended().is_some_and(|status| status.success()));
}

#[test]
fn ready_means_that_every_listener_takes_connections() {
    let site = Site::new("");
    let path = site.path("notify");
    let manager = UnixDatagram::bind(&path).expect("a socket");
    manager.set_read_timeout(Some(SOON)).expect("a time above zero");
    let mut command = serve(&site);
    command.env("NOTIFY_SOCKET", &path);

    let server = Server::run(site, command);
    manager.recv(&mut [0; 1024]).expect("a notice");

    assert_eq!(curl(&[&server.url("http", "/basic.txt")]).status, 200);
    assert_eq!(server.phone("/basic.txt").status, 200);
}
