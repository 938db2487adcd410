//! The real binary: started, watched, told by signals, and ended with the test. Every wait has an end.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Deref;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::outsider::{Answer, curl};
use crate::site::{PHONE, Site, lab};

/// The longest that a test waits for what should come at once.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A running server; its site is at hand as its own.
pub(crate) struct Server {
    child: Child,
    site: Site,
    greeting: Text,
    log: Text,
}

/// What a stream of the server has said so far.
#[derive(Clone, Default)]
struct Text(Arc<Mutex<String>>);

impl Server {
    /// Starts the server of a site, and waits until it says that it is ready.
    pub(crate) fn start(site: Site) -> Self {
        let command = serve(&site);
        Self::run(site, command)
    }

    /// The same by a command of the test's own.
    pub(crate) fn run(site: Site, mut command: Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let greeting = Text::follow(child.stderr.take().expect("a pipe"));
        let log = Text::follow(child.stdout.take().expect("a pipe"));
        let mut server = Self { child, site, greeting, log };
        // The greeting is one write, and this is its last line before those that depend on the configuration.
        let ready = wait_for(|| {
            let ended = server.child.try_wait().expect("a child").is_some();
            ended || server.greeting.read().contains("\n  profiles ")
        });
        let greeting = server.greeting.read();
        assert!(ready && greeting.contains("is ready"), "not ready: {greeting}\n{}", server.log());
        // An answer on the admin surface means that the signal handlers are installed too.
        assert!(wait_for(|| curl(&[&server.admin("/healthz")]).status == 200), "no answer: {greeting}");
        server
    }

    /// The port of the first listener with this protocol, as the greeting says.
    pub(crate) fn port(&self, protocol: &str) -> u16 {
        self.ports(protocol)[0]
    }

    /// The ports of all listeners with this protocol.
    pub(crate) fn ports(&self, protocol: &str) -> Vec<u16> {
        let greeting = self.greeting();
        let start = format!("listens   {protocol}://localhost:");
        let ports = greeting.lines().filter_map(|line| line.trim().strip_prefix(&start)?.parse().ok());
        ports.collect()
    }

    /// The address of a path over a protocol; the lab's certificate names 127.0.0.1.
    pub(crate) fn url(&self, protocol: &str, path: &str) -> String {
        format!("{protocol}://127.0.0.1:{}{path}", self.port(protocol))
    }

    /// The address of a path of the admin surface.
    pub(crate) fn admin(&self, path: &str) -> String {
        let greeting = self.greeting();
        let line = greeting.lines().find_map(|line| line.trim().strip_prefix("admin     ")).expect("an admin line");
        format!("{}{path}", line.split("/healthz").next().unwrap_or_default())
    }

    /// What HTTP answers.
    pub(crate) fn http(&self, path: &str) -> Answer {
        curl(&["--path-as-is", &self.url("http", path)])
    }

    /// What HTTPS answers to the sample phone with its certificate.
    pub(crate) fn phone(&self, path: &str) -> Answer {
        self.https(PHONE, path)
    }

    /// What HTTPS answers to a phone of the lab.
    pub(crate) fn https(&self, mac: &str, path: &str) -> Answer {
        let (certificate, key) = (lab(&format!("phone-{mac}.pem")), lab(&format!("phone-{mac}.key")));
        let url = self.url("https", path);
        curl(&["--path-as-is", "--cacert", &lab("ca.pem"), "--cert", &certificate, "--key", &key, &url])
    }

    /// The whole log so far.
    pub(crate) fn log(&self) -> String {
        self.log.read()
    }

    /// What the server said on standard error.
    pub(crate) fn greeting(&self) -> String {
        self.greeting.read()
    }

    /// The first line of the log that holds all of these; a test fails that waits for it in vain.
    pub(crate) fn log_line(&self, parts: &[&str]) -> String {
        let find = || {
            let log = self.log();
            log.lines().find(|line| parts.iter().all(|part| line.contains(part))).map(str::to_owned)
        };
        wait_for(|| find().is_some());
        find().unwrap_or_else(|| panic!("no line with {parts:?} in the log:\n{}", self.log()))
    }

    /// The number of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).expect("the child is ours");
    }

    /// Replaces the configuration and reloads; returns when the log has `expected` once more.
    pub(crate) fn reload(&self, config: &str, expected: &str) {
        let count = || self.log().matches(expected).count();
        let before = count();
        self.configure(config);
        self.signal(Signal::HUP);
        assert!(wait_for(|| count() > before), "no `{expected}` in the log:\n{}", self.log());
    }

    /// How the server ended, if it does so soon.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        wait_for(|| self.child.try_wait().expect("a child").is_some());
        self.child.try_wait().expect("a child")
    }

    /// Ends the server by SIGKILL and hands its site on, for another start.
    pub(crate) fn kill(mut self) -> Site {
        self.signal(Signal::KILL);
        self.ended().expect("nothing survives it");
        std::mem::replace(&mut self.site, Site::bare(""))
    }

    /// Ends the server by SIGTERM and hands its site on, for another start.
    pub(crate) fn stop(mut self) -> Site {
        self.signal(Signal::TERM);
        let status = self.ended().expect("a server that stops when it is told to");
        assert!(status.success(), "{status}");
        let empty = Site::bare("");
        std::mem::replace(&mut self.site, empty)
    }
}

impl Deref for Server {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Text {
    fn follow(stream: impl Read + Send + 'static) -> Self {
        let text = Self::default();
        let heard = text.clone();
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
                heard.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(&line);
                line.clear();
            }
        });
        text
    }

    fn read(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The command that serves a site.
pub(crate) fn serve(site: &Site) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_phoneprov"));
    command.arg("serve").arg("--config").arg(site.config()).current_dir(site.path(""));
    command
}

/// What a server says that is expected not to start; the exit code is 2.
pub(crate) fn refused(site: &Site) -> String {
    let mut command = serve(site);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let said = Text::follow(child.stderr.take().expect("a pipe"));
    let ended = wait_for(|| child.try_wait().expect("a child").is_some());
    let _ = child.kill();
    let status = child.wait().expect("a child");
    assert!(ended, "it started: {}", said.read());
    assert_eq!(status.code(), Some(2), "{}", said.read());
    wait_for(|| !said.read().is_empty());
    said.read()
}

/// Waits until something holds, for [`SOON`] at the most.
pub(crate) fn wait_for(mut holds: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    while began.elapsed() < SOON {
        if holds() {
            return true;
        }
        thread::sleep(Duration::from_millis(10));
    }
    false
}

/// A port that nobody listens on just now, over TCP nor UDP. Below those that the kernel gives to connections, which the
/// other tests open all the time.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let is_free = |port: &u16| {
        let all = (Ipv4Addr::UNSPECIFIED, *port);
        TcpListener::bind(all).is_ok() && UdpSocket::bind(all).is_ok()
    };
    // Two runs of the tests at once begin at two places.
    let ports = std::iter::repeat_with(|| std::process::id() * 97 + NEXT.fetch_add(1, Ordering::Relaxed));
    let mut ports = ports.take(9000).filter_map(|number| u16::try_from(20_000 + number % 12_000).ok());
    ports.find(is_free).expect("a free port")
}
