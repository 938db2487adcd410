//! When devices were last heard of.

use std::collections::HashMap;

use crate::event::Standing;
use crate::store::{Seen, Store, StoreError};

/// When and where each of these devices was given something, or heard of with what it asks for: whichever is later. The
/// server writes the first every few seconds only.
pub(super) async fn heard(store: &Store, devices: &[i64]) -> Result<HashMap<i64, Seen>, StoreError> {
    let mut heard = store.seen(devices).await?;
    for standing in store.standings_of(devices).await? {
        note(&mut heard, standing);
    }
    Ok(heard)
}

fn note(heard: &mut HashMap<i64, Seen>, standing: Standing) {
    let Standing { device, touched, address, .. } = standing;
    if heard.get(&device).is_none_or(|seen| seen.at < touched) {
        heard.insert(device, Seen { at: touched, address });
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_later_of_both_counts() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let seen = |second, address: &str| Seen { at: at(second), address: address.to_owned() };
        let mut heard = HashMap::from([(1, seen(10, "192.0.2.1")), (2, seen(10, "192.0.2.1"))]);
        for (device, second) in [(1, 9), (2, 11), (3, 5), (3, 7), (3, 6)] {
            note(&mut heard, Standing::new(device, "/a".into(), format!("192.0.2.{second}"), at(second)));
        }
        let expected = [(1, seen(10, "192.0.2.1")), (2, seen(11, "192.0.2.11")), (3, seen(7, "192.0.2.7"))];
        assert_eq!(heard, HashMap::from(expected));
    }
}
