//! What `encrypt` and `decrypt` have in common: key, scheme and input.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::bounded;
use crate::cipher::{IkmEncoding, Scheme};
use crate::device::Secret;

/// The largest file that is encrypted or decrypted: it is held in memory whole. Firmware, the largest that phones fetch, is
/// not encrypted.
const LARGEST: usize = 64 << 20;

/// The largest file with a key.
const LONGEST_KEY: usize = 64 << 10;

/// The options of both commands.
#[derive(Debug, clap::Args)]
pub(super) struct CipherArgs {
    #[command(flatten)]
    key: KeyArgs,

    /// The format: `aes-256-cbc`, as `openssl enc -aes-256-cbc -md md5` and `--key` in a profile rule have it, or
    /// `aes128gcm`, as in RFC 8188.
    #[arg(long, value_name = "SCHEME", default_value_t = Scheme::Aes256Cbc)]
    pub scheme: Scheme,

    /// How the key is written, for `aes128gcm`: `text` (the default), `base64url` or `hex`.
    ///
    /// Which of them a phone means by `IKM_HTTP_Encrypt_Content` is not documented.
    #[arg(long, value_name = "ENCODING")]
    ikm: Option<IkmEncoding>,

    /// The file to read, of 64 MiB at the most; without it, standard input.
    file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct KeyArgs {
    /// The key itself. Every user of this machine sees it in the process list, and the shell keeps it in its history:
    /// `--key-file` is better.
    #[arg(long, value_name = "KEY", value_parser = parse_secret)]
    key: Option<Secret>,

    /// The file that holds the key; one line break at its end does not count.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl CipherArgs {
    /// The key as the cipher takes it, never empty.
    ///
    /// # Errors
    /// The key file cannot be read or is not text, the key is empty or not in the encoding given, or an encoding was
    /// given where none applies.
    pub(super) fn key(&self) -> anyhow::Result<Vec<u8>> {
        let secret = self.key.secret()?;
        ensure!(!secret.expose().is_empty(), "the key is empty: whoever has the file could read it");
        match (self.scheme, self.ikm) {
            (Scheme::Aes256Cbc, None) => Ok(secret.expose().as_bytes().to_vec()),
            (Scheme::Aes256Cbc, Some(_)) => {
                bail!("--ikm is for --scheme aes128gcm only: the key of aes-256-cbc is always text")
            }
            (Scheme::Aes128Gcm, encoding) => Ok(encoding.unwrap_or_default().decode(secret.expose())?),
        }
    }

    /// The whole input.
    ///
    /// # Errors
    /// The file or standard input cannot be read, or is larger than [`LARGEST`].
    pub(super) fn read_input(&self) -> anyhow::Result<Vec<u8>> {
        match &self.file {
            Some(file) => bounded::file(file, LARGEST),
            None => bounded::standard_input(LARGEST),
        }
    }
}

impl KeyArgs {
    fn secret(&self) -> anyhow::Result<Secret> {
        match (&self.key, &self.key_file) {
            (Some(key), _) => Ok(key.clone()),
            (None, Some(file)) => read_key_file(file),
            (None, None) => bail!("no key: give --key-file or --key"),
        }
    }
}

/// Writes the whole result to standard output.
///
/// # Errors
/// Standard output was closed or is full.
pub(super) fn write_output(output: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(output).and_then(|()| stdout.flush()).context("cannot write to standard output")
}

fn read_key_file(file: &Path) -> anyhow::Result<Secret> {
    let bytes = bounded::file(file, LONGEST_KEY).context("the key")?;
    let mut text =
        String::from_utf8(bytes).ok().with_context(|| format!("the key in `{}` is not text", file.display()))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(Secret::new(text))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a clap value parser")]
fn parse_secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text.into()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        cipher: CipherArgs,
    }

    fn parse(line: &str) -> Result<CipherArgs, clap::Error> {
        let words = ["command"].into_iter().chain(line.split(' '));
        Ok(Command::try_parse_from(words)?.cipher)
    }

    fn key_of(line: &str) -> Result<Vec<u8>, String> {
        parse(line).expect("a valid command line").key().map_err(|error| error.to_string())
    }

    fn key_of_file(content: &[u8]) -> Result<Vec<u8>, String> {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(content).expect("room for a key");
        key_of(&format!("--key-file {}", file.path().display()))
    }

    #[test]
    fn a_key_file_loses_one_line_break_and_nothing_else() {
        assert_eq!(key_of_file(b" k \n"), Ok(b" k ".to_vec()));
        assert_eq!(key_of_file(b"k\r\n"), Ok(b"k".to_vec()));
        assert_eq!(key_of_file(b"k\n\n"), Ok(b"k\n".to_vec()));
        assert_eq!(key_of_file(b"k"), Ok(b"k".to_vec()));
    }

    #[test]
    fn an_empty_key_is_refused() {
        assert!(key_of_file(b"\n").is_err_and(|error| error.starts_with("the key is empty")));
        assert!(key_of("--key=").is_err_and(|error| error.starts_with("the key is empty")));
    }

    #[test]
    fn the_encoding_of_keying_material_is_for_aes128gcm() {
        assert_eq!(key_of("--key 6b6b --scheme aes128gcm --ikm hex"), Ok(b"kk".to_vec()));
        assert_eq!(key_of("--key 6b6b --scheme aes128gcm"), Ok(b"6b6b".to_vec()));
        assert!(key_of("--key 6b6b --ikm hex").is_err_and(|error| error.contains("--scheme aes128gcm only")));
    }

    #[test]
    fn exactly_one_key_is_asked_for() {
        assert!(parse("file").is_err());
        assert!(parse("--key k --key-file f").is_err());
    }

    #[test]
    fn parsed_options_do_not_print_the_key() {
        let args = parse("--key hunter2").expect("a valid command line");
        assert!(!format!("{args:?}").contains("hunter2"));
    }
}
