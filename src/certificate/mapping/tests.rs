//! Mappings against certificates as operators issue them, and against those that they are not for.

use proptest::prelude::*;
use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, Issuer, KeyPair, SanType};

use super::*;
use crate::certificate::Reader;
use crate::certificate::specimen::issued;

const OWN: &[(&str, &str)] = &[("O", "Example Telco"), ("CN", "Phone CA 2")];

fn mapping(issuer: &[(&str, &str)], places: [&str; 3]) -> Result<Mapping, MappingError> {
    let issuer = issuer.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect();
    let place = |text: &str| (!text.is_empty()).then(|| text.parse()).transpose();
    Mapping::new(issuer, place(places[0])?, place(places[1])?, place(places[2])?)
}

fn reader(issuer: &[(&str, &str)], places: [&str; 3]) -> Reader {
    Reader::new(vec![mapping(issuer, places).expect("a mapping")], Reader::documented_faulty())
}

fn certificate(subject: &[(&str, &str)], issuer: &[(&str, &str)]) -> Vec<u8> {
    fn name<'a>(fields: &[(&'a str, &str)]) -> Vec<(&'a str, DnValue)> {
        fields.iter().map(|(field, value)| (*field, (*value).into())).collect()
    }
    issued(&name(subject), &name(issuer))
}

fn read(reader: &Reader, der: &[u8]) -> String {
    match reader.device(der) {
        Ok(device) => format!("{device} {}", device.model().map_or("-", Model::as_str)),
        Err(error) => error.to_string(),
    }
}

/// A certificate with these alternative names.
fn alternative(names: Vec<SanType>) -> Vec<u8> {
    let key = KeyPair::generate().expect("a key");
    let mut issuer = CertificateParams::default();
    issuer.distinguished_name = DistinguishedName::new();
    issuer.distinguished_name.push(DnType::OrganizationName, "Example Telco");
    issuer.distinguished_name.push(DnType::CommonName, "Phone CA 2");
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, "a phone");
    parameters.subject_alt_names = names;
    parameters.signed_by(&key, &Issuer::new(issuer, &key)).expect("a certificate").der().to_vec()
}

#[test]
fn each_name_is_read_from_its_place() {
    let reader = reader(&[("O", "Example Telco"), ("CN", "Phone CA*")], ["CN=phone-*", "serialNumber", "OU=model *"]);
    let subject = [("CN", "phone-00:0e:08:ab:cd:ef"), ("serialNumber", "FCH2133E8B9"), ("OU", "Model CP-8841")];
    assert_eq!(read(&reader, &certificate(&subject, OWN)), "000e08abcdef/FCH2133E8B9 CP-8841");
    assert_eq!(read(&reader, &certificate(&[("serialNumber", "FCH2133E8B9")], OWN)), "FCH2133E8B9 -");
}

#[test]
fn a_field_of_another_form_is_nothing() {
    let reader = reader(&[("CN", "Phone CA 2")], ["CN=phone-*", "", ""]);
    for name in ["phone-", "phone-000e08abcde", "xphone-000e08abcdef", "phone-000e08abcdefx", "phone-000e08abcdef.x"] {
        let said = read(&reader, &certificate(&[("CN", name)], OWN));
        assert_eq!(said, "no field names a device as its issuer's mapping says: expected a MAC address in CN=phone-*");
    }
}

#[test]
fn alternative_names_are_fields_too() {
    let dns = |name: &str| SanType::DnsName(name.try_into().expect("a name"));
    let uri = |name: &str| SanType::URI(name.try_into().expect("a name"));
    let by_dns = reader(&[("O", "Example Telco")], ["DNS=*.phones.example.com", "", ""]);
    let names = vec![dns("example.com"), dns("000E08ABCDEF.Phones.example.com")];
    assert_eq!(read(&by_dns, &alternative(names)), "000e08abcdef -");
    let two = vec![dns("000e08abcdef.phones.example.com"), dns("000e08000002.phones.example.com")];
    assert!(read(&by_dns, &alternative(two)).starts_with("two values fit DNS=*.phones.example.com"));
    let by_uri = reader(&[("O", "Example Telco")], ["URI=urn:dev:mac:*", "", ""]);
    assert_eq!(read(&by_uri, &alternative(vec![uri("urn:dev:mac:000e08abcdef")])), "000e08abcdef -");
    assert!(read(&by_uri, &alternative(Vec::new())).starts_with("no field names a device"));
}

#[test]
fn another_issuers_certificate_is_read_by_the_layouts_of_the_field() {
    let reader = reader(&[("CN", "Phone CA 2")], ["L", "", ""]);
    let subject = [("L", "000e08000002"), ("ST", "000e08abcdef"), ("OU", "SPA-962")];
    assert_eq!(read(&reader, &certificate(&subject, &[("CN", "Phone CA 3")])), "000e08abcdef/000E08000002 SPA-962");
}

#[test]
fn a_makers_certificate_is_never_mapped() {
    let everybody = reader(&[("O", "*")], ["L", "", ""]);
    let subject = [("L", "000e08000002"), ("CN", "CP-8861-SEP2C3124C9F8E1")];
    for maker in ["Cisco", "Cisco Systems", "CISCO SYSTEMS, INC.", "Sipura Technology, Inc.", "Linksys"] {
        let der = certificate(&subject, &[("O", maker), ("CN", "Cisco Manufacturing CA")]);
        assert_eq!(read(&everybody, &der), "2c3124c9f8e1 CP-8861", "{maker}");
        let said = mapping(&[("O", maker)], ["L", "", ""]).expect_err("refused").to_string();
        assert!(said.contains("makes the phones"), "{said}");
    }
    let other = certificate(&[("L", "000e08000002")], &[("O", "Ciscoville Telecom")]);
    assert_eq!(read(&everybody, &other), "000e08000002 -");
}

#[test]
fn a_mapping_does_not_contradict_the_layout_of_a_factory_certificate() {
    let reader = reader(&[("CN", "Phone CA 2")], ["L", "", ""]);
    let said = read(&reader, &certificate(&[("L", "000e08000002"), ("ST", "000e08abcdef")], OWN));
    assert!(said.contains("names 000e08000002 by its issuer's mapping and 000e08abcdef"), "{said}");
    assert_eq!(read(&reader, &certificate(&[("L", "000e08abcdef"), ("CN", "000e08abcdef")], OWN)), "000e08abcdef -");
    let generic = certificate(&[("L", "000e08abcdef"), ("CN", "ciscogeneric")], OWN);
    assert!(read(&reader, &generic).contains("ciscogeneric"));
    let control = certificate(&[("L", "000e08abcdef"), ("CN", "a\0b")], OWN);
    assert!(read(&reader, &control).starts_with("CN holds"));
}

#[test]
fn two_values_of_one_place_are_two_devices() {
    let reader = reader(&[("CN", "Phone CA 2")], ["OU", "", ""]);
    let said = read(&reader, &certificate(&[("OU", "000e08abcdef"), ("OU", "000e08000002")], OWN));
    assert_eq!(said, "two values fit OU=*, \"000e08abcdef\" and \"000e08000002\": expected one");
    assert_eq!(read(&reader, &certificate(&[("OU", "000e08abcdef"), ("OU", "Phones")], OWN)), "000e08abcdef -");
}

#[test]
fn a_faulty_run_is_refused_by_name() {
    let spa = |serial: &str| certificate(&[("OU", "SPA-2102"), ("L", serial), ("ST", "000e08abcdef")], OWN);
    for serial in ["FM500F100000", "FM600F312345", "fm700f699999"] {
        let said = read(&Reader::default(), &spa(serial));
        assert!(said.starts_with(&serial.to_ascii_uppercase()) && said.contains("installed incorrectly"), "{said}");
    }
    for serial in ["FM500F700000", "FM400F100000", "88012BA01234"] {
        assert!(Reader::default().device(&spa(serial)).is_ok(), "{serial}");
    }
    assert!(Reader::new(Vec::new(), Vec::new()).device(&spa("FM500F100000")).is_ok(), "as the operator says");
}

#[test]
fn a_mapping_that_cannot_be_meant_is_refused() {
    let refused = |issuer: &[(&str, &str)], places| mapping(issuer, places).expect_err("refused").to_string();
    assert!(refused(&[], ["CN", "", ""]).starts_with("issuer names no field"));
    assert!(refused(&[("cn", "x")], ["CN", "", ""]).starts_with("issuer.cn is no field"));
    assert!(refused(&[("CN", "x")], ["", "", "OU"]).starts_with("neither mac nor serial"));
    for place in ["cn", "SAN", "CN=", "CN=a", "CN=*a*"] {
        assert!(refused(&[("CN", "x")], [place, "", ""]).contains("is no place of a certificate"), "{place}");
    }
}

proptest! {
    #[test]
    fn a_pattern_without_a_star_is_its_text_alone(text in "\\PC{0,12}", other in "\\PC{0,12}") {
        let plain = text.replace('*', "");
        prop_assert!(Pattern(plain.clone()).fits(&plain));
        prop_assert_eq!(Pattern(plain.clone()).fits(&other), plain == other);
        let (open_end, open_start) = (format!("{plain}*"), format!("*{plain}"));
        prop_assert!(Pattern(open_end).fits(&[plain.as_str(), &other].concat()));
        prop_assert!(Pattern(open_start).fits(&[other.as_str(), &plain].concat()));
    }

    #[test]
    fn a_place_gives_the_text_between_and_nothing_else(before in "[a-zé-]{0,4}", after in "[.a-z]{0,4}", value in "\\PC{0,20}") {
        let place: Place = format!("CN={before}*{after}").parse().expect("a place");
        if let Some(within) = place.within(&value) {
            prop_assert_eq!(before.len() + within.len() + after.len(), value.len());
        }
        let whole = format!("{before}000e08abcdef{after}");
        prop_assert_eq!(place.within(&whole), Some("000e08abcdef"));
    }
}
