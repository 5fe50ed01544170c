//! Who may decide what.

use crate::{Policies, StatementFact};
use vrel_model::{PersonId, PersonRole, UtcTime, Version};

/// The people who have a role.
#[must_use]
pub fn people_with<'a>(policies: &'a Policies, role: &PersonRole) -> Vec<&'a PersonId> {
    let people = policies.people.iter();
    people
        .filter(|(_, person)| person.roles.contains(role))
        .map(|(id, _)| id)
        .collect()
}

/// Why a person may not decide what asks for one of these roles; `None` when they may.
#[must_use]
pub fn may_decide(policies: &Policies, person: &PersonId, roles: &[PersonRole]) -> Option<String> {
    match policies.people.get(person) {
        None => Some(format!("there is no signing/people/{person}.toml")),
        Some(found) if found.roles.iter().any(|role| roles.contains(role)) => None,
        Some(_) => Some(format!("{person} is not {}", any_of(roles))),
    }
}

/// Roles as a sentence has them.
pub(crate) fn any_of(roles: &[PersonRole]) -> String {
    let named: Vec<_> = roles.iter().map(|role| format!("`{role}`")).collect();
    named.join(" or ")
}

/// Those who may decide, as a remedy names them.
pub(crate) fn who(policies: &Policies, roles: &[PersonRole]) -> String {
    let mut people: Vec<_> = roles
        .iter()
        .flat_map(|role| people_with(policies, role))
        .collect();
    people.sort_unstable();
    people.dedup();
    if people.is_empty() {
        return format!(
            "nobody is {} yet: `vrel keys person NAME --role {}` makes a key and signing/people/NAME.toml, to be committed",
            any_of(roles),
            roles.first().map_or("ROLE", PersonRole::as_str)
        );
    }
    let people: Vec<_> = people.into_iter().map(PersonId::as_str).collect();
    format!("{} may do so", people.join(", "))
}

/// What a statement has to be about.
pub(super) struct About<'a> {
    pub(super) policies: &'a Policies,
    pub(super) version: &'a Version,
    pub(super) commit: &'a str,
    pub(super) roles: &'a [PersonRole],
    pub(super) now: UtcTime,
}

impl About<'_> {
    /// Why a statement does not count; `None` when it does.
    pub(super) fn refusal(&self, fact: &StatementFact) -> Option<String> {
        let statement = &fact.statement;
        let product = self.policies.config.product.id.as_str();
        if let Some(problem) = &fact.problem {
            return Some(problem.clone());
        }
        if statement.product != product {
            return Some(format!("it is about {}, not {product}", statement.product));
        }
        if statement.version != *self.version {
            return Some(format!("it is about {}, not {}", statement.version, self.version));
        }
        if statement.commit != self.commit {
            let (found, expected) = (crate::short(&statement.commit), crate::short(self.commit));
            return Some(format!("it is about commit {found}, not {expected}"));
        }
        if let Some(reason) = may_decide(self.policies, &statement.person, self.roles) {
            return Some(reason);
        }
        match statement.until {
            Some(until) if until.end() <= self.now => Some(format!("it held until {until}")),
            _ => None,
        }
    }
}
