//! A phone's own exported configuration, made into a profile of what somebody has set.
//!
//! An export has every parameter of the phone, and its state besides. What is a default is known from the export of a
//! factory-fresh phone, where there is one. Else it is what a guide states; where none does, the value is kept: a profile
//! that says a default again does no harm, and one that forgets a setting does.

use std::collections::{HashMap, HashSet};

use super::flat::{FlatProfile, Parameter};
use super::parameters::{self, Default, Kind};

/// Attributes that only exports have.
const OF_EXPORTS: [&str; 2] = ["um", "group"];

/// What an export holds, sorted by what is to be done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The profile: what is kept, in the export's order.
    pub profile: FlatProfile,
    /// Each parameter of the export that counts, by its key, and why it is kept or left out.
    pub reasons: Vec<(String, Reason)>,
}

/// Why a parameter of an export is kept or left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Kept: marked `um="y"`, somebody changed it on the phone.
    UserModified,
    /// Kept: another value, or other access, than on the factory-fresh phone.
    NotAsFactory,
    /// Kept: another value than a guide states as the default.
    NotDefault,
    /// Kept: it has a value, and nobody says what the default is.
    DefaultUnknown,
    /// Kept: another entry of its list of router settings is kept, and entries are told apart by their order only.
    OfList,
    /// Left out: as on the factory-fresh phone.
    AsFactory,
    /// Left out: the default that a guide states.
    IsDefault,
    /// Left out: empty, and nobody says what the default is. An empty element may clear a value or restore a default.
    EmptyDefaultUnknown,
    /// Left out: what the phone reports and nobody can set.
    Status,
    /// Left out: asterisks only, which are taken for a secret that the phone hides. No guide says what it writes for one.
    Hidden,
}

impl Reason {
    /// Whether the parameter is in the profile.
    #[must_use]
    pub fn is_kept(self) -> bool {
        match self {
            Self::UserModified | Self::NotAsFactory | Self::NotDefault | Self::DefaultUnknown | Self::OfList => true,
            Self::AsFactory | Self::IsDefault | Self::EmptyDefaultUnknown | Self::Status | Self::Hidden => false,
        }
    }
}

/// Makes a profile of an export, with the export of a factory-fresh phone of the same model where there is one.
#[must_use]
pub fn import(export: &FlatProfile, factory: Option<&FlatProfile>) -> Imported {
    let export = export.effective();
    let factory = factory.map(FlatProfile::effective);
    let fresh = factory.as_ref().map(|factory| -> HashMap<String, &Parameter> {
        factory.parameters.iter().map(|parameter| (parameter.key(), parameter)).collect()
    });
    let judged = |parameter: &Parameter| match &fresh {
        _ if parameter.is_user_modified() => Reason::UserModified,
        Some(fresh) => against_factory(parameter, fresh.get(&parameter.key()).copied()),
        None => against_dictionary(parameter),
    };
    let reasons: Vec<Reason> = export.parameters.iter().map(|p| hindrance(p).unwrap_or_else(|| judged(p))).collect();
    let reasons = with_whole_lists(&export.parameters, reasons);
    let mut imported = Imported { profile: FlatProfile::default(), reasons: Vec::new() };
    for (parameter, reason) in export.parameters.into_iter().zip(reasons) {
        imported.reasons.push((parameter.key(), reason));
        if reason.is_kept() {
            let plain = parameter.with_attributes(|attribute| !OF_EXPORTS.contains(&attribute.name.as_str()));
            imported.profile.parameters.push(plain);
        }
    }
    imported
}

/// Keeps all that a list has where one of its entries is kept: an entry that is left out would move the others up.
fn with_whole_lists(parameters: &[Parameter], mut reasons: Vec<Reason>) -> Vec<Reason> {
    let lists: HashSet<String> =
        parameters.iter().flat_map(groups).filter(|(_, index)| *index > 0).map(|(path, _)| path).collect();
    let list_of = |parameter: &Parameter| groups(parameter).map(|(path, _)| path).find(|path| lists.contains(path));
    let lists_of_all: Vec<Option<String>> = parameters.iter().map(list_of).collect();
    let kept = lists_of_all.iter().zip(&reasons).filter(|(_, reason)| reason.is_kept());
    let kept: HashSet<&String> = kept.filter_map(|(list, _)| list.as_ref()).collect();
    for (list, reason) in lists_of_all.iter().zip(&mut reasons) {
        let is_default = matches!(reason, Reason::AsFactory | Reason::IsDefault | Reason::EmptyDefaultUnknown);
        if is_default && list.as_ref().is_some_and(|list| kept.contains(list)) {
            *reason = Reason::OfList;
        }
    }
    reasons
}

/// The groups around a router's setting, the outermost first: path without the entry's number, and that number.
fn groups(parameter: &Parameter) -> impl Iterator<Item = (String, usize)> {
    let mut path = String::new();
    parameter.router().unwrap_or_default().iter().map(move |group| {
        let this = format!("{path}/{}", group.name);
        path = format!("{path}/{group}");
        (this, group.index)
    })
}

/// Why a parameter cannot be in a profile whatever its value.
fn hindrance(parameter: &Parameter) -> Option<Reason> {
    if parameters::find(parameter.name()).is_some_and(|known| known.kind() == Kind::Status) {
        return Some(Reason::Status);
    }
    let value = parameter.value();
    (value.len() >= 3 && value.bytes().all(|byte| byte == b'*')).then_some(Reason::Hidden)
}

fn against_factory(parameter: &Parameter, fresh: Option<&Parameter>) -> Reason {
    let same = |fresh: &Parameter| fresh.value() == parameter.value() && fresh.user_access() == parameter.user_access();
    if fresh.is_some_and(same) { Reason::AsFactory } else { Reason::NotAsFactory }
}

fn against_dictionary(parameter: &Parameter) -> Reason {
    let value = parameter.value();
    let row = parameters::find(parameter.name());
    let is_number = row.is_some_and(|row| matches!(row.kind(), Kind::Float | Kind::Int | Kind::Uint));
    let default = match row.map_or(Default::Unknown, parameters::Parameter::default) {
        Default::Documented(default) => Some(default),
        Default::Blank => Some(""),
        // A sample's value may be somebody's setting.
        Default::Sampled(_) | Default::Unknown => None,
    };
    match default {
        Some(default) if default.eq_ignore_ascii_case(value) => Reason::IsDefault,
        Some(default) if is_number && is_same_number(default, value) => Reason::IsDefault,
        Some(_) => Reason::NotDefault,
        None if value.is_empty() => Reason::EmptyDefaultUnknown,
        None => Reason::DefaultUnknown,
    }
}

/// `.5` is `0.5`.
fn is_same_number(one: &str, other: &str) -> bool {
    matches!((one.parse::<f64>(), other.parse::<f64>()), (Ok(one), Ok(other)) if one.total_cmp(&other).is_eq())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(inner: &str) -> FlatProfile {
        FlatProfile::read(format!("<flat-profile>{inner}</flat-profile>").as_bytes()).expect("a profile")
    }

    fn reasons(imported: &Imported) -> Vec<(&str, Reason)> {
        imported.reasons.iter().map(|(key, reason)| (key.as_str(), *reason)).collect()
    }

    const EXPORT: &str = "<Software_Version>1</Software_Version><Provision_Enable ua='na'>Yes</Provision_Enable>\
        <Resync_On_Reset ua='na'>No</Resync_On_Reset><Resync_Random_Delay um='y' ua='rw' group='G'>2</Resync_Random_Delay>\
        <Admin_Password>********</Admin_Password><Resync_At__HHmm_/><Some_New_Thing>7</Some_New_Thing><Other_New_Thing/>";

    #[test]
    fn a_number_is_a_default_however_it_is_written() {
        let imported = import(&read("<SIP_T1>.5</SIP_T1><SIP_T2>4.0</SIP_T2><SIP_T4>6</SIP_T4>"), None);
        let expected = [("SIP_T1", Reason::IsDefault), ("SIP_T2", Reason::IsDefault), ("SIP_T4", Reason::NotDefault)];
        assert_eq!(reasons(&imported), expected);
    }

    #[test]
    fn without_a_factory_export_stated_defaults_and_marks_decide() {
        let imported = import(&read(EXPORT), None);
        assert_eq!(
            reasons(&imported),
            [
                ("Software_Version", Reason::Status),
                ("Provision_Enable", Reason::IsDefault),
                ("Resync_On_Reset", Reason::NotDefault),
                ("Resync_Random_Delay", Reason::UserModified),
                ("Admin_Password", Reason::Hidden),
                ("Resync_At__HHmm_", Reason::IsDefault),
                ("Some_New_Thing", Reason::DefaultUnknown),
                ("Other_New_Thing", Reason::EmptyDefaultUnknown),
            ]
        );
        insta::assert_snapshot!(imported.profile.to_xml(), @r#"
        <flat-profile>
          <Resync_On_Reset ua="na">No</Resync_On_Reset>
          <Resync_Random_Delay ua="rw">2</Resync_Random_Delay>
          <Some_New_Thing>7</Some_New_Thing>
        </flat-profile>
        "#);
    }

    #[test]
    fn a_factory_export_decides_on_values_and_access() {
        let factory = read("<A>1</A><B ua='na'>2</B><C>3</C><D>4</D>");
        let imported = import(&read("<A>1</A><B ua='rw'>2</B><C></C><D um='y'>4</D><E/>"), Some(&factory));
        let kept: Vec<_> = imported.profile.parameters.iter().map(Parameter::to_string).collect();
        assert_eq!(kept, ["<B ua=\"rw\">2</B>", "<C></C>", "<D>4</D>", "<E/>"]);
        assert_eq!(reasons(&imported)[0], ("A", Reason::AsFactory));
    }

    #[test]
    fn a_list_of_router_settings_is_kept_whole_or_not_at_all() {
        let list = |second: &str| {
            let rule = |ip: &str| format!("<Rule><IP>{ip}</IP></Rule>");
            read(&format!(
                "<router-configuration><Pool>{}{}</Pool><Other><IP>1</IP></Other></router-configuration>",
                rule("1"),
                rule(second)
            ))
        };
        let changed = import(&list("3"), Some(&list("2")));
        let why: Vec<Reason> = changed.reasons.iter().map(|(_, reason)| *reason).collect();
        assert_eq!(why, [Reason::OfList, Reason::NotAsFactory, Reason::AsFactory]);
        assert_eq!(import(&list("2"), Some(&list("2"))).profile.parameters, []);
    }

    #[test]
    fn an_imported_profile_differs_in_nothing_from_its_own_import() {
        let once = import(&read(EXPORT), None).profile;
        assert_eq!(import(&once, Some(&FlatProfile::default())).profile.to_xml(), once.to_xml());
    }
}
