//! Arithmetic with 64-bit numbers, as in C. Overflow wraps around.

use core::fmt;

use crate::ast::{is_name_part, is_name_start};
use crate::prelude::*;

/// How deeply parentheses and variables that name expressions may be nested.
const MAX_DEPTH: u32 = 120;

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    Syntax(String),
    DivisionByZero,
    BadNumber(String),
    TooDeep,
    ReadOnly(String),
    Unset(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(rest) if rest.is_empty() => f.write_str("arithmetic: operand expected"),
            Self::Syntax(rest) => write!(f, "arithmetic: syntax error at `{rest}'"),
            Self::DivisionByZero => f.write_str("arithmetic: division by zero"),
            Self::BadNumber(text) => write!(f, "arithmetic: bad number `{text}'"),
            Self::TooDeep => f.write_str("arithmetic: nested too deeply"),
            Self::ReadOnly(name) => write!(f, "{name}: is read only"),
            Self::Unset(name) => write!(f, "{name}: parameter not set"),
        }
    }
}

type Result<T> = core::result::Result<T, Error>;

/// Where variables are.
pub(crate) trait Scope {
    /// The value of a variable; an error when it must have one.
    fn get(&self, name: &str) -> Result<Option<String>>;
    fn set(&mut self, name: &str, value: i64) -> Result<()>;
}

/// Computes an expression.
pub(crate) fn evaluate(text: &str, scope: &mut dyn Scope) -> Result<i64> {
    evaluate_at(text, scope, 0)
}

fn evaluate_at(text: &str, scope: &mut dyn Scope, depth: u32) -> Result<i64> {
    let mut evaluator = Evaluator {
        text: text.chars().collect(),
        at: 0,
        scope,
        depth,
        live: true,
    };
    if evaluator.next_operator().is_none() && evaluator.peek().is_none() {
        return Ok(0);
    }
    let value = evaluator.comma()?;
    evaluator.skip_blanks();
    match evaluator.peek() {
        None => Ok(value),
        Some(_) => evaluator.syntax(),
    }
}

struct Evaluator<'a> {
    text: Vec<char>,
    at: usize,
    scope: &'a mut dyn Scope,
    depth: u32,
    /// Whether the part that is being read counts: after `0 &&` nothing is assigned or divided.
    live: bool,
}

/// Longer ones first.
const OPERATORS: &[&str] = &[
    "<<=", ">>=", "&&", "||", "<<", ">>", "<=", ">=", "==", "!=", "+=", "-=", "*=", "/=", "%=", "&=", "^=",
    "|=", "++", "--", "+", "-", "*", "/", "%", "<", ">", "&", "^", "|", "=", "!", "~", "?", ":", "(", ")",
    ",",
];

/// How tightly a binary operator binds.
fn precedence(operator: &str) -> Option<u32> {
    Some(match operator {
        "||" => 1,
        "&&" => 2,
        "|" => 3,
        "^" => 4,
        "&" => 5,
        "==" | "!=" => 6,
        "<" | ">" | "<=" | ">=" => 7,
        "<<" | ">>" => 8,
        "+" | "-" => 9,
        "*" | "/" | "%" => 10,
        _ => return None,
    })
}

impl Evaluator<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn syntax<T>(&self) -> Result<T> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        Err(Error::Syntax(rest.iter().collect()))
    }

    fn next_operator(&mut self) -> Option<&'static str> {
        self.skip_blanks();
        let rest = &self.text[self.at..];
        let mut operators = OPERATORS.iter();
        operators
            .find(|operator| {
                operator
                    .chars()
                    .enumerate()
                    .all(|(at, own)| rest.get(at) == Some(&own))
            })
            .copied()
    }

    fn accept(&mut self, operator: &str) -> bool {
        let found = self.next_operator() == Some(operator);
        if found {
            self.at += operator.len();
        }
        found
    }

    fn deeper<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    /// Runs `f`, without effect unless `live`.
    fn guarded(&mut self, live: bool, f: impl FnOnce(&mut Self) -> Result<i64>) -> Result<i64> {
        let before = self.live;
        self.live &= live;
        let result = f(self);
        self.live = before;
        result
    }

    fn comma(&mut self) -> Result<i64> {
        let mut value = self.assignment()?;
        while self.accept(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn assignment(&mut self) -> Result<i64> {
        self.deeper(Self::assignment_here)
    }

    fn assignment_here(&mut self) -> Result<i64> {
        let start = self.at;
        if let Some(name) = self.name() {
            let operator = self.next_operator().unwrap_or_default();
            if operator == "=" {
                self.at += 1;
                let value = self.assignment()?;
                return self.store(&name, value);
            }
            let binary = operator.strip_suffix('=').filter(|binary| {
                !matches!(*binary, "=" | "!")
                    && precedence(binary).is_some()
                    && !matches!(operator, "<=" | ">=")
            });
            if let Some(binary) = binary {
                self.at += operator.len();
                let right = self.assignment()?;
                let left = self.load(&name)?;
                let value = self.apply(binary, left, right)?;
                return self.store(&name, value);
            }
        }
        self.at = start;
        self.conditional()
    }

    fn conditional(&mut self) -> Result<i64> {
        let condition = self.binary(1)?;
        if !self.accept("?") {
            return Ok(condition);
        }
        let yes = self.guarded(condition != 0, Self::comma)?;
        if !self.accept(":") {
            return self.syntax();
        }
        let no = self.guarded(condition == 0, Self::assignment)?;
        Ok(if condition != 0 { yes } else { no })
    }

    fn binary(&mut self, least: u32) -> Result<i64> {
        let mut left = self.deeper(Self::unary)?;
        while let Some(operator) = self.next_operator() {
            let Some(binds) = precedence(operator).filter(|&binds| binds >= least) else {
                break;
            };
            self.at += operator.len();
            left = match operator {
                "&&" => {
                    let right = self.guarded(left != 0, |inner| inner.binary(binds + 1))?;
                    i64::from(left != 0 && right != 0)
                }
                "||" => {
                    let right = self.guarded(left == 0, |inner| inner.binary(binds + 1))?;
                    i64::from(left != 0 || right != 0)
                }
                _ => {
                    let right = self.binary(binds + 1)?;
                    self.apply(operator, left, right)?
                }
            };
        }
        Ok(left)
    }

    fn apply(&self, operator: &str, left: i64, right: i64) -> Result<i64> {
        // Only the low bits of a shift count, as on most CPUs.
        let bits = (right & 63) as u32;
        Ok(match operator {
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<<" => left.wrapping_shl(bits),
            ">>" => left.wrapping_shr(bits),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" | "%" if right == 0 && self.live => return Err(Error::DivisionByZero),
            "/" => left.wrapping_div(if right == 0 { 1 } else { right }),
            _ => left.wrapping_rem(if right == 0 { 1 } else { right }),
        })
    }

    fn unary(&mut self) -> Result<i64> {
        let Some(operator) = self.next_operator() else {
            return self.operand();
        };
        match operator {
            "++" | "--" => {
                let start = self.at;
                self.at += 2;
                if let Some(name) = self.name() {
                    return self.step(&name, operator);
                }
                // Two signs.
                self.at = start + 1;
                let value = self.deeper(Self::unary)?;
                Ok(if operator == "--" {
                    value.wrapping_neg()
                } else {
                    value
                })
            }
            "+" | "-" | "!" | "~" => {
                self.at += 1;
                let value = self.deeper(Self::unary)?;
                Ok(match operator {
                    "-" => value.wrapping_neg(),
                    "!" => i64::from(value == 0),
                    "~" => !value,
                    _ => value,
                })
            }
            "(" => {
                self.at += 1;
                let value = self.deeper(Self::comma)?;
                if !self.accept(")") {
                    return self.syntax();
                }
                Ok(value)
            }
            _ => self.syntax(),
        }
    }

    /// Adds or subtracts 1, and returns the new value.
    fn step(&mut self, name: &str, operator: &str) -> Result<i64> {
        let step = if operator == "++" { 1 } else { -1 };
        let value = self.load(name)?.wrapping_add(step);
        self.store(name, value)
    }

    fn operand(&mut self) -> Result<i64> {
        if let Some(name) = self.name() {
            return match self.next_operator() {
                Some(operator @ ("++" | "--")) => {
                    self.at += 2;
                    let before = self.load(&name)?;
                    self.step(&name, operator)?;
                    Ok(before)
                }
                _ => self.load(&name),
            };
        }
        let digits = self.text[self.at..]
            .iter()
            .take_while(|character| is_name_part(**character));
        let text: String = digits.collect();
        if text.is_empty() {
            return self.syntax();
        }
        self.at += text.len();
        number(&text)
    }

    fn name(&mut self) -> Option<String> {
        self.skip_blanks();
        self.peek().filter(|&first| is_name_start(first))?;
        let name: String = self.text[self.at..]
            .iter()
            .take_while(|character| is_name_part(**character))
            .collect();
        self.at += name.len();
        Some(name)
    }

    fn load(&mut self, name: &str) -> Result<i64> {
        if !self.live {
            return Ok(0);
        }
        let Some(value) = self.scope.get(name)? else {
            return Ok(0);
        };
        let text = value.trim();
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1_i64, digits),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        if digits.is_empty() && text.is_empty() {
            Ok(0)
        } else if digits.starts_with(|first: char| first.is_ascii_digit()) && digits.chars().all(is_name_part)
        {
            Ok(number(digits)?.wrapping_mul(sign))
        } else if self.depth >= MAX_DEPTH {
            Err(Error::TooDeep)
        } else {
            // Each level is several levels of the expression's own recursion.
            evaluate_at(text, self.scope, self.depth + 4)
        }
    }

    fn store(&mut self, name: &str, value: i64) -> Result<i64> {
        if self.live {
            self.scope.set(name, value)?;
        }
        Ok(value)
    }
}

/// A number in base 10, or 8 after `0`, or 16 after `0x`.
fn number(text: &str) -> Result<i64> {
    let (digits, radix) = if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        (digits, 16)
    } else if text.len() > 1 && text.starts_with('0') {
        (&text[1..], 8)
    } else {
        (text, 10)
    };
    let mut value = 0_i64;
    for character in digits.chars() {
        let digit = character
            .to_digit(radix)
            .ok_or_else(|| Error::BadNumber(text.into()))?;
        value = value
            .wrapping_mul(i64::from(radix))
            .wrapping_add(i64::from(digit));
    }
    if digits.is_empty() {
        return Err(Error::BadNumber(text.into()));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    impl Scope for BTreeMap<String, String> {
        fn get(&self, name: &str) -> Result<Option<String>> {
            Ok(BTreeMap::get(self, name).cloned())
        }

        fn set(&mut self, name: &str, value: i64) -> Result<()> {
            self.insert(name.into(), value.to_string());
            Ok(())
        }
    }

    fn value(text: &str) -> Result<i64> {
        let mut scope = BTreeMap::from([
            ("x".into(), "6".into()),
            ("e".into(), "x * 2".into()),
            ("s".into(), "s".into()),
        ]);
        evaluate(text, &mut scope)
    }

    #[test]
    fn values() {
        for (text, expected) in [
            ("", 0),
            (" 1 + 2 * 3 ", 7),
            ("(1 + 2) * 3", 9),
            ("10 - 3 - 2", 5),
            ("-7 / 2", -3),
            ("-7 % 3", -1),
            ("1 << 4 | 1", 17),
            ("0x10 + 010", 24),
            ("!5 + !0", 1),
            ("~0", -1),
            ("1 ? 2 : 3", 2),
            ("0 ? 2 : 0 ? 3 : 4", 4),
            ("x = 3, x + 1", 4),
            ("x += 2, x", 8),
            ("x++ + x", 13),
            ("++x", 7),
            ("- -3", 3),
            ("--3", 3),
            ("e", 12),
            ("0 && (x = 9), x", 6),
            ("1 || 1 / 0", 1),
            ("x == 6 && x != 5", 1),
            ("unset + 1", 1),
            ("x <= 6", 1),
            ("9223372036854775807 + 1", i64::MIN),
        ] {
            assert_eq!(value(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn errors() {
        assert_eq!(value("1 / 0"), Err(Error::DivisionByZero));
        assert_eq!(value("1 +"), Err(Error::Syntax("".into())));
        assert_eq!(value("1 2"), Err(Error::Syntax("2".into())));
        assert_eq!(value("08"), Err(Error::BadNumber("08".into())));
        assert_eq!(value("s"), Err(Error::TooDeep));
        assert_eq!(value(&"(".repeat(1000)), Err(Error::TooDeep));
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[-+*/%<>=!&|^~?:(),x0-9 ]{0,40}") {
            let _ = value(&text);
        }
    }
}
