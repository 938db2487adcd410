//! HMAC-SHA-256, from which both formats derive what they need.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The first `N` octets, at most 32, of HMAC-SHA-256 over the parts one after another (RFC 2104).
///
/// The parts run together: a caller ends its label with a NUL and gives every part but the last a fixed length.
pub(super) fn hmac_sha256<const N: usize>(key: &[u8], parts: &[&[u8]]) -> [u8; N] {
    const { assert!(N <= 32, "HMAC-SHA-256 has 32 octets") };
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        hmac.update(part);
    }
    let code = hmac.finalize().into_bytes();
    std::array::from_fn(|at| code[at])
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    #[test]
    fn rfc_4231_test_case_2_comes_out_however_it_is_cut() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(HEXLOWER.encode(&hmac_sha256::<32>(b"Jefe", &[b"what do ya want for nothing?"])), expected);
        assert_eq!(
            HEXLOWER.encode(&hmac_sha256::<8>(b"Jefe", &[b"what do ya want ", b"for nothing?"])),
            expected[..16]
        );
    }
}
