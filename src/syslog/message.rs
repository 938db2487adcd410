//! A line, and what it says.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;

use super::LONGEST;
use super::template::{Template, plain};
use crate::device::{DeviceName, MacAddress};

/// A line as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub peer: IpAddr,
    /// Its text as it came, without priority; control characters are spaces, and what is beyond [`KEPT`] is cut off.
    pub text: String,
    /// The device that it says it is of.
    pub name: Option<DeviceName>,
    /// What it says of a resync or upgrade; `None` for any other line.
    pub said: Option<Said>,
}

/// What a phone says of a resync or an upgrade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// How far it is.
    pub stage: Stage,
    /// The path that it asked for.
    pub path: Option<String>,
    /// `$ERR`.
    pub error: Option<String>,
}

/// Which of the six messages it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// `Log_Request_Msg`, on ATA and SPA `Log_Resync_Request_Msg`.
    Request,
    /// `Log_Success_Msg`.
    Success,
    /// `Log_Failure_Msg`.
    Failure,
    /// `Log_Upgrade_Request_Msg`.
    UpgradeRequest,
    /// `Log_Upgrade_Success_Msg`.
    UpgradeSuccess,
    /// `Log_Upgrade_Failure_Msg`.
    UpgradeFailure,
}

/// The messages that are known: those of operators first, then the phones' own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages(Vec<(Stage, Template)>);

/// The defaults of the six parameters. One page of Cisco's has `-- $ERR` behind the second as well, and the French guide
/// prints a success of its own to be entered.
const DEFAULTS: [(Stage, &str); 7] = [
    (Stage::Request, "$PN $MAC -- Requesting resync $SCHEME://$SERVIP:$PORT$PATH"),
    (Stage::Success, "$PN $MAC -- Successful resync $SCHEME://$SERVIP:$PORT$PATH -- $ERR"),
    (Stage::Success, "$PN $MAC Resynchronisation réussie $SCHEME://$SERVIP:$PORT$PATH"),
    (Stage::Failure, "$PN $MAC -- Resync failed: $ERR"),
    (Stage::UpgradeRequest, "$PN $MAC -- Requesting upgrade $SCHEME://$SERVIP:$PORT$PATH"),
    (Stage::UpgradeSuccess, "$PN $MAC -- Successful upgrade $SCHEME://$SERVIP:$PORT$PATH -- $ERR"),
    (Stage::UpgradeFailure, "$PN $MAC -- Upgrade failed: $ERR"),
];

impl Line {
    /// Whether it tells what became of an image, and not of which: the phones' own text of a failure has no path.
    #[must_use]
    pub fn is_of_unnamed_image(&self) -> bool {
        self.said.as_ref().is_some_and(|said| {
            said.path.is_none() && matches!(said.stage, Stage::UpgradeSuccess | Stage::UpgradeFailure)
        })
    }
}

impl Stage {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Request, Self::Success, Self::Failure, Self::UpgradeRequest, Self::UpgradeSuccess, Self::UpgradeFailure];

    /// As events have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::UpgradeRequest => "upgrade_request",
            Self::UpgradeSuccess => "upgrade_success",
            Self::UpgradeFailure => "upgrade_failure",
        }
    }
}

impl Default for Messages {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Messages {
    /// The phones' own messages, and before them these.
    #[must_use]
    pub fn new(mut own: Vec<(Stage, Template)>) -> Self {
        own.extend(
            DEFAULTS
                .iter()
                .map(|(stage, text)| (*stage, Template::parse(text).expect("the defaults have texts of their own"))),
        );
        Self(own)
    }

    /// Reads a line.
    #[must_use]
    pub fn read(&self, bytes: &[u8], peer: IpAddr, at: Timestamp) -> Line {
        let bytes = without_priority(&bytes[..bytes.len().min(LONGEST)]);
        let text = String::from_utf8_lossy(bytes).replace(char::is_control, " ");
        let plain = plain(&text);
        let said = self.0.iter().find_map(|(stage, template)| {
            let captures = template.read(&plain)?;
            Some(Said { stage: *stage, path: captures.path, error: captures.error })
        });
        Line { at, peer: peer.to_canonical(), name: named(&text), said, text: clipped(text.trim(), KEPT) }
    }
}

/// The longest text of a line that is kept (bytes). RFC 3164 lines have 1024 at the most; many servers take 2048 (RFC 5424,
/// section 6.1).
pub const KEPT: usize = 2048;

/// Ends a text that was cut.
const CUT: &str = "…";

/// So many bytes of a text at the most, with a mark at the end where some are missing.
#[must_use]
pub fn clipped(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub(CUT.len()));
    format!("{}{CUT}", &text[..end])
}

/// The line without `<133>` (RFC 3164 §4.1.1, RFC 5424 §6.2.1).
fn without_priority(bytes: &[u8]) -> &[u8] {
    let Some(rest) = bytes.strip_prefix(b"<") else { return bytes };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if (1..=3).contains(&digits) && rest.get(digits) == Some(&b'>') { &rest[digits + 1..] } else { bytes }
}

/// The first MAC address of a line, in any of the three ways in which phones write it; else the first serial number of
/// the form that Cisco's have had since 1999: three letters, four digits, four letters or digits.
fn named(text: &str) -> Option<DeviceName> {
    let words = || text.split(|c: char| !c.is_ascii_alphanumeric() && c != ':').map(|word| word.trim_matches(':'));
    let mac = words().find_map(|word| word.parse::<MacAddress>().ok());
    let is_serial = |word: &&str| {
        let bytes = word.as_bytes();
        bytes.len() == 11
            && bytes[..3].iter().all(u8::is_ascii_uppercase)
            && bytes[3..7].iter().all(u8::is_ascii_digit)
            && bytes[7..].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    mac.map(DeviceName::Mac).or_else(|| words().find(is_serial)?.parse().ok().map(DeviceName::Serial))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(text: &str) -> Line {
        Messages::default().read(text.as_bytes(), [192, 0, 2, 1].into(), Timestamp::UNIX_EPOCH)
    }

    fn stage(text: &str) -> Option<Stage> {
        line(text).said.map(|said| said.stage)
    }

    #[test]
    fn the_six_messages_are_known() {
        for (stage_of, text) in DEFAULTS {
            let text =
                text.replace("$SCHEME://$SERVIP:$PORT$PATH", "https://192.0.2.1:443/a.cfg").replace("$ERR", "x y");
            assert_eq!(stage(&text), Some(stage_of), "{text}");
        }
        let french = line("CP-8851-3PCC 14:a2:a0:e0:83:7a Resynchronisation réussie http://192.0.2.1:80/a.cfg").said;
        let french = french.expect("it says something");
        assert_eq!((french.stage, french.path.as_deref()), (Stage::Success, Some("/a.cfg")));
        let french = line("<133>CP-8851-3PCC 14:a2:a0:e0:83:7a -- Resync failed\u{a0}: Download failed");
        assert_eq!(french.said.and_then(|said| said.error).as_deref(), Some("Download failed"));
        let failed = line("<133>Nov  2 03:04:05 CP-8851-3PCC 14:a2:a0:e0:83:7a -- Resync failed: Download failed");
        let said = failed.said.expect("a message");
        assert_eq!((said.stage, said.error.as_deref()), (Stage::Failure, Some("Download failed")));
        assert_eq!(failed.name, "14a2a0e0837a".parse().ok());
        assert_eq!(failed.text, "Nov  2 03:04:05 CP-8851-3PCC 14:a2:a0:e0:83:7a -- Resync failed: Download failed");
        assert_eq!(stage("CP-8841-3PCC: registered"), None);
    }

    #[test]
    fn a_line_is_kept_as_it_came() {
        for text in ["a - b \u{2013} c", "a-b -- x  : two  blanks", "café \u{2014} x"] {
            assert_eq!(line(text).text, text);
        }
        assert_eq!(line("<13> a\0\tb\r").text, "a  b");
        let (fits, long) = ("é".repeat(KEPT / 2), "é".repeat(KEPT));
        assert_eq!(line(&fits).text, fits);
        let cut = line(&long).text;
        assert!(cut.len() <= KEPT && cut.len() > KEPT - 4 && cut.ends_with("éé…"), "{cut}");
    }

    #[test]
    fn a_device_is_found_by_every_identifier() {
        let name = |text: &str| line(text).name.map(|name| name.to_string());
        assert_eq!(name("<133>Nov  2 03:04:05 000E08ABCDEF x").as_deref(), Some("000e08abcdef"));
        assert_eq!(name("Nov  2 03:04:05 00:0e:08:ab:cd:ef: x").as_deref(), Some("000e08abcdef"));
        assert_eq!(name("Nov  2 03:04:05 FCH2133E8B9 x").as_deref(), Some("sn:FCH2133E8B9"));
        assert_eq!(name("1 2003-10-11T22:14:15.003Z host app 12 - - hello"), None);
    }

    #[test]
    fn an_operators_text_comes_before_the_phones() {
        let own = Template::parse("$MAC Resync failed: but fine $ERR").expect("a template");
        let messages = Messages::new(vec![(Stage::Success, own)]);
        let read = messages.read(b"x Resync failed: but fine", [192, 0, 2, 1].into(), Timestamp::UNIX_EPOCH);
        assert_eq!(read.said.map(|said| said.stage), Some(Stage::Success));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_a_line_without_control_characters(bytes: Vec<u8>) {
            let read = Messages::default().read(&bytes, [192, 0, 2, 1].into(), Timestamp::UNIX_EPOCH);
            prop_assert!(!read.text.contains(char::is_control));
            prop_assert!(read.text.len() <= KEPT);
        }
    }
}
