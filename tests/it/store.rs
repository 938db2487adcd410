//! The store in both databases: what a change does, what it refuses, and what is left when it is cut short.

use std::fs;

use phoneprov::config::Place;
use phoneprov::device::{Device, DeviceName, Secret};
use phoneprov::store::{Entry, Filter, Group, Store, StoreError};
use serde_json::json;

use crate::outsider::run;
use crate::postgres;
use crate::server::refused;
use crate::site::{ALL, Site, config};

/// A place of each kind, and what keeps it there.
fn places() -> Vec<(Place, Option<tempfile::TempDir>)> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = Place::Sqlite(folder.path().join("state/x y%?.db"));
    vec![(file, Some(folder)), (Place::Postgres(Secret::new(postgres::database())), None)]
}

/// Runs a test in a store of each kind, both empty.
pub(crate) fn in_both(test: impl AsyncFn(Store)) {
    for (place, _folder) in places() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { test(Store::open(&place).await.expect("a store")).await });
    }
}

fn device(text: &serde_json::Value) -> Device {
    serde_json::from_value(text.clone()).expect("a device")
}

fn name(text: &str) -> DeviceName {
    text.parse().expect("a name")
}

async fn write(store: &Store, changes: Vec<(Option<Entry>, Option<Device>)>) -> Result<Option<i64>, StoreError> {
    let mut writing = store.write("test", "a test").await?;
    writing.change(changes).await?;
    writing.commit().await
}

async fn group(store: &Store, name: &str) {
    let name = name.parse().expect("a group's name");
    let mut writing = store.write("test", "group add").await.expect("a store");
    writing.change_group(&name, Some(Group::new(name.clone()))).await.expect("a group");
    writing.commit().await.expect("a store");
}

fn ata() -> Device {
    device(&json!({
        "mac": "000e08abcdef", "serial": "FCH2133E8B9", "product": "ATA192", "series": "192", "label": "Küche",
        "aliases": ["0e08abcdef01", "0e08abcdef02"], "notes": "a\nb", "groups": ["b", "a"], "enabled": false,
        "variables": {"sip_user": "100", "lines": [1, 2], "vlan": {"id": 7}, "on": true, "ratio": 1.5, "GPP_B": "x"},
    }))
}

#[test]
fn a_device_is_kept_as_it_was_given_and_found_by_every_name() {
    in_both(async |store| {
        group(&store, "a").await;
        group(&store, "b").await;
        let revision = write(&store, vec![(None, Some(ata()))]).await.expect("written");
        assert_eq!(revision, Some(3));
        for known in ["000e08abcdef", "0e08abcdef01", "0e08abcdef02", "sn:FCH2133E8B9"] {
            let entry = store.device(&name(known)).await.expect("a store").expect("a device");
            assert_eq!(entry, Entry { id: 1, device: ata() }, "{known}");
        }
        assert_eq!(store.device(&name("000e08abcdee")).await.expect("a store"), None);
    });
}

#[test]
fn a_change_changes_what_it_says_and_nothing_else() {
    in_both(async |store| {
        for name in ["a", "b"] {
            group(&store, name).await;
        }
        write(&store, vec![(None, Some(ata()))]).await.expect("written");
        let before = store.device(&name("000e08abcdef")).await.expect("a store").expect("a device");
        let mut after = before.device.clone();
        after.enabled = true;
        after.aliases = vec!["0e08abcdef02".parse().expect("an address")];
        after.groups.reverse();
        after.variables.remove("lines");
        write(&store, vec![(Some(before.clone()), Some(after.clone()))]).await.expect("written");
        let now = store.device(&name("0e08abcdef02")).await.expect("a store").expect("a device");
        assert_eq!(now, Entry { id: 1, device: after });
        assert_eq!(store.device(&name("0e08abcdef01")).await.expect("a store"), None);

        let revision = store.revision().await.expect("a store");
        assert_eq!(write(&store, vec![(Some(now.clone()), Some(now.device.clone()))]).await.expect("a store"), None);
        assert_eq!(store.revision().await.expect("a store"), revision, "nothing was changed, so nothing is told");

        write(&store, vec![(Some(now), None)]).await.expect("removed");
        assert_eq!(store.count().await.expect("a store"), 0);
        write(&store, vec![(None, Some(device(&json!({"mac": "0e08abcdef02"}))))]).await.expect("its names are free");
    });
}

#[test]
fn a_name_is_one_devices() {
    in_both(async |store| {
        let one = device(&json!({"mac": "000e08000001", "aliases": ["000e08000002"], "serial": "AAAAAA"}));
        write(&store, vec![(None, Some(one))]).await.expect("written");
        let others = [
            json!({"mac": "000e08000001"}),
            json!({"mac": "000e08000002"}),
            json!({"mac": "000e08000003", "aliases": ["000e08000001"]}),
            json!({"mac": "000e08000003", "aliases": ["000e08000002"]}),
            json!({"serial": "AAAAAA"}),
        ];
        for other in others {
            let error = write(&store, vec![(None, Some(device(&other)))]).await.expect_err("taken").to_string();
            assert!(error.ends_with("is a name of the device 000e08000001 already"), "{other}: {error}");
        }
        let twice = || Some(device(&json!({"mac": "000e08000009"})));
        let error = write(&store, vec![(None, twice()), (None, twice())]).await.expect_err("twice").to_string();
        assert_eq!(error, "000e08000009 stands twice");
        assert_eq!(store.count().await.expect("a store"), 1, "nothing of them is left");
    });
}

#[test]
fn two_devices_can_swap_a_serial_number() {
    in_both(async |store| {
        let make = |mac: &str, serial: &str| Some(device(&json!({"mac": mac, "serial": serial})));
        let (one, two) = ("000e08000001", "000e08000002");
        write(&store, vec![(None, make(one, "AAAAAA")), (None, make(two, "BBBBBB"))]).await.expect("written");
        let entry = async |mac: &str| store.device(&name(mac)).await.expect("a store");
        let swap = vec![(entry(one).await, make(one, "CCCCCC")), (entry(two).await, make(two, "AAAAAA"))];
        write(&store, swap).await.expect("written");
        assert_eq!(entry("sn:AAAAAA").await.expect("a device").device, make(two, "AAAAAA").expect("a device"));
    });
}

#[test]
fn a_group_has_to_be_there_and_stays_while_devices_are_in_it() {
    in_both(async |store| {
        let member = || Some(device(&json!({"mac": "000e08000001", "groups": ["sales"]})));
        let error = write(&store, vec![(None, member())]).await.expect_err("no group").to_string();
        assert_eq!(error, "there is no group sales: `phoneprov group add` makes one");
        group(&store, "sales").await;
        write(&store, vec![(None, member())]).await.expect("written");

        let sales = "sales".parse().expect("a group's name");
        let mut writing = store.write("test", "group remove").await.expect("a store");
        let error = writing.change_group(&sales, None).await.expect_err("in use").to_string();
        drop(writing);
        assert_eq!(error, "the group sales has 1 devices: take them out first");
        let groups = store.groups().await.expect("a store");
        assert_eq!(groups, [(Group::new(sales), 1)]);
    });
}

#[test]
fn a_page_goes_on_where_the_last_one_ended() {
    in_both(async |store| {
        group(&store, "even").await;
        let make = |number: i32| {
            let groups = if number % 2 == 0 { json!(["even"]) } else { json!([]) };
            let mac = format!("000e08{number:06x}");
            device(&json!({"mac": mac, "groups": groups, "label": format!("Desk {number}"), "enabled": number != 7}))
        };
        write(&store, (0..1203).map(|number| (None, Some(make(number)))).collect()).await.expect("written");
        assert_eq!(store.count().await.expect("a store"), 1203);
        let (mut after, mut all) = (0, Vec::new());
        loop {
            let page = store.page(after, 500, &Filter::default()).await.expect("a page");
            let Some(last) = page.last() else { break };
            after = last.id;
            all.extend(page.into_iter().map(|entry| entry.device));
        }
        assert_eq!(all, (0..1203).map(make).collect::<Vec<_>>());
        let count = async |filter: Filter| store.page(0, 5000, &filter).await.expect("a page").len();
        let text = |text: &str| Filter { text: Some(text.into()), ..Filter::default() };
        assert_eq!(count(text("DESK 120")).await, 4);
        assert_eq!(count(text("0004b2")).await, 1);
        assert_eq!(count(Filter { enabled: Some(false), ..Filter::default() }).await, 1);
        assert_eq!(count(Filter { group: Some("even".parse().expect("a name")), ..Filter::default() }).await, 602);
    });
}

#[test]
fn history_says_who_changed_what_and_undo_takes_it_back() {
    in_both(async |store| {
        group(&store, "a").await;
        group(&store, "b").await;
        let added = write(&store, vec![(None, Some(ata()))]).await.expect("written").expect("a change");
        let before = store.device(&name("000e08abcdef")).await.expect("a store").expect("a device");
        let renamed = Device { label: "Hall".into(), ..before.device.clone() };
        let renamed = write(&store, vec![(Some(before), Some(renamed))]).await.expect("written").expect("a change");

        let log = store.log(Some(("000e08abcdef", None)), None, 10).await.expect("a log");
        let told: Vec<(i64, &str, &str)> =
            log.iter().map(|c| (c.revision, c.who.as_str(), c.action.as_str())).collect();
        assert_eq!(told, [(renamed, "test", "a test"), (added, "test", "a test")]);
        assert_eq!(log[0].before.as_ref().expect("a device")["label"], "Küche");
        assert_eq!(log[0].after.as_ref().expect("a device")["label"], "Hall");
        assert_eq!(log[1].before, None);

        let undo = async |revision: i64| {
            let mut writing = store.write("test", "undo").await?;
            writing.undo(revision).await?;
            writing.commit().await
        };
        let error = undo(added).await.expect_err("a later change stands on it").to_string();
        assert_eq!(error, format!("000e08abcdef was changed again by change {renamed}: undo that one first"));
        let undone = undo(renamed).await.expect("undone").expect("a change");
        let entry = store.device(&name("000e08abcdef")).await.expect("a store").expect("a device");
        assert_eq!(entry, Entry { id: 1, device: ata() });

        let removed = write(&store, vec![(Some(entry.clone()), None)]).await.expect("removed").expect("a change");
        undo(removed).await.expect("undone");
        assert_eq!(
            store.device(&name("0e08abcdef01")).await.expect("a store"),
            Some(entry),
            "the same, under its number"
        );
        assert_eq!(undo(77).await.expect_err("none").to_string(), "there is no change 77");
        assert!(undone > renamed);
    });
}

#[test]
fn a_change_that_is_not_committed_never_was() {
    in_both(async |store| {
        let mut writing = store.write("test", "a test").await.expect("a store");
        writing.change(vec![(None, Some(device(&json!({"mac": "000e08000001"}))))]).await.expect("written");
        assert_eq!(store.count().await.expect("a store"), 0, "others do not see it yet");
        drop(writing);
        write(&store, vec![(None, Some(device(&json!({"mac": "000e08000002"}))))]).await.expect("written");
        assert_eq!(store.count().await.expect("a store"), 1);
        assert_eq!(store.revision().await.expect("a store"), 1);
    });
}

#[test]
fn writers_take_turns_and_their_changes_have_an_order() {
    for (place, _folder) in places() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            // Two processes that start at once.
            let (one, two) = tokio::join!(Store::open(&place), Store::open(&place));
            let stores = [one.expect("a store"), two.expect("a store")].map(std::sync::Arc::new);
            let writers: Vec<_> = (0..20)
                .map(|number| {
                    let store = stores[number % 2].clone();
                    tokio::spawn(async move {
                        let device = device(&json!({"mac": format!("000e08{number:06x}")}));
                        write(&store, vec![(None, Some(device))]).await.expect("written").expect("a change")
                    })
                })
                .collect();
            let mut revisions = Vec::new();
            for writer in writers {
                revisions.push(writer.await.expect("a writer"));
            }
            revisions.sort_unstable();
            assert_eq!(revisions, (1..=20).collect::<Vec<i64>>());
            let page = stores[0].page(0, 100, &Filter::default()).await.expect("a page");
            assert_eq!(page.iter().map(|entry| entry.id).collect::<Vec<_>>(), (1..=20).collect::<Vec<i64>>());
        });
    }
}

fn stored(url: &str) -> Site {
    let site = Site::new("");
    site.configure(&config(&ALL, &format!("[store]\nurl = \"{url}\"\n")));
    site
}

#[test]
fn a_store_of_a_newer_program_is_left_alone() {
    let newer = "insert into _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
        values (9999, 'later', '2030-01-01', true, 'x', 0)";
    let url = postgres::database();
    for url in ["sqlite://state/phoneprov.db", url.as_str()] {
        let server = stored(url).start();
        server.log_line(&["the store is open"]);
        let site = server.stop();
        if url.starts_with("sqlite") {
            let file = site.path("state/phoneprov.db").display().to_string();
            let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()";
            assert!(run("python3", &["-c", script, &file, newer], b"").status.success());
        } else {
            postgres::shared_sql(postgres::name_of(url), newer);
        }
        let said = refused(&site);
        assert!(said.contains("changed by a newer phoneprov: it has the form 9999, this program knows "), "{said}");
        assert!(said.contains("Install that version again"), "{said}");
        let checked = site.phoneprov(&["check"]);
        assert!(String::from_utf8_lossy(&checked.stdout).contains("error: store: the store"), "{checked:?}");
    }
}

#[test]
fn the_file_is_its_users_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = stored("sqlite://state/phoneprov.db").start();
    for file in ["phoneprov.db", "phoneprov.db-wal"] {
        let mode = fs::metadata(server.path(&format!("state/{file}"))).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn what_is_no_store_is_said_so() {
    let site = stored("sqlite://state/phoneprov.db");
    fs::create_dir(site.path("state")).expect("a folder");
    fs::write(site.path("state/phoneprov.db"), "this is a text, and long enough to be no database".repeat(100))
        .expect("a file");
    let said = refused(&site);
    assert!(said.contains("state/phoneprov.db cannot be opened: file is not a database: restore a copy"), "{said}");

    let site = stored("sqlite://config.toml/x.db");
    let said = refused(&site);
    assert!(said.contains("config.toml/x.db cannot be opened"), "{said}");

    let url = postgres::database();
    let site = stored(&url.replace(postgres::name_of(&url), "nobody_made_this"));
    let said = refused(&site);
    assert!(said.contains("cannot be opened: database \"nobody_made_this\" does not exist"), "{said}");
}

#[test]
fn a_store_among_the_profiles_is_refused() {
    let site = stored("sqlite://profiles/phoneprov.db");
    site.profile("phoneprov.db", "");
    let said = refused(&site);
    assert!(said.contains("which would be served: keep them apart"), "{said}");
}
