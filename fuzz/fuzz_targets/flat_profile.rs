//! A file that is said to be a profile: nothing panics, a refusal names a place in it, and what is written reads the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use phoneprov::profile::flat::{Compared, Document, FlatProfile, Order, compare, format};

fuzz_target!(|file: &[u8]| {
    let document = match Document::read(file) {
        Ok(document) => document,
        Err(error) => {
            assert!(error.place.offset <= file.len() && error.place.line > 0 && error.place.column > 0, "{error}");
            return;
        }
    };
    for flaw in &document.flaws {
        assert_eq!(document.place(flaw.place.offset), flaw.place);
    }
    let Ok(profile) = FlatProfile::of(&document) else { return };
    let written = profile.to_xml();
    for parameter in &profile.parameters {
        // A name cannot be written in another way.
        let names = parameter.attributes().iter().map(|attribute| attribute.name.as_str());
        let are_ascii = names.chain([parameter.name()]).all(str::is_ascii);
        assert!(!are_ascii || parameter.to_string().is_ascii(), "{parameter}");
    }
    let read = FlatProfile::read(written.as_bytes()).expect("what was written");
    assert_eq!(compare(&profile, &read, Compared::Values), [], "{written}");
    for order in [Order::Kept, Order::ByName] {
        let Ok(once) = format(&document, order) else { continue };
        let again = Document::read(once.as_bytes()).expect("the canonical form");
        assert_eq!(format(&again, order).as_deref(), Ok(once.as_str()));
        let read = FlatProfile::of(&again).expect("the canonical form");
        assert_eq!(compare(&profile, &read, Compared::All), [], "{once}");
    }
});
