//! What people have, and what nobody should send.

use super::*;

fn read(text: &str) -> FlatProfile {
    FlatProfile::read(text.as_bytes()).expect("a profile")
}

fn refusal(file: &[u8]) -> String {
    FlatProfile::read(file).expect_err("no profile").to_string()
}

fn pairs(profile: &FlatProfile) -> Vec<(String, &str)> {
    profile.parameters.iter().map(|parameter| (parameter.key(), parameter.value())).collect()
}

#[test]
fn a_profile_alone_is_its_parameters_in_order() {
    let profile = read(
        "<?xml version=\"1.0\"?>\n<!-- a --><flat-profile>\n  <GPP_A> 1&amp;2\n 3 </GPP_A>\n  <GPP_B ua=\"rw\" x='y'/>\n\
         <GPP_A></GPP_A>stray</flat-profile>\n",
    );
    assert_eq!(pairs(&profile), [("GPP_A".into(), "1&2  3"), ("GPP_B".into(), ""), ("GPP_A".into(), "")]);
    assert_eq!(profile.form, Form::default());
    let second = &profile.parameters[1];
    assert_eq!((second.user_access(), second.attribute("x"), second.is_self_closing()), (Some("rw"), Some("y"), true));
    assert_eq!(second.place().to_string(), "line 5, column 3");
    assert!(!profile.parameters[2].is_self_closing());
    assert_eq!(profile.get("GPP_A"), Some(""));
}

#[test]
fn a_comment_inside_a_value_and_a_section_are_no_part_of_the_markup() {
    let profile = read("<flat-profile><A> <!-- x --> b<!-- y -->c <![CDATA[<&> ]]> </A></flat-profile>");
    assert_eq!(profile.get("A"), Some("bc <&>"));
}

#[test]
fn white_space_written_as_references_is_meant() {
    assert_eq!(read("<flat-profile><A> &#32;b&#10; </A></flat-profile>").get("A"), Some(" b\n"));
}

#[test]
fn every_place_of_a_router_configuration_is_found() {
    let router = "<router-configuration><Web_Login_Admin_Name>a</Web_Login_Admin_Name><Time_Setup><Time_Zone>z</Time_Zone>\
                  </Time_Setup></router-configuration>";
    let flat = "<flat-profile><A>1</A></flat-profile>";
    let around = router.replace("</router", &format!("{flat}</router"));
    let inside = flat.replace("</flat", &format!("{router}</flat"));
    let cases = [
        (format!("<device>{flat}</device>"), true, RouterPlace::Absent),
        (inside.clone(), false, RouterPlace::Inside),
        (format!("<device>{inside}</device>"), true, RouterPlace::Inside),
        (format!("<CPE><Account>7</Account><b>{inside}</b></CPE>"), false, RouterPlace::Inside),
        (around, false, RouterPlace::Around),
        (format!("{router}\n{flat}"), false, RouterPlace::Beside),
        (format!("{flat}{router}"), false, RouterPlace::Beside),
        (format!("<device><fullConfig>true</fullConfig>{flat}{router}</device>"), true, RouterPlace::Beside),
    ];
    for (text, in_device, place) in cases {
        let profile = read(&text);
        assert_eq!(profile.form, Form { in_device, router: place }, "{text}");
        assert_eq!(profile.get("A"), Some("1"), "{text}");
        let keys: Vec<String> = profile.parameters.iter().map(Parameter::key).collect();
        let has = |key: &str| keys.iter().any(|other| other == key);
        let settings =
            has("router-configuration/Time_Setup/Time_Zone") && has("router-configuration/Web_Login_Admin_Name");
        assert_eq!(settings, place != RouterPlace::Absent, "{text}");
    }
}

#[test]
fn entries_of_a_list_of_router_settings_are_told_apart() {
    let profile = read(
        "<flat-profile><router-configuration><Pool><Rule><IP>1</IP></Rule><Rule><IP>2</IP></Rule></Pool>\
         </router-configuration></flat-profile>",
    );
    let keys: Vec<String> = profile.parameters.iter().map(Parameter::key).collect();
    assert_eq!(keys, ["router-configuration/Pool/Rule/IP", "router-configuration/Pool/Rule[2]/IP"]);
}

#[test]
fn a_later_profile_overrides_parameter_by_parameter() {
    let first = read("<flat-profile><A ua=\"ro\">1</A><B>2</B></flat-profile>");
    let later = read("<flat-profile><C>3</C><A>4</A><A x=\"y\">5</A></flat-profile>");
    let merged = first.overlaid(&later);
    assert_eq!(
        first.overlaid_by(&[later.clone(), first.clone(), later.clone()]),
        merged.overlaid(&first).overlaid(&later)
    );
    assert_eq!(pairs(&merged), [("A".into(), "5"), ("B".into(), "2"), ("C".into(), "3")]);
    assert_eq!(merged.parameters[0].user_access(), Some("ro"));
    assert_eq!(pairs(&later.effective()), [("C".into(), "3"), ("A".into(), "5")]);
}

#[test]
fn what_can_be_read_past_is_a_flaw() {
    let document = Document::read("\u{feff}\n<?xml version='1.0' encoding='x'?>t<a/><!-- -- --><b/>".as_bytes());
    let document = document.expect("XML, nearly");
    let kinds: Vec<FlawKind> = document.flaws.iter().map(|flaw| flaw.kind).collect();
    assert_eq!(
        kinds,
        [FlawKind::LateDeclaration, FlawKind::TextOutsideRoot, FlawKind::DoubleHyphen, FlawKind::SecondRoot]
    );
    assert!(document.byte_order_mark);
    assert_eq!(document.declaration.and_then(|declaration| declaration.encoding).as_deref(), Some("x"));
}

#[test]
fn each_mistake_is_told_with_its_place() {
    let cases: [(&str, &str); 20] = [
        ("", "line 1, column 1: no element"),
        ("text", "line 1, column 1: no element"),
        ("<flat-profile>\n <A>1</B>", "line 2, column 6: `</B>` closes nothing here: `<A>` of line 2 is open"),
        ("<flat-profile>\n<A>1</A>", "line 1, column 1: `<flat-profile>` is not closed"),
        ("<flat-profile/></x>", "line 1, column 16: `</x>` closes nothing"),
        ("<flat-profile><A>é & b</A></flat-profile>", "line 1, column 20: `&` begins no reference"),
        ("<flat-profile><A b='&nbsp;'/></flat-profile>", "line 1, column 15: `&` begins no reference"),
        ("<flat-profile><1A/></flat-profile>", "line 1, column 15: no name of an element"),
        ("<flat-profile><A x/></flat-profile>", "line 1, column 19: an attribute without a value"),
        ("<flat-profile><A x=y/></flat-profile>", "an attribute's value needs quotes"),
        ("<flat-profile><A x='1' x='2'/></flat-profile>", "the attribute `x` stands twice"),
        ("<flat-profile><A x='1'y='2'/></flat-profile>", "white space is missing"),
        ("<flat-profile>\n<A", "line 2, column 1: tag not closed"),
        ("<!DOCTYPE a><a/>", "line 1, column 1: `<!DOCTYPE` is refused"),
        ("<flat-profile>\u{1}</flat-profile>", "line 1, column 15: character U+0001"),
        ("<html/>", "line 1, column 1: the root is `<html>`"),
        ("<device><a/></device>", "`<device>` holds no `<flat-profile>`"),
        ("<flat-profile/><flat-profile/>", "line 1, column 16: a second `<flat-profile>`"),
        ("<flat-profile>\n<A>1<B>2</B></A></flat-profile>", "line 2, column 5: `<B>` stands inside `<A>`"),
        ("<flat-profile/><!-- ", "line 1, column 16: comment not closed"),
    ];
    for (text, wanted) in cases {
        let refusal = refusal(text.as_bytes());
        assert!(refusal.contains(wanted), "{text}: {refusal}");
    }
}

#[test]
fn no_value_stands_in_an_error() {
    for text in
        ["<flat-profile><Admin_Password>tops&ecret;</Admin_Password>", "<flat-profile><P>topsecret</P></topsecret<"]
    {
        let refusal = refusal(text.as_bytes());
        assert!(!refusal.contains("ecret;") && !refusal.contains("topsecret"), "{refusal}");
    }
}

#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    let bomb = "<!DOCTYPE lolz [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;\">]><flat-profile><A>&b;</A></flat-profile>";
    assert!(refusal(bomb.as_bytes()).contains("<!DOCTYPE"));
    assert!(refusal("<a>".repeat(1_000_000).as_bytes()).contains("more than 16 deep"));
    assert!(refusal(format!("<flat-profile>{}", "<a/>".repeat(200_000)).as_bytes()).contains("more than 100000"));
    let attributes: String = (0..100_000).fold(String::new(), |text, number| text + &format!(" a{number}=''"));
    assert!(refusal(format!("<flat-profile{attributes}/>").as_bytes()).contains("more than 32 attributes"));
    assert!(refusal(&vec![b'<'; MAX_BYTES + 1]).contains("more than 4194304 bytes"));
    assert!(refusal(&vec![b'<'; MAX_BYTES]).starts_with("line 1, column 1"));
    assert!(refusal(&[0; 1000]).contains("U+0000"));
}
