//! A line that shows how far a fleet is: on a terminal, and nowhere else.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::phone::fleet::Tally;

/// The shortest time between two drawings.
const PAUSE: Duration = Duration::from_millis(100);

/// Characters of the bar.
const WIDTH: usize = 30;

/// The line, on standard error.
pub(super) struct Progress {
    is_shown: bool,
    drawn: Option<Instant>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { is_shown: std::io::stderr().is_terminal(), drawn: None }
    }

    /// Says what comes before the phones.
    pub(super) fn note(&self, text: &str) {
        self.draw(text);
    }

    /// Shows how far they are, not too often.
    pub(super) fn show(&mut self, tally: &Tally) {
        if self.is_shown && self.drawn.is_none_or(|drawn| drawn.elapsed() >= PAUSE) {
            self.draw(&bar(tally));
            self.drawn = Some(Instant::now());
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        self.draw("");
    }

    fn draw(&self, text: &str) {
        if self.is_shown {
            // A closed terminal stops no fleet. `ESC [ K` clears the rest of the line (ECMA-48, EL).
            let _ = write!(std::io::stderr(), "\r{text}\x1b[K");
        }
    }
}

fn bar(tally: &Tally) -> String {
    let (done, all) = (tally.ended(), tally.phones);
    let full = (done * WIDTH).checked_div(all).unwrap_or(WIDTH);
    let (served, refused, failed) = (tally.served, tally.refused + tally.hung_up, tally.failures());
    format!("[{:<WIDTH$}] {done}/{all}: {served} served, {refused} refused, {failed} failed", "#".repeat(full))
}
