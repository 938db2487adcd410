//! Everything that a lab needs at its first start, in one folder.

use std::path::{Path, PathBuf};

use super::file::{self, Present, Readers, exists};
use super::{Authority, AuthorityError, Existing, HostName, Issued, LabPhone, Outcome, recipient};

/// What a lab's folder holds after [`prepare`].
#[derive(Debug)]
pub struct Prepared {
    /// The authority's own certificate.
    pub authority: PathBuf,
    /// The sample phones' certificates.
    pub phones: Vec<Issued>,
    /// Whether anything had to be made.
    pub is_new: bool,
}

/// Makes what is missing: the authority, the server's certificate, one for each sample phone, `master.key`, a master
/// secret of 256 random bits, and an identity for files that are handed in. What is there is left alone.
pub fn prepare(folder: &Path, names: &[HostName], phones: &[LabPhone]) -> Result<Prepared, AuthorityError> {
    let authority = Authority::open_or_create(folder)?;
    let server = authority.server(names, Existing::Keep)?;
    let phones = phones.iter().map(|phone| authority.phone(phone, Existing::Keep)).collect::<Result<Vec<_>, _>>()?;
    let master = folder.join("master.key");
    if !exists(&master)? {
        let secret = data_encoding::HEXLOWER.encode(&super::random::<32>()?);
        file::write(&master, &format!("{secret}\n"), Readers::Owner, Present::Refuse)?;
    }
    recipient::prepare(folder)?;
    let is_new = phones.iter().chain([&server]).any(|issued| issued.outcome == Outcome::Made);
    Ok(Prepared { authority: authority.certificate(), phones, is_new })
}
