//! Commands that list and change files.

use std::fs;
use std::process::Command;

use crate::harness::{Scratch, compare, compare_table, gnu, ours};

#[test]
fn ls() {
    compare_table(
        "
        ls
        ls -a
        ls -A
        ls -1
        ls -r
        ls dir
        ls -a dir
        ls -A dir
        ls -d dir
        ls -d dir lines
        ls -d
        ls lines dir one
        ls dir emptydir
        ls emptydir
        ls -R dir
        ls -RA dir
        ls -Ra dir
        ls -R dir emptydir lines
        ls -rR dir
        ls -S lines one empty numbers long
        ls -rS lines one empty numbers long
        ls -F
        ls -F dir/sub lines
        ls -dF dir program
        ls missing
        ls missing lines
        ls missing dir lines
        ls -- -dash
        ls lines/x
        ls --all --reverse dir
        ",
    );
}

#[test]
fn ls_in_columns() {
    let scratch = Scratch::with_files();
    let names = [
        "a",
        "bb",
        "a-long-name-of-a-file",
        "c",
        "dd",
        "eee",
        "ffff",
        "medium-name",
        "z",
        "another-long-name",
    ];
    let many = scratch.0.join("many");
    fs::create_dir(&many).unwrap();
    for (i, name) in names.iter().cycle().take(37).enumerate() {
        fs::write(many.join(format!("{name}{i}")), "").unwrap();
    }
    for width in ["1", "20", "21", "40", "79", "80", "100", "132", "1000"] {
        for directory in [".", "many", "dir", "emptydir"] {
            let own = ours(&["ls", "-C", "-w", width, directory], b"", &scratch.0);
            let other = gnu(&["ls", "-C", "-T0", "-w", width, directory], b"", &scratch.0);
            assert_eq!(own, other, "width {width} of {directory}");
        }
    }
}

#[test]
fn ls_shows_kind_and_size() {
    let scratch = Scratch::with_files();
    let listed = ours(&["ls", "-l", "lines", "big", "empty"], b"", &scratch.0);
    let size = |name: &str| fs::metadata(scratch.0.join(name)).unwrap().len();
    let expected = format!(
        "- {} big\\n- {:>6} empty\\n- {:>6} lines\\n",
        size("big"),
        0,
        size("lines")
    );
    assert_eq!(listed.stdout, expected);
    let listed = ours(&["ls", "-lh", "longer"], b"", &scratch.0);
    assert_eq!(listed.stdout, "- 108K longer\\n");
    let listed = ours(&["ls", "-ld", "dir", "/dev/null"], b"", &scratch.0);
    assert!(
        listed.stdout.starts_with("c ") && listed.stdout.contains("\\nd "),
        "{listed:?}"
    );
}

#[test]
fn cp() {
    compare_table(
        "
        cp lines copy
        cp lines one
        cp lines dir
        cp lines dir/
        cp lines one dir
        cp lines dir/new
        cp -r dir copy
        cp -r dir emptydir
        cp -R dir/ emptydir/
        cp -r dir lines
        cp -r lines copy
        cp -r dir lines emptydir
        cp -v lines copy
        cp -rv dir/sub/more copy
        cp dir copy
        cp dir lines emptydir
        cp missing copy
        cp missing lines emptydir
        cp lines missing/copy
        cp lines one missing
        cp lines one numbers
        cp lines lines
        cp lines ./dir/../lines
        cp lines dir/sub
        cp dir/a dir/b emptydir
        cp -f lines one
        cp lines
        cp
        cp longer copy
        cp nul copy
        cp lines copy/
        cp -- -dash copy
        ",
    );
    let scratch = Scratch::with_files();
    let before = scratch.tree();
    // GNU's makes a part of the copy before it notices.
    for target in ["dir", "dir/sub", "dir/new", "dir/sub/../new", "./dir//"] {
        let outcome = ours(&["cp", "-r", "dir", target], b"", &scratch.0);
        assert!(outcome.status == Some(1) && outcome.complained, "{outcome:?}");
        assert_eq!(scratch.tree(), before);
    }
    let outcome = ours(&["cp", "-n", "lines", "one"], b"", &scratch.0);
    assert!(outcome.status == Some(0) && !outcome.complained, "{outcome:?}");
    assert_eq!(fs::read(scratch.0.join("one")).unwrap(), b"no newline at the end");
    ours(&["cp", "-n", "lines", "new"], b"", &scratch.0);
    assert!(scratch.0.join("new").exists());
}

#[test]
fn mv() {
    compare_table(
        "
        mv lines moved
        mv lines one
        mv lines dir
        mv lines one dir
        mv dir moved
        mv dir emptydir
        mv emptydir dir
        mv emptydir dir/sub
        mv dir/sub emptydir
        mv dir lines
        mv lines dir/sub/more/deeper
        mv -v lines moved
        mv -v lines dir
        mv -f lines one
        mv missing moved
        mv missing lines emptydir
        mv lines one missing
        mv lines missing/x
        mv lines lines
        mv dir dir
        mv dir dir/sub
        mv dir/sub .
        mv lines
        mv
        mv -- -dash moved
        ",
    );
    let scratch = Scratch::with_files();
    let outcome = ours(&["mv", "-n", "lines", "one"], b"", &scratch.0);
    assert!(outcome.status == Some(0) && !outcome.complained, "{outcome:?}");
    assert!(scratch.0.join("lines").exists());
    assert_eq!(fs::read(scratch.0.join("one")).unwrap(), b"no newline at the end");
}

#[test]
fn rm() {
    compare_table(
        "
        rm lines
        rm lines one
        rm -v lines
        rm missing
        rm missing lines
        rm -f missing
        rm -f missing lines
        rm -f
        rm
        rm dir
        rm dir lines
        rm -d emptydir
        rm -d dir
        rm -dv emptydir
        rm -r dir
        rm -R dir emptydir lines
        rm -rf dir missing
        rm -rv emptydir dir/sub/more
        rm .
        rm -r .
        rm -r ..
        rm -rf dir/.
        rm -rf dir/.. lines
        rm -- -dash
        rm -r dir/
        rm lines/x
        rm -f lines/x
        ",
    );
}

/// GNU's is not asked for this.
#[test]
fn rm_refuses_the_root() {
    // Not even this may be tried where it could work: the options ask for nothing that is not empty.
    let scratch = Scratch::new();
    for name in ["/", "//", "/.", "/..", "."] {
        let outcome = ours(&["rm", "-d", name], b"", &scratch.0);
        assert!(
            outcome.status == Some(1) && outcome.complained,
            "{name}: {outcome:?}"
        );
    }
    assert!(scratch.0.exists());
}

#[test]
fn a_deep_directory_is_removed_and_copied() {
    let scratch = Scratch::new();
    let path = "d/".repeat(900);
    assert_eq!(ours(&["mkdir", "-p", &path], b"", &scratch.0).status, Some(0));
    assert_eq!(ours(&["cp", "-r", "d", "e"], b"", &scratch.0).status, Some(0));
    assert!(scratch.0.join(path.replacen('d', "e", 1)).is_dir());
    assert_eq!(ours(&["rm", "-r", "d"], b"", &scratch.0).status, Some(0));
    assert!(!scratch.0.join("d").exists());
}

#[test]
fn directories_and_empty_files() {
    compare_table(
        "
        mkdir new
        mkdir new other
        mkdir dir
        mkdir lines
        mkdir new/inner
        mkdir dir/new
        mkdir new/
        mkdir -p new/inner/most
        mkdir -p dir/sub/x
        mkdir -p dir
        mkdir -p lines
        mkdir -p lines/x
        mkdir -p new//inner/
        mkdir -v new
        mkdir -pv new/inner dir/sub/x/y
        mkdir lines new
        mkdir
        rmdir emptydir
        rmdir dir
        rmdir missing
        rmdir lines
        rmdir missing emptydir
        rmdir emptydir/
        rmdir -p emptydir
        rmdir -p dir/sub/none
        rmdir
        touch new
        touch lines new
        touch -c new
        touch missing/new
        touch dir
        touch
        ",
    );
    let (a, b) = (Scratch::new(), Scratch::new());
    for scratch in [&a, &b] {
        fs::create_dir_all(scratch.0.join("x/y/z")).unwrap();
        fs::create_dir_all(scratch.0.join("p/q/r")).unwrap();
        fs::write(scratch.0.join("p/file"), "").unwrap();
    }
    for arguments in [["rmdir", "-p", "x/y/z"], ["rmdir", "-p", "p/q/r"]] {
        assert_eq!(ours(&arguments, b"", &a.0), gnu(&arguments, b"", &b.0));
        assert_eq!(a.tree(), b.tree());
    }
}

#[test]
fn a_reader_that_stops_is_no_error() {
    let scratch = Scratch::new();
    let yes = format!(
        "{0} yes | {0} head -n 2; {0} seq 1000000 | {0} head -n 1",
        env!("CARGO_BIN_EXE_coreutils")
    );
    let output = Command::new("sh")
        .args(["-c", &yes])
        .current_dir(&scratch.0)
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"y\ny\n1\n");
    assert_eq!(output.stderr, b"");
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    for command in ["echo x", "cat /etc/passwd", "seq 3", "sort /etc/passwd", "yes"] {
        let script = format!("{} {command} > /dev/full", env!("CARGO_BIN_EXE_coreutils"));
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert!(matches!(output.status.code(), Some(1 | 2)), "{command}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("write error: no space left"),
            "{command}"
        );
    }
    compare(&["tee", "/dev/full"], b"x\n");
}
