//! `phoneprov drift`: what phones say that they have, held against what they would be given.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::line;
use super::received::{IdentityArgs, Reader};
use super::standing::Sight;
use super::store::with_shared_store;
use super::table;
use crate::device::DeviceName;
use crate::profile::flat::FlatProfile;
use crate::profile::mask::masked;
use crate::profile::report::{Differing, Drift, State};
use crate::store::{Entry, Store, StoreError};
use crate::terminal::OneLine;

/// See which parameters of phones are not what the server intends, by what the phones have reported.
///
/// Changes lie over the last full report. Parameters that the phone's user has set are marked. Secrets are never reported,
/// and not compared. Exits with 0 if nothing differs, 1 if something does, 2 if that cannot be told: nothing at all could be
/// compared.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One device, with each parameter; without it, a line for each device that has sent a report.
    device: Option<DeviceName>,
    /// What the phone fetches, where the server has not seen it do so; several times for several.
    #[arg(long, value_name = "PATH", requires = "device")]
    path: Vec<String>,
    #[command(flatten)]
    identity: IdentityArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
}

/// What a device has, and how it differs.
struct Looked {
    entry: Entry,
    state: State,
    /// What was looked at on the server's side.
    paths: Vec<String>,
    /// What the phone fetches besides: images, and what it would be refused now.
    others: Vec<String>,
    drift: Drift,
}

/// Why nothing of a device could be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nothing {
    /// It has sent no report, or none is kept any more.
    NoReport,
    /// Only changes of it are there.
    NoFullReport,
    /// Nobody knows which profiles it fetches.
    FetchUnknown,
    /// What it fetches is no profile, or would be refused.
    NoProfile,
    /// Its profiles set only what no report tells, or nothing.
    EmptyProfiles,
    /// Its report has other parameters than its profiles.
    OtherParameters,
}

/// Looks at one device, or at all.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    with_shared_store(&args.config, async |config, store| {
        let reader = args.identity.reader(&config)?;
        let sight = Sight::open(config, store.clone())?;
        let names = match &args.device {
            Some(name) => vec![name.clone()],
            None => store.reporting().await?,
        };
        let mut looked = Vec::new();
        for name in &names {
            let entry = store.device(name).await?;
            match (entry, &args.device) {
                (Some(entry), _) => looked.push(args.look(&reader, &sight, &store, entry).await?),
                (None, Some(name)) => return Err(StoreError::NoSuchDevice(name.clone()).into()),
                // It was removed since.
                (None, None) => {}
            }
        }
        args.print(&reader, &looked)?;
        Ok(ExitCode::from(code(&looked)))
    })
}

impl Args {
    async fn look(&self, reader: &Reader, sight: &Sight, store: &Arc<Store>, entry: Entry) -> anyhow::Result<Looked> {
        let state = reader.state(store, &entry, Timestamp::MAX).await?.unwrap_or_default();
        let paths = match self.path.as_slice() {
            [] => fetched(sight, &entry).await?,
            named => named.to_vec(),
        };
        let mut profiles: Vec<FlatProfile> = Vec::new();
        let (mut counted, mut others) = (Vec::new(), Vec::new());
        for path in paths {
            match sight.profile(&entry.device, &path).await {
                Some(profile) => {
                    profiles.push(profile);
                    counted.push(path);
                }
                None => others.push(path),
            }
        }
        if let [first, ..] = others.as_slice()
            && !self.path.is_empty()
        {
            anyhow::bail!("{first}: the device would be given no profile there: see phoneprov render --explain");
        }
        let drift = Drift::of(&state.profile, &profiles);
        Ok(Looked { entry, state, paths: counted, others, drift })
    }

    fn print(&self, reader: &Reader, looked: &[Looked]) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        match (&self.device, looked) {
            (Some(_), [one]) if self.json => super::json(&mut out, &one.json())?,
            (None, all) if self.json => super::json(&mut out, &all.iter().map(Looked::json).collect::<Vec<_>>())?,
            (Some(_), [one]) => one.print(&mut out, reader)?,
            (_, all) => {
                let rows: Vec<_> = all.iter().map(Looked::row).collect();
                let head = ["DEVICE", "LAST REPORT", "COMPARED", "DIFFER", "BY USER", "GAPS", "PROFILES"];
                table::print(&mut out, &head, &rows)?;
                for (one, why) in all.iter().filter_map(|one| Some((one, one.nothing()?))) {
                    writeln!(out, "{}: {why}", one.entry.device.name())?;
                }
                if all.is_empty() {
                    writeln!(out, "nothing could be compared: no device has sent a report that is kept")?;
                }
            }
        }
        Ok(())
    }
}

/// What all of it comes to, as an exit code.
fn code(looked: &[Looked]) -> u8 {
    match looked {
        some if some.iter().any(|looked| !looked.drift.differing.is_empty()) => 1,
        some if some.iter().all(|looked| looked.drift.compared == 0) => 2,
        _ => 0,
    }
}

impl Nothing {
    /// Why nothing could be compared, with so many profiles, and so much that is none or would be refused; `None` where
    /// something was.
    fn of(state: &State, drift: &Drift, (profiles, others): (usize, usize)) -> Option<Self> {
        Some(match state.full {
            _ if drift.compared > 0 => return None,
            None if state.last.is_none() && state.gaps.is_empty() => Self::NoReport,
            None => Self::NoFullReport,
            Some(_) if profiles > 0 && drift.untold == 0 => Self::EmptyProfiles,
            Some(_) if profiles > 0 => Self::OtherParameters,
            Some(_) if others > 0 => Self::NoProfile,
            Some(_) => Self::FetchUnknown,
        })
    }
}

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing could be compared: ")?;
        f.write_str(match self {
            Self::NoReport => "it has sent no report that is kept",
            Self::NoFullReport => "no full report of it is kept that can be read",
            Self::FetchUnknown => "nothing is known of what it fetches: name it with --path",
            Self::NoProfile => "of what it fetches, the server would give it nothing, or no profile",
            Self::EmptyProfiles => "its profiles set no parameter that a report tells",
            Self::OtherParameters => "its report holds no parameter that its profiles set",
        })
    }
}

/// The paths that a device asked for when it came last.
async fn fetched(sight: &Sight, entry: &Entry) -> anyhow::Result<Vec<String>> {
    let mut paths = sight.of(std::slice::from_ref(entry)).await?;
    let paths = paths.remove(&entry.id).unwrap_or_default();
    Ok(paths.into_iter().filter(|path| path.is_current).map(|path| path.standing.path).collect())
}

impl Looked {
    fn nothing(&self) -> Option<Nothing> {
        Nothing::of(&self.state, &self.drift, (self.paths.len(), self.others.len()))
    }

    fn by_user(&self) -> usize {
        self.drift.differing.iter().filter(|differing| differing.by_user).count()
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.entry.device.name().to_string(),
            self.state.last.map(when).unwrap_or_default(),
            self.drift.compared.to_string(),
            self.drift.differing.len().to_string(),
            self.by_user().to_string(),
            self.state.gaps.len().to_string(),
            self.paths.len().to_string(),
        ]
    }

    fn json(&self) -> Value {
        let Self { entry, state, paths, others, drift } = self;
        let differing = |one: &Differing| {
            let intended: Vec<_> = one.intended.iter().map(|value| shown(&one.name, value)).collect();
            json!({
                "name": one.name,
                "value": shown(&one.name, &one.value),
                "intended": intended,
                "by_user": one.by_user,
            })
        };
        json!({
            "device": entry.device.name().to_string(),
            "full": state.full.map(|at| at.to_string()),
            "deltas": state.deltas,
            "last": state.last.map(|at| at.to_string()),
            "gaps": state.gaps.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "paths": paths,
            "others": others,
            "compared": drift.compared,
            "cannot_tell": self.nothing().map(|why| why.to_string()),
            "untold": drift.untold,
            "differing": drift.differing.iter().map(differing).collect::<Vec<_>>(),
        })
    }

    fn print(&self, out: &mut impl Write, reader: &Reader) -> io::Result<()> {
        let Self { entry, state, paths, others, drift } = self;
        line(out, "device", &entry.device.name().to_string())?;
        line(out, "report", &said(state))?;
        for gap in &state.gaps {
            line(out, "gap", &gap.to_string())?;
        }
        if !reader.knows_gaps() {
            line(out, "gaps", "not known: without [events], nobody knows of a report that was refused")?;
        }
        for path in paths {
            line(out, "intended", path)?;
        }
        for path in others {
            line(out, "passed over", &format!("{}: it is no profile, or would be refused now", OneLine(path)))?;
        }
        for one in &drift.differing {
            let by = if one.by_user { "  set by its user" } else { "" };
            let value = quoted(&one.name, &one.value);
            let intended: Vec<String> = one.intended.iter().map(|value| quoted(&one.name, value)).collect();
            let intended = if intended.is_empty() { "no profile sets it".to_owned() } else { intended.join(" or ") };
            line(out, "differs", &format!("{} is {value}, intended: {intended}{by}", OneLine(&one.name)))?;
        }
        match self.nothing() {
            Some(why) => line(out, "cannot tell", &why.to_string())?,
            None if drift.differing.is_empty() => line(out, "differs", "nothing differs")?,
            None => {}
        }
        let untold = drift.untold;
        line(out, "compared", &format!("{} parameters; {untold} that are intended are in no report", drift.compared))
    }
}

/// What came, and when.
pub(super) fn said(state: &State) -> String {
    let deltas = match state.deltas {
        0 => String::new(),
        1 => ", 1 change since".to_owned(),
        several => format!(", {several} changes since"),
    };
    let last = state.last.filter(|_| state.deltas > 0).map(|at| format!(", the last of {}", when(at)));
    let full = state.full.map_or_else(|| "no full one".to_owned(), |at| format!("full, of {}", when(at)));
    format!("{full}{deltas}{}", last.unwrap_or_default())
}

pub(super) fn when(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn shown(name: &str, value: &str) -> String {
    masked(name.rsplit('/').next().unwrap_or(name), value).into_owned()
}

fn quoted(name: &str, value: &str) -> String {
    format!("`{}`", OneLine(shown(name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::report::Gap;

    #[test]
    fn what_kept_anything_from_being_compared_is_told_by_its_first_reason() {
        let state = |full: Option<Timestamp>, last: Option<Timestamp>| State { full, last, ..State::default() };
        let drift = |compared, untold| Drift { compared, untold, ..Drift::default() };
        let at = Some(Timestamp::UNIX_EPOCH);
        let nothing = |state: &State, drift: Drift, of| Nothing::of(state, &drift, of);
        assert_eq!(nothing(&state(None, None), drift(0, 9), (1, 0)), Some(Nothing::NoReport));
        assert_eq!(nothing(&state(None, at), drift(0, 9), (1, 0)), Some(Nothing::NoFullReport));
        let unread = State { gaps: vec![Gap::NoFull], ..state(None, None) };
        assert_eq!(nothing(&unread, drift(0, 9), (1, 0)), Some(Nothing::NoFullReport));
        let full = state(at, at);
        assert_eq!(nothing(&full, drift(0, 9), (2, 1)), Some(Nothing::OtherParameters));
        assert_eq!(nothing(&full, drift(0, 0), (2, 1)), Some(Nothing::EmptyProfiles));
        assert_eq!(nothing(&full, drift(0, 0), (0, 1)), Some(Nothing::NoProfile));
        assert_eq!(nothing(&full, drift(0, 0), (0, 0)), Some(Nothing::FetchUnknown));
        assert_eq!(nothing(&full, drift(1, 9), (2, 1)), None);
        assert_eq!(nothing(&state(None, at), drift(1, 0), (1, 0)), None, "changes alone can be held against a profile");
    }
}
