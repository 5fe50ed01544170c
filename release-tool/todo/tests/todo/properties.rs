//! For any plan and any release: the second time changes nothing, and the first time changes only what it must.

use crate::{PLAN, Release};
use proptest::prelude::*;
use vrel_todo::Todo;

/// Text between the lines that matter, some of it made to be mistaken for them.
const FILLERS: [&str; 8] = [
    "",
    "Prose with **v0.6.0** in it, ünïcödé too.   ",
    "```\n## Roadmap\n- [ ] **v9.9.9**\n- **Status**: no\n```",
    "<!-- - [ ] **v9.9.8** -->",
    "| a | b |\n| --- | --- |\n| - [ ] v0.6.0 | x |",
    "### Subheading",
    "> - [x] quoted",
    "---",
];

const BULLETS: [&str; 4] = ["-", "*", "+", "-  "];

/// What goes into a plan at one place in the property about damaged ones.
const DAMAGE: [&str; 16] = [
    "\n",
    "\r\n",
    "- ",
    "  ",
    "\t",
    "#",
    "```\n",
    "<!--",
    "-->",
    "[x]",
    "[ ] ",
    "**v0.6.0**",
    "\n- v0.6.0-rc1: 2026-11-21, beta",
    ":",
    "\n## Roadmap\n",
    "\n1. ",
];

/// Sections of blocking issues.
const BLOCKING: [&str; 6] = [
    "- None\n",
    "None at the moment.\n",
    "+ [ ] **v0.8.1**: the loader hangs\n  on old machines\n  - seen twice\n\n+ [x] **v0.8.2**: solved\n",
    "1. [ ] no licence\n2. [ ] **v0.8.0:** no **name**\n",
    "*\t[ ] crash\n\n  ```\n  - [ ] trace\n  ```\nremark\n",
    "",
];

/// Calendars.
const CALENDAR: [&str; 3] = [
    "",
    "## Calendar\n\n| when | release |\n|---|---|\n| 2026 | v0.0.0 |\n|later|**v0.2.0**\nAs planned.\n",
    "## Calendar\n\n| a | release | theme | quarter |\n| - | - | - | - |\n| x | v0.3.0 | b \\| c | 2026 Q3 |\n| | v0.7.7 | |",
];

/// Sections of known issues.
const KNOWN: [&str; 5] = [
    "",
    "## Known issues\n",
    "## Known issues\n\nWhat is known.\n\n- None.\n\n",
    "## Known issues\n\n- **v0.1.0**: no sound. Workaround: hum\n- [x] no light\n- no heat\n  - Workaround:\n    a coat\n\n",
    "## Known issues\n* [ ] slow\n### More\n+ small\n",
];

#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// For each release 0.N.0: ticked, has a time, has goals, bullet, filler behind.
    releases: Vec<(bool, bool, bool, usize, usize)>,
    next: u64,
    checklist: Vec<bool>,
    /// Taken in turn for the line endings.
    endings: Vec<bool>,
    blanks: Vec<&'static str>,
    last_newline: bool,
    roadmap_last: bool,
    blocking: usize,
    known: usize,
    calendar: usize,
}

pub(crate) fn shapes() -> impl Strategy<Value = Shape> {
    let release = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        0..BULLETS.len(),
        0..FILLERS.len(),
    );
    (
        prop::collection::vec(release, 1..6),
        0u64..6,
        prop::collection::vec(any::<bool>(), 0..4),
        prop::collection::vec(any::<bool>(), 1..7),
        prop::collection::vec(prop::sample::select(vec!["", "", " ", "  ", "\t"]), 1..7),
        (
            any::<bool>(),
            any::<bool>(),
            0..BLOCKING.len(),
            0..KNOWN.len(),
            0..CALENDAR.len(),
        ),
    )
        .prop_map(
            |(
                releases,
                next,
                checklist,
                endings,
                blanks,
                (last_newline, roadmap_last, blocking, known, calendar),
            )| {
                Shape {
                    releases,
                    next,
                    checklist,
                    endings,
                    blanks,
                    last_newline,
                    roadmap_last,
                    blocking,
                    known,
                    calendar,
                }
            },
        )
}

impl Shape {
    pub(crate) fn text(&self) -> String {
        let mut roadmap = "## Roadmap\n\n".to_owned();
        for (number, (ticked, timed, goals, bullet, filler)) in self.releases.iter().enumerate() {
            let (mark, time) = (
                if *ticked { "x" } else { " " },
                if *timed { " (2026 Q3)" } else { "" },
            );
            let bullet = BULLETS[*bullet];
            roadmap += &format!("{bullet} [{mark}] **v0.{number}.0**{time}: Theme\n");
            if *goals {
                roadmap += "     - [ ] goal\n       goes on\n\n     - [x] reached\n";
            }
            roadmap += &format!("\n{}\n", FILLERS[*filler]);
        }
        let mut rest = "## Pre-release checklist\n\n".to_owned();
        for ticked in &self.checklist {
            rest += if *ticked { "- [x] item\n" } else { "- [ ] item\n" };
        }
        rest += &format!("## Next release\n- **Version**: v0.{}.0\n", self.next);
        rest += "- **Planned for**: soon\n- **Status**: open\n\n## Blocking issues\n\n";
        rest += &format!("{}\n{}", BLOCKING[self.blocking], KNOWN[self.known]);
        rest += CALENDAR[self.calendar];
        rest += "\n";
        let text = if self.roadmap_last {
            rest + &roadmap
        } else {
            roadmap + &rest
        };
        let mut shaped = String::new();
        for (at, line) in text.lines().enumerate() {
            let ending = if self.endings[at % self.endings.len()] {
                "\r\n"
            } else {
                "\n"
            };
            shaped += &format!("{line}{}{ending}", self.blanks[at % self.blanks.len()]);
        }
        let end = if self.last_newline {
            shaped.len()
        } else {
            shaped.trim_end_matches(['\r', '\n']).len()
        };
        shaped.truncate(end);
        shaped
    }
}

fn releases() -> impl Strategy<Value = Release> {
    let stages = prop::sample::select(vec!["", "-rc1", "-rc2", "-rc10"]);
    let channels = prop::sample::select(vec!["beta", "stable", "lts"]);
    (0u64..7, 0u64..3, stages, channels).prop_map(|(minor, patch, stage, channel)| {
        Release::new(&format!("0.{minor}.{patch}{stage}"), channel)
    })
}

/// Whether a release may change this line of a plan into that one.
fn may_change(release: &Release, old: &str, new: &str) -> bool {
    let field = |name: &str| old.starts_with(name) && new.starts_with(name);
    let last = release.version.final_version();
    let entry = format!("[ ] **v{last}**");
    let last_line = !old.ends_with('\n') && new.trim_end_matches(['\r', '\n']) == old;
    if release.version.is_candidate() {
        return last_line || field("- **Status**: ");
    }
    let fields = ["- **Version**: ", "- **Planned for**: ", "- **Status**: "];
    let cleared = old.starts_with("- [x] item") && new == old.replacen("[x]", "[ ]", 1);
    let ticked = old.contains(&entry) && new.contains(&format!("[x] **v{last}** (2026-11-21): Theme"));
    last_line || cleared || ticked || fields.into_iter().any(field)
}

impl std::fmt::Debug for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.version, self.channel)
    }
}

proptest! {
    #[test]
    fn a_release_changes_only_what_it_must_and_that_once(shape in shapes(), release in releases()) {
        let before = shape.text();
        let after = release.record_in(&before).unwrap();
        prop_assert_eq!(&release.record_in(&after).unwrap(), &after);

        let record = format!("v{}: 2026-11-21, {}, commit `0123456789ab`, [notes](n)", release.version, release.channel);
        let last = release.version.final_version();
        let planned = Todo::parse(&before).unwrap().roadmap().any(|entry| entry.version == last);
        let new_entry = format!("] **v{last}**");
        let is_new = |line: &&str| line.contains(&record) || (!planned && line.contains(&new_entry));
        let (added, kept): (Vec<&str>, Vec<&str>) = after.split_inclusive('\n').partition(is_new);
        prop_assert_eq!(added.len(), if planned { 1 } else { 2 });

        let old: Vec<&str> = before.split_inclusive('\n').collect();
        prop_assert_eq!(old.len(), kept.len());
        for (old, new) in old.iter().zip(kept) {
            prop_assert!(*old == new || may_change(&release, old, new), "{:?} became {:?}", old, new);
            let blank = |line: &str| line.trim_end_matches(['\r', '\n']).len() - line.trim_end().len();
            prop_assert_eq!(blank(old), blank(new), "trailing blanks of {:?}", old);
        }
        prop_assert_eq!(before.ends_with('\n'), after.ends_with('\n'));
    }

    #[test]
    fn releases_of_one_line_can_be_recorded_in_any_order(shape in shapes(), mut order in Just(vec![1u32, 2, 3, 10]).prop_shuffle()) {
        let mut plan = shape.text();
        order.push(2);
        for number in order {
            plan = Release::new(&format!("0.2.0-rc{number}"), "beta").record_in(&plan).unwrap();
        }
        let at: Vec<usize> = [1, 2, 3, 10].iter().map(|n| plan.find(&format!(" v0.2.0-rc{n}: ")).unwrap()).collect();
        prop_assert!(at.is_sorted());
        prop_assert_eq!(plan.matches("v0.2.0-rc2: ").count(), 1);
        // One of the fillers holds a status in a code block.
        let status = |line: &&str| line.starts_with("- **Status**: ") && line.trim_end() != "- **Status**: no";
        let status = plan.lines().find(status).unwrap();
        let published = "- **Status**: v0.2.0-rc10 published to beta on 2026-11-21";
        let expected = if shape.next == 2 { published } else { "- **Status**: open" };
        prop_assert_eq!(status.trim_end(), expected);
    }

    #[test]
    fn a_damaged_plan_is_refused_or_recorded_in_once(
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..DAMAGE.len(), any::<bool>()), 1..5),
        release in releases(),
    ) {
        let mut plan: Vec<char> = PLAN.chars().collect();
        for (place, piece, delete) in damage {
            let at = place.index(plan.len());
            if delete {
                plan.remove(at);
            } else {
                plan.splice(at..at, DAMAGE[piece].chars());
            }
        }
        let plan: String = plan.into_iter().collect();
        if let Ok(after) = release.record_in(&plan) {
            prop_assert_eq!(release.record_in(&after).unwrap(), after);
        }
    }

    #[test]
    fn no_text_makes_reading_panic(text in "(#|-|\\*|v|0|\\.|\\[|\\]|x|`|~|<!--|-->|:|\\(|\\)| |\t|\r|\n|é|## Roadmap\n|## Next release\n|## Blocking issues\n|- Version: |- Status:){0,60}") {
        if let Ok(todo) = Todo::parse(&text) {
            prop_assert!(todo.roadmap().count() > 0);
        }
    }
}
