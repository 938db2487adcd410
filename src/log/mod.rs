//! The log: one line per request and per event of the server's life, on standard output, as text or as JSON.
//!
//! Events are tracing's. A request's line has the same shape, but is put together by hand: it is written once for every
//! request, where the general way of visiting fields shows (docs/performance.md).

mod line;
mod record;
mod sink;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Format;
pub use record::Record;
pub use sink::flush;

/// Starts logging as the configuration says.
///
/// # Errors
/// `level` is no level and no list of directives.
pub fn start(level: &str, format: Format) -> Result<(), String> {
    let filter = EnvFilter::try_new(level)
        .map_err(|error| format!("log.level: `{level}`: {error}; expected error, warn, info, debug or trace"))?;
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(sink::Events(format));
    let started = match format {
        Format::Text => subscriber.finish().try_init(),
        Format::Json => subscriber.json().flatten_event(true).finish().try_init(),
    };
    started.map_err(|error| error.to_string())
}
