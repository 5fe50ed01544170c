//! What a package has to do with what users run.

use super::workspace::{Need, Package, PackageId};
use std::collections::{BTreeMap, BTreeSet};

/// What a package has to do with what users run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Its machine code can be in an artifact.
    Shipped,
    /// It takes part in building, as do macros and the release tool; or it is built and not shipped.
    Build,
    /// Only tests use it.
    Test,
}

type Packages = BTreeMap<PackageId, Package>;

/// The role of every package of a workspace, when `shipped` are the packages of all workspaces that artifacts contain.
pub(super) fn roles(packages: &Packages, shipped: &BTreeSet<PackageId>) -> BTreeMap<PackageId, Role> {
    let shipped = packages.keys().filter(|id| shipped.contains(id));
    let in_artifacts = reachable(packages, shipped, |need, package| {
        need == Need::Normal && !package.is_macro
    });
    let own = packages.keys().filter(|id| id.directory.is_some());
    let in_builds = reachable(packages, own, |need, _| need != Need::Test);
    let role = |id: &PackageId| match (in_artifacts.contains(id), in_builds.contains(id)) {
        (true, _) => Role::Shipped,
        (false, true) => Role::Build,
        (false, false) => Role::Test,
    };
    packages.keys().map(|id| (id.clone(), role(id))).collect()
}

fn reachable<'p>(
    packages: &'p Packages,
    from: impl Iterator<Item = &'p PackageId>,
    follow: impl Fn(Need, &Package) -> bool,
) -> BTreeSet<&'p PackageId> {
    let mut reached: BTreeSet<&PackageId> = from.collect();
    let mut open: Vec<&PackageId> = reached.iter().copied().collect();
    while let Some(id) = open.pop() {
        let needs = packages.get(id).into_iter().flat_map(|package| &package.needs);
        for (other, need) in needs {
            let followed = packages.get(other).is_some_and(|package| follow(*need, package));
            if followed && reached.insert(other) {
                open.push(other);
            }
        }
    }
    reached
}
