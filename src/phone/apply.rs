//! What a profile changes.

use super::Phone;
use super::event::{Event, Events};
use crate::profile::flat::FlatProfile;

/// The parameters that decide about a resync. One that is written in another case is another one to a phone (Cisco
/// "Provisioning Formats": names are case-sensitive), so that a person should hear of it.
const WATCHED: [&str; 24] = [
    "Profile_Rule",
    "Profile_Rule_B",
    "Profile_Rule_C",
    "Profile_Rule_D",
    "Provision_Enable",
    "Resync_On_Reset",
    "Resync_Random_Delay",
    "Resync_At__HHmm_",
    "Resync_At_Random_Delay",
    "Resync_Periodic",
    "Resync_Error_Retry_Delay",
    "Resync_Trigger_1",
    "Resync_Trigger_2",
    "Resync_Fails_On_FNF",
    "Resync_After_Upgrade_Attempt",
    "Upgrade_Enable",
    "Upgrade_Rule",
    "Report_Rule",
    "PRT_Upload_Rule",
    "Custom_CA_Rule",
    "Custom_CA_URL",
    "Syslog_Server",
    "Syslog_Identifier",
    "IKM_HTTP_Encrypt_Content",
];

impl Phone {
    /// Takes a profile's parameters over. Of a name that stands twice the last one counts; what a profile does not name
    /// stays. An empty element is the empty value: of the three readings in the guides the first.
    pub(super) fn apply(&mut self, profile: &FlatProfile, events: &mut dyn Events) {
        let profile = profile.effective();
        let parameters = profile.parameters.iter().filter(|parameter| parameter.router().is_none());
        let (mut count, mut unchanged) = (0, 0);
        for parameter in parameters {
            count += 1;
            if count == 1 {
                events.tell(Event::Parsed { parameters: profile.parameters.len() });
            }
            let (name, new) = (parameter.name(), parameter.value());
            if let Some(meant) = WATCHED.iter().find(|meant| **meant != name && meant.eq_ignore_ascii_case(name)) {
                events.tell(Event::Noted(&format!("`{name}` is not `{meant}`: names count with their case")));
            }
            let old = self.known(name);
            if old.unwrap_or_default() == new {
                unchanged += 1;
            } else {
                events.tell(Event::Changed { name, old, new });
                self.state.parameters.insert(name.to_owned(), new.to_owned());
            }
        }
        if count == 0 {
            events.tell(Event::Parsed { parameters: 0 });
        }
        if unchanged > 0 {
            events.tell(Event::Unchanged(unchanged));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::state::State;
    use crate::phone::unit::Unit;
    use crate::phone::wire::{Trust, Wire};

    /// Keeps what it hears.
    #[derive(Default)]
    struct Heard(Vec<String>);

    impl Events for Heard {
        fn tell(&mut self, event: Event<'_>) {
            self.0.push(event.to_string().split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }

    fn phone() -> Phone {
        let mac = "000e08abcdef".parse().expect("an address");
        let unit = Unit::new("CP-8841-3PCC".parse().expect("a product name"), mac);
        let wire = Wire::new(Trust::of_pem(b"").expect("nobody"));
        Phone::new(unit, State::default(), &wire).expect("a fresh state")
    }

    fn applied(phone: &mut Phone, parameters: &str) -> Vec<String> {
        let text = format!("<flat-profile>{parameters}</flat-profile>");
        let mut heard = Heard::default();
        phone.apply(&FlatProfile::read(text.as_bytes()).expect("a profile"), &mut heard);
        heard.0
    }

    #[test]
    fn a_second_resync_shows_what_changed_since_the_first() {
        let mut phone = phone();
        let first = applied(&mut phone, "<GPP_A> 12345678 </GPP_A><Resync_Periodic>3600</Resync_Periodic>");
        assert_eq!(first, ["parsed 2 parameters", "set GPP_A = `12345678`", "unchanged 1 as they were"]);
        let second = applied(&mut phone, "<GPP_A>1</GPP_A><Resync_Periodic>60</Resync_Periodic>");
        assert_eq!(
            second,
            ["parsed 2 parameters", "changed GPP_A: `12345678` → `1`", "changed Resync_Periodic: `3600` → `60`"]
        );
        assert_eq!(applied(&mut phone, "<GPP_A>1</GPP_A>"), ["parsed 1 parameter", "unchanged 1 as they were"]);
    }

    #[test]
    fn the_last_of_two_counts_and_case_makes_another_name() {
        let mut phone = phone();
        applied(&mut phone, "<GPP_A>1</GPP_A><GPP_A>2</GPP_A>");
        assert_eq!(phone.value("GPP_A"), "2");
        let heard = applied(&mut phone, "<profile_rule>http://h/x</profile_rule>");
        assert!(heard.iter().any(|line| line.starts_with("note `profile_rule` is not `Profile_Rule`")), "{heard:?}");
        assert_eq!(phone.value("Profile_Rule"), "/$PSN.xml");
    }
}
