//! `vrel interface`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use clap::{Args, Subcommand};
use std::collections::BTreeMap;
use vrel_engine::{Site, interface_at, interface_changes};
use vrel_interface::{Change, Impact, Interface, Item, ItemKind};
use vrel_model::{Arch, Config, Version};
use vrel_process::{TagFact, base_release};
use vrel_world::World;

/// Show what programs rely on, and what changed in it.
///
/// That is the table of system calls, and the public items of the crates that programs are built with. Both are read from
/// the sources of a commit, without compiling them.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel interface show\n  vrel interface show v0.6.0 --json | jq .calls\n  \
                        vrel interface diff v0.6.0\n  vrel interface diff v0.6.0 release/0.6"
)]
pub(crate) struct InterfaceArgs {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List system calls and public items of a commit, with the lines that declare them.
    #[command(after_help = "Examples:\n  vrel interface show\n  vrel interface show v0.6.0 --json")]
    Show {
        /// A branch, tag or commit.
        #[arg(default_value = "HEAD")]
        revision: String,
    },
    /// List what changed between two commits, by what it means for programs.
    #[command(after_help = "Examples:\n  vrel interface diff\n  vrel interface diff v0.6.0 main --json")]
    Diff {
        /// The older branch, tag or commit [default: the newest final release]
        old: Option<String>,
        /// The newer one.
        #[arg(default_value = "HEAD")]
        new: String,
    },
}

impl InterfaceArgs {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let config = &policies.config;
        match self.command {
            Command::Show { revision } => {
                let commit = commit(app, &site, &revision)?;
                let interface = known(app, &site, config, &revision, &commit)?;
                if app.global.json {
                    return output::print_json(&serde_json::json!({
                        "commit": commit, "calls": interface.calls, "items": interface.items,
                    }));
                }
                output::print(&listing(&interface))
            }
            Command::Diff { old, new } => {
                let old = match old {
                    Some(old) => old,
                    None => newest_final(app, &site)?,
                };
                diff(app, &site, config, &old, &new)
            }
        }
    }
}

fn diff(app: &App, site: &Site, config: &Config, old: &str, new: &str) -> Outcome {
    let (from, to) = (commit(app, site, old)?, commit(app, site, new)?);
    for (revision, commit) in [(old, &from), (new, &to)] {
        known(app, site, config, revision, commit)?;
    }
    let changes = interface_changes(&app.world, site, config, &from, &to)?;
    if app.global.json {
        return output::print_json(&serde_json::json!({"from": from, "to": to, "changes": changes}));
    }
    if changes.is_empty() {
        return output::print(&format!("Nothing changed for programs from {old} to {new}.\n"));
    }
    output::print(&grouped(&changes))
}

/// The commit that a person names.
fn commit(app: &App, site: &Site, revision: &str) -> Result<String, Failure> {
    let found = app.world.git().revision(site.root(), revision)?;
    found.ok_or_else(|| {
        Failure::new(
            FailureKind::Policy,
            format!("`{revision}` is no branch, tag or commit here"),
        )
        .hint("run `git fetch --tags`, or look at `git branch --all` and `git tag`")
    })
}

fn known(
    app: &App,
    site: &Site,
    config: &Config,
    revision: &str,
    commit: &str,
) -> Result<Interface, Failure> {
    let interface = interface_at(&app.world, site, config, commit)?;
    interface.ok_or_else(|| {
        let os = config.os.source.display();
        let message =
            format!("{revision} is older than the system-call table and the user library in `{os}`");
        Failure::new(FailureKind::Policy, message)
    })
}

fn newest_final(app: &App, site: &Site) -> Result<String, Failure> {
    let tags = app.world.git().tags(site.root())?;
    let facts: Vec<TagFact> = tags
        .into_iter()
        .map(|tag| TagFact {
            name: tag.name,
            commit: tag.commit,
        })
        .collect();
    let newest: Option<Version> = base_release(&facts, None).map(|(version, _)| version);
    newest.map(|version| version.tag()).ok_or_else(|| {
        Failure::new(FailureKind::Policy, "there is no final release to compare with")
            .hint("name both commits: `vrel interface diff OLD NEW`")
    })
}

fn listing(interface: &Interface) -> String {
    let head = ["number", "system call", "declared at"]
        .map(str::to_owned)
        .to_vec();
    let calls = interface
        .calls
        .iter()
        .map(|call| vec![call.number.to_string(), call.to_string(), call.place.to_string()]);
    let mut text = output::table(&std::iter::once(head).chain(calls).collect::<Vec<_>>(), &[0]);
    // The same item may be declared in another file for each architecture.
    let mut items: BTreeMap<(&str, String), Vec<(Arch, &Item)>> = BTreeMap::new();
    for (arch, symbols) in &interface.items {
        for (symbol, item) in symbols {
            items
                .entry((symbol, item.kind.to_string()))
                .or_default()
                .push((*arch, item));
        }
    }
    let head = ["item", "declaration", "declared at"].map(str::to_owned).to_vec();
    let rows = items.iter().map(|((symbol, declaration), of)| {
        let mut places: Vec<String> = of.iter().map(|(_, item)| item.place.to_string()).collect();
        places.dedup();
        let declaration = if of[0].1.kind == ItemKind::Impl {
            ""
        } else {
            declaration
        };
        let arches: Vec<&str> = of.iter().map(|(arch, _)| arch.as_str()).collect();
        let only = if of.len() == interface.items.len() {
            String::new()
        } else {
            format!(" ({} only)", arches.join(", "))
        };
        vec![
            (*symbol).to_owned(),
            format!("{declaration}{only}"),
            places.join(", "),
        ]
    });
    text.push('\n');
    text + &output::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>(), &[])
}

fn grouped(changes: &[Change]) -> String {
    let mut text = String::new();
    for (impact, title) in [
        (Impact::Incompatible, "Incompatible"),
        (Impact::Addition, "Additions"),
        (Impact::Neutral, "Neutral"),
    ] {
        let of: Vec<_> = changes.iter().filter(|change| change.impact == impact).collect();
        if of.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text += &format!("{title}\n");
        for change in of {
            text += &format!("  {change}\n");
        }
    }
    text
}
