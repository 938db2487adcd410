//! The subject of a certificate as a list of attributes, read strictly.
//!
//! A name that is malformed anywhere yields an error, not the part that could be read: x509-parser stops silently at
//! the first attribute that it cannot read, and what it left out might name another device.

use x509_parser::asn1_rs::{Any, Class, FromDer, Tag};

/// One attribute of a name: `ST=000e08abcdef`.
#[derive(Clone, Copy)]
pub(super) struct Attribute<'a> {
    /// The type: the content octets of its OBJECT IDENTIFIER.
    pub(super) oid: &'a [u8],
    /// The ASN.1 type of the value; `None` where it is none of the universal, primitive ones.
    pub(super) tag: Option<Tag>,
    /// The content octets of the value.
    pub(super) value: &'a [u8],
}

/// The name is not `SEQUENCE OF SET OF SEQUENCE { type, value }` to the last byte (RFC 5280 section 4.1.2.4).
#[derive(Debug)]
pub(super) struct Malformed;

impl Attribute<'_> {
    /// Whether the value is of a type that holds text of one byte to a character, at least as far as ASCII goes, and
    /// has no control character. Other bytes may stand in it, but cannot be part of a name.
    pub(super) fn is_text(&self) -> bool {
        let typed =
            [Tag::Utf8String, Tag::PrintableString, Tag::T61String, Tag::Ia5String].map(Some).contains(&self.tag);
        typed && !self.value.iter().any(u8::is_ascii_control)
    }
}

/// Calls `each` with every attribute of the DER-encoded `name`, in order, until the end or the first error.
pub(super) fn walk<'a, E: From<Malformed>>(
    name: &'a [u8],
    mut each: impl FnMut(Attribute<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let (mut sets, rest) = constructed(name, Tag::Sequence)?;
    empty(rest)?;
    while !sets.is_empty() {
        let (mut set, rest) = constructed(sets, Tag::Set)?;
        sets = rest;
        if set.is_empty() {
            return Err(Malformed.into());
        }
        while !set.is_empty() {
            let (pair, rest) = constructed(set, Tag::Sequence)?;
            set = rest;
            each(attribute(pair)?)?;
        }
    }
    Ok(())
}

fn attribute(pair: &[u8]) -> Result<Attribute<'_>, Malformed> {
    let (rest, kind) = Any::from_der(pair).map_err(|_| Malformed)?;
    let (rest, value) = Any::from_der(rest).map_err(|_| Malformed)?;
    empty(rest)?;
    if universal(&kind, false) != Some(Tag::Oid) {
        return Err(Malformed);
    }
    Ok(Attribute { oid: kind.data, tag: universal(&value, false), value: value.data })
}

/// The content of the value at the head of `bytes`, which must be constructed and of this type, and what follows it.
fn constructed(bytes: &[u8], tag: Tag) -> Result<(&[u8], &[u8]), Malformed> {
    let (rest, any) = Any::from_der(bytes).map_err(|_| Malformed)?;
    if universal(&any, true) == Some(tag) { Ok((any.data, rest)) } else { Err(Malformed) }
}

fn universal(any: &Any<'_>, constructed: bool) -> Option<Tag> {
    (any.class() == Class::Universal && any.header.constructed() == constructed).then(|| any.tag())
}

fn empty(rest: &[u8]) -> Result<(), Malformed> {
    if rest.is_empty() { Ok(()) } else { Err(Malformed) }
}
