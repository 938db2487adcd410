//! Which values of its type a parameter takes.

/// What the table says under `allowed`; nothing of it where nothing is known.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Allowed {
    /// These words.
    pub words: Vec<&'static str>,
    /// Numbers from the first to the second.
    pub range: Option<(f64, f64)>,
    /// Characters, from the first to the second.
    pub length: Option<(usize, usize)>,
    /// The numbers that were seen in the parameter's own name.
    pub numbers: Option<(u32, u32)>,
}

impl Allowed {
    /// `is 0; from 15 to 1440`, `length 0 to 511; n 1 to 16`, or `-`.
    pub(super) fn parse(text: &'static str) -> Option<Self> {
        let mut allowed = Self::default();
        for part in text.split("; ").filter(|part| *part != "-") {
            let (what, rest) = part.split_once(' ')?;
            match what {
                "is" => allowed.words = rest.split('|').collect(),
                "from" => allowed.range = Some(ends(rest)?),
                "length" => allowed.length = Some(ends(rest)?),
                "n" => allowed.numbers = Some(ends(rest)?),
                _ => return None,
            }
        }
        Some(allowed)
    }

    /// The one of the words that this value is. Case and spaces are left out of account: whether a phone minds them is
    /// not documented, and Cisco's own pages differ.
    #[must_use]
    pub fn word(&self, value: &str) -> Option<&'static str> {
        let plain = |text: &str| -> Vec<u8> {
            text.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| byte.to_ascii_lowercase()).collect()
        };
        let value = plain(value);
        self.words.iter().copied().find(|word| plain(word) == value)
    }
}

fn ends<T: std::str::FromStr>(text: &str) -> Option<(T, T)> {
    let (least, most) = text.split_once(" to ")?;
    Some((least.parse().ok()?, most.parse().ok()?))
}
