//! What one phone of a fleet used and got, in numbers.

use crate::phone::event::{Event, Events};

/// Counts events.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// TLS connections.
    pub(super) handshakes: u64,
    /// Octets of answers.
    pub(super) octets: u64,
    /// Answers with a file in them, whether the phone could use it or not.
    pub(super) files: u64,
}

impl Events for Meter {
    fn tell(&mut self, event: Event<'_>) {
        match event {
            Event::Secured(_) => self.handshakes += 1,
            Event::Answered { status, octets, .. } => {
                self.octets = self.octets.saturating_add(octets);
                // HTTP's errors and redirects begin with their digit; TFTP's answer is told in words, and only a file.
                self.files += u64::from(!status.starts_with(['1', '3', '4', '5']));
            }
            Event::Rule { .. }
            | Event::Skipped { .. }
            | Event::Asked { .. }
            | Event::Negotiated(_)
            | Event::Redirected(_)
            | Event::Challenged(_)
            | Event::Decrypted { .. }
            | Event::Unpacked { .. }
            | Event::Parsed { .. }
            | Event::Changed { .. }
            | Event::Unchanged(_)
            | Event::Assigned { .. }
            | Event::Logged { .. }
            | Event::Noted(_)
            | Event::Failed { .. }
            | Event::Ignored { .. }
            | Event::Ended(_)
            | Event::Waiting { .. } => {}
        }
    }

    fn listens(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_with_a_file_is_one() {
        let mut meter = Meter::default();
        for (status, octets) in [("404 Not Found", 9), ("302 Found", 0), ("200 OK", 100), ("the file", 50)] {
            meter.tell(Event::Answered { status, octets, headers: "" });
        }
        assert_eq!((meter.files, meter.octets), (2, 159));
    }
}
