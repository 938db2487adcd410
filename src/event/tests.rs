//! What news come to for a device.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::config::{Accept, Report};
use crate::device::{DeviceIdentity, DeviceName, MacAddress};
use crate::provision::{ContentHash, Named, Outcome, Trail};
use crate::syslog::Messages;

const HOME: [u8; 4] = [192, 0, 2, 10];
const ELSEWHERE: [u8; 4] = [198, 51, 100, 9];

fn mac() -> MacAddress {
    "000e08abcdef".parse().expect("an address")
}

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.ids.insert(DeviceName::Mac(mac()), 7);
    ledger
}

fn hash(text: &str) -> String {
    ContentHash::of(text.as_bytes()).to_string()
}

fn requested(second: i64, path: &str, outcome: Outcome, version: Option<&str>) -> News {
    let proven = DeviceIdentity::new(Some(mac()), None, None).map(Arc::new);
    let trail = Trail { proven, claimed: Named::Device { mac: Some(mac()), serial: None }, ..Trail::default() };
    let agent = Some("Cisco-CP-8841-3PCC/11.3.2 (000e08abcdef)".into());
    let reason = (outcome == Outcome::Refused).then(|| "the device is disabled".to_owned());
    let (at, peer, version) = (at(second), HOME.into(), version.map(|text| ContentHash::of(text.as_bytes())));
    News::Requested(Box::new(Requested { at, peer, path: path.into(), trail, outcome, reason, version, agent }))
}

fn said(second: i64, from: [u8; 4], text: &str) -> News {
    let text = text.replace("ME", "CP-8841-3PCC 00:0e:08:ab:cd:ef --");
    News::Said(Messages::default().read(text.as_bytes(), IpAddr::from(from), at(second)))
}

/// The events of these news, and how the device stands then.
fn entered(news: &[News]) -> (Vec<Event>, Vec<Standing>) {
    let mut ledger = ledger();
    let events = news.iter().zip(1..).map(|(news, id)| ledger.enter(news, id)).collect();
    (events, ledger.into_changes().0)
}

#[test]
fn what_becomes_of_an_image_says_nothing_of_a_profile() {
    let (events, standings) = entered(&[
        requested(1, "/a.cfg", Outcome::Served, Some("v1")),
        said(2, HOME, "ME Upgrade failed: no space"),
        said(3, HOME, "ME Successful upgrade https://x/fw.loads"),
    ]);
    let [standing] = &standings[..] else { panic!("{standings:?}") };
    assert!(standing.failing.is_none() && standing.confirmed.is_none(), "{standing:?}");
    assert_eq!((events[1].outcome.as_str(), events[1].device), ("upgrade_failure", Some(7)));
}

#[test]
fn what_was_given_is_confirmed_by_the_phones_word() {
    let (events, standings) = entered(&[
        said(0, HOME, "ME Requesting resync https://h:443/a.cfg"),
        requested(1, "/a.cfg", Outcome::Served, Some("v1")),
        said(2, HOME, "ME Successful resync https://h:443/a.cfg"),
        requested(3, "/a.cfg", Outcome::Unchanged, Some("v2")),
    ]);
    assert!(!events[0].certain && events[0].device.is_none(), "nothing was served there before: {:?}", events[0]);
    assert_eq!(
        (events[2].device, events[2].follows, events[2].version.as_deref()),
        (Some(7), Some(2), Some(hash("v1").as_str()))
    );
    let [standing] = &standings[..] else { panic!("{standings:?}") };
    assert_eq!(standing.confirmed, Some(Version { hash: hash("v1"), at: at(2) }));
    assert_eq!(standing.given, Some(Version { hash: hash("v2"), at: at(3) }));
    assert_eq!((standing.firmware.as_str(), standing.address.as_str()), ("11.3.2", "192.0.2.10"));
}

#[test]
fn a_line_from_elsewhere_changes_nothing() {
    let (events, standings) = entered(&[
        requested(1, "/a.cfg", Outcome::Served, Some("v1")),
        said(2, ELSEWHERE, "ME Successful resync https://h:443/a.cfg"),
        said(3, ELSEWHERE, "ME Resync failed: gone mad"),
    ]);
    assert_eq!((events[1].device, events[1].certain), (None, false));
    assert_eq!(events[1].name.as_deref(), Some("000e08abcdef"), "kept as what it claims");
    assert_eq!((standings[0].confirmed.clone(), standings[0].failing.clone()), (None, None));
}

#[test]
fn who_proves_nothing_is_no_device_that_has_proven_itself_elsewhere() {
    let claimed = |second, path: &str, address: [u8; 4]| match requested(second, path, Outcome::Served, Some("v9")) {
        News::Requested(mut requested) => {
            (requested.trail.proven, requested.peer) = (None, address.into());
            News::Requested(requested)
        }
        other => other,
    };
    let own = || requested(1, "/a.cfg", Outcome::Served, Some("v1"));
    let (events, standings) = entered(&[
        own(),
        claimed(2, "/a.cfg", ELSEWHERE),
        claimed(3, "/secure/a.cfg", ELSEWHERE),
        said(4, ELSEWHERE, "ME Successful resync https://h:443/a.cfg"),
    ]);
    let [standing] = &standings[..] else { panic!("{standings:?}") };
    assert_eq!((standing.address.as_str(), standing.proven), ("192.0.2.10", true));
    assert_eq!((&standing.given, &standing.confirmed), (&Some(Version { hash: hash("v1"), at: at(1) }), &None));
    assert!(!events[3].certain && events[3].device.is_none(), "{:?}", events[3]);

    let (_, standings) = entered(&[own(), claimed(2, "/secure/a.cfg", HOME)]);
    assert_eq!(standings.len(), 2, "at its own address it may do without a proof");
    let (_, standings) = entered(&[claimed(1, "/secure/a.cfg", HOME), claimed(2, "/secure/a.cfg", ELSEWHERE)]);
    assert_eq!((standings[0].address.as_str(), standings[0].proven), ("198.51.100.9", false));
    let week = 8 * 24 * 3600;
    let (_, standings) = entered(&[own(), claimed(week, "/a.cfg", ELSEWHERE)]);
    assert_eq!((standings[0].address.as_str(), standings[0].proven), ("198.51.100.9", false));
}

#[test]
fn a_device_that_proves_itself_and_is_not_served_has_proven_where_it_is() {
    let stranger = |second, outcome, version| match requested(second, "/a.cfg", outcome, version) {
        News::Requested(mut requested) => {
            (requested.trail.proven, requested.peer) = (None, ELSEWHERE.into());
            News::Requested(requested)
        }
        other => other,
    };
    for outcome in [Outcome::Failed, Outcome::Refused] {
        let (events, standings) = entered(&[
            requested(1, "/a.cfg", outcome, None),
            stranger(2, Outcome::Served, Some("v1")),
            said(3, ELSEWHERE, "ME Resync failed: made up by a stranger"),
        ]);
        let [standing] = &standings[..] else { panic!("{standings:?}") };
        assert_eq!((standing.address.as_str(), standing.proven, &standing.given), ("192.0.2.10", true, &None));
        let failing = standing.failing.as_ref().expect("it fails still");
        assert_eq!((failing.since, failing.told), (at(1), false), "{failing:?}");
        assert!(!events[2].certain && events[2].device.is_none(), "{:?}", events[2]);
    }
    // It was somewhere else before.
    let (_, standings) =
        entered(&[stranger(1, Outcome::Served, Some("v1")), requested(2, "/a.cfg", Outcome::Failed, None)]);
    assert_eq!((standings[0].address.as_str(), standings[0].proven), ("192.0.2.10", true));
    let own = said(3, HOME, "ME Resync failed: corrupt file");
    let (events, _) = entered(&[requested(1, "/a.cfg", Outcome::Failed, None), own]);
    assert_eq!((events[1].device, events[1].follows), (Some(7), Some(1)), "its own word counts");
}

#[test]
fn a_failure_is_of_what_the_phone_asked_for_last_and_ends_with_a_success() {
    let failing = |more: Vec<News>| {
        let mut news = vec![
            requested(1, "/a.cfg", Outcome::Served, Some("v1")),
            said(2, HOME, "ME Successful resync https://h:443/a.cfg"),
            said(3, HOME, "ME Requesting resync https://h:443/b.cfg"),
            said(4, HOME, "ME Resync failed: Download failed"),
            said(9, HOME, "ME Resync failed: corrupt file"),
        ];
        news.extend(more);
        entered(&news).1.into_iter().find(|standing| standing.path == "/b.cfg").expect("a path").failing
    };
    let expected = Failing { since: at(4), error: "corrupt file".into(), told: true };
    assert_eq!(failing(vec![]), Some(expected.clone()));
    let given = || requested(10, "/b.cfg", Outcome::Served, Some("v"));
    assert_eq!(failing(vec![given()]), Some(expected), "to be given something is not to take it");
    assert_eq!(failing(vec![given(), said(11, HOME, "ME Successful resync https://h/b.cfg?x=1")]), None);
}

#[test]
fn a_device_that_is_refused_fails_until_it_is_served() {
    let refused = || requested(1, "/a.cfg", Outcome::Refused, None);
    let failing = entered(&[refused()]).1[0].failing.clone().expect("a failure");
    assert_eq!((failing.error.as_str(), failing.told), ("the device is disabled", false));
    assert_eq!(entered(&[refused(), requested(2, "/a.cfg", Outcome::Served, Some("v"))]).1[0].failing, None);
    let anybody = |second| match requested(second, "/a.cfg", Outcome::Refused, None) {
        News::Requested(mut requested) => {
            requested.trail.proven = None;
            News::Requested(requested)
        }
        other => other,
    };
    assert_eq!(entered(&[anybody(1)]).1, [], "who proves nothing may be anybody");
}

#[test]
fn a_device_that_asks_for_what_is_anothers_does_not_fail() {
    let news = match requested(1, "/000e08000002.cfg", Outcome::Refused, None) {
        News::Requested(mut requested) => {
            requested.trail.claimed = Named::Device { mac: "000e08000002".parse().ok(), serial: None };
            News::Requested(requested)
        }
        other => other,
    };
    let (events, standings) = entered(&[news]);
    assert_eq!((events[0].device, standings), (Some(7), Vec::new()));
}

#[test]
fn a_line_without_a_name_is_of_the_only_device_at_its_address() {
    let mut ledger = ledger();
    ledger.enter(&requested(1, "/a.cfg", Outcome::Served, Some("v1")), 1);
    let nameless = || said(2, HOME, "Successful resync https://h:443/a.cfg");
    assert_eq!(ledger.enter(&nameless(), 2).device, None, "there may be several");
    ledger.alone_at.insert(HOME.into(), (7, DeviceName::Mac(mac())));
    let event = ledger.enter(&nameless(), 3);
    assert_eq!((event.device, event.follows), (Some(7), Some(1)));
    assert_eq!((event.name.as_deref(), event.certain), (Some("000e08abcdef"), false), "it is shown as inferred");
    let elsewhere = ledger.enter(&said(4, ELSEWHERE, "Successful resync https://h:443/a.cfg"), 4);
    assert_eq!((elsewhere.device, elsewhere.name), (None, None));
}

#[test]
fn a_profile_that_was_given_and_is_gone_is_missed() {
    let gone = |second, path: &str| requested(second, path, Outcome::Unknown, None);
    let given = || requested(1, "/a.cfg", Outcome::Served, Some("v"));
    let (_, standings) = entered(&[given(), gone(2, "/a.cfg"), gone(2, "/ring.wav")]);
    let [standing] = &standings[..] else { panic!("phones ask for many a file that never was: {standings:?}") };
    let failing = standing.failing.as_ref().expect("a failure");
    assert_eq!((failing.since, failing.told, standing.request), (at(2), false, 2));
    let again = requested(3, "/a.cfg", Outcome::Served, Some("v"));
    assert_eq!(entered(&[given(), gone(2, "/a.cfg"), again]).1[0].failing, None);
    let anybody = match gone(2, "/a.cfg") {
        News::Requested(mut requested) => {
            requested.trail.proven = None;
            News::Requested(requested)
        }
        other => other,
    };
    assert_eq!(entered(&[given(), anybody]).1[0].failing, None, "who proves nothing may be anybody");
}

#[test]
fn an_upgrade_that_fails_is_of_the_image_that_the_phone_asked_for_last() {
    let news = |more: Vec<News>| {
        let mut news = vec![requested(1, "/a.cfg", Outcome::Served, Some("v1"))];
        news.extend(more);
        entered(&news)
    };
    let asks = || said(2, HOME, "ME Requesting upgrade http://files.example.com:80/fw.loads");
    let fails = || said(4, HOME, "ME Upgrade failed: http_get failed");
    let failing = |standings: &[Standing], path: &str| {
        let standing = standings.iter().find(|standing| standing.path == path)?;
        standing.failing.as_ref().map(|failing| failing.error.clone())
    };
    let error = Some("http_get failed".to_owned());

    // Its image is another server's.
    let (events, standings) = news(vec![asks(), fails()]);
    assert_eq!((events[2].path.as_deref(), events[2].follows), (Some("/fw.loads"), None));
    assert_eq!((failing(&standings, "/fw.loads"), failing(&standings, "/a.cfg")), (error.clone(), None));
    // It is ours.
    let fetches = || requested(3, "/fw.loads", Outcome::Served, Some("image"));
    let (events, standings) = news(vec![asks(), fetches(), fails()]);
    assert_eq!((events[3].path.as_deref(), events[3].follows), (Some("/fw.loads"), Some(3)));
    assert_eq!(failing(&standings, "/fw.loads"), error);
    // It never says what it asks for.
    let (events, standings) = news(vec![fetches(), fails()]);
    assert_eq!((events[2].follows, failing(&standings, "/fw.loads")), (Some(2), error));
    // It is taken at last.
    let succeeds = || said(5, HOME, "ME Successful upgrade http://files.example.com:80/fw.loads");
    let (_, standings) = news(vec![asks(), fails(), succeeds()]);
    assert!(standings.iter().all(|standing| standing.path == "/a.cfg"), "it was there for its failure: {standings:?}");
    let (_, standings) = news(vec![asks(), fetches(), fails(), succeeds()]);
    let image = standings.iter().find(|standing| standing.path == "/fw.loads").expect("a path");
    assert!(image.failing.is_none() && image.confirmed.is_some(), "{image:?}");
}

#[test]
fn a_text_that_is_cut_says_so() {
    let long = "x".repeat(3000);
    let event = entered(&[said(1, HOME, &long)]).0.remove(0);
    assert!(event.text.len() <= 2048 && event.text.ends_with("x…"), "{}", event.text);
    let fits = format!("a-b - x  {}", "x".repeat(1500));
    assert_eq!(entered(&[said(1, HOME, &fits)]).0[0].text, fits);
}

#[test]
fn a_device_has_no_more_paths_than_are_kept() {
    let news: Vec<News> = (0..100).map(|n| requested(n, &format!("/{n}.cfg"), Outcome::Served, Some("v"))).collect();
    let standings = entered(&news).1;
    assert_eq!(standings.len(), 32);
    assert!(standings.iter().all(|standing| standing.touched >= at(68)), "{standings:?}");
}

#[test]
fn past_its_bound_the_journal_takes_no_more_and_says_so() {
    let lost = Counter::default();
    let (journal, inbox) = Journal::new(lost.clone());
    for second in 0..20_000 {
        journal.tell(News::Alarm { at: at(second), peer: HOME.into(), text: String::new() });
    }
    assert_eq!(lost.get(), 20_000 - WAITING as u64);
    assert_eq!(inbox.news.len(), WAITING);
}

#[test]
fn what_nobody_stands_behind_leaves_room_in_the_journal() {
    let lost = Counter::default();
    let (journal, inbox) = Journal::new(lost.clone());
    let nobodys = |second| match requested(second, "/basic.txt", Outcome::Refused, None) {
        News::Requested(requested) => News::Requested(Box::new(Requested { trail: Trail::default(), ..*requested })),
        other => other,
    };
    let denied = |second| News::Uploaded {
        at: at(second),
        device: None,
        address: String::new(),
        path: None,
        text: String::new(),
        reception: Reception::Denied,
    };
    for second in 0..10_000 {
        journal.tell(nobodys(second));
        journal.tell(denied(second));
    }
    assert_eq!(inbox.news.len(), WAITING - LEFT);
    let before = lost.get();
    for second in 0..4_000 {
        journal.tell(requested(second, "/000e08abcdef.cfg", Outcome::Served, Some("v")));
    }
    assert_eq!((lost.get(), inbox.news.len()), (before, WAITING - LEFT + 4_000));
}

#[test]
fn what_a_phone_sends_is_told_by_its_kind_and_is_no_word_on_what_it_was_given() {
    let sent = |second, outcome| match requested(second, "/report/000e08abcdef.xml", outcome, None) {
        News::Requested(mut requested) => {
            requested.trail.upload = Some(Accept::Report(Report::Delta));
            requested.trail.received = 120;
            News::Requested(requested)
        }
        other => other,
    };
    let (events, standings) = entered(&[sent(1, Outcome::Kept), sent(2, Outcome::Refused)]);
    assert_eq!(standings, [], "it fails to tell, not to fetch");
    let told: Vec<_> = events.iter().map(|event| (event.kind, event.outcome.as_str(), event.text.as_str())).collect();
    let refused = "delta, 120 bytes  the device is disabled";
    assert_eq!(told, [(Kind::Report, "kept", "delta, 120 bytes"), (Kind::Report, "refused", refused)]);
}
