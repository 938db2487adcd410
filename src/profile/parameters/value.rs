//! A value held against what is known of its parameter.

use std::fmt;
use std::net::IpAddr;

use super::{Kind, Parameter};

/// Why a value is none of its parameter's.
#[derive(Clone, PartialEq, Debug)]
pub enum Mismatch {
    /// It is of another type; what was expected.
    Type(&'static str),
    /// It is none of these words.
    Word(Vec<&'static str>),
    /// It lies outside these numbers.
    Range(f64, f64),
    /// It has so many characters, and so many are the most.
    TooLong(usize, usize),
    /// It has so many characters, and so many are the least.
    TooShort(usize, usize),
}

/// Words that are listed before `…`.
const SHOWN: usize = 8;

pub(super) fn check(parameter: &Parameter, value: &str) -> Result<(), Mismatch> {
    let value = value.trim();
    let allowed = parameter.allowed();
    if value.is_empty() || allowed.word(value).is_some() {
        return Ok(());
    }
    length(parameter, value)?;
    match parameter.kind() {
        Kind::Bool => return Err(Mismatch::Type("Yes or No")),
        Kind::Enum if !allowed.words.is_empty() => return Err(Mismatch::Word(allowed.words.clone())),
        Kind::Uint if !is_uint(value) => return Err(Mismatch::Type("a whole number")),
        Kind::Int if value.parse::<i64>().is_err() => return Err(Mismatch::Type("a whole number")),
        Kind::Float if !is_float(value) => return Err(Mismatch::Type("a number")),
        Kind::Port if !is_uint(value) => return Err(Mismatch::Type("a port")),
        Kind::Port if number(value).is_none_or(|port| port > 65535.0) => return Err(Mismatch::Range(0.0, 65535.0)),
        Kind::Numbers if !value.split(',').all(|item| is_uint(item.trim())) => {
            return Err(Mismatch::Type("whole numbers with commas between them"));
        }
        Kind::Delays if delays(value).is_none() => {
            return Err(Mismatch::Type("seconds, with commas where there are several, such as 60,120 or 3600+600"));
        }
        Kind::Time if !is_time(value) => return Err(Mismatch::Type("hours and minutes, 0000 to 2400")),
        Kind::Ip if value.parse::<IpAddr>().is_err() => return Err(Mismatch::Type("an address")),
        Kind::Enum
        | Kind::Uint
        | Kind::Int
        | Kind::Float
        | Kind::Port
        | Kind::Numbers
        | Kind::Delays
        | Kind::Time
        | Kind::Ip
        | Kind::Url
        | Kind::Text
        | Kind::Secret
        | Kind::Rule
        | Kind::Trigger
        | Kind::Template
        | Kind::ActCode
        | Kind::Tone
        | Kind::Cadence
        | Kind::StatusCodes
        | Kind::DialPlan
        | Kind::KeyScript
        | Kind::Led
        | Kind::Status => {}
    }
    match (allowed.range, number(value)) {
        (Some((least, most)), Some(number)) if number < least || number > most => Err(Mismatch::Range(least, most)),
        _ => Ok(()),
    }
}

fn length(parameter: &Parameter, value: &str) -> Result<(), Mismatch> {
    let characters = value.chars().count();
    let (least, most) = parameter.allowed().length.map_or((0, parameter.kind().longest()), |(a, b)| (a, Some(b)));
    match most {
        Some(most) if characters > most => Err(Mismatch::TooLong(characters, most)),
        _ if characters < least => Err(Mismatch::TooShort(characters, least)),
        _ => Ok(()),
    }
}

/// The seconds of each wait in a list of them, without their random parts; `None` where it is no such list.
#[must_use]
pub fn delays(value: &str) -> Option<Vec<u64>> {
    let wait = |item: &str| {
        let (seconds, random) = item.split_once('+').unwrap_or((item, "0"));
        random.trim().parse::<u32>().ok()?;
        seconds.trim().parse().ok()
    };
    value.split(',').map(wait).collect()
}

/// Decimal or hexadecimal, as the 8831-3PCC guide has it for `Uns<n>`.
fn is_uint(value: &str) -> bool {
    let (digits, radix) = value.strip_prefix("0x").map_or((value, 10), |digits| (digits, 16));
    digits.starts_with(|first: char| first.is_digit(radix)) && u64::from_str_radix(digits, radix).is_ok()
}

fn is_float(value: &str) -> bool {
    value.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_time(value: &str) -> bool {
    let digits = value.len() == 4 && value.bytes().all(|byte| byte.is_ascii_digit());
    digits && value <= "2400" && value[2..] < *"60"
}

/// The number that a value is; `None` where it is none, or too large to be told.
fn number(value: &str) -> Option<f64> {
    match value.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok().map(f64::from),
        None => value.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(expected) => write!(f, "expected {expected}"),
            Self::Word(words) => {
                let rest = if words.len() > SHOWN { ", …" } else { "" };
                write!(f, "expected one of {}{rest}", words[..words.len().min(SHOWN)].join(", "))
            }
            Self::Range(least, most) => write!(f, "expected {least} to {most}"),
            Self::TooLong(length, most) => write!(f, "{length} characters, {most} are the most"),
            Self::TooShort(length, least) => write!(f, "{length} characters, {least} are the least"),
        }
    }
}
