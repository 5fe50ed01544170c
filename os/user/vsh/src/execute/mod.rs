//! Running commands.

mod pipeline;
mod process;
mod redirect;
mod simple;

pub(crate) use process::lookup;
pub(crate) use redirect::Redirected;

use crate::ast::{Command, Compound, Connector, Item, List, Word};
use crate::parser::{Aliases, Parser};
use crate::prelude::*;
use crate::shell::{INTERRUPTED, NOT_EXECUTABLE, OUTPUT_CLOSED, Run, Shell, Stop, USAGE};

/// How deep functions, `eval` and compound commands may be nested: the executor is as deep on its stack.
const MAX_DEPTH: u32 = 200;

impl Shell {
    /// Runs a script, command by command.
    pub(crate) fn run_text(&mut self, text: &str) -> Run {
        let mut parser = Parser::new(text, self.line, false);
        let mut status = 0;
        loop {
            // An alias is known from the next line on.
            let none = Aliases::new();
            let aliases = if self.state.aliases.is_empty() {
                &none
            } else {
                &self.state.aliases
            };
            match parser.next(aliases) {
                Ok(Some(_)) if self.state.options.noexec => {}
                Ok(Some(list)) => status = self.run_list(&list)?,
                Ok(None) => return Ok(status),
                Err(error) => {
                    self.line = error.line;
                    self.report(format_args!("{error}"));
                    self.status = USAGE;
                    return Err(Stop::Error(USAGE));
                }
            }
        }
    }

    pub(crate) fn run_list(&mut self, list: &List) -> Run {
        let mut status = 0;
        for item in list {
            status = self.run_item(item)?;
        }
        Ok(status)
    }

    fn run_item(&mut self, item: &Item) -> Run {
        self.poll_interrupt()?;
        if item.background {
            self.status = self.run_background(item);
            return Ok(self.status);
        }
        let mut pipelines = item.rest.iter();
        let mut pipeline = &item.first;
        loop {
            let next = pipelines.next();
            let condition = u32::from(next.is_some() || pipeline.negated);
            self.conditions += condition;
            let result = self.run_pipeline(pipeline);
            self.conditions -= condition;
            let mut status = result?;
            if pipeline.negated {
                status = u32::from(status == 0);
            }
            self.status = status;
            let Some(mut following) = next else {
                let fails =
                    status != 0 && !pipeline.negated && self.state.options.errexit && self.conditions == 0;
                // What is inside of these has decided already.
                let decided = matches!(
                    pipeline.commands.as_slice(),
                    [Command::Compound(compound, _)] if !matches!(compound, Compound::Subshell(_))
                );
                return if fails && !decided {
                    Err(Stop::Exit(status))
                } else {
                    Ok(status)
                };
            };
            while (following.0 == Connector::And) != (status == 0) {
                match pipelines.next() {
                    Some(later) => following = later,
                    None => return Ok(status),
                }
            }
            pipeline = &following.1;
        }
    }

    /// Runs the trap of Ctrl-C, or ends what runs, when it has been pressed, or when nobody reads the output.
    pub(crate) fn poll_interrupt(&mut self) -> Result<(), Stop> {
        if self.output_closed {
            return Err(Stop::Exit(OUTPUT_CLOSED));
        }
        if !rt::process::take_interrupt() {
            return Ok(());
        }
        match self.state.traps.get("INT").cloned() {
            Some(command) => {
                let status = self.status;
                self.run_text(&command)?;
                self.status = status;
                Ok(())
            }
            None if self.interactive => Err(self.interrupted()),
            None => Err(Stop::Exit(INTERRUPTED)),
        }
    }

    /// Runs a command in this process.
    pub(crate) fn run_command(&mut self, command: &Command) -> Run {
        if self.depth == MAX_DEPTH {
            self.report(format_args!("commands are nested too deeply"));
            return Err(Stop::Error(NOT_EXECUTABLE));
        }
        self.depth += 1;
        let result = match command {
            Command::Simple(simple) => self.run_simple(simple),
            Command::Compound(compound, redirections) => match self.redirect(redirections)? {
                Redirected::Failed => Ok(1),
                Redirected::Done(saved) => {
                    let result = self.run_compound(compound);
                    self.state.streams = saved;
                    result
                }
            },
            Command::Function(name, body) => {
                self.state.functions.insert(name.clone(), Rc::clone(body));
                Ok(0)
            }
        };
        self.depth -= 1;
        result
    }

    fn run_compound(&mut self, compound: &Compound) -> Run {
        match compound {
            Compound::Brace(list) => self.run_list(list),
            Compound::Subshell(list) => Ok(self.in_subshell(|shell| {
                // Conditions around the subshell still hold in it.
                shell.run_list(list)
            })),
            Compound::If { branches, otherwise } => {
                for (condition, body) in branches {
                    if self.run_condition(condition)? == 0 {
                        return self.run_list(body);
                    }
                }
                otherwise.as_ref().map_or(Ok(0), |list| self.run_list(list))
            }
            Compound::Loop {
                until,
                condition,
                body,
            } => {
                let mut status = 0;
                self.run_loop(|shell| {
                    let go_on = (shell.run_condition(condition)? == 0) != *until;
                    if go_on {
                        status = 0;
                        status = shell.run_list(body)?;
                    }
                    Ok(go_on)
                })?;
                Ok(status)
            }
            Compound::For { name, words, body } => self.run_for(name, words.as_deref(), body),
            Compound::Case { word, arms } => {
                let text: Vec<char> = self.expand_text(word)?.chars().collect();
                for (patterns, body) in arms {
                    for pattern in patterns {
                        if self.expand_pattern(pattern)?.matches(&text) {
                            return self.run_list(body);
                        }
                    }
                }
                Ok(0)
            }
        }
    }

    fn run_for(&mut self, name: &str, words: Option<&[Word]>, body: &List) -> Run {
        let values = match words {
            Some(words) => self.expand_words(words)?,
            None => self.state.positional.clone(),
        };
        let mut values = values.into_iter();
        let mut status = 0;
        self.run_loop(|shell| {
            let Some(value) = values.next() else {
                return Ok(false);
            };
            shell.assign(name, value)?;
            status = 0;
            status = shell.run_list(body)?;
            Ok(true)
        })?;
        Ok(status)
    }

    fn run_condition(&mut self, list: &List) -> Run {
        self.conditions += 1;
        let result = self.run_list(list);
        self.conditions -= 1;
        result
    }

    /// Runs `turn` until it returns false, or a `break` ends it.
    fn run_loop(&mut self, mut turn: impl FnMut(&mut Self) -> Result<bool, Stop>) -> Result<(), Stop> {
        self.loops += 1;
        let depth = self.depth;
        let conditions = self.conditions;
        let result = loop {
            if let Err(stop) = self.poll_interrupt() {
                break Err(stop);
            }
            match turn(self) {
                Ok(true) | Err(Stop::Continue(0)) => {}
                Ok(false) | Err(Stop::Break(0)) => break Ok(()),
                Err(Stop::Continue(levels)) => break Err(Stop::Continue(levels - 1)),
                Err(Stop::Break(levels)) => break Err(Stop::Break(levels - 1)),
                Err(stop) => break Err(stop),
            }
            self.depth = depth;
            self.conditions = conditions;
        };
        (self.depth, self.conditions) = (depth, conditions);
        self.loops -= 1;
        result
    }
}
