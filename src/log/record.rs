//! A request's line in the log, and where events are kept, what is told of it there.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

use jiff::{SignedDuration, Timestamp};
use tracing::Level;

use super::line::Line;
use crate::config::{Format, Log, Protocol};
use crate::event::{Journal, News, Requested};
use crate::metrics::Metrics;
use crate::provision::{ContentHash, Named, Outcome, Response, Status, Trail};

/// The target of request lines, for filters.
const TARGET: &str = "phoneprov::request";

/// A request under way: what its line in the log will say.
#[derive(Debug)]
pub struct Record {
    metrics: Arc<Metrics>,
    transport: Protocol,
    peer: SocketAddr,
    through: Option<SocketAddr>,
    unheard: Option<&'static str>,
    method: Option<Cow<'static, str>>,
    path: String,
    agent: Option<Box<str>>,
    began: Instant,
    trail: Trail,
    outcome: Outcome,
    reason: Option<String>,
    format: Option<Format>,
    told: Option<Box<Told>>,
    is_finished: bool,
}

/// What is told of a request beside its line.
#[derive(Debug)]
struct Told {
    journal: Arc<Journal>,
    agent: Option<Box<str>>,
    version: Option<ContentHash>,
}

/// Why a request has no whole answer when the process ends.
const CUT_OFF: &str = "the server stopped, and what was begun was not finished by then";

/// The longest `User-Agent` that is told of, or method (characters).
const AGENT: usize = 200;

impl Record {
    /// A request that has just come in. It is boxed because it moves with the request through every layer.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, transport: Protocol, peer: SocketAddr, path: String, log: &Log) -> Box<Self> {
        Box::new(Self {
            metrics,
            transport,
            peer,
            through: None,
            unheard: None,
            method: None,
            path,
            agent: None,
            began: Instant::now(),
            trail: Trail::default(),
            outcome: Outcome::Broken,
            reason: None,
            format: log.requests.then_some(log.format),
            told: None,
            is_finished: false,
        })
    }

    /// The proxy that it came through, and the header with which somebody speaks for a client who may not.
    pub fn came_through(&mut self, proxy: Option<SocketAddr>, unheard: Option<&'static str>) {
        (self.through, self.unheard) = (proxy, unheard);
    }

    /// How HTTP asks, and what the client calls itself: only where its line may be written.
    pub fn asks(&mut self, method: &str, agent: Option<&[u8]>) {
        if self.format.is_none() || !tracing::enabled!(target: TARGET, Level::WARN) {
            return;
        }
        self.method = Some(match method {
            "GET" => Cow::Borrowed("GET"),
            "HEAD" => Cow::Borrowed("HEAD"),
            "POST" => Cow::Borrowed("POST"),
            "PUT" => Cow::Borrowed("PUT"),
            other => Cow::Owned(clipped(other.as_bytes()).into()),
        });
        self.agent = agent.map(clipped);
    }

    /// It is told there when it has ended, with what the client calls itself.
    pub fn tell(&mut self, journal: &Arc<Journal>, agent: Option<&str>) {
        let agent = agent.and_then(|agent| agent.get(..agent.len().min(AGENT))).map(Into::into);
        self.told = Some(Box::new(Told { journal: journal.clone(), agent, version: None }));
    }

    /// Where things are told, if they are.
    #[must_use]
    pub fn journal(&self) -> Option<&Journal> {
        self.told.as_deref().map(|told| told.journal.as_ref())
    }

    /// The client gets this, or has it.
    pub fn gives(&mut self, response: &Response) {
        if let (Some(told), Status::Ok | Status::NotModified) = (&mut self.told, response.status) {
            told.version = Some(response.version);
        }
    }

    /// Where it is counted.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
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

    /// Who sends what, while it comes in: the client may go any moment.
    pub fn trail(&mut self) -> &mut Trail {
        &mut self.trail
    }

    /// How what was sent ends.
    pub fn ends(&mut self, outcome: Outcome, reason: Option<String>) {
        (self.outcome, self.reason) = (outcome, reason);
    }

    /// Nothing is answered to what was decided.
    pub fn unanswered(&mut self) {
        let reason = self.reason.take().unwrap_or_default();
        self.reason = Some(format!("{reason}; past its budget: not answered"));
    }

    /// The client went away.
    pub fn broken(&mut self, reason: &str) {
        self.outcome = Outcome::Broken;
        self.reason = Some(reason.to_owned());
    }

    /// It ends before its answer did: by the client, in these words, unless the server cuts off what is left.
    pub fn left(&mut self, by_client: &str) {
        self.broken(if super::is_ending() { CUT_OFF } else { by_client });
    }

    /// Ends the request: counts it, and writes its line.
    pub fn finish(&mut self, bytes: u64) {
        self.is_finished = true;
        let took = self.began.elapsed();
        self.metrics.request(self.transport, self.outcome, bytes, took);
        if let Some(kind) = self.trail.upload {
            self.metrics.upload(kind, self.outcome, self.trail.received);
        }
        if let Some(format) = self.format.filter(|_| self.is_wanted()) {
            self.write(format, bytes, took);
        }
        if let Some(told) = self.told.take() {
            self.tell_of(*told, took);
        }
    }

    /// What is left of it goes with the news.
    fn tell_of(&mut self, told: Told, took: Duration) {
        let took = SignedDuration::try_from(took).unwrap_or_default();
        told.journal.tell(News::Requested(Box::new(Requested {
            at: Timestamp::now().checked_sub(took).unwrap_or_default(),
            peer: self.peer.ip(),
            path: std::mem::take(&mut self.path),
            trail: std::mem::take(&mut self.trail),
            outcome: self.outcome,
            reason: self.reason.take(),
            version: told.version.filter(|_| matches!(self.outcome, Outcome::Served | Outcome::Unchanged)),
            agent: told.agent,
        })));
    }

    fn write(&self, format: Format, bytes: u64, took: Duration) {
        let mut line = Line::new(format, self.level(), TARGET);
        line.plain("request.id", RequestId::next());
        line.text("transport", self.transport.as_str());
        match self.peer.port() {
            0 => line.plain("peer", self.peer.ip()),
            _ => line.plain("peer", self.peer),
        }
        if let Some(proxy) = self.through {
            line.plain("proxy", proxy);
        }
        if let Some(header) = self.unheard {
            line.text("dropped", header);
        }
        if let Some(method) = &self.method {
            line.text("method", method);
        }
        line.text("path", &self.path);
        if let Some(agent) = &self.agent {
            line.text("user_agent", agent);
        }
        match &self.trail.claimed {
            Named::Nobody => {}
            named @ (Named::Device { .. } | Named::OneOf(_) | Named::Several) => line.plain("device.claimed", named),
        }
        if let Some(proven) = &self.trail.proven {
            line.plain("device.proven", proven);
        }
        if let Some(expired) = &self.trail.expired {
            line.plain("certificate.expired", expired.strftime("%Y-%m-%d"));
        }
        if let Some(account) = &self.trail.account {
            line.text("account", account);
        }
        if let Some(file) = &self.trail.file {
            line.text("profile.file", file);
        }
        if let Some(rule) = &self.trail.rule {
            line.text("profile.rule", rule);
        }
        line.text("outcome", self.outcome.as_str());
        if let Some(reason) = &self.reason {
            line.text("reason", reason);
        }
        if let Some(upload) = self.trail.upload {
            line.text("upload", upload.as_str());
            line.number("received", self.trail.received);
        }
        line.number("bytes", bytes);
        line.number("duration_ms", format_args!("{:.3}", took.as_secs_f64() * 1e3));
        line.write();
    }

    /// Only a fault of ours is worth a warning: refusals are what the server is for.
    fn level(&self) -> Level {
        match self.outcome {
            Outcome::Failed => Level::WARN,
            Outcome::Served
            | Outcome::Unchanged
            | Outcome::Kept
            | Outcome::Unknown
            | Outcome::Refused
            | Outcome::Broken => Level::INFO,
        }
    }

    fn is_wanted(&self) -> bool {
        match self.level() {
            Level::WARN => tracing::enabled!(target: TARGET, Level::WARN),
            _ => tracing::enabled!(target: TARGET, Level::INFO),
        }
    }
}

impl Drop for Record {
    /// A client that hangs up before its answer leaves a line too: what was decided by then, or that it went.
    fn drop(&mut self) {
        if !self.is_finished {
            let reason = if super::is_ending() { CUT_OFF } else { "the client hung up before the answer" };
            self.reason.get_or_insert_with(|| reason.to_owned());
            self.finish(0);
        }
    }
}

/// The beginning of a text from outside.
fn clipped(text: &[u8]) -> Box<str> {
    // No character has more than four bytes.
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * AGENT)]);
    let end = text.char_indices().nth(AGENT).map_or(text.len(), |(end, _)| end);
    text[..end].into()
}

/// Names a request among those of all runs of the server: the second it started in, and a number.
struct RequestId(u64);

impl RequestId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        static START: LazyLock<u64> =
            LazyLock::new(|| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs());
        write!(f, "{:x}-{:x}", *START, self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_after_whole_characters() {
        assert_eq!(&*clipped(b"Cisco/SPA508G-7.4.4 (0002FDFF2103)"), "Cisco/SPA508G-7.4.4 (0002FDFF2103)");
        assert_eq!(clipped(&[b'x'; 1000]).len(), AGENT);
        assert_eq!(
            &*clipped(format!("a{}", "\u{1f4de}".repeat(300)).as_bytes()),
            format!("a{}", "\u{1f4de}".repeat(199))
        );
        assert_eq!(&*clipped(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(&*clipped(b""), "");
    }
}
