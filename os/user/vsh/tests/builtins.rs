//! Every builtin, and what no other shell can be compared with: scripts, what they write, and their status.

mod common;

use common::{Shell, run, shell};
use std::process::Stdio;

/// Name, script, output (errors go there too), status.
type Case = (&'static str, &'static str, &'static str, i32);

fn check(cases: &[Case]) {
    let mut wrong = Vec::new();
    for &(name, script, output, status) in cases {
        let place = tempfile::tempdir().unwrap();
        let result = shell(Shell::Vsh, place.path())
            .args(["-c", &format!("exec 2>&1\n{script}")])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let own =
            String::from_utf8_lossy(&result.stdout).replace(&place.path().display().to_string(), "PLACE");
        if own != output || result.status.code() != Some(status) {
            wrong.push(format!(
                "--- {name}: {:?}\n{own}expected: {status}\n{output}",
                result.status.code()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const BUILTINS: &[Case] = &[
    (
        ".",
        "echo 'echo in $1; return 3' >f; . ./f arg; echo $?",
        "in arg\n3\n",
        0,
    ),
    (":", ": ignored $(echo no); echo $?", "0\n", 0),
    (
        "[",
        "[ a = a ]; echo $?; [ a = b ]; echo $?; [ a",
        "0\n1\nvsh: line 2: [: missing `]'\n",
        2,
    ),
    (
        "alias",
        "alias a='echo x'\na y; alias; alias a; alias nope",
        "x y\nalias a='echo x'\nalias a='echo x'\nvsh: line 3: alias: nope: not found\n",
        1,
    ),
    (
        "bg",
        "bg; echo $?",
        "vsh: line 2: bg: current: no such job\n1\n",
        0,
    ),
    (
        "break",
        "while :; do while :; do echo in; break 2; done; done; echo out",
        "in\nout\n",
        0,
    ),
    (
        "cd",
        "mkdir d; cd d; pwd; cd ..; pwd; cd -; cd nope",
        "PLACE/d\nPLACE\nPLACE/d\nvsh: line 2: cd: nope: no such file or directory\n",
        1,
    ),
    (
        "command",
        "ls() { echo function; }; ls; command -v ls; command -V cd; command -v nope; command echo x",
        "function\nls\ncd is a shell builtin\nx\n",
        0,
    ),
    (
        "continue",
        "for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done",
        "1\n3\n",
        0,
    ),
    (
        "echo",
        "echo -n a; echo -e 'b\\tc\\0101'; echo -E 'd\\n'; echo -x",
        "ab\tcA\nd\\n\n-x\n",
        0,
    ),
    ("eval", "x='a;b'; eval 'echo \"$x\"; (exit 4)'", "a;b\n", 4),
    (
        "exec",
        "exec >out; echo hidden; exec >&2; cat out; exec sh -c 'exit 5'; echo never",
        "hidden\n",
        5,
    ),
    (
        "exec missing",
        "exec nosuch; echo never",
        "vsh: line 2: exec: nosuch: not found\n",
        127,
    ),
    ("exit", "trap 'echo end' EXIT; exit 7", "end\n", 7),
    (
        "exit number",
        "exit x",
        "vsh: line 2: exit: x: numeric argument required\n",
        2,
    ),
    (
        "export",
        "export a='1 2'; sh -c 'echo $a'; export -p | grep ' a='; export 1x",
        "1 2\nexport a='1 2'\nvsh: line 2: export: 1x: not a valid name\n",
        2,
    ),
    ("false", "false", "", 1),
    ("fg", "sh -c 'exit 3' & fg; echo $?", "sh -c 'exit 3'\n3\n", 0),
    (
        "help",
        "help true; help nope; echo $?",
        "usage: true\nDoes nothing, successfully.\nvsh: line 2: help: nope: no such builtin\n1\n",
        0,
    ),
    (
        "history",
        "history; history -c; history x",
        "vsh: line 2: history: x: numeric argument required\n",
        2,
    ),
    (
        "jobs",
        "sleep 5 & jobs; [ \"$(jobs -p)\" = $! ] && echo same; kill $!; wait $!; jobs",
        "[1]+  Running                 sleep 5\nsame\n",
        0,
    ),
    (
        "kill",
        "sleep 5 & kill -s KILL $!; wait $!; echo $?; sleep 5 & kill %1; wait; kill -l | head -2; kill -NOPE 1",
        "137\n 1 HUP\n 2 INT\nvsh: line 2: kill: no such signal\nusage: kill [-SIGNAL | -s SIGNAL] (PID | %JOB)... | -l\n",
        2,
    ),
    (
        "let",
        "let a=2*3 'b = a + 1'; echo $a $b $?; let 0; echo $?; let 1/0",
        "6 7 0\n1\nvsh: line 2: arithmetic: division by zero\n",
        2,
    ),
    (
        "local",
        "f() { local x=in; echo $x; }; x=out; f; echo $x; local y",
        "in\nout\nvsh: line 2: local: can only be used in a function\n",
        1,
    ),
    (
        "printf",
        "printf '%s=%03d|%-4s|%q\\n' a 7 b \"it's\"; printf '%d\\n' x",
        "a=007|b   |'it'\\''s'\nvsh: line 2: printf: x: invalid number\n0\n",
        1,
    ),
    ("pwd", "pwd; pwd -P; cd /; pwd", "PLACE\nPLACE\n/\n", 0),
    (
        "read",
        "printf 'a b c\\nrest' | { read x y; read z; echo \"$?|$x|$y|$z\"; }; read 1x",
        "1|a|b c|rest\nvsh: line 2: read: 1x: not a valid name\n",
        2,
    ),
    (
        "readonly",
        "readonly r=1; readonly -p; r=2; echo never",
        "readonly r='1'\nvsh: line 2: r: is read only\n",
        2,
    ),
    ("return", "f() { return 9; echo never; }; f; echo $?", "9\n", 0),
    (
        "set",
        "set -- a b; echo $#; set -o pipefail; set +o | grep pipefail; set -o | grep -c on$; x='q r'; set | grep ^x=; set -Z",
        "2\nset -o pipefail\n1\nx='q r'\nvsh: line 2: set: -Z: invalid option\nusage: set [-efnuvxC] [-o OPTION] [+efnuvxC] [+o OPTION] [--] [ARGUMENT]...\n",
        2,
    ),
    (
        "shift",
        "set 1 2 3; shift 2; echo $*; shift 5",
        "3\nvsh: line 2: shift: 5: there are fewer\n",
        2,
    ),
    (
        "source",
        "echo 'v=5' >f; source ./f; echo $v; source ./nope",
        "5\nvsh: line 2: source: ./nope: no such file or directory\n",
        2,
    ),
    (
        "test",
        "test -d . && echo d; test 1 -gt 2; echo $?; test x -gt 2",
        "d\n1\nvsh: line 2: test: x: integer expected\n",
        2,
    ),
    (
        "trap",
        "trap 'echo int' INT; trap 'echo bye' EXIT; trap; kill -INT $$; trap - INT; trap x TERM",
        "trap -- 'echo bye' EXIT\ntrap -- 'echo int' INT\nint\nvsh: line 2: trap: TERM: only EXIT and INT can be trapped\nbye\n",
        1,
    ),
    ("true", "true", "", 0),
    (
        "type",
        "f() { echo $1; }; alias a=b; type f a if cd sh nope",
        "f is a function\nf() { echo ${1}; }\na is an alias for b\nif is a reserved word\ncd is a shell builtin\nsh is /usr/bin/sh\nvsh: line 2: type: nope: not found\n",
        127,
    ),
    (
        "unalias",
        "alias a=b c=d; unalias a; alias; unalias -a; alias; unalias a",
        "alias c='d'\nvsh: line 2: unalias: a: not found\n",
        1,
    ),
    (
        "unset",
        "x=1; f() { :; }; unset x; unset -f f; echo [$x]; f",
        "[]\nvsh: line 2: f: command not found\n",
        127,
    ),
    (
        "wait",
        "(exit 3) & a=$!; wait $a; echo $?; wait 1; echo $?; wait x",
        "3\nvsh: line 2: wait: 1: not a child of this shell\n127\nvsh: line 2: wait: x: not a process or job\nusage: wait [PID | %JOB]...\n",
        2,
    ),
    ("which", "which sh; which nope; echo $?", "/usr/bin/sh\n1\n", 0),
];

#[test]
fn builtins() {
    check(BUILTINS);
}

#[test]
fn every_builtin_has_a_test_and_help() {
    let list = run(Shell::Vsh, "help").output;
    let names: Vec<&str> = list
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() >= 24, "{list}");
    for name in names {
        assert!(
            BUILTINS.iter().any(|(tested, ..)| *tested == name),
            "{name} has no test"
        );
        let help = run(Shell::Vsh, &format!("{name} --help"));
        assert!(
            help.output.starts_with(&format!("usage: {name}")),
            "{name}: {}",
            help.output
        );
        assert_eq!(help.status, 0, "{name}");
    }
}

#[test]
fn errors_are_as_expected() {
    check(&[
        (
            "not found",
            "\n\nfoo",
            "vsh: line 4: foo: command not found\n",
            127,
        ),
        (
            "not executable",
            "echo x >f; ./f; chmod -x f; /",
            "vsh: line 2: ./f: permission denied\nvsh: line 2: /: is a directory\n",
            126,
        ),
        (
            "syntax",
            "echo a\nif x; fi",
            "a\nvsh: line 3: syntax error near unexpected token `fi'\n",
            2,
        ),
        (
            "unfinished",
            "if true; then",
            "vsh: line 2: syntax error: unexpected end of file, expected `command'\n",
            2,
        ),
        (
            "division",
            "echo $((1/0)); echo never",
            "vsh: line 2: arithmetic: division by zero\n",
            2,
        ),
        (
            "descriptor",
            "echo x >&7; echo $?",
            "vsh: line 2: 7: bad file descriptor\n1\n",
            0,
        ),
        (
            "directory",
            "echo x >/; echo $?",
            "vsh: line 2: /: is a directory\n1\n",
            0,
        ),
        (
            "unset",
            "set -u; echo $nope",
            "vsh: line 2: nope: parameter not set\n",
            2,
        ),
        (
            "required",
            "echo ${x:?is needed}",
            "vsh: line 2: x: is needed\n",
            2,
        ),
        (
            "recursion",
            "f() { f; }; f",
            "vsh: line 2: commands are nested too deeply\n",
            126,
        ),
        ("killed", "sh -c 'kill -TERM $$'; echo $?", "Terminated\n143\n", 0),
        (
            "trace",
            "set -x; echo 'a b' c; x=1",
            "+ echo 'a b' c\na b c\n+ x=1\n",
            0,
        ),
        ("noexec", "set -n\necho never", "", 0),
    ]);
}

#[test]
fn other_shells_run_parts_with_this_ones_state() {
    check(&[
        (
            "state",
            "x='a b' n=1; f() { echo \"f $1 $x\"; }; set -- p q; readonly r=2\n{ f \"$2\"; echo $r $n; } & wait",
            "f q a b\n2 1\n",
            0,
        ),
        (
            "line numbers",
            "IFS='\n'\n\n{ nosuch; } | cat",
            "vsh: line 5: nosuch: command not found\n",
            0,
        ),
        (
            "identity",
            "[ $$ = \"$({ echo $$; } | cat)\" ] && echo same",
            "same\n",
            0,
        ),
        ("endless", "while :; do echo y; done | head -2", "y\ny\n", 0),
        (
            "options",
            "set -u; { echo $nope; } | cat; echo $?",
            "vsh: line 2: nope: parameter not set\n0\n",
            0,
        ),
        ("heredoc", "f() { cat <<E\nin $1\nE\n}; f x | cat", "in x\n", 0),
    ]);
}

#[test]
fn invocations() {
    let place = tempfile::tempdir().unwrap();
    let script = place.path().join("script.sh");
    std::fs::write(&script, "echo \"$0 $# $2\"; exit 4\n").unwrap();
    let script = script.to_str().unwrap();
    for (arguments, input, output, status) in [
        (
            &["-c", "echo $0 $1", "name", "arg"][..],
            "",
            "name arg\n".to_owned(),
            0,
        ),
        (&[script, "a", "b c"], "", format!("{script} 2 b c\n"), 4),
        (
            &[],
            "echo from input\nread x\nline of input\necho \"<$x>\"\n",
            "from input\n<line of input>\n".into(),
            0,
        ),
        (&["-s", "one"], "echo $1\n", "one\n".into(), 0),
        (&["-e", "-c", "false; echo never"], "", String::new(), 1),
        (
            &["-o", "errexit", "-c", "false; echo never"],
            "",
            String::new(),
            1,
        ),
        (&["-ec", "set +e; false; echo lives"], "", "lives\n".into(), 0),
        (&["nosuchscript"], "", String::new(), 127),
        (&["-q"], "", String::new(), 2),
        (
            &[],
            "if true; then\necho lines\nfi\ncat <<E\ntext\nE\n",
            "lines\ntext\n".into(),
            0,
        ),
        (&[], "for i in 1", String::new(), 2),
    ] {
        use std::io::Write as _;
        let mut child = shell(Shell::Vsh, place.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It may have ended without reading.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let result = child.wait_with_output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&result.stdout),
            output,
            "{arguments:?} {input:?}"
        );
        assert_eq!(result.status.code(), Some(status), "{arguments:?} {input:?}");
    }
}

#[test]
fn every_builtin_and_option_is_on_the_manual_page() {
    let page = include_str!("../man/vsh.1");
    let names: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix(".It Ic "))
        .flat_map(|line| line.split([' ', ',']))
        .map(|word| word.trim_start_matches("\\&"))
        .collect();
    let help = run(Shell::Vsh, "help").output;
    let listed: Vec<&str> = help
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .collect();
    assert!(listed.len() > 30, "{help}");
    for name in listed {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    for letter in "cisefnuvxC".chars() {
        assert!(page.contains(&format!(".It Fl {letter}\n")), "-{letter}");
    }
}
