//! Lines of syslog, in pieces as a stream brings them: nothing panics or hangs, no line is longer than is read, and no text of
//! one has a control character in it. Whatever an operator takes for a template reads lines too.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use phoneprov::syslog::frame::Frames;
use phoneprov::syslog::{LONGEST, Messages, Stage, Template};

fuzz_target!(|input: (&str, usize, &[u8])| {
    let (template, cut, bytes) = input;
    let own = Template::parse(template).map(|template| vec![(Stage::Success, template)]).unwrap_or_default();
    let messages = Messages::new(own);
    let read = |line: &[u8]| {
        assert!(line.len() <= LONGEST);
        let line = messages.read(line, IpAddr::V4(Ipv4Addr::LOCALHOST), Timestamp::UNIX_EPOCH);
        let texts = line.said.iter().flat_map(|said| [&said.path, &said.error]).flatten();
        for text in texts.chain([&line.text]) {
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    };
    read(&bytes[..bytes.len().min(LONGEST)]);
    let mut frames = Frames::default();
    let (first, second) = bytes.split_at(cut.min(bytes.len()));
    for piece in [first, second] {
        frames.push(piece);
        while let Some(line) = frames.whole() {
            read(&line);
        }
    }
    frames.rest().iter().for_each(|line| read(line));
});
