//! The authority's files: what they say, who may read them, and that none is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::device::MacAddress;

fn phone() -> LabPhone {
    LabPhone::new(MacAddress::new([0, 0x0e, 8, 0xab, 0xcd, 0xef]))
}

fn der(path: &Path) -> Vec<u8> {
    let blocks = certificate::blocks(&fs::read(path).expect("a file")).expect("blocks");
    let [Block::Certificate(der)] = blocks.as_slice() else { panic!("not one certificate: {blocks:?}") };
    der.clone()
}

#[test]
fn a_phones_certificate_names_the_phone() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::create(folder.path()).expect("an authority");
    let issued = authority.phone(&phone(), Existing::Keep).expect("a certificate");
    assert_eq!(issued.outcome, Outcome::Made);
    assert_eq!(issued.certificate, folder.path().join("phone-000e08abcdef.pem"));
    let device = certificate::device(&der(&issued.certificate)).expect("a device");
    assert_eq!(
        (device.mac(), device.serial(), device.model()),
        (Some(phone().mac), Some(&phone().serial), Some(&phone().model))
    );
}

#[test]
fn the_servers_certificate_names_this_machine_and_every_host() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::create(folder.path()).expect("an authority");
    let first = ["prov.lab", "192.0.2.1", "localhost"].map(|name| name.parse().expect("a host name"));
    let issued = authority.server(&first, Existing::Keep).expect("a certificate");
    assert_eq!(
        details(&issued.certificate).expect("details").alternative_names,
        ["localhost", "127.0.0.1", "::1", "prov.lab", "192.0.2.1"]
    );

    let more = ["2001:db8::1".parse().expect("a host name")];
    let kept = authority.server(&more, Existing::Keep).expect("a certificate");
    assert_eq!((kept.outcome, der(&kept.certificate)), (Outcome::Kept, der(&issued.certificate)));
    let key = fs::read(&issued.key).expect("a key");
    let renewed = authority.server(&more, Existing::Renew).expect("a certificate");
    assert_eq!((renewed.outcome, fs::read(&renewed.key).expect("a key")), (Outcome::Renewed, key));
    let names = details(&renewed.certificate).expect("details").alternative_names;
    assert_eq!(names, ["localhost", "127.0.0.1", "::1", "prov.lab", "192.0.2.1", "2001:db8::1"]);
}

#[test]
fn every_certificate_says_what_it_is_for_and_until_when() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::create(folder.path()).expect("an authority");
    let own = details(&authority.certificate()).expect("details");
    let server = details(&authority.server(&[], Existing::Keep).expect("a certificate").certificate).expect("details");
    let phone =
        details(&authority.phone(&phone(), Existing::Keep).expect("a certificate").certificate).expect("details");
    assert_eq!([&own, &server, &phone].map(|details| details.is_ca), [true, false, false]);
    assert_eq!(
        [&own, &server, &phone].map(|details| (details.key.kind.as_str(), details.key.bits)),
        [("RSA", 2048); 3]
    );
    assert_eq!(
        [&own, &server, &phone].map(|details| details.issuer.as_str()),
        ["O=phoneprov, CN=phoneprov lab authority"; 3]
    );
    let days = |details: &Details| details.not_after.duration_since(Timestamp::now()).as_hours() / 24;
    assert!(days(&own) >= 3650 && days(&phone) >= 3650 && (823..=825).contains(&days(&server)));
    assert!(phone.not_after <= own.not_after && own.not_before < Timestamp::now());
}

#[test]
fn keys_are_their_owners_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::create(folder.path()).expect("an authority");
    let keys = [
        folder.path().join("ca.key"),
        authority.server(&[], Existing::Keep).expect("a certificate").key,
        authority.phone(&phone(), Existing::Keep).expect("a certificate").key,
    ];
    for key in keys {
        assert_eq!(fs::metadata(&key).expect("a key").permissions().mode() & 0o777, 0o600, "{}", key.display());
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 6, "nothing but three certificates and keys");
}

#[test]
fn an_authority_is_opened_and_not_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a/b");
    let made = der(&Authority::open_or_create(&path).expect("an authority").certificate());
    assert_eq!(der(&Authority::open_or_create(&path).expect("an authority").certificate()), made);
    let Err(error) = Authority::create(&path) else { panic!("made twice") };
    assert!(error.to_string().contains("ca.pem` exists already"), "{error}");
}

#[test]
fn two_that_start_at_once_get_one_authority() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || der(&Authority::open_or_create(folder.path()).expect("an authority").certificate());
    let (first, second) = std::thread::scope(|scope| {
        let threads = [scope.spawn(open), scope.spawn(open)];
        let [first, second] = threads.map(|thread| thread.join().expect("a thread that ends"));
        (first, second)
    });
    assert_eq!(first, second);
}

#[test]
fn what_a_crash_left_is_completed() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::create(folder.path()).expect("an authority");
    let issued = authority.phone(&phone(), Existing::Keep).expect("a certificate");
    let key = fs::read(&issued.key).expect("a key");
    fs::remove_file(&issued.certificate).expect("removed");
    let again = authority.phone(&phone(), Existing::Keep).expect("a certificate");
    assert_eq!((again.outcome, fs::read(&again.key).expect("a key")), (Outcome::Made, key));

    fs::remove_file(&again.key).expect("removed");
    let error = authority.phone(&phone(), Existing::Keep).expect_err("a certificate without its key");
    assert!(error.to_string().contains("phone-000e08abcdef.key` is not"), "{error}");
}

#[test]
fn an_authority_of_other_files_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::create(folder.path()).expect("an authority");
    let server = authority.server(&[], Existing::Keep).expect("a certificate");
    let refusal = |folder: &Path| Authority::open(folder).err().expect("a refusal").to_string();
    fs::copy(&server.key, folder.path().join("ca.key")).expect("copied");
    assert!(refusal(folder.path()).contains("ca.key` is the key of another certificate"));
    fs::copy(&server.certificate, folder.path().join("ca.pem")).expect("copied");
    assert!(refusal(folder.path()).contains("not the certificate of an authority"));
    fs::write(folder.path().join("ca.pem"), "x").expect("written");
    assert!(refusal(folder.path()).contains("ca.pem` is not usable: neither PEM nor DER"));
    assert!(refusal(&folder.path().join("nowhere")).starts_with("cannot read `"));
}
