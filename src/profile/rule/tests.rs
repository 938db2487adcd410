//! What rules do: triggers, assignments, options, reasons, bounds, and the round trip through text.

mod examples;
mod refusals;

use proptest::prelude::*;

use super::*;
use crate::profile::macros::Register;
use crate::profile::values::Values;

/// A phone of the guides.
fn phone() -> Values {
    let mut values = Values::default();
    let given = [
        ("MA", "000e08012345"),
        ("PN", "CP-8841-3PCC"),
        ("SN", "88012BA01234"),
        ("SWVER", "sip88xx.11-3-2MPP0001-609"),
        ("CCERT", "Installed"),
        ("PRVTMR", "600"),
        ("UPGTMR", "301"),
        ("REGTMR1", "0"),
        ("EXTIP", ""),
        ("GPP_B", "Dj6Lmp23Q"),
        ("GPP_D", "d"),
        ("GPP_E", "e"),
        ("GPP_SA", "MyUserID"),
        ("GPP_SB", "MySecretPassword"),
        ("EMS", "mobile"),
        ("MUID", "user"),
        ("PDOM", "@example.com"),
        ("MPWD", "secret"),
    ];
    for (name, text) in given {
        values.set(name, text).expect("a variable");
    }
    values.set_server("192.0.2.66");
    values
}

/// An SPA of the guides.
fn spa(firmware: &str) -> Values {
    let mut values = phone();
    values.set("SWVER", firmware).expect("a variable");
    values
}

fn decide(text: &str, dialect: Dialect, phone: &Values) -> Decision {
    Rule::parse(text, dialect).unwrap_or_else(|error| panic!("{text}\n{error}")).evaluate(phone)
}

/// What is fetched, or why nothing is.
fn fetched(text: &str, dialect: Dialect, phone: &Values) -> String {
    let Some(taken) = decide(text, dialect, phone).taken else { return "skipped".to_owned() };
    let urls = taken.fetches.iter().map(|fetch| match &fetch.location {
        Ok(location) => location.to_string(),
        Err(error) => error.to_string(),
    });
    urls.collect::<Vec<_>>().join(" ")
}

#[test]
fn triggers_are_conditions() {
    let triggers = [
        // Seed 002 and the Cisco MPP guide.
        ("$UPGTMR gt 300 and $PRVTMR ge 600", true),
        ("$UPGTMR gt 301 and $PRVTMR ge 600", false),
        // SPA Provisioning Guide, "Conditional Expressions".
        ("$REGTMR1 gt 300 and $PRVTMR gt 1200 and \"$EXTIP\" ne \"\"", false),
        ("$SWVER ge 2.0.6 and \"$CCERT\" eq \"Installed\"", true),
        ("$REGTMR1 le 300 AND $PRVTMR != 1200 and \"$EXTIP\" = \"\"", true),
        ("", false),
    ];
    for (text, expected) in triggers {
        assert_eq!(decide(text, Dialect::Trigger, &spa("2.0.6(b)")).taken.is_some(), expected, "{text}");
    }
}

#[test]
fn assignments_are_made_before_anything_is_fetched() {
    // SPA Provisioning Guide, "Assignment Expressions", both spellings.
    let full = "( User_ID_1_ = \"uid$B\" ; GPP_C = \"\" ; GPP_D = \"$MA\" ; )! /x";
    let short = "( User_ID_1_ = \"uid$B\" ; c = \"\" ; d = \"$MA\" ; )! /x";
    let expected = [("User_ID_1_", "uidDj6Lmp23Q"), ("GPP_C", ""), ("GPP_D", "000e08012345")];
    assert_eq!(Rule::parse(full, Dialect::Profile), Rule::parse(short, Dialect::Profile));
    let taken = decide(short, Dialect::Profile, &phone()).taken.expect("the only alternative");
    assert_eq!(taken.assignments, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn options_are_expanded() {
    let access = |text: &str, dialect| {
        let taken = decide(text, dialect, &phone()).taken.expect("the only alternative");
        taken.fetches[0].access.clone()
    };
    let secret = |secret: &Option<crate::device::Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
    let account = access("[--uid $SA --pwd \"$SB\" --srv] https://a/b", Dialect::Profile);
    assert_eq!(secret(&account.uid).as_deref(), Some("MyUserID"));
    assert_eq!(secret(&account.pwd).as_deref(), Some("MySecretPassword"));
    assert!(account.srv && account.key.is_none());
    let post = access("[--key \"my secret phrase\" --post f --alias m] https://a/b", Dialect::Profile);
    assert_eq!(secret(&post.key).as_deref(), Some("my secret phrase"));
    assert_eq!(
        [post.post, post.alias].map(|register| register.map(Register::parameter)),
        [Some("GPP_F".to_owned()), Some("GPP_M".to_owned())]
    );
    assert_eq!(access("[--status] https://a/b", Dialect::Report).report, Report::Status);
}

#[test]
fn a_decision_says_why() {
    let text = "($SWVER lt 2.0.6)? /a | (\"$A\" eq \"x\" and $PRVTMR gt 1)? /b | ($IP gt 1)? /c | /d | /e";
    let decision = decide(text, Dialect::Profile, &phone());
    let outcome = |place: usize| match &decision.verdicts[place] {
        Verdict::Refused(judgements) => judgements.last().map(|last| (last.expanded.clone(), last.outcome.clone())),
        Verdict::Taken(_) | Verdict::NotReached => None,
    };
    let formats = LiteralError::Formats(Family::Mpp, Family::Spa).to_string();
    let expected = ("sip88xx.11-3-2MPP0001-609 lt 2.0.6".to_owned(), Outcome::Unreadable(formats));
    assert_eq!(outcome(0), Some(expected));
    assert_eq!(outcome(1), Some(("\"\" eq \"x\"".to_owned(), Outcome::False)));
    assert_eq!(outcome(2), Some((" gt 1".to_owned(), Outcome::Unreadable(LiteralError::Nothing.to_string()))));
    assert_eq!(decision.verdicts[3..], [Verdict::Taken(Vec::new()), Verdict::NotReached]);
    assert_eq!(decision.unset.iter().map(ToString::to_string).collect::<Vec<_>>(), ["$A", "$IP"]);
}

#[test]
fn no_password_is_in_a_reason() {
    let decision = decide("(\"$MPWD\" eq \"x\")? /a", Dialect::Profile, &phone());
    assert!(!format!("{decision:?}").contains("secret"), "{decision:?}");
    for text in ["($MPWD eq 5)? /a", "(\"$MPWD\" ne \"secret\")? /a", "(\"secret\" eq \"$MPWD\")? /a"] {
        let verdicts = decide(text, Dialect::Profile, &phone()).verdicts;
        assert!(!format!("{verdicts:?}").contains("secret"), "{verdicts:?}");
    }
    let empty = decide("(\"$MPWD\" ne \"\")? /a", Dialect::Profile, &phone()).verdicts;
    assert!(format!("{empty:?}").contains("$MPWD\\\" ne \\\"\\\""), "{empty:?}");
    let keyed = Rule::parse("[--key MyOwnSecret] /x", Dialect::Profile).expect("a rule");
    assert!(!format!("{keyed:?} {:?}", keyed.evaluate(&phone())).contains("MyOwnSecret"));
}

#[test]
fn what_may_not_be_meant_is_doubted() {
    let doubts = |text| {
        let rule = Rule::parse(text, Dialect::Profile).expect(text);
        rule.doubts().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(doubts("(1 eq 1)? /$MA | /b").is_empty());
    assert_eq!(doubts("/a | (1 eq 1)? /b | /c"), ["alternative 1 has no condition: those after it are never reached"]);
    assert_eq!(doubts("[--key $SA] /$STRANGE/$SA/$(MA)").len(), 2);
    assert!(doubts("[--key s3$cret --pwd s3$CRET] /x").is_empty(), "a `$` in a password");
    assert!(doubts("(GPP_SA = \"s3$cret\";)! http://h/x?password=s3$cret").is_empty(), "nor elsewhere");
    let scheme = |of: &str| vec![format!("`{of}` is taken for the server's name: a URL begins with `{of}://`")];
    assert_eq!(doubts("https//prov.example.com/$MA.cfg"), scheme("https"));
    assert_eq!(doubts("[--key $A] HTTP/prov.example.com/x"), scheme("http"));
    assert!(doubts("tftp/x.cfg | /a/https//x").len() < 2, "a server may be called so");
    assert_eq!(doubts("[--key $XY] /x"), ["`$XY` is no macro of a phone and stays as it is written"]);
}

#[test]
fn long_rules_and_deep_nesting_are_bounded() {
    let long = format!("/{}", "x".repeat(10_000));
    assert_eq!(fetched(&long, Dialect::Profile, &phone()), format!("tftp://192.0.2.66:69{long}"));
    let thousand = "($PRVTMR eq 1)? /a |".repeat(999) + "/last";
    assert_eq!(fetched(&thousand, Dialect::Profile, &phone()), "tftp://192.0.2.66:69/last");
    let error = |text: &str| Rule::parse(text, Dialect::Profile).expect_err("a bound").to_string();
    assert!(error(&"|".repeat(2000)).starts_with("the rule has more than 1024 alternatives"));
    assert!(error(&"x".repeat(70_000)).starts_with("the rule is longer than 65536 bytes"));
    for nest in ["(", "[", "((\"", "[[", "$(", "([", "(1 eq (", "[--key \""] {
        let message = error(&nest.repeat(60_000 / nest.len()));
        assert!(message.lines().all(|line| line.chars().count() < 120), "{message}");
    }
}

/// Rules as people write them, from pieces that fit and pieces that do not.
fn rules() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "($SWVER lt 2.0.6)?",
        "(\"$A\" ne \"\" and $PRVTMR>=600)?",
        "(! 1.0.31(b))?",
        "($UPGCOND)?",
        "(a=\"$MA\"; X-1.y = \"z\" ;)!",
        "[--key \"a b\" --post c]",
        "[--uid $SA --pwd $SB --srv]",
        "[--delta]",
        "http://h:80/$MA",
        "/x?y",
        "$A/z",
        "|",
        " ",
        "\n",
        "(",
        ")",
        "[",
        "]",
        "?",
        "!",
        "\"",
        "$(MA:2)",
        "--key",
        "and",
        "eq",
        "é",
        ";",
        "1",
        "true",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_printed_rule_reads_as_the_same(
        text in rules(),
        dialect in prop::sample::select(vec![Dialect::Profile, Dialect::Upgrade, Dialect::Report, Dialect::Upload, Dialect::Trigger]),
    ) {
        if let Ok(rule) = Rule::parse(&text, dialect) {
            let printed = rule.to_string();
            prop_assert_eq!(&Rule::parse(&printed, dialect), &Ok(rule.clone()), "{}", printed);
            let decision = rule.evaluate(&phone());
            prop_assert_eq!(decision.verdicts.len(), rule.alternatives().len());
            prop_assert_eq!(decision.taken.is_some(), decision.verdicts.iter().any(|v| matches!(v, Verdict::Taken(_))));
        }
    }

    #[test]
    fn every_error_has_its_caret_under_a_character(text in "\\PC{0,200}") {
        if let Err(error) = Rule::parse(&text, Dialect::Profile) {
            prop_assert!(text.is_char_boundary(error.offset()));
            prop_assert_eq!(error.excerpt().lines().count(), 2);
        }
    }
}
