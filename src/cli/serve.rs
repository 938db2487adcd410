//! `phoneprov serve`: the server.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::LogLevel;

/// Serve phones until SIGTERM; SIGHUP reloads the configuration.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// What is logged, instead of log.level: error, warn, info, debug, trace, off, or filters such as
    /// `info,phoneprov::handshake=debug`.
    #[arg(long, value_name = "LEVEL")]
    log: Option<LogLevel>,
}

/// Runs the server to its end.
///
/// # Errors
/// As [`crate::server::run`].
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    crate::server::run(args.config, args.log)?;
    Ok(ExitCode::SUCCESS)
}
