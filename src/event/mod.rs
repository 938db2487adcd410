//! What happened: requests, lines of phones by syslog, alarms; and what that comes to for each device and path: which
//! version of a profile it was given, whether it says that it took it, and since when it fails.
//!
//! Whoever has something to tell puts it into a queue and goes on: a request never waits, and past the queue's bound it is
//! not told, which is counted. One task takes out what is there, and the store keeps it. No I/O here.

mod kept;
mod ledger;
mod requested;
mod standing;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::mpsc;

pub use self::kept::{Event, Kind};
pub use self::ledger::Ledger;
pub use self::requested::Requested;
pub use self::standing::{Failing, Standing, Version};
use crate::syslog::{self, Heard, Line, Lines};

/// Requests and alarms that wait to be kept.
const WAITING: usize = 16 * 1024;

/// Of those, what is left to devices that have proven themselves, however much others do.
const LEFT: usize = WAITING / 4;

/// What lines that wait to be kept may take (bytes); past that, they wait in the kernel. Ten seconds of 50 000 lines of 80
/// bytes would take 170 MB if none were written meanwhile.
const LINES: u32 = 96 * 1024 * 1024;

/// Something that happened.
#[derive(Debug)]
pub enum News {
    /// A request has ended.
    Requested(Box<Requested>),
    /// A line came in by syslog.
    Said(Line),
    /// An operator was told of an address that guesses.
    Alarm {
        /// When.
        at: Timestamp,
        /// Who.
        peer: std::net::IpAddr,
        /// What it does.
        text: String,
    },
    /// A phone was told something, or could not be.
    Pushed {
        /// When.
        at: Timestamp,
        /// Which.
        device: crate::device::DeviceName,
        /// Where it is.
        address: String,
        /// What, by whom, and what came of it.
        text: String,
        /// Whether it has said yes.
        answered: bool,
    },
    /// A file was handed in, or refused.
    Uploaded {
        /// When.
        at: Timestamp,
        /// The device that it is of, which has proven to be that.
        device: Option<crate::device::DeviceName>,
        /// Where it came from.
        address: String,
        /// The path that it was sent to, where there is one.
        path: Option<String>,
        /// Which file, or why it was refused.
        text: String,
        /// What became of it.
        reception: Reception,
    },
}

/// What becomes of a file that is handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reception {
    /// It is kept.
    Kept,
    /// It is not kept, of somebody who may hand in.
    Refused,
    /// It is not even looked at: anybody may have brought it.
    Denied,
}

/// Where things are told.
#[derive(Debug)]
pub struct Journal {
    news: mpsc::Sender<News>,
    lines: Lines,
    lost: Counter,
}

/// Where they come out.
#[derive(Debug)]
pub struct Inbox {
    /// What must not wait.
    pub news: mpsc::Receiver<News>,
    /// Lines of phones.
    pub lines: Heard,
}

impl News {
    /// When it happened.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Requested(requested) => requested.at,
            Self::Said(line) => line.at,
            Self::Alarm { at, .. } | Self::Pushed { at, .. } | Self::Uploaded { at, .. } => *at,
        }
    }

    /// Whether somebody stands behind it: whoever has shown a proof, or the server itself. A line shows none; what it is
    /// worth is found when it is held against its device.
    #[must_use]
    pub fn is_vouched(&self) -> bool {
        match self {
            Self::Requested(requested) => requested.proven().is_some(),
            Self::Said(_) => false,
            Self::Alarm { .. } | Self::Pushed { .. } => true,
            Self::Uploaded { reception, .. } => *reception != Reception::Denied,
        }
    }
}

impl Journal {
    /// A journal, and where it is read; `lost` counts what found no room.
    #[must_use]
    pub fn new(lost: Counter) -> (Self, Inbox) {
        let (news, news_out) = mpsc::channel(WAITING);
        let (lines, lines_out) = syslog::queue(LINES);
        (Self { news, lines, lost }, Inbox { news: news_out, lines: lines_out })
    }

    /// Tells of something, if there is room. What nobody stands behind leaves some to the others.
    pub fn tell(&self, news: News) {
        let is_full = !news.is_vouched() && self.news.capacity() <= LEFT;
        if is_full || self.news.try_send(news).is_err() {
            self.lost.inc();
        }
    }

    /// Where lines go, which may wait.
    #[must_use]
    pub fn lines(&self) -> Lines {
        self.lines.clone()
    }
}
