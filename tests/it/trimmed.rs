//! Events past their bound: what anybody can make goes before what devices did that have proven themselves.

use std::net::UdpSocket;

use jiff::{Timestamp, ToSpan as _};
use phoneprov::event::{News, Reception};
use phoneprov::store::{Store, Wanted};

use crate::outsider::run;
use crate::server::wait_for;
use crate::site::{ALL, PHONE, Site, config};
use crate::store::in_both;

/// Keeps so many events of files, and what became of each.
async fn keep(store: &Store, events: usize, reception: Reception) {
    let news = || News::Uploaded {
        at: Timestamp::now(),
        device: None,
        address: "192.0.2.1".into(),
        path: None,
        text: String::new(),
        reception,
    };
    let news: Vec<News> = std::iter::repeat_with(news).take(events).collect();
    store.keep(&news).await.expect("a store");
}

/// The numbers of the events that somebody stands behind, and of those that nobody does.
async fn kept(store: &Store) -> (Vec<i64>, Vec<i64>) {
    let events = store.newest_events(&Wanted::default(), 100).await.expect("a store");
    let (certain, nobodys): (Vec<_>, Vec<_>) = events.iter().partition(|event| event.certain);
    let numbers = |events: Vec<&phoneprov::event::Event>| events.iter().map(|event| event.id).collect();
    (numbers(certain), numbers(nobodys))
}

#[test]
fn what_nobody_stands_behind_goes_first_until_it_has_its_share() {
    in_both(async |store| {
        keep(&store, 6, Reception::Kept).await;
        keep(&store, 12, Reception::Denied).await;
        keep(&store, 2, Reception::Refused).await;
        let trim = async |most| store.trim_events(Timestamp::MIN, most).await.expect("a store");
        assert_eq!(trim(20).await, 0, "there is room for all");
        assert_eq!(trim(12).await, 8);
        let certain = vec![1, 2, 3, 4, 5, 6, 19, 20];
        assert_eq!(kept(&store).await, (certain, vec![15, 16, 17, 18]));
        assert_eq!(trim(12).await, 0, "numbers are more than there are events");
        assert_eq!(trim(8).await, 4);
        assert_eq!(kept(&store).await, (vec![3, 4, 5, 6, 19, 20], vec![17, 18]), "then the oldest of all");
        keep(&store, 3, Reception::Kept).await;
        assert_eq!(trim(8).await, 3);
        assert_eq!(kept(&store).await, (vec![6, 19, 20, 21, 22, 23], vec![17, 18]), "a share is not taken either");
        let later = Timestamp::now().saturating_add(1.hour()).expect("a time");
        assert_eq!(store.trim_events(later, 8).await.expect("a store"), 8, "what is old goes whatever it is");
        assert_eq!(trim(8).await, 0);
    });
}

#[test]
fn a_flood_of_strangers_leaves_what_a_device_did() {
    let site = Site::new("");
    let events = |most: u32| {
        let keeping = "[store]\nurl = \"sqlite://state/phoneprov.db\"\n[syslog]\naddress = \"127.0.0.1:0\"\n";
        config(&ALL, &format!("{keeping}[events]\nmost = {most}\n"))
    };
    site.configure(&events(1000));
    site.tell(&["device", "add", PHONE]);
    let server = site.start();
    let own = format!("/{PHONE}.cfg");
    assert!(wait_for(|| server.phone(&own).status == 200));
    // Refusals, and lines under the device's name from an address that is not known for it.
    let url = server.url("http", "/nothing/[1-20]");
    assert!(run("curl", &["-s", "-o", "/dev/null", "--noproxy", "*", &url], b"").status.success());
    let (socket, to) = (UdpSocket::bind("127.0.0.2:0").expect("a port"), ("127.0.0.1", server.port("syslog")));
    for _ in 0..200 {
        let line = "CP-8841-3PCC 00:0e:08:ab:cd:ef -- Resync failed: a lie";
        socket.send_to(line.as_bytes(), to).expect("sent");
    }
    let told = |site: &Site| site.tell(&["events", "--limit", "1000"]).lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(wait_for(|| told(&server).len() >= 221), "{}", told(&server).len());
    let site = server.stop();
    site.configure(&events(40));
    let server = site.start();
    assert!(wait_for(|| told(&server).len() <= 40), "{}", told(&server).len());
    let left = told(&server);
    let of_device = left.iter().filter(|line| line.contains(&format!("{PHONE}  127.0.0.1  served  {own}")));
    assert!(of_device.count() >= 1, "{left:#?}");
    assert!(left.iter().any(|line| line.contains("a lie")), "the newest of the others: {left:#?}");
}
