//! Conditions: comparisons joined by `and`.

use std::cmp::Ordering;
use std::fmt;

use super::cursor::Cursor;
use super::error::{RuleError, RuleFault};
use super::literal::Literal;
use crate::profile::expansion::{Expansion, Scope};
use crate::profile::mask::MASK;
use crate::profile::variable::{Lookup, Masked, Variable};

/// What is between `(` and `)?`, or the whole of a resync trigger: true when every comparison is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    comparisons: Vec<Comparison>,
}

/// One comparison.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// `left operator right`. Where nothing stands at the left, `$SWVER` does (SPA Provisioning Guide, legacy).
    Relation(Operand, Operator, Operand),
    /// `$UPGCOND` or `true` alone: the legacy condition that always holds since firmware 2.0.6.
    Stands(Expansion),
}

/// One side of a comparison.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operand {
    /// In double quotes: compared as text.
    Text(Expansion),
    /// Without: a number or a version, once it is expanded.
    Bare(Expansion),
}

/// How two operands are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// `=`, `eq`.
    Eq,
    /// `!=`, `ne`, and `!` of firmware before 2.0.6.
    Ne,
    /// `<`, `lt`.
    Lt,
    /// `<=`, `le`.
    Le,
    /// `>`, `gt`.
    Gt,
    /// `>=`, `ge`.
    Ge,
}

/// What became of a comparison.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// The comparison as it is written.
    pub written: String,
    /// With the values in place of macros, passwords masked.
    pub expanded: String,
    /// Whether it holds.
    pub outcome: Outcome,
}

/// Whether a comparison holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It does.
    True,
    /// It does not.
    False,
    /// The operands cannot be compared. Cisco's guides call that a parse error and leave open what follows from it;
    /// here the comparison does not hold.
    Unreadable(String),
}

/// The symbols, longest first, then the words.
const SYMBOLS: [(&str, Operator); 7] = [
    ("!=", Operator::Ne),
    ("<=", Operator::Le),
    (">=", Operator::Ge),
    ("=", Operator::Eq),
    ("<", Operator::Lt),
    (">", Operator::Gt),
    ("!", Operator::Ne),
];
const WORDS: [(&str, Operator); 6] = [
    ("eq", Operator::Eq),
    ("ne", Operator::Ne),
    ("lt", Operator::Lt),
    ("le", Operator::Le),
    ("gt", Operator::Gt),
    ("ge", Operator::Ge),
];

impl Condition {
    /// Reads comparisons up to `)` or the end, and leaves the cursor there.
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, RuleError> {
        let mut comparisons = vec![Comparison::parse(cursor)?];
        loop {
            cursor.skip_blanks();
            if matches!(cursor.peek(), None | Some(')')) {
                return Ok(Self { comparisons });
            }
            let at = cursor.at();
            match cursor.take_until(ends_bare) {
                "and" | "AND" => comparisons.push(Comparison::parse(cursor)?),
                "or" | "OR" => return Err(cursor.fault_at(at, RuleFault::Or)),
                _ => return Err(cursor.fault_at(at, RuleFault::And)),
            }
        }
    }

    /// Judges comparisons from left to right, up to the first that does not hold.
    #[must_use]
    pub fn judge(&self, lookup: &dyn Lookup) -> Vec<Judgement> {
        let mut judgements = Vec::new();
        for comparison in &self.comparisons {
            let judgement = comparison.judge(lookup);
            let holds = judgement.outcome == Outcome::True;
            judgements.push(judgement);
            if !holds {
                break;
            }
        }
        judgements
    }

    /// The texts with macros in them.
    pub fn expansions(&self) -> impl Iterator<Item = &Expansion> {
        self.comparisons.iter().flat_map(|comparison| match comparison {
            Comparison::Relation(left, _, right) => vec![left.expansion(), right.expansion()],
            Comparison::Stands(text) => vec![text],
        })
    }
}

impl Comparison {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, RuleError> {
        cursor.skip_blanks();
        let left = match leading_operator(cursor) {
            Some(_) => Operand::Bare(Expansion::parse("$SWVER")),
            None => Operand::parse(cursor)?,
        };
        cursor.skip_blanks();
        if let Operand::Bare(text) = &left
            && matches!(text.to_string().as_str(), "$UPGCOND" | "$(UPGCOND)" | "true")
            && leading_operator(cursor).is_none()
        {
            return Ok(Self::Stands(text.clone()));
        }
        let at = cursor.at();
        let (symbol, operator) = leading_operator(cursor).ok_or_else(|| cursor.fault(RuleFault::Operator))?;
        cursor.eat(symbol);
        cursor.skip_blanks();
        let right_at = cursor.at();
        let right = Operand::parse(cursor)?;
        let fault = match (&left, &right) {
            (Operand::Text(_), Operand::Text(_)) if operator.orders() => Some((at, RuleFault::TextOrdered)),
            (Operand::Bare(left), Operand::Bare(right)) if left.is_literal() && right.is_literal() => {
                let order = literal(left).and_then(|left| left.compare(&literal(right)?));
                order.err().map(|error| (right_at, error.into()))
            }
            (Operand::Text(_), Operand::Text(_)) | (Operand::Bare(_), Operand::Bare(_)) => None,
            (Operand::Text(_), Operand::Bare(_)) | (Operand::Bare(_), Operand::Text(_)) => {
                Some((right_at, RuleFault::TextAndNumber))
            }
        };
        match fault {
            Some((at, fault)) => Err(cursor.fault_at(at, fault)),
            None => Ok(Self::Relation(left, operator, right)),
        }
    }

    fn judge(&self, lookup: &dyn Lookup) -> Judgement {
        let (expanded, outcome) = match self {
            Self::Stands(text) => {
                let value = text.expand(lookup, Scope::Text);
                let outcome = if value == "true" { Outcome::True } else { Outcome::False };
                (text.expand(&Masked(lookup), Scope::Text), outcome)
            }
            Self::Relation(left, operator, right) => return Self::judge_relation([left, right], *operator, lookup),
        };
        Judgement { written: self.to_string(), expanded, outcome }
    }

    fn judge_relation(operands: [&Operand; 2], operator: Operator, lookup: &dyn Lookup) -> Judgement {
        let values = |lookup: &dyn Lookup| operands.map(|operand| operand.expansion().expand(lookup, Scope::Text));
        let is_text = matches!(operands[0], Operand::Text(_));
        // What a password is held against is as good as the password.
        let is_secret = operands.iter().flat_map(|operand| operand.expansion().variables()).any(Variable::is_secret);
        let outcome = match operator.judge(&values(lookup), is_text) {
            Outcome::Unreadable(_) if is_secret => Outcome::Unreadable("a password is no number or version".to_owned()),
            outcome => outcome,
        };
        let told = |[left, right]: [String; 2]| {
            let quote = if is_text { "\"" } else { "" };
            let shown = |operand: &Operand, value: String| {
                let hidden = is_secret && operand.expansion().is_literal() && !value.is_empty();
                if hidden { MASK.to_owned() } else { value }
            };
            let (left, right) = (shown(operands[0], left), shown(operands[1], right));
            format!("{quote}{left}{quote} {operator} {quote}{right}{quote}")
        };
        let written = told(operands.map(|operand| operand.expansion().to_string()));
        Judgement { written, expanded: told(values(&Masked(lookup))), outcome }
    }
}

impl Operand {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, RuleError> {
        match cursor.peek() {
            Some('"') => return cursor.quoted().map(|text| Self::Text(Expansion::parse(text))),
            Some(quote @ ('“' | '”' | '„' | '‘' | '’' | '\'')) => {
                return Err(cursor.fault(RuleFault::CurlyQuote(quote)));
            }
            Some('&') => return Err(cursor.fault(RuleFault::Escaped)),
            Some('(') => return Err(cursor.fault(RuleFault::Nested)),
            _ => {}
        }
        let at = cursor.at();
        let mut depth = 0_usize;
        // The parentheses of `$(NAME)` and `1.0.31(b)` belong to the operand.
        let text = cursor.take_until(|c| match c {
            '(' => {
                depth += 1;
                false
            }
            ')' if depth > 0 => {
                depth -= 1;
                false
            }
            c => ends_bare(c),
        });
        if text.is_empty() {
            return Err(cursor.fault_at(at, RuleFault::Operand));
        }
        let expansion = Expansion::parse(text);
        let is_legacy = text == "true";
        if expansion.is_literal() && !is_legacy {
            Literal::parse(text).map_err(|error| cursor.fault_at(at, error))?;
        }
        Ok(Self::Bare(expansion))
    }

    fn expansion(&self) -> &Expansion {
        match self {
            Self::Text(text) | Self::Bare(text) => text,
        }
    }
}

impl Operator {
    /// Whether the operator asks for an order, which texts do not have.
    fn orders(self) -> bool {
        match self {
            Self::Eq | Self::Ne => false,
            Self::Lt | Self::Le | Self::Gt | Self::Ge => true,
        }
    }

    fn judge(self, [left, right]: &[String; 2], is_text: bool) -> Outcome {
        let order = if is_text {
            Ok(left.cmp(right))
        } else {
            Literal::parse(left).and_then(|left| left.compare(&Literal::parse(right)?))
        };
        match order {
            Ok(order) if self.holds(order) => Outcome::True,
            Ok(_) => Outcome::False,
            Err(error) => Outcome::Unreadable(error.to_string()),
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
        }
    }
}

fn literal(text: &Expansion) -> Result<Literal, super::literal::LiteralError> {
    Literal::parse(&text.to_string())
}

/// Whether an unquoted word ends before this character.
fn ends_bare(c: char) -> bool {
    c.is_whitespace() || "\"=!<>)|&".contains(c)
}

/// The operator that stands here: a symbol, or a word of its own.
fn leading_operator(cursor: &Cursor<'_>) -> Option<(&'static str, Operator)> {
    let rest = cursor.rest();
    let symbol = SYMBOLS.iter().find(|(symbol, _)| rest.starts_with(symbol));
    let word = || {
        WORDS.iter().find(|(word, _)| {
            let after = rest.strip_prefix(word).map(|after| after.chars().next());
            after.is_some_and(|next| next.is_none_or(|c| c.is_whitespace() || c == '"' || c == '$' || c == ')'))
        })
    };
    symbol.or_else(word).copied()
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, comparison) in self.comparisons.iter().enumerate() {
            write!(f, "{}{comparison}", if at == 0 { "" } else { " and " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relation(left, operator, right) => write!(f, "{left} {operator} {right}"),
            Self::Stands(text) => text.fmt(f),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Bare(text) => text.fmt(f),
        }
    }
}

impl fmt::Display for Operator {
    /// As a word, which needs no escaping in XML.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = WORDS.iter().find(|(_, operator)| operator == self).map_or("", |(word, _)| word);
        f.write_str(word)
    }
}
