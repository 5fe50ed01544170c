//! What has to be trusted stays small enough to be read.

use std::fs;
use std::path::Path;

/// Most lines of code that `kernel`, `hal` and `kcore` may have together; blank lines and comments do not count.
const MOST: usize = 15_000;

fn lines_of_code(directory: &Path) -> usize {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            if path.is_dir() {
                return lines_of_code(&path);
            }
            let text = fs::read_to_string(&path).unwrap();
            let lines = text.lines().map(str::trim);
            lines
                .filter(|line| !line.is_empty() && !line.starts_with("//"))
                .count()
        })
        .sum()
}

#[test]
fn the_kernel_stays_small() {
    let os = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let counts = ["kernel", "hal", "kcore"].map(|name| (name, lines_of_code(&os.join(name).join("src"))));
    assert!(counts.iter().all(|(_, lines)| *lines > 1000), "{counts:?}");
    let total: usize = counts.iter().map(|(_, lines)| lines).sum();
    assert!(total < MOST, "{total} lines of code: {counts:?}");
}
