//! `Custom_CA_Rule` and `Custom_CA_URL`: authorities of the operator's own, fetched like a profile.

use super::download::Job;
use super::event::{Event, Events};
use super::failure::Failure;
use super::state::CustomCa;
use super::unpack::{Keys, unpack};
use super::wire::{Lookup, Wire, first_name};
use super::{Moment, Phone};
use crate::profile::rule::{Dialect, Fetch, Location};

impl Phone {
    /// Fetches authorities when the rule changed, and forgets them when it is blank. When phones do so is not documented:
    /// here it is before the first profile, where somebody has set it at the phone, and after each profile, so that the next
    /// rule may already lead to a server of the new authority. A failure is told and does not fail the resync; the next one
    /// tries again.
    pub(super) async fn renew_authorities(&mut self, moment: Moment<'_>, events: &mut dyn Events) {
        let Some(parameter) = self.family().custom_ca() else { return };
        let rule = self.value(parameter).trim().to_owned();
        if self.state.custom_ca.as_ref().map_or("", |ca| ca.rule.as_str()) == rule {
            return;
        }
        if rule.is_empty() {
            (self.state.custom_ca, self.custom_trust) = (None, None);
            events.tell(Event::Noted("the authorities of its own are deleted: the rule is blank"));
            return;
        }
        match self.authorities(moment, parameter, events).await {
            Err(failure) => events.tell(Event::Failed { name: parameter, failure: &failure }),
            Ok(pem) => match self.install(moment.wire, rule, pem) {
                Ok(name) => events.tell(Event::Noted(&format!("{parameter}: installed: {name}"))),
                Err(failure) => events.tell(Event::Failed { name: parameter, failure: &failure }),
            },
        }
    }

    async fn authorities(
        &self,
        moment: Moment<'_>,
        parameter: &str,
        events: &mut dyn Events,
    ) -> Result<Vec<u8>, Failure> {
        let decision = self.decide(parameter, Dialect::Profile, &self.sight(moment), events)?;
        let fetch = decision.and_then(|decision| decision.taken).and_then(|taken| taken.fetches.into_iter().next());
        let Fetch { location, access, .. } = fetch.ok_or(Failure::Rule("it has no address".to_owned()))?;
        let url = match location.map_err(|error| Failure::Url(error.to_string()))? {
            Location::Url(url) => url,
            Location::Activation(_) => return Err(Failure::Url("authorities do not come by activation".to_owned())),
        };
        let places = moment.wire.places(&url, Lookup::Address).await?;
        let job = Job::get(&url, places, &access, moment.wire.limits.download);
        let got = self.ask(moment.wire, job, events).await?;
        // What the HTTP library asked to be coded, it undoes; nothing else of a profile's layers is for authorities.
        let keys = Keys { key: None, ikm: None, encoding: self.choices.ikm };
        Ok(unpack(&got.body, &got.codings, keys, moment.wire.limits.profile, events)?.into_owned())
    }

    fn install(&mut self, wire: &Wire, rule: String, pem: Vec<u8>) -> Result<String, Failure> {
        let useless = |error: String| Failure::Authority(error);
        let pem = String::from_utf8(pem).map_err(|_| useless("it is not PEM".to_owned()))?;
        let name = first_name(pem.as_bytes()).map_err(|error| useless(error.to_string()))?;
        let trust = wire.trust.with(pem.as_bytes()).map_err(|error| useless(error.to_string()))?;
        self.custom_trust = Some(trust);
        self.state.custom_ca = Some(CustomCa { rule, pem });
        Ok(name)
    }
}
