//! What a request is made with, as the store says it: all of a device by one question, of one moment, for many names at once.

use std::fs;
use std::sync::Arc;

use phoneprov::config::{Place, Sealing};
use phoneprov::device::{Device, DeviceName, KeyKind, Secret, Values, VariableValue};
use phoneprov::inventory::{Inventory, Known, Lookup, to_value};
use phoneprov::store::{Defaults, Group, Store};
use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::outsider::run;
use crate::postgres;

/// A folder with a key for secrets, and a place of each kind.
fn places() -> (tempfile::TempDir, Sealing, [Place; 2]) {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("seal.key");
    let made = run(env!("CARGO_BIN_EXE_phoneprov"), &["secrets", "key"], b"");
    fs::write(&key, made.stdout).expect("room for a key");
    let file = Place::Sqlite(folder.path().join("phoneprov.db"));
    (folder, Sealing::File(key), [file, Place::Postgres(Secret::new(postgres::database()))])
}

/// Runs a test in a store of each kind, on one thread, where tasks take turns, and on several; it may open another store at the
/// same place.
fn in_both(test: &impl AsyncFn(Arc<Store>, &Place)) {
    for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let (_folder, sealing, places) = places();
        for place in &places {
            builder.worker_threads(4).enable_all().build().expect("a runtime").block_on(async {
                let store = Store::open(place).await.expect("a store").sealing(Some(&sealing));
                test(Arc::new(store), place).await;
            });
        }
    }
}

fn name(text: &str) -> DeviceName {
    text.parse().expect("a name")
}

fn mac(number: usize) -> String {
    format!("000e08{number:06x}")
}

/// Variables; a text that begins with `secret ` is one.
fn values(of: &Value) -> Values {
    let mut values: Values = serde_json::from_value(of.clone()).expect("variables");
    for value in values.values_mut() {
        if let VariableValue::Open(Value::String(text)) = value
            && text.starts_with("secret ")
        {
            *value = VariableValue::Secret(Secret::new(text.clone()));
        }
    }
    values
}

fn device(text: &Value) -> Device {
    let mut device: Device = serde_json::from_value(text.clone()).expect("a device");
    if let Some(variables) = text.get("variables") {
        device.variables = values(variables);
    }
    device
}

/// One change: defaults, groups, and devices, which replace those of the same name.
async fn write(store: &Store, defaults: Option<Value>, groups: &[(String, Value)], devices: &[Value]) {
    let mut writing = store.write("test", "a test").await.expect("a store");
    if let Some(variables) = defaults {
        writing.change_defaults(&Defaults { variables: values(&variables) }).await.expect("defaults");
    }
    for (group, variables) in groups {
        let name: phoneprov::device::GroupName = group.parse().expect("a group's name");
        let after = Group { variables: values(variables), ..Group::new(name.clone()) };
        writing.change_group(&name, Some(after)).await.expect("a group");
    }
    let mut changes = Vec::new();
    for text in devices {
        let after = device(text);
        changes.push((writing.device(&after.name()).await.expect("a store"), Some(after)));
    }
    writing.change(changes).await.expect("devices");
    writing.commit().await.expect("committed");
}

async fn recall(store: &Store, name: &DeviceName) -> Option<Arc<Known>> {
    store.recall(&Inventory::new(1000, 0), name).await.expect("a store that answers")
}

fn of(known: &Known, variable: &str) -> String {
    known.register(variable).unwrap_or_default()
}

#[test]
fn every_layer_counts_in_its_order_and_a_device_is_found_by_every_name() {
    in_both(&async |store, _| {
        // The tenth group is after the ninth, not after the first.
        let groups: Vec<(String, Value)> = (1..=12)
            .map(|number| (format!("g{number}"), json!({"last": number, format!("own_{number}"): "x"})))
            .collect();
        let names: Vec<&String> = groups.iter().map(|(name, _)| name).collect();
        let defaults = json!({"last": 0, "base": {"a": [1, "\u{7f}\n\t\"|"]}, "own_1": "defaults"});
        let phone = json!({
            "mac": "000e08abcdef", "serial": "FCH2133E8B9", "aliases": ["0e08abcdef01", "0e08abcdef02"], "groups": names,
            "label": "Küche", "variables": {"mine": "ü", "own_2": "device"},
        });
        write(&store, Some(defaults.clone()), &groups, &[phone.clone(), json!({"mac": "000e08000001"})]).await;
        for asked in ["000e08abcdef", "FCH2133E8B9", "0e08abcdef01", "0e08abcdef02"] {
            let known = recall(&store, &name(asked)).await.expect("the device");
            assert_eq!(known.device().aliases, device(&phone).aliases, "{asked}");
            assert_eq!(known.device().groups, device(&phone).groups, "{asked}");
            let found = ["last", "own_1", "own_2", "own_12", "mine"].map(|variable| of(&known, variable));
            assert_eq!(found, ["12", "x", "device", "x", "ü"], "{asked}");
            assert_eq!(known.variables().get("base"), Some(&to_value(&defaults["base"])), "{asked}");
        }
        let other = recall(&store, &name("000e08000001")).await.expect("the other");
        let found = ["last", "mine", "own_1"].map(|variable| of(&other, variable));
        assert_eq!(found, ["0", "", "defaults"]);
        assert_eq!(recall(&store, &name("000e08000002")).await, None);
        // What looks like an address is a serial number all the same.
        assert_eq!(recall(&store, &DeviceName::Serial("000E08ABCDEF".parse().expect("a number"))).await, None);
    });
}

#[test]
fn a_secret_of_the_device_counts_before_its_groups_and_both_open() {
    in_both(&async |store, _| {
        let groups = [("sales".to_owned(), json!({"password": "secret of all", "shared": "secret too"}))];
        let phone = json!({"mac": "000e08abcdef", "groups": ["sales"], "variables": {"password": "secret of one"}});
        write(&store, None, &groups, &[phone, json!({"mac": "000e08000001", "groups": ["sales"]})]).await;
        let known = recall(&store, &name("000e08abcdef")).await.expect("the device");
        assert_eq!([of(&known, "password"), of(&known, "shared")], ["secret of one", "secret too"]);
        let other = recall(&store, &name("000e08000001")).await.expect("the other");
        assert_eq!(of(&other, "password"), "secret of all");

        let mut writing = store.write("test", "keys").await.expect("a store");
        let entry = writing.device(&name("000e08abcdef")).await.expect("a store").expect("the device");
        for _ in 0..11 {
            writing.set_key(&entry, KeyKind::Key, Secret::new("old".into())).await.expect("a key");
        }
        writing.set_key(&entry, KeyKind::Key, Secret::new("the twelfth".into())).await.expect("a key");
        writing.rotate_keys(std::slice::from_ref(&entry), KeyKind::Key).await.expect("the next one");
        writing.commit().await.expect("committed");
        let known = recall(&store, &name("000e08abcdef")).await.expect("the device");
        let pair = known.keys(KeyKind::Key).expect("keys");
        assert_eq!(pair.current.secret().expose(), "the twelfth");
        assert!(pair.next.is_some() && !pair.is_used && known.keys(KeyKind::Ikm).is_none());
    });
}

#[test]
fn what_is_read_is_of_one_moment() {
    in_both(&async |store, _| {
        let changed = |number: usize| {
            let groups = [("sales".to_owned(), json!({"of_group": number}))];
            let phone = json!({"mac": mac(1), "groups": ["sales"], "variables": {"of_device": number}});
            (json!({"of_defaults": number}), groups, [phone])
        };
        let (defaults, groups, devices) = changed(0);
        write(&store, Some(defaults), &groups, &devices).await;
        let writer = tokio::spawn({
            let store = store.clone();
            async move {
                for number in 1..=60 {
                    let (defaults, groups, devices) = changed(number);
                    write(&store, Some(defaults), &groups, &devices).await;
                }
            }
        });
        let mut reads = 0;
        while !writer.is_finished() {
            let known = recall(&store, &name(&mac(1))).await.expect("the device");
            let found = ["of_group", "of_defaults", "of_device"].map(|variable| of(&known, variable));
            assert!(found.iter().all(|value| *value == found[0]), "{found:?}");
            reads += 1;
        }
        writer.await.expect("a writer");
        assert!(reads > 1, "{reads}");
        assert_eq!(of(&recall(&store, &name(&mac(1))).await.expect("the device"), "of_group"), "60");
    });
}

#[test]
fn a_change_of_another_process_counts_for_the_next_who_asks() {
    in_both(&async |store, place| {
        let other = Store::open(place).await.expect("the same store");
        let inventory = Inventory::new(1000, store.revision().await.expect("a store"));
        let phone = name(&mac(1));
        assert_eq!(store.recall(&inventory, &phone).await.expect("a store"), None);
        for number in 1..=20 {
            write(&other, None, &[], &[json!({"mac": mac(1), "variables": {"n": number}})]).await;
            // Who is not told yet, but asks, gets what is there.
            let known = recall(&store, &phone).await.expect("the device");
            assert_eq!(of(&known, "n"), number.to_string());
            store.tell(&inventory).await.expect("a store");
            assert_eq!(inventory.look_up(&phone), Lookup::Unread);
            store.recall(&inventory, &phone).await.expect("a store");
            assert_eq!(inventory.look_up(&phone), Lookup::Known(known));
        }
    });
}

#[test]
fn many_who_ask_at_once_each_get_their_own_device() {
    in_both(&async |store, place| {
        let devices: Vec<Value> =
            (0..100).map(|number| json!({"mac": mac(number), "variables": {"n": number}})).collect();
        write(&store, None, &[], &devices).await;
        let damage = "update variable set value = '{' where owner = 8 and layer = 'device'";
        match place {
            Place::Sqlite(file) => {
                let output = run("sqlite3", &[&file.display().to_string(), damage], b"");
                assert!(output.status.success(), "{output:?}");
            }
            Place::Postgres(url) => drop(postgres::shared_sql(postgres::name_of(url.expose()), damage)),
        }
        let inventory = Arc::new(Inventory::new(1000, 0));
        // Every name twice, and as many that nobody has.
        let askers = (0..400).map(|number| {
            let (store, inventory) = (store.clone(), inventory.clone());
            tokio::spawn(async move { store.recall(&inventory, &name(&mac(number % 200))).await })
        });
        for (number, asker) in askers.collect::<Vec<_>>().into_iter().enumerate() {
            let number = number % 200;
            match asker.await.expect("an answer") {
                Ok(Some(known)) => assert_eq!(of(&known, "n"), number.to_string()),
                Ok(None) => assert!(number >= 100, "{number}"),
                Err(error) => {
                    assert_eq!(number, 7, "{error}");
                    assert!(error.to_string().contains("a value of the variable n"), "{error}");
                }
            }
        }
    });
}

#[test]
fn who_gives_up_takes_nobody_along() {
    in_both(&async |store, _| {
        let devices: Vec<Value> =
            (0..60).map(|number| json!({"mac": mac(number), "variables": {"n": number}})).collect();
        write(&store, None, &[], &devices).await;
        for round in 0..20 {
            let askers = (0..60).map(|number| {
                let store = store.clone();
                tokio::spawn(async move { recall(&store, &name(&mac(number))).await })
            });
            let askers: Vec<_> = askers.collect();
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            // Whoever asks for the others is among them in one half of the rounds.
            askers.iter().skip(round % 2).step_by(2).for_each(tokio::task::JoinHandle::abort);
            for (number, asker) in askers.into_iter().enumerate().skip(1 - round % 2).step_by(2) {
                let known = asker.await.expect("an answer").expect("the device");
                assert_eq!(of(&known, "n"), number.to_string());
            }
        }
    });
}
