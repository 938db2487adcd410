//! `phoneprov decrypt`: what is in a file made for a phone, or by one.

use std::process::ExitCode;

use anyhow::bail;

use super::cipher_args::{CipherArgs, write_output};
use crate::cipher::{Scheme, aes128gcm, openssl};

const GZIP: &[u8] = &[0x1f, 0x8b];

/// Decrypt a profile or a phone's report, to standard output.
///
/// Nothing is written unless the whole file decrypts. What comes out may still be gzip: `phoneprov decrypt … | zcat`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    cipher: CipherArgs,
}

/// Reads all, decrypts, writes all or nothing.
///
/// # Errors
/// Key or input cannot be read, the file does not decrypt (the message says what to check), or the output cannot be
/// written.
#[expect(clippy::needless_pass_by_value, reason = "the shape of every command")]
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let key = args.cipher.key()?;
    let plain = open(args.cipher.scheme, &key, &args.cipher.read_input()?)?;
    if args.cipher.scheme == Scheme::Aes256Cbc && !is_recognised(&plain) {
        eprintln!("warning: the result is neither text nor gzip; aes-256-cbc does not always notice a wrong key");
    }
    write_output(&plain)?;
    Ok(ExitCode::SUCCESS)
}

fn open(scheme: Scheme, key: &[u8], file: &[u8]) -> anyhow::Result<Vec<u8>> {
    match scheme.decrypt(key, file) {
        Ok(plain) => Ok(plain),
        Err(error) => bail!("{error}\n{}", advice(scheme, key, file)),
    }
}

/// What to check, from the surest sign to the least.
fn advice(scheme: Scheme, key: &[u8], file: &[u8]) -> &'static str {
    if file.is_empty() {
        return "the input is empty";
    }
    if file.starts_with(GZIP) {
        return "the file is gzip and not encrypted: zcat reads it";
    }
    if is_xml(file) {
        return "the file is XML in clear: it is not encrypted";
    }
    match scheme {
        Scheme::Aes256Cbc if openssl::is_salted(file) => {
            "check the key, that the file is whole, and that it was made with `-md md5`: \
             openssl enc -aes-256-cbc -md md5 -k KEY (OpenSSL 1.1 and later do not do so by themselves)"
        }
        Scheme::Aes256Cbc if aes128gcm::decrypt(key, file).is_ok() => {
            "the key opens the file as RFC 8188: use --scheme aes128gcm"
        }
        Scheme::Aes256Cbc if aes128gcm::is_plausible(file) => {
            "the file may be RFC 8188: try --scheme aes128gcm; or made by openssl with -S, which omits the header, \
             or with -a or -base64, which phones do not read"
        }
        Scheme::Aes256Cbc => {
            "check that the file is encrypted at all, and not by openssl with -S, which omits the header, \
             or with -a or -base64, which phones do not read"
        }
        Scheme::Aes128Gcm if openssl::is_salted(file) => {
            "the file begins with `Salted__`, as openssl enc writes it: use --scheme aes-256-cbc"
        }
        Scheme::Aes128Gcm => {
            "check the key, how it is written (--ikm text, base64url or hex), that the file is whole, \
             and that it is encrypted at all"
        }
    }
}

fn is_xml(file: &[u8]) -> bool {
    file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file).trim_ascii_start().starts_with(b"<")
}

/// Whether this is what profiles and reports are made of. Octets from a wrong key hardly ever are.
fn is_recognised(plain: &[u8]) -> bool {
    plain.starts_with(GZIP) || str::from_utf8(plain).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &[u8] = b"<flat-profile/>\n";

    fn refusal(scheme: Scheme, key: &[u8], file: &[u8]) -> String {
        open(scheme, key, file).expect_err("a file that does not decrypt").to_string()
    }

    #[test]
    fn what_encrypt_writes_opens() {
        for scheme in [Scheme::Aes256Cbc, Scheme::Aes128Gcm] {
            assert_eq!(open(scheme, b"k", &scheme.encrypt(b"k", PROFILE)).expect("the right key"), PROFILE);
        }
    }

    #[test]
    fn a_wrong_key_is_told_to_check_key_and_digest() {
        let message = refusal(Scheme::Aes256Cbc, b"j", &Scheme::Aes256Cbc.encrypt(b"k", PROFILE));
        assert!(message.starts_with("wrong key or damaged file"), "{message}");
        assert!(message.contains("-md md5"), "{message}");
    }

    #[test]
    fn a_wrong_ikm_is_told_to_check_how_it_is_written() {
        let message = refusal(Scheme::Aes128Gcm, b"j", &Scheme::Aes128Gcm.encrypt(b"k", PROFILE));
        assert!(message.contains("--ikm"), "{message}");
    }

    #[test]
    fn a_file_of_the_other_scheme_is_told_which() {
        let salted = Scheme::Aes256Cbc.encrypt(b"k", PROFILE);
        assert!(refusal(Scheme::Aes128Gcm, b"k", &salted).contains("use --scheme aes-256-cbc"));
        let records = Scheme::Aes128Gcm.encrypt(b"k", PROFILE);
        assert!(refusal(Scheme::Aes256Cbc, b"k", &records).contains("use --scheme aes128gcm"));
        assert!(refusal(Scheme::Aes256Cbc, b"j", &records).contains("try --scheme aes128gcm"));
    }

    #[test]
    fn a_file_in_clear_is_recognised() {
        for scheme in [Scheme::Aes256Cbc, Scheme::Aes128Gcm] {
            assert!(refusal(scheme, b"k", "\u{feff} <flat-profile/>".as_bytes()).contains("XML in clear"));
            assert!(refusal(scheme, b"k", &[0x1f, 0x8b, 8, 0]).contains("gzip and not encrypted"));
            assert!(refusal(scheme, b"k", b"").contains("the input is empty"));
        }
    }
}
