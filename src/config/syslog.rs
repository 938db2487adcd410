//! `[syslog]`: where phones say what became of their resyncs.

use std::net::SocketAddr;

use serde::Deserialize;

use crate::syslog::{Messages, Stage, Template};

/// The receiver of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syslog {
    /// Where, over UDP and TCP.
    pub address: SocketAddr,
    /// Streams that are open at once.
    pub streams: u32,
    /// Those of one address.
    pub streams_per_address: u32,
    /// What lines are held against.
    pub messages: Messages,
}

/// Streams of one address, unless it is said.
const PER_ADDRESS: u32 = 64;

/// More streams than anybody has descriptors for.
const MOST: u32 = 65_536;

/// The table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    address: Option<SocketAddr>,
    streams: u32,
    streams_per_address: Option<u32>,
    request: Vec<String>,
    success: Vec<String>,
    failure: Vec<String>,
    upgrade_request: Vec<String>,
    upgrade_success: Vec<String>,
    upgrade_failure: Vec<String>,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            address: None,
            streams: 1024,
            streams_per_address: None,
            request: Vec::new(),
            success: Vec::new(),
            failure: Vec::new(),
            upgrade_request: Vec::new(),
            upgrade_success: Vec::new(),
            upgrade_failure: Vec::new(),
        }
    }
}

impl Written {
    /// Reads the operator's own templates.
    pub(super) fn check(self) -> Result<Syslog, String> {
        let address = self.address.ok_or("syslog.address is missing: such as \"0.0.0.0:514\"")?;
        let streams = self.streams;
        let streams_per_address = self.streams_per_address.unwrap_or(PER_ADDRESS.min(streams));
        if !(1..=MOST).contains(&streams) {
            return Err(format!("syslog.streams is {streams}: expected 1 to {MOST}"));
        }
        if !(1..=streams).contains(&streams_per_address) {
            return Err(format!(
                "syslog.streams_per_address is {streams_per_address}: expected 1 to {streams}, which is syslog.streams"
            ));
        }
        let texts = [
            (Stage::Request, self.request),
            (Stage::Success, self.success),
            (Stage::Failure, self.failure),
            (Stage::UpgradeRequest, self.upgrade_request),
            (Stage::UpgradeSuccess, self.upgrade_success),
            (Stage::UpgradeFailure, self.upgrade_failure),
        ];
        let mut own = Vec::new();
        for (stage, texts) in texts {
            for text in texts {
                let template = Template::parse(&text).map_err(|error| format!("syslog.{}: {error}", stage.as_str()))?;
                own.push((stage, template));
            }
        }
        Ok(Syslog { address, streams, streams_per_address, messages: Messages::new(own) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<Syslog, String> {
        toml::from_str::<Written>(text).map_err(|error| error.to_string())?.check()
    }

    #[test]
    fn templates_of_operators_need_words() {
        let own = "address = \"127.0.0.1:5514\"\nsuccess = [\"$PN $MAC Resynchronisation réussie $PATH\"]";
        assert!(checked(own).is_ok_and(|syslog| syslog.messages != Messages::default()));
        assert!(checked("").expect_err("no address").starts_with("syslog.address is missing"));
        let error = checked("address = \"127.0.0.1:1\"\nupgrade_failure = [\"$ERR\"]").expect_err("no words");
        assert!(error.starts_with("syslog.upgrade_failure: `$ERR` has no text of its own"), "{error}");
    }

    #[test]
    fn streams_are_as_many_as_there_may_be_and_one_address_has_no_more_than_all() {
        let streams = |more: &str| {
            let checked = checked(&format!("address = \"127.0.0.1:5514\"\n{more}"));
            checked.map(|syslog| (syslog.streams, syslog.streams_per_address))
        };
        assert_eq!(streams(""), Ok((1024, 64)));
        assert_eq!(streams("streams = 10"), Ok((10, 10)));
        assert_eq!(streams("streams = 2000\nstreams_per_address = 2000"), Ok((2000, 2000)));
        for (text, what) in [
            ("streams = 0", "syslog.streams is 0: expected 1 to"),
            ("streams = 63\nstreams_per_address = 64", "syslog.streams_per_address is 64: expected 1 to 63"),
            ("streams_per_address = 0", "syslog.streams_per_address is 0: expected 1 to 1024"),
            ("streams = 70000", "syslog.streams is 70000"),
        ] {
            let error = streams(text).expect_err("refused");
            assert!(error.starts_with(what), "{error}");
        }
    }
}
