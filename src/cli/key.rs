//! `phoneprov key`: the key that the master secret gives a device.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::device::{MacAddress, SerialNumber};
use crate::profile::macros::{Macro, Macros};
use crate::provision::device_key;

/// Print the key that the master secret gives a device, for its [--key …].
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// The device's MAC address.
    #[arg(long, required_unless_present = "sn")]
    mac: Option<MacAddress>,
    /// The device's serial number; counts where no MAC address is given.
    #[arg(long)]
    sn: Option<SerialNumber>,
}

/// Derives and prints it.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = super::load(&args.config)?;
    let master = config.master.context("there is no master secret: set keys.master_file or keys.master_env")?;
    let mut macros = Macros::default();
    let given = [(Macro::Ma, args.mac.map(MacAddress::ma)), (Macro::Sn, args.sn.as_ref().map(ToString::to_string))];
    for (name, text) in given {
        if let Some(text) = text {
            macros.bind(name, &text);
        }
    }
    let key = device_key(&master, &macros).context("no device was named")?;
    println!("{}", key.expose());
    Ok(ExitCode::SUCCESS)
}
