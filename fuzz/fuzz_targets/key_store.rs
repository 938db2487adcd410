//! Java key stores: nothing panics, what is read stands in the file, and a store whose digest fits is read to its end. As
//! it came, and with the digest that belongs to it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use phoneprov::device::Secret;
use phoneprov::trust::jks;

fuzz_target!(|file: &[u8]| {
    let password = Secret::new("changeit".to_owned());
    read(file, &password);
    // The digest of a changed file fits nobody's by chance.
    read(&[file, &jks::digest(file, &password)].concat(), &password);
});

fn read(file: &[u8], password: &Secret) {
    match jks::certificates(file, password) {
        Ok(entries) => {
            assert!(jks::is_jks(file));
            assert!(entries.iter().map(|entry| entry.der.len() + 8).sum::<usize>() <= file.len());
            for entry in entries {
                assert!(file.windows(entry.der.len().max(1)).any(|part| part.starts_with(&entry.der)));
            }
        }
        Err(error) => assert!(error.to_string().len() < 256),
    }
}
