//! What is remembered, and until when.

use std::time::Duration;

use super::*;
use crate::device::{Device, DeviceIdentity, Layers};

fn known(mac: &str) -> Arc<Known> {
    let identity = DeviceIdentity::new(mac.parse().ok(), None, None).expect("an identity");
    Arc::new(Known::new(1, Device::new(identity), Layers::default(), SystemTime::UNIX_EPOCH))
}

fn name(text: &str) -> DeviceName {
    text.parse().expect("a name")
}

#[test]
fn what_is_remembered_holds_until_it_changes() {
    let inventory = Inventory::new(100, 5);
    let (one, two) = (name("000e08000001"), name("sn:AAAAAA"));
    assert_eq!(inventory.look_up(&one), Lookup::Unread);
    inventory.remember(&one, Some(known("000e08000001")), 5);
    inventory.remember(&two, None, 5);
    assert!(matches!(inventory.look_up(&one), Lookup::Known(_)));
    assert_eq!(inventory.look_up(&two), Lookup::Nobody);
    inventory.forget(6, &Touched::Names(vec![two.clone()]));
    assert!(matches!(inventory.look_up(&one), Lookup::Known(_)));
    assert_eq!(inventory.look_up(&two), Lookup::Unread);
    inventory.forget(7, &Touched::Everything);
    assert_eq!(inventory.look_up(&one), Lookup::Unread);
}

#[test]
fn what_was_read_before_a_change_that_is_known_is_not_kept() {
    let inventory = Inventory::new(100, 5);
    let one = name("000e08000001");
    inventory.forget(6, &Touched::Names(vec![one.clone()]));
    inventory.remember(&one, None, 5);
    assert_eq!(inventory.look_up(&one), Lookup::Unread);
    inventory.remember(&one, None, 6);
    assert_eq!(inventory.look_up(&one), Lookup::Nobody);
}

#[test]
fn what_was_read_after_a_change_stays_when_the_change_is_told() {
    let inventory = Inventory::new(100, 5);
    let one = name("000e08000001");
    inventory.remember(&one, None, 6);
    inventory.forget(6, &Touched::Names(vec![one.clone()]));
    assert_eq!(inventory.look_up(&one), Lookup::Nobody);
}

#[test]
fn a_change_of_groups_makes_all_old_but_forgets_nothing() {
    let inventory = Inventory::new(100, 5);
    let one = name("000e08000001");
    inventory.remember(&one, Some(known("000e08000001")), 5);
    inventory.forget(6, &Touched::Layers);
    assert_eq!(inventory.look_up(&one), Lookup::Unread);
    assert_eq!(inventory.last_known(&one), Some(Some(known("000e08000001"))));
    inventory.remember(&one, Some(known("000e08000001")), 6);
    assert!(matches!(inventory.look_up(&one), Lookup::Known(_)));
    inventory.forget(7, &Touched::Names(vec![one.clone()]));
    assert_eq!(inventory.last_known(&one), None, "it may have been disabled");
}

#[test]
fn strangers_take_no_more_room_than_there_is() {
    let inventory = Inventory::new(1000, 0);
    for number in 0..100_000_u32 {
        let [a, b, c, d] = number.to_be_bytes();
        inventory.remember(&MacAddress::new([0, 14, a, b, c, d]).into(), None, 0);
    }
    assert!(inventory.by_mac.len() <= 1100, "{}", inventory.by_mac.len());
}

#[test]
fn two_names_are_not_one_device_where_the_store_knows_better() {
    let text = r#"{"mac":"000e08000001","serial":"AAAAAA","aliases":["000e08000002"]}"#;
    let device = serde_json::from_str(text).expect("a device");
    let known = Known::new(1, device, Layers::default(), SystemTime::UNIX_EPOCH);
    let differs = |mac: &str, serial: &str| known.differs_from(mac.parse().ok(), serial.parse().ok().as_ref());
    assert!(!differs("000e08000001", "AAAAAA") && !differs("000e08000002", "") && !differs("", "AAAAAA"));
    assert!(differs("000e08000003", "AAAAAA") && differs("000e08000001", "BBBBBB"));
}

#[test]
fn a_device_is_seen_once_a_minute() {
    let inventory = Inventory::new(100, 0);
    let (phone, address) = (known("000e08000001"), IpAddr::from([192, 0, 2, 1]));
    let begin = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for second in 0..90 {
        inventory.saw(&phone, address, begin + Duration::from_secs(second));
    }
    let at: Vec<i64> = inventory.sightings().iter().map(|sighting| sighting.at).collect();
    assert_eq!(at, [1_700_000_000, 1_700_000_060]);
    assert_eq!(inventory.sightings(), []);
}
