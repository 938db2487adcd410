//! `phoneprov password`: lines of a password file.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::device::Secret;
use crate::password::{self, Scheme};

/// The longest password, in bytes: a phone's rule has room for less.
const LONGEST: usize = 512;

/// Print the line of a password file for an account, to be appended to it.
///
/// The password is read from the terminal, or is the first line of standard input; never an argument, since every user of
/// the machine sees those.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The account: the MAC address or serial number of a phone as it is sent ($MA, $SN), or any name for `accounts =
    /// "shared"`.
    user: String,
    /// What the line is good for; several with commas between them give several lines.
    #[arg(long = "for", value_name = "CHALLENGE", value_enum, value_delimiter = ',', default_value = "basic")]
    challenges: Vec<Scheme>,
    /// The realm of a digest, as the rule has it.
    #[arg(long, default_value = password::REALM)]
    realm: String,
}

/// Asks for the password and prints the lines.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let names = [("the account", &args.user), ("the realm", &args.realm)];
    for (what, name) in names {
        let fits = !name.is_empty() && !name.contains(|c: char| c == ':' || c.is_control()) && name.trim() == name;
        ensure!(fits, "{what} is `{name}`: expected text without a colon or a control character");
    }
    ensure!(!args.user.starts_with('#'), "the account is `{}`: a line that begins with # is a comment", args.user);
    let stdin = io::stdin();
    let secret = if stdin.is_terminal() { ask()? } else { read(&mut stdin.lock())? };
    let mut out = io::stdout().lock();
    for challenge in &args.challenges {
        let line = password::line(*challenge, &args.user, &args.realm, &secret)?;
        writeln!(out, "{}", line.expose()).context("cannot write to standard output")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One line of input, which is the password.
fn read(input: &mut impl BufRead) -> anyhow::Result<Secret> {
    let mut line = Vec::new();
    io::Read::take(input, LONGEST as u64 + 2).read_until(b'\n', &mut line).context("cannot read standard input")?;
    let text = String::from_utf8(line).ok().context("the password is not UTF-8 text")?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    ensure!(!text.is_empty(), "no password on standard input");
    ensure!(text.len() <= LONGEST, "the password is longer than {LONGEST} bytes");
    ensure!(!text.contains(char::is_control), "the password has a control character in it");
    Ok(Secret::new(text.to_owned()))
}

/// Asks a person twice, showing nothing.
fn ask() -> anyhow::Result<Secret> {
    let silence = Silence::begin()?;
    let once = prompt("password: ")?;
    let again = prompt("once more: ")?;
    drop(silence);
    ensure!(once == again, "the two passwords differ");
    Ok(once)
}

fn prompt(text: &str) -> anyhow::Result<Secret> {
    eprint!("{text}");
    let secret = read(&mut io::stdin().lock());
    eprintln!();
    secret
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
    fn the_first_line_is_the_password_without_its_end() {
        let secret = |text: &[u8]| read(&mut io::Cursor::new(text)).map(|secret| secret.expose().to_owned());
        for text in ["a b:c", "a b:c\n", "a b:c\r\n", "a b:c\nmore\n"] {
            assert_eq!(secret(text.as_bytes()).ok().as_deref(), Some("a b:c"), "{text:?}");
        }
        let long = "x".repeat(LONGEST + 1);
        for text in [&b""[..], b"\n", b"a\tb\n", b"\xff\n", long.as_bytes()] {
            assert!(secret(text).is_err());
        }
    }
}
