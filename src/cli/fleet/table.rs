//! What came of a fleet, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::phone::failure::Class;
use crate::phone::fleet::{Scenario, Tally};
use crate::profile::mask::in_passing;
use crate::terminal::{Json, OneLine};

/// A line for each figure.
pub(super) fn text(tally: &Tally) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<12}{}", OneLine(in_passing(value)));
    };
    line("scenario", tally.scenario.as_str());
    line("phones", &tally.phones.to_string());
    line("served", &tally.served.to_string());
    if let Some(breach) = &tally.breach {
        line("", &format!("such as the one that {breach}"));
    }
    if tally.scenario == Scenario::Scan {
        line("refused", &tally.refused.to_string());
        line("hung up", &tally.hung_up.to_string());
    }
    line("failed", &tally.failures().to_string());
    for ((class, kind), failed) in &tally.failed {
        line("", &format!("{} of class {class}, {kind}, such as: {}", failed.count, failed.such_as));
    }
    for (name, percent) in [("p50", 50), ("p99", 99), ("slowest", 100)] {
        line(name, &format!("{:.1} ms", millis(tally.percentile(percent))));
    }
    line("bytes", &tally.octets.to_string());
    line("handshakes", &format!("{}, {:.0} a second", tally.handshakes, tally.handshakes_a_second()));
    if tally.retries > 0 {
        line("retries", &tally.retries.to_string());
    }
    line("took", &format!("{:.1} s", tally.took.as_secs_f64()));
    text.trim_end().to_owned()
}

/// The same as one object; times in milliseconds.
pub(super) fn json(tally: &Tally) -> String {
    let by_class = |wanted: Class| {
        let of_class = tally.failed.iter().filter(|((class, _), _)| *class == wanted);
        let counts = of_class.map(|((_, kind), failed)| {
            ((*kind).to_owned(), json!({ "count": failed.count, "such_as": in_passing(&failed.such_as) }))
        });
        Value::Object(counts.collect::<Map<_, _>>())
    };
    let object = json!({
        "scenario": tally.scenario.as_str(),
        "phones": tally.phones,
        "served": tally.served,
        "breach": tally.breach,
        "refused": tally.refused,
        "hung_up": tally.hung_up,
        "failed": { "count": tally.failures(), "B": by_class(Class::B), "C": by_class(Class::C) },
        "p50_ms": millis(tally.percentile(50)),
        "p99_ms": millis(tally.percentile(99)),
        "slowest_ms": millis(tally.percentile(100)),
        "bytes": tally.octets,
        "handshakes": tally.handshakes,
        "handshakes_per_second": (tally.handshakes_a_second() * 10.0).round() / 10.0,
        "retries": tally.retries,
        "took_ms": millis(tally.took),
        "as_expected": tally.is_as_expected(),
    });
    Json(object).to_string()
}

/// Milliseconds, to the microsecond.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
