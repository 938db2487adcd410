//! Version 3 of the SSH File Transfer Protocol (draft-ietf-secsh-filexfer-02), as far as files are taken by it. No I/O.
//!
//! Names are bytes: a client may send any, and none of them is opened here.

/// The longest packet of a client (bytes): what OpenSSH takes, too.
pub(super) const LONGEST: usize = 256 * 1024;

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request<'a> {
    /// To begin.
    Init,
    /// A handle for a file.
    Open { path: &'a [u8], flags: u32 },
    /// A handle's end, and that of its file.
    Close { handle: &'a [u8] },
    /// Bytes for a file.
    Write { handle: &'a [u8], offset: u64, data: &'a [u8] },
    /// What a path is, with its links followed or not.
    Stat { path: &'a [u8] },
    /// What a handle is of.
    Fstat { handle: &'a [u8] },
    /// Times and rights, of a path or handle.
    Setstat,
    /// A handle for a folder.
    Opendir { path: &'a [u8] },
    /// What is in it.
    Readdir { handle: &'a [u8] },
    /// A path in its usual form.
    Realpath { path: &'a [u8] },
    /// To read, rename, remove, link, or make folders.
    Forbidden,
    /// Something else.
    Unknown,
}

/// Writes to a file (the draft, §6.3).
pub(super) const WRITE: u32 = 0x02;

/// Reads from it.
pub(super) const READ: u32 = 0x01;

/// Where it is there already, writes behind its end.
pub(super) const APPEND: u32 = 0x04;

/// What becomes of a request (the draft, §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Done.
    Ok = 0,
    /// There is no more.
    Eof = 1,
    /// There is no such file.
    NoSuchFile = 2,
    /// It may not be done.
    PermissionDenied = 3,
    /// It cannot be done.
    Failure = 4,
    /// The packet cannot be read.
    BadMessage = 5,
    /// Nobody here does that.
    Unsupported = 8,
}

/// A packet without its length: the request's number, and the request; `None`: it has not even a number.
pub(super) fn parse(packet: &[u8]) -> Option<(u32, Option<Request<'_>>)> {
    let (kind, rest) = packet.split_first()?;
    let mut fields = Fields(rest);
    let id = fields.number()?;
    Some((id, request(*kind, fields)))
}

fn request(kind: u8, mut fields: Fields<'_>) -> Option<Request<'_>> {
    Some(match kind {
        1 => Request::Init,
        3 => Request::Open { path: fields.bytes()?, flags: fields.number()? },
        4 => Request::Close { handle: fields.bytes()? },
        6 => Request::Write { handle: fields.bytes()?, offset: fields.long()?, data: fields.bytes()? },
        7 | 17 => Request::Stat { path: fields.bytes()? },
        8 => Request::Fstat { handle: fields.bytes()? },
        9 | 10 => Request::Setstat,
        11 => Request::Opendir { path: fields.bytes()? },
        12 => Request::Readdir { handle: fields.bytes()? },
        16 => Request::Realpath { path: fields.bytes()? },
        // Read, remove, make and remove a folder, rename, read and make a link.
        5 | 13 | 14 | 15 | 18 | 19 | 20 => Request::Forbidden,
        _ => Request::Unknown,
    })
}

/// What is left of a packet.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    fn long(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*number))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

/// An answer on its way out, its length before it.
pub(super) struct Answer(Vec<u8>);

impl Answer {
    /// The version that is spoken, with no extensions.
    pub(super) fn version() -> Vec<u8> {
        Self::new(2).number(3).end()
    }

    /// What became of a request.
    pub(super) fn status(id: u32, status: Status, text: &str) -> Vec<u8> {
        Self::new(101).number(id).number(status as u32).bytes(text.as_bytes()).bytes(b"en").end()
    }

    /// A handle.
    pub(super) fn handle(id: u32, handle: &[u8]) -> Vec<u8> {
        Self::new(102).number(id).bytes(handle).end()
    }

    /// The only folder.
    pub(super) fn root(id: u32) -> Vec<u8> {
        Self::new(104).number(id).number(1).bytes(b"/").bytes(b"/").number(0).end()
    }

    /// A name that is no folder's, as the client wrote it.
    pub(super) fn name(id: u32, name: &[u8]) -> Vec<u8> {
        let path = [b"/", name].concat();
        Self::new(104).number(id).number(1).bytes(&path).bytes(&path).number(0).end()
    }

    /// That something is a folder into which one may write, and not look.
    pub(super) fn folder(id: u32) -> Vec<u8> {
        Self::new(105).number(id).number(PERMISSIONS).number(0o40_733).end()
    }

    /// How much of a file has come.
    pub(super) fn size(id: u32, size: u64) -> Vec<u8> {
        let mut answer = Self::new(105).number(id).number(SIZE | PERMISSIONS);
        answer.0.extend_from_slice(&size.to_be_bytes());
        answer.number(0o100_200).end()
    }

    fn new(kind: u8) -> Self {
        Self(vec![0, 0, 0, 0, kind])
    }

    fn number(mut self, number: u32) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    fn bytes(self, bytes: &[u8]) -> Self {
        let mut answer = self.number(u32::try_from(bytes.len()).unwrap_or_default());
        answer.0.extend_from_slice(bytes);
        answer
    }

    fn end(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len() - 4).unwrap_or_default();
        self.0[..4].copy_from_slice(&length.to_be_bytes());
        self.0
    }
}

/// Which attributes follow (the draft, §5).
const SIZE: u32 = 0x01;
const PERMISSIONS: u32 = 0x04;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn requests_are_read_whatever_their_names_are_made_of() {
        let open = b"\x03\0\0\0\x07\0\0\0\x04a/\xff\0\0\0\0\x1a\0\0\0\0";
        assert_eq!(parse(open), Some((7, Some(Request::Open { path: b"a/\xff\0", flags: 0x1a }))));
        let write = b"\x06\0\0\0\x08\0\0\0\x010\0\0\0\0\0\0\x01\0\0\0\0\x02hi";
        assert_eq!(parse(write), Some((8, Some(Request::Write { handle: b"0", offset: 256, data: b"hi" }))));
        assert_eq!(parse(b"\x0d\0\0\0\x01\0\0\0\x01x"), Some((1, Some(Request::Forbidden))));
        assert_eq!(parse(b"\xc8\0\0\0\x01\0\0\0\x01x"), Some((1, Some(Request::Unknown))));
        assert_eq!(parse(b"\x03\0\0\0\x07\xff\xff\xff\xffa"), Some((7, None)), "a length beyond the packet's end");
        assert_eq!(parse(b"\x03\0\0"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn answers_have_their_length_before_them() {
        assert_eq!(Answer::version(), b"\0\0\0\x05\x02\0\0\0\x03");
        assert_eq!(Answer::handle(1, b"7"), b"\0\0\0\x0a\x66\0\0\0\x01\0\0\0\x017");
        let status = Answer::status(2, Status::NoSuchFile, "no");
        assert_eq!(status, b"\0\0\0\x15\x65\0\0\0\x02\0\0\0\x02\0\0\0\x02no\0\0\0\x02en");
    }

    proptest! {
        #[test]
        fn no_packet_makes_it_stumble(packet in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&packet);
        }
    }
}
