//! Words to fields: tilde, parameters, command substitution, arithmetic, splitting, paths, removal of quotes.

use core::cell::RefCell;

use crate::arithmetic;
use crate::ast::{Operation, Parameter, Part, Word, is_name};
use crate::glob;
use crate::pattern::{Character, Pattern, is_pattern};
use crate::prelude::*;
use crate::shell::{Shell, Stop, USAGE};
use crate::stream::Stream;

type Result<T> = core::result::Result<T, Stop>;

/// Collects the characters of fields.
#[derive(Debug, Default)]
struct Fields {
    done: Vec<Vec<Character>>,
    current: Vec<Character>,
    /// Whether there is a field even if it has no characters.
    exists: bool,
    /// Whether a blank has just ended a field: a separator that follows belongs to it.
    after_blank: bool,
    /// What separates fields; `None` where words are not split.
    separators: Option<String>,
}

impl Fields {
    fn push(&mut self, character: char, quoted: bool) {
        self.current.push((character, quoted));
        self.exists = true;
        self.after_blank = false;
    }

    fn push_text(&mut self, text: &str, quoted: bool) {
        self.exists |= quoted;
        for character in text.chars() {
            self.push(character, quoted);
        }
    }

    fn end_field(&mut self) {
        if self.exists {
            self.done.push(core::mem::take(&mut self.current));
        }
        self.exists = false;
    }

    /// Adds the result of an expansion, which is split unless it is quoted.
    fn push_value(&mut self, value: &str, quoted: bool) {
        let Some(separators) = self.separators.clone().filter(|_| !quoted) else {
            return self.push_text(value, quoted);
        };
        for character in value.chars() {
            if !separators.contains(character) {
                self.push(character, false);
            } else if matches!(character, ' ' | '\t' | '\n') {
                self.after_blank |= self.exists;
                self.end_field();
            } else if self.after_blank {
                self.after_blank = false;
            } else {
                self.exists = true;
                self.end_field();
            }
        }
    }
}

impl Shell {
    /// The fields of words, split and with paths for patterns.
    pub(crate) fn expand_words(&mut self, words: &[Word]) -> Result<Vec<String>> {
        let mut all = Vec::new();
        for word in words {
            let separators = self.variable("IFS").unwrap_or(" \t\n").to_owned();
            for field in self.expand(word, Some(separators))? {
                if !self.state.options.noglob && is_pattern(&field) {
                    let paths = glob::paths(&field);
                    if !paths.is_empty() {
                        all.extend(paths);
                        continue;
                    }
                }
                all.push(text_of(&field));
            }
        }
        Ok(all)
    }

    /// One text, neither split nor a pattern: for assignments, redirections and here-documents.
    pub(crate) fn expand_text(&mut self, word: &Word) -> Result<String> {
        Ok(text_of(&self.expand_characters(word)?))
    }

    pub(crate) fn expand_pattern(&mut self, word: &Word) -> Result<Pattern> {
        Ok(Pattern::new(&self.expand_characters(word)?))
    }

    fn expand_characters(&mut self, word: &Word) -> Result<Vec<Character>> {
        // Several fields are there only for "$@".
        Ok(self.expand(word, None)?.join(&(' ', true)))
    }

    /// The value of an assignment: there a tilde may follow a colon.
    pub(crate) fn expand_assignment(&mut self, word: &Word) -> Result<String> {
        let mut word = word.clone();
        if let Some(home) = self.variable("HOME").map(ToOwned::to_owned) {
            for part in &mut word.0 {
                if let Part::Literal(text) = part {
                    for end in ["/", ":"] {
                        *text = text.replace(&format!(":~{end}"), &format!(":{home}{end}"));
                    }
                    if text.ends_with(":~") {
                        text.truncate(text.len() - 1);
                        text.push_str(&home);
                    }
                }
            }
        }
        if let Some(Part::Literal(text)) = word.0.first_mut()
            && let Some(rest) = text.strip_prefix("~:")
            && let Some(home) = self.variable("HOME")
        {
            *text = format!("{home}:{rest}");
        }
        self.expand_text(&word)
    }

    fn expand(&mut self, word: &Word, separators: Option<String>) -> Result<Vec<Vec<Character>>> {
        let mut fields = Fields {
            separators,
            ..Fields::default()
        };
        let mut parts = word.0.as_slice();
        if let [Part::Literal(text), rest @ ..] = parts
            && let Some((home, end)) = self.tilde(text, rest.is_empty())
        {
            fields.push_text(&home, true);
            fields.push_text(end, false);
            parts = rest;
        }
        self.expand_parts(parts, false, &mut fields)?;
        fields.end_field();
        Ok(fields.done)
    }

    /// The home directory and what follows it, of a text that begins with a tilde. `whole` says that the word is nothing
    /// else.
    fn tilde<'a>(&self, text: &'a str, whole: bool) -> Option<(String, &'a str)> {
        let rest = text.strip_prefix('~')?;
        let home = self.variable("HOME")?;
        (rest.starts_with('/') || rest.is_empty() && whole).then(|| (home.to_owned(), rest))
    }

    fn expand_parts(&mut self, parts: &[Part], quoted: bool, fields: &mut Fields) -> Result<()> {
        for part in parts {
            match part {
                Part::Literal(text) => fields.push_text(text, quoted),
                Part::Quoted(text) => fields.push_text(text, true),
                Part::Double(parts) => {
                    // "$@" without parameters is no field.
                    let only_all =
                        matches!(parts.as_slice(), [Part::Parameter(parameter)] if parameter.name == "@");
                    fields.exists |= !only_all;
                    self.expand_parts(parts, true, fields)?;
                }
                Part::Parameter(parameter) => self.expand_parameter(parameter, quoted, fields)?,
                Part::Command(list) => {
                    let output = Rc::new(RefCell::new(Vec::new()));
                    let stream = Stream::Capture(Rc::clone(&output));
                    let status = self.in_subshell(|shell| {
                        shell.state.streams.set(1, stream);
                        shell.run_list(list)
                    });
                    self.status = status;
                    self.substitution = Some(status);
                    let bytes = output.take();
                    let text = String::from_utf8_lossy(&bytes).replace('\0', "");
                    fields.push_value(text.trim_end_matches('\n'), quoted);
                }
                Part::Arithmetic(parts) => {
                    let mut inner = Fields::default();
                    self.expand_parts(parts, true, &mut inner)?;
                    let value = self.compute(&text_of(&inner.current))?;
                    fields.push_value(&value.to_string(), quoted);
                }
            }
        }
        Ok(())
    }

    /// The value of an arithmetic expression.
    pub(crate) fn compute(&mut self, expression: &str) -> Result<i64> {
        arithmetic::evaluate(expression, self).map_err(|error| {
            self.report(format_args!("{error}"));
            Stop::Error(USAGE)
        })
    }

    fn expand_parameter(&mut self, parameter: &Parameter, quoted: bool, fields: &mut Fields) -> Result<()> {
        let name = parameter.name.as_str();
        let value = self.parameter(name);
        match &parameter.operation {
            Operation::Value if matches!(name, "@" | "*") => {
                self.expand_all(name == "@", quoted, fields);
                Ok(())
            }
            Operation::Value => {
                let value = self.required(name, value)?;
                fields.push_value(&value, quoted);
                Ok(())
            }
            Operation::Length => {
                let value = match name {
                    "@" | "*" => self.state.positional.len(),
                    _ => self.required(name, value)?.chars().count(),
                };
                fields.push_value(&value.to_string(), quoted);
                Ok(())
            }
            Operation::Substitute {
                colon,
                operator,
                word,
            } => {
                let is_set = value.as_ref().is_some_and(|value| !(*colon && value.is_empty()));
                match (operator, is_set) {
                    ('+', false) => Ok(()),
                    ('+', true) | ('-', false) => self.expand_operand(word, quoted, fields),
                    (_, true) if matches!(name, "@" | "*") => {
                        self.expand_all(name == "@", quoted, fields);
                        Ok(())
                    }
                    (_, true) => {
                        fields.push_value(&value.unwrap_or_default(), quoted);
                        Ok(())
                    }
                    ('=', false) => self.expand_default(name, word, quoted, fields),
                    (_, false) => {
                        let message = self.expand_text(word)?;
                        let message = match message.as_str() {
                            "" if *colon => "parameter not set or null",
                            "" => "parameter not set",
                            message => message,
                        };
                        self.report(format_args!("{name}: {message}"));
                        Err(Stop::Error(USAGE))
                    }
                }
            }
            Operation::Trim {
                suffix,
                longest,
                pattern,
            } => {
                let value = self.required(name, value)?;
                let pattern = self.expand_pattern(pattern)?;
                fields.push_value(&trim(&value, &pattern, *suffix, *longest), quoted);
                Ok(())
            }
        }
    }

    /// The word of `${x-word}`: its own quotes count, and what is not quoted is split.
    fn expand_operand(&mut self, word: &Word, quoted: bool, fields: &mut Fields) -> Result<()> {
        if quoted {
            return self.expand_parts(&word.0, true, fields);
        }
        let mut parts = word.0.as_slice();
        if let [Part::Literal(text), rest @ ..] = parts
            && let Some((home, end)) = self.tilde(text, rest.is_empty())
        {
            fields.push_text(&home, true);
            fields.push_value(end, false);
            parts = rest;
        }
        for part in parts {
            match part {
                Part::Literal(text) => fields.push_value(text, false),
                part => self.expand_parts(core::slice::from_ref(part), false, fields)?,
            }
        }
        Ok(())
    }

    fn expand_default(&mut self, name: &str, word: &Word, quoted: bool, fields: &mut Fields) -> Result<()> {
        if !is_name(name) {
            self.report(format_args!("${name}: cannot assign in this way"));
            return Err(Stop::Error(USAGE));
        }
        let value = self.expand_text(word)?;
        self.assign(name, value.clone())?;
        fields.push_value(&value, quoted);
        Ok(())
    }

    /// `$@` and `$*`.
    fn expand_all(&mut self, separately: bool, quoted: bool, fields: &mut Fields) {
        let positional = self.state.positional.clone();
        if !separately && (quoted || fields.separators.is_none()) {
            let separator: String = match self.variable("IFS") {
                None => " ".into(),
                Some(separators) => separators.chars().take(1).collect(),
            };
            return fields.push_value(&positional.join(&separator), quoted);
        }
        for (index, value) in positional.iter().enumerate() {
            if index > 0 {
                fields.end_field();
            }
            fields.push_value(value, quoted);
        }
    }

    /// The value, or nothing, which `set -u` forbids.
    fn required(&mut self, name: &str, value: Option<String>) -> Result<String> {
        match value {
            Some(value) => Ok(value),
            None if self.state.options.nounset && !matches!(name, "@" | "*") => {
                self.report(format_args!("{name}: parameter not set"));
                Err(Stop::Error(USAGE))
            }
            None => Ok(String::new()),
        }
    }

    /// The value of a variable, positional or special parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let positional = &self.state.positional;
        match name {
            "?" => Some(self.status.to_string()),
            "$" => Some(self.id.to_string()),
            "!" => self.last_background.map(|id| id.to_string()),
            "#" => Some(positional.len().to_string()),
            "0" => Some(self.state.name.clone()),
            "-" => Some(self.option_letters()),
            "@" | "*" => (!positional.is_empty()).then(|| positional.join(" ")),
            "LINENO" => Some(self.line.to_string()),
            _ if name.starts_with(|first: char| first.is_ascii_digit()) => {
                let index = name.parse::<usize>().ok()?;
                positional.get(index.checked_sub(1)?).cloned()
            }
            _ => self.variable(name).map(ToOwned::to_owned),
        }
    }

    fn option_letters(&self) -> String {
        let mut options = self.state.options;
        let all = crate::shell::Options::ALL.iter();
        let set = all.filter(|(letter, name)| *letter != '\0' && options.named(name).is_some_and(|on| *on));
        let interactive = self.interactive.then_some('i');
        set.map(|&(letter, _)| letter).chain(interactive).collect()
    }
}

impl arithmetic::Scope for Shell {
    fn get(&self, name: &str) -> core::result::Result<Option<String>, arithmetic::Error> {
        let value = self.parameter(name);
        if value.is_none() && self.state.options.nounset {
            return Err(arithmetic::Error::Unset(name.into()));
        }
        Ok(value)
    }

    fn set(&mut self, name: &str, value: i64) -> core::result::Result<(), arithmetic::Error> {
        let result = self.state.variables.set(name, value.to_string());
        result.map_err(|_| arithmetic::Error::ReadOnly(name.into()))
    }
}

fn text_of(characters: &[Character]) -> String {
    characters.iter().map(|&(character, _)| character).collect()
}

/// Cuts the shortest or longest start or end that matches.
fn trim(value: &str, pattern: &Pattern, suffix: bool, longest: bool) -> String {
    let characters: Vec<char> = value.chars().collect();
    let len = characters.len();
    let fits = |cut: &usize| {
        if suffix {
            pattern.matches(&characters[len - cut..])
        } else {
            pattern.matches(&characters[..*cut])
        }
    };
    let cut = if longest {
        (0..=len).rev().find(fits)
    } else {
        (0..=len).find(fits)
    };
    let cut = cut.unwrap_or(0);
    let kept = if suffix {
        &characters[..len - cut]
    } else {
        &characters[cut..]
    };
    kept.iter().collect()
}
