//! `PRT_Upload_Rule`: a problem report, as a form with an archive in it (Cisco "Phone features", sample script).

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::download::Job;
use super::event::{Event, Events};
use super::failure::Failure;
use super::variables::Sight;
use super::wire::Lookup;
use super::wire::fetch::{Keep, Method, Upload};
use super::{Moment, Phone};
use crate::profile::rule::{Dialect, Location};

/// What parts the fields of the form; no archive of gzip's holds it but by an unheard-of chance.
const BOUNDARY: &str = "------------------------70686f6e6570726f76";

/// The size of everything in a tar archive.
const TAR: usize = 512;

impl Phone {
    /// Makes a small problem report and sends it.
    ///
    /// # Errors
    /// The rule is wrong, or the server did not take it.
    pub async fn problem_report(&self, moment: Moment<'_>, events: &mut dyn Events) -> Result<(), Failure> {
        let result = self.send_problem(moment, events).await;
        if let Err(failure) = &result {
            events.tell(Event::Failed { name: "PRT_Upload_Rule", failure });
        }
        result
    }

    async fn send_problem(&self, moment: Moment<'_>, events: &mut dyn Events) -> Result<(), Failure> {
        const NAME: &str = "PRT_Upload_Rule";
        let sight = self.sight(moment);
        let taken = self.decide(NAME, Dialect::Upload, &sight, events)?.and_then(|decision| decision.taken);
        let Some(fetch) = taken.and_then(|taken| taken.fetches.into_iter().next()) else {
            events.tell(Event::Skipped { name: NAME, why: "it is blank, or no alternative holds" });
            return Ok(());
        };
        let url = match fetch.location.map_err(|error| Failure::Url(error.to_string()))? {
            Location::Url(url) => url,
            Location::Activation(_) => return Err(Failure::Url("reports do not go to activation".to_owned())),
        };
        let places = moment.wire.places(&url, Lookup::Address).await?;
        let name = self.archive_name(moment.now);
        let upload = Upload {
            body: Bytes::from(self.form(&name, &archive(&self.diary(moment.now), moment.now)?)),
            content_type: format!("multipart/form-data; boundary=\"{BOUNDARY}\""),
            headers: self.header_of_operator(),
        };
        events.tell(Event::Noted(&format!("sends {name}, {} octets with its form", upload.body.len())));
        let method = Method::of_upload(self.value("PRT_Upload_Method"));
        let job = Job { url: &url, places, access: &fetch.access, method, upload: Some(upload), keep: Keep::Nothing };
        self.ask(moment.wire, job, events).await.map(drop)
    }

    /// `PRT_Name` with its macros, or `probrep-YYYYMMDD-HHMMSS`.
    fn archive_name(&self, now: Timestamp) -> String {
        let given = Sight::of(self).expand(self.value("PRT_Name").trim());
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let stem = if given.is_empty() {
            format!("probrep-{}", now.to_zoned(TimeZone::UTC).strftime("%Y%m%d-%H%M%S"))
        } else {
            given.chars().filter(|c| plain(*c)).take(80).collect()
        };
        format!("{stem}.tar.gz")
    }

    /// `PRT_HTTP_Header` and its value.
    fn header_of_operator(&self) -> Vec<(String, String)> {
        let name = self.value("PRT_HTTP_Header").trim().trim_end_matches(':');
        let value = self.value("PRT_HTTP_Header_Value").trim();
        if name.is_empty() || value.is_empty() { Vec::new() } else { vec![(name.to_owned(), value.to_owned())] }
    }

    /// The four fields of Cisco's sample script.
    fn form(&self, name: &str, archive: &[u8]) -> Vec<u8> {
        let device = format!("SEP{}", self.unit.mac.mau());
        let mut form = Vec::new();
        for (field, value) in [
            ("devicename", device.as_str()),
            ("serialno", self.unit.serial.as_str()),
            ("username", self.value("User_ID_1_")),
        ] {
            let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n");
            form.extend_from_slice(part.as_bytes());
        }
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"prt_file\"; filename=\"{name}\"\r\n\
             Content-Type: application/x-gzip\r\n\r\n"
        );
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(archive);
        form.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        form
    }

    /// What a simulated phone has to tell: who it is and when. No parameter is in it.
    fn diary(&self, now: Timestamp) -> String {
        let unit = &self.unit;
        format!("{now} {} {} {} {}\nsimulated problem report\n", unit.model, unit.mac, unit.serial, unit.firmware)
    }
}

/// A gzipped tar with one file (POSIX.1-1988 ustar).
fn archive(text: &str, now: Timestamp) -> Result<Vec<u8>, Failure> {
    let mut header = [0_u8; TAR];
    let seconds = now.as_second().max(0);
    let fields: [(usize, String); 8] = [
        (0, "messages".to_owned()),
        (100, "0000644\0".to_owned()),
        (108, "0000000\0".to_owned()),
        (116, "0000000\0".to_owned()),
        (124, format!("{:011o}\0", text.len())),
        (136, format!("{seconds:011o}\0")),
        (148, " ".repeat(8)),
        (257, "ustar\x0000".to_owned()),
    ];
    for (at, field) in &fields {
        header[*at..*at + field.len()].copy_from_slice(field.as_bytes());
    }
    header[156] = b'0';
    let sum: u32 = header.iter().map(|octet| u32::from(*octet)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut tar = [header.as_slice(), text.as_bytes()].concat();
    tar.resize(tar.len().next_multiple_of(TAR) + 2 * TAR, 0);
    let packing = |error: std::io::Error| Failure::Unpack(error.to_string());
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&tar).map_err(packing)?;
    encoder.finish().map_err(packing)
}
