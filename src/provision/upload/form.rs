//! `multipart/form-data` (RFC 7578) in pieces of any size: short fields are held, one file is passed on as it comes.
//!
//! Whatever is sent, no more is held than a piece, a part's headers and a few short fields.

use super::header::{self, MalformedHeader};

/// Parts that a form may have: phones send four.
const PARTS: usize = 32;

/// The headers of a part, and what stands before the first (bytes).
const HEAD: usize = 16 * 1024;

/// A field that is not the file (bytes).
const FIELD: usize = 4 * 1024;

/// The field whose content is the file, as phones call it.
const FILE: &str = "prt_file";

/// The fields that count.
pub(super) const FIELDS: [&str; 3] = [DEVICE, SERIAL, USER];

/// The device's own name, as phones call it.
pub(super) const DEVICE: &str = "devicename";

/// Its serial number.
pub(super) const SERIAL: &str = "serialno";

/// Who uses it.
pub(super) const USER: &str = "username";

/// White space that may follow a boundary on its line (bytes, RFC 2046 section 5.1.1).
const PADDING: usize = 64;

/// A form that is coming in.
#[derive(Debug)]
pub struct Form {
    /// A line's end and the boundary with its two hyphens: what parts are told apart by.
    delimiter: Vec<u8>,
    at: At,
    /// What came and is not yet known for what it is.
    held: Vec<u8>,
    parts: usize,
    fields: Vec<(String, Vec<u8>)>,
    file: Option<String>,
}

/// Where in the form the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before the first boundary.
    Preamble,
    /// Behind a boundary.
    Boundary,
    /// In a part's headers.
    Head,
    /// In the last of the fields.
    Field,
    /// In the file.
    File,
    /// In a file that nobody asked for.
    Other,
    /// Behind the last boundary.
    End,
}

/// The form is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormFault {
    /// `Content-Type` says no boundary that can be one.
    #[error("its Content-Type has no boundary of 1 to 70 characters")]
    Boundary,
    /// It has too many parts.
    #[error("more than {PARTS} parts")]
    Parts,
    /// What stands before the first part, or a part's headers, do not end.
    #[error("the headers of a part do not end within {HEAD} bytes")]
    Head,
    /// A part's headers are none.
    #[error("a part has no Content-Disposition: form-data with a name")]
    Name,
    /// Something else than a line's end stands behind a boundary.
    #[error("a boundary is not followed by a line's end")]
    Line,
    /// A short field is not short.
    #[error("a field is longer than {FIELD} bytes")]
    Field,
    /// Two parts say what one has to.
    #[error("two parts are called {0}")]
    Twice(&'static str),
    /// No file.
    #[error("no part is called {FILE}")]
    NoFile,
    /// It ends before its last boundary.
    #[error("it ends before its last boundary")]
    NoEnd,
}

impl From<MalformedHeader> for FormFault {
    fn from(MalformedHeader: MalformedHeader) -> Self {
        Self::Name
    }
}

impl Form {
    /// The form that this `Content-Type` announces; `None` where it is none.
    ///
    /// # Errors
    /// It announces a form without a boundary.
    pub fn announced(content_type: &str) -> Result<Option<Self>, FormFault> {
        let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            return Ok(None);
        }
        let boundary = header::parameter(parameters, "boundary").ok_or(FormFault::Boundary)?;
        let is_boundary = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        if !(1..=70).contains(&boundary.len()) || !boundary.bytes().all(is_boundary) || boundary.ends_with(' ') {
            return Err(FormFault::Boundary);
        }
        Ok(Some(Self {
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            at: At::Preamble,
            // The first boundary needs no line's end before it where the form begins with it.
            held: b"\r\n".to_vec(),
            parts: 0,
            fields: Vec::new(),
            file: None,
        }))
    }

    /// Takes in the next bytes, and gives those of the file to `file`.
    ///
    /// # Errors
    /// It is no form that is taken, or what `file` says.
    pub fn push<E: From<FormFault>>(
        &mut self,
        bytes: &[u8],
        mut file: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.held.extend_from_slice(bytes);
        let mut from = 0;
        loop {
            let went = self.step(from, &mut file)?;
            from += went.bytes;
            if went.waits {
                break;
            }
        }
        self.held.drain(..from);
        Ok(())
    }

    /// The fields, once all has come: the text of each, and the name that the client has for the file.
    ///
    /// # Errors
    /// The form has no end, or no file.
    pub fn finish(self) -> Result<(Vec<(String, String)>, String), FormFault> {
        if self.at != At::End {
            return Err(FormFault::NoEnd);
        }
        let text = |(name, value): (String, Vec<u8>)| (name, String::from_utf8_lossy(&value).into_owned());
        Ok((self.fields.into_iter().map(text).collect(), self.file.ok_or(FormFault::NoFile)?))
    }

    fn step<E: From<FormFault>>(
        &mut self,
        from: usize,
        file: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Went, E> {
        let held = &self.held[from..];
        match self.at {
            At::End => Ok(Went { bytes: held.len(), waits: true }),
            At::Boundary => Ok(self.boundary(from)?),
            At::Head => Ok(self.head(from)?),
            At::Preamble | At::Field | At::File | At::Other => {
                let end = find(held, &self.delimiter);
                // A boundary may begin in what came last.
                let sure = end.unwrap_or_else(|| held.len().saturating_sub(self.delimiter.len() - 1));
                let content = &held[..sure];
                match self.at {
                    At::File if !content.is_empty() => file(content)?,
                    At::Preamble if content.len() > HEAD => return Err(FormFault::Head.into()),
                    At::Field => {
                        let field = self.fields.last_mut().map(|(_, value)| value);
                        let field = field.ok_or(FormFault::Name)?;
                        field.extend_from_slice(content);
                        if field.len() > FIELD {
                            return Err(FormFault::Field.into());
                        }
                    }
                    _ => {}
                }
                Ok(match end {
                    Some(at) => {
                        self.at = At::Boundary;
                        Went { bytes: at + self.delimiter.len(), waits: false }
                    }
                    // What stands before the first part is held to its bound.
                    None if self.at == At::Preamble => Went { bytes: 0, waits: true },
                    None => Went { bytes: sure, waits: true },
                })
            }
        }
    }

    /// Two more hyphens end the form; a line's end begins a part.
    fn boundary(&mut self, from: usize) -> Result<Went, FormFault> {
        let held = &self.held[from..];
        if held.starts_with(b"--") {
            self.at = At::End;
            return Ok(Went { bytes: 2, waits: false });
        }
        let padding = held.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let rest = &held[padding..];
        if padding > PADDING || (!b"\r\n".starts_with(rest) && !rest.starts_with(b"\r\n") && held != b"-") {
            return Err(FormFault::Line);
        }
        if !rest.starts_with(b"\r\n") {
            return Ok(Went { bytes: 0, waits: true });
        }
        self.parts += 1;
        if self.parts > PARTS {
            return Err(FormFault::Parts);
        }
        self.at = At::Head;
        // The line's end stays: headers that are none end with it.
        Ok(Went { bytes: padding, waits: false })
    }

    fn head(&mut self, from: usize) -> Result<Went, FormFault> {
        let held = &self.held[from..];
        let Some(end) = find(&held[..held.len().min(HEAD)], b"\r\n\r\n") else {
            return if held.len() >= HEAD { Err(FormFault::Head) } else { Ok(Went { bytes: 0, waits: true }) };
        };
        let part = header::Part::parse(&held[..end])?;
        self.at = match (part.name.as_str(), part.file) {
            (FILE, _) if self.file.is_some() => return Err(FormFault::Twice(FILE)),
            (FILE, name) => {
                self.file = Some(name.unwrap_or_default());
                At::File
            }
            (_, Some(_)) => At::Other,
            (name, None) => {
                // Phones send each once. Whom a form names twice, it names nobody.
                let is_there = |known: &&str| self.fields.iter().any(|(field, _)| field == known);
                if let Some(known) = FIELDS.into_iter().find(|known| *known == name).filter(is_there) {
                    return Err(FormFault::Twice(known));
                }
                self.fields.push((part.name, Vec::new()));
                At::Field
            }
        };
        Ok(Went { bytes: end + 4, waits: false })
    }
}

/// How far a step went, and whether the next one needs more bytes.
struct Went {
    bytes: usize,
    waits: bool,
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    let first = *what.first()?;
    let mut from = 0;
    while let Some(at) = text.get(from..)?.iter().position(|byte| *byte == first) {
        if text[from + at..].starts_with(what) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"--x\"";

    /// Fields, the client's name for the file, and the file.
    type Taken = (Vec<(String, String)>, String, Vec<u8>);

    /// What a form comes to that arrives in pieces of this size.
    fn taken(text: &[u8], piece: usize) -> Result<Taken, FormFault> {
        let mut form = Form::announced(TYPE)?.expect("a form");
        let mut file = Vec::new();
        for piece in text.chunks(piece.max(1)) {
            form.push(piece, |bytes| {
                file.extend_from_slice(bytes);
                Ok::<(), FormFault>(())
            })?;
        }
        let (fields, name) = form.finish()?;
        Ok((fields, name, file))
    }

    fn part(headers: &str, content: &str) -> String {
        format!("----x\r\nContent-Disposition: form-data; {headers}\r\n\r\n{content}\r\n")
    }

    fn form(parts: &[String]) -> Vec<u8> {
        (parts.concat() + "----x--\r\n").into_bytes()
    }

    proptest! {
        #[test]
        fn a_form_is_the_same_whatever_the_pieces(content in "[ax\r\n-]{0,40}", piece in 1_usize..50) {
            prop_assume!(!content.contains("\r\n----x"));
            let text = form(&[
                part("name=devicename", "\"SEP000E08ABCDEF\""),
                part("name=\"prt_file\"; filename=\"a.tar.gz\"\r\nContent-Type: application/x-gzip", &content),
                part("name=\"other\"; filename=\"b\"", "not wanted"),
                part("name=username", ""),
            ]);
            let (fields, name, file) = taken(&text, piece).expect("a form");
            prop_assert_eq!(fields, [
                ("devicename".to_owned(), "\"SEP000E08ABCDEF\"".to_owned()), ("username".to_owned(), String::new()),
            ]);
            prop_assert_eq!((name.as_str(), file), ("a.tar.gz", content.into_bytes()));
        }

        #[test]
        fn any_bytes_in_any_pieces_are_taken_or_refused(text: Vec<u8>, piece in 1_usize..9) {
            let _ = taken(&text, piece);
            let _ = taken(&[b"----x\r\n", text.as_slice()].concat(), piece);
        }
    }

    #[test]
    fn a_form_that_is_not_whole_or_too_much_is_refused() {
        let file = || part("name=\"prt_file\"; filename=\"a\"", "content");
        assert_eq!(taken(&form(&[file()]), 7).map(|(.., file)| file), Ok(b"content".to_vec()));
        assert_eq!(taken(file().as_bytes(), 7).map(drop), Err(FormFault::NoEnd));
        assert_eq!(taken(&form(&[part("name=a", "1")]), 7).map(drop), Err(FormFault::NoFile));
        assert_eq!(taken(&form(&[file(), file()]), 7).map(drop), Err(FormFault::Twice(FILE)));
        for name in FIELDS {
            let field = part(&format!("name={name}"), "1");
            let twice = form(&[field.clone(), file(), field]);
            assert_eq!(taken(&twice, 7).map(drop), Err(FormFault::Twice(name)), "even where both say the same");
        }
        assert!(taken(&form(&[part("name=a", "1"), part("name=a", "2"), file()]), 7).is_ok(), "it says nothing");
        assert_eq!(taken(&form(&vec![part("name=a", "1"); 10_000]), 512).map(drop), Err(FormFault::Parts));
        assert_eq!(taken(&form(&[part("name=a", &"x".repeat(FIELD + 1))]), 512).map(drop), Err(FormFault::Field));
        assert_eq!(
            taken(&form(&[part(&format!("name={}", "x".repeat(HEAD)), "")]), 512).map(drop),
            Err(FormFault::Head)
        );
        assert_eq!(taken(&vec![b'x'; HEAD + 64], 512).map(drop), Err(FormFault::Head), "no boundary at all");
        assert_eq!(taken(b"----xyz\r\n", 512).map(drop), Err(FormFault::Line));
        assert_eq!(taken(b"----x\r\n\r\ncontent", 512).map(drop), Err(FormFault::Name));
        assert_eq!(taken(b"", 512).map(drop), Err(FormFault::NoEnd));
    }

    #[test]
    fn what_is_no_form_is_none_and_a_form_has_a_boundary() {
        assert!(Form::announced("application/x-gzip").is_ok_and(|form| form.is_none()));
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        for text in ["multipart/form-data", "multipart/form-data; boundary=", "Multipart/Form-Data; x=y", &long] {
            assert_eq!(Form::announced(text).map(drop), Err(FormFault::Boundary), "{text}");
        }
    }

    #[test]
    fn nothing_is_held_but_what_may_be_a_boundary() {
        let mut form = Form::announced(TYPE).expect("a boundary").expect("a form");
        let head = part("name=prt_file; filename=a", "");
        let mut passed = 0;
        for bytes in std::iter::once(head.as_bytes()).chain(std::iter::repeat_n(&[b'\r'; 4096][..], 100)) {
            form.push(bytes, |file| {
                passed += file.len();
                Ok::<(), FormFault>(())
            })
            .expect("a file");
            assert!(form.held.len() < 16, "{}", form.held.len());
        }
        assert!(passed > 99 * 4096);
    }
}
