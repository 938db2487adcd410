//! Octets to netascii, piece by piece: a line feed becomes CR LF, a carriage return CR NUL (RFC 764, RFC 1350 §1).

/// An encoder between two pieces of a text; `Copy`, so that a position in the output can be kept and gone back to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Encoder {
    /// The second byte of a pair whose first filled the last piece.
    pending: Option<u8>,
}

/// How far one call of [`Encoder::encode`] came, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoded {
    /// Taken from the input.
    pub consumed: usize,
    /// Put into the output.
    pub written: usize,
}

impl Encoder {
    /// Encodes until the input is used up or the output is full.
    pub fn encode(&mut self, input: &[u8], output: &mut [u8]) -> Encoded {
        let mut done = Encoded { consumed: 0, written: 0 };
        while let Some(slot) = output.get_mut(done.written) {
            if let Some(second) = self.pending.take() {
                *slot = second;
            } else if let Some(byte) = input.get(done.consumed) {
                (*slot, self.pending) = pair(*byte);
                done.consumed += 1;
            } else {
                break;
            }
            done.written += 1;
        }
        done
    }
}

/// The length of `bytes` as netascii.
#[must_use]
pub fn encoded_length(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| if pair(*byte).1.is_some() { 2 } else { 1 }).sum()
}

fn pair(byte: u8) -> (u8, Option<u8>) {
    match byte {
        b'\n' => (b'\r', Some(b'\n')),
        b'\r' => (b'\r', Some(0)),
        other => (other, None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::tftp::tests::decode_netascii;

    fn encode(input: &[u8], piece: usize) -> Vec<u8> {
        let (mut encoder, mut at, mut all) = (Encoder::default(), 0, Vec::new());
        loop {
            let mut output = vec![0; piece];
            let done = encoder.encode(&input[at..], &mut output);
            at += done.consumed;
            all.extend_from_slice(&output[..done.written]);
            if done.written < piece {
                return all;
            }
        }
    }

    #[test]
    fn line_ends_become_pairs() {
        assert_eq!(encode(b"a\nb\rc\r\n", 100), b"a\r\nb\r\0c\r\0\r\n");
    }

    #[test]
    fn a_pair_may_be_split_between_two_pieces() {
        assert_eq!(encode(b"abc\nd", 4), b"abc\r\nd");
    }

    proptest! {
        #[test]
        fn decoding_gives_the_octets_back_whatever_the_pieces(
            octets in vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(0), any::<u8>()], 0..300),
            piece in 1..50usize,
        ) {
            let encoded = encode(&octets, piece);
            prop_assert_eq!(encoded_length(&octets), encoded.len() as u64);
            prop_assert_eq!(decode_netascii(&encoded), octets);
        }
    }
}
