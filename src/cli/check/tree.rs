//! The profile tree: every name, and every template rendered with sample values.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;

use super::clear::Clear;
use super::keys::Keys;
use super::legacy::Exposed;
use super::parts::Parts;
use super::rules::{stray_dollar, stray_message};
use super::unasked::Unasked;
use super::{Finding, content, links};
use crate::app::App;
use crate::cli::sample::Sample;
use crate::config::{Proof, Protocol};
use crate::device::{DeviceIdentity, MacAddress};
use crate::profile::lint::Sent;
use crate::profile::macros::{Macro, Macros};
use crate::profile::name::{Name, Star};
use crate::profile::path::{DEEPEST, RequestPath};
use crate::profile::root::{Entry, Kind};
use crate::profile::tree::FileKind;
use crate::provision::{
    self, Certified, Conditions, Delivery, Examined, Named, Presented, Profile, Refusal, Request, Verb,
};

/// More names than a folder should have that is read again while phones ask (docs/performance.md has what that costs).
const CROWDED: usize = 50_000;

/// Who asks for each file.
struct Visit<'a> {
    app: &'a App,
    phone: Sample,
}

/// What is told of once, when all files have been seen.
struct Noted {
    exposed: Exposed,
    clear: Clear,
    parts: Parts,
    keys: Keys,
    unasked: Unasked,
}

/// Walks the tree from its root.
pub(super) fn findings(app: &App, sample: Option<&DeviceIdentity>, has_codes: bool) -> Vec<Finding> {
    let visit = Visit { app, phone: Sample::new(sample.cloned()) };
    let mut findings = Vec::new();
    let mut noted = Noted {
        exposed: Exposed::new(&app.config),
        clear: Clear::default(),
        parts: Parts::new(sample.and_then(DeviceIdentity::mac)),
        keys: Keys::new(has_codes),
        unasked: Unasked::new(&app.config),
    };
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        // No path reaches deeper, and links may form a circle.
        if folder.split('/').count() >= DEEPEST {
            continue;
        }
        match app.line.tree.root().list(&folder) {
            Ok(Some((entries, _))) => {
                findings.extend(crowd(app, &folder, &entries));
                findings.extend(names(&folder, &entries));
                findings.extend(nameless(app, &folder));
                findings.extend(overrides(app, &folder, &entries));
                for entry in entries.iter().filter(|entry| !entry.name.starts_with('.')) {
                    if entry.kind.is_none() {
                        findings.extend(links::finding(app, &below(&folder, &entry.name)));
                    }
                    match kind(app, &below(&folder, &entry.name), entry) {
                        Ok(Kind::Folder) => folders.push(below(&folder, &entry.name)),
                        Ok(Kind::File) => findings.extend(ask(&visit, &below(&folder, &entry.name), &mut noted)),
                        Ok(Kind::Other) => findings.push(Finding::warning(
                            below(&folder, &entry.name),
                            "neither a file nor a folder, so it is never served",
                        )),
                        Err(error) => findings.push(Finding::error(below(&folder, &entry.name), error.to_string())),
                    }
                }
            }
            Ok(None) => {}
            Err(error) => findings.push(Finding::error(shown(&folder), error.to_string())),
        }
    }
    let devices = noted.parts.devices().into_iter();
    findings.extend(devices.filter_map(|(file, mac)| of_device(app, (sample?, mac), file, &noted.keys)));
    findings.extend(noted.exposed.findings());
    findings.extend(noted.clear.findings(app));
    findings.extend(noted.keys.findings(app, &visit.phone.macros));
    findings.extend(noted.unasked.findings(&app.config));
    findings.sort_by(|a, b| a.place.cmp(&b.place));
    findings
}

/// What a name is: behind a link, or where the file system does not say, what stands there.
fn kind(app: &App, path: &str, entry: &Entry) -> io::Result<Kind> {
    match entry.kind {
        Some(kind) => Ok(kind),
        None => match app.line.tree.root().list(path)? {
            Some(_) => Ok(Kind::Folder),
            None => app.line.tree.root().open_file(path).map(|_| Kind::File),
        },
    }
}

/// Names that are no text, which no path can hold.
fn nameless(app: &App, folder: &str) -> Vec<Finding> {
    let Ok(entries) = std::fs::read_dir(app.line.tree.root().path().join(folder)) else { return Vec::new() };
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
    let is_hidden = |name: &OsString| matches!(name.as_encoded_bytes().first(), Some(b'.' | b'_'));
    let nameless = names.filter(|name| name.to_str().is_none() && !is_hidden(name));
    let finding = |name: OsString| {
        Finding::warning(below(folder, &name.to_string_lossy()), "its name is not UTF-8, so it is never served")
    };
    nameless.map(finding).collect()
}

/// What a crowded folder costs where nobody tells which names come and go.
fn crowd(app: &App, folder: &str, entries: &[Entry]) -> Option<Finding> {
    let is_followed = || matches!(app.line.tree.root().follow(folder), Ok(Some(_)));
    if entries.len() <= CROWDED || is_followed() {
        return None;
    }
    let message = format!(
        "{} names in one folder, of a file system that does not tell of changes: it is read again after each. Use folders",
        entries.len()
    );
    Some(Finding::warning(shown(folder), message))
}

/// The names of one folder, each alone and against the others.
fn names(folder: &str, entries: &[Entry]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut by_case: HashMap<String, &str> = HashMap::new();
    let mut named: Vec<Name> = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.name.starts_with(['.', '_'])) {
        let place = below(folder, &entry.name);
        let name = Name::parse(&entry.name, Star::Literal);
        if let Err(error) = name.check() {
            findings.push(Finding::error(&place, format!("never served: {error}")));
        }
        if let Some(stray) = stray_dollar(&entry.name) {
            findings.push(Finding::warning(&place, stray_message(&stray)));
        }
        if let Some(other) = by_case.insert(entry.name.to_ascii_lowercase(), &entry.name) {
            let message = format!("`{other}` differs in case only: a phone gets the one whose case it asks with");
            findings.push(Finding::warning(&place, message));
        }
        if let Some(rival) = named.iter().find(|other| other.rivals(&name)) {
            let message = format!("cannot be told apart from `{rival}`: the first in the alphabet is always taken");
            findings.push(Finding::error(&place, message));
        }
        if !name.is_literal() {
            named.push(name);
        }
    }
    findings
}

/// Literal names that `$SN` beside them stands for as well: such a file is one device's to a person, but its name does not
/// say so to the server, as a MAC address would.
fn overrides(app: &App, folder: &str, entries: &[Entry]) -> Vec<Finding> {
    let names: Vec<Name> = entries.iter().map(|entry| Name::parse(&entry.name, Star::Literal)).collect();
    let of_devices: Vec<&Name> = names.iter().filter(|name| name.macros().any(|name| name == Macro::Sn)).collect();
    let is_open = |path: &str| {
        RequestPath::from_tftp(path.as_bytes()).is_ok_and(|path| {
            let (treatment, bound) = app.line.rules.treatment(&path);
            treatment.proof_for(bound.mac().is_some() || bound.serial().is_some()) == Proof::None
        })
    };
    let beside = |name: &Name| {
        let template = of_devices.iter().find(|other| other.matches(name.as_str(), &Macros::default()).is_some())?;
        let path = below(folder, name.as_str());
        let message = format!(
            "open to everybody, although `{template}` beside it is each device's own: \
             add a rule for /{} with proof = \"certificate\"",
            below(folder, template.as_str())
        );
        is_open(&path).then(|| Finding::warning(path, message))
    };
    names.iter().filter(|name| name.is_literal()).filter_map(beside).collect()
}

/// Asks for a file as a sample phone would that proves what it has to.
fn ask(visit: &Visit<'_>, path: &str, noted: &mut Noted) -> Vec<Finding> {
    let Visit { app, phone, .. } = visit;
    let mut findings = Vec::new();
    if path.split('/').any(|segment| segment.starts_with('_')) {
        return noted.parts.read(app, path).into_iter().collect();
    }
    noted.unasked.note(&app.config, path);
    let Some(asked) = asked(path, &phone.macros) else {
        return vec![Finding::error(path, "no phone can ask for this name")];
    };
    let found = match app.line.tree.find(&asked) {
        // Another file is served under this name; its own turn comes, or the names' finding has it.
        Ok(found) => found.filter(|found| *found.file == *path),
        Err(error) => return vec![Finding::error(path, error.to_string())],
    };
    let Some(found) = found else { return findings };
    let named = Named::of(&found);
    let (treatment, _) = app.line.rules.treatment(&asked);
    let names_device = named != Named::Nobody;
    if names_device {
        noted.exposed.note(path, treatment);
        noted.clear.note(app, path, &asked, &phone.macros);
    }
    let proof = treatment.proof_for(names_device);
    let sent = treatment.sent(names_device);
    let is_changed = treatment.gzip || treatment.encryption.is_some();
    let proven = (phone.owner_of(&named, proof), phone.account_for(&named));
    match found.kind {
        FileKind::Template => findings.extend(render(visit, path, asked, proven, (sent, noted))),
        FileKind::Literal => {
            if let Err(error) = app.line.tree.root().open_file(path) {
                findings.push(Finding::error(path, format!("cannot be read: {error}")));
            } else if is_changed {
                // Whom the sample phone is not is refused: that says nothing of the key.
                let made = with_profile(visit, asked, proven, |_, profile| noted.keys.open(app, path, profile));
                findings.extend(made.err().and_then(|refusal| too_large(path, &refusal)));
            }
            findings.extend(content::literal(app, path, sent));
        }
        // No folder has it.
        FileKind::Reflection | FileKind::Upload => {}
    }
    findings
}

/// What a phone with these values asks with for a file.
fn asked(path: &str, macros: &Macros) -> Option<RequestPath> {
    let names = || path.split('/').map(|segment| Name::parse(segment, Star::Literal));
    let asked = match names().all(|name| name.is_literal()) {
        true => path.to_owned(),
        false => names().map(|name| name.expand(macros)).collect::<Option<Vec<String>>>().unwrap_or_default().join("/"),
    };
    RequestPath::from_tftp(asked.as_bytes()).ok()
}

/// A file that is compressed or encrypted, and too large for either.
fn too_large(path: &str, refusal: &Refusal) -> Option<Finding> {
    let Refusal::File { error, .. } = refusal else { return None };
    Some(Finding::error(path, format!("never served, since its rule compresses or encrypts it: {error}")))
}

/// What a template says for the device that has a part of its own, where that is no profile.
fn of_device(app: &App, (sample, mac): (&DeviceIdentity, MacAddress), path: &str, keys: &Keys) -> Option<Finding> {
    let identity = DeviceIdentity::new(Some(mac), sample.serial().cloned(), sample.model().cloned());
    let visit = Visit { app, phone: Sample::new(identity) };
    let asked = asked(path, &visit.phone.macros)?;
    let found = app.line.tree.find(&asked).ok()?.filter(|found| *found.file == *path)?;
    let named = Named::of(&found);
    let treatment = app.line.rules.treatment(&asked).0.clone();
    let proof = treatment.proof_for(named != Named::Nobody);
    let proven = (visit.phone.owner_of(&named, proof), visit.phone.account_for(&named));
    let made = with_profile(&visit, asked, proven, |_, profile| provision::preview(&app.line, profile).map(drop));
    match made {
        Ok(Some(Err(refusal))) if !keys.awaits(treatment.proof, &refusal) => {
            Some(Finding::error(path, format!("gives no profile for {mac}: {refusal}")))
        }
        // What is wrong beside the template is so for the sample phone too.
        Ok(_) | Err(_) => None,
    }
}

/// What the sample phone shows: its certificate, and its password.
type Proven = (Option<DeviceIdentity>, Examined);

fn render(
    visit: &Visit<'_>,
    path: &str,
    asked: RequestPath,
    proven: Proven,
    (sent, noted): (Sent, &mut Noted),
) -> Vec<Finding> {
    let app = visit.app;
    let (treatment, _) = app.line.rules.treatment(&asked);
    let proof = treatment.proof;
    let made = with_profile(visit, asked, proven, |request, profile| {
        // Where there is no key, the rule's finding says so; the profile itself is looked at all the same.
        if noted.keys.open(app, path, profile).is_ok() {
            provision::finish(&app.line, request, profile)?;
        }
        provision::preview(&app.line, profile)
    });
    match &made {
        Ok(Some(Ok(document))) => noted.parts.note(path, &document.sources),
        Ok(Some(Err(Refusal::Template(error)))) => noted.parts.note(path, error.sources()),
        Ok(_) | Err(_) => {}
    }
    match made {
        Ok(None) => Vec::new(),
        Err(refusal) => vec![Finding::error(path, refusal.to_string())],
        Ok(Some(Ok(document))) => content::findings(app, path, &document.bytes, sent),
        Ok(Some(Err(refusal))) if noted.keys.awaits(proof, &refusal) => Vec::new(),
        Ok(Some(Err(refusal))) => {
            vec![Finding::error(path, format!("gives no profile for a sample phone: {refusal}"))]
        }
    }
}

/// Asks as the sample phone, and goes on with what it is granted; with nothing where that is a stream.
fn with_profile<T>(
    visit: &Visit<'_>,
    asked: RequestPath,
    (owner, password): Proven,
    go_on: impl FnOnce(&Request<'_>, &Profile) -> T,
) -> Result<Option<T>, Refusal> {
    let line = &visit.app.line;
    let (treatment, _) = line.rules.treatment(&asked);
    let transport = match (&treatment.listeners, &owner) {
        (Some(listeners), Some(_)) if listeners.contains(&Protocol::Https) => Protocol::Https,
        (None, Some(_)) => Protocol::Https,
        (Some(listeners), _) => listeners.first().copied().unwrap_or(Protocol::Http),
        (None, None) => Protocol::Http,
    };
    let presented = owner.map_or(Presented::Nothing, |owner| Presented::Device(Certified::as_given(owner)));
    let request = Request {
        transport,
        peer: ([127, 0, 0, 1], 0).into(),
        verb: Verb::Get,
        path: Ok(asked),
        key: None,
        presented: &presented,
        models: None,
        password,
        accepts_gzip: false,
        conditions: Conditions::default(),
        read: Vec::new(),
    };
    let profile = provision::admit(line, &request, &mut provision::Trail::default())?;
    Ok((profile.delivery() == Delivery::Whole).then(|| go_on(&request, &profile)))
}

fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn shown(folder: &str) -> String {
    if folder.is_empty() { "profiles".to_owned() } else { folder.to_owned() }
}
