//! `(cherry picked from commit X)`: the line by which a backport names the commit that it carries over, written and found
//! as git does it.

const PREFIX: &str = "(cherry picked from commit ";
const SIGNED_OFF: &str = "Signed-off-by: ";

/// The message of a backport: the original's with the line that names it, as `git cherry-pick -x` writes it. The line
/// joins the trailers where the message ends in some, and is a paragraph of its own otherwise.
#[must_use]
pub fn with_origin(message: &[u8], commit: &str) -> Vec<u8> {
    let mut text = without_leading_blank_lines(message).to_vec();
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    if !ends_in_trailers(&text) {
        text.push(b'\n');
    }
    text.extend_from_slice(format!("{PREFIX}{commit})\n").as_bytes());
    text
}

/// The commits that a message says it carries over, in the order of the lines. What is not a full commit id is left out.
#[must_use]
pub fn origins(message: &str) -> Vec<&str> {
    message
        .lines()
        .filter_map(|line| line.strip_prefix(PREFIX)?.trim_end().strip_suffix(')'))
        .filter(|id| is_commit_id(id))
        .collect()
}

/// The commits that a message says it takes back, as `git revert` writes it.
#[must_use]
pub fn reverted(message: &str) -> Vec<&str> {
    message
        .lines()
        .filter_map(|line| line.strip_prefix("This reverts commit ")?.get(..40))
        .filter(|id| is_commit_id(id))
        .collect()
}

/// Whether a text is a whole commit id: 40 lower-case hexadecimal digits.
#[must_use]
pub fn is_commit_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn without_leading_blank_lines(mut text: &[u8]) -> &[u8] {
    while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
        if !text[..end].iter().all(u8::is_ascii_whitespace) {
            break;
        }
        text = &text[end + 1..];
    }
    text
}

fn is_comment(line: &[u8]) -> bool {
    line.starts_with(b"#")
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// How much of the message is left when comments, blank lines and an old list of conflicts are taken from its end.
fn without_trailing_comments(lines: &[&[u8]]) -> usize {
    let (mut first, mut in_conflicts) = (None, false);
    for (number, line) in lines.iter().enumerate() {
        let ignored = if is_comment(line) || line.is_empty() {
            true
        } else if line.starts_with(b"Conflicts:") && line.len() == b"Conflicts:".len() {
            in_conflicts = true;
            true
        } else {
            in_conflicts && line.starts_with(b"\t")
        };
        if ignored {
            first = first.or(Some(number));
        } else if first.take().is_some() {
            in_conflicts = false;
        }
    }
    first.unwrap_or(lines.len())
}

/// Whether a line is `Token: value`: letters, digits and hyphens, spaces only right before the colon.
fn is_trailer(line: &[u8]) -> bool {
    let mut space = false;
    for (at, byte) in line.iter().enumerate() {
        match byte {
            b':' => return at >= 1,
            b' ' | b'\t' if at > 0 => space = true,
            _ if !space && (byte.is_ascii_alphanumeric() || *byte == b'-') => {}
            _ => return false,
        }
    }
    false
}

/// Whether the last paragraph is one of trailers, by the rule of `git interpret-trailers`: all lines are, or one of git's
/// own is among them and at least a quarter are. The first paragraph is the subject and never counts.
fn ends_in_trailers(text: &[u8]) -> bool {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let lines = &lines[..without_trailing_comments(&lines)];
    let Some(title_end) = lines.iter().position(|line| !is_comment(line) && is_blank(line)) else {
        return false;
    };
    let (mut trailers, mut others, mut continued) = (0_usize, 0_usize, 0_usize);
    let (mut only_spaces, mut of_git) = (true, false);
    for line in lines[title_end..].iter().rev() {
        if is_comment(line) {
            others += continued;
            continued = 0;
        } else if is_blank(line) {
            if only_spaces {
                continue;
            }
            others += continued;
            return (of_git && trailers * 3 >= others) || (trailers > 0 && others == 0);
        } else {
            only_spaces = false;
            if line.starts_with(SIGNED_OFF.as_bytes()) || line.starts_with(PREFIX.as_bytes()) {
                of_git = true;
                trailers += 1;
                continued = 0;
            } else if line[0].is_ascii_whitespace() {
                continued += 1;
            } else if is_trailer(line) {
                trailers += 1;
                continued = 0;
            } else {
                others += 1 + continued;
                continued = 0;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3f2a1c00000000000000000000000000000000ab";

    fn written(message: &str) -> String {
        String::from_utf8(with_origin(message.as_bytes(), ID)).unwrap()
    }

    #[test]
    fn the_line_is_a_paragraph_or_joins_the_trailers() {
        let line = format!("{PREFIX}{ID})\n");
        assert_eq!(written("fix: a"), format!("fix: a\n\n{line}"));
        assert_eq!(
            written("fix: a\n\nBecause.\n"),
            format!("fix: a\n\nBecause.\n\n{line}")
        );
        assert_eq!(
            written("fix: a\n\nRefs: #1\n"),
            format!("fix: a\n\nRefs: #1\n{line}")
        );
        assert_eq!(
            written(&format!("fix: a\n\n{line}")),
            format!("fix: a\n\n{line}{line}")
        );
        // The subject is no trailer, though it looks like one.
        assert_eq!(written("fix: a\n"), format!("fix: a\n\n{line}"));
    }

    #[test]
    fn what_a_message_carries_and_takes_back_is_found() {
        let message =
            format!("fix: a\n\nThis reverts commit {ID}.\n\n{PREFIX}{ID})\n{PREFIX}short)\n x {PREFIX}{ID})");
        assert_eq!(origins(&message), [ID]);
        assert_eq!(reverted(&message), [ID]);
        assert_eq!(origins(&written("fix: a")), [ID]);
    }
}
