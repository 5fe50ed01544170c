//! `--help` of every command.

use std::process::Command;

use coreutils::{COMMANDS, Style};

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_coreutils"))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn every_command_explains_every_option() {
    for spec in COMMANDS {
        let (status, text, errors) = run(&[spec.name, "--help"]);
        assert_eq!((status, errors.as_str()), (Some(0), ""), "{}", spec.name);
        assert!(text.starts_with(&format!("Usage: {}", spec.name)), "{text}");
        assert!(text.contains(spec.summary), "{text}");
        assert!(text.contains("--help"), "{text}");
        for option in spec.options {
            let line = text.lines().find(|line| {
                let names: Vec<&str> = line
                    .split([' ', ',', '='])
                    .filter(|word| !word.is_empty())
                    .collect();
                let short = !option.key.is_ascii() || names.first() == Some(&&*format!("-{}", option.key));
                let long = option.long.is_empty() || names.contains(&&*format!("--{}", option.long));
                short && long && line.ends_with(option.help)
            });
            let line =
                line.unwrap_or_else(|| panic!("{}: -{} is not explained:\n{text}", spec.name, option.key));
            assert!(line.contains(option.value), "{line}");
        }
        let (_, statuses) = text.split_once("\nExit status:\n").unwrap();
        assert_eq!(statuses.lines().count(), spec.status.len(), "{text}");
        assert!(
            text.lines().all(|line| line.len() <= 116),
            "{}: a line is too long",
            spec.name
        );
        if !matches!(spec.style, Style::Raw | Style::Lenient) {
            assert_eq!(run(&[spec.name, "--help", "--no-such-option"]).1, text);
        }
    }
}

#[test]
fn names_are_in_order_and_no_option_has_two_meanings() {
    assert!(COMMANDS.is_sorted_by(|a, b| a.name < b.name));
    for spec in COMMANDS {
        for (i, option) in spec.options.iter().enumerate() {
            let others = &spec.options[..i];
            assert!(
                others.iter().all(|other| other.key != option.key),
                "{} -{}",
                spec.name,
                option.key
            );
            let long = option.long;
            assert!(
                long.is_empty() || others.iter().all(|other| other.long != long),
                "{} --{long}",
                spec.name
            );
            assert!(long != "help" && !option.help.is_empty());
        }
    }
}
