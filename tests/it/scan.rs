//! A scan of a hundred thousand MAC addresses against a tree that has a thousand of them: it ends with nothing.

use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::outsider::Answer;
use crate::site::{Site, config};
use crate::throttle::{ask, ask_with, connect_from};

/// Addresses that take part, and devices that each tries: below its budget, which the scan knows.
const ADDRESSES: u32 = 500;
const EACH: u32 = 200;

/// One of so many is there.
const KNOWN: u32 = 100;

/// Connections at once.
const AT_ONCE: usize = 48;

/// What a scan has seen.
#[derive(Default)]
struct Seen {
    answers: Vec<Answer>,
    known: Vec<Duration>,
    unknown: Vec<Duration>,
}

fn is_known(device: u32) -> bool {
    // Spread over what every address tries, and not in step with it.
    device % KNOWN == device / KNOWN * 37 % KNOWN
}

fn name(device: u32) -> String {
    format!("000e08{device:06x}.cfg")
}

/// Tries one address's share of the devices.
fn try_share(port: u16, share: u32) -> Seen {
    let [_, _, high, low] = (share + 1).to_be_bytes();
    let mut stream = connect_from(Ipv4Addr::new(127, 1, high, low), port);
    let mut seen = Seen::default();
    for device in share * EACH..(share + 1) * EACH {
        let began = Instant::now();
        let answer = ask(&mut stream, &format!("/{}", name(device))).expect("an answer within the budget").timeless();
        let took = if is_known(device) { &mut seen.known } else { &mut seen.unknown };
        took.push(began.elapsed());
        if !seen.answers.contains(&answer) {
            seen.answers.push(answer);
        }
    }
    seen
}

/// Quartiles and the ends of a distribution.
fn shape(times: &mut [Duration]) -> [Duration; 5] {
    times.sort_unstable();
    [0, 25, 50, 75, 100].map(|percent| times[(times.len() - 1) * percent / 100])
}

#[test]
fn a_scan_of_a_hundred_thousand_addresses_gains_nothing_and_is_told_of() {
    let limits = "[throttle]\nprefix = 1000000\naddress = 600\n[log]\nrequests = false\n";
    let site = Site::bare(&config(&["http"], limits));
    let devices: Vec<u32> = (0..ADDRESSES * EACH).filter(|device| is_known(*device)).collect();
    assert_eq!(devices.len(), 1000);
    for device in devices {
        site.profile(&name(device), "<flat-profile/>");
    }
    let server = site.start();
    let (port, next, all) = (server.port("http"), AtomicU32::new(0), Mutex::new(Seen::default()));

    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let share = next.fetch_add(1, Ordering::Relaxed);
                    if share >= ADDRESSES {
                        return;
                    }
                    let seen = try_share(port, share);
                    let mut all = all.lock().expect("no thread has failed");
                    all.known.extend(seen.known);
                    all.unknown.extend(seen.unknown);
                    for answer in seen.answers {
                        if !all.answers.contains(&answer) {
                            all.answers.push(answer);
                        }
                    }
                }
            });
        }
    });

    let mut seen = all.into_inner().expect("no thread has failed");
    assert_eq!((seen.known.len(), seen.unknown.len()), (1000, 99_000));
    assert_eq!(seen.answers.len(), 1, "{:?}", seen.answers);
    assert_eq!((seen.answers[0].status, seen.answers[0].text().as_str()), (404, "not found\n"));
    let (known, unknown) = (shape(&mut seen.known), shape(&mut seen.unknown));
    println!("known   {known:?}\nunknown {unknown:?} (least, quartiles, most)");
    // A thousand samples give a median to within a twentieth of the spread, whatever else the machine does.
    let spread = unknown[3].saturating_sub(unknown[1]);
    let apart = known[2].abs_diff(unknown[2]);
    assert!(apart <= spread / 4 + Duration::from_micros(100), "{apart:?} apart, of a spread of {spread:?}");
    assert!(known[0] >= Duration::from_millis(5) && unknown[0] >= Duration::from_millis(5));
    let alarm = server.log_line(&["phoneprov::alarm", "has tried 40 MACs of 000e08"]);
    assert!(alarm.contains("127.1."), "{alarm}");
    let alarms = server.log().matches(" has tried ").count();
    assert_eq!(
        alarms,
        usize::try_from(ADDRESSES).expect("a few hundred"),
        "one for each address, not for each request"
    );
}

#[test]
fn an_account_that_is_there_is_refused_as_late_as_one_that_is_not() {
    let rule = "[[rule]]\npath = \"/**\"\nproof = \"password\"\npassword_file = \"passwords\"\nlisteners = [\"http\"]\n\
                [throttle]\naddress = 1000\npasswords = 1000\n";
    let site = Site::bare(&config(&["http"], rule));
    let hash = "$argon2id$v=19$m=4096,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    std::fs::write(site.path("passwords"), format!("known:{hash}\n")).expect("room for passwords");
    site.profile("000e08000001.cfg", "<flat-profile/>");
    let server = site.start();
    let mut stream = connect_from(Ipv4Addr::LOCALHOST, server.port("http"));
    let mut answers = Vec::new();
    let mut time = |user: &str, device: &str| {
        let credentials = data_encoding::BASE64.encode(format!("{user}:wrong").as_bytes());
        let began = Instant::now();
        let header = format!("Authorization: Basic {credentials}");
        let answer = ask_with(&mut stream, &format!("/{device}.cfg"), &header).expect("an answer").timeless();
        answers.push(answer);
        began.elapsed()
    };

    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..60 {
        known.push(time("known", "000e08000001"));
        unknown.push(time("other", "000e08000002"));
    }

    answers.dedup();
    assert!(answers.len() == 1 && answers[0].status == 401, "{answers:?}");
    let (known, unknown) = (shape(&mut known), shape(&mut unknown));
    println!("known   {known:?}\nunknown {unknown:?} (least, quartiles, most)");
    let spread = (known[3].max(unknown[3])).saturating_sub(known[1].min(unknown[1]));
    let apart = known[2].abs_diff(unknown[2]);
    assert!(apart <= spread + Duration::from_millis(1), "{apart:?} apart, of a spread of {spread:?}");
    assert!(known[0] > Duration::from_millis(5) && unknown[0] > known[0] / 2, "both are examined");
    server.log_line(&["there is no such account"]);
    server.log_line(&["the password is wrong"]);
}
