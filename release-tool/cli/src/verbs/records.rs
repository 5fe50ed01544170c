//! `vrel records`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::verbs::plan::short;
use clap::{Args, Subcommand};
use vrel_engine::records::Records;
use vrel_world::World;

/// Look at what people decided: freezes, exceptions, queues.
///
/// Reads the branch of records as this repository knows it, without asking the remote.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel records log\n  vrel records show\n  vrel records show lines/0.6/freeze.toml"
)]
pub(crate) struct RecordsArgs {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say who decided what and when, the newest first.
    Log,
    /// Print a file of the records, or list them.
    Show {
        /// The file, for example lines/0.6/freeze.toml; without it the files are listed.
        path: Option<String>,
    },
}

impl RecordsArgs {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let records = Records::new(&app.world, &site, &policies.config);
        match self.command {
            Command::Log => {
                let mut commits = Vec::new();
                if let Some(tip) = records.state()?.tip {
                    let visit = &mut |commit| commits.push(commit);
                    app.world.git().history(site.root(), &[], &tip, visit)?;
                }
                log(app, &commits)
            }
            Command::Show { path: None } => {
                let paths = records.list("")?;
                if app.global.json {
                    return output::print_json(&serde_json::json!({"files": paths}));
                }
                output::print(&paths.iter().map(|path| format!("{path}\n")).collect::<String>())
            }
            Command::Show { path: Some(path) } => show(app, &records, &path),
        }
    }
}

fn log(app: &App, commits: &[vrel_model::HistoryCommit]) -> Outcome {
    if app.global.json {
        let rows: Vec<_> = commits
            .iter()
            .map(|commit| {
                serde_json::json!({
                    "commit": commit.id, "time": commit.time, "message": commit.message,
                    "by": format!("{} <{}>", commit.author_name, commit.author_email),
                })
            })
            .collect();
        return output::print_json(&serde_json::json!({"records": rows}));
    }
    let rows: Vec<_> = commits
        .iter()
        .map(|commit| {
            let subject = commit.message.lines().next().unwrap_or_default();
            vec![
                short(&commit.id).to_owned(),
                commit.time.to_string(),
                commit.author_name.clone(),
                subject.to_owned(),
            ]
        })
        .collect();
    output::print(&output::table(&rows, &[]))
}

fn show(app: &App, records: &Records<'_>, path: &str) -> Outcome {
    let Some(content) = records.read(path)? else {
        let known = records.list("")?;
        let failure = Failure::new(
            FailureKind::Policy,
            format!("there is no `{path}` in the records"),
        );
        return Err(
            match vrel_model::toml_file::closest(path, known.iter().map(String::as_str)) {
                Some(close) => failure.hint(format!("did you mean `{close}`?")),
                None => failure.hint("`vrel records show` lists the files"),
            },
        );
    };
    let text = String::from_utf8_lossy(&content);
    if app.global.json {
        return output::print_json(&serde_json::json!({"path": path, "content": text}));
    }
    output::print(&text)
}
