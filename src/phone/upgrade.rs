//! `Upgrade_Rule`: the image is fetched and counted, and the phone pretends to run it.

use std::net::SocketAddr;

use super::download::Job;
use super::event::{Event, Events};
use super::failure::Failure;
use super::state::Upgraded;
use super::url::Url;
use super::variables::Sight;
use super::wire::Lookup;
use super::wire::fetch::{Keep, Method};
use super::{Cause, Moment, Phone, Upgrade};
use crate::profile::rule::{Dialect, Location};

impl Phone {
    /// Fetches an image if the rule asks for one that the phone has not: the rule runs again only when its text or the
    /// address that it comes to changes (Cisco "Provisioning Formats"). Firmware of that name is installed already.
    pub(super) async fn upgrade(&mut self, moment: Moment<'_>, events: &mut dyn Events) -> Upgrade {
        // The resync after an attempt is not followed by another one.
        if !self.is_on("Upgrade_Enable") || moment.cause == Cause::Upgrade {
            return Upgrade::NotDue;
        }
        let url = match self.image_to_fetch(moment, events) {
            Ok(None) => return Upgrade::NotDue,
            Ok(Some(url)) => url,
            Err(failure) => return Upgrade::Wrong(self.upgrade_failed(moment, failure, events).await),
        };
        self.state.upgrade_attempted = Some(moment.now.as_second());
        match self.fetch_image(moment, &url, events).await {
            Ok(()) => {
                self.upgrade_error.clear();
                Upgrade::Done
            }
            Err(failure) => Upgrade::Failed(self.upgrade_failed(moment, failure, events).await),
        }
    }

    /// Tells of a failure and remembers it.
    async fn upgrade_failed(&mut self, moment: Moment<'_>, failure: Failure, events: &mut dyn Events) -> Failure {
        // The one text that Cisco prints for $UPGERR.
        "http_get failed".clone_into(&mut self.upgrade_error);
        events.tell(Event::Failed { name: "Upgrade_Rule", failure: &failure });
        let sight = Sight { err: failure.err(), ..self.sight(moment) };
        self.log(moment.wire, "Log_Upgrade_Failure_Msg", &sight, events).await;
        failure
    }

    fn image_to_fetch(&self, moment: Moment<'_>, events: &mut dyn Events) -> Result<Option<Url>, Failure> {
        const NAME: &str = "Upgrade_Rule";
        let Some(decision) = self.decide(NAME, Dialect::Upgrade, &self.sight(moment), events)? else {
            return Ok(None);
        };
        let Some(fetch) = decision.taken.and_then(|taken| taken.fetches.into_iter().next()) else {
            events.tell(Event::Skipped { name: NAME, why: "no alternative leads to an image" });
            return Ok(None);
        };
        let url = match fetch.location.map_err(|error| Failure::Url(error.to_string()))? {
            Location::Url(url) => url,
            Location::Activation(_) => return Err(Failure::Url("firmware does not come by activation".to_owned())),
        };
        let same = |done: &Upgraded| done.rule == self.value(NAME) && done.url == url.to_string();
        let why = if self.state.upgraded.as_ref().is_some_and(same) {
            "neither rule nor address changed since the last upgrade"
        } else if firmware_of(&url) == Some(self.unit.firmware.as_str()) {
            "that firmware runs already"
        } else {
            return Ok(Some(url));
        };
        events.tell(Event::Skipped { name: NAME, why });
        Ok(None)
    }

    async fn fetch_image(&mut self, moment: Moment<'_>, url: &Url, events: &mut dyn Events) -> Result<(), Failure> {
        let places = moment.wire.places(url, Lookup::Address).await?;
        let at = Some((url, places.first().map(SocketAddr::ip)));
        let sight = Sight { url: at, ..self.sight(moment) };
        self.log(moment.wire, "Log_Upgrade_Request_Msg", &sight, events).await;
        let access = crate::profile::rule::Access::default();
        let keep = Keep::Count(moment.wire.limits.image);
        let job = Job { url, places, access: &access, method: Method::Get, upload: None, keep };
        let got = self.ask(moment.wire, job, events).await?;
        match got.announced {
            _ if got.octets == 0 => return Err(Failure::Image("it is empty".to_owned())),
            Some(announced) if announced != got.octets => {
                let text = format!("{} octets came, and {announced} were announced", got.octets);
                return Err(Failure::Image(text));
            }
            Some(_) | None => {}
        }
        if let Some(firmware) = firmware_of(url) {
            events.tell(Event::Noted(&format!("pretends to run {firmware} now, {} octets", got.octets)));
            firmware.clone_into(&mut self.unit.firmware);
            self.state.firmware = Some(firmware.to_owned());
        }
        self.state.upgraded = Some(Upgraded { rule: self.value("Upgrade_Rule").to_owned(), url: url.to_string() });
        let sight = Sight { url: at, ..self.sight(moment) };
        self.log(moment.wire, "Log_Upgrade_Success_Msg", &sight, events).await;
        Ok(())
    }
}

/// The firmware in an image's name: `sip88xx.11-3-2MPP0001-609` of `/image/sip88xx.11-3-2MPP0001-609.loads`.
fn firmware_of(url: &Url) -> Option<&str> {
    let name = url.path.split('?').next()?.rsplit('/').next()?;
    let name = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let fits = !name.is_empty() && name.len() <= 100 && name.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then_some(name)
}
