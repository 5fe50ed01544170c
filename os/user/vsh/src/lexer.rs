//! Characters to words: quotes, expansions, blanks, here-documents.

mod documents;

use core::fmt;

use crate::ast::{List, Operation, Parameter, Part, Word, is_name_part, is_name_start};
use crate::prelude::*;
use documents::Pending;

/// How deeply commands and expansions may be nested: the parser is as deep on its stack.
const MAX_DEPTH: u32 = 50;

/// Why a text is no script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// Counted from 1.
    pub(crate) line: u32,
    pub(crate) problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// This token cannot stand here.
    Unexpected(String),
    /// The text ends before this.
    Incomplete(&'static str),
    BadSubstitution,
    TooDeep,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::Unexpected(token) => write!(f, "syntax error near unexpected token `{token}'"),
            Problem::Incomplete(expected) => {
                write!(f, "syntax error: unexpected end of file, expected `{expected}'")
            }
            Problem::BadSubstitution => write!(f, "syntax error: bad substitution"),
            Problem::TooDeep => write!(f, "syntax error: nested too deeply"),
        }
    }
}

pub(crate) type Result<T> = core::result::Result<T, SyntaxError>;

/// Where the parts of a word end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Before a blank or operator.
    Word,
    /// After `"`.
    Double,
    /// After `}`; in double quotes or not.
    Brace { quoted: bool },
    /// After `))`.
    Arithmetic,
    /// At the end of the text.
    Text,
}

/// An alias whose text is being read.
#[derive(Debug)]
pub(crate) struct ActiveAlias {
    pub(crate) name: String,
    /// How much text is left where its own ends.
    pub(crate) end: usize,
    /// Whether its text ends with a blank.
    pub(crate) blank: bool,
}

/// A text, and how much of it has been read.
#[derive(Debug)]
pub(crate) struct Lexer {
    pub(crate) text: Vec<char>,
    pub(crate) at: usize,
    pub(crate) line: u32,
    depth: u32,
    pending: Vec<Pending>,
    /// Whether a here-document must have its end.
    pub(crate) strict_documents: bool,
    pub(crate) active_aliases: Vec<ActiveAlias>,
}

impl Lexer {
    pub(crate) fn new(text: &str, line: u32) -> Self {
        Self {
            text: text.chars().collect(),
            at: 0,
            line,
            depth: 0,
            pending: Vec::new(),
            strict_documents: false,
            active_aliases: Vec::new(),
        }
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.peek_at(0)
    }

    pub(crate) fn peek_at(&self, distance: usize) -> Option<char> {
        self.text.get(self.at + distance).copied()
    }

    pub(crate) fn starts_with(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(distance, character)| self.peek_at(distance) == Some(character))
    }

    /// Reads `text` if it comes next.
    pub(crate) fn accept(&mut self, text: &str) -> bool {
        let found = self.starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn bump(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += 1;
        if character == '\n' {
            self.line += 1;
        }
        Some(character)
    }

    pub(crate) fn error<T>(&self, problem: Problem) -> Result<T> {
        let line = self.line;
        Err(SyntaxError { line, problem })
    }

    /// Runs `f` one level deeper.
    pub(crate) fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == MAX_DEPTH {
            return self.error(Problem::TooDeep);
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    /// Skips blanks, continued lines, and a comment.
    pub(crate) fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('\\') if self.peek_at(1) == Some('\n') => {
                    self.at += 2;
                    self.line += 1;
                }
                Some('#') => {
                    while self.peek().is_some_and(|character| character != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// Reads the end of a line, and the here-documents that follow it. False when something else comes next.
    pub(crate) fn end_of_line(&mut self) -> Result<bool> {
        if self.peek() != Some('\n') {
            return Ok(false);
        }
        self.bump();
        self.documents()?;
        Ok(true)
    }

    /// Fails because of what comes next.
    pub(crate) fn unexpected<T>(&mut self) -> Result<T> {
        let Some(first) = self.peek() else {
            return self.error(Problem::Incomplete("command"));
        };
        let mut token = String::from(first);
        if first == '\n' {
            token = "newline".into();
        } else if is_metacharacter(first) {
            if first != '(' && first != ')' && self.peek_at(1) == Some(first) {
                token.push(first);
            }
        } else {
            let rest = self.text[self.at..].iter().skip(1);
            token.extend(rest.take_while(|&&next| !is_metacharacter(next)));
        }
        self.error(Problem::Unexpected(token))
    }

    /// Reads a word, if one comes next.
    pub(crate) fn word(&mut self) -> Result<Option<Word>> {
        if self.peek().is_none_or(is_metacharacter) {
            return Ok(None);
        }
        let parts = self.nested(|lexer| lexer.parts(End::Word))?;
        Ok(Some(Word(parts)))
    }

    fn parts(&mut self, end: End) -> Result<Vec<Part>> {
        let quoted = !matches!(end, End::Word | End::Brace { quoted: false });
        let mut parts = Vec::new();
        let mut parentheses = 0_u32;
        while let Some(character) = self.peek() {
            match (end, character) {
                (End::Word, character) if is_metacharacter(character) => return Ok(parts),
                (End::Double, '"') | (End::Brace { .. }, '}') => {
                    self.at += 1;
                    return Ok(parts);
                }
                (End::Arithmetic, ')') if parentheses == 0 => {
                    if !self.accept("))") {
                        return self.unexpected();
                    }
                    return Ok(parts);
                }
                (End::Arithmetic, '"') => self.at += 1,
                (_, '\\') => self.backslash(end, &mut parts),
                (_, '$') => self.dollar(quoted, &mut parts)?,
                (_, '`') => {
                    let part = self.backquotes(quoted)?;
                    parts.push(part);
                }
                (_, '\'') if !quoted => {
                    let text = self.single_quotes()?;
                    push_quoted(&mut parts, text);
                }
                (End::Word | End::Brace { .. }, '"') => {
                    self.at += 1;
                    let inner = self.nested(|lexer| lexer.parts(End::Double))?;
                    parts.push(Part::Double(inner));
                }
                (_, character) => {
                    match (end, character) {
                        (End::Arithmetic, '(') => parentheses += 1,
                        (End::Arithmetic, ')') => parentheses -= 1,
                        _ => {}
                    }
                    self.bump();
                    push(&mut parts, character, quoted);
                }
            }
        }
        match end {
            End::Word | End::Text => Ok(parts),
            End::Double => self.error(Problem::Incomplete("\"")),
            End::Brace { .. } => self.error(Problem::Incomplete("}")),
            End::Arithmetic => self.error(Problem::Incomplete("))")),
        }
    }

    fn backslash(&mut self, end: End, parts: &mut Vec<Part>) {
        let escapes = match (end, self.peek_at(1)) {
            (_, None) => false,
            (_, Some('\n' | '$' | '`' | '\\')) => true,
            (End::Double, Some('"')) => true,
            (End::Brace { quoted: true }, Some('"' | '}')) => true,
            (End::Word | End::Brace { quoted: false }, _) => true,
            _ => false,
        };
        self.at += 1;
        if !escapes {
            push(parts, '\\', true);
        } else if let Some(character) = self.bump()
            && character != '\n'
        {
            push(parts, character, true);
        }
    }

    fn single_quotes(&mut self) -> Result<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return self.error(Problem::Incomplete("'")),
                Some('\'') => return Ok(text),
                Some(character) => text.push(character),
            }
        }
    }

    /// `$'...'`, after the dollar.
    fn escaped_quotes(&mut self) -> Result<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return self.error(Problem::Incomplete("'")),
                Some('\'') => return Ok(text),
                Some('\\') => {
                    let Some(character) = self.bump() else {
                        return self.error(Problem::Incomplete("'"));
                    };
                    let code = match character {
                        'a' => 7,
                        'b' => 8,
                        'e' | 'E' => 27,
                        'f' => 12,
                        'n' => 10,
                        'r' => 13,
                        't' => 9,
                        'v' => 11,
                        'x' => self.digits(16, 2),
                        'u' => self.digits(16, 4),
                        'U' => self.digits(16, 8),
                        '0'..='7' => {
                            self.at -= 1;
                            self.digits(8, 3)
                        }
                        '\\' | '\'' | '"' | '?' => u32::from(character),
                        _ => {
                            text.push('\\');
                            u32::from(character)
                        }
                    };
                    text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                Some(character) => text.push(character),
            }
        }
    }

    fn digits(&mut self, radix: u32, most: usize) -> u32 {
        let mut value = 0_u32;
        for _ in 0..most {
            let Some(digit) = self.peek().and_then(|character| character.to_digit(radix)) else {
                break;
            };
            self.at += 1;
            value = value.wrapping_mul(radix).wrapping_add(digit);
        }
        value
    }

    fn dollar(&mut self, quoted: bool, parts: &mut Vec<Part>) -> Result<()> {
        self.at += 1;
        match self.peek() {
            Some('{') => {
                self.at += 1;
                let parameter = self.nested(|lexer| lexer.braces(quoted))?;
                parts.push(Part::Parameter(Box::new(parameter)));
            }
            Some('(') if self.peek_at(1) == Some('(') && self.is_arithmetic()? => {
                self.at += 2;
                let inner = self.nested(|lexer| lexer.parts(End::Arithmetic))?;
                parts.push(Part::Arithmetic(inner));
            }
            Some('(') => {
                self.at += 1;
                let list = self.nested(Self::substitution)?;
                parts.push(Part::Command(Rc::new(list)));
            }
            Some('\'') if !quoted => {
                let text = self.escaped_quotes()?;
                push_quoted(parts, text);
            }
            // `$"..."` is for translated texts: there are none.
            Some('"') if !quoted => {}
            Some(first) if is_name_start(first) => {
                let name = self.name();
                parts.push(value_of(name));
            }
            Some(special) if special.is_ascii_digit() || is_special(special) => {
                self.at += 1;
                parts.push(value_of(special.into()));
            }
            _ => push(parts, '$', quoted),
        }
        Ok(())
    }

    /// Whether the `((` that comes next is closed by `))`, and not the start of two subshells.
    fn is_arithmetic(&self) -> Result<bool> {
        let mut depth = 0_u32;
        let mut distance = 0;
        while let Some(character) = self.peek_at(distance) {
            match character {
                '\\' => distance += 1,
                '\'' | '"' => {
                    distance += 1;
                    while self.peek_at(distance).is_some_and(|next| next != character) {
                        distance += 1;
                    }
                }
                '(' => depth += 1,
                ')' if depth == 2 => return Ok(self.peek_at(distance + 1) == Some(')')),
                ')' => depth -= 1,
                _ => {}
            }
            distance += 1;
        }
        self.error(Problem::Incomplete("))"))
    }

    fn substitution(&mut self) -> Result<List> {
        let list = self.list()?;
        self.skip_blanks();
        match self.peek() {
            Some(')') => {
                self.at += 1;
                Ok(list)
            }
            None => self.error(Problem::Incomplete(")")),
            Some(_) => self.unexpected(),
        }
    }

    fn backquotes(&mut self, quoted: bool) -> Result<Part> {
        self.at += 1;
        let line = self.line;
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return self.error(Problem::Incomplete("`")),
                Some('`') => break,
                Some('\\') => {
                    let next = self.peek();
                    if !next.is_some_and(|next| matches!(next, '$' | '`' | '\\') || quoted && next == '"') {
                        text.push('\\');
                    }
                    text.extend(next);
                    self.bump();
                }
                Some(character) => text.push(character),
            }
        }
        let mut lexer = Self::new(&text, line);
        lexer.depth = self.depth;
        let list = lexer.nested(Self::list)?;
        lexer.documents()?;
        if lexer.peek().is_some() {
            return lexer.unexpected();
        }
        Ok(Part::Command(Rc::new(list)))
    }

    pub(crate) fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(character) = self.peek().filter(|&character| is_name_part(character)) {
            self.at += 1;
            name.push(character);
        }
        name
    }

    /// `${...}`, after the brace.
    fn braces(&mut self, quoted: bool) -> Result<Parameter> {
        if self.peek() == Some('#') && self.peek_at(1) != Some('}') && !self.starts_with("#:") {
            self.at += 1;
            let name = self.parameter_name()?;
            if !self.accept("}") {
                return self.bad_substitution();
            }
            let operation = Operation::Length;
            return Ok(Parameter { name, operation });
        }
        let name = self.parameter_name()?;
        let colon = self.accept(":");
        let Some(operator) = self.peek() else {
            return self.error(Problem::Incomplete("}"));
        };
        self.at += 1;
        let operation = match operator {
            '}' if !colon => Operation::Value,
            '-' | '=' | '?' | '+' => Operation::Substitute {
                colon,
                operator,
                word: Word(self.parts(End::Brace { quoted })?),
            },
            '%' | '#' if !colon => Operation::Trim {
                suffix: operator == '%',
                longest: self.accept(operator.encode_utf8(&mut [0; 4])),
                pattern: Word(self.parts(End::Brace { quoted: false })?),
            },
            _ => return self.bad_substitution(),
        };
        Ok(Parameter { name, operation })
    }

    fn parameter_name(&mut self) -> Result<String> {
        match self.peek() {
            None => self.error(Problem::Incomplete("}")),
            Some(first) if is_name_start(first) => Ok(self.name()),
            Some(first) if first.is_ascii_digit() => {
                let mut name = String::new();
                while let Some(digit) = self.peek().filter(char::is_ascii_digit) {
                    self.at += 1;
                    name.push(digit);
                }
                Ok(name)
            }
            Some(special) if is_special(special) => {
                self.at += 1;
                Ok(special.into())
            }
            Some(_) => self.bad_substitution(),
        }
    }

    fn bad_substitution<T>(&self) -> Result<T> {
        let problem = match self.peek() {
            None => Problem::Incomplete("}"),
            Some(_) => Problem::BadSubstitution,
        };
        self.error(problem)
    }
}

fn value_of(name: String) -> Part {
    let operation = Operation::Value;
    Part::Parameter(Box::new(Parameter { name, operation }))
}

fn is_special(character: char) -> bool {
    matches!(character, '?' | '$' | '!' | '#' | '@' | '*' | '-')
}

/// Whether it ends a word.
pub(crate) fn is_metacharacter(character: char) -> bool {
    matches!(
        character,
        ' ' | '\t' | '\r' | '\n' | '|' | '&' | ';' | '<' | '>' | '(' | ')'
    )
}

/// Adds quoted text to the last part, or starts one, which makes a field even if it is empty.
fn push_quoted(parts: &mut Vec<Part>, text: String) {
    match parts.last_mut() {
        Some(Part::Quoted(last)) => last.push_str(&text),
        _ => parts.push(Part::Quoted(text)),
    }
}

/// Adds a character to the last part, or starts one.
fn push(parts: &mut Vec<Part>, character: char, quoted: bool) {
    match parts.last_mut() {
        Some(Part::Quoted(text)) if quoted => text.push(character),
        Some(Part::Literal(text)) if !quoted => text.push(character),
        _ if quoted => parts.push(Part::Quoted(character.into())),
        _ => parts.push(Part::Literal(character.into())),
    }
}
