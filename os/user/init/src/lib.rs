//! Which services the first process runs: all that can be read and that fit together.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use services::{Set, SetError, State, parse};

/// Services that can run, and what is wrong with the others.
#[derive(Debug)]
pub struct Loaded {
    /// Those that fit together.
    pub set: Set,
    /// What to say about the others, each on a line.
    pub problems: Vec<String>,
}

/// Reads service files, given as path and text. What is wrong costs the service that it is about, and those that require
/// it; the others stay.
pub fn load(files: &[(String, String)]) -> Loaded {
    let mut services = Vec::new();
    let mut problems = Vec::new();
    for (path, text) in files {
        match parse(path, text) {
            Ok(service) => services.push(service),
            Err(error) => problems.push(error.to_string()),
        }
    }
    loop {
        let error = match Set::new(services.clone()) {
            Ok(set) => return Loaded { set, problems },
            Err(error) => error,
        };
        problems.push(error.to_string());
        // Each round takes a service away.
        match error {
            SetError::Missing(name, _) => services.retain(|service| service.name != name),
            SetError::Cycle(names) => services.retain(|service| !names.contains(&service.name)),
            SetError::Duplicate(name) => {
                if let Some(second) = services.iter().rposition(|service| service.name == name) {
                    services.remove(second);
                }
            }
        }
    }
}

/// Whether anything runs, or will.
pub fn has_work(states: &[State]) -> bool {
    states
        .iter()
        .any(|state| !matches!(state, State::Done | State::Stopped | State::Failed))
}

/// What to say about a service that has come to a state; nothing when that is its ordinary life.
pub fn tell(name: &str, before: State, after: State, how: &str) -> Option<String> {
    if before == after {
        return None;
    }
    match after {
        State::Backoff { .. } => Some(format!("{name} {how}, and is started again")),
        State::Failed if before == State::Waiting => {
            Some(format!("{name} is not started: what it requires is not up"))
        }
        State::Failed => Some(format!("{name} {how}, and is given up")),
        State::Stopping { .. } => Some(format!("{name} is asked to stop")),
        State::Killing { .. } => Some(format!("{name} does not stop, and is killed")),
        State::Stopped if matches!(before, State::Stopping { .. } | State::Killing { .. }) => {
            Some(format!("{name} has stopped"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    fn names(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (path.to_string(), text.to_string()))
            .collect();
        let loaded = load(&files);
        let services = loaded.set.services().iter();
        (
            services.map(|service| service.name.clone()).collect(),
            loaded.problems,
        )
    }

    #[test]
    fn a_broken_file_costs_itself_and_what_requires_it() {
        let (services, problems) = names(&[
            (
                "/etc/services/a.service",
                "[service]\nexec = /bin/a\nafter = broken\n",
            ),
            (
                "/etc/services/b.service",
                "[service]\nexec = /bin/b\nrequires = c\n",
            ),
            ("/etc/services/broken.service", "[service]\nexe = /bin/x\n"),
            (
                "/etc/services/c.service",
                "[service]\nexec = /bin/c\nrequires = broken\n",
            ),
        ]);
        assert_eq!(services, ["a"]);
        assert_eq!(
            problems,
            [
                "/etc/services/broken.service:2: unknown key \"exe\"; did you mean \"exec\"?",
                "service \"c\" requires \"broken\", which is not there",
                "service \"b\" requires \"c\", which is not there",
            ]
        );
    }

    #[test]
    fn a_cycle_costs_those_in_it() {
        let (services, problems) = names(&[
            ("a.service", "[service]\nexec = /bin/a\nafter = b\n"),
            ("b.service", "[service]\nexec = /bin/b\nafter = a\n"),
            ("c.service", "[service]\nexec = /bin/c\nafter = a\n"),
        ]);
        assert_eq!(services, ["c"]);
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn two_files_of_one_name_are_one_service() {
        let (services, problems) = names(&[
            ("/one/a.service", "[service]\nexec = /bin/a\n"),
            ("/two/a.service", "[service]\nexec = /bin/b\n"),
        ]);
        assert_eq!((services.len(), problems.len()), (1, 1));
    }

    #[test]
    fn only_what_is_over_is_no_work() {
        assert!(!has_work(&[]));
        assert!(!has_work(&[State::Done, State::Stopped, State::Failed]));
        let until = Duration::ZERO;
        for state in [State::Waiting, State::Starting, State::Backoff { until }] {
            assert!(has_work(&[State::Done, state]), "{state:?}");
        }
    }

    #[test]
    fn ordinary_life_is_not_told() {
        let (process, since) = (3, Duration::ZERO);
        let running = State::Running { process, since };
        assert_eq!(tell("a", State::Starting, running, ""), None);
        assert_eq!(tell("a", running, State::Done, "exited with 0"), None);
        assert_eq!(
            tell("a", running, State::Backoff { until: since }, "exited with 3").unwrap(),
            "a exited with 3, and is started again"
        );
        assert_eq!(
            tell("a", State::Waiting, State::Failed, "").unwrap(),
            "a is not started: what it requires is not up"
        );
    }
}
