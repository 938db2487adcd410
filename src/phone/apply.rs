//! What a profile changes.

use super::Phone;
use super::event::{Event, Events};
use crate::profile::flat::FlatProfile;
use crate::profile::parameters::{self, Family};

/// Names that are told of in one line.
const TOLD: usize = 8;

impl Phone {
    /// Takes a profile's parameters over. Of a name that stands twice the last one counts; what a profile does not name
    /// stays. An empty element is the empty value: of the three readings in the guides the first. What this family does not
    /// have is passed over (Cisco "Provisioning Formats"); what the dictionary only has not seen of it is taken.
    pub(super) fn apply(&mut self, profile: &FlatProfile, events: &mut dyn Events) {
        let profile = profile.effective();
        events.tell(Event::Parsed { parameters: profile.parameters.len() });
        let family = Family::of(&self.unit.model);
        let (mut unchanged, mut strange) = (0, Vec::new());
        for parameter in profile.parameters.iter().filter(|parameter| parameter.router().is_none()) {
            let (name, new) = (parameter.name(), parameter.value());
            let old = self.known(name);
            if old.unwrap_or_default() == new {
                unchanged += 1;
                continue;
            }
            match Standing::of(name, family) {
                Standing::Known => {}
                Standing::Strange => strange.push(name),
                Standing::Ignored(why) => {
                    events.tell(Event::Ignored { name, why: &why });
                    continue;
                }
            }
            events.tell(Event::Changed { name, old, new });
            self.state.parameters.insert(name.to_owned(), new.to_owned());
        }
        if unchanged > 0 {
            events.tell(Event::Unchanged(unchanged));
        }
        if !strange.is_empty() {
            let more = strange.len().saturating_sub(TOLD);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let names = strange[..strange.len().min(TOLD)].join(", ");
            let whose = family.map_or_else(|| "any phone".to_owned(), |family| format!("{family} phones"));
            let note = format!("not known of {whose}, which pass over what they do not know: {names}{more}");
            events.tell(Event::Noted(&note));
        }
    }
}

/// What a name is to a phone.
enum Standing {
    /// Its own.
    Known,
    /// The dictionary, which is not complete, has not seen it on phones of this family.
    Strange,
    /// It is not the phone's, and this is.
    Ignored(String),
}

impl Standing {
    fn of(name: &str, family: Option<Family>) -> Self {
        let Some(known) = parameters::find(name) else {
            // Names are case-sensitive (Cisco "Provisioning Formats").
            return parameters::in_other_case(name).map_or(Self::Strange, |right| {
                Self::Ignored(format!("it is written {right}, and names count with their case"))
            });
        };
        match family {
            Some(family) if !known.families().contains(family) => match known.name_on(family) {
                Some(own) => Self::Ignored(format!("{family} phones call it {own}")),
                None => Self::Strange,
            },
            Some(_) | None => Self::Known,
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
        let ignored = "ignored profile_rule: it is written Profile_Rule, and names count with their case";
        assert_eq!(heard, ["parsed 1 parameter", ignored]);
        assert_eq!(phone.value("Profile_Rule"), "/$PSN.xml");
    }

    #[test]
    fn what_is_another_familys_is_passed_over_and_what_nobody_knows_is_told_of() {
        let mut phone = phone();
        let heard = applied(&mut phone, "<Admin_Passwd>s</Admin_Passwd><GPP_A>1</GPP_A><Brand_New>2</Brand_New>");
        let expected = [
            "parsed 3 parameters",
            "ignored Admin_Passwd: MPP phones call it Admin_Password",
            "set GPP_A = `1`",
            "set Brand_New = `2`",
            "note not known of MPP phones, which pass over what they do not know: Brand_New",
        ];
        assert_eq!(heard, expected);
        assert_eq!((phone.value("Admin_Passwd"), phone.value("Brand_New")), ("", "2"));
    }
}
