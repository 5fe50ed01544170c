//! The new commit of a pick.

use crate::real::git::{failed, identity};
use crate::{ErrorKind, Result, WorldError};
use git2::{Commit, ObjectType, Oid, Repository};
use vrel_model::{UtcTime, with_origin};

/// Writes the commit that carries `original` over: its author, date and message, byte for byte, with the line that names
/// it unless it is a pick already that is `moved`.
pub(super) fn carry_over(
    repo: &Repository,
    original: &Commit<'_>,
    parent: Oid,
    tree: Oid,
    time: UtcTime,
    moved: bool,
) -> Result<Oid> {
    let encoding = original.message_encoding().ok().flatten().map(str::to_owned);
    let (message, encoding) = in_utf8(original.message_raw_bytes(), encoding);
    let message = if moved {
        message
    } else {
        with_origin(&message, &original.id().to_string())
    };
    write(
        repo,
        original,
        &[parent],
        tree,
        time,
        encoding.as_deref(),
        &message,
    )
}

/// Writes a commit with the author of `original` and this message.
pub(super) fn write(
    repo: &Repository,
    original: &Commit<'_>,
    parents: &[Oid],
    tree: Oid,
    time: UtcTime,
    encoding: Option<&str>,
    message: &[u8],
) -> Result<Oid> {
    let id = original.id();
    let committer = identity(repo, time)?;
    let author = header(original, b"author ").ok_or_else(|| {
        WorldError::new(
            "read",
            id.to_string(),
            ErrorKind::Other,
            "the commit has no author",
        )
    })?;
    let mut text = format!("tree {tree}\n").into_bytes();
    for parent in parents {
        text.extend_from_slice(format!("parent {parent}\n").as_bytes());
    }
    text.extend_from_slice(b"author ");
    text.extend_from_slice(author);
    text.extend_from_slice(b"\ncommitter ");
    text.extend_from_slice(committer.name_bytes());
    text.extend_from_slice(b" <");
    text.extend_from_slice(committer.email_bytes());
    text.extend_from_slice(format!("> {} +0000\n", time.unix()).as_bytes());
    if let Some(encoding) = encoding {
        text.extend_from_slice(format!("encoding {encoding}\n").as_bytes());
    }
    text.push(b'\n');
    text.extend_from_slice(message);
    repo.odb()
        .and_then(|odb| odb.write(ObjectType::Commit, &text))
        .map_err(|error| failed("write the pick of", id.to_string(), &error))
}

fn header<'c>(commit: &'c Commit<'_>, name: &[u8]) -> Option<&'c [u8]> {
    commit
        .raw_header_bytes()
        .split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(name))
}

/// A message in UTF-8, as git converts it; what is in an encoding that is not known here keeps it.
fn in_utf8(message: &[u8], encoding: Option<String>) -> (Vec<u8>, Option<String>) {
    let latin = |name: &str| ["iso-8859-1", "iso8859-1", "latin1", "latin-1"].contains(&name);
    match encoding {
        Some(name) if latin(&name.to_ascii_lowercase()) => {
            let text: String = message.iter().map(|byte| char::from(*byte)).collect();
            (text.into_bytes(), None)
        }
        Some(name) if ["utf-8", "utf8"].contains(&name.to_ascii_lowercase().as_str()) => {
            (message.to_vec(), None)
        }
        other => (message.to_vec(), other),
    }
}
