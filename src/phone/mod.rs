//! A simulated phone: it fetches its profiles as a Cisco flat-profile phone does, and says what it makes of them.
//!
//! It is an outsider to this server. It shares the codecs (ciphers, TFTP packets, macros, profile rules, profiles) and the
//! types of a device with it, and never sees the line from request to response.
//!
//! ```text
//! Phone::resync ─► Profile_Rule, _B, _C, _D ─► fetch ─► unpack ─► read ─► apply ─► Custom_CA_Rule ─► Upgrade_Rule
//!                  profile::rule               wire     unpack    profile::flat
//! ```
//!
//! A [`Phone`] is a [`Unit`] (what is printed on its box), a [`State`] (what it remembers) and perhaps an
//! [`Identity`]. A [`Wire`] is the network that it finds: it may be shared by thousands of phones, and so
//! may an identity's `Arc`. [`Phone::resync`] is one resync and nothing more: it waits for nothing but servers, prints
//! nothing, and spawns nothing that outlives it; what happens is told to an [`Events`], and `()` hears nothing.
//! When the next one is due is [`Phone::next`], a function of time and chance; [`follow`](follow::follow) goes on by it,
//! and [`fleet`] is thousands at once.
//!
//! What no document says is a choice with a safe default, and its doc comment says so.

pub mod credentials;
pub mod event;
pub mod failure;
pub mod family;
pub mod fleet;
pub mod follow;
pub mod schedule;
pub mod state;
pub mod syslog;
pub mod unit;
pub mod url;
pub mod wire;

mod alias;
mod apply;
mod custom_ca;
mod download;
mod manner;
mod moment;
mod outcome;
mod problem;
mod report;
mod report_timer;
mod resync;
mod unpack;
mod upgrade;
mod variables;

use std::sync::Arc;

pub use moment::{Cause, Moment};
pub use outcome::{Outcome, Profiles, Upgrade};

use crate::cipher::IkmEncoding;
use crate::profile::rule::{Decision, Dialect, Rule};
use crate::profile::variable::Masked;
use event::{Event, Events};
use failure::Failure;
use family::{Family, TlsVersion};
use state::State;
use unit::Unit;
use variables::Sight;
use wire::{Identity, Trust, Wire};

/// One simulated phone.
#[derive(Clone)]
pub struct Phone {
    /// What is printed on its box.
    pub unit: Unit,
    /// What it remembers; [`State::save`] keeps it.
    pub state: State,
    /// The certificate that it shows when a server asks.
    pub identity: Option<Arc<Identity>>,
    /// What no document says.
    pub choices: Choices,
    custom_trust: Option<Trust>,
    upgrade_error: String,
    /// Somebody has set a parameter at the phone itself, and no report has told of it.
    changed_by_hand: bool,
}

/// What a person may choose for a simulated phone because no document says it, or firmware differs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choices {
    /// How `IKM_HTTP_Encrypt_Content` is written.
    pub ikm: IkmEncoding,
    /// The oldest TLS instead of the family's.
    pub tls_min: Option<TlsVersion>,
    /// The newest TLS instead of the family's.
    pub tls_max: Option<TlsVersion>,
}

impl Phone {
    /// A phone with what it remembers; an upgrade that it pretended is part of that.
    ///
    /// # Errors
    /// The authorities that it remembers cannot be read.
    pub fn new(mut unit: Unit, state: State, wire: &Wire) -> Result<Self, wire::PemError> {
        if let Some(firmware) = &state.firmware {
            unit.firmware.clone_from(firmware);
        }
        let custom_trust = state.custom_ca.as_ref().map(|ca| wire.trust.with(ca.pem.as_bytes())).transpose()?;
        let choices = Choices::default();
        let (upgrade_error, changed_by_hand) = (String::new(), false);
        Ok(Self { unit, state, identity: None, choices, custom_trust, upgrade_error, changed_by_hand })
    }

    /// The family that it belongs to.
    #[must_use]
    pub fn family(&self) -> Family {
        self.unit.family()
    }

    /// A parameter's value: what was set, or its family's default; blank where there is neither.
    #[must_use]
    pub fn value(&self, parameter: &str) -> &str {
        self.known(parameter).unwrap_or_default()
    }

    /// The same, with `None` for what was never set and has no default.
    fn known(&self, parameter: &str) -> Option<&str> {
        let set = self.state.parameters.get(parameter).map(String::as_str);
        set.or_else(|| self.family().default_of(parameter, &self.unit.model))
    }

    /// Sets a parameter, as a person at the phone's web page would.
    pub fn set(&mut self, parameter: &str, value: &str) {
        self.changed_by_hand = true;
        self.assign(parameter, value);
    }

    /// Sets a parameter by itself.
    fn assign(&mut self, parameter: &str, value: &str) {
        self.state.parameters.insert(parameter.to_owned(), value.to_owned());
    }

    /// Whether a parameter is on; phones write `Yes` and `No`.
    fn is_on(&self, parameter: &str) -> bool {
        let value = self.value(parameter).trim();
        value.eq_ignore_ascii_case("Yes") || value == "1"
    }

    /// Whether `FIPS_Mode` is on. It takes away HTTP Digest; what it does to `--key` is not documented, and nothing here.
    fn is_under_fips(&self) -> bool {
        self.value("FIPS_Mode").trim().eq_ignore_ascii_case("Enabled")
    }

    /// Whom it believes.
    fn trust<'a>(&'a self, wire: &'a Wire) -> &'a Trust {
        self.custom_trust.as_ref().unwrap_or(&wire.trust)
    }

    /// Reads the rule in a parameter and decides by it; `None` is a blank one.
    fn decide(
        &self,
        parameter: &str,
        dialect: Dialect,
        sight: &Sight<'_>,
        events: &mut dyn Events,
    ) -> Result<Option<Decision>, Failure> {
        let Some(rule) = self.rule(parameter, dialect)? else { return Ok(None) };
        if events.listens() {
            let shown = variables::told(&rule.evaluate(&Masked(sight)), None);
            events.tell(Event::Rule { name: parameter, decision: &shown });
        }
        Ok(Some(rule.evaluate(sight)))
    }

    /// The rule in a parameter; `None` is a blank one.
    fn rule(&self, parameter: &str, dialect: Dialect) -> Result<Option<Rule>, Failure> {
        let text = self.value(parameter);
        if text.trim().is_empty() {
            return Ok(None);
        }
        Rule::parse(text, dialect).map(Some).map_err(|error| Failure::Rule(error.to_string()))
    }

    /// What it sees when it expands macros during a resync.
    fn sight<'a>(&'a self, moment: Moment<'a>) -> Sight<'a> {
        let Moment { wire, cause, now } = moment;
        Sight { cause, now: now.as_second(), server: wire.option_66.as_deref(), ..Sight::of(self) }
    }
}
