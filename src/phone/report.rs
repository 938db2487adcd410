//! `Report_Rule`: what a phone tells about itself (Cisco "Third-party call control").

use std::collections::BTreeMap;

use super::download::Job;
use super::event::{Event, Events};
use super::failure::Failure;
use super::wire::Lookup;
use super::wire::fetch::{Keep, Method, Upload};
use super::{Moment, Phone};
use crate::cipher::Scheme;
use crate::profile::flat::{FlatProfile, Parameter};
use crate::profile::parameters::is_secret;
use crate::profile::rule::{Access, Dialect, Location, Report};
use bytes::Bytes;

impl Phone {
    /// Sends the report or the two that `Report_Rule` asks for, each once and without another try.
    ///
    /// # Errors
    /// The rule is wrong, or a server did not take a report.
    pub async fn report(&mut self, moment: Moment<'_>, events: &mut dyn Events) -> Result<(), Failure> {
        let result = self.send_reports(moment, events).await;
        self.changed_by_hand = false;
        if let Err(failure) = &result {
            events.tell(Event::Failed { name: "Report_Rule", failure });
        }
        result
    }

    async fn send_reports(&mut self, moment: Moment<'_>, events: &mut dyn Events) -> Result<(), Failure> {
        const NAME: &str = "Report_Rule";
        let sight = self.sight(moment);
        let taken = self.decide(NAME, Dialect::Report, &sight, events)?.and_then(|decision| decision.taken);
        let Some(taken) = taken else {
            events.tell(Event::Skipped { name: NAME, why: "it is blank, or no alternative holds" });
            return Ok(());
        };
        for fetch in taken.fetches {
            let url = match fetch.location.map_err(|error| Failure::Url(error.to_string()))? {
                Location::Url(url) => url,
                Location::Activation(_) => return Err(Failure::Url("reports do not go to activation".to_owned())),
            };
            let places = moment.wire.places(&url, Lookup::Address).await?;
            let upload = self.enclosed(&self.content(fetch.access.report), &fetch.access, events)?;
            let method = Method::of_upload(self.value("HTTP_Report_Method"));
            let access = &fetch.access;
            let job = Job { url: &url, places, access, method, upload: Some(upload), keep: Keep::Nothing };
            self.ask(moment.wire, job, events).await?;
            self.state.reported = Some(self.state.parameters.clone());
        }
        Ok(())
    }

    /// The XML of a report. It holds the parameters that were set; a real phone's has all that it knows, and marks those
    /// that its user changed by `um="y"`, which a phone without a user never does.
    fn content(&self, report: Report) -> String {
        let set: BTreeMap<&str, &str> = match report {
            Report::Status => self.status(),
            Report::Full => pairs(&self.state.parameters).collect(),
            Report::Delta => {
                let before = self.state.reported.as_ref();
                let changed =
                    |name: &str, value: &str| before.and_then(|before| before.get(name)).is_none_or(|old| old != value);
                pairs(&self.state.parameters).filter(|(name, value)| changed(name, value)).collect()
            }
        };
        let told = set.into_iter().filter(|(name, _)| !is_secret(name));
        let parameters = told.filter_map(|(name, value)| Parameter::new(name, value).ok());
        FlatProfile { parameters: parameters.collect(), ..FlatProfile::default() }.to_xml()
    }

    /// The status fields that templates made from downloads have.
    fn status(&self) -> BTreeMap<&str, &str> {
        let unit = &self.unit;
        let fields = [
            ("Product_Name", unit.model.as_str()),
            ("Serial_Number", unit.serial.as_str()),
            ("Software_Version", unit.firmware.as_str()),
            ("Hardware_Version", unit.hardware.as_str()),
            ("Client_Certificate", if self.identity.is_some() { "Installed" } else { "Not Installed" }),
        ];
        fields.into_iter().collect()
    }

    /// The body: under `--key`, or under the keying material where there is one, or in clear.
    fn enclosed(&self, content: &str, access: &Access, events: &mut dyn Events) -> Result<Upload, Failure> {
        let mut headers = Vec::new();
        let body = if let Some(key) = &access.key {
            events.tell(Event::Noted("the report is encrypted with AES-256-CBC by --key"));
            Scheme::Aes256Cbc.encrypt(key.expose().as_bytes(), content.as_bytes())
        } else if let ikm @ [_, ..] = self.value("IKM_HTTP_Encrypt_Content").as_bytes() {
            let text = String::from_utf8_lossy(ikm);
            let encoding = self.choices.ikm;
            let material = encoding.decode(&text).map_err(|_| Failure::NoKeyingMaterial(encoding))?;
            headers.push(("Content-Encoding".to_owned(), "aes128gcm".to_owned()));
            events.tell(Event::Noted("the report is encrypted as aes128gcm by IKM_HTTP_Encrypt_Content"));
            Scheme::Aes128Gcm.encrypt(&material, content.as_bytes())
        } else {
            content.as_bytes().to_vec()
        };
        // Which type real phones give is not documented.
        Ok(Upload { body: Bytes::from(body), content_type: "text/xml".to_owned(), headers })
    }
}

fn pairs(parameters: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}
