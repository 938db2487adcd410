//! `phoneprov rule`: what a phone does by a rule, why, and what this server would answer.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::answer::{Asker, Question, line};
use super::offer::{Offer, Sent};
use super::store::Secrets;
use crate::config::{Listen, Protocol, Speaks, TlsKind};
use crate::device::{MacAddress, Model, SerialNumber};
use crate::phone::family as phone;
use crate::profile::mask::masked;
use crate::profile::parameters::Family;
use crate::profile::rule::{
    Access, Decision, Dialect, Fetch, Judgement, Location, Outcome, Report, Rule, Scheme, Url, Verdict,
};
use crate::profile::values::Values;
use crate::provision::{Examined, Verb};
use crate::terminal::Lines;

/// Print what a phone does by a rule, why, and what this server would answer.
///
/// TEXT is the value of the parameter that --kind names, with < > and & as they are. The phone is the one that the
/// options describe; it is taken to prove that it is the one that --mac and --sn name. Exits with 1 when the rule is
/// wrong, leads nowhere, or the server has no answer.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The rule.
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// The parameter that the rule stands in.
    #[arg(long, value_enum, default_value = "profile")]
    kind: Kind,
    /// The phone's product name ($PN, $PSN).
    #[arg(long)]
    model: Option<Model>,
    /// The phone's MAC address ($MA, $MAU, $MAC).
    #[arg(long)]
    mac: Option<MacAddress>,
    /// The phone's serial number ($SN).
    #[arg(long)]
    sn: Option<SerialNumber>,
    /// The phone's firmware ($SWVER), such as sip88xx.11-3-2MPP0001-609.
    #[arg(long)]
    firmware: Option<String>,
    /// A parameter or macro of the phone, such as PRVTMR=600 or `GPP_B=berlin`; may be given again.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// The server that DHCP option 66 gives the phone.
    #[arg(long, value_name = "HOST", value_parser = super::phone::parse_server)]
    server: Option<String>,
    /// The configuration file of the server that answers; config.toml is taken where there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Where a rule stands.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// `Profile_Rule`, `_B`, `_C`, `_D`
    Profile,
    /// `Upgrade_Rule`
    Upgrade,
    /// `Report_Rule`
    Report,
    /// `PRT_Upload_Rule`
    Upload,
    /// `Resync_Trigger_1`, `_2`
    Trigger,
}

/// Reads, decides, prints, and asks the server in the phone's place.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let dialect = args.kind.dialect();
    let rule = match Rule::parse(&args.text, dialect) {
        Ok(rule) => rule,
        Err(error) => {
            eprintln!("phoneprov: {}: {}", dialect.parameter(), Lines(error));
            return Ok(ExitCode::FAILURE);
        }
    };
    args.model.iter().for_each(super::warning::of_model);
    let decision = rule.evaluate(&args.values()?);
    let mut out = io::stdout().lock();
    if rule.alternatives().is_empty() {
        let outcome = format!("the rule is empty: {}", dialect.when_empty());
        line(&mut out, "outcome", &outcome).context("cannot write to standard output")?;
        return Ok(ExitCode::FAILURE);
    }
    args.told(&mut out, &rule, &decision).context("cannot write to standard output")?;
    let fetches = decision.taken.map(|taken| taken.fetches).unwrap_or_default();
    let mut code = ExitCode::SUCCESS;
    for fetch in &fetches {
        let followed = match &fetch.location {
            Ok(Location::Url(url)) => args.ask(&mut out, url, fetch)?,
            Ok(Location::Activation(_)) => true,
            Err(_) => false,
        };
        if !followed {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

impl Args {
    /// The phone that the options describe.
    fn values(&self) -> anyhow::Result<Values> {
        let mut values = Values::default();
        let given = [
            ("PN", self.model.as_ref().map(ToString::to_string)),
            ("MA", self.mac.map(MacAddress::ma)),
            ("SN", self.sn.as_ref().map(ToString::to_string)),
            ("SWVER", self.firmware.clone()),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        for (name, value) in given.chain(self.set.iter().cloned()) {
            values.set(&name, &value)?;
        }
        if let Some(server) = &self.server {
            values.set_server(server);
        }
        Ok(values)
    }

    /// Prints what the server of the configuration would answer; whether it would give a file.
    fn ask(&self, out: &mut impl Write, url: &Url, fetch: &Fetch) -> anyhow::Result<bool> {
        if fetch.access.srv && url.scheme == Scheme::Tftp {
            line(out, "note", "--srv is for http and https: the phone fails here, and asks nobody")?;
            return Ok(false);
        }
        let beside = PathBuf::from("config.toml");
        let Some(config) = self.config.clone().or_else(|| beside.is_file().then_some(beside)) else {
            line(out, "note", "no config.toml here: name one by --config to see what its server would answer")?;
            return Ok(true);
        };
        let app = super::store::app(super::load(&config)?)?;
        let over = match url.scheme {
            Scheme::Tftp => Protocol::Tftp,
            Scheme::Http => Protocol::Http,
            Scheme::Https => Protocol::Https,
        };
        let gets = fetch.access.post.is_none() && matches!(self.kind, Kind::Profile | Kind::Upgrade);
        let asker = Asker { mac: self.mac, serial: self.sn.clone(), model: self.model.clone() };
        let has_account = fetch.access.uid.is_some();
        let question = Question {
            path: url.path.clone(),
            over,
            verb: if gets { Verb::Get } else { Verb::Post },
            presented: asker.presented(over),
            password: if has_account { asker.password() } else { Examined::default() },
            // Nothing of the profile is printed; whether the rule's key opens it is told.
            secrets: Secrets::Used,
        };
        writeln!(out)?;
        for note in self.of_listeners(&app.config.listen, over, url.port) {
            line(out, "note", &format!("{}: {note}", config.display()))?;
        }
        let sent = match self.kind {
            Kind::Report => Some(Sent::Report(fetch.access.report)),
            Kind::Upload => Some(Sent::Problem),
            Kind::Profile | Kind::Upgrade | Kind::Trigger => None,
        };
        if let Some(sent) = sent {
            return Ok(Offer::make(&question, &app).explain(out, sent)?);
        }
        let answer = question.ask(&app);
        answer.explain(out)?;
        let closed = answer.is_closed_to(fetch.access.key.as_ref()).filter(|_| matches!(self.kind, Kind::Profile));
        closed.iter().try_for_each(|note| line(out, "note", note))?;
        Ok(answer.is_served() && closed.is_none())
    }
}

impl Args {
    /// What stands between this phone and an answer over this protocol at this port.
    fn of_listeners(&self, listeners: &[Listen], over: Protocol, port: u16) -> Vec<String> {
        let carrying: Vec<&Listen> = listeners.iter().filter(|listen| listen.carries(over)).collect();
        let at_port: Vec<&Listen> = carrying.iter().copied().filter(|listen| listen.address.port() == port).collect();
        let other = listeners.iter().find(|listen| listen.address.port() == port);
        let mut notes = match other {
            _ if carrying.is_empty() => vec![format!("no listener speaks {over}")],
            _ if !at_port.is_empty() => Vec::new(),
            Some(other) => vec![format!("the listener at port {port} speaks {}, and not {over}", other.protocol())],
            None => vec![format!("no listener has port {port} for {over}: is something before it?")],
        };
        let is_old = self.model.as_ref().and_then(phone::Family::told_by) == Some(phone::Family::Spa);
        let heard = if at_port.is_empty() { &carrying } else { &at_port };
        let is_modern = |listen: &&Listen| match &listen.speaks {
            Speaks::Https(tls) => tls.kind == TlsKind::Modern,
            Speaks::Http | Speaks::Tftp { .. } => false,
        };
        if is_old && over == Protocol::Https && heard.iter().any(is_modern) && heard.iter().all(is_modern) {
            let why = "SPA phones speak TLS 1.0 to 1.2 with AES-CBC, which a modern listener does not take";
            notes.push(format!("{why}: give them one with tls = \"legacy\" (docs/old-phones.md)"));
        }
        notes
    }
}

impl Kind {
    fn dialect(self) -> Dialect {
        match self {
            Self::Profile => Dialect::Profile,
            Self::Upgrade => Dialect::Upgrade,
            Self::Report => Dialect::Report,
            Self::Upload => Dialect::Upload,
            Self::Trigger => Dialect::Trigger,
        }
    }
}

impl Args {
    /// Prints what becomes of each alternative, and what is done by the one that is taken.
    fn told(&self, out: &mut impl Write, rule: &Rule, decision: &Decision) -> io::Result<()> {
        for (place, verdict) in decision.verdicts.iter().enumerate() {
            line(out, &format!("{}.", place + 1), &reason(verdict))?;
        }
        match (&decision.taken, rule.dialect()) {
            (taken, Dialect::Trigger) => {
                let holds = if taken.is_some() { "true" } else { "not true" };
                let outcome = of_trigger(taken.is_some(), self.model.as_ref().and_then(Family::of));
                line(out, "outcome", &format!("{holds}: {outcome}"))?;
            }
            (None, dialect) => line(out, "outcome", &format!("no alternative is taken: {}", dialect.when_empty()))?,
            (Some(taken), dialect) => {
                for (parameter, value) in &taken.assignments {
                    line(out, "sets", &format!("{parameter} = \"{}\"", masked(parameter, value)))?;
                    if let Some(doubt) = super::warning::doubt_of_parameter(parameter, self.model.as_ref()) {
                        line(out, "note", &doubt)?;
                    }
                }
                if taken.fetches.is_empty() {
                    line(out, "outcome", "the alternative has no URL: nothing is fetched")?;
                }
                for fetch in &taken.fetches {
                    told_fetch(out, dialect, fetch)?;
                }
            }
        }
        notes(out, rule, decision)
    }
}

/// What a trigger does: on MPP phones it is a gate, on the others it sets a resync off (MPP guide, "Provisioning Formats";
/// SPA and ATA guides; a table of the MPP guide has the other reading).
fn of_trigger(holds: bool, family: Option<Family>) -> &'static str {
    match (family, holds) {
        (Some(Family::Mpp), true) => "a resync that is due goes ahead",
        (Some(Family::Mpp), false) => "a resync that is due does not go ahead, unless by the other trigger",
        (Some(Family::Ata | Family::Spa), true) => "it sets a resync off",
        (Some(Family::Ata | Family::Spa), false) => "it sets no resync off",
        (None, true) => "an MPP phone's resync goes ahead where one is due, an ATA's or SPA phone's is set off",
        (None, false) => "an MPP phone's resync does not go ahead, an ATA's or SPA phone's is not set off",
    }
}

/// What nobody may have meant.
fn notes(out: &mut impl Write, rule: &Rule, decision: &Decision) -> io::Result<()> {
    for variable in &decision.unset {
        let name = variable.parameter().unwrap_or_else(|| variable.name().into_owned());
        let option = match name.as_str() {
            "MA" | "MAU" | "MAC" => "--mac …".to_owned(),
            "PN" | "PSN" => "--model …".to_owned(),
            "SN" => "--sn …".to_owned(),
            "SWVER" => "--firmware …".to_owned(),
            _ => format!("--set {name}=…"),
        };
        line(out, "note", &format!("{variable} has no value here and expands to nothing: {option}"))?;
    }
    rule.doubts().iter().try_for_each(|doubt| line(out, "note", &doubt.to_string()))
}

fn told_fetch(out: &mut impl Write, dialect: Dialect, fetch: &Fetch) -> io::Result<()> {
    let does = match dialect {
        Dialect::Profile | Dialect::Upgrade | Dialect::Trigger => "fetches",
        Dialect::Report | Dialect::Upload => "sends to",
    };
    match &fetch.location {
        Ok(Location::Activation(_)) => line(out, does, "from Cisco's onboarding service, by activation code")?,
        Ok(Location::Url(url)) => line(out, does, &url.to_string())?,
        Err(error) => line(out, does, &format!("nothing from `{}`: {error}", masked("", &fetch.expanded)))?,
    }
    options(&fetch.access).iter().try_for_each(|option| line(out, "with", option))
}

/// The options in words, without what is secret in them.
fn options(access: &Access) -> Vec<String> {
    let mut options = Vec::new();
    options.extend(access.key.as_ref().map(|_| "--key ••••: decrypted by AES-256-CBC".to_owned()));
    options.extend(access.uid.as_ref().map(|uid| format!("--uid {}: for a Basic or Digest challenge", uid.expose())));
    options.extend(access.pwd.as_ref().map(|_| "--pwd ••••".to_owned()));
    options.extend(access.post.as_ref().map(|post| format!("--post: POST with what {} holds", post.parameter())));
    options.extend(access.alias.as_ref().map(|map| format!("--alias: renamed by the map in {}", map.parameter())));
    options.extend(access.srv.then(|| "--srv: the server is looked up by DNS SRV first".to_owned()));
    match access.report {
        Report::Full => {}
        Report::Delta => options.push("--delta: what changed since the last report".to_owned()),
        Report::Status => options.push("--status: the status data".to_owned()),
    }
    options
}

fn reason(verdict: &Verdict) -> String {
    match verdict {
        Verdict::NotReached => "not reached".to_owned(),
        Verdict::Taken(judgements) if judgements.is_empty() => "taken: it has no condition".to_owned(),
        Verdict::Taken(judgements) => format!("taken: {}", judged(judgements)),
        Verdict::Refused(judgements) => format!("not taken: {}", judged(judgements)),
    }
}

/// Each comparison with its values, and what became of it.
fn judged(judgements: &[Judgement]) -> String {
    let judged = judgements.iter().map(|Judgement { written, expanded, outcome }| {
        let values = if written == expanded { String::new() } else { format!(" is {expanded}") };
        match outcome {
            Outcome::True => format!("{written}{values}: true"),
            Outcome::False => format!("{written}{values}: false"),
            Outcome::Unreadable(why) => format!("{written}{values}: not true, {why}"),
        }
    });
    judged.collect::<Vec<_>>().join("; ")
}

/// Splits NAME=VALUE.
fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE, such as GPP_B=berlin")?;
    Ok((name.to_owned(), value.to_owned()))
}
