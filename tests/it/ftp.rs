//! Files of cases over FTP and both FTPS: curl and lftp, and the wire itself.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use crate::handed_in::{CASE, Intake, bytes, said};
use crate::outsider::{connect, run};
use crate::server::{free_port, wait_for};
use crate::site::lab;

/// Lines of a listener with a range of ports of its own.
fn lines(protocol: &str, more: &str) -> String {
    let first = free_port();
    let tls = format!("certificate = \"{}\"\nkey = \"{}\"\n", lab("server.pem"), lab("server.key"));
    let tls = if more.contains("clear") { String::new() } else { tls };
    let more = more.replace("clear", "");
    format!("protocol = \"{protocol}\"\n{tls}passive_ports = \"{first}-{}\"\n{more}", first + 40)
}

fn intake(protocol: &str, more: &str) -> Intake {
    Intake::start(&[&lines(protocol, more)])
}

fn curl(intake: &Intake, protocol: &str, arguments: &[&str]) -> std::process::Output {
    let (user, ca) = (format!("{CASE}:{}", intake.token), lab("ca.pem"));
    let listener = if protocol == "ftp" { "ftp" } else { "ftps" };
    let url = format!("{protocol}://127.0.0.1:{}/", intake.port(listener));
    let base = ["-sS", "--max-time", "30", "--noproxy", "*", "--cacert", &ca, "-u", &user, &url];
    run("curl", &[&base[..], arguments].concat(), b"")
}

#[test]
fn curl_uploads_in_clear_by_explicit_and_by_implicit_tls() {
    let content = bytes(3_000_001);
    for (protocol, more, options) in [
        ("ftp", "clear", &[][..]),
        ("ftp", "", &["--ssl-reqd"]),
        ("ftp", "tls = \"required\"", &["--ssl-reqd"]),
        ("ftps", "", &[]),
        ("ftps", "", &["--disable-epsv", "--ftp-ssl-ccc-mode", "passive"]),
    ] {
        let intake = intake(protocol, more);
        let file = intake.local("show.txt", &content);
        let output = curl(&intake, protocol, &[&["-T", &file], options].concat());
        assert!(output.status.success(), "{protocol} {more} {options:?}: {}\n{}", said(&output), intake.server.log());
        assert_eq!(intake.listed(), ["show.txt|3000001"]);
        assert!(intake.content("show.txt") == content);
        let is_warned = intake.server.log().contains("go over the network in clear");
        assert_eq!(is_warned, protocol == "ftp" && more != "tls = \"required\"", "{}", intake.server.log());
    }
}

#[test]
fn lftp_uploads_by_every_way() {
    let intake = Intake::start(&[&lines("ftp", ""), &lines("ftps", "")]);
    let content = bytes(200_000);
    let file = intake.local("lftp.bin", &content);
    let (ca, user) = (lab("ca.pem"), format!("{CASE},{}", intake.token));
    let (ftp, ftps) = (intake.port("ftp"), intake.port("ftps"));
    for (url, settings) in [
        (format!("ftp://127.0.0.1:{ftp}"), "set ftp:ssl-allow no;"),
        (format!("ftp://127.0.0.1:{ftp}"), "set ftp:ssl-force yes; set ftp:ssl-protect-data yes;"),
        (format!("ftps://127.0.0.1:{ftps}"), "set ftp:ssl-protect-data yes;"),
    ] {
        let script = format!(
            "set net:max-retries 1; set net:timeout 10; set cmd:fail-exit yes; set ssl:ca-file {ca}; {settings} \
             open -u {user} {url}; put {file}; ls; bye"
        );
        let output = run("lftp", &["-c", &script], b"");
        assert!(output.status.success(), "{settings}: {}\n{}", said(&output), intake.server.log());
        assert!(!said(&output).contains("lftp.bin"), "nothing is listed: {}", said(&output));
    }
    assert_eq!(intake.listed(), ["lftp.bin|200000"; 3]);
}

/// Python's `ftplib`, as Python 3.10 to 3.13 have it where OpenSSL is told nothing else: the end of a connection by TLS without
/// the other side's word is an error. By explicit and by implicit TLS, as people do the latter with it.
const PYTHON: &str = r"
import ftplib, io, ssl, sys
protocol, port, user, token, ca, size = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.check_hostname = False
context.options &= ~getattr(ssl, 'OP_IGNORE_UNEXPECTED_EOF', 0x80)
class Implicit(ftplib.FTP_TLS):
    inner = None
    @property
    def sock(self):
        return self.inner
    @sock.setter
    def sock(self, value):
        plain = value is not None and not isinstance(value, ssl.SSLSocket)
        self.inner = self.context.wrap_socket(value) if plain else value
ftp = (Implicit if protocol == 'ftps' else ftplib.FTP_TLS)(context=context, timeout=20)
ftp.connect('127.0.0.1', int(port))
ftp.login(user, token)
ftp.prot_p()
print(ftp.storbinary('STOR python.bin', io.BytesIO(b'p' * int(size))))
print(ftp.storbinary('STOR empty', io.BytesIO(b'')))
ftp.retrlines('LIST')
print(ftp.quit())
";

#[test]
fn pythons_ftplib_uploads_by_explicit_and_by_implicit_tls() {
    let intake = Intake::start(&[&lines("ftp", ""), &lines("ftps", "")]);
    for protocol in ["ftp", "ftps"] {
        let arguments = [protocol, &intake.port(protocol), CASE, &intake.token, &lab("ca.pem"), "300001"];
        let output = run("python3", &[&["-c", PYTHON], &arguments[..]].concat(), b"");
        assert!(output.status.success(), "{protocol}: {}\n{}", said(&output), intake.server.log());
        assert_eq!(said(&output).matches("226 The file is in the case").count(), 2, "{}", said(&output));
    }
    assert_eq!(intake.listed(), ["python.bin|300001", "empty|0", "python.bin|300001", "empty|0"]);
    assert!(!intake.server.log().contains("a file is not kept"), "{}", intake.server.log());
}

/// The same client that ends its connection for data without a word.
const MUTE: &str = r"
import ftplib, socket, ssl, sys, time
context = ssl.create_default_context(cafile=sys.argv[4])
context.check_hostname = False
ftp = ftplib.FTP_TLS(context=context, timeout=20)
ftp.connect('127.0.0.1', int(sys.argv[1]))
ftp.login(sys.argv[2], sys.argv[3])
ftp.prot_p()
data = ftp.transfercmd('STOR mute')
data.sendall(b'half of it')
time.sleep(0.2)
socket.socket(fileno=data.detach()).close()
try:
    ftp.voidresp()
except ftplib.error_temp as error:
    print(error)
";

#[test]
fn a_client_that_does_not_say_by_tls_that_it_was_all_is_told_of_in_our_words() {
    let intake = intake("ftp", "");
    let output = run("python3", &["-c", MUTE, &intake.port("ftp"), CASE, &intake.token, &lab("ca.pem")], b"");
    assert!(said(&output).contains("426 The connection broke, nothing is kept"), "{}", said(&output));
    let line = intake.server.log_line(&["a file is not kept", "mute", "without the client's word that it was all"]);
    assert!(line.contains("close_notify") && !line.contains("docs.rs"), "{line}");
    assert!(intake.tells("refused", &["mute: ", "close_notify"]));
    assert!(intake.is_empty(), "{:?}", intake.names());
}

#[test]
fn more_files_than_a_case_may_have_are_refused() {
    let intake = Intake::with(&[&lines("ftp", "clear")], "files_per_case = 1");
    let empty = intake.local("empty", b"");
    assert!(curl(&intake, "ftp", &["-T", &empty]).status.success(), "{}", intake.server.log());
    let output = curl(&intake, "ftp", &["-v", "-T", &empty]);
    assert!(!output.status.success() && said(&output).contains("452 There is no room for it"), "{}", said(&output));
    assert!(intake.tells("refused", &["empty", "uploads.files_per_case is 1"]), "{}", intake.server.log());
    assert_eq!(intake.names().len(), 1);
}

#[test]
fn a_file_that_stalls_is_told_so() {
    let intake = Intake::with(&[&lines("ftp", "clear")], "stall = \"1s\"");
    let mut wire = Wire::login(&intake);
    let mut data = wire.store("slow");
    data.write_all(b"half of it").expect("it reads");
    // A byte now and then is no progress.
    let trickle = std::thread::spawn(move || {
        while data.write_all(b".").is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    });
    assert_eq!(wire.line(), "426 It came too slowly, nothing is kept");
    trickle.join().expect("the connection for data is closed");
    let reason = "it stalled: less than 16 KiB came within uploads.stall";
    intake.server.log_line(&["a file is not kept", "slow", reason]);
    assert!(intake.tells("refused", &["slow", reason]));
    assert!(intake.is_empty(), "{:?}", intake.names());
    // And the connection goes on.
    drop(wire.store("whole"));
    assert!(wire.line().starts_with("226"));
}

#[test]
fn a_token_reads_lists_and_removes_nothing() {
    let intake = intake("ftp", "clear");
    let file = intake.local("secret", b"of somebody");
    assert!(curl(&intake, "ftp", &["-T", &file]).status.success());
    let listed = curl(&intake, "ftp", &[]);
    assert!(listed.status.success() && listed.stdout.is_empty(), "{}", said(&listed));
    for line in [
        "RETR secret",
        "DELE secret",
        "SIZE secret",
        "MDTM secret",
        "MKD x",
        "RNFR secret",
        "SITE CHMOD 777 secret",
        "MLST secret",
        "STAT secret",
        "APPE secret",
    ] {
        let mut wire = Wire::login(&intake);
        let reply = wire.say(line);
        assert!(reply.starts_with('5'), "{line}: {reply}");
        assert!(!reply.contains("secret"), "{line}: {reply}");
    }
    assert_eq!(intake.listed(), ["secret|11"]);
}

#[test]
fn without_tls_nobody_says_who_it_is_where_that_is_required() {
    let intake = intake("ftp", "tls = \"required\"");
    let mut wire = Wire::new(&intake);
    for line in
        [format!("USER {CASE}"), format!("PASS {}", intake.token), "PASV".into(), "EPSV".into(), "STOR x".into()]
    {
        let reply = wire.say(&line);
        assert!(reply.starts_with('5'), "{line}: {reply}");
    }
    let file = intake.local("x", b"x");
    assert!(!curl(&intake, "ftp", &["-T", &file]).status.success());
    // Data in clear on a connection by TLS.
    let output = curl(&intake, "ftp", &["-T", &file, "--ssl-reqd", "-Q", "PROT C"]);
    assert!(!output.status.success(), "{}", said(&output));
    // Commands in clear behind AUTH are nobody's.
    let mut wire = Wire::new(&intake);
    wire.stream.write_all(b"AUTH TLS\r\nUSER 612345678\r\n").expect("it reads");
    assert!(wire.line().starts_with("234"));
    assert_eq!(wire.stream.read(&mut [0; 100]).unwrap_or_default(), 0, "it is closed");
    assert!(intake.is_empty());
}

#[test]
fn a_wrong_token_is_told_as_a_case_that_is_not_there_and_three_end_it() {
    let intake = intake("ftp", "clear");
    let reply = |user: &str, token: &str| {
        let mut wire = Wire::new(&intake);
        wire.say(&format!("USER {user}"));
        wire.say(&format!("PASS {token}"))
    };
    let wrong = reply(CASE, "wrong");
    assert!(wrong.starts_with("530"), "{wrong}");
    assert_eq!(reply("999999999", "wrong"), wrong);
    assert_eq!(reply("anonymous", "me@example.com"), wrong);
    let mut wire = Wire::new(&intake);
    for _ in 0..3 {
        wire.say(&format!("USER {CASE}"));
        assert!(wire.say("PASS wrong").starts_with("530"));
    }
    assert_eq!(wire.line(), "", "it is closed");
    assert!(!intake.server.log().contains("wrong\""), "no token stands in the log");
    intake.server.log_line(&["not let in", "the token is wrong"]);
}

#[test]
fn a_file_whose_client_goes_or_gives_up_is_none() {
    let intake = intake("ftp", "clear");
    // Both connections end at once, as those of a process that is killed.
    let mut wire = Wire::login(&intake);
    let mut data = wire.store("cut");
    data.write_all(&bytes(300_000)).expect("it reads");
    drop(wire);
    drop(data);
    let line = intake.server.log_line(&["a file is not kept", "cut", "went away"]);
    assert!(!line.contains("docs.rs"), "{line}");
    assert!(intake.tells("refused", &["cut: the client went away"]));
    assert!(intake.is_empty(), "{:?}", intake.names());
    let mut wire = Wire::login(&intake);
    let mut data = wire.store("aborted");
    data.write_all(&bytes(300_000)).expect("it reads");
    assert!(wire.say("ABOR").starts_with("426") && wire.line().starts_with("226"));
    assert!(intake.tells("refused", &["aborted: the client stopped it"]));
    assert!(intake.is_empty(), "{:?}", intake.names());
    // And the connection goes on.
    let data = wire.store("whole");
    drop(data);
    assert!(wire.line().starts_with("226"));
    assert_eq!(intake.listed(), ["whole|0"]);
}

#[test]
fn tls_that_is_cut_leaves_nothing_either() {
    let intake = intake("ftps", "");
    let file = intake.local("large", &bytes(20_000_000));
    let output = curl(&intake, "ftps", &["-T", &file, "--limit-rate", "400k", "--max-time", "1"]);
    assert!(!output.status.success());
    intake.server.log_line(&["a file is not kept", "large"]);
    assert!(intake.is_empty(), "{:?}", intake.names());
}

#[test]
fn bad_input_is_answered_and_nothing_is_let_in() {
    let intake = intake("ftp", "clear");
    let mut wire = Wire::login(&intake);
    for (line, code) in [
        ("STOR".to_owned(), "425"),
        ("EPSV 3".into(), "522"),
        ("PORT 127,0,0,1,0,9".into(), "502"),
        ("EPRT |1|127.0.0.1|9|".into(), "502"),
        ("REST 100".into(), "502"),
        ("\u{0}\u{1}".into(), "500"),
        ("x".repeat(5000), "500"),
    ] {
        let reply = wire.say(&line);
        assert!(reply.starts_with(code), "{}: {reply}", &line[..line.len().min(20)]);
    }
    for (name, code) in [("n".repeat(4096), "553"), (String::new(), "553"), (" ".into(), "553")] {
        wire.passive();
        let reply = wire.say(&format!("STOR {name}"));
        assert!(reply.starts_with(code), "{}: {reply}", name.len());
    }
    let data = wire.store("../../etc/passwd\0x");
    drop(data);
    assert!(wire.line().starts_with("226"));
    assert_eq!(intake.listed(), ["../../etc/passwd\u{fffd}x|0"]);
    // A line without an end.
    wire.stream.write_all("a".repeat(20_000).as_bytes()).expect("it reads");
    assert!(wait_for(|| wire.stream.read(&mut [0; 100]).unwrap_or_default() == 0));
    // Somebody else at a port for data: the port is another's, and the file is as well.
    let mut wire = Wire::login(&intake);
    wire.passive();
    assert!(wire.say("NOOP").starts_with("200"));
}

/// A control connection.
pub(crate) struct Wire {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Wire {
    fn new(intake: &Intake) -> Self {
        let stream = connect(intake.port("ftp").parse().expect("a port"));
        let reader = BufReader::new(stream.try_clone().expect("a descriptor"));
        let mut wire = Self { stream, reader };
        assert!(wire.line().starts_with("220"));
        wire
    }

    pub(crate) fn login(intake: &Intake) -> Self {
        let mut wire = Self::new(intake);
        assert!(wire.say(&format!("USER {CASE}")).starts_with("331"));
        assert!(wire.say(&format!("PASS {}", intake.token)).starts_with("230"));
        wire
    }

    /// The next line of a reply; empty where there is none.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        let _ = self.reader.read_line(&mut line);
        line.trim_end().to_owned()
    }

    pub(crate) fn say(&mut self, line: &str) -> String {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).expect("it reads");
        self.line()
    }

    /// A port for data.
    pub(crate) fn passive(&mut self) -> u16 {
        let reply = self.say("EPSV");
        reply.split('|').nth(3).and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{reply}"))
    }

    /// Begins a file.
    pub(crate) fn store(&mut self, name: &str) -> TcpStream {
        let port = self.passive();
        let data = connect(port);
        let reply = self.say(&format!("STOR {name}"));
        assert!(reply.starts_with("150"), "{reply}");
        data
    }
}
