//! From definitions to public items.

use super::canon::Scope;
use super::names::{Entity, Export, PublicNames};
use super::tree::{Defined, Seen, Tree, is_hidden, seen};
use super::{constants, impls};
use crate::{Enum, Field, Function, InterfaceError, Item, ItemKind, Place, Shape, Struct, Variant, cfg};
use quote::ToTokens;
use std::collections::BTreeMap;
use syn::spanned::Spanned;
use syn::{Attribute, Fields, Meta, Signature};

/// The items found so far.
pub(super) struct Extractor<'t, 's, 'r> {
    pub(super) tree: &'t Tree<'s, 'r>,
    pub(super) public: PublicNames,
    pub(super) items: BTreeMap<String, Item>,
}

impl<'t, 's, 'r> Extractor<'t, 's, 'r> {
    pub(super) fn new(tree: &'t Tree<'s, 'r>) -> Self {
        Self {
            tree,
            public: PublicNames::new(tree, &[]),
            items: BTreeMap::new(),
        }
    }

    /// All public items by symbol.
    pub(super) fn extract(mut self) -> Result<BTreeMap<String, Item>, InterfaceError> {
        let exports = self.tree.exports();
        self.public = PublicNames::new(self.tree, &exports);
        for export in &exports {
            let item = self.exported(export)?;
            self.items.insert(export.path.clone(), item);
        }
        impls::extract(&mut self)?;
        Ok(self.items)
    }

    pub(super) fn scope(&self, module: usize) -> Scope<'_, 's, 'r> {
        Scope::new(self.tree, &self.public, module)
    }

    pub(super) fn metas(&self, attrs: &[Attribute]) -> Vec<Meta> {
        cfg::effective(attrs, self.tree.arch)
    }

    pub(super) fn is_compiled(&self, attrs: &[Attribute]) -> bool {
        cfg::is_compiled(attrs, self.tree.arch)
    }

    fn exported(&mut self, export: &Export) -> Result<Item, InterfaceError> {
        let again = |of: String, place: Place| Item {
            place,
            deprecated: false,
            kind: ItemKind::ReExport { of },
        };
        let import_place = export.import.as_ref().map(|import| import.place.clone());
        let canonical = self.public.display(self.tree, &export.entity);
        let first = canonical == export.path;
        match &export.entity {
            Entity::Module(at) => {
                let place = self.tree.modules[*at].place.clone();
                Ok(if first {
                    Item {
                        place,
                        deprecated: false,
                        kind: ItemKind::Module,
                    }
                } else {
                    again(canonical, import_place.unwrap_or(place))
                })
            }
            Entity::Definition(at) if first => self.definition(*at, &export.path),
            Entity::Definition(at) => {
                let place = import_place.unwrap_or_else(|| self.tree.definitions[*at].place.clone());
                Ok(again(canonical, place))
            }
            Entity::Elsewhere(path) => {
                let place = import_place.unwrap_or_else(|| Place::new("", 0));
                Ok(again(path.clone(), place))
            }
        }
    }

    fn definition(&self, at: usize, symbol: &str) -> Result<Item, InterfaceError> {
        let definition = &self.tree.definitions[at];
        let place = definition.place.clone();
        let scope = self.scope(definition.module);
        let item = match &definition.item {
            Defined::Macro(made) => {
                let patterns = made
                    .rules
                    .iter()
                    .map(|rule| rule.pattern.to_string().replace("$ ", "$"))
                    .collect();
                return Ok(Item {
                    place,
                    deprecated: false,
                    kind: ItemKind::Macro { patterns },
                });
            }
            Defined::Item(item) => item,
        };
        let attrs = super::tree::attributes(item);
        let kind = match &**item {
            syn::Item::Fn(item) => ItemKind::Function(signature(&scope, &item.sig)),
            syn::Item::Const(item) => constant(&scope, &item.ty, Some(&item.expr)),
            syn::Item::Static(item) => ItemKind::Static {
                ty: scope.text(item.ty.to_token_stream()),
                mutable: matches!(item.mutability, syn::StaticMutability::Mut(_)),
            },
            syn::Item::Type(item) => ItemKind::Alias {
                generics: generics(&scope.with(&item.generics), &item.generics),
                of: scope.with(&item.generics).text(item.ty.to_token_stream()),
            },
            syn::Item::Struct(item) => {
                let scope = scope.with(&item.generics).with_self(symbol);
                ItemKind::Struct(self.structure(&scope, "struct", &item.attrs, &item.generics, &item.fields))
            }
            syn::Item::Union(item) => {
                let scope = scope.with(&item.generics).with_self(symbol);
                let fields = Fields::Named(item.fields.clone());
                ItemKind::Struct(self.structure(&scope, "union", &item.attrs, &item.generics, &fields))
            }
            syn::Item::Enum(item) => {
                let scope = scope.with(&item.generics).with_self(symbol);
                ItemKind::Enum(self.enumeration(&scope, item)?)
            }
            syn::Item::Trait(item) => {
                ItemKind::Trait(impls::declared(self, &scope.with(&item.generics), item)?)
            }
            other => {
                let place = self.tree.place(definition.module, other.span());
                return Err(InterfaceError::new(
                    place,
                    format!("the public item `{symbol}` is not understood"),
                ));
            }
        };
        Ok(Item {
            place,
            deprecated: is_deprecated(&self.metas(attrs)),
            kind,
        })
    }

    fn structure(
        &self,
        scope: &Scope<'_, '_, '_>,
        keyword: &'static str,
        attrs: &[Attribute],
        parameters: &syn::Generics,
        fields: &Fields,
    ) -> Struct {
        let metas = self.metas(attrs);
        let repr = repr(&metas);
        let compiled = self.fields(fields);
        let visible = |field: &syn::Field| {
            seen(&field.vis) == Seen::Everywhere && !is_hidden(&self.metas(&field.attrs))
        };
        let public: Vec<Field> = compiled
            .iter()
            .filter(|(_, field)| visible(field))
            .map(|(name, field)| self.field(scope, name, field))
            .collect();
        Struct {
            keyword,
            generics: generics(scope, parameters),
            non_exhaustive: has(&metas, "non_exhaustive"),
            shape: shape(fields),
            private: compiled.len() - public.len(),
            layout: (!repr.is_empty()).then(|| {
                let types = compiled.iter();
                types
                    .map(|(_, field)| scope.text(field.ty.to_token_stream()))
                    .collect()
            }),
            fields: public,
            repr,
        }
    }

    /// The fields that are compiled, with their names.
    fn fields<'f>(&self, fields: &'f Fields) -> Vec<(String, &'f syn::Field)> {
        let compiled = fields.iter().filter(|field| self.is_compiled(&field.attrs));
        compiled
            .enumerate()
            .map(|(at, field)| {
                let name = field
                    .ident
                    .as_ref()
                    .map_or_else(|| at.to_string(), ToString::to_string);
                (name, field)
            })
            .collect()
    }

    fn field(&self, scope: &Scope<'_, '_, '_>, name: &str, field: &syn::Field) -> Field {
        let span = field
            .ident
            .as_ref()
            .map_or_else(|| field.ty.span(), syn::Ident::span);
        Field {
            name: name.to_owned(),
            ty: scope.text(field.ty.to_token_stream()),
            place: self.tree.place(scope.module, span),
        }
    }

    fn enumeration(&self, scope: &Scope<'_, '_, '_>, item: &syn::ItemEnum) -> Result<Enum, InterfaceError> {
        let metas = self.metas(&item.attrs);
        let repr = repr(&metas);
        let compiled: Vec<_> = item
            .variants
            .iter()
            .filter(|variant| self.is_compiled(&variant.attrs))
            .collect();
        let numbered = !repr.is_empty() || compiled.iter().any(|variant| variant.discriminant.is_some());
        let mut next = 0i128;
        let mut variants = Vec::new();
        for variant in compiled {
            let place = self.tree.place(scope.module, variant.ident.span());
            if let Some((_, expr)) = &variant.discriminant {
                next = constants::number(self.tree, scope.module, expr).ok_or_else(|| {
                    let reason = format!("the number of the variant `{}` cannot be computed", variant.ident);
                    InterfaceError::new(place.clone(), reason)
                })?;
            }
            let metas = self.metas(&variant.attrs);
            if !is_hidden(&metas) {
                let fields = self.fields(&variant.fields);
                variants.push(Variant {
                    name: variant.ident.to_string(),
                    number: numbered.then(|| next.to_string()),
                    shape: shape(&variant.fields),
                    non_exhaustive: has(&metas, "non_exhaustive"),
                    fields: fields
                        .iter()
                        .map(|(name, field)| self.field(scope, name, field))
                        .collect(),
                    place,
                });
            }
            next += 1;
        }
        Ok(Enum {
            generics: generics(scope, &item.generics),
            non_exhaustive: has(&metas, "non_exhaustive"),
            repr,
            variants,
        })
    }
}

pub(super) fn constant(scope: &Scope<'_, '_, '_>, ty: &syn::Type, expr: Option<&syn::Expr>) -> ItemKind {
    const SCALARS: [&str; 15] = [
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "bool",
        "char", "&str",
    ];
    let ty = scope.text(ty.to_token_stream());
    let value = expr.and_then(|expr| {
        let computed = constants::value(scope.tree, scope.module, expr);
        // What is not computed is compared as it is written, where it is one value and not a table.
        computed.or_else(|| {
            SCALARS
                .contains(&ty.as_str())
                .then(|| scope.text(expr.to_token_stream()))
        })
    });
    ItemKind::Constant { ty, value }
}

pub(super) fn signature(scope: &Scope<'_, '_, '_>, sig: &Signature) -> Function {
    let scope = &scope.with(&sig.generics);
    let mut calling = Vec::new();
    if sig.asyncness.is_some() {
        calling.push("async".to_owned());
    }
    calling.extend(sig.abi.as_ref().map(|abi| scope.text(abi.to_token_stream())));
    let mut arguments: Vec<String> = sig
        .inputs
        .iter()
        .map(|argument| match argument {
            syn::FnArg::Typed(typed) => scope.text(typed.ty.to_token_stream()),
            syn::FnArg::Receiver(receiver) => {
                let text = scope.text(receiver.to_token_stream());
                text.strip_prefix("mut ").unwrap_or(&text).to_owned()
            }
        })
        .collect();
    if sig.variadic.is_some() {
        arguments.push("...".to_owned());
    }
    Function {
        constant: sig.constness.is_some(),
        unsafety: matches!(sig.safety, syn::Safety::Unsafe(_)),
        calling: calling.join(" "),
        generics: generics(scope, &sig.generics),
        arguments,
        returns: match &sig.output {
            syn::ReturnType::Default => String::new(),
            syn::ReturnType::Type(_, ty) => scope.text(ty.to_token_stream()),
        },
    }
}

/// Generic parameters with their bounds, in the scope inside of them.
pub(super) fn generics(scope: &Scope<'_, '_, '_>, generics: &syn::Generics) -> String {
    let mut text = scope.text(generics.to_token_stream());
    if let Some(clause) = &generics.where_clause {
        text.push(' ');
        text.push_str(&scope.text(clause.to_token_stream()));
    }
    text
}

fn shape(fields: &Fields) -> Shape {
    match fields {
        Fields::Unit => Shape::Unit,
        Fields::Unnamed(_) => Shape::Tuple,
        Fields::Named(_) => Shape::Named,
    }
}

fn repr(metas: &[Meta]) -> String {
    let mut parts: Vec<String> = metas
        .iter()
        .filter_map(|meta| match meta {
            Meta::List(list) if list.path.is_ident("repr") => Some(list.tokens.to_string()),
            _ => None,
        })
        .collect();
    parts.sort();
    parts.join(", ")
}

fn has(metas: &[Meta], name: &str) -> bool {
    metas.iter().any(|meta| meta.path().is_ident(name))
}

pub(super) fn is_deprecated(metas: &[Meta]) -> bool {
    has(metas, "deprecated")
}
