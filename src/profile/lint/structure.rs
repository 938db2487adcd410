//! The file as a whole: size, mark, root, and what stands between the elements.

use super::{Code, Context, Finding, Findings, Severity};
use crate::profile::flat::{Document, Element, FlatError, FlatProfile, FlawKind, Node, Wrong};

pub(super) const FLAT: &str = "flat-profile";
pub(super) const ROUTER: &str = "router-configuration";

pub(super) fn look(document: &Document, size: usize, context: &Context<'_>, findings: &mut Findings) {
    let start = document.place(0);
    if size as u64 > context.settings.largest {
        let message = format!("the profile has {size} bytes, more than {}", context.settings.largest);
        findings.push(Finding::new(Code::TooLarge, start, message));
    }
    if document.byte_order_mark {
        findings.push(Finding::new(Code::ByteOrderMark, start, "the file begins with a byte order mark"));
    }
    if let Err(FlatError { place, wrong }) = FlatProfile::of(document)
        && is_of_root(&wrong)
    {
        findings.push(Finding::new(Code::WrongRoot, place, wrong.to_string()));
    }
    for flaw in &document.flaws {
        let finding = |code, message| Finding::new(code, flaw.place, message);
        findings.push(match flaw.kind {
            // Published sample profiles have it.
            FlawKind::DoubleHyphen => finding(Code::UncleanXml, "`--` inside a comment").only(Severity::Note),
            FlawKind::LateDeclaration => finding(Code::UncleanXml, "`<?xml …?>` does not stand at the very beginning"),
            FlawKind::TextOutsideRoot => finding(Code::TextBetweenElements, "text before or after the root"),
            // Another root than the two that may stand beside each other has been told of.
            FlawKind::SecondRoot => continue,
        });
    }
    for root in document.roots() {
        between(document, root, findings);
    }
}

/// Whether the root is at fault. Router settings alone are not: adapters take them with or without a flat profile.
fn is_of_root(wrong: &Wrong) -> bool {
    match wrong {
        Wrong::NoProfile(root) => root != ROUTER,
        Wrong::Root(_) | Wrong::Blank | Wrong::Second(_) => true,
        _ => false,
    }
}

/// What is in an element that holds elements.
fn between(document: &Document, holder: &Element, findings: &mut Findings) {
    let is_wrapper = holder.is_wrapper();
    for node in &holder.nodes {
        match node {
            Node::Text(piece) | Node::Section(piece) => {
                let text = document.source(&piece.range).trim();
                if !text.is_empty() {
                    let place = document.place(piece.range.start + leading(document.source(&piece.range)));
                    // It may be the value of a parameter whose tags are broken, and that a password.
                    let message = format!("text between the elements of <{}>, in no parameter", holder.name);
                    findings.push(Finding::new(Code::TextBetweenElements, place, message));
                }
            }
            Node::Element(element) if is_wrapper => around(document, element, findings),
            Node::Element(element) => inside(document, holder, element, findings),
            Node::Comment(_) | Node::Instruction(_) => {}
        }
    }
}

/// An element beside a profile, or one that is around it.
fn around(document: &Document, element: &Element, findings: &mut Findings) {
    if matches!(element.name.as_str(), FLAT | ROUTER) || element.is_wrapper() {
        between(document, element, findings);
    }
}

/// An element of a holder: a holder itself, a group, or a parameter.
fn inside(document: &Document, holder: &Element, element: &Element, findings: &mut Findings) {
    let is_holder = element.name == ROUTER || (element.name == FLAT && holder.name != FLAT);
    // Groups of router settings hold elements, and what is around a profile has things of its own beside it.
    let holds = is_holder || holder.name == ROUTER;
    if holds && element.value.is_none() {
        group(document, element, findings);
        return;
    }
    if let Some(inner) = element.elements().next() {
        let message =
            format!("<{}> stands inside <{}>: is `</{}>` missing before it?", inner.name, element.name, element.name);
        findings.push(Finding::new(Code::ElementInElement, inner.place, message).about(&element.name));
    }
}

fn group(document: &Document, group: &Element, findings: &mut Findings) {
    if matches!(group.name.as_str(), FLAT | ROUTER) {
        between(document, group, findings);
    }
}

/// Bytes of white space before a text.
fn leading(text: &str) -> usize {
    text.len() - text.trim_start().len()
}
