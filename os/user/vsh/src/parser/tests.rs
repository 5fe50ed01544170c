//! What parses, what does not, and that text comes back as it was meant.

use super::*;
use crate::unparse::Commands;
use proptest::prelude::*;

fn parse(text: &str) -> Result<List> {
    let mut parser = Parser::new(text, 1, false);
    let mut all = List::new();
    while let Some(list) = parser.next(&Aliases::new())? {
        all.extend(list);
    }
    Ok(all)
}

fn problem(text: &str) -> String {
    match parse(text) {
        Ok(list) => format!("parsed: {}", Commands(&list)),
        Err(error) => format!("{}: {error}", error.line),
    }
}

#[test]
fn errors_name_line_and_token() {
    for (text, expected) in [
        ("echo )", "1: syntax error near unexpected token `)'"),
        ("\n\nif true; fi", "3: syntax error near unexpected token `fi'"),
        ("echo a;; b", "1: syntax error near unexpected token `;;'"),
        (
            "a && ",
            "1: syntax error: unexpected end of file, expected `command'",
        ),
        ("| a", "1: syntax error near unexpected token `|'"),
        ("a | | b", "1: syntax error near unexpected token `|'"),
        ("(a", "1: syntax error: unexpected end of file, expected `)'"),
        (
            "if a\nthen b\n",
            "3: syntax error: unexpected end of file, expected `fi'",
        ),
        (
            "while a; do b",
            "1: syntax error: unexpected end of file, expected `done'",
        ),
        (
            "case x in a) b",
            "1: syntax error: unexpected end of file, expected `esac'",
        ),
        (
            "echo 'a\nb",
            "2: syntax error: unexpected end of file, expected `''",
        ),
        (
            "echo \"a",
            "1: syntax error: unexpected end of file, expected `\"'",
        ),
        (
            "echo $(a",
            "1: syntax error: unexpected end of file, expected `)'",
        ),
        ("echo `a", "1: syntax error: unexpected end of file, expected ``'"),
        (
            "echo ${a",
            "1: syntax error: unexpected end of file, expected `}'",
        ),
        ("echo ${a!b}", "1: syntax error: bad substitution"),
        (
            "echo $((1",
            "1: syntax error: unexpected end of file, expected `))'",
        ),
        (
            "> ",
            "1: syntax error: unexpected end of file, expected `command'",
        ),
        ("echo <\n", "1: syntax error near unexpected token `newline'"),
        (
            "for 1 in a; do b; done",
            "1: syntax error near unexpected token `for'",
        ),
        (
            "f() echo",
            "1: syntax error: unexpected end of file, expected `command'",
        ),
        ("}", "1: syntax error near unexpected token `}'"),
    ] {
        assert_eq!(problem(text), expected, "{text:?}");
    }
}

#[test]
fn nesting_has_an_end() {
    for open in [
        "(",
        "$(",
        "{ ",
        "if ",
        "\"$(",
        "${a:-",
        "`echo \\`",
        "$((",
        "! ",
        "case x in a) ",
        "f() { ",
    ] {
        // Whatever is said of it, it must come back.
        let _ = parse(&format!("echo {}", open.repeat(5000)));
        let _ = parse(&open.repeat(5000));
    }
}

/// Scripts with every part of the language.
const SCRIPTS: &[&str] = &[
    "a b c",
    "x=1 y='a b' cmd \"$x\" >out 2>&1 <in &",
    "a | b && ! c || d; e",
    "if a; then b; elif c; then d; else e; fi >f",
    "while a; do b & c; done",
    "for i in 1 '2 3' $x; do echo $i; done; for j; do :; done",
    "case $x in a|b) c;; 'd e') ;; *) f & ;; esac",
    "f() { local x; return 1; }; g() ( a )",
    "echo ${x} ${#x} ${x:-a b} \"${x:+\"q\"}\" ${x%%*.c} ${x##'*'}",
    "echo $(a; b) `c` $((1 + (2 * $x))) $'\\t'",
    "cat <<EOF\na $x\nEOF\n",
    "cat <<'EOF' <<<\"w$y\"\n$x '\nEOF\n",
    "a 3>f 3>&- >>g <>h >|i &>j &>>k <&4",
    "\\if a; 'b'\\''c' \"d\\\"e\" ~/x *.c",
    "( a; ( b ) ) | { c; }",
    "until a; do b; done <<<x",
    "echo \"a $(echo \"b $(echo 'c')\")\" ''",
];

#[test]
fn text_made_of_commands_means_the_same() {
    for script in SCRIPTS {
        let once = Commands(&parse(script).unwrap()).to_string();
        let twice = Commands(&parse(&once).unwrap_or_else(|error| panic!("{once}: {error}"))).to_string();
        assert_eq!(once, twice, "{script}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in "\\PC{0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn any_tokens_are_answered(tokens in prop::collection::vec(prop::sample::select(vec![
        "a", "x=1", " ", "\n", ";", ";;", "&", "&&", "|", "||", "(", ")", "{ ", " }", "$(", "$((", "))", "${", "}", "`",
        "'", "\"", "\\", "<", ">", "<<", "<<E\n", "E\n", "<<<", "2>&1", "if ", " then ", " else ", " fi", "while ",
        " do ", " done", "for i in ", "case x in ", " esac", "f()", "!", "#", "$x", "*", "~", "1", ":-", "%",
    ]), 0..30)) {
        let text = tokens.concat();
        if let Ok(list) = parse(&text) {
            let once = Commands(&list).to_string();
            let again = parse(&once);
            prop_assert!(again.is_ok(), "{:?} became {:?}: {:?}", text, once, again);
            prop_assert_eq!(Commands(&again.unwrap()).to_string(), once);
        }
    }
}
