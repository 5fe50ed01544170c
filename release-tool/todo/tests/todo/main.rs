//! Reading living plans, and recording releases in them.

mod checking;
mod editing;
mod edits_of_any_plan;
mod known_issues;
mod living_plan;
mod properties;
mod reading;
mod recording;

use vrel_model::{ChannelName, UtcTime, Version};
use vrel_todo::{Released, Todo, TodoError};

/// A plan with everything that releases rely on.
const PLAN: &str = "\
# Plan

## Roadmap

- [x] **v0.5.0** to **v0.5.7** (2026-02-21 to 2026-02-26): Performance
- [ ] **v0.6.0** (2026 Q3): Desktop
  - [x] vpkg
  - [ ] Wayland
    compositor
    - [ ] surfaces
- [ ] **v0.7.0** (2026 Q4)

## Pre-release checklist

- [x] tests pass
- [ ] mirrors are in sync

## Next release

- **Version**: v0.6.0
- **Planned for**: 2026 Q3
- **Status**: in development

## Blocking issues

- [ ] **v0.6.0**: the loader hangs (#12)
- [x] **v0.6.0**: solved
- [ ] no licence
";

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn v(text: &str) -> Version {
    text.parse().unwrap()
}

/// A release of 2026-11-21 with its notes at `n`.
struct Release {
    version: Version,
    channel: ChannelName,
    commit: String,
    notes: String,
}

impl Release {
    fn new(version: &str, channel: &str) -> Self {
        let channel = channel.parse().unwrap();
        Self {
            version: v(version),
            channel,
            commit: COMMIT.to_owned(),
            notes: "n".to_owned(),
        }
    }

    fn record_in(&self, plan: &str) -> Result<String, TodoError> {
        let date = UtcTime::from_unix(1_795_230_000).unwrap();
        let (version, channel) = (&self.version, &self.channel);
        let released = Released {
            version,
            channel,
            date,
            commit: &self.commit,
            notes: &self.notes,
        };
        Todo::parse(plan)?.record_release(&released)
    }
}

/// Records a release twice, to see that the second time changes nothing.
fn recorded(plan: &str, version: &str, channel: &str) -> String {
    let release = Release::new(version, channel);
    let once = release.record_in(plan).unwrap();
    assert_eq!(release.record_in(&once).unwrap(), once, "recorded a second time");
    once
}

/// The lines that differ, as a unified diff without context would show them.
fn changes(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (
        before.split_inclusive('\n').collect(),
        after.split_inclusive('\n').collect(),
    );
    // lengths[i][j]: lines that old[i..] and new[j..] have in common.
    let mut lengths = vec![vec![0; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            lengths[i][j] = if old[i] == new[j] {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut shown) = (0, 0, String::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || lengths[i + 1][j] >= lengths[i][j + 1]) {
            shown += &format!("-{}", old[i]);
            i += 1;
        } else {
            shown += &format!("+{}", new[j]);
            j += 1;
        }
    }
    shown
}
