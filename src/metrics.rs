//! What is counted. Labels come from enums, never from a request's text, so their number is fixed.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::config::{Accept, Protocol, TlsVersion};
use crate::provision::Outcome;

/// Every metric of the server, shown at `/metrics`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: [[Counter; Outcome::ALL.len()]; PROTOCOLS.len()],
    seconds: [Histogram; PROTOCOLS.len()],
    bytes: [Counter; PROTOCOLS.len()],
    handshakes: [Counter; 2 * TlsVersion::ALL.len() + 1],
    /// Connections open now.
    pub connections: Gauge,
    /// Connections closed at once, since their address had all that it may have.
    pub refused_connections: Counter,
    /// What the store of finished profiles did.
    pub cache: CacheMetrics,
    /// The store of devices.
    pub store: StoreMetrics,
    /// What became of those who guess.
    pub throttle: ThrottleMetrics,
    /// What phones sent, by kind and by what became of it.
    uploads: [[Counter; Outcome::ALL.len()]; Accept::ALL.len()],
    received: [Counter; Accept::ALL.len()],
    codes: [Counter; CodeOutcome::ALL.len()],
    /// Files of cases that are handed in.
    pub case_files: CaseMetrics,
    /// Events that were not kept.
    pub lost_events: Counter,
    /// Configurations taken over at SIGHUP.
    pub reloads: Counter,
    /// Configurations refused at SIGHUP.
    pub failed_reloads: Counter,
}

/// Hits and misses of the store of finished profiles.
#[derive(Debug, Clone, Default)]
pub struct CacheMetrics {
    /// Sent as they were.
    pub hits: Counter,
    /// Made anew.
    pub misses: Counter,
}

/// The store of devices, as this node sees it; without one, all of it stays 0.
#[derive(Debug, Clone, Default)]
pub struct StoreMetrics {
    /// Whether it answered when it was last asked.
    pub up: Gauge,
    /// The last change of it that this node knows.
    pub revision: Gauge,
    /// When it last said what has changed, in seconds since 1970.
    pub told: Gauge,
    /// Names of devices that were not in memory and were read from it.
    pub reads: Counter,
}

impl StoreMetrics {
    fn register(&self, registry: &mut Registry) {
        registry.register("store_up", "Whether the store answered when it was last asked", self.up.clone());
        registry.register("store_revision", "The last change of the store that is known", self.revision.clone());
        registry.register("store_told_seconds", "When the store last said what has changed", self.told.clone());
        registry.register("store_reads", "Devices that were read from the store", self.reads.clone());
    }
}

/// What became of those who guess.
#[derive(Debug, Clone, Default)]
pub struct ThrottleMetrics {
    /// Answers that had to wait.
    pub slow: Counter,
    /// Requests that got no answer.
    pub unanswered: Counter,
    /// Passwords that were wrong.
    pub wrong_passwords: Counter,
    /// Alarms raised.
    pub alarms: Counter,
}

impl ThrottleMetrics {
    fn register(&self, registry: &mut Registry) {
        registry.register("slow_answers", "Answers that waited past a budget", self.slow.clone());
        registry.register("unanswered", "Requests past a budget that found no place to wait", self.unanswered.clone());
        registry.register("wrong_passwords", "Passwords that proved nobody", self.wrong_passwords.clone());
        registry.register("alarms", "Clients that were told of as guessing", self.alarms.clone());
    }
}

/// Files of cases that are handed in.
#[derive(Debug, Clone, Default)]
pub struct CaseMetrics {
    /// Files of which all has come.
    pub files: Counter,
    /// Beginnings, and what followed on them.
    pub parts: Counter,
    /// Bytes that were kept, before encryption.
    pub bytes: Counter,
    /// Clients that were not let in.
    pub refused: Counter,
    /// Files for which there was no room.
    pub full: Counter,
    /// Files that were not taken for another reason.
    pub failed: Counter,
    /// Those that went because their time was over, of phones too.
    removed: Family<KindLabels, Counter>,
}

impl CaseMetrics {
    fn register(&self, registry: &mut Registry) {
        registry.register("case_files", "Files of cases that have come whole", self.files.clone());
        registry.register("case_parts", "Parts of files of cases that were kept", self.parts.clone());
        registry.register("case_bytes", "Bytes of files of cases that were kept", self.bytes.clone());
        registry.register("case_logins_refused", "Clients with a wrong number or token", self.refused.clone());
        registry.register("case_files_without_room", "Files for which there was no room", self.full.clone());
        registry.register("case_files_failed", "Files that were not taken for another reason", self.failed.clone());
        registry.register("uploads_removed", "Files whose time was over, by what they were", self.removed.clone());
    }

    /// Counts files that were removed because their time was over.
    pub fn removed(&self, kind: &'static str, files: usize) {
        self.removed.get_or_create(&KindLabels { kind }).inc_by(files as u64);
    }
}

/// How a TLS handshake ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// All of it, in this version.
    Full(TlsVersion),
    /// A session resumed, in this version.
    Resumed(TlsVersion),
    /// Not at all.
    Failed,
}

impl Handshake {
    /// Every one, each at its place.
    fn all() -> [Self; 2 * TlsVersion::ALL.len() + 1] {
        let mut all = [Self::Failed; 2 * TlsVersion::ALL.len() + 1];
        for handshake in TlsVersion::ALL.into_iter().flat_map(|version| [Self::Full(version), Self::Resumed(version)]) {
            all[handshake.place()] = handshake;
        }
        all
    }

    fn place(self) -> usize {
        match self {
            Self::Full(version) => 2 * version as usize,
            Self::Resumed(version) => 2 * version as usize + 1,
            Self::Failed => 2 * TlsVersion::ALL.len(),
        }
    }

    fn labels(self) -> HandshakeLabels {
        match self {
            Self::Full(version) => HandshakeLabels { version: version.as_str(), resumed: "no" },
            Self::Resumed(version) => HandshakeLabels { version: version.as_str(), resumed: "yes" },
            Self::Failed => HandshakeLabels { version: "failed", resumed: "no" },
        }
    }
}

/// What became of an activation code that was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeOutcome {
    /// A phone is a device by it.
    Activated,
    /// It is none that was given out.
    Unknown,
    /// Another phone has had it.
    Used,
    /// It came too late.
    Expired,
    /// It came for a device that the store has.
    Enrolled,
    /// Nothing says whose it would be.
    Nobody,
    /// The store did not answer.
    Away,
    /// It was not looked at: its address has sent too many.
    Unexamined,
}

impl CodeOutcome {
    /// Every one, each at its place.
    const ALL: [Self; 8] = [
        Self::Activated,
        Self::Unknown,
        Self::Used,
        Self::Expired,
        Self::Enrolled,
        Self::Nobody,
        Self::Away,
        Self::Unexamined,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Activated => "activated",
            Self::Unknown => "unknown",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Enrolled => "enrolled",
            Self::Nobody => "nobody",
            Self::Away => "away",
            Self::Unexamined => "unexamined",
        }
    }
}

const PROTOCOLS: [Protocol; 3] = [Protocol::Http, Protocol::Https, Protocol::Tftp];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    transport: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UploadLabels {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TransportLabels {
    transport: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HandshakeLabels {
    version: &'static str,
    resumed: &'static str,
}

/// Upper bounds of the latency histogram, in seconds.
const BUCKETS: [f64; 10] = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0];

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("phoneprov");
        let requests = Family::<RequestLabels, Counter>::default();
        registry.register("requests", "Requests by transport and outcome", requests.clone());
        let seconds = Family::<TransportLabels, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        registry.register("request_seconds", "From a request to the end of its answer", seconds.clone());
        let bytes = Family::<TransportLabels, Counter>::default();
        registry.register("sent_bytes", "Bytes of profiles sent", bytes.clone());
        let handshakes = Family::<HandshakeLabels, Counter>::default();
        registry.register("handshakes", "TLS handshakes by version", handshakes.clone());
        let transport = |protocol: Protocol| TransportLabels { transport: protocol.as_str() };
        let of = |protocol: Protocol, outcome: Outcome| {
            let labels = RequestLabels { transport: protocol.as_str(), outcome: outcome.as_str() };
            requests.get_or_create_owned(&labels)
        };
        let uploads = Family::<UploadLabels, Counter>::default();
        registry.register("uploads", "What phones sent, by kind and outcome", uploads.clone());
        let received = Family::<KindLabels, Counter>::default();
        registry.register("received_bytes", "Bytes that phones sent", received.clone());
        let upload = |kind: Accept, outcome: Outcome| {
            uploads.get_or_create_owned(&UploadLabels { kind: kind.as_str(), outcome: outcome.as_str() })
        };
        let codes = Family::<CodeLabels, Counter>::default();
        registry.register("activation_codes", "Activation codes that were typed, by outcome", codes.clone());
        let code = |outcome: CodeOutcome| codes.get_or_create_owned(&CodeLabels { outcome: outcome.as_str() });
        let metrics = Self {
            codes: CodeOutcome::ALL.map(code),
            uploads: Accept::ALL.map(|kind| Outcome::ALL.map(|outcome| upload(kind, outcome))),
            received: Accept::ALL.map(|kind| received.get_or_create_owned(&KindLabels { kind: kind.as_str() })),
            requests: PROTOCOLS.map(|protocol| Outcome::ALL.map(|outcome| of(protocol, outcome))),
            seconds: PROTOCOLS.map(|protocol| seconds.get_or_create_owned(&transport(protocol))),
            bytes: PROTOCOLS.map(|protocol| bytes.get_or_create_owned(&transport(protocol))),
            handshakes: Handshake::all().map(|handshake| handshakes.get_or_create_owned(&handshake.labels())),
            connections: Gauge::default(),
            refused_connections: Counter::default(),
            cache: CacheMetrics::default(),
            store: StoreMetrics::default(),
            throttle: ThrottleMetrics::default(),
            case_files: CaseMetrics::default(),
            lost_events: Counter::default(),
            reloads: Counter::default(),
            failed_reloads: Counter::default(),
            registry: Registry::default(),
        };
        registry.register("connections", "Connections open now", metrics.connections.clone());
        registry.register(
            "refused_connections",
            "Connections of addresses that had all they may have",
            metrics.refused_connections.clone(),
        );
        registry.register("cache_hits", "Finished profiles sent again", metrics.cache.hits.clone());
        registry.register("cache_misses", "Profiles made anew", metrics.cache.misses.clone());
        metrics.store.register(&mut registry);
        metrics.throttle.register(&mut registry);
        metrics.case_files.register(&mut registry);
        registry.register("lost_events", "Events that were not kept", metrics.lost_events.clone());
        registry.register("reloads", "Configurations taken over", metrics.reloads.clone());
        registry.register("failed_reloads", "Configurations refused", metrics.failed_reloads.clone());
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// Counts a request that has ended.
    pub fn request(&self, protocol: Protocol, outcome: Outcome, bytes: u64, took: Duration) {
        self.requests[protocol as usize][outcome as usize].inc();
        self.seconds[protocol as usize].observe(took.as_secs_f64());
        self.bytes[protocol as usize].inc_by(bytes);
    }

    /// Counts what a phone sent, all of it or not.
    pub fn upload(&self, kind: Accept, outcome: Outcome, bytes: u64) {
        self.uploads[kind.place()][outcome as usize].inc();
        self.received[kind.place()].inc_by(bytes);
    }

    /// Counts an activation code that was typed.
    pub fn code(&self, outcome: CodeOutcome) {
        self.codes[outcome as usize].inc();
    }

    /// Counts a TLS handshake.
    pub fn handshake(&self, handshake: Handshake) {
        self.handshakes[handshake.place()].inc();
    }

    /// All of them in the `OpenMetrics` text format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_where_it_belongs() {
        let metrics = Metrics::default();
        metrics.request(Protocol::Tftp, Outcome::Refused, 7, Duration::from_millis(2));
        metrics.handshake(Handshake::Resumed(TlsVersion::V13));
        metrics.handshake(Handshake::Full(TlsVersion::V10));
        for outcome in CodeOutcome::ALL {
            metrics.code(outcome);
        }
        metrics.code(CodeOutcome::Unexamined);
        let text = metrics.text();
        for (outcome, count) in [("activated", 1), ("unknown", 1), ("away", 1), ("unexamined", 2)] {
            assert!(
                text.contains(&format!("phoneprov_activation_codes_total{{outcome=\"{outcome}\"}} {count}\n")),
                "{text}"
            );
        }
        assert!(text.contains(r#"phoneprov_requests_total{transport="tftp",outcome="refused"} 1"#), "{text}");
        assert!(text.contains(r#"phoneprov_requests_total{transport="http",outcome="served"} 0"#), "{text}");
        assert!(text.contains(r#"phoneprov_sent_bytes_total{transport="tftp"} 7"#), "{text}");
        assert!(text.contains(r#"phoneprov_handshakes_total{version="1.3",resumed="yes"} 1"#), "{text}");
        assert!(text.contains(r#"phoneprov_handshakes_total{version="1.0",resumed="no"} 1"#), "{text}");
        assert!(text.contains(r#"phoneprov_handshakes_total{version="failed",resumed="no"} 0"#), "{text}");
        assert!(text.contains(r#"phoneprov_request_seconds_bucket{le="0.003",transport="tftp"} 1"#), "{text}");
    }
}
