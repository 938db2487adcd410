//! The text of a configuration: nothing panics, and a refusal says where in which file.

#![no_main]

use std::path::Path;
use std::time::SystemTime;

use libfuzzer_sys::fuzz_target;
use phoneprov::config::Config;

fuzz_target!(|text: &str| {
    // Keys are read from the files that the text names, and the machine's own files are none of ours.
    if text.contains("_file") || text.contains('\\') {
        return;
    }
    match Config::parse(text, Path::new("/nonexistent/config.toml"), SystemTime::UNIX_EPOCH) {
        Ok(config) => {
            assert!(!config.listen.is_empty() && config.profiles.starts_with("/"));
            let _ = format!("{config:?}");
        }
        Err(error) => assert!(error.to_string().starts_with("/nonexistent/config.toml:"), "{error}"),
    }
});
