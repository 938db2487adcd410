//! The life of the process: build, bind, serve; reload on SIGHUP; drain on SIGTERM.

mod admin;
mod census;
mod credentials;
mod desks;
mod doors;
mod events;
mod greeting;
mod intake;
mod inventory;
mod lasting;
mod runtime;
mod signals;
mod syslog;
mod uploads;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::desks::doubts as intake_doubts;
use self::doors::Doors;
use self::lasting::Lasting;
use self::signals::{Signals, Told};
use crate::app::{App, AppError};
use crate::authority::{self, AuthorityError, Prepared};
use crate::config::{Config, ConfigError, LogLevel};
use crate::inventory::Touched;
use crate::listen::bind::{BindError, Passed};
use crate::listen::{Shared, Shares};
use crate::metrics::Metrics;
use crate::store::StoreError;
use crate::vault::{Vault, VaultError};

/// The server does not start, or a reload is refused. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The lab authority.
    #[error("[lab]: {0}")]
    Authority(String),
    /// What the configuration names.
    #[error(transparent)]
    App(#[from] AppError),
    /// An address.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of files that are handed in.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Where files of cases are handed in.
    #[error("[[intake]]: {0}")]
    Intake(String),
    /// The log.
    #[error("{0}")]
    Log(String),
    /// The runtime or a signal handler.
    #[error("cannot start: {0}")]
    System(String),
}

// The texts say it all: as sources, they would be printed twice.
impl From<AuthorityError> for ServeError {
    fn from(error: AuthorityError) -> Self {
        Self::Authority(error.to_string())
    }
}

impl From<std::io::Error> for ServeError {
    fn from(error: std::io::Error) -> Self {
        Self::System(error.to_string())
    }
}

/// How long the threads have for what they are at when everything has been drained.
const ENDS: Duration = Duration::from_secs(1);

/// Runs until SIGTERM or SIGINT. `log_level` stands in for the configuration's.
///
/// # Errors
/// Something that the start needs is missing or does not fit.
pub fn run(file: PathBuf, log_level: Option<LogLevel>) -> Result<(), ServeError> {
    let runtime = runtime::runtime()?;
    // On a task of its own: the runtime drives those better than what it blocks on.
    let served = runtime.block_on(async { tokio::spawn(serve(file, log_level)).await });
    // The drain was the time for what was begun: a profile that is still being made must not keep the process.
    runtime.shutdown_timeout(ENDS);
    crate::log::flush();
    served.map_err(std::io::Error::other)?
}

async fn serve(file: PathBuf, log_level: Option<LogLevel>) -> Result<(), ServeError> {
    // Before anything else: a SIGHUP without its handler would end the process.
    let mut signals = Signals::new()?;
    let server = tokio::select! {
        biased;
        server = start(file, log_level) => server?,
        // A store that does not answer, for one, is waited for.
        () = signals.stop() => {
            tracing::info!("stopped before the start was done");
            return Ok(());
        }
    };
    server.until_told(signals).await
}

async fn start(file: PathBuf, log_level: Option<LogLevel>) -> Result<Server, ServeError> {
    let (config, lab) = load(&file)?;
    let level = log_level.as_ref().unwrap_or(&config.log.level);
    crate::log::start(level, config.log.format).map_err(ServeError::Log)?;
    raise_descriptor_limit();
    let metrics = Arc::new(Metrics::default());
    let census = Arc::new(census::open(config.state.as_deref()));
    let opened = inventory::open(config.store.as_ref()).await?;
    let app = Arc::new(App::new(config, &metrics, opened.inventory.clone())?);
    let kept = events::start(app.config.events.as_ref(), opened.store.as_ref(), &metrics);
    let (journal, keeper) = kept.unzip();
    let vault = app.config.uploads.as_ref().map(Vault::open).transpose()?.map(Arc::new);
    let (apps, receiver) = watch::channel(app.clone());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let shared = Arc::new(Shared {
        apps: receiver,
        metrics,
        census,
        journal,
        store: opened.store,
        vault,
        connections: Arc::new(Semaphore::new(app.config.limits.connections as usize)),
        shares: Shares::default(),
        heavy: Arc::new(Semaphore::new(processors)),
        examinations: Arc::new(Semaphore::new(processors.div_ceil(2))),
        uploads: Arc::new(Semaphore::new(app.config.limits.uploads as usize)),
        upload_shares: Shares::default(),
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
    });
    shared.tasks.spawn(census::keep(shared.clone()));
    if let Some(inventory) = opened.inventory {
        shared.tasks.spawn(inventory::keep(shared.clone(), inventory));
    }
    let mut passed = Passed::from_environment();
    let mut doors = Doors::default();
    doors.change(doors.plan(&app.config, &mut passed)?, &shared)?;
    uploads::start(&app.config, &shared);
    let uploads = intake::start(&app.config, &shared, &mut passed)?;
    passed.warn_of_rest();
    let admin = admin::start(&app.config.admin, &shared).await?;
    let syslog = syslog::start(app.config.syslog.as_ref(), &shared)?;
    greeting::print(&app.config, &doors.addresses(), (admin, syslog, &uploads), lab.as_ref());
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let lasting = Lasting::of(&app.config);
    Ok(Server { file, apps, shared, doors, passed, keeper, lasting })
}

/// Reads a configuration, and makes what its `[lab]` needs and has not.
///
/// # Errors
/// The configuration is refused, or the lab's folder cannot be written.
pub fn load(file: &Path) -> Result<(Config, Option<Prepared>), ServeError> {
    let lab = Config::lab(file)?.map(|lab| authority::prepare(&lab.directory, &lab.names, &lab.phones)).transpose()?;
    let config = Config::load(file)?;
    if lab.is_some() {
        desks::make_keys(&config)?;
    }
    Ok((config, lab))
}

struct Server {
    file: PathBuf,
    apps: watch::Sender<Arc<App>>,
    shared: Arc<Shared>,
    doors: Doors,
    passed: Passed,
    keeper: Option<events::Keeper>,
    lasting: Lasting,
}

impl Server {
    async fn until_told(mut self, mut signals: Signals) -> Result<(), ServeError> {
        while signals.next().await == Told::Reload {
            self.reload();
        }
        self.drain(signals).await;
        Ok(())
    }

    /// Takes a changed configuration over, all of it or nothing.
    fn reload(&mut self) {
        // Type=notify-reload waits for both (sd_notify(3)).
        let now = sd_notify::NotifyState::monotonic_usec_now();
        let _ = now.and_then(|now| sd_notify::notify(&[sd_notify::NotifyState::Reloading, now]));
        match self.try_reload(&self.file.clone()) {
            Ok(()) => {
                self.shared.metrics.reloads.inc();
                tracing::info!(config = %self.file.display(), "reloaded");
            }
            Err(error) => {
                self.shared.metrics.failed_reloads.inc();
                // Each fault of a configuration is an event, and a line.
                for error in error.to_string().lines() {
                    tracing::error!(error, "reload refused, the configuration in force stays");
                }
            }
        }
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    }

    fn try_reload(&mut self, file: &Path) -> Result<(), ServeError> {
        let (mut config, _lab) = load(file)?;
        let differs = self.lasting.differences(&Lasting::of(&config));
        self.lasting.keep_in(&mut config);
        let before = self.apps.borrow().clone();
        let app = Arc::new(App::new(config, &self.shared.metrics, before.line.inventory.clone())?.after(&before));
        let plan = self.doors.plan(&app.config, &mut self.passed)?;
        let (old, new) = (&before.config, &app.config);
        if !differs.is_empty() {
            tracing::warn!("other than at the start, these count from the next start: {}", differs.join(", "));
        }
        self.reread_keys(&app.config);
        self.allow(&self.shared.connections, old.limits.connections, new.limits.connections);
        self.allow(&self.shared.uploads, old.limits.uploads, new.limits.uploads);
        self.apps.send_replace(app);
        self.doors.change(plan, &self.shared)?;
        Ok(())
    }

    /// Takes over the keys of the store's secrets as they are where the configuration names them now. Those of another
    /// store wait for the next start, as it does.
    fn reread_keys(&self, config: &Config) {
        if !self.lasting.has_the_store_of(config) {
            return;
        }
        let Some((store, inventory)) = self.shared.store.as_ref().zip(self.apps.borrow().line.inventory.clone()) else {
            return;
        };
        match store.reread_keys(config.store.as_ref().and_then(|store| store.sealing.as_ref())) {
            Ok(true) => inventory.forget(inventory.revision(), &Touched::Everything),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the keys of the store's secrets stay as they were"),
        }
    }

    /// Moves a bound on connections or uploads; where it falls below what is under way, it counts as those end.
    fn allow(&self, places: &Arc<Semaphore>, before: u32, now: u32) {
        if now >= before {
            places.add_permits((now - before) as usize);
            return;
        }
        let (places, stop) = (places.clone(), self.shared.stop.clone());
        self.shared.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                permits = places.acquire_many_owned(before - now) => {
                    let _ = permits.map(OwnedSemaphorePermit::forget);
                }
            }
        });
    }

    /// Takes no more, finishes what was begun; told once more, ends at once.
    async fn drain(mut self, mut signals: Signals) {
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        tracing::info!("stopping: finishing what was begun");
        self.shared.stop.cancel();
        self.doors = Doors::default();
        let tasks = &self.shared.tasks;
        tasks.close();
        let limit = self.apps.borrow().config.limits.drain.duration();
        tokio::select! {
            drained = tokio::time::timeout(limit, tasks.wait()) => {
                if drained.is_ok() {
                    tracing::info!("stopped");
                } else {
                    crate::log::cut_off();
                    tracing::warn!(connections = tasks.len(), "stopped before all were finished");
                }
            }
            () = signals.stop() => {
                crate::log::cut_off();
                tracing::warn!(connections = tasks.len(), "told once more to stop: stopped before all were finished");
                let _ = tokio::time::timeout(ENDS, self.keep_rest()).await;
                return;
            }
        }
        tokio::select! {
            () = self.keep_rest() => {}
            () = signals.stop() => tracing::warn!("told once more to stop: what the store has not taken is lost"),
        }
    }

    /// Keeps what is only in memory.
    async fn keep_rest(self) {
        census::save(&self.shared.census).await;
        if let Some(keeper) = self.keeper {
            keeper.finish().await;
        }
    }
}

/// Ten thousand connections need as many descriptors; the soft limit of most systems is 1 024.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}
