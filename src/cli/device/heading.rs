//! What columns of a table are called, and what they were meant to be called: any name that is no field is a variable's.

use super::sheet::{Column, FIELDS};
use crate::profile::parameters::edits;

/// What people call fields that have another name here.
const ALSO: [(&str, &str); 7] = [
    ("group", "groups"),
    ("alias", "aliases"),
    ("model", "product"),
    ("mac_address", "mac"),
    ("macaddress", "mac"),
    ("serial_number", "serial"),
    ("serialnumber", "serial"),
];

/// Why a column of this name is not taken: hardly anybody means a variable beside the field.
pub(super) fn fault(heading: &str) -> Option<String> {
    let heading = heading.trim();
    heading.eq_ignore_ascii_case("group").then(|| {
        format!("the column `{heading}`: did you mean groups? A variable of that name is meant by `{heading}:text`")
    })
}

/// What makes one doubt that a variable is meant by this name.
pub(super) fn doubt(heading: &str) -> Option<String> {
    let heading = heading.trim();
    let meant = meant_by(heading).filter(|_| fault(heading).is_none())?;
    Some(format!(
        "the column `{heading}` is taken for a variable's: did you mean {meant}? `{heading}:text` says that it is one"
    ))
}

/// The name of a column in a table's header. A variable that could be taken for a field says that it is one.
pub(super) fn of(column: &Column) -> String {
    let is_field = |name: &str| FIELDS.iter().any(|(field, _)| field.eq_ignore_ascii_case(name));
    match column {
        Column::Text(name) => {
            let name = name.to_string();
            if is_field(&name) || meant_by(&name).is_some() { format!("{name}:text") } else { name }
        }
        Column::Json(name) => format!("{name}:json"),
        Column::Secret(name) => format!("{name}:secret"),
        field => {
            FIELDS.iter().find(|(_, known)| known == field).map_or_else(String::new, |(name, _)| (*name).to_owned())
        }
    }
}

/// The field that a name that is none is close to. A parameter, `<Label>`, says what it is.
fn meant_by(heading: &str) -> Option<&'static str> {
    let is = |name: &str| name.eq_ignore_ascii_case(heading);
    if heading.len() < 3 || heading.starts_with('<') || FIELDS.iter().any(|(field, _)| is(field)) {
        return None;
    }
    let also = ALSO.iter().find(|(name, _)| is(name)).map(|(_, field)| *field);
    let near = |(field, _): &(&'static str, Column)| {
        let bound = if field.len() < 5 { 1 } else { 2 };
        edits(heading.as_bytes(), field.as_bytes(), bound).map(|edits| (edits, *field))
    };
    also.or_else(|| FIELDS.iter().filter_map(near).min_by_key(|(edits, _)| *edits).map(|(_, field)| field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_a_fields_is_doubted() {
        for (name, meant) in [
            ("lable", "label"),
            ("Model", "product"),
            ("alias", "aliases"),
            ("Serial_Number", "serial"),
            ("seriel", "serial"),
            ("serie", "series"),
            ("note", "notes"),
            ("enable", "enabled"),
            ("macs", "mac"),
            ("gruops", "groups"),
            ("MacAddress", "mac"),
        ] {
            let said = doubt(name).unwrap_or_default();
            let expected = format!("the column `{name}` is taken for a variable's: did you mean {meant}? ");
            assert!(said.starts_with(&expected), "{name}: {said}");
        }
        let clear = [
            "<Label>",
            "mac",
            " Label ",
            "lable:text",
            "label:json",
            "vlan",
            "sip_user",
            "room",
            "site",
            "ext",
            "ma",
            "",
        ];
        assert_eq!(clear.map(doubt), [const { None }; 12]);
    }

    #[test]
    fn a_column_group_is_none_and_a_variable_of_that_name_says_so() {
        assert!(fault(" Group").is_some_and(|said| said.starts_with("the column `Group`: did you mean groups?")));
        assert_eq!((fault("groups"), fault("group:text"), fault("grouped"), doubt("group")), (None, None, None, None));
    }

    #[test]
    fn what_is_written_is_read_as_what_it_was() {
        for (name, written) in
            [("group", "group:text"), ("Label", "Label:text"), ("lable", "lable:text"), ("vlan", "vlan")]
        {
            let column = Column::Text(name.parse().expect("a name"));
            assert_eq!(of(&column), written);
            assert_eq!((written.parse(), fault(written), doubt(written)), (Ok(column), None, None));
        }
        for (name, column) in &FIELDS {
            assert_eq!(of(column), *name);
        }
    }
}
