//! The configuration file as it is written: every table by name, nothing checked but the kinds of values.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::error::Findings;
use super::fault::words;
use super::{Admin, Api, Cache, ClientTls, ConfigError, Events, Keys, Lab, Limits, Lint, Log, Push, Throttle};
use super::{certificates, intake, listen, roster, rule, store, syslog, uploads};

/// Lines that one value may have for the faults behind it to be told of in the same go.
const LONGEST: usize = 64;

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) struct Written {
    pub(super) profiles: PathBuf,
    pub(super) state: Option<PathBuf>,
    pub(super) reflect: Option<String>,
    #[serde(default)]
    pub(super) listen: Vec<Spanned<listen::Written>>,
    #[serde(default)]
    pub(super) rule: Vec<Spanned<rule::Written>>,
    #[serde(default)]
    pub(super) certificates: certificates::Written,
    pub(super) allow: Option<roster::Written>,
    pub(super) deny: Option<roster::Written>,
    #[serde(default)]
    pub(super) variables: toml::Table,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) throttle: Throttle,
    #[serde(default)]
    pub(super) cache: Cache,
    #[serde(default)]
    pub(super) lint: Lint,
    #[serde(default)]
    pub(super) log: Log,
    #[serde(default)]
    pub(super) admin: Admin,
    #[serde(default)]
    pub(super) client_tls: ClientTls,
    #[serde(default)]
    pub(super) keys: Keys,
    pub(super) lab: Option<Lab>,
    pub(super) store: Option<store::Written>,
    pub(super) events: Option<Events>,
    #[serde(default)]
    pub(super) push: Push,
    pub(super) syslog: Option<syslog::Written>,
    pub(super) api: Option<Api>,
    pub(super) uploads: Option<uploads::Written>,
    #[serde(default)]
    pub(super) intake: Vec<Spanned<intake::Written>>,
}

impl Written {
    /// Reads it; what its parts say is not checked yet. The reader stops at the first fault, so that is taken out and the
    /// rest read again, until there is no more.
    pub(super) fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let mut findings = Findings::new(file, text);
        let mut rest = Some(text.to_owned());
        let mut taken = Vec::new();
        while let Some(text) = &rest {
            let error = match toml::from_str(text) {
                Ok(written) => return findings.end().map(|()| written),
                Err(error) => error,
            };
            let message = words(text, error.span(), error.message());
            // A key that was taken out with its fault is missing on our account.
            if !taken.iter().any(|key| message == format!("missing key `{key}`")) {
                findings.note(error.span(), Err::<(), _>(message));
            }
            taken.extend(error.span().and_then(|fault| key_at(text, &fault)));
            rest = error.span().and_then(|fault| without(text, fault));
        }
        Err(findings.into_error())
    }
}

/// The key whose value a fault is in.
fn key_at(text: &str, fault: &Range<usize>) -> Option<String> {
    let line = text.get(..fault.start)?.rsplit('\n').next()?;
    line.split_once('=').map(|(key, _)| key.trim().to_owned())
}

/// The text with spaces for the lines of a fault, and for all of a table whose header it is in; `None` where that leaves
/// no TOML, or nothing to take out.
fn without(text: &str, fault: Range<usize>) -> Option<String> {
    let start = text.get(..fault.start)?.rfind('\n').map_or(0, |end| end + 1);
    let line_end = |from: usize| text[from..].find('\n').map_or(text.len(), |length| from + length);
    let mut end = line_end(text.get(..fault.end).map_or(fault.start, str::len));
    if text[start..].trim_start().starts_with('[') {
        end = line_end(fault.start);
        while end < text.len() && !text[end + 1..].trim_start_matches([' ', '\t']).starts_with('[') {
            end = line_end(end + 1);
        }
    }
    // A value may go on over more lines than the fault names.
    for _ in 0..LONGEST {
        if text[start..end].trim().is_empty() || (start == 0 && end == text.len()) {
            return None;
        }
        // As many bytes, so that the next fault is on the line that it says.
        let spaces: String = text[start..end].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
        let shorter = [&text[..start], &spaces, &text[end..]].concat();
        if shorter.parse::<toml::Table>().is_ok() {
            return Some(shorter);
        }
        end = line_end((end + 1).min(text.len()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let error = Written::parse(text, Path::new("c")).expect_err("faults").to_string();
        error.lines().map(|line| line.split([',', '\n']).next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn a_key_with_a_fault_is_not_called_missing_too() {
        let told = faults("profiles = \"p\"\n[[rule]]\npath = \"**\"\nproof = \"nothing\"\n");
        assert_eq!(told.len(), 2, "{told:#?}");
        assert!(told[0].starts_with("c:3: `**` is not a path") && told[1].starts_with("c:4: "), "{told:#?}");
    }

    #[test]
    fn a_missing_key_is_missing_once() {
        let told = faults("# a comment\nprofils = \"p\"\n");
        assert!(told.len() == 2 && told[0] != told[1] && told[1].contains("unknown key `profils`"), "{told:#?}");
    }

    #[test]
    fn every_fault_is_told_of_at_once() {
        let text = "profiles = \"p\"\n[[listen]]\naddress = 1\nprotocol = \"http\"\n[[listen]]\nadress = \"ä\"\n[limits]\n\
                    idle = \"5 parsecs\"\nfoo = [\n1,\n]\n[nonsense]\nprofiles = 1\n[log]\nlevel = \"info\"\n";
        let told = faults(text);
        for expected in
            ["c:3: ", "c:6: unknown key `adress`", "c:8: ", "c:9: unknown key `foo`", "c:12: unknown key `nonsense`"]
        {
            assert!(told.iter().any(|fault| fault.starts_with(expected)), "{expected}: {told:#?}");
        }
        assert!(!told.iter().any(|fault| fault.starts_with("c:13") || fault.starts_with("c:15")), "{told:#?}");
    }

    #[test]
    fn what_is_no_toml_is_told_of_once() {
        assert_eq!(faults("profiles = \"p\"\n[listen\nfoo = 1\n").len(), 1);
        assert_eq!(faults("").len(), 1);
        assert_eq!(faults("foo = 1").len(), 1);
    }
}
