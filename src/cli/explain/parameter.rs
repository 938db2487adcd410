//! A parameter of a device's profiles: what it is there, and where that was said.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{Explained, variable};
use crate::cli::preview::{Places, Side, Subject};
use crate::cli::standing::asked;
use crate::cli::store::app;
use crate::device::{Layers, VariableName};
use crate::profile::flat::{FlatProfile, Parameter};
use crate::profile::lint::is_profile;
use crate::profile::macros::{Macro, Macros};
use crate::profile::mask::masked;
use crate::profile::template::{Templates, Variables, trace};
use crate::profile::tree::FileKind;
use crate::provision::Profile;
use crate::store::{Entry, Store};

/// The longest template that is looked into for a line (bytes), as the longest that is rendered.
const LONGEST: u64 = 16 * 1024 * 1024;

/// A device's profiles, as the server would make them.
pub(super) struct Sight {
    side: Side,
    traced: Templates,
    subject: Subject,
    paths: Vec<String>,
    is_revealed: bool,
}

/// Where a value was written.
struct Written {
    file: String,
    line: usize,
    /// What it was made with.
    variables: Vec<Explained>,
}

impl Sight {
    /// What there is of a device: what it is known to ask for, or what it could.
    pub(super) async fn open(
        store: Arc<Store>,
        config: &Path,
        entry: &Entry,
        is_revealed: bool,
    ) -> anyhow::Result<Self> {
        let app = app(crate::cli::load(config)?).context("the device's profiles cannot be looked at")?;
        let root = app.line.tree.root().clone();
        let side = Side { app: Arc::new(app), outlook: store.outlook().await? };
        let keys = store.keys(&[entry.id]).await?.remove(&entry.id).unwrap_or_default();
        let store_for_eyes = if is_revealed { store.twin() } else { store.masked_twin() };
        let subject = Subject::new(&store_for_eyes, &side, entry, &keys);
        let mut paths = asked(&store.standings_of(&[entry.id]).await?);
        if paths.is_empty() {
            let mut places = Places::default();
            places.add(&root)?;
            paths = places.of(subject.device(), subject.known()).into_iter().collect();
        }
        Ok(Self { side, traced: Templates::traced(root), subject, paths, is_revealed })
    }

    /// The parameter in each profile that has it.
    pub(super) fn explain(&self, layers: &Layers, name: &str) -> anyhow::Result<Vec<Explained>> {
        let kept =
            VariableName::of_parameter(name).ok().and_then(|name| variable(layers, &name).map(|told| (name, told)));
        let mut explained = Vec::new();
        for path in &self.paths {
            let Ok(profile) = self.side.admit(&self.subject, path) else { continue };
            let document = match self.side.draft(&profile) {
                Ok(document) => document,
                Err(reason) => {
                    eprintln!("phoneprov: {path}: {reason}");
                    continue;
                }
            };
            let Some(parameter) = read(&document.bytes, name) else { continue };
            let is_kept = kept.as_ref().filter(|_| profile.grant().found().kind == FileKind::Template);
            let written = self.written(layers, &profile, &parameter, is_kept.is_some());
            explained.push(self.told(path, &parameter, is_kept.map(|(name, _)| (name, layers)), written));
        }
        Ok(explained)
    }

    /// Where a profile's parameter is written, and what it says there. Where the traced profile does not say the same as the
    /// one that phones get, nobody knows.
    fn written(
        &self,
        layers: &Layers,
        profile: &Profile,
        parameter: &Parameter,
        is_overridden: bool,
    ) -> Option<(Written, String)> {
        let found = profile.grant().found();
        if found.kind != FileKind::Template {
            let written = Written { file: found.file.to_string(), line: parameter.place().line, variables: Vec::new() };
            return Some((written, parameter.value().to_owned()));
        }
        let variables = Arc::new(self.variables(profile));
        let certificate = profile.grant().certificate();
        let traced = self.traced.render(&found.file, &found.macros, &variables, certificate).ok()?;
        let traced = read(traced.text.as_bytes(), parameter.name())?;
        if !is_overridden && traced.value() != parameter.value() {
            return None;
        }
        let (file, offset) = trace::place_of(&traced)?;
        let (bytes, _) = self.side.app.line.tree.root().read(&file, LONGEST).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let line = 1 + text.get(..offset)?.matches('\n').count();
        let names = trace::names_at(&text, offset, |name| {
            variables.contains_key(name) || Macro::named(name).is_some_and(|name| found.macros.value(name).is_some())
        });
        let used = names.iter().filter_map(|name| used(layers, &found.macros, name)).collect();
        Some((Written { file, line, variables: used }, traced.value().to_owned()))
    }

    /// What templates are given, without the parameters that are laid over what they make.
    fn variables(&self, profile: &Profile) -> Variables {
        let mut all: BTreeMap<_, _> = (*self.side.app.line.variables).clone();
        if let Some(known) = profile.grant().device() {
            all.extend(known.variables().iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        all.retain(|name, _| !name.starts_with('<'));
        all
    }

    fn told(
        &self,
        path: &str,
        parameter: &Parameter,
        kept: Option<(&VariableName, &Layers)>,
        written: Option<(Written, String)>,
    ) -> Explained {
        let name = parameter.name();
        let shown = |value: &str| match self.is_revealed {
            true => Value::from(value),
            false => Value::from(masked(name, value).as_ref()),
        };
        let value = shown(parameter.value());
        let mut below = Vec::new();
        let mut instead_of: Vec<Value> = Vec::new();
        let mut layer = None;
        if let Some((name, layers)) = kept {
            for (at, (origin, value)) in layers.of(name).enumerate() {
                if at == 0 {
                    layer = Some(origin.to_string());
                    continue;
                }
                below.push(format!("not {}  from {origin}", value.shown()));
                instead_of.push(json!({ "layer": origin.to_string(), "value": value.shown() }));
            }
        }
        let (mut from, mut used) = (Value::Null, Vec::new());
        let origin = match (&layer, written) {
            (Some(layer), Some((Written { file, line, .. }, value))) => {
                below.push(format!("not {}  from {file}, line {line}", shown(&value)));
                instead_of.push(json!({ "file": file, "line": line, "value": shown(&value) }));
                layer.clone()
            }
            (Some(layer), None) => layer.clone(),
            (None, Some((Written { file, line, variables }, _))) => {
                for Explained { line, below: losers, json } in variables {
                    below.push(line);
                    below.extend(losers.into_iter().map(|loser| format!("  {loser}")));
                    used.push(json);
                }
                from = json!({ "file": file, "line": line });
                format!("{file}, line {line}")
            }
            (None, None) => "a line that cannot be told".to_owned(),
        };
        let json = json!({
            "parameter": name, "value": value, "path": path, "from": from, "layer": layer, "variables": used,
            "instead_of": instead_of,
        });
        Explained { line: format!("{name} = {value}  in {path}, from {origin}"), below, json }
    }
}

/// A variable or a macro that a line uses.
fn used(layers: &Layers, macros: &Macros, name: &str) -> Option<Explained> {
    let of_layers = || name.parse().ok().and_then(|name| variable(layers, &name));
    let of_phone = Macro::named(name).and_then(|name| macros.value(name)).map(|value| {
        let value = Value::from(value);
        Explained {
            line: format!("{name} = {value}  from the path or certificate"),
            below: Vec::new(),
            json: json!({ "name": name, "value": value, "layer": "phone" }),
        }
    });
    of_phone.or_else(of_layers)
}

/// A profile's parameter as it counts.
fn read(bytes: &[u8], name: &str) -> Option<Parameter> {
    let profile = is_profile(bytes).then(|| FlatProfile::read(bytes).ok()).flatten()?;
    profile
        .effective()
        .parameters
        .into_iter()
        .find(|parameter| parameter.name() == name && parameter.router().is_none())
}
