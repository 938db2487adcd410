//! What a configuration becomes: built whole, checked, and swapped in at once. A request works with the one it began with.

use std::sync::Arc;

use crate::certificate::Reader;
use crate::config::{Config, Hears, Intake, Listen, Place, Sealing, Speaks};
use crate::device::DeviceName;
use crate::inventory::Inventory;
use crate::listen::news;
use crate::listen::proxy::Proxies;
pub use crate::listen::tls::Doubt;
use crate::listen::tls::{self, TlsDoor, TlsError};
use crate::metrics::Metrics;
use crate::profile::root::Root;
use crate::profile::template::Templates;
use crate::profile::tree::Tree;
use crate::provision::{self, Documents, Line, Profile, Refusal, Request, Rules, RulesError, Trail, Upload};
use crate::store::Store;
use crate::throttle::Throttle;

/// The parts that requests share.
#[derive(Debug)]
pub struct App {
    /// What the file says.
    pub config: Config,
    /// What requests walk.
    pub line: Arc<Line>,
    /// Who has been refused how often.
    pub throttle: Arc<Throttle>,
    /// The TLS side of each listener, in the order of the configuration; `None` where there is none.
    pub tls: Vec<Option<TlsDoor>>,
    /// The proxies of each listener, likewise.
    pub proxies: Vec<Option<Arc<Proxies>>>,
    /// The TLS side of each intake, in the order of the configuration; `None` where there is none.
    pub intake: Vec<Option<TlsDoor>>,
}

/// Names that one request may need: those of its path, and those of its certificate.
const NAMES: usize = 20;

/// The configuration reads well, but cannot be put to work.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The profile folder is not there.
    #[error("profiles: {path}: {error}: make the folder, or let `profiles` in {file} name another one")]
    Profiles {
        /// The configuration.
        file: String,
        /// The folder.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The profile folder holds what no phone may have.
    #[error("profiles: {profiles} holds {held}, which would be served: keep them apart")]
    Exposed {
        /// The folder.
        profiles: String,
        /// The configuration, a key, the lab's folder or that of uploads.
        held: String,
    },
    /// The rules.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// A listener's certificates.
    #[error("listen {address}: {error}")]
    Tls {
        /// The listener.
        address: std::net::SocketAddr,
        /// What is wrong with them.
        error: TlsError,
    },
}

impl App {
    /// Builds all parts.
    ///
    /// # Errors
    /// The profile folder or a certificate cannot be opened or does not fit.
    pub fn new(config: Config, metrics: &Metrics, inventory: Option<Arc<Inventory>>) -> Result<Self, AppError> {
        Self::without_doors(config, metrics, inventory)?.with_doors()
    }

    /// Opens what listens.
    ///
    /// # Errors
    /// A certificate cannot be opened or does not fit.
    pub fn with_doors(self) -> Result<Self, AppError> {
        let (listen, reader) = (&self.config.listen, &self.config.certificates);
        let tls = listen.iter().map(|listen| tls_door(listen, reader)).collect::<Result<_, _>>()?;
        let proxies = listen.iter().map(|listen| proxies(listen, reader)).collect::<Result<_, _>>()?;
        let intake = self.config.intake.iter().map(|intake| intake_door(intake, reader)).collect::<Result<_, _>>()?;
        Ok(Self { tls, proxies, intake, ..self })
    }

    /// Builds what knows which profiles there are and who may have them, and nothing that listens: no certificate of a listener
    /// is looked for.
    ///
    /// # Errors
    /// The profile folder cannot be opened, or a rule does not fit.
    pub fn without_doors(
        config: Config,
        metrics: &Metrics,
        inventory: Option<Arc<Inventory>>,
    ) -> Result<Self, AppError> {
        let [file, path] = [&config.file, &config.profiles].map(|path| path.display().to_string());
        let root = Root::open(&config.profiles).map_err(|error| AppError::Profiles { file, path, error })?;
        keep_apart(&config)?;
        let root = Arc::new(root.watched(news::watched));
        let line = Line {
            tree: Tree::new(root.clone()),
            templates: Templates::new(root),
            rules: Rules::new(&config.rules)?,
            admission: config.admission.clone(),
            reflect: config.reflect.clone(),
            lint: config.lint.settings(),
            variables: Arc::new(config.variables.clone()),
            configured: config.modified,
            documents: Documents::new(config.cache.size.count(), metrics.cache.clone()),
            inventory,
            unknown: config.store.as_ref().map(|store| store.unknown.clone()).unwrap_or_default(),
        };
        let (listeners, intakes) = (config.listen.len(), config.intake.len());
        let throttle = Arc::new(Throttle::new(config.throttle.clone()));
        let (tls, proxies, intake) = (vec![None; listeners], vec![None; listeners], vec![None; intakes]);
        Ok(Self { config, line: Arc::new(line), throttle, tls, proxies, intake })
    }

    /// Goes on with a request for which this name was not in memory: the one wait on the way along the line.
    ///
    /// # Errors
    /// As [`provision::admit`], or the store does not answer.
    pub async fn admit(
        &self,
        store: Option<&Arc<Store>>,
        request: &mut Request<'_>,
        trail: &mut Trail,
        name: DeviceName,
    ) -> Result<Profile, Refusal> {
        self.again(store, request, name, |request| provision::admit(&self.line, request, trail)).await
    }

    /// The same for an upload.
    ///
    /// # Errors
    /// As [`provision::accept`], or the store does not answer.
    pub async fn accept(
        &self,
        store: Option<&Arc<Store>>,
        request: &mut Request<'_>,
        trail: &mut Trail,
        name: DeviceName,
    ) -> Result<Upload, Refusal> {
        self.again(store, request, name, |request| provision::accept(&self.line, request, trail)).await
    }

    async fn again<T>(
        &self,
        store: Option<&Arc<Store>>,
        request: &mut Request<'_>,
        mut name: DeviceName,
        mut step: impl FnMut(&Request<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        for _ in 0..NAMES {
            let (Some(store), Some(inventory)) = (store, &self.line.inventory) else { break };
            match store.recall(inventory, &name).await {
                Ok(known) => request.read.push((name, known)),
                Err(error) => match inventory.last_known(&name).filter(|_| error.is_passing()) {
                    Some(known) => request.read.push((name, known)),
                    None => return Err(Refusal::Store(error.to_string())),
                },
            }
            match step(request) {
                Err(Refusal::Unread(next)) => name = next,
                done => return done,
            }
        }
        Err(Refusal::Unread(name))
    }

    /// The TLS side of an intake as the configuration in force has it: its certificate may be a new one.
    #[must_use]
    pub fn intake_tls(&self, of: &Intake) -> Option<TlsDoor> {
        let same = |intake: &Intake| (intake.address, intake.protocol()) == (of.address, of.protocol());
        let place = self.config.intake.iter().position(same)?;
        self.intake.get(place)?.clone()
    }

    /// Goes on with what the one before knew of those who guess, where the budgets are the same.
    #[must_use]
    pub fn after(self, before: &Self) -> Self {
        if self.throttle.settings() != before.throttle.settings() {
            return self;
        }
        Self { throttle: before.throttle.clone(), ..self }
    }
}

/// Neither the configuration nor a key nor the lab may lie among the profiles.
fn keep_apart(config: &Config) -> Result<(), AppError> {
    let keys = config.listen.iter().filter_map(|listen| match &listen.speaks {
        Speaks::Https(tls) => Some(&tls.key),
        Speaks::Http | Speaks::Tftp { .. } => None,
    });
    let keys = keys.chain(config.intake.iter().filter_map(|intake| match &intake.speaks {
        Hears::Https(tls) => Some(&tls.key),
        Hears::Sftp { host_key } => Some(host_key),
        Hears::Ftp(ftp) => ftp.pair.as_ref().map(|(_, key)| key),
        Hears::Http => None,
    }));
    let passwords = config.rules.iter().filter_map(|rule| rule.passwords.as_ref()).map(|passwords| &passwords.file);
    let store = config.store.as_ref().and_then(|store| match &store.place {
        Place::Sqlite(file) => Some(file),
        Place::Postgres(_) => None,
    });
    let sealing = config.store.as_ref().and_then(|store| match &store.sealing {
        Some(Sealing::File(file)) => Some(file),
        Some(Sealing::Environment(_)) | None => None,
    });
    let held = keys.chain(sealing).chain(passwords).chain(store).chain([&config.file]).chain(&config.admission.files);
    let uploads = config.uploads.iter().flat_map(|uploads| [&uploads.folder].into_iter().chain(&uploads.identity));
    let held = held
        .chain(config.lab.as_ref().map(|lab| &lab.directory))
        .chain(uploads)
        .chain(config.api.as_ref().map(|api| &api.tokens_file));
    let Ok(profiles) = config.profiles.canonicalize() else { return Ok(()) };
    for path in held {
        if path.canonicalize().is_ok_and(|path| path.starts_with(&profiles)) {
            let held = path.display().to_string();
            return Err(AppError::Exposed { profiles: profiles.display().to_string(), held });
        }
    }
    Ok(())
}

/// What speaks against a listener's revocation lists. What cannot be read is found when its door is opened.
#[must_use]
pub fn doubts(listen: &Listen) -> Vec<Doubt> {
    let of = |revocation| tls::doubts(listen.client_ca(), revocation).unwrap_or_default();
    listen.revocation().map(of).unwrap_or_default()
}

/// What cannot be opened of all that listens, and why.
#[must_use]
pub fn shut(config: &Config) -> Vec<AppError> {
    let reader = &config.certificates;
    let listen =
        config.listen.iter().flat_map(|listen| [tls_door(listen, reader).err(), proxies(listen, reader).err()]);
    let intake = config.intake.iter().map(|intake| intake_door(intake, reader).err());
    listen.chain(intake).flatten().collect()
}

fn intake_door(intake: &Intake, reader: &Reader) -> Result<Option<TlsDoor>, AppError> {
    match &intake.speaks {
        Hears::Http | Hears::Sftp { .. } | Hears::Ftp(_) => Ok(None),
        Hears::Https(tls) => {
            let opened = TlsDoor::open(tls, reader);
            opened.map(Some).map_err(|error| AppError::Tls { address: intake.address, error })
        }
    }
}

fn tls_door(listen: &Listen, reader: &Reader) -> Result<Option<TlsDoor>, AppError> {
    match &listen.speaks {
        Speaks::Https(tls) => {
            TlsDoor::open(tls, reader).map(Some).map_err(|error| AppError::Tls { address: listen.address, error })
        }
        Speaks::Http | Speaks::Tftp { .. } => Ok(None),
    }
}

fn proxies(listen: &Listen, reader: &Reader) -> Result<Option<Arc<Proxies>>, AppError> {
    let opened = listen.proxies.as_ref().map(|config| Proxies::open(config, reader).map(Arc::new)).transpose();
    opened.map_err(|error| AppError::Tls { address: listen.address, error })
}
