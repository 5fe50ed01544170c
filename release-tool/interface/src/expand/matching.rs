//! Matching an invocation against a pattern.

use super::{Binding, Bindings, group, is_punct};
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use std::rc::Rc;
use syn::parse::{ParseStream, Parser};

/// A part of a pattern.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// This token itself.
    Token(TokenTree),
    /// A group with this inside.
    Group(Delimiter, Vec<Part>),
    /// `$name:kind`.
    Variable { name: String, kind: String },
    /// `$( … ) separator operator`.
    Repetition {
        parts: Vec<Part>,
        separator: Option<TokenTree>,
        least: usize,
        most: usize,
    },
}

/// Reads a pattern; `None` when it is none.
pub(super) fn pattern(tokens: TokenStream) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        let part = match token {
            TokenTree::Group(inner) => Part::Group(inner.delimiter(), pattern(inner.stream())?),
            ref dollar if is_punct(dollar, '$') => match tokens.next()? {
                TokenTree::Group(inner) => {
                    let (separator, operator) = operator(&mut tokens)?;
                    let (least, most) = bounds(operator)?;
                    Part::Repetition {
                        parts: pattern(inner.stream())?,
                        separator,
                        least,
                        most,
                    }
                }
                TokenTree::Ident(name) => {
                    let (colon, kind) = (tokens.next()?, tokens.next()?);
                    is_punct(&colon, ':').then_some(())?;
                    Part::Variable {
                        name: name.to_string(),
                        kind: kind.to_string(),
                    }
                }
                _ => return None,
            },
            token => Part::Token(token),
        };
        parts.push(part);
    }
    Some(parts)
}

/// What follows the parentheses of a repetition: a separator, if there is one, and the operator.
pub(super) fn operator(tokens: &mut impl Iterator<Item = TokenTree>) -> Option<(Option<TokenTree>, char)> {
    let as_operator = |token: &TokenTree| ['*', '+', '?'].into_iter().find(|c| is_punct(token, *c));
    let first = tokens.next()?;
    if let Some(operator) = as_operator(&first) {
        return Some((None, operator));
    }
    let operator = as_operator(&tokens.next()?)?;
    Some((Some(first), operator))
}

fn bounds(operator: char) -> Option<(usize, usize)> {
    match operator {
        '*' => Some((0, usize::MAX)),
        '+' => Some((1, usize::MAX)),
        '?' => Some((0, 1)),
        _ => None,
    }
}

/// What the pattern's variables stand for; `None` when the tokens are not what it describes.
pub(super) fn matches(pattern: &[Part], tokens: &[TokenTree]) -> Option<Bindings> {
    let mut bindings = Bindings::new();
    let end = sequence(pattern, tokens, 0, &mut bindings)?;
    (end == tokens.len()).then_some(bindings)
}

fn sequence(parts: &[Part], tokens: &[TokenTree], mut at: usize, found: &mut Bindings) -> Option<usize> {
    for part in parts {
        at = match part {
            Part::Token(wanted) => {
                let token = tokens.get(at)?;
                same(token, wanted).then_some(at + 1)?
            }
            Part::Group(delimiter, inner) => {
                let content: Vec<_> = group(tokens.get(at)?, *delimiter)?.into_iter().collect();
                found.extend(matches(inner, &content)?);
                at + 1
            }
            Part::Variable { name, kind } => {
                let length = fragment(kind, &tokens[at..])?;
                let taken = tokens[at..at + length].iter().cloned().collect();
                found.insert(name.clone(), Binding::Tokens(taken));
                at + length
            }
            Part::Repetition {
                parts,
                separator,
                least,
                most,
            } => {
                let (end, rounds) = repetition(parts, separator.as_ref(), *most, tokens, at);
                if rounds.len() < *least {
                    return None;
                }
                let mut names = Vec::new();
                variables(parts, &mut names);
                for name in names {
                    let each = rounds.iter().filter_map(|round| round.get(name).cloned());
                    found.insert(name.to_owned(), Binding::Rounds(Rc::new(each.collect())));
                }
                end
            }
        };
    }
    Some(at)
}

fn repetition(
    parts: &[Part],
    separator: Option<&TokenTree>,
    most: usize,
    tokens: &[TokenTree],
    mut at: usize,
) -> (usize, Vec<Bindings>) {
    let mut rounds = Vec::new();
    while rounds.len() < most {
        let start = match separator {
            Some(separator) if !rounds.is_empty() => {
                if !tokens.get(at).is_some_and(|token| same(token, separator)) {
                    break;
                }
                at + 1
            }
            _ => at,
        };
        let mut round = Bindings::new();
        match sequence(parts, tokens, start, &mut round) {
            Some(end) if end > start => at = end,
            // A separator that nothing follows is not part of the repetition.
            _ => break,
        }
        rounds.push(round);
    }
    (at, rounds)
}

fn variables<'p>(parts: &'p [Part], names: &mut Vec<&'p str>) {
    for part in parts {
        match part {
            Part::Token(_) => {}
            Part::Variable { name, .. } => names.push(name),
            Part::Group(_, parts) | Part::Repetition { parts, .. } => variables(parts, names),
        }
    }
}

fn same(a: &TokenTree, b: &TokenTree) -> bool {
    match (a, b) {
        (TokenTree::Punct(a), TokenTree::Punct(b)) => a.as_char() == b.as_char(),
        (TokenTree::Ident(a), TokenTree::Ident(b)) => a == b,
        (TokenTree::Literal(a), TokenTree::Literal(b)) => a.to_string() == b.to_string(),
        _ => false,
    }
}

/// How many tokens at the start are a fragment of this kind; `None` when it is not there.
fn fragment(kind: &str, tokens: &[TokenTree]) -> Option<usize> {
    match kind {
        "vis" => prefix(tokens, <syn::Visibility as syn::parse::Parse>::parse),
        _ if tokens.is_empty() => None,
        "ident" => matches!(&tokens[0], TokenTree::Ident(name) if name != "_").then_some(1),
        "tt" => Some(token_tree(tokens)),
        "lifetime" => (tokens.len() > 1 && is_punct(&tokens[0], '\'')).then_some(2),
        "literal" => literal(tokens),
        "block" => group(&tokens[0], Delimiter::Brace).map(|_| 1),
        "ty" => prefix(tokens, <syn::Type as syn::parse::Parse>::parse),
        "path" => prefix(tokens, <syn::Path as syn::parse::Parse>::parse),
        "expr" | "expr_2021" => prefix(tokens, <syn::Expr as syn::parse::Parse>::parse),
        "meta" => prefix(tokens, <syn::Meta as syn::parse::Parse>::parse),
        "item" => parsed(tokens, <syn::Item as syn::parse::Parse>::parse),
        "pat" | "pat_param" => prefix(tokens, syn::Pat::parse_multi),
        "stmt" => parsed(tokens, <syn::Stmt as syn::parse::Parse>::parse),
        _ => None,
    }
}

/// As [`parsed`], for what ends before a semicolon: of a long list only the next entry is looked at.
fn prefix<T>(tokens: &[TokenTree], parse: impl Fn(ParseStream<'_>) -> syn::Result<T>) -> Option<usize> {
    let end = tokens.iter().position(|token| is_punct(token, ';'));
    parsed(&tokens[..end.unwrap_or(tokens.len())], parse)
}

fn parsed<T>(tokens: &[TokenTree], parse: impl Fn(ParseStream<'_>) -> syn::Result<T>) -> Option<usize> {
    let parser = |input: ParseStream<'_>| {
        parse(input)?;
        Ok(input.parse::<TokenStream>()?.into_iter().count())
    };
    let rest = parser.parse2(tokens.iter().cloned().collect()).ok()?;
    tokens.len().checked_sub(rest)
}

/// An operator such as `->` is one token tree, though it is handed over in pieces.
fn token_tree(tokens: &[TokenTree]) -> usize {
    const LONG: [&str; 24] = [
        "<<=", ">>=", "...", "..=", "->", "=>", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=", "/=",
        "%=", "^=", "&=", "|=", "<<", ">>", "..", "::",
    ];
    let mut text = String::new();
    for token in tokens.iter().take(3) {
        let TokenTree::Punct(punct) = token else { break };
        text.push(punct.as_char());
        if punct.spacing() == Spacing::Alone {
            break;
        }
    }
    if text.starts_with('\'') {
        return 2.min(tokens.len());
    }
    let long = LONG.iter().find(|operator| text.starts_with(*operator));
    long.map_or(1, |operator| operator.len())
}

fn literal(tokens: &[TokenTree]) -> Option<usize> {
    match tokens {
        [TokenTree::Literal(_), ..] => Some(1),
        [TokenTree::Ident(word), ..] if word == "true" || word == "false" => Some(1),
        [minus, TokenTree::Literal(_), ..] if is_punct(minus, '-') => Some(2),
        _ => None,
    }
}
