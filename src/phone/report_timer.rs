//! When a phone sends its reports by itself: `Report_To_Server` (Cisco MPP administration guide, "Third-party call
//! control"). SPA and ATA devices send them on request only.

use std::time::Duration;

use super::{Family, Phone};

/// What `Periodic_Upload_To_Server` may be, in seconds; a table of older firmware goes up to a month.
const PERIODS: (u64, u64) = (600, 2_592_000);

/// What `Upload_Delay_On_Local_Change` may be, in seconds.
const DELAYS: (u64, u64) = (10, 900);

/// Since when the next report is waited for, by the phone's clock.
pub(super) struct ReportTimer {
    since: Duration,
}

impl ReportTimer {
    /// Begins with power-up: whether a real phone's period does is not documented.
    pub(super) fn new(now: Duration) -> Self {
        Self { since: now }
    }

    /// The time by the phone's clock at which it sends a report; `None` is on request only.
    pub(super) fn due(&self, phone: &Phone) -> Option<Duration> {
        if phone.family() != Family::Mpp || phone.value("Report_Rule").trim().is_empty() {
            return None;
        }
        let seconds = |name, (least, most): (u64, u64)| {
            let seconds = phone.value(name).trim().parse().unwrap_or(least);
            Duration::from_secs(seconds.clamp(least, most))
        };
        let when = phone.value("Report_To_Server").trim();
        if when.eq_ignore_ascii_case("Periodically") {
            Some(self.since + seconds("Periodic_Upload_To_Server", PERIODS))
        } else if when.eq_ignore_ascii_case("On Local Change") && phone.changed_by_hand {
            Some(self.since + seconds("Upload_Delay_On_Local_Change", DELAYS))
        } else {
            None
        }
    }

    /// A report was sent, or tried.
    pub(super) fn sent(&mut self, now: Duration) {
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::state::State;
    use crate::phone::unit::Unit;
    use crate::phone::wire::{Trust, Wire};

    fn due(model: &str, set: &[(&str, &str)]) -> Option<u64> {
        let unit = Unit::new(model.parse().expect("a product name"), "000e08abcdef".parse().expect("an address"));
        let wire = Wire::new(Trust::of_pem(b"").expect("nobody"));
        let mut phone = Phone::new(unit, State::default(), &wire).expect("a fresh state");
        for (name, value) in set {
            phone.set(name, value);
        }
        ReportTimer::new(Duration::from_secs(7)).due(&phone).map(|due| due.as_secs())
    }

    const RULE: (&str, &str) = ("Report_Rule", "http://h/x");

    #[test]
    fn a_phone_reports_on_request_unless_it_is_told_otherwise() {
        assert_eq!(due("CP-8841-3PCC", &[RULE]), None);
        assert_eq!(due("CP-8841-3PCC", &[RULE, ("Report_To_Server", "Periodically")]), Some(3607));
        assert_eq!(due("CP-8841-3PCC", &[RULE, ("Report_To_Server", "On Local Change")]), Some(67));
        assert_eq!(due("CP-8841-3PCC", &[("Report_To_Server", "Periodically")]), None, "without a rule");
        assert_eq!(due("SPA504G", &[RULE, ("Report_To_Server", "Periodically")]), None);
    }

    #[test]
    fn times_keep_to_what_the_guide_allows() {
        let periodic = |value| {
            due("CP-8841-3PCC", &[RULE, ("Report_To_Server", "Periodically"), ("Periodic_Upload_To_Server", value)])
        };
        assert_eq!(["1", "700", "99999999", "often"].map(periodic), [607, 707, 2_592_007, 607].map(Some));
        let local = |value| {
            due(
                "CP-8841-3PCC",
                &[RULE, ("Report_To_Server", "On Local Change"), ("Upload_Delay_On_Local_Change", value)],
            )
        };
        assert_eq!(["1", "20", "1000"].map(local), [17, 27, 907].map(Some));
    }
}
