//! The derivation tree: which capability was made from which, so that one can be taken back with all that came of it.
//!
//! Every operation takes constant time, for revoking every step. What is derived from a capability is its child. When a
//! capability is deleted its children take its place among its siblings, so that their grandparent still reaches them;
//! children of a root without a parent become roots.
//!
//! # Revoking
//! [`revoke_step`] deletes the first child of the revoked slot, whose own children thereby come to the front of the
//! list. So each step takes exactly one descendant, none is visited twice, and there is no cursor that could go stale
//! between two steps: the revoked slot itself is all the state. Going down to a leaf first would need one, and would
//! let a program that keeps copying from below hold off the end; here what it copies from goes first.
//!
//! # Panics
//! When a link leads to a slot that [`Slots`] does not know: a table went away with capabilities in it. To go on would
//! leave authority behind that nobody can take back.

use super::{Capability, Error, Links, Rights, Slot, SlotRef, Slots};

/// What one step of revoking did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It emptied this slot, which held this. More steps may be needed.
    Deleted(SlotRef, Capability),
    /// There was nothing left to do.
    Done,
}

/// Puts a capability that is derived from none into an empty slot.
///
/// # Errors
/// [`Error::NoSlot`], [`Error::Occupied`]; [`Error::Empty`] when `capability` is none.
pub fn insert_root(slots: &mut impl Slots, at: SlotRef, capability: Capability) -> Result<(), Error> {
    if matches!(capability.kind, super::Kind::Empty) {
        return Err(Error::Empty);
    }
    *vacant(slots, at)? = Slot {
        capability,
        links: Links::NONE,
    };
    Ok(())
}

/// Puts a capability into an empty slot, as derived from the one in `parent`. Whether it may be derived is the caller's
/// to say.
///
/// # Errors
/// [`Error::NoSlot`], [`Error::Occupied`]; [`Error::Empty`] when `parent` holds nothing or `capability` is none.
pub fn insert_child(
    slots: &mut impl Slots,
    parent: SlotRef,
    at: SlotRef,
    capability: Capability,
) -> Result<(), Error> {
    let first = held(slots, parent)?.links.first_child;
    insert_root(slots, at, capability)?;
    let links = &mut linked(slots, at).links;
    links.before = parent;
    links.behind = if first.is_none() { parent } else { first };
    if first.is_none() {
        linked(slots, parent).links.last_child = at;
    } else {
        linked(slots, first).links.before = at;
    }
    linked(slots, parent).links.first_child = at;
    Ok(())
}

/// Copies a capability, with those of its rights that are in `rights`. The copy is a child.
///
/// # Errors
/// [`Error::NoSlot`], [`Error::Occupied`], [`Error::Empty`].
pub fn copy(slots: &mut impl Slots, from: SlotRef, to: SlotRef, rights: Rights) -> Result<(), Error> {
    let copied = held(slots, from)?.capability.copied(rights);
    insert_child(slots, from, to, copied)
}

/// Copies a capability and gives the copy a badge; see [`Capability::minted`].
///
/// # Errors
/// As [`copy`], and [`Error::Badge`].
pub fn mint(
    slots: &mut impl Slots,
    from: SlotRef,
    to: SlotRef,
    rights: Rights,
    badge: u64,
) -> Result<(), Error> {
    let minted = held(slots, from)?.capability.minted(rights, badge)?;
    insert_child(slots, from, to, minted)
}

/// Moves a capability to an empty slot: its ancestors and what is derived from it stay the same.
///
/// # Errors
/// [`Error::NoSlot`], [`Error::Occupied`] (also when both are the same slot), [`Error::Empty`].
pub fn move_(slots: &mut impl Slots, from: SlotRef, to: SlotRef) -> Result<(), Error> {
    let slot = *held(slots, from)?;
    *vacant(slots, to)? = slot;
    *linked(slots, from) = Slot::EMPTY;
    let links = slot.links;
    replace_behind(slots, links.before, from, to);
    replace_before(slots, links.behind, from, to);
    if !links.first_child.is_none() {
        linked(slots, links.first_child).links.before = to;
        linked(slots, links.last_child).links.behind = to;
    }
    Ok(())
}

/// Empties a slot. What it held is returned, for the caller to drop its reference to the object.
///
/// # Errors
/// [`Error::NoSlot`], [`Error::Empty`].
pub fn delete(slots: &mut impl Slots, at: SlotRef) -> Result<Capability, Error> {
    let Slot { capability, links } = *held(slots, at)?;
    *linked(slots, at) = Slot::EMPTY;
    if !links.first_child.is_none() {
        replace_behind(slots, links.before, at, links.first_child);
        replace_before(slots, links.behind, at, links.last_child);
        linked(slots, links.first_child).links.before = links.before;
        linked(slots, links.last_child).links.behind = links.behind;
    } else if links.before == links.behind {
        // An only child, between the two ends of its parent; or a root that is linked to nothing.
        replace_behind(slots, links.before, at, SlotRef::NONE);
        replace_before(slots, links.behind, at, SlotRef::NONE);
    } else {
        replace_behind(slots, links.before, at, links.behind);
        replace_before(slots, links.behind, at, links.before);
    }
    Ok(capability)
}

/// Deletes one descendant of `at`; `at` itself keeps its capability. To be repeated until [`Step::Done`]; other
/// operations may come in between.
///
/// # Errors
/// [`Error::NoSlot`], [`Error::Empty`].
pub fn revoke_step(slots: &mut impl Slots, at: SlotRef) -> Result<Step, Error> {
    let child = held(slots, at)?.links.first_child;
    if child.is_none() {
        return Ok(Step::Done);
    }
    let capability = delete(slots, child)?;
    Ok(Step::Deleted(child, capability))
}

fn held(slots: &impl Slots, at: SlotRef) -> Result<&Slot, Error> {
    let slot = slots.slot(at).ok_or(Error::NoSlot)?;
    if slot.is_empty() {
        Err(Error::Empty)
    } else {
        Ok(slot)
    }
}

fn vacant(slots: &mut impl Slots, at: SlotRef) -> Result<&mut Slot, Error> {
    let slot = slots.slot_mut(at).ok_or(Error::NoSlot)?;
    if slot.is_empty() {
        Ok(slot)
    } else {
        Err(Error::Occupied)
    }
}

fn linked(slots: &mut impl Slots, at: SlotRef) -> &mut Slot {
    slots
        .slot_mut(at)
        .expect("a derivation link leads to a slot that is gone")
}

/// In `before`, the parent or the sibling before `old`: what comes behind it is now `new`.
fn replace_behind(slots: &mut impl Slots, before: SlotRef, old: SlotRef, new: SlotRef) {
    if before.is_none() {
        return;
    }
    let links = &mut linked(slots, before).links;
    if links.first_child == old {
        links.first_child = new;
    } else {
        debug_assert_eq!(links.behind, old);
        links.behind = new;
    }
}

/// In `behind`, the parent or the sibling behind `old`: what comes before it is now `new`.
fn replace_before(slots: &mut impl Slots, behind: SlotRef, old: SlotRef, new: SlotRef) {
    if behind.is_none() {
        return;
    }
    let links = &mut linked(slots, behind).links;
    if links.last_child == old {
        links.last_child = new;
    } else {
        debug_assert_eq!(links.before, old);
        links.before = new;
    }
}
