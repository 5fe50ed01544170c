//! What cannot be seen by comparing with `grep`.

use super::*;

const PLAIN: Meaning = Meaning {
    syntax: Syntax::Extended,
    ignore_case: false,
    line: false,
    word: false,
};

fn searcher(pattern: &str) -> Searcher {
    Searcher::new(compile(&[pattern.as_bytes()], PLAIN).unwrap())
}

#[test]
fn the_first_and_longest_match_is_found() {
    for (pattern, line, range) in [
        ("a|ab|abc", "xabcd", 1..4),
        ("(a|ab)(c|bcd)", "abcd", 0..4),
        ("x*", "aaa", 0..0),
        ("b+|a", "bbba", 0..3),
        ("(a*)*b", "aaaab", 0..5),
        ("(a*|b)*$", "abab", 0..4),
    ] {
        assert_eq!(
            searcher(pattern).find(line.as_bytes(), 0),
            Some(range),
            "{pattern}"
        );
    }
}

#[test]
fn nested_repetition_takes_linear_time() {
    let line = [b'a'; 20_000];
    assert!(!searcher("(a*)*(a|aa)*(a+)+b").is_match(&line));
}

#[test]
fn what_would_be_too_large_is_refused() {
    for pattern in [
        "((a{1000}){1000}){1000}",
        "a{32768}",
        "a{2}{2}{2}{2}",
        &("(".repeat(31) + &")".repeat(31)),
        &"(a{2}){2}".repeat(30_000),
    ] {
        assert!(compile(&[pattern.as_bytes()], PLAIN).is_err());
    }
    assert!(compile(&[b"(){32767}{32767}"], PLAIN).is_ok());
    for pattern in [
        &"b**".repeat(1000),
        &("b".to_string() + &"+?*".repeat(1000)),
        &("(".repeat(30) + "a" + &")*".repeat(30)),
    ] {
        assert!(compile(&[pattern.as_bytes()], PLAIN).is_ok());
    }
}
