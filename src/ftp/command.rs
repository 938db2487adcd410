//! What a client says on its control connection (RFC 959 §4.1, RFC 2228, 2389, 2428, 3659, 4217). No I/O.

use std::str::FromStr;

use crate::device::Secret;

/// A line of a client, as far as it means something here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// The case.
    User(String),
    /// Its token.
    Pass(Secret),
    /// From here on by TLS (RFC 4217 §4); `false`: by something else.
    Auth {
        /// Whether it is TLS that is asked for.
        tls: bool,
    },
    /// The size of protected blocks, which TLS has no use for.
    Pbsz,
    /// Whether data go by TLS.
    Prot(Protection),
    /// How bytes are to be taken: all ways are one here.
    Type(Representation),
    /// A structure or a mode other than file and stream, which nobody uses.
    Structure {
        /// Whether it is the usual one.
        usual: bool,
    },
    /// A port for data, please (IPv4).
    Pasv,
    /// The same for either protocol.
    Epsv(Family),
    /// That the server connects to the client.
    Active,
    /// Takes a file.
    Stor(Vec<u8>),
    /// The name is the server's to choose.
    Stou,
    /// Takes the rest of one.
    Appe(Vec<u8>),
    /// Where the next transfer begins.
    Rest(u64),
    /// How much there is of a file.
    Size,
    /// What is in a folder.
    List,
    /// What a folder or file is, on the control connection.
    Stat {
        /// Whether a path was named.
        of_path: bool,
    },
    /// Where the client is.
    Pwd,
    /// Another folder, which is the same here.
    Cwd,
    /// Stops a transfer.
    Abor,
    /// What the server can.
    Feat,
    /// What system it is.
    Syst,
    /// Options of a command.
    Opts {
        /// Whether it is UTF-8 for names.
        utf8: bool,
    },
    /// When a file was changed, which clients like to set.
    Touch,
    /// Nothing, or room for a file that is to come.
    Noop,
    /// The end.
    Quit,
    /// Help.
    Help,
    /// Something that is known, and not done here: to read, rename, delete, or make folders.
    Forbidden,
    /// Something else.
    Unknown,
}

/// How data go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    /// As they are.
    Clear,
    /// By TLS.
    Private,
    /// By something that TLS has not (RFC 4217 §9).
    Other,
}

/// The representation type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Representation {
    /// Text, which is taken as it is too.
    Ascii,
    /// Bytes.
    Image,
    /// EBCDIC, or bytes of other lengths.
    Other,
}

/// The network protocol that an extended passive connection is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// That of the control connection.
    Same,
    /// IPv4.
    V4,
    /// IPv6.
    V6,
    /// From now on nothing else will be asked for (`EPSV ALL`).
    All,
    /// One that is none.
    Other,
}

impl Command {
    /// Reads a line without its end.
    pub(super) fn parse(line: &[u8]) -> Self {
        let line = without_telnet(line);
        let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (verb, argument) = (line[..end].to_ascii_uppercase(), line.get(end + 1..).unwrap_or_default());
        let text = || String::from_utf8_lossy(argument).trim().to_owned();
        let word = text().to_ascii_uppercase();
        match verb.as_slice() {
            b"USER" => Self::User(text()),
            b"PASS" => Self::Pass(Secret::new(String::from_utf8_lossy(argument).into_owned())),
            // RFC 4217 §4 has TLS; older clients call it otherwise.
            b"AUTH" => Self::Auth { tls: matches!(word.as_str(), "TLS" | "TLS-C" | "SSL") },
            b"PBSZ" => Self::Pbsz,
            b"PROT" => Self::Prot(match word.as_str() {
                "C" => Protection::Clear,
                "P" => Protection::Private,
                _ => Protection::Other,
            }),
            b"TYPE" => Self::Type(match word.as_str() {
                "A" | "A N" => Representation::Ascii,
                "I" | "L 8" => Representation::Image,
                _ => Representation::Other,
            }),
            b"STRU" => Self::Structure { usual: word == "F" },
            b"MODE" => Self::Structure { usual: word == "S" },
            b"PASV" => Self::Pasv,
            b"EPSV" => Self::Epsv(match word.as_str() {
                "" => Family::Same,
                "1" => Family::V4,
                "2" => Family::V6,
                "ALL" => Family::All,
                _ => Family::Other,
            }),
            b"PORT" | b"EPRT" | b"LPRT" => Self::Active,
            b"STOR" => Self::Stor(argument.to_vec()),
            b"STOU" => Self::Stou,
            b"APPE" => Self::Appe(argument.to_vec()),
            b"REST" => u64::from_str(&word).map_or(Self::Unknown, Self::Rest),
            b"SIZE" => Self::Size,
            b"LIST" | b"NLST" | b"MLSD" => Self::List,
            b"STAT" => Self::Stat { of_path: !word.is_empty() },
            b"PWD" | b"XPWD" => Self::Pwd,
            b"CWD" | b"XCWD" | b"CDUP" | b"XCUP" => Self::Cwd,
            b"ABOR" => Self::Abor,
            b"FEAT" => Self::Feat,
            b"SYST" => Self::Syst,
            b"OPTS" => Self::Opts { utf8: word.starts_with("UTF8") || word.starts_with("UTF-8") },
            b"MFMT" | b"MFF" | b"MDTM" => Self::Touch,
            b"NOOP" | b"ALLO" | b"ACCT" => Self::Noop,
            b"QUIT" => Self::Quit,
            b"HELP" => Self::Help,
            b"RETR" | b"DELE" | b"RNFR" | b"RNTO" | b"MKD" | b"XMKD" | b"RMD" | b"XRMD" | b"MLST" | b"SITE"
            | b"SMNT" | b"REIN" | b"CCC" => Self::Forbidden,
            _ => Self::Unknown,
        }
    }
}

/// The line without what Telnet puts before an `ABOR` (RFC 959 §4.1.3: interrupt, synch).
fn without_telnet(line: &[u8]) -> &[u8] {
    let first = line.iter().position(|byte| *byte < 0xf0).unwrap_or(line.len());
    &line[first..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_clients_write_them() {
        for (line, expected) in [
            ("USER 600000001", Command::User("600000001".into())),
            ("pass  a b ", Command::Pass(Secret::new(" a b ".into()))),
            ("AUTH TLS", Command::Auth { tls: true }),
            ("AUTH KERBEROS_V4", Command::Auth { tls: false }),
            ("PROT P", Command::Prot(Protection::Private)),
            ("PROT E", Command::Prot(Protection::Other)),
            ("TYPE L 8", Command::Type(Representation::Image)),
            ("TYPE E", Command::Type(Representation::Other)),
            ("EPSV", Command::Epsv(Family::Same)),
            ("EPSV all", Command::Epsv(Family::All)),
            ("EPRT |1|127.0.0.1|7|", Command::Active),
            ("STOR ../a b", Command::Stor(b"../a b".to_vec())),
            ("REST 18446744073709551615", Command::Rest(u64::MAX)),
            ("REST -1", Command::Unknown),
            ("RETR x", Command::Forbidden),
            ("\u{0}", Command::Unknown),
            ("", Command::Unknown),
        ] {
            assert_eq!(Command::parse(line.as_bytes()), expected, "{line}");
        }
        assert_eq!(Command::parse(b"\xff\xf4\xff\xf2ABOR"), Command::Abor);
        assert_eq!(Command::parse(b"STOR \xfc\xff"), Command::Stor(b"\xfc\xff".to_vec()));
    }

    #[test]
    fn a_token_is_seen_nowhere() {
        assert!(!format!("{:?}", Command::parse(b"PASS t0psecret")).contains("t0psecret"));
    }
}
