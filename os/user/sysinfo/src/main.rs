//! Tells which system this is, from which build, and what the machine has.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![cfg_attr(not(target_os = "none"), forbid(unsafe_code))]

use rt::alloc::format;
use rt::alloc::string::String;
use rt::system::Info;

/// What says from which image the system was started.
const RELEASE: &str = "/etc/os-release";

rt::main!(run);

const HELP: &str = "\
Usage: sysinfo [--json]
Tells which system this is, from which build, and what the machine has.

Options:
      --json  as one JSON object; memory in bytes, times in milliseconds
      --help  print this text and exit

Exit status:
  0    all went well
  1    the system does not tell
  2    wrong use
";

fn run(args: rt::Args) -> u32 {
    let mut json = false;
    for arg in args.skip(1) {
        match arg.as_str() {
            "--json" => json = true,
            "--help" => {
                rt::print!("{HELP}");
                return 0;
            }
            other => {
                rt::eprintln!("sysinfo: unknown option {other}");
                rt::eprintln!("Try 'sysinfo --help' for more information.");
                return 2;
            }
        }
    }
    match rt::system::info() {
        Ok(mut info) => {
            if let Some(id) = rt::fs::read_to_string(RELEASE)
                .ok()
                .and_then(|text| value(&text, "IMAGE_ID"))
            {
                info.image_id = id;
            }
            rt::print!("{}", if json { to_json(&info) } else { to_text(&info) });
            0
        }
        Err(error) => {
            rt::eprintln!("sysinfo: {error}");
            1
        }
    }
}

/// The value of a key of the image's description: lines `KEY=value`, where the value may be in quotes and a backslash in
/// double quotes takes the next character as it is; as shells read it, and the last line with the key counts.
fn value(text: &str, key: &str) -> Option<String> {
    let mut values = text.lines().filter_map(|line| line.trim().split_once('='));
    let value = values.rfind(|(name, _)| *name == key)?.1;
    if let Some(plain) = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return Some(plain.into());
    }
    let Some(quoted) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Some(value.into());
    };
    let mut plain = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => characters.next().unwrap_or('\\'),
            other => other,
        });
    }
    Some(plain)
}

fn to_text(info: &Info) -> String {
    let known = |text: &str| String::from(if text.is_empty() { "unknown" } else { text });
    let seconds = info.uptime.as_secs();
    let uptime = format!(
        "{} d {:02}:{:02}:{:02}",
        seconds / 86400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60
    );
    let memory = format!(
        "{} MiB, {} MiB free",
        info.memory_total >> 20,
        info.memory_free >> 20
    );
    let rows = [
        ("system", known(&info.name)),
        ("version", known(&info.version)),
        ("commit", known(&info.commit)),
        ("image", known(&info.image_id)),
        ("architecture", known(&info.arch)),
        ("uptime", uptime),
        ("memory", memory),
        ("CPUs", format!("{}", info.cpus)),
    ];
    rows.iter()
        .map(|(name, value)| format!("{:14}{value}\n", format!("{name}:")))
        .collect()
}

fn to_json(info: &Info) -> String {
    format!(
        "{{\"name\":{},\"version\":{},\"commit\":{},\"image_id\":{},\"arch\":{},\"uptime_ms\":{},\
         \"memory\":{{\"total\":{},\"free\":{}}},\"cpus\":{}}}\n",
        quoted(&info.name),
        quoted(&info.version),
        quoted(&info.commit),
        quoted(&info.image_id),
        quoted(&info.arch),
        info.uptime.as_millis(),
        info.memory_total,
        info.memory_free,
        info.cpus
    )
}

/// A text as JSON has it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> Info {
        Info {
            name: "Veridian\"OS\\".into(),
            version: "0.6.0\n".into(),
            commit: String::new(),
            image_id: "é".into(),
            arch: "riscv64".into(),
            uptime: core::time::Duration::from_millis(90_061_005),
            memory_total: 512 << 20,
            memory_free: 100 << 20,
            cpus: 4,
        }
    }

    #[test]
    fn json_has_stable_keys_and_quotes_text() {
        let expected = concat!(
            r#"{"name":"Veridian\"OS\\","version":"0.6.0\u000a","commit":"","image_id":"é","arch":"riscv64","#,
            r#""uptime_ms":90061005,"memory":{"total":536870912,"free":104857600},"cpus":4}"#,
            "\n"
        );
        assert_eq!(to_json(&info()), expected);
    }

    #[test]
    fn a_value_is_read_as_shells_do() {
        let text = "# IMAGE_ID=no\nNAME=\"Veridian OS\"\nIMAGE_ID=first\nIMAGE_ID=\"a \\\"b\\\" \\\\\"\nOTHER='x\\y'\nLAST=\n";
        assert_eq!(value(text, "NAME").unwrap(), "Veridian OS");
        assert_eq!(value(text, "IMAGE_ID").unwrap(), "a \"b\" \\");
        assert_eq!(value(text, "OTHER").unwrap(), "x\\y");
        assert_eq!(value(text, "LAST").unwrap(), "");
        assert_eq!(value(text, "VERSION_ID"), None);
    }

    #[test]
    fn text_says_what_is_unknown() {
        let text = to_text(&info());
        assert!(text.contains("\ncommit:       unknown\n"), "{text}");
        assert!(text.contains("\nuptime:       1 d 01:01:01\n"), "{text}");
        assert!(text.contains("\nmemory:       512 MiB, 100 MiB free\n"), "{text}");
    }
}
