//! A scripted year of releases, with chance in between: commits that nobody planned, nights, and deaths at random effects.

mod dice;
mod ledger;
mod work;

use crate::{Fault, Faulty, Mode, Scene, SceneWorld};
use dice::Dice;
use ledger::Ledger;
use std::collections::BTreeMap;
use vrel_engine::{EngineError, NightlyOutcome};
use vrel_model::{Line, Version};
use vrel_world::World;

const DAY: u64 = 86_400;

/// How long a year is.
const DAYS: u32 = 365;

/// Of a hundred things that are done, so many are interrupted.
const INTERRUPTED: usize = 30;

/// The work that a timer does.
const NIGHTLY: &str = "nightly";

/// Something that a person does on a day of the year.
#[derive(Clone, Copy, Debug)]
enum Event {
    Freeze(&'static str),
    Thaw(&'static str),
    Backport(&'static str),
    Candidate(&'static str),
    Final(&'static str),
    LongTerm(&'static str),
    /// A release that nobody may use, and what its channels go back to.
    Dud(&'static str, &'static str),
    /// A channel, and the release that it goes back to.
    Rollback(&'static str, &'static str),
}

/// What people do, by day. What depends on chance, commits and nightlies, happens in between.
const SCRIPT: &[(u32, Event)] = &[
    (10, Event::Freeze("0.6")),
    (11, Event::Candidate("0.6.0-rc1")),
    (14, Event::Backport("0.6")),
    (18, Event::Candidate("0.6.0-rc2")),
    (26, Event::Final("0.6.0")),
    (27, Event::Thaw("0.6")),
    (60, Event::Backport("0.6")),
    (61, Event::Candidate("0.6.1-rc1")),
    (70, Event::Final("0.6.1")),
    (73, Event::Dud("0.6.1", "0.6.0")),
    (120, Event::Freeze("0.7")),
    (121, Event::Candidate("0.7.0-rc1")),
    (126, Event::Backport("0.7")),
    (130, Event::Candidate("0.7.0-rc2")),
    (140, Event::Final("0.7.0")),
    (141, Event::Thaw("0.7")),
    (146, Event::Rollback("stable", "0.6.0")),
    // A fix for those who have not moved on yet.
    (148, Event::Backport("0.6")),
    (149, Event::Candidate("0.6.2-rc1")),
    (158, Event::Final("0.6.2")),
    (180, Event::LongTerm("0.6")),
    (200, Event::Backport("0.6")),
    (201, Event::Candidate("0.6.3-rc1")),
    (211, Event::Final("0.6.3")),
    (220, Event::Backport("0.7")),
    (221, Event::Candidate("0.7.1-rc1")),
    (231, Event::Final("0.7.1")),
    (300, Event::Freeze("0.8")),
    (301, Event::Candidate("0.8.0-rc1")),
    (312, Event::Final("0.8.0")),
    (313, Event::Thaw("0.8")),
    (340, Event::Backport("0.6")),
    (341, Event::Candidate("0.6.4-rc1")),
    (350, Event::Final("0.6.4")),
];

/// What a year came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct YearReport {
    /// Nightlies that were published.
    pub nightlies: usize,
    /// Nights on which the development branch was broken.
    pub broken_nights: usize,
    /// Commits on the development branch.
    pub commits: usize,
    /// Commits that were picked onto lines.
    pub backports: usize,
    /// Releases that became duds.
    pub duds: usize,
    /// What was interrupted.
    pub interruptions: usize,
    /// Releases that were the head of a channel.
    pub releases: usize,
    /// Pointers that were published.
    pub pointers: u64,
}

struct Year {
    scene: Scene,
    world: SceneWorld,
    dice: Dice,
    ledger: Ledger,
    report: YearReport,
    /// How many effects each kind of work had when it was done last.
    effects: BTreeMap<&'static str, usize>,
    /// Fixes on the development branch that no line was offered yet.
    fixes: BTreeMap<Line, Vec<String>>,
    /// Since which day the development branch is broken.
    broken: Option<u32>,
    today: u32,
}

/// Lives through a year that a seed decides.
///
/// # Panics
/// As soon as something does not hold that must hold at every moment.
#[must_use]
pub fn live_through(seed: u64) -> YearReport {
    let mut year = Year::new(seed);
    for day in 0..DAYS {
        year.today = day;
        year.develop();
        for (_, event) in SCRIPT.iter().filter(|(on, _)| *on == day) {
            year.perform(*event);
        }
        year.night();
        year.world.advance(DAY);
    }
    year.report.releases = year.ledger.releases();
    year.report.pointers = year.ledger.pointers();
    year.report.duds = year.ledger.duds();
    year.report
}

impl Year {
    fn new(seed: u64) -> Self {
        let scene = Scene::new();
        // Few kinds of artifacts: a year has many releases, and what is in them is tested elsewhere.
        let commit = scene.commit(
            "chore: release less",
            &[
                ("artifacts/iso.toml", ""),
                ("artifacts/disk.toml", ""),
                ("artifacts/oci.toml", ""),
            ],
        );
        assert_eq!(commit.len(), 40);
        scene.git(&["push", "-q", "origin", "main"]);
        let world = scene.world();
        Self {
            scene,
            world,
            dice: Dice::new(seed),
            ledger: Ledger::default(),
            report: YearReport::default(),
            effects: BTreeMap::new(),
            fixes: BTreeMap::new(),
            broken: None,
            today: 0,
        }
    }

    fn moment(&self, what: &str) -> String {
        format!("day {}, {what}", self.today)
    }

    fn perform(&mut self, event: Event) {
        match event {
            Event::Freeze(line) => self.freeze(line),
            Event::Thaw(line) => self.thaw(line),
            Event::Backport(line) => self.backport(line),
            Event::Candidate(version) => self.candidate(version),
            Event::Final(version) => self.last(version),
            Event::LongTerm(line) => self.support(line),
            Event::Dud(version, back) => self.dud(version, back),
            Event::Rollback(channel, to) => self.roll_back(channel, to),
        }
        let when = self.moment(&format!("after {event:?}"));
        self.ledger.look(&self.scene, &self.world, &when);
        self.ledger.compare_plan(&self.scene, &self.world, &when);
    }

    /// Commits of a day.
    fn develop(&mut self) {
        const KINDS: [&str; 5] = ["feat(kernel)", "fix(kernel)", "fix(shell)", "perf(ipc)", "docs"];
        if self.broken.is_some_and(|since| self.today > since) {
            self.scene
                .commit_at(&self.world, "fix(build): compile again", &[("os/broken", "")]);
            self.broken = None;
            self.report.commits += 1;
        }
        if self.dice.percent(35) {
            for _ in 0..=self.dice.below(3) {
                self.report.commits += 1;
                let number = self.report.commits;
                let kind = self.dice.pick(&KINDS);
                let path = format!("os/changes/{number}");
                let message = format!("{kind}: change {number}");
                let commit = self
                    .scene
                    .commit_at(&self.world, &message, &[(&path, &format!("{message}\n"))]);
                if kind.starts_with("fix") {
                    for fixes in self.fixes.values_mut() {
                        fixes.push(commit.clone());
                    }
                }
            }
            if self.broken.is_none() && self.dice.percent(6) {
                self.scene.commit_at(
                    &self.world,
                    "feat(kernel): a step too far",
                    &[("os/broken", "x86_64")],
                );
                self.broken = Some(self.today);
                self.report.commits += 1;
            }
        }
        self.scene.git(&["push", "-q", "origin", "main"]);
    }

    fn night(&mut self) {
        let outcome = self.disturbed(NIGHTLY, |scene, world| scene.nightly(world));
        match outcome {
            NightlyOutcome::Published(_, failing) => {
                self.report.nightlies += 1;
                self.report.broken_nights += usize::from(failing.is_some());
                assert_eq!(
                    failing.is_some(),
                    self.broken.is_some(),
                    "{}",
                    self.moment("nightly")
                );
            }
            NightlyOutcome::Broken(_) => {
                self.report.broken_nights += 1;
                assert!(self.broken.is_some(), "{}", self.moment("nightly"));
            }
            NightlyOutcome::Unchanged(_) | NightlyOutcome::MadeToday(_) => {}
            NightlyOutcome::Forbidden(findings) => panic!("{}: {findings:#?}", self.moment("nightly")),
        }
        let when = self.moment("in the morning");
        self.ledger.look(&self.scene, &self.world, &when);
    }

    /// Does something that can be given again after an interruption, with or without one.
    fn disturbed<T>(
        &mut self,
        what: &'static str,
        mut act: impl FnMut(&Scene, &dyn World) -> Result<T, EngineError>,
    ) -> T {
        let known = self.effects.get(what).copied().unwrap_or(40);
        if known > 0 && self.dice.percent(INTERRUPTED) {
            let fault = Fault {
                at: self.dice.below(known),
                mode: self.dice.pick(&Mode::ALL),
            };
            let faulty = Faulty::new(&self.world, Some(fault));
            let done = act(&self.scene, &faulty);
            let when = self.moment(&format!("{what}, {fault:?}"));
            self.ledger.look(&self.scene, &self.world, &when);
            match done {
                Ok(done) => return done,
                Err(_) => self.report.interruptions += 1,
            }
            self.world.advance(600);
            // A person looks at what is unfinished before doing anything else; the timer just starts the next nightly.
            if what != NIGHTLY {
                let resumed = self.scene.resume(&self.world);
                resumed.unwrap_or_else(|error| panic!("{when}: resume: {error}"));
                self.ledger.look(&self.scene, &self.world, &when);
            }
        }
        let counting = Faulty::new(&self.world, None);
        let done = act(&self.scene, &counting);
        self.effects.insert(what, counting.count());
        done.unwrap_or_else(|error| panic!("{}: {error}", self.moment(what)))
    }

    fn version(text: &str) -> Version {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }
}
