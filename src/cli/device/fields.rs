//! What can be said of a device by options.

use std::path::Path;

use super::assignment::{Assignments, put};
use crate::device::{Device, DeviceIdentity, GroupName, MacAddress, Model, SerialNumber, VariableName, VariableValue};

/// What a device is to be.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Fields {
    /// Its MAC address.
    #[arg(long)]
    mac: Option<MacAddress>,
    /// Its serial number ($SN).
    #[arg(long, value_name = "SN")]
    serial: Option<SerialNumber>,
    /// Its product name ($PN).
    #[arg(long, value_name = "PN")]
    product: Option<Model>,
    /// Its product series ($PSN), where it does not follow from the product name.
    #[arg(long, value_name = "PSN")]
    series: Option<Model>,
    /// What people call it.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Anything else that people want to know.
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
    /// A MAC address that it asks with beside its own; all that are given replace all that there were.
    #[arg(long = "alias", value_name = "MAC")]
    aliases: Vec<MacAddress>,
    /// A group; a later one counts more, and all that are given replace all that there were.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<GroupName>,
    #[command(flatten)]
    variables: Assignments,
}

impl Fields {
    /// The variables that are to be set; those that are secrets are asked for. The configuration may know more
    /// parameters.
    pub(super) fn variables(&self, config: &Path) -> anyhow::Result<Vec<(VariableName, VariableValue)>> {
        self.variables.read(&crate::cli::load(config)?.lint)
    }

    /// Puts what is said into a device, and these variables.
    pub(super) fn apply(&self, device: &mut Device, variables: &[(VariableName, VariableValue)]) {
        let known = &device.identity;
        let mac = self.mac.or(known.mac());
        let serial = self.serial.clone().or_else(|| known.serial().cloned());
        let product = self.product.clone().or_else(|| known.model().cloned());
        if let Some(identity) = DeviceIdentity::new(mac, serial, product) {
            device.identity = identity;
        }
        device.series = self.series.clone().or(device.series.take());
        if let Some(label) = &self.label {
            device.label.clone_from(label);
        }
        if let Some(notes) = &self.notes {
            device.notes.clone_from(notes);
        }
        if !self.aliases.is_empty() {
            device.aliases.clone_from(&self.aliases);
        }
        if !self.groups.is_empty() {
            device.groups.clone_from(&self.groups);
        }
        put(&mut device.variables, variables);
    }
}
