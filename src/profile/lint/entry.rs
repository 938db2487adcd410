//! The parameters of a document, wherever in it they stand.

use super::structure::{FLAT, ROUTER};
use crate::profile::flat::{Document, Element};
use crate::profile::parameters::{self, Kind, Parameter};

/// Groups of router settings within each other.
const DEEPEST: usize = 8;

/// Status fields from which on a file was written by a phone, if one of them says who it is.
const STATUS_FIELDS: usize = 3;

/// Fields by which a phone says who it is; two of them are enough.
const IDENTITY: [&str; 5] = ["Product_Name", "Serial_Number", "MAC_Address", "Software_Version", "Hardware_Version"];

/// Attributes that only exports have.
const MARKS: [&str; 2] = ["um", "group"];

/// An element that stands where a parameter does.
pub(super) struct Entry<'a> {
    /// The element.
    pub(super) element: &'a Element,
    /// What the dictionary knows of it.
    pub(super) known: Option<&'static Parameter>,
    /// It is a setting of an adapter's router: the groups around it.
    pub(super) router: Option<String>,
}

impl Entry<'_> {
    pub(super) fn name(&self) -> &str {
        &self.element.name
    }

    pub(super) fn value(&self) -> &str {
        self.element.value.as_deref().unwrap_or_default()
    }

    /// The dictionary's row, if it is about this element: a router setting and a parameter may have one name.
    pub(super) fn row(&self) -> Option<&'static Parameter> {
        self.known.filter(|known| self.router.is_none() || known.group().starts_with("Router"))
    }
}

/// All parameters in their order.
pub(super) fn entries(document: &Document) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    for root in document.roots() {
        match root.name.as_str() {
            _ if root.is_wrapper() => wrapper(root, &mut entries),
            ROUTER => router(root, ROUTER, 0, &mut entries),
            // A wrong root has its finding, and what stands in it is looked at as if it were right.
            _ => flat(root, &mut entries),
        }
    }
    entries
}

/// Whether a phone has written this: it marks what its user has changed, or it says which phone it is.
pub(super) fn is_export(entries: &[Entry<'_>]) -> bool {
    let marked = entries.iter().any(|entry| MARKS.iter().any(|mark| entry.element.attribute(mark).is_some()));
    let is_status = |entry: &&Entry<'_>| entry.known.is_some_and(|known| known.kind() == Kind::Status);
    let told = || entries.iter().filter(is_status).filter(|entry| !entry.value().is_empty());
    let identity = told().filter(|entry| IDENTITY.contains(&entry.name())).take(2).count();
    marked || identity == 2 || (identity == 1 && told().take(STATUS_FIELDS).count() == STATUS_FIELDS)
}

/// What stands around a profile has things of its own.
fn wrapper<'a>(root: &'a Element, entries: &mut Vec<Entry<'a>>) {
    for child in root.elements() {
        match child.name.as_str() {
            FLAT => flat(child, entries),
            ROUTER => router(child, ROUTER, 0, entries),
            _ if child.is_wrapper() => wrapper(child, entries),
            _ => {}
        }
    }
}

fn flat<'a>(root: &'a Element, entries: &mut Vec<Entry<'a>>) {
    for element in root.elements().filter(|element| element.name != FLAT) {
        match element.name.as_str() {
            ROUTER => router(element, ROUTER, 0, entries),
            _ => entries.push(Entry { element, known: parameters::find(&element.name), router: None }),
        }
    }
}

fn router<'a>(group: &'a Element, path: &str, depth: usize, entries: &mut Vec<Entry<'a>>) {
    for (place, element) in group.elements().enumerate() {
        if element.name == FLAT {
            flat(element, entries);
        } else if element.value.is_some() {
            let known = parameters::find(&element.name);
            entries.push(Entry { element, known, router: Some(path.to_owned()) });
        } else if depth < DEEPEST {
            // Some groups are lists, whose entries have one name.
            router(element, &format!("{path}/{}[{place}]", element.name), depth + 1, entries);
        }
    }
}
