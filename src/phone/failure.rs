//! Why a resync failed, in the classes that the guides have for it.

use std::fmt;
use std::net::SocketAddr;

use crate::cipher::DecryptError;

/// What a failure means to the phone (Cisco "Provisioning", table of HTTP results): class A is success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// The file is not there, or is not what a phone can read.
    B,
    /// No connection, no permission, or an answer that the phone does not take.
    C,
}

/// A TLS alert that a server sent, by its number (RFC 8446, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert(pub u8);

/// Why a file could not be had or used. No text shows a key, a password or a file's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The rule's text cannot be read.
    #[error("the rule cannot be read: {0}")]
    Rule(String),
    /// An address that no phone can ask.
    #[error("{0}")]
    Url(String),
    /// A rule without a server, and no server from DHCP.
    #[error("no server: the rule names none, and DHCP option 66 gave none")]
    NoServer,
    /// A name that has no address.
    #[error("cannot find the address of {host}: {cause}")]
    Name {
        /// The name.
        host: String,
        /// What the resolver said.
        cause: String,
    },
    /// No connection.
    #[error("cannot connect to {address}: {cause}")]
    Connect {
        /// The last address that was tried.
        address: SocketAddr,
        /// What the system said.
        cause: String,
    },
    /// TLS was not agreed upon; the text says whose fault it is.
    #[error("no TLS with {address}: {cause}")]
    Handshake {
        /// The server.
        address: SocketAddr,
        /// What OpenSSL said.
        cause: String,
        /// What the server said, where it said anything.
        alert: Option<Alert>,
    },
    /// The server's certificate is not trusted.
    #[error("the server's certificate is refused: {0}")]
    Certificate(String),
    /// The server's certificate is another server's.
    #[error("the server's certificate is not for {wanted}: it names {named}")]
    ServerName {
        /// The host of the URL, or the address.
        wanted: String,
        /// What the certificate has.
        named: String,
    },
    /// An answer that is none.
    #[error("the server broke off or did not speak {protocol}: {cause}")]
    Protocol {
        /// What it should speak.
        protocol: &'static str,
        /// What was wrong.
        cause: String,
        /// The alert that ended TLS, where one did.
        alert: Option<Alert>,
    },
    /// The question was heard, perhaps, and the connection closed.
    #[error("the server broke off without an answer")]
    HungUp,
    /// It took too long.
    #[error("the server took longer than {seconds} s {stage}")]
    Slow {
        /// How long we waited.
        seconds: u64,
        /// What for.
        stage: &'static str,
    },
    /// More than a phone bears.
    #[error("{what} is larger than {limit} octets, where we stop reading")]
    Large {
        /// The file, or what came out of it.
        what: &'static str,
        /// Our bound.
        limit: usize,
    },
    /// 404, or TFTP's error 1.
    #[error("not found")]
    NotFound,
    /// A status that is an error.
    #[error("the server answered {0}")]
    Status(u16),
    /// A redirect of a kind that phones do not follow.
    #[error("the server answered {0}: phones follow 301 and 302 only")]
    Redirect(u16),
    /// Redirects without end.
    #[error("more than {0} redirects")]
    RedirectLoop(u8),
    /// A challenge, and nothing to answer it with.
    #[error("the server asks for a password, and the rule has no --uid and --pwd")]
    NoCredentials,
    /// A challenge again after the answers.
    #[error("the server refused user name and password {0} times")]
    Unauthorized(u8),
    /// A challenge of a kind that phones do not answer.
    #[error(
        "the server offers no way to log in that phones have: {0}; expected Basic, or Digest with MD5 or SHA-256, a nonce, and qop auth or none"
    )]
    Challenge(String),
    /// A challenge that phones do not answer while `FIPS_Mode` is on.
    #[error("FIPS_Mode is on, which has no Digest, and the server offers no Basic: {0}")]
    ChallengeUnderFips(String),
    /// TFTP's other errors.
    #[error("the server answered TFTP error {code}: {text}")]
    Tftp {
        /// RFC 1350, appendix.
        code: u16,
        /// The server's words.
        text: String,
    },
    /// It does not decrypt.
    #[error("the file does not decrypt: {0}")]
    Decrypt(#[from] DecryptError),
    /// RFC 8188 without a key.
    #[error("the file comes as aes128gcm, and IKM_HTTP_Encrypt_Content is empty or not {0}")]
    NoKeyingMaterial(crate::cipher::IkmEncoding),
    /// A coding that the phone did not ask for.
    #[error("the file comes in the coding `{0}`, which phones do not read")]
    Coding(String),
    /// It does not unpack.
    #[error("the file does not unpack: {0}")]
    Unpack(String),
    /// It is no profile.
    #[error("the profile is corrupt: {0}")]
    Corrupt(String),
    /// No PEM certificate in a file of authorities.
    #[error("the file of authorities is of no use: {0}")]
    Authority(String),
    /// An image that is none.
    #[error("the image is of no use: {0}")]
    Image(String),
}

impl Failure {
    /// The class that the guides put it in.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::NotFound
            | Self::Decrypt(_)
            | Self::NoKeyingMaterial(_)
            | Self::Coding(_)
            | Self::Unpack(_)
            | Self::Corrupt(_)
            | Self::Authority(_)
            | Self::Image(_)
            | Self::Large { .. } => Class::B,
            Self::Rule(_)
            | Self::Url(_)
            | Self::NoServer
            | Self::Name { .. }
            | Self::Connect { .. }
            | Self::Handshake { .. }
            | Self::Certificate(_)
            | Self::ServerName { .. }
            | Self::Protocol { .. }
            | Self::HungUp
            | Self::Slow { .. }
            | Self::Status(_)
            | Self::Redirect(_)
            | Self::RedirectLoop(_)
            | Self::NoCredentials
            | Self::Unauthorized(_)
            | Self::Challenge(_)
            | Self::ChallengeUnderFips(_)
            | Self::Tftp { .. } => Class::C,
        }
    }

    /// Whether a server heard the question and said no: not there, not allowed, or an alert in place of TLS. Silence, a
    /// broken connection and an error of the server's own are none.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::NotFound
            | Self::NoCredentials
            | Self::Unauthorized(_)
            | Self::Challenge(_)
            | Self::ChallengeUnderFips(_) => true,
            Self::Status(status) => (400..500).contains(status),
            // RFC 1350, appendix: file not found, access violation.
            Self::Tftp { code, .. } => matches!(code, 1 | 2),
            // With TLS 1.3 the alert comes when the phone has begun to ask (RFC 8446, section 4.4.2.4).
            Self::Handshake { alert, .. } | Self::Protocol { alert, .. } => alert.is_some_and(Alert::is_refusal),
            Self::Rule(_)
            | Self::Url(_)
            | Self::NoServer
            | Self::Name { .. }
            | Self::Connect { .. }
            | Self::Certificate(_)
            | Self::ServerName { .. }
            | Self::HungUp
            | Self::Slow { .. }
            | Self::Large { .. }
            | Self::Redirect(_)
            | Self::RedirectLoop(_)
            | Self::Decrypt(_)
            | Self::NoKeyingMaterial(_)
            | Self::Coding(_)
            | Self::Unpack(_)
            | Self::Corrupt(_)
            | Self::Authority(_)
            | Self::Image(_) => false,
        }
    }

    /// A word for tables and metrics, of a closed set.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Rule(_) | Self::Url(_) | Self::NoServer => "rule",
            Self::Name { .. } => "dns",
            Self::Connect { .. } => "connect",
            Self::Handshake { .. }
            | Self::Certificate(_)
            | Self::ServerName { .. }
            | Self::Protocol { alert: Some(_), .. } => "tls",
            Self::Protocol { alert: None, .. } => "protocol",
            Self::HungUp => "hung-up",
            Self::Slow { .. } => "slow",
            Self::Large { .. } => "large",
            Self::NotFound => "not-found",
            Self::Status(_) | Self::Tftp { .. } => "status",
            Self::Redirect(_) | Self::RedirectLoop(_) => "redirect",
            Self::NoCredentials | Self::Unauthorized(_) | Self::Challenge(_) | Self::ChallengeUnderFips(_) => {
                "password"
            }
            Self::Decrypt(_) | Self::NoKeyingMaterial(_) => "cipher",
            Self::Coding(_) | Self::Unpack(_) | Self::Corrupt(_) | Self::Authority(_) | Self::Image(_) => "corrupt",
        }
    }

    /// `$ERR`: what the phone's log says. Cisco prints three texts of which only `Download failed` fits any case
    /// (TAC 221021); `FPRV_ERR_SERVER_CONNECTION_FAILED` was seen for a server that does not answer.
    #[must_use]
    pub fn err(&self) -> &'static str {
        match self {
            Self::Name { .. } | Self::Connect { .. } | Self::Slow { .. } => "FPRV_ERR_SERVER_CONNECTION_FAILED",
            _ => "Download failed",
        }
    }
}

impl Alert {
    /// `internal_error`: trouble of the server's own.
    const INTERNAL: Self = Self(80);

    /// `protocol_version`, `handshake_failure` and `insufficient_security`: the two have nothing in common.
    const NOTHING_IN_COMMON: [Self; 3] = [Self(70), Self(40), Self(71)];

    /// Whether it says that versions or suites do not meet.
    pub(super) fn is_of_version_or_suite(self) -> bool {
        Self::NOTHING_IN_COMMON.contains(&self)
    }

    /// Whether it is a judgement on who asks.
    fn is_refusal(self) -> bool {
        self != Self::INTERNAL
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::B => "B",
            Self::C => "C",
        })
    }
}
