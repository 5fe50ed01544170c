//! Paths as text.

use alloc::string::String;
use alloc::vec::Vec;

/// The absolute path without `.`, `..` and needless `/` that a path means which begins at a directory, unless it is
/// absolute. `None` when it is empty: that names nothing.
///
/// There are no links, so `..` undoes the name before it.
pub(crate) fn absolute(directory: &str, path: &str) -> Option<String> {
    if path.is_empty() {
        return None;
    }
    let before = if path.starts_with('/') { "" } else { directory };
    let mut names = Vec::new();
    for name in before.split('/').chain(path.split('/')) {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    let mut path = String::new();
    for name in names {
        path.push('/');
        path.push_str(name);
    }
    if path.is_empty() {
        path.push('/');
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_names_nothing() {
        assert_eq!(absolute("/home", ""), None);
        assert_eq!(absolute("/home", "."), Some("/home".into()));
        assert_eq!(absolute("/home", "../../.."), Some("/".into()));
        assert_eq!(absolute("/home", "//bin//ls/"), Some("/bin/ls".into()));
    }

    proptest! {
        #[test]
        fn linux_agrees(directory in "/([ab]/){0,2}", path in "/?((a|b|\\.|\\.\\.|)/){0,5}(a|b|\\.|\\.\\.)") {
            let place = tempfile::tempdir().unwrap();
            let root = place.path().canonicalize().unwrap();
            for tree in ["a/a/a", "a/b", "b/a", "b/b/b"] {
                std::fs::create_dir_all(root.join(tree)).unwrap();
            }
            let prefix = root.to_str().unwrap();
            let ours = absolute(&directory, &path).unwrap();
            // Where Linux finds something, it finds the same; and it never leaves the tree, as ours cannot either.
            let start = if path.starts_with('/') { "/" } else { &directory };
            if let Ok(theirs) = std::fs::canonicalize(format!("{prefix}{start}{path}"))
                && let Ok(inside) = theirs.strip_prefix(&root)
            {
                let above = format!("{start}{path}").split('/').try_fold(0_u32, |depth, name| match name {
                    "" | "." => Some(depth),
                    ".." => depth.checked_sub(1),
                    _ => Some(depth + 1),
                });
                if above.is_some() {
                    prop_assert_eq!(ours.trim_start_matches('/'), inside.to_str().unwrap());
                }
            }
        }

        #[test]
        fn what_is_absolute_stays_as_it_is(directory in "(/[a-c.]{1,3}){0,4}/?", path in "[a-c./]{1,12}") {
            let once = absolute(&directory, &path).unwrap();
            prop_assert!(once.starts_with('/'));
            let mut names = once[1..].split('/');
            prop_assert!(once == "/" || names.all(|name| !matches!(name, "" | "." | "..")));
            prop_assert_eq!(absolute("/elsewhere", &once), Some(once.clone()));
            if !path.starts_with('/') {
                prop_assert_eq!(absolute("/elsewhere", &format!("/{directory}/{path}")), Some(once));
            }
        }
    }
}
