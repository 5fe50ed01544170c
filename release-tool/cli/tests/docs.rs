//! The documentation is held to what the tool and the tree really have: verbs, options, exit codes, keys of policy files,
//! links, and scripts.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    std::path::absolute(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn help(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_vrel"))
        .args(words)
        .arg("--help")
        // However wide the terminal is, and whatever variables are set.
        .env_clear()
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "vrel {words:?} --help: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The verbs of a help text.
fn verbs(help: &str) -> BTreeSet<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = lines
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Every Markdown file of the repository that a person reads as documentation.
fn documents() -> Vec<PathBuf> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_symlink() {
                // What it leads to is met by itself.
            } else if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "md") {
            found.push(path);
        }
    }
    for dir in ["docs", "mirrors", "os/abi", "signing"] {
        walk(&root().join(dir), &mut found);
    }
    found.push(root().join("os/README.md"));
    found.sort();
    assert!(found.len() > 30, "only {} documents were found", found.len());
    found
}

/// The text without fenced code.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut out = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// The text without inline code: what stands between two runs of equally many backquotes.
fn without_code(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        out.push_str(&rest[..start]);
        let code = &rest[start..];
        let fence: String = code.chars().take_while(|c| *c == '`').collect();
        rest = &code[fence.len()..];
        let mut at = 0;
        while let Some(found) = rest[at..].find(&fence) {
            let run = rest[at + found..].chars().take_while(|c| *c == '`').count();
            at += found + run;
            if run == fence.len() {
                rest = &rest[at..];
                break;
            }
        }
    }
    out + rest
}

/// The address of a heading, as Markdown renderers make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    let mut checked = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        // A link's text may go over the end of a line, its target may not.
        let text = without_code(&prose(&text));
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            checked += 1;
            let (file, fragment) = target
                .split_once('#')
                .map_or((target, None), |(file, part)| (file, Some(part)));
            let path = if file.is_empty() {
                document.clone()
            } else {
                document.parent().unwrap().join(file)
            };
            let found = match fragment {
                None => path.exists(),
                Some(fragment) => std::fs::read_to_string(&path).is_ok_and(|text| {
                    prose(&text)
                        .lines()
                        .any(|line| line.starts_with('#') && anchor(line.trim_start_matches('#')) == fragment)
                }),
            };
            if !found {
                broken.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "links that lead nowhere:\n{}",
        broken.join("\n")
    );
    assert!(checked > 40, "only {checked} links were checked");
}

#[test]
fn the_book_has_every_page_and_no_other() {
    let summary = read("docs/SUMMARY.md");
    let listed: BTreeSet<PathBuf> = summary
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .map(|page| root().join("docs").join(page))
        .collect();
    let included = root().join("docs/src/benchmarks-table.md");
    let there: BTreeSet<PathBuf> = documents()
        .into_iter()
        .filter(|path| {
            path.starts_with(root().join("docs")) && !path.ends_with("SUMMARY.md") && *path != included
        })
        .collect();
    assert_eq!(listed, there);
}

#[test]
fn the_readme_names_every_verb_and_no_other() {
    let documented: BTreeSet<String> = read("README.md")
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `vrel ")?
                .split('`')
                .next()
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(documented, verbs(&help(&[])));
}

#[test]
fn every_verb_has_a_runbook_that_says_what_can_stop_it() {
    let index = read("docs/src/runbooks/README.md");
    let mut documented = BTreeSet::new();
    for row in index.lines().filter_map(|line| line.strip_prefix("| `vrel ")) {
        let (verb, rest) = row.split_once('`').unwrap();
        let page = rest.split("](").nth(1).and_then(|rest| rest.split(')').next());
        let page = page.unwrap_or_else(|| panic!("{row}: no page"));
        let text = read(&format!("docs/src/runbooks/{page}"));
        let is_end = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '-');
        let said = format!("vrel {verb}");
        assert!(
            text.split(&said).skip(1).any(is_end),
            "{page} says nothing of `{said}`"
        );
        // A branch is a row of a table, or an item of a list, that begins with what the command says.
        let branches = text.lines().filter(|line| {
            let row = line.starts_with("| ") && !line.starts_with("| ---");
            row || line.starts_with("- ") || line.starts_with("## ")
        });
        assert!(branches.count() > 2, "{page} has no branches for what goes wrong");
        assert!(documented.insert(verb.to_owned()), "`{said}` is listed twice");
    }
    assert_eq!(documented, verbs(&help(&[])));
}

/// The command lines in fenced blocks: lines after a prompt, with their continuations.
fn commands(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let start = line.strip_prefix("$ ");
        if let Some(line) = start {
            found.push(line.to_owned());
        } else if open && let Some(last) = found.last_mut() {
            last.push_str(line);
        }
        open = (start.is_some() || open) && line.ends_with('\\');
    }
    found
}

#[test]
fn documented_commands_exist_with_their_options() {
    let top = verbs(&help(&[]));
    let mut problems = Vec::new();
    let mut checked = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for command in commands(&text) {
            let words: Vec<&str> = command.split_whitespace().collect();
            let mut problem =
                |what: String| problems.push(format!("{}: `{command}`: {what}", document.display()));
            match words[..] {
                ["vrel", verb, ..] if !top.contains(verb) => problem(format!("there is no verb `{verb}`")),
                ["vrel", verb, ..] => {
                    checked += 1;
                    let mut help_words = vec![verb];
                    let mut text = help(&help_words);
                    for word in &words[2..] {
                        if !verbs(&text).contains(*word) {
                            break;
                        }
                        help_words.push(word);
                        text = help(&help_words);
                    }
                    for option in words.iter().filter(|word| word.starts_with("--")) {
                        let name = option.split('=').next().unwrap_or(option);
                        let known = text.split(|c: char| c.is_whitespace() || ",[]<>=".contains(c));
                        if !known.into_iter().any(|word| word == name) {
                            problem(format!("there is no option `{name}`"));
                        }
                    }
                }
                [script, ..] if script.starts_with("ci/") => {
                    checked += 1;
                    let mode = std::fs::metadata(root().join(script)).map(|found| found.permissions().mode());
                    if mode.unwrap_or(0) & 0o111 == 0 {
                        problem("there is no such script, or it cannot be run".to_owned());
                    }
                }
                _ => {}
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(checked > 20, "only {checked} commands were checked");
}

#[test]
fn exit_codes_are_documented_as_the_tool_lists_them() {
    let documented: Vec<u8> = read("docs/src/exit-codes.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse().ok())
        .collect();
    let text = help(&[]).split_whitespace().collect::<Vec<_>>().join(" ");
    let list = text
        .split("Exit codes: ")
        .nth(1)
        .expect("the help lists the exit codes");
    let listed: Vec<u8> = list
        .split(" · ")
        .filter_map(|item| item.split(' ').next()?.parse().ok())
        .collect();
    assert_eq!(documented, listed);
    assert!(listed.len() > 5);
}

/// The keys of a TOML value: `a`, `a.b`; those of arrays of tables and of tables whose keys are names are not told apart.
fn keys(value: &toml::Value, found: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                found.insert(key.clone());
                keys(value, found);
            }
        }
        toml::Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        _ => {}
    }
}

#[test]
fn every_key_of_a_policy_file_is_documented() {
    // Names that people choose where a key stands: roles, media, architectures; and paths.
    let names = [
        "release", "pointer", "kernel", "disk", "iso", "usb", "x86_64", "aarch64", "riscv64", "package",
    ];
    for (page, files) in [
        ("vrel-toml", vec!["vrel.toml"]),
        ("channels", vec!["channels"]),
        ("artifacts", vec!["artifacts"]),
        ("gates", vec!["gates"]),
        ("signing", vec!["signing/policy.toml"]),
        ("requirements-toml", vec!["requirements.toml"]),
        ("system", vec!["os/targets.toml", "os/images", "os/machines"]),
    ] {
        let text = read(&format!("docs/src/file-formats/{page}.md"));
        let documented: BTreeSet<&str> = text
            .split(|c: char| !(c.is_alphanumeric() || "-_".contains(c)))
            .collect();
        let mut found = BTreeSet::new();
        for file in files {
            let path = root().join(file);
            let paths = if path.is_dir() {
                std::fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path())
                    .collect()
            } else {
                vec![path]
            };
            for path in paths
                .iter()
                .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
            {
                let value: toml::Value = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
                keys(&value, &mut found);
            }
        }
        assert!(!found.is_empty(), "{page}");
        let missing: Vec<_> = found
            .iter()
            .filter(|key| !documented.contains(key.as_str()) && !names.contains(&key.as_str()))
            .filter(|key| !key.contains(['/', '.']))
            .collect();
        assert!(
            missing.is_empty(),
            "docs/src/file-formats/{page}.md does not explain {missing:?}"
        );
    }
}

#[test]
fn the_steps_are_documented_in_their_order() {
    let documented: Vec<String> = read("docs/RELEASE-PROCESS.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned))
        .collect();
    // A candidate has the steps of a final release but one, in the same order.
    let tables = || {
        vrel_process::RELEASE_STEPS
            .into_iter()
            .chain(vrel_process::BACKFILL_STEPS)
    };
    let steps: Vec<&str> = tables().map(|step| step.name).collect();
    assert_eq!(documented, steps);
    for (line, step) in read("docs/RELEASE-PROCESS.md")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .zip(tables())
    {
        assert_eq!(line.ends_with("| yes |"), step.reversible, "{line}");
    }
}
