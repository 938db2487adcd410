//! A file as it is written, mistakes and all: what lint looks at and fmt writes again.

use std::ops::Range;

use super::error::{FlatError, Wrong};
use super::place::{Place, Places};
use super::profile::{DEVICE, FLAT, ROUTER};
use super::{scan, text};

/// A file that can be read as XML, with everything that a phone would ignore.
///
/// Reading forgives what can be read past and says so in [`Document::flaws`]; all else is a [`FlatError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    text: String,
    places: Places,
    /// Whether the file began with a byte order mark.
    pub byte_order_mark: bool,
    /// What `<?xml …?>` says, if there is one.
    pub declaration: Option<Declaration>,
    /// What stands at the top: one element in a proper file, and perhaps comments.
    pub nodes: Vec<Node>,
    /// What XML forbids and this reader forgave, in the file's order.
    pub flaws: Vec<Flaw>,
}

/// The first line of an XML file. Phones ignore it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Where it begins.
    pub place: Place,
    /// The encoding that it names.
    pub encoding: Option<String>,
}

/// One piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// An element with all in it.
    Element(Element),
    /// Text, white space too, as it is written.
    Text(Piece),
    /// A CDATA section; the range is what is in it.
    Section(Piece),
    /// A comment; the range is what is between `<!--` and `-->`.
    Comment(Piece),
    /// A processing instruction; the range is what is between `<?` and `?>`.
    Instruction(Piece),
}

/// A range of the document's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// In bytes, for [`Document::source`].
    pub range: Range<usize>,
    /// Where it begins, its markup included.
    pub place: Place,
}

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its name as written.
    pub name: String,
    /// Where its `<` stands.
    pub place: Place,
    /// From `<` to the end of its end tag, in bytes.
    pub range: Range<usize>,
    /// What is between its tags, in bytes; empty for `<X/>`.
    pub content: Range<usize>,
    /// Whether it is written `<X/>`. Cisco documents `<X/>` and `<X></X>` with different meanings.
    pub self_closing: bool,
    /// In their order, values decoded.
    pub attributes: Vec<Attribute>,
    /// What is in it.
    pub nodes: Vec<Node>,
    /// What a phone takes its text for: decoded, trimmed, line breaks as spaces. None where elements stand in it.
    pub value: Option<String>,
}

/// An attribute of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name as written: `ua`, `um`.
    pub name: String,
    /// Decoded.
    pub value: String,
}

/// What XML forbids, and can be read past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flaw {
    /// Where.
    pub place: Place,
    /// What.
    pub kind: FlawKind,
}

/// The kinds of [`Flaw`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlawKind {
    /// `--` in a comment (XML 1.0 section 2.5). Published sample profiles have it.
    DoubleHyphen,
    /// A second element at the top: a `<router-configuration>` beside a `<flat-profile>` at best.
    SecondRoot,
    /// Text before or after the root.
    TextOutsideRoot,
    /// `<?xml …?>` after something else, if only an empty line.
    LateDeclaration,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// The file is larger than [`super::MAX_BYTES`], is not UTF-8, or is not XML: the first such place.
    pub fn read(file: &[u8]) -> Result<Self, FlatError> {
        let (text, byte_order_mark) = match text::decode_file(file) {
            Ok(decoded) => decoded,
            Err((before, wrong)) => return Err(located(&Places::of(before), before, wrong)),
        };
        let places = Places::of(text);
        let scanned = text::refuse_control(text).and_then(|()| scan::scan(text, &places));
        let scan = scanned.map_err(|wrong| located(&places, text, wrong))?;
        let text = text.to_owned();
        Ok(Self { text, places, byte_order_mark, declaration: scan.declaration, nodes: scan.nodes, flaws: scan.flaws })
    }

    /// The whole text, without a byte order mark.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a range of this document, as it is written.
    #[must_use]
    pub fn source(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// The place of a byte of the text.
    #[must_use]
    pub fn place(&self, offset: usize) -> Place {
        self.places.at(&self.text, offset)
    }

    /// The elements at the top.
    pub fn roots(&self) -> impl Iterator<Item = &Element> {
        elements(&self.nodes)
    }
}

impl Element {
    /// The elements directly in this one.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        elements(&self.nodes)
    }

    /// Whether this is around a `<flat-profile>` and no part of it: `<device>`, or an element of any other name that holds
    /// one (SPA Provisioning Guide, "Element Tags").
    #[must_use]
    pub fn is_wrapper(&self) -> bool {
        let holds = |element: &Self| element.name == FLAT || element.is_wrapper();
        self.name == DEVICE || (![FLAT, ROUTER].contains(&self.name.as_str()) && self.elements().any(holds))
    }

    /// An attribute's value.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find_map(|attribute| (attribute.name == name).then_some(attribute.value.as_str()))
    }
}

fn elements(nodes: &[Node]) -> impl Iterator<Item = &Element> {
    nodes.iter().filter_map(|node| match node {
        Node::Element(element) => Some(element),
        Node::Text(_) | Node::Section(_) | Node::Comment(_) | Node::Instruction(_) => None,
    })
}

fn located(places: &Places, text: &str, (offset, wrong): (usize, Wrong)) -> FlatError {
    FlatError { place: places.at(text, offset), wrong }
}
