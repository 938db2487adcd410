//! Support cases: their tokens, and what is listed of the files that come for them.

use jiff::{Timestamp, ToSpan as _};
use phoneprov::case::{CaseFault, CaseNumber, Credential, FileName, Label, Remark};
use phoneprov::device::DeviceName;
use phoneprov::event::Kind;
use phoneprov::password::Token;
use phoneprov::store::{
    Load, NewUpload, Others, Overdue, Quota, Removal, Store, StoreError, UploadKind, UploadState, Wanted,
};
use phoneprov::vault::Kept;

use crate::reports::RECIPIENT;
use crate::site::{Site, config};
use crate::store::in_both;

fn number(text: &str) -> CaseNumber {
    text.parse().expect("a number")
}

fn kept(digit: char, size: u64) -> Kept {
    let name = digit.to_string().repeat(32).parse().expect("a name");
    Kept { name, size, sha256: digit.to_string().repeat(64) }
}

fn upload(case: &CaseNumber, name: &str, kept: Kept) -> NewUpload {
    let name = FileName::parse(name.as_bytes()).expect("a name");
    let label = Label { name, description: Remark::description(b"a dump"), category: Remark::category(b"logs") };
    NewUpload {
        kind: UploadKind::Case,
        at: Timestamp::now(),
        device: None,
        case: Some(case.clone()),
        label,
        address: "192.0.2.1".into(),
        kept,
        total: None,
    }
}

async fn open(store: &Store, text: &str) -> CaseNumber {
    let number = number(text);
    store.open_case(&number, "a note", "test").await.expect("opened");
    number
}

async fn give(store: &Store, number: &CaseNumber, others: Others) -> Result<Token, StoreError> {
    let token = Token::random().expect("a token");
    let expires = Timestamp::now().saturating_add(1.hour()).expect("a time");
    let credential = Credential { print: token.print(), expires };
    store.give_token(number, (&credential, others), ("test", "")).await.map(|()| token)
}

async fn admits(store: &Store, number: &CaseNumber, token: &Token) -> Result<(), CaseFault> {
    let record = store.case(number).await.expect("a store").ok_or(CaseFault::Unknown)?;
    record.admit(&token.print(), Timestamp::now()).map(drop)
}

#[test]
fn a_token_counts_until_another_one_takes_its_place_or_its_case_is_closed() {
    in_both(async |store| {
        let case = open(&store, "612345678").await;
        let taken = store.open_case(&case, "", "test").await.expect_err("taken");
        assert_eq!(taken.to_string(), "there is a case 612345678 already");
        let first = give(&store, &case, Others::End).await.expect("a token");
        let second = give(&store, &case, Others::Stay).await.expect("a token");
        assert_eq!(admits(&store, &case, &first).await, Ok(()));
        assert_eq!(admits(&store, &case, &second).await, Ok(()));
        let third = give(&store, &case, Others::End).await.expect("a token");
        assert_eq!(admits(&store, &case, &first).await, Err(CaseFault::Token));
        assert_eq!(admits(&store, &case, &third).await, Ok(()));
        assert_eq!(admits(&store, &number("600000000"), &third).await, Err(CaseFault::Unknown));
        store.close_case(&case, "test").await.expect("closed");
        assert!(admits(&store, &case, &third).await.is_err());
        let error = give(&store, &case, Others::Stay).await.expect_err("closed");
        assert_eq!(error.to_string(), "the case 612345678 is closed");
        assert!(matches!(store.close_case(&case, "test").await, Err(StoreError::CaseClosed(_))));
        assert!(matches!(store.close_case(&number("600000000"), "test").await, Err(StoreError::NoSuchCase(_))));
        let entries = store.case_entries(&case).await.expect("a store");
        let actions: Vec<&str> = entries.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["opened", "token made", "token made", "token made", "closed"]);
    });
}

#[test]
fn a_case_has_sixteen_tokens_at_the_most() {
    in_both(async |store| {
        let case = open(&store, "612345678").await;
        for _ in 0..20 {
            give(&store, &case, Others::Stay).await.expect("a token");
        }
        assert_eq!(store.case(&case).await.expect("a store").expect("a case").credentials.len(), 16);
    });
}

#[test]
fn a_file_is_listed_with_its_parts_in_their_order() {
    in_both(async |store| {
        let case = open(&store, "612345678").await;
        let whole = upload(&case, "../a\u{1b}.txt", kept('a', 10));
        let id = store.add_upload(whole, Quota::default()).await.expect("listed");
        let mut begun = upload(&case, "b.bin", kept('b', 4));
        begun.total = Some(9);
        let partial = store.add_upload(begun, Quota::default()).await.expect("listed");
        assert_eq!((id, partial), (1, 2));
        let state = async || store.upload(partial).await.expect("a store").expect("a file").state;
        assert_eq!(state().await, UploadState::Partial);
        for (offset, size, wanted) in
            [(3, 1, false), (5, 1, false), (4, 6, false), (4, 2, true), (6, 3, true), (9, 0, false)]
        {
            let digit = char::from_digit(u32::try_from(offset + size).expect("small") % 10, 10).expect("a digit");
            let went_on = store.go_on(partial, offset, &kept(digit, size), Quota::default()).await.expect("a store");
            assert_eq!(went_on, wanted, "{offset}+{size}");
        }
        assert_eq!(state().await, UploadState::Complete);
        let files = store.uploads_of_case(&case).await.expect("a store");
        assert_eq!(
            (files[0].name.as_str(), files[0].sha256.as_deref()),
            ("../a\u{fffd}.txt", Some("a".repeat(64).as_str()))
        );
        assert_eq!((files[0].description.as_str(), files[0].category.as_str()), ("a dump", "logs"));
        let sizes: Vec<u64> = files[1].parts.iter().map(|part| part.size).collect();
        assert_eq!((sizes, files[1].size, &files[1].sha256), (vec![4, 2, 3], 9, &None));
        let name = FileName::parse(b"b.bin").expect("a name");
        let newest = store.uploads_called(&case, &name, 9).await.expect("a store").remove(0);
        assert_eq!(newest.id, partial);
        assert_eq!(store.uploads_called(&case, &name, 8).await.expect("a store"), []);
        assert_eq!(store.uploaded().await.expect("a store").bytes, 19, "what failed is not counted");
        let listed = store.unlisted(vec![kept('a', 0).name, kept('f', 0).name]).await.expect("a store");
        assert_eq!(listed, [kept('f', 0).name]);
        let total = &store.cases("", 10).await.expect("a store")[0];
        assert_eq!((total.files, total.bytes, total.case.note.as_str()), (2, 19, "a note"));
    });
}

#[test]
fn what_would_go_past_a_quota_is_not_listed() {
    in_both(async |store| {
        let (one, two) = (open(&store, "612345678").await, open(&store, "612345679").await);
        let quota = Quota { total: Some(10), per_case: Some(6), ..Quota::default() };
        let add = async |case, digit, size| store.add_upload(upload(case, "x", kept(digit, size)), quota).await;
        add(&one, 'a', 6).await.expect("room");
        let error = add(&one, 'b', 1).await.expect_err("no room").to_string();
        assert!(error.starts_with("uploads.quota_per_case is 6 bytes"), "{error}");
        let error = add(&two, 'b', 5).await.expect_err("no room").to_string();
        assert!(error.starts_with("uploads.quota is 10 bytes"), "{error}");
        add(&two, 'b', 4).await.expect("room");
        assert_eq!(store.uploaded().await.expect("a store").bytes, 10);
    });
}

#[test]
fn more_files_than_there_may_be_are_not_listed_however_small_they_are() {
    in_both(async |store| {
        let (one, two) = (open(&store, "612345678").await, open(&store, "612345679").await);
        let quota = Quota { files: 4, files_per_case: 2, files_per_device: 1, ..Quota::default() };
        let add = async |upload| store.add_upload(upload, quota).await.map_err(|error| error.to_string());
        let of_device = |digit| {
            let device = Some("000e08abcdef".parse().expect("a name"));
            NewUpload { kind: UploadKind::Report, device, case: None, ..upload(&one, "x", kept(digit, 0)) }
        };
        add(upload(&one, "empty", kept('a', 0))).await.expect("a place");
        let partial = add(NewUpload { total: Some(9), ..upload(&one, "b", kept('b', 4)) }).await.expect("a place");
        let of_case = "uploads.files_per_case is 2, and so many files are kept or come in: nothing of this one is";
        assert_eq!(add(upload(&one, "empty", kept('c', 0))).await, Err(of_case.into()));
        let went_on = store.go_on(partial, 4, &kept('c', 5), quota).await.map_err(|error| error.to_string());
        assert_eq!(went_on, Err(of_case.into()), "each part is a file of its own");
        add(of_device('d')).await.expect("a place");
        let error = add(of_device('e')).await.expect_err("no place");
        assert!(error.starts_with("uploads.files_per_device is 1, "), "{error}");
        add(upload(&two, "empty", kept('e', 0))).await.expect("a place");
        let error = add(upload(&two, "empty", kept('f', 0))).await.expect_err("no place");
        assert!(error.starts_with("uploads.files is 4, "), "{error}");
        let load = async || store.uploaded().await.expect("a store");
        assert_eq!(load().await, Load { bytes: 4, files: 4 });
        let files = store.uploads_of_case(&one).await.expect("a store");
        let removal = Removal { who: "anna", why: "", is_told: false };
        store.remove_uploads(&files, removal).await.expect("removed");
        assert_eq!(load().await, Load { bytes: 0, files: 2 });
        assert_eq!(store.uploaded_for(&one).await.expect("a store"), Load::default());
        add(upload(&one, "empty", kept('f', 0))).await.expect("a place again");
    });
}

#[test]
fn a_closed_case_gets_no_more_and_nothing_is_counted() {
    in_both(async |store| {
        let case = open(&store, "612345678").await;
        let mut begun = upload(&case, "b.bin", kept('b', 4));
        begun.total = Some(9);
        let partial = store.add_upload(begun, Quota::default()).await.expect("listed");
        store.close_case(&case, "test").await.expect("closed");
        let whole = upload(&case, "a.txt", kept('a', 10));
        let error = store.add_upload(whole, Quota::default()).await.expect_err("closed");
        assert!(matches!(error, StoreError::CaseClosed(_)), "{error}");
        let error = store.go_on(partial, 4, &kept('c', 5), Quota::default()).await.expect_err("closed");
        assert!(matches!(error, StoreError::CaseClosed(_)), "{error}");
        assert_eq!(store.uploaded().await.expect("a store").bytes, 4);
        let files = store.uploads_of_case(&case).await.expect("a store");
        assert_eq!((files.len(), files[0].size), (1, 4));
    });
}

#[test]
fn what_is_removed_leaves_a_record_and_makes_room() {
    in_both(async |store| {
        let case = open(&store, "612345678").await;
        store.add_upload(upload(&case, "secret.txt", kept('a', 5)), Quota::default()).await.expect("listed");
        let later = Timestamp::now().saturating_add(1.hour()).expect("a time");
        let overdue = async |what| store.overdue(what, 10).await.expect("a store").len();
        assert_eq!(overdue(Overdue::Cases(later)).await, 0, "the case is open");
        let files = store.uploads_of_case(&case).await.expect("a store");
        let removal = Removal { who: "anna", why: "asked by the customer", is_told: true };
        let removed = store.remove_uploads(&files, removal).await.expect("removed");
        assert_eq!((removed.kept, removed.files, removed.bytes), (vec![kept('a', 0).name], 1, 5));
        assert_eq!(store.remove_uploads(&files, removal).await.expect("a store").files, 0, "it was gone");
        let events = store.newest_events(&Wanted::default(), 10).await.expect("a store");
        let told: Vec<_> = events.iter().map(|e| (e.id, e.kind, e.outcome.as_str(), e.text.as_str())).collect();
        let text = "case 612345678: 1 file, 5 bytes, removed by anna: asked by the customer";
        assert_eq!(told, [(1, Kind::Upload, "removed", text)]);
        assert_eq!(store.uploaded().await.expect("a store").bytes, 0);
        let entry = store.case_entries(&case).await.expect("a store").pop().expect("an entry");
        assert_eq!((entry.who.as_str(), entry.action.as_str()), ("anna", "file deleted"));
        assert_eq!(entry.subject, "file 1 secret.txt, 5 bytes: asked by the customer");
    });
}

#[test]
fn each_kind_is_overdue_after_its_own_time() {
    in_both(async |store| {
        let case = open(&store, "612345678").await;
        let device: DeviceName = "000e08abcdef".parse().expect("a name");
        for (kind, digit) in UploadKind::ALL.into_iter().zip('a'..) {
            let is_case = kind == UploadKind::Case;
            let new = upload(&case, "x", kept(digit, 5));
            let (of, case) = if is_case { (None, new.case.clone()) } else { (Some(device.clone()), None) };
            let new = NewUpload { kind, device: of, case, ..new };
            store.add_upload(new, Quota::default()).await.expect("listed");
        }
        let mut begun = upload(&case, "y", kept('f', 5));
        begun.total = Some(6);
        store.add_upload(begun, Quota::default()).await.expect("listed");
        store.close_case(&case, "test").await.expect("closed");
        let later = Timestamp::now().saturating_add(1.hour()).expect("a time");
        let overdue = async |what| {
            let files = store.overdue(what, 10).await.expect("a store");
            files.iter().map(|file| (file.kind, file.state)).collect::<Vec<_>>()
        };
        let whole = UploadState::Complete;
        let reports = [(UploadKind::Report, whole), (UploadKind::Delta, whole), (UploadKind::Status, whole)];
        assert_eq!(overdue(Overdue::Reports(later)).await, reports);
        assert_eq!(overdue(Overdue::ProblemReports(later)).await, [(UploadKind::Prt, whole)]);
        let case = (UploadKind::Case, UploadState::Partial);
        assert_eq!(overdue(Overdue::Cases(later)).await, [(UploadKind::Case, whole), case]);
        assert_eq!(overdue(Overdue::Partial(later)).await, [case]);
        let earlier = Timestamp::now().saturating_sub(1.hour()).expect("a time");
        for none in [Overdue::Reports(earlier), Overdue::Cases(earlier), Overdue::Partial(earlier)] {
            assert_eq!(overdue(none).await, []);
        }
        let of = store.uploads_of_device(&device, &[UploadKind::Prt, UploadKind::Delta]).await.expect("a store");
        assert_eq!(of.iter().map(|upload| upload.kind).collect::<Vec<_>>(), [UploadKind::Delta, UploadKind::Prt]);
    });
}

#[test]
fn a_token_is_printed_once_and_kept_as_its_hash() {
    let site = Site::bare(&config(&["http"], "[store]"));
    let opened = site.tell(&["case", "open", "--number", "612345678", "--note", "no ring tone", "--json"]);
    let opened: serde_json::Value = serde_json::from_str(&opened).expect("JSON");
    let token = opened["token"].as_str().expect("a token");
    assert_eq!((opened["case"].as_str(), token.len()), (Some("612345678"), 32));
    let again = site.tell(&["case", "token", "612345678", "--expires", "1h"]);
    assert!(again.starts_with("case   612345678\ntoken  ") && !again.contains(token), "{again}");
    for entry in std::fs::read_dir(site.path("state")).expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        assert!(!bytes.windows(32).any(|window| window == token.as_bytes()), "the token itself is kept");
    }
    let refused = site.phoneprov(&["case", "token", "612345679"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("there is no case 612345679: `phoneprov case open` makes one"), "{said}");
}

#[test]
fn a_case_that_no_file_can_come_into_is_opened_and_it_is_said() {
    let uploads = format!("[store]\n[uploads]\nrecipients = [\"{RECIPIENT}\"]\n");
    let intake = format!("{uploads}[[intake]]\naddress = \"127.0.0.1:0\"\nprotocol = \"http\"\n");
    for (more, missing) in
        [("[store]\n", "there is no [uploads]"), (uploads.as_str(), "there is no [[intake]]"), (&intake, "")]
    {
        let opened = Site::bare(&config(&["http"], more)).phoneprov(&["case", "open"]);
        let said = String::from_utf8_lossy(&opened.stderr).into_owned();
        assert!(opened.status.success() && opened.stdout.starts_with(b"case   "), "{opened:?}");
        assert!(said.contains(missing) && said.is_empty() == missing.is_empty(), "{missing}: {said}");
    }
}
