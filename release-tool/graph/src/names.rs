//! Names of nodes, slots and outputs: relative paths that are the same on every file system.

use crate::GraphError;

/// The longest name, in bytes: as the name of one file, in its longest spelling, it must fit in 255.
const LONGEST: usize = 160;

/// Whether a text is a relative path of plain names: letters, digits and `. _ + ~ - @ =`, separated by single slashes,
/// none of them `.` or `..`.
///
/// # Errors
/// [`GraphError::Name`], which calls the text `what`.
pub(crate) fn check(what: &'static str, name: &str) -> Result<(), GraphError> {
    let problem = if name.is_empty() {
        "it is empty".to_owned()
    } else if name.len() > LONGEST {
        format!("it has {} bytes, more than {LONGEST}", name.len())
    } else if let Some(odd) = name.chars().find(|&c| !is_plain(c)) {
        format!("it has {odd:?} in it")
    } else if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        "a part of it is empty, `.` or `..`".to_owned()
    } else {
        return Ok(());
    };
    let name = name.to_owned();
    Err(GraphError::Name { what, name, problem })
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._+~-@=/".contains(c)
}

/// A checked name as the name of one file. Different names give different file names.
pub(crate) fn file_name(name: &str) -> String {
    // `,` is not plain, so that no name has it.
    name.replace('/', ",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_their_directory() {
        for good in [
            "kernel",
            "x86_64/kernel",
            "veridianos-0.6.0-rc1-x86_64.qcow2",
            "a/b/c+~@=",
            "...",
        ] {
            check("node", good).unwrap();
        }
        for bad in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            "..",
            "a/../b",
            "./a",
            "a b",
            "a\\b",
            "ä",
            "a\0",
            "a,b",
            &"x".repeat(161),
        ] {
            let error = check("node", bad).unwrap_err().to_string();
            assert!(error.starts_with("node name "), "{error}");
        }
    }

    #[test]
    fn file_names_are_as_different_as_names() {
        assert_eq!(file_name("x86_64/kernel"), "x86_64,kernel");
        assert_ne!(file_name("a/b"), file_name("a-b"));
    }
}
