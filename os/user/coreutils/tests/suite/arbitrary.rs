//! Arbitrary options and input, against the GNU tools.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::FileFailurePersistence;

use crate::harness::{Scratch, gnu, ours};

/// Text with many equal lines, blanks, numbers, and now and then any byte.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => select(vec!["a", "b", "A", "ab", "B", "10", "2", "-3", "0.5", ":"]).prop_map(|text| text.as_bytes().to_vec()),
        3 => select(vec![" ", "  ", "\t"]).prop_map(|text| text.as_bytes().to_vec()),
        4 => Just(b"\n".to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Like [`text`], without bytes that some versions of the GNU tools treat in their own way.
fn plain_text() -> impl Strategy<Value = Vec<u8>> {
    text().prop_map(|mut bytes| {
        bytes
            .iter_mut()
            .filter(|byte| !matches!(**byte, b'\n' | b'\t' | b' '..=b'~'))
            .for_each(|byte| *byte = b'.');
        bytes
    })
}

fn some(options: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    subsequence(options.to_vec(), 0..=options.len().min(4))
        .prop_map(|options| options.into_iter().map(String::from).collect())
}

fn same(command: &str, arguments: &[String], input: &[u8]) -> Result<(), TestCaseError> {
    let scratch = Scratch::new();
    let words: Vec<&str> = [command]
        .into_iter()
        .chain(arguments.iter().map(String::as_str))
        .collect();
    let (own, other) = (ours(&words, input, &scratch.0), gnu(&words, input, &scratch.0));
    prop_assert_eq!(own, other, "{:?}", words);
    Ok(())
}

/// A basic or extended expression of small parts.
fn pattern(extended: bool) -> impl Strategy<Value = String> {
    let atom = select(vec![
        "a",
        "b",
        "A",
        ".",
        "[ab]",
        "[^a]",
        "[[:digit:]]",
        "[[:alpha:]0]",
        "\\w",
        " ",
        ":",
    ]);
    atom.prop_map(String::from)
        .prop_recursive(4, 12, 3, move |inner| {
            let escape = if extended { "" } else { "\\" };
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}{b}")),
                (inner.clone(), inner.clone())
                    .prop_map(move |(a, b)| format!("{escape}({a}{escape}|{b}{escape})")),
                inner.clone().prop_map(move |a| format!("{escape}({a}{escape})*")),
                inner
                    .clone()
                    .prop_map(move |a| format!("{escape}({a}{escape}){escape}+")),
                inner
                    .clone()
                    .prop_map(move |a| format!("{escape}({a}{escape}){escape}?")),
                (inner.clone(), 0..3u32, 0..3u32).prop_map(move |(a, from, more)| format!(
                    "{escape}({a}{escape}){escape}{{{from},{}{escape}}}",
                    from + more
                )),
            ]
        })
}

fn grep_pattern() -> impl Strategy<Value = (bool, String)> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_flat_map(|(extended, start, end)| {
        pattern(extended).prop_map(move |pattern| {
            let (start, end) = (if start { "^" } else { "" }, if end { "$" } else { "" });
            (extended, format!("{start}{pattern}{end}"))
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn sort(
        mut options in some(&["-n", "-r", "-u", "-f", "-b", "-s", "-t:", "-c"]),
        keys in some(&["-k1", "-k2", "-k2,2", "-k1.2,1.3", "-k2n", "-k1,1r", "-k2b,2.2", "-k1.1b,2.0f", "-k3,3nr"]),
        input in text(),
    ) {
        options.extend(keys);
        same("sort", &options, &input)?;
    }

    #[test]
    fn uniq(options in some(&["-c", "-d", "-u", "-i", "-f1", "-f2", "-s1", "-s3"]), input in text()) {
        same("uniq", &options, &input)?;
    }

    #[test]
    fn cut(
        kind in select(vec!["-b", "-c", "-f"]),
        list in vec((1..8u32, 0..4u32, 0..4u8), 1..4),
        options in some(&["--complement", "--output-delimiter=+"]),
        fields in some(&["-d:", "-s"]),
        input in text(),
    ) {
        let list: Vec<String> = list
            .into_iter()
            .map(|(from, more, form)| match form {
                0 => format!("{from}"),
                1 => format!("{from}-"),
                2 => format!("-{from}"),
                _ => format!("{from}-{}", from + more),
            })
            .collect();
        let mut arguments = vec![kind.to_string(), list.join(",")];
        arguments.extend(options);
        if kind == "-f" {
            arguments.extend(fields);
        }
        same("cut", &arguments, &input)?;
    }

    #[test]
    fn tr(
        options in some(&["-d", "-s", "-c", "-t"]),
        sets in vec(select(vec!["a", "ab", "a-z", "[:upper:]", "[:lower:]", "b-d0", " \\n", "\\n\\t:", "A-C-", "xyz", "0-9a"]), 2),
        input in text(),
    ) {
        let has = |option: &str| options.iter().any(|other| other == option);
        let wanted = if has("-d") && !has("-s") { 1 } else { 2 };
        // These mean something to GNU's that depends on how the sets line up.
        let classes = sets.iter().take(wanted).any(|set| set.contains('['));
        prop_assume!(!classes || (wanted == 1) || has("-d"));
        let mut arguments = options.clone();
        arguments.extend(sets.iter().take(wanted).map(|set| set.to_string()));
        same("tr", &arguments, &input)?;
    }

    #[test]
    fn wc(options in some(&["-l", "-w", "-c"]), input in plain_text()) {
        same("wc", &options, &input)?;
    }

    #[test]
    fn head_and_tail(
        command in select(vec!["head", "tail"]),
        kind in select(vec!["-n", "-c"]),
        sign in 0..2u8,
        count in 0..30u32,
        input in text(),
    ) {
        let sign = match (command, sign) {
            (_, 0) => "",
            ("head", _) => "-",
            _ => "+",
        };
        same(command, &[kind.to_string(), format!("{sign}{count}")], &input)?;
    }

    #[test]
    fn grep(
        (extended, pattern) in grep_pattern(),
        options in some(&["-i", "-v", "-n", "-c", "-o", "-x", "-A1", "-B1", "-C2", "-l", "-L", "-a"]),
        input in plain_text(),
    ) {
        let mut arguments = options;
        arguments.push(if extended { "-E" } else { "-G" }.to_string());
        arguments.extend(["-e".to_string(), pattern]);
        same("grep", &arguments, &input)?;
    }

    #[test]
    fn grep_for_words(
        text in select(vec!["a", "ab", "b a", "10", "a*b", "[ab]*[0-9]", "a\\|ab", ".", "B:"]),
        options in some(&["-i", "-o", "-c", "-F", "-v"]),
        input in plain_text(),
    ) {
        let mut arguments = options;
        arguments.extend(["-w".to_string(), "-e".to_string(), text.to_string()]);
        same("grep", &arguments, &input)?;
    }

    #[test]
    fn grep_finds_fixed_strings(
        text in "[ab.*:]{1,4}",
        options in some(&["-i", "-o", "-c", "-x", "-v", "-w"]),
        input in plain_text(),
    ) {
        let mut arguments = options;
        // With both of them GNU's prints an empty match behind the real one.
        if arguments.iter().any(|option| option == "-x") {
            arguments.retain(|option| option != "-w");
        }
        arguments.extend(["-F".to_string(), "-e".to_string(), text]);
        same("grep", &arguments, &input)?;
    }

    #[test]
    fn no_pattern_makes_it_panic(pattern in "[ab()\\[\\]{}|\\\\*+?^$.,0-9:=-]{0,12}", extended in any::<bool>(), input in text()) {
        let scratch = Scratch::new();
        let outcome = ours(&["grep", if extended { "-E" } else { "-G" }, "-o", "-e", &pattern], &input, &scratch.0);
        prop_assert!(matches!(outcome.status, Some(0..=2)), "{pattern:?}: {outcome:?}");
    }
}
