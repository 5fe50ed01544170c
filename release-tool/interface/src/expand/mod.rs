//! `macro_rules!` macros, applied as the compiler applies them.
//!
//! What is not done: hygiene (a name that a macro makes up is an ordinary name), backtracking into a repetition, which
//! the compiler does not do either, and procedural macros.

mod matching;
mod transcribe;

use crate::sources::Sources;
use crate::{InterfaceError, Place};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::HashMap;
use std::rc::Rc;

/// How deep macros may use each other, as by default in the compiler.
pub(crate) const DEPTH: usize = 128;

/// A macro.
#[derive(Clone, Debug)]
pub(crate) struct Macro {
    /// The crate that defines it: what `$crate` means.
    pub(crate) crate_name: String,
    /// Its rules, in the order in which they are tried.
    pub(crate) rules: Vec<Rule>,
}

/// One rule of a macro.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// What it matches.
    pub(crate) pattern: TokenStream,
    /// What it is replaced by.
    pub(crate) body: TokenStream,
}

/// What the variables of a pattern stand for.
pub(crate) type Bindings = HashMap<String, Binding>;

/// What one variable stands for.
#[derive(Clone, Debug)]
pub(crate) enum Binding {
    /// These tokens.
    Tokens(TokenStream),
    /// One binding for each round of a repetition.
    Rounds(Rc<Vec<Binding>>),
}

impl Macro {
    /// Reads `(pattern) => { body }; …`.
    pub(crate) fn parse(
        crate_name: &str,
        name: &str,
        definition: TokenStream,
        sources: &Sources<'_>,
        place: &Place,
    ) -> Result<Self, InterfaceError> {
        let mut rules = Vec::new();
        let mut tokens = definition.into_iter().peekable();
        while let Some(first) = tokens.next() {
            let span = first.span();
            let wrong = || {
                sources.error(
                    span,
                    place,
                    format!("`{name}!`: expected `(pattern) => {{ body }}`"),
                )
            };
            let TokenTree::Group(pattern) = first else {
                return Err(wrong());
            };
            let arrow = [tokens.next(), tokens.next()].map(|token| token.map(|token| token.to_string()));
            let body = match tokens.next() {
                Some(TokenTree::Group(body)) if arrow == [Some("=".into()), Some(">".into())] => {
                    body.stream()
                }
                _ => return Err(wrong()),
            };
            rules.push(Rule {
                pattern: pattern.stream(),
                body,
            });
            while tokens.peek().is_some_and(|token| is_punct(token, ';')) {
                tokens.next();
            }
        }
        Ok(Self {
            crate_name: crate_name.to_owned(),
            rules,
        })
    }

    /// What an invocation becomes; `None` when no rule matches.
    pub(crate) fn apply(&self, arguments: &TokenStream) -> Option<TokenStream> {
        let arguments: Vec<TokenTree> = arguments.clone().into_iter().collect();
        self.rules.iter().find_map(|rule| {
            let pattern = matching::pattern(rule.pattern.clone())?;
            let bindings = matching::matches(&pattern, &arguments)?;
            transcribe::transcribe(rule.body.clone(), &bindings, &self.crate_name)
        })
    }
}

pub(crate) fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// The content of a group with these delimiters.
pub(crate) fn group(token: &TokenTree, delimiter: Delimiter) -> Option<TokenStream> {
    match token {
        TokenTree::Group(group) if group.delimiter() == delimiter => Some(group.stream()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(definition: &str, arguments: &str) -> Option<String> {
        let mut none = |_: &str| None;
        let sources = Sources::new(&mut none);
        let place = Place::new("a.rs", 1);
        let made = Macro::parse("abi", "m", definition.parse().unwrap(), &sources, &place).unwrap();
        Some(plain(&made.apply(&arguments.parse().unwrap())?.to_string()))
    }

    /// Without blanks: these depend on how tokens came together.
    fn plain(text: &str) -> String {
        text.split_whitespace().collect()
    }

    #[test]
    fn macros_are_applied_as_by_the_compiler() {
        for (definition, arguments, expected) in [
            ("() => { a }", "", "a"),
            ("($x:ident) => { fn $x() {} }", "go", "fn go() {}"),
            ("($x:expr) => { 2 * $x }", "1", "2 * 1"),
            ("($($x:literal),*) => { [$($x),*] }", "1, 2, 3", "[1, 2, 3]"),
            ("($($x:literal),* $(,)?) => { [$($x;)*] }", "1, 2,", "[1; 2;]"),
            (
                "($($x:ident: $t:ty),+) => { $(const $x: $t;)+ }",
                "A: u8, B: Vec<u8>",
                "const A: u8; const B: Vec<u8>;",
            ),
            (
                "($($n:ident ($($a:ident),*);)+) => { $(fn $n($($a: u8),*);)+ }",
                "a(x, y); b();",
                "fn a(x: u8, y: u8); fn b();",
            ),
            ("($p:path) => { $p! { $crate::x } }", "a::b", "a::b! { abi::x }"),
            (
                "($(#[doc = $d:literal])+ $n:literal) => { $n $($d)+ }",
                "#[doc = \"x\"] 7",
                "7 \"x\"",
            ),
            ("(a) => { 1 }; (b) => { 2 };", "b", "2"),
            (
                "($v:vis $x:ident) => { $v struct $x; }",
                "pub(crate) A",
                "pub(crate) struct A;",
            ),
            ("($v:vis $x:ident) => { $v struct $x; }", "A", "struct A;"),
            ("($($t:tt)*) => { x($($t)*) }", "a -> [b] c", "x(a -> [b] c)"),
            (
                "(-> $r:tt: $($e:ident)*;) => { $r; $($e)* }",
                "-> never: A B;",
                "never; A B",
            ),
            ("($l:lifetime) => { &$l u8 }", "'a", "&'a u8"),
        ] {
            assert_eq!(
                expand(definition, arguments).as_deref(),
                Some(plain(expected).as_str()),
                "{definition}"
            );
        }
    }

    #[test]
    fn what_no_rule_matches_is_nothing() {
        for (definition, arguments) in [
            ("(a) => {}", "b"),
            ("(a) => {}", "a a"),
            ("($x:ident) => {}", "1"),
            ("($($x:ident),+) => {}", ""),
            ("([$x:ident]) => {}", "(a)"),
            ("($x:literal) => {}", "x"),
        ] {
            assert_eq!(expand(definition, arguments), None, "{definition}");
        }
    }
}
