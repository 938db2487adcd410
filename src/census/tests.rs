//! The table under many phones, many strangers, and a disk that has something else.

use std::sync::Arc;

use super::*;
use crate::certificate::{SignatureHash, Signer};
use crate::config::TlsVersion;
use crate::device::DeviceIdentity;

const SPA: &str = "Cisco/SPA504G-7.4.7 (CBT141900G7)";

fn secured(version: TlsVersion, signer: Option<SignatureHash>) -> Secured {
    let issuer = "O=Cisco, CN=Cisco Manufacturing CA".to_owned();
    let signer = signer.map(|hash| Arc::new(Signer { issuer, hash, has_short_key: false, is_before_version_3: false }));
    Secured { version, suite: "TLS_RSA_WITH_AES_128_CBC_SHA", signer }
}

fn phone() -> DeviceIdentity {
    let mac = "000e08abcdef".parse().expect("an address");
    DeviceIdentity::new(Some(mac), None, "SPA504G".parse().ok()).expect("an identity")
}

fn note(census: &Census, user_agent: Option<&str>, proven: Option<&DeviceIdentity>) {
    let secured = secured(TlsVersion::V10, proven.map(|_| SignatureHash::Sha1));
    census.note(&Sighting { secured: &secured, user_agent, proven });
}

#[test]
fn phones_that_connect_alike_are_one_row() {
    let census = Census::default();
    for _ in 0..3 {
        note(&census, Some(SPA), Some(&phone()));
    }
    let rows = census.rows();
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert_eq!((row.model.as_str(), row.firmware.as_str(), row.connections), ("SPA504G", "7.4.7", 3));
    assert_eq!((row.tls, row.hash, row.proven), (TlsVersion::V10, Some(SignatureHash::Sha1), true));
    assert!(row.first <= row.last);
}

#[test]
fn a_model_that_the_client_does_not_say_is_the_certificates() {
    let census = Census::default();
    note(&census, Some("curl/8.5.0"), Some(&phone()));
    note(&census, None, None);
    let rows = census.rows();
    let named: Vec<(&str, &str)> = rows.iter().map(|row| (row.model.as_str(), row.firmware.as_str())).collect();
    assert_eq!(named, [("", ""), ("SPA504G", "")]);
}

#[test]
fn strangers_cannot_crowd_out_phones() {
    let census = Census::default();
    note(&census, Some(SPA), Some(&phone()));
    for firmware in 0..5000 {
        note(&census, Some(&format!("Cisco/SPA504G-{firmware} (x)")), None);
    }
    let rows = census.rows();
    assert_eq!(rows.iter().filter(|row| row.proven).count(), 1);
    assert_eq!(rows.len(), 257);
}

#[test]
fn one_phone_cannot_crowd_out_the_others() {
    let census = Census::default();
    note(&census, Some(SPA), Some(&phone()));
    let liar = DeviceIdentity::new("000e08000bad".parse().ok(), None, None).expect("a device");
    for firmware in 0..5000 {
        note(&census, Some(&format!("Cisco/SPA504G-{firmware} (x)")), Some(&liar));
    }
    let rows = census.rows();
    assert!(rows.iter().any(|row| row.firmware == "7.4.7"), "{rows:?}");
    assert!(rows.len() < 20, "{}", rows.len());
}

#[test]
fn what_was_seen_outlives_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let census = Census::open(Some(&state)).expect("a census");
    note(&census, Some(SPA), Some(&phone()));
    census.save().expect("saved");

    let again = Census::open(Some(&state)).expect("a census");
    assert_eq!(again.rows(), census.rows());
    note(&again, Some(SPA), Some(&phone()));
    assert_eq!(again.rows()[0].connections, 2);
    assert_eq!(std::fs::read_dir(&state).expect("a folder").count(), 1, "nothing is left beside it");
    again.save().expect("saved");
    assert_eq!(read(&state).expect("rows"), again.rows());
}

#[test]
fn a_file_that_is_no_table_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    for content in ["", "[]", "{\"format\":2,\"rows\":[]}", "{\"format\":1,\"rows\":[{}]}"] {
        std::fs::write(folder.path().join(FILE), content).expect("written");
        let error = Census::open(Some(folder.path())).expect_err("refused").to_string();
        assert!(error.contains("tls.json: not a table in the form 1"), "{error}");
    }
}

#[tokio::test]
async fn a_change_is_told_once_until_it_is_saved() {
    let folder = tempfile::tempdir().expect("a folder");
    let census = Census::open(Some(folder.path())).expect("a census");
    note(&census, Some(SPA), None);
    note(&census, Some(SPA), None);
    census.changed().await;
    let again = tokio::time::timeout(std::time::Duration::from_millis(5), census.changed());
    assert!(again.await.is_err(), "it was told already");
    census.save().expect("saved");
    note(&census, Some(SPA), None);
    census.changed().await;
}
