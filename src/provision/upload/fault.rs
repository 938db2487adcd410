//! Why something that a phone was let send is not kept. The phone hears "not found"; this is for the log.

use super::form::FormFault;
use crate::cipher::{DecryptError, Scheme};
use crate::device::{DeviceIdentity, DeviceName, SerialNumber};
use crate::profile::flat::FlatError;

/// The reason.
#[derive(Debug, thiserror::Error)]
pub enum UploadFault {
    /// More than the limit.
    #[error("it is larger than limits.{limit}, {most} bytes")]
    TooLarge {
        /// The key of the limit.
        limit: &'static str,
        /// What that says.
        most: u64,
    },
    /// Nothing was sent.
    #[error("nothing was sent")]
    Empty,
    /// The client went away.
    #[error("the client broke off")]
    Broken,
    /// It took too long.
    #[error("the client was too slow: {0}")]
    Slow(&'static str),
    /// There is no room for one more.
    #[error("too many uploads at once: limits.{0}")]
    Busy(&'static str),
    /// A coding that nobody here undoes.
    #[error("its coding is not one that is undone: expected gzip or aes128gcm, each once")]
    Coding,
    /// The rule wants it encrypted.
    #[error("it was sent in clear, and the rule takes {0} only")]
    Clear(Scheme),
    /// The rule has no key for it.
    #[error("it is {0}, and the rule has no key for that: add encrypt and a key")]
    Encrypted(Scheme),
    /// No key opens it.
    #[error("no key of the rule opens it: {0}")]
    Key(DecryptError),
    /// It does not unpack.
    #[error("its gzip is damaged or cut short")]
    Gzip,
    /// It unpacks to more than is held.
    #[error("it unpacks to more than {0} bytes")]
    Bomb(usize),
    /// It is no profile.
    #[error("it is no report: {0}")]
    NoReport(#[from] FlatError),
    /// There is something else around it.
    #[error("it is no report: a report is XML and nothing else, and this has other text around it, as a form has")]
    NoXml,
    /// It is one, and says nothing.
    #[error("it is a full report without a parameter")]
    NoParameters,
    /// It is no form, or one that is not taken.
    #[error("the form: {0}")]
    Form(#[from] FormFault),
    /// The form names another device than path or certificate do.
    #[error("the form says that it is of {form}, and it was sent by {sender}")]
    OtherDevice {
        /// Whom the form names.
        form: String,
        /// Who sends it.
        sender: String,
    },
    /// The certificate proves another device than it is of otherwise.
    #[error("it is of {device}, and the certificate is of {proven}")]
    OtherCertificate {
        /// Whose it is by path, account or form.
        device: DeviceName,
        /// Whom the certificate names.
        proven: DeviceIdentity,
    },
    /// The form names one device by its serial number, and it is another one's.
    #[error("the form has the serial number {serial} of {owner}, and it is of {device}")]
    TwoDevices {
        /// As the form has it.
        serial: SerialNumber,
        /// Whose that is.
        owner: DeviceName,
        /// Whose the form is otherwise.
        device: DeviceName,
    },
    /// It is nobody's.
    #[error("neither path nor certificate nor form says which device it is of")]
    Nobody,
    /// There is no room.
    #[error("{0}")]
    Full(String),
    /// It cannot be kept.
    #[error("{0}")]
    Vault(String),
}

impl UploadFault {
    /// Whether the fault is the server's or its operator's.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        match self {
            Self::Busy(_) | Self::Full(_) | Self::Vault(_) => true,
            Self::TooLarge { .. }
            | Self::Empty
            | Self::Broken
            | Self::Slow(_)
            | Self::Coding
            | Self::Clear(_)
            | Self::Encrypted(_)
            | Self::Key(_)
            | Self::Gzip
            | Self::Bomb(_)
            | Self::NoReport(_)
            | Self::NoXml
            | Self::NoParameters
            | Self::Form(_)
            | Self::OtherDevice { .. }
            | Self::OtherCertificate { .. }
            | Self::TwoDevices { .. }
            | Self::Nobody => false,
        }
    }
}
