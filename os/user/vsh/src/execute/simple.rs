//! Simple commands: assignments, functions, builtins, programs.

use crate::ast::{Command, Simple};
use crate::builtins::{self, Builtin};
use crate::execute::Redirected;
use crate::prelude::*;
use crate::shell::{Run, Shell, Stop};
use crate::unparse::quote_if_needed;
use crate::variables::Variable;

/// A simple command after expansion.
#[derive(Debug)]
pub(crate) struct Expanded {
    pub(crate) assignments: Vec<(String, String)>,
    pub(crate) arguments: Vec<String>,
}

/// What the name of a command means.
#[derive(Debug)]
pub(crate) enum Meaning {
    Function(Rc<Command>),
    Builtin(&'static Builtin),
    Program,
}

impl Shell {
    pub(crate) fn meaning(&self, name: &str) -> Meaning {
        if let Some(body) = self.state.functions.get(name) {
            return Meaning::Function(Rc::clone(body));
        }
        builtins::find(name).map_or(Meaning::Program, Meaning::Builtin)
    }

    pub(crate) fn expand_simple(&mut self, simple: &Simple) -> Result<Expanded, Stop> {
        if !self.interactive {
            self.line = simple.line;
        }
        self.substitution = None;
        let arguments = self.expand_words(&simple.words)?;
        let mut assignments = Vec::new();
        for (name, word) in &simple.assignments {
            let value = self.expand_assignment(word)?;
            // Later ones see earlier ones, when there is no command that they are for.
            if arguments.is_empty() {
                self.assign(name, value.clone())?;
            }
            assignments.push((name.clone(), value));
        }
        if self.state.options.xtrace {
            self.trace(&assignments, &arguments);
        }
        Ok(Expanded {
            assignments,
            arguments,
        })
    }

    fn trace(&self, assignments: &[(String, String)], arguments: &[String]) {
        let mut line = self.variable("PS4").unwrap_or("+ ").to_owned();
        let assignments = assignments
            .iter()
            .map(|(name, value)| format!("{name}={}", quote_if_needed(value)));
        let words = assignments.chain(arguments.iter().map(|argument| quote_if_needed(argument)));
        line.push_str(&words.collect::<Vec<_>>().join(" "));
        line.push('\n');
        self.warn(&line);
    }

    pub(crate) fn run_simple(&mut self, simple: &Simple) -> Run {
        let expanded = self.expand_simple(simple)?;
        let Some(name) = expanded.arguments.first() else {
            let status = self.substitution.unwrap_or(0);
            return match self.redirect(&simple.redirections)? {
                Redirected::Failed => Ok(1),
                Redirected::Done(saved) => {
                    self.state.streams = saved;
                    Ok(status)
                }
            };
        };
        let meaning = self.meaning(name);
        let special = matches!(&meaning, Meaning::Builtin(builtin) if builtin.special);
        let keeps = name == "exec";
        let saved = match self.redirect(&simple.redirections)? {
            // A script cannot go on as if a special builtin had done its work.
            Redirected::Failed if special && !self.interactive => return Err(Stop::Error(2)),
            Redirected::Failed => return Ok(1),
            Redirected::Done(saved) => saved,
        };
        let result = self.run_expanded(&expanded, &meaning);
        if !(keeps && expanded.arguments.len() == 1) {
            self.state.streams = saved;
        }
        result
    }

    pub(crate) fn run_expanded(&mut self, expanded: &Expanded, meaning: &Meaning) -> Run {
        match meaning {
            Meaning::Program => self.run_program(expanded),
            Meaning::Builtin(builtin) if builtin.special => {
                for (name, value) in &expanded.assignments {
                    self.assign(name, value.clone())?;
                }
                builtins::call(builtin, self, &expanded.arguments)
            }
            Meaning::Builtin(builtin) => self.with_assignments(expanded, |shell| {
                builtins::call(builtin, shell, &expanded.arguments)
            }),
            Meaning::Function(body) => self.with_assignments(expanded, |shell| {
                shell.call_function(body, &expanded.arguments[1..])
            }),
        }
    }

    /// Runs `f` while the assignments in front of the command hold.
    fn with_assignments(&mut self, expanded: &Expanded, f: impl FnOnce(&mut Self) -> Run) -> Run {
        let mut before: Vec<(String, Option<Variable>)> = Vec::new();
        for (name, value) in &expanded.assignments {
            let known = self.state.variables.iter().find(|(other, _)| *other == name);
            before.push((name.clone(), known.map(|(_, variable)| variable.clone())));
            self.assign(name, value.clone())?;
            self.state.variables.entry(name).exported = true;
        }
        let result = f(self);
        for (name, variable) in before.into_iter().rev() {
            *self.state.variables.entry(&name) = variable.clone().unwrap_or_default();
            if variable.is_none() {
                // It is not read-only: it has just been made anew.
                let _ = self.state.variables.remove(&name);
            }
        }
        result
    }

    pub(crate) fn call_function(&mut self, body: &Command, arguments: &[String]) -> Run {
        let positional = core::mem::replace(&mut self.state.positional, arguments.to_vec());
        let (loops, depth) = (core::mem::take(&mut self.loops), self.depth);
        self.state.variables.begin_scope();
        self.functions += 1;
        let result = self.run_command(body);
        self.functions -= 1;
        self.state.variables.end_scope();
        self.state.positional = positional;
        (self.loops, self.depth) = (loops, depth);
        match result {
            Err(Stop::Return(status)) => Ok(status),
            other => other,
        }
    }
}

impl Shell {
    /// Runs a program, given as words that have been expanded.
    pub(crate) fn run_arguments(&mut self, arguments: &[String]) -> Run {
        let expanded = Expanded {
            assignments: Vec::new(),
            arguments: arguments.to_vec(),
        };
        self.run_program(&expanded)
    }
}
