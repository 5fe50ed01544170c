//! The scripts and their transcripts.

/// A script for the shell.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    /// What it prints, to standard output and standard error.
    pub(crate) output: &'static str,
    pub(crate) status: u32,
}

pub(crate) const fn script(
    name: &'static str,
    text: &'static str,
    output: &'static str,
    status: u32,
) -> Script {
    Script {
        name,
        text,
        output,
        status,
    }
}

/// All scripts, in the order in which they run.
pub(crate) const SCRIPTS: &[Script] = &[
    script("echo", "echo hello world", "hello world\n", 0),
    script("status", "exit 7", "", 7),
    script(
        "missing command",
        "nothing-like-it",
        "vsh: line 1: nothing-like-it: command not found\n",
        127,
    ),
    script(
        "variables",
        "a=1; b=${a}2; echo $b ${c:-none} $((b * 2))",
        "12 none 24\n",
        0,
    ),
    script(
        "loops",
        "for i in 1 2 3; do echo $i; done; i=0; while [ $i -lt 2 ]; do i=$((i + 1)); done; echo $i",
        "1\n2\n3\n2\n",
        0,
    ),
    script(
        "functions",
        "f() { echo \"$1-$2\"; return 3; }; f a b; echo $?",
        "a-b\n3\n",
        0,
    ),
    script("case", "case abc in a*) echo yes;; *) echo no;; esac", "yes\n", 0),
    script("programs", "/bin/echo one; uname", "one\nVeridianOS\n", 0),
    script(
        "redirection",
        "echo text > /tmp/file; cat /tmp/file; echo more >> /tmp/file; wc -l < /tmp/file",
        "text\n2\n",
        0,
    ),
    script("pipes", "seq 1 10 | grep 1 | sort -r", "10\n1\n", 0),
    script("long pipe", "seq 1 20000 | cat | cat | tail -n 1", "20000\n", 0),
    script("reader that stops", "yes | head -n 2", "y\ny\n", 0),
    script("substitution", "echo $(seq 1 3 | wc -l) lines", "3 lines\n", 0),
    script("here document", "cat <<END\na $((1 + 1))\nEND", "a 2\n", 0),
    script(
        "globbing",
        "cd /tmp; mkdir g; touch g/b g/a; echo g/*; rm -r g; ls g",
        "g/a g/b\nls: g: no such file or directory\n",
        2,
    ),
    script(
        "directories",
        "mkdir -p /tmp/d/e; cd /tmp/d/e; pwd; cd ..; pwd; rmdir e; ls",
        "/tmp/d/e\n/tmp/d\n",
        0,
    ),
    script(
        "copy and move",
        "cd /tmp; echo x > c1; cp c1 c2; mv c2 c3; cat c3; ls c2; rm c1 c3",
        "x\nls: c2: no such file or directory\n",
        0,
    ),
    script(
        "text tools",
        "printf 'b 2\\na 1\\nb 2\\n' | sort | uniq -c | tr -s ' ' | cut -d ' ' -f 2-",
        "1 a 1\n2 b 2\n",
        0,
    ),
    script(
        "tee",
        "echo t | tee /tmp/t1 > /tmp/t2; cat /tmp/t1 /tmp/t2",
        "t\nt\n",
        0,
    ),
    script(
        "environment",
        "export V=1; env | grep ^V=; env -i /bin/env",
        "V=1\n",
        0,
    ),
    script(
        "devices",
        "echo gone > /dev/null; head -c 3 /dev/zero | wc -c; cat /dev/null",
        "3\n",
        0,
    ),
    script(
        "archive is read-only",
        "rm -f /bin/ls 2> /dev/null; ls /bin/ls",
        "/bin/ls\n",
        0,
    ),
    script(
        "test",
        "[ -d /tmp ] && [ ! -f /tmp ] && test 2 -gt 1 && echo fine",
        "fine\n",
        0,
    ),
    script(
        "subshell",
        "(a=2; cd /; exit 4); echo $? ${a:-unset}",
        "4 unset\n",
        0,
    ),
    script("background", "sleep 0.01 & wait; echo waited", "waited\n", 0),
    script("kill", "sleep 100 & kill $!; wait $!; echo $?", "143\n", 0),
    script(
        "nested shell",
        "vsh -c 'echo inner; exit 5'; echo $?",
        "inner\n5\n",
        0,
    ),
    script(
        "syntax error",
        "echo fine; if",
        "vsh: line 1: syntax error: unexpected end of file, expected `command'\n",
        2,
    ),
    script(
        "sysinfo",
        "sysinfo --json | grep -c '\"name\":\"VeridianOS\"'",
        "1\n",
        0,
    ),
    script(
        "recursion",
        "f() { if [ $1 -gt 0 ]; then f $(($1 - 1)); else echo deep; fi; }; f 40",
        "deep\n",
        0,
    ),
    script(
        "program that was written",
        "cp /bin/echo /tmp/echo; /tmp/echo hi; cd /tmp; ./echo ho; mv echo /home; /home/echo ha; rm /home/echo",
        "hi\nho\nha\n",
        0,
    ),
    script(
        "file that is no program",
        "head -c 3000 /bin/echo > /tmp/half; /tmp/half 2> /dev/null; echo $?; cp /bin/ls /bin/copy; rm /tmp/half",
        "126\ncp: /bin/copy: read-only file system\n",
        0,
    ),
    script(
        "image",
        "grep -c ^ID=veridian /etc/os-release; . /etc/os-release; \
         [ \"$(sysinfo --json | grep -o '\"image_id\":\"[^\"]*\"')\" = \"\\\"image_id\\\":\\\"$IMAGE_ID\\\"\" ] && echo same",
        "1\nsame\n",
        0,
    ),
    script(
        "processes as files",
        "sleep 100 & p=$!; grep -E '^(Name|State)' /proc/$p/status; [ $(grep ^Pid: /proc/$p/status | cut -f 2) = $p ] && echo own; tr '\\0' ' ' < /proc/$p/cmdline; echo; \
         [ \"$(ls /proc | grep -c ^$p\\$)\" = 1 ] && echo listed; kill $p; wait $p; [ -d /proc/$p ] || echo gone",
        "Name:\tsleep\nState:\trunning\nown\nsleep 100 \nlisted\ngone\n",
        0,
    ),
    script(
        "processes by both ways",
        "cat /proc/1/status | head -n 1; ps > /tmp/ps; \
         for d in /proc/[0-9]*; do [ -f $d/status ] && grep -q \" ${d#/proc/} \" /tmp/ps && echo both; done | sort -u",
        "Name:\tsystem-suite\nboth\n",
        0,
    ),
    script(
        "names",
        "names; names -q; names x; echo $?",
        "    PID NAME\nnames: one operand too many: x\nTry 'names --help' for more information.\n2\n",
        0,
    ),
    script(
        "hostile program",
        "hostile; echo $?; echo alive | cat; ls /tmp/none",
        "0\nalive\nls: /tmp/none: no such file or directory\n",
        2,
    ),
    script(
        "two hostile programs",
        "hostile & hostile | cat; wait; echo alive > /tmp/alive; cat /tmp/alive",
        "alive\n",
        0,
    ),
    script(
        "no services",
        "poweroff; echo $?; poweroff x; echo $?",
        "poweroff: operation not supported\n1\npoweroff: no option and no status: x\nTry 'poweroff --help' for more information.\n2\n",
        0,
    ),
    script(
        "perf",
        "perf --json > /tmp/perf; echo $?; tr ',' '\\n' < /tmp/perf | grep -c '\"name\"'; rm /tmp/perf",
        "0\n13\n",
        0,
    ),
    script(
        "perf, wrong use",
        "perf --what",
        "perf: unknown option --what\nTry 'perf --help' for more information.\n",
        2,
    ),
];
