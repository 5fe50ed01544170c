//! Lines of limited width.

use unicode_width::UnicodeWidthStr;

/// How wide plain text is, in columns of a terminal.
pub const WIDTH: usize = 78;

/// How narrow text may become between deep margins.
const MIN_WIDTH: usize = 24;

/// How many columns a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// Cuts a text at its blanks into lines of at most `width` columns. A line break in the text stays one; a word that is
/// wider than a line has a line of its own.
pub(super) fn lines(text: &str, width: usize) -> Vec<String> {
    let width = width.max(MIN_WIDTH);
    let mut lines = Vec::new();
    for part in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        // Not at no-break spaces, which `split_whitespace` would cut at too.
        for word in part.split(' ').filter(|word| !word.is_empty()) {
            let wide = columns(word);
            if !line.is_empty() && used + 1 + wide > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            if !line.is_empty() {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += wide;
        }
        lines.push(line);
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_blanks() {
        let text = "one two three four five six seven";
        assert_eq!(lines(text, 24), ["one two three four five", "six seven"]);
        assert_eq!(lines("a  b\nc\n", 24), ["a b", "c"]);
        assert_eq!(lines("", 24), [""; 0]);
        let long = "x".repeat(40);
        assert_eq!(lines(&format!("a {long} b"), 24), ["a", long.as_str(), "b"]);
        assert_eq!(lines("no\u{a0}break no\u{a0}break no\u{a0}break", 24).len(), 2);
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(columns("日本"), 4);
        assert!(
            lines(&"日本語 ".repeat(10), 30)
                .iter()
                .all(|line| columns(line) <= 30)
        );
    }
}
