//! The doors of SFTP and FTP, with their keys and certificates.

use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::ServeError;
use crate::config::{Config, Ftp, FtpTls, Hears, Intake};
use crate::ftp;
use crate::intake::Desk;
use crate::listen::tls::Cover;
use crate::listen::{Shared, visitors};
use crate::sftp::{self, HostKey};

/// What speaks against keys and certificates of intakes: a server with them would not start.
#[must_use]
pub fn doubts(config: &Config) -> Vec<String> {
    let doubt = |intake: &Intake| match &intake.speaks {
        // One that is not there yet is made at the start of a lab.
        Hears::Sftp { host_key } if config.lab.is_some() && !host_key.exists() => None,
        Hears::Sftp { host_key } => HostKey::open(host_key).err().map(ServeError::from),
        Hears::Ftp(ftp) => settings(ftp).err(),
        Hears::Http | Hears::Https(_) => None,
    };
    config.intake.iter().filter_map(doubt).map(|error| error.to_string()).collect()
}

/// Makes the host keys of a lab that are not there.
pub(super) fn make_keys(config: &Config) -> Result<(), ServeError> {
    let keys = config.intake.iter().filter_map(|intake| match &intake.speaks {
        Hears::Sftp { host_key } => Some(host_key),
        Hears::Http | Hears::Https(_) | Hears::Ftp(_) => None,
    });
    keys.map(|key| HostKey::make(key)).try_for_each(|made| made.map_err(Into::into))
}

/// Opens a door of SFTP.
pub(super) fn sftp(
    listener: TcpListener,
    host_key: &Path,
    (shared, desk): (&Arc<Shared>, Desk),
) -> Result<(), ServeError> {
    let key = HostKey::open(host_key)?;
    tracing::info!(address = %listener.local_addr()?, fingerprint = key.fingerprint(), "sftp shows this key");
    let (key, stop) = (Arc::new(key), shared.stop.clone());
    let serve = move |stream, peer| {
        let (key, desk, stop) = (key.clone(), desk.clone(), stop.clone());
        async move { sftp::serve(stream, peer, &key, desk, stop).await }
    };
    shared.tasks.spawn(visitors::welcome(listener, shared.clone(), shared.stop.clone(), serve));
    Ok(())
}

/// Opens a door of FTP.
pub(super) fn ftp(listener: TcpListener, ftp: &Ftp, (shared, desk): (&Arc<Shared>, Desk)) -> Result<(), ServeError> {
    let (settings, stop) = (Arc::new(settings(ftp)?), shared.stop.clone());
    let serve = move |stream, peer| {
        let (settings, desk, stop) = (settings.clone(), desk.clone(), stop.clone());
        async move {
            if let Err(error) = ftp::serve(stream, peer, settings, desk, stop).await {
                tracing::debug!(target: "phoneprov::intake", %peer, %error, "ftp ended");
            }
        }
    };
    shared.tasks.spawn(visitors::welcome(listener, shared.clone(), shared.stop.clone(), serve));
    Ok(())
}

/// How FTP is served, its certificate read.
fn settings(ftp: &Ftp) -> Result<ftp::Settings, ServeError> {
    let cover = ftp.pair.as_ref().map(|(certificate, key)| Cover::open(certificate, key)).transpose();
    Ok(ftp::Settings {
        cover: cover.map_err(|error| ServeError::Intake(error.to_string()))?,
        is_required: ftp.tls != FtpTls::Offered,
        is_implicit: ftp.tls == FtpTls::Implicit,
        ports: ftp.ports.clone(),
        external: ftp.external,
    })
}

impl From<sftp::HostKeyError> for ServeError {
    fn from(error: sftp::HostKeyError) -> Self {
        Self::Intake(format!("host_key {error}"))
    }
}
