//! The configuration: one TOML file, read whole, checked whole, or refused with file, line and key.
//!
//! A table of the file is a file here. Unknown keys are refused, defaults stand in each table's `Default`, and paths are
//! relative to the folder of the configuration file.

mod accept;
mod admin;
mod api;
mod cache;
mod certificates;
mod checked;
mod error;
mod events;
mod expired;
mod fault;
mod file;
mod intake;
mod keys;
mod lab;
mod limits;
mod lint;
mod listen;
mod log;
mod password;
mod place;
mod proxies;
mod push;
mod reflect;
mod revocation;
mod roster;
mod rule;
mod store;
mod syslog;
mod throttle;
mod tls;
mod units;
mod uploads;
mod variables;
mod written;

pub use accept::{Accept, Report};
pub use admin::Admin;
pub use api::Api;
pub use cache::Cache;
pub use checked::Config;
pub use error::ConfigError;
pub use events::Events;
pub use expired::{Expired, Renewal};
pub use file::read_identity;
pub use intake::{Ftp, FtpTls, Hears, Intake, IntakeProtocol};
pub use keys::{Keys, MasterKey};
pub use lab::Lab;
pub use limits::Limits;
pub use lint::{Lint, Linting};
pub use listen::{ClientCertificate, Listen, Protocol, Speaks, Tls};
pub use log::{Format, Log, LogLevel, LogLevelError};
pub use password::{GoodFor, Passwords};
pub use proxies::{AddressHeader, CertificateHeader, Networks, Proxies};
pub use push::{Push, WebScheme, WebTrust};
pub use revocation::{PastDate, Revocation};
pub use roster::Admission;
pub use rule::{Encryption, KeySource, Method, Proof, Rule};
pub use store::{Place, Sealing, Store, Unknown};
pub use syslog::Syslog;
pub use throttle::Throttle;
pub use tls::{ClientTls, TlsKind, TlsVersion, TlsVersions};
pub use units::{Bytes, Period};
pub use uploads::Uploads;

#[cfg(test)]
mod tests;
