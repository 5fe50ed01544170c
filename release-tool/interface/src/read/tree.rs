//! Crates as modules with names in them, macros applied.

use crate::expand::{DEPTH, Macro};
use crate::sources::Sources;
use crate::{InterfaceError, Place, cfg};
use proc_macro2::Span;
use std::collections::BTreeMap;
use syn::spanned::Spanned;
use syn::{Attribute, Item, Meta, UseTree, Visibility};
use vrel_model::Arch;

/// Macros that make no items.
const WITHOUT_ITEMS: [&str; 2] = ["global_asm", "compile_error"];

/// A module.
pub(crate) struct Module {
    /// Its path where it is defined, for example `abi::layout`.
    pub(crate) path: String,
    pub(crate) parent: Option<usize>,
    pub(crate) root: usize,
    pub(crate) place: Place,
    pub(crate) names: Vec<Named>,
    /// `use path::*`.
    pub(crate) globs: Vec<Import>,
    pub(crate) impls: Vec<syn::ItemImpl>,
}

/// How far a name can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// In its module and those below.
    Below,
    /// In the crate, or in a part of it.
    Crate,
    /// Everywhere.
    Everywhere,
}

/// A name in a module.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) seen: Seen,
    pub(crate) what: What,
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Module(usize),
    Definition(usize),
    Import(Import),
}

/// The path of a `use`.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    pub(crate) seen: Seen,
    pub(crate) place: Place,
}

/// An item with a name.
pub(crate) struct Definition {
    /// Its path where it is defined, for example `abi::error::Error`.
    pub(crate) path: String,
    pub(crate) module: usize,
    pub(crate) place: Place,
    pub(crate) item: Defined,
}

/// What is defined.
pub(crate) enum Defined {
    Item(Box<Item>),
    Macro(Macro),
}

/// The crates for one architecture.
pub(crate) struct Tree<'s, 'r> {
    pub(crate) arch: Arch,
    pub(crate) sources: &'s Sources<'r>,
    pub(crate) modules: Vec<Module>,
    pub(crate) definitions: Vec<Definition>,
    /// The top module of each crate.
    pub(crate) roots: BTreeMap<String, usize>,
    macros: BTreeMap<(String, String), Macro>,
}

/// Where the files of a module's children are.
struct Directory {
    /// Of `mod name;`.
    children: String,
    /// Of `#[path]`.
    own: String,
}

impl<'s, 'r> Tree<'s, 'r> {
    pub(crate) fn new(arch: Arch, sources: &'s Sources<'r>) -> Self {
        Self {
            arch,
            sources,
            modules: Vec::new(),
            definitions: Vec::new(),
            roots: BTreeMap::new(),
            macros: BTreeMap::new(),
        }
    }

    /// Adds a crate by the path of its `lib.rs`. Crates that it uses come before it.
    pub(crate) fn add_crate(&mut self, name: &str, file: &str) -> Result<(), InterfaceError> {
        let place = Place::new(file, 1);
        let missing = || InterfaceError::new(place.clone(), "this file is missing");
        let parsed = self.sources.file(file)?.ok_or_else(missing)?;
        let root = self.add_module(name.to_owned(), None, place);
        self.roots.insert(name.to_owned(), root);
        let own = directory_of(file);
        let directory = Directory {
            children: own.clone(),
            own,
        };
        self.add_items(root, &parsed.items, &directory, 0)
    }

    /// A macro by its crate and name.
    pub(crate) fn find_macro(&self, crate_name: &str, name: &str) -> Option<&Macro> {
        self.macros.get(&(crate_name.to_owned(), name.to_owned()))
    }

    fn add_module(&mut self, path: String, parent: Option<usize>, place: Place) -> usize {
        let at = self.modules.len();
        self.modules.push(Module {
            path,
            parent,
            root: parent.map_or(at, |parent| self.modules[parent].root),
            place,
            names: Vec::new(),
            globs: Vec::new(),
            impls: Vec::new(),
        });
        at
    }

    pub(crate) fn crate_name(&self, module: usize) -> &str {
        &self.modules[self.modules[module].root].path
    }

    pub(crate) fn place(&self, module: usize, span: Span) -> Place {
        self.sources.place(span, &self.modules[module].place)
    }

    fn error(&self, module: usize, span: Span, reason: impl Into<String>) -> InterfaceError {
        InterfaceError::new(self.place(module, span), reason)
    }

    fn add_items(
        &mut self,
        module: usize,
        items: &[Item],
        directory: &Directory,
        depth: usize,
    ) -> Result<(), InterfaceError> {
        for item in items {
            if cfg::is_compiled(attributes(item), self.arch) {
                self.add_item(module, item, directory, depth)?;
            }
        }
        Ok(())
    }

    fn add_item(
        &mut self,
        module: usize,
        item: &Item,
        directory: &Directory,
        depth: usize,
    ) -> Result<(), InterfaceError> {
        match item {
            Item::Macro(called) => self.add_macro(module, called, directory, depth),
            Item::Mod(declared) => self.add_declared(module, declared, directory, depth),
            Item::Use(used) => {
                let seen = self.seen(&used.vis, &used.attrs);
                let import = |path| Import {
                    path,
                    seen,
                    place: self.place(module, used.use_token.span),
                };
                let mut names = Vec::new();
                let mut globs = Vec::new();
                leaves(&used.tree, Vec::new(), &mut names, &mut globs);
                let named: Vec<_> = names
                    .into_iter()
                    // A trait whose methods are wanted, and not its name.
                    .filter(|(name, _)| name != "_")
                    .map(|(name, path)| Named {
                        name,
                        seen,
                        what: What::Import(import(path)),
                    })
                    .collect();
                let globs: Vec<_> = globs.into_iter().map(import).collect();
                self.modules[module].names.extend(named);
                self.modules[module].globs.extend(globs);
                Ok(())
            }
            Item::Impl(block) => {
                self.modules[module].impls.push(block.clone());
                Ok(())
            }
            Item::Const(item) if item.ident == "_" => Ok(()),
            Item::Const(found) => self.define(module, &found.ident, &found.vis, item),
            Item::Static(found) => self.define(module, &found.ident, &found.vis, item),
            Item::Fn(found) => self.define(module, &found.sig.ident, &found.vis, item),
            Item::Type(found) => self.define(module, &found.ident, &found.vis, item),
            Item::Struct(found) => self.define(module, &found.ident, &found.vis, item),
            Item::Union(found) => self.define(module, &found.ident, &found.vis, item),
            Item::Enum(found) => self.define(module, &found.ident, &found.vis, item),
            Item::Trait(found) => self.define(module, &found.ident, &found.vis, item),
            // Hidden or private, it is no part of the interface.
            Item::ExternCrate(found) if self.seen(&found.vis, &found.attrs) != Seen::Everywhere => Ok(()),
            Item::ForeignMod(found) if foreign_is_private(found) => Ok(()),
            other => Err(self.error(
                module,
                other.span(),
                "this kind of item is not understood where it is public",
            )),
        }
    }

    fn define(
        &mut self,
        module: usize,
        name: &syn::Ident,
        vis: &Visibility,
        item: &Item,
    ) -> Result<(), InterfaceError> {
        let place = self.place(module, name.span());
        self.add_definition(
            module,
            &name.to_string(),
            self.seen(vis, attributes(item)),
            place,
            Defined::Item(Box::new(item.clone())),
        );
        Ok(())
    }

    /// How far an item can be seen. What is hidden from documentation is no part of the interface, however public it is.
    fn seen(&self, vis: &Visibility, attrs: &[Attribute]) -> Seen {
        match seen(vis) {
            Seen::Everywhere if is_hidden(&cfg::effective(attrs, self.arch)) => Seen::Crate,
            seen => seen,
        }
    }

    fn add_definition(&mut self, module: usize, name: &str, seen: Seen, place: Place, item: Defined) {
        let at = self.definitions.len();
        self.definitions.push(Definition {
            path: format!("{}::{name}", self.modules[module].path),
            module,
            place,
            item,
        });
        self.modules[module].names.push(Named {
            name: name.to_owned(),
            seen,
            what: What::Definition(at),
        });
    }

    /// A definition of a macro, or a call of one.
    fn add_macro(
        &mut self,
        module: usize,
        called: &syn::ItemMacro,
        directory: &Directory,
        depth: usize,
    ) -> Result<(), InterfaceError> {
        let crate_name = self.crate_name(module).to_owned();
        let path: Vec<String> = called
            .mac
            .path
            .segments
            .iter()
            .map(|s| s.ident.to_string())
            .collect();
        let last = path.last().cloned().unwrap_or_default();
        if let Some(name) = &called.ident {
            let place = self.place(module, name.span());
            let name = name.to_string();
            let made = Macro::parse(
                &crate_name,
                &name,
                called.mac.tokens.clone(),
                self.sources,
                &place,
            )?;
            self.macros.insert((crate_name, name.clone()), made.clone());
            if called
                .attrs
                .iter()
                .any(|attr| attr.path().is_ident("macro_export"))
            {
                let root = self.modules[module].root;
                let hidden = is_hidden(&cfg::effective(&called.attrs, self.arch));
                let seen = if hidden { Seen::Crate } else { Seen::Everywhere };
                self.add_definition(root, &name, seen, place, Defined::Macro(made));
            }
            return Ok(());
        }
        if WITHOUT_ITEMS.contains(&last.as_str()) {
            return Ok(());
        }
        let home = path
            .first()
            .filter(|first| path.len() > 1 && self.roots.contains_key(*first));
        let home = home.cloned().unwrap_or(crate_name);
        let span = called.mac.path.span();
        let known = self.find_macro(&home, &last).cloned().ok_or_else(|| {
            let reason = format!("`{last}!` may declare public items, and its definition is not known here");
            self.error(module, span, reason)
        })?;
        if depth > DEPTH {
            return Err(self.error(module, span, format!("`{last}!` goes on without end")));
        }
        let expanded = known.apply(&called.mac.tokens).ok_or_else(|| {
            let reason = format!("no rule of `{last}!` takes what it is given here");
            self.error(module, span, reason)
        })?;
        let what = format!("what `{last}!` becomes is not understood");
        let place = self.place(module, span);
        let file: syn::File =
            syn::parse2(expanded).map_err(|error| self.sources.syntax(&error, &place, &what))?;
        self.add_items(module, &file.items, directory, depth + 1)
    }

    fn add_declared(
        &mut self,
        module: usize,
        declared: &syn::ItemMod,
        directory: &Directory,
        depth: usize,
    ) -> Result<(), InterfaceError> {
        let name = declared.ident.to_string();
        let path = format!("{}::{name}", self.modules[module].path);
        let place = self.place(module, declared.ident.span());
        let child = self.add_module(path, Some(module), place);
        let metas = cfg::effective(&declared.attrs, self.arch);
        let seen = self.seen(&declared.vis, &declared.attrs);
        self.modules[module].names.push(Named {
            name: name.clone(),
            seen,
            what: What::Module(child),
        });
        if let Some((_, items)) = &declared.content {
            let inner = format!("{}/{name}", directory.children);
            let inner = Directory {
                own: inner.clone(),
                children: inner,
            };
            return self.add_items(child, items, &inner, depth);
        }
        let given = metas.iter().find_map(|meta| match meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => cfg::text(&pair.value),
            _ => None,
        });
        let (file, items) = self.child_file(module, declared, given, directory)?;
        self.modules[child].place = Place::new(&file, 1);
        let own = directory_of(&file);
        let stem = file.rsplit('/').next().unwrap_or_default();
        let children = if stem == "mod.rs" || !file.ends_with(&format!("/{name}.rs")) {
            own.clone()
        } else {
            format!("{own}/{name}")
        };
        self.add_items(child, &items.items, &Directory { children, own }, depth)
    }

    fn child_file(
        &self,
        module: usize,
        declared: &syn::ItemMod,
        given: Option<String>,
        directory: &Directory,
    ) -> Result<(String, std::rc::Rc<syn::File>), InterfaceError> {
        let name = &declared.ident;
        let candidates = match given {
            Some(path) => vec![format!("{}/{path}", directory.own)],
            None => vec![
                format!("{}/{name}.rs", directory.children),
                format!("{}/{name}/mod.rs", directory.children),
            ],
        };
        for file in &candidates {
            if let Some(items) = self.sources.file(file)? {
                return Ok((file.clone(), items));
            }
        }
        let reason = format!(
            "there is no file of the module `{name}`: expected {}",
            candidates.join(" or ")
        );
        Err(self.error(module, name.span(), reason))
    }
}

fn directory_of(file: &str) -> String {
    file.rsplit_once('/')
        .map_or(".", |(directory, _)| directory)
        .to_owned()
}

pub(crate) fn seen(vis: &Visibility) -> Seen {
    match vis {
        Visibility::Public(_) => Seen::Everywhere,
        Visibility::Restricted(_) => Seen::Crate,
        Visibility::Inherited => Seen::Below,
    }
}

/// Whether documentation leaves an item with these attributes out.
pub(crate) fn is_hidden(metas: &[Meta]) -> bool {
    metas.iter().any(|meta| match meta {
        Meta::List(list) => list.path.is_ident("doc") && list.tokens.to_string() == "hidden",
        _ => false,
    })
}

fn foreign_is_private(block: &syn::ItemForeignMod) -> bool {
    block.items.iter().all(|item| match item {
        syn::ForeignItem::Fn(item) => seen(&item.vis) != Seen::Everywhere,
        syn::ForeignItem::Static(item) => seen(&item.vis) != Seen::Everywhere,
        syn::ForeignItem::Type(item) => seen(&item.vis) != Seen::Everywhere,
        _ => false,
    })
}

fn leaves(
    tree: &UseTree,
    mut before: Vec<String>,
    names: &mut Vec<(String, Vec<String>)>,
    globs: &mut Vec<Vec<String>>,
) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            leaves(&path.tree, before, names, globs);
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                leaves(tree, before.clone(), names, globs);
            }
        }
        UseTree::Glob(_) => globs.push(before),
        UseTree::Name(name) => {
            // `use a::b::{self}` is `use a::b`.
            if name.ident != "self" {
                before.push(name.ident.to_string());
            }
            names.push((before.last().cloned().unwrap_or_default(), before));
        }
        UseTree::Rename(renamed) => {
            if renamed.ident != "self" {
                before.push(renamed.ident.to_string());
            }
            names.push((renamed.rename.to_string(), before));
        }
    }
}

pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
