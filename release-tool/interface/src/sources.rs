//! The source files, parsed once each, and where a token of theirs stands.

use crate::{InterfaceError, Place};
use proc_macro2::Span;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Gives a file's bytes by its path from the repository's top directory; `None` when there is none.
pub type Reader<'r> = dyn FnMut(&str) -> Option<Vec<u8>> + 'r;

/// The files read so far.
pub(crate) struct Sources<'r> {
    read: RefCell<&'r mut Reader<'r>>,
    parsed: RefCell<HashMap<String, Option<Rc<syn::File>>>>,
    /// What the lexer calls a file, to its path: a token that a macro has copied still knows its own.
    paths: RefCell<HashMap<String, String>>,
}

impl<'r> Sources<'r> {
    pub(crate) fn new(read: &'r mut Reader<'r>) -> Self {
        Self {
            read: RefCell::new(read),
            parsed: RefCell::default(),
            paths: RefCell::default(),
        }
    }

    /// A file's items; `None` when there is no such file.
    pub(crate) fn file(&self, path: &str) -> Result<Option<Rc<syn::File>>, InterfaceError> {
        if let Some(known) = self.parsed.borrow().get(path) {
            return Ok(known.clone());
        }
        let bytes = (self.read.borrow_mut())(path);
        let file = bytes.map(|bytes| self.parse(path, bytes)).transpose()?;
        self.parsed.borrow_mut().insert(path.to_owned(), file.clone());
        Ok(file)
    }

    fn parse(&self, path: &str, bytes: Vec<u8>) -> Result<Rc<syn::File>, InterfaceError> {
        let wrong = |line, reason: String| InterfaceError::new(Place::new(path, line), reason);
        let text =
            String::from_utf8(bytes).map_err(|_| wrong(1, "this file is not UTF-8 text".to_owned()))?;
        let tokens: proc_macro2::TokenStream = text.parse().map_err(|error: proc_macro2::LexError| {
            wrong(error.span().start().line, format!("this is not Rust: {error}"))
        })?;
        if let Some(first) = tokens.clone().into_iter().next() {
            self.paths
                .borrow_mut()
                .insert(first.span().file(), path.to_owned());
        }
        let file = syn::parse2(tokens)
            .map_err(|error| wrong(error.span().start().line, format!("this is not Rust: {error}")))?;
        Ok(Rc::new(file))
    }

    /// Where a token was written. One that no file has stands at `otherwise`.
    pub(crate) fn place(&self, span: Span, otherwise: &Place) -> Place {
        match self.paths.borrow().get(&span.file()) {
            Some(path) => Place::new(path, span.start().line),
            None => otherwise.clone(),
        }
    }

    /// An error at a token.
    pub(crate) fn error(&self, span: Span, otherwise: &Place, reason: impl Into<String>) -> InterfaceError {
        InterfaceError::new(self.place(span, otherwise), reason)
    }

    /// A parser's error, at the token that it names.
    pub(crate) fn syntax(&self, error: &syn::Error, otherwise: &Place, what: &str) -> InterfaceError {
        self.error(error.span(), otherwise, format!("{what}: {error}"))
    }
}
