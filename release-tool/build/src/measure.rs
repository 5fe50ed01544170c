//! How fast a system is: what its `perf --json` says in a machine that counts instructions.
//!
//! The form is described in docs/src/file-formats/system.md. A figure is a number of instructions, which the machine takes
//! for its time, so that the same build gives the same figures on any host.

use crate::{BuildError, Machine};
use serde::Deserialize;

/// The medium of a machine that counts instructions.
pub const MEDIUM: &str = "measure";

/// The unit of figures that can be compared.
pub const UNIT: &str = "instructions";

/// What one time of something took.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// Instructions.
    pub value: u64,
    /// What the system itself says that it should not exceed.
    #[serde(default)]
    pub limit: Option<u64>,
}

#[derive(Deserialize)]
struct Report {
    unit: String,
    results: Vec<Figure>,
}

/// The figures among the lines of a serial line.
///
/// # Errors
/// [`BuildError::Figures`] when there are none, or they count something else than instructions.
pub fn figures(machine: &Machine, serial: &[String]) -> Result<Vec<Figure>, BuildError> {
    let wrong = |problem: &str| BuildError::Figures {
        machine: machine.name.clone(),
        problem: problem.to_owned(),
    };
    let report = serial
        .iter()
        .find_map(|line| serde_json::from_str::<Report>(line).ok())
        .ok_or_else(|| wrong("no line of the form of `perf --json` came over the serial line"))?;
    if report.unit != UNIT {
        return Err(wrong(&format!(
            "expected the unit `{UNIT}`, got `{}`",
            report.unit
        )));
    }
    if report.results.is_empty() {
        return Err(wrong("nothing was measured"));
    }
    Ok(report.results)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_among_other_lines() {
        let machine = Machine {
            name: "test".to_owned(),
            arch: vrel_model::Arch::X86_64,
            qemu: String::new(),
            args: Vec::new(),
            success: 0,
            failure: 1,
            boot: std::collections::BTreeMap::new(),
        };
        let read = |line: &str| {
            let serial = ["$ perf --json".to_owned(), line.to_owned(), "$ ".to_owned()];
            figures(&machine, &serial).map_err(|error| error.to_string())
        };
        let found = read(
            r#"{"unit":"instructions","results":[{"name":"null-call","value":359,"limit":null},{"name":"m","value":2,"limit":3}]}"#,
        )
        .unwrap();
        assert_eq!(
            (found[0].name.as_str(), found[0].value, found[0].limit),
            ("null-call", 359, None)
        );
        assert_eq!(found[1].limit, Some(3));
        let refused = |line: &str, why: &str| {
            let error = read(line).unwrap_err();
            assert!(error.contains(why) && error.contains("test"), "{error}");
        };
        refused("{}", "no line of the form");
        refused(r#"{"unit":"ns","results":[{"name":"a","value":1}]}"#, "got `ns`");
        refused(r#"{"unit":"instructions","results":[]}"#, "nothing was measured");
    }
}
