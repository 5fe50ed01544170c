//! From text to tree.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Assertion;
use super::class::{self, ByteSet, is_word};

/// How a pattern is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// Operators need a backslash: `\(`, `\)`, `\{`, `\}`, `\|`, `\+`, `\?`.
    Basic,
    /// Operators stand for themselves.
    Extended,
    /// There are no operators.
    Fixed,
}

/// An expression.
#[derive(Clone)]
pub(crate) enum Node {
    Empty,
    Set(ByteSet),
    Assertion(Assertion),
    Sequence(Vec<Node>),
    Alternatives(Vec<Node>),
    /// So many times; without an upper bound any number.
    Repeat(Box<Node>, u32, Option<u32>),
}

/// Groups in groups. Parser and compiler recur for each, which takes about 1 KiB of a stack that has 64.
const MAX_DEPTH: usize = 30;

/// Repetitions of repetitions, for each of which the compiler recurs too.
const MAX_CHAIN: usize = 2;

/// Largest count of an interval, as in GNU.
const MAX_COUNT: u32 = 32767;

pub(super) fn parse(pattern: &[u8], syntax: Syntax, fold: bool) -> Result<Node, &'static str> {
    if syntax == Syntax::Fixed {
        return Ok(Node::Sequence(
            pattern
                .iter()
                .map(|&byte| Node::Set(folded(ByteSet::one(byte), fold)))
                .collect(),
        ));
    }
    // A bracket expression that lacks its outer brackets is a mistake that would match something quite different.
    if let [b'[', kind @ (b':' | b'.' | b'='), .., last, b']'] = pattern
        && kind == last
        && pattern.len() > 4
        && !pattern[1..pattern.len() - 1].contains(&b']')
    {
        return Err("a character class is written [[:space:]], not [:space:]");
    }
    let mut parser = Parser {
        rest: pattern,
        extended: syntax == Syntax::Extended,
        depth: 0,
        fold,
    };
    let node = parser.alternatives()?;
    if parser.rest.is_empty() {
        Ok(node)
    } else {
        Err("unmatched ) or \\)")
    }
}

fn folded(set: ByteSet, fold: bool) -> ByteSet {
    if fold { set.fold() } else { set }
}

struct Parser<'a> {
    rest: &'a [u8],
    extended: bool,
    /// Letters match in both cases.
    fold: bool,
    depth: usize,
}

/// A piece of the text.
#[derive(Clone, Copy)]
enum Token {
    Byte(u8),
    Any,
    Bracket,
    Open,
    Close,
    Or,
    /// At least, at most.
    Repeat(u32, Option<u32>),
    Interval,
    Caret,
    Dollar,
    Assertion(Assertion),
    Class(fn(u8) -> bool, bool),
}

impl Parser<'_> {
    /// The token at the front and its length.
    fn token(&self) -> Result<Option<(Token, usize)>, &'static str> {
        let Some(&byte) = self.rest.first() else {
            return Ok(None);
        };
        let (byte, escaped) = match (byte, self.rest.get(1)) {
            (b'\\', Some(&next)) => (next, true),
            (b'\\', None) => return Err("a backslash at the end"),
            (byte, _) => (byte, false),
        };
        let operator = self.extended != escaped;
        let token = match byte {
            b'(' if operator => Token::Open,
            b')' if operator => Token::Close,
            b'|' if operator => Token::Or,
            b'{' if operator => Token::Interval,
            b'+' if operator => Token::Repeat(1, None),
            b'?' if operator => Token::Repeat(0, Some(1)),
            b'*' if !escaped => Token::Repeat(0, None),
            b'.' if !escaped => Token::Any,
            b'[' if !escaped => Token::Bracket,
            b'^' if !escaped => Token::Caret,
            b'$' if !escaped => Token::Dollar,
            b'<' if escaped => Token::Assertion(Assertion::WordStart),
            b'>' if escaped => Token::Assertion(Assertion::WordEnd),
            b'b' if escaped => Token::Assertion(Assertion::WordBoundary),
            b'B' if escaped => Token::Assertion(Assertion::NoWordBoundary),
            b'`' if escaped => Token::Assertion(Assertion::Start),
            b'\'' if escaped => Token::Assertion(Assertion::End),
            b'w' if escaped => Token::Class(is_word, true),
            b'W' if escaped => Token::Class(is_word, false),
            b's' if escaped => Token::Class(|byte| matches!(byte, b' ' | 9..=13), true),
            b'S' if escaped => Token::Class(|byte| matches!(byte, b' ' | 9..=13), false),
            b'1'..=b'9' if escaped => return Err("back-references are not supported"),
            byte => Token::Byte(byte),
        };
        Ok(Some((token, 1 + usize::from(escaped))))
    }

    fn alternatives(&mut self) -> Result<Node, &'static str> {
        let mut nodes = Vec::from([self.sequence()?]);
        while let Some((Token::Or, len)) = self.token()? {
            self.rest = &self.rest[len..];
            nodes.push(self.sequence()?);
        }
        Ok(match nodes.pop() {
            Some(node) if nodes.is_empty() => node,
            last => {
                nodes.extend(last);
                Node::Alternatives(nodes)
            }
        })
    }

    /// Whether a `$` here ends an expression, and so is an anchor in basic syntax.
    fn at_end(&self) -> bool {
        matches!(self.rest, [] | [b'\\', b')' | b'|', ..])
    }

    fn sequence(&mut self) -> Result<Node, &'static str> {
        let mut nodes: Vec<Node> = Vec::new();
        // Nothing that could be repeated stands before.
        let mut start = true;
        while let Some((token, len)) = self.token()? {
            if matches!(token, Token::Or) || (matches!(token, Token::Close) && self.depth > 0) {
                break;
            }
            let before = self.rest;
            self.rest = &self.rest[len..];
            let node = match token {
                // Without one that opens a group it stands for itself in extended syntax.
                Token::Close if self.extended => Node::Set(ByteSet::one(b')')),
                Token::Or | Token::Close => return Err("unmatched ) or \\)"),
                Token::Caret if self.extended || start && nodes.is_empty() => {
                    nodes.push(Node::Assertion(Assertion::Start));
                    start = !self.extended;
                    continue;
                }
                Token::Dollar if self.extended || self.at_end() => Node::Assertion(Assertion::End),
                Token::Repeat(..) if start && !self.extended && len == 1 => {
                    Node::Set(ByteSet::one(before[0]))
                }
                Token::Repeat(least, most) => {
                    repeat(&mut nodes, least, most)?;
                    start = false;
                    continue;
                }
                Token::Interval => match self.interval()? {
                    Some(_) if start && !self.extended => return Err("nothing stands before the interval"),
                    Some((least, most)) => {
                        repeat(&mut nodes, least, most)?;
                        continue;
                    }
                    // What is no interval stands for itself.
                    None => Node::Set(ByteSet::one(b'{')),
                },
                Token::Byte(byte) => Node::Set(folded(ByteSet::one(byte), self.fold)),
                Token::Caret => Node::Set(ByteSet::one(b'^')),
                Token::Dollar => Node::Set(ByteSet::one(b'$')),
                Token::Any => Node::Set(ByteSet::one(b'\n').complement()),
                Token::Class(is, wanted) => Node::Set(ByteSet::of(|byte| is(byte) == wanted)),
                Token::Assertion(assertion) => Node::Assertion(assertion),
                Token::Bracket => Node::Set(self.bracket()?),
                Token::Open => self.group()?,
            };
            nodes.push(node);
            start = false;
        }
        Ok(Node::Sequence(nodes))
    }

    fn group(&mut self) -> Result<Node, &'static str> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("too many groups in groups");
        }
        let node = self.alternatives()?;
        self.depth -= 1;
        match self.token()? {
            Some((Token::Close, len)) => {
                self.rest = &self.rest[len..];
                Ok(node)
            }
            _ => Err("unmatched ( or \\("),
        }
    }

    /// What stands behind the opening brace. In extended syntax it may turn out to be none.
    fn interval(&mut self) -> Result<Option<(u32, Option<u32>)>, &'static str> {
        let (least, rest) = number(self.rest);
        let (least, most, rest) = match rest {
            [b',', rest @ ..] => match number(rest) {
                (None, rest) => (Some(least.unwrap_or(0)), None, rest),
                (most, rest) => (Some(least.unwrap_or(0)), most, rest),
            },
            rest => (least, least, rest),
        };
        let close: &[u8] = if self.extended { b"}" } else { b"\\}" };
        let (Some(least), Some(rest)) = (least, rest.strip_prefix(close)) else {
            return if self.extended {
                Ok(None)
            } else {
                Err("not an interval: \\{")
            };
        };
        if most.is_some_and(|most| most < least) {
            return Err("an interval decreases");
        }
        if least > MAX_COUNT || most.is_some_and(|most| most > MAX_COUNT) {
            return Err("the expression is too large");
        }
        self.rest = rest;
        Ok(Some((least, most)))
    }

    /// What stands behind the opening bracket.
    fn bracket(&mut self) -> Result<ByteSet, &'static str> {
        const OPEN: &str = "unmatched [, [^, [:, [. or [=";
        let mut set = ByteSet::EMPTY;
        let complement = self.rest.first() == Some(&b'^');
        if complement {
            self.rest = &self.rest[1..];
        }
        let mut first = true;
        loop {
            let byte = match self.rest {
                [] => return Err(OPEN),
                [b']', rest @ ..] if !first => {
                    self.rest = rest;
                    break;
                }
                [b'[', b':', rest @ ..] => {
                    let len = rest.windows(2).position(|w| w == b":]").ok_or(OPEN)?;
                    let (_, is) = class::named(&rest[..len]).ok_or("no such character class")?;
                    set.add(&ByteSet::of(is));
                    self.rest = &rest[len + 2..];
                    first = false;
                    continue;
                }
                _ => self.element()?,
            };
            first = false;
            match self.rest {
                [b'-', next, ..] if *next != b']' => {
                    self.rest = &self.rest[1..];
                    let to = self.element()?;
                    if byte > to {
                        return Err("a range decreases");
                    }
                    (byte..=to).for_each(|byte| set.insert(byte));
                }
                [] => return Err(OPEN),
                _ => set.insert(byte),
            }
        }
        // What is not in a set is in neither case.
        let set = folded(set, self.fold);
        Ok(if complement { set.complement() } else { set })
    }

    /// One byte of a bracket expression, as itself, `[.x.]` or `[=x=]`.
    fn element(&mut self) -> Result<u8, &'static str> {
        match *self.rest {
            [b'[', kind @ (b'.' | b'='), byte, end, b']', ..] if kind == end => {
                self.rest = &self.rest[5..];
                Ok(byte)
            }
            [b'[', b'.' | b'=', ..] => Err("not one character"),
            [byte, ..] => {
                self.rest = &self.rest[1..];
                Ok(byte)
            }
            [] => Err("unmatched ["),
        }
    }
}

/// Repeats the last node; without one it is nothing that is repeated.
fn repeat(nodes: &mut Vec<Node>, least: u32, most: Option<u32>) -> Result<(), &'static str> {
    let Some(node) = nodes.pop() else { return Ok(()) };
    nodes.push(match (node, least, most) {
        // Of `*`, `+` and `?` behind each other one is left.
        (Node::Repeat(inner, a @ (0 | 1), old @ (None | Some(1))), b @ (0 | 1), new @ (None | Some(1))) => {
            let most = if old == Some(1) && new == Some(1) {
                Some(1)
            } else {
                None
            };
            Node::Repeat(inner, a * b, most)
        }
        (node, least, most) => {
            let mut inner = &node;
            let mut chain = 0;
            while let Node::Repeat(next, ..) = inner {
                inner = next;
                chain += 1;
            }
            if chain > MAX_CHAIN {
                return Err("too many intervals in a row");
            }
            Node::Repeat(Box::new(node), least, most)
        }
    });
    Ok(())
}

/// A number at the front, if there is one, and what is behind it.
fn number(text: &[u8]) -> (Option<u32>, &[u8]) {
    let len = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = text[..len].iter().fold(0u32, |n, byte| {
        n.saturating_mul(10).saturating_add(u32::from(byte - b'0'))
    });
    ((len > 0).then_some(value), &text[len..])
}
