//! What is looked at: a file, a listener of the configuration, or another server.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::Args;
use super::family::Family;
use crate::certificate::{self, Block};
use crate::config::{ClientTls, Speaks, TlsKind, TlsVersion};
use crate::trust::{self, Peer};

/// A chain as a phone would get it.
pub(super) struct Target {
    /// The file or server, for people.
    pub(super) place: String,
    /// The certificates in the order in which they are sent, at least one.
    pub(super) chain: Vec<Vec<u8>>,
    /// Where its private key is; `None`: it is not ours.
    pub(super) key: Option<PathBuf>,
    /// The versions of TLS that are spoken; `None`: not known.
    pub(super) spoken: Option<Vec<TlsVersion>>,
    /// The name by which it was reached.
    pub(super) host: Option<String>,
    /// The phones that have to take it.
    pub(super) families: Vec<Family>,
}

/// The targets of the command line, or the configuration's listeners.
pub(super) fn named(args: &Args) -> anyhow::Result<Vec<Target>> {
    if args.targets.is_empty() {
        ensure!(args.key.is_none(), "--key is for a file: name the file of its certificate, too");
        return listeners(args);
    }
    let families = || match args.families.is_empty() {
        true => vec![Family::Ata, Family::Mpp],
        false => args.families.clone(),
    };
    let target = |text: &String| match text.parse::<Peer>() {
        // A file may have a colon in its name.
        Ok(peer) if !Path::new(text).exists() => server(&peer, families()),
        _ => file(Path::new(text), args.key.as_deref(), families()),
    };
    args.targets.iter().map(target).collect()
}

fn listeners(args: &Args) -> anyhow::Result<Vec<Target>> {
    let config = crate::cli::load(&args.config)?;
    let mut targets = Vec::new();
    for listen in &config.listen {
        let Speaks::Https(tls) = &listen.speaks else { continue };
        let families = match (args.families.is_empty(), tls.kind) {
            (false, _) => args.families.clone(),
            (true, TlsKind::Modern) => vec![Family::Ata, Family::Mpp],
            (true, TlsKind::Legacy) => vec![Family::Spa, Family::Ata, Family::Mpp],
        };
        let spoken =
            TlsVersion::ALL.into_iter().filter(|version| (tls.versions.min..=tls.versions.max).contains(version));
        targets.push(Target {
            place: format!("{} ({})", tls.certificate.display(), listen.address),
            chain: chain(&tls.certificate)?,
            key: Some(tls.key.clone()),
            spoken: Some(spoken.collect()),
            host: None,
            families,
        });
    }
    Ok(targets)
}

fn file(path: &Path, key: Option<&Path>, families: Vec<Family>) -> anyhow::Result<Target> {
    let beside = path.with_extension("key");
    let key = key.map(Path::to_owned).or_else(|| beside.exists().then_some(beside));
    Ok(Target { place: path.display().to_string(), chain: chain(path)?, key, spoken: None, host: None, families })
}

/// Another server, by a handshake of each version: which it speaks is a part of whether phones would.
fn server(peer: &Peer, families: Vec<Family>) -> anyhow::Result<Target> {
    let by = |min, max| trust::fetch(peer, &ClientTls { min, max, ca: Vec::new() });
    let fetched = by(TlsVersion::V10, TlsVersion::V13)?;
    let spoken = TlsVersion::ALL.into_iter().filter(|version| by(*version, *version).is_ok());
    let chain: Vec<_> = fetched.chain.into_iter().map(|shown| shown.der).collect();
    ensure!(!chain.is_empty(), "{peer} shows no certificate");
    let host = Some(peer.host().to_owned());
    Ok(Target { place: peer.to_string(), chain, key: None, spoken: Some(spoken.collect()), host, families })
}

/// The certificates of a file.
fn chain(path: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let blocks = certificate::blocks(&trust::read(path)?).with_context(|| format!("`{}`", path.display()))?;
    let certificates = blocks.into_iter().filter_map(|block| match block {
        Block::Certificate(der) => Some(der),
        Block::PrivateKey(_) | Block::Other(_) => None,
    });
    let chain: Vec<_> = certificates.collect();
    ensure!(!chain.is_empty(), "`{}` holds no certificate: expected -----BEGIN CERTIFICATE-----", path.display());
    Ok(chain)
}
