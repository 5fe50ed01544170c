//! The program on the host.

use std::process::Command;

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sysinfo"))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The number behind a key of the JSON object.
fn number(json: &str, key: &str) -> u64 {
    let (_, rest) = json.split_once(&format!("\"{key}\":")).unwrap();
    rest.split([',', '}']).next().unwrap().parse().unwrap()
}

#[test]
fn json_tells_of_this_machine() {
    let (status, json, errors) = run(&["--json"]);
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    assert!(
        json.starts_with("{\"name\":\"") && json.ends_with("}\n") && json.lines().count() == 1,
        "{json}"
    );
    assert!(
        json.contains(&format!("\"arch\":\"{}\"", std::env::consts::ARCH)),
        "{json}"
    );
    assert!(number(&json, "cpus") >= 1);
    assert!(number(&json, "uptime_ms") > 0);
    let (total, free) = (number(&json, "total"), number(&json, "free"));
    assert!(0 < free && free < total, "{json}");
}

#[test]
fn text_has_a_row_for_each_key() {
    let (status, text, _) = run(&[]);
    assert_eq!(status, Some(0));
    let names: Vec<&str> = text.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(
        names,
        [
            "system",
            "version",
            "commit",
            "image",
            "architecture",
            "uptime",
            "memory",
            "CPUs"
        ]
    );
}

#[test]
fn wrong_use_is_told_from_help() {
    let (status, text, errors) = run(&["--help"]);
    assert!(status == Some(0) && text.contains("--json") && errors.is_empty());
    let (status, text, errors) = run(&["-x"]);
    assert_eq!((status, text.as_str()), (Some(2), ""));
    assert!(errors.starts_with("sysinfo: unknown option -x\n"), "{errors}");
}
