//! `fmt`: a file in the canonical form, with its comments, its order and its device around it.

use std::cmp::Ordering;
use std::ops::Range;

use super::document::{Document, Element, Node};
use super::error::FlatError;
use super::place::Place;
use super::profile::{DEVICE, FLAT, FlatProfile, ROUTER};
use super::text::SPACE;
use super::write::{Lines, element};

/// The order of parameters that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As in the file.
    Kept,
    /// By name, numbers by their value; a name that stands twice keeps its order, because the last one counts.
    ByName,
}

/// Why a file cannot be written in the canonical form without a loss.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It is no profile.
    #[error(transparent)]
    Flat(#[from] FlatError),
    /// Text where a phone reads none.
    #[error("{0}: text between elements, which phones ignore: delete it, or make it a comment")]
    Stray(Place),
    /// A template, whose own language has `<` and `&` too.
    #[error("{0}: a template's expression: format what `phoneprov render` makes of the template")]
    Template(Place),
    /// The characters are UTF-8, and the first line says otherwise.
    #[error("{place}: the text is UTF-8 but declared as {encoding}: correct the declaration, which phones ignore")]
    Encoding {
        /// Where the declaration stands.
        place: Place,
        /// What it says.
        encoding: String,
    },
}

/// Writes a document in the canonical form. Formatting the result again changes nothing.
///
/// A value stays what it was, with non-ASCII characters as numeric references; comments and attributes stay; `<X/>` and
/// `<X></X>` stay apart, because Cisco documents them with different meanings. A `<router-configuration>` stays where it
/// stands, also beside its profile without a root around both: adapters are seen to be given files like that.
///
/// # Errors
/// The document is no profile, or has text that this would have to drop or could change.
pub fn format(document: &Document, order: Order) -> Result<String, FormatError> {
    FlatProfile::of(document)?;
    refuse_loss(document)?;
    let mut writer = Writer { document, order, lines: Lines::default() };
    if document.declaration.is_some() {
        writer.lines.text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    }
    for item in &writer.items(&document.nodes) {
        writer.item(item);
    }
    Ok(writer.lines.text)
}

fn refuse_loss(document: &Document) -> Result<(), FormatError> {
    if let Some(declaration) = &document.declaration
        && let Some(encoding) = &declaration.encoding
        && !["utf-8", "us-ascii", "ascii"].iter().any(|same| encoding.eq_ignore_ascii_case(same))
        && !document.text().is_ascii()
    {
        return Err(FormatError::Encoding { place: declaration.place, encoding: encoding.clone() });
    }
    refuse_templates(document, &document.nodes)?;
    refuse_stray(document, &document.nodes)
}

fn refuse_templates(document: &Document, nodes: &[Node]) -> Result<(), FormatError> {
    for node in nodes {
        match node {
            Node::Text(piece) | Node::Section(piece) => {
                let text = document.source(&piece.range);
                if let Some(at) = ["{{", "{%"].iter().filter_map(|mark| text.find(mark)).min() {
                    return Err(FormatError::Template(document.place(piece.range.start + at)));
                }
            }
            Node::Element(element) => {
                if element.attributes.iter().any(|a| a.value.contains("{{") || a.value.contains("{%")) {
                    return Err(FormatError::Template(element.place));
                }
                refuse_templates(document, &element.nodes)?;
            }
            Node::Comment(_) | Node::Instruction(_) => {}
        }
    }
    Ok(())
}

/// Looks at the pieces of what holds elements.
fn refuse_stray(document: &Document, nodes: &[Node]) -> Result<(), FormatError> {
    for node in nodes {
        match node {
            Node::Text(piece) | Node::Section(piece) => {
                let text = document.source(&piece.range);
                let begin = text.trim_start_matches(SPACE);
                if !begin.is_empty() {
                    return Err(FormatError::Stray(document.place(piece.range.end - begin.len())));
                }
            }
            Node::Element(element) if holds_elements(element) => refuse_stray(document, &element.nodes)?,
            Node::Element(_) | Node::Comment(_) | Node::Instruction(_) => {}
        }
    }
    Ok(())
}

fn holds_elements(element: &Element) -> bool {
    element.value.is_none() || [DEVICE, FLAT, ROUTER].contains(&element.name.as_str())
}

/// An element with the comments that belong to it.
#[derive(Default)]
struct Item<'a> {
    /// Whether an empty line stands before it.
    apart: bool,
    /// Comments and instructions on lines before it.
    before: Vec<&'a Node>,
    element: Option<&'a Element>,
    /// Comments inside of it or behind it on its line.
    after: Vec<&'a Node>,
}

/// No empty line stands before the first.
fn begin_at_once(items: &mut [Item<'_>]) {
    if let Some(first) = items.first_mut() {
        first.apart = false;
    }
}

struct Writer<'a> {
    document: &'a Document,
    order: Order,
    lines: Lines,
}

impl<'a> Writer<'a> {
    /// The elements among the nodes, each with its comments; comments at the end have none.
    fn items(&self, nodes: &'a [Node]) -> Vec<Item<'a>> {
        let mut items: Vec<Item<'a>> = Vec::new();
        let mut next = Item::default();
        let mut breaks = 0;
        for node in nodes {
            match node {
                Node::Text(piece) => breaks += line_breaks(self.document.source(&piece.range)),
                Node::Section(_) => {}
                Node::Comment(_) | Node::Instruction(_) => {
                    let on_a_line_with = items.last_mut().filter(|_| breaks == 0 && next.before.is_empty());
                    if let Some(last) = on_a_line_with {
                        last.after.push(node);
                    } else {
                        next.apart |= next.before.is_empty() && breaks > 1;
                        next.before.push(node);
                    }
                    breaks = 0;
                }
                Node::Element(element) => {
                    next.apart |= next.before.is_empty() && breaks > 1;
                    next.element = Some(element);
                    if !holds_elements(element) {
                        let inside = element.nodes.iter();
                        next.after.extend(inside.filter(|n| matches!(n, Node::Comment(_) | Node::Instruction(_))));
                    }
                    items.push(std::mem::take(&mut next));
                    breaks = 0;
                }
            }
        }
        if !next.before.is_empty() {
            items.push(next);
        }
        begin_at_once(&mut items);
        items
    }

    fn item(&mut self, item: &Item<'a>) {
        if item.apart {
            self.lines.text.push('\n');
        }
        for node in &item.before {
            self.lines.indent();
            self.aside(node);
            self.lines.text.push('\n');
        }
        if let Some(element) = item.element {
            self.element(element);
        }
        for (place, node) in item.after.iter().enumerate() {
            let follows = item.element.is_some() || place > 0;
            if follows {
                // On the line of what it follows.
                self.lines.text.pop();
                self.lines.text.push(' ');
            } else {
                self.lines.indent();
            }
            self.aside(node);
            self.lines.text.push('\n');
        }
    }

    fn element(&mut self, written: &'a Element) {
        let items = self.ordered(written);
        if !holds_elements(written) || items.is_empty() {
            self.lines.indent();
            let value = written.value.as_deref().unwrap_or_default();
            element(&written.name, &written.attributes, value, written.self_closing, &mut self.lines.text);
            self.lines.text.push('\n');
            return;
        }
        self.lines.open(&written.name, &written.attributes);
        for item in &items {
            self.item(item);
        }
        self.lines.close(&written.name);
    }

    /// What is in an element. Only parameters of the profile are sorted: the router's groups may be lists.
    fn ordered(&self, element: &'a Element) -> Vec<Item<'a>> {
        if !holds_elements(element) {
            return Vec::new();
        }
        let mut items = self.items(&element.nodes);
        if self.order == Order::ByName && element.name == FLAT {
            items.sort_by(|a, b| compare(a.element, b.element));
            for item in &mut items {
                item.apart = false;
            }
        }
        items
    }

    /// A comment or instruction.
    fn aside(&mut self, node: &Node) {
        match node {
            Node::Comment(piece) => self.comment(&piece.range),
            Node::Instruction(piece) => {
                self.lines.text.push_str("<?");
                self.lines.text.push_str(&self.document.source(&piece.range).replace("\r\n", "\n").replace('\r', "\n"));
                self.lines.text.push_str("?>");
            }
            Node::Element(_) | Node::Text(_) | Node::Section(_) => {}
        }
    }

    /// A comment as it is, with a space in every `--`, which XML forbids.
    fn comment(&mut self, range: &Range<usize>) {
        let written = self.document.source(range).replace("\r\n", "\n").replace('\r', "\n");
        let mut last = ' ';
        self.lines.text.push_str("<!--");
        for c in written.chars() {
            if c == '-' && last == '-' {
                self.lines.text.push(' ');
            }
            self.lines.text.push(c);
            last = c;
        }
        self.lines.text.push_str(if last == '-' { " -->" } else { "-->" });
    }
}

fn line_breaks(text: &str) -> usize {
    text.replace("\r\n", "\n").matches(['\n', '\r']).count()
}

/// The router's settings after all parameters, comments without an element after all else.
fn compare(a: Option<&Element>, b: Option<&Element>) -> Ordering {
    let (Some(a), Some(b)) = (a, b) else { return b.is_some().cmp(&a.is_some()) };
    (a.name == ROUTER).cmp(&(b.name == ROUTER)).then_with(|| by_name(&a.name, &b.name))
}

/// `Line_2_` before `Line_10_`.
fn by_name(a: &str, b: &str) -> Ordering {
    pieces(a).cmp(pieces(b)).then_with(|| a.cmp(b))
}

/// A name as texts and numbers: a number is told by its digits' count first, leading zeros left out.
fn pieces(name: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let digits = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        let piece = if digits { piece.trim_start_matches('0') } else { piece };
        Some(if digits { (piece.len(), piece) } else { (0, piece) })
    })
}

#[cfg(test)]
mod tests;
