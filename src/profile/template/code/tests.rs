//! What would overflow the compiler's stack is refused before it is compiled; long text is not.

use super::look;
use crate::profile::template::tests::render;

#[test]
fn what_calls_itself_too_often_is_refused_by_file_and_line() {
    for expression in ["1+".repeat(100_000) + "1", "not ".repeat(100_000) + "1", "-".repeat(100_000) + "1"] {
        let error = render(&[("$MA.cfg", &format!("<a>\n{{{{ {expression} }}}}"))]).expect_err("too deep");
        assert_eq!(error, "$MA.cfg: `$MA.cfg`, line 2: more than 1000 operators: make it shorter");
    }
    for hidden in ["{{ {'a': {'b': {}}} + 1ADD }}", "{{ raw }}{{ 1ADD }}{% end", "{% raw %}{% endraw %}{{ 1ADD }}"] {
        let text = hidden.replace("ADD", &"+1".repeat(5000));
        assert!(look("a", &text).is_err(), "{hidden}");
    }
    let branches = format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 0 %}\n".repeat(100_000));
    let error = render(&[("$MA.cfg", &branches)]).expect_err("too deep");
    assert_eq!(error, "$MA.cfg: `$MA.cfg`, line 1001: more than 1000 branches: make it shorter");
}

#[test]
fn what_is_allowed_compiles_on_a_small_stack() {
    let deep = [
        "1+".repeat(999) + "1",
        "not ".repeat(999) + "1",
        "-".repeat(999) + "1",
        "x".to_owned() + &"|string".repeat(999),
    ];
    for expression in deep {
        let set = "{% set x = 1 %}";
        assert!(render(&[("$MA.cfg", &format!("{set}{{{{ {expression} }}}}"))]).is_ok(), "{expression}");
    }
    let branches = format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(1000));
    assert!(render(&[("$MA.cfg", &branches)]).is_ok());
}

#[test]
fn text_strings_comments_and_raw_parts_are_no_operators() {
    let dots = "+".repeat(5000);
    for text in [
        dots.clone(),
        format!("{{{{ \"{dots}\" }}}} {{{{ '\\'{dots}' }}}}"),
        format!("{{# {{{{ {dots} #}}"),
        format!("{{% raw %}}{{{{ {dots} }}}}{{% endraw %}}"),
        format!("{{%- raw -%}}{{{{ {dots} }}}}{{% endraw %}}"),
        format!("{{ {dots} }}"),
        format!("{{{{ [{}1] }}}}", "1, ".repeat(50_000)),
        "{{ 'open".to_owned(),
        "{{".to_owned(),
        "{".to_owned(),
        "{% set a = 'ë' %}{{ ë".to_owned(),
    ] {
        assert!(look("a", &text).is_ok(), "{}", &text[..20.min(text.len())]);
    }
}
