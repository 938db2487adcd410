//! `phoneprov serve`: the server.

use std::path::PathBuf;
use std::process::ExitCode;

/// Serve phones until SIGTERM; SIGHUP reloads the configuration.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// What is logged, instead of log.level: error, warn, info, debug, trace, or directives.
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
}

/// Starts the runtime and the server on it.
///
/// # Errors
/// As [`crate::server::run`].
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let served = runtime()?.block_on(async { tokio::spawn(crate::server::run(args.config, args.log)).await });
    crate::log::flush();
    served??;
    Ok(ExitCode::SUCCESS)
}

/// One thread for each processor; on a single one there is nothing to share work with.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = match std::thread::available_parallelism() {
        Ok(processors) if processors.get() > 1 => tokio::runtime::Builder::new_multi_thread(),
        Ok(_) | Err(_) => tokio::runtime::Builder::new_current_thread(),
    };
    builder.enable_all().on_thread_park(crate::log::flush).build()
}
