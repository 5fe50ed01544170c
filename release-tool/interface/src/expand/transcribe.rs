//! Writing out what a rule becomes.

use super::matching::operator;
use super::{Binding, Bindings, is_punct};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// The body with its variables replaced; `None` when it is not consistent with them.
pub(super) fn transcribe(body: TokenStream, bindings: &Bindings, crate_name: &str) -> Option<TokenStream> {
    let mut out = TokenStream::new();
    let mut tokens = body.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                let inner = transcribe(group.stream(), bindings, crate_name)?;
                let mut made = Group::new(group.delimiter(), inner);
                made.set_span(group.span());
                out.extend([TokenTree::Group(made)]);
            }
            dollar if is_punct(&dollar, '$') => match tokens.next()? {
                TokenTree::Ident(name) if name == "crate" => {
                    out.extend([TokenTree::Ident(Ident::new(crate_name, Span::call_site()))]);
                }
                TokenTree::Ident(name) => match bindings.get(&name.to_string()) {
                    Some(Binding::Tokens(tokens)) => out.extend(tokens.clone()),
                    Some(Binding::Rounds(_)) => return None,
                    // A `$name` that the pattern does not have belongs to a macro that this one defines.
                    None => out.extend([dollar, TokenTree::Ident(name)]),
                },
                TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                    let (separator, _) = operator(&mut tokens)?;
                    repeat(
                        &mut out,
                        &group.stream(),
                        separator.as_ref(),
                        bindings,
                        crate_name,
                    )?;
                }
                other => out.extend([dollar, other]),
            },
            token => out.extend([token]),
        }
    }
    Some(out)
}

fn repeat(
    out: &mut TokenStream,
    body: &TokenStream,
    separator: Option<&TokenTree>,
    bindings: &Bindings,
    crate_name: &str,
) -> Option<()> {
    let mut used = Vec::new();
    names(body.clone(), &mut used);
    let mut lengths = used.iter().filter_map(|name| match bindings.get(name) {
        Some(Binding::Rounds(rounds)) => Some(rounds.len()),
        _ => None,
    });
    let rounds = lengths.next()?;
    if lengths.any(|length| length != rounds) {
        return None;
    }
    for round in 0..rounds {
        if let Some(separator) = separator.filter(|_| round > 0) {
            out.extend([separator.clone()]);
        }
        let mut inner = Bindings::new();
        for name in &used {
            let Some(binding) = bindings.get(name) else {
                continue;
            };
            let binding = match binding {
                Binding::Rounds(each) => each.get(round)?,
                Binding::Tokens(_) => binding,
            };
            inner.insert(name.clone(), binding.clone());
        }
        out.extend(transcribe(body.clone(), &inner, crate_name)?);
    }
    Some(())
}

/// The variables that occur in a body.
fn names(body: TokenStream, found: &mut Vec<String>) {
    let mut tokens = body.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => names(group.stream(), found),
            dollar if is_punct(&dollar, '$') => {
                if let Some(TokenTree::Ident(name)) = tokens.peek() {
                    found.push(name.to_string());
                }
            }
            _ => {}
        }
    }
}
