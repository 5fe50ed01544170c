//! Starting programs, waiting for them, signals, pipes.
//!
//! A process is in a group, named by the process that is or was its first; signals from the terminal go to the group that
//! is in its foreground.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::fs::File;
use crate::io::Result;
use crate::sys;

/// Ends the program, after what it has printed has been passed on.
pub fn exit(code: u32) -> ! {
    sys::exit_process(code)
}

/// The number of this process.
pub fn id() -> u32 {
    sys::id()
}

/// The group of this process.
pub fn group() -> u32 {
    sys::group()
}

macro_rules! signals {
    ($($(#[doc = $doc:literal])+ $number:literal $signal:ident $name:literal $text:literal;)+) => {
        /// A signal to a process. As text it says what became of the process that it ended or stopped.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u32)]
        pub enum Signal {
            $($(#[doc = $doc])+ $signal = $number,)+
        }

        impl Signal {
            /// Every signal.
            pub const ALL: &[Self] = &[$(Self::$signal,)+];

            /// Its name: `INT`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$signal => $name,)+ }
            }
        }

        impl fmt::Display for Signal {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$signal => $text,)+ })
            }
        }
    };
}

signals! {
    /// The terminal has gone.
    1 Hangup "HUP" "Hangup";
    /// Ctrl-C.
    2 Interrupt "INT" "Interrupt";
    /// Ctrl-\.
    3 Quit "QUIT" "Quit";
    /// The program executed something that is no instruction, or not for it.
    4 IllegalInstruction "ILL" "Illegal instruction";
    /// The program gave up.
    6 Abort "ABRT" "Aborted";
    /// Ends the process whatever it wants.
    9 Kill "KILL" "Killed";
    /// The program touched memory that is not its own.
    11 MemoryFault "SEGV" "Segmentation fault";
    /// Nobody reads what the program writes.
    13 Pipe "PIPE" "Broken pipe";
    /// Asks the process to end.
    15 Terminate "TERM" "Terminated";
    /// Goes on after a stop.
    18 Continue "CONT" "Continued";
    /// Stops the process whatever it wants.
    19 Stop "STOP" "Stopped";
    /// Ctrl-Z.
    20 TerminalStop "TSTP" "Stopped";
    /// Any other signal or fault.
    31 Other "OTHER" "Killed by a signal";
}

impl Signal {
    /// Its number on Unix systems, which shells show.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The signal with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|signal| signal.number() == number)
    }

    /// The signal with this name, in any case and with or without `SIG`.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        let name = name.strip_prefix("SIG").unwrap_or(&name);
        Self::ALL.iter().copied().find(|signal| signal.name() == name)
    }
}

/// What became of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It ended with this code.
    Exited(u32),
    /// A signal or fault ended it.
    Killed(Signal),
    /// A signal stopped it; it goes on after [`Signal::Continue`].
    Stopped,
}

impl ExitStatus {
    /// Whether it ended with code 0.
    pub fn success(self) -> bool {
        self == Self::Exited(0)
    }

    /// The number a shell shows for it: the code, or 128 more than the signal.
    pub const fn code(self) -> u32 {
        match self {
            Self::Exited(code) => code,
            Self::Killed(signal) => 128 + signal.number(),
            Self::Stopped => 128 + Signal::TerminalStop.number(),
        }
    }
}

/// What a standard stream of a new process is.
#[derive(Debug, Default)]
pub enum Stdio {
    /// The same as this program's.
    #[default]
    Inherit,
    /// Empty for reading; what is written is lost.
    Null,
    /// This file.
    File(File),
}

impl From<File> for Stdio {
    fn from(file: File) -> Self {
        Self::File(file)
    }
}

/// Which group a new process is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Group {
    /// This program's.
    #[default]
    Inherit,
    /// Its own.
    New,
    /// This one.
    Join(u32),
}

/// A program to start.
#[derive(Debug)]
pub struct Command {
    pub(crate) program: String,
    pub(crate) name: Option<String>,
    pub(crate) arguments: Vec<String>,
    pub(crate) clear_variables: bool,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) directory: Option<String>,
    /// Input, output, errors.
    pub(crate) streams: [Stdio; 3],
    pub(crate) group: Group,
    pub(crate) may_power_off: bool,
    pub(crate) provides: Vec<String>,
    #[cfg(target_os = "none")]
    pub(crate) gifts: sys::Gifts,
}

impl Command {
    /// A program by its path, which is not searched for. It gets its path as argument 0.
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            name: None,
            arguments: Vec::new(),
            clear_variables: false,
            variables: Vec::new(),
            directory: None,
            streams: [Stdio::Inherit, Stdio::Inherit, Stdio::Inherit],
            group: Group::Inherit,
            may_power_off: true,
            provides: Vec::new(),
            #[cfg(target_os = "none")]
            gifts: sys::Gifts::default(),
        }
    }

    /// Sets argument 0.
    pub fn arg0(&mut self, name: impl Into<String>) -> &mut Self {
        self.name = Some(name.into());
        self
    }

    /// Adds an argument.
    pub fn arg(&mut self, argument: impl Into<String>) -> &mut Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    pub fn args(&mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    pub fn env(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Passes on none of this program's variables, only those set with [`env`](Self::env).
    pub fn env_clear(&mut self) -> &mut Self {
        self.clear_variables = true;
        self
    }

    /// Sets the current directory.
    pub fn current_dir(&mut self, path: impl Into<String>) -> &mut Self {
        self.directory = Some(path.into());
        self
    }

    /// Sets standard input.
    pub fn stdin(&mut self, stream: impl Into<Stdio>) -> &mut Self {
        self.streams[0] = stream.into();
        self
    }

    /// Sets standard output.
    pub fn stdout(&mut self, stream: impl Into<Stdio>) -> &mut Self {
        self.streams[1] = stream.into();
        self
    }

    /// Sets standard error.
    pub fn stderr(&mut self, stream: impl Into<Stdio>) -> &mut Self {
        self.streams[2] = stream.into();
        self
    }

    /// Sets the group.
    pub fn group(&mut self, group: Group) -> &mut Self {
        self.group = group;
        self
    }

    /// Sets whether it may have the machine switched off, if this program may. It may unless this says otherwise.
    pub fn may_power_off(&mut self, may: bool) -> &mut Self {
        self.may_power_off = may;
        self
    }

    /// Lets the program register a name, see [`names`](crate::names), if this program may give that right away. Without this
    /// it may register none.
    pub fn provides(&mut self, name: impl Into<String>) -> &mut Self {
        self.provides.push(name.into());
        self
    }

    /// Gives the program an end of a channel, which it has as its end 0, 1 and so on in the order in which this program
    /// got them. It is used up, also when the program does not start.
    #[cfg(target_os = "none")]
    pub fn channel(&mut self, end: impl Into<crate::channel::End>) -> &mut Self {
        self.gifts.ends.push(end.into());
        self
    }

    /// Gives the program a copy of the capability in a slot of this one, in its
    /// [`INHERITED`](crate::objects::INHERITED).
    #[cfg(target_os = "none")]
    pub fn capability(&mut self, slot: u64) -> &mut Self {
        self.gifts.capability = Some(slot);
        self
    }

    /// Starts the program. Files given as streams are used up: a second start inherits instead.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`, `BadProgram`, `TooMany`, `OutOfMemory`.
    pub fn spawn(&mut self) -> Result<Child> {
        let (id, inner) = sys::Child::spawn(self)?;
        Ok(Child { id, inner })
    }

    /// Starts the program and waits for its end.
    ///
    /// # Errors
    /// Those of [`spawn`](Self::spawn).
    pub fn status(&mut self) -> Result<ExitStatus> {
        let mut child = self.spawn()?;
        loop {
            match child.wait()? {
                ExitStatus::Stopped => {}
                end => return Ok(end),
            }
        }
    }
}

/// A process that this program started. It goes on when this is dropped.
#[derive(Debug)]
pub struct Child {
    id: u32,
    inner: sys::Child,
}

impl Child {
    /// Its number.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Waits until it ends or stops. After its end, returns how it ended again and again.
    ///
    /// # Errors
    /// `NoSuchProcess` when somebody else has waited for it.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        self.inner.wait()
    }

    /// What became of it, if it has ended, or stopped since it was last asked.
    ///
    /// # Errors
    /// `NoSuchProcess` when somebody else has waited for it.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        self.inner.try_wait()
    }
}

/// A new pipe: its end for reading, and its end for writing.
///
/// # Errors
/// `TooMany`, `OutOfMemory`.
pub fn pipe() -> Result<(File, File)> {
    let (reader, writer) = sys::pipe()?;
    Ok((File::from_sys(reader), File::from_sys(writer)))
}

/// Sends a signal to a process.
///
/// # Errors
/// `NoSuchProcess`, `PermissionDenied`.
pub fn kill(process: u32, signal: Signal) -> Result<()> {
    sys::kill(process, signal)
}

/// Sends a signal to every process of a group.
///
/// # Errors
/// `NoSuchProcess`, `PermissionDenied`.
pub fn kill_group(group: u32, signal: Signal) -> Result<()> {
    sys::kill_group(group, signal)
}

/// Makes this process the first of a group of its own.
///
/// # Errors
/// `PermissionDenied`.
pub fn lead_group() -> Result<()> {
    sys::lead_group()
}

/// Puts a group into the foreground of the terminal behind standard input.
///
/// # Errors
/// `Unsupported` when it is no terminal, `NoSuchProcess`, `PermissionDenied`.
pub fn set_foreground(group: u32) -> Result<()> {
    sys::set_foreground(group)
}

/// Keeps signals of the terminal from ending or stopping this program: Ctrl-C is told by [`take_interrupt`], and makes
/// reading from a terminal end with `Interrupted`. Programs that it starts are not concerned.
///
/// # Errors
/// `Unsupported`.
pub fn hold_interrupts() -> Result<()> {
    sys::hold_interrupts()
}

/// Whether an interrupt has come since the last call. Always false before [`hold_interrupts`].
pub fn take_interrupt() -> bool {
    sys::take_interrupt()
}

/// What a process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// It runs, or wants to.
    Running,
    /// It waits for something.
    Waiting,
    /// A signal stopped it.
    Stopped,
    /// It has ended, and nobody has asked how.
    Ended,
}

/// A process of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Its number.
    pub id: u32,
    /// Who started it; 0 for nobody.
    pub parent: u32,
    /// Its group.
    pub group: u32,
    /// Name of its program.
    pub name: String,
    /// What it is doing.
    pub state: ProcessState,
    /// Memory that it uses, in bytes.
    pub memory: u64,
    /// Time that CPUs have spent on it.
    pub cpu_time: Duration,
}

/// The processes of the system, by number.
///
/// # Errors
/// Those of asking the system.
pub fn processes() -> Result<Vec<ProcessInfo>> {
    sys::processes()
}
