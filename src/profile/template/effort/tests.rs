//! Templates that would keep the server busy, or fill its memory, are stopped; those that people write are not.

use crate::profile::template::tests::render;

fn outcome(template: &str) -> Result<String, String> {
    render(&[("$MA.cfg", template)])
}

fn refused(template: &str, reason: &str) {
    match outcome(template) {
        Err(error) => assert!(error.contains(reason), "{template}: {error}"),
        Ok(text) => panic!("{template}: {} bytes", text.len()),
    }
}

#[test]
fn costly_filters_in_loops_are_stopped() {
    let much = "makes too much of its values";
    refused("{% for a in range(10000) %}{% if range(90000)|sort|length < 0 %}x{% endif %}{% endfor %}", much);
    refused("{% for a in range(10000) %}{{ range(90000)|join(',')|length }}{% endfor %}", much);
    refused("{% for a in range(10000) %}{{ range(90000)|unique|list|length }}{% endfor %}", much);
    refused("{% set long = 'x' * 1000000 %}{{ long|replace('x', long)|length }}", much);
    refused("{% set long = 'x' * 1000000 %}{{ range(1000)|join(long)|length }}", much);
    refused(
        "{% set l = 'x' * 1000000 %}{% for a in range(10000) %}{% if {'A': l}|merge({'B': l}) %}{% endif %}{% endfor %}",
        much,
    );
    refused("{% for a in range(10000) %}{% set a %}{{ 'x' * 100000 }}{% endset %}{% endfor %}", much);
}

#[test]
fn numbers_that_say_how_much_is_made_have_an_end() {
    refused("{{ 'x'|indent(1000000000, true) }}", "indent takes no number above 1000");
    refused("{{ [1]|batch(1000000000, 'x')|list }}", "batch takes no number above 1000");
    refused("{{ [1]|slice(1000000000)|list }}", "slice takes no number above 1000");
    refused("{{ [1]|slice(count=1000000000)|list }}", "`slice`");
}

#[test]
fn a_profile_that_never_ends_is_refused_while_it_is_made() {
    let long = "a line of text\n".repeat(10_000);
    refused(
        &format!("{{% for a in range(100000) %}}{long}{{% endfor %}}"),
        "the profile is longer than 16777216 bytes",
    );
}

#[test]
fn filters_do_what_they_did() {
    let text = outcome(
        "{{ [3, 1, 2]|sort|join('-') }} {{ [{'n': 'b'}, {'n': 'a'}]|sort(attribute='n')|map(attribute='n')|join }} \
         {{ 'a-b'|replace('-', '<') }} {{ nothing|default('none') }} {{ [1, 2, 3]|batch(2, 0)|list }} {{ 'a\nb'|indent(2) }} \
         {{ {'b': 1, 'a': 2}|dictsort|first|first }} {{ 'x y'|split|reverse|list }} {{ '%s/%d'|format('a', 5) }} {{ [1, 1]|unique|length }}",
    );
    assert_eq!(
        text.as_deref(),
        Ok("1-2-3 ab a&lt;b none [[1, 2], [3, 0]] a\n  b a [&apos;y&apos;, &apos;x&apos;] a/5 1")
    );
}

#[test]
fn an_error_names_its_filter_and_holds_no_value() {
    let error = outcome("\n{{ name|batch('Zoë') }}").expect_err("no number");
    assert!(error.starts_with("$MA.cfg:2: the filter `batch` cannot take"), "{error}");
    assert!(!error.contains("Zoë"), "{error}");
}

#[test]
fn what_is_known_cannot_be_written_out_at_once() {
    refused("{{ debug() }}", "debug is unknown");
}
