//! Commands back to text: for lists of jobs, for `type`, and for shells that are given a part of a script.

use core::fmt::{self, Display, Formatter, Write as _};

use crate::ast::{
    Command, Compound, Connector, Item, Operation, Parameter, Part, Pipeline, Redirection, Simple, Target,
    Word,
};
use crate::parser::RESERVED;
use crate::prelude::*;

/// A list on one line, except that here-documents are here-strings and quoted line feeds stay.
pub(crate) struct Commands<'a>(pub(crate) &'a [Item]);

impl Display for Commands<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_char(' ')?;
            }
            write!(f, "{item}{}", if item.background { "" } else { ";" })?;
        }
        Ok(())
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        for (connector, pipeline) in &self.rest {
            let connector = match connector {
                Connector::And => "&&",
                Connector::Or => "||",
            };
            write!(f, " {connector} {pipeline}")?;
        }
        f.write_str(if self.background { " &" } else { "" })
    }
}

impl Display for Pipeline {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("! ")?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            write!(f, "{}{command}", if index > 0 { " | " } else { "" })?;
        }
        Ok(())
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple(simple) => simple.fmt(f),
            Self::Compound(compound, redirections) => {
                compound.fmt(f)?;
                redirections
                    .iter()
                    .try_for_each(|redirection| write!(f, " {redirection}"))
            }
            Self::Function(name, body) => write!(f, "{name}() {body}"),
        }
    }
}

impl Display for Simple {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut blank = "";
        for (name, value) in &self.assignments {
            write!(f, "{blank}{name}={value}")?;
            blank = " ";
        }
        for (index, word) in self.words.iter().enumerate() {
            f.write_str(blank)?;
            // After an alias or a redirection a reserved word is an ordinary one; here it would be read as itself.
            match word
                .literal()
                .filter(|text| index == 0 && RESERVED.contains(text))
            {
                Some(text) => f.write_str(&quote(text))?,
                None => word.fmt(f)?,
            }
            blank = " ";
        }
        for redirection in &self.redirections {
            write!(f, "{blank}{redirection}")?;
            blank = " ";
        }
        Ok(())
    }
}

impl Display for Compound {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Brace(list) => write!(f, "{{ {} }}", Commands(list)),
            Self::Subshell(list) => write!(f, "( {} )", Commands(list)),
            Self::If { branches, otherwise } => {
                for (index, (condition, body)) in branches.iter().enumerate() {
                    let keyword = if index > 0 { "elif" } else { "if" };
                    write!(f, "{keyword} {} then {} ", Commands(condition), Commands(body))?;
                }
                if let Some(list) = otherwise {
                    write!(f, "else {} ", Commands(list))?;
                }
                f.write_str("fi")
            }
            Self::Loop {
                until,
                condition,
                body,
            } => {
                let keyword = if *until { "until" } else { "while" };
                write!(f, "{keyword} {} do {} done", Commands(condition), Commands(body))
            }
            Self::For { name, words, body } => {
                write!(f, "for {name}")?;
                if let Some(words) = words {
                    f.write_str(" in")?;
                    words.iter().try_for_each(|word| write!(f, " {word}"))?;
                }
                write!(f, "; do {} done", Commands(body))
            }
            Self::Case { word, arms } => {
                write!(f, "case {word} in ")?;
                for (patterns, body) in arms {
                    for (index, pattern) in patterns.iter().enumerate() {
                        write!(f, "{}{pattern}", if index > 0 { "|" } else { "(" })?;
                    }
                    let body = Commands(body).to_string();
                    write!(f, ") {} ;; ", body.strip_suffix(';').unwrap_or(&body))?;
                }
                f.write_str("esac")
            }
        }
    }
}

impl Display for Redirection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(descriptor) = self.descriptor {
            write!(f, "{descriptor}")?;
        }
        match &self.target {
            Target::Read(word) => write!(f, "<{word}"),
            Target::Write(word) => write!(f, ">{word}"),
            Target::Replace(word) => write!(f, ">|{word}"),
            Target::Append(word) => write!(f, ">>{word}"),
            Target::ReadWrite(word) => write!(f, "<>{word}"),
            Target::Duplicate { input, word } => write!(f, "{}&{word}", if *input { '<' } else { '>' }),
            Target::Both { append, word } => write!(f, "&>{}{word}", if *append { ">" } else { "" }),
            Target::Here(word) => {
                // A here-string adds a line feed, which the text has already, if it has lines at all.
                let parts = word.get().map(|word| word.0.clone()).unwrap_or_default();
                write!(f, "<<<{}", Word(vec![Part::Double(without_line_feed(parts))]))
            }
            Target::HereString(word) => write!(f, "<<<{word}"),
        }
    }
}

fn without_line_feed(mut parts: Vec<Part>) -> Vec<Part> {
    if let Some(Part::Quoted(text) | Part::Literal(text)) = parts.last_mut()
        && text.ends_with('\n')
    {
        text.pop();
    }
    parts
}

impl Display for Word {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write_parts(f, &self.0, false)
    }
}

fn write_parts(f: &mut Formatter<'_>, parts: &[Part], in_quotes: bool) -> fmt::Result {
    for part in parts {
        match part {
            Part::Literal(text) => f.write_str(text)?,
            Part::Quoted(text) if in_quotes => {
                for character in text.chars() {
                    if matches!(character, '$' | '`' | '"' | '\\') {
                        f.write_char('\\')?;
                    }
                    f.write_char(character)?;
                }
            }
            Part::Quoted(text) => f.write_str(&quote(text))?,
            Part::Double(parts) => {
                f.write_char('"')?;
                write_parts(f, parts, true)?;
                f.write_char('"')?;
            }
            Part::Parameter(parameter) => write_parameter(f, parameter, in_quotes)?,
            // The blank keeps `$( (` from being arithmetic.
            Part::Command(list) => write!(f, "$( {} )", Commands(list))?,
            Part::Arithmetic(parts) => {
                f.write_str("$((")?;
                write_parts(f, parts, true)?;
                f.write_str("))")?;
            }
        }
    }
    Ok(())
}

fn write_parameter(f: &mut Formatter<'_>, parameter: &Parameter, in_quotes: bool) -> fmt::Result {
    let name = &parameter.name;
    match &parameter.operation {
        Operation::Value => write!(f, "${{{name}}}"),
        Operation::Length => write!(f, "${{#{name}}}"),
        Operation::Substitute {
            colon,
            operator,
            word,
        } => {
            write!(f, "${{{name}{}{operator}", if *colon { ":" } else { "" })?;
            write_operand(f, word, in_quotes)
        }
        Operation::Trim {
            suffix,
            longest,
            pattern,
        } => {
            let operator = if *suffix { "%" } else { "#" };
            write!(f, "${{{name}{operator}{}", if *longest { operator } else { "" })?;
            write_operand(f, pattern, false)
        }
    }
}

fn write_operand(f: &mut Formatter<'_>, word: &Word, in_quotes: bool) -> fmt::Result {
    if in_quotes {
        // A brace that means itself ends the expansion unless it is escaped.
        let mut text = String::new();
        write!(text, "{}", InQuotes(&word.0))?;
        f.write_str(&text)?;
    } else {
        write_parts(f, &word.0, false)?;
    }
    f.write_char('}')
}

struct InQuotes<'a>(&'a [Part]);

impl Display for InQuotes<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for part in self.0 {
            match part {
                Part::Quoted(text) => {
                    for character in text.chars() {
                        if matches!(character, '$' | '`' | '"' | '\\' | '}') {
                            f.write_char('\\')?;
                        }
                        f.write_char(character)?;
                    }
                }
                other => write_parts(f, core::slice::from_ref(other), true)?,
            }
        }
        Ok(())
    }
}

/// A text in single quotes.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A text in single quotes, if it needs them to be read as one word that means itself.
pub(crate) fn quote_if_needed(text: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "_-./:=,+@%".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        quote(text)
    }
}
