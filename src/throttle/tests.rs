//! Who pays for what, and who hears of it.

use super::*;

fn throttle() -> Throttle {
    let settings = config::Throttle { address: 20, prefix: 50, passwords: 3, alarm: 5, ..Default::default() };
    Throttle::new(settings)
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([198, 51, 100, last])
}

fn mac(last: u8) -> Option<MacAddress> {
    Some(MacAddress::new([0, 0x0e, 8, 0, 0, last]))
}

#[test]
fn an_address_pays_for_what_it_is_refused_and_no_other_does() {
    let (throttle, now) = (throttle(), Instant::now());
    let slow: Vec<bool> = (0..22).map(|_| throttle.refused(address(7), None, Protocol::Http, now).is_slow).collect();
    assert_eq!(slow.iter().filter(|slow| **slow).count(), 2, "{slow:?}");
    assert!(slow[21] && !throttle.refused(address(8), None, Protocol::Http, now).is_slow);
}

#[test]
fn many_addresses_pay_together_for_one_makers_devices() {
    let (throttle, now) = (throttle(), Instant::now());
    let slow = |last: u8| throttle.refused(address(last), mac(last), Protocol::Http, now).is_slow;
    assert!((0..50).all(|last| !slow(last)) && slow(51));
    assert!(!throttle.refused(address(52), Some(MacAddress::new([1, 2, 3, 4, 5, 6])), Protocol::Http, now).is_slow);
}

#[test]
fn an_alarm_is_raised_once_in_a_window_and_says_who_tried_what() {
    let (throttle, now) = (throttle(), Instant::now());
    let alarms = |from: u8, to: u8| {
        let alarms = (from..to).filter_map(|last| throttle.refused(address(7), mac(last), Protocol::Http, now).alarm);
        alarms.map(|alarm| alarm.to_string()).collect::<Vec<_>>()
    };
    assert!(alarms(0, 4).is_empty() && alarms(0, 4).is_empty(), "the same four again are four");
    assert_eq!(alarms(4, 200), ["198.51.100.7 has tried 5 MACs of 000e08"]);
    let later = now + throttle.settings.window.duration();
    let again: Vec<_> =
        (0..9).filter_map(|last| throttle.refused(address(7), mac(last), Protocol::Http, later).alarm).collect();
    assert_eq!(again.len(), 1);
}

#[test]
fn a_scan_that_may_be_forged_is_told_in_other_words() {
    let (throttle, now) = (throttle(), Instant::now());
    let over = |transport| (0..9).find_map(|last| throttle.refused(address(7), mac(last), transport, now).alarm);
    let told = over(Protocol::Tftp).map(|alarm| alarm.to_string());
    assert_eq!(told.as_deref(), Some("198.51.100.7, or who forges it over tftp, has tried 5 MACs of 000e08"));
    assert!(over(Protocol::Https).is_some(), "what is forged hides nothing");
}

#[test]
fn wrong_passwords_are_counted_by_address_and_by_account() {
    let (throttle, now) = (throttle(), Instant::now());
    let alarms: Vec<_> = (0..9).filter_map(|_| throttle.mistaken(address(7), "desk", now)).collect();
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0].to_string(), "198.51.100.7 has sent more than 3 wrong passwords");
    assert!(throttle.suspects(address(7), "another", now), "the address");
    assert!(throttle.suspects(address(8), "desk", now), "the account");
    assert!(!throttle.suspects(address(8), "another", now));
    let later = now + throttle.settings.window.duration() * 2;
    assert!(!throttle.suspects(address(7), "desk", later));
    assert!(!throttle.refused(address(7), None, Protocol::Http, now).is_slow, "wrong passwords are not refused paths");
}

#[test]
fn one_address_gets_its_share_of_the_places_and_gives_them_back() {
    let throttle = Throttle::new(config::Throttle { waiting: 128, ..Default::default() });
    let places: Vec<_> = (0..4).map(|_| throttle.place(address(7))).collect();
    assert_eq!(places.iter().flatten().count(), 2);
    assert!(throttle.place(address(8)).is_some());
    drop(places);
    assert!(throttle.place(address(7)).is_some());
    let all: Vec<_> = (0..=255).map(|last| throttle.place(address(last))).collect();
    assert_eq!(all.iter().flatten().count(), 128);
}

#[test]
fn clients_of_one_ipv6_network_have_one_budget() {
    let parse = |text: &str| client(text.parse().expect("an address"));
    assert_eq!(parse("2001:db8:0:1::7"), parse("2001:db8:0:1:ffff::1"));
    assert_ne!(parse("2001:db8:0:1::7"), parse("2001:db8:0:2::7"));
    assert_eq!(parse("::ffff:198.51.100.7"), parse("198.51.100.7"));
}
