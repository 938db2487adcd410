//! What a command is given and hardly anybody means: it goes on, and says so on standard error.

use crate::device::Model;
use crate::phone::family::Family;
use crate::profile::mask::masked;
use crate::profile::parameters;
use crate::terminal::OneLine;

/// Says that no family of phones has a product of this name.
pub(super) fn of_model(model: &Model) {
    if let Some(meant) = meant_by(model) {
        say(&format!("no known phone has the product name `{model}`: {meant}"));
    }
}

/// The same where the phone is taken for an MPP phone.
pub(super) fn of_model_taken_for_mpp(model: &Model) {
    if let Some(meant) = meant_by(model) {
        say(&format!("no known phone has the product name `{model}`, which is taken for an MPP phone's: {meant}"));
    }
}

/// Says that a parameter's name is not known, or not of this product's family, or that its value is none of its own.
pub(super) fn of_parameter(name: &str, value: &str, model: &Model) {
    if let Some(doubt) = doubt_of_parameter(name, Some(model)).or_else(|| doubt_of_value(name, value)) {
        say(&doubt);
    }
}

/// Says something on standard error.
pub(super) fn say(doubt: &str) {
    eprintln!("phoneprov: warning: {}", OneLine(doubt));
}

fn meant_by(model: &Model) -> Option<String> {
    if Family::told_by(model).is_some() {
        return None;
    }
    let digits: String = model.as_str().chars().filter(char::is_ascii_digit).take(4).collect();
    Some(match digits.get(..2) {
        Some("68" | "78" | "88") if digits.len() == 4 => format!("is CP-{digits}-3PCC meant?"),
        Some("98") if digits.len() == 4 => format!("is DP-{digits} meant?"),
        Some("19") if digits.len() == 3 => format!("is ATA{digits} meant?"),
        _ => "expected one such as CP-8841-3PCC, ATA192 or SPA504G".to_owned(),
    })
}

/// What is doubtful about a parameter's name, on this product where one is named.
pub(super) fn doubt_of_parameter(name: &str, model: Option<&Model>) -> Option<String> {
    let Some(known) = parameters::find(name) else {
        let right = parameters::in_other_case(name).or_else(|| parameters::nearest(name));
        let meant = right.map_or_else(String::new, |right| format!(": is {right} meant?"));
        return Some(format!("`{name}` is not a known parameter{meant}"));
    };
    let family = parameters::Family::of(model?)?;
    known.name_on(family).map(|own| format!("`{name}` is not known of {family} phones: they call it {own}"))
}

fn doubt_of_value(name: &str, value: &str) -> Option<String> {
    let mismatch = parameters::find(name)?.check(value).err()?;
    Some(format!("`{name}` is `{}`: {mismatch}", masked(name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str) -> Model {
        name.parse().expect("a product name")
    }

    #[test]
    fn the_nearest_product_is_named() {
        let meant = |name: &str| meant_by(&model(name)).unwrap_or_default();
        assert!(meant("8841").ends_with("is CP-8841-3PCC meant?"));
        assert!(meant("cp8851").ends_with("is CP-8851-3PCC meant?"));
        assert!(meant("9861").ends_with("is DP-9861 meant?"));
        assert!(meant("192").ends_with("is ATA192 meant?"));
        assert!(meant("toaster").contains("expected one such as"));
        assert_eq!(["CP-8841-3PCC", "spa504g", "PAP2T", "ATA191"].map(meant), ["", "", "", ""]);
    }

    #[test]
    fn the_nearest_parameter_is_named() {
        let said = |name, phone| doubt_of_parameter(name, Some(&model(phone))).unwrap_or_default();
        assert_eq!(
            said("Resync_Periodc", "ATA192"),
            "`Resync_Periodc` is not a known parameter: is Resync_Periodic meant?"
        );
        assert!(said("profile_rule", "ATA192").ends_with("is Profile_Rule meant?"));
        assert!(said("Admin_Passwd", "CP-8841-3PCC").ends_with("they call it Admin_Password"));
        assert_eq!([said("Admin_Passwd", "SPA504G"), said("GPP_A", "PAP2T")], ["", ""]);
    }

    #[test]
    fn a_value_of_another_type_is_told_of() {
        let said = doubt_of_value("Resync_Periodic", "hourly").unwrap_or_default();
        assert!(said.starts_with("`Resync_Periodic` is `hourly`: expected seconds"), "{said}");
        assert_eq!([doubt_of_value("Resync_Periodic", "60+30"), doubt_of_value("Foo", "1")], [None, None]);
    }
}
