//! A message by mail: who it says it is from, what about, and its attachments.

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders as _};

use crate::case::{FileName, LabelError, Remark};

/// Attachments that one message may have: all of them are under way until the last is there, and of one case no more may be.
const ATTACHMENTS: usize = 32;

/// A subject, and a sender, as they are shown (bytes).
const SHOWN: usize = 200;

/// A message.
#[derive(Debug)]
pub(super) struct Letter<'a>(Message<'a>);

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
    pub(super) fn files(&self) -> Result<Vec<(FileName, &[u8])>, LetterFault> {
        if self.is_cut() {
            return Err(LetterFault::Cut);
        }
        let mut files = Vec::new();
        for part in self.0.attachments() {
            if files.len() == ATTACHMENTS {
                return Err(LetterFault::Many);
            }
            let name = name(part, files.len() + 1)?;
            if is_garbled(part) {
                return Err(LetterFault::Garbled(name));
            }
            files.push((name, part.contents()));
        }
        if files.is_empty() { Err(LetterFault::Nothing) } else { Ok(files) }
    }

    /// Whether a multipart does not end (RFC 2046, section 5.1.1): the parser takes what there is of its last part for all.
    fn is_cut(&self) -> bool {
        let text = self.0.raw_message();
        self.0.parts.iter().any(|part| {
            let kind = part.content_type().filter(|kind| kind.ctype().eq_ignore_ascii_case("multipart"));
            let boundary = kind.and_then(|kind| kind.attribute("boundary"));
            let body = usize::try_from(part.offset_body).ok().and_then(|from| text.get(from..)).unwrap_or_default();
            boundary.is_some_and(|boundary| !ends(body, boundary))
        })
    }
}

/// Whether a line is the last boundary.
fn ends(body: &[u8], boundary: &str) -> bool {
    let last = format!("--{boundary}--");
    body.split(|byte| *byte == b'\n').any(|line| line.trim_ascii_end() == last.as_bytes())
}

/// Whether an attachment could not be decoded: what the parser has of it then is its text as it was sent.
fn is_garbled(part: &MessagePart<'_>) -> bool {
    let named = part.content_transfer_encoding().map(str::trim);
    let is_decoded = |named: &str| ["base64", "quoted-printable"].iter().any(|one| named.eq_ignore_ascii_case(one));
    part.is_encoding_problem && named.is_some_and(is_decoded)
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
        let plain = FILE.replace("base64", "8bit");
        assert_eq!(files(&letter(&[&plain])), Ok(vec![("a.bin".into(), b"YWJj\r\nZGVm".to_vec())]));
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
