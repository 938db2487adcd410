//! What the columns of a table of devices mean, both ways.

use std::str::FromStr;

use serde_json::Value;

use super::assignment::put;
use super::heading;
use crate::device::{Device, DeviceIdentity, DeviceName, MASK, Secret, VariableName, VariableValue};
use crate::profile::parameters::is_secret;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    Mac,
    Serial,
    Product,
    Series,
    Label,
    Notes,
    Enabled,
    Aliases,
    Groups,
    /// A variable whose cells are its text: `room`, or `room:text`.
    Text(VariableName),
    /// A variable whose cells are JSON: `vlan:json`.
    Json(VariableName),
    /// A variable whose cells are secrets: `sip_password:secret`. A mask in place of one leaves it as it is.
    Secret(VariableName),
}

/// The columns of fields, as they are called and in the order in which an export has them.
pub(super) const FIELDS: [(&str, Column); 9] = [
    ("mac", Column::Mac),
    ("serial", Column::Serial),
    ("product", Column::Product),
    ("series", Column::Series),
    ("label", Column::Label),
    ("notes", Column::Notes),
    ("enabled", Column::Enabled),
    ("aliases", Column::Aliases),
    ("groups", Column::Groups),
];

/// The most columns of a table.
const MOST: usize = 1024;

impl FromStr for Column {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some((_, field)) = FIELDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            return Ok(field.clone());
        }
        let (name, column): (&str, fn(VariableName) -> Self) = match text.rsplit_once(':') {
            Some((name, "json")) => (name, Self::Json),
            Some((name, "secret")) => (name, Self::Secret),
            Some((name, "text")) => (name, Self::Text),
            Some(_) | None => (text, Self::Text),
        };
        let name: VariableName = name.parse().map_err(|error: crate::device::VariableError| error.to_string())?;
        // A password's column has masks in its cells, whatever it is called.
        if name.parameter().is_some_and(is_secret) { Ok(Self::Secret(name)) } else { Ok(column(name)) }
    }
}

/// The columns that a header names.
pub(super) fn columns(header: &[String]) -> Result<Vec<Column>, String> {
    if header.len() > MOST {
        return Err(format!("{} columns: expected {MOST} at the most", header.len()));
    }
    header.iter().try_for_each(|name| heading::fault(name).map_or(Ok(()), Err))?;
    let columns = header.iter().map(|name| name.parse()).collect::<Result<Vec<Column>, String>>()?;
    for (at, column) in columns.iter().enumerate() {
        if columns[..at].contains(column) {
            return Err(format!("the column `{}` stands twice", header[at].trim()));
        }
    }
    if !columns.contains(&Column::Mac) && !columns.contains(&Column::Serial) {
        return Err("no column is called mac or serial".into());
    }
    Ok(columns)
}

/// The device that a row is of: its address, else its serial number.
pub(super) fn name(columns: &[Column], cells: &[String]) -> Result<DeviceName, String> {
    let cell = |wanted: &Column| {
        let at = columns.iter().position(|column| column == wanted)?;
        Some(cells[at].trim()).filter(|cell| !cell.is_empty())
    };
    if let Some(mac) = cell(&Column::Mac) {
        return mac.parse().map(DeviceName::Mac).map_err(|error: crate::device::MacError| error.to_string());
    }
    match cell(&Column::Serial) {
        Some(serial) => {
            serial.parse().map(DeviceName::Serial).map_err(|error: crate::device::SerialError| error.to_string())
        }
        None => Err("the row has neither a MAC address nor a serial number".into()),
    }
}

/// The device as the row says it: what the row has replaces what `before` has; columns that are not there change nothing.
pub(super) fn device(
    columns: &[Column],
    cells: &[String],
    name: &DeviceName,
    before: Option<&Device>,
) -> Result<Device, String> {
    let identity = match name {
        DeviceName::Mac(mac) => DeviceIdentity::new(Some(*mac), None, None),
        DeviceName::Serial(serial) => DeviceIdentity::new(None, Some(serial.clone()), None),
    };
    let new = || identity.map(Device::new).ok_or("the row names no device");
    let mut device = match before {
        Some(before) => before.clone(),
        None => new()?,
    };
    for (column, cell) in columns.iter().zip(cells) {
        column.put(cell.trim(), &mut device)?;
    }
    device.check().map_err(|error| error.to_string())?;
    Ok(device)
}

impl Column {
    fn put(&self, cell: &str, device: &mut Device) -> Result<(), String> {
        let known = &device.identity;
        let (mac, serial, product) = (known.mac(), known.serial().cloned(), known.model().cloned());
        match self {
            Self::Mac => rename(device, DeviceIdentity::new(optional(cell)?.or(mac), serial, product)),
            Self::Serial => rename(device, DeviceIdentity::new(mac, optional(cell)?, product)),
            Self::Product => rename(device, DeviceIdentity::new(mac, serial, optional(cell)?)),
            Self::Series => device.series = optional(cell)?,
            Self::Label => cell.clone_into(&mut device.label),
            Self::Notes => cell.clone_into(&mut device.notes),
            Self::Enabled => device.enabled = truth(cell)?,
            Self::Aliases => device.aliases = words(cell)?,
            Self::Groups => device.groups = words(cell)?,
            Self::Text(name) | Self::Json(name) | Self::Secret(name) if cell.is_empty() => {
                device.variables.remove(name);
            }
            Self::Text(name) => {
                let value = Value::from(cell);
                name.check(&value).map_err(|error| error.to_string())?;
                put(&mut device.variables, &[(name.clone(), value.into())]);
            }
            Self::Json(name) => {
                let value: Value = serde_json::from_str(cell).map_err(|error| format!("{name} is no JSON: {error}"))?;
                name.check(&value).map_err(|error| error.to_string())?;
                put(&mut device.variables, &[(name.clone(), value.into())]);
            }
            Self::Secret(name) if cell == MASK => {
                if !device.variables.get(name).is_some_and(VariableValue::is_secret) {
                    return Err(format!(
                        "{name} is masked, and there is no such secret that could stay: give its text"
                    ));
                }
            }
            Self::Secret(name) => {
                name.check(&Value::from(cell)).map_err(|error| error.to_string())?;
                device.variables.insert(name.clone(), VariableValue::Secret(Secret::new(cell.to_owned())));
            }
        }
        Ok(())
    }

    /// The cell of a device in this column.
    pub(super) fn cell(&self, device: &Device) -> String {
        let identity = &device.identity;
        match self {
            Self::Mac => identity.mac().map(|mac| mac.to_string()).unwrap_or_default(),
            Self::Serial => identity.serial().map(ToString::to_string).unwrap_or_default(),
            Self::Product => identity.model().map(ToString::to_string).unwrap_or_default(),
            Self::Series => device.series.as_ref().map(ToString::to_string).unwrap_or_default(),
            Self::Label => device.label.clone(),
            Self::Notes => device.notes.clone(),
            Self::Enabled => if device.enabled { "yes" } else { "no" }.to_owned(),
            Self::Aliases => device.aliases.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Self::Groups => device.groups.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Self::Text(name) | Self::Secret(name) => {
                let value = device.variables.get(name).map(VariableValue::shown);
                value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
            }
            Self::Json(name) => device.variables.get(name).map(|value| value.shown().to_string()).unwrap_or_default(),
        }
    }
}

fn rename(device: &mut Device, identity: Option<DeviceIdentity>) {
    if let Some(identity) = identity {
        device.identity = identity;
    }
}

fn optional<T>(cell: &str) -> Result<Option<T>, String>
where
    T: FromStr,
    T::Err: ToString,
{
    if cell.is_empty() { Ok(None) } else { cell.parse().map(Some).map_err(|error: T::Err| error.to_string()) }
}

fn words<T>(cell: &str) -> Result<Vec<T>, String>
where
    T: FromStr,
    T::Err: ToString,
{
    let words = cell.split([' ', ',']).filter(|word| !word.is_empty());
    words.map(|word| word.parse().map_err(|error: T::Err| error.to_string())).collect()
}

fn truth(cell: &str) -> Result<bool, String> {
    match cell.to_ascii_lowercase().as_str() {
        "" | "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err(format!("`{cell}` is neither yes nor no")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_row_says_what_its_columns_are_about_and_nothing_else() {
        let columns = columns(&strings(&["MAC", "label", "groups", "sip_user", "vlan:json"])).expect("columns");
        let cells = strings(&["00:0E:08:AB:CD:EF", "Hall", "a b", "0100", "7"]);
        let name = name(&columns, &cells).expect("a name");
        let made = device(&columns, &cells, &name, None).expect("a device");
        let expected = r#"{"mac":"000e08abcdef","label":"Hall","enabled":true,"groups":["a","b"],"variables":{"sip_user":"0100","vlan":7}}"#;
        assert_eq!(serde_json::to_string(&made).expect("JSON"), expected);

        let before = Device { notes: "kept".into(), enabled: false, ..made };
        let cells = strings(&["000e08abcdef", "", "", "", "[1]"]);
        let changed = device(&columns, &cells, &name, Some(&before)).expect("a device");
        let expected = r#"{"mac":"000e08abcdef","enabled":false,"notes":"kept","variables":{"vlan":[1]}}"#;
        assert_eq!(serde_json::to_string(&changed).expect("JSON"), expected);
        let again: Vec<String> = columns.iter().map(|column| column.cell(&changed)).collect();
        assert_eq!(again, cells);
    }

    #[test]
    fn a_header_names_columns_once_and_a_device() {
        let refused = |header: &[&str]| columns(&strings(header)).expect_err("refused");
        assert_eq!(refused(&["label"]), "no column is called mac or serial");
        assert_eq!(refused(&["mac", "x", "x"]), "the column `x` stands twice");
        assert_eq!(refused(&["mac", "x", "x:text"]), "the column `x:text` stands twice");
        assert!(refused(&["mac", "Group"]).starts_with("the column `Group`: did you mean groups?"));
        assert!(columns(&strings(&["mac", "group:text", "label:text", "label"])).is_ok(), "variables of these names");
        assert!(refused(&["mac", "MA"]).contains("`MA` is a phone's macro"));
        assert!(refused(&["mac", "two words"]).contains("`two words` is not a variable's name"));
        assert!(refused(&["mac", ""]).contains("`` is not a variable's name"));
    }
}
