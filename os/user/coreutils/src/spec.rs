//! What a command is: its name, its table of options, and what it does. Parser and help read the same table.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::Run;
use crate::output::Out;

/// An option of a command.
#[derive(Debug)]
pub struct Opt {
    /// The letter behind the dash, by which the command asks for it; beyond ASCII if it has the long form alone.
    pub key: char,
    /// The name behind two dashes; empty if it has none.
    pub long: &'static str,
    /// What its value is; empty if it takes none.
    pub value: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// How arguments are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Options and operands in any order, up to `--`.
    Mixed,
    /// As `Mixed`, and `-5` stands for the option of this letter with the value 5.
    Digits(char),
    /// Options end at the first operand.
    First,
    /// Options end at the first operand, and a negative number is one.
    Numbers,
    /// Options end at the first operand, and what stands behind a dash and is no option is the value of this one.
    Signal(char),
    /// An argument that is not made of known letters alone is the first operand.
    Lenient,
    /// All arguments are operands.
    Raw,
}

/// A command.
#[derive(Debug)]
pub struct Spec {
    /// Its name.
    pub name: &'static str,
    /// What follows the name, one line for each form.
    pub usage: &'static [&'static str],
    /// What it does, in one line.
    pub summary: &'static str,
    /// Its options.
    pub options: &'static [Opt],
    /// How its arguments are told apart.
    pub style: Style,
    /// What else there is to know.
    pub notes: &'static str,
    /// What its exit statuses mean.
    pub status: &'static [(&'static str, &'static str)],
    /// Status when an operand fails or output cannot be written.
    pub trouble: u32,
    pub(crate) run: fn(&mut Invocation, &mut Out) -> Run,
}

/// Statuses of most commands.
pub(crate) const STATUS: &[(&str, &str)] = &[
    ("0", "all went well"),
    ("1", "something failed"),
    ("2", "wrong use"),
];
pub(crate) const fn flag(key: char, long: &'static str, help: &'static str) -> Opt {
    Opt {
        key,
        long,
        value: "",
        help,
    }
}

pub(crate) const fn value(key: char, long: &'static str, value: &'static str, help: &'static str) -> Opt {
    Opt {
        key,
        long,
        value,
        help,
    }
}

impl Spec {
    /// The text of `--help`.
    pub fn help(&self) -> String {
        let mut text = String::new();
        for (i, form) in self.usage.iter().enumerate() {
            let lead = if i == 0 { "Usage:" } else { "   or:" };
            text.push_str(&format!(
                "{}\n",
                format!("{lead} {} {form}", self.name).trim_end()
            ));
        }
        text.push_str(&format!("{}.\n\nOptions:\n", self.summary));
        for option in self.options {
            let short = match option.key {
                key if key.is_ascii() => format!("-{key}"),
                _ => "  ".to_string(),
            };
            let comma = if option.key.is_ascii() && !option.long.is_empty() {
                ","
            } else {
                " "
            };
            let long = if option.long.is_empty() {
                String::new()
            } else {
                format!(" --{}", option.long)
            };
            let value = match (option.value, option.long) {
                ("", _) => String::new(),
                (value, "") => value.to_string(),
                (value, _) => format!("={value}"),
            };
            text.push_str(&format!(
                "  {:<26}  {}\n",
                format!("{short}{comma}{long}{value}"),
                option.help
            ));
        }
        text.push_str(&format!(
            "  {:<26}  {}\n",
            "    --help", "print this text and exit"
        ));
        if !self.notes.is_empty() {
            text.push_str(&format!("\n{}\n", self.notes));
        }
        text.push_str("\nExit status:\n");
        for (status, meaning) in self.status {
            text.push_str(&format!("  {status:<4} {meaning}\n"));
        }
        text
    }

    fn short(&self, letter: char) -> Option<&'static Opt> {
        self.options
            .iter()
            .find(|option| option.key == letter && letter.is_ascii())
    }

    fn long(&self, name: &str) -> Option<&'static Opt> {
        self.options
            .iter()
            .find(|option| !option.long.is_empty() && option.long == name)
    }
}

/// The options of a command line in their order, each with its value.
pub(crate) type Options = Vec<(char, String)>;

/// A command line.
pub(crate) enum Parsed {
    Help,
    Run(Options, Vec<String>),
}

impl Parsed {
    /// Tells options and operands apart, or says what is wrong.
    pub(crate) fn new(spec: &'static Spec, args: Vec<String>) -> Result<Self, String> {
        // An operand that is `--help` is possible where arguments are not options: only alone it is a question.
        let raw = matches!(spec.style, Style::Raw | Style::Lenient);
        if raw && args.len() == 1 && args[0] == "--help" {
            return Ok(Self::Help);
        }
        let (mut options, mut operands) = (Options::new(), Vec::new());
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let is_option = arg.len() > 1 && arg.starts_with('-') && !is_operand(spec, &arg);
            if !is_option {
                operands.push(arg);
                if spec.style == Style::Mixed || matches!(spec.style, Style::Digits(_)) {
                    continue;
                }
                break;
            }
            if arg == "--" {
                break;
            }
            if let Some(long) = arg.strip_prefix("--") {
                if long == "help" {
                    return Ok(Self::Help);
                }
                long_option(spec, long, &mut args, &mut options)?;
            } else {
                short_options(spec, &arg[1..], &mut args, &mut options)?;
            }
        }
        operands.extend(args);
        Ok(Self::Run(options, operands))
    }
}

/// Whether an argument with a dash is an operand nevertheless.
fn is_operand(spec: &Spec, arg: &str) -> bool {
    match spec.style {
        Style::Raw => true,
        Style::Lenient => !arg[1..].chars().all(|letter| spec.short(letter).is_some()),
        Style::Numbers => arg[1..].starts_with(|c: char| c.is_ascii_digit() || c == '.'),
        _ => false,
    }
}

fn long_option(
    spec: &Spec,
    text: &str,
    args: &mut impl Iterator<Item = String>,
    options: &mut Options,
) -> Result<(), String> {
    let (name, given) = match text.split_once('=') {
        Some((name, given)) => (name, Some(given.to_string())),
        None => (text, None),
    };
    let option = spec
        .long(name)
        .ok_or_else(|| format!("unknown option --{name}"))?;
    let value = match (option.value.is_empty(), given) {
        (true, None) => String::new(),
        (true, Some(_)) => return Err(format!("option --{name} takes no value")),
        (false, Some(given)) => given,
        (false, None) => args
            .next()
            .ok_or_else(|| format!("option --{name} needs a value"))?,
    };
    options.push((option.key, value));
    Ok(())
}

fn short_options(
    spec: &Spec,
    letters: &str,
    args: &mut impl Iterator<Item = String>,
    options: &mut Options,
) -> Result<(), String> {
    match spec.style {
        Style::Digits(key) if letters.starts_with(|c: char| c.is_ascii_digit()) => {
            options.push((key, letters.to_string()));
            return Ok(());
        }
        Style::Signal(key) if !letters.starts_with(|c| spec.short(c).is_some()) => {
            options.push((key, letters.to_string()));
            return Ok(());
        }
        _ => {}
    }
    let mut rest = letters.chars();
    while let Some(letter) = rest.next() {
        let option = spec
            .short(letter)
            .ok_or_else(|| format!("unknown option -{letter}"))?;
        if option.value.is_empty() {
            options.push((letter, String::new()));
            continue;
        }
        let value = match rest.as_str() {
            "" => args
                .next()
                .ok_or_else(|| format!("option -{letter} needs a value"))?,
            attached => attached.to_string(),
        };
        options.push((letter, value));
        return Ok(());
    }
    Ok(())
}

/// A command line that is being carried out.
pub(crate) struct Invocation {
    spec: &'static Spec,
    pub(crate) options: Options,
    pub(crate) operands: Vec<String>,
    failed: u32,
}

impl Invocation {
    pub(crate) fn new(spec: &'static Spec, options: Options, operands: Vec<String>) -> Self {
        Self {
            spec,
            options,
            operands,
            failed: 0,
        }
    }

    /// Whether an option was given.
    pub(crate) fn has(&self, key: char) -> bool {
        self.options.iter().any(|(given, _)| *given == key)
    }

    /// The value of an option; the last one counts.
    pub(crate) fn value(&self, key: char) -> Option<&str> {
        self.options
            .iter()
            .rev()
            .find(|(given, _)| *given == key)
            .map(|(_, value)| value.as_str())
    }

    /// Which of these options was given last.
    pub(crate) fn last(&self, keys: &str) -> Option<char> {
        self.options
            .iter()
            .rev()
            .map(|(key, _)| *key)
            .find(|key| keys.contains(*key))
    }

    /// Takes the operands; standard input if there are none.
    pub(crate) fn take_files(&mut self) -> Vec<String> {
        let mut files = core::mem::take(&mut self.operands);
        if files.is_empty() {
            files.push("-".to_string());
        }
        files
    }

    /// Reports what is wrong with an operand; the command's status will tell of it.
    pub(crate) fn report(&mut self, operand: &str, reason: impl core::fmt::Display) {
        self.complain(format!("{operand}: {reason}"));
    }

    /// Reports what is wrong with a file that is no operand.
    pub(crate) fn warn(&self, file: &str, reason: impl core::fmt::Display) {
        rt::eprintln!("{}: {file}: {reason}", self.spec.name);
    }

    /// Reports a failure; the command's status will tell of it.
    pub(crate) fn complain(&mut self, text: impl core::fmt::Display) {
        rt::eprintln!("{}: {text}", self.spec.name);
        self.failed = self.spec.trouble;
    }

    /// Makes the command's status tell of a failure that is not reported.
    pub(crate) fn fail(&mut self) {
        self.failed = self.spec.trouble;
    }

    /// Makes the command's status tell of no failure so far.
    pub(crate) fn forgive(&mut self) {
        self.failed = 0;
    }

    /// The status that the reports so far ask for.
    pub(crate) fn failed(&self) -> u32 {
        self.failed
    }
}
