//! Step 4: the granted file's content; a template becomes text for this one device.

use std::sync::Arc;
use std::time::SystemTime;

use super::reflect::reflect;
use super::{Coding, Document, Grant, Line, Profile, Refusal};
use crate::profile::root::Root;
use crate::profile::template::{Rendered, Source, TemplateError, Variables};
use crate::profile::tree::FileKind;

/// The longest file that is held (bytes); `resolve` has looked at the size before, this bounds a file that grows.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Reads or renders the file.
pub(super) fn render(line: &Line, profile: &Profile) -> Result<Document, Refusal> {
    let found = profile.grant().found();
    let read = SystemTime::now();
    match found.kind {
        FileKind::Literal => {
            let (bytes, stamp) = line
                .tree
                .root()
                .read(&found.file, LONGEST)
                .map_err(|error| Refusal::File { file: found.file.to_string(), error })?;
            let sources = vec![Source { file: found.file.to_string(), stamp: Some(stamp) }];
            Ok(Document {
                bytes: bytes.into(),
                sources,
                modified: stamp.changed(),
                read,
                coding: Coding::Identity,
                is_personal: false,
            })
        }
        FileKind::Template => {
            let variables = variables(line, profile.grant());
            let certificate = profile.grant().certificate();
            let make = |given: &_| line.templates.render(&found.file, &found.macros, given, certificate);
            let rendered =
                make(&variables).map_err(|error| unveiled(line, profile.grant(), (&found.file, error), make))?;
            let known = profile.grant().device().map_or(line.configured, |known| known.changed());
            let given = line.configured.max(known);
            let modified = newest(line.tree.root(), &rendered.sources).map_or(given, |newest| newest.max(given));
            Ok(Document {
                bytes: rendered.text.into(),
                sources: rendered.sources,
                modified,
                read,
                coding: Coding::Identity,
                is_personal: rendered.is_personal,
            })
        }
        FileKind::Reflection => Ok(reflect(line, profile)),
        // A leave to send is none to read.
        FileKind::Upload => Err(Refusal::NoSuchFile),
    }
}

/// What is wrong with a template, if making it again without the device's secrets says so, too: their text may be part of it.
pub(super) fn unveiled(
    line: &Line,
    grant: &Grant,
    (what, error): (&str, TemplateError),
    make: impl FnOnce(&Arc<Variables>) -> Result<Rendered, TemplateError>,
) -> Refusal {
    let Some(masked) = masked(line, grant) else { return error.into() };
    match make(&masked) {
        Err(same) if same.to_string() == error.to_string() => error.into(),
        Ok(_) | Err(_) => Refusal::Veiled(what.to_owned()),
    }
}

/// The profile as it would be with a mask in place of each of the device's secrets, empty where the template gives none then;
/// `None` where the device has no secret, or the file is no template.
pub(super) fn veiled(line: &Line, profile: &Profile) -> Option<String> {
    let (found, certificate) = (profile.grant().found(), profile.grant().certificate());
    let masked = masked(line, profile.grant()).filter(|_| found.kind == FileKind::Template)?;
    let rendered = line.templates.render(&found.file, &found.macros, &masked, certificate);
    Some(rendered.map(|rendered| rendered.text).unwrap_or_default())
}

/// What templates are given, with a mask in place of each secret of the device; `None` where it has none.
fn masked(line: &Line, grant: &Grant) -> Option<Arc<Variables>> {
    let mut all = (*line.variables).clone();
    all.extend(grant.device()?.masked_variables()?);
    Some(Arc::new(all))
}

/// What templates are given: the configuration's variables, and the device's own in place of those of the same name.
pub(super) fn variables(line: &Line, grant: &Grant) -> Arc<Variables> {
    match grant.device() {
        Some(known) if line.variables.is_empty() => known.variables().clone(),
        Some(known) if !known.variables().is_empty() => {
            let mut all = (*line.variables).clone();
            all.extend(known.variables().iter().map(|(name, value)| (name.clone(), value.clone())));
            Arc::new(all)
        }
        Some(_) | None => line.variables.clone(),
    }
}

/// When the last of the files came to be what and where it is. The folders on the way count, too: a file that is gone leaves
/// its trace in them alone, and so does one folder that was put in another's place.
fn newest(root: &Root, sources: &[Source]) -> Option<SystemTime> {
    let mut folders: Vec<&str> = sources.iter().flat_map(|source| folders_of(&source.file)).collect();
    folders.sort_unstable();
    folders.dedup();
    let folders = folders.into_iter().filter_map(|folder| root.stamp(folder).ok().flatten());
    sources.iter().filter_map(|source| source.stamp).chain(folders).map(|stamp| stamp.changed()).max()
}

/// The folders on the way to a file, from the profile folder on.
fn folders_of(file: &str) -> impl Iterator<Item = &str> {
    std::iter::once("").chain(file.match_indices('/').map(|(slash, _)| &file[..slash]))
}
