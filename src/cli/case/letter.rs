//! A message by mail: who it says it is from, what about, and its attachments.

use std::borrow::Cow;

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders as _};

use super::encoding::Encoding;
use crate::case::{FileName, LabelError, Remark};

/// Attachments that one message may have: all of them are under way until the last is there, and of one case no more may be.
const ATTACHMENTS: usize = 32;

/// A subject, and a sender, as they are shown (bytes).
const SHOWN: usize = 200;

/// A message.
#[derive(Debug)]
pub(super) struct Letter<'a>(Message<'a>);

/// A name, and the bytes that it is of.
pub(super) type Attachment<'a> = (FileName, Cow<'a, [u8]>);

/// The attachments are not taken. The text goes back to the sender.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LetterFault {
    /// A multipart has no last boundary.
    #[error("the message is cut short: the end of its parts is missing")]
    Cut,
    /// An attachment is not written in the encoding that it names.
    #[error("the attachment {0} is not in the encoding that its Content-Transfer-Encoding says")]
    Garbled(FileName),
    /// There is none.
    #[error("the message has no attachment")]
    Nothing,
    /// More than one message may have.
    #[error("the message has more than {ATTACHMENTS} attachments")]
    Many,
    /// No name can be made for it.
    #[error(transparent)]
    Name(#[from] LabelError),
}

impl<'a> Letter<'a> {
    /// Reads a message; `None`: it has not even headers.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        MessageParser::default().parse(text).map(Self)
    }

    /// Reads the headers alone.
    pub(super) fn head(text: &'a [u8]) -> Option<Self> {
        MessageParser::default().parse_headers(text).map(Self)
    }

    /// Where it comes from, as it says itself.
    pub(super) fn sender(&self) -> Remark {
        let sender = self.0.from().and_then(|from| from.first()?.address()).unwrap_or("unknown");
        Remark::cut(format!("mail from {sender}").as_bytes(), SHOWN)
    }

    /// All of its subject.
    pub(super) fn subject(&self) -> &str {
        self.0.subject().unwrap_or_default()
    }

    /// The attachments with their names.
    ///
    /// # Errors
    /// There are none, or they are not whole.
    pub(super) fn files(&self) -> Result<Vec<Attachment<'_>>, LetterFault> {
        if self.is_cut() {
            return Err(LetterFault::Cut);
        }
        let mut files = Vec::new();
        for part in self.0.attachments() {
            if files.len() == ATTACHMENTS {
                return Err(LetterFault::Many);
            }
            let name = name(part, files.len() + 1)?;
            match self.bytes(part) {
                Some(bytes) => files.push((name, bytes)),
                None => return Err(LetterFault::Garbled(name)),
            }
        }
        if files.is_empty() { Err(LetterFault::Nothing) } else { Ok(files) }
    }

    /// An attachment's bytes, as they were before it was sent: the parser passes over what it cannot decode, and makes UTF-8 of text.
    fn bytes<'b>(&'b self, part: &'b MessagePart<'a>) -> Option<Cow<'b, [u8]>> {
        let encoding = Encoding::of(part.content_transfer_encoding().unwrap_or_default());
        if encoding == Encoding::Plain && part.message().is_some() {
            return Some(Cow::Borrowed(part.contents()));
        }
        encoding.decode(self.0.raw_message().get(place(part.offset_body)?..place(part.offset_end)?)?)
    }

    /// Whether a multipart does not end (RFC 2046, section 5.1.1): the parser takes what there is of its last part for all.
    fn is_cut(&self) -> bool {
        let text = self.0.raw_message();
        self.0.parts.iter().any(|part| {
            let kind = part.content_type().filter(|kind| kind.ctype().eq_ignore_ascii_case("multipart"));
            let boundary = kind.and_then(|kind| kind.attribute("boundary"));
            let body = place(part.offset_body).and_then(|from| text.get(from..)).unwrap_or_default();
            boundary.is_some_and(|boundary| !ends(body, boundary))
        })
    }
}

/// A place in a message, as the parser counts it.
fn place(offset: u32) -> Option<usize> {
    usize::try_from(offset).ok()
}

/// Whether a line is the last boundary.
fn ends(body: &[u8], boundary: &str) -> bool {
    let last = format!("--{boundary}--");
    body.split(|byte| *byte == b'\n').any(|line| line.trim_ascii_end() == last.as_bytes())
}

/// What an attachment is called: as it says itself; a message by its subject; else by its place.
fn name(part: &MessagePart<'_>, place: usize) -> Result<FileName, LabelError> {
    if let Some(name) = part.attachment_name().and_then(|name| FileName::shortened(name.as_bytes()).ok()) {
        return Ok(name);
    }
    let own = format!("attachment-{place}");
    let Some(message) = part.message() else { return FileName::shortened(own.as_bytes()) };
    let subject = Remark::cut(message.subject().unwrap_or_default().replace(['/', '\\'], "_").as_bytes(), SHOWN);
    let subject = if subject.as_str().is_empty() { own.as_str() } else { subject.as_str() };
    FileName::shortened(format!("{subject}.eml").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of these parts, with its end.
    fn letter(parts: &[&str]) -> String {
        let parts: String = parts.iter().flat_map(|part| ["--b\r\n", part, "\r\n"]).collect();
        format!("Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n")
    }

    fn files(text: &str) -> Result<Vec<(String, Vec<u8>)>, LetterFault> {
        let letter = Letter::parse(text.as_bytes()).expect("a message");
        let files = letter.files()?;
        Ok(files.into_iter().map(|(name, bytes)| (name.to_string(), bytes.to_vec())).collect())
    }

    const FILE: &str = "Content-Type: application/x; name=a.bin\r\nContent-Disposition: attachment\r\n\
                        Content-Transfer-Encoding: base64\r\n\r\nYWJj\r\nZGVm";

    #[test]
    fn an_attachment_is_taken_with_the_end_of_its_message_and_not_without() {
        let whole = letter(&[FILE]);
        assert_eq!(files(&whole), Ok(vec![("a.bin".into(), b"abcdef".to_vec())]));
        let end = whole.rfind("--b--").expect("an end");
        for cut in [end, end + 3, end + 4, whole.find("ZGVm").expect("a file")] {
            assert_eq!(files(&whole[..cut]), Err(LetterFault::Cut), "{cut}");
        }
        let inner = "Content-Type: multipart/mixed; boundary=\"c d\"\r\n\r\n--c d\r\n".to_owned() + FILE;
        assert_eq!(files(&letter(&[&format!("{inner}\r\n--c d-- \r\n")])).map(|files| files.len()), Ok(1));
        assert_eq!(files(&letter(&[&inner])), Err(LetterFault::Cut), "one in another");
    }

    #[test]
    fn what_is_not_in_the_encoding_that_it_names_is_refused() {
        let garbled = FILE.replace("YWJj", "*** no base64 ***");
        let name = FileName::parse(b"a.bin").expect("a name");
        assert_eq!(files(&letter(&[FILE, &garbled])), Err(LetterFault::Garbled(name)));
        let cut = FILE.replace("ZGVm", "ZGV");
        assert!(matches!(files(&letter(&[&cut, FILE])), Err(LetterFault::Garbled(_))), "a part that ends");
        let is = |file: &str, bytes: &[u8]| {
            assert_eq!(files(&letter(&[file, FILE])).map(|mut files| files.remove(0).1), Ok(bytes.to_vec()), "{file}");
        };
        is(&FILE.replace("base64", "8bit"), b"YWJj\r\nZGVm");
        is(&FILE.replace("base64", "base64 (c)"), b"abcdef");
        is(&FILE.replace("ZGVm", "ZA"), b"abcd");
        is(&FILE.replace("base64", "quoted-printable").replace("ZGVm", "abc="), b"YWJj\r\nabc");
        is(&FILE.replace("application/x", "text/plain; charset=iso-8859-1").replace("ZGVm", "/w=="), b"abc\xff");
    }

    #[test]
    fn a_message_in_base64_or_without_a_head_hides_no_other_attachment() {
        let message =
            "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogaQ0KDQphYmM=";
        let both = files(&letter(&[message, FILE])).expect("files");
        assert_eq!(both.len(), 2);
        assert_eq!(both[0].1, b"Subject: i\r\n\r\nabc");
        // The parser reads on in it, and loses the way.
        let commented = message.replace("base64", "base64 (c)");
        assert!(matches!(files(&letter(&[&commented, FILE])), Err(LetterFault::Garbled(_))));
        for broken in ["", "\r\n", "text\r\n"] {
            let message = format!("Content-Type: message/rfc822\r\n\r\n{broken}");
            assert_eq!(files(&letter(&[&message, FILE])).map(|files| files.len()), Ok(2), "{broken:?}");
        }
    }

    #[test]
    fn a_message_in_a_message_is_called_by_its_subject() {
        let inner = |subject: &str| format!("Content-Type: message/rfc822\r\n\r\nFrom: a@b.c\r\n{subject}\r\ntext");
        let sent = letter(&[&inner("Subject: no ring/tone\r\n"), &inner(""), FILE]);
        let files = files(&sent).expect("files");
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["no ring_tone.eml", "attachment-2.eml", "a.bin"]);
        assert!(files[0].1.starts_with(b"From: a@b.c\r\n"), "{:?}", String::from_utf8_lossy(&files[0].1));
    }

    #[test]
    fn a_message_without_a_file_or_with_too_many_is_refused() {
        assert_eq!(files("Subject: s\r\n\r\ntext"), Err(LetterFault::Nothing));
        assert_eq!(files(&letter(&vec![FILE; ATTACHMENTS])).map(|files| files.len()), Ok(ATTACHMENTS));
        assert_eq!(files(&letter(&vec![FILE; ATTACHMENTS + 1])), Err(LetterFault::Many));
    }
}
