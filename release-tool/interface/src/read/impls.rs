//! What types can do: their functions and constants, the traits that they have; and the traits themselves.

use super::canon::{Scope, without_lifetimes};
use super::items::{Extractor, constant, generics, is_deprecated, signature};
use super::names::Entity;
use super::tree::{Defined, Seen, is_hidden, seen};
use crate::{InterfaceError, Item, ItemKind, Place, Trait, TraitItem};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{ImplItem, Meta, Token, Type};

/// Adds what `impl` blocks and `derive` give to public types.
pub(super) fn extract(into: &mut Extractor<'_, '_, '_>) -> Result<(), InterfaceError> {
    for (module, at) in (0..into.tree.modules.len())
        .flat_map(|module| (0..into.tree.modules[module].impls.len()).map(move |at| (module, at)))
        .collect::<Vec<_>>()
    {
        let block = &into.tree.modules[module].impls[at];
        match &block.trait_ {
            None => inherent(into, module, block)?,
            Some((path, _)) => of_trait(into, module, block, path),
        }
    }
    derived(into);
    Ok(())
}

/// The path of a type without its arguments: of `&'a mut Vec<T>`, `Vec`.
fn path_of(ty: &Type) -> Option<Vec<String>> {
    match ty {
        Type::Path(path) if path.qself.is_none() => Some(
            path.path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect(),
        ),
        Type::Reference(reference) => path_of(&reference.elem),
        Type::Paren(paren) => path_of(&paren.elem),
        Type::Group(group) => path_of(&group.elem),
        Type::Slice(slice) => path_of(&slice.elem),
        Type::Array(array) => path_of(&array.elem),
        _ => None,
    }
}

fn inherent(
    into: &mut Extractor<'_, '_, '_>,
    module: usize,
    block: &syn::ItemImpl,
) -> Result<(), InterfaceError> {
    let mut found = Vec::new();
    {
        let outer = into.scope(module);
        let entity = path_of(&block.self_ty).and_then(|path| outer.entity(&path));
        let Some(owner) = entity.as_ref().and_then(|entity| into.public.public(entity)) else {
            return Ok(());
        };
        let scope = outer.with(&block.generics);
        let this = scope.text(block.self_ty.to_token_stream());
        let scope = scope.with_self(&this);
        let bounds = generics(&scope, &block.generics);
        for item in &block.items {
            let (attrs, vis, name) = match item {
                ImplItem::Fn(item) => (&item.attrs, &item.vis, &item.sig.ident),
                ImplItem::Const(item) => (&item.attrs, &item.vis, &item.ident),
                other => {
                    let place = into.tree.place(module, other.span());
                    let reason = "this kind of item is not understood in an `impl` block of a public type";
                    return Err(InterfaceError::new(place, reason));
                }
            };
            let metas = into.metas(attrs);
            if seen(vis) != Seen::Everywhere || !into.is_compiled(attrs) || is_hidden(&metas) {
                continue;
            }
            let kind = match item {
                ImplItem::Fn(item) => {
                    let mut function = signature(&scope, &item.sig);
                    function.generics = format!("{bounds}{}", function.generics);
                    ItemKind::Function(function)
                }
                ImplItem::Const(item) => constant(&scope, &item.ty, Some(&item.expr)),
                _ => continue,
            };
            let item = Item {
                place: into.tree.place(module, name.span()),
                deprecated: is_deprecated(&metas),
                kind,
            };
            found.push((format!("{owner}::{name}"), item));
        }
    }
    into.items.extend(found);
    Ok(())
}

/// Whether others can name an entity.
fn is_reachable(into: &Extractor<'_, '_, '_>, entity: Option<&Entity>) -> bool {
    match entity {
        Some(entity @ (Entity::Definition(_) | Entity::Module(_))) => into.public.public(entity).is_some(),
        _ => true,
    }
}

fn of_trait(into: &mut Extractor<'_, '_, '_>, module: usize, block: &syn::ItemImpl, path: &syn::Path) {
    let symbol = {
        let outer = into.scope(module);
        let segments: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        let ty = path_of(&block.self_ty).filter(|path| !is_parameter(block, path));
        let trait_entity = outer.entity(&segments);
        let type_entity = ty.and_then(|path| outer.entity(&path));
        if !is_reachable(into, trait_entity.as_ref()) || !is_reachable(into, type_entity.as_ref()) {
            return;
        }
        let scope = outer.with(&block.generics);
        let ty = scope.text(block.self_ty.to_token_stream());
        let arguments = path
            .segments
            .last()
            .map(|segment| scope.text(segment.arguments.to_token_stream()));
        let name = trait_name(into, trait_entity.as_ref(), &segments);
        let negative = if block.modifiers.polarity.is_some() {
            "!"
        } else {
            ""
        };
        let clause = block.generics.where_clause.to_token_stream();
        let bounds = generics(&scope, &block.generics);
        let bounded = block.generics.params.iter().any(is_bounded) || !clause.is_empty();
        let bounds = if bounded {
            format!(" where impl{bounds}")
        } else {
            String::new()
        };
        format!(
            "impl {negative}{name}{} for {ty}{bounds}",
            arguments.unwrap_or_default()
        )
    };
    let place = into.tree.place(module, block.impl_token.span);
    add_impl(into, &symbol, place);
}

fn is_bounded(parameter: &syn::GenericParam) -> bool {
    match parameter {
        syn::GenericParam::Type(ty) => !ty.bounds.is_empty(),
        syn::GenericParam::Lifetime(lifetime) => !lifetime.bounds.is_empty(),
        syn::GenericParam::Const(_) => false,
    }
}

fn is_parameter(block: &syn::ItemImpl, path: &[String]) -> bool {
    let mut parameters = block.generics.type_params();
    path.len() == 1 && parameters.any(|parameter| parameter.ident == path[0])
}

/// A trait's name: its public path, or for one of another crate the last part, as `derive` has no more.
fn trait_name(into: &Extractor<'_, '_, '_>, entity: Option<&Entity>, written: &[String]) -> String {
    match entity {
        Some(entity @ Entity::Definition(_)) => into.public.display(into.tree, entity),
        _ => written.last().cloned().unwrap_or_default(),
    }
}

/// `Drop` is left out: nobody can ask for it.
fn add_impl(into: &mut Extractor<'_, '_, '_>, symbol: &str, place: Place) {
    if symbol.starts_with("impl Drop for") {
        return;
    }
    into.items.entry(without_lifetimes(symbol)).or_insert(Item {
        place,
        deprecated: false,
        kind: ItemKind::Impl,
    });
}

fn derived(into: &mut Extractor<'_, '_, '_>) {
    let mut found = Vec::new();
    for (at, definition) in into.tree.definitions.iter().enumerate() {
        let (attrs, parameters) = match &definition.item {
            Defined::Item(item) => match &**item {
                syn::Item::Struct(item) => (&item.attrs, &item.generics),
                syn::Item::Enum(item) => (&item.attrs, &item.generics),
                syn::Item::Union(item) => (&item.attrs, &item.generics),
                _ => continue,
            },
            Defined::Macro(_) => continue,
        };
        let Some(owner) = into.public.public(&Entity::Definition(at)) else {
            continue;
        };
        let scope = into.scope(definition.module).with(parameters);
        let (_, arguments, _) = parameters.split_for_impl();
        let ty = format!("{owner}{}", scope.text(arguments.to_token_stream()));
        for meta in into.metas(attrs) {
            let Meta::List(list) = &meta else { continue };
            let traits = Punctuated::<syn::Path, Token![,]>::parse_terminated;
            if !list.path.is_ident("derive") {
                continue;
            }
            for path in list.parse_args_with(traits).into_iter().flatten() {
                if let Some(name) = path.segments.last() {
                    let symbol = format!("impl {} for {ty}", name.ident);
                    found.push((symbol, into.tree.place(definition.module, name.ident.span())));
                }
            }
        }
    }
    for (symbol, place) in found {
        add_impl(into, &symbol, place);
    }
}

/// A trait's declaration.
pub(super) fn declared(
    from: &Extractor<'_, '_, '_>,
    scope: &Scope<'_, '_, '_>,
    item: &syn::ItemTrait,
) -> Result<Trait, InterfaceError> {
    let mut items = std::collections::BTreeMap::new();
    for inner in &item.items {
        let (attrs, name, has_default, declaration) = match inner {
            syn::TraitItem::Fn(inner) => {
                let text = signature(scope, &inner.sig).to_string();
                (&inner.attrs, &inner.sig.ident, inner.default.is_some(), text)
            }
            syn::TraitItem::Const(inner) => {
                let text = format!("const {}", scope.text(inner.ty.to_token_stream()));
                (&inner.attrs, &inner.ident, inner.default.is_some(), text)
            }
            syn::TraitItem::Type(inner) => {
                let inside = scope.with(&inner.generics);
                let bounds = inside.text(inner.bounds.to_token_stream());
                let text = format!("type{}: {bounds}", generics(&inside, &inner.generics));
                (&inner.attrs, &inner.ident, inner.default.is_some(), text)
            }
            other => {
                let place = from.tree.place(scope.module, other.span());
                return Err(InterfaceError::new(
                    place,
                    "this kind of item is not understood in a public trait",
                ));
            }
        };
        if from.is_compiled(attrs) {
            let made = TraitItem {
                has_default,
                declaration,
                place: from.tree.place(scope.module, name.span()),
            };
            items.insert(name.to_string(), made);
        }
    }
    let mut supertraits: Vec<String> = item
        .supertraits
        .iter()
        .map(|bound| scope.text(bound.to_token_stream()))
        .collect();
    supertraits.sort();
    Ok(Trait {
        generics: generics(scope, &item.generics),
        unsafety: item.unsafety.is_some(),
        supertraits,
        items,
    })
}
