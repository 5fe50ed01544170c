//! Pages of commands, as `clap_mangen` makes them, put right.
//!
//! Its head has no date and names a subcommand by its last word, what follows the options stands under the heading
//! “EXTRA” and is filled like prose, and paragraphs of options are separated by blank lines, which man(7) has other means
//! for.

use super::stamp::{Page, Stamp, is_request};
use crate::DocumentError;

/// The manual that such pages belong to, as their heads say.
const MANUAL: &str = "Release Manual";

/// The page's text, dated and tidy.
///
/// # Errors
/// When `.TH` does not name the page.
pub(super) fn tidy(page: &Page, stamp: &Stamp) -> Result<String, DocumentError> {
    let mut out = String::with_capacity(page.source.len() + 64);
    let mut lines = page.source.lines().peekable();
    // Whether lines are shown as they are, as in examples.
    let mut verbatim = false;
    while let Some(line) = lines.next() {
        if is_request(line, ".TH") {
            head(page, stamp, line, &mut out)?;
            continue;
        }
        if is_request(line, ".SH") {
            end(&mut verbatim, &mut out);
        }
        match line {
            ".SH EXTRA" => verbatim = extra(&mut lines, &mut out),
            // A break before or after a gap is none.
            ".br" if lines.peek().is_some_and(|next| next.trim().is_empty()) => {}
            _ if line.trim().is_empty() && !verbatim => {
                if lines.peek() == Some(&".br") {
                    lines.next();
                }
                // Within an option's description `.PP` would end the indentation.
                out.push_str(".sp\n");
            }
            _ => {
                out.push_str(line.trim_end());
                out.push('\n');
            }
        }
    }
    end(&mut verbatim, &mut out);
    Ok(out)
}

fn end(verbatim: &mut bool, out: &mut String) {
    if std::mem::take(verbatim) {
        while out.ends_with("\n\n") {
            out.pop();
        }
        out.push_str(".fi\n");
    }
}

fn head(page: &Page, stamp: &Stamp, line: &str, out: &mut String) -> Result<(), DocumentError> {
    let title = line
        .split_whitespace()
        .nth(1)
        .unwrap_or_default()
        .replace("\\-", "-");
    if !title.eq_ignore_ascii_case(page.name.name()) {
        let expected = page.name.name();
        return Err(page.wrong(&format!("expected a line `.TH` for `{expected}`, got `{line}`")));
    }
    out.push_str(&format!(
        ".TH {} {} {} \"{}\" \"{} {MANUAL}\"\n",
        title.to_uppercase().replace('-', "\\-"),
        page.name.section(),
        stamp.date.date(),
        stamp.system().replace('-', "\\-"),
        stamp.product,
    ));
    Ok(())
}

/// Gives what follows the options a heading that says what it is; whether it is to be shown as it stands.
fn extra<'s>(lines: &mut std::iter::Peekable<impl Iterator<Item = &'s str>>, out: &mut String) -> bool {
    if lines.peek() == Some(&"Examples:") {
        lines.next();
        out.push_str(".SH EXAMPLES\n.nf\n");
        return true;
    }
    match lines.peek().and_then(|line| line.strip_prefix("Exit codes: ")) {
        Some(codes) => {
            lines.next();
            out.push_str(".SH EXIT STATUS\n");
            out.push_str(codes.trim_end());
            out.push('\n');
        }
        None => out.push_str(".SH NOTES\n"),
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_model::UtcTime;

    fn tidied(name: &str, source: &str) -> Result<String, DocumentError> {
        let stamp = Stamp {
            product: "VeridianOS".to_owned(),
            version: "0.6.0-rc1".parse().unwrap(),
            date: UtcTime::from_unix(1_795_230_000).unwrap(),
        };
        let page = Page {
            name: name.parse().unwrap(),
            source: source.to_owned(),
        };
        Ok(page.stamp(&stamp)?.source)
    }

    #[test]
    fn the_head_names_page_release_and_day() {
        assert_eq!(
            tidied(
                "vrel-cut-rc.1",
                ".ie x\n.TH vrel-cut-rc 1  \"cut-rc \" \n.SH NAME\ntext \n"
            )
            .unwrap(),
            ".ie x\n.TH VREL\\-CUT\\-RC 1 2026-11-21 \"VeridianOS 0.6.0\\-rc1\" \"VeridianOS Release Manual\"\n.SH NAME\ntext\n"
        );
        let error = tidied("vrel.1", ".TH other 1 \"x\"\n").unwrap_err().to_string();
        assert!(
            error.contains("vrel.1: expected a line `.TH` for `vrel`, got `.TH other 1"),
            "{error}"
        );
    }

    #[test]
    fn examples_are_shown_as_they_stand() {
        assert_eq!(
            tidied(
                "a.1",
                ".TH a 1\n.SH EXTRA\nExamples:\n  a b\n\n  a c\n.SH VERSION\nv1\n"
            )
            .unwrap()
            .split_once('\n')
            .unwrap()
            .1,
            ".SH EXAMPLES\n.nf\n  a b\n\n  a c\n.fi\n.SH VERSION\nv1\n"
        );
        assert_eq!(
            tidied("a.1", ".TH a 1\n.SH EXTRA\nExit codes: 0 done · 1 not\n")
                .unwrap()
                .split_once('\n')
                .unwrap()
                .1,
            ".SH EXIT STATUS\n0 done · 1 not\n"
        );
    }

    #[test]
    fn blank_lines_and_breaks_become_gaps() {
        assert_eq!(
            tidied("a.1", ".TH a 1\nThe shell\n.br\n\n.br\nvalues\n\nmore\n")
                .unwrap()
                .split_once('\n')
                .unwrap()
                .1,
            "The shell\n.sp\nvalues\n.sp\nmore\n"
        );
    }
}
