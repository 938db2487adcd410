//! `phoneprov diff`: two profiles, parameter by parameter.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;

use super::cipher_args::write_output;
use super::preview;
use super::profile_file::{self, STDIN};
use crate::profile::flat::{Compared, Difference, Parameter, compare};
use crate::profile::mask::{MASK, masked};
use crate::terminal::OneLine;

/// How a profile would hold the mask.
const MASK_WRITTEN: &str = "&#8226;&#8226;&#8226;&#8226;";

/// Compare two profiles by parameter: order, comments and layout do not count.
///
/// Exits with 0 when they say the same, 1 when they differ, 2 when one cannot be read. Passwords and keys are masked.
///
/// With --profiles, compare what every device of the store would be given from another folder of profiles with what it is given
/// now, before that folder takes the place of this one.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The first profile; `-` is standard input.
    #[arg(required_unless_present = "profiles")]
    first: Option<PathBuf>,
    /// The second profile.
    #[arg(required_unless_present = "profiles")]
    second: Option<PathBuf>,
    /// The other folder of profiles.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["first", "second", "values", "reveal"])]
    profiles: Option<PathBuf>,
    /// The configuration file, with --profiles.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// With --profiles: print JSON.
    #[arg(long, requires = "profiles")]
    json: bool,
    /// Compare values only, not attributes such as `ua`.
    #[arg(long)]
    values: bool,
    /// Show passwords and keys.
    #[arg(long)]
    reveal: bool,
}

/// Compares and prints.
///
/// # Errors
/// A file cannot be read or is no profile.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(profiles) = &args.profiles {
        let told = preview::of_folder(&args.config, profiles, args.json)?;
        return Ok(ExitCode::from(u8::from(told.differs)));
    }
    let (Some(first), Some(second)) = (&args.first, &args.second) else { bail!("two profiles are compared") };
    files(args, first, second)
}

fn files(args: &Args, old: &Path, new: &Path) -> anyhow::Result<ExitCode> {
    if old.as_os_str() == STDIN && new.as_os_str() == STDIN {
        bail!("both profiles are `-`: standard input can be one of them");
    }
    let (first, second) = (profile_file::profile(old)?, profile_file::profile(new)?);
    let compared = if args.values { Compared::Values } else { Compared::All };
    let differences = compare(&first, &second, compared);
    if differences.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let file = |sign: &str, file: &Path| format!("{sign} {}\n", OneLine(file.display()));
    let mut text = file("---", old) + &file("+++", new);
    let line = |sign: char, parameter: &Parameter| format!("{sign} {}\n", OneLine(shown(parameter, args.reveal)));
    for difference in &differences {
        match difference {
            Difference::Gone(old) => text.push_str(&line('-', old)),
            Difference::New(new) => text.push_str(&line('+', new)),
            Difference::Changed(old, new) => {
                text.push_str(&line('-', old));
                text.push_str(&line('+', new));
            }
        }
    }
    write_output(text.as_bytes())?;
    Ok(ExitCode::from(1))
}

/// A parameter's element, behind its groups where it is a router's.
fn shown(parameter: &Parameter, reveal: bool) -> String {
    let key = parameter.key();
    let groups = key.strip_suffix(parameter.name()).unwrap_or_default();
    let value = masked(parameter.name(), parameter.value());
    if reveal || value == parameter.value() {
        return format!("{groups}{parameter}");
    }
    // The mask is for eyes, and not a value whose characters are written as references.
    format!("{groups}{}", parameter.with_value(&value).to_string().replace(MASK_WRITTEN, MASK))
}
