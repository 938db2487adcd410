//! Secrets as people give them: typed unseen, or as lines of standard input; never as arguments, which every user of the
//! machine sees.

use std::io::{self, BufRead, IsTerminal as _};

use anyhow::{Context as _, ensure};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::device::Secret;

/// The longest secret, in bytes: a phone's rule has room for less.
const LONGEST: usize = 512;

/// Asks a person twice, showing nothing; or takes the next line of standard input.
pub(super) fn ask(what: &str) -> anyhow::Result<Secret> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return read(&mut stdin.lock(), what);
    }
    let silence = Silence::begin()?;
    let once = prompt(&format!("{what}: "), what)?;
    let again = prompt("once more: ", what)?;
    drop(silence);
    ensure!(once == again, "the two differ");
    Ok(once)
}

fn prompt(text: &str, what: &str) -> anyhow::Result<Secret> {
    eprint!("{text}");
    let secret = read(&mut io::stdin().lock(), what);
    eprintln!();
    secret
}

/// One line of input, which is the secret.
fn read(input: &mut impl BufRead, what: &str) -> anyhow::Result<Secret> {
    let mut line = Vec::new();
    io::Read::take(input, LONGEST as u64 + 2).read_until(b'\n', &mut line).context("cannot read standard input")?;
    let text = String::from_utf8(line).ok().with_context(|| format!("the {what} is not UTF-8 text"))?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    ensure!(!text.is_empty(), "no {what} on standard input");
    ensure!(text.len() <= LONGEST, "the {what} is longer than {LONGEST} bytes");
    ensure!(!text.contains(char::is_control), "the {what} has a control character in it");
    Ok(Secret::new(text.to_owned()))
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Silence(Termios);

impl Silence {
    fn begin() -> anyhow::Result<Self> {
        let before = tcgetattr(io::stdin()).context("cannot read the terminal's settings")?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent).context("cannot change the terminal's settings")?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that is gone needs none.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_secret_without_its_end() {
        let secret =
            |text: &[u8]| read(&mut io::Cursor::new(text), "password").map(|secret| secret.expose().to_owned());
        for text in ["a b:c", "a b:c\n", "a b:c\r\n", "a b:c\nmore\n"] {
            assert_eq!(secret(text.as_bytes()).ok().as_deref(), Some("a b:c"), "{text:?}");
        }
        let long = "x".repeat(LONGEST + 1);
        for text in [&b""[..], b"\n", b"a\tb\n", b"\xff\n", long.as_bytes()] {
            assert!(secret(text).is_err());
        }
    }
}
