//! Patterns: `*`, `?`, `[...]`.

use crate::prelude::*;

/// A character of an expanded word, and whether it was quoted.
pub(crate) type Character = (char, bool);

#[derive(Clone, Debug)]
enum Item {
    Any,
    One,
    Is(char),
    Class { negated: bool, members: Vec<Member> },
}

#[derive(Clone, Debug)]
enum Member {
    Range(char, char),
    Named(fn(&char) -> bool),
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(Vec<Item>);

/// Whether something in it is not just a character.
pub(crate) fn is_pattern(characters: &[Character]) -> bool {
    characters
        .iter()
        .any(|&(character, quoted)| !quoted && matches!(character, '*' | '?' | '['))
}

impl Pattern {
    pub(crate) fn new(characters: &[Character]) -> Self {
        let mut items = Vec::new();
        let mut at = 0;
        while let Some(&(character, quoted)) = characters.get(at) {
            at += 1;
            items.push(match character {
                _ if quoted => Item::Is(character),
                '*' if matches!(items.last(), Some(Item::Any)) => continue,
                '*' => Item::Any,
                '?' => Item::One,
                '[' => match class(&characters[at..]) {
                    Some((item, len)) => {
                        at += len;
                        item
                    }
                    None => Item::Is('['),
                },
                '\\' => match characters.get(at) {
                    Some(&(escaped, _)) => {
                        at += 1;
                        Item::Is(escaped)
                    }
                    None => Item::Is('\\'),
                },
                _ => Item::Is(character),
            });
        }
        Self(items)
    }

    /// Whether it begins with a dot: others do not match hidden files.
    pub(crate) fn begins_with_dot(&self) -> bool {
        matches!(self.0.first(), Some(Item::Is('.')))
    }

    /// Whether all of the text matches. Takes time proportional to both lengths' product at most.
    pub(crate) fn matches(&self, text: &[char]) -> bool {
        let (mut at, mut item) = (0, 0);
        // Where to go on when what follows the last `*` does not match: the `*` takes one character more.
        let mut again = None;
        loop {
            match self.0.get(item) {
                Some(Item::Any) => {
                    item += 1;
                    again = Some((item, at));
                    continue;
                }
                Some(one) if text.get(at).is_some_and(|&character| one.accepts(character)) => {
                    item += 1;
                    at += 1;
                    continue;
                }
                None if at == text.len() => return true,
                _ => {}
            }
            match again {
                Some((after, start)) if start < text.len() => {
                    again = Some((after, start + 1));
                    (item, at) = (after, start + 1);
                }
                _ => return false,
            }
        }
    }
}

impl Item {
    fn accepts(&self, character: char) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Is(own) => *own == character,
            Self::Class { negated, members } => {
                let found = members.iter().any(|member| match member {
                    Member::Range(first, last) => (*first..=*last).contains(&character),
                    Member::Named(test) => test(&character),
                });
                found != *negated
            }
        }
    }
}

/// Reads what follows `[`, and how long it is; `None` when no `]` ends it.
fn class(characters: &[Character]) -> Option<(Item, usize)> {
    let mut at = 0;
    let negated = matches!(characters.first(), Some(('!' | '^', false)));
    at += usize::from(negated);
    let mut members = Vec::new();
    let start = at;
    loop {
        let &(mut first, mut quoted) = characters.get(at)?;
        at += 1;
        if first == ']' && !quoted && at - 1 > start {
            return Some((Item::Class { negated, members }, at));
        }
        if first == '[' && !quoted && characters.get(at) == Some(&(':', false)) {
            let name: String = characters[at + 1..]
                .iter()
                .map(|&(character, _)| character)
                .take_while(char::is_ascii_lowercase)
                .collect();
            let end = at + 1 + name.len();
            if let Some(test) = named(&name)
                && characters.get(end..end + 2) == Some(&[(':', false), (']', false)])
            {
                members.push(Member::Named(test));
                at = end + 2;
                continue;
            }
        }
        if first == '\\' && !quoted {
            (first, quoted) = *characters.get(at)?;
            at += 1;
        }
        let _ = quoted;
        let range = characters.get(at) == Some(&('-', false))
            && characters.get(at + 1).is_some_and(|&next| next != (']', false));
        if range {
            let last = characters.get(at + 1)?.0;
            at += 2;
            members.push(Member::Range(first, last));
        } else {
            members.push(Member::Range(first, first));
        }
    }
}

fn named(name: &str) -> Option<fn(&char) -> bool> {
    Some(match name {
        "alpha" => |character| character.is_alphabetic(),
        "digit" => char::is_ascii_digit,
        "alnum" => |character| character.is_alphanumeric(),
        "upper" => |character| character.is_uppercase(),
        "lower" => |character| character.is_lowercase(),
        "space" => |character| character.is_whitespace(),
        "blank" => |character| matches!(character, ' ' | '\t'),
        "punct" => char::is_ascii_punctuation,
        "xdigit" => char::is_ascii_hexdigit,
        "cntrl" => |character| character.is_control(),
        "print" => |character| !character.is_control(),
        "graph" => |character| !character.is_control() && !character.is_whitespace(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, text: &str) -> bool {
        let pattern: Vec<_> = pattern.chars().map(|character| (character, false)).collect();
        Pattern::new(&pattern).matches(&text.chars().collect::<Vec<_>>())
    }

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?", "ä", true),
            ("??", "a", false),
            ("[abc]", "b", true),
            ("[!abc]", "b", false),
            ("[^abc]", "d", true),
            ("[a-c]x", "bx", true),
            ("[]]", "]", true),
            ("[!]]", "]", false),
            ("[a-]", "-", true),
            ("[", "[", true),
            ("[a", "[a", true),
            ("[[:digit:]]*", "7up", true),
            ("[[:upper:]]", "a", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[\\]]", "]", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern:?} on {text:?}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        assert!(!matches(&"*a".repeat(50), &"a".repeat(49)));
    }

    /// The definition, as simple as can be.
    fn slow(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.first(), text.first()) {
            (None, None) => true,
            (Some(b'*'), _) => slow(&pattern[1..], text) || !text.is_empty() && slow(pattern, &text[1..]),
            (Some(b'?'), Some(_)) => slow(&pattern[1..], &text[1..]),
            (Some(a), Some(b)) if a == b => slow(&pattern[1..], &text[1..]),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            prop_assert_eq!(matches(&pattern, &text), slow(pattern.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn any_pattern_compiles(pattern in ".{0,20}", text in ".{0,20}") {
            matches(&pattern, &text);
        }
    }
}
