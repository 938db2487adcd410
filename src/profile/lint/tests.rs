use proptest::prelude::*;

use super::*;
use crate::profile::flat::FlatProfile;
use crate::profile::parameters::Family;
use crate::profile::rule::Version;

fn codes(text: &str) -> Vec<&'static str> {
    codes_for(text, &Context::new(&Settings::default()))
}

fn codes_for(text: &str, context: &Context<'_>) -> Vec<&'static str> {
    lint(text.as_bytes(), context).into_iter().map(|finding| finding.code.as_str()).collect()
}

fn profile(inner: &str) -> String {
    format!("<flat-profile>\n{inner}\n</flat-profile>\n")
}

fn fixed(text: &str) -> String {
    let settings = Settings::default();
    let findings = lint(text.as_bytes(), &Context::new(&settings));
    fix(text.as_bytes(), &findings).expect("a mended file").text
}

#[test]
fn a_correct_profile_has_no_finding() {
    assert_eq!(codes(&profile("<Proxy_1_>sip.example.com</Proxy_1_><GPP_A/>")), [""; 0]);
}

#[test]
fn what_the_operator_knows_is_known_with_any_number() {
    let text = profile("<New_Thing_2_>x</New_Thing_2_>");
    assert_eq!(codes(&text), ["unknown-parameter"]);
    let settings = Settings { known: ["New_Thing_1_".to_owned()].into_iter().collect(), ..Settings::default() };
    assert_eq!(codes_for(&text, &Context::new(&settings)), [""; 0]);
}

#[test]
fn the_phone_at_hand_decides_what_is_known() {
    let settings = Settings::default();
    let text = profile("<Admin_Passwd>x</Admin_Passwd>");
    assert_eq!(codes(&text), [""; 0], "a file for all phones");
    let context = Context { family: Some(Family::Mpp), ..Context::new(&settings) };
    let findings = lint(text.as_bytes(), &context);
    assert_eq!(findings[0].message, "Admin_Passwd is not known of MPP phones: they call it Admin_Password");
    let text = profile("<IKM_HTTP_Encrypt_Content>x</IKM_HTTP_Encrypt_Content>");
    let firmware = |text| Context { firmware: Version::parse(text), ..Context::new(&settings) };
    assert_eq!(codes_for(&text, &firmware("sip88xx.11-0-1MPP-376")), ["newer-firmware"]);
    assert_eq!(codes_for(&text, &firmware("sip88xx.11-3-2MPP0001-609")), [""; 0]);
}

#[test]
fn secrets_are_told_of_where_they_go_out_in_clear_and_never_shown() {
    let settings = Settings::default();
    let text = profile(
        "<Password_1_>n2Vb7</Password_1_><Profile_Rule>[--key n2Vb7] https://h/x</Profile_Rule><GPP_SA/>\
         <FIPS_Mode>Enabled</FIPS_Mode><Admin_Password>n2Vb7</Admin_Password><Upgrade_Rule>[--key n2Vb7</Upgrade_Rule>",
    );
    let clear = Context { sent: Sent::Clear, ..Context::new(&settings) };
    let findings = lint(text.as_bytes(), &clear);
    assert_eq!(findings.iter().filter(|finding| finding.code == Code::SecretInClear).count(), 3);
    assert!(!format!("{findings:?}").contains("n2Vb7"), "{findings:#?}");
    for (rule, count) in [
        ("(GPP_SA = &quot;n2Vb7&quot;;)! https://h/x", 1),
        ("https://h/x?password=n2Vb7", 1),
        ("(GPP_SA = &quot;$B&quot;; GPP_A = &quot;n2Vb7&quot;;)! https://h/x?password=$B", 0),
    ] {
        let findings = lint(profile(&format!("<Profile_Rule>{rule}</Profile_Rule>")).as_bytes(), &clear);
        assert_eq!(findings.iter().filter(|one| one.code == Code::SecretInClear).count(), count, "{rule}");
        assert!(!format!("{findings:?}").contains("n2Vb7"), "{findings:#?}");
    }
    let protected = Context { sent: Sent::Protected, ..Context::new(&settings) };
    assert!(!codes_for(&text, &protected).contains(&"secret-in-clear"));
}

#[test]
fn mending_changes_what_is_safe_and_nothing_else() {
    let text = "\u{feff}<flat-profile>\n  <gpp_a>é &amp; $MA</gpp_a>\n  <GPP_B>1</GPP_B>\n  <GPP_B>2</GPP_B>\n  \
                <GPP_C ua=\"na\">1</GPP_C>\n  <GPP_C>2</GPP_C>\n  <Proxi_1_>x</Proxi_1_>\n</flat-profile>\n";
    let expected = "<flat-profile>\n  <GPP_A>&#233; &amp; $MA</GPP_A>\n  <GPP_B>2</GPP_B>\n  <GPP_C ua=\"na\">1</GPP_C>\n  \
                    <GPP_C>2</GPP_C>\n  <Proxi_1_>x</Proxi_1_>\n</flat-profile>\n";
    assert_eq!(fixed(text), expected);
}

#[test]
fn a_name_in_other_case_is_left_where_the_right_one_stands_too() {
    let text = profile("<gpp_a>1</gpp_a><GPP_A>2</GPP_A>");
    assert_eq!(fixed(&text), text);
}

#[test]
fn bad_input_gives_one_clear_finding() {
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]><flat-profile>&c;</flat-profile>";
    let deep = "<a>".repeat(100_000);
    let large = profile(&"<GPP_A>x</GPP_A>".repeat(1 << 19));
    let utf16: Vec<u8> = "<flat-profile/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let settings = Settings::default();
    for (file, code) in [
        (bomb.as_bytes(), Code::NotWellFormed),
        (deep.as_bytes(), Code::NotWellFormed),
        (large.as_bytes(), Code::TooLarge),
        (&utf16, Code::NotWellFormed),
        (b"<flat-profile><GPP_A>\xe9</GPP_A></flat-profile>", Code::NotWellFormed),
        (b"<flat-profile>\0</flat-profile>", Code::NotWellFormed),
        (b"", Code::NotWellFormed),
    ] {
        let findings = lint(file, &Context::new(&settings));
        assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [code]);
        assert_eq!(findings[0].severity, Severity::Error);
    }
}

#[test]
fn a_profile_larger_than_the_operators_phones_bear_is_told_of() {
    let settings = Settings { largest: 1024, ..Settings::default() };
    let text = profile(&format!("<GPP_A>{}</GPP_A>", "x".repeat(1024)));
    assert_eq!(codes_for(&text, &Context::new(&settings)), ["too-large"]);
    assert_eq!(codes(&text), [""; 0]);
}

#[test]
fn a_file_full_of_findings_is_told_in_bounds() {
    let text = profile(&(0..20_000).fold(String::new(), |text, n| text + &format!("<Nonsense{n}/>\n")));
    let findings = lint(text.as_bytes(), &Context::new(&Settings::default()));
    assert_eq!(findings.len(), MOST + 1);
    assert_eq!(findings[MOST].code, Code::TooMany);
}

#[test]
fn an_error_is_told_however_much_came_before_it() {
    let (warnings, notes) = ("<GPP_A>a</GPP_A>\n".repeat(3000), "<Nonsense_99_/>\n".repeat(3000));
    let text = profile(&format!("{warnings}{notes}<Profile_Rule>[-key x] /x</Profile_Rule>"));
    let findings = lint(text.as_bytes(), &Context::new(&Settings::default()));
    assert_eq!(findings.len(), MOST + 1);
    assert!(findings.iter().any(|finding| finding.code == Code::BadRule && finding.severity == Severity::Error));
}

#[test]
fn every_code_is_explained() {
    let mut names: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    names.dedup();
    assert_eq!(names.len(), Code::ALL.len());
    for code in Code::ALL {
        assert!(!code.reason().is_empty() && !code.source().is_empty() && !code.mend().is_empty(), "{code}");
        assert_eq!(Code::ALL.iter().filter(|other| other.reason() == code.reason()).count(), 1, "{code}");
    }
}

proptest! {
    #[test]
    fn mending_keeps_what_a_phone_reads(
        names in proptest::collection::vec("GPP_[A-C]|gpp_[a-c]|Proxy_[12]_|prox[iy]_1_", 0..12),
        value in "[a-zé<&$ ]{0,8}",
        mark in any::<bool>(),
    ) {
        let value = value.replace('&', "&amp;").replace('<', "&lt;");
        let element = |text: String, name| text + &format!("  <{name}>{value}</{name}>\n");
        let inner = names.iter().fold(String::new(), element);
        let text = format!("{}{}", if mark { "\u{feff}" } else { "" }, profile(&inner));
        let before = FlatProfile::read(text.as_bytes()).expect("a profile").effective();
        let after = FlatProfile::read(fixed(&text).as_bytes()).expect("a profile").effective();
        let values = |profile: &FlatProfile| {
            let mut all: Vec<_> = profile.parameters.iter()
                .map(|one| (one.name().to_ascii_lowercase(), one.value().to_owned())).collect();
            all.sort();
            all.dedup();
            all
        };
        prop_assert_eq!(values(&before), values(&after));
        // Mending a name may show a duplicate; after as many rounds as `--fix` has, nothing is left.
        let mended = (0..4).fold(text, |text, _| fixed(&text));
        prop_assert_eq!(fixed(&mended), mended);
    }

    #[test]
    fn whatever_is_wrong_with_a_rule_no_secret_is_told(pieces in proptest::collection::vec(
        prop::sample::select(vec![
            "[", "]", "--key s3cret", "--pwd \"s3cret\"", "--keys3cret", "--pwd s3$cret", " ", "http://u:s3cret@h:99999/x",
            "http://u:s3cret@h", "|", "(", ")?", "(Admin_Password = \"s3cret\";)!", "$STRANGE", "é",
            "--uid u", "--bad", "/x",
        ]),
        0..8,
    )) {
        let text = format!("<flat-profile><Profile_Rule>{}</Profile_Rule></flat-profile>", pieces.concat());
        let settings = Settings::default();
        let context = Context { sent: Sent::Clear, ..Context::new(&settings) };
        let findings = lint(text.as_bytes(), &context);
        let told: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
        prop_assert!(!told.concat().contains("s3cret"), "{text}: {told:?}");
    }

    #[test]
    fn any_text_is_looked_at_in_peace(text in "[<>/a-zA-Z_\\-&;\"= \n!\\[\\]é]{0,200}") {
        let _ = lint(text.as_bytes(), &Context::new(&Settings::default()));
    }
}
