//! What a phone takes from a file.

use std::collections::HashMap;
use std::fmt;

use super::access::UserAccess;
use super::document::{Attribute, Document, Element};
use super::error::{FlatError, Wrong};
use super::place::Place;
use super::text;

pub(super) const FLAT: &str = "flat-profile";
pub(super) const DEVICE: &str = "device";
pub(super) const ROUTER: &str = "router-configuration";

/// A profile: parameters in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlatProfile {
    /// How the file holds them.
    pub form: Form,
    /// All of them, a name perhaps several times: the last one counts.
    pub parameters: Vec<Parameter>,
}

/// How a file holds its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Form {
    /// Whether `<device>` is around all, as in activation-code samples and downloads of config.xml.
    pub in_device: bool,
    /// Where the settings of an adapter's router stand.
    pub router: RouterPlace,
}

/// Where `<router-configuration>` stands, which SPA112, SPA122 and ATA 19x read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RouterPlace {
    /// Nowhere.
    #[default]
    Absent,
    /// In `<flat-profile>`, as the ATA 191/192 provisioning guide prints it.
    Inside,
    /// Around `<flat-profile>`.
    Around,
    /// Beside `<flat-profile>`, in `<device>` or with no root around both.
    Beside,
}

/// A parameter with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    name: String,
    value: String,
    /// The groups around it in `<router-configuration>`; none for a parameter of the flat profile.
    router: Option<Vec<Group>>,
    attributes: Vec<Attribute>,
    self_closing: bool,
    place: Place,
}

/// A group of router settings. Some groups are lists: their entries have one name and count from 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group {
    /// The element's name.
    pub name: String,
    /// How many of that name stand before it in the same group.
    pub index: usize,
}

/// A parameter that no file can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// The name cannot be an element's.
    #[error("`{0}` is not a parameter's name: expected a letter or `_`, then letters, digits, `_`, `-` and `.`")]
    Name(String),
    /// The value has a character that XML does not.
    #[error("the value of `{0}` has a control character, which XML does not allow")]
    Value(String),
}

impl FlatProfile {
    /// Reads a file.
    ///
    /// # Errors
    /// The file is not XML, or not a profile, at the place that the error names.
    pub fn read(file: &[u8]) -> Result<Self, FlatError> {
        Self::of(&Document::read(file)?)
    }

    /// Takes the parameters of a document. Comments, attributes that mean nothing, and text between elements are no
    /// obstacle; an element inside of a parameter is, because phones are not documented to bear it.
    ///
    /// # Errors
    /// The document's root, or an element inside of a parameter.
    pub fn of(document: &Document) -> Result<Self, FlatError> {
        let mut reading = Reading::default();
        let mut roots = document.roots();
        let root = roots.next().ok_or_else(|| at(Place::START, Wrong::Blank))?;
        match root.name.as_str() {
            FLAT => reading.flat(root)?,
            ROUTER => reading.router(root, RouterPlace::Around)?,
            _ if root.is_wrapper() => {
                reading.profile.form.in_device = root.name == DEVICE;
                reading.wrapper(root)?;
            }
            other => return Err(at(root.place, Wrong::Root(other.to_owned()))),
        }
        for second in roots {
            match second.name.as_str() {
                FLAT => reading.flat(second)?,
                ROUTER => reading.router(second, RouterPlace::Beside)?,
                other => return Err(at(second.place, Wrong::Root(other.to_owned()))),
            }
            if reading.profile.form.router == RouterPlace::Around {
                reading.profile.form.router = RouterPlace::Beside;
            }
        }
        if !reading.has_flat {
            return Err(at(root.place, Wrong::NoProfile(root.name.clone())));
        }
        Ok(reading.profile)
    }

    /// The value that counts of a parameter of the flat profile: the last one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let last = self.parameters.iter().rev().find(|parameter| parameter.name == name && parameter.router.is_none());
        last.map(Parameter::value)
    }

    /// The parameters that count, each once, where its name comes first, as it is written last.
    #[must_use]
    pub fn effective(&self) -> Self {
        Self { form: self.form, parameters: Vec::new() }.overlaid(self)
    }

    /// This profile with a later one over it, parameter by parameter, as phones take `Profile_Rule` to `_D` (Cisco MPP
    /// administration guide, Provisioning Formats). A parameter keeps its place; one that is new comes at the end. An
    /// attribute that the later one leaves out stays, as it does on MPP phones; SPA phones forget it.
    #[must_use]
    pub fn overlaid(&self, later: &Self) -> Self {
        self.overlaid_by(std::slice::from_ref(later))
    }

    /// The same with several, each over what is before it.
    #[must_use]
    pub fn overlaid_by(&self, layers: &[Self]) -> Self {
        let mut merged = self.clone();
        let keys = merged.parameters.iter().enumerate().map(|(at, parameter)| (parameter.key(), at));
        let mut known: HashMap<String, usize> = keys.collect();
        for parameter in layers.iter().flat_map(|layer| &layer.parameters) {
            let earlier = known.get(&parameter.key()).and_then(|at| merged.parameters.get_mut(*at));
            if let Some(earlier) = earlier {
                earlier.replace(parameter);
            } else {
                known.insert(parameter.key(), merged.parameters.len());
                merged.parameters.push(parameter.clone());
            }
        }
        let mut forms = std::iter::once(self.form).chain(layers.iter().map(|layer| layer.form));
        let router = forms.find(|form| form.router != RouterPlace::Absent);
        merged.form.router = router.unwrap_or_default().router;
        merged
    }
}

impl Parameter {
    /// A parameter of the flat profile.
    ///
    /// # Errors
    /// The name or the value cannot stand in XML.
    pub fn new(name: &str, value: &str) -> Result<Self, ParameterError> {
        if !text::is_name(name) {
            return Err(ParameterError::Name(name.to_owned()));
        }
        if !value.chars().all(text::is_allowed) {
            return Err(ParameterError::Value(name.to_owned()));
        }
        let (name, value) = (name.to_owned(), value.to_owned());
        Ok(Self { name, value, router: None, attributes: Vec::new(), self_closing: false, place: Place::START })
    }

    /// Its name, as written: phones tell case apart.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value: references resolved, white space around it trimmed, line breaks as spaces.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The groups around it where it stands in `<router-configuration>`; none for a phone's own parameter.
    #[must_use]
    pub fn router(&self) -> Option<&[Group]> {
        self.router.as_deref()
    }

    /// All attributes in their order.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// An attribute's value.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find_map(|attribute| (attribute.name == name).then_some(attribute.value.as_str()))
    }

    /// What the phone's user may do with it: `ua`, one of `na`, `ro`, `rw`.
    #[must_use]
    pub fn user_access(&self) -> Option<&str> {
        self.attribute("ua")
    }

    /// Whether an export marks it as changed on the phone: `um="y"`.
    #[must_use]
    pub fn is_user_modified(&self) -> bool {
        self.attribute("um").is_some_and(|mark| mark.eq_ignore_ascii_case("y"))
    }

    /// Whether it is written `<X/>`, which Cisco documents as another thing than `<X></X>`: with `ua="rw"` it leaves what
    /// the user has set.
    #[must_use]
    pub fn is_self_closing(&self) -> bool {
        self.self_closing
    }

    /// Where its element stands.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// Name and groups as one text, the same for what overrides each other: `User_ID_1_`,
    /// `router-configuration/Time_Setup/Time_Zone`.
    #[must_use]
    pub fn key(&self) -> String {
        let Some(groups) = &self.router else { return self.name.clone() };
        let mut key = ROUTER.to_owned();
        for group in groups {
            key.push('/');
            key.push_str(&group.to_string());
        }
        key.push('/');
        key.push_str(&self.name);
        key
    }

    /// The same with only those attributes.
    #[must_use]
    pub fn with_attributes(mut self, keep: impl Fn(&Attribute) -> bool) -> Self {
        self.attributes.retain(keep);
        self
    }

    /// The same, with what the phone's user may do with it.
    #[must_use]
    pub fn with_user_access(mut self, access: UserAccess) -> Self {
        self.attributes.retain(|attribute| attribute.name != "ua");
        self.with_attribute("ua", access.as_str())
    }

    /// The same with one attribute more, of characters that XML allows.
    #[must_use]
    pub(crate) fn with_attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.push(Attribute { name: name.to_owned(), value: value.to_owned() });
        self
    }

    /// The same with another value of characters that XML allows, for showing it.
    #[must_use]
    pub(crate) fn with_value(&self, value: &str) -> Self {
        Self { value: value.to_owned(), ..self.clone() }
    }

    fn replace(&mut self, later: &Self) {
        let missing = self.attributes.iter().filter(|earlier| later.attribute(&earlier.name).is_none());
        let attributes = later.attributes.iter().chain(missing).cloned().collect();
        *self = Self { attributes, ..later.clone() };
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            0 => f.write_str(&self.name),
            index => write!(f, "{}[{}]", self.name, index + 1),
        }
    }
}

/// A profile while it is read.
#[derive(Default)]
struct Reading {
    profile: FlatProfile,
    has_flat: bool,
    has_router: bool,
}

impl Reading {
    /// What an element around a profile may hold beside things of its own.
    fn wrapper(&mut self, element: &Element) -> Result<(), FlatError> {
        for child in element.elements() {
            match child.name.as_str() {
                FLAT => self.flat(child)?,
                ROUTER => self.router(child, RouterPlace::Beside)?,
                _ if child.is_wrapper() => self.wrapper(child)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn flat(&mut self, element: &Element) -> Result<(), FlatError> {
        if std::mem::replace(&mut self.has_flat, true) {
            return Err(at(element.place, Wrong::Second(FLAT.to_owned())));
        }
        for child in element.elements() {
            if child.name == ROUTER {
                self.router(child, RouterPlace::Inside)?;
            } else {
                self.parameter(child, None)?;
            }
        }
        Ok(())
    }

    fn router(&mut self, element: &Element, place: RouterPlace) -> Result<(), FlatError> {
        if std::mem::replace(&mut self.has_router, true) {
            return Err(at(element.place, Wrong::Second(ROUTER.to_owned())));
        }
        let around = element.elements().any(|child| child.name == FLAT);
        self.profile.form.router = if around { RouterPlace::Around } else { place };
        self.settings(element, &mut Vec::new())
    }

    fn settings(&mut self, element: &Element, groups: &mut Vec<Group>) -> Result<(), FlatError> {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for child in element.elements() {
            if groups.is_empty() && child.name == FLAT {
                self.flat(child)?;
            } else if child.value.is_some() {
                self.parameter(child, Some(groups.clone()))?;
            } else {
                let count = seen.entry(&child.name).or_default();
                groups.push(Group { name: child.name.clone(), index: *count });
                *count += 1;
                self.settings(child, groups)?;
                groups.pop();
            }
        }
        Ok(())
    }

    fn parameter(&mut self, element: &Element, router: Option<Vec<Group>>) -> Result<(), FlatError> {
        if let Some(inner) = element.elements().next() {
            let wrong = Wrong::Nested { outer: element.name.clone(), inner: inner.name.clone() };
            return Err(at(inner.place, wrong));
        }
        self.profile.parameters.push(Parameter {
            name: element.name.clone(),
            value: element.value.clone().unwrap_or_default(),
            router,
            attributes: element.attributes.clone(),
            self_closing: element.self_closing,
            place: element.place,
        });
        Ok(())
    }
}

fn at(place: Place, wrong: Wrong) -> FlatError {
    FlatError { place, wrong }
}
