//! What phones say of their resyncs by syslog (Cisco "Provisioning Methods", `Log_*_Msg`): lines over UDP and TCP, read for
//! the few messages that mean something here. Everything else is a line, and kept as one.
//!
//! A line proves nothing: anybody may send one under any name. Whose it is, and whether it counts, is decided where the
//! requests are known that it can be held against ([`crate::event`]).

pub mod frame;
mod message;
mod queue;
mod receiver;
mod streams;
mod template;

pub use message::{KEPT, Line, Messages, Said, Stage, clipped};
pub use queue::{Closed, Heard, Lines, queue};
pub use receiver::{Admit, Receiver, receive};
pub use template::{Template, TemplateError};

/// The longest line that is read (bytes); what is beyond it is passed over.
pub const LONGEST: usize = 8 * 1024;

/// What ends a line that has no length before it (RFC 6587, section 3.4.2); Python's client ends each with a zero.
const ENDS: [u8; 2] = [b'\n', 0];
