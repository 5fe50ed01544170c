//! The table of system calls: the rows that the macro [`TABLE`] hands on.

use super::tree::Tree;
use crate::expand::is_punct;
use crate::sources::Sources;
use crate::{Argument, InterfaceError, Place, Returns, SystemCall};
use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, LitInt, LitStr, Token, parenthesized};

/// The macro that holds the table.
const TABLE: &str = "with_system_calls";

/// What a row has to look like.
const ROW: &str =
    "number Variant stub(argument: kind, …) -> \"what it returns\" or never or message: Errors…;";

/// The calls by number.
pub(super) fn system_calls(tree: &Tree<'_, '_>, file: &str) -> Result<Vec<SystemCall>, InterfaceError> {
    let top = Place::new(file, 1);
    let Some(table) = tree.find_macro("abi", TABLE) else {
        let reason = format!("expected the table of system calls, the macro `{TABLE}!`; found no such macro");
        return Err(InterfaceError::new(top, reason));
    };
    let [rule] = &table.rules[..] else {
        let reason = format!("`{TABLE}!`: expected one rule, found {}", table.rules.len());
        return Err(InterfaceError::new(top, reason));
    };
    let rows = handed_on(rule.body.clone()).ok_or_else(|| {
        let span = rule
            .body
            .clone()
            .into_iter()
            .next()
            .map_or_else(Span::call_site, |token| token.span());
        let reason = format!("`{TABLE}!`: expected `$then! {{ rows }}`, found something else");
        tree.sources.error(span, &top, reason)
    })?;
    let rows: Rows = syn::parse2(rows).map_err(|error| {
        let what = format!("the table of system calls: expected `{ROW}`");
        tree.sources.syntax(&error, &top, &what)
    })?;
    let mut calls: Vec<SystemCall> = Vec::new();
    for row in rows.0 {
        calls.push(row.call(tree.sources, &top, &calls)?);
    }
    if calls.is_empty() {
        return Err(InterfaceError::new(top, "the table of system calls has no rows"));
    }
    calls.sort_by_key(|call| call.number);
    Ok(calls)
}

/// The rows in `$then! { rows }`.
fn handed_on(body: TokenStream) -> Option<TokenStream> {
    let tokens: Vec<TokenTree> = body.into_iter().collect();
    let [
        dollar,
        TokenTree::Ident(_),
        bang,
        TokenTree::Group(rows),
        rest @ ..,
    ] = &tokens[..]
    else {
        return None;
    };
    let whole = is_punct(dollar, '$') && is_punct(bang, '!') && rest.iter().all(|token| is_punct(token, ';'));
    (whole && rows.delimiter() == Delimiter::Brace).then(|| rows.stream())
}

struct Rows(Vec<Row>);

struct Row {
    number: LitInt,
    variant: Ident,
    stub: Ident,
    arguments: Vec<(Ident, Ident)>,
    returns: Returns,
    errors: Vec<Ident>,
}

impl Parse for Rows {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut rows = Vec::new();
        while !input.is_empty() {
            rows.push(input.parse()?);
        }
        Ok(Self(rows))
    }
}

impl Parse for Row {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        if let Some(last) = attributes.last().filter(|_| input.is_empty()) {
            return Err(syn::Error::new_spanned(last, "this describes no row"));
        }
        for attribute in attributes {
            if !attribute.path().is_ident("doc") {
                return Err(syn::Error::new_spanned(
                    attribute,
                    "an attribute that this tool does not know",
                ));
            }
        }
        let (number, variant, stub) = (input.parse()?, input.parse()?, input.parse()?);
        let inner;
        parenthesized!(inner in input);
        let argument = |input: ParseStream<'_>| -> syn::Result<(Ident, Ident)> {
            let name = input.parse()?;
            input.parse::<Token![:]>()?;
            Ok((name, input.parse()?))
        };
        let arguments = Punctuated::<_, Token![,]>::parse_terminated_with(&inner, argument)?;
        input.parse::<Token![->]>()?;
        let returns = if input.peek(LitStr) {
            Returns::Value(input.parse::<LitStr>()?.value())
        } else {
            let word: Ident = input.parse()?;
            match word.to_string().as_str() {
                "never" => Returns::Never,
                "message" => Returns::Message,
                _ => {
                    return Err(syn::Error::new(
                        word.span(),
                        "expected text, `never` or `message`",
                    ));
                }
            }
        };
        input.parse::<Token![:]>()?;
        let mut errors = Vec::new();
        while !input.peek(Token![;]) {
            errors.push(input.parse()?);
        }
        input.parse::<Token![;]>()?;
        Ok(Self {
            number,
            variant,
            stub,
            arguments: arguments.into_iter().collect(),
            returns,
            errors,
        })
    }
}

impl Row {
    fn call(
        self,
        sources: &Sources<'_>,
        top: &Place,
        before: &[SystemCall],
    ) -> Result<SystemCall, InterfaceError> {
        let place = sources.place(self.stub.span(), top);
        let number = self
            .number
            .base10_parse()
            .map_err(|error| sources.syntax(&error, top, "the number of a system call"))?;
        let call = SystemCall {
            number,
            name: self.stub.to_string(),
            variant: self.variant.to_string(),
            arguments: self
                .arguments
                .iter()
                .map(|(name, kind)| Argument {
                    name: name.to_string(),
                    kind: kind.to_string(),
                })
                .collect(),
            returns: self.returns,
            errors: self.errors.iter().map(ToString::to_string).collect(),
            place: place.clone(),
        };
        let taken = before.iter().find(|other| {
            other.number == call.number || other.name == call.name || other.variant == call.variant
        });
        match taken {
            None => Ok(call),
            Some(other) => {
                let reason = format!(
                    "the system call {} {} has its number or a name in common with {} {}",
                    call.number, call.name, other.number, other.name
                );
                Err(InterfaceError::new(place, reason))
            }
        }
    }
}
