//! What the values of a parameter are.

/// The type of a value. Names follow the 8831-3PCC provisioning guide, "Data Types", where that has them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Yes or No.
    Bool,
    /// One of some words.
    Enum,
    /// A whole number from 0 on, decimal or `0x…`.
    Uint,
    /// A whole number.
    Int,
    /// A number with a decimal point.
    Float,
    /// A port, 0 to 65535.
    Port,
    /// Whole numbers with commas between them.
    Numbers,
    /// Seconds with commas between them, each with a random part where `+` follows: `60,120+30`.
    Delays,
    /// Hours and minutes, `0000` to `2400`.
    Time,
    /// An address.
    Ip,
    /// A place to fetch from or to send to.
    Url,
    /// Any text.
    Text,
    /// Text that nobody else may read.
    Secret,
    /// A profile rule, or one of its dialects.
    Rule,
    /// A profile rule's condition by itself.
    Trigger,
    /// Text with macros.
    Template,
    /// What is dialled for a feature, such as `*69`.
    ActCode,
    /// A tone's frequencies and cadence.
    Tone,
    /// A ring's cadence.
    Cadence,
    /// Response codes with wild cards.
    StatusCodes,
    /// A dial plan.
    DialPlan,
    /// What a key does.
    KeyScript,
    /// A lamp's colour and pattern.
    Led,
    /// What a phone reports and does not take.
    Status,
}

impl Kind {
    /// The type with this name in the table.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "bool" => Self::Bool,
            "enum" => Self::Enum,
            "uint" => Self::Uint,
            "int" => Self::Int,
            "float" => Self::Float,
            "port" => Self::Port,
            "numbers" => Self::Numbers,
            "delays" => Self::Delays,
            "time" => Self::Time,
            "ip" => Self::Ip,
            "url" => Self::Url,
            "text" => Self::Text,
            "secret" => Self::Secret,
            "rule" => Self::Rule,
            "trigger" => Self::Trigger,
            "template" => Self::Template,
            "act-code" => Self::ActCode,
            "tone" => Self::Tone,
            "cadence" => Self::Cadence,
            "status-codes" => Self::StatusCodes,
            "dial-plan" => Self::DialPlan,
            "key-script" => Self::KeyScript,
            "led" => Self::Led,
            "status" => Self::Status,
            _ => return None,
        })
    }

    /// The longest value of this type in characters, where the 8831-3PCC guide gives one. Its seven for `ActCode` are left
    /// out: Cisco's own default for `Force_G726r32_Code` has eight.
    #[must_use]
    pub fn longest(self) -> Option<usize> {
        match self {
            Self::StatusCodes => Some(39),
            Self::Tone | Self::Cadence => Some(127),
            Self::Bool
            | Self::Enum
            | Self::Uint
            | Self::Int
            | Self::Float
            | Self::Port
            | Self::Numbers
            | Self::Delays
            | Self::Time
            | Self::Ip
            | Self::Url
            | Self::Text
            | Self::Secret
            | Self::Rule
            | Self::Trigger
            | Self::Template
            | Self::ActCode
            | Self::DialPlan
            | Self::KeyScript
            | Self::Led
            | Self::Status => None,
        }
    }
}
