//! Long-term support lines: their records and their branches.

use crate::records::Records;
use crate::{EngineError, Site};
use std::collections::BTreeMap;
use std::path::Path;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};
use vrel_model::{Day, Line, LineChange, LineEvent, LineRecord, Stage, SupportPolicy, Version, toml_file};
use vrel_process::{LtsFacts, LtsRequest, Policies, check_lts};
use vrel_world::{FileEdit, PushRef, World};

/// The long-term support lines of a repository.
pub struct LtsLines<'a> {
    world: &'a dyn World,
    site: &'a Site,
    policies: &'a Policies,
}

/// What changing a line's support would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LtsPlan {
    /// What is recorded.
    pub request: LtsRequest,
    /// The line's branch and the commit of its newest final release, when the branch has to be made.
    pub branch: Option<(String, String)>,
    /// What speaks against it.
    pub findings: Vec<vrel_process::Finding>,
    /// Whether the records say so already.
    pub is_done: bool,
}

fn path(line: Line) -> String {
    format!("lines/{line}/line.toml")
}

impl<'a> LtsLines<'a> {
    /// The lines of the repository at `site`.
    #[must_use]
    pub fn new(world: &'a dyn World, site: &'a Site, policies: &'a Policies) -> Self {
        Self {
            world,
            site,
            policies,
        }
    }

    fn records(&self) -> Records<'a> {
        Records::new(self.world, self.site, &self.policies.config)
    }

    /// Asks the remote for newer records. Without a remote there is nothing to ask.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn refresh(&self) -> Result<(), EngineError> {
        self.records().refresh()
    }

    /// All lines that have a record.
    ///
    /// # Errors
    /// When a record cannot be read or is wrong.
    pub fn all(&self) -> Result<BTreeMap<Line, LineRecord>, EngineError> {
        let view = self.records().view()?;
        let mut lines = BTreeMap::new();
        for file in view.list("lines")? {
            let name = file
                .strip_prefix("lines/")
                .and_then(|rest| rest.strip_suffix("/line.toml"));
            let Some(line) = name.and_then(|name| name.parse::<Line>().ok()) else {
                continue;
            };
            let text = view.read_text(&file)?.unwrap_or_default();
            lines.insert(line, toml_file::parse(Path::new(&file), &text)?);
        }
        Ok(lines)
    }

    fn policy(&self) -> Option<SupportPolicy> {
        let name = &self.policies.config.publish.lts_channel;
        self.policies
            .channels
            .get(name)
            .and_then(|channel| channel.support)
    }

    /// The newest final release of a line, with its commit.
    fn newest_final(&self, line: Line) -> Result<Option<(Version, String)>, EngineError> {
        let tags = self.world.git().tags(self.site.root())?;
        let finals = tags.into_iter().filter_map(|tag| {
            let version = Version::from_tag(&tag.name)?;
            (version.line() == line && version.stage() == Stage::Final).then_some((version, tag.commit))
        });
        Ok(finals.max_by(|a, b| a.0.cmp(&b.0)))
    }

    /// Plans a line's support: a new one from `since` on, or another last day of one that there is.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn plan(&self, line: Line, since: Day, end_of_life: Day) -> Result<LtsPlan, EngineError> {
        let mut others = self.all()?;
        let existing = others.remove(&line);
        let newest = self.newest_final(line)?;
        let since = existing.as_ref().map_or(since, |record| record.since);
        let request = LtsRequest {
            line,
            since,
            end_of_life,
        };
        let facts = LtsFacts {
            others,
            newest_final: newest.as_ref().map(|(version, _)| version.clone()),
            policy: self.policy(),
        };
        let branch = match newest {
            Some((_, commit)) if existing.is_none() => self.missing_branch(line)?.map(|name| (name, commit)),
            _ => None,
        };
        Ok(LtsPlan {
            is_done: existing.is_some_and(|record| record.end_of_life == end_of_life),
            findings: check_lts(&facts, request),
            request,
            branch,
        })
    }

    /// The name of the line's branch, when it is neither here nor, as far as is known, on the remote.
    fn missing_branch(&self, line: Line) -> Result<Option<String>, EngineError> {
        let git = &self.policies.config.git;
        let name = git.release_branch.expand(&[("line", &line.to_string())]);
        let name = name.map_err(|error| EngineError::Policy {
            path: "vrel.toml".into(),
            reason: format!("`git.release-branch`: {error}"),
        })?;
        for full in [
            format!("refs/heads/{name}"),
            format!("refs/remotes/{}/{name}", git.remote),
        ] {
            if self.world.git().resolve(self.site.root(), &full)?.is_some() {
                return Ok(None);
            }
        }
        Ok(Some(name))
    }

    /// Does what was planned.
    ///
    /// # Errors
    /// When the remote cannot be reached or refuses, or somebody else recorded something else meanwhile.
    pub fn apply(&self, plan: &LtsPlan, what: LineChange, reason: Option<&str>) -> Result<(), EngineError> {
        if let Some((branch, commit)) = &plan.branch {
            self.make_branch(branch, commit)?;
        }
        let LtsRequest {
            line,
            since,
            end_of_life,
        } = plan.request;
        let event = LineEvent {
            what,
            by: self.world.git().picking().committer(self.site.root())?,
            at: self.world.now(),
            end_of_life,
            reason: reason.map(str::to_owned),
        };
        let file = path(line);
        let message = format!("chore(lts): {line} is supported until {end_of_life}\n");
        self.records().change(&message, &mut |view| {
            let text = view.read_text(&file)?;
            let found: Option<LineRecord> = text
                .as_deref()
                .map(|text| toml_file::parse(Path::new(&file), text))
                .transpose()?;
            if let Some(found) = &found {
                if found.end_of_life == end_of_life {
                    return Ok(Vec::new());
                }
                if what == LineChange::Created {
                    return Err(already(line, found));
                }
            }
            let text = written(&file, text.as_deref().unwrap_or_default(), since, &event)?;
            Ok(vec![FileEdit::Write {
                path: file.clone(),
                content: text.into_bytes(),
            }])
        })?;
        Ok(())
    }

    fn make_branch(&self, branch: &str, commit: &str) -> Result<(), EngineError> {
        let (git, root) = (self.world.git(), self.site.root());
        let name = format!("refs/heads/{branch}");
        let remote = &self.policies.config.git.remote;
        if git.remote_url(root, remote)?.is_some() {
            let there = git.ls_remote(root, remote)?.contains_key(&name);
            if there {
                return Ok(());
            }
            let to = PushRef {
                name: name.clone(),
                expected: None,
            };
            git.push_commit(root, remote, commit, &to)?;
        }
        Ok(git.set_ref(root, &name, commit, None)?)
    }
}

fn already(line: Line, found: &LineRecord) -> EngineError {
    let who = found
        .events
        .last()
        .map(|event| format!(", recorded by {} on {}", event.by, event.at));
    EngineError::Refused {
        message: format!(
            "{line} is a long-term support line already, until {}{}",
            found.end_of_life,
            who.unwrap_or_default()
        ),
        hint: Some(format!(
            "change its last day with `vrel lts eol {line} --date DATE`"
        )),
    }
}

/// The file's text with another last day and the event that says so; comments stay.
fn written(file: &str, text: &str, since: Day, event: &LineEvent) -> Result<String, EngineError> {
    let wrong = |reason: String| EngineError::Policy {
        path: file.into(),
        reason,
    };
    let mut document: DocumentMut = text.parse().map_err(|error| wrong(format!("{error}")))?;
    if !document.contains_key("since") {
        document.insert("since", value(since.to_string()));
    }
    document["end-of-life"] = value(event.end_of_life.to_string());
    let events = document
        .entry("event")
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()))
        .as_array_of_tables_mut()
        .ok_or_else(|| wrong("`event` is not written as [[event]]".to_owned()))?;
    let mut table = Table::new();
    let what = match event.what {
        LineChange::Created => "created",
        LineChange::EndOfLife => "end-of-life",
    };
    table.insert("what", value(what));
    table.insert("by", value(&event.by));
    table.insert("at", value(event.at.to_string()));
    table.insert("end-of-life", value(event.end_of_life.to_string()));
    if let Some(reason) = &event.reason {
        table.insert("reason", value(reason));
    }
    events.push(table);
    Ok(document.to_string())
}
