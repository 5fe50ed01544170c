//! Which services there are, and in which order they start.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::file::Service;

/// Services that fit together, in an order in which they can start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    services: Vec<Service>,
    /// For each service, which ones come before it: the ones that it requires, and that it comes after.
    requires: Vec<Vec<usize>>,
    before: Vec<Vec<usize>>,
}

/// Why services do not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetError {
    /// Two have this name.
    Duplicate(String),
    /// The first requires the second, which is not there.
    Missing(String, String),
    /// Each comes after the next, and the last after the first.
    Cycle(Vec<String>),
}

impl fmt::Display for SetError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate(name) => write!(out, "two services have the name {name:?}"),
            Self::Missing(name, required) => {
                write!(out, "service {name:?} requires {required:?}, which is not there")
            }
            Self::Cycle(names) => {
                out.write_str("services wait for each other: ")?;
                for name in names {
                    write!(out, "{name} after ")?;
                }
                out.write_str(names.first().map_or("", String::as_str))
            }
        }
    }
}

impl Set {
    /// Sorts services so that each comes behind the ones that it waits for; ones that do not wait for each other are
    /// sorted by name.
    ///
    /// # Errors
    /// A name that comes twice, a requirement that is not there, or a cycle.
    pub fn new(mut services: Vec<Service>) -> Result<Self, SetError> {
        services.sort_by(|one, other| one.name.cmp(&other.name));
        if let Some(pair) = services.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(SetError::Duplicate(pair[0].name.clone()));
        }
        let waits = waits_for(&services)?;
        let order = sort(&waits).map_err(|cycle| {
            let names = cycle.into_iter().map(|index| services[index].name.clone());
            SetError::Cycle(names.collect())
        })?;
        let mut slots: Vec<Option<Service>> = services.into_iter().map(Some).collect();
        let services: Vec<Service> = order.iter().filter_map(|&index| slots[index].take()).collect();
        let index = |name: &String| services.iter().position(|service| service.name == *name);
        let indices = |names: &[String]| names.iter().filter_map(index).collect::<Vec<_>>();
        let requires = services
            .iter()
            .map(|service| indices(&service.requires))
            .collect();
        let before = services
            .iter()
            .map(|service| {
                let mut all = indices(&service.requires);
                all.extend(indices(&service.after));
                all.sort_unstable();
                all.dedup();
                all
            })
            .collect();
        Ok(Self {
            services,
            requires,
            before,
        })
    }

    /// The services, in the order in which they start. Their places in it are their numbers elsewhere.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// Which ones have to be up before this one starts.
    pub(crate) fn requires(&self, index: usize) -> &[usize] {
        &self.requires[index]
    }

    /// Which ones come before this one, for either reason.
    pub(crate) fn before(&self, index: usize) -> &[usize] {
        &self.before[index]
    }
}

/// For each service the ones that it waits for. A service that is only to come `after` one that is not there waits for
/// nothing.
fn waits_for(services: &[Service]) -> Result<Vec<Vec<usize>>, SetError> {
    let index = |name: &String| services.binary_search_by(|service| service.name.cmp(name)).ok();
    let mut all = Vec::new();
    for service in services {
        let mut waits = Vec::new();
        for name in &service.requires {
            let missing = || SetError::Missing(service.name.clone(), name.clone());
            waits.push(index(name).ok_or_else(missing)?);
        }
        waits.extend(service.after.iter().filter_map(index));
        all.push(waits);
    }
    Ok(all)
}

/// An order in which everything comes behind what it waits for, or a cycle.
fn sort(waits: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut order = Vec::new();
    let mut placed: Vec<bool> = waits.iter().map(|_| false).collect();
    while order.len() < waits.len() {
        let is_free = |index: &usize| !placed[*index] && waits[*index].iter().all(|&other| placed[other]);
        match (0..waits.len()).find(is_free) {
            Some(index) => {
                placed[index] = true;
                order.push(index);
            }
            None => return Err(cycle(waits, &placed)),
        }
    }
    Ok(order)
}

/// A cycle among the ones that are not placed: each of them waits for another one of them, so following them comes back.
fn cycle(waits: &[Vec<usize>], placed: &[bool]) -> Vec<usize> {
    let mut path: Vec<usize> = Vec::new();
    let mut at = placed.iter().position(|&placed| !placed);
    while let Some(index) = at {
        if let Some(start) = path.iter().position(|&other| other == index) {
            return path.split_off(start);
        }
        path.push(index);
        at = waits[index].iter().copied().find(|&other| !placed[other]);
    }
    path
}
