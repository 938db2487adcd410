//! `phoneprov device code`: one-time codes that people type on new phones.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{bail, ensure};
use jiff::{SignedDuration, Timestamp};

use super::assignment::Assignments;
use super::show::Form;
use crate::cli::store::{who, with_store};
use crate::cli::table;
use crate::config::Period;
use crate::device::GroupName;
use crate::password::Code;
use crate::store::{Account, Given, Store};

/// Give out a code of 16 digits that makes a new phone a device, once.
///
/// The phone asks a path with proof = "code", is challenged, and a person types the code as its password. The device gets what
/// is said here. The code is printed now and never again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A group of the device; a later one counts more.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<GroupName>,
    /// What people call it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    label: String,
    /// Anything else that people want to know.
    #[arg(long, value_name = "TEXT", default_value = "")]
    notes: String,
    /// How long the code is good.
    #[arg(long, value_name = "TIME", default_value = "7d")]
    expires: Period,
    /// List the codes that were given out instead.
    #[arg(long)]
    list: bool,
    /// Take a code back instead, by its number.
    #[arg(long, value_name = "NUMBER", conflicts_with = "list")]
    withdraw: Option<i64>,
    #[command(flatten)]
    variables: Assignments,
    #[command(flatten)]
    form: Form,
}

/// The longest that a code is good.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366);

/// Gives a code out, or looks after those that are.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    if args.list {
        return with_store(config, async |store| list(store, &args.form).await);
    }
    if let Some(number) = args.withdraw {
        return with_store(config, async |store| {
            let mut writing = store.write(&who(), "device code --withdraw").await?;
            ensure!(writing.withdraw_code(number).await?, "there is no code {number}");
            writing.commit().await?;
            Ok(ExitCode::SUCCESS)
        });
    }
    let lifetime = SignedDuration::try_from(args.expires.duration())?;
    ensure!(lifetime.is_positive(), "--expires 0 gives a code that is never good: expected a time, such as 7d");
    ensure!(lifetime <= LONGEST, "a code is good for 366 days at the most");
    ensure!(
        args.label.len() <= 200 && args.notes.len() <= 4096,
        "the label has more than 200 bytes, or the notes 4096"
    );
    let account = Account {
        label: args.label.clone(),
        notes: args.notes.clone(),
        groups: args.groups.clone(),
        variables: args.variables.read(&crate::cli::load(config)?.lint)?.into_iter().collect(),
    };
    let code = Code::random()?;
    let print = code.print()?;
    with_store(config, async |store| {
        let expires = Timestamp::now().saturating_add(lifetime)?;
        let mut writing = store.write(&who(), "device code").await?;
        let number = writing.give_code(&print, account, expires).await?;
        let Some(_) = writing.commit().await? else { bail!("nothing was written") };
        let mut out = io::stdout().lock();
        if args.form.json {
            let value = serde_json::json!({
                "code": number, "digits": code.grouped().expose().replace(' ', ""), "expires": expires.to_string(),
            });
            crate::cli::json(&mut out, &value)?;
        } else {
            writeln!(out, "{}", code.grouped().expose())?;
            writeln!(out, "code {number}, good once, until {}", expires.strftime("%Y-%m-%d %H:%M:%S"))?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn list(store: &Store, form: &Form) -> anyhow::Result<ExitCode> {
    let codes = store.codes().await?;
    let mut out = io::stdout().lock();
    if form.json {
        crate::cli::json(&mut out, &codes)?;
        return Ok(ExitCode::SUCCESS);
    }
    let now = Timestamp::now();
    let rows: Vec<Vec<String>> = codes.iter().map(|given| cells(given, now)).collect();
    table::print(&mut out, &["code", "is", "until", "label", "groups", "device"], &rows)?;
    Ok(ExitCode::SUCCESS)
}

fn cells(given: &Given, now: Timestamp) -> Vec<String> {
    let is = match (given.used, given.expires <= now) {
        (Some(_), _) => "used",
        (None, true) => "expired",
        (None, false) => "good",
    };
    let text = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let groups: Vec<String> = given.groups.iter().map(ToString::to_string).collect();
    vec![
        given.code.to_string(),
        is.to_owned(),
        given.expires.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        text(given.label.clone()),
        text(groups.join(" ")),
        text(given.device.clone().unwrap_or_default()),
    ]
}
