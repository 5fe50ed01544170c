//! `pwd`.

use crate::Stop;
use crate::spec::{STATUS, Spec, Style, flag};

pub(crate) static SPEC: Spec = Spec {
    name: "pwd",
    usage: &["[-LP]"],
    summary: "Prints the current directory",
    options: &[
        flag('L', "logical", "accepted; there are no symbolic links"),
        flag('P', "physical", "accepted; there are no symbolic links"),
    ],
    style: Style::Mixed,
    notes: "",
    status: STATUS,
    trouble: 1,
    run: |_, out| {
        let directory = rt::env::current_dir().map_err(|error| Stop::Fatal(1, alloc::format!("{error}")))?;
        out.line(directory.as_bytes())?;
        Ok(0)
    },
};
