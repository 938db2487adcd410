//! SIP as far as a NOTIFY and its answer go (RFC 3261, RFC 6665): text from and to bytes, no I/O.

use std::fmt::Write as _;
use std::net::SocketAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What may stand in the user part of a SIP URI as it is (RFC 3261 §25.1, `unreserved`).
const USER: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'!').remove(b'~').remove(b'*').remove(b'+');

/// The longest answer that is read (bytes).
pub(super) const LONGEST: usize = 64 * 1024;

/// A NOTIFY that no subscription asked for, as phones take it from any proxy.
#[derive(Debug, Clone)]
pub(super) struct Notify<'a> {
    /// `UDP` or `TCP`.
    pub(super) carrier: &'static str,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) user: &'a str,
    pub(super) event: &'a str,
    /// What tells this exchange from all others.
    pub(super) call: &'a str,
    /// What tells this request from the one before.
    pub(super) branch: &'a str,
    pub(super) count: u32,
    /// The name and value of the header that answers a challenge.
    pub(super) authorization: Option<(&'static str, &'a str)>,
}

/// An answer, as far as it is of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// From 100 to 699.
    pub status: u16,
    /// Its words, without control characters.
    pub reason: String,
    /// `Call-ID`.
    pub call: String,
    /// The number of `CSeq`.
    pub count: u32,
    /// `WWW-Authenticate` and `Proxy-Authenticate`, in their order.
    pub challenges: Vec<String>,
}

impl Notify<'_> {
    /// Whom it is for, which a digest covers.
    pub(super) fn uri(&self) -> String {
        format!("sip:{}@{}", utf8_percent_encode(self.user, USER), self.remote)
    }

    /// The request.
    pub(super) fn text(&self) -> String {
        let Self { carrier, local, call, branch, count, event, .. } = self;
        let uri = self.uri();
        let mut text = format!(
            "NOTIFY {uri} SIP/2.0\r\n\
             Via: SIP/2.0/{carrier} {local};branch=z9hG4bK{branch};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:phoneprov@{local}>;tag={call}\r\n\
             To: <{uri}>\r\n\
             Call-ID: {call}\r\n\
             CSeq: {count} NOTIFY\r\n\
             Contact: <sip:phoneprov@{local}>\r\n\
             Event: {event}\r\n\
             Subscription-State: terminated\r\n\
             User-Agent: phoneprov\r\n"
        );
        if let Some((name, value)) = self.authorization {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("Content-Length: 0\r\n\r\n");
        text
    }
}

impl Answer {
    /// Reads an answer; `None`: it is none, or it answers no NOTIFY.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes.get(..head(bytes)?)?);
        let mut lines = text.split("\r\n");
        let (status, reason) = lines.next()?.strip_prefix("SIP/2.0 ")?.split_once(' ')?;
        let status: u16 = status.parse().ok().filter(|status| (100..700).contains(status))?;
        let (mut call, mut count, mut challenges) = (None, None, Vec::new());
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "call-id" | "i" => call = call.or(Some(value.to_owned())),
                "cseq" => count = value.strip_suffix("NOTIFY").and_then(|number| number.trim().parse().ok()),
                "www-authenticate" | "proxy-authenticate" => challenges.push(value.to_owned()),
                _ => {}
            }
        }
        let reason = reason.chars().filter(|c| !c.is_control()).take(80).collect();
        Some(Self { status, reason, call: call?, count: count?, challenges })
    }

    /// Whether it answers this request.
    pub(super) fn is_of(&self, notify: &Notify<'_>) -> bool {
        self.call == notify.call && self.count == notify.count
    }
}

/// Where an answer's headers end.
pub(super) fn head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn notify<'a>(user: &'a str, authorization: Option<(&'static str, &'a str)>) -> Notify<'a> {
        let (local, remote) = (([192, 0, 2, 1], 40_000).into(), ([192, 0, 2, 9], 5060).into());
        Notify {
            carrier: "UDP",
            local,
            remote,
            user,
            event: "resync",
            call: "c1",
            branch: "b1",
            count: 1,
            authorization,
        }
    }

    #[test]
    fn a_notify_is_what_phones_take() {
        let text = notify("+15551234567", Some(("Authorization", "Digest x"))).text();
        assert!(text.starts_with("NOTIFY sip:+15551234567@192.0.2.9:5060 SIP/2.0\r\n"), "{text}");
        for line in ["Event: resync", "Authorization: Digest x", "CSeq: 1 NOTIFY", "Content-Length: 0"] {
            assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}: {text}");
        }
        assert!(text.ends_with("\r\n\r\n"));
        assert_eq!(notify("a b>\r\nx", None).uri(), "sip:a%20b%3E%0D%0Ax@192.0.2.9:5060");
    }

    #[test]
    fn an_answer_is_read_in_long_and_short_form() {
        let answer = |text: &str| Answer::parse(text.replace('\n', "\r\n").as_bytes());
        let challenged = "SIP/2.0 401 Unauthorized\nVia: x\ni: c1\nCSEQ:  1  NOTIFY\nWWW-Authenticate: Digest a\n\n";
        let read = answer(challenged).expect("an answer");
        assert_eq!((read.status, read.reason.as_str(), read.challenges.len()), (401, "Unauthorized", 1));
        assert!(read.is_of(&notify("x", None)));
        assert!(!read.is_of(&Notify { count: 2, ..notify("x", None) }), "a late one");
        for garbage in [
            "",
            "SIP/2.0 200 OK\n\n",
            "SIP/2.0 20 OK\nCall-ID: c1\nCSeq: 1 NOTIFY\n\n",
            "HTTP/1.1 200 OK\n\n",
            "SIP/2.0 200 OK\nCall-ID: c1\nCSeq: 1 INVITE\n\n",
            "SIP/2.0 200 OK\nCall-ID: c1\nCSeq: 1 NOTIFY\n",
        ] {
            assert_eq!(answer(garbage), None, "{garbage:?}");
        }
    }

    proptest! {
        #[test]
        fn garbage_is_no_answer_and_does_no_harm(bytes: Vec<u8>, text in "SIP/2.0 [0-9]{1,4} (.|\r|\n){0,80}") {
            let _ = (Answer::parse(&bytes), Answer::parse(text.as_bytes()));
        }

        #[test]
        fn no_user_breaks_a_line(user in "\\PC{0,20}|(\r\n){1,3}x") {
            prop_assert!(!notify(&user, None).uri().contains(['\r', '\n', ' ', '>']));
        }
    }
}
