//! `expired` and `renew` of a `[[rule]]`: what becomes of a phone whose certificate has run out.

use std::time::Duration;

use crate::profile::macros::Macros;
use crate::profile::name::{Name, Star};
use crate::profile::path::RequestPath;

/// What a certificate is worth that is as good as ever but for its date. Nothing but the date is forgiven.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Expired {
    /// Nothing.
    #[default]
    Refuse,
    /// As much as before, for this long after its end.
    Within(Duration),
    /// The one profile that has the phone renew it, whatever it asks for.
    Renew(Renewal),
}

/// The path of that profile, in which macros stand for the phone's own values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    text: String,
    segments: Vec<Name>,
}

/// The most days that are forgiven: ten years, as long as the certificates were good for.
const MOST_DAYS: u64 = 3650;

impl Renewal {
    /// What the phone with these values would ask for; `None` where one is not known.
    #[must_use]
    pub fn path(&self, macros: &Macros) -> Option<RequestPath> {
        let names: Option<Vec<String>> = self.segments.iter().map(|name| name.expand(macros)).collect();
        RequestPath::from_tftp(names?.join("/").as_bytes()).ok()
    }

    /// Whether it is the same for every phone.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.segments.iter().all(Name::is_literal)
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = |reason: String| format!("rule.renew: `{text}`: {reason}");
        let relative = text.strip_prefix('/').ok_or_else(|| wrong("expected it to begin with `/`".into()))?;
        RequestPath::from_tftp(relative.as_bytes()).map_err(|error| wrong(error.to_string()))?;
        let segments = relative.split('/').map(|segment| Name::parse(segment, Star::Literal)).collect();
        Ok(Self { text: text.to_owned(), segments })
    }
}

impl Expired {
    /// Reads both keys of a rule.
    pub(super) fn parse(expired: Option<&str>, renew: Option<&str>) -> Result<Self, String> {
        let days = |text: &str| text.strip_suffix('d').and_then(|days| days.parse::<u64>().ok());
        match (expired, renew) {
            (Some("renew"), Some(path)) => Renewal::parse(path).map(Self::Renew),
            (Some("renew"), None) => {
                Err("rule.renew is missing: the profile that expired = \"renew\" gives, such as \"/renew.xml\"".into())
            }
            (_, Some(_)) => Err("rule.renew: only a rule with expired = \"renew\" has it".into()),
            (None | Some("refuse"), None) => Ok(Self::Refuse),
            (Some(text), None) => match days(text) {
                Some(days @ 1..=MOST_DAYS) => Ok(Self::Within(Duration::from_secs(days * 24 * 3600))),
                Some(_) | None => Err(format!(
                    "rule.expired: `{text}` is not understood: expected \"refuse\", \"renew\", or days from \"1d\" to \
                     \"{MOST_DAYS}d\""
                )),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::macros::Macro;

    #[test]
    fn each_way_is_read_and_others_say_what_would_be_right() {
        let parse = |expired, renew| Expired::parse(expired, renew);
        assert_eq!(parse(None, None), Ok(Expired::Refuse));
        assert_eq!(parse(Some("refuse"), None), Ok(Expired::Refuse));
        assert_eq!(parse(Some("90d"), None), Ok(Expired::Within(Duration::from_hours(90 * 24))));
        assert!(matches!(parse(Some("renew"), Some("/renew.xml")), Ok(Expired::Renew(_))));
        for (expired, renew) in [
            (Some("renew"), None),
            (Some("90d"), Some("/renew.xml")),
            (None, Some("/renew.xml")),
            (Some("90"), None),
            (Some("0d"), None),
            (Some("99999d"), None),
            (Some("-1d"), None),
            (Some("renew"), Some("renew.xml")),
            (Some("renew"), Some("/_renew.xml")),
            (Some("renew"), Some("/../renew.xml")),
        ] {
            let error = parse(expired, renew).expect_err("refused");
            assert!(error.starts_with("rule."), "{error}");
        }
    }

    #[test]
    fn the_path_is_the_phones_own() {
        let Ok(Expired::Renew(renewal)) = Expired::parse(Some("renew"), Some("/renew/$PN.xml")) else {
            panic!("not understood")
        };
        let mut macros = Macros::default();
        assert_eq!(renewal.path(&macros), None, "the product is not known");
        assert!(macros.bind(Macro::Pn, "CP-8841-3PCC"));
        assert_eq!(renewal.path(&macros).expect("a path").as_str(), "renew/CP-8841-3PCC.xml");
    }
}
