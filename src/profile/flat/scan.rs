//! Text to a tree, in one pass and with a bound on everything. The tokens are quick-xml's.

use std::borrow::Cow;
use std::ops::Range;

use quick_xml::Reader;
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesDecl, BytesStart, Event};

use super::document::{Attribute, Declaration, Element, Flaw, FlawKind, Node, Piece};
use super::error::Wrong;
use super::place::{Place, Places};
use super::text::{At, SPACE, decode, is_name, trim_end, trim_start, unfold};

/// Elements around an element. A router's rule stands in four.
const MAX_DEPTH: usize = 16;
/// Elements, texts, comments and instructions together. The largest exports have some ten thousand.
const MAX_NODES: usize = 100_000;
/// Attributes of an element.
const MAX_ATTRIBUTES: usize = 32;

/// What was found at the top of a text.
#[derive(Default)]
pub(super) struct Scanned {
    pub(super) declaration: Option<Declaration>,
    pub(super) nodes: Vec<Node>,
    pub(super) flaws: Vec<Flaw>,
}

/// Reads a text whose characters are all allowed.
pub(super) fn scan(text: &str, places: &Places) -> Result<Scanned, At> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    // References and end tags are looked at here, where the place is known.
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.check_end_names = false;
    let mut scan = Scan { text, places, open: Vec::new(), found: Scanned::default(), count: 0 };
    loop {
        let start = offset(reader.buffer_position());
        let event = reader.read_event().map_err(|error| (start, Wrong::Syntax(said(error))))?;
        let range = start..offset(reader.buffer_position());
        match event {
            Event::Text(_) | Event::GeneralRef(_) => scan.text(range)?,
            Event::Start(tag) => scan.begin(&tag, range, false)?,
            Event::Empty(tag) => scan.begin(&tag, range, true)?,
            Event::End(tag) => scan.end(tag.name().as_ref(), range)?,
            Event::CData(_) => scan.push(range.clone(), |place| {
                Node::Section(Piece { range: inside(&range, "<![CDATA[", "]]>"), place })
            })?,
            Event::Comment(_) => scan.comment(range)?,
            Event::Decl(declaration) => scan.declaration(&declaration, start),
            Event::PI(instruction) => {
                if !is_name(instruction.target()) {
                    return Err((start, Wrong::Name));
                }
                scan.push(range.clone(), |place| {
                    Node::Instruction(Piece { range: inside(&range, "<?", "?>"), place })
                })?;
            }
            Event::DocType(_) => return Err((start, Wrong::Doctype)),
            Event::Eof => return scan.finish(),
        }
    }
}

struct Scan<'a> {
    text: &'a str,
    places: &'a Places,
    open: Vec<Element>,
    found: Scanned,
    count: usize,
}

impl Scan<'_> {
    /// Text and references that follow each other are one text.
    fn text(&mut self, range: Range<usize>) -> Result<(), At> {
        if let Some(Node::Text(piece)) = self.nodes().last_mut()
            && piece.range.end == range.start
        {
            piece.range.end = range.end;
            return Ok(());
        }
        self.push(range.clone(), |place| Node::Text(Piece { range, place }))
    }

    fn begin(&mut self, tag: &BytesStart<'_>, range: Range<usize>, self_closing: bool) -> Result<(), At> {
        if self.open.len() >= MAX_DEPTH {
            return Err((range.start, Wrong::TooDeep { limit: MAX_DEPTH }));
        }
        let name = tag.name().as_ref().to_owned();
        if !is_name(&name) {
            return Err((range.start, Wrong::Name));
        }
        let attributes = attributes(tag, range.start)?;
        let element = Element {
            name,
            place: self.places.at(self.text, range.start),
            content: range.end..range.end,
            self_closing,
            attributes,
            nodes: Vec::new(),
            value: self_closing.then(String::new),
            range,
        };
        if self_closing {
            return self.close(element);
        }
        self.open.push(element);
        Ok(())
    }

    fn end(&mut self, found: &str, range: Range<usize>) -> Result<(), At> {
        let Some(mut element) = self.open.pop() else {
            return Err((range.start, Wrong::Unopened(shown(found))));
        };
        if element.name != found {
            let (open, line) = (element.name, element.place.line);
            return Err((range.start, Wrong::Mismatch { open, line, found: shown(found) }));
        }
        element.content.end = range.start;
        element.range.end = range.end;
        element.value = self.value(&element)?;
        self.close(element)
    }

    fn close(&mut self, element: Element) -> Result<(), At> {
        let (place, start) = (element.place, element.range.start);
        if self.open.is_empty() && self.found.nodes.iter().any(|node| matches!(node, Node::Element(_))) {
            self.found.flaws.push(Flaw { place, kind: FlawKind::SecondRoot });
        }
        self.push(start..start, |_| Node::Element(element))
    }

    /// The text of an element without elements, as a phone takes it; every reference of another is looked at too.
    fn value(&self, element: &Element) -> Result<Option<String>, At> {
        let mut value = String::new();
        let mut pieces: Vec<(Range<usize>, bool)> = Vec::new();
        for node in &element.nodes {
            match node {
                Node::Text(piece) => pieces.push((piece.range.clone(), true)),
                Node::Section(piece) => pieces.push((piece.range.clone(), false)),
                Node::Element(_) | Node::Comment(_) | Node::Instruction(_) => {}
            }
        }
        for (range, _) in &mut pieces {
            *range = trim_start(self.text, range.clone());
            if range.start < range.end {
                break;
            }
        }
        for (range, _) in pieces.iter_mut().rev() {
            *range = trim_end(self.text, range.clone());
            if range.start < range.end {
                break;
            }
        }
        for (range, has_references) in pieces {
            let raw = &self.text[range.clone()];
            if has_references {
                decode(raw, &mut value).map_err(|(at, wrong)| (range.start + at, wrong))?;
            } else {
                unfold(raw, &mut value);
            }
        }
        Ok(element.elements().next().is_none().then_some(value))
    }

    fn comment(&mut self, range: Range<usize>) -> Result<(), At> {
        let inner = inside(&range, "<!--", "-->");
        let written = &self.text[inner.clone()];
        if written.contains("--") || written.ends_with('-') {
            let place = self.places.at(self.text, range.start);
            self.found.flaws.push(Flaw { place, kind: FlawKind::DoubleHyphen });
        }
        self.push(range, |place| Node::Comment(Piece { range: inner, place }))
    }

    fn declaration(&mut self, declaration: &BytesDecl<'_>, start: usize) {
        let place = self.places.at(self.text, start);
        if start > 0 {
            self.found.flaws.push(Flaw { place, kind: FlawKind::LateDeclaration });
        }
        let encoding = declaration.encoding().and_then(Result::ok).map(Cow::into_owned);
        self.found.declaration.get_or_insert(Declaration { place, encoding });
    }

    fn push(&mut self, range: Range<usize>, node: impl FnOnce(Place) -> Node) -> Result<(), At> {
        self.count += 1;
        if self.count > MAX_NODES {
            return Err((range.start, Wrong::TooMany { limit: MAX_NODES }));
        }
        let node = node(self.places.at(self.text, range.start));
        self.nodes().push(node);
        Ok(())
    }

    /// Where the next piece goes.
    fn nodes(&mut self) -> &mut Vec<Node> {
        match self.open.last_mut() {
            Some(element) => &mut element.nodes,
            None => &mut self.found.nodes,
        }
    }

    /// Nothing may be open, and only white space may stand outside of the root.
    fn finish(mut self) -> Result<Scanned, At> {
        if let Some(element) = self.open.pop() {
            return Err((element.range.start, Wrong::Unclosed(element.name)));
        }
        for node in &self.found.nodes {
            let (Node::Text(piece) | Node::Section(piece)) = node else { continue };
            let written = &self.text[piece.range.clone()];
            if matches!(node, Node::Text(_)) {
                decode(written, &mut String::new()).map_err(|(at, wrong)| (piece.range.start + at, wrong))?;
            }
            if !written.trim_matches(SPACE).is_empty() {
                self.found.flaws.push(Flaw { place: piece.place, kind: FlawKind::TextOutsideRoot });
            }
        }
        self.found.flaws.sort_by_key(|flaw| flaw.place);
        if self.found.nodes.iter().any(|node| matches!(node, Node::Element(_))) {
            return Ok(self.found);
        }
        Err((0, Wrong::Blank))
    }
}

/// A tag's attributes, decoded.
fn attributes(tag: &BytesStart<'_>, start: usize) -> Result<Vec<Attribute>, At> {
    if !are_apart(tag.attributes_raw()) {
        return Err((start, Wrong::Attribute("white space is missing between two attributes")));
    }
    let mut attributes: Vec<Attribute> = Vec::new();
    for attribute in tag.attributes().with_checks(false) {
        // The tokenizer's positions count from behind the `<`.
        let attribute = attribute.map_err(|error| wrong_attribute(&error, start + 1))?;
        let name = attribute.key.as_ref().to_owned();
        if !is_name(&name) || attribute.value.contains('<') {
            return Err((start, Wrong::Attribute("not an attribute: expected name=\"value\" without `<`")));
        }
        if attributes.iter().any(|other| other.name == name) {
            return Err((start, Wrong::AttributeTwice(name)));
        }
        if attributes.len() >= MAX_ATTRIBUTES {
            return Err((start, Wrong::Attribute("more than 32 attributes in one element")));
        }
        let mut value = String::new();
        // Unlike in text, `]]>` is allowed here.
        for (place, part) in attribute.value.split("]]>").enumerate() {
            if place > 0 {
                value.push_str("]]>");
            }
            decode(part, &mut value).map_err(|(_, wrong)| (start, wrong))?;
        }
        attributes.push(Attribute { name, value });
    }
    Ok(attributes)
}

fn wrong_attribute(error: &AttrError, base: usize) -> At {
    let (at, text) = match error {
        AttrError::ExpectedEq(at) => (at, "an attribute without a value: expected name=\"value\""),
        AttrError::ExpectedValue(at) => (at, "an attribute's value is missing: expected name=\"value\""),
        AttrError::UnquotedValue(at) => (at, "an attribute's value needs quotes: expected name=\"value\""),
        AttrError::ExpectedQuote(at, _) => (at, "the closing quote of an attribute is missing"),
        AttrError::Duplicated(at, _) => (at, "an attribute stands twice in one element"),
    };
    (base + at, Wrong::Attribute(text))
}

/// What the tokenizer says, without its headings.
fn said(error: quick_xml::Error) -> String {
    match error {
        quick_xml::Error::Syntax(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// Whether white space follows each quoted value, which the tokenizer does not ask for.
fn are_apart(attributes: &str) -> bool {
    let mut rest = attributes;
    while let Some(quote) = rest.find(['"', '\'']) {
        let mark = &rest[quote..=quote];
        let Some(end) = rest[quote + 1..].find(mark) else { return true };
        rest = &rest[quote + 1 + end + 1..];
        if !rest.is_empty() && !rest.starts_with(SPACE) {
            return false;
        }
    }
    true
}

/// A range without the markup at its ends.
fn inside(range: &Range<usize>, before: &str, after: &str) -> Range<usize> {
    range.start + before.len()..range.end - after.len()
}

/// The name in an end tag, as far as it is one: a forgotten `&lt;` may have put a value here.
fn shown(name: &str) -> String {
    if is_name(name) && name.len() <= 128 { name.to_owned() } else { "…".to_owned() }
}

/// A position of the tokenizer in a text that is in memory.
fn offset(position: u64) -> usize {
    usize::try_from(position).expect("a text in memory is shorter than usize")
}
