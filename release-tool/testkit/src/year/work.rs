//! What people do in a year, each as the command does it.

use super::Year;
use crate::Scene;
use vrel_engine::backport::{BackportQueue, CheckResult, Landing, Which};
use vrel_engine::channels::ChannelsNow;
use vrel_engine::freeze::{StartRequest, apply_start, end};
use vrel_engine::lts::LtsLines;
use vrel_engine::records::Records;
use vrel_engine::{EngineError, Site, load_from_work_tree, look_at_remote};
use vrel_model::{Config, Day, Line, LineChange, UtcTime, Version};
use vrel_process::Decision;
use vrel_process::channels::{DudRequest, MovePlan, plan_dud, plan_rollback};
use vrel_world::World;

fn line(text: &str) -> Line {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// The repository's paths and configuration, the records as the remote has them.
fn place(scene: &Scene, world: &dyn World) -> Result<(Site, Config), EngineError> {
    let config = load_from_work_tree(world, &scene.repo())?.config;
    let site = Site::new(&scene.repo(), &config);
    Records::new(world, &site, &config).refresh()?;
    Ok((site, config))
}

impl Year {
    pub(super) fn freeze(&mut self, name: &'static str) {
        self.disturbed("freeze", |scene, world| {
            let (site, config) = place(scene, world)?;
            let refs = look_at_remote(world, &site, &config.git.remote)?.refs;
            let request = StartRequest {
                line: line(name),
                starts: None,
                ends: None,
                also: Vec::new(),
                reason: Some(format!("the way to {name}.0")),
            };
            apply_start(world, &site, &config, &request, Some(&refs))
        });
        self.fixes.insert(line(name), Vec::new());
    }

    pub(super) fn thaw(&mut self, name: &'static str) {
        self.disturbed("end of a freeze", |scene, world| {
            let (site, config) = place(scene, world)?;
            end(world, &site, &config, line(name), "it is out")
        });
    }

    /// Offers a line some of the fixes that it lacks, and picks them.
    pub(super) fn backport(&mut self, name: &'static str) {
        let mut fixes = self.fixes.insert(line(name), Vec::new()).unwrap_or_default();
        fixes.truncate(5);
        if fixes.is_empty() {
            // Nobody fixed anything by chance; a line whose release is to follow needs something new.
            self.report.commits += 1;
            let number = self.report.commits;
            let message = format!("fix(kernel): change {number}");
            let file = format!("os/changes/{number}");
            fixes.push(self.scene.commit_at(&self.world, &message, &[(&file, &message)]));
            self.scene.git(&["push", "-q", "origin", "main"]);
        }
        let landed = self.disturbed("backport", |scene, world| {
            let (site, config) = place(scene, world)?;
            let queue = BackportQueue::new(world, &site, &config, line(name));
            queue.refresh()?;
            let branches = queue.branches()?;
            let candidates = queue.candidates(&branches, &fixes)?;
            queue.nominate(&branches, candidates.clone(), Some("users need it"))?;
            queue.decide(&candidates, Decision::Accept, Some("small"))?;
            let plan = queue.plan(&branches, Which::All)?;
            let mut check = |_: &_| Ok(CheckResult::Passed);
            let mut landing = Landing {
                check: &mut check,
                unchecked: None,
            };
            queue.land(&branches, &plan, &mut landing)?;
            queue.refresh()?;
            let branches = queue.branches()?;
            queue.present(&branches, &fixes.iter().map(String::as_str).collect::<Vec<_>>())
        });
        let when = self.moment(&format!("backport to {name}"));
        for (fix, present) in fixes.iter().zip(&landed) {
            assert!(present.is_some(), "{when}: {fix} is not on the line");
        }
        self.report.backports += fixes.len();
    }

    pub(super) fn candidate(&mut self, version: &'static str) {
        let version = Self::version(version);
        self.disturbed("candidate", |scene, world| {
            if scene.plan(world, &version)?.already_done.is_some() {
                return Ok(());
            }
            scene.cut_rc(world, &version)
        });
    }

    /// Makes the newest candidate of a version final.
    pub(super) fn last(&mut self, version: &'static str) {
        let version = Self::version(version);
        self.disturbed("final release", |scene, world| {
            if scene.plan_release(world, &version, None)?.already_done.is_some() {
                return Ok(());
            }
            scene.release(world, &version, None)
        });
    }

    /// Promises long-term support of a line.
    pub(super) fn support(&mut self, name: &'static str) {
        self.disturbed("long-term support", |scene, world| {
            let policies = load_from_work_tree(world, &scene.repo())?;
            let site = Site::new(&scene.repo(), &policies.config);
            let lines = LtsLines::new(world, &site, &policies);
            lines.refresh()?;
            let since: Day = world
                .now()
                .date()
                .parse()
                .unwrap_or_else(|error| panic!("{error}"));
            let plan = lines.plan(line(name), since, since.plus_months(24))?;
            if plan.is_done {
                return Ok(());
            }
            assert!(plan.findings.is_empty(), "{:#?}", plan.findings);
            lines.apply(&plan, LineChange::Created, None)
        });
    }

    /// Declares a release a dud, and leads its channels back.
    pub(super) fn dud(&mut self, version: &'static str, back: &'static str) {
        let (version, back) = (Self::version(version), Self::version(back));
        let reason = "loses data".parse().unwrap_or_else(|error| panic!("{error}"));
        self.move_pointer("dud", &back, &|now, time| {
            let channels = now.facts.head_of(&version).into_iter();
            let asked = DudRequest {
                version: &version,
                reason: &reason,
                advisory: None,
                back: &channels.map(|channel| (channel, back.clone())).collect(),
            };
            plan_dud(&now.facts, &asked, time)
        });
    }

    /// Leads a channel back to an older release.
    pub(super) fn roll_back(&mut self, channel: &'static str, to: &'static str) {
        let channel = channel.parse().unwrap_or_else(|error| panic!("{error}"));
        let to = Self::version(to);
        let reason = "does not start".parse().unwrap_or_else(|error| panic!("{error}"));
        self.move_pointer("rollback", &to, &|now, time| {
            plan_rollback(&now.facts, &channel, &to, &reason, time)
        });
    }

    fn move_pointer(
        &mut self,
        what: &'static str,
        to: &Version,
        plan: &dyn Fn(&ChannelsNow, UtcTime) -> MovePlan,
    ) {
        let to = [to.clone()];
        self.disturbed(what, |scene, world| {
            scene.channels(world, &scene.repo(), |channels, key| {
                channels.refresh()?;
                let now = channels.look(&to, &[])?;
                let plan = plan(&now, world.now());
                assert!(plan.findings.is_empty(), "{what}: {:#?}", plan.findings);
                let pointer = match (&plan.change, &now.facts.pointer) {
                    (Some(change), _) => channels.apply(&now, change, key, what)?,
                    (None, Some(pointer)) => pointer.clone(),
                    (None, None) => panic!("{what}: there is no pointer"),
                };
                channels.record(&now, &pointer, &format!("chore: {what}"))
            })
        });
    }
}
