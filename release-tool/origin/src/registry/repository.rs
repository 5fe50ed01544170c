//! Names of repositories in container registries.

use crate::OriginError;
use core::net::IpAddr;
use std::fmt;
use std::str::FromStr;

/// A repository of a registry: `HOST[:PORT]/NAME`, spoken to over HTTPS, or `http://HOST[:PORT]/NAME` when the host is
/// this machine. The host is never left out: a tool that fills one in pushes to a place that nobody named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryName {
    registry: String,
    name: String,
    plain: bool,
}

/// How long a repository's name may be, with the registry's.
const MAX_LEN: usize = 255;

impl RepositoryName {
    /// Host and port.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The name within the registry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is spoken to without TLS.
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        self.plain
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.name)
    }
}

impl FromStr for RepositoryName {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |reason: String| OriginError::Repository {
            address: text.escape_debug().to_string(),
            reason,
        };
        let (plain, rest) = match text.split_once("://") {
            Some(("http", rest)) => (true, rest),
            Some(("https", rest)) => (false, rest),
            Some((scheme, _)) => {
                return Err(wrong(format!(
                    "its scheme is `{scheme}`, expected `https` or none"
                )));
            }
            None => (false, text),
        };
        if rest.contains('@') {
            // Whatever stands in the name is shown in messages and logs.
            return Err(wrong(
                "expected neither user name nor digest in it, got `@`".to_owned(),
            ));
        }
        let Some((registry, name)) = rest.split_once('/') else {
            return Err(wrong("expected host and name, got no `/`".to_owned()));
        };
        if let Some(problem) = host_problem(registry) {
            return Err(wrong(problem));
        }
        if plain && !is_loopback(registry) {
            return Err(wrong(
                "expected HTTPS for a registry on another machine, got `http`".to_owned(),
            ));
        }
        if name.is_empty() || rest.len() > MAX_LEN || !name.split('/').all(is_component) {
            return Err(wrong(format!(
                "expected lower-case letters, digits and single separators in the name `{name}`, at most {MAX_LEN} \
                 bytes with the host"
            )));
        }
        Ok(Self {
            registry: registry.to_owned(),
            name: name.to_owned(),
            plain,
        })
    }
}

/// The host without its port.
fn host(registry: &str) -> &str {
    if let Some((address, _)) = registry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    registry.split_once(':').map_or(registry, |(host, _)| host)
}

fn host_problem(registry: &str) -> Option<String> {
    let host = host(registry);
    let port = registry.rsplit_once(':').filter(|_| !registry.ends_with(']'));
    let is_name = |host: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        !host.is_empty() && host.bytes().all(plain)
    };
    if host.parse::<IpAddr>().is_err() && !is_name(host) {
        return Some(format!(
            "expected a host in front of the first `/`, got `{registry}`"
        ));
    }
    // Otherwise `library/name` would be taken for a host called `library`.
    if !host.contains(['.', ':']) && host != "localhost" && port.is_none() {
        return Some(format!(
            "expected a host in front of the first `/`, got `{registry}`, which is none"
        ));
    }
    match port {
        Some((_, port)) if port.parse::<u16>().is_err() => {
            Some(format!("expected a port from 0 to 65535, got `{port}`"))
        }
        _ => None,
    }
}

fn is_loopback(registry: &str) -> bool {
    let host = host(registry);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a part between slashes is one (OCI distribution specification 1.1, "Pulling manifests"): runs of lower-case
/// letters and digits, with `.`, `_`, `__` or hyphens between them.
fn is_component(part: &str) -> bool {
    let is_run = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let separators =
        part.split(|character: char| character.is_ascii_lowercase() || character.is_ascii_digit());
    let separates =
        |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|byte| byte == b'-');
    let bytes = part.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.into_iter().all(|end| end.is_some_and(|&byte| is_run(byte))) && separators.into_iter().all(separates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_have_a_host_and_a_name() {
        for (text, registry, name, plain) in [
            ("ghcr.io/veridian/os", "ghcr.io", "veridian/os", false),
            ("https://r.example.org:5000/a", "r.example.org:5000", "a", false),
            (
                "http://127.0.0.1:5000/a/b-c__d.e/f--g",
                "127.0.0.1:5000",
                "a/b-c__d.e/f--g",
                true,
            ),
            ("http://[::1]:5000/a", "[::1]:5000", "a", true),
            ("http://localhost/a", "localhost", "a", true),
            ("[::1]/a", "[::1]", "a", false),
        ] {
            let parsed: RepositoryName = text.parse().unwrap();
            assert_eq!(
                (parsed.registry(), parsed.name(), parsed.is_plain_http()),
                (registry, name, plain)
            );
            assert_eq!(parsed.to_string(), format!("{registry}/{name}"));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for (text, expected) in [
            ("", "got no `/`"),
            ("veridian/os", "got `veridian`, which is none"),
            ("/os", "a host in front"),
            ("a b.org/os", "a host in front"),
            ("ftp://r.example.org/os", "its scheme is `ftp`"),
            ("http://r.example.org/os", "expected HTTPS"),
            ("http://10.0.0.1:5000/os", "expected HTTPS"),
            ("user:secret@r.example.org/os", "got `@`"),
            ("r.example.org/os@sha256:00", "got `@`"),
            ("r.example.org:70000/os", "got `70000`"),
            ("r.example.org/OS", "lower-case"),
            ("r.example.org/os:tag", "lower-case"),
            ("r.example.org/a//b", "lower-case"),
            ("r.example.org/a..b", "lower-case"),
            ("r.example.org/-a", "lower-case"),
            ("r.example.org/", "lower-case"),
            (&format!("r.example.org/{}", "a".repeat(250)), "at most 255 bytes"),
        ] {
            let error = text.parse::<RepositoryName>().unwrap_err();
            assert!(error.to_string().contains(expected), "{text}: {error}");
            assert!(error.hint().is_some());
        }
    }
}
