//! What a word can be completed to.

use crate::ast::is_name_part;
use crate::builtins;
use crate::edit::Completion;
use crate::lexer::is_metacharacter;
use crate::parser::RESERVED;
use crate::prelude::*;
use crate::shell::Shell;

/// Completes the last word of a line: a variable after `$`, a command where one begins, a file elsewhere.
pub(crate) fn complete(shell: &Shell, before: &[char]) -> Completion {
    let mut start = before.len();
    while start > 0 && (!is_metacharacter(before[start - 1]) || is_escaped(before, start - 1)) {
        start -= 1;
    }
    let word: String = before[start..].iter().collect();
    let name = before.iter().rposition(|&character| !is_name_part(character));
    if let Some(dollar) = name
        && (before[dollar] == '$' || before[dollar] == '{' && dollar > 0 && before[dollar - 1] == '$')
    {
        let prefix: String = before[dollar + 1..].iter().collect();
        let close = if before[dollar] == '{' { "}" } else { "" };
        let names = shell.state.variables.iter().map(|(name, _)| name.clone() + close);
        return Completion {
            start: dollar + 1,
            candidates: sorted(names, &prefix),
        };
    }
    let is_command = is_command_position(&before[..start]) && !word.contains('/');
    let candidates = if is_command {
        commands(shell, &word)
    } else {
        files(shell, &word)
    };
    Completion { start, candidates }
}

fn is_escaped(text: &[char], at: usize) -> bool {
    at > 0 && text[at - 1] == '\\'
}

/// Whether a command begins after this text.
fn is_command_position(text: &[char]) -> bool {
    let text: String = text.iter().collect();
    let text = text.trim_end();
    let last = text.rsplit(is_metacharacter).next().unwrap_or_default();
    text.is_empty()
        || text.ends_with(['|', '&', ';', '(', '`'])
        || matches!(
            last,
            "!" | "{" | "do" | "elif" | "else" | "if" | "then" | "until" | "while"
        )
}

fn sorted(names: impl Iterator<Item = String>, prefix: &str) -> Vec<String> {
    let mut names: Vec<_> = names.filter(|name| name.starts_with(prefix)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn commands(shell: &Shell, prefix: &str) -> Vec<String> {
    let path = shell.variable("PATH").unwrap_or_default();
    let programs = path.split(':').flat_map(|directory| {
        let entries = rt::fs::read_dir(directory).unwrap_or_default().into_iter();
        entries.map(|entry| entry.name)
    });
    let own = builtins::ALL
        .iter()
        .map(|builtin| builtin.name)
        .chain(RESERVED.iter().copied());
    let defined = shell
        .state
        .functions
        .keys()
        .chain(shell.state.aliases.keys())
        .cloned();
    let all = programs.map(|name| escape(&name));
    sorted(all.chain(own.map(ToOwned::to_owned)).chain(defined), prefix)
}

fn files(shell: &Shell, word: &str) -> Vec<String> {
    let (directory, prefix) = match word.rfind('/') {
        Some(slash) => word.split_at(slash + 1),
        None => ("", word),
    };
    let mut path = directory.replace('\\', "");
    if let Some(rest) = path.strip_prefix("~/")
        && let Some(home) = shell.variable("HOME")
    {
        path = format!("{home}/{rest}");
    }
    let place = if path.is_empty() { "." } else { &path };
    let entries = rt::fs::read_dir(place).unwrap_or_default().into_iter();
    let names = entries.filter(|entry| prefix.starts_with('.') || !entry.name.starts_with('.'));
    let names = names.map(|entry| {
        let is_directory =
            rt::fs::metadata(&format!("{path}{}", entry.name)).is_ok_and(|metadata| metadata.is_dir());
        escape(&entry.name) + if is_directory { "/" } else { "" }
    });
    sorted(names, prefix)
        .into_iter()
        .map(|name| format!("{directory}{name}"))
        .collect()
}

/// A name as it has to be typed.
fn escape(name: &str) -> String {
    let mut escaped = String::new();
    for character in name.chars() {
        if is_metacharacter(character) || "'\"\\$`*?[#~!{}".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
