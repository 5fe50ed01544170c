//! `uname`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::Stop;
use crate::spec::{STATUS, Spec, Style, flag};

pub(crate) static SPEC: Spec = Spec {
    name: "uname",
    usage: &["[OPTION]..."],
    summary: "Tells which system this is",
    options: &[
        flag('a', "all", "all of the following, in this order"),
        flag('s', "kernel-name", "name of the kernel, as without options"),
        flag(
            'n',
            "nodename",
            "name of the machine: the variable HOSTNAME, else localhost",
        ),
        flag('r', "kernel-release", "version of the system"),
        flag('v', "kernel-version", "commit and image it was built from"),
        flag('m', "machine", "architecture of the machine"),
        flag('o', "operating-system", "name of the system"),
    ],
    style: Style::Mixed,
    notes: "",
    status: STATUS,
    trouble: 1,
    run: |invocation, out| {
        if let Some(operand) = invocation.operands.first() {
            return Err(Stop::Usage(format!("one operand too many: {operand}")));
        }
        let info = rt::system::info().map_err(|error| Stop::Fatal(1, format!("{error}")))?;
        let host = rt::env::var("HOSTNAME").filter(|name| !name.is_empty());
        let mut build = info.commit;
        if !info.image_id.is_empty() {
            build = format!("{build} {}", info.image_id);
        }
        let unknown = |text: String| {
            if text.trim().is_empty() {
                String::from("unknown")
            } else {
                text
            }
        };
        let fields = [
            ('s', info.name.clone()),
            ('n', host.unwrap_or_else(|| String::from("localhost"))),
            ('r', unknown(info.version)),
            ('v', unknown(build)),
            ('m', info.arch),
            ('o', info.name),
        ];
        let none = invocation.options.is_empty();
        let chosen = fields
            .iter()
            .filter(|(key, _)| invocation.has(*key) || invocation.has('a') || (none && *key == 's'));
        let texts: Vec<&str> = chosen.map(|(_, text)| text.as_str()).collect();
        out.line(texts.join(" ").as_bytes())?;
        Ok(0)
    },
};
