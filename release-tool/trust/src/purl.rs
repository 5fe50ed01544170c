//! Package URLs (`pkg:…`, ECMA-427): names for packages that every scanner understands.

use std::fmt::Write as _;

/// The name of a library on the public registry of Rust.
pub(crate) fn cargo(name: &str, version: &str) -> String {
    format!("pkg:cargo/{}@{}", encoded(name, b""), encoded(version, b""))
}

/// The name of something that no package manager knows.
pub(crate) fn generic(name: &str, version: &str) -> String {
    format!("pkg:generic/{}@{}", encoded(name, b""), encoded(version, b""))
}

/// The name of a directory of a git repository at a commit. Not of the type `cargo`, although it is a crate: that would
/// claim the crate of the same name on the registry, and scanners would report its vulnerabilities.
pub(crate) fn in_repository(
    product: &str,
    name: &str,
    version: &str,
    commit_uri: &str,
    path: &str,
) -> String {
    let (product, name) = (encoded(product, b""), encoded(name, b""));
    let (version, uri) = (encoded(version, b""), encoded(commit_uri, b":/"));
    let path: Vec<String> = path.split('/').map(|part| encoded(part, b"")).collect();
    format!(
        "pkg:generic/{product}/{name}@{version}?vcs_url={uri}#{}",
        path.join("/")
    )
}

/// Percent-encodes everything but letters, digits, `-._~` and `keep`.
fn encoded(text: &str, keep: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_a_package_url_is_escaped() {
        assert_eq!(
            cargo("libgit2-sys", "0.18.3+1.9.2"),
            "pkg:cargo/libgit2-sys@0.18.3%2B1.9.2"
        );
        assert_eq!(
            in_repository(
                "os",
                "kernel",
                "0.6.0",
                "git+https://example.org/os@00ff",
                "os/kernel"
            ),
            "pkg:generic/os/kernel@0.6.0?vcs_url=git%2Bhttps://example.org/os%4000ff#os/kernel"
        );
        assert_eq!(generic("grub pc", "2:2.12"), "pkg:generic/grub%20pc@2%3A2.12");
    }
}
