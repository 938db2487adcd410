//! `phoneprov explain`: which value a device's variable has, and why.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::store::{who, with_store};
use crate::config::Config;
use crate::device::{DeviceName, Layers, Origin, Stratum, VariableName};
use crate::store::StoreError;

/// Print a device's variables: the value of each, the layer that it is from, and the layers that lose.
///
/// The layers are [variables] of the configuration, the defaults, the device's groups in their order, and the device: what
/// comes later counts.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The device.
    name: DeviceName,
    /// Only these variables.
    variables: Vec<VariableName>,
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

/// Prints them. The exit code is 1 where one that was asked for has no value.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let layers = with_store(&args.config, async |store| {
        let layers = if args.reveal {
            let mut writing = store.write(&who(), "explain --reveal").await?;
            let layers = writing.reveal_layers(&args.name).await?;
            writing.commit().await?;
            layers
        } else {
            store.layers(&args.name).await?.map(|(_, layers)| layers)
        };
        Ok(layers.ok_or_else(|| StoreError::NoSuchDevice(args.name.clone()))?)
    })?;
    let layers = beneath(&Config::load(&args.config)?, layers);
    let all: BTreeSet<&VariableName> = match args.variables.is_empty() {
        true => layers.effective().into_keys().collect(),
        false => args.variables.iter().collect(),
    };
    let mut missing = false;
    let mut explained = Vec::new();
    for name in all {
        let mut values = layers.of(name);
        let Some((origin, value)) = values.next() else {
            missing = true;
            eprintln!("phoneprov: {}: no layer has {name}", args.name);
            continue;
        };
        let value = value.shown();
        let losers: Vec<(String, Value)> = values.map(|(origin, value)| (origin.to_string(), value.shown())).collect();
        if args.json {
            let losers: Vec<Value> =
                losers.iter().map(|(layer, value)| json!({ "layer": layer, "value": value })).collect();
            let layer = origin.to_string();
            explained.push(json!({ "name": name, "value": value, "layer": layer, "instead_of": losers }));
        } else {
            println!("{name} = {value}  from {origin}");
            for (layer, value) in losers {
                println!("  not {value}  from {layer}");
            }
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&explained)?);
    }
    Ok(if missing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The layers with the configuration's variables beneath them.
fn beneath(config: &Config, Layers(mut strata): Layers) -> Layers {
    let shown = |value: &minijinja::Value| match value.as_str() {
        Some(text) => Value::from(text),
        None => serde_json::from_str(&value.to_string()).unwrap_or_else(|_| value.to_string().into()),
    };
    let variables = config.variables.iter();
    let variables = variables.filter_map(|(name, value)| Some((name.parse().ok()?, shown(value).into()))).collect();
    strata.insert(0, Stratum { origin: Origin::Configuration, variables });
    Layers(strata)
}
