//! The canonical form: one element a line, two spaces a level, values in ASCII, and nothing that two readers could read in
//! two ways.

use super::document::Attribute;
use super::profile::{FLAT, FlatProfile, Group, Parameter, ROUTER};
use super::text::{encode, encode_attribute};

impl FlatProfile {
    /// The profile as a file: its parameters in `<flat-profile>`, those of a router in `<router-configuration>` at its
    /// end, whatever the form that it was read from.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut lines = Lines::default();
        lines.open(FLAT, &[]);
        for parameter in self.parameters.iter().filter(|parameter| parameter.router().is_none()) {
            lines.parameter(parameter);
        }
        let mut settings =
            self.parameters.iter().filter_map(|parameter| Some((parameter.router()?, parameter))).peekable();
        if settings.peek().is_some() {
            lines.open(ROUTER, &[]);
            let mut open: &[Group] = &[];
            for (groups, parameter) in settings {
                open = lines.enter(open, groups);
                lines.parameter(parameter);
            }
            lines.enter(open, &[]);
            lines.close(ROUTER);
        }
        lines.close(FLAT);
        lines.text
    }
}

/// Lines of XML, indented.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) text: String,
    depth: usize,
}

impl Lines {
    /// A start tag on a line of its own.
    pub(super) fn open(&mut self, name: &str, attributes: &[Attribute]) {
        self.indent();
        tag(name, attributes, &mut self.text);
        self.text.push_str(">\n");
        self.depth += 1;
    }

    /// The end tag of what was opened.
    pub(super) fn close(&mut self, name: &str) {
        self.depth = self.depth.saturating_sub(1);
        self.indent();
        end_tag(name, &mut self.text);
        self.text.push('\n');
    }

    /// The spaces at a line's beginning.
    pub(super) fn indent(&mut self) {
        self.text.extend(std::iter::repeat_n("  ", self.depth));
    }

    fn parameter(&mut self, parameter: &Parameter) {
        self.indent();
        self.text.push_str(&parameter.to_string());
        self.text.push('\n');
    }

    /// Closes and opens groups until `wanted` are open.
    fn enter<'a>(&mut self, open: &[Group], wanted: &'a [Group]) -> &'a [Group] {
        let same = open.iter().zip(wanted).take_while(|(open, wanted)| open == wanted).count();
        for group in open[same..].iter().rev() {
            self.close(&group.name);
        }
        for group in &wanted[same..] {
            self.open(&group.name, &[]);
        }
        wanted
    }
}

impl std::fmt::Display for Parameter {
    /// Its element in the canonical form.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        element(self.name(), self.attributes(), self.value(), self.is_self_closing(), &mut text);
        f.write_str(&text)
    }
}

/// An element with text only.
pub(super) fn element(name: &str, attributes: &[Attribute], value: &str, self_closing: bool, out: &mut String) {
    tag(name, attributes, out);
    if self_closing && value.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    encode(value, out);
    end_tag(name, out);
}

/// A start tag without its `>`.
fn tag(name: &str, attributes: &[Attribute], out: &mut String) {
    out.push('<');
    out.push_str(name);
    for attribute in attributes {
        out.push(' ');
        out.push_str(&attribute.name);
        out.push_str("=\"");
        encode_attribute(&attribute.value, out);
        out.push('"');
    }
}

fn end_tag(name: &str, out: &mut String) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::profile::flat::text::is_allowed;

    fn parameter() -> impl Strategy<Value = Parameter> {
        let value = any::<String>().prop_map(|text| text.chars().filter(|c| is_allowed(*c)).collect::<String>());
        ("[A-Za-z_][A-Za-z0-9_.-]{0,12}", value).prop_filter_map(
            "a name that the format has for itself",
            |(name, value)| {
                let reserved = name.eq_ignore_ascii_case("xml") || name == ROUTER;
                if reserved { None } else { Parameter::new(&name, &value).ok() }
            },
        )
    }

    proptest! {
        #[test]
        fn a_profile_that_is_written_reads_the_same(parameters in proptest::collection::vec(parameter(), 0..20)) {
            let profile = FlatProfile { parameters, ..FlatProfile::default() };
            let text = profile.to_xml();
            prop_assert!(text.is_ascii());
            let read = FlatProfile::read(text.as_bytes()).expect("what was written");
            let parts = |profile: &FlatProfile| -> Vec<(String, String)> {
                profile.parameters.iter().map(|p| (p.name().to_owned(), p.value().to_owned())).collect()
            };
            prop_assert_eq!(parts(&read), parts(&profile));
            prop_assert_eq!(read.to_xml(), text);
        }
    }

    #[test]
    fn router_settings_come_in_their_groups_at_the_end() {
        let read = FlatProfile::read(
            b"<router-configuration><P><Rule a='1'><IP>1</IP></Rule><Rule><IP/></Rule></P><N>x</N></router-configuration>\
              <flat-profile><A ua='na'> \xc3\xa9 </A></flat-profile>",
        );
        insta::assert_snapshot!(read.expect("a profile").to_xml(), @r#"
        <flat-profile>
          <A ua="na">&#233;</A>
          <router-configuration>
            <P>
              <Rule>
                <IP>1</IP>
              </Rule>
              <Rule>
                <IP/>
              </Rule>
            </P>
            <N>x</N>
          </router-configuration>
        </flat-profile>
        "#);
    }
}
