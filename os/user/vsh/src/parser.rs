//! Words to commands.

use alloc::collections::BTreeMap;

use crate::ast::{
    Command, Compound, Connector, Item, List, Part, Pipeline, Redirection, Simple, Target, Word, is_name,
};
use crate::lexer::{ActiveAlias, Lexer, Problem, Result, is_metacharacter};
use crate::prelude::*;

/// Words that mean something where a command can begin.
pub(crate) const RESERVED: &[&str] = &[
    "!", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until", "while",
    "{", "}",
];

/// Those of them that can begin a command.
const BEGINNING: &[&str] = &["!", "case", "for", "if", "until", "while", "{"];

pub(crate) type Aliases = BTreeMap<String, String>;

/// Reads a script command by command.
#[derive(Debug)]
pub(crate) struct Parser(Lexer);

impl Parser {
    /// A script whose first line has this number. With `more` the text may go on: a here-document without end is an
    /// error.
    pub(crate) fn new(text: &str, line: u32, more: bool) -> Self {
        let mut lexer = Lexer::new(text, line);
        lexer.strict_documents = more;
        Self(lexer)
    }

    /// Reads the commands up to the end of a line; `None` at the end of the script.
    pub(crate) fn next(&mut self, aliases: &Aliases) -> Result<Option<List>> {
        loop {
            self.0.skip_blanks();
            if !self.0.end_of_line()? {
                break;
            }
        }
        if self.0.peek().is_none() {
            return Ok(None);
        }
        let mut list = List::new();
        loop {
            let Some(item) = self.0.item(Some(aliases))? else {
                return self.0.unexpected();
            };
            let ended = item.1;
            list.push(item.0);
            self.0.skip_blanks();
            if self.0.peek().is_none() {
                self.0.documents()?;
                return Ok(Some(list));
            }
            if self.0.end_of_line()? {
                return Ok(Some(list));
            }
            if !ended {
                return self.0.unexpected();
            }
        }
    }
}

impl Lexer {
    /// The reserved word that comes next.
    fn reserved(&self) -> Option<&'static str> {
        let len = self.text[self.at..]
            .iter()
            .take_while(|&&character| !is_metacharacter(character))
            .count();
        let found = RESERVED
            .iter()
            .find(|word| word.len() == len && self.starts_with(word));
        found.copied()
    }

    fn accept_reserved(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let found = self.reserved() == Some(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn expect_reserved(&mut self, word: &'static str) -> Result<()> {
        if self.accept_reserved(word) {
            Ok(())
        } else {
            self.expected(word)
        }
    }

    fn expected<T>(&mut self, word: &'static str) -> Result<T> {
        match self.peek() {
            None => self.error(Problem::Incomplete(word)),
            Some(_) => self.unexpected(),
        }
    }

    fn skip_lines(&mut self) -> Result<()> {
        loop {
            self.skip_blanks();
            if !self.end_of_line()? {
                return Ok(());
            }
        }
    }

    /// Reads commands up to something that cannot begin one.
    pub(crate) fn list(&mut self) -> Result<List> {
        let mut list = List::new();
        loop {
            self.skip_lines()?;
            let Some((item, ended)) = self.item(None)? else {
                return Ok(list);
            };
            list.push(item);
            self.skip_blanks();
            if !ended && !self.end_of_line()? {
                return Ok(list);
            }
        }
    }

    /// Like [`list`](Self::list), for where at least one command must be.
    fn commands(&mut self) -> Result<List> {
        let list = self.list()?;
        if list.is_empty() {
            return self.unexpected();
        }
        Ok(list)
    }

    /// Reads a command of a list, and whether `;` or `&` follows it.
    fn item(&mut self, aliases: Option<&Aliases>) -> Result<Option<(Item, bool)>> {
        let Some(first) = self.pipeline(aliases)? else {
            return Ok(None);
        };
        let mut rest = Vec::new();
        loop {
            self.skip_blanks();
            let connector = if self.accept("&&") {
                Connector::And
            } else if self.accept("||") {
                Connector::Or
            } else {
                break;
            };
            self.skip_lines()?;
            match self.pipeline(aliases)? {
                Some(pipeline) => rest.push((connector, pipeline)),
                None => return self.unexpected(),
            }
        }
        let background = self.peek() == Some('&');
        let ended = background || self.peek() == Some(';') && self.peek_at(1) != Some(';');
        self.at += usize::from(ended);
        let item = Item {
            first,
            rest,
            background,
        };
        Ok(Some((item, ended)))
    }

    fn pipeline(&mut self, aliases: Option<&Aliases>) -> Result<Option<Pipeline>> {
        let mut negated = false;
        let mut any = false;
        while self.accept_reserved("!") {
            negated = !negated;
            any = true;
        }
        let Some(command) = self.command(aliases)? else {
            return if any { self.unexpected() } else { Ok(None) };
        };
        let mut commands = vec![command];
        loop {
            self.skip_blanks();
            if self.peek() != Some('|') || self.peek_at(1) == Some('|') {
                return Ok(Some(Pipeline { negated, commands }));
            }
            self.at += 1;
            self.skip_lines()?;
            match self.command(aliases)? {
                Some(command) => commands.push(command),
                None => return self.unexpected(),
            }
        }
    }

    fn command(&mut self, aliases: Option<&Aliases>) -> Result<Option<Command>> {
        self.nested(|lexer| lexer.command_here(aliases))
    }

    fn command_here(&mut self, aliases: Option<&Aliases>) -> Result<Option<Command>> {
        self.skip_blanks();
        if self.peek() == Some('(') {
            self.at += 1;
            let list = self.commands()?;
            self.skip_blanks();
            if !self.accept(")") {
                return self.expected(")");
            }
            return self.compound(Compound::Subshell(list)).map(Some);
        }
        let Some(word) = self.reserved() else {
            return self.simple(aliases);
        };
        if !BEGINNING.contains(&word) {
            return if word == "in" {
                self.simple(aliases)
            } else {
                Ok(None)
            };
        }
        if word == "!" {
            return self.unexpected();
        }
        self.at += word.len();
        let compound = match word {
            "{" => {
                let list = self.commands()?;
                self.expect_reserved("}")?;
                Compound::Brace(list)
            }
            "if" => self.if_command()?,
            "while" | "until" => Compound::Loop {
                until: word == "until",
                condition: self.commands()?,
                body: self.do_group()?,
            },
            "for" => self.for_command()?,
            _ => self.case_command()?,
        };
        self.compound(compound).map(Some)
    }

    fn compound(&mut self, compound: Compound) -> Result<Command> {
        let mut redirections = Vec::new();
        while let Some(redirection) = self.redirection()? {
            redirections.push(redirection);
        }
        Ok(Command::Compound(compound, redirections))
    }

    fn do_group(&mut self) -> Result<List> {
        self.expect_reserved("do")?;
        let body = self.commands()?;
        self.expect_reserved("done")?;
        Ok(body)
    }

    fn if_command(&mut self) -> Result<Compound> {
        let mut branches = Vec::new();
        let mut otherwise = None;
        loop {
            let condition = self.commands()?;
            self.expect_reserved("then")?;
            branches.push((condition, self.commands()?));
            if self.accept_reserved("elif") {
                continue;
            }
            if self.accept_reserved("else") {
                otherwise = Some(self.commands()?);
            }
            self.expect_reserved("fi")?;
            return Ok(Compound::If { branches, otherwise });
        }
    }

    fn for_command(&mut self) -> Result<Compound> {
        self.skip_blanks();
        let name = match self.word()? {
            Some(word) if word.literal().is_some_and(is_name) => {
                word.literal().unwrap_or_default().to_owned()
            }
            Some(_) => return self.error(Problem::Unexpected("for".into())),
            None => return self.unexpected(),
        };
        self.skip_lines()?;
        let mut words = None;
        if self.accept_reserved("in") {
            let mut list = Vec::new();
            loop {
                self.skip_blanks();
                match self.word()? {
                    Some(word) => list.push(word),
                    None => break,
                }
            }
            words = Some(list);
            if !self.accept(";") && self.peek() != Some('\n') {
                return self.expected("do");
            }
        } else {
            self.accept(";");
        }
        self.skip_lines()?;
        let body = self.do_group()?;
        Ok(Compound::For { name, words, body })
    }

    fn case_command(&mut self) -> Result<Compound> {
        self.skip_blanks();
        let Some(word) = self.word()? else {
            return self.unexpected();
        };
        self.skip_lines()?;
        self.expect_reserved("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_lines()?;
            if self.accept_reserved("esac") {
                return Ok(Compound::Case { word, arms });
            }
            self.accept("(");
            let mut patterns = Vec::new();
            loop {
                self.skip_blanks();
                match self.word()? {
                    Some(pattern) => patterns.push(pattern),
                    None => return self.expected("esac"),
                }
                self.skip_blanks();
                if !self.accept("|") {
                    break;
                }
            }
            if !self.accept(")") {
                return self.expected(")");
            }
            arms.push((patterns, self.list()?));
            self.skip_lines()?;
            if !self.accept(";;") {
                self.expect_reserved("esac")?;
                return Ok(Compound::Case { word, arms });
            }
        }
    }

    fn simple(&mut self, aliases: Option<&Aliases>) -> Result<Option<Command>> {
        let mut simple = Simple {
            line: self.line,
            ..Simple::default()
        };
        let mut replace_next = true;
        loop {
            self.skip_blanks();
            if let Some(redirection) = self.redirection()? {
                simple.redirections.push(redirection);
                continue;
            }
            let start = self.at;
            let Some(mut word) = self.word()? else { break };
            if simple.words.is_empty()
                && let Some((name, value)) = assignment(&mut word)
            {
                simple.assignments.push((name, value));
                continue;
            }
            replace_next |= self.leave_aliases(start);
            if core::mem::take(&mut replace_next)
                && let Some(aliases) = aliases
                && self.replace_alias(start, &word, aliases)
            {
                if simple.words.is_empty() && simple.assignments.is_empty() && simple.redirections.is_empty()
                {
                    // It may begin a compound command.
                    return self.command(Some(aliases));
                }
                replace_next = true;
                continue;
            }
            let is_function = simple.words.is_empty()
                && simple.assignments.is_empty()
                && simple.redirections.is_empty()
                && word.literal().is_some_and(is_function_name);
            if is_function {
                self.skip_blanks();
                if self.accept("(") {
                    return self.function(&word).map(Some);
                }
            }
            simple.words.push(word);
        }
        if simple.words.is_empty() && simple.assignments.is_empty() && simple.redirections.is_empty() {
            return Ok(None);
        }
        Ok(Some(Command::Simple(simple)))
    }

    /// Forgets aliases whose text ended before `start`. Returns whether one of them ended with a blank: then the word
    /// there may be an alias too.
    fn leave_aliases(&mut self, start: usize) -> bool {
        let left = self.text.len() - start;
        let mut blank = false;
        self.active_aliases.retain(|alias| {
            let inside = left >= alias.end;
            blank |= !inside && alias.blank;
            inside
        });
        blank
    }

    /// Puts the text of an alias into the place of its name, unless that is in its own text.
    fn replace_alias(&mut self, start: usize, word: &Word, aliases: &Aliases) -> bool {
        let Some((name, value)) = word.literal().and_then(|name| aliases.get_key_value(name)) else {
            return false;
        };
        if self.active_aliases.iter().any(|alias| alias.name == *name) {
            return false;
        }
        self.active_aliases.push(ActiveAlias {
            name: name.clone(),
            end: self.text.len() - self.at + 1,
            blank: value.ends_with([' ', '\t']),
        });
        // The blank keeps the last word and what follows apart.
        let text = value.chars().chain([' ']);
        self.text.splice(start..self.at, text);
        self.at = start;
        true
    }

    fn function(&mut self, word: &Word) -> Result<Command> {
        self.skip_blanks();
        if !self.accept(")") {
            return self.expected(")");
        }
        self.skip_lines()?;
        let body = match self.command(None)? {
            Some(body @ Command::Compound(..)) => body,
            _ => return self.unexpected(),
        };
        let name = word.literal().unwrap_or_default().to_owned();
        Ok(Command::Function(name, Rc::new(body)))
    }

    fn redirection(&mut self) -> Result<Option<Redirection>> {
        self.skip_blanks();
        if self.starts_with("&>") {
            let append = self.accept("&>>");
            self.at += if append { 0 } else { 2 };
            let word = self.redirection_word()?;
            let target = Target::Both { append, word };
            return Ok(Some(Redirection {
                descriptor: None,
                target,
            }));
        }
        let digits = self.text[self.at..]
            .iter()
            .take_while(|character| character.is_ascii_digit());
        let digits: String = digits.collect();
        if !matches!(self.peek_at(digits.len()), Some('<' | '>')) {
            return Ok(None);
        }
        let descriptor = if digits.is_empty() {
            None
        } else {
            let Ok(number) = digits.parse() else {
                return self.error(Problem::Unexpected(digits));
            };
            self.at += digits.len();
            Some(number)
        };
        let target = if self.accept("<<<") {
            Target::HereString(self.redirection_word()?)
        } else if self.accept("<<-") {
            Target::Here(self.here(true)?)
        } else if self.accept("<<") {
            Target::Here(self.here(false)?)
        } else if self.accept("<>") {
            Target::ReadWrite(self.redirection_word()?)
        } else if self.accept(">>") {
            Target::Append(self.redirection_word()?)
        } else if self.starts_with("<&") || self.starts_with(">&") {
            let input = self.starts_with("<&");
            self.at += 2;
            let word = self.redirection_word()?;
            Target::Duplicate { input, word }
        } else if self.accept("<") {
            Target::Read(self.redirection_word()?)
        } else if self.accept(">|") {
            Target::Replace(self.redirection_word()?)
        } else {
            self.at += 1;
            Target::Write(self.redirection_word()?)
        };
        Ok(Some(Redirection { descriptor, target }))
    }

    fn redirection_word(&mut self) -> Result<Word> {
        self.skip_blanks();
        match self.word()? {
            Some(word) => Ok(word),
            None => self.unexpected(),
        }
    }
}

fn is_function_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '$', '*', '?', '[', '~'])
}

/// Takes the name and `=` off the word's start, if it is an assignment.
fn assignment(word: &mut Word) -> Option<(String, Word)> {
    let Some(Part::Literal(text)) = word.0.first_mut() else {
        return None;
    };
    let (name, value) = text.split_once('=').filter(|(name, _)| is_name(name))?;
    let (name, value) = (name.to_owned(), value.to_owned());
    if value.is_empty() {
        word.0.remove(0);
    } else {
        *text = value;
    }
    Some((name, core::mem::take(word)))
}

#[cfg(test)]
mod tests;
