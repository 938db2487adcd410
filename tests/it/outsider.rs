//! Programs that nobody here wrote, and HTTP as it goes over the wire.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::server::SOON;

/// An HTTP answer as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// 0 where there was none.
    pub(crate) status: u16,
    /// In the order in which they came, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// As it came.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads an answer to its end.
    pub(crate) fn parse(wire: &[u8]) -> Self {
        let end = wire.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let (head, body) = end.map_or((wire, &[][..]), |end| (&wire[..end], &wire[end + 4..]));
        let head = String::from_utf8_lossy(head);
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
        let answer = Self { status, headers: headers.collect(), body: body.to_vec() };
        // An interim answer is not the answer.
        if answer.status == 100 { Self::parse(body) } else { answer }
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|(other, value)| (other == name).then_some(value.as_str()))
    }

    /// The same without the date, which is all that two equal answers may differ in.
    pub(crate) fn timeless(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "date");
        self
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What curl gets, with headers.
pub(crate) fn curl(arguments: &[&str]) -> Answer {
    Answer::parse(&curl_output(&[&["-i"], arguments].concat()).stdout)
}

/// What curl gets by TFTP, or its exit code.
pub(crate) fn curl_tftp(url: &str) -> Result<Vec<u8>, i32> {
    let output = curl_output(&[url]);
    if output.status.success() { Ok(output.stdout) } else { Err(output.status.code().unwrap_or(-1)) }
}

/// All that curl says.
pub(crate) fn curl_output(arguments: &[&str]) -> Output {
    run("curl", &[&["-sS", "--max-time", "30", "--noproxy", "*"], arguments].concat(), b"")
}

/// What openssl says on standard output; it has to succeed.
pub(crate) fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let output = run("openssl", arguments, input);
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What `gunzip` makes of a file.
pub(crate) fn gunzip(input: &[u8]) -> Vec<u8> {
    let output = run("gunzip", &["-c"], input);
    assert!(output.status.success(), "gunzip: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What `openssl enc -d` makes of an encrypted profile.
pub(crate) fn decrypt(key: &str, input: &[u8]) -> Vec<u8> {
    openssl(&["enc", "-d", "-aes-256-cbc", "-md", "md5", "-k", key], input)
}

/// Runs the binary under test as a tool.
pub(crate) fn phoneprov(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let output = run(env!("CARGO_BIN_EXE_phoneprov"), arguments, input);
    assert!(output.status.success(), "phoneprov {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Runs a program on an input to its end, which `timeout` sees to.
pub(crate) fn run(program: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new("timeout");
    command.arg("60").arg(program).args(arguments);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("tests/run installs this program");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // A program that reads no input closes the pipe.
    let writer = std::thread::spawn(move || stdin.write_all(&input).is_ok());
    let output = child.wait_with_output().expect("a child");
    let _ = writer.join();
    output
}

/// What `tftp` (tftp-hpa) gets in this mode; what it says where it gets nothing.
pub(crate) fn tftp(port: u16, mode: &str, name: &str) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().expect("room for a folder");
    let local = folder.path().join("local");
    let local_name = local.display().to_string();
    let port = port.to_string();
    let output = run("tftp", &["-m", mode, "127.0.0.1", &port, "-c", "get", name, &local_name], b"");
    received(&local, &output, "Error")
}

/// What `atftp` gets with these options; what it says where it gets nothing.
pub(crate) fn atftp(port: u16, options: &[&str], name: &str) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().expect("room for a folder");
    let local = folder.path().join("local");
    let (local_name, port) = (local.display().to_string(), port.to_string());
    let mut arguments = vec!["--get", "--remote-file", name, "--local-file", &local_name];
    arguments.extend(options.iter().flat_map(|option| ["--option", option]));
    arguments.extend(["127.0.0.1", &port]);
    received(&local, &run("atftp", &arguments, b""), "error")
}

fn received(local: &Path, output: &Output, failure: &str) -> Result<Vec<u8>, String> {
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if said.contains(failure) || !output.status.success() {
        return Err(said);
    }
    std::fs::read(local).map_err(|_| said)
}

/// A connection with an end to every wait.
pub(crate) fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("a listener");
    stream.set_read_timeout(Some(SOON)).expect("a time above zero");
    stream.set_write_timeout(Some(SOON)).expect("a time above zero");
    stream
}

/// Sends bytes as they are, and reads until the server closes.
pub(crate) fn raw(port: u16, request: &[u8]) -> Answer {
    let mut stream = connect(port);
    // A server that refuses early may close before all is sent.
    let _ = stream.write_all(request);
    Answer::parse(&read_to_close(&mut stream))
}

/// All that comes until the server closes, or for [`SOON`].
pub(crate) fn read_to_close(stream: &mut TcpStream) -> Vec<u8> {
    let mut wire = Vec::new();
    // A reset is a close.
    let _ = stream.read_to_end(&mut wire);
    wire
}

/// How long it takes until the server closes a connection that hears nothing more from us.
pub(crate) fn time_to_close(stream: &mut TcpStream) -> Duration {
    let began = Instant::now();
    read_to_close(stream);
    began.elapsed()
}
