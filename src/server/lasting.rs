//! What the process keeps from its start to its end, whatever a reload says.

use std::path::PathBuf;

use crate::config::{Admin, Config, Events, Format, Intake, LogLevel, Place, Syslog, Uploads};

/// The settings of a configuration that count from the next start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lasting {
    level: LogLevel,
    format: Format,
    state: Option<PathBuf>,
    admin: Admin,
    store: Option<(Place, usize)>,
    events: Option<Events>,
    syslog: Option<Syslog>,
    uploads: Option<Uploads>,
    intake: Vec<Intake>,
}

impl Lasting {
    /// Those of a configuration.
    pub(super) fn of(config: &Config) -> Self {
        let store = config.store.as_ref();
        Self {
            level: config.log.level.clone(),
            format: config.log.format,
            state: config.state.clone(),
            admin: config.admin.clone(),
            store: store.map(|store| (store.place.clone(), store.remembered)),
            events: config.events.clone(),
            syslog: config.syslog.clone(),
            uploads: config.uploads.clone(),
            intake: config.intake.clone(),
        }
    }

    /// Has a configuration go on with what requests need of it.
    pub(super) fn keep_in(&self, config: &mut Config) {
        config.log.level = self.level.clone();
        config.log.format = self.format;
    }

    /// Whether a configuration means the store that is open.
    pub(super) fn has_the_store_of(&self, config: &Config) -> bool {
        let place = config.store.as_ref().map(|store| &store.place);
        place == self.store.as_ref().map(|(place, _)| place)
    }

    /// What is otherwise there, as the configuration calls it.
    pub(super) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let all = [
            ("log.level", self.level != other.level),
            ("log.format", self.format != other.format),
            ("state", self.state != other.state),
            ("admin.address", self.admin != other.admin),
            ("[store]", self.store != other.store),
            ("[events]", self.events != other.events),
            ("[syslog]", self.syslog != other.syslog),
            ("[uploads]", self.uploads != other.uploads),
            ("[[intake]]", self.intake != other.intake),
        ];
        all.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
    }
}
