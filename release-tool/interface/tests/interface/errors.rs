//! What is not understood is said with file and line, and is never an empty interface.

use crate::{TABLE, read};

fn error(files: &[(&str, &str)]) -> String {
    read(files)
        .expect_err("an interface that cannot be read")
        .to_string()
}

#[track_caller]
fn expect(table: &str, items: &str, place: &str, reason: &str) {
    let text = format!("{table}{items}");
    let error = error(&[("abi/src/lib.rs", &text), ("user/rt/src/lib.rs", "")]);
    assert!(error.starts_with(&format!("os/abi/src/{place}: ")), "{error}");
    assert!(error.contains(reason), "{error}");
}

#[test]
fn a_table_of_another_shape_is_an_error() {
    for (from, to, line, reason) in [
        (
            "2 Exit exit(code: number) -> never: BadArgument;",
            "",
            7,
            "this describes no row",
        ),
        ("2 Exit exit(", "two Exit exit(", 8, "expected integer literal"),
        ("2 Exit exit(", "2 exit(", 8, "expected identifier"),
        ("(code: number)", "[code: number]", 8, "expected parentheses"),
        ("code: number", "code", 8, "expected `:`"),
        (
            "-> never",
            "-> sometimes",
            8,
            "expected text, `never` or `message`",
        ),
        ("-> never", "=> never", 8, "expected `->`"),
        (
            "/// Ends.",
            "#[since(2)]",
            7,
            "an attribute that this tool does not know",
        ),
        (
            "2 Exit exit",
            "1 Exit exit",
            8,
            "has its number or a name in common with 1 write",
        ),
        (
            "2 Exit exit",
            "2 Exit write",
            8,
            "has its number or a name in common with 1 write",
        ),
        ("$then! {", "$then!! {", 4, "expected `$then! { rows }`"),
        (
            "macro_rules! with_system_calls",
            "macro_rules! calls",
            1,
            "found no such macro",
        ),
    ] {
        assert!(TABLE.contains(from), "{from}");
        expect(&TABLE.replace(from, to), "", &format!("lib.rs:{line}"), reason);
    }
    let empty = "#[macro_export] macro_rules! with_system_calls { ($then:path) => { $then! {} } }";
    expect(empty, "", "lib.rs:1", "has no rows");
}

#[test]
fn sources_that_are_not_understood_are_errors() {
    for (items, line, reason) in [
        ("mod missing;", 12, "there is no file of the module `missing`"),
        ("\nunknown! { pub fn a() {} }", 13, "its definition is not known"),
        (
            "macro_rules! m { (a) => {}; }\nm!(b);",
            13,
            "no rule of `m!` takes",
        ),
        (
            "macro_rules! m { () => { m!(); } }\nm!();",
            12,
            "goes on without end",
        ),
        ("fn (", 12, "this is not Rust"),
        (
            "pub enum A { B = f() }",
            12,
            "the number of the variant `B` cannot be computed",
        ),
        ("pub extern crate alloc;", 12, "not understood where it is public"),
    ] {
        expect(TABLE, items, &format!("lib.rs:{line}"), reason);
    }
}

#[test]
fn a_crate_that_is_missing_is_an_error_and_both_are_an_older_tree() {
    let missing = error(&[("abi/src/lib.rs", TABLE)]);
    assert_eq!(missing, "os/user/rt/src/lib.rs:1: this file is missing");
    assert_eq!(read(&[("kernel/src/main.rs", "fn main() {}")]), Ok(None));
}
