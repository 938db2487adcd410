//! `phoneprov tls report`: the support table, and what dropping the old versions would break.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;

use crate::census::{self, Row};
use crate::certificate::SignatureHash;
use crate::config::TlsVersion;
use crate::terminal::OneLine;

/// Print which TLS the phones of each model and firmware use, and what dropping the old versions would break.
///
/// The table is the server's, which writes it into its state folder a second after the first change, then every half
/// minute while phones come, and when it stops.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The form of `--json`.
#[derive(Serialize)]
struct Report<'a> {
    rows: &'a [Row],
    drops: Vec<Drop<'a>>,
}

/// What would break if something were not spoken or taken any more.
#[derive(Serialize)]
struct Drop<'a> {
    what: &'static str,
    breaks: Vec<Breaks<'a>>,
}

/// Phones of one model and firmware that need it.
#[derive(Serialize, Debug, PartialEq, Eq)]
struct Breaks<'a> {
    model: &'a str,
    firmware: &'a str,
    last: Timestamp,
    /// Others of this model and firmware were seen that do without.
    only_some: bool,
}

/// Prints the table. The exit code is 0 whatever is in it.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let state = crate::cli::state(&args.config)?;
    let rows = census::read(&state)?;
    let out = &mut io::stdout().lock();
    if args.json {
        crate::cli::json(out, &Report { rows: &rows, drops: drops(&rows) })?;
    } else {
        print(&rows, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What an operator may want to switch off, and who needs it.
fn drops(rows: &[Row]) -> Vec<Drop<'_>> {
    vec![
        Drop { what: "TLS 1.0", breaks: breaks(rows, |row| row.tls == TlsVersion::V10) },
        Drop { what: "TLS 1.1", breaks: breaks(rows, |row| row.tls == TlsVersion::V11) },
        Drop {
            what: "SHA-1 certificates",
            breaks: breaks(rows, |row| matches!(row.hash, Some(SignatureHash::Sha1 | SignatureHash::Md5))),
        },
        Drop { what: "RSA keys under 2048 bits", breaks: breaks(rows, |row| row.short_key) },
        Drop { what: "certificates before X.509 version 3", breaks: breaks(rows, |row| row.before_version_3) },
        Drop { what: "RSA key exchange", breaks: breaks(rows, |row| row.suite.starts_with("TLS_RSA_")) },
    ]
}

fn breaks(rows: &[Row], needs: impl Fn(&Row) -> bool) -> Vec<Breaks<'_>> {
    let mut found: Vec<Breaks<'_>> = Vec::new();
    for row in rows.iter().filter(|row| needs(row)) {
        let same = |other: &&Row| other.model == row.model && other.firmware == row.firmware;
        match found.iter_mut().find(|breaks| breaks.model == row.model && breaks.firmware == row.firmware) {
            Some(breaks) => breaks.last = breaks.last.max(row.last),
            None => found.push(Breaks {
                model: &row.model,
                firmware: &row.firmware,
                last: row.last,
                only_some: rows.iter().filter(same).any(|other| !needs(other)),
            }),
        }
    }
    found
}

fn print(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    let head = ["model", "firmware", "TLS", "suite", "signed with", "issuer", "proven", "last", "connections"];
    let lines: Vec<[String; 9]> = rows.iter().map(cells).collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|at| lines.iter().map(|line| line[at].chars().count()).fold(head[at].len(), usize::max))
        .collect();
    let mut line = |cells: &[&str]| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", padded.join("  ").trim_end())
    };
    line(&head)?;
    for cells in &lines {
        line(&cells.each_ref().map(String::as_str))?;
    }
    writeln!(out)?;
    for Drop { what, breaks } in drops(rows) {
        let who: Vec<String> = breaks.iter().map(ToString::to_string).collect();
        let who = if who.is_empty() { "nobody that was seen".into() } else { who.join(", ") };
        writeln!(out, "dropping {what} breaks: {who}")?;
    }
    Ok(())
}

fn cells(row: &Row) -> [String; 9] {
    [
        OneLine(name(&row.model)).to_string(),
        OneLine(name(&row.firmware)).to_string(),
        row.tls.as_str().into(),
        OneLine(&row.suite).to_string(),
        signed(row),
        OneLine(row.issuer.as_deref().unwrap_or("-")).to_string(),
        if row.proven { "yes" } else { "no" }.into(),
        day(row.last),
        row.connections.to_string(),
    ]
}

/// The hash, and what else of their certificates is old.
fn signed(row: &Row) -> String {
    let hash = row.hash.map_or("no certificate", SignatureHash::as_str);
    let old = [(row.short_key, "short key"), (row.before_version_3, "v1")];
    old.into_iter().filter(|(is_so, _)| *is_so).fold(hash.to_owned(), |text, (_, what)| format!("{text}, {what}"))
}

fn name(text: &str) -> &str {
    if text.is_empty() { "unknown" } else { text }
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

impl std::fmt::Display for Breaks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let some = if self.only_some { "some of " } else { "" };
        let (model, firmware) = (OneLine(name(self.model)), OneLine(name(self.firmware)));
        write!(f, "{some}{model} {firmware} (last {})", day(self.last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(model: &str, tls: TlsVersion, hash: Option<SignatureHash>, last: i64) -> Row {
        let last = Timestamp::from_second(last).expect("a time");
        Row {
            model: model.into(),
            firmware: "7.4.7".into(),
            tls,
            suite: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".into(),
            issuer: None,
            hash,
            short_key: hash == Some(SignatureHash::Sha1),
            before_version_3: false,
            proven: true,
            first: last,
            last,
            connections: 1,
        }
    }

    fn printed(rows: &[Row]) -> String {
        let mut out = Vec::new();
        print(rows, &mut out).expect("printed");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_report_says_who_needs_what_and_since_when_nobody_did() {
        let rows = [
            row("SPA504G", TlsVersion::V10, Some(SignatureHash::Sha1), 1_700_000_000),
            row("SPA504G", TlsVersion::V10, None, 1_760_000_000),
            row("CP-8841-3PCC", TlsVersion::V12, Some(SignatureHash::Sha2), 1_760_000_000),
        ];
        let text = printed(&rows);
        assert!(text.contains("dropping TLS 1.0 breaks: SPA504G 7.4.7 (last 2025-10-09)\n"), "{text}");
        assert!(text.contains("dropping TLS 1.1 breaks: nobody that was seen\n"), "{text}");
        assert!(
            text.contains("dropping SHA-1 certificates breaks: some of SPA504G 7.4.7 (last 2023-11-14)\n"),
            "{text}"
        );
    }

    #[test]
    fn what_else_is_old_has_its_lines() {
        let mut rows = [row("SPA942", TlsVersion::V10, Some(SignatureHash::Sha1), 1_760_000_000)];
        assert!(printed(&rows).contains("dropping certificates before X.509 version 3 breaks: nobody that was seen\n"));
        rows[0].before_version_3 = true;
        let text = printed(&rows);
        assert!(text.contains("  SHA-1, short key, v1  "), "{text}");
        assert!(text.contains("dropping RSA keys under 2048 bits breaks: SPA942 7.4.7 (last 2025-10-09)\n"), "{text}");
        assert!(text.contains("before X.509 version 3 breaks: SPA942 7.4.7 (last 2025-10-09)\n"), "{text}");
    }

    #[test]
    fn a_table_that_somebody_has_tampered_with_moves_no_cursor() {
        let mut row = row("a\u{1b}[2J\nb", TlsVersion::V10, None, 1_760_000_000);
        (row.suite, row.issuer) = ("c\u{9b}".into(), Some("d\u{202e}".into()));
        row.firmware = "e\r".into();
        let text = printed(&[row]);
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\r']), "{text:?}");
        assert!(text.contains(r"a\u{1b}[2J\nb  e\r"), "{text}");
    }

    #[test]
    fn an_empty_table_is_one() {
        assert!(printed(&[]).starts_with("model  firmware  TLS  suite"));
    }
}
