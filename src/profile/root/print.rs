//! A path in 16 bytes: what is looked up with every request is compared where it stands, and not where its name is.

use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};

/// The print of a path. Two paths with the same one are not to be found without the keys, which are this process's own:
/// that takes as many tries as 128 bits have, and no phone sees the outcome of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Print([u64; 2]);

/// What makes prints: two keys of `SipHash`.
#[derive(Debug, Clone, Default)]
pub(super) struct Prints([RandomState; 2]);

/// For tables by print, whose half is as good a hash as any.
pub(super) type Printed = BuildHasherDefault<Half>;

/// A hasher that passes on what it is given.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Half(u64);

impl Prints {
    /// The print of this path.
    pub(super) fn of(&self, path: &str) -> Print {
        Print([self.0[0].hash_one(path), self.0[1].hash_one(path)])
    }
}

impl Hash for Print {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
    }
}

impl Hasher for Half {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, half: u64) {
        self.0 = half;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_path_has_one_print_and_others_have_others() {
        let prints = Prints::default();
        let paths: Vec<String> = (0..10_000).map(|number| format!("small/000e08{number:06x}.xml")).collect();
        let table: HashMap<Print, &str, Printed> = paths.iter().map(|path| (prints.of(path), path.as_str())).collect();
        assert_eq!(table.len(), paths.len());
        assert!(paths.iter().all(|path| table.get(&prints.of(path)) == Some(&path.as_str())));
        assert_ne!(Prints::default().of("a"), prints.of("a"), "each process has its own");
    }
}
