//! The same scripts in this shell and in others: what they write and how they end must agree.

mod common;

use common::{Shell, run};
use proptest::prelude::*;

fn compare(corpus: &str, other: Shell) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in corpus.split("### ").skip(1) {
        let (name, script) = entry.split_once('\n').expect("a name and a script");
        count += 1;
        let (own, theirs) = (run(Shell::Vsh, script), run(other, script));
        if (&own.output, own.status) != (&theirs.output, theirs.status) {
            wrong.push(format!(
                "--- {name}: vsh ended with {}, {other:?} with {}\n{}vsh said: {}",
                own.status,
                theirs.status,
                difference(&own.output, &theirs.output),
                own.errors
            ));
        }
    }
    assert!(count > 10, "the corpus is there");
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn difference(own: &str, theirs: &str) -> String {
    let (mut own, mut theirs) = (own.lines(), theirs.lines());
    let mut text = String::new();
    loop {
        match (own.next(), theirs.next()) {
            (None, None) => return text,
            (a, b) if a == b => {}
            (a, b) => text += &format!("    vsh {a:?}, other {b:?}\n"),
        }
    }
}

#[test]
fn posix_scripts_agree_with_dash() {
    compare(include_str!("corpus/posix.txt"), Shell::Dash);
}

#[test]
fn other_scripts_agree_with_bash() {
    compare(include_str!("corpus/bash.txt"), Shell::Bash);
}

/// An arithmetic expression that has a value in every shell.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (-50_i32..50).prop_map(|number| number.to_string()),
        Just("x".to_owned()),
        Just("$y".to_owned())
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let operators = prop::sample::select(vec![
            "+", "-", "*", "<", ">", "<=", ">=", "==", "!=", "&", "|", "^", "&&", "||",
        ]);
        prop_oneof![
            (inner.clone(), operators, inner.clone())
                .prop_map(|(a, operator, b)| format!("{a} {operator} {b}")),
            inner.clone().prop_map(|a| format!("( {a} )")),
            inner.clone().prop_map(|a| format!("! {a}")),
            inner.clone().prop_map(|a| format!("~ {a}")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("( {a} ? {b} : {c} )")),
        ]
    })
}

/// A word of quotes, expansions and letters, all of them complete.
fn word() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-c*?:=]{1,3}",
        Just("~/".to_owned()),
        "'[ a$\"`\\\\*]{0,4}'",
        "\"[ a*':]{0,4}\"",
        Just("\\$".to_owned()),
        Just("\\ ".to_owned()),
        Just("$v".to_owned()),
        Just("\"$v\"".to_owned()),
        Just("\"a $v b\"".to_owned()),
        Just("$w".to_owned()),
        Just("\"$@\"".to_owned()),
        Just("$*".to_owned()),
        Just("${u:-a b}".to_owned()),
        Just("\"${u:-a 'b'}\"".to_owned()),
        Just("${v#* }".to_owned()),
        Just("\"${w%:*}\"".to_owned()),
        Just("$(echo ' x  y ')".to_owned()),
        Just("\"$(echo ' x  y ')\"".to_owned()),
        Just("$((1+2))".to_owned()),
    ];
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

/// Several cases as one script: starting shells is what takes time.
fn agree(lines: &[String], prefix: &str, other: Shell) -> Result<(), TestCaseError> {
    let script = format!("{prefix}\n{}\n", lines.join("\n"));
    let (own, theirs) = (run(Shell::Vsh, &script), run(other, &script));
    prop_assert_eq!(own.errors, "");
    for ((own, theirs), line) in own.output.lines().zip(theirs.output.lines()).zip(lines) {
        prop_assert_eq!(own, theirs, "{}", line);
    }
    prop_assert_eq!(own.output, theirs.output);
    prop_assert_eq!(own.status, theirs.status);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arithmetic_agrees_with_dash(expressions in prop::collection::vec(expression(), 20)) {
        let lines: Vec<_> = expressions.iter().map(|expression| format!("echo $(( {expression} ))")).collect();
        agree(&lines, "x=7 y=-3", Shell::Dash)?;
    }

    /// Dash adds fields when text follows "$@".
    #[test]
    fn quoting_agrees_with_bash(words in prop::collection::vec(word(), 20), separators in "[: ]{0,2}") {
        let lines: Vec<_> = words.iter().map(|word| format!("p {word}")).collect();
        let prefix = format!(
            "set -- 1 '2 3'; v='a b  c' w='x:y: z'; IFS='{separators}'\np() {{ for i in \"$@\"; do printf '<%s>' \"$i\"; done; echo; }}"
        );
        agree(&lines, &prefix, Shell::Bash)?;
    }
}
