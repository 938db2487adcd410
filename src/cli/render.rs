//! `phoneprov render`: what a path would be answered, and why.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::answer::{Asker, Question};
use super::store::Secrets;
use crate::config::Protocol;
use crate::device::{MacAddress, Model, SerialNumber};
use crate::profile::macros::{Macro, Macros};
use crate::profile::name::{Name, Star};
use crate::provision::{self, Body, Line, Profile, Response, Verb};

/// Print what a path would be answered, as the phone reads it, and why.
///
/// The phone is taken to prove that it is the one that --mac and --sn name. Secrets that the store keeps are masked; those
/// that stand in files are printed as they are. Nothing is started; where the configuration has [lab], what that has not made
/// yet is made first, as serve would.
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
    /// Make the profile with the device's secrets of the store, in place of a mask. The history says who did.
    #[arg(long)]
    reveal: bool,
    /// Print which file, rule, proof, transforms, headers and answer instead of the profile.
    #[arg(long)]
    explain: bool,
}

/// Walks the line as a request would.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = super::load(&args.config)?;
    let app = super::store::app(config)?;
    let asker = Asker { mac: args.mac, serial: args.sn.clone(), model: args.pn.clone() };
    let question = Question {
        path: args.asked()?,
        over: args.over,
        verb: Verb::Get,
        presented: asker.presented(args.over),
        password: asker.password(),
        secrets: match (args.reveal, args.explain) {
            (true, _) => Secrets::Revealed,
            (false, true) => Secrets::Used,
            (false, false) => Secrets::Masked,
        },
    };
    let answer = question.ask(&app);
    let served = answer.is_served();
    let mut out = std::io::stdout().lock();
    let done = if args.explain {
        answer.explain(&mut out)
    } else {
        match answer.served() {
            Some((profile, response)) => args.print(&mut out, &app.line, &profile, response),
            None => Ok(()),
        }
    };
    done.context("cannot write to standard output")?;
    Ok(if served { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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

    /// The profile as the phone reads it, or with --raw as it is sent.
    fn print(&self, out: &mut impl Write, line: &Line, profile: &Profile, response: Response) -> std::io::Result<()> {
        match response.body {
            Body::File { mut file, .. } => std::io::copy(&mut file, out).map(drop),
            Body::Bytes(bytes) if self.raw => out.write_all(&bytes),
            Body::Bytes(_) => {
                let document = provision::preview(line, profile).map_err(std::io::Error::other)?;
                out.write_all(&document.bytes)
            }
        }
    }
}
