//! `grep`.

use crate::harness::{Scratch, compare, compare_table, gnu, ours};

#[test]
fn options() {
    compare_table(
        "
        grep a lines
        grep a < lines
        grep a - < lines
        grep zzz lines
        grep '' lines
        grep '' empty
        grep '' one newlines
        grep -v '' lines
        grep -i CAT words
        grep -v a lines
        grep -iv cat words
        grep -n a lines
        grep -c a lines
        grep -c zzz lines
        grep -vc a lines
        grep -l a lines one numbers
        grep -L a lines one numbers
        grep -l zzz lines one
        grep -L zzz lines one
        grep -q a lines
        grep -q zzz lines
        grep -q a missing lines
        grep -q a lines missing
        grep -q zzz missing
        grep -s a missing
        grep -s a missing lines
        grep a lines one
        grep -h a lines one
        grep -H a lines
        grep -n a lines one
        grep -c a lines one empty
        grep -w cat words
        grep -wo cat words
        grep -w the words
        grep -wi 'cat\\|the' words
        grep -x CAT words
        grep -x 'CAT cat' words
        grep -x 'alpha' lines
        grep -o a lines
        grep -on a lines one
        grep -o 'a*' lines
        grep -ov a lines
        grep -oc a lines
        grep -e a -e b lines
        grep -e a -e zzz lines
        grep -e '' lines
        grep -e a lines one
        grep -F '(bar)*' words
        grep -F 'a.' words
        grep -Fi 'CAT-' words
        grep -Fx concatenate words
        grep -Fw cat words
        grep -E 'cat|the' words
        grep -G 'cat|the' words
        grep -A 1 gamma lines
        grep -B 1 gamma lines
        grep -C 1 gamma lines
        grep -1 gamma lines
        grep -A1 -B2 gamma lines
        grep -C 1 -A 0 gamma lines
        grep -A 1 a lines twice
        grep -nA 1 5 numbers
        grep -nC 2 7 numbers
        grep -HnB 1 7 numbers
        grep -cA 1 5 numbers
        grep -lA 1 5 numbers
        grep -vC 1 a lines
        grep -oA 1 5 numbers
        grep -oC 1 1 numbers
        grep -A 2 3 numbers one numbers
        grep -A 0 3 numbers
        grep -A x 3 numbers
        grep text nul
        grep -c text nul
        grep -v text nul
        grep -a text nul
        grep -ac text nul
        grep -ao te.t nul
        grep -l text nul
        grep -q text nul
        grep zzz nul
        grep text nul lines
        grep -o text nul
        grep x longer
        grep -c z longer
        grep -o y longer
        grep 17 big
        grep -c 17 big
        grep a missing
        grep a missing lines
        grep a dir
        grep a dir lines
        grep
        grep -E
        grep -r cat dir/a
        grep -r cat dir/a dir/b
        grep -rh cat dir/a
        grep -rH cat dir/a
        grep -r zzz dir
        grep -rc zzz dir/sub/deep
        grep -e -dash lines
        grep -- -like words
        grep --ignore-case --line-number cat words
        grep --regexp=cat --count words
        ",
    );
}

#[test]
fn basic_expressions() {
    compare_table(
        r"
        grep '^a' lines
        grep 'a$' lines
        grep '^$' lines
        grep '^' empty
        grep 'a.p' lines
        grep 'b[aeiou]t' lines
        grep '[^a-z ]' lines
        grep '[[:upper:]]' words
        grep '[[:digit:][:punct:]]' words
        grep '[]]' words
        grep '[^]a-z]' words
        grep '[a-]' words
        grep '[-a]' words
        grep '[.]' words
        grep '[[.-.]]' words
        grep '[[=c=]]at' words
        grep '[\]' words
        grep '\\' words
        grep '\.' words
        grep '\[x\]' words
        grep '*' words
        grep '\(*\)' words
        grep '\(*a\)' words
        grep '^*' words
        grep 'a\|*' words
        grep 'x^' words
        grep ']^y' words
        grep 'y$z' words
        grep '\(^T\)' words
        grep 'x\|^f' words
        grep 'sat.\($\)' words
        grep 'en*d' words
        grep 't\{1\}' words
        grep -o 'a\{2,\}' longer
        grep -o 'x\{3,5\}' longer
        grep -o 'l\{0,1\}p' lines
        grep -o 'l\{,2\}p' lines
        grep -o '\(ca\|co\)[a-z]*' words
        grep -o 'ca\?' words
        grep -o 'ca\+' words
        grep 'a+' words
        grep 'a?' words
        grep 'a{1}' words
        grep '(bar)' words
        grep '\<cat' words
        grep 'cat\>' words
        grep '\bcat\b' words
        grep -o '\Bat' words
        grep -o '\w*' words
        grep -o '\W' words
        grep '\s\S' words
        grep -o '\`T' words
        grep -o 'b\(a\|ta\)*' lines
        grep '\(' words
        grep '\)' words
        grep '\(a' words
        grep 'a\)' words
        grep 'a\{1' words
        grep 'a\{x\}' words
        grep 'a\{2,1\}' words
        grep 'a\{99999\}' words
        grep '[' words
        grep '[a' words
        grep '[[:foo:]]' words
        grep '[z-a]' words
        grep '[:space:]' words
        grep '\' words
        grep '[[:space:]' words
        grep -i '[a-c]AT' words
        grep -i '\(THE\)' words
        grep 'a**' lines
        grep 'x*x*x*x*y' longer
        ",
    );
}

#[test]
fn extended_expressions() {
    compare_table(
        r"
        grep -E 'cat|the' words
        grep -E '(cat|the)' words
        grep -Eo '(a|b)+' lines
        grep -Eo 'ab?' lines
        grep -Eo 'l{1,2}' lines
        grep -Eo 'l{2}' lines
        grep -Eo 'l{,2}p' lines
        grep -E 'a{1' words
        grep -E 'a{x}' words
        grep -E 'a{2,1}' words
        grep -E '(' words
        grep -E ')' words
        grep -E '(a' words
        grep -E 'a)' words
        grep -E '()' words
        grep -E 'a||b' words
        grep -E '|' lines
        grep -E '(|a)b' lines
        grep -Eo '(a|)b' lines
        grep -E 'a^b' lines
        grep -E 'a$b' lines
        grep -E '(^a|a$)' lines
        grep -Eo '^(a|al|alp)' lines
        grep -Eo 'a.*a' lines
        grep -Eo '(a*)*' lines
        grep -Eo '(a*)+e' lines
        grep -Eo '(al|p|ha)*' lines
        grep -E '\(bar\)\*' words
        grep -E '\[x\]\^y\$' words
        grep -E '[[:alpha:]]+[-_][[:alpha:]]+' words
        grep -E '^[^ ]+$' words
        grep -E '^.{5}$' lines
        grep -E '^.{3,}t' words
        grep -Ew 'c.t|th' words
        grep -Ex '(CAT|cat| )+' words
        grep -Eo '[0-9]+' numbers
        grep -Eoi '(C|T)[a-z]{2}' words
        grep -E 'a{0}b' lines
        grep -E '((a))((b))?' lines
        grep -E 'a\|b' lines
        grep -E '\<(cat|the)\>' words
        grep -Eow 'cat|concat|end' words
        grep -Eoc '.' words
        grep -E '^$|t$' lines
        grep -E '(([a-z]+) ?)+$' words
        grep -E 'a+*?' lines
        ",
    );
}

#[test]
fn directories() {
    let scratch = Scratch::with_files();
    for arguments in [
        &["grep", "-r", "cat", "dir"][..],
        &["grep", "-r", "cat"],
        &["grep", "-r", "cat", "."],
        &["grep", "-rl", "cat", "dir", "words"],
        &["grep", "-rL", "cat", "dir"],
        &["grep", "-rc", "cat", "dir", "missing"],
        &["grep", "-rn", "e", "dir/"],
        &["grep", "-rho", "cat", "dir"],
    ] {
        let (mut own, mut other) = (ours(arguments, b"", &scratch.0), gnu(arguments, b"", &scratch.0));
        // GNU's has no order of files.
        for outcome in [&mut own, &mut other] {
            let mut lines: Vec<&str> = outcome.stdout.split("\\n").collect();
            lines.sort_unstable();
            outcome.stdout = lines.join("\\n");
        }
        assert_eq!(own, other, "{arguments:?}");
    }
}

#[test]
fn several_patterns() {
    for patterns in ["a\nb", "\n", "a\n", "\\(a\nb", "^a\n$", "zzz\nlast"] {
        for options in ["-n", "-c", "-o", "-v", "-x", "-F", "-E"] {
            // Some versions of GNU's take a newline in brackets or groups for part of the pattern.
            if patterns.contains('(') && options != "-F" {
                continue;
            }
            compare(&["grep", options, patterns, "lines"], b"");
        }
    }
}

#[test]
fn repetition_of_nothing_is_nothing() {
    // GNU's warns of some of these in some versions.
    let scratch = Scratch::with_files();
    let plain = ours(&["grep", "a", "lines"], b"", &scratch.0);
    for pattern in ["*a", "+a", "a|*b", "(*a)", "^*a", "?a"] {
        assert_eq!(
            ours(&["grep", "-E", pattern, "lines"], b"", &scratch.0),
            plain,
            "{pattern}"
        );
    }
}

#[test]
fn what_is_not_supported_is_said() {
    let scratch = Scratch::with_files();
    for pattern in ["\\(a\\)\\1", "\\2"] {
        let outcome = ours(&["grep", pattern, "lines"], b"", &scratch.0);
        assert!(
            outcome.status == Some(2) && outcome.complained && outcome.stdout.is_empty(),
            "{outcome:?}"
        );
    }
}
