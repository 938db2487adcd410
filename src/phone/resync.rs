//! One resync: `Profile_Rule` to `_D` in their order, until one fails.

use std::net::SocketAddr;
use std::time::Duration;

use super::alias::Aliases;
use super::download::Job;
use super::event::{Event, Events};
use super::failure::Failure;
use super::family::Family;
use super::schedule::{Chance, Delays, Due, at_time};
use super::unpack::{Keys, unpack};
use super::url::{Scheme, Url};
use super::variables::{Sight, told};
use super::wire::fetch::{Method, Upload};
use super::wire::{Lookup, Wire};
use super::{Cause, Moment, Outcome, Phone, Profiles, Upgrade};
use crate::profile::flat::FlatProfile;
use crate::profile::rule::{Decision, Dialect, Fetch, Location, Rule};
use crate::profile::variable::Masked;
use bytes::Bytes;

/// The rules of one resync, in the order of their evaluation.
const RULES: [&str; 4] = ["Profile_Rule", "Profile_Rule_B", "Profile_Rule_C", "Profile_Rule_D"];

/// The conditions beside them.
const TRIGGERS: [&str; 2] = ["Resync_Trigger_1", "Resync_Trigger_2"];

/// What an MPP phone asks for when DHCP named a server and its first file is not there (Cisco "Provisioning").
const FALLBACK: &str = "/Cisco/$PN/$MA.cfg";

/// What an MPP phone asks the service of its domain for, beside its first file.
const SERVICE_FALLBACK: &str = "/Cisco/$MA.cfg";

/// Where a profile may be.
struct Place {
    url: Url,
    /// Whether the URL's host is the domain of a service, to be looked up by SRV.
    by_service: bool,
}

impl Phone {
    /// Does one resync.
    pub async fn resync(&mut self, moment: Moment<'_>, events: &mut dyn Events) -> Outcome {
        if let Some(why) = self.forbids(moment, events) {
            events.tell(Event::Ended(why));
            return Outcome { profiles: Profiles::Off(why), upgrade: Upgrade::NotDue };
        }
        let profiles = self.sequence(moment, events).await;
        self.state.resynced = Some(moment.now.as_second());
        let mut upgrade = Upgrade::NotDue;
        match &profiles {
            Profiles::Failed { .. } => self.state.failures = self.state.failures.saturating_add(1),
            Profiles::Off(_) => {}
            Profiles::Applied(_) => {
                self.state.failures = 0;
                self.state.successes = self.state.successes.saturating_add(1);
                upgrade = self.upgrade(moment, events).await;
            }
        }
        Outcome { profiles, upgrade }
    }

    /// When the next resync is due, and why; `None` is never. `second` is the second of the day where the phone is.
    #[must_use]
    pub fn next(&self, outcome: &Outcome, second: u32, chance: Chance) -> Option<Due> {
        if let Profiles::Failed { .. } = outcome.profiles {
            let delays = Delays::parse(self.value("Resync_Error_Retry_Delay"));
            let delay = delays.at(self.state.failures.saturating_sub(1), chance).or(self.family().zero_retry());
            let why = "of Resync_Error_Retry_Delay; then the sequence begins again from Profile_Rule";
            return delay.map(|delay| Due { delay, cause: Cause::Retry, why });
        }
        if outcome.upgrade.was_attempted() && self.is_on("Resync_After_Upgrade_Attempt") {
            let why = "of Resync_After_Upgrade_Attempt";
            return Some(Due { delay: Duration::ZERO, cause: Cause::Upgrade, why });
        }
        let timer = |delay, why| Due { delay, cause: Cause::Periodic, why };
        let at = at_time(self.value("Resync_At__HHmm_"), self.value("Resync_At_Random_Delay"), second, chance);
        let periodic =
            || Delays::parse(self.value("Resync_Periodic")).at(self.state.successes.saturating_sub(1), chance);
        let regular = at.map(|delay| timer(delay, "until Resync_At__HHmm_"));
        let regular = regular.or_else(|| periodic().map(|delay| timer(delay, "of Resync_Periodic")));
        let has_failed = !self.upgrade_error.is_empty();
        let upgrade =
            has_failed.then(|| Delays::parse(self.value("Upgrade_Error_Retry_Delay")).at(0, chance)).flatten();
        let upgrade = upgrade.map(|delay| timer(delay, "of Upgrade_Error_Retry_Delay"));
        regular.into_iter().chain(upgrade).min_by_key(|due| due.delay)
    }

    /// Why there is no resync at all.
    fn forbids(&self, moment: Moment<'_>, events: &mut dyn Events) -> Option<&'static str> {
        if !self.is_on("Provision_Enable") {
            return Some("Provision_Enable is No");
        }
        if moment.cause == Cause::PowerUp && !self.is_on("Resync_On_Reset") {
            return Some("Resync_On_Reset is No");
        }
        let is_timed = !matches!(moment.cause, Cause::Explicit | Cause::Upgrade);
        let is_gated = self.family() == Family::Mpp && is_timed && self.sets_triggers();
        if is_gated && self.true_trigger(moment, events).is_none() {
            return Some("neither Resync_Trigger_1 nor Resync_Trigger_2 holds");
        }
        None
    }

    /// Whether a trigger of this phone's sets a resync off. On MPP phones they are gates instead: they hold up what is due
    /// (MPP guide, "Provisioning Formats"; the SPA guide and a table of the MPP guide have the other reading).
    pub(super) fn has_triggers(&self) -> bool {
        self.family() != Family::Mpp && self.sets_triggers()
    }

    /// The one that does so now.
    pub(super) fn triggered(&self, moment: Moment<'_>) -> Option<&'static str> {
        self.has_triggers().then(|| self.true_trigger(moment, &mut ())).flatten()
    }

    fn sets_triggers(&self) -> bool {
        TRIGGERS.iter().any(|name| !self.value(name).trim().is_empty())
    }

    fn true_trigger(&self, moment: Moment<'_>, events: &mut dyn Events) -> Option<&'static str> {
        let sight = self.sight(moment);
        TRIGGERS.into_iter().find(|name| holds(name, self.value(name), &sight, events))
    }

    async fn sequence(&mut self, moment: Moment<'_>, events: &mut dyn Events) -> Profiles {
        let mut applied = 0;
        self.renew_authorities(moment, events).await;
        for rule in RULES {
            match self.one_rule(rule, moment, events).await {
                Ok(true) => applied += 1,
                Ok(false) => {}
                Err(failure) => {
                    events.tell(Event::Failed { name: rule, failure: &failure });
                    let sight = Sight { err: failure.err(), ..self.sight(moment) };
                    self.log(moment.wire, self.family().log_failure(), &sight, events).await;
                    return Profiles::Failed { rule, failure };
                }
            }
        }
        Profiles::Applied(applied)
    }

    /// Whether the rule led to a profile, which is applied then.
    async fn one_rule(
        &mut self,
        rule: &'static str,
        moment: Moment<'_>,
        events: &mut dyn Events,
    ) -> Result<bool, Failure> {
        let sight = self.sight(moment);
        let Some(parsed) = self.rule(rule, Dialect::Profile)? else {
            return Ok(false);
        };
        if events.listens() {
            let shown = parsed.evaluate(&Masked(&sight));
            let places = self.first_places(rule, &shown, moment.wire);
            events.tell(Event::Rule { name: rule, decision: &told(&shown, places.as_deref()) });
        }
        let decision = parsed.evaluate(&sight);
        let Some(taken) = decision.taken else {
            events.tell(Event::Skipped { name: rule, why: "no alternative holds" });
            return Ok(false);
        };
        for (name, value) in &taken.assignments {
            events.tell(Event::Assigned { name, value });
            self.assign(name, value);
        }
        let Some(fetch) = taken.fetches.into_iter().next() else {
            events.tell(Event::Skipped { name: rule, why: "it has no address" });
            return Ok(false);
        };
        let mut places = self.places(rule, &fetch, moment.wire)?.into_iter().peekable();
        while let Some(place) = places.next() {
            match self.profile_at(&place, &fetch, moment, events).await {
                Err(failure) if places.peek().is_some() => events.tell(Event::Failed { name: rule, failure: &failure }),
                result => return result,
            }
        }
        Err(Failure::NoServer)
    }

    /// Where a phone asks that is told no server by its first rule, for people: as DHCP says, and not as the rule does.
    fn first_places(&self, rule: &str, decision: &Decision, wire: &Wire) -> Option<String> {
        let fetch = decision.taken.as_ref()?.fetches.first()?;
        if rule != RULES[0] || !fetch.expanded.starts_with('/') {
            return None;
        }
        let places = self.places(rule, fetch, wire).ok()?;
        let places: Vec<String> = places.iter().map(|place| place.url.to_string()).collect();
        Some(format!("{}, which is first contact: {}", fetch.expanded, places.join(", then ")))
    }

    /// Where to ask, in order: one place, or the several of first contact.
    fn places(&self, rule: &str, fetch: &Fetch, wire: &Wire) -> Result<Vec<Place>, Failure> {
        let is_first = rule == RULES[0] && fetch.expanded.starts_with('/');
        if let (true, None, Some(domain), Family::Mpp) = (is_first, &wire.option_66, &wire.domain, self.family()) {
            return Ok(self.by_service(domain, &fetch.expanded));
        }
        let Some(option) = wire.option_66.as_deref().filter(|_| is_first) else {
            return match &fetch.location {
                Ok(Location::Url(url)) => Ok(vec![Place { url: url.clone(), by_service: fetch.access.srv }]),
                Ok(Location::Activation(_)) => Err(Failure::Url(
                    "gds:// leads to Cisco's onboarding service, which a simulated phone does not ask".to_owned(),
                )),
                Err(error) => Err(Failure::Url(error.to_string())),
            };
        };
        let mut places = Vec::new();
        for server in option.split(';').map(str::trim).filter(|server| !server.is_empty()) {
            self.first_contact(server, &fetch.expanded, &mut places)?;
        }
        if places.is_empty() { Err(Failure::NoServer) } else { Ok(places) }
    }

    /// The places of one server that DHCP named (Cisco "Provisioning", DHCP options): with a path just that; without, an
    /// MPP phone asks for its file and for [`FALLBACK`], by TFTP, HTTP and HTTPS unless a scheme is named. An ATA asks by
    /// `Transport_Protocol`, an SPA device by TFTP.
    fn first_contact(&self, server: &str, path: &str, places: &mut Vec<Place>) -> Result<(), Failure> {
        let (scheme, rest) = match server.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, server),
        };
        let named = rest.split_once('/').filter(|(_, path)| !path.is_empty());
        let host = named.map_or(rest.trim_end_matches('/'), |(host, _)| host);
        let sight = Sight::of(self);
        let paths = match named {
            Some((_, path)) => vec![format!("/{}", sight.expand(path))],
            None if self.family() == Family::Mpp => vec![path.to_owned(), sight.expand(FALLBACK)],
            None => vec![path.to_owned()],
        };
        let schemes: Vec<&str> = match (scheme, self.family()) {
            (Some(scheme), _) => vec![scheme],
            (None, Family::Mpp) => vec!["tftp", "http", "https"],
            (None, Family::Ata) => vec![Scheme::parse(self.value("Transport_Protocol")).map_or("tftp", Scheme::as_str)],
            (None, Family::Spa) => vec!["tftp"],
        };
        for scheme in schemes {
            for path in &paths {
                match Url::parse(&format!("{scheme}://{host}{path}"), None) {
                    Ok(Location::Url(url)) => places.push(Place { url, by_service: false }),
                    Ok(Location::Activation(_)) => {}
                    Err(error) => return Err(Failure::Url(format!("DHCP option 66 `{server}`: {error}"))),
                }
            }
        }
        Ok(())
    }

    /// Without option 66 an MPP phone asks the provisioning service of its domain, by HTTPS and then by HTTP, for two names
    /// (Cisco "Provisioning", DNS SRV).
    fn by_service(&self, domain: &str, path: &str) -> Vec<Place> {
        let paths = [path.to_owned(), Sight::of(self).expand(SERVICE_FALLBACK)];
        let of = |scheme: Scheme, path: &String| Place {
            url: Url { scheme, host: domain.to_owned(), port: scheme.port(), path: path.clone() },
            by_service: true,
        };
        let schemes = [Scheme::Https, Scheme::Http];
        schemes.into_iter().flat_map(|scheme| paths.iter().map(move |path| of(scheme, path))).collect()
    }

    /// Fetches one profile and applies it. `false`: there is none, and `Resync_Fails_On_FNF` lets that pass.
    async fn profile_at(
        &mut self,
        place: &Place,
        fetch: &Fetch,
        moment: Moment<'_>,
        events: &mut dyn Events,
    ) -> Result<bool, Failure> {
        let url = &place.url;
        let lookup = if place.by_service { Lookup::Service(Chance::random()) } else { Lookup::Address };
        let places = moment.wire.places(url, lookup).await?;
        let at = Some((url, places.first().map(SocketAddr::ip)));
        let sight = Sight { url: at, ..self.sight(moment) };
        self.log(moment.wire, self.family().log_request(), &sight, events).await;
        let mut job = Job::get(url, places, &fetch.access, moment.wire.limits.download);
        if let Some(register) = fetch.access.post {
            let body = Bytes::from(sight.expand(self.value(&register.parameter())));
            // What SPA devices call the body is not documented; text is what it is.
            job.upload = Some(Upload { body, content_type: "text/plain".to_owned(), headers: Vec::new() });
            job.method = Method::Post;
        }
        let got = match self.ask(moment.wire, job, events).await {
            Err(Failure::NotFound) if !self.is_on("Resync_Fails_On_FNF") => {
                events.tell(Event::Noted("not found, which counts as success: Resync_Fails_On_FNF is No"));
                return Ok(false);
            }
            other => other?,
        };
        let ikm = Some(self.value("IKM_HTTP_Encrypt_Content")).filter(|ikm| !ikm.is_empty());
        let keys = Keys { key: fetch.access.key.as_ref(), ikm, encoding: self.choices.ikm };
        let file = unpack(&got.body, &got.codings, keys, moment.wire.limits.profile, events)?;
        let read = match fetch.access.alias {
            None => FlatProfile::read(&file),
            Some(register) => Aliases::parse(&sight.expand(self.value(&register.parameter())))?.read(&file),
        };
        let profile = read.map_err(|error| Failure::Corrupt(error.to_string()))?;
        self.apply(&profile, events);
        let sight = Sight { url: at, ..self.sight(moment) };
        self.log(moment.wire, self.family().log_success(), &sight, events).await;
        self.renew_authorities(moment, events).await;
        Ok(true)
    }
}

/// Whether a trigger is set and holds. One that cannot be read holds never.
fn holds(name: &str, text: &str, sight: &Sight<'_>, events: &mut dyn Events) -> bool {
    if text.trim().is_empty() {
        return false;
    }
    match Rule::parse(text, Dialect::Trigger) {
        Ok(rule) => rule.evaluate(sight).taken.is_some(),
        Err(error) => {
            events.tell(Event::Noted(&format!("{name} cannot be read: {error}")));
            false
        }
    }
}
