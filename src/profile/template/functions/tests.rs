//! What templates write with them.

use super::super::tests::render;

fn of(template: &str) -> Result<String, String> {
    render(&[("$MA.cfg", template)])
}

#[test]
fn a_parameter_is_written_as_phones_read_it() {
    for (template, written) in [
        (r#"{{ param("Station_Name", name) }}"#, "<Station_Name>Zo&#235; &lt;\"&amp;'&gt;/</Station_Name>"),
        (r#"{{ param("SIP_Port_1_", port, ua="na") }}"#, r#"<SIP_Port_1_ ua="na">5060</SIP_Port_1_>"#),
        (
            r#"{{ param("Line_Enable_1_", true) }}{{ param("DND", 1 > 2) }}"#,
            "<Line_Enable_1_>Yes</Line_Enable_1_><DND>No</DND>",
        ),
        (r#"{{ param("Text_Logo", "") }}"#, "<Text_Logo></Text_Logo>"),
    ] {
        assert_eq!(of(template).as_deref(), Ok(written), "{template}");
    }
}

#[test]
fn lines_are_numbered_in_order_and_their_parameters_by_name() {
    let template = r#"{{ lines([{"User_ID": "101", "Display_Name_": "Ä"}, {"User_ID": "102"}], ua="ro") }}"#;
    let written = "<Display_Name_1_ ua=\"ro\">&#196;</Display_Name_1_>\n<User_ID_1_ ua=\"ro\">101</User_ID_1_>\n\
                   <User_ID_2_ ua=\"ro\">102</User_ID_2_>";
    assert_eq!(of(template).as_deref(), Ok(written));
    let template = r#"{{ lines([{"Unit_1_Key_n_": "fnc=sd"}], first=7) }}"#;
    assert_eq!(of(template).as_deref(), Ok("<Unit_1_Key_7_>fnc=sd</Unit_1_Key_7_>"));
    assert_eq!(of("{{ lines([]) }}").as_deref(), Ok(""));
    let known = r#"{{ lines([{"Speed_Dial_2_": "fnc=sd"}]) }}"#;
    assert_eq!(of(known).as_deref(), Ok("<Speed_Dial_2_1_>fnc=sd</Speed_Dial_2_1_>"), "a name with two numbers");
}

#[test]
fn a_layer_overrides_single_parameters_of_what_is_below_it() {
    let template = r#"{% filter merge({"Text_Logo": "Lab", "Aux": {"value": 2, "ua": "na"}}, "<flat-profile><Text_Logo>Site</Text_Logo></flat-profile>") %}
<flat-profile>
  <!-- of all -->
  <Station_Name ua="rw">{{ name }}</Station_Name>
  <Text_Logo ua="ro">None</Text_Logo>
</flat-profile>
{% endfilter %}"#;
    let written = "<flat-profile>\n  <Station_Name ua=\"rw\">Zo&#235; &lt;\"&amp;'&gt;/</Station_Name>\n  \
                   <Text_Logo ua=\"ro\">Site</Text_Logo>\n  <Aux ua=\"na\">2</Aux>\n</flat-profile>\n";
    assert_eq!(of(template).as_deref(), Ok(written));
}

#[test]
fn what_cannot_be_written_is_said_without_its_value() {
    for (template, reason) in [
        (
            r#"{{ param("secret name", 1) }}"#,
            "the name of the parameter that param() names is not one: expected a letter",
        ),
        (r#"{{ param("secret", none) }}"#, "the parameter that param() names has no value"),
        (r#"{{ lines([{"secret name": 1}]) }}"#, "the name of a parameter in entry 1 of lines() is not one"),
        (r#"{{ lines([{"User_ID_1_": 1}]) }}"#, "a name in entry 1 of lines() ends with a line's number: leave it out"),
        (r#"{{ lines([{"secret_7_": 1}]) }}"#, "a name in entry 1 of lines() ends with a line's number"),
        ("{{ lines([], first=0) }}", "first of lines() is not a line's number: expected 1 to 1000"),
        ("{{ lines([{}, {}], first=18446744073709551615) }}", "first of lines() is not a line's number"),
        (
            r#"{{ "<flat-profile/>" | merge({"secret name": 1}) }}"#,
            "the name of a parameter in a table of merge is not one",
        ),
        (
            r#"{{ "<flat-profile/>" | merge({"GPP_A": {"value": 1, "us": "na"}}) }}"#,
            "the table of GPP_A has the key `us`",
        ),
        (r#"{{ "<flat-profile/>" | merge({"GPP_A": {"Secret!": "secret"}}) }}"#, "the table of GPP_A has another key"),
        (r#"{{ param("GPP_A", [1]) }}"#, "the value of GPP_A is a sequence: expected text, a number, or true or false"),
        (r#"{{ param("GPP_A", none) }}"#, "GPP_A has no value: give it a default"),
        (r#"{{ param("GPP_A", "secret\u0007") }}"#, "the value of GPP_A has a control character"),
        (r#"{{ param("GPP_A", "secret", ua="all") }}"#, "ua is none of \"na\", \"ro\" and \"rw\""),
        (r#"{{ lines({"secret": 1}) }}"#, "lines() takes a list of at most 1000 tables"),
        (r#"{{ lines(["secret"]) }}"#, "entry 1 of lines() is no table of names and values"),
        (r#"{{ "<flat-profile>secret" | merge({}) }}"#, "merge: "),
        (r#"{{ "<flat-profile></flat-profile>" | merge(["secret"]) }}"#, "merge takes profiles, and tables"),
    ] {
        let error = of(template).expect_err(template);
        assert!(error.starts_with("$MA.cfg:1: ") && error.contains(reason), "{template}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
