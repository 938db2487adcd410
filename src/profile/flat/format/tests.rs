//! The canonical form of what people write.

use proptest::prelude::*;

use super::*;

fn formatted(text: &str, order: Order) -> Result<String, FormatError> {
    format(&Document::read(text.as_bytes())?, order)
}

fn refusal(text: &str) -> String {
    formatted(text, Order::Kept).expect_err("no canonical form").to_string()
}

const WILD: &str = "\u{feff}<?xml version='1.0'?><!-- é -- top --->\r\n\r\n<flat-profile>\r\n\r\n\r\n\
    <!------ Provisioning ------>\n<GPP_B ua = 'rw'\n x=\"&quot;é\">  é &amp;\r\n b  </GPP_B><!-- choices: a|b -->\n\n\n\
    <GPP_A></GPP_A><GPP_C/>\n<Line_10_>1<!-- in -->0</Line_10_>\n<Line_2_><![CDATA[<2>]]></Line_2_>\n<!-- end -->\
    \n</flat-profile>";

#[test]
fn the_canonical_form_keeps_what_means_something() {
    insta::assert_snapshot!(formatted(WILD, Order::Kept).expect("a profile"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <!-- é - - top - -->
    <flat-profile>
      <!--- - - - Provisioning - - - - -->
      <GPP_B ua="rw" x="&quot;&#233;">&#233; &amp;  b</GPP_B> <!-- choices: a|b -->

      <GPP_A></GPP_A>
      <GPP_C/>
      <Line_10_>10</Line_10_> <!-- in -->
      <Line_2_>&lt;2&gt;</Line_2_>
      <!-- end -->
    </flat-profile>
    "#);
}

#[test]
fn sorted_by_name_comments_go_with_their_elements() {
    insta::assert_snapshot!(formatted(WILD, Order::ByName).expect("a profile"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <!-- é - - top - -->
    <flat-profile>
      <GPP_A></GPP_A>
      <!--- - - - Provisioning - - - - -->
      <GPP_B ua="rw" x="&quot;&#233;">&#233; &amp;  b</GPP_B> <!-- choices: a|b -->
      <GPP_C/>
      <Line_2_>&lt;2&gt;</Line_2_>
      <Line_10_>10</Line_10_> <!-- in -->
      <!-- end -->
    </flat-profile>
    "#);
}

#[test]
fn a_router_configuration_stays_where_it_stands() {
    let text = "<router-configuration>\n<N>1</N></router-configuration><flat-profile><A>2</A></flat-profile>";
    insta::assert_snapshot!(formatted(text, Order::Kept).expect("a profile"), @r#"
    <router-configuration>
      <N>1</N>
    </router-configuration>
    <flat-profile>
      <A>2</A>
    </flat-profile>
    "#);
    let device = "<device><fullConfig>true</fullConfig><flat-profile/><router-configuration/></device>";
    insta::assert_snapshot!(formatted(device, Order::Kept).expect("a profile"), @r#"
    <device>
      <fullConfig>true</fullConfig>
      <flat-profile/>
      <router-configuration/>
    </device>
    "#);
}

#[test]
fn nothing_is_dropped_without_a_word() {
    assert!(refusal("<flat-profile>\n <A/> x</flat-profile>").starts_with("line 2, column 7: text between elements"));
    assert!(refusal("<flat-profile>x</flat-profile>").starts_with("line 1, column 15: text between elements"));
    assert!(refusal("<flat-profile>{% if a %}<A/>{% endif %}</flat-profile>").contains("a template's expression"));
    assert!(refusal("<flat-profile><A>{{ \"é\" }}</A></flat-profile>").starts_with("line 1, column 18: a template's"));
    let latin = "<?xml version='1.0' encoding='ISO-8859-1'?><flat-profile><A>é</A></flat-profile>";
    assert!(refusal(latin).contains("declared as ISO-8859-1"));
    assert!(refusal("<a/>").contains("the root is `<a>`"));
}

/// Pieces that stand between a profile's tags in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<A>1</A>"),
        Just("<B_2_ ua='rw'/>"),
        Just("<B_10_> é&#32;</B_10_>"),
        Just("<C><!-- c -->x<?p q?></C>"),
        Just("<!-- c -->"),
        Just("<!--- -- -\r\n-->"),
        Just("<?p q?>"),
        Just("\n"),
        Just(" "),
        Just("\r\n\r\n"),
        Just("\r"),
        Just("<D></D>"),
        Just("<E><![CDATA[ a&b ]]></E>"),
        Just("<F>&amp;&#10;</F>"),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn the_canonical_form_is_stable_and_keeps_every_value(inner in pieces(), after in "[\n ]{0,4}(<!-- a -->)?", by_name in any::<bool>()) {
        let order = if by_name { Order::ByName } else { Order::Kept };
        let text = format!("<flat-profile>{inner}</flat-profile>{after}");
        let once = formatted(&text, order).expect("a profile");
        prop_assert_eq!(&formatted(&once, order).expect("a profile"), &once);
        let values = |text: &str| -> Vec<(String, String, Option<String>, bool)> {
            let profile = FlatProfile::read(text.as_bytes()).expect("a profile");
            let mut values: Vec<_> = profile.parameters.iter().map(|p| {
                let access = p.user_access().map(str::to_owned);
                (p.name().to_owned(), p.value().to_owned(), access, p.is_self_closing())
            }).collect();
            if by_name {
                values.sort();
            }
            values
        };
        prop_assert_eq!(values(&once), values(&text));
    }
}
