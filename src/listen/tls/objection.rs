//! What rustls has against a client's certificate, in words for people: its own text lists object identifiers by the dozen,
//! or is the name of a type.

use std::io;

use rustls::CertRevocationListError;
use rustls::CertificateError as Bad;

use super::judge::Objection;

/// What is wrong with a chain, for the log.
pub(super) fn objection(error: &rustls::Error) -> Objection {
    let words = match error {
        rustls::Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => return Objection::Expired,
        rustls::Error::InvalidCertificate(bad) => words(bad),
        rustls::Error::InvalidCertRevocationList(CertRevocationListError::IssuerInvalidForCrl) => {
            "the revocation list of its issuer is by one who may sign none".to_owned()
        }
        rustls::Error::InvalidCertRevocationList(_) => {
            "the revocation list of its issuer has a wrong signature".to_owned()
        }
        _ => "the certificate cannot be verified".to_owned(),
    };
    Objection::Other(words)
}

/// Why a handshake failed, where that is a certificate's fault; anything else as it is.
pub(super) fn of_handshake(error: io::Error) -> io::Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidCertificate(bad)) => {
            io::Error::new(error.kind(), format!("the client's certificate: {}", words(bad)))
        }
        _ => error,
    }
}

/// What is wrong with a certificate of the operator's.
pub(super) fn of_file(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(bad) => words(bad),
        other => other.to_string(),
    }
}

fn words(bad: &Bad) -> String {
    let words = match bad {
        Bad::Expired | Bad::ExpiredContext { .. } => "it has expired",
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => "it is not valid yet",
        Bad::UnknownIssuer => "none of listen.client_ca issued it",
        Bad::BadSignature => "its issuer's signature is wrong",
        Bad::BadEncoding => "it is not well-formed",
        Bad::Revoked => "it has been revoked",
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => "it is not meant for clients",
        Bad::UnsupportedSignatureAlgorithmContext { .. }
        | Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "its signature algorithm is too old or unknown (SHA-1, a short key)"
        }
        // The text of the error in it is its name.
        Bad::Other(other) => return named(&other.to_string()),
        other => return unnamed(&other.to_string()),
    };
    words.to_owned()
}

/// What webpki calls by one word.
fn named(name: &str) -> String {
    let words = match name {
        "CaUsedAsEndEntity" => "it is an authority's own certificate (CA:TRUE), not a phone's",
        "EndEntityUsedAsCa" => "its issuer is no authority (CA:FALSE)",
        "UnsupportedCertVersion" => "it, or one of its chain, is of X.509 version 1: only tls = \"legacy\" takes those",
        "PathLenConstraintViolated" => "its chain is longer than an authority in it allows (pathlen)",
        "NameConstraintViolation" => "an authority of its chain may not issue for its name (name constraints)",
        "UnsupportedCriticalExtension" => "its chain has a critical extension that is not known here",
        "EmptyEkuExtension" => "its list of purposes is empty",
        "InvalidSerialNumber" => "its serial number is none: expected 1 to 20 bytes, above zero",
        "ExtensionValueInvalid" | "MalformedExtensions" => "one of its extensions is not well-formed",
        "SignatureAlgorithmMismatch" => "it names two signature algorithms that differ",
        "MaximumPathDepthExceeded"
        | "MaximumPathBuildCallsExceeded"
        | "MaximumSignatureChecksExceeded"
        | "MaximumNameConstraintComparisonsExceeded" => "its chain is too long, or branches too often, to be verified",
        other => return unnamed(other),
    };
    words.to_owned()
}

fn unnamed(text: &str) -> String {
    format!("it does not verify: {}", text.chars().take(120).collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::OtherError;

    use super::*;

    fn of(name: &'static str) -> Bad {
        Bad::Other(OtherError(Arc::new(io::Error::other(name))))
    }

    #[test]
    fn no_type_of_the_library_is_in_what_people_read() {
        assert_eq!(words(&of("EndEntityUsedAsCa")), "its issuer is no authority (CA:FALSE)");
        assert_eq!(words(&of("SomethingNew")), "it does not verify: SomethingNew");
        assert_eq!(of_file(&rustls::Error::InvalidCertificate(Bad::BadEncoding)), "it is not well-formed");
        let error = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(of("SomethingNew")));
        assert_eq!(of_handshake(error).to_string(), "the client's certificate: it does not verify: SomethingNew");
        let other = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::HandshakeNotComplete);
        assert_eq!(of_handshake(other).to_string(), "handshake not complete");
    }
}
