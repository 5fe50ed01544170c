//! What a parsed script is.

use core::cell::OnceCell;

use crate::prelude::*;

/// Commands one after the other.
pub(crate) type List = Vec<Item>;

/// A command of a list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) first: Pipeline,
    pub(crate) rest: Vec<(Connector, Pipeline)>,
    /// Whether `&` follows.
    pub(crate) background: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connector {
    And,
    Or,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pipeline {
    /// Whether `!` precedes.
    pub(crate) negated: bool,
    /// At least one.
    pub(crate) commands: Vec<Command>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    Simple(Simple),
    Compound(Compound, Vec<Redirection>),
    Function(String, Rc<Self>),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Simple {
    pub(crate) line: u32,
    pub(crate) assignments: Vec<(String, Word)>,
    pub(crate) words: Vec<Word>,
    pub(crate) redirections: Vec<Redirection>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Compound {
    Brace(List),
    Subshell(List),
    If {
        branches: Vec<(List, List)>,
        otherwise: Option<List>,
    },
    Loop {
        until: bool,
        condition: List,
        body: List,
    },
    For {
        name: String,
        /// `None` means the positional parameters.
        words: Option<Vec<Word>>,
        body: List,
    },
    Case {
        word: Word,
        arms: Vec<(Vec<Word>, List)>,
    },
}

/// A redirection. `descriptor` is the number in front of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Redirection {
    pub(crate) descriptor: Option<u32>,
    pub(crate) target: Target,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Target {
    /// `<`
    Read(Word),
    /// `>`
    Write(Word),
    /// `>|`: replaces a file even with `set -C`
    Replace(Word),
    /// `>>`
    Append(Word),
    /// `<>`
    ReadWrite(Word),
    /// `<&` and `>&`: a descriptor or `-`
    Duplicate { input: bool, word: Word },
    /// `&>` and `&>>`
    Both { append: bool, word: Word },
    /// `<<`: the text is read when the line has ended.
    Here(Rc<OnceCell<Word>>),
    /// `<<<`
    HereString(Word),
}

/// A word before expansion.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Word(pub(crate) Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// Unquoted text, in which patterns and a tilde mean something.
    Literal(String),
    /// Text that means itself.
    Quoted(String),
    /// What lies in double quotes.
    Double(Vec<Self>),
    Parameter(Box<Parameter>),
    Command(Rc<List>),
    Arithmetic(Vec<Self>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) operation: Operation,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operation {
    Value,
    Length,
    /// `-`, `=`, `?` or `+`; with a colon an empty value counts as none.
    Substitute {
        colon: bool,
        operator: char,
        word: Word,
    },
    Trim {
        suffix: bool,
        longest: bool,
        pattern: Word,
    },
}

impl Command {
    /// The line of the first simple command in it.
    pub(crate) fn line(&self) -> Option<u32> {
        let of = |list: &List| {
            list.iter()
                .find_map(|item| item.first.commands.iter().find_map(Self::line))
        };
        match self {
            Self::Simple(simple) => Some(simple.line),
            Self::Function(_, body) => body.line(),
            Self::Compound(compound, _) => match compound {
                Compound::Brace(list) | Compound::Subshell(list) => of(list),
                Compound::If { branches, .. } => branches.first().and_then(|(condition, _)| of(condition)),
                Compound::Loop { condition, .. } => of(condition),
                Compound::For { body, .. } => of(body),
                Compound::Case { arms, .. } => arms.iter().find_map(|(_, body)| of(body)),
            },
        }
    }
}

impl Word {
    /// The text, when nothing in it is quoted or expanded.
    pub(crate) fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

/// Whether it can be the name of a variable.
pub(crate) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(is_name_start) && characters.all(is_name_part)
}

pub(crate) fn is_name_start(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}

pub(crate) fn is_name_part(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}
