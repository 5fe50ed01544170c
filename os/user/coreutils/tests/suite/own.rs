//! What the GNU tools do not have, or differently.

use std::process::Command;

use crate::harness::{Scratch, gnu, ours};

#[test]
fn an_unknown_option_is_wrong_use() {
    let scratch = Scratch::new();
    for spec in coreutils::COMMANDS {
        if matches!(
            spec.style,
            coreutils::Style::Raw | coreutils::Style::Lenient | coreutils::Style::Signal(_)
        ) {
            continue;
        }
        for option in ["-!", "--no-such-option"] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_coreutils"));
            let output = command
                .args([spec.name, option])
                .current_dir(&scratch.0)
                .output()
                .unwrap();
            let text = String::from_utf8(output.stderr).unwrap();
            let expected = format!(
                "{0}: unknown option {option}\nTry '{0} --help' for more information.\n",
                spec.name
            );
            assert_eq!((text, output.status.code()), (expected, Some(2)), "{}", spec.name);
        }
    }
}

#[test]
fn the_first_argument_chooses_too() {
    let scratch = Scratch::new();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_coreutils"))
            .args(arguments)
            .output()
            .unwrap()
    };
    assert_eq!(run(&["echo", "x"]).stdout, b"x\n");
    assert_eq!(run(&["/bin/echo", "x"]).stdout, b"x\n");
    assert_eq!(ours(&["/bin/echo", "x"], b"", &scratch.0).stdout, "x\\n");
    let list = run(&["--help"]);
    assert!(list.status.success());
    let list = String::from_utf8(list.stdout).unwrap();
    for spec in coreutils::COMMANDS {
        assert!(
            list.contains(&format!("\n  {:<10} {}\n", spec.name, spec.summary)),
            "{}",
            spec.name
        );
    }
    assert_eq!(run(&[]).status.code(), Some(2));
    let missing = run(&["no-such-command"]);
    assert_eq!(missing.status.code(), Some(127));
    assert!(
        String::from_utf8(missing.stderr)
            .unwrap()
            .contains("no command is called no-such-command")
    );
}

#[test]
fn messages_name_command_file_and_reason() {
    let scratch = Scratch::with_files();
    for (arguments, expected) in [
        (
            &["cat", "missing"][..],
            "cat: missing: no such file or directory\n",
        ),
        (&["cat", "dir"], "cat: dir: is a directory\n"),
        (&["rm", "dir"], "rm: dir: is a directory\n"),
        (&["mkdir", "lines"], "mkdir: lines: file exists\n"),
        (&["rmdir", "dir"], "rmdir: dir: directory not empty\n"),
        (&["ls", "lines/x"], "ls: lines/x: not a directory\n"),
        (
            &["grep", "x", "missing"],
            "grep: missing: no such file or directory\n",
        ),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coreutils"));
        let output = command.args(arguments).current_dir(&scratch.0).output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
    }
}

#[test]
fn wc_counts_characters() {
    let scratch = Scratch::with_files();
    let (own, bytes) = (
        ours(&["wc", "-m", "utf8"], b"", &scratch.0),
        gnu(&["wc", "-c", "utf8"], b"", &scratch.0),
    );
    assert_eq!(own.stdout, "18 utf8\\n");
    assert_ne!(own.stdout, bytes.stdout);
}

#[test]
fn the_system_is_told() {
    let scratch = Scratch::new();
    let all = ours(&["uname", "-a"], b"", &scratch.0);
    let mut parts = Vec::new();
    for option in ["-s", "-n", "-r", "-v", "-m", "-o"] {
        let outcome = ours(&["uname", option], b"", &scratch.0);
        assert_eq!(outcome.status, Some(0));
        parts.push(outcome.stdout.trim_end_matches("\\n").to_string());
    }
    assert_eq!(all.stdout, format!("{}\\n", parts.join(" ")));
    assert_eq!(
        ours(&["uname"], b"", &scratch.0).stdout,
        format!("{}\\n", parts[0])
    );
    assert_eq!(parts[4], std::env::consts::ARCH);

    let memory = std::fs::read_to_string("/proc/meminfo").unwrap();
    let total: u64 = memory.split_whitespace().nth(1).unwrap().parse().unwrap();
    let free = ours(&["free"], b"", &scratch.0).stdout;
    assert!(
        free.contains(&format!(" {total} ")),
        "{free} has not the {total} KiB of /proc/meminfo"
    );
    let words: Vec<&str> = free.split_whitespace().collect();
    let numbers: Vec<u64> = words
        .iter()
        .filter_map(|word| word.trim_end_matches("\\n").parse().ok())
        .collect();
    assert_eq!(numbers[0], numbers[1] + numbers[2], "{free}");
}

#[test]
fn processes_are_listed_and_ended() {
    let scratch = Scratch::new();
    let mut child = Command::new("sleep").arg("100").spawn().unwrap();
    let id = child.id().to_string();
    let line = |text: &str| {
        text.split("\\n")
            .find(|line| line.split_whitespace().next() == Some(&*id))
            .map(String::from)
    };
    let listed = ours(&["ps"], b"", &scratch.0);
    let found = line(&listed.stdout).unwrap();
    assert!(found.ends_with(" sleep"), "{found}");
    assert_eq!(
        found.split_whitespace().nth(1),
        Some(&*std::process::id().to_string())
    );

    assert_eq!(ours(&["kill", "-0", &id], b"", &scratch.0).status, Some(0));
    assert_eq!(ours(&["kill", "-STOP", &id], b"", &scratch.0).status, Some(0));
    assert_eq!(
        ours(&["kill", "-s", "sigcont", &id], b"", &scratch.0).status,
        Some(0)
    );
    assert_eq!(ours(&["kill", "-9", &id], b"", &scratch.0).status, Some(0));
    assert_eq!(ours(&["kill", "-l", "137"], b"", &scratch.0).stdout, "KILL\\n");
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    let gone = ours(&["kill", &id], b"", &scratch.0);
    assert!(gone.status == Some(1) && gone.complained);
}

#[test]
fn sleep_waits() {
    let scratch = Scratch::new();
    let start = std::time::Instant::now();
    assert_eq!(
        ours(&["sleep", "0.1", ".05s", "0.001m"], b"", &scratch.0).status,
        Some(0)
    );
    assert!(start.elapsed() >= std::time::Duration::from_millis(210));
}

#[test]
fn a_sort_can_write_to_what_it_reads() {
    let scratch = Scratch::with_files();
    ours(
        &["sort", "-n", "-o", "numbers", "numbers", "numbers"],
        b"",
        &scratch.0,
    );
    let sorted = std::fs::read_to_string(scratch.0.join("numbers")).unwrap();
    assert_eq!(sorted.lines().count(), 80);
    assert!(
        sorted
            .lines()
            .map(|line| line.parse::<u32>().unwrap())
            .is_sorted()
    );
}

#[test]
fn deep_parentheses_are_refused() {
    let scratch = Scratch::new();
    let nested = |depth: usize| {
        let words = ["test"]
            .into_iter()
            .chain(std::iter::repeat_n("(", depth))
            .chain(["a", "=", "a"]);
        words.chain(std::iter::repeat_n(")", depth)).collect::<Vec<_>>()
    };
    assert_eq!(ours(&nested(40), b"", &scratch.0).status, Some(0));
    assert_eq!(ours(&nested(10_000), b"", &scratch.0).status, Some(2));
}
