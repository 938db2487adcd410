//! Why a request gets no profile. The phone hears "not found"; this is for the log.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::identify::Product;
use super::{Named, UploadFault};
use crate::config::Protocol;
use crate::device::{DeviceIdentity, DeviceName};
use crate::password::{Fault, Staleness};
use crate::profile::macros::Register;
use crate::profile::path::PathError;
use crate::profile::template::TemplateError;

/// A refusal is answered no earlier than this after its request, whatever its reason and protocol: what the server had
/// to look at to find it does not show in the time it took.
pub const REFUSAL_TAKES: Duration = Duration::from_millis(5);

/// The reason of a refusal, in the order in which the steps find it.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The path is none that is looked up.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The tree has no file for it.
    #[error("no such file")]
    NoSuchFile,
    /// The file system does not give it.
    #[error("{file}: {error}")]
    File {
        /// The file, or the path asked for.
        file: String,
        /// What the system says.
        error: io::Error,
    },
    /// `.gz` was asked of a large file that no rule compresses.
    #[error("{0} is larger than 1 MiB: it is compressed only where a rule says gzip = true")]
    TooLargeToCompress(String),
    /// The listener is for other phones.
    #[error("{}", model_words(.0.as_ref()))]
    Model(Option<Product>),
    /// POST and the like.
    #[error("the method is not one that rule {0} answers")]
    Method(Arc<str>),
    /// The same where no file is that the method could be about: the rule takes what phones send.
    #[error("the method is not one that rule {0} answers")]
    TakesOnly(Arc<str>),
    /// The rule names other listeners.
    #[error("rule {rule} does not serve over {transport}")]
    Listener {
        /// The rule.
        rule: Arc<str>,
        /// What the request came over.
        transport: Protocol,
    },
    /// A trusted proxy speaks for nobody knows whom.
    #[error("the proxy does not say for whom: {0}")]
    Proxy(String),
    /// TFTP proves nothing.
    #[error("a device's file goes out by tftp only where a rule's listeners name it")]
    DeviceOverTftp,
    /// The connection cannot carry a certificate.
    #[error("a certificate is needed, which {0} does not carry")]
    NoCertificateOver(Protocol),
    /// None was sent.
    #[error("a certificate is needed, and none was sent")]
    NoCertificate,
    /// On a list of those who may not come.
    #[error("{who} is on the deny list: {listed}")]
    Denied {
        /// Who.
        who: String,
        /// By which name, and where that stands.
        listed: String,
    },
    /// On no list of those who may.
    #[error("{0} is on no allow list")]
    NotListed(String),
    /// One was sent that proves nobody.
    #[error("the certificate proves nobody: {0}")]
    Unproven(String),
    /// One that was good until its date, and the rule does not forgive that, or not for so long.
    #[error("the certificate proves nobody: it has expired on {}, that of {device}", .since.strftime("%Y-%m-%d"))]
    Expired {
        /// Whom it named.
        device: Arc<DeviceIdentity>,
        /// Its last moment.
        since: Timestamp,
    },
    /// There is nothing to renew an expired certificate with.
    #[error("the certificate has expired, and the rule's profile to renew it, {0}, is not there")]
    NoRenewal(String),
    /// The certificate is another phone's, or does not say what the path says.
    #[error("the path names {claimed}, the certificate {proven}")]
    AnotherDevice {
        /// Whom the path names.
        claimed: Named,
        /// Whom the certificate names.
        proven: Arc<DeviceIdentity>,
    },
    /// None was sent.
    #[error("a password is needed, and none was sent")]
    NoPassword,
    /// One was sent that proves nobody.
    #[error("the password proves nobody: {0}")]
    WrongPassword(#[from] Fault),
    /// A right digest that is not taken.
    #[error("the digest is not taken: {0}")]
    StaleDigest(#[from] Staleness),
    /// The account is another phone's.
    #[error("the path names {claimed}, the password is that of {account}")]
    AnotherAccount {
        /// Whom the path names.
        claimed: Named,
        /// Whose password it is.
        account: Arc<str>,
    },
    /// The password was held against the accounts of another rule: one for `.gz` beside the one for the file.
    #[error("the password was asked for by another rule than that of the file: let one rule have both paths")]
    AnotherRule,
    /// The store has no such device.
    #[error("the store has no device {0}")]
    UnknownDevice(String),
    /// There is no file for devices that the store does not have.
    #[error("{0}, which is for devices that the store does not have, is not there")]
    NoStrangersFile(String),
    /// The store says that it gets nothing.
    #[error("the device {0} is disabled")]
    Disabled(DeviceName),
    /// The path says something else than the store.
    #[error("the path's ${} is not what the device has in {}", .0.letter(), .0.parameter())]
    Register(Register),
    /// A device that is not in memory; whoever walks the line reads it and walks again.
    #[error("the device {0} is not in memory")]
    Unread(DeviceName),
    /// It cannot be read.
    #[error("{0}")]
    Store(String),
    /// The template gives no profile.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// What is wrong with the template has a secret in its text.
    #[error("{0}: what is wrong has a secret in it: `phoneprov render` with the device's --mac says it without")]
    Veiled(String),
    /// The rule keeps back what a phone would stumble over.
    #[error("{file}: {finding}")]
    Lint {
        /// The file.
        file: String,
        /// The first finding.
        finding: String,
    },
    /// The rule's key is empty for this device.
    #[error("{0} is empty for this device")]
    EmptyKey(&'static str),
    /// The rule's key is the device's own, and it has none.
    #[error("{0}")]
    NoKey(String),
    /// The phone names a key that is none of its device's.
    #[error(
        "the phone asks under a key that is not its device's, or is retired: `phoneprov device key show` lists them"
    )]
    OtherKey,
    /// The master secret needs a device to derive a key for.
    #[error("no key: neither path nor certificate names a device to derive it for")]
    NobodysKey,
    /// The keying material does not decode.
    #[error("{0} is no keying material: {1}")]
    KeyingMaterial(&'static str, crate::cipher::IkmError),
    /// What was sent is not taken.
    #[error(transparent)]
    Upload(#[from] UploadFault),
}

fn model_words(product: Option<&Product>) -> String {
    match product {
        Some(Product::Name(said) | Product::Series(said)) => {
            format!("the listener is limited to other models than {said}")
        }
        None => "the listener is limited to models, and neither certificate nor path says which one this is".to_owned(),
    }
}

impl Refusal {
    /// Whether the fault is the server's or its operator's, not the client's.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        match self {
            Self::File { .. }
            | Self::NoStrangersFile(_)
            | Self::Unread(_)
            | Self::Store(_)
            | Self::Template(_)
            | Self::Veiled(_)
            | Self::Lint { .. }
            | Self::EmptyKey(_)
            | Self::NobodysKey
            | Self::NoKey(_)
            | Self::NoRenewal(_)
            | Self::KeyingMaterial(..) => true,
            Self::Upload(fault) => fault.is_ours(),
            Self::Path(_)
            | Self::NoSuchFile
            | Self::TooLargeToCompress(_)
            | Self::Model(_)
            | Self::Method(_)
            | Self::TakesOnly(_)
            | Self::Listener { .. }
            | Self::Proxy(_)
            | Self::DeviceOverTftp
            | Self::NoCertificateOver(_)
            | Self::NoCertificate
            | Self::Denied { .. }
            | Self::NotListed(_)
            | Self::Unproven(_)
            | Self::Expired { .. }
            | Self::AnotherDevice { .. }
            | Self::NoPassword
            | Self::WrongPassword(_)
            | Self::StaleDigest(_)
            | Self::AnotherAccount { .. }
            | Self::UnknownDevice(_)
            | Self::Disabled(_)
            | Self::Register(_)
            | Self::OtherKey
            | Self::AnotherRule => false,
        }
    }
}
