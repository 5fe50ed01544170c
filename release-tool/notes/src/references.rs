//! Numbers of issues in the texts of commits.

/// Words that, before an issue's number, say that the commit settles it: those that GitHub knows.
const KEYWORDS: [&str; 9] = [
    "close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved",
];

/// A plain decimal number from 1.
pub(crate) fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain {
        digits.parse().ok().filter(|number| *number > 0)
    } else {
        None
    }
}

/// Adds the issues that a line says are settled: `Fixes #12, #13 and #14`, `closes: #5`. Numbers of other
/// repositories (`owner/name#3`) and mere mentions are not meant.
pub(crate) fn collect_settled(line: &str, issues: &mut Vec<u64>) {
    // Nearly every line ends here.
    if !line.contains('#') {
        return;
    }
    let mut settles = false;
    for word in line.split_whitespace() {
        let bare = word.trim_matches(|c: char| matches!(c, ',' | ';' | '.' | '(' | ')' | ':'));
        if let Some(issue) = bare.strip_prefix('#').and_then(number) {
            if settles && !issues.contains(&issue) {
                issues.push(issue);
            }
        } else if !(settles && (bare == "and" || bare == "&" || bare.is_empty())) {
            settles = KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(bare));
        }
    }
}

/// The numbers after `#` in a text.
pub(crate) fn mentioned(text: &str) -> impl Iterator<Item = u64> {
    text.split('#')
        .skip(1)
        .filter_map(|rest| number(&rest[..rest.bytes().take_while(u8::is_ascii_digit).count()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_settled_counts() {
        for (line, expected) in [
            ("Fixes #12", &[12][..]),
            ("fixes: #12, #13 and #14.", &[12, 13, 14]),
            ("This closes #5 (and resolves #6) for good", &[5, 6]),
            ("RESOLVED #7 #8", &[7, 8]),
            ("Fixes #9, closes #9", &[9]),
            ("See #1, and fix it like #2", &[]),
            ("Fixes the crash of #3", &[]),
            ("Fixes owner/name#4", &[]),
            ("Fixes #", &[]),
            ("Fixes #0 #1x #99999999999999999999", &[]),
            ("Fixes 0123abc", &[]),
        ] {
            let mut issues = Vec::new();
            collect_settled(line, &mut issues);
            assert_eq!(issues, expected, "{line}");
        }
    }

    #[test]
    fn mentions_are_found_anywhere() {
        let found: Vec<u64> = mentioned("it hangs (#12, see a/b#3), # #x ##5").collect();
        assert_eq!(found, [12, 3, 5]);
    }
}
