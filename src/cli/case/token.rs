//! `phoneprov case token`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::ensure;
use jiff::{SignedDuration, Timestamp};

use crate::case::{CaseNumber, Credential};
use crate::cli::store::{who, with_store};
use crate::config::Period;
use crate::password::Token;
use crate::store::{Others, Store};

/// Make a new token for a case. Those that it had count no more.
///
/// The token is printed now and never again: the store has its hash alone.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The case.
    number: CaseNumber,
    #[command(flatten)]
    lifetime: Lifetime,
    /// Let the tokens that it has count until their dates.
    #[arg(long)]
    keep: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How long a token is good.
#[derive(Debug, clap::Args)]
pub(super) struct Lifetime {
    /// How long the token is good; it ends with its case in any case.
    #[arg(long, value_name = "TIME", default_value = "30d")]
    expires: Period,
}

/// The shortest that a token is good: less than anybody takes to use it.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);

/// The longest that a token is good.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366);

/// Makes it.
pub(super) fn run(args: &Args, config: &Path) -> anyhow::Result<ExitCode> {
    let expires = args.lifetime.end()?;
    let others = if args.keep { Others::Stay } else { Others::End };
    with_store(config, async |store| {
        let token = give(store, &args.number, expires, others).await?;
        super::print::token(&args.number, &token, expires, args.json)?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Gives a case another token.
pub(super) async fn give(
    store: &Store,
    number: &CaseNumber,
    expires: Timestamp,
    others: Others,
) -> anyhow::Result<Token> {
    let token = Token::random()?;
    let credential = Credential { print: token.print(), expires };
    let until = format!("good until {}", super::print::time(expires));
    store.give_token(number, (&credential, others), (&who(), &until)).await?;
    Ok(token)
}

impl Lifetime {
    /// When a token ends that is made now.
    pub(super) fn end(&self) -> anyhow::Result<Timestamp> {
        let lifetime = SignedDuration::try_from(self.expires.duration())?;
        ensure!(
            lifetime >= SHORTEST,
            "--expires {} gives a token that is never good: expected 1s to 366d, such as 7d",
            self.expires
        );
        ensure!(lifetime <= LONGEST, "a token is good for 366 days at the most");
        Ok(Timestamp::now().saturating_add(lifetime)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_a_second_at_least_and_for_a_year_at_the_most() {
        let end = |expires: &str| Lifetime { expires: expires.parse().expect("a time") }.end();
        for good in ["1s", "30d", "366d"] {
            assert!(end(good).is_ok_and(|end| end > Timestamp::now()), "{good}");
        }
        for (dead, shown) in [("0s", "0s"), ("999ms", "999ms")] {
            let error = end(dead).expect_err(dead).to_string();
            let expected =
                format!("--expires {shown} gives a token that is never good: expected 1s to 366d, such as 7d");
            assert_eq!(error, expected);
        }
        assert!(end("367d").is_err());
    }
}
