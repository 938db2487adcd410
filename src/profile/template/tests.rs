//! What a template gives and what it refuses, against real folders.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::profile::macros::Macro;

fn templates(files: &[(&str, &str)]) -> (TempDir, Templates) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, content).expect("a file");
    }
    let root = Root::open(folder.path()).expect("the folder");
    (folder, Templates::new(Arc::new(root)))
}

fn phone() -> Macros {
    let mut macros = Macros::default();
    assert!(macros.bind(Macro::Ma, "000e08abcdef"));
    macros
}

fn variables() -> Arc<Variables> {
    let values =
        [("proxy", Value::from("sip.example.com")), ("name", Value::from("Zoë <\"&'>/")), ("port", Value::from(5060))];
    Arc::new(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

pub(super) fn render(files: &[(&str, &str)]) -> Result<String, String> {
    let (_folder, templates) = templates(files);
    let rendered = templates.render(files[0].0, &phone(), &variables(), None);
    rendered.map(|rendered| rendered.text).map_err(|error| error.to_string())
}

#[test]
fn macros_are_variables_and_dollar_names_stay_for_the_phone() {
    let text = render(&[("$MA.cfg", "<a>{{ MA }} {{ MAU }} {{ MAC }} {{ proxy }}:{{ port }} $MA</a>\n")]);
    assert_eq!(text.as_deref(), Ok("<a>000e08abcdef 000E08ABCDEF 00:0e:08:ab:cd:ef sip.example.com:5060 $MA</a>\n"));
}

#[test]
fn values_are_escaped_for_xml_and_ascii_only() {
    let text = render(&[("$MA.cfg", "{{ name }} {{ name|safe }}")]);
    assert_eq!(text.as_deref(), Ok("Zo&#235; &lt;&quot;&amp;&apos;&gt;/ Zoë <\"&'>/"));
}

#[test]
fn a_base_and_includes_come_from_underscore_names_only() {
    let base = ("_base.xml", "<flat-profile>{% block body %}{% endblock %}</flat-profile>");
    let text = render(&[
        ("a/$MA.cfg", "{% extends '_base.xml' %}{% block body %}{% include '_parts/a.xml' %}{% endblock %}"),
        base,
        ("_parts/a.xml", "<GPP_A>{{ MA }}</GPP_A>"),
    ]);
    assert_eq!(text.as_deref(), Ok("<flat-profile><GPP_A>000e08abcdef</GPP_A></flat-profile>"));
    let text = render(&[("$MA.cfg", "\n{% include 'other.cfg' %}"), ("other.cfg", "secret")]);
    assert_eq!(
        text.as_deref().map_err(String::as_str),
        Err("$MA.cfg:2: `other.cfg` is no part of other templates: only files or folders beginning with `_` are")
    );
    let text = render(&[("$MA.cfg", "{% include '_x/../../../etc/passwd' %}")]);
    assert!(text.is_err_and(|error| error.contains("$MA.cfg:1")));
}

#[test]
fn errors_name_file_line_and_name_and_hold_no_value() {
    let undefined = render(&[("$MA.cfg", "\n\n<a>{{ proxxy }}</a>")]);
    assert_eq!(
        undefined.as_deref().map_err(String::as_str),
        Err("$MA.cfg:3: `proxxy` is not defined: add it to [variables], or give it a default")
    );
    let unknown = render(&[("$MA.cfg", "{{ SN }}")]);
    assert!(unknown.is_err_and(|error| error.contains("`SN` is not known for this phone")));
    let included = render(&[("$MA.cfg", "\n{% include '_a.xml' %}"), ("_a.xml", "\n\n{{ nothing }}")]);
    assert!(included.is_err_and(|error| error.contains("_a.xml:3") && error.contains("`nothing`")));
    let syntax = render(&[("$MA.cfg", "{% if %}")]);
    assert!(syntax.is_err_and(|error| error.starts_with("$MA.cfg:1: ")));
    let value = render(&[("$MA.cfg", "{{ name|int }}")]);
    assert!(value.is_err_and(|error| !error.contains("Zoë")));
    let types = render(&[("$MA.cfg", "{{ port + name }}")]);
    let text = "$MA.cfg:1: tried to use + operator on unsupported types number and string";
    assert_eq!(types.as_deref().map_err(String::as_str), Err(text));
    let endless = render(&[("$MA.cfg", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]);
    assert!(endless.is_err_and(|error| error.ends_with("recursion limit exceeded")));
}

#[test]
fn an_operation_that_fails_is_told_without_its_values() {
    let wrong = |text: &str| render(&[("$MA.cfg", text)]).expect_err("refused");
    let cases = [
        ("{{ port // 0 }}", "`//` cannot be calculated: is the number after it 0?"),
        ("{{ port % 0 }}", "`%` cannot be calculated: is the number after it 0?"),
        ("{{ 9 ** port }}", "`**` cannot be calculated: is the result too large?"),
        ("{{ MA[0:3] ~ \"x\" | int }}", "`int` or `float` is given a text that is no number"),
        ("{{ [port] | int }}", "cannot convert sequence to integer"),
        ("{% for x in port %}{% endfor %}", "number is not iterable"),
        ("{{ port[1:2] }}", "value of type number cannot be sliced"),
    ];
    for (text, expected) in cases {
        let said = wrong(text);
        assert_eq!(said, format!("$MA.cfg:1: {expected}"), "{text}");
        assert!(!said.contains("5060"), "{said}");
    }
    let cycle = render(&[
        ("$MA.cfg", "{% extends '_a.xml' %}"),
        ("_a.xml", "{% extends '_b.xml' %}"),
        ("_b.xml", "{% extends '_a.xml' %}"),
    ]);
    assert!(cycle.is_err_and(|error| error.contains("cycle in template inheritance") && error.contains("_a.xml")));
}

#[test]
fn a_missing_attribute_is_named_and_not_what_was_missed_before() {
    let wrong = |text: &str| render(&[("$MA.cfg", text)]).expect_err("refused");
    let set = "{% set device = {\"name\": \"a\"} %}{{ vlan | default(\"\") }}\n";
    let right = "set it where its table is made, or give it a default";
    assert_eq!(
        wrong(&format!("{set}<a>{{{{ device.nmae }}}}</a>")),
        format!("$MA.cfg:2: `device.nmae` is not defined: {right}")
    );
    let two = wrong(&format!("{set}{{{{ device.name }}}}{{{{ device.nmae }}}}"));
    assert_eq!(two, format!("$MA.cfg:2: one of `device.name`, `device.nmae` is not defined: {right}"));
    let variable = wrong(&format!("{set}{{{{ device.name ~ vlan }}}}"));
    assert_eq!(variable, "$MA.cfg:2: `vlan` is not defined: add it to [variables], or give it a default");
    let on_another_line = wrong("{{ \"a\" ~\n  vlan }}");
    assert!(on_another_line.contains("`vlan` is not defined"), "{on_another_line}");
}

#[test]
fn a_part_is_read_by_itself_and_what_a_failure_looked_for_is_known() {
    let (_folder, templates) = templates(&[
        ("$MA.cfg", "{% from \"_devices/\" ~ MA ~ \".txt\" import device %}"),
        ("_whole.xml", "{{ nothing }}"),
        ("_broken.xml", "\n{% if %}"),
    ]);
    assert_eq!(templates.read("_whole.xml"), Ok(()), "nothing of it is run");
    let error = templates.read("_broken.xml").expect_err("a syntax error");
    assert_eq!(error.place(), "_broken.xml:2");
    let error = templates.render("$MA.cfg", &phone(), &variables(), None).expect_err("no such part");
    assert!(error.sources().iter().any(|source| source.file == "_devices/000e08abcdef.txt" && source.stamp.is_none()));
}

#[test]
fn an_undefined_name_in_a_key_is_told() {
    let (_folder, templates) = templates(&[]);
    let wrong = |key: &str| templates.render_key(key, &phone(), &variables()).expect_err("no key").to_string();
    assert_eq!(
        wrong("{{ nope }}"),
        "the rule's key: `nope` is not defined: add it to [variables], or give it a default"
    );
    assert!(wrong("{{ SN }}").starts_with("the rule's key: `SN` is not known for this phone"));
    assert_eq!(wrong("{{ MA | geheim }}"), "the rule's key: unknown filter");
}

#[test]
fn a_template_without_end_is_stopped() {
    let endless =
        render(&[("$MA.cfg", "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}")]);
    assert!(endless.is_err_and(|error| error.contains("ran for too long")));
    assert!(render(&[("$MA.cfg", "{% include '_a.xml' %}"), ("_a.xml", "{% include '_a.xml' %}")]).is_err());
}

#[test]
fn an_edit_counts_from_the_next_rendering() {
    let (folder, templates) = templates(&[("$MA.cfg", "{% include '_a.xml' %}"), ("_a.xml", "one")]);
    let render = || templates.render("$MA.cfg", &phone(), &variables(), None).expect("a profile");
    assert_eq!(render().text, "one");
    assert_eq!(render().sources.len(), 2, "both files, on the second rendering too");
    fs::write(folder.path().join("_a.xml"), "two!").expect("an edit");
    assert_eq!(render().text, "two!");
    fs::write(folder.path().join("$MA.cfg"), "three").expect("an edit");
    assert_eq!(render().text, "three");
}

#[test]
fn a_key_is_not_escaped() {
    let (_folder, templates) = templates(&[]);
    let key = templates.render_key("{{ MA }}-{{ name }}", &phone(), &variables()).expect("a key");
    assert_eq!(key.text, "000e08abcdef-Zoë <\"&'>/");
    let others = Arc::new(Variables::from([("name".to_owned(), Value::from("other"))]));
    let key = templates.render_key("{{ MA }}-{{ name }}", &phone(), &others).expect("a key");
    assert_eq!(key.text, "000e08abcdef-other", "compiled once, rendered for each");
    let long = format!("{{{{ {} }}}}", "1+".repeat(5000) + "1");
    let error = templates.render_key(&long, &phone(), &variables()).expect_err("too long").to_string();
    assert!(error.starts_with("the rule's key: ") && !error.contains("1+1"), "{error}");
}

#[test]
fn a_file_that_was_missing_counts_once_it_is_there() {
    let (folder, templates) =
        templates(&[("$MA.cfg", "{% include ['_' ~ MA, '_default'] %}"), ("_default", "default")]);
    let first = templates.render("$MA.cfg", &phone(), &variables(), None).expect("a profile");
    assert_eq!(first.text, "default");
    let root = Root::open(folder.path()).expect("the folder");
    assert!(first.sources.iter().all(|source| source.holds(&root)));
    fs::write(folder.path().join("_000e08abcdef"), "its own").expect("a new file");
    assert!(!first.sources.iter().all(|source| source.holds(&root)), "the missing file was a source");
    assert_eq!(templates.render("$MA.cfg", &phone(), &variables(), None).expect("a profile").text, "its own");
}
