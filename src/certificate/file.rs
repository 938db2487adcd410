//! What stands in a PEM or DER file: certificates, private keys (never decoded), other things.

use std::io::Cursor;

use x509_parser::pem::Pem;

/// One block of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A certificate in DER form; not parsed yet.
    Certificate(Vec<u8>),
    /// A private key with this PEM label; its bytes stay where they are.
    PrivateKey(String),
    /// Another PEM block with this label (`X509 CRL`, `DH PARAMETERS`).
    Other(String),
}

/// The file holds no readable certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// A PEM block is damaged.
    #[error(
        "certificate {number} of the file is damaged ({reason}): expected base64 text up to -----END CERTIFICATE-----"
    )]
    Damaged {
        /// Which certificate, counted from 1.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Neither PEM nor DER.
    #[error("neither PEM nor DER: expected -----BEGIN CERTIFICATE----- or a certificate in DER form")]
    NeitherForm,
}

const BEGIN: &str = "-----BEGIN ";

/// The blocks of a file in their order. A file without a PEM line is taken as one DER certificate.
pub fn blocks(file: &[u8]) -> Result<Vec<Block>, FileError> {
    let text = String::from_utf8_lossy(file);
    let mut blocks = Vec::new();
    let begins = text.match_indices(BEGIN).filter(|(at, _)| *at == 0 || text[..*at].ends_with('\n'));
    for (at, _) in begins {
        let label = text[at + BEGIN.len()..].split("-----").next().unwrap_or_default();
        blocks.push(match label {
            "CERTIFICATE" | "X509 CERTIFICATE" => {
                let number = blocks.iter().filter(|block| matches!(block, Block::Certificate(_))).count() + 1;
                let (pem, _) = Pem::read(Cursor::new(&text.as_bytes()[at..]))
                    .map_err(|error| FileError::Damaged { number, reason: error.to_string() })?;
                Block::Certificate(pem.contents)
            }
            label if label.ends_with("PRIVATE KEY") => Block::PrivateKey(label.into()),
            label => Block::Other(label.into()),
        });
    }
    if blocks.is_empty() {
        let der = super::expires(file).is_ok();
        return if der { Ok(vec![Block::Certificate(file.into())]) } else { Err(FileError::NeitherForm) };
    }
    Ok(blocks)
}
