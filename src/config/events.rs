//! `[events]`: what is kept of what happens.

use std::time::Duration;

use serde::Deserialize;

use super::Period;

/// Events in the store, and how long they stay there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Events {
    /// How long.
    pub keep: Period,
    /// How many at the most; the oldest go first.
    pub most: u64,
}

/// The shortest time that is worth a table.
const SHORTEST: Duration = Duration::from_mins(1);

impl Default for Events {
    fn default() -> Self {
        Self { keep: Period::seconds(30 * 24 * 3600), most: 5_000_000 }
    }
}

impl Events {
    /// Events need a store to be in.
    pub(super) fn check(self, has_store: bool) -> Result<Self, String> {
        if !has_store {
            return Err("[events] are kept in the store, and there is none: add [store]".into());
        }
        if self.keep.duration() < SHORTEST {
            return Err(format!("events.keep is {}: expected \"1m\" at the least", self.keep));
        }
        if self.most == 0 {
            return Err("events.most is 0: leave [events] out to keep none".into());
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str, has_store: bool) -> Result<Events, String> {
        toml::from_str::<Events>(text).map_err(|error| error.to_string())?.check(has_store)
    }

    #[test]
    fn events_need_a_store_and_some_time() {
        assert_eq!(checked("", true), Ok(Events::default()));
        assert!(checked("", false).expect_err("no store").contains("add [store]"));
        assert!(checked("keep = \"10s\"", true).expect_err("too short").starts_with("events.keep is 10s"));
        assert!(checked("most = 0", true).is_err() && checked("least = 0", true).is_err());
    }
}
