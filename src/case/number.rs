//! The number of a case.

use std::fmt;
use std::str::FromStr;

use crate::password::HashError;

/// A case's number: nine digits, as people say them on the telephone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CaseNumber(String);

/// The text is no number of a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the number of a case: expected nine digits, such as 612345678")]
pub struct CaseNumberError(String);

/// The first number of a case that is chosen here; below, they would begin with 0.
const FIRST: u64 = 100_000_000;

/// What stands before a number in a subject.
const CASE: &str = "case";

/// What people write between the two.
const BETWEEN: [&str; 5] = ["no", "nr", "num", "number", "id"];

impl CaseNumber {
    /// A random one, which says nothing of how many cases there are.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn random() -> Result<Self, HashError> {
        let mut octets = [0; 8];
        aws_lc_rs::rand::fill(&mut octets).map_err(|_| HashError::Random)?;
        Ok(Self((FIRST + u64::from_be_bytes(octets) % (9 * FIRST)).to_string()))
    }

    /// The number of the first `Case NNNNNNNNN` in the subject of a message, in any case: a word such as `no.` or `number` may
    /// stand between, or nothing at all.
    #[must_use]
    pub fn in_subject(subject: &str) -> Option<Self> {
        let words: Vec<&str> = subject.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        (0..words.len()).find_map(|at| {
            let (word, number) = words[at].split_at_checked(CASE.len())?;
            let mut after = words[at + 1..].iter();
            if !word.eq_ignore_ascii_case(CASE) {
                return None;
            }
            let said = match number {
                "" => after.find(|word| !BETWEEN.iter().any(|between| word.eq_ignore_ascii_case(between)))?,
                joined => joined,
            };
            said.parse().ok()
        })
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CaseNumber {
    type Err = CaseNumberError;

    fn from_str(text: &str) -> Result<Self, CaseNumberError> {
        let fits = text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit());
        if fits { Ok(Self(text.to_owned())) } else { Err(CaseNumberError(text.chars().take(40).collect())) }
    }
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for CaseNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_nine_digits() {
        for text in ["612345678", "000000000"] {
            assert_eq!(text.parse::<CaseNumber>().expect("a number").as_str(), text);
        }
        for text in ["", "61234567", "6123456789", "61234567x", "６１２３４５６７８", "61234567 "] {
            assert!(text.parse::<CaseNumber>().is_err(), "{text}");
        }
        for _ in 0..100 {
            let random = CaseNumber::random().expect("random numbers");
            assert_eq!(random.as_str().parse(), Ok(random.clone()), "{random}");
        }
    }

    #[test]
    fn a_subject_names_a_case_by_the_word_and_its_number() {
        let found = |subject: &str| CaseNumber::in_subject(subject).map(|number| number.to_string());
        for subject in [
            "Case 612345678",
            "Re: [EXT] case 612345678: dumps",
            "CASE: 612345678",
            "Case #612345678 and Case 699999999",
            "case 12 Case 612345678",
            "Case no. 612345678",
            "Case No 612345678: dumps",
            "Case Nr. 612345678",
            "case-number: 612345678",
            "Case ID #612345678",
            "Re: Case612345678",
            "CASE_612345678_logs",
        ] {
            assert_eq!(found(subject).as_deref(), Some("612345678"), "{subject}");
        }
        for subject in [
            "",
            "612345678",
            "showcase 612345678",
            "Case 6123456789",
            "Case",
            "Case6123456789",
            "Cases 612345678",
            "Case of 612345678",
            "Case no.",
        ] {
            assert_eq!(found(subject), None, "{subject}");
        }
    }
}
