//! `phoneprov fleet`: thousands of simulated phones at once, from the command line.

mod cast;
mod progress;
mod table;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::authority::Authority;
use crate::config::{Config, Speaks, TlsKind};
use crate::device::{MacAddress, Model};
use crate::phone::fleet::{self, Plan, Scenario};
use crate::phone::wire::Wire;
use progress::Progress;

/// Descriptors that are not sockets of phones.
const OWN_DESCRIPTORS: u64 = 64;

/// Be thousands of phones at once, each with its own certificate, and say how many got their profile, and how fast.
///
/// The lab's authority signs their certificates, which are kept in memory only. All share one key pair, because making
/// keys takes far longer than signing; to the server they are as different as real phones.
///
/// Exits with 0 when every phone was served (`scan`: every one was refused), 1 when not, 2 when it could not begin.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many phones.
    #[arg(long, value_name = "COUNT", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    phones: u32,
    /// What happens to them.
    #[arg(long, value_enum, default_value = "power-cut")]
    scenario: Scenario,
    #[command(flatten)]
    cast: Cast,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    pace: Pace,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Who they are.
#[derive(Debug, clap::Args)]
struct Cast {
    /// The product name ($PN) of all.
    #[arg(long, default_value = "CP-8841-3PCC")]
    model: Model,
    /// The first phone's MAC address; the others count up from it.
    #[arg(long, value_name = "MAC", default_value = "020000000000")]
    first_mac: MacAddress,
    /// The folder of the authority that signs their certificates (ca.pem, ca.key); without it, the configuration's lab.
    #[arg(long, value_name = "FOLDER")]
    authority: Option<PathBuf>,
}

/// Where they ask.
#[derive(Debug, clap::Args)]
struct Place {
    /// The configuration file: its lab and its first https listener are used unless others are named.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// `Profile_Rule` of all; without it, $PN/$MA.cfg of the configuration's https listener.
    #[arg(long, value_name = "RULE")]
    profile_rule: Option<String>,
    /// Authorities that the phones trust, PEM; without, the one that signs their certificates. May be given several times.
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
    /// The address of a name, instead of DNS. May be given several times.
    #[arg(long, value_name = "HOST=ADDRESS", value_parser = super::phone::parse_pair)]
    resolve: Vec<(String, String)>,
    /// The longest that an answer may take, in seconds; a connection, and again TLS, a sixth of it.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..))]
    timeout: u16,
}

/// How fast they are.
#[derive(Debug, clap::Args)]
struct Pace {
    /// The time over which `steady` spreads them.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    over: u32,
    /// Phones at work at the same time; without it, all of them, as far as the limit of open files goes.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    at_once: Option<u32>,
    /// How often a phone that failed tries again, after the delays of `Resync_Error_Retry_Delay`. `scan` tries once.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    retries: u32,
    /// How many times as fast those delays go by.
    #[arg(long, value_name = "FACTOR", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    speed: u32,
}

/// Makes the certificates, lets the phones do their part, and prints what came of it.
///
/// # Errors
/// There is no authority, no server or no thread to be had.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    super::warning::of_model_taken_for_mpp(&args.cast.model);
    if let Some(rule) = &args.place.profile_rule {
        super::phone::check_rule("Profile_Rule", rule)?;
    }
    let (authority, rule) = args.authority_and_rule()?;
    let wire = args.place.wire(&authority)?;
    let mut progress = Progress::new();
    progress.note("making certificates");
    let members = args.cast.members(&authority, args.scenario, args.phones)?;
    let plan = args.plan(rule);
    let runtime = tokio::runtime::Runtime::new().context("no runtime")?;
    let tally = runtime.block_on(fleet::run(members, plan, wire, &mut |tally| progress.show(tally)));
    progress.clear();
    let text = if args.json { table::json(&tally) } else { table::text(&tally) };
    println!("{text}");
    Ok(if tally.is_as_expected() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Args {
    /// What the command line does not say comes from the configuration, which is not read where there is nothing left.
    fn authority_and_rule(&self) -> anyhow::Result<(Authority, String)> {
        if let (Some(folder), Some(rule)) = (&self.cast.authority, &self.place.profile_rule) {
            return Ok((Authority::open(folder)?, rule.clone()));
        }
        let config = super::load(&self.place.config)?;
        let lab = config.lab.as_ref().map(|lab| lab.directory.as_path());
        let folder = self.cast.authority.as_deref().or(lab).context(
            "the configuration has no [lab], whose authority would sign the phones' certificates: name one by --authority",
        )?;
        let rule = self.place.profile_rule.clone();
        let rule = rule.map_or_else(|| default_rule(&config), Ok)?;
        Ok((Authority::open(folder)?, rule))
    }

    fn plan(&self, profile_rule: String) -> Plan {
        let (scenario, pace) = (self.scenario, &self.pace);
        let retries = if scenario == Scenario::Scan { 0 } else { pace.retries };
        let wanted = pace.at_once.unwrap_or(self.phones).min(self.phones);
        let at_once = usize::try_from(u64::from(wanted).min(sockets())).unwrap_or(usize::MAX);
        let over = Duration::from_secs(pace.over.into());
        Plan { scenario, profile_rule, over, at_once, retries, speed: pace.speed }
    }
}

impl Place {
    fn wire(&self, authority: &Authority) -> anyhow::Result<Wire> {
        let own = [authority.certificate()];
        let ca = if self.ca.is_empty() { &own[..] } else { &self.ca };
        super::phone::wire(ca, &self.resolve, self.timeout)
    }
}

/// The rule of the sample configuration's phones, for the first https listener that is not for old phones alone.
fn default_rule(config: &Config) -> anyhow::Result<String> {
    let listener = config.listen.iter().find(|listen| match &listen.speaks {
        Speaks::Https(tls) => tls.kind == TlsKind::Modern,
        Speaks::Http | Speaks::Tftp { .. } => false,
    });
    let address = listener.context("the configuration has no https listener: name a server by --profile-rule")?.address;
    ensure!(address.port() != 0, "the https listener's port is 0, which is any: name the server by --profile-rule");
    Ok(format!("https://{}/$PN/$MA.cfg", reached(address)))
}

/// An address as this host reaches it, in figures, so that thousands of phones do not ask DNS.
fn reached(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) | IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Raises the limit of open files as far as it goes, and says how many sockets that leaves for phones.
fn sockets() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    limit.current = limit.maximum;
    // Where it stays as it was, fewer phones are at work at the same time.
    let current = if setrlimit(Resource::Nofile, limit).is_ok() { limit.maximum } else { before };
    current.map_or(u64::MAX, |limit| limit.saturating_sub(OWN_DESCRIPTORS).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_reached_on_this_host() {
        let reached = |text: &str| reached(text.parse().expect("an address")).to_string();
        assert_eq!(reached("0.0.0.0:8443"), "127.0.0.1:8443");
        assert_eq!(reached("[::]:8443"), "127.0.0.1:8443");
        assert_eq!(reached("192.0.2.1:443"), "192.0.2.1:443");
    }
}
