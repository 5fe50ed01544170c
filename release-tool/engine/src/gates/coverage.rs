//! Reading what `cargo llvm-cov --json --summary-only` writes: LLVM's JSON export, of which the totals matter here.

use serde::Deserialize;

#[derive(Deserialize)]
struct Export {
    #[serde(rename = "type")]
    kind: String,
    data: Vec<Data>,
}

#[derive(Deserialize)]
struct Data {
    totals: Totals,
}

#[derive(Deserialize)]
struct Totals {
    lines: Lines,
}

#[derive(Deserialize)]
struct Lines {
    count: u64,
    covered: u64,
}

/// The covered lines and all lines of an export.
///
/// # Errors
/// When it is no such export, counts no line, or covers more lines than there are.
pub fn coverage_of(json: &[u8]) -> Result<(u64, u64), String> {
    const KIND: &str = "llvm.coverage.json.export";
    let export: Export =
        serde_json::from_slice(json).map_err(|error| format!("it is no JSON export of llvm-cov: {error}"))?;
    if export.kind != KIND {
        return Err(format!("its type is `{}`, expected `{KIND}`", export.kind));
    }
    let (mut covered, mut count) = (0_u64, 0_u64);
    for data in &export.data {
        let lines = &data.totals.lines;
        covered = covered.saturating_add(lines.covered);
        count = count.saturating_add(lines.count);
    }
    if count == 0 {
        return Err("it counts no line".to_owned());
    }
    if covered > count {
        return Err(format!("it covers {covered} of {count} lines"));
    }
    Ok((covered, count))
}

/// Whether so many lines are at least so many percent.
pub(super) fn is_enough(covered: u64, count: u64, at_least: u32) -> bool {
    u128::from(covered) * 100 >= u128::from(count) * u128::from(at_least)
}

/// So many lines of so many in percent, with one decimal, rounded down: 79.99 is not 80.
pub(super) fn percent(covered: u64, count: u64) -> String {
    let tenths = u128::from(covered) * 1000 / u128::from(count.max(1));
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_all_data_count() {
        let json = br#"{"data":[{"files":[{"filename":"a.rs","summary":{}}],"totals":{
            "branches":{"count":0,"covered":0,"notcovered":0,"percent":0},
            "functions":{"count":4,"covered":3,"percent":75},
            "instantiations":{"count":4,"covered":3,"percent":75},
            "lines":{"count":1000,"covered":799,"percent":79.9},
            "mcdc":{"count":0,"covered":0,"notcovered":0,"percent":0},
            "regions":{"count":2000,"covered":1900,"notcovered":100,"percent":95}}}],
            "type":"llvm.coverage.json.export","version":"2.0.1","cargo_llvm_cov":{"version":"0.6.16"}}"#;
        assert_eq!(coverage_of(json), Ok((799, 1000)));
        assert!(!is_enough(799, 1000, 80));
        assert!(is_enough(800, 1000, 80));
        assert_eq!(percent(79_999, 100_000), "79.9 %");
    }

    #[test]
    fn what_is_no_export_proves_nothing() {
        let lines = |count: u64, covered: u64| {
            format!(
                r#"{{"type":"llvm.coverage.json.export","version":"2.0.1","data":[{{"totals":{{"lines":{{"count":{count},"covered":{covered},"percent":100}}}}}}]}}"#
            )
        };
        for (json, said) in [
            ("", "no JSON export"),
            ("{}", "missing field"),
            (r#"{"type":"other","data":[]}"#, "its type is `other`"),
            (
                r#"{"type":"llvm.coverage.json.export","data":[]}"#,
                "counts no line",
            ),
            (&lines(0, 0), "counts no line"),
            (&lines(1, 2), "covers 2 of 1 lines"),
        ] {
            let error = coverage_of(json.as_bytes()).unwrap_err();
            assert!(error.contains(said), "{json}: {error}");
        }
    }
}
