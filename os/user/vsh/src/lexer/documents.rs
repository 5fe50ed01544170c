//! Here-documents.

use core::cell::OnceCell;

use super::{End, Lexer, Problem, Result};
use crate::ast::{Part, Word};
use crate::prelude::*;

/// A here-document whose text comes after the line.
#[derive(Debug)]
pub(super) struct Pending {
    delimiter: String,
    quoted: bool,
    strip_tabs: bool,
    word: Rc<OnceCell<Word>>,
}

impl Lexer {
    /// Reads the here-documents that are due.
    pub(crate) fn documents(&mut self) -> Result<()> {
        for pending in core::mem::take(&mut self.pending) {
            let line = self.line;
            let mut body = String::new();
            loop {
                if self.peek().is_none() {
                    if self.strict_documents {
                        return self.error(Problem::Incomplete("end of here-document"));
                    }
                    break;
                }
                let mut text = String::new();
                let mut ended = false;
                while let Some(character) = self.bump() {
                    ended = character == '\n';
                    if ended {
                        break;
                    }
                    text.push(character);
                    // A continued line is one line, also for the delimiter.
                    if !pending.quoted && character == '\\' && self.peek() == Some('\n') {
                        text.pop();
                        self.bump();
                    } else if !pending.quoted && character == '\\' {
                        text.extend(self.peek().filter(|&next| next != '\n'));
                        self.at += usize::from(self.peek().is_some_and(|next| next != '\n'));
                    }
                }
                let text = if pending.strip_tabs {
                    text.trim_start_matches('\t')
                } else {
                    &text
                };
                if text == pending.delimiter {
                    break;
                }
                body.push_str(text);
                if ended {
                    body.push('\n');
                }
            }
            let parts = if pending.quoted {
                vec![Part::Quoted(body)]
            } else {
                let mut lexer = Self::new(&body, line);
                lexer.depth = self.depth;
                lexer.nested(|lexer| lexer.parts(End::Text))?
            };
            // Every pending document has its own cell.
            let _ = pending.word.set(Word(parts));
        }
        Ok(())
    }

    /// Reads the delimiter of a here-document, whose text will be in the cell when the line has been read.
    pub(crate) fn here(&mut self, strip_tabs: bool) -> Result<Rc<OnceCell<Word>>> {
        self.skip_blanks();
        let start = self.at;
        let Some(word) = self.word()? else {
            return self.unexpected();
        };
        let source: String = self.text[start..self.at].iter().collect();
        let quoted = source.contains(['\'', '"', '\\']);
        let delimiter = if quoted {
            word.0.iter().map(literal_text).collect()
        } else {
            source
        };
        let word = Rc::new(OnceCell::new());
        self.pending.push(Pending {
            delimiter,
            quoted,
            strip_tabs,
            word: Rc::clone(&word),
        });
        Ok(word)
    }
}

/// The text as in `<<EOF`, where `"..."` holds the prompt of an expansion: only quotes mean something.
fn literal_text(part: &Part) -> String {
    match part {
        Part::Literal(text) | Part::Quoted(text) => text.clone(),
        Part::Double(parts) => parts.iter().map(literal_text).collect(),
        Part::Parameter(parameter) => format!("${}", parameter.name),
        Part::Command(_) | Part::Arithmetic(_) => String::new(),
    }
}
