//! The store, for commands that ask it or change it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};

use crate::app::{App, AppError};
use crate::config::Config;
use crate::device::{DeviceName, KeyKind};
use crate::inventory::{Inventory, to_value};
use crate::metrics::Metrics;
use crate::provision::{Profile, Refusal, Request, Trail, Upload};
use crate::store::{Known, Store, StoreError};

/// Runs a command's work on the store of a configuration.
pub(super) fn with_store<T>(config: &Path, work: impl AsyncFnOnce(&Store) -> anyhow::Result<T>) -> anyhow::Result<T> {
    with_shared_store(config, async |_, store| work(&store).await)
}

/// The same, for work that needs the configuration too.
pub(super) fn with_shared_store<T>(
    file: &Path,
    work: impl AsyncFnOnce(Config, Arc<Store>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let config = super::load(file)?;
    let place = config.store.as_ref().map(|store| (store.place.clone(), store.sealing.clone()));
    let (place, sealing) = place.with_context(|| {
        format!("{}: there is no store: a line `[store]` makes one, in state/phoneprov.db", file.display())
    })?;
    block_on(async {
        let store = Arc::new(Store::open(&place).await?.sealing(sealing.as_ref()));
        let worked = work(config, store.clone()).await;
        store.close().await;
        worked
    })?
}

/// The same, for work on what happened to devices.
pub(super) fn with_events<T>(
    file: &Path,
    work: impl AsyncFnOnce(Config, Arc<Store>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    with_shared_store(file, async |config, store| {
        ensure_events(&config, file)?;
        work(config, store).await
    })
}

/// Refuses a configuration by which nobody knows what happened to devices.
pub(super) fn ensure_events(config: &Config, file: &Path) -> anyhow::Result<()> {
    ensure!(
        config.events.is_some(),
        "{}: there are no events, so nobody knows how devices stand: a line `[events]` keeps them, in the store",
        file.display()
    );
    Ok(())
}

/// What a configuration becomes, for a command that asks in a phone's place. Listeners' certificates are not needed for
/// that, and need not be there.
pub(super) fn app(config: Config) -> Result<App, AppError> {
    let inventory = config.store.as_ref().map(|store| Arc::new(Inventory::new(store.remembered, 0)));
    App::without_doors(config, &Metrics::default(), inventory)
}

/// What becomes of a device's secrets when a command asks in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrets {
    /// A mask stands for each.
    Masked,
    /// The profile is made with them, and not shown.
    Used,
    /// It is shown, and the history says to whom.
    Revealed,
}

/// Goes on with a phone's question for which this name had to be read.
pub(super) fn admit(
    app: &App,
    request: &mut Request<'_>,
    trail: &mut Trail,
    (name, secrets): (DeviceName, Secrets),
) -> Result<Profile, Refusal> {
    asked(app, (name, secrets), async |store, name| app.admit(Some(&store), request, trail, name).await)
}

/// The same for something that a phone would send.
pub(super) fn accept(
    app: &App,
    request: &mut Request<'_>,
    trail: &mut Trail,
    name: DeviceName,
) -> Result<Upload, Refusal> {
    asked(app, (name, Secrets::Used), async |store, name| app.accept(Some(&store), request, trail, name).await)
}

/// Asks the store of a configuration, which is opened for that.
fn asked<T>(
    app: &App,
    (name, secrets): (DeviceName, Secrets),
    ask: impl AsyncFnOnce(Arc<Store>, DeviceName) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let Some(config) = &app.config.store else { return Err(Refusal::Unread(name)) };
    let answered = block_on(async {
        let store = Store::open(&config.place).await.map_err(|error| Refusal::Store(error.to_string()))?;
        let store = match secrets {
            Secrets::Masked => store.masked(),
            Secrets::Used | Secrets::Revealed => store.sealing(config.sealing.as_ref()),
        };
        if secrets == Secrets::Revealed {
            reveal(&store, &name).await.map_err(|error| Refusal::Store(error.to_string()))?;
        }
        let store = Arc::new(store);
        let answered = ask(store.clone(), name).await;
        store.close().await;
        answered
    });
    answered.unwrap_or_else(|error| Err(Refusal::Store(error.to_string())))
}

/// Writes into the history that somebody is shown a device's secrets.
async fn reveal(store: &Store, name: &DeviceName) -> Result<(), StoreError> {
    let mut writing = store.write(&who(), "render --reveal").await?;
    if writing.reveal(name).await?.is_some() {
        writing.commit().await?;
    }
    Ok(())
}

/// Gives templates that are rendered for no device in particular some value of each variable that the store has. Where the
/// store cannot be read there are none; `check` says that it cannot.
pub(super) fn add_samples(config: &mut Config) {
    let Some(place) = config.store.as_ref().map(|store| store.place.clone()) else { return };
    let samples = block_on(async {
        let store = Store::open(&place).await?;
        let samples = store.samples().await;
        store.close().await;
        samples
    });
    for kind in KeyKind::ALL {
        let key = minijinja::Value::from_pairs([("next", "0".repeat(64)), ("next_id", "0".repeat(16))]);
        config.variables.entry(kind.to_string()).or_insert(key);
    }
    let samples = samples.map(Result::unwrap_or_default).unwrap_or_default();
    // A parameter of one device need not fit another's profile.
    for (name, value) in samples.into_iter().filter(|(name, _)| name.parameter().is_none()) {
        config.variables.entry(name.to_string()).or_insert_with(|| to_value(&value.shown()));
    }
}

/// Whether activation codes have been given out, as far as the store tells.
pub(super) fn has_codes(config: &Config) -> bool {
    let Some(place) = config.store.as_ref().map(|store| store.place.clone()) else { return false };
    let codes = block_on(async {
        let store = Store::open(&place).await?;
        let codes = store.codes().await;
        store.close().await;
        codes
    });
    codes.is_ok_and(|codes| codes.is_ok_and(|codes| !codes.is_empty()))
}

/// Looks whether the store of a configuration can be used.
pub(super) fn try_open(config: &Config) -> anyhow::Result<()> {
    let Some(store) = &config.store else { return Ok(()) };
    block_on(async {
        let opened = Store::open(&store.place).await?.sealing(store.sealing.as_ref());
        let sealed = opened.sealed().await;
        opened.close().await;
        if let Some(sealed) = sealed?.into_iter().find(|sealed| sealed.known == Known::Missing) {
            anyhow::bail!(
                "{} secrets are sealed under the key {}, which store.seal_key_file or seal_key_env does not have",
                sealed.secrets,
                sealed.key
            );
        }
        Ok(())
    })?
}

fn block_on<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    Ok(runtime.block_on(work))
}

/// Who runs the command, for the history: the user of the system, and through sudo the one behind it.
pub(super) fn who() -> String {
    let id = rustix::process::getuid();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id.as_raw())).then(|| name.to_owned())
    });
    let name = name.unwrap_or_else(|| format!("uid {}", id.as_raw()));
    match std::env::var("SUDO_USER") {
        Ok(person) if id.is_root() && !person.is_empty() => format!("{person} (sudo)"),
        _ => name,
    }
}
