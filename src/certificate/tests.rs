//! The reader against every subject layout of the field, and against those who would pass for a phone.

use proptest::prelude::*;
use rcgen::DnValue;
use rcgen::string::{BmpString, PrintableString, TeletexString};

use super::error::{Field, NotADevice};
use super::specimen::{issued, patched, subject};
use super::{Block, blocks, details, device, expires};

type Attributes<'a> = &'a [(&'a str, &'a str)];

/// `mac serial model` of the device that a subject names, `-` for each that is missing; the error's text otherwise.
fn read(attributes: Attributes<'_>) -> String {
    let attributes: Vec<(&str, DnValue)> = attributes.iter().map(|(field, value)| (*field, (*value).into())).collect();
    outcome(&subject(&attributes))
}

fn outcome(der: &[u8]) -> String {
    match device(der) {
        Ok(device) => {
            let mac = device.mac().map_or("-".into(), |mac| mac.to_string());
            let serial = device.serial().map_or("-", |serial| serial.as_str());
            format!("{mac} {serial} {}", device.model().map_or("-", |model| model.as_str()))
        }
        Err(error) => error.to_string(),
    }
}

fn nobody(attributes: Attributes<'_>) -> bool {
    read(attributes).starts_with("no field names a device")
}

#[test]
fn the_layout_of_the_guides_names_mac_serial_and_product() {
    let spa = [("OU", "SPA-962"), ("L", "88012BA01234"), ("ST", "000e08abcdef")];
    assert_eq!(read(&spa), "000e08abcdef 88012BA01234 SPA-962");
    let mpp = [("OU", "CP-8841-3PCC"), ("L", "88012BA01234"), ("ST", "000E08ABCDEF")];
    assert_eq!(read(&mpp), "000e08abcdef 88012BA01234 CP-8841-3PCC");
}

#[test]
fn the_layout_of_the_trace_names_mac_serial_and_product() {
    let serial = ("serialNumber", "PID:CP-8861 SN:FCH2133E8B9");
    let trace = [serial, ("O", "Cisco Systems Inc."), ("OU", "CTG"), ("CN", "CP-8861-SEP2C3124C9F8E1")];
    assert_eq!(read(&trace), "2c3124c9f8e1 FCH2133E8B9 CP-8861");
    assert_eq!(read(&[("CN", "CP-8861-SEP2C3124C9F8E1")]), "2c3124c9f8e1 - CP-8861");
    assert_eq!(read(&[("CN", "SEP2C3124C9F8E1")]), "2c3124c9f8e1 - -");
}

#[test]
fn a_sudi_without_mac_names_the_serial() {
    let sudi = [("serialNumber", "PID:CP-8861 SN:FCH2133E8B9"), ("OU", "ACT-2 Lite SUDI"), ("CN", "CP-8861")];
    assert_eq!(read(&sudi), "- FCH2133E8B9 CP-8861");
}

#[test]
fn an_operators_certificate_names_the_mac_in_cn() {
    assert_eq!(read(&[("CN", "000e08abcdef")]), "000e08abcdef - -");
    assert_eq!(
        read(&[("ST", "Texas"), ("L", "Houston1"), ("OU", "Phones"), ("CN", "000E08ABCDEF")]),
        "000e08abcdef - -"
    );
}

#[test]
fn a_field_of_another_form_is_nobody() {
    let values =
        ["x000e08abcdefx", "000e08abcdef0", "000e08abcde", " 000e08abcdef", "00:0e:08:ab:cd:ef", "000e08abcdeg"];
    for value in values {
        assert!(nobody(&[("ST", value)]), "ST={value}");
        assert!(nobody(&[("CN", value)]), "CN={value}");
    }
    let names = [
        "CP-8861-SEP2C3124C9F8E1x",
        "CP-8861SEP2C3124C9F8E1",
        "-SEP2C3124C9F8E1",
        "CP-8861-SEP:2C3124C9F8E1",
        "a/b-SEP2C3124C9F8E1",
        "CP-8861-2C3124C9F8E1",
        "CN=SEP2C3124C9F8E1",
        "CP-8861-sep2C3124C9F8E1",
        "",
    ];
    for name in names {
        assert!(nobody(&[("CN", name)]), "CN={name}");
    }
}

#[test]
fn a_field_that_names_no_device_is_not_searched_for_one() {
    for field in ["OU", "L", "O", "title", "serialNumber"] {
        assert!(nobody(&[(field, "000e08abcdef")]), "{field}");
        assert!(nobody(&[(field, "CP-8861-SEP2C3124C9F8E1")]), "{field}");
        assert_eq!(read(&[(field, "111111111111"), ("CN", "000e08abcdef")]), "000e08abcdef - -");
    }
}

#[test]
fn the_issuer_is_nobody() {
    let der = issued(&[("O", "a phone".into())], &[("ST", "000e08abcdef".into()), ("CN", "000e08abcdef".into())]);
    assert!(outcome(&der).starts_with("no field names a device (it has none of them)"));
}

#[test]
fn the_generic_certificate_is_refused_by_name() {
    let generic = [("OU", "cisco.com"), ("L", "ciscogeneric"), ("ST", "ciscogeneric")];
    assert!(read(&generic).starts_with("L is \"ciscogeneric\""));
    for field in ["OU", "L", "CN"] {
        let attributes = [(field, "CiscoGeneric".into()), ("ST", "000e08abcdef".into())];
        assert!(matches!(device(&subject(&attributes)), Err(NotADevice::GenericCertificate(_))), "{field}");
    }
}

#[test]
fn two_devices_in_one_subject_are_refused() {
    assert_eq!(
        read(&[("ST", "000e08abcdef"), ("CN", "CP-8861-SEP2C3124C9F8E1")]),
        "the subject names two devices: ST is \"000e08abcdef\" and CN is \"CP-8861-SEP2C3124C9F8E1\""
    );
    assert_eq!(
        read(&[("ST", "000e08abcdef"), ("ST", "000e08abcdee")]),
        "ST stands twice in the subject, as \"000e08abcdef\" and as \"000e08abcdee\", and so names two devices: \
         expected one"
    );
    let serials = [("ST", "000e08abcdef"), ("L", "88012BA01234"), ("serialNumber", "PID:CP-8861 SN:FCH2133E8B9")];
    assert!(read(&serials).contains("two devices: L is \"88012BA01234\" and serialNumber is"));
    assert!(read(&[("ST", "000e08abcdef"), ("ST", "Texas")]).contains("ST stands twice"));
}

#[test]
fn one_device_named_twice_is_one_device() {
    assert_eq!(read(&[("ST", "000e08abcdef"), ("CN", "SEP000E08ABCDEF")]), "000e08abcdef - -");
    assert_eq!(read(&[("CN", "000e08abcdef"), ("CN", "000e08abcdef")]), "000e08abcdef - -");
    assert_eq!(read(&[("OU", "CP-8841"), ("OU", "Phones"), ("ST", "000e08abcdef")]), "000e08abcdef - -");
}

#[test]
fn a_control_character_is_refused_wherever_it_stands() {
    for value in ["000e08abcdef\0", "\x00000e08abcdef", "000e08\0abcdef", "000e08abcdef\n"] {
        for field in ["ST", "CN", "L", "OU", "serialNumber"] {
            let expected = format!("{field} holds \"{}\" (Utf8String): expected", value.as_bytes().escape_ascii());
            assert!(read(&[(field, value), ("title", "x")]).starts_with(&expected), "{expected}");
        }
    }
    assert!(read(&[("ST", "000e08abcdef"), ("CN", "a\0b")]).contains("CN holds \"a\\x00b\""));
}

#[test]
fn text_beyond_ascii_names_nobody_and_harms_nobody() {
    assert!(nobody(&[("CN", "０００e08abcdef")]));
    assert_eq!(read(&[("ST", "Baden-Württemberg"), ("CN", "000e08abcdef")]), "000e08abcdef - -");
    assert_eq!(read(&[("ST", "000e08abcdef"), ("L", "Müns7er"), ("OU", "Büro")]), "000e08abcdef - -");
}

#[test]
fn a_product_identifier_is_whole_or_refused() {
    for value in
        ["PID:", "PID:CP-8861", "PID:CP-8861 SN:", "PID:CP-8861 SN:FCH2133E8B9 X", "PID:CP-8861  SN:FCH2133E8B9"]
    {
        assert!(
            read(&[("serialNumber", value), ("CN", "000e08abcdef")]).starts_with("serialNumber holds \"PID:"),
            "{value}"
        );
    }
    assert!(nobody(&[("serialNumber", "SN:FCH2133E8B9")]));
    assert!(nobody(&[("serialNumber", "xPID:CP-8861 SN:FCH2133E8B9")]));
}

#[test]
fn every_text_type_of_the_field_is_read_and_others_are_refused() {
    let mac = "000e08abcdef";
    let printable = DnValue::PrintableString(PrintableString::try_from(mac).expect("printable"));
    let teletex = DnValue::TeletexString(TeletexString::try_from(mac).expect("teletex"));
    for value in [mac.into(), printable, teletex] {
        assert_eq!(outcome(&subject(&[("ST", value)])), "000e08abcdef - -");
    }
    let wide = DnValue::BmpString(BmpString::try_from(mac).expect("wide"));
    assert!(outcome(&subject(&[("ST", wide)])).contains("(BmpString): expected a UTF8String"));
    let octets = patched(&[("ST", mac.into())], b"\x0c\x0c000e08abcdef", b"\x04\x0c000e08abcdef");
    assert!(outcome(&octets).contains("(OctetString): expected a UTF8String"));
    let constructed = patched(&[("ST", mac.into())], b"\x0c\x0c000e08abcdef", b"\x2c\x0c000e08abcdef");
    assert!(matches!(device(&constructed), Err(NotADevice::Unreadable { field: Field::State, .. })));
}

#[test]
fn bytes_after_a_value_are_refused() {
    let der = patched(&[("ST", "000e08abcdefXX".into())], b"\x0c\x0e000e08abcdefXX", b"\x0c\x0c000e08abcdef\x05\x00");
    assert_eq!(device(&der), Err(NotADevice::Malformed));
}

#[test]
fn a_name_that_is_damaged_further_on_is_refused_whole() {
    let names = [("ST", "000e08abcdef".into()), ("title", "tail".into())];
    let der = patched(&names, b"\x0c\x04tail", b"\x0c\x7ftail");
    assert!(matches!(device(&der), Err(NotADevice::Malformed | NotADevice::NotACertificate(_))));
    let der = patched(&names, b"\x06\x03\x55\x04\x0c", b"\x02\x03\x55\x04\x0c");
    assert_eq!(device(&der), Err(NotADevice::Malformed));
}

#[test]
fn a_certificate_and_something_else_is_not_a_certificate() {
    let mut der = subject(&[("ST", "000e08abcdef".into())]);
    der.push(0);
    assert_eq!(outcome(&der), "1 bytes follow the certificate: expected one certificate and nothing else");
    assert!(outcome(b"").starts_with("not an X.509 certificate in DER form"));
}

#[test]
fn a_long_value_is_cut_in_the_message() {
    let text = read(&[("CN", &"\u{1b}[2J".repeat(100))]);
    assert!(text.contains("…\" (400 bytes)") && text.len() < 400 && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn the_details_are_those_of_the_certificate() {
    let der = subject(&[("OU", "SPA-962".into()), ("ST", "000e08abcdef".into()), ("CN", "a\u{1b}b".into())]);
    let details = details(&der).expect("details");
    let subject: Vec<String> = details.subject.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(subject, ["OU=SPA-962", "ST=000e08abcdef", "CN=a\\u{1b}b"]);
    assert_eq!((details.issuer.as_str(), details.signature.as_str()), ("CN=a test", "ecdsa-with-SHA256"));
    assert_eq!((details.key.kind.as_str(), details.key.bits, details.is_ca), ("EC", 256, false));
    assert_eq!(details.not_before.to_string(), "1975-01-01T00:00:00Z");
    assert_eq!(expires(&der), Ok(details.not_after));
}

#[test]
fn a_certificate_without_end_has_one_that_can_be_held() {
    let der = patched(&[("CN", "x".into())], b"40960101000000Z", b"99991231235959Z");
    assert_eq!(expires(&der), Ok(jiff::Timestamp::MAX));
}

#[test]
fn a_file_is_read_block_by_block() {
    let file = "text\n-----BEGIN RSA PRIVATE KEY-----\nnot base64: \n-----END RSA PRIVATE KEY-----\n\
                -----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN X509 CRL-----\n";
    let expected =
        [Block::PrivateKey("RSA PRIVATE KEY".into()), Block::Certificate(vec![0; 3]), Block::Other("X509 CRL".into())];
    assert_eq!(blocks(file.as_bytes()).expect("blocks"), expected);
    let damaged = blocks(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").expect_err("damaged");
    assert!(damaged.to_string().starts_with("certificate 1 of the file is damaged"));
    assert!(blocks(b"hello").is_err());
}

/// Values that look like names, almost like names, or like nothing.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-f]{12}",
        "(000e08abcdef|SEP000e08abcdef|CP-8841-SEP000E08ABCDEF)",
        "[A-Z0-9-]{0,6}-?SEP[0-9A-Fa-f]{11,13}",
        "PID:[A-Z0-9-]{0,8} ?SN:[A-Z0-9]{4,14}",
        "(ciscogeneric|88012BA01234|)",
        "\\PC{0,20}",
    ]
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(bytes: Vec<u8>) {
        prop_assert!(device(&bytes).is_err());
        prop_assert!(details(&bytes).is_err());
        let _ = blocks(&bytes);
    }

    #[test]
    fn a_damaged_certificate_does_no_harm(at: prop::sample::Index, byte: u8, length: prop::sample::Index) {
        let mut der = subject(&[("OU", "SPA-962".into()), ("ST", "000e08abcdef".into()), ("CN", "x".into())]);
        let at = at.index(der.len());
        der[at] = byte;
        der.truncate(length.index(der.len() * 2).max(at));
        let _ = (device(&der), details(&der));
    }

    #[test]
    fn a_device_is_what_a_whole_field_says(
        fields in prop::collection::btree_map(
            prop::sample::select(vec!["CN", "ST", "L", "OU", "O", "serialNumber", "title"]), value(), 0..7,
        )
    ) {
        let attributes: Vec<(&str, DnValue)> =
            fields.iter().map(|(field, value)| (*field, value.as_str().into())).collect();
        let field = |name| fields.get(name).map_or("", String::as_str);
        let Ok(device) = device(&subject(&attributes)) else { return Ok(()) };
        if let Some(mac) = device.mac() {
            let stem = |stem: &str| stem.is_empty() || stem == "SEP" || stem.ends_with("-SEP");
            let name = field("CN");
            let named = name.len().checked_sub(12).and_then(|at| name.split_at_checked(at));
            let named = named.is_some_and(|(head, digits)| stem(head) && digits.eq_ignore_ascii_case(&mac.ma()));
            prop_assert!(named || field("ST").eq_ignore_ascii_case(&mac.ma()), "{fields:?}");
        }
        if let Some(serial) = device.serial() {
            let product = field("serialNumber").strip_prefix("PID:").and_then(|rest| rest.split_once(" SN:"));
            let product = product.map_or("", |(_, serial)| serial);
            prop_assert!([field("L"), product].map(str::to_ascii_uppercase).contains(&serial.as_str().to_owned()));
        }
        prop_assert!(!["CN", "ST", "L", "OU"].map(field).contains(&"ciscogeneric"));
    }
}
