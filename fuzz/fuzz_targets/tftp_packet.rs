//! A datagram on the TFTP port: nothing panics, and what was understood is written back as the same packet.

#![no_main]

use libfuzzer_sys::fuzz_target;
use phoneprov::tftp::Requested;
use phoneprov::tftp::netascii::{Encoder, encoded_length};
use phoneprov::tftp::options::Limits;
use phoneprov::tftp::packet::{Mode, Packet};

const LIMITS: Limits = Limits { block_size: 1428, window: 16 };

fuzz_target!(|datagram: &[u8]| {
    let Ok(packet) = Packet::parse(datagram) else { return };
    assert_eq!(Packet::parse(&packet.to_bytes()), Ok(packet.clone()));
    match packet {
        Packet::Read(request) | Packet::Write(request) => {
            let _ = Mode::named(request.mode);
            negotiate(&Requested::read(&request.options));
        }
        Packet::OptionAck(options) => negotiate(&Requested::read(&options)),
        Packet::Data { block, payload } => netascii(usize::from(block % 9 + 1), payload),
        Packet::Ack { .. } | Packet::Error { .. } => {}
    }
});

/// What is granted keeps within the limits, and says of itself what it is.
fn negotiate(requested: &Requested) {
    let accepted = requested.accept(LIMITS, Some(3000));
    assert!((8..=1428).contains(&accepted.block_size()) && (1..=16).contains(&accepted.window()));
    let Some(answer) = accepted.option_ack() else { return };
    let Ok(Packet::OptionAck(options)) = Packet::parse(&answer) else { panic!("no OACK: {answer:?}") };
    let echoed = Requested::read(&options);
    assert_eq!(echoed.accept(LIMITS, Some(3000)), accepted);
}

/// Text comes out the same whatever the size of the pieces.
fn netascii(piece: usize, text: &[u8]) {
    let mut encoded = Vec::new();
    let mut buffer = vec![0; piece];
    let (mut encoder, mut rest) = (Encoder::default(), text);
    loop {
        let done = encoder.encode(rest, &mut buffer);
        encoded.extend_from_slice(&buffer[..done.written]);
        rest = &rest[done.consumed..];
        if done.written < piece {
            break;
        }
    }
    assert!(rest.is_empty());
    assert_eq!(encoded.len() as u64, encoded_length(text));
    let whole: Vec<u8> = text
        .iter()
        .flat_map(|byte| match byte {
            b'\n' => vec![b'\r', b'\n'],
            b'\r' => vec![b'\r', 0],
            other => vec![*other],
        })
        .collect();
    assert_eq!(encoded, whole);
}
