//! Commands that the shell itself runs.

mod control;
mod jobs;
mod names;
mod output;
mod printf;
mod settings;
mod test;
mod variables;

pub(crate) use settings::switch;

use crate::prelude::*;
use crate::shell::{Run, Shell, USAGE};

/// A builtin.
#[derive(Debug)]
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    /// Its arguments, as in a synopsis.
    arguments: &'static str,
    /// What it does, in a sentence or more.
    help: &'static str,
    /// Whether POSIX makes it special: assignments in front of it stay, and its errors end a script.
    pub(crate) special: bool,
    run: fn(&mut Shell, &[String]) -> Run,
}

macro_rules! table {
    ($($name:literal $special:literal $run:path, $arguments:literal, $help:literal;)+) => {
        /// Every builtin, by name.
        pub(crate) const ALL: &[Builtin] = &[$(Builtin {
            name: $name,
            arguments: $arguments,
            help: $help,
            special: $special,
            run: $run,
        },)+];
    };
}

table! {
    "." true control::source, "FILE [ARGUMENT]...", "Runs the commands of FILE in this shell.";
    ":" true control::colon, "[ARGUMENT]...", "Does nothing, successfully.";
    "[" false test::bracket, "EXPRESSION ]", "Tests files, texts and numbers; see `help test`.";
    "alias" false names::alias, "[NAME[=TEXT]]...", "Makes NAME an abbreviation of TEXT, or shows abbreviations.";
    "bg" false jobs::bg, "[%JOB]...", "Makes stopped jobs go on in the background.";
    "break" true control::break_loop, "[N]", "Leaves N loops, by default one.";
    "cd" false settings::cd, "[DIRECTORY | -]", "Changes the current directory: to HOME by default, with - to the one before.";
    "command" false names::command, "[-v | -V] NAME [ARGUMENT]...", "Runs NAME even if a function has that name. -v shows what would be run, -V in words.";
    "continue" true control::continue_loop, "[N]", "Begins the next turn of the Nth enclosing loop, by default the first.";
    "echo" false output::echo, "[-neE] [TEXT]...", "Writes texts, with blanks between them, and a line feed. -n: without line feed. -e: backslashes escape.";
    "eval" true control::eval, "[TEXT]...", "Runs the texts, with blanks between them, as commands.";
    "exec" true control::exec, "[PROGRAM [ARGUMENT]...]", "Runs a program, and ends this shell with its status. Without PROGRAM its redirections stay.";
    "exit" true control::exit, "[N]", "Ends the shell with status N, by default that of the last command.";
    "export" true variables::export, "[-p] [NAME[=VALUE]]...", "Passes variables on to programs, or shows which are.";
    "false" false control::no, "", "Does nothing, unsuccessfully.";
    "fg" false jobs::fg, "[%JOB]", "Makes a job go on in the foreground.";
    "help" false output::help, "[NAME]...", "Says what builtins do.";
    "history" false settings::history, "[-c] [N]", "Shows the last N lines that were typed, by default all. -c: forgets them.";
    "jobs" false jobs::jobs, "[-lp]", "Shows what runs in the background or is stopped. -l: with process numbers, -p: only those.";
    "kill" false jobs::kill, "[-SIGNAL | -s SIGNAL] (PID | %JOB)... | -l", "Sends a signal, by default TERM. -l: shows the signals.";
    "let" false variables::let_values, "EXPRESSION...", "Computes arithmetic expressions; successful unless the last one is 0.";
    "local" false variables::local, "NAME[=VALUE]...", "Makes variables local to the function that runs.";
    "printf" false printf::printf, "FORMAT [ARGUMENT]...", "Writes arguments as the format says: %s %b %q %c %d %i %u %o %x %X %%, with flags, width and precision.";
    "pwd" false settings::pwd, "[-LP]", "Writes the current directory.";
    "read" false variables::read, "[-r] [-p PROMPT] [NAME]...", "Reads a line and splits it into variables, by default REPLY. -r: backslashes mean themselves.";
    "readonly" true variables::readonly, "[-p] [NAME[=VALUE]]...", "Makes variables constant, or shows which are.";
    "return" true control::return_from, "[N]", "Ends the function or the file that `.` runs, with status N.";
    "set" true settings::set, "[-efnuvxC] [-o OPTION] [+efnuvxC] [+o OPTION] [--] [ARGUMENT]...", "Switches options on (-) and off (+), and sets the positional parameters. Without anything: shows variables.";
    "shift" true variables::shift, "[N]", "Drops the first N positional parameters, by default one.";
    "source" false control::source, "FILE [ARGUMENT]...", "Runs the commands of FILE in this shell.";
    "test" false test::test, "[EXPRESSION]", "-e -f -d -s -r -w -x -c -p FILE; -t N; -n -z TEXT; TEXT = != < > TEXT; N -eq -ne -lt -le -gt -ge N; ! ( ) -a -o.";
    "trap" true control::trap, "[ACTION | -] EXIT|INT...", "Runs ACTION when the shell ends or Ctrl-C is pressed. -: no more. Without anything: shows actions.";
    "true" false control::colon, "", "Does nothing, successfully.";
    "type" false names::type_of, "NAME...", "Says what would be run.";
    "unalias" false names::unalias, "-a | NAME...", "Forgets abbreviations. -a: all.";
    "unset" true variables::unset, "[-f | -v] NAME...", "Removes variables, or functions (-f).";
    "wait" false jobs::wait, "[PID | %JOB]...", "Waits for processes, by default all, and returns the status of the last one.";
    "which" false names::which, "NAME...", "Writes the paths of programs.";
}

/// The builtin with this name.
pub(crate) fn find(name: &str) -> Option<&'static Builtin> {
    ALL.iter().find(|builtin| builtin.name == name)
}

/// Runs a builtin. `--help` as its only argument says what it does.
pub(crate) fn call(builtin: &Builtin, shell: &mut Shell, arguments: &[String]) -> Run {
    if arguments.len() == 2 && arguments[1] == "--help" {
        return Ok(shell.print(&usage(builtin)));
    }
    (builtin.run)(shell, arguments)
}

fn usage(builtin: &Builtin) -> String {
    format!(
        "usage: {} {}\n{}\n",
        builtin.name, builtin.arguments, builtin.help
    )
    .replace(" \n", "\n")
}

/// Says that a builtin was called wrongly.
fn misuse(shell: &Shell, name: &str, problem: &str) -> u32 {
    shell.report(format_args!("{name}: {problem}"));
    if let Some(builtin) = find(name) {
        shell.warn(&format!("usage: {name} {}\n", builtin.arguments));
    }
    USAGE
}

/// Takes options made of these letters off the arguments; the rest follows.
fn options<'a>(shell: &Shell, arguments: &'a [String], letters: &str) -> Result<(String, &'a [String]), u32> {
    let name = arguments.first().map_or("", String::as_str);
    let mut rest = arguments.get(1..).unwrap_or_default();
    let mut found = String::new();
    while let [first, later @ ..] = rest {
        if first == "--" {
            return Ok((found, later));
        }
        let Some(options) = first.strip_prefix('-').filter(|options| !options.is_empty()) else {
            break;
        };
        if let Some(unknown) = options.chars().find(|&option| !letters.contains(option)) {
            return Err(misuse(shell, name, &format!("-{unknown}: invalid option")));
        }
        found.push_str(options);
        rest = later;
    }
    Ok((found, rest))
}

/// A number as an argument.
fn number(shell: &Shell, name: &str, text: &str) -> Result<u32, u32> {
    text.parse().map_err(|_| {
        shell.report(format_args!("{name}: {text}: numeric argument required"));
        USAGE
    })
}

/// Words with blanks between them.
pub(crate) fn join(words: &[String]) -> String {
    words.join(" ")
}
