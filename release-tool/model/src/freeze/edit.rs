//! Changing `freeze.toml` in place: what people wrote around it stays.

use super::{FreezeEnd, FreezeException, FreezeWindow};
use serde::Serialize;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

/// Why a file cannot be changed in place.
type Result<T> = std::result::Result<T, String>;

/// The file with one more freeze; `None` stands for a file that is not there yet.
///
/// # Errors
/// When the file is not TOML, or writes the freezes in another way than as `[[window]]`.
pub fn add_window(text: Option<&str>, window: &FreezeWindow) -> Result<String> {
    let mut document = parse(text.unwrap_or("schema = 1\n"))?;
    let windows = document
        .entry("window")
        .or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let windows = windows.as_array_of_tables_mut().ok_or_else(inline)?;
    windows.push(table(window)?);
    Ok(document.to_string())
}

/// The file with one more exception to a freeze, which is named by its index.
///
/// # Errors
/// As [`add_window`], and when there is no such freeze.
pub fn add_exception(text: &str, window: usize, exception: &FreezeException) -> Result<String> {
    change(text, window, |table_of_window| {
        let exceptions = table_of_window
            .entry("exception")
            .or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
        let exceptions = exceptions.as_array_of_tables_mut().ok_or_else(inline)?;
        exceptions.push(table(exception)?);
        Ok(())
    })
}

/// The file in which a freeze has begun: its release branch is made from this commit.
///
/// # Errors
/// As [`add_exception`].
pub fn begin_window(text: &str, window: usize, commit: &str) -> Result<String> {
    change(text, window, |window| {
        window.insert("commit", value(commit));
        Ok(())
    })
}

/// The file in which a person has ended a freeze.
///
/// # Errors
/// As [`add_exception`].
pub fn end_window(text: &str, window: usize, end: &FreezeEnd) -> Result<String> {
    change(text, window, |window| {
        window.insert("end", Item::Table(table(end)?));
        Ok(())
    })
}

fn change(text: &str, window: usize, edit: impl FnOnce(&mut Table) -> Result<()>) -> Result<String> {
    let mut document = parse(text)?;
    let windows = document.get_mut("window").and_then(Item::as_array_of_tables_mut);
    let window = windows.ok_or_else(inline)?.get_mut(window).ok_or_else(inline)?;
    edit(window)?;
    Ok(document.to_string())
}

fn parse(text: &str) -> Result<DocumentMut> {
    text.parse()
        .map_err(|error: toml_edit::TomlError| error.to_string())
}

fn inline() -> String {
    "the freezes and exceptions must be written as [[window]] and [[window.exception]] to be changed"
        .to_owned()
}

/// A value as a table of its own, with its own tables below it.
fn table(value: &impl Serialize) -> Result<Table> {
    let document = toml_edit::ser::to_document(value).map_err(|error| error.to_string())?;
    let mut table = document.into_table();
    // Arrays of tables come as inline tables from serde.
    for (_, item) in table.iter_mut() {
        if let Some(inline) = item.as_inline_table() {
            *item = Item::Table(inline.clone().into_table());
        }
    }
    Ok(table)
}
