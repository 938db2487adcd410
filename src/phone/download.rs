//! A phone's requests: its name, its limits, its credentials; and the log messages around them.

use std::net::SocketAddr;

use jiff::Timestamp;

use super::credentials::Credentials;
use super::event::{Event, Events};
use super::failure::Failure;
use super::family::Family;
use super::url::Url;
use super::variables::Sight;
use super::wire::Wire;
use super::wire::fetch::{Ask, Got, Keep, Method, Upload, fetch};
use super::{Phone, syslog};
use crate::device::Secret;
use crate::profile::rule::Access;

/// Something to ask for.
pub(super) struct Job<'a> {
    pub(super) url: &'a Url,
    /// Where to connect to for it.
    pub(super) places: Vec<SocketAddr>,
    pub(super) access: &'a Access,
    pub(super) method: Method,
    pub(super) upload: Option<Upload>,
    pub(super) keep: Keep,
}

impl<'a> Job<'a> {
    /// A file that is kept whole.
    pub(super) fn get(url: &'a Url, places: Vec<SocketAddr>, access: &'a Access, limit: usize) -> Self {
        Self { url, places, access, method: Method::Get, upload: None, keep: Keep::Whole(limit) }
    }
}

impl Phone {
    /// Asks as this phone does.
    pub(super) async fn ask(&self, wire: &Wire, job: Job<'_>, events: &mut dyn Events) -> Result<Got, Failure> {
        let (user_agent, tls) = (self.user_agent(), self.tls());
        let credentials = job.access.uid.as_ref().map(|uid| Credentials {
            user: uid.expose().to_owned(),
            password: job.access.pwd.clone().unwrap_or_else(|| Secret::new(String::new())),
        });
        let ask = Ask {
            method: job.method,
            url: job.url.clone(),
            places: job.places,
            user_agent: &user_agent,
            is_mpp: self.family() == Family::Mpp,
            fips: self.is_under_fips(),
            upload: job.upload,
            credentials: credentials.as_ref(),
            trust: self.trust(wire),
            identity: self.identity.as_deref(),
            tls: &tls,
            check: self.name_check(),
            keep: job.keep,
        };
        fetch(wire, ask, events).await
    }

    /// Sends the message in a log parameter to `Syslog_Server` and `Debug_Server`; a blank one is off.
    pub(super) async fn log(&self, wire: &Wire, parameter: &str, sight: &Sight<'_>, events: &mut dyn Events) {
        let template = self.value(parameter);
        let servers = ["Syslog_Server", "Debug_Server"].map(|name| syslog::server(self.value(name)));
        if template.trim().is_empty() || (servers.iter().all(Option::is_none) && !events.listens()) {
            return;
        }
        let text = sight.expand(template);
        if servers.iter().all(Option::is_none) {
            events.tell(Event::Logged { text: &text, server: None });
        }
        let now = Timestamp::from_second(sight.now).unwrap_or_default();
        let datagram = syslog::datagram(self.value("Syslog_Identifier"), &self.unit, now, &text);
        for (host, port) in servers.into_iter().flatten() {
            let address = wire.names.addresses(&host).await.ok().and_then(|found| found.into_iter().next());
            let sent = match address {
                Some(address) => syslog::send(SocketAddr::new(address, port), &datagram).await.is_ok(),
                None => false,
            };
            let place = if sent { format!("{host}:{port}") } else { format!("{host}:{port} (not reached)") };
            events.tell(Event::Logged { text: &text, server: Some(&place) });
        }
    }
}
