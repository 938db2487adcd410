//! Just enough of DNS to ask one question about SRV records (RFC 1035, RFC 2782). Octets in, octets out.

/// The type of SRV records.
const SRV: u16 = 33;

/// Records that are looked at.
const MOST: usize = 32;

/// A place where a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The lower, the earlier.
    pub priority: u16,
    /// The higher, the likelier among places of one priority.
    pub weight: u16,
    /// Where it listens.
    pub port: u16,
    /// The name of its host.
    pub host: String,
}

/// What a name server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// All places that it knows of.
    Places(Vec<Place>),
    /// There is more than a datagram holds: ask again by TCP (RFC 1035, section 4.2.1).
    Truncated,
}

/// The question for the SRV records of a name; `None` where it is no domain name.
pub(super) fn question(id: u16, name: &str) -> Option<Vec<u8>> {
    let mut message = id.to_be_bytes().to_vec();
    // Recursion desired, one question.
    message.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        message.push(length);
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
    message.extend_from_slice(&SRV.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    (name.len() <= 253).then_some(message)
}

/// Reads the answer to the question of this number; `None` where it is no such answer.
#[must_use]
pub fn parse(message: &[u8], id: u16) -> Option<Answer> {
    let number = |at: usize| Some(u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?));
    let flags = *message.get(2)?;
    if number(0)? != id || flags & 0x80 == 0 {
        return None;
    }
    if flags & 0x02 != 0 {
        return Some(Answer::Truncated);
    }
    let (questions, answers) = (number(4)?, number(6)?);
    let mut at = 12;
    for _ in 0..questions {
        at = read_name(message, at)?.1 + 4;
    }
    let mut places = Vec::new();
    for _ in 0..usize::from(answers).min(MOST) {
        at = read_name(message, at)?.1;
        let (kind, length) = (number(at)?, usize::from(number(at + 8)?));
        let data = at + 10;
        at = data + length;
        if kind == SRV {
            let (host, _) = read_name(message, data + 6)?;
            let (priority, weight, port) = (number(data)?, number(data + 2)?, number(data + 4)?);
            // A single dot says that there is no such service.
            if !host.is_empty() && port != 0 {
                places.push(Place { priority, weight, port, host });
            }
        }
    }
    Some(Answer::Places(places))
}

/// A name and where what follows it begins. Pointers lead back only, so that none leads in a circle.
fn read_name(message: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut labels, mut at, mut end, mut least) = (Vec::<String>::new(), start, None, start);
    loop {
        let length = usize::from(*message.get(at)?);
        if length >= 0xc0 {
            let low = usize::from(*message.get(at + 1)?);
            end = end.or(Some(at + 2));
            at = (length & 0x3f) << 8 | low;
            if at >= least {
                return None;
            }
            least = at;
        } else if length == 0 {
            return Some((labels.join("."), end.unwrap_or(at + 1)));
        } else {
            let label = message.get(at + 1..at + 1 + length.min(63))?;
            let plain = label.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
            if !plain || labels.len() > 127 {
                return None;
            }
            labels.push(String::from_utf8_lossy(label).into_owned());
            at += 1 + length;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An answer with these records, whose targets end by a pointer to the question's domain.
    pub(in crate::phone::wire) fn answer(records: &[(u16, u16, u16, &str)]) -> Vec<u8> {
        let mut message = question(7, "_ciscoprov-http._tcp.example.com").expect("a name");
        message[2] |= 0x80;
        message[7] = u8::try_from(records.len()).expect("few");
        // `example.com` stands behind the two labels before it: 12 octets of header, 16 and 5 of labels.
        let domain = 12 + 16 + 5;
        for (priority, weight, port, host) in records {
            message.extend_from_slice(&[0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60]);
            let mut data = [priority, weight, port].map(|number| number.to_be_bytes()).concat();
            data.push(u8::try_from(host.len()).expect("short"));
            data.extend_from_slice(host.as_bytes());
            data.extend_from_slice(&[0xc0, domain]);
            message.extend_from_slice(&u16::try_from(data.len()).expect("short").to_be_bytes());
            message.extend_from_slice(&data);
        }
        message
    }

    proptest! {
        #[test]
        fn no_message_panics(message: Vec<u8>) {
            let _ = parse(&message, 7);
            let _ = parse(&[&[0, 7, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0][..], &message].concat(), 7);
        }

        #[test]
        fn an_answer_cut_anywhere_is_none_or_shorter(at: prop::sample::Index) {
            let whole = answer(&[(1, 0, 80, "a"), (2, 0, 80, "b")]);
            let cut = parse(&whole[..at.index(whole.len())], 7);
            let is_shorter = |answer: Answer| matches!(answer, Answer::Places(places) if places.len() < 2);
            prop_assert!(cut.is_none_or(is_shorter));
        }
    }

    #[test]
    fn an_answer_to_another_question_and_a_circle_are_none() {
        assert_eq!(parse(&answer(&[(1, 0, 80, "a")]), 8), None);
        assert_eq!(read_name(&[0xc0, 0], 0), None);
        assert_eq!(read_name(&[1, b'a', 0xc0, 0], 0), None);
        assert_eq!(question(1, &"a".repeat(64)), None);
    }

    #[test]
    fn an_answer_that_is_cut_off_says_so() {
        let mut message = answer(&[(1, 0, 80, "a")]);
        message[2] |= 0x02;
        assert_eq!(parse(&message, 7), Some(Answer::Truncated));
        assert_eq!(parse(&message[..12], 7), Some(Answer::Truncated));
    }
}
