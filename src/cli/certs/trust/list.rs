//! `phoneprov certs trust list`: a line for each trust anchor.

use std::io::{self, Write};
use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;

use super::super::show::Certificate;
use super::{subject, validity};
use crate::certificate::{self, Reader};
use crate::trust::TrustFolder;

/// List the trust anchors by alias.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Entry {
    alias: String,
    file: String,
    certificates: Vec<Certificate>,
    /// Why there are none.
    error: Option<String>,
}

/// Prints them. The exit code is 1 where a file cannot be read: a server would not start with it.
pub(super) fn run(folder: &TrustFolder, args: &Args) -> anyhow::Result<ExitCode> {
    let (out, now) = (&mut io::stdout().lock(), Timestamp::now());
    let (mut entries, mut lines) = (Vec::new(), Vec::new());
    for anchor in folder.anchors()? {
        let mut entry = Entry {
            alias: anchor.alias,
            file: anchor.path.display().to_string(),
            certificates: Vec::new(),
            error: None,
        };
        match anchor.certificates {
            Err(error) => entry.error = Some(error.to_string()),
            Ok(certificates) => {
                for der in certificates {
                    let details = certificate::details(&der)?;
                    lines.push((entry.alias.clone(), format!("{}, {}", subject(&details), validity(&details, now))));
                    entry.certificates.push(Certificate::new(&der, details, &Reader::default(), now));
                }
            }
        }
        entries.push(entry);
    }
    if args.json {
        crate::cli::json(out, &entries)?;
    } else {
        let width = lines.iter().map(|(alias, _)| alias.len()).max().unwrap_or(0);
        for (alias, text) in &lines {
            writeln!(out, "{alias:<width$}  {text}")?;
        }
    }
    if entries.is_empty() {
        let dir = in_a_shell(&folder.path().display().to_string());
        eprintln!("no trust anchor yet: `phoneprov certs trust --dir {dir} add FILE` adds one");
    }
    let broken: Vec<&String> = entries.iter().filter_map(|entry| entry.error.as_ref()).collect();
    for error in &broken {
        eprintln!("phoneprov: {error}");
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A word as a shell takes it.
fn in_a_shell(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_as_it_can_be_typed() {
        assert_eq!(["a/b-1.d", "my ca", "it's"].map(in_a_shell), ["a/b-1.d", "'my ca'", "'it'\\''s'"]);
    }
}
