//! A storm of syslog lines against the real binary, with requests meanwhile: `cargo bench --bench syslog`.
//!
//! Lines go to a server of its own on loopback at a steady rate; a connection asks for a small profile every few
//! milliseconds and notes how long each answer takes. In the end what was sent is held against what the kernel says that it
//! dropped (/proc/net/udp) and what the store has (`sqlite3`).
//!
//! `PHONEPROV_BENCH_RATE` and `PHONEPROV_BENCH_SECONDS` stand in for 50 000 and 10.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Between two handfuls of lines.
const HANDFUL: Duration = Duration::from_millis(2);

/// Between two requests.
const REQUEST: Duration = Duration::from_millis(5);

/// For the store to take what waits.
const REST: Duration = Duration::from_mins(2);

const LINE: &str = "<134>Nov 29 14:41:02 CP-8841-3PCC 00:0e:08:ab:cd:ef -- SIP: register ok, expires 3600, call leg";

fn main() {
    // What `cargo test` runs benches with is no wish to measure.
    if std::env::args().any(|argument| argument == "--test") || !std::env::args().any(|argument| argument == "--bench")
    {
        return;
    }
    let number =
        |name: &str, default: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (rate, seconds) = (number("PHONEPROV_BENCH_RATE", 50_000), number("PHONEPROV_BENCH_SECONDS", 10));
    let folder = tempfile::tempdir().expect("room for a folder");
    let server = Server::start(folder.path());
    let before = asked(&server, Duration::from_secs(3));
    let stop = Arc::new(AtomicBool::new(false));
    let during = {
        let (port, stop) = (server.http, stop.clone());
        thread::spawn(move || ask(port, || !stop.load(Ordering::Relaxed)))
    };
    let began = Instant::now();
    let sent = storm(server.syslog, rate, seconds);
    let took = began.elapsed();
    stop.store(true, Ordering::Relaxed);
    let during = during.join().expect("no panic");
    let dropped = dropped(server.syslog);
    let expected = sent - dropped;
    let (waited, most) = (Instant::now(), server.memory());
    let mut kept = Server::kept(folder.path());
    while kept < expected && waited.elapsed() < REST {
        thread::sleep(Duration::from_millis(200));
        kept = Server::kept(folder.path());
    }
    let rate = u128::from(sent) * 1000 / took.as_millis().max(1);
    println!("sent       {sent} lines in {:.1} s ({rate} a second)", took.as_secs_f64());
    println!("dropped    {dropped} by the kernel");
    println!("kept       {kept} in the store, the last {:.1} s after the storm", waited.elapsed().as_secs_f64());
    println!("lost       {}", i128::from(expected) - i128::from(kept));
    println!("memory     {most} at the end of the storm");
    println!("requests   before: {before}");
    println!("requests   during: {}", summary(during));
}

/// A server in a folder of its own.
struct Server {
    child: Child,
    http: u16,
    syslog: u16,
}

impl Server {
    fn start(folder: &Path) -> Self {
        fs::create_dir(folder.join("profiles")).expect("a fresh folder");
        fs::write(folder.join("profiles/basic.txt"), "x".repeat(3000)).expect("room");
        let config = "profiles = \"profiles\"\nstate = \"state\"\n[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \
                      \"http\"\n[log]\nlevel = \"warn\"\n[store]\nurl = \"sqlite://state/phoneprov.db\"\n[events]\n\
                      [syslog]\naddress = \"127.0.0.1:0\"\n";
        fs::write(folder.join("config.toml"), config).expect("room");
        let mut command = Command::new(env!("CARGO_BIN_EXE_phoneprov"));
        command.args(["serve", "--config"]).arg(folder.join("config.toml")).current_dir(folder);
        let mut child = command.stdout(Stdio::inherit()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let (mut greeting, mut said) = (String::new(), child.stderr.take().expect("a pipe"));
        let mut piece = [0; 1024];
        while !greeting.contains("\n  profiles ") {
            match said.read(&mut piece) {
                Ok(length @ 1..) => greeting.push_str(&String::from_utf8_lossy(&piece[..length])),
                _ => panic!("not ready: {greeting}"),
            }
        }
        let port = |protocol: &str| {
            let (_, rest) = greeting.split_once(&format!("{protocol}://localhost:")).expect("it listens");
            rest.lines().next().and_then(|port| port.parse().ok()).expect("a port")
        };
        let (http, syslog) = (port("http"), port("syslog"));
        Self { child, http, syslog }
    }

    /// Lines that the store has.
    fn kept(folder: &Path) -> u64 {
        let mut command = Command::new("sqlite3");
        command.arg("-readonly").arg(folder.join("state/phoneprov.db"));
        let output = command.arg("select count(*) from event where kind = 'syslog'").output().expect("sqlite3");
        String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or_default()
    }

    /// What the process has in memory, and had at the most.
    fn memory(&self) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let lines = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends lines at a steady rate; how many.
fn storm(port: u16, rate: u64, seconds: u64) -> u64 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.connect(("127.0.0.1", port)).expect("an address");
    let (began, mut sent) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(seconds) {
        let due = u64::try_from(began.elapsed().as_micros()).unwrap_or_default() * rate / 1_000_000;
        while sent < due.min(rate * seconds) {
            socket.send(format!("{LINE} {sent}").as_bytes()).expect("loopback takes it");
            sent += 1;
        }
        thread::sleep(HANDFUL);
    }
    sent
}

/// Datagrams that found the socket's queue full, as the kernel counts them.
fn dropped(port: u16) -> u64 {
    let table = fs::read_to_string("/proc/net/udp").expect("Linux");
    let local = format!(":{port:04X} ");
    let line = table.lines().find(|line| line.contains(&local)).expect("the server's socket");
    line.split_whitespace().last().and_then(|drops| drops.parse().ok()).expect("a number")
}

fn asked(server: &Server, time: Duration) -> String {
    let began = Instant::now();
    summary(ask(server.http, || began.elapsed() < time))
}

/// Asks for a profile again and again over one connection; how long each answer took.
fn ask(port: u16, goes_on: impl Fn() -> bool) -> Vec<Duration> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_nodelay(true).expect("an option");
    let (mut times, mut piece) = (Vec::new(), [0; 16 * 1024]);
    while goes_on() {
        let began = Instant::now();
        stream.write_all(b"GET /basic.txt HTTP/1.1\r\nHost: bench\r\n\r\n").expect("it takes requests");
        let (mut length, mut body) = (0, None);
        while body.is_none_or(|start: usize| length < start + 3000) {
            length += stream.read(&mut piece[length..]).expect("an answer");
            body = piece[..length].windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|end| end + 4);
        }
        assert!(piece.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&piece[..length.min(200)]));
        times.push(began.elapsed());
        thread::sleep(REQUEST);
    }
    times
}

fn summary(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |part: usize| times.get(times.len() * part / 1000).or(times.last()).copied().unwrap_or_default();
    let (count, most) = (times.len(), times.last().copied().unwrap_or_default());
    format!("{count} served, half within {:.2?}, 99 % within {:.2?}, the slowest {:.2?}", at(500), at(990), most)
}
