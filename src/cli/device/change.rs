//! `phoneprov device add`, `set`, `unset`, `enable`, `disable` and `remove`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{bail, ensure};

use super::assignment::Unwanted;
use super::fields::Fields;
use super::show::{self, Form};
use crate::cli::store::{who, with_store};
use crate::device::{Device, DeviceIdentity, DeviceName};
use crate::store::{Entry, Store, StoreError, Writing};

/// Add a device.
#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// Its MAC address, or serial number.
    name: DeviceName,
    #[command(flatten)]
    fields: Fields,
    /// It gets nothing until it is enabled.
    #[arg(long)]
    disabled: bool,
    #[command(flatten)]
    form: Form,
}

/// Change what is said of a device.
#[derive(Debug, clap::Args)]
pub(super) struct Set {
    /// The device.
    name: DeviceName,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    form: Form,
}

/// Take away what is said of a device.
#[derive(Debug, clap::Args)]
pub(super) struct Unset {
    /// The device.
    name: DeviceName,
    #[command(flatten)]
    unwanted: Unwanted,
    /// Something else than a variable.
    #[arg(long = "field", value_name = "FIELD", value_enum)]
    fields: Vec<Field>,
    #[command(flatten)]
    form: Form,
}

/// What `unset` takes away beside variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Field {
    Mac,
    Serial,
    Product,
    Series,
    Label,
    Notes,
    Aliases,
    Groups,
}

/// Let devices have their profiles again.
#[derive(Debug, clap::Args)]
pub(super) struct Enable {
    /// The devices.
    #[arg(required = true)]
    names: Vec<DeviceName>,
}

/// Give devices nothing, from their next request on.
#[derive(Debug, clap::Args)]
pub(super) struct Disable {
    /// The devices.
    #[arg(required = true)]
    names: Vec<DeviceName>,
}

/// Remove devices.
#[derive(Debug, clap::Args)]
pub(super) struct Remove {
    /// The devices.
    #[arg(required = true)]
    names: Vec<DeviceName>,
}

/// Adds one.
pub(super) fn add(args: &Add, config: &Path) -> anyhow::Result<ExitCode> {
    let identity = match &args.name {
        DeviceName::Mac(mac) => DeviceIdentity::new(Some(*mac), None, None),
        DeviceName::Serial(serial) => DeviceIdentity::new(None, Some(serial.clone()), None),
    };
    let Some(identity) = identity else { bail!("a device needs a name") };
    let mut device = Device { enabled: !args.disabled, ..Device::new(identity) };
    args.fields.apply(&mut device, &args.fields.variables()?);
    with_store(config, async |store| {
        let mut writing = store.write(&who(), "device add").await?;
        writing.change(vec![(None, Some(device.clone()))]).await?;
        writing.commit().await?;
        show::one(store, &device.name(), &args.form).await
    })
}

/// Changes one.
pub(super) fn set(args: &Set, config: &Path) -> anyhow::Result<ExitCode> {
    let variables = args.fields.variables()?;
    with_store(config, async |store| {
        let (before, mut writing) = find(store, &args.name, "device set").await?;
        let mut after = before.device.clone();
        args.fields.apply(&mut after, &variables);
        let name = after.name();
        writing.change(vec![(Some(before), Some(after))]).await?;
        writing.commit().await?;
        show::one(store, &name, &args.form).await
    })
}

/// Takes away.
pub(super) fn unset(args: &Unset, config: &Path) -> anyhow::Result<ExitCode> {
    ensure!(!args.unwanted.is_empty() || !args.fields.is_empty(), "nothing is named that is to go");
    with_store(config, async |store| {
        let (before, mut writing) = find(store, &args.name, "device unset").await?;
        let mut after = before.device.clone();
        args.unwanted.take(&args.name.to_string(), &mut after.variables)?;
        for field in &args.fields {
            field.take(&mut after)?;
        }
        let name = after.name();
        writing.change(vec![(Some(before), Some(after))]).await?;
        writing.commit().await?;
        show::one(store, &name, &args.form).await
    })
}

/// Enables.
pub(super) fn enable(args: &Enable, config: &Path) -> anyhow::Result<ExitCode> {
    all(config, &args.names, "device enable", |device| Some(Device { enabled: true, ..device }))
}

/// Disables.
pub(super) fn disable(args: &Disable, config: &Path) -> anyhow::Result<ExitCode> {
    all(config, &args.names, "device disable", |device| Some(Device { enabled: false, ..device }))
}

/// Removes.
pub(super) fn remove(args: &Remove, config: &Path) -> anyhow::Result<ExitCode> {
    all(config, &args.names, "device remove", |_| None)
}

/// Changes all of these devices, or none, and tells the number of the change.
fn all(
    config: &Path,
    names: &[DeviceName],
    action: &str,
    change: impl Fn(Device) -> Option<Device>,
) -> anyhow::Result<ExitCode> {
    with_store(config, async |store| {
        let mut writing = store.write(&who(), action).await?;
        let mut changes: Vec<(Option<Entry>, Option<Device>)> = Vec::new();
        for name in names {
            let before = writing.device(name).await?.ok_or_else(|| StoreError::NoSuchDevice(name.clone()))?;
            if changes.iter().all(|(other, _)| other.as_ref().is_none_or(|other| other.id != before.id)) {
                let after = change(before.device.clone());
                changes.push((Some(before), after));
            }
        }
        writing.change(changes).await?;
        match writing.commit().await? {
            Some(revision) => println!("{action}: change {revision}"),
            None => println!("{action}: nothing to change"),
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn find<'a>(store: &'a Store, name: &DeviceName, action: &str) -> anyhow::Result<(Entry, Writing<'a>)> {
    let mut writing = store.write(&who(), action).await?;
    let before = writing.device(name).await?.ok_or_else(|| StoreError::NoSuchDevice(name.clone()))?;
    Ok((before, writing))
}

impl Field {
    fn take(self, device: &mut Device) -> anyhow::Result<()> {
        let known = &device.identity;
        let (mac, serial, product) = (known.mac(), known.serial().cloned(), known.model().cloned());
        let identity = match self {
            Self::Mac => DeviceIdentity::new(None, serial, product),
            Self::Serial => DeviceIdentity::new(mac, None, product),
            Self::Product => DeviceIdentity::new(mac, serial, None),
            Self::Series | Self::Label | Self::Notes | Self::Aliases | Self::Groups => Some(known.clone()),
        };
        let Some(identity) = identity else { bail!("a device needs a MAC address or a serial number") };
        device.identity = identity;
        match self {
            Self::Mac | Self::Serial | Self::Product => {}
            Self::Series => device.series = None,
            Self::Label => device.label.clear(),
            Self::Notes => device.notes.clear(),
            Self::Aliases => device.aliases.clear(),
            Self::Groups => device.groups.clear(),
        }
        Ok(())
    }
}
