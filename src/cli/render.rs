//! `phoneprov render`: what a path would be answered, and why.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;

use crate::app::App;
use crate::config::Protocol;
use crate::device::{DeviceIdentity, MacAddress, Model, SerialNumber};
use crate::metrics::Metrics;
use crate::profile::macros::{Macro, Macros};
use crate::profile::name::{Name, Star};
use crate::profile::path::RequestPath;
use crate::profile::tree::FileKind;
use crate::provision::{
    self, Body, Coding, Conditions, Examined, Line, Named, Presented, Profile, Refusal, Request, Response, Trail, Verb,
};

/// Print what a path would be answered, as the phone reads it, and why.
///
/// The phone is taken to prove that it is the one that --mac and --sn name. Secrets of the profile are printed as they
/// are: this is the profile.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The path that a phone asks for; macros in it are expanded from the options, as the phone does.
    path: String,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// The phone's MAC address ($MA, $MAU, $MAC).
    #[arg(long)]
    mac: Option<MacAddress>,
    /// The phone's serial number ($SN).
    #[arg(long)]
    sn: Option<SerialNumber>,
    /// The phone's product name ($PN, $PSN).
    #[arg(long)]
    pn: Option<Model>,
    /// What the phone asks over.
    #[arg(long, value_enum, default_value = "https")]
    over: Protocol,
    /// Print the bytes that are sent: compressed and encrypted as the rule says.
    #[arg(long, conflicts_with = "explain")]
    raw: bool,
    /// Print which file, rule, proof and transforms instead of the profile.
    #[arg(long)]
    explain: bool,
}

/// Walks the line as a request would.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = super::load(&args.config)?;
    let app = App::new(config, &Metrics::default())?;
    let asked = args.asked()?;
    let presented = args.presented();
    let request = Request {
        transport: args.over,
        peer: ([127, 0, 0, 1], 0).into(),
        verb: Verb::Get,
        path: RequestPath::from_http(&asked),
        presented: &presented,
        models: None,
        password: args.password(),
        accepts_gzip: false,
        conditions: Conditions::default(),
    };
    let mut trail = Trail::default();
    let admitted = provision::admit(&app.line, &request, &mut trail);
    let mut out = std::io::stdout().lock();
    let made = admitted.as_ref().map(|profile| (profile, provision::finish(&app.line, &request, profile)));
    let done = match made {
        Ok((profile, Ok(response))) if args.explain => explain(&mut out, profile, &response, &request),
        Ok((profile, Ok(response))) => args.print(&mut out, &app.line, profile, response),
        Ok((_, Err(refusal))) => refused(&mut out, args, &trail, &request, &refusal),
        Err(refusal) => refused(&mut out, args, &trail, &request, refusal),
    };
    done.context("cannot write to standard output")
}

impl Args {
    /// The path with its macros expanded.
    fn asked(&self) -> anyhow::Result<String> {
        let mut macros = Macros::default();
        let values = [
            (Macro::Ma, self.mac.map(MacAddress::ma)),
            (Macro::Sn, self.sn.as_ref().map(ToString::to_string)),
            (Macro::Pn, self.pn.as_ref().map(ToString::to_string)),
        ];
        for (name, value) in values {
            if let Some(value) = value {
                macros.bind(name, &value);
            }
        }
        let segments = self.path.split('/').map(|segment| {
            let name = Name::parse(segment, Star::Literal);
            if name.is_literal() {
                return Ok(segment.to_owned());
            }
            name.expand(&macros).with_context(|| format!("`{segment}` has a macro that no option gives a value to"))
        });
        Ok(segments.collect::<anyhow::Result<Vec<String>>>()?.join("/"))
    }

    /// What the phone proves: over HTTPS, that it is the one the options name.
    fn presented(&self) -> Presented {
        let identity = DeviceIdentity::new(self.mac, self.sn.clone(), self.pn.clone());
        match (identity, self.over) {
            (Some(identity), Protocol::Https) => Presented::Device(Arc::new(identity)),
            (_, Protocol::Http | Protocol::Tftp) | (None, Protocol::Https) => Presented::Nothing,
        }
    }

    /// Where a path needs a password, the phone's own was right.
    fn password(&self) -> Examined {
        let account = self.mac.map(|mac| mac.to_string()).or_else(|| self.sn.as_ref().map(ToString::to_string));
        account.map(|account| Examined::as_given(&account)).unwrap_or_default()
    }

    /// The profile as the phone reads it, or with --raw as it is sent.
    fn print(
        &self,
        out: &mut impl Write,
        line: &Line,
        profile: &Profile,
        response: Response,
    ) -> std::io::Result<ExitCode> {
        match response.body {
            Body::File { mut file, .. } => drop(std::io::copy(&mut file, out)?),
            Body::Bytes(bytes) if self.raw => out.write_all(&bytes)?,
            Body::Bytes(_) => {
                let document = provision::preview(line, profile).map_err(std::io::Error::other)?;
                out.write_all(&document.bytes)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn refused(
    out: &mut impl Write,
    args: &Args,
    trail: &Trail,
    request: &Request<'_>,
    refusal: &Refusal,
) -> std::io::Result<ExitCode> {
    if !args.explain {
        eprintln!("phoneprov: {}: not found: {refusal}", asked(request));
        return Ok(ExitCode::FAILURE);
    }
    line(out, "path", &format!("{} over {}", asked(request), request.transport))?;
    line(out, "file", trail.file.as_deref().unwrap_or("none"))?;
    line(out, "names", &trail.claimed.to_string())?;
    line(out, "rule", trail.rule.as_deref().unwrap_or("not reached, or refused by it"))?;
    line(out, "answer", "404 not found, whatever the reason")?;
    line(out, "reason", &refusal.to_string())?;
    Ok(ExitCode::FAILURE)
}

fn explain(
    out: &mut impl Write,
    profile: &Profile,
    response: &Response,
    request: &Request<'_>,
) -> std::io::Result<ExitCode> {
    let grant = profile.grant();
    let (found, treatment) = (grant.found(), grant.treatment());
    let kind = match found.kind {
        FileKind::Literal => "served byte for byte",
        FileKind::Template => "a template, rendered for this phone",
    };
    let named = Named::of(found);
    line(out, "path", &format!("{} over {}", asked(request), request.transport))?;
    line(out, "file", &format!("{} ({kind})", found.file))?;
    line(out, "macros", &known(&found.macros))?;
    line(out, "names", &named.to_string())?;
    line(out, "rule", &treatment.name)?;
    let proof = match treatment.proof_for(named != Named::Nobody) {
        crate::config::Proof::None => "none",
        crate::config::Proof::Password => "a password of this device's account, taken as given",
        crate::config::Proof::Certificate => "a certificate that names this device, taken as given",
    };
    line(out, "proof", proof)?;
    let gzip = match profile.coding() {
        Coding::Identity | Coding::GzipTransport => None,
        Coding::GzipFile => Some("gzip".to_owned()),
    };
    let cipher = treatment.encryption.as_ref();
    let cipher = cipher.map(|encryption| format!("{} under {}", encryption.scheme, encryption.key.kind()));
    let transforms: Vec<String> = gzip.into_iter().chain(cipher).collect();
    line(out, "transforms", &if transforms.is_empty() { "none".to_owned() } else { transforms.join(", then ") })?;
    line(out, "answer", &format!("200, {} bytes, {}", response.body.length(), response.content_type))?;
    Ok(ExitCode::SUCCESS)
}

/// The macros that have a value, as `MA=000e08abcdef`.
fn known(macros: &Macros) -> String {
    const NAMES: [&str; 22] = [
        "MA", "MAU", "MAC", "SN", "PN", "PSN", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N",
        "O", "P",
    ];
    let value = |name: &&str| Some(format!("{name}={}", macros.value(Macro::named(name)?)?));
    let known: Vec<String> = NAMES.iter().filter_map(value).collect();
    if known.is_empty() { "none".to_owned() } else { known.join(" ") }
}

fn asked(request: &Request<'_>) -> String {
    request.path.as_ref().map_or_else(|_| "the path".to_owned(), ToString::to_string)
}

fn line(out: &mut impl Write, name: &str, value: &str) -> std::io::Result<()> {
    writeln!(out, "{name:<11} {value}")
}
