//! `vrel hook`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::verbs::check::describe;
use clap::{Args, Subcommand, ValueHint};
use std::io::Read;
use std::path::{Path, PathBuf};
use vrel_engine::freeze::{PushReport, PushedRef, check_push};
use vrel_world::{Command as Program, Fs, Interrupt, RealWorld, World, WorldError};

/// Let a repository hold pushes to the project's rules.
///
/// For the repository that people push to, on the machine where it lies. Its own main branch and records have the rules.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel hook install /srv/git/veridianos.git\n  vrel hook uninstall /srv/git/veridianos.git"
)]
pub(crate) struct Hook {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge a push. Git calls this, with the refs on standard input; see githooks.
    PreReceive,
    /// Install the hook in a repository.
    Install {
        /// The repository, usually a bare one.
        #[arg(value_hint = ValueHint::DirPath)]
        repository: PathBuf,
        /// Keep a hook that is there: it is asked first, then vrel.
        #[arg(long)]
        chain: bool,
        /// The vrel that the hook calls [default: this one].
        #[arg(long, value_name = "FILE", value_hint = ValueHint::ExecutablePath)]
        program: Option<PathBuf>,
    },
    /// Remove the hook, and put back the one that it was chained to.
    Uninstall {
        /// The repository.
        #[arg(value_hint = ValueHint::DirPath)]
        repository: PathBuf,
    },
}

const NAME: &str = "pre-receive";
const CHAINED: &str = "pre-receive.before-vrel";
const MARK: &str = "# Installed by `vrel hook install`; removed by `vrel hook uninstall`.";

impl Hook {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        match self.command {
            Command::PreReceive => pre_receive(app),
            Command::Install {
                repository,
                chain,
                program,
            } => install(app, &repository, chain, program),
            Command::Uninstall { repository } => uninstall(app, &repository),
        }
    }
}

fn pre_receive(app: &App) -> Outcome {
    let mut input = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut input)
        .map_err(|error| {
            Failure::new(
                FailureKind::Environment,
                format!("cannot read standard input: {error}"),
            )
        })?;
    let pushed = parse(&input)?;
    let repo = app.global.repo.clone();
    let repo = repo.or_else(|| std::env::var_os("GIT_DIR").map(PathBuf::from));
    let repo = absolute(&repo.unwrap_or_else(|| ".".into()))?;
    let world = RealWorld::new(Interrupt::default(), None).with_object_dirs(object_dirs()?);
    let report = check_push(&world, &repo, &pushed)?;
    if let Some(note) = &report.note {
        output::say(&format!("vrel: {note}"));
    }
    if !report.is_refused() {
        return Ok(());
    }
    output::say(&refusal(&report));
    Err(Failure::new(
        FailureKind::Policy,
        "the project's rules refuse this push; nothing of it was taken",
    ))
}

/// Git keeps what is pushed apart until the hook agrees, and says where.
fn object_dirs() -> Result<Vec<PathBuf>, Failure> {
    let own = std::env::var_os("GIT_OBJECT_DIRECTORY").map(PathBuf::from);
    let others = std::env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES");
    let others = others.iter().flat_map(std::env::split_paths);
    let all = own.into_iter().chain(others).filter(|dir| dir.is_dir());
    all.map(|dir| absolute(&dir)).collect()
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| WorldError::io("look at", path, &error).into())
}

/// The lines `OLD NEW REF`.
fn parse(input: &str) -> Result<Vec<PushedRef>, Failure> {
    let id = |text: &str| (!text.bytes().all(|byte| byte == b'0')).then(|| text.to_owned());
    let lines = input.lines().enumerate().map(|(at, line)| {
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some(old), Some(new), Some(name)) => Ok(PushedRef {
                old: id(old),
                new: id(new),
                name: name.to_owned(),
            }),
            _ => {
                let message = format!(
                    "standard input, line {}: expected `OLD NEW REF`, found `{line}`",
                    at + 1
                );
                Err(Failure::new(FailureKind::Usage, message).hint("git calls this; see `vrel hook install`"))
            }
        }
    });
    lines.collect()
}

fn refusal(report: &PushReport) -> String {
    let mut text = String::new();
    for (name, finding) in &report.refs {
        text += &format!("{name}: {finding}\n");
        if let Some(hint) = &finding.hint {
            text += &format!("      hint    {hint}\n");
        }
    }
    for frozen in &report.commits {
        text += &format!(
            "{}: {}\n{}",
            frozen.name,
            frozen.frozen,
            describe(&frozen.refusals)
        );
    }
    text.trim_end().to_owned()
}

/// Where git looks for a repository's hooks.
fn hooks_dir(app: &App, repository: &Path) -> Result<PathBuf, Failure> {
    let repository = absolute(repository)?;
    let program = Program::new("git").args([
        "-C",
        &repository.display().to_string(),
        "rev-parse",
        "--git-path",
        "hooks",
    ]);
    let said = app.world.processes().output(&program).map_err(|error| {
        Failure::from(error).hint(format!(
            "{} must be a git repository on this machine",
            repository.display()
        ))
    })?;
    Ok(repository.join(String::from_utf8_lossy(&said).trim_end()))
}

/// Quotes for the shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

fn script(program: &Path, chained: Option<&Path>) -> String {
    let program = quoted(program);
    let Some(chained) = chained.map(quoted) else {
        return format!("#!/bin/sh\n{MARK}\nexec {program} hook pre-receive\n");
    };
    // Both read all of standard input.
    format!(
        "#!/bin/sh\n{MARK}\nrefs=$(cat)\nprintf '%s\\n' \"$refs\" | {chained} || exit $?\nprintf '%s\\n' \"$refs\" | \
         {program} hook pre-receive\n"
    )
}

fn is_ours(content: &[u8]) -> bool {
    String::from_utf8_lossy(content).lines().any(|line| line == MARK)
}

fn read(fs: &dyn Fs, path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match fs.metadata(path)? {
        Some(_) => Ok(Some(fs.read(path)?)),
        None => Ok(None),
    }
}

fn install(app: &App, repository: &Path, chain: bool, program: Option<PathBuf>) -> Outcome {
    let fs = app.world.fs();
    let program = match program {
        Some(program) => absolute(&program)?,
        None => std::env::current_exe().map_err(|error| {
            Failure::new(
                FailureKind::Environment,
                format!("cannot find this program: {error}"),
            )
        })?,
    };
    let dir = hooks_dir(app, repository)?;
    let (hook, chained) = (dir.join(NAME), dir.join(CHAINED));
    let there = read(fs, &hook)?;
    let foreign = there.as_deref().is_some_and(|content| !is_ours(content));
    if foreign && !chain {
        let message = format!("{} is there already, and is not vrel's", hook.display());
        return Err(Failure::new(FailureKind::Policy, message)
            .hint("`--chain` keeps it: it is asked first, then vrel"));
    }
    if foreign && fs.metadata(&chained)?.is_some() {
        let message = format!(
            "{} is there as well; two hooks cannot both be kept",
            chained.display()
        );
        return Err(Failure::new(FailureKind::Policy, message).hint("remove the one that is not needed"));
    }
    let has_chained = foreign || fs.metadata(&chained)?.is_some();
    let script = script(&program, has_chained.then_some(chained.as_path()));
    if there.as_deref() == Some(script.as_bytes()) {
        return Err(Failure::new(
            FailureKind::NothingToDo,
            format!("{} is installed already", hook.display()),
        ));
    }
    fs.create_dir_all(&dir)?;
    if foreign {
        // A copy first: at no moment is there no hook.
        fs.copy_new(&hook, &chained)?;
        let mode = fs.metadata(&hook)?.map_or(0o755, |found| found.mode);
        fs.set_mode(&chained, mode)?;
    }
    fs.write(&hook, script.as_bytes(), 0o755)?;
    let kept = if has_chained {
        format!("; {} is asked first", chained.display())
    } else {
        String::new()
    };
    done(app, "installed", &hook, &kept)
}

fn uninstall(app: &App, repository: &Path) -> Outcome {
    let fs = app.world.fs();
    let dir = hooks_dir(app, repository)?;
    let (hook, chained) = (dir.join(NAME), dir.join(CHAINED));
    match read(fs, &hook)? {
        Some(content) if is_ours(&content) => {}
        _ => {
            return Err(Failure::new(
                FailureKind::NothingToDo,
                "vrel's hook is not installed there",
            ));
        }
    }
    if fs.metadata(&chained)?.is_some() {
        fs.rename(&chained, &hook)?;
        return done(app, "removed", &hook, "; the hook from before is back");
    }
    fs.remove_file(&hook)?;
    done(app, "removed", &hook, "")
}

fn done(app: &App, what: &str, hook: &Path, more: &str) -> Outcome {
    if app.global.json {
        return output::print_json(&serde_json::json!({what: hook}));
    }
    output::print(&format!("{} is {what}{more}.\n", hook.display()))
}
