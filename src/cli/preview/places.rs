//! Which paths phones ask for that nobody has seen asking: the names of the profile folder, expanded as each phone would.

use std::collections::{BTreeSet, HashMap};

use anyhow::ensure;

use crate::device::{Device, MacAddress};
use crate::inventory::Known;
use crate::profile::macros::{Macro, Macros};
use crate::profile::name::{Name, Star};
use crate::profile::path::DEEPEST;
use crate::profile::root::{Kind, Root};
use crate::profile::tree::Found;
use crate::provision::Named;

/// Templates of one folder of profiles: each is rendered for each phone that has never asked for anything.
const TEMPLATES: usize = 1000;

/// Files that name one device each.
const OWN: usize = 2_000_000;

/// The names of one or more folders of profiles.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Paths with macros.
    templates: BTreeSet<String>,
    /// Literal paths that name one device.
    own: HashMap<MacAddress, Vec<String>>,
    /// Literal paths that name none.
    common: BTreeSet<String>,
}

impl Places {
    /// Reads all names below a folder of profiles. Parts of templates are none.
    pub(crate) fn add(&mut self, root: &Root) -> anyhow::Result<()> {
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            // Links may form a circle, and no path reaches deeper.
            if folder.split('/').count() >= DEEPEST {
                continue;
            }
            let Some((entries, _)) = root.list(&folder)? else { continue };
            for entry in entries.into_iter().filter(|entry| !entry.name.starts_with(['.', '_'])) {
                let path = if folder.is_empty() { entry.name } else { format!("{folder}/{}", entry.name) };
                let is_folder = match entry.kind {
                    Some(kind) => kind == Kind::Folder,
                    None => root.list(&path).is_ok_and(|listed| listed.is_some()),
                };
                if is_folder { folders.push(path) } else { self.file(path)? }
            }
        }
        Ok(())
    }

    fn file(&mut self, path: String) -> anyhow::Result<()> {
        let mut names = path.split('/').map(|segment| Name::parse(segment, Star::Literal));
        if names.any(|name| !name.is_literal()) {
            self.templates.insert(path);
            ensure!(self.templates.len() <= TEMPLATES, "more than {TEMPLATES} templates, which is the most");
            return Ok(());
        }
        let found = Found { file: path.as_str().into(), ..Found::reflection() };
        let macs = match Named::of(&found) {
            Named::Device { mac, .. } => mac.into_iter().collect(),
            Named::OneOf(candidates) => candidates,
            Named::Nobody => {
                self.common.insert(path);
                return Ok(());
            }
            Named::Several => return Ok(()),
        };
        for mac in macs {
            let paths = self.own.entry(mac).or_default();
            if !paths.contains(&path) {
                paths.push(path.clone());
            }
        }
        ensure!(self.own.len() <= OWN, "files of more than {OWN} devices, which is the most");
        Ok(())
    }

    /// Files that are everybody's.
    pub(crate) fn common(&self) -> impl Iterator<Item = &str> {
        self.common.iter().map(String::as_str)
    }

    /// What a device would ask for: every template that it can fill in, and the files that are its own.
    pub(crate) fn of(&self, device: &Device, known: &Known) -> BTreeSet<String> {
        let macros = macros(device, known);
        let expanded = |template: &String| {
            let segments = template.split('/').map(|segment| {
                let name = Name::parse(segment, Star::Literal);
                if name.is_literal() { Some(segment.to_owned()) } else { name.expand(&macros) }
            });
            Some(format!("/{}", segments.collect::<Option<Vec<_>>>()?.join("/")))
        };
        let own = device.identity.mac().into_iter().chain(device.aliases.iter().copied());
        let own = own.filter_map(|mac| self.own.get(&mac)).flatten().map(|path| format!("/{path}"));
        self.templates.iter().filter_map(expanded).chain(own).collect()
    }
}

/// What a phone's macros stand for, as far as the store knows.
fn macros(device: &Device, known: &Known) -> Macros {
    let mut macros = Macros::default();
    macros.complete(&device.identity);
    if let Some(series) = &device.series {
        macros.bind(Macro::Psn, &series.to_string());
    }
    for letter in 'A'..='P' {
        if let Some(Macro::Register(register)) = Macro::named(letter.encode_utf8(&mut [0; 4]))
            && let Some(text) = known.register(&register.parameter())
        {
            macros.bind(Macro::Register(register), &text);
        }
    }
    macros
}
