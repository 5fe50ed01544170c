//! The committed manual pages are what the tables of options say, and no others are there.

use std::collections::BTreeMap;
use std::path::Path;

use coreutils::{COMMANDS, ManPage};

#[test]
fn pages_are_current() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let found: BTreeMap<String, String> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    let expected: BTreeMap<String, String> = COMMANDS
        .iter()
        .filter(|spec| spec.name != "[")
        .map(|spec| (format!("{}.1", spec.name), ManPage(spec).to_string()))
        .collect();
    for (name, page) in &expected {
        assert_eq!(
            found.get(name),
            Some(page),
            "{name} is stale: cargo run -p coreutils --example man_pages"
        );
    }
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
}

#[test]
fn every_option_is_on_its_page() {
    for spec in COMMANDS {
        let page = ManPage(spec).to_string();
        for option in spec.options {
            let letter = format!("Fl {}", option.key);
            assert!(!option.key.is_ascii() || page.contains(&letter), "{page}");
            let long = format!("Fl -{}", option.long);
            assert!(option.long.is_empty() || page.contains(&long), "{page}");
        }
        // Nothing of a text is taken for a request.
        let requests = [
            "\\\"", "Dd", "Dt", "Os", "Sh", "Nm", "Nd", "Pp", "Bl", "It", "El", "Bd", "Ed",
        ];
        for line in page.lines().filter_map(|line| line.strip_prefix('.')) {
            assert!(
                requests.iter().any(|request| line.starts_with(request)),
                ".{line}"
            );
        }
    }
}
