//! `phoneprov device add`, `set`, `unset`, `enable`, `disable` and `remove`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{bail, ensure};

use super::assignment::Unwanted;
use super::fields::Fields;
use super::show::{self, Form};
use crate::cli::preview::{self, Preview};
use crate::cli::store::{who, with_shared_store, with_store};
use crate::config::Config;
use crate::device::{Device, DeviceIdentity, DeviceName};
use crate::store::{Entry, Store, StoreError};

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
    /// Say what the change would do to the phone's profiles, and change nothing.
    #[arg(long)]
    preview: bool,
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
    /// Say what the change would do to the phone's profiles, and change nothing.
    #[arg(long)]
    preview: bool,
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
    #[command(flatten)]
    preview: preview::Args,
}

/// Give devices nothing, from their next request on.
#[derive(Debug, clap::Args)]
pub(super) struct Disable {
    /// The devices.
    #[arg(required = true)]
    names: Vec<DeviceName>,
    #[command(flatten)]
    preview: preview::Args,
}

/// Remove devices.
#[derive(Debug, clap::Args)]
pub(super) struct Remove {
    /// The devices.
    #[arg(required = true)]
    names: Vec<DeviceName>,
    #[command(flatten)]
    preview: preview::Args,
}

/// Adds one.
pub(super) fn add(args: &Add, config: &Path) -> anyhow::Result<ExitCode> {
    let identity = match &args.name {
        DeviceName::Mac(mac) => DeviceIdentity::new(Some(*mac), None, None),
        DeviceName::Serial(serial) => DeviceIdentity::new(None, Some(serial.clone()), None),
    };
    let Some(identity) = identity else { bail!("a device needs a name") };
    let mut device = Device { enabled: !args.disabled, ..Device::new(identity) };
    args.fields.apply(&mut device, &args.fields.variables(config)?);
    with_store(config, async |store| {
        let mut writing = store.write(&who(), "device add").await?;
        writing.change(vec![(None, Some(device.clone()))]).await?;
        writing.commit().await?;
        show::one(store, &device.name(), &args.form).await
    })
}

/// Changes one.
pub(super) fn set(args: &Set, config: &Path) -> anyhow::Result<ExitCode> {
    let variables = args.fields.variables(config)?;
    one(config, (&args.name, "device set"), (args.preview, &args.form), |device| {
        args.fields.apply(device, &variables);
        Ok(())
    })
}

/// Changes one device and shows it, or what that would do.
fn one(
    file: &Path,
    (name, action): (&DeviceName, &str),
    (is_preview, form): (bool, &Form),
    change: impl FnOnce(&mut Device) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    with_shared_store(file, async |config, store| {
        if is_preview {
            let before = store.device(name).await?.ok_or_else(|| StoreError::NoSuchDevice(name.clone()))?;
            let mut after = before.device.clone();
            change(&mut after)?;
            let preview = preview::Args { preview: true, json: form.json };
            return foresee(&store, config, preview, vec![(before, Some(after))]).await;
        }
        let mut writing = store.write(&who(), action).await?;
        let before = writing.device(name).await?.ok_or_else(|| StoreError::NoSuchDevice(name.clone()))?;
        let mut after = before.device.clone();
        change(&mut after)?;
        let name = after.name();
        writing.change(vec![(Some(before), Some(after))]).await?;
        writing.commit().await?;
        show::one(&store, &name, form).await
    })
}

/// What a change of devices would do.
async fn foresee(
    store: &Store,
    config: Config,
    preview: preview::Args,
    devices: Vec<(Entry, Option<Device>)>,
) -> anyhow::Result<ExitCode> {
    let mut looking = Preview::begin(store, config, |_| Ok(())).await?;
    let devices = devices.into_iter().map(|(before, after)| preview::pair(Some(before), after));
    looking.look(store, devices.collect()).await?;
    Ok(looking.tell(preview.json).await?.code())
}

/// Takes away.
pub(super) fn unset(args: &Unset, config: &Path) -> anyhow::Result<ExitCode> {
    ensure!(!args.unwanted.is_empty() || !args.fields.is_empty(), "nothing is named that is to go");
    one(config, (&args.name, "device unset"), (args.preview, &args.form), |after| {
        args.unwanted.take(&args.name.to_string(), &mut after.variables)?;
        args.fields.iter().try_for_each(|field| field.take(after))
    })
}

/// Enables.
pub(super) fn enable(args: &Enable, config: &Path) -> anyhow::Result<ExitCode> {
    all(config, (&args.names, args.preview), "device enable", |device| Some(Device { enabled: true, ..device }))
}

/// Disables.
pub(super) fn disable(args: &Disable, config: &Path) -> anyhow::Result<ExitCode> {
    all(config, (&args.names, args.preview), "device disable", |device| Some(Device { enabled: false, ..device }))
}

/// Removes.
pub(super) fn remove(args: &Remove, config: &Path) -> anyhow::Result<ExitCode> {
    all(config, (&args.names, args.preview), "device remove", |_| None)
}

/// Changes all of these devices, or none, and tells the number of the change.
fn all(
    file: &Path,
    (names, preview): (&[DeviceName], preview::Args),
    action: &str,
    change: impl Fn(Device) -> Option<Device>,
) -> anyhow::Result<ExitCode> {
    with_shared_store(file, async |config, store| {
        if preview.preview {
            let mut devices = Vec::new();
            for name in names {
                let before = store.device(name).await?.ok_or_else(|| StoreError::NoSuchDevice(name.clone()))?;
                let after = change(before.device.clone());
                devices.push((before, after));
            }
            return foresee(&store, config, preview, devices).await;
        }
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
