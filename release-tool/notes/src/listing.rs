//! Lists in which everything is said once.

use crate::context::{Entry, Section};
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::hash_map::Entry::{Occupied, Vacant};

/// Items that are told apart by their area and text: two commits that say the same are one change.
#[derive(Debug)]
pub(crate) struct Listing<T> {
    items: Vec<T>,
    places: HashMap<(Option<String>, String), usize>,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            places: HashMap::new(),
        }
    }
}

impl<T> Listing<T> {
    /// The item with this area and text; if there is none yet, what `new` makes is added at the end.
    pub(crate) fn get_or_add(&mut self, area: Option<&str>, text: &str, new: impl FnOnce() -> T) -> &mut T {
        let at = match self.places.entry((area.map(str::to_owned), text.to_owned())) {
            Occupied(place) => *place.get(),
            Vacant(place) => {
                self.items.push(new());
                *place.insert(self.items.len() - 1)
            }
        };
        &mut self.items[at]
    }

    /// The items in the order in which they were added.
    pub(crate) fn into_items(self) -> Vec<T> {
        self.items
    }
}

impl Listing<String> {
    /// Adds texts.
    pub(crate) fn extend(&mut self, texts: &[String]) {
        for text in texts {
            self.get_or_add(None, text, || text.clone());
        }
    }
}

impl Listing<Entry> {
    /// Adds a change, or only its references to the same change, and the first of the commits that it was picked from.
    pub(crate) fn add(&mut self, area: Option<&str>, text: &str, references: &[u64], upstream: &[String]) {
        let entry = self.get_or_add(area, text, || Entry {
            area: area.map(str::to_owned),
            text: text.to_owned(),
            references: Vec::new(),
            upstream: Vec::new(),
        });
        add_references(&mut entry.references, references);
        entry.upstream.extend(upstream.first().cloned());
    }
}

/// Adds the numbers that are not there yet.
pub(crate) fn add_references(there: &mut Vec<u64>, more: &[u64]) {
    for number in more {
        if !there.contains(number) {
            there.push(*number);
        }
    }
}

/// Changes under headings.
#[derive(Debug, Default)]
pub(crate) struct Sections(BTreeMap<(bool, String), (String, Listing<Entry>)>);

impl Sections {
    /// The changes under a heading. The headings are in alphabetical order, those with `last` after the others.
    pub(crate) fn under(&mut self, title: &str, last: bool) -> &mut Listing<Entry> {
        let section = self.0.entry((last, title.to_lowercase()));
        &mut section
            .or_insert_with(|| (title.to_owned(), Listing::default()))
            .1
    }

    /// The sections that have changes.
    pub(crate) fn into_sections(self) -> Vec<Section> {
        let section = |(title, listing): (String, Listing<Entry>)| Section {
            title,
            entries: listing.into_items(),
        };
        let sections = self.0.into_values().map(section);
        sections.filter(|section| !section.entries.is_empty()).collect()
    }
}
