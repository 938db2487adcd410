//! Servers that nobody here wrote, each on ports of its own, and a server that behaves badly on purpose.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use tempfile::TempDir;

use crate::server::{SOON, free_port, wait_for};

/// A program that serves a folder, ended with the test.
pub(super) struct Outsider {
    child: Child,
    folder: TempDir,
    pub(super) port: u16,
}

impl Outsider {
    /// nginx with these lines in its `server` block, behind `listen PORT LISTEN;`.
    pub(super) fn nginx(listen: &str, lines: &str) -> Self {
        let (folder, port) = fresh();
        let place = folder.path().display().to_string();
        let config = format!(
            "daemon off; master_process off; pid {place}/pid; error_log stderr error;\n\
             events {{}}\n\
             http {{ access_log {place}/access.log; types {{}} default_type text/xml;\n\
             client_body_temp_path {place}/t1; proxy_temp_path {place}/t2; fastcgi_temp_path {place}/t3;\n\
             uwsgi_temp_path {place}/t4; scgi_temp_path {place}/t5;\n\
             server {{ listen 127.0.0.1:{port} {listen}; root {place}/files;\n{lines}\n}} }}\n"
        );
        fs::write(folder.path().join("nginx.conf"), config).expect("room for a file");
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder.path()).arg("-c").arg(folder.path().join("nginx.conf"));
        Self::run(command, folder, port)
    }

    /// Apache with these lines after its modules.
    pub(super) fn apache(lines: &str) -> Self {
        let (folder, port) = fresh();
        let place = folder.path().display().to_string();
        let modules =
            ["authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "auth_digest", "mpm_event"];
        let modules = modules.map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"));
        let config = format!(
            "ServerRoot {place}\nServerName localhost\nListen 127.0.0.1:{port}\nPidFile {place}/pid\n\
             ErrorLog {place}/error.log\nDocumentRoot {place}/files\nUser nobody\nGroup nogroup\n{}\n{}\n",
            modules.concat(),
            lines.replace("PLACE", &place)
        );
        fs::write(folder.path().join("apache.conf"), config).expect("room for a file");
        readable(folder.path());
        let mut command = Command::new("apache2");
        command.arg("-D").arg("FOREGROUND").arg("-f").arg(folder.path().join("apache.conf"));
        Self::run(command, folder, port)
    }

    fn run(mut command: Command, folder: TempDir, port: u16) -> Self {
        let errors = fs::File::create(folder.path().join("errors")).expect("room for a file");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).spawn();
        let child = child.expect("tests/run installs this program");
        let server = Self { child, folder, port };
        let answers = wait_for(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
        assert!(answers, "{}", fs::read_to_string(server.folder.path().join("errors")).unwrap_or_default());
        server
    }

    /// Puts a file where the server finds it.
    pub(super) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(&format!("files/{name}"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("room for a folder");
        fs::write(&path, content).expect("room for a file");
        readable(self.folder.path());
    }

    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub(super) fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://127.0.0.1:{}{path}", self.port)
    }

    /// What was asked for, one line a request.
    pub(super) fn requests(&self) -> Vec<String> {
        let log = fs::read_to_string(self.path("access.log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

impl Drop for Outsider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// dnsmasq as a name server, ended with the test.
pub(super) struct Dnsmasq {
    child: Child,
    pub(super) port: u16,
}

impl Dnsmasq {
    pub(super) fn new(records: &[&str]) -> Self {
        let port = free_port();
        let mut command = Command::new("dnsmasq");
        command.args([
            "--no-daemon",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--listen-address=127.0.0.1",
        ]);
        command.args(["--bind-interfaces", "--pid-file=", "--user="]).arg(format!("--port={port}")).args(records);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let server = Self { child: child.expect("tests/run installs this program"), port };
        assert!(wait_for(|| TcpStream::connect(("127.0.0.1", port)).is_ok()), "dnsmasq does not listen");
        server
    }
}

impl Drop for Dnsmasq {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn fresh() -> (TempDir, u16) {
    let folder = tempfile::tempdir().expect("room for a folder");
    fs::create_dir(folder.path().join("files")).expect("room for a folder");
    (folder, free_port())
}

/// A server that gives up its rights still has to read these.
fn readable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("our folder");
}

/// A server that hears whatever comes and answers as told, for behaviour that no proper server has.
pub(super) struct Scripted {
    pub(super) port: u16,
    heard: Receiver<Vec<u8>>,
}

impl Scripted {
    /// Reads each request with its body, and lets `answer` write what it likes.
    pub(super) fn new(answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (tell, heard) = channel();
        let answer = std::sync::Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let (tell, answer) = (tell.clone(), answer.clone());
                thread::spawn(move || {
                    stream.set_read_timeout(Some(SOON)).expect("a time above zero");
                    let request = read_request(&mut stream);
                    let _ = tell.send(request);
                    answer(&mut stream);
                });
            }
        });
        Self { port, heard }
    }

    /// Answers every request with the same octets.
    pub(super) fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(move |stream| drop(stream.write_all(&answer)))
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The next request that came, head and body.
    pub(super) fn heard(&self) -> Vec<u8> {
        self.heard.recv_timeout(SOON).expect("a request")
    }
}

fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let (mut request, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let length = stream.read(&mut piece).unwrap_or(0);
        request.extend_from_slice(&piece[..length]);
        let end = request.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|at| at + 4);
        let head = String::from_utf8_lossy(&request[..end.unwrap_or(0)]).to_ascii_lowercase();
        let announced = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
        let whole = end.is_some_and(|end| request.len() >= end + announced.unwrap_or(0));
        if length == 0 || whole {
            return request;
        }
    }
}

/// A response with a body.
pub(super) fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A syslog server: what datagrams say.
pub(super) struct Syslog(UdpSocket);

impl Syslog {
    pub(super) fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_read_timeout(Some(SOON)).expect("a time above zero");
        Self(socket)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("an address")
    }

    pub(super) fn message(&self) -> String {
        let mut datagram = [0; 2048];
        let length = self.0.recv(&mut datagram).expect("a message");
        String::from_utf8_lossy(&datagram[..length]).into_owned()
    }
}
