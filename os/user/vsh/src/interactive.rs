//! The shell at a terminal.

use rt::io::{ErrorKind, Read as _, Write as _};
use rt::terminal::{Cooked, Raw, set_mode};

use crate::complete::complete;
use crate::edit::{Completion, Editor, Helper, Outcome};
use crate::history::History;
use crate::jobs::JobState;
use crate::keys::Decoder;
use crate::prelude::*;
use crate::shell::{INTERRUPTED, Run, Shell, Stop};

impl Helper for Shell {
    fn history(&self) -> &[String] {
        self.history.lines()
    }

    fn complete(&self, before: &[char]) -> Completion {
        complete(self, before)
    }
}

impl Shell {
    /// Reads and runs lines until the end of input or `exit`.
    pub(crate) fn interact(&mut self) -> Run {
        self.interactive = true;
        // Without them, Ctrl-C ends the shell, and jobs are not controlled; it is still of use.
        let _unsupported = rt::process::hold_interrupts();
        // The first process of a session cannot change its group, and need not.
        let _unsupported = rt::process::lead_group();
        let _unsupported = rt::process::set_foreground(rt::process::group());
        if let Some(home) = self.variable("HOME") {
            self.history = History::load(&format!("{home}/.vsh_history"));
        }
        let mut warned = false;
        loop {
            self.run_lines(Self::read_edited)?;
            let stopped = self.jobs.0.iter().any(|job| job.state() == JobState::Stopped);
            if !stopped || warned {
                return Ok(self.status);
            }
            warned = true;
            self.warn("There are stopped jobs.\n");
        }
    }

    /// Reads a line that is typed; nothing at the end.
    fn read_edited(&mut self, continued: bool) -> Option<String> {
        if !continued {
            self.tell_jobs();
        }
        rt::process::take_interrupt();
        let prompt = self.prompt(if continued { "PS2" } else { "PS1" });
        let (above, prompt) = prompt
            .rsplit_once('\n')
            .map_or(("", prompt.as_str()), |parts| parts);
        if !above.is_empty() {
            self.show(&format!("{above}\n"));
        }
        if set_mode(Raw).is_err() {
            self.show(prompt);
            return self.read_input_line();
        }
        let line = self.edit(prompt);
        if set_mode(Cooked).is_err() {
            self.report(format_args!("the terminal is gone"));
            return None;
        }
        if let Some(line) = &line {
            self.history.add(line);
        }
        line
    }

    fn edit(&mut self, prompt: &str) -> Option<String> {
        let columns = || rt::terminal::size().map_or(80, |(_, columns)| usize::from(columns));
        let mut editor = Editor::new(prompt);
        let mut decoder = Decoder::default();
        self.show(&editor.render(columns()));
        loop {
            let mut byte = [0];
            match rt::io::stdin().read(&mut byte) {
                Ok(1..) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    rt::process::take_interrupt();
                    continue;
                }
                Ok(0) | Err(_) => return None,
            }
            let Some(key) = decoder.push(byte[0]) else {
                continue;
            };
            match editor.press(key, self) {
                Outcome::Go => {}
                Outcome::Done(line) => {
                    self.show(&editor.leave(columns()));
                    return Some(line);
                }
                Outcome::Cancelled => {
                    self.show(&(editor.leave(columns())));
                    self.status = INTERRUPTED;
                    editor = Editor::new(prompt);
                }
                Outcome::End => {
                    self.show("exit\n");
                    return None;
                }
                Outcome::Clear => {
                    self.show("\x1b[H\x1b[2J");
                    editor.moved();
                }
                Outcome::Choices(choices) => {
                    let list = columns_of(&choices, columns());
                    let below = editor.leave(columns());
                    self.show(&(below + &list));
                }
            }
            self.show(&editor.render(columns()));
        }
    }

    /// What a command is given up with that somebody has interrupted: the terminal has shown the key in the line in which it
    /// was, and the prompt is to come below.
    pub(crate) fn interrupted(&self) -> Stop {
        self.show("\n");
        Stop::Error(INTERRUPTED)
    }

    /// Writes to the terminal.
    fn show(&self, text: &str) {
        // If it is gone, reading will tell.
        let _ = rt::io::stderr().write_all(text.as_bytes());
    }

    /// Says which jobs have ended or stopped since this was last said.
    fn tell_jobs(&mut self) {
        self.jobs.look();
        let mut news = String::new();
        for place in 0..self.jobs.0.len() {
            let mark = self.jobs.mark(place);
            let job = &mut self.jobs.0[place];
            let state = job.state();
            if state != job.told {
                job.told = state;
                news += &job.line(mark);
            }
        }
        self.jobs.0.retain(|job| !matches!(job.told, JobState::Ended(_)));
        self.show(&news);
    }

    /// A prompt: `\w` is the current directory, `\W` its last part, `\$` a dollar, `\e` Escape, `\n` a new line.
    fn prompt(&self, variable: &str) -> String {
        let text = self.variable(variable).unwrap_or("$ ");
        let directory = self.variable("PWD").unwrap_or("?").to_owned();
        let short = match self.variable("HOME").filter(|home| home.len() > 1) {
            Some(home) if directory == home => "~".into(),
            Some(home) => match directory.strip_prefix(home) {
                Some(rest) if rest.starts_with('/') => format!("~{rest}"),
                _ => directory,
            },
            None => directory,
        };
        let mut prompt = String::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            if character != '\\' {
                prompt.push(character);
                continue;
            }
            match characters.next() {
                Some('w') => prompt.push_str(&short),
                Some('W') => prompt.push_str(short.rsplit('/').find(|part| !part.is_empty()).unwrap_or("/")),
                Some('$') => prompt.push('$'),
                Some('e') => prompt.push('\x1b'),
                Some('n') => prompt.push('\n'),
                Some('\\') | None => prompt.push('\\'),
                Some(other) => prompt.extend(['\\', other]),
            }
        }
        prompt
    }
}

/// Texts in columns.
fn columns_of(texts: &[String], columns: usize) -> String {
    // Of a path only its last part is news.
    let last = |text: &'_ str| text.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1);
    let names: Vec<&str> = texts.iter().map(|text| &text[last(text)..]).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) + 2;
    let per_row = (columns / width).max(1);
    let mut list = String::new();
    for row in names.chunks(per_row) {
        for name in row {
            list.push_str(name);
            list.extend(core::iter::repeat_n(' ', width - name.chars().count()));
        }
        list.truncate(list.trim_end().len());
        list.push('\n');
    }
    list
}
