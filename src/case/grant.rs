//! Who may hand in files for a case.

use jiff::Timestamp;
use serde::Serialize;

use super::CaseNumber;
use crate::password::TokenPrint;

/// A case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Case {
    /// Its number.
    pub number: CaseNumber,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Timestamp>,
    /// What people want to know of it.
    pub note: String,
}

/// A token that was given out for a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// What it is known by.
    pub print: TokenPrint,
    /// Until when it is good.
    pub expires: Timestamp,
}

/// A case, and its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The case.
    pub case: Case,
    /// The tokens that count.
    pub credentials: Vec<Credential>,
}

/// The right to hand in files for a case. There is no other way to one than [`Record::admit`] and [`Record::admit_mail`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseGrant {
    number: CaseNumber,
    expires: Option<Timestamp>,
    /// What was presented for it; nothing by mail.
    print: Option<TokenPrint>,
}

/// Why nobody is admitted; for the log. A client is told the same whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CaseFault {
    /// There is none with this number.
    #[error("there is no such case")]
    Unknown,
    /// It takes nothing any more.
    #[error("the case is closed")]
    Closed,
    /// Not one of its tokens.
    #[error("the token is wrong")]
    Token,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// It was one of its tokens.
    #[error("the token has been replaced")]
    Replaced,
}

impl Record {
    /// Holds a token against the case.
    ///
    /// # Errors
    /// The case is closed, or the token is none of its own or past its date.
    pub fn admit(&self, presented: &TokenPrint, now: Timestamp) -> Result<CaseGrant, CaseFault> {
        // Each is compared, and each comparison takes as long.
        let matching = self.credentials.iter().filter(|credential| credential.print == *presented);
        let latest = matching.map(|credential| credential.expires).max();
        let expires = latest.ok_or(CaseFault::Token)?;
        if self.case.closed.is_some() {
            return Err(CaseFault::Closed);
        }
        if expires <= now {
            return Err(CaseFault::Expired);
        }
        Ok(CaseGrant { number: self.case.number.clone(), expires: Some(expires), print: Some(presented.clone()) })
    }

    /// Holds an earlier grant against the case as it is now: connections go on for days, and tokens do not.
    ///
    /// # Errors
    /// The case is closed, or the token that was presented then counts no more.
    pub fn renew(&self, grant: &CaseGrant, now: Timestamp) -> Result<CaseGrant, CaseFault> {
        // The tokens of a closed case are gone.
        let Some(print) = grant.print.as_ref().filter(|_| self.case.closed.is_none()) else { return self.admit_mail() };
        self.admit(print, now).map_err(|fault| if fault == CaseFault::Token { CaseFault::Replaced } else { fault })
    }

    /// The right of a message that names the case. It proves nothing: whoever knows the number of an open case may send.
    ///
    /// # Errors
    /// The case is closed.
    pub fn admit_mail(&self) -> Result<CaseGrant, CaseFault> {
        match self.case.closed {
            Some(_) => Err(CaseFault::Closed),
            None => Ok(CaseGrant { number: self.case.number.clone(), expires: None, print: None }),
        }
    }
}

impl CaseGrant {
    /// The case that it is for.
    #[must_use]
    pub fn number(&self) -> &CaseNumber {
        &self.number
    }

    /// Whether another file may still be begun with it, on a connection that goes on for days.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::Token;

    fn record(print: TokenPrint, expires: i64) -> Record {
        let at = |seconds| Timestamp::from_second(seconds).expect("a time");
        let number = "612345678".parse().expect("a number");
        let case = Case { number, opened: at(0), closed: None, note: String::new() };
        Record { case, credentials: vec![Credential { print, expires: at(expires) }] }
    }

    #[test]
    fn a_token_is_good_for_its_case_until_its_date_or_the_cases_end() {
        let (token, other) = (Token::random().expect("a token"), Token::random().expect("a token"));
        let at = |seconds| Timestamp::from_second(seconds).expect("a time");
        let mut record = record(token.print(), 100);
        let grant = record.admit(&token.print(), at(99)).expect("admitted");
        assert_eq!(grant.number().as_str(), "612345678");
        assert!(grant.is_good(at(99)) && !grant.is_good(at(100)));
        assert_eq!(record.admit(&other.print(), at(99)), Err(CaseFault::Token));
        assert_eq!(record.admit(&token.print(), at(100)), Err(CaseFault::Expired));
        assert!(record.admit_mail().is_ok());
        record.case.closed = Some(at(50));
        assert_eq!(record.admit(&token.print(), at(99)), Err(CaseFault::Closed));
        assert_eq!(record.admit(&other.print(), at(99)), Err(CaseFault::Token));
        assert_eq!(record.admit_mail(), Err(CaseFault::Closed));
    }
    #[test]
    fn a_grant_is_renewed_while_its_token_counts() {
        let (token, other) = (Token::random().expect("a token"), Token::random().expect("a token"));
        let at = |seconds| Timestamp::from_second(seconds).expect("a time");
        let mut now = record(token.print(), 100);
        let grant = now.admit(&token.print(), at(1)).expect("admitted");
        assert_eq!(now.renew(&grant, at(99)), Ok(grant.clone()));
        assert_eq!(now.renew(&grant, at(100)), Err(CaseFault::Expired));
        now.credentials.push(Credential { print: other.print(), expires: at(200) });
        assert!(now.renew(&grant, at(99)).is_ok(), "the other one is beside it");
        now.credentials.remove(0);
        assert_eq!(now.renew(&grant, at(99)), Err(CaseFault::Replaced));
        now.case.closed = Some(at(50));
        now.credentials.clear();
        assert_eq!(now.renew(&grant, at(99)), Err(CaseFault::Closed));
    }
}
