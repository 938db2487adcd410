//! What `scp -t` does at the far end of a copy (the protocol of BSD's rcp): a line for each file, then its bytes, then a
//! zero. No I/O.

/// The longest line: a name of 4 KiB is refused, not passed over.
const LONGEST: usize = 8 * 1024;

/// The far end of a copy.
#[derive(Debug, Default)]
pub(super) struct Sink {
    stage: Stage,
}

#[derive(Debug, Default)]
enum Stage {
    /// Before or in a line.
    Line(Vec<u8>),
    /// So many bytes of a file are to come.
    Bytes(u64),
    /// And after them whether they were right.
    Verdict,
    /// Nothing more is read.
    #[default]
    Closed,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// A file begins.
    Begin {
        /// As the client calls it.
        name: Vec<u8>,
    },
    /// Bytes of it.
    Bytes(&'a [u8]),
    /// It is whole.
    Whole,
    /// It could not be read on the client's side.
    Torn,
    /// Something to be nodded at: times of a file.
    Nod,
    /// The copy cannot go on, and why.
    Wrong(&'static str),
}

/// A command line, as far as it is `scp -t`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CopyTo {
    /// The name that the path at its end means; `None`: a folder, and the client names each file.
    pub(super) name: Option<Vec<u8>>,
}

impl CopyTo {
    /// Reads a command; `None`: it is another, or `scp` in the other direction.
    pub(super) fn parse(command: &[u8]) -> Option<Self> {
        let mut words = command.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        if words.next()? != b"scp" {
            return None;
        }
        let (mut takes, mut to_folder, mut only_paths) = (false, false, false);
        let mut path: Vec<&[u8]> = Vec::new();
        for word in words {
            match word {
                b"--" if path.is_empty() && !only_paths => only_paths = true,
                [b'-', letters @ ..] if path.is_empty() && !only_paths && !letters.is_empty() => {
                    takes |= letters.contains(&b't');
                    to_folder |= letters.contains(&b'd');
                    if letters.iter().any(|letter| !b"tdprv".contains(letter)) {
                        return None;
                    }
                }
                word => path.push(word),
            }
        }
        // What a shell would take away is of no use in a name either.
        let mut path = path.join(&b' ');
        path.retain(|byte| !b"'\"\\".contains(byte));
        let name = super::label(&path).filter(|_| !to_folder && !path.ends_with(b"/")).map(<[u8]>::to_vec);
        takes.then_some(Self { name })
    }
}

impl Sink {
    /// A copy that begins.
    pub(super) fn new() -> Self {
        Self { stage: Stage::Line(Vec::new()) }
    }

    /// Takes the next step with what has come, and takes that much of it; `None`: more has to come.
    pub(super) fn step<'a>(&mut self, input: &mut &'a [u8]) -> Option<Step<'a>> {
        match &mut self.stage {
            Stage::Closed => {
                *input = &[];
                None
            }
            Stage::Bytes(0) => {
                self.stage = Stage::Verdict;
                self.step(input)
            }
            Stage::Bytes(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                let (bytes, rest) = input.split_at(here);
                *left -= here as u64;
                *input = rest;
                (here > 0).then_some(Step::Bytes(bytes))
            }
            Stage::Verdict => {
                let (verdict, rest) = input.split_first()?;
                *input = rest;
                // A one is followed by a text, which reads as a line of its own.
                let text = if *verdict == 0 { Vec::new() } else { vec![1] };
                self.stage = Stage::Line(text);
                Some(if *verdict == 0 { Step::Whole } else { Step::Torn })
            }
            Stage::Line(line) => {
                let end = input.iter().position(|byte| *byte == b'\n');
                let (piece, rest) = input.split_at(end.unwrap_or(input.len()));
                if line.len() + piece.len() > LONGEST {
                    self.stage = Stage::Closed;
                    return Some(Step::Wrong("a line without an end"));
                }
                line.extend_from_slice(piece);
                let Some(rest) = end.and_then(|_| rest.get(1..)) else {
                    *input = &[];
                    return None;
                };
                *input = rest;
                let line = std::mem::take(line);
                Some(self.line(&line))
            }
        }
    }

    /// Whether all bytes of the file that was begun last have come, and nothing after them.
    pub(super) fn is_all_there(&self) -> bool {
        matches!(self.stage, Stage::Bytes(0) | Stage::Verdict)
    }

    fn line<'a>(&mut self, line: &[u8]) -> Step<'a> {
        let step = match line.split_first() {
            Some((b'C', file)) => match file_of(file) {
                Some((size, name)) => {
                    self.stage = Stage::Bytes(size);
                    return Step::Begin { name };
                }
                None => Step::Wrong("expected `C0644 SIZE NAME`"),
            },
            // Times; and the client's own trouble with a file, which it has told its person.
            Some((b'T' | 1, _)) => return Step::Nod,
            Some((b'D' | b'E', _)) => Step::Wrong("there are no folders here"),
            Some(_) | None => Step::Wrong("a line that is no file's"),
        };
        self.stage = Stage::Closed;
        step
    }
}

/// `0644 12 NAME`.
fn file_of(text: &[u8]) -> Option<(u64, Vec<u8>)> {
    let mut parts = text.splitn(3, |byte| *byte == b' ');
    let (_mode, size, name) = (parts.next()?, parts.next()?, parts.next()?);
    let size = std::str::from_utf8(size).ok()?.parse().ok()?;
    (i64::try_from(size).is_ok() && !name.is_empty()).then(|| (size, name.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(stream: &[u8], piece: usize) -> Vec<String> {
        let mut sink = Sink::new();
        let mut told: Vec<String> = Vec::new();
        for mut input in stream.chunks(piece) {
            while let Some(step) = sink.step(&mut input) {
                match (step, told.last_mut()) {
                    (Step::Bytes(bytes), Some(last)) if last.starts_with('=') => {
                        last.push_str(&String::from_utf8_lossy(bytes));
                    }
                    (Step::Bytes(bytes), _) => told.push(format!("={}", String::from_utf8_lossy(bytes))),
                    (step, _) => told.push(format!("{step:?}").split(' ').next().unwrap_or_default().to_owned()),
                }
            }
        }
        told
    }

    #[test]
    fn files_follow_one_another_in_pieces_of_any_size() {
        let stream = b"T1 0 1 0\nC0644 5 a b\nhe\nlo\0C0600 0 empty\n\0";
        for piece in [1, 2, 7, 1000] {
            assert_eq!(told(stream, piece), ["Nod", "Begin", "=he\nlo", "Whole", "Begin", "Whole"], "{piece}");
        }
    }

    #[test]
    fn a_file_that_its_client_could_not_read_is_no_file() {
        assert_eq!(
            told(b"C0644 2 a\nxx\x01scp: a: read error\nC0644 0 b\n\0", 3),
            ["Begin", "=xx", "Torn", "Nod", "Begin", "Whole"]
        );
    }

    #[test]
    fn a_file_is_all_there_with_its_last_byte_and_until_something_follows() {
        let is_all_there = |stream: &[u8]| {
            let (mut sink, mut input) = (Sink::new(), stream);
            while sink.step(&mut input).is_some() {}
            sink.is_all_there()
        };
        assert!(is_all_there(b"C0644 2 a\nxx") && is_all_there(b"C0644 0 empty\n"));
        for stream in
            [&b""[..], b"C0644 2 a", b"C0644 2 a\n", b"C0644 2 a\nx", b"C0644 2 a\nxx\0", b"C0644 2 a\nxx\x01", b"D\n"]
        {
            assert!(!is_all_there(stream), "{stream:?}");
        }
    }

    #[test]
    fn what_is_no_file_ends_the_copy() {
        for stream in [
            &b"D0755 0 folder\nC0644 1 a\nx\0"[..],
            b"C0644 -1 a\n",
            b"C0644 99999999999999999999 a\n",
            b"\n",
            b"C0644 1 \n",
        ] {
            let told = told(stream, 100);
            assert!(told.len() == 1 && told[0].starts_with("Wrong"), "{told:?}");
        }
        assert!(told(&[b'C'; 9000], 100)[0].starts_with("Wrong"));
    }

    #[test]
    fn only_a_copy_to_here_is_run() {
        let name = |command: &str| {
            CopyTo::parse(command.as_bytes())
                .map(|copy| copy.name.map(|name| String::from_utf8_lossy(&name).into_owned()))
        };
        assert_eq!(name("scp -t ."), Some(None));
        assert_eq!(name("scp -v -t -- /home/show tech.txt"), Some(Some("show tech.txt".into())));
        assert_eq!(name("scp -p -d -t dir"), Some(None));
        assert_eq!(name("scp -rt 'x y'"), Some(Some("x y".into())));
        assert_eq!(name("scp -t ../../etc/"), Some(None));
        assert_eq!(name("scp -t ../.."), Some(None));
        for other in ["scp -f x", "scp -S sh -t x", "sh", "scp", "", "/usr/bin/scp -t x", "scp\t-t x", "scpx -t ."] {
            assert_eq!(name(other), None, "{other}");
        }
    }
}
