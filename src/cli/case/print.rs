//! How cases and tokens are printed.

use std::io::{self, Write as _};

use jiff::Timestamp;

use crate::case::CaseNumber;
use crate::password::Token;

/// A time as people read it.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Prints a case's number and a new token, the only time that it is seen.
pub(super) fn token(number: &CaseNumber, token: &Token, expires: Timestamp, json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        let value = serde_json::json!({
            "case": number, "token": token.text().expose(), "expires": expires.to_string(),
        });
        return crate::cli::json(&mut out, &value);
    }
    writeln!(out, "case   {number}")?;
    writeln!(out, "token  {}", token.text().expose())?;
    Ok(writeln!(out, "good until {}; it is not shown again", time(expires))?)
}
