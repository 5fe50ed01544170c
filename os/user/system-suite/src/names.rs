//! Tests of the registry of names: services and clients, which are this program in a role, and servers that are flooded.

use core::time::Duration;

use rt::alloc::format;
use rt::alloc::string::String;
use rt::alloc::vec::Vec;
use rt::io::{ErrorKind, Result};
use rt::names::{Answer, Connection, Request, list, look_up, register, wait_for};
use rt::process::{Child, Command, ExitStatus, Signal, kill};
use rt::thread;
use rt::time::now;

use crate::channels::{Test, check, other};
use crate::run;
use crate::scripts::script;

/// All tests.
pub(crate) const TESTS: &[Test] = &[
    ("service by its name", by_name),
    ("names and who may have them", rights),
    ("service that is killed", killed),
    ("service that is killed while it is asked", killed_while_asked),
    ("client that waits for a name", waiting),
    ("client that waits for too many names", many_waits),
    ("names are limited and come back", limits),
    ("servers that are flooded", flooded),
];

/// The name that services of the tests have.
const NAME: &str = "suite.adder";

/// How long things that happen may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a service of the tests can do.
const ADD: u32 = 1;
const END: u32 = 2;
const NOTHING: u32 = 3;

/// What an operation ended with.
fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

/// Starts a service.
fn start() -> Result<Child> {
    other("adder").provides(NAME).spawn()
}

/// Ends it, and waits for its end.
fn end(child: &mut Child) -> Result<()> {
    kill(child.id(), Signal::Kill)?;
    child.wait().map(drop)
}

/// Adds one, and says who asked.
fn add(request: Request) -> Answer {
    Answer::words([request.words[0] + 1, request.process.into(), 0, 0])
}

/// Registers the name and serves until it is told to end.
fn adder() -> Result<()> {
    let mut service = register(NAME)?;
    let mut is_over = false;
    while !is_over {
        service.serve(|request| match request.label {
            END => {
                is_over = true;
                Answer::default()
            }
            NOTHING => loop {
                rt::time::sleep(Duration::from_secs(60));
            },
            _ => add(request),
        })?;
    }
    Ok(())
}

/// What is wrong with answers of the service, if anything.
fn ask(adder: &Connection) -> Result<Option<String>> {
    for number in 0..500 {
        let [sum, process, ..] = adder.call(ADD, [number, 0, 0, 0])?.words;
        check!(sum == number + 1, "{number} and one is {sum}");
        check!(process == rt::process::id().into(), "process {process} has asked");
    }
    Ok(None)
}

fn by_name() -> Result<Option<String>> {
    let before = kind(look_up(NAME));
    check!(
        before == Some(ErrorKind::NotFound),
        "before it is there: {before:?}"
    );
    let start_of_wait = now();
    let before = kind(wait_for(NAME, Duration::from_millis(30)));
    check!(
        before == Some(ErrorKind::NotFound),
        "waiting ended with {before:?}"
    );
    let waited = now() - start_of_wait;
    check!(waited >= Duration::from_millis(30), "waited for {waited:?} only");
    let mut child = start()?;
    let connection = wait_for(NAME, PATIENCE)?;
    if let Some(wrong) = ask(&connection)? {
        return Ok(Some(wrong));
    }
    let names = list()?;
    let [entry] = &names[..] else {
        return Ok(Some(format!("names are {names:?}")));
    };
    check!(
        entry.name == NAME && entry.owner == child.id(),
        "the name is {entry:?}, and the process {}",
        child.id()
    );
    let (shown, _) = run(&script(
        "names",
        "names -q; names | wc -l; ps | grep -c adder",
        "",
        0,
    ))?;
    check!(shown == "suite.adder\n2\n0\n", "the command shows {shown:?}");
    connection.call(END, [0; 4])?;
    let status = child.wait()?;
    check!(status.success(), "the service ended with {status:?}");
    let after = list()?;
    check!(after.is_empty(), "after its end there are {after:?}");
    Ok(None)
}

/// Registers the name, and ends with 0 when that is refused as it should be.
fn refused_with(expected: ErrorKind) -> Result<()> {
    match register(NAME) {
        Err(error) if error.kind() == expected => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(ErrorKind::Other.into()),
    }
}

/// Gives away what it has not, and what it has.
fn gives() -> Result<()> {
    let refused = other("unnamed").provides("suite.another").spawn();
    if kind(refused) != Some(ErrorKind::PermissionDenied) {
        return Err(ErrorKind::Other.into());
    }
    let status = other("taken").provides(NAME).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(ErrorKind::Other.into())
    }
}

fn rights() -> Result<Option<String>> {
    for wrong in ["", ".hidden", "a b", "a/b", "name-of-twenty-five-bytes", "\u{e9}"] {
        let (registered, found) = (kind(register(wrong)), kind(look_up(wrong)));
        check!(
            registered == Some(ErrorKind::InvalidInput) && found == Some(ErrorKind::InvalidInput),
            "{wrong:?}: {registered:?}, {found:?}"
        );
        let spawned = kind(other("unnamed").provides(wrong).spawn());
        check!(
            spawned == Some(ErrorKind::InvalidInput),
            "started with {wrong:?}: {spawned:?}"
        );
    }
    let mut child = start()?;
    let connection = wait_for(NAME, PATIENCE)?;
    for (what, mut command) in [
        ("without a right", other("unnamed")),
        ("with another right", {
            let mut command = other("misnamed");
            command.provides("suite.another");
            command
        }),
        ("second owner", {
            let mut command = other("taken");
            command.provides(NAME);
            command
        }),
        ("rights of children", {
            let mut command = other("gives");
            command.provides(NAME);
            command
        }),
    ] {
        let status = command.status()?;
        check!(status == ExitStatus::Exited(0), "{what}: ended with {status:?}");
    }
    let found = ask(&connection)?;
    end(&mut child)?;
    Ok(found)
}

fn killed() -> Result<Option<String>> {
    let mut child = start()?;
    let old = wait_for(NAME, PATIENCE)?;
    if let Some(wrong) = ask(&old)? {
        return Ok(Some(wrong));
    }
    end(&mut child)?;
    let (called, found) = (kind(old.call(ADD, [0; 4])), kind(look_up(NAME)));
    check!(
        called == Some(ErrorKind::BrokenPipe),
        "calling ended with {called:?}"
    );
    check!(
        found == Some(ErrorKind::NotFound),
        "looking it up ended with {found:?}"
    );
    let mut child = start()?;
    let found = ask(&wait_for(NAME, PATIENCE)?)?;
    let called = kind(old.call(ADD, [0; 4]));
    check!(called == Some(ErrorKind::BrokenPipe), "the old way: {called:?}");
    end(&mut child)?;
    Ok(found)
}

fn killed_while_asked() -> Result<Option<String>> {
    let mut child = start()?;
    let connection = wait_for(NAME, PATIENCE)?;
    let killer = thread::spawn({
        let id = child.id();
        move || {
            rt::time::sleep(Duration::from_millis(50));
            let _gone = kill(id, Signal::Kill);
        }
    })?;
    let called = kind(connection.call(NOTHING, [0; 4]));
    killer.join();
    child.wait()?;
    check!(
        called == Some(ErrorKind::BrokenPipe),
        "calling ended with {called:?}"
    );
    Ok(None)
}

/// Waits for the name, and asks.
fn asks() -> Result<()> {
    match ask(&wait_for(NAME, PATIENCE)?)? {
        None => Ok(()),
        Some(_) => Err(ErrorKind::InvalidData.into()),
    }
}

fn waiting() -> Result<Option<String>> {
    let mut children = Vec::new();
    for _ in 0..3 {
        children.push(other("asks").spawn()?);
    }
    // So that they wait; without this they would find it at once.
    rt::time::sleep(Duration::from_millis(100));
    let mut service = register(NAME)?;
    for _ in 0..3 * 500 {
        service.serve(add)?;
    }
    for child in &mut children {
        let status = child.wait()?;
        check!(status.success(), "a client ended with {status:?}");
    }
    Ok(None)
}

fn many_waits() -> Result<Option<String>> {
    // More of them than one program may have: the oldest are asked to come again, and each runs out of time.
    for round in 0..12 {
        let waited = kind(wait_for("suite.none", Duration::from_millis(round % 3)));
        check!(waited == Some(ErrorKind::NotFound), "round {round}: {waited:?}");
    }
    let names: Vec<_> = (0..3).map(|number| format!("suite.{number}")).collect();
    let mut waits = Vec::new();
    for name in names.clone() {
        waits.push(thread::spawn(move || {
            // The service sees whether each has come.
            let _asked = wait_for(&name, PATIENCE).and_then(|service| service.call(ADD, [1; 4]));
        })?);
    }
    rt::time::sleep(Duration::from_millis(50));
    for name in names {
        register(&name)?.serve(add)?;
    }
    waits.into_iter().for_each(thread::JoinHandle::join);
    Ok(None)
}

fn limits() -> Result<Option<String>> {
    let status = other("limits").provides("suite.0").provides("suite.1").status()?;
    check!(status == ExitStatus::Exited(0), "ended with {status:?}");
    let left = list()?;
    check!(left.is_empty(), "left are {left:?}");
    let mut command = other("unnamed");
    for number in 0..9 {
        command.provides(format!("suite.{number}"));
    }
    let spawned = kind(command.spawn());
    check!(
        spawned == Some(ErrorKind::InvalidFilename),
        "nine names: {spawned:?}"
    );
    Ok(None)
}

/// Takes endpoints until there are no more, and leaves names behind.
fn take_all() -> Result<()> {
    let mut count = 0;
    let last = loop {
        match register("suite.0") {
            Ok(_) => count += 1,
            Err(error) => break error.kind(),
        }
    };
    if last != ErrorKind::TooMany || count != 16 {
        rt::println!("system-suite: after {count} names: {last:?}");
        return Err(ErrorKind::Other.into());
    }
    Ok(())
}

/// Two programs flood all servers, and another one gets its answers.
fn flooded() -> Result<Option<String>> {
    /// Whoever gets no answer for so long is starved, on however slow a machine.
    const LONGEST: Duration = Duration::from_secs(30);
    let mut service = start()?;
    let adder = wait_for(NAME, PATIENCE)?;
    let mut floods = Vec::new();
    for _ in 0..2 {
        floods.push(Command::new("/bin/hostile").arg("flood").spawn()?);
    }
    let mut ended = [None; 2];
    let (mut rounds, mut longest) = (0, Duration::ZERO);
    while ended.contains(&None) {
        let start = now();
        rt::fs::metadata("/tmp")?;
        rt::process::processes()?;
        look_up(NAME)?;
        adder.call(ADD, [0; 4])?;
        longest = longest.max(now() - start);
        rounds += 1;
        rt::time::sleep(Duration::from_millis(5));
        for (flood, ended) in floods.iter_mut().zip(&mut ended) {
            *ended = ended.or(flood.try_wait()?);
        }
    }
    end(&mut service)?;
    check!(
        ended == [Some(ExitStatus::Exited(0)); 2],
        "those who flood ended with {ended:?}"
    );
    check!(rounds > 0, "no round was made meanwhile");
    check!(longest < LONGEST, "an answer took {longest:?}");
    rt::println!(
        "system-suite: {rounds} rounds in a flood, the longest {} us",
        longest.as_micros()
    );
    Ok(None)
}

/// Does what a role is, if it is one of these.
pub(crate) fn role(name: &str) -> Option<Result<()>> {
    Some(match name {
        "adder" => adder(),
        "asks" => asks(),
        "gives" => gives(),
        "limits" => take_all(),
        "misnamed" => refused_with(ErrorKind::PermissionDenied),
        "taken" => refused_with(ErrorKind::AlreadyExists),
        "unnamed" => refused_with(ErrorKind::PermissionDenied),
        _ => return None,
    })
}
