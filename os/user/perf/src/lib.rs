//! What `perf` says: the options that it knows, and its results as text and as JSON. Measuring is the program's part.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

use rt::alloc::format;
use rt::alloc::string::String;
use rt::alloc::vec::Vec;

/// The text of `--help`.
pub const HELP: &str = "\
Usage: perf [--json]
Measures what the kernel and the servers cost a program, as a table: what one
time takes, in nanoseconds or, where the machine counts those, instructions.

Options:
      --json  as one JSON object
      --help  print this text and exit

Exit status:
  0    everything was measured
  1    something could not be measured
  2    wrong use
";

/// One thing that was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Its name, which later versions keep: small letters, digits and dashes.
    pub name: &'static str,
    /// What one time takes.
    pub value: u64,
    /// What it should not exceed when instructions are counted; `None` for no limit.
    pub limit: Option<u64>,
}

/// What values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// The clock's nanoseconds are instructions.
    Instructions,
    /// They are nanoseconds.
    Nanoseconds,
}

impl Unit {
    /// Its name in JSON and in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::Nanoseconds => "ns",
        }
    }

    /// What the times of the same work, measured again and again, say about the clock: only counted instructions are as
    /// good as the same every time.
    pub fn of(times: &[u64]) -> Self {
        let (least, most) = (times.iter().min(), times.iter().max());
        match (least, most) {
            (Some(least), Some(most)) if *least > 0 && most - least <= 250 => Self::Instructions,
            _ => Self::Nanoseconds,
        }
    }
}

/// The results as one JSON object on one line.
pub fn to_json(unit: Unit, results: &[Measured]) -> String {
    let results: Vec<String> = results
        .iter()
        .map(|result| {
            let limit = result
                .limit
                .map_or_else(|| "null".into(), |limit| format!("{limit}"));
            format!(
                "{{\"name\":\"{}\",\"value\":{},\"limit\":{limit}}}",
                result.name, result.value
            )
        })
        .collect();
    format!(
        "{{\"unit\":\"{}\",\"results\":[{}]}}\n",
        unit.name(),
        results.join(",")
    )
}

/// The results as a table.
pub fn to_text(unit: Unit, results: &[Measured]) -> String {
    let name_width = results.iter().map(|result| result.name.len()).max().unwrap_or(0);
    let rows = results.iter().map(|result| {
        let limit = match result.limit {
            None => String::new(),
            Some(limit) if unit == Unit::Instructions && result.value > limit => {
                format!("  above the limit of {limit}")
            }
            Some(limit) => format!("  limit {limit} instructions"),
        };
        format!(
            "{:name_width$}  {:>10} {}{limit}\n",
            result.name,
            result.value,
            unit.name()
        )
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> [Measured; 2] {
        let measured = |name, value, limit| Measured { name, value, limit };
        [
            measured("null-call", 479, None),
            measured("message-two-spaces", 1335, Some(1000)),
        ]
    }

    #[test]
    fn json_is_one_line_with_stable_keys() {
        assert_eq!(
            to_json(Unit::Instructions, &results()),
            concat!(
                r#"{"unit":"instructions","results":[{"name":"null-call","value":479,"limit":null},"#,
                r#"{"name":"message-two-spaces","value":1335,"limit":1000}]}"#,
                "\n"
            )
        );
        assert_eq!(
            to_json(Unit::Nanoseconds, &[]),
            "{\"unit\":\"ns\",\"results\":[]}\n"
        );
    }

    #[test]
    fn text_is_aligned_and_marks_what_is_above_its_limit() {
        assert_eq!(
            to_text(Unit::Instructions, &results()),
            "null-call                  479 instructions\n\
             message-two-spaces        1335 instructions  above the limit of 1000\n"
        );
        let text = to_text(Unit::Nanoseconds, &results());
        assert!(text.ends_with("1335 ns  limit 1000 instructions\n"), "{text}");
    }

    #[test]
    fn only_times_that_are_alike_are_instructions() {
        assert_eq!(Unit::of(&[600_000, 600_100, 600_003]), Unit::Instructions);
        assert_eq!(Unit::of(&[600_000, 600_251]), Unit::Nanoseconds);
        assert_eq!(Unit::of(&[0, 0]), Unit::Nanoseconds);
        assert_eq!(Unit::of(&[]), Unit::Nanoseconds);
    }
}
