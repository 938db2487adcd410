//! The folder of trust anchors with real certificates, and files that hold none.

use std::fs;
use std::path::Path;
use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::x509::{X509, X509NameBuilder};

use super::import::{self, Found, Import, ImportError};
use super::{Added, Alias, Taken, TrustError, TrustFolder, pem};
use crate::device::Secret;

/// A self-signed certificate, as a server makes for itself, and its key.
fn made(name: &str) -> (X509, PKey<Private>) {
    let key = PKey::from_rsa(Rsa::generate(1024).expect("a key")).expect("a key");
    let mut subject = X509NameBuilder::new().expect("a name");
    subject.append_entry_by_text("CN", name).expect("a field");
    let subject = subject.build();
    let mut certificate = X509::builder().expect("a certificate");
    certificate.set_version(2).expect("version 3");
    certificate.set_subject_name(&subject).expect("a subject");
    certificate.set_issuer_name(&subject).expect("an issuer");
    certificate.set_not_before(&Asn1Time::days_from_now(0).expect("a time")).expect("a beginning");
    certificate.set_not_after(&Asn1Time::days_from_now(2).expect("a time")).expect("an end");
    certificate.set_pubkey(&key).expect("a key");
    certificate.sign(&key, MessageDigest::sha256()).expect("a signature");
    (certificate.build(), key)
}

fn der(name: &str) -> Vec<u8> {
    made(name).0.to_der().expect("DER")
}

fn alias(text: &str) -> Alias {
    text.parse().expect("an alias")
}

fn found(der: &[u8]) -> Found {
    Found { name: None, der: der.to_vec() }
}

fn aliases(folder: &TrustFolder) -> Vec<String> {
    folder.anchors().expect("a folder").into_iter().map(|anchor| anchor.alias).collect()
}

fn backups(folder: &Path) -> usize {
    fs::read_dir(folder.join("backup")).map_or(0, Iterator::count)
}

#[test]
fn each_change_keeps_what_was_there() {
    let place = tempfile::tempdir().expect("room for a folder");
    let (path, [one, two]) = (place.path().join("trust"), ["one", "two"].map(der));
    let folder = TrustFolder::at(&path);
    assert!(folder.anchors().expect("no folder is an empty one").is_empty());

    let first = folder.add(&[(alias("One"), &found(&one))], Taken::Refuse).expect("added");
    assert_eq!((first.added, first.backup), (vec![Added::New(alias("one"))], None), "there was nothing to keep");
    let again = folder.add(&[(alias("other"), &found(&one))], Taken::Refuse).expect("known");
    assert_eq!((again.added, again.backup), (vec![Added::Known("one".into())], None));

    let taken = folder.add(&[(alias("new"), &found(&two)), (alias("one"), &found(&two))], Taken::Refuse);
    assert!(matches!(taken, Err(TrustError::Taken(_))), "all or none");
    assert_eq!((aliases(&folder), backups(&path)), (vec!["one".to_owned()], 0));

    let replaced = folder.add(&[(alias("one"), &found(&two))], Taken::Replace).expect("replaced");
    assert_eq!(replaced.added, [Added::Replaced(alias("one"))]);
    let kept = replaced.backup.expect("a copy").join("one.pem");
    assert_eq!(fs::read_to_string(kept).expect("a copy"), pem(&one));
    assert_eq!(fs::read_to_string(path.join("one.pem")).expect("a file"), pem(&two));

    let removed = folder.remove(&alias("one")).expect("removed");
    assert_eq!(fs::read_to_string(removed.backup.expect("a copy").join("one.pem")).expect("a copy"), pem(&two));
    assert!(aliases(&folder).is_empty());
    let gone = folder.remove(&alias("one")).expect_err("gone");
    assert!(
        gone.to_string().contains("no alias `one` in") && gone.to_string().ends_with("there is none at all"),
        "{gone}"
    );
    assert_eq!(backups(&path), 2, "two in the same second have two names");
}

#[test]
fn a_file_put_there_by_hand_is_an_anchor_and_a_broken_one_can_be_removed() {
    let place = tempfile::tempdir().expect("room for a folder");
    fs::write(place.path().join("Cisco.CER"), pem(&der("cisco"))).expect("room for a file");
    let broken = pem(&der("broken")).replacen("MII", "M!I", 1);
    fs::write(place.path().join("broken.crt"), broken).expect("room for a file");
    fs::write(place.path().join("README.md"), "no certificate").expect("room for a file");
    let folder = TrustFolder::at(place.path());
    assert_eq!(aliases(&folder), ["Cisco", "broken"]);
    assert!(folder.anchor(&alias("cisco")).expect("an anchor").certificates.is_ok());
    let error = folder.anchor(&alias("broken")).expect("an anchor").certificates.expect_err("damaged");
    assert!(error.to_string().contains("broken.crt`: certificate 1 of the file is damaged"), "{error}");

    fs::write(place.path().join("der.cer"), der("der")).expect("room for a file");
    let error = folder.anchor(&alias("der")).expect("an anchor").certificates.expect_err("DER");
    assert!(error.to_string().contains("der.cer`: not PEM, which is all that a server reads"), "{error}");
    folder.remove(&alias("der")).expect("removed");
    folder.remove(&alias("broken")).expect("removed");
    folder.add(&[(alias("cisco"), &found(&der("new")))], Taken::Replace).expect("replaced");
    assert_eq!(aliases(&folder), ["cisco"], "the old file is not trusted any more");
}

#[test]
fn a_file_of_each_form_gives_its_certificates() {
    let one = der("one");
    let both = format!("Bag Attributes\n{}{}", pem(&one), pem(&der("two")));
    for file in [one.clone(), pem(&one).into_bytes(), both.into_bytes()] {
        assert_eq!(import::certificates(&file, None).expect("certificates").found[0].der, one);
    }
}

#[test]
fn of_an_archive_with_a_key_only_the_keys_own_certificate_is_taken() {
    let ((own, key), (authority, _)) = (made("own"), made("authority"));
    let mut chain = Stack::new().expect("a stack");
    chain.push(authority.clone()).expect("room");
    let secret = Secret::new("s3cret".into());
    let archive = Pkcs12::builder().name("Own Server").pkey(&key).cert(&own).ca(chain).build2("s3cret");
    let file = archive.expect("an archive").to_der().expect("DER");
    let import = import::certificates(&file, Some(&secret)).expect("opened");
    let expected = Found { name: Some("Own Server".into()), der: own.to_der().expect("DER") };
    assert_eq!(import, Import { found: vec![expected], left_out: 1 });

    let wrong = import::certificates(&file, Some(&Secret::new("guess".into()))).expect_err("locked");
    assert_eq!(wrong.to_string(), "the password of the PKCS #12 file is wrong, or the file is damaged");
    let none = import::certificates(&file, None).expect_err("locked");
    assert!(matches!(none, ImportError::Password("PKCS #12")), "{none}");
    assert!(import::certificates(&file[..file.len() / 2], Some(&secret)).is_err(), "half of it is nothing");
}

#[test]
fn an_archive_that_would_take_for_ever_is_given_up() {
    let (own, key) = made("own");
    let archive = Pkcs12::builder().pkey(&key).cert(&own).mac_iter(0x1_0000).build2("s3cret");
    let mut file = archive.expect("an archive").to_der().expect("DER");
    // The count is the last number of the file (RFC 7292 appendix D).
    let end = file.len() - 5;
    assert_eq!(file[end..], [2, 3, 1, 0, 0]);
    file[end + 2..].copy_from_slice(&[0x7f, 0xff, 0xff]);
    let archive = Pkcs12::from_der(&file).expect("an archive");
    let opened = import::opened(archive, &Secret::new("s3cret".into()), Duration::from_millis(50));
    assert!(matches!(opened, Err(ImportError::Slow)), "{opened:?}");
}

#[test]
fn what_is_no_file_of_certificates_says_what_would_be() {
    let place = tempfile::tempdir().expect("room for a folder");
    let path = place.path().join("hello.txt");
    fs::write(&path, "hello").expect("room for a file");
    let error = super::import(&path, None).expect_err("text").to_string();
    assert!(
        error.ends_with(
            "hello.txt`: not a file of certificates: expected PEM (-----BEGIN CERTIFICATE-----), DER, PKCS #12 or JKS"
        ),
        "{error}"
    );
    let large = fs::File::create(place.path().join("large.pem")).expect("room for a file");
    large.set_len(1 << 30).expect("a sparse file");
    let error = super::import(&place.path().join("large.pem"), None).expect_err("too large").to_string();
    assert!(error.ends_with("large.pem`: larger than 4 MiB, which no file of certificates is"), "{error}");
    let error = super::import(Path::new("/dev/zero"), None).expect_err("endless").to_string();
    assert_eq!(error, "`/dev/zero`: not a regular file");
    let key = made("key").1.private_key_to_pem_pkcs8().expect("PEM");
    assert!(matches!(import::certificates(&key, None), Err(ImportError::Nothing)));
}
