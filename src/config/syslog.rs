//! `[syslog]`: where phones say what became of their resyncs.

use std::net::SocketAddr;

use serde::Deserialize;

use crate::syslog::{Messages, Stage, Template};

/// The receiver of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syslog {
    /// Where, over UDP and TCP.
    pub address: SocketAddr,
    /// What lines are held against.
    pub messages: Messages,
}

/// The table as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    address: Option<SocketAddr>,
    request: Vec<String>,
    success: Vec<String>,
    failure: Vec<String>,
    upgrade_request: Vec<String>,
    upgrade_success: Vec<String>,
    upgrade_failure: Vec<String>,
}

impl Written {
    /// Reads the operator's own templates.
    pub(super) fn check(self) -> Result<Syslog, String> {
        let address = self.address.ok_or("syslog.address is missing: such as \"0.0.0.0:514\"")?;
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
        Ok(Syslog { address, messages: Messages::new(own) })
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
}
