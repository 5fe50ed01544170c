//! Variables and their scopes.

use alloc::collections::BTreeMap;

use crate::prelude::*;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Variable {
    /// `None`: it has attributes, but no value.
    pub(crate) value: Option<String>,
    pub(crate) exported: bool,
    pub(crate) readonly: bool,
}

/// Setting or removing a variable that is read-only was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadOnly;

#[derive(Clone, Debug, Default)]
pub(crate) struct Variables {
    table: BTreeMap<String, Variable>,
    /// For each function that runs: what the names were that it made local.
    scopes: Vec<Vec<(String, Option<Variable>)>>,
}

impl Variables {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.table.get(name)?.value.as_deref()
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) -> Result<(), ReadOnly> {
        let variable = self.table.entry(name.to_owned()).or_default();
        if variable.readonly {
            return Err(ReadOnly);
        }
        variable.value = Some(value.into());
        Ok(())
    }

    pub(crate) fn remove(&mut self, name: &str) -> Result<(), ReadOnly> {
        if self.table.get(name).is_some_and(|variable| variable.readonly) {
            return Err(ReadOnly);
        }
        self.table.remove(name);
        Ok(())
    }

    pub(crate) fn entry(&mut self, name: &str) -> &mut Variable {
        self.table.entry(name.to_owned()).or_default()
    }

    /// Every variable, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Variable)> {
        self.table.iter()
    }

    pub(crate) fn begin_scope(&mut self) {
        self.scopes.push(Vec::new());
    }

    /// Ends the innermost scope: its local variables are what they were before.
    pub(crate) fn end_scope(&mut self) {
        for (name, variable) in self.scopes.pop().unwrap_or_default().into_iter().rev() {
            match variable {
                Some(variable) => self.table.insert(name, variable),
                None => self.table.remove(&name),
            };
        }
    }

    /// Makes a name local to the innermost scope; it keeps its value. False when no function runs.
    pub(crate) fn make_local(&mut self, name: &str) -> bool {
        let Some(scope) = self.scopes.last_mut() else {
            return false;
        };
        if !scope.iter().any(|(local, _)| local == name) {
            scope.push((name.to_owned(), self.table.get(name).cloned()));
        }
        true
    }
}
