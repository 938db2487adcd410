//! Forms of problem reports: nothing panics, and a form comes to the same in whatever pieces it arrives.

#![no_main]

use libfuzzer_sys::fuzz_target;
use phoneprov::provision::{Form, FormFault, Problem};

type Taken = (Vec<(String, String)>, String, Vec<u8>);

fuzz_target!(|bytes: &[u8]| {
    let (piece, text) = bytes.split_first().map_or((1, bytes), |(first, rest)| (usize::from(*first) + 1, rest));
    let whole = taken(text, usize::MAX);
    let pieces = taken(text, piece);
    assert_eq!(whole, pieces);
    if let Ok((fields, file, content)) = whole {
        assert!(content.len() <= text.len());
        let problem = Problem::of(&fields, &file);
        assert!(!problem.label.contains(['/', '\\', '\0']) && problem.label.chars().count() <= 80);
    }
    let _ = Form::announced(&String::from_utf8_lossy(text));
});

fn taken(text: &[u8], piece: usize) -> Result<Taken, FormFault> {
    let mut form = Form::announced("multipart/form-data; boundary=b")?.ok_or(FormFault::Boundary)?;
    let mut content = Vec::new();
    for piece in text.chunks(piece) {
        form.push(piece, |bytes| {
            content.extend_from_slice(bytes);
            Ok::<(), FormFault>(())
        })?;
    }
    let (fields, file) = form.finish()?;
    Ok((fields, file, content))
}
