//! How a terminal behaves.

/// How a terminal behaves. The names of the POSIX flags stand behind each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Input comes in lines, which can be edited while they are typed (`ICANON`, `IEXTEN`).
    pub edit: bool,
    /// What is typed is shown (`ECHO`, with `ECHOE`, `ECHOK`, `ECHOKE` and `ECHOCTL`).
    pub echo: bool,
    /// `^C` and `^Z` are signals (`ISIG`).
    pub signals: bool,
    /// `^S` stops output, `^Q` goes on (`IXON`).
    pub flow: bool,
    /// A carriage return comes in as a newline (`ICRNL`).
    pub newline_in: bool,
    /// A newline goes out with a carriage return before it (`OPOST`, `ONLCR`).
    pub newline_out: bool,
}

impl Settings {
    /// For people: all of it.
    pub const COOKED: Self = Self {
        edit: true,
        echo: true,
        signals: true,
        flow: true,
        newline_in: true,
        newline_out: true,
    };

    /// For programs that do their own editing: none of it.
    pub const RAW: Self = Self {
        edit: false,
        echo: false,
        signals: false,
        flow: false,
        newline_in: false,
        newline_out: false,
    };
}

/// What becomes of a group in the background that wants to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Background {
    /// Its request fails.
    Refuse,
    /// Its request waits until it is in the foreground, and it is asked to stop.
    Stop,
}
