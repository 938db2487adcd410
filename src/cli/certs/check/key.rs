//! The private key: readable by the server and nobody else, and of this certificate.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::x509::X509;

use super::Finding;
use super::target::Target;
use crate::trust;

/// What is wrong with a target's key, where it has one here.
pub(super) fn findings(target: &Target) -> Vec<Finding> {
    let Some(path) = &target.key else { return Vec::new() };
    let mut findings = Vec::new();
    if std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o007 != 0) {
        let message = format!("every user of this machine may read its key {}: chmod o= it", path.display());
        findings.push(Finding::warning(message, ""));
    }
    findings.extend(other(path, &target.chain[0]).map(|message| Finding::error(message, "")));
    findings
}

/// Why the key does not serve.
fn other(path: &Path, own: &[u8]) -> Option<String> {
    let name = path.display();
    let text = match trust::read(path) {
        Ok(text) => text,
        Err(error) => return Some(format!("its key: {error}")),
    };
    if String::from_utf8_lossy(&text).contains("ENCRYPTED") {
        return Some(format!(
            "its key {name} has a pass phrase: expected one without, in a file that only the server may read"
        ));
    }
    // Without a callback OpenSSL would ask the terminal.
    let Ok(key) = PKey::private_key_from_pem_callback(&text, |_| Err(ErrorStack::get())) else {
        return Some(format!("its key {name} is none: expected PEM, -----BEGIN PRIVATE KEY-----"));
    };
    let belongs = X509::from_der(own).and_then(|own| own.public_key()).is_ok_and(|public| public.public_eq(&key));
    (!belongs).then(|| format!("its key {name} is of another certificate"))
}
