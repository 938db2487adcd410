//! What no phone reads, and the character under which the caret stands.

use crate::profile::rule::Dialect::{self, Profile, Report, Trigger, Upgrade, Upload};
use crate::profile::rule::Rule;

/// The parameter, the rule, the place of the fault in characters, and how the message begins.
const WRONG: &[(Dialect, &str, usize, &str)] = &[
    // Seed 002, as its typesetting left them: a blank in the URL, hyphens lost, a placeholder.
    (Profile, "tftp://192.168.1.200/CP-78xx-3PCC $MA.cfg", 34, "a URL ends at a blank"),
    (Profile, "[key MyOwnSecret] tftp://192.168.1.200/basic.cfg", 1, "options begin with two hyphens"),
    (Upgrade, "http://<server ip address>/ sip88xx.11-2-3MSR1-1.loads", 7, "a URL cannot hold `<`"),
    // The Cisco MPP guide's own curly quotes.
    (Profile, "[--key “my secret phrase”] /x", 7, "`“` is not a quote"),
    (Profile, "(“$A” eq \"x\")? /x", 1, "`“` is not a quote"),
    (Profile, "[–key x] /x", 1, "options begin with two hyphens"),
    (Profile, "[-key x] /x", 1, "options begin with two hyphens"),
    (Profile, "[--hex-key 00] /x", 1, "`--hex-key` is no option"),
    (Profile, "[--key] /x", 6, "`--key` needs an argument"),
    (Profile, "[--key --uid x] /x", 7, "`--key` needs an argument"),
    (Profile, "[--key \"\"] /x", 9, "`--key` needs an argument"),
    (Profile, "[--post q] /x", 8, "`--post` takes a general purpose parameter"),
    (Profile, "[--post A] /x", 8, "`--post` takes a general purpose parameter"),
    (Profile, "[--srv --srv] /x", 7, "`--srv` stands twice"),
    (Report, "[--delta --status] /x", 9, "`--status` stands twice, or beside"),
    (Profile, "[--delta] /x", 1, "`--delta` has no place in Profile_Rule"),
    (Report, "[--post a] /x", 1, "`--post` has no place in Report_Rule"),
    (Upload, "[--key a] /x", 1, "`--key` has no place in PRT_Upload_Rule"),
    (Upgrade, "[--uid a] http://h/x", 0, "an upgrade rule takes no [options]"),
    (Upgrade, "/x.loads", 0, "an upgrade rule must name its server"),
    (Upgrade, "http:///$MA.loads", 7, "an upgrade rule must name its server"),
    (Profile, "[] /x", 0, "there is no option in the brackets"),
    (Profile, "[--key x", 0, "this bracket is not closed"),
    (Profile, "[--key x]", 0, "options belong to a URL"),
    (Profile, "[--key x] | /y", 0, "options belong to a URL"),
    (Profile, "[--key \"x] /y", 7, "this text is not closed"),
    (Report, "/a /b /c", 6, "a report rule has two URLs"),
    (Profile, "ftp://$A/x", 0, "`ftp` is no scheme"),
    (Profile, "http:/prov.example.com/x", 6, "a slash is missing: a URL begins with `http://`"),
    (Profile, "(1 eq 1)? http://host", 21, "there is no file path"),
    (Profile, "http://host?x", 11, "there is no file path"),
    (Profile, "/a | http://u:p@host/x", 12, "a user name stands before the server"),
    (Profile, "http://host:65536/x", 12, "`65536` is no port"),
    (Profile, "http://host:/x", 12, "`` is no port"),
    (Profile, "https://h\u{f6}st/x", 9, "`h\u{f6}st` is no server"),
    (Profile, "http://[::1/x", 7, "`[::1` is no server"),
    (Profile, "http://h/a\"b/x", 10, "a URL cannot hold `\"`"),
    (Profile, "x | (1 eq 1)? basic.txt", 0, "there is no file path"),
    (Profile, "($A eq 1)? basic.txt", 11, "there is no file path"),
    (Profile, "($PRVTMR ge 600 http://x/y", 0, "this parenthesis is not closed"),
    (Profile, "($PRVTMR ge 600) http://x/y", 16, "expected `?` after a condition"),
    (Profile, "($PRVTMR ge 600 or 1 eq 1)? /x", 16, "there is no `or`"),
    (Profile, "($PRVTMR ge 600 xor 1 eq 1)? /x", 16, "expected `and`"),
    (Profile, "(($PRVTMR ge 600) and 1 eq 1)? /x", 1, "conditions do not nest"),
    (Profile, "($PRVTMR == 600)? /x", 10, "expected a macro, a number"),
    (Profile, "($PRVTMR GE 600)? /x", 9, "expected an operator"),
    (Profile, "($PRVTMR &gt; 600)? /x", 9, "expected an operator"),
    (Profile, "($PRVTMR)? /x", 8, "expected an operator"),
    (Profile, "($PRVTMR ge )? /x", 12, "expected a macro, a number"),
    (Profile, "()? /x", 1, "expected a macro, a number"),
    (Profile, "(\"$A\" lt \"b\")? /x", 6, "texts are compared by eq and ne only"),
    (Profile, "(\"$A\" eq 5)? /x", 9, "a text in quotes cannot be compared"),
    (Profile, "($CCERT eq \"Installed\")? /x", 11, "a text in quotes cannot be compared"),
    (Profile, "($CCERT eq Installed)? /x", 11, "`Installed` is neither a number nor a version"),
    (Profile, "(2.0.6 lt 5)? /x", 10, "a number and a version"),
    (Profile, "(2.0.6 lt sip88xx.11-0-1MPP-376)? /x", 10, "a version of SPA and one of MPP"),
    (Profile, "(\"a\" eq \"b)? /x", 0, "this parenthesis is not closed"),
    (Profile, "(Line_Enable_1_ = \"No\")! /x", 22, "expected `;`"),
    (Profile, "(Line_Enable_1_ = No;)! /x", 18, "expected the value in double quotes"),
    (Profile, "(Line_Enable_1_ \"No\";)! /x", 16, "expected `=`"),
    (Profile, "(= \"No\";)! /x", 1, "expected the name"),
    (Profile, "()! /x", 1, "expected the name"),
    (Profile, "(A=\"1\";)! (1 eq 1)? /x", 10, "an alternative has one condition"),
    (Profile, "(1 eq 1)? (1 eq 1)? /x", 10, "an alternative has one condition"),
    (Trigger, "($PRVTMR ge 600)?", 0, "a resync trigger is the bare expression"),
    (Trigger, "$PRVTMR ge 600) x", 14, "a resync trigger is one expression"),
    (Trigger, "$PRVTMR ge 600 | 1 eq 1", 15, "expected `and`"),
];

#[test]
fn what_phones_do_not_read_is_refused_under_its_character() {
    for (dialect, text, character, message) in WRONG {
        let error = Rule::parse(text, *dialect).expect_err(text);
        let place = text[..error.offset()].chars().count();
        assert!(error.to_string().starts_with(message), "{text}: {error}");
        assert_eq!(place, *character, "{text}\n{error}");
    }
}
