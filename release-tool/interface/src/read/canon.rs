//! Declarations as text that says the same for the same meaning: names replaced by the public paths of what they name,
//! generic parameters by their position.

use super::names::{Entity, PublicNames};
use super::tree::{Defined, Tree};
use crate::expand::{DEPTH, is_punct};
use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};
use std::collections::BTreeMap;

/// Where a declaration stands: what its names mean.
#[derive(Clone)]
pub(crate) struct Scope<'t, 's, 'r> {
    pub(crate) tree: &'t Tree<'s, 'r>,
    pub(crate) public: &'t PublicNames,
    pub(crate) module: usize,
    /// Generic parameters, with what they are called here.
    parameters: BTreeMap<String, String>,
    /// What `Self` is, where it is an item's own type.
    this: Option<String>,
}

impl<'t, 's, 'r> Scope<'t, 's, 'r> {
    pub(crate) fn new(tree: &'t Tree<'s, 'r>, public: &'t PublicNames, module: usize) -> Self {
        Self {
            tree,
            public,
            module,
            parameters: BTreeMap::new(),
            this: None,
        }
    }

    /// The scope inside of an item with generic parameters.
    pub(crate) fn with(&self, generics: &syn::Generics) -> Self {
        let mut inner = self.clone();
        for parameter in &generics.params {
            let at = inner.parameters.len();
            let (name, called) = match parameter {
                syn::GenericParam::Lifetime(lifetime) => {
                    let name = lifetime.lifetime.ident.to_string();
                    (format!("'{name}"), format!("'p{at}"))
                }
                syn::GenericParam::Type(ty) => (ty.ident.to_string(), format!("P{at}")),
                syn::GenericParam::Const(constant) => (constant.ident.to_string(), format!("P{at}")),
            };
            inner.parameters.insert(name, called);
        }
        inner
    }

    /// The scope in which `Self` is this type.
    pub(crate) fn with_self(&self, this: &str) -> Self {
        Self {
            this: Some(this.to_owned()),
            ..self.clone()
        }
    }

    /// The text of a declaration or a part of one.
    pub(crate) fn text(&self, tokens: TokenStream) -> String {
        let mut text = Text::default();
        self.write(self.expand(tokens, 0), &mut text);
        text.text
    }

    /// The entity that a path leads to, types before values.
    pub(crate) fn entity(&self, path: &[String]) -> Option<Entity> {
        let mut found = self.tree.resolve(self.module, path, 0);
        found.sort_by_key(|entity| !self.is_type(entity));
        found.into_iter().next()
    }

    fn is_type(&self, entity: &Entity) -> bool {
        match entity {
            Entity::Module(_) => true,
            Entity::Definition(at) => match &self.tree.definitions[*at].item {
                Defined::Macro(_) => false,
                Defined::Item(item) => !matches!(
                    **item,
                    syn::Item::Fn(_) | syn::Item::Const(_) | syn::Item::Static(_)
                ),
            },
            Entity::Elsewhere(_) => false,
        }
    }

    /// Applies the macros in the place of types.
    fn expand(&self, tokens: TokenStream, depth: usize) -> TokenStream {
        let mut out = Vec::new();
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => {
                    let inner = self.expand(group.stream(), depth);
                    out.push(TokenTree::Group(Group::new(group.delimiter(), inner)));
                }
                TokenTree::Ident(name) if tokens.peek().is_some_and(|next| is_punct(next, '!')) => {
                    let known = self
                        .tree
                        .find_macro(self.tree.crate_name(self.module), &name.to_string());
                    let mut rest = tokens.clone().skip(1);
                    let made = match (known, rest.next()) {
                        (Some(known), Some(TokenTree::Group(arguments))) if depth < DEPTH => {
                            known.apply(&arguments.stream())
                        }
                        _ => None,
                    };
                    match made {
                        Some(made) => {
                            out.extend(self.expand(made, depth + 1));
                            tokens.nth(1);
                        }
                        None => out.push(TokenTree::Ident(name)),
                    }
                }
                other => out.push(other),
            }
        }
        out.into_iter().collect()
    }

    fn write(&self, tokens: TokenStream, text: &mut Text) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at += match &tokens[at] {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::None => ("", ""),
                    };
                    text.mark(open);
                    self.write(group.stream(), text);
                    text.mark(close);
                    1
                }
                TokenTree::Ident(_) => {
                    let path = path_at(&tokens, at);
                    text.word(&self.name(&path));
                    path.len() * 3 - 2
                }
                TokenTree::Literal(literal) => {
                    text.word(&literal.to_string());
                    1
                }
                quote if is_punct(quote, '\'') => {
                    let name = tokens.get(at + 1).map(ToString::to_string).unwrap_or_default();
                    let name = format!("'{name}");
                    text.word(self.parameters.get(&name).unwrap_or(&name));
                    2
                }
                TokenTree::Punct(_) => {
                    let mark = mark_at(&tokens, at);
                    if mark == "::" {
                        // What follows belongs to a path whose start was not a name, such as `<T>::Item`.
                        text.mark("::");
                        if let Some(TokenTree::Ident(name)) = tokens.get(at + 2) {
                            text.mark(&name.to_string());
                            at += 1;
                        }
                    } else {
                        text.mark(&mark);
                    }
                    mark.chars().count()
                }
            };
        }
    }

    fn name(&self, path: &[String]) -> String {
        const WORDS: [&str; 18] = [
            "as", "async", "const", "crate", "dyn", "extern", "false", "fn", "for", "impl", "in", "mut",
            "ref", "self", "true", "unsafe", "where", "_",
        ];
        let first = &path[0];
        let joined = || path.join("::");
        if path.len() == 1 && WORDS.contains(&first.as_str()) {
            return joined();
        }
        if first == "Self" {
            return match &self.this {
                Some(this) if path.len() == 1 => this.clone(),
                Some(this) => format!("{this}::{}", path[1..].join("::")),
                None => joined(),
            };
        }
        if let Some(called) = self.parameters.get(first) {
            return [std::slice::from_ref(called), &path[1..]].concat().join("::");
        }
        match self.entity(path) {
            Some(entity) => self.public.display(self.tree, &entity),
            None => joined(),
        }
    }
}

/// The path of names joined by `::` that starts at a name.
fn path_at(tokens: &[TokenTree], at: usize) -> Vec<String> {
    let mut path = vec![tokens[at].to_string()];
    let mut at = at + 1;
    while let [a, b, TokenTree::Ident(name), ..] = &tokens[at.min(tokens.len())..]
        && is_punct(a, ':')
        && is_punct(b, ':')
    {
        path.push(name.to_string());
        at += 3;
    }
    path
}

/// The operator at a place.
fn mark_at(tokens: &[TokenTree], at: usize) -> String {
    let mut mark = String::new();
    for token in &tokens[at..] {
        let TokenTree::Punct(punct) = token else { break };
        mark.push(punct.as_char());
        // `>>` closes two lists.
        let known = ["::", "->", "=>", "==", "..", "..="];
        let joint = punct.spacing() == Spacing::Joint;
        let goes_on = known
            .iter()
            .any(|long| long.len() > mark.len() && long.starts_with(&mark));
        if !joint || !goes_on {
            break;
        }
    }
    if mark.len() > 1 && !["::", "->", "=>", "==", "..", "..="].contains(&mark.as_str()) {
        mark.truncate(1);
    }
    mark
}

/// The text of a type in which lifetimes have no names: which ones differ does not matter to whether it has a trait.
pub(crate) fn without_lifetimes(text: &str) -> String {
    let mut parts = text.split('\'');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(part.len());
        let name = &part[..end];
        out.push('\'');
        out.push_str(if name == "static" { name } else { "_" });
        out.push_str(&part[end..]);
    }
    out
}

/// Text with a person's spacing.
#[derive(Default)]
struct Text {
    text: String,
    after_word: bool,
}

impl Text {
    fn word(&mut self, word: &str) {
        if self.after_word {
            self.text.push(' ');
        }
        self.text.push_str(word);
        self.after_word = true;
    }

    fn mark(&mut self, mark: &str) {
        match mark {
            "," | ";" | ":" => {
                self.text.push_str(mark);
                self.text.push(' ');
                self.after_word = false;
            }
            "->" | "=>" | "=" | "==" | "+" => {
                let text = self.text.trim_end().len();
                self.text.truncate(text);
                self.text.push_str(&format!(" {mark} "));
                self.after_word = false;
            }
            ")" | "]" | "}" | ">" => {
                let text = self.text.trim_end_matches([',', ' ']).len();
                self.text.truncate(text);
                self.text.push_str(mark);
                self.after_word = true;
            }
            _ => {
                // `dyn 'a`, `mut [u8]`, `impl <T>`: a word keeps its distance from what opens, `Vec<u8>` does not.
                let last = self
                    .text
                    .rsplit(|c: char| !c.is_alphanumeric())
                    .next()
                    .unwrap_or_default();
                let apart = is_keyword(last)
                    || self
                        .text
                        .rsplit([' ', '&', '<'])
                        .next()
                        .is_some_and(|word| word.starts_with('\''));
                if self.after_word && matches!(mark, "[" | "(" | "&" | "*") && apart {
                    self.text.push(' ');
                }
                self.text.push_str(mark);
                self.after_word = mark.chars().all(char::is_alphanumeric);
            }
        }
    }
}

fn is_keyword(word: &str) -> bool {
    ["mut", "const", "dyn", "impl", "for", "where", "as", "in"].contains(&word)
}
