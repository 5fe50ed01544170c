//! Commands that read text.

use std::fs::File;
use std::process::Command;

use crate::harness::{Scratch, compare, compare_table};

#[test]
fn cat() {
    compare_table(
        "
        cat
        cat < lines
        cat lines
        cat lines one empty twice
        cat - lines < one
        cat -n lines twice
        cat -b lines one newlines
        cat -s newlines lines newlines
        cat -sn newlines lines
        cat -bs newlines lines
        cat -nb lines
        cat -A bytes
        cat -An nul
        cat missing lines
        cat dir lines
        cat --number lines
        cat --squeeze-blank --show-all newlines
        cat -- -dash
        cat 'two words'
        cat long longer big
        cat -n big
        cat nul
        ",
    );
}

#[test]
fn head() {
    compare_table(
        "
        head numbers
        head < numbers
        head -n 3 numbers
        head -n3 numbers lines
        head -5 numbers
        head -n 0 numbers
        head -n -5 numbers
        head -n -100 numbers
        head -n -0 lines
        head -n 1000 big
        head -n -8990 big
        head -c 10 numbers one
        head -c -10 numbers
        head -c -10 one
        head -c 0 one
        head -c 1K big
        head -c 1kB big
        head -c 20000 big
        head -c -20000 big
        head -n 1 longer
        head -n 2 longer
        head -n -1 longer
        head -q -n 1 numbers lines
        head -v -n 1 numbers
        head -n 2 - numbers < lines
        head missing numbers
        head dir
        head empty one
        head -n 1 empty empty
        head --lines=2 numbers
        head --bytes 2 numbers
        head -n x numbers
        head -n 3 nul
        ",
    );
}

#[test]
fn tail() {
    compare_table(
        "
        tail numbers
        tail < numbers
        tail -n 3 numbers
        tail -n -3 numbers
        tail -3 numbers
        tail -n +38 numbers
        tail -n +1 lines
        tail -n +0 lines
        tail -n +100 numbers
        tail -n 0 numbers
        tail -n 1000 numbers
        tail -n 8000 big
        tail -n +8000 big
        tail -c 10 numbers one
        tail -c +10 numbers
        tail -c 0 one
        tail -c 20000 big
        tail -c +20000 big
        tail -n 1 longer
        tail -n 2 longer
        tail -n 1 lines
        tail -n 1 newlines
        tail -q -n 1 numbers lines
        tail -v -n 1 numbers
        tail -n 2 - numbers < lines
        tail missing numbers
        tail empty one
        tail -n x numbers
        tail -n 2 nul
        ",
    );
}

#[test]
fn wc() {
    compare_table(
        "
        wc lines
        wc
        wc < lines
        wc - < lines
        wc lines numbers empty
        wc -l lines
        wc -l lines numbers
        wc -lw lines big
        wc -c big
        wc -cl big one
        wc -w words
        wc -l < big
        wc missing lines
        wc lines missing
        wc missing
        wc dir lines
        wc lines -
        wc longer
        wc newlines
        wc --lines --bytes big
        ",
    );
}

#[test]
fn wc_of_a_file_as_standard_input() {
    let scratch = Scratch::with_files();
    let run = |mut command: Command, file: &str| {
        let input = File::open(scratch.0.join(file)).unwrap();
        command
            .current_dir(&scratch.0)
            .env("LC_ALL", "C")
            .stdin(input)
            .output()
            .unwrap()
            .stdout
    };
    for arguments in [&[][..], &["-l"], &["-", "lines"], &["lines", "missing", "-"]] {
        for file in ["big", "empty", "one"] {
            let (mut own, mut other) = (Command::new(env!("CARGO_BIN_EXE_coreutils")), Command::new("wc"));
            own.arg("wc").args(arguments);
            other.args(arguments);
            assert_eq!(run(own, file), run(other, file), "wc {arguments:?} < {file}");
        }
    }
}

#[test]
fn sort() {
    compare_table(
        "
        sort lines
        sort < numbers
        sort -n numbers
        sort -nr numbers
        sort -r lines
        sort -u twice
        sort -f twice
        sort -fu twice
        sort -fs twice
        sort -n decimals
        sort -nu decimals
        sort -ns decimals
        sort -rs decimals
        sort -rns decimals
        sort -b twice
        sort -bs twice
        sort table
        sort -k 2 table
        sort -k 2n table
        sort -k 2,2n table
        sort -k2,2 -k1,1 table
        sort -k2,2nr -k1f table
        sort -b -k2,2 table
        sort -k 1.2 table
        sort -k 1.2,1.3 table
        sort -k 1.2b,1.3b -s table
        sort -k 2b,2 -s table
        sort -t : -k 2 fields
        sort -t: -k 2,2 fields
        sort -t : -k 3,3r -k 1 fields
        sort -t : -k 2.1,2.1 -u fields
        sort -k 9 table
        sort -s -k 9 table
        sort -u -k 2,2 table
        sort -c numbers
        sort -c empty
        sort -c one
        sort -cu twice
        sort -cn table
        sort -cr newlines
        sort -o sorted numbers lines
        sort -n -o numbers numbers
        sort -k x table
        sort -k 0 table
        sort -k 1.0 table
        sort -t ab table
        sort missing
        sort lines missing
        sort dir
        sort nul bytes
        sort long longer
        sort big
        sort -k 4n -k 2nr big
        sort one one
        sort --numeric-sort --reverse numbers
        sort --key=2 --field-separator=: fields
        ",
    );
}

#[test]
fn uniq() {
    compare_table(
        "
        uniq twice
        uniq < twice
        uniq -c twice
        uniq -d twice
        uniq -u twice
        uniq -i twice
        uniq -ic twice
        uniq -du twice
        uniq -cd twice
        uniq -f 1 twice
        uniq -f 1 -c twice
        uniq -s 1 twice
        uniq -f 1 -s 1 twice
        uniq -s 100 twice
        uniq -f 100 -c twice
        uniq newlines
        uniq empty
        uniq one
        uniq nul
        uniq longer
        uniq twice out
        uniq -c - out < twice
        uniq missing
        uniq dir
        uniq -f x twice
        ",
    );
}

#[test]
fn cut() {
    compare_table(
        "
        cut -b 1 lines
        cut -b 1,3-4 lines
        cut -b 3- lines
        cut -b -2 lines
        cut -b 2-3,3-5,1 lines
        cut -c 2-4 < lines
        cut -b 1-2,3-4 --output-delimiter=+ lines
        cut -b 1,2,4 --output-delimiter=+ lines
        cut -b 1-3,2-4 --output-delimiter=+ lines
        cut --complement -b 2 lines
        cut --complement -b 2-3,5- lines
        cut --complement -b 1- lines
        cut -d : -f 1 fields
        cut -d: -f 2 fields
        cut -d: -f 1,3 fields
        cut -d: -f 3,1 fields
        cut -d: -f 2- fields
        cut -d: -f -2 fields
        cut -d: -f 5 fields
        cut -s -d: -f 1 fields
        cut -s -d: -f 5 fields
        cut -f 2 fields
        cut -f 1 -s fields
        cut -d ' ' -f 2 fields
        cut -d: --complement -f 2 fields
        cut -d: -f 1,2 --output-delimiter=-- fields
        cut -d '' -f 2 nul
        cut -b 1-5 long
        cut -b 49990- long
        cut -d , -f 2 long
        cut -b 1 nul empty one
        cut -b 0 lines
        cut -b 3-2 lines
        cut -b x lines
        cut -b - lines
        cut -b '' lines
        cut -d ab -f 1 lines
        cut -d : -b 1 lines
        cut -b 1 missing lines
        cut -b 1 dir
        ",
    );
}

#[test]
fn tr() {
    compare_table(
        "
        tr a b < lines
        tr a-z A-Z < lines
        tr '[:lower:]' '[:upper:]' < words
        tr '[:upper:]' '[:lower:]' < words
        tr -d a-e < lines
        tr -d '[:space:]' < lines
        tr -s '[:space:]' < words
        tr -s '\\n' < newlines
        tr -s a-z < longer
        tr -s 'a-z' 'A-Z' < longer
        tr -s ' ' '\\n' < words
        tr -cd '[:alpha:]' < words
        tr -c '[:alnum:]' '[\\n*]' < words
        tr -cs '[:alnum:]' '\\n' < words
        tr -C 'a' 'x' < lines
        tr -ds a-c l < lines
        tr abc x < lines
        tr abc xy < lines
        tr -t abc xy < lines
        tr a 'xyz' < lines
        tr '\\000' '\\n' < nul
        tr -d '\\0' < nul
        tr '\\141-\\143' '[x*2]y' < lines
        tr 'a-c' '[x*]' < lines
        tr 'abcd' 'w[x*]z' < lines
        tr '[=a=]' x < lines
        tr 'a\\-c' 'xyz' < lines
        tr -- -a xb < words
        tr '[a]' '(b)' < words
        tr -d '[:digit:][:punct:]' < words
        tr '[:blank:]' _ < words
        tr -d '[:cntrl:]' < bytes
        tr -d '[:graph:]' < bytes
        tr -cd '[:print:]' < bytes
        tr -d '[:xdigit:]' < bytes
        tr '\\\\' / < words
        tr '\\a\\b\\f\\v\\r\\t' 123456 < bytes
        tr z-a x < lines
        tr a < lines
        tr '[:foo:]' x < lines
        tr -d a b < lines
        tr a-c '' < lines
        tr a '[:alpha:]' < lines
        tr '[x*]' a < lines
        tr x y
        tr -s x < one
        ",
    );
}

#[test]
fn tee() {
    compare_table(
        "
        tee < lines
        tee out < lines
        tee out other < nul
        tee one < lines
        tee -a one < lines
        tee -a new < lines
        tee dir out < lines
        tee -- -dash < lines
        tee out < longer
        ",
    );
}

#[test]
fn words_with_newlines_and_bytes_beyond_ascii() {
    compare(&["grep", "alpha\nlast"], b"alpha\nbeta\nlast");
    compare(&["sort"], b"\xff\n\x80\nz\n\n");
    compare(&["cut", "-b", "2"], b"\xc3\xbc\n\xff\xfe\n");
    compare(&["tr", "\\303\\274", "xy"], b"\xc3\xbc\n");
    compare(&["uniq", "-i"], b"\xc3\xbc\n\xc3\x9c\n");
    compare(&["head", "-c", "1"], b"\xff\xff");
}
