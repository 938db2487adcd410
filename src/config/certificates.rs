//! `[certificates]`: how client certificates are read, beside the layouts of the field.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::certificate::{Mapping, MappingError, Place, Reader};
use crate::device::SerialRange;

/// The table as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    faulty_serials: Option<Vec<String>>,
    mapping: Vec<WrittenMapping>,
}

/// `[[certificates.mapping]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMapping {
    issuer: BTreeMap<String, String>,
    mac: Option<String>,
    serial: Option<String>,
    model: Option<String>,
}

impl Written {
    /// The reader that it describes.
    pub(super) fn check(self) -> Result<Reader, String> {
        let range = |text: &String| {
            text.parse::<SerialRange>().map_err(|error| format!("certificates.faulty_serials: {error}"))
        };
        let faulty = match &self.faulty_serials {
            None => Reader::documented_faulty(),
            Some(ranges) => ranges.iter().map(range).collect::<Result<_, _>>()?,
        };
        let mapping = |written: WrittenMapping| {
            let place = |text: Option<String>| text.map(|text| text.parse::<Place>()).transpose();
            let checked = || -> Result<Mapping, MappingError> {
                Mapping::new(written.issuer, place(written.mac)?, place(written.serial)?, place(written.model)?)
            };
            checked().map_err(|error| format!("certificates.mapping: {error}"))
        };
        let mappings = self.mapping.into_iter().map(mapping).collect::<Result<_, _>>()?;
        Ok(Reader::new(mappings, faulty))
    }
}
