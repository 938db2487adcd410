//! `phoneprov device log` and `undo`: who changed what, and taking it back.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Map, Value};

use super::show::Form;
use crate::cli::store::{who, with_store};
use crate::device::{DeviceName, VariableValue};
use crate::store::Change;

/// See who changed what, the last change first.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only changes of this device, whether it is still there or not.
    name: Option<DeviceName>,
    /// How many at the most; a change of many devices counts for each.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Only those before this change.
    #[arg(long, value_name = "CHANGE")]
    before: Option<i64>,
    #[command(flatten)]
    form: Form,
}

/// Take a change back, all of it, unless something of it was changed again since.
#[derive(Debug, clap::Args)]
pub(super) struct Undo {
    /// Its number, as `device log` has it.
    change: i64,
}

/// Prints changes.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    with_store(config, async |store| {
        let subject = args.name.as_ref().map(ToString::to_string);
        let id = match &args.name {
            Some(name) => store.device(name).await?.map(|entry| entry.id),
            None => None,
        };
        let mut changes = store.log(subject.as_deref().map(|subject| (subject, id)), args.before, args.limit).await?;
        let mut out = io::stdout().lock();
        if args.form.json {
            for change in &mut changes {
                [&mut change.before, &mut change.after].into_iter().flatten().for_each(mask);
            }
            writeln!(out, "{}", serde_json::to_string_pretty(&changes)?)?;
        } else {
            for change in &changes {
                print(&mut out, change)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Takes one back.
pub(super) fn undo(args: &Undo, config: &Path) -> anyhow::Result<ExitCode> {
    with_store(config, async |store| {
        let mut writing = store.write(&who(), &format!("undo {}", args.change)).await?;
        let things = writing.undo(args.change).await?;
        match writing.commit().await? {
            Some(revision) => println!("change {} is undone by change {revision}: {things} of {things}", args.change),
            None => println!("change {} is undone already", args.change),
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn print(out: &mut impl Write, change: &Change) -> io::Result<()> {
    let Change { revision, at, who, action, layer, subject, before, after, .. } = change;
    let at = at.strftime("%Y-%m-%d %H:%M:%S");
    writeln!(out, "change {revision}  {at}  {who}  {action}  {} {subject}", layer.as_str())?;
    let (before, after) = (flat(before.as_ref()), flat(after.as_ref()));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names.into_iter().filter(|name| before.get(*name) != after.get(*name)) {
        let text = |side: &Map<String, Value>| match side.get(name) {
            // Of a secret, that it was changed is all there is to see.
            Some(value) => VariableValue::from(value.clone()).to_string(),
            None => "none".to_owned(),
        };
        writeln!(out, "  {name}: {} -> {}", text(&before), text(&after))?;
    }
    Ok(())
}

/// Puts a mask in the place of every secret.
fn mask(side: &mut Value) {
    let Some(Value::Object(variables)) = side.get_mut("variables") else { return };
    for value in variables.values_mut() {
        *value = VariableValue::from(value.take()).shown();
    }
}

/// One side of a change, each variable as a field of its own.
fn flat(side: Option<&Value>) -> Map<String, Value> {
    let mut fields = side.and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(Value::Object(variables)) = fields.remove("variables") {
        fields.extend(variables.into_iter().map(|(name, value)| (format!("variable {name}"), value)));
    }
    fields
}
