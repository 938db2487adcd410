//! The log: one line per request and per event of the server's life, on standard output, as text or as JSON.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Format, Log, Protocol};
use crate::metrics::Metrics;
use crate::provision::{Named, Outcome, Trail};

/// Starts logging as the configuration says.
///
/// # Errors
/// `log.level` is no level and no list of directives.
pub fn start(log: &Log) -> Result<(), String> {
    let filter = EnvFilter::try_new(&log.level)
        .map_err(|error| format!("log.level: `{}`: {error}; expected error, warn, info, debug or trace", log.level))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    let started = match log.format {
        Format::Text => subscriber.finish().try_init(),
        Format::Json => subscriber.json().flatten_event(true).finish().try_init(),
    };
    started.map_err(|error| error.to_string())
}

/// A request under way: what its line in the log will say.
#[derive(Debug)]
pub struct Record {
    metrics: Arc<Metrics>,
    transport: Protocol,
    peer: SocketAddr,
    path: String,
    began: Instant,
    trail: Trail,
    outcome: Outcome,
    reason: Option<String>,
    wanted: bool,
}

impl Record {
    /// A request that has just come in.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, transport: Protocol, peer: SocketAddr, path: String, wanted: bool) -> Self {
        Self {
            metrics,
            transport,
            peer,
            path,
            began: Instant::now(),
            trail: Trail::default(),
            outcome: Outcome::Broken,
            reason: None,
            wanted,
        }
    }

    /// When it came in.
    #[must_use]
    pub fn began(&self) -> Instant {
        self.began
    }

    /// How it ends if nothing goes wrong on the way to the client; `reason` where it does already.
    pub fn decided(&mut self, trail: Trail, outcome: Outcome, reason: Option<String>) {
        (self.trail, self.outcome, self.reason) = (trail, outcome, reason);
    }

    /// The client went away.
    pub fn broken(&mut self, reason: &str) {
        self.outcome = Outcome::Broken;
        self.reason = Some(reason.to_owned());
    }

    /// Ends the request: counts it, and writes its line.
    pub fn finish(self, bytes: u64) {
        let took = self.began.elapsed();
        self.metrics.request(self.transport, self.outcome, bytes, took);
        if self.wanted {
            self.write(bytes, took);
        }
    }

    fn write(&self, bytes: u64, took: Duration) {
        let claimed = match &self.trail.claimed {
            Named::Nobody => None,
            named @ (Named::Device { .. } | Named::Several) => Some(tracing::field::display(named)),
        };
        let fields = (
            self.trail.proven.as_ref().map(tracing::field::display),
            self.trail.file.as_deref(),
            self.trail.rule.as_deref(),
            self.reason.as_deref(),
        );
        let (proven, file, rule, reason) = fields;
        let milliseconds = took.as_secs_f64() * 1e3;
        macro_rules! line {
            ($level:expr) => {
                tracing::event!(
                    target: "phoneprov::request",
                    $level,
                    request.id = %RequestId::next(),
                    transport = self.transport.as_str(),
                    peer = %self.peer,
                    path = self.path,
                    device.claimed = claimed,
                    device.proven = proven,
                    profile.file = file,
                    profile.rule = rule,
                    outcome = self.outcome.as_str(),
                    reason,
                    bytes,
                    duration_ms = milliseconds,
                )
            };
        }
        match self.outcome {
            Outcome::Failed => line!(tracing::Level::WARN),
            Outcome::Served | Outcome::Unchanged | Outcome::Unknown | Outcome::Refused | Outcome::Broken => {
                line!(tracing::Level::INFO);
            }
        }
    }
}

/// Names a request among those of all runs of the server: the second it started in, and a number.
struct RequestId(u64);

impl RequestId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        static START: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| {
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
        });
        write!(f, "{:x}-{:x}", *START, self.0)
    }
}
