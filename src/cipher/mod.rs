//! The two encrypted file formats that phones read, both ways, and how secrets are sealed.
//!
//! Bytes in, bytes out: no file, no socket, no clock, no random numbers. [`openssl`] is what `--key` in a profile rule
//! asks for, [`aes128gcm`] what the content coding of that name announces. Both take their salt as an argument; the one
//! that `salt_for` derives from key and content makes unchanged input give identical output, which matters because a
//! changed profile can reboot a phone. [`Scheme`] names the formats in config.toml and on the command line and does the
//! whole of it: derive the salt, choose the record size, encrypt.
//!
//! [`seal`] is ours: secrets of the store at rest, which no phone reads.
//!
//! Not here: which profile is encrypted with whose key (`provision`), and whether it was compressed first.

pub mod aes128gcm;
pub mod openssl;
pub mod seal;

mod hmac;
mod ikm;
mod scheme;

pub use ikm::{IkmEncoding, IkmEncodingError, IkmError};
pub use scheme::{DecryptError, Scheme, SchemeError};
