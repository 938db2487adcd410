//! The doors that files of cases come in by, and what keeps their folder in order.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{ServeError, desks};
use crate::config::{Config, Hears, IntakeProtocol};
use crate::intake::{Desk, Intake, http};
use crate::listen::Shared;
use crate::listen::bind::{BindError, Passed};
use crate::listen::proxy::Proxies;

/// Opens every door; returns where they really listen.
pub(super) fn start(
    config: &Config,
    shared: &Arc<Shared>,
    passed: &mut Passed,
) -> Result<Vec<(IntakeProtocol, SocketAddr)>, ServeError> {
    let (Some(uploads), Some(store), Some(vault)) = (&config.uploads, &shared.store, &shared.vault) else {
        return Ok(Vec::new());
    };
    let told = (shared.metrics.clone(), shared.journal.clone());
    let intake = Arc::new(Intake::new(uploads, (store.clone(), vault.clone()), told));
    let mut open = Vec::new();
    for settings in &config.intake {
        if let Some(warning) = settings.warning() {
            tracing::warn!("{warning}");
        }
        let desk = Desk::new(intake.clone(), shared.clone(), settings.protocol());
        let listener = match &settings.speaks {
            Hears::Http | Hears::Https(_) => passed.tcp(settings.address),
            Hears::Sftp { .. } | Hears::Ftp(_) => passed.tcp_at_once(settings.address),
        };
        let listener = tokio::net::TcpListener::from_std(listener.map_err(BindError::of_intake)?)?;
        open.push((settings.protocol(), listener.local_addr()?));
        match &settings.speaks {
            Hears::Http | Hears::Https(_) => {
                let proxies = settings.proxies.as_ref();
                let proxies = proxies.map(|proxies| Proxies::open(proxies, &config.certificates)).transpose();
                let door = http::Door {
                    intake: intake.clone(),
                    shared: shared.clone(),
                    settings: settings.clone(),
                    proxies: proxies.map_err(|error| ServeError::Intake(error.to_string()))?,
                };
                shared.tasks.spawn(http::accept(Arc::new(door), listener));
            }
            Hears::Sftp { host_key } => desks::sftp(listener, host_key, (shared, desk))?,
            Hears::Ftp(ftp) => desks::ftp(listener, ftp, (shared, desk))?,
        }
    }
    Ok(open)
}
