//! The documents of a release besides its notes: guides, manual pages, reference documentation.
