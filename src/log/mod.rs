//! The log: one line per request and per event of the server's life, on standard output, as text or as JSON.
//!
//! Events are tracing's. A request's line has the same shape, but is put together by hand: it is written once for every
//! request, where the general way of visiting fields shows (docs/performance.md).

mod line;
mod record;
mod sink;

use std::sync::atomic::{AtomicBool, Ordering};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Format, LogLevel};
pub use record::Record;
pub use sink::flush;

/// Whether the process ends.
static ENDING: AtomicBool = AtomicBool::new(false);

/// From now on requests that are not finished are cut off, and their lines say so.
pub fn cut_off() {
    ENDING.store(true, Ordering::Relaxed);
}

fn is_ending() -> bool {
    ENDING.load(Ordering::Relaxed)
}

/// Starts logging as the configuration says.
///
/// # Errors
/// Something else of this process logs already.
pub fn start(level: &LogLevel, format: Format) -> Result<(), String> {
    let filter = EnvFilter::try_new(level.to_string()).map_err(|error| format!("log.level: `{level}`: {error}"))?;
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(sink::Events(format));
    let started = match format {
        Format::Text => subscriber.finish().try_init(),
        Format::Json => subscriber.json().flatten_event(true).finish().try_init(),
    };
    started.map_err(|error| error.to_string())
}
