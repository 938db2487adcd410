//! phoneprov: a provisioning server for Cisco flat-profile phones.
//!
//! The map: [`listen`] and [`tftp`] turn connections into a [`provision::Request`]; [`provision`] walks it in seven steps
//! to a response; [`profile`] knows the tree of files, [`device`] and [`certificate`] who a phone is, [`cipher`] the
//! encrypted file formats, [`store`] where devices are kept, [`inventory`] what of them is in
//! memory; [`case`] who may hand files in, [`vault`] where those are kept, encrypted. [`server`] is the life of the process, [`cli`] its commands. ARCHITECTURE.md has the page.

pub mod app;
pub mod authority;
pub mod case;
pub mod census;
pub mod certificate;
pub mod cipher;
pub mod cli;
pub mod config;
pub mod device;
pub mod event;
pub mod ftp;
pub mod intake;
pub mod inventory;
pub mod listen;
pub mod log;
pub mod metrics;
pub mod password;
pub mod phone;
pub mod profile;
pub mod provision;
pub mod push;
pub mod server;
pub mod sftp;
pub mod store;
pub mod syslog;
pub mod terminal;
pub mod tftp;
pub mod throttle;
pub mod trust;
pub mod vault;
