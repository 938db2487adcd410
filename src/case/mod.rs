//! Support cases: who may hand files in for one, and what those files are called. No I/O.
//!
//! A door has a number and a token from a client, and [`Record::admit`] makes a [`CaseGrant`] of them, or says why not, for
//! the log. Only with a grant does an upload begin. What a client says of a file is for eyes: it is never a path.

mod grant;
mod label;
mod number;

pub use self::grant::{Case, CaseFault, CaseGrant, Credential, Record};
pub use self::label::{FileName, Label, LabelError, Remark};
pub use self::number::{CaseNumber, CaseNumberError};
