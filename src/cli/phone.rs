//! `phoneprov phone`: a simulated phone, from the command line.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cipher::IkmEncoding;
use crate::device::{MacAddress, Model, SerialNumber};
use crate::phone::event::{Event, Events};
use crate::phone::failure::Class;
use crate::phone::family::TlsVersion;
use crate::phone::follow::{Clock, Pace, follow};
use crate::phone::schedule::{Chance, Due};
use crate::phone::state::State;
use crate::phone::unit::Unit;
use crate::phone::wire::{Identity, Trust, Wire};
use crate::phone::{Cause, Choices, Moment, Outcome, Phone, Profiles, Upgrade};
use crate::profile::mask::{in_passing, masked};
use crate::profile::rule::{Dialect, Rule, Url};

/// The largest file of certificates: some thousand authorities.
const LARGEST_PEM: usize = 4 << 20;

/// Be a phone: do one resync, and say line by line what was asked, got, decrypted, unpacked, read and changed.
///
/// Exits with 0 when the phone would call it a success, 3 for a failure of class B (the file is not there or not usable),
/// 4 for class C (no connection, no permission, an answer that phones do not take), 2 when it could not begin.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The product name ($PN): it decides the family, and with it first contact, TLS, User-Agent and defaults.
    #[arg(long, default_value = "CP-8841-3PCC")]
    model: Model,
    /// The MAC address.
    #[arg(long)]
    mac: MacAddress,
    /// The serial number ($SN); without it, the one that the lab's certificates have.
    #[arg(long)]
    sn: Option<SerialNumber>,
    /// The firmware ($SWVER); without it, a sample of the family's.
    #[arg(long)]
    firmware: Option<String>,
    /// `Profile_Rule`; without it, what the state file has, or first contact.
    #[arg(long, value_name = "RULE")]
    profile_rule: Option<String>,
    /// Set a parameter before the resync, as at the phone's web page. May be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_pair)]
    set: Vec<(String, String)>,
    /// The file that keeps the parameters from one resync to the next.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    #[command(flatten)]
    network: Network,
    #[command(flatten)]
    work: Work,
    /// Show secrets, which are masked otherwise.
    #[arg(long)]
    reveal: bool,
}

/// What the phone finds around it.
#[derive(Debug, clap::Args)]
struct Network {
    /// The phone's certificate, PEM, with its chain if it has one.
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The certificate's key, PEM.
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Authorities that the phone trusts, PEM, as if built into its firmware. May be given several times; without, it
    /// trusts nobody.
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
    /// What DHCP option 66 says: a host, or `scheme://host[:port][/path]`, or several with `;` between.
    #[arg(long, value_name = "SERVER", value_parser = parse_server)]
    server: Option<String>,
    /// The domain that DHCP gives: without `--server` an MPP phone looks for its provisioning service by SRV.
    #[arg(long, value_name = "DOMAIN", value_parser = parse_domain)]
    domain: Option<String>,
    /// The name server to ask for SRV records, instead of the system's first.
    #[arg(long, value_name = "ADDRESS:PORT")]
    nameserver: Option<SocketAddr>,
    /// The address of a name, instead of DNS. May be given several times.
    #[arg(long, value_name = "HOST=ADDRESS", value_parser = parse_pair)]
    resolve: Vec<(String, String)>,
    /// The oldest TLS version, instead of the family's: 1.0, 1.1, 1.2 or 1.3.
    #[arg(long, value_name = "VERSION", value_parser = parse_version)]
    tls_min: Option<TlsVersion>,
    /// The newest TLS version, instead of the family's.
    #[arg(long, value_name = "VERSION", value_parser = parse_version)]
    tls_max: Option<TlsVersion>,
    /// How `IKM_HTTP_Encrypt_Content` is written: `text`, `base64url` or `hex`; not documented.
    #[arg(long, value_name = "ENCODING", default_value_t)]
    ikm: IkmEncoding,
    /// The longest that an answer may take, in seconds; a connection, and again TLS, a sixth of it.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..))]
    timeout: u16,
}

/// What the phone does.
#[derive(Debug, clap::Args)]
struct Work {
    /// Why there is a resync ($PRVST): `explicit`, `power-up`, `periodic` or `retry`.
    #[arg(long, default_value = "explicit", value_parser = parse_cause)]
    cause: Cause,
    /// Send the reports of `Report_Rule` afterwards.
    #[arg(long)]
    report: bool,
    /// Send a problem report by `PRT_Upload_Rule` afterwards.
    #[arg(long)]
    prt: bool,
    /// Go on after power-up by `Resync_Periodic`, `Resync_At__HHmm_`, the random delays and the back-off after errors.
    #[arg(long, conflicts_with_all = ["cause", "report", "prt"])]
    follow: bool,
    /// How many times as fast the phone's clock runs.
    #[arg(long, value_name = "FACTOR", requires = "follow", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    speed: Option<u32>,
    /// Stop after so many resyncs.
    #[arg(long, value_name = "COUNT", requires = "follow")]
    resyncs: Option<u32>,
}

/// Prints events.
struct Printer {
    reveal: bool,
    /// The clock, where lines bear its time.
    clock: Option<Clock>,
}

/// Does what the phone would, and exits with what came of it.
///
/// # Errors
/// A file cannot be read, or the state not written.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let wire = args.network.wire()?;
    let mut phone = args.phone(&wire)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let worst = runtime.block_on(async {
        if args.work.follow { args.follow(&mut phone, &wire).await } else { args.once(&mut phone, &wire).await }
    })?;
    Ok(ExitCode::from(match worst {
        None => 0,
        Some(Class::B) => 3,
        Some(Class::C) => 4,
    }))
}

impl Args {
    fn phone(&self, wire: &Wire) -> anyhow::Result<Phone> {
        let mut unit = Unit::new(self.model.clone(), self.mac);
        if let Some(serial) = &self.sn {
            unit.serial = serial.clone();
        }
        if let Some(firmware) = &self.firmware {
            ensure!(firmware.bytes().all(|byte| byte.is_ascii_graphic()), "`{firmware}` is no firmware's name");
            unit.firmware.clone_from(firmware);
        }
        super::warning::of_model_taken_for_mpp(&self.model);
        let mut state = self.state.as_deref().map(|path| State::load(path, self.mac)).transpose()?.unwrap_or_default();
        if self.firmware.is_some() {
            state.firmware = None;
        }
        let mut phone = Phone::new(unit, state, wire).context("the authorities in the state file")?;
        phone.identity = self.network.identity()?.map(Arc::new);
        let (tls_min, tls_max) = (self.network.tls_min, self.network.tls_max);
        let is_range = tls_min.zip(tls_max).is_none_or(|(min, max)| min <= max);
        ensure!(is_range, "--tls-min is newer than --tls-max: there is no TLS between them");
        phone.choices = Choices { ikm: self.network.ikm, tls_min, tls_max };
        if let Some(path) = &self.state {
            State::try_place(path)?;
        }
        let rule = self.profile_rule.iter().map(|rule| ("Profile_Rule", rule.as_str()));
        let others = self.set.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in rule.chain(others) {
            super::warning::of_parameter(name, value, &self.model);
            check_rule(name, value)?;
            phone.set(name, value);
        }
        Ok(phone)
    }

    async fn once(&self, phone: &mut Phone, wire: &Wire) -> anyhow::Result<Option<Class>> {
        let (now, mut printer) = (Timestamp::now(), Printer { reveal: self.reveal, clock: None });
        let moment = Moment { wire, cause: self.work.cause, now };
        let outcome = phone.resync(moment, &mut printer).await;
        let mut worst = outcome.class();
        let second = Clock::new(now, 1, TimeZone::system()).second();
        printer.tell(Event::Ended(&summary(phone, &outcome, second)));
        if self.work.report {
            worst = worst.or(phone.report(moment, &mut printer).await.err().map(|failure| failure.class()));
        }
        if self.work.prt {
            worst = worst.or(phone.problem_report(moment, &mut printer).await.err().map(|failure| failure.class()));
        }
        self.keep(phone)?;
        Ok(worst)
    }

    async fn follow(&self, phone: &mut Phone, wire: &Wire) -> anyhow::Result<Option<Class>> {
        let clock = Clock::new(Timestamp::now(), self.work.speed.unwrap_or(1), TimeZone::system());
        let mut printer = Printer { reveal: self.reveal, clock: Some(clock.clone()) };
        let pace = Pace { clock, resyncs: self.work.resyncs };
        let mut kept = Ok(());
        let mut keep = |phone: &Phone, _: &Outcome| {
            if kept.is_ok() {
                kept = self.keep(phone);
            }
        };
        let outcome = follow(phone, wire, &pace, &mut printer, &mut keep).await;
        kept?;
        Ok(outcome.class())
    }

    fn keep(&self, phone: &Phone) -> anyhow::Result<()> {
        match &self.state {
            Some(path) => Ok(phone.state.save(path, self.mac)?),
            None => Ok(()),
        }
    }
}

impl Network {
    fn wire(&self) -> anyhow::Result<Wire> {
        let mut wire = wire(&self.ca, &self.resolve, self.timeout)?;
        wire.option_66.clone_from(&self.server);
        wire.domain.clone_from(&self.domain);
        wire.names.nameserver = self.nameserver;
        Ok(wire)
    }

    fn identity(&self) -> anyhow::Result<Option<Identity>> {
        let (Some(cert), Some(key)) = (&self.cert, &self.key) else { return Ok(None) };
        let identity = Identity::of_pem(&read(cert)?, &read(key)?);
        let identity = identity.with_context(|| format!("`{}` and `{}`", cert.display(), key.display()))?;
        Ok(Some(identity))
    }
}

impl Events for Printer {
    fn tell(&mut self, event: Event<'_>) {
        let shown = |name: &str, value: &str| {
            if self.reveal { value.to_owned() } else { masked(name, value).into_owned() }
        };
        // The texts that a masked event borrows.
        let (before, after);
        let event = match event {
            Event::Changed { name, old, new } => {
                (before, after) = (old.map(|old| shown(name, old)), shown(name, new));
                Event::Changed { name, old: before.as_deref(), new: &after }
            }
            Event::Assigned { name, value } => {
                after = shown(name, value);
                Event::Assigned { name, value: &after }
            }
            other => other,
        };
        let told = event.to_string();
        let told = if self.reveal { told.into() } else { in_passing(&told) };
        let mut out = std::io::stdout().lock();
        // Who closed the pipe has read enough; the phone goes on.
        let _ = match &self.clock {
            Some(clock) => writeln!(out, "{:.0} {told}", clock.now()),
            None => writeln!(out, "{told}"),
        };
    }
}

/// What came of it, and what the phone would do next.
fn summary(phone: &Phone, outcome: &Outcome, second: u32) -> String {
    let next = match phone.next(outcome, second, Chance(0)) {
        Some(Due { delay, cause: Cause::Retry, .. }) => {
            format!("the sequence begins again from Profile_Rule in {} s", delay.as_secs())
        }
        Some(Due { delay, .. }) => format!("the next resync is due in {} s", delay.as_secs()),
        None => "no further resync is due".to_owned(),
    };
    let next = match &outcome.upgrade {
        Upgrade::Wrong(failure) | Upgrade::Failed(failure) => {
            format!("the upgrade failed, class {}: the phone keeps its firmware; {next}", failure.class())
        }
        Upgrade::NotDue | Upgrade::Done => next,
    };
    match &outcome.profiles {
        Profiles::Off(why) => format!("no resync: {why}"),
        Profiles::Applied(0) => format!("class A, nothing fetched; {next}"),
        Profiles::Applied(1) => format!("class A, 1 profile; {next}"),
        Profiles::Applied(count) => format!("class A, {count} profiles; {next}"),
        Profiles::Failed { rule, failure } => format!("class {} at {rule}; {next}", failure.class()),
    }
}

/// The network of phones that trust the authorities of these files, and are given these names' addresses.
pub(super) fn wire(ca: &[PathBuf], resolve: &[(String, String)], timeout: u16) -> anyhow::Result<Wire> {
    let mut trust = Trust::of_pem(b"")?;
    for path in ca {
        let pem = read(path)?;
        let before = trust.len();
        trust = trust.with(&pem).with_context(|| format!("`{}`", path.display()))?;
        ensure!(trust.len() > before, "`{}` has no PEM certificate in it", path.display());
    }
    let mut wire = Wire::new(trust);
    for (host, address) in resolve {
        let address: IpAddr = address.parse().with_context(|| format!("`{address}` is not an address"))?;
        wire.names.give(host, address);
    }
    wire.limits.answer = Duration::from_secs(timeout.into());
    wire.limits.connect = Duration::from_secs(u64::from(timeout).div_ceil(6));
    Ok(wire)
}

fn read(path: &std::path::Path) -> anyhow::Result<Vec<u8>> {
    super::bounded::file(path, LARGEST_PEM)
}

pub(super) fn parse_pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = pair.ok_or_else(|| format!("`{text}` is not NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Whether a rule that somebody gives can be read, for a parameter that holds one.
///
/// # Errors
/// It cannot.
pub(super) fn check_rule(name: &str, value: &str) -> anyhow::Result<()> {
    let dialect = Dialect::of_parameter(name).filter(|_| !value.trim().is_empty());
    if let Some(Err(error)) = dialect.map(|dialect| Rule::parse(value, dialect)) {
        bail!("{name}: {error}");
    }
    Ok(())
}

/// DHCP option 66: servers with `;` between, each a host or an address with scheme, port and path.
pub(super) fn parse_server(text: &str) -> Result<String, String> {
    let mut servers = text.split(';').map(str::trim).filter(|server| !server.is_empty()).peekable();
    if servers.peek().is_none() {
        return Err("expected a host, or scheme://host[:port][/path]".to_owned());
    }
    for server in servers {
        let url = if server.contains("://") { server.to_owned() } else { format!("tftp://{server}") };
        Url::parse(&format!("{}/", url.trim_end_matches('/')), None).map_err(|error| error.to_string())?;
    }
    Ok(text.to_owned())
}

fn parse_domain(text: &str) -> Result<String, String> {
    Url::parse(&format!("https://{text}/"), None).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}

fn parse_version(text: &str) -> Result<TlsVersion, String> {
    TlsVersion::named(text).ok_or_else(|| format!("`{text}` is no TLS version: expected 1.0, 1.1, 1.2 or 1.3"))
}

fn parse_cause(text: &str) -> anyhow::Result<Cause> {
    Ok(match text {
        "explicit" => Cause::Explicit,
        "power-up" => Cause::PowerUp,
        "periodic" => Cause::Periodic,
        "retry" => Cause::Retry,
        _ => bail!("`{text}` is no cause: expected explicit, power-up, periodic or retry"),
    })
}
