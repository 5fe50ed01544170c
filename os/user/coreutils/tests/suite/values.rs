//! Commands that print what their arguments say.

use crate::harness::{compare, compare_table};

#[test]
fn echo() {
    compare_table(
        r"
        echo
        echo a b
        echo -n a
        echo -n
        echo -e 'a\tb\nc'
        echo 'a\tb'
        echo -E 'a\tb'
        echo -eE 'a\tb'
        echo -Ee 'a\tb'
        echo -ne 'x\n'
        echo -e '\a\b\e\f\r\v\\'
        echo -e 'a\cb' c
        echo -e '\0101\101\x41\x4\x'
        echo -e '\0400\0777\1234\08'
        echo -e '\q\'
        echo -x a
        echo -nx a
        echo - a
        echo -- a
        echo a -n
        echo --help x
        echo 'two  spaces'  end
        ",
    );
}

#[test]
fn printf() {
    compare_table(
        r"
        printf hello
        printf 'a\tb\n'
        printf '%s\n' a b c
        printf '%s-%s\n' a b c
        printf '%d %i %u\n' 1 -2 3
        printf '%o %x %X %#o %#x %#X\n' 8 255 255 8 255 255
        printf '%5d|%-5d|%05d|%+d|% d\n' 42 42 42 42 42
        printf '%.3d|%8.3d|%-8.3d|%08.3d\n' 7 7 7 7
        printf '%5s|%-5s|%.2s|%5.1s\n' abc abc abc abc
        printf '%c%c\n' hello world
        printf '%b\n' 'a\tb\0101\101'
        printf '%b|%s\n' 'a\cb' c
        printf '%%\n'
        printf '%s %d\n'
        printf '%d\n' 017 0x1f '+5' '-0x10'
        printf '%d\n' abc
        printf '%d\n' 12abc
        printf '%x\n' -1
        printf '%u\n' -1
        printf '%*d|%-*d|\n' 5 42 5 42
        printf '%*s|\n' -5 x
        printf '%.*s|\n' 2 abcdef
        printf '%.0d|%.0x\n' 0 0
        printf '\101\x41\0101\e[\\\a'
        printf '\c' x
        printf 'a\cb'
        printf 'no conversion' a b
        printf '%y\n' a
        printf
        printf --
        printf -- '%s\n' a
        ",
    );
}

#[test]
fn seq() {
    compare_table(
        "
        seq 5
        seq 0
        seq 2 5
        seq 5 2
        seq 1 2 10
        seq 10 -3 -5
        seq -3
        seq -3 3
        seq -w 8 12
        seq -w -5 5 10
        seq -w 1 0.5 10
        seq -w 008 10
        seq -w 1 100.75
        seq -s , 5
        seq -s, 1
        seq -s '' 3
        seq 1 .5 3
        seq 0.1 0.1 1.0
        seq 1.50 3
        seq 1 0.25 2.1
        seq -1.5 0.5 1
        seq 1 3.9
        seq -w 9.5 0.25 10.5
        seq 1 -1 1
        seq x
        seq -- -2 2
        seq +1 +3
        seq --equal-width --separator=: 9 11
        ",
    );
}

#[test]
fn names() {
    compare_table(
        "
        basename /usr/lib/x.so
        basename /usr/lib/x.so .so
        basename x.so x.so
        basename /
        basename //
        basename a/
        basename a//b//
        basename ''
        basename -a a/b c/d /
        basename -s .c a.c b/c.c .c
        basename --suffix=.c a.c
        dirname /usr/lib/x.so
        dirname x
        dirname x/
        dirname /x
        dirname //x
        dirname /
        dirname a/b/
        dirname a//b
        dirname ''
        dirname a/b c/d
        true
        false
        true a b
        false --x
        ",
    );
}

#[test]
fn test() {
    let cases = "
        test
        test x
        test ''
        test -n x
        test -n ''
        test -z ''
        test -z x
        test a = a
        test a = b
        test a == a
        test a != b
        test 1 -eq 01
        test 1 -ne 2
        test -1 -lt 1
        test 5 -gt 10
        test 5 -le 5
        test 5 -ge 6
        test ' 5 ' -eq 5
        test x -eq 5
        test 5 -eq ''
        test -e lines
        test -e missing
        test -f lines
        test -f dir
        test -d dir
        test -d lines
        test -s empty
        test -s lines
        test -s dir
        test -c /dev/null
        test -p lines
        test -r lines
        test -r missing
        test -w lines
        test -x dir
        test -x lines
        test -x program
        test -L lines
        test -h missing
        test lines -ef ./lines
        test lines -ef numbers
        test missing -ef missing
        test ! x
        test ! ''
        test ! -e missing
        test ! a = b
        test ! ! x
        test '(' x ')'
        test '(' '' ')'
        test '(' -n x ')'
        test '(' a = b ')' -o x
        test a -a b
        test a -a ''
        test '' -o b
        test '' -o ''
        test a = a -a b = b
        test a = b -o b = b
        test ! a = b -a b = b
        test '(' a = b -o c = c ')' -a d = d
        test '(' a = b
        test a b
        test a b c
        test -e
        test !
        test =
        test = = =
        test -n = -n
        test -f = -f
        test '(' = '('
        test a = a a
        test -t 0
        test -t x
        test -n x -a -z ''
        test x -o
        test -q x
        [ x ]
        [ '' ]
        [ a = a ]
        [ a = a
        [ ]
        [ ! -e missing ]
        ";
    compare_table(cases);
}

#[test]
fn date() {
    for seconds in [
        "0",
        "1",
        "-1",
        "86399",
        "951782400",
        "951868800",
        "1709164800",
        "1735603200",
        "1767225599",
        "4102444800",
        "-2208988800",
        "1262304000",
        "1483228800",
        "253402300799",
        "1604188800",
    ] {
        let at = format!("@{seconds}");
        for format in [
            "+%c|%C|%d|%D|%e|%F|%g|%G|%h|%H|%I|%j|%k|%l|%m|%M|%n",
            "+%N|%p|%P|%r|%R|%s|%S|%t|%T|%u|%U|%V",
            "+%w|%W|%x|%X|%y|%Y|%z|%Z|%%|%a|%A|%b|%B",
            "+%-d|%_d|%0e|%-H|%_m|%-j|%-I|%_H|%Q",
        ] {
            compare(&["date", "-u", "-d", &at, format], b"");
        }
        compare(&["date", "-u", "-d", &at], b"");
    }
    compare(&["date", "-u", "-d", "@0", "+"], b"");
    compare(&["date", "-u", "-d", "@x"], b"");
    compare(&["date", "-u", "+%Y"], b"");
}

#[test]
fn other_programs() {
    compare_table(
        "
        env -i A=1 B=2
        env -i A=1 A=3
        env -i A=1 /bin/echo x
        env -i -u A A=1
        env -i PATH=/bin:/usr/bin printf %s x
        env -i /missing/program
        env /bin/false
        env ./program
        env ./lines
        env dir/a
        env PATH=/missing nothing-of-that-name
        xargs < words
        xargs < numbers
        xargs -n 7 < numbers
        xargs -n 1 /bin/echo x < twice
        xargs /bin/false < lines
        xargs -r /bin/echo x
        xargs /bin/echo x
        xargs -0 /bin/echo < nul
        xargs /missing/program < lines
        xargs -n 0 < lines
        xargs ./program < numbers
        xargs ./lines < numbers
        sleep 0
        sleep 0.01 0.01s
        sleep x
        kill -l 9
        kill -l TERM
        kill -s NONSENSE 1
        kill x
        ",
    );
    compare(&["xargs"], b"a 'b c' \"d 'e\" f\\ g\n h\\\\");
    compare(&["xargs"], b"'open\n");
    let long = "word ".repeat(3000);
    compare(&["xargs", "-n", "2000"], long.as_bytes());
}
