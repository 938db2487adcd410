//! `phoneprov certs report`: whose certificates end when.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;

use crate::census::{self, Expiries, Expiry};
use crate::terminal::OneLine;

/// Print the devices by the month in which their certificates end, the first ones first.
///
/// They are those that showed a certificate which verified, at least until it expired. The server writes them into its
/// state folder soon after they come.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The form of `--json`.
#[derive(Serialize)]
struct Report<'a> {
    months: Vec<Month<'a>>,
    /// Of those that end later, not all are listed.
    beyond: Option<Timestamp>,
}

/// The devices whose certificates end in one month.
#[derive(Serialize)]
struct Month<'a> {
    #[serde(rename = "month")]
    name: String,
    /// How many of them have ended.
    expired: usize,
    devices: &'a [Expiry],
}

/// Prints the table. The exit code is 0 whatever is in it.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let state = crate::cli::state(&args.config)?;
    let expiries = census::expiries(&state)?;
    let report = report(&expiries, Timestamp::now());
    let out = &mut io::stdout().lock();
    if args.json {
        crate::cli::json(out, &report)?;
    } else {
        print(&report, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn report(expiries: &Expiries, now: Timestamp) -> Report<'_> {
    let months = expiries.devices.chunk_by(|a, b| month(a.expires) == month(b.expires)).map(|devices| Month {
        name: devices.first().map(|first| month(first.expires)).unwrap_or_default(),
        expired: devices.iter().filter(|device| device.expires < now).count(),
        devices,
    });
    Report { months: months.collect(), beyond: expiries.beyond }
}

fn print(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    if report.months.is_empty() {
        writeln!(out, "no device has shown a certificate yet")?;
    }
    for Month { name: month, expired, devices } in &report.months {
        let count = if devices.len() == 1 { "1 device".to_owned() } else { format!("{} devices", devices.len()) };
        let expired = match expired {
            0 => String::new(),
            all if *all == devices.len() => ", expired".to_owned(),
            some => format!(", {some} of them expired"),
        };
        writeln!(out, "{month}  {count}{expired}")?;
        for device in *devices {
            let name = |name: &Option<String>| OneLine(name.as_deref().unwrap_or("-")).to_string();
            let (mac, serial, model) = (name(&device.mac), name(&device.serial), name(&device.model));
            let (ends, last) = (day(device.expires), day(device.last));
            writeln!(out, "  {mac:<12}  {serial:<12}  {model:<14}  {ends}  {}  seen {last}", OneLine(&device.issuer))?;
        }
    }
    match report.beyond {
        Some(beyond) => writeln!(out, "too many to keep: of those that end after {}, not all are listed", day(beyond)),
        None => Ok(()),
    }
}

fn month(time: Timestamp) -> String {
    time.strftime("%Y-%m").to_string()
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(mac: &str, expires: &str) -> Expiry {
        let time = |day: &str| format!("{day}T12:00:00Z").parse().expect("a time");
        Expiry {
            mac: Some(mac.into()),
            serial: None,
            model: Some("CP-8841".into()),
            issuer: "O=Cisco, CN=Cisco Manufacturing CA".into(),
            expires: time(expires),
            last: time("2026-11-20"),
        }
    }

    #[test]
    fn devices_are_listed_by_month_and_what_has_ended_is_said() {
        let devices = vec![
            device("000e08000001", "2026-09-16"),
            device("000e08000002", "2026-11-20"),
            device("000e08000003", "2026-11-30"),
            device("000e08000004", "2029-05-14"),
        ];
        let expiries = Expiries { beyond: Some(devices[3].expires), devices };
        let now = "2026-11-22T00:00:00Z".parse().expect("a time");
        let mut out = Vec::new();
        print(&report(&expiries, now), &mut out).expect("printed");
        let text = String::from_utf8(out).expect("text");
        let expected = "\
2026-09  1 device, expired
  000e08000001  -             CP-8841         2026-09-16  O=Cisco, CN=Cisco Manufacturing CA  seen 2026-11-20
2026-11  2 devices, 1 of them expired
";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("\n2029-05  1 device\n"), "{text}");
        assert!(text.ends_with("of those that end after 2029-05-14, not all are listed\n"), "{text}");
    }
}
