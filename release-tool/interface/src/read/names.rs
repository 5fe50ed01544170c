//! What names mean, and which are public.

use super::tree::{Import, Seen, Tree, What};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many imports may lead to one another.
const DEPTH: usize = 32;

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entity {
    Module(usize),
    Definition(usize),
    /// Something of another crate, or inside a definition: its path.
    Elsewhere(String),
}

/// A public path.
#[derive(Debug)]
pub(crate) struct Export {
    pub(crate) path: String,
    pub(crate) entity: Entity,
    /// The `use` that makes it public, where one does.
    pub(crate) import: Option<Import>,
}

impl Tree<'_, '_> {
    /// What a name in a module means to one who can see so far.
    pub(crate) fn lookup(&self, module: usize, name: &str, least: Seen, depth: usize) -> Vec<Entity> {
        let mut found = Vec::new();
        if depth > DEPTH {
            return found;
        }
        let here = &self.modules[module];
        for named in here
            .names
            .iter()
            .filter(|named| named.name == name && sees(named.seen, least))
        {
            match &named.what {
                What::Module(at) => found.push(Entity::Module(*at)),
                What::Definition(at) => found.push(Entity::Definition(*at)),
                What::Import(import) => found.extend(self.resolve(module, &import.path, depth + 1)),
            }
        }
        if found.is_empty() {
            for glob in here.globs.iter().filter(|glob| sees(glob.seen, least)) {
                for target in self.resolve(module, &glob.path, depth + 1) {
                    if let Entity::Module(target) = target
                        && target != module
                    {
                        found.extend(self.lookup(target, name, Seen::Crate, depth + 1));
                    }
                }
            }
        }
        found
    }

    /// What a path written in a module leads to. A path that starts with nothing known here is of another crate.
    pub(crate) fn resolve(&self, module: usize, path: &[String], depth: usize) -> Vec<Entity> {
        let Some((first, rest)) = path.split_first() else {
            return Vec::new();
        };
        let mut reached = match first.as_str() {
            "crate" => vec![Entity::Module(self.modules[module].root)],
            "self" => vec![Entity::Module(module)],
            "super" => self.modules[module]
                .parent
                .map(Entity::Module)
                .into_iter()
                .collect(),
            // An import of a name does not mean itself.
            name if depth > 0 && rest.is_empty() && self.imports_itself(module, name) => Vec::new(),
            name => self.lookup(module, name, Seen::Below, depth + 1),
        };
        if reached.is_empty() {
            reached = match self.roots.get(first) {
                Some(root) => vec![Entity::Module(*root)],
                None => vec![Entity::Elsewhere(first.clone())],
            };
        }
        for segment in rest {
            let step = |entity: Entity| match entity {
                Entity::Module(at) if segment == "super" => {
                    self.modules[at].parent.map(Entity::Module).into_iter().collect()
                }
                Entity::Module(at) => self.lookup(at, segment, Seen::Below, depth + 1),
                Entity::Definition(at) => vec![Entity::Elsewhere(format!(
                    "{}::{segment}",
                    self.definitions[at].path
                ))],
                Entity::Elsewhere(path) => vec![Entity::Elsewhere(format!("{path}::{segment}"))],
            };
            reached = reached.into_iter().flat_map(step).collect();
        }
        reached
    }

    fn imports_itself(&self, module: usize, name: &str) -> bool {
        self.modules[module].names.iter().any(|named| {
            named.name == name && matches!(&named.what, What::Import(import) if import.path == [name])
        })
    }

    /// Every public path of the crates, shortest first.
    pub(crate) fn exports(&self) -> Vec<Export> {
        let mut open: VecDeque<(usize, String)> = self
            .roots
            .iter()
            .map(|(name, root)| (*root, name.clone()))
            .collect();
        let mut visited: BTreeSet<usize> = self.roots.values().copied().collect();
        let mut found = Vec::new();
        while let Some((module, prefix)) = open.pop_front() {
            for (name, entity, import) in self.public_names(module, 0) {
                let path = format!("{prefix}::{name}");
                if let Entity::Module(inner) = entity
                    && visited.insert(inner)
                {
                    open.push_back((inner, path.clone()));
                }
                found.push(Export { path, entity, import });
            }
        }
        found
    }

    /// The public names of a module, with what it imports by `pub use path::*`.
    fn public_names(&self, module: usize, depth: usize) -> Vec<(String, Entity, Option<Import>)> {
        let mut found = Vec::new();
        if depth > DEPTH {
            return found;
        }
        let here = &self.modules[module];
        for named in here.names.iter().filter(|named| named.seen == Seen::Everywhere) {
            match &named.what {
                What::Module(at) => found.push((named.name.clone(), Entity::Module(*at), None)),
                What::Definition(at) => found.push((named.name.clone(), Entity::Definition(*at), None)),
                What::Import(import) => {
                    for entity in self.resolve(module, &import.path, 1) {
                        found.push((named.name.clone(), entity, Some(import.clone())));
                    }
                }
            }
        }
        let own: BTreeSet<String> = here.names.iter().map(|named| named.name.clone()).collect();
        for glob in here.globs.iter().filter(|glob| glob.seen == Seen::Everywhere) {
            for target in self.resolve(module, &glob.path, 1) {
                match target {
                    Entity::Module(target) if target != module => found.extend(
                        self.public_names(target, depth + 1)
                            .into_iter()
                            .filter(|(name, ..)| !own.contains(name))
                            .map(|(name, entity, _)| (name, entity, Some(glob.clone()))),
                    ),
                    Entity::Module(_) => {}
                    Entity::Definition(at) => {
                        let all = Entity::Elsewhere(format!("{}::*", self.definitions[at].path));
                        found.push(("*".to_owned(), all, Some(glob.clone())));
                    }
                    Entity::Elsewhere(path) => {
                        let all = Entity::Elsewhere(format!("{path}::*"));
                        found.push(("*".to_owned(), all, Some(glob.clone())));
                    }
                }
            }
        }
        found
    }
}

fn sees(seen: Seen, least: Seen) -> bool {
    match least {
        Seen::Below => true,
        Seen::Crate => seen != Seen::Below,
        Seen::Everywhere => seen == Seen::Everywhere,
    }
}

/// The path by which an entity is named in declarations: its shortest public one, else where it is defined.
pub(crate) struct PublicNames(BTreeMap<Entity, String>);

impl PublicNames {
    pub(crate) fn new(tree: &Tree<'_, '_>, exports: &[Export]) -> Self {
        let mut names: BTreeMap<Entity, String> = tree
            .roots
            .iter()
            .map(|(name, root)| (Entity::Module(*root), name.clone()))
            .collect();
        for export in exports {
            let length = |path: &str| (path.matches("::").count(), path.to_owned());
            let better = names
                .get(&export.entity)
                .is_none_or(|known| length(&export.path) < length(known));
            if better {
                names.insert(export.entity.clone(), export.path.clone());
            }
        }
        Self(names)
    }

    /// The public path; `None` for what is not public.
    pub(crate) fn public(&self, entity: &Entity) -> Option<&str> {
        self.0.get(entity).map(String::as_str)
    }

    pub(crate) fn display(&self, tree: &Tree<'_, '_>, entity: &Entity) -> String {
        match (self.public(entity), entity) {
            (Some(_), Entity::Elsewhere(path)) => path.clone(),
            (Some(path), _) => path.to_owned(),
            (None, Entity::Module(at)) => tree.modules[*at].path.clone(),
            (None, Entity::Definition(at)) => tree.definitions[*at].path.clone(),
            (None, Entity::Elsewhere(path)) => path.clone(),
        }
    }
}
