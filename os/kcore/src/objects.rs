//! The table of kernel objects: a fixed number of places, each with a generation, so that a handle to something that is
//! gone is never mistaken for what came after it.

use alloc::vec::Vec;

/// Names an object: its place in the table, and the generation of that place. Stays safe to use when the object is gone.
/// It is read, written and compared as one word.
#[derive(Clone, Copy, Debug, Eq, PartialOrd, Ord)]
#[repr(C, align(8))]
pub struct Handle {
    /// The place.
    pub index: u32,
    /// How many objects have lived in that place, this one included. 0 never names an object.
    pub generation: u32,
}

impl PartialEq for Handle {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.to_u64() == other.to_u64()
    }
}

impl Handle {
    /// Names nothing, ever.
    pub const NONE: Self = Self {
        index: 0,
        generation: 0,
    };

    /// Whether this is a handle that can name nothing.
    #[inline]
    pub const fn is_none(self) -> bool {
        self.generation == 0
    }

    /// The handle as one word: the generation in the upper half.
    #[inline]
    pub const fn to_u64(self) -> u64 {
        (self.generation as u64) << 32 | self.index as u64
    }

    /// The handle that [`Self::to_u64`] made this word from.
    #[inline]
    pub const fn from_u64(word: u64) -> Self {
        Self {
            index: word as u32,
            generation: (word >> 32) as u32,
        }
    }
}

/// Ends the list of free places.
const END: u32 = u32::MAX;

#[derive(Debug)]
enum Place<T> {
    Free { next: u32 },
    Live(T),
}

#[derive(Debug)]
struct Entry<T> {
    /// Of the object that lives here, or that will be the next to live here.
    generation: u32,
    place: Place<T>,
}

/// The table. It allocates when it is made and never again; every operation on one object takes constant time.
#[derive(Debug)]
pub struct Objects<T> {
    /// The places used so far. Grows up to `capacity`, which was reserved, so that making the table costs no time.
    entries: Vec<Entry<T>>,
    capacity: usize,
    first_free: u32,
    live: usize,
}

impl<T> Objects<T> {
    /// A table for that many objects at a time.
    ///
    /// # Panics
    /// When `capacity` is above `u32::MAX - 1`, or the heap has no room for it.
    pub fn with_capacity(capacity: usize) -> Self {
        assert!(capacity < END as usize, "a table of {capacity} objects");
        Self {
            entries: Vec::with_capacity(capacity),
            capacity,
            first_free: END,
            live: 0,
        }
    }

    /// How many objects there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// How many objects there can be. Places whose generations are used up still count.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Takes an object in. `None`, and the object is dropped, when the table is full.
    #[inline]
    pub fn insert(&mut self, object: T) -> Option<Handle> {
        let index = self.first_free;
        if let Some(entry) = self.entries.get_mut(index as usize) {
            let Place::Free { next } = entry.place else {
                unreachable!("a live object in the list of free places");
            };
            self.first_free = next;
            entry.place = Place::Live(object);
            self.live += 1;
            return Some(Handle {
                index,
                generation: entry.generation,
            });
        }
        if self.entries.len() == self.capacity {
            return None;
        }
        let handle = Handle {
            index: self.entries.len() as u32,
            generation: 1,
        };
        self.entries.push(Entry {
            generation: 1,
            place: Place::Live(object),
        });
        self.live += 1;
        Some(handle)
    }

    /// The object, if it is still there.
    #[inline]
    pub fn get(&self, handle: Handle) -> Option<&T> {
        match self.entries.get(handle.index as usize)? {
            Entry {
                generation,
                place: Place::Live(object),
            } if *generation == handle.generation => Some(object),
            _ => None,
        }
    }

    /// The object to change, if it is still there.
    #[inline]
    pub fn get_mut(&mut self, handle: Handle) -> Option<&mut T> {
        live_mut(self.entries.get_mut(handle.index as usize)?, handle)
    }

    /// Two objects to change at once. `None` when one is gone, or both are the same.
    #[inline]
    pub fn get_pair_mut(&mut self, a: Handle, b: Handle) -> Option<(&mut T, &mut T)> {
        let [first, second] = self
            .entries
            .get_disjoint_mut([a.index as usize, b.index as usize])
            .ok()?;
        Some((live_mut(first, a)?, live_mut(second, b)?))
    }

    /// As [`Self::get_pair_mut`], for three objects.
    #[inline]
    pub fn get_three_mut(&mut self, a: Handle, b: Handle, c: Handle) -> Option<[&mut T; 3]> {
        let places = [a.index as usize, b.index as usize, c.index as usize];
        let [first, second, third] = self.entries.get_disjoint_mut(places).ok()?;
        Some([live_mut(first, a)?, live_mut(second, b)?, live_mut(third, c)?])
    }

    /// What lives in a place, whatever its generation: for links between objects that are cut before the objects go.
    #[inline]
    pub fn at(&self, index: u32) -> Option<&T> {
        match &self.entries.get(index as usize)?.place {
            Place::Live(object) => Some(object),
            Place::Free { .. } => None,
        }
    }

    /// As [`Self::at`], to change.
    #[inline]
    pub fn at_mut(&mut self, index: u32) -> Option<&mut T> {
        match &mut self.entries.get_mut(index as usize)?.place {
            Place::Live(object) => Some(object),
            Place::Free { .. } => None,
        }
    }

    /// The handle of what lives in a place.
    #[inline]
    pub fn handle_at(&self, index: u32) -> Option<Handle> {
        let entry = self.entries.get(index as usize)?;
        matches!(entry.place, Place::Live(_)).then_some(Handle {
            index,
            generation: entry.generation,
        })
    }

    /// Takes the object out. From now on its handle names nothing. A place whose generations are used up stays empty.
    #[inline]
    pub fn remove(&mut self, handle: Handle) -> Option<T> {
        self.get(handle)?;
        let entry = &mut self.entries[handle.index as usize];
        let next_generation = entry.generation.checked_add(1);
        let next = match next_generation {
            Some(_) => core::mem::replace(&mut self.first_free, handle.index),
            None => END,
        };
        let place = core::mem::replace(&mut entry.place, Place::Free { next });
        entry.generation = next_generation.unwrap_or(0);
        self.live -= 1;
        match place {
            Place::Live(object) => Some(object),
            Place::Free { .. } => None,
        }
    }

    /// All objects with their handles, by place.
    pub fn iter(&self) -> impl Iterator<Item = (Handle, &T)> {
        (0..).zip(&self.entries).filter_map(|(index, entry)| {
            let Place::Live(object) = &entry.place else {
                return None;
            };
            let generation = entry.generation;
            Some((Handle { index, generation }, object))
        })
    }

    /// As [`Self::iter`], to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Handle, &mut T)> {
        (0..).zip(&mut self.entries).filter_map(|(index, entry)| {
            let Place::Live(object) = &mut entry.place else {
                return None;
            };
            let generation = entry.generation;
            Some((Handle { index, generation }, object))
        })
    }
}

#[inline]
fn live_mut<T>(entry: &mut Entry<T>, handle: Handle) -> Option<&mut T> {
    match entry {
        Entry {
            generation,
            place: Place::Live(object),
        } if *generation == handle.generation => Some(object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Handle, Objects};

    /// Here, not with the other tests: nobody outside can wait for 2^32 generations.
    #[test]
    fn a_place_whose_generations_are_used_up_stays_empty() {
        let mut objects = Objects::with_capacity(2);
        let first = objects.insert('a').unwrap();
        objects.entries[0].generation = u32::MAX;
        let last = Handle {
            generation: u32::MAX,
            ..first
        };
        assert_eq!(objects.remove(last), Some('a'));
        let second = objects.insert('b').unwrap();
        assert_eq!(second.index, 1, "the place was used again");
        assert_eq!(objects.insert('c'), None);
        assert_eq!(objects.remove(second), Some('b'));
        assert_eq!(objects.insert('d').map(|handle| handle.index), Some(1));
        for generation in [0, 1, u32::MAX] {
            assert_eq!(objects.get(Handle { index: 0, generation }), None);
        }
        assert_eq!(objects.len(), 1);
    }
}
