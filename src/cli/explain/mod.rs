//! `phoneprov explain`: which value a device's variable has, or a parameter of its profiles, and why.

mod parameter;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use serde_json::{Value, json};

use self::parameter::Sight;
use super::store::{who, with_shared_store};
use crate::config::Config;
use crate::device::{DeviceName, Layers, Origin, Stratum, VariableName, VariableValue};
use crate::store::{Entry, Store, StoreError};
use crate::terminal::OneLine;

/// Print a device's variables: the value of each, the layer that it is from, and the layers that lose. Or a parameter of its
/// profiles: value, template and line, and the variables used there.
///
/// The layers are [variables] of the configuration, the defaults, the device's groups in their order, and the device: what
/// comes later counts. A parameter is looked for in the profiles that the device asks for, or could.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The device.
    name: DeviceName,
    /// Only these variables, or these parameters of its profiles.
    #[arg(value_name = "VARIABLE or PARAMETER")]
    names: Vec<String>,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Print secrets too. The history says who did.
    #[arg(long)]
    reveal: bool,
}

/// One thing that was asked for: a line for people with those below it, and the same for programs.
struct Explained {
    line: String,
    below: Vec<String>,
    json: Value,
}

/// Prints them. The exit code is 1 where one that was asked for is neither variable nor parameter.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    with_shared_store(&args.config, async |config, store| {
        let (entry, layers) = read(&store, args).await?;
        let layers = beneath(&config, layers);
        let mut explained: Vec<Explained> = Vec::new();
        let mut missing = false;
        if args.names.is_empty() {
            explained.extend(layers.effective().into_keys().filter_map(|name| variable(&layers, name)));
        } else {
            let mut sight = None;
            for name in args.names.iter().collect::<BTreeSet<_>>() {
                let before = explained.len();
                let known: Option<VariableName> = name.parse().ok();
                explained.extend(known.as_ref().and_then(|name| variable(&layers, name)));
                if let Some(parameter) = parameter_of(name)? {
                    let sight = match &mut sight {
                        Some(sight) => sight,
                        None => sight.insert(Sight::open(Arc::clone(&store), &args.config, &entry, args.reveal).await?),
                    };
                    explained.extend(sight.explain(&layers, parameter)?);
                }
                if explained.len() == before {
                    missing = true;
                    eprintln!("phoneprov: {}: no layer has {}, and no profile", args.name, OneLine(name));
                }
            }
        }
        print(&explained, args.json)?;
        Ok(if missing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}

/// The device and its layers; secrets in clear for who wants to see them.
async fn read(store: &Store, args: &Args) -> anyhow::Result<(Entry, Layers)> {
    let missing = || StoreError::NoSuchDevice(args.name.clone());
    let (entry, mut layers) = store.layers(&args.name).await?.ok_or_else(missing)?;
    if args.reveal {
        let mut writing = store.write(&who(), "explain --reveal").await?;
        layers = writing.reveal_layers(&args.name).await?.ok_or_else(missing)?;
        writing.commit().await?;
    }
    Ok((entry, layers))
}

/// The parameter that a name may be: `Time_Zone`, or as the store has it, `<Time_Zone>`.
fn parameter_of(name: &str) -> anyhow::Result<Option<&str>> {
    let bare = name.strip_prefix('<').and_then(|name| name.strip_suffix('>')).unwrap_or(name);
    match (VariableName::of_parameter(bare), name.parse::<VariableName>()) {
        (Ok(_), _) => Ok(Some(bare)),
        (Err(_), Ok(_)) => Ok(None),
        (Err(error), Err(_)) => bail!(error),
    }
}

fn print(explained: &[Explained], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let values: Vec<&Value> = explained.iter().map(|explained| &explained.json).collect();
        println!("{}", serde_json::to_string_pretty(&values)?);
        return Ok(());
    }
    for Explained { line, below, .. } in explained {
        println!("{}", OneLine(line));
        for line in below {
            println!("  {}", OneLine(line));
        }
    }
    Ok(())
}

/// The value that counts of a variable, and those that lose.
fn variable(layers: &Layers, name: &VariableName) -> Option<Explained> {
    let mut values = layers.of(name);
    let (origin, value) = values.next()?;
    let value = value.shown();
    let losers: Vec<(&Origin, Value)> = values.map(|(origin, value)| (origin, value.shown())).collect();
    let instead_of: Vec<Value> =
        losers.iter().map(|(layer, value)| json!({ "layer": layer.to_string(), "value": value })).collect();
    Some(Explained {
        line: format!("{name} = {value}  from {origin}"),
        below: losers.iter().map(|(layer, value)| format!("not {value}  from {layer}")).collect(),
        json: json!({ "name": name, "value": value, "layer": origin.to_string(), "instead_of": instead_of }),
    })
}

/// The layers with the configuration's variables beneath them.
fn beneath(config: &Config, Layers(mut strata): Layers) -> Layers {
    let shown = |value: &minijinja::Value| match value.as_str() {
        Some(text) => Value::from(text),
        None => serde_json::from_str(&value.to_string()).unwrap_or_else(|_| value.to_string().into()),
    };
    let variables = config.variables.iter();
    let variables =
        variables.filter_map(|(name, value)| Some((name.parse().ok()?, VariableValue::from(shown(value))))).collect();
    strata.insert(0, Stratum { origin: Origin::Configuration, variables });
    Layers(strata)
}
