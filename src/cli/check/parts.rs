//! Parts of templates, which no phone asks for: each is read by itself, and those of one device are tried with the templates
//! that take such parts in.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::app::App;
use crate::device::MacAddress;
use crate::profile::template::Source;

/// How a MAC address may stand in a name.
const FORMS: [fn(MacAddress) -> String; 3] = [MacAddress::ma, MacAddress::mau, MacAddress::mac];

/// What has been seen of parts.
pub(super) struct Parts {
    sample: Option<MacAddress>,
    /// Those that can be read.
    whole: Vec<String>,
    /// Templates by the parts that they looked for by the sample phone's address, and the form of it.
    readers: BTreeMap<(String, usize), BTreeSet<String>>,
}

impl Parts {
    /// None yet.
    pub(super) fn new(sample: Option<MacAddress>) -> Self {
        Self { sample, whole: Vec::new(), readers: BTreeMap::new() }
    }

    /// Reads a part as it would be read for a template.
    pub(super) fn read(&mut self, app: &App, part: &str) -> Option<Finding> {
        match app.line.templates.read(part) {
            Ok(()) => {
                self.whole.push(part.to_owned());
                None
            }
            Err(error) => {
                Some(Finding::error(error.place(), format!("no template can take it in: {}", error.reason())))
            }
        }
    }

    /// Takes note of what a template looked for, for the sample phone.
    pub(super) fn note(&mut self, template: &str, sources: &[Source]) {
        let Some(sample) = self.sample else { return };
        for source in sources.iter().filter(|source| source.file != template) {
            let form = FORMS.iter().position(|form| source.file.contains(&form(sample)));
            if let Some(form) = form {
                self.readers.entry((source.file.clone(), form)).or_default().insert(template.to_owned());
            }
        }
    }

    /// Each device that has a part of its own, with every template that takes it in. The sample phone has been tried.
    pub(super) fn devices(&self) -> BTreeSet<(&str, MacAddress)> {
        let mut devices = BTreeSet::new();
        for ((source, form), templates) in &self.readers {
            let form = FORMS[*form];
            let of = |part: &String| device(part, source, &form(self.sample?), form);
            let macs = self.whole.iter().filter_map(of).filter(|mac| Some(*mac) != self.sample);
            devices.extend(macs.flat_map(|mac| templates.iter().map(move |template| (template.as_str(), mac))));
        }
        devices
    }
}

/// The device whose part this is, where it is called as the sample phone's is, but for the address.
fn device(part: &str, of_sample: &str, sample: &str, form: fn(MacAddress) -> String) -> Option<MacAddress> {
    let at = of_sample.find(sample)?;
    let address = part.get(at..at + sample.len())?;
    let mac: MacAddress = address.parse().ok()?;
    (form(mac) == address && of_sample.replace(sample, address) == part).then_some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_of_the_device_whose_address_stands_where_the_samples_does() {
        let other: MacAddress = "000e08000001".parse().expect("an address");
        let of = |part: &str, of_sample: &str, form: usize| {
            let sample = FORMS[form]("000e08abcdef".parse().expect("an address"));
            device(part, of_sample, &sample, FORMS[form])
        };
        assert_eq!(of("_devices/000e08000001.txt", "_devices/000e08abcdef.txt", 0), Some(other));
        assert_eq!(of("_d/000E08000001", "_d/000E08ABCDEF", 1), Some(other));
        assert_eq!(of("_000e08000001/000e08000001.x", "_000e08abcdef/000e08abcdef.x", 0), Some(other));
        for part in
            ["_devices/000E08000001.txt", "_devices/000e08000001.xml", "_devices/default.txt", "_d", "_devices/ä"]
        {
            assert_eq!(of(part, "_devices/000e08abcdef.txt", 0), None, "{part}");
        }
        assert_eq!(of("_000e08000001/000e08000002.x", "_000e08abcdef/000e08abcdef.x", 0), None);
    }
}
