//! `phoneprov certs trust add`: certificates out of a file.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};

use super::tell;
use crate::certificate;
use crate::cli::warning;
use crate::device::Secret;
use crate::trust::{self, Added, Alias, Found, Taken, TrustFolder};

/// The longest password, in bytes.
const LONGEST: u64 = 512;

/// Trust the certificates of a file: PEM, DER, PKCS #12, or a Java key store (JKS, JCEKS).
///
/// Of an entry with a private key its own certificate is taken, and the key is left where it is.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file.
    file: PathBuf,
    /// The alias; without it, the entry's name in a key store, or the file's name. Several certificates are numbered.
    #[arg(long, value_name = "NAME")]
    alias: Option<Alias>,
    /// Only the entry of this name of a key store.
    #[arg(long, value_name = "NAME")]
    entry: Option<String>,
    /// The file whose first line is the password of a key store.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Put it in the place of the certificate that has the alias now.
    #[arg(long)]
    replace: bool,
}

/// Adds all of them, or none.
pub(super) fn run(folder: &TrustFolder, args: &Args) -> anyhow::Result<ExitCode> {
    let password = args.password_file.as_deref().map(secret).transpose()?;
    let mut import = trust::import(&args.file, password.as_ref())?;
    if let Some(entry) = &args.entry {
        let is_meant = |found: &Found| found.name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(entry));
        import.found.retain(is_meant);
        ensure!(!import.found.is_empty(), "`{}` has no entry `{entry}`", args.file.display());
    }
    let mut seen = HashSet::new();
    import.found.retain(|found| seen.insert(found.der.clone()));
    let named = named(&import.found, args)?;
    let taken = if args.replace { Taken::Replace } else { Taken::Refuse };
    let change = folder.add(&named, taken)?;
    let certificates: Vec<&[u8]> = import.found.iter().map(|found| found.der.as_slice()).collect();
    tell(&change, &certificates)?;
    for (added, der) in change.added.iter().zip(&certificates) {
        let alias = match added {
            Added::New(alias) | Added::Replaced(alias) => alias.as_str(),
            Added::Known(alias) => alias,
        };
        if certificate::details(der)?.is_no_ca {
            warning::say(&format!(
                "{alias} is no authority (CA:FALSE): client_ca passes it over, which is for those who sign phones; \
                 client_tls trusts it as a server's own"
            ));
        }
    }
    if import.left_out > 0 {
        println!(
            "left out  {} of the chain of its private key: add their own file to trust them, too",
            import.left_out
        );
    }
    let other = change.added.iter().find_map(|added| match (added, &args.alias) {
        (Added::Known(known), Some(wanted)) if known != wanted.as_str() => Some((known, wanted)),
        _ => None,
    });
    if let Some((known, wanted)) = other {
        println!("`{wanted}` is not used: the certificate has the alias `{known}`; remove that first for another");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Each certificate with the alias that it gets, no two with the same.
fn named<'a>(found: &'a [Found], args: &Args) -> anyhow::Result<Vec<(Alias, &'a Found)>> {
    let stem = args.file.file_stem().unwrap_or_default().to_string_lossy();
    let mut taken = HashSet::new();
    let mut named = Vec::new();
    for found in found {
        let own = || found.name.as_deref().and_then(Alias::of).or_else(|| Alias::of(&stem));
        let Some(first) = args.alias.clone().or_else(own) else {
            bail!("`{stem}` makes no alias: give one with --alias")
        };
        let free = std::iter::once(first.clone()).chain((2..).map(|number| first.numbered(number)));
        let alias = free.into_iter().find(|alias| !taken.contains(alias.as_str()));
        let Some(alias) = alias else { bail!("no alias is left for `{first}`") };
        taken.insert(alias.to_string());
        named.push((alias, found));
    }
    Ok(named)
}

/// The first line of a file.
fn secret(path: &Path) -> anyhow::Result<Secret> {
    let what = || format!("the password in `{}`", path.display());
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST + 2).read_to_end(&mut text));
    read.with_context(|| format!("cannot read {}", what()))?;
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    ensure!(line.len() as u64 <= LONGEST, "{} is longer than {LONGEST} bytes", what());
    let Ok(password) = std::str::from_utf8(line) else { bail!("{} is not UTF-8 text", what()) };
    ensure!(!password.contains(char::is_control), "{} has a control character in it", what());
    Ok(Secret::new(password.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn aliases(options: &[&str], entries: &[Option<&str>]) -> Vec<String> {
        let given = Command::try_parse_from([&["add"], options].concat()).expect("options");
        let found: Vec<_> =
            entries.iter().map(|name| Found { name: name.map(str::to_owned), der: Vec::new() }).collect();
        let named = named(&found, &given.args).expect("aliases");
        named.into_iter().map(|(alias, _)| alias.to_string()).collect()
    }

    #[test]
    fn an_alias_is_the_one_given_the_entrys_or_the_files() {
        assert_eq!(aliases(&["certs/Own CA.pem"], &[None, None]), ["own-ca", "own-ca-2"]);
        assert_eq!(
            aliases(&["x.jks"], &[Some("Root [jdk]"), Some("§"), Some("root-jdk")]),
            ["root-jdk", "x", "root-jdk-2"]
        );
        assert_eq!(aliases(&["x.jks", "--alias", "A"], &[Some("b"), Some("c")]), ["a", "a-2"]);
    }

    #[test]
    fn a_password_is_a_line_of_text() {
        let place = tempfile::tempdir().expect("room for a folder");
        let path = place.path().join("password");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("room for a file");
            secret(&path).map(|secret| secret.expose().to_owned())
        };
        for text in [&b"changeit"[..], b"changeit\n", b"changeit\r\nmore\n"] {
            assert_eq!(read(text).ok().as_deref(), Some("changeit"));
        }
        for text in [&b"a\0b"[..], b"\xff", "x".repeat(513).as_bytes()] {
            assert!(read(text).is_err());
        }
    }
}
