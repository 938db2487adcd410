//! Numbers inside names: `Line_Enable_1_` of sixteen lines is one parameter, `Line_Enable_<n>_`.

use std::ops::Range;

/// Numbers of one name that are looked at; real names have two at the most.
const NUMBERS: usize = 3;

/// The patterns that a name may be meant by, the name itself first, each with the numbers that it leaves open.
pub(super) fn patterns(name: &str) -> impl Iterator<Item = (String, Vec<&str>)> {
    let numbers = numbers(name);
    (0..1_u32 << numbers.len()).map(move |open| {
        let open = numbers.iter().enumerate().filter(|(place, _)| open & (1 << place) != 0);
        let (mut pattern, mut filled, mut end) = (String::with_capacity(name.len() + 8), Vec::new(), 0);
        for (_, number) in open {
            pattern.push_str(&name[end..number.start]);
            pattern.push_str("<n>");
            filled.push(&name[number.clone()]);
            end = number.end;
        }
        pattern.push_str(&name[end..]);
        (pattern, filled)
    })
}

/// The name that a pattern gives with these numbers.
pub(super) fn fill(pattern: &str, numbers: &[&str]) -> String {
    numbers.iter().fold(pattern.to_owned(), |name, number| name.replacen("<n>", number, 1))
}

/// Where the name has one to three digits of a number from 1 on, after `_` and before `_` or the end.
fn numbers(name: &str) -> Vec<Range<usize>> {
    let mut numbers = Vec::new();
    let mut start = 0;
    for part in name.split('_') {
        let end = start + part.len();
        let is_number = (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if start > 0 && is_number && !part.starts_with('0') && numbers.len() < NUMBERS {
            numbers.push(start..end);
        }
        start = end + 1;
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_of_numbers_is_a_pattern() {
        let of = |name: &str| patterns(name).map(|(pattern, _)| pattern).collect::<Vec<_>>();
        assert_eq!(of("Station_Name"), ["Station_Name"]);
        assert_eq!(of("Cadence_1"), ["Cadence_1", "Cadence_<n>"]);
        assert_eq!(
            of("Speed_Dial_2_1_"),
            ["Speed_Dial_2_1_", "Speed_Dial_<n>_1_", "Speed_Dial_2_<n>_", "Speed_Dial_<n>_<n>_"]
        );
        assert_eq!(of("802_0_"), ["802_0_"], "neither at the start nor from 0");
        assert_eq!(of("_1_2_3_4_5_6_").len(), 8, "bounded");
    }

    #[test]
    fn a_pattern_takes_its_numbers_back() {
        for (pattern, numbers) in patterns("Unit_2_Key_17_") {
            assert_eq!(fill(&pattern, &numbers), "Unit_2_Key_17_");
        }
    }
}
