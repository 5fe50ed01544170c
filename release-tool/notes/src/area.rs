//! Scopes of commits as people read them.

/// Words that are written otherwise than with a capital first letter.
const SPELLINGS: &[(&str, &str)] = &[
    ("aarch64", "AArch64"),
    ("abi", "System-call ABI"),
    ("acpi", "ACPI"),
    ("api", "API"),
    ("arm64", "AArch64"),
    ("ci", "CI"),
    ("cli", "Command line"),
    ("cpu", "CPU"),
    ("cut-rc", "Release candidates"),
    ("deps", "Dependencies"),
    ("doc", "Documentation"),
    ("docs", "Documentation"),
    ("elf", "ELF"),
    ("esp", "EFI system partition"),
    ("fs", "File systems"),
    ("gpu", "GPU"),
    ("gui", "Graphical interface"),
    ("hal", "Hardware abstraction"),
    ("ipc", "IPC"),
    ("irq", "Interrupts"),
    ("iso", "ISO image"),
    ("kcore", "Kernel"),
    ("lts", "LTS"),
    ("mm", "Memory management"),
    ("net", "Networking"),
    ("notes", "Release notes"),
    ("nvme", "NVMe"),
    ("oci", "OCI"),
    ("os", "Operating system"),
    ("pci", "PCI"),
    ("pkg", "Packages"),
    ("posix", "POSIX"),
    ("qemu", "QEMU"),
    ("riscv", "RISC-V"),
    ("riscv64", "RISC-V"),
    ("sbom", "SBOM"),
    ("sched", "Scheduler"),
    ("sdk", "SDK"),
    ("smp", "Multiprocessing"),
    ("tcp", "TCP"),
    ("tlb", "TLB"),
    ("tls", "TLS"),
    ("todo", "Release plan"),
    ("tty", "TTY"),
    ("tuf", "TUF"),
    ("udp", "UDP"),
    ("uefi", "UEFI"),
    ("usb", "USB"),
    ("user", "User space"),
    ("userland", "User space"),
    ("vfs", "File systems"),
    ("virtio", "Virtio"),
    ("vm", "Virtual machines"),
    ("vrel", "Release tool"),
    ("x86", "x86_64"),
    ("x86_64", "x86_64"),
];

/// The scope of a commit as a heading: `release-tool` becomes `Release tool`, `kernel,ipc` becomes `Kernel, IPC`.
/// `None` when it has no words.
pub(crate) fn readable(scope: &str) -> Option<String> {
    let mut title = String::new();
    for part in scope.split([',', '/', ':']) {
        let part = part.trim();
        if part.is_empty() {
            continue;
        }
        if !title.is_empty() {
            title.push_str(", ");
        }
        push_part(part, &mut title);
    }
    (!vrel_documents::markdown::is_blank(&title)).then_some(title)
}

fn push_part(part: &str, title: &mut String) {
    let lower = part.to_ascii_lowercase();
    if let Ok(at) = SPELLINGS.binary_search_by_key(&lower.as_str(), |(word, _)| word) {
        title.push_str(SPELLINGS[at].1);
        return;
    }
    // One word of several: `usb-storage` is `USB storage`.
    for (number, word) in part
        .split(['-', '_', ' '])
        .filter(|word| !word.is_empty())
        .enumerate()
    {
        if number > 0 {
            title.push(' ');
        }
        let lower = word.to_ascii_lowercase();
        let known = SPELLINGS
            .binary_search_by_key(&lower.as_str(), |(word, _)| word)
            .map(|at| SPELLINGS[at].1)
            .ok()
            .filter(|spelling| spelling.chars().skip(1).any(char::is_uppercase) && !spelling.contains(' '));
        match known {
            Some(spelling) => title.push_str(spelling),
            None if number == 0 => title.push_str(&capitalised(word)),
            None => title.push_str(word),
        }
    }
}

/// The text with a capital first letter, unless its first word looks like a name in code.
pub(crate) fn capitalised(text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or_default();
    let word = first.trim_end_matches([',', ';', ':', '.']);
    let plain = word
        .chars()
        .all(|c| c.is_lowercase() || c == '-' || c == '’' || c == '\'');
    let mut characters = text.chars();
    match characters.next() {
        Some(letter) if plain => letter.to_uppercase().chain(characters).collect(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_sorted_for_the_search() {
        assert!(SPELLINGS.is_sorted_by_key(|(word, _)| *word));
    }

    #[test]
    fn scopes_become_headings() {
        for (scope, title) in [
            ("kernel", "Kernel"),
            ("release-tool", "Release tool"),
            ("kernel,ipc", "Kernel, IPC"),
            ("kernel/mm", "Kernel, Memory management"),
            ("usb-storage", "USB storage"),
            ("CLI", "Command line"),
            ("x86_64", "x86_64"),
            ("page_tables", "Page tables"),
            ("page-table", "Page table"),
        ] {
            assert_eq!(readable(scope).as_deref(), Some(title), "{scope}");
        }
        for nothing in ["", " , ", "-", "--/__", "\u{200b}"] {
            assert_eq!(readable(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn names_in_code_keep_their_case() {
        for (text, expected) in [
            ("boot faster", "Boot faster"),
            ("re-check keys", "Re-check keys"),
            ("x86_64 boots", "x86_64 boots"),
            ("snake_case name", "snake_case name"),
            ("`vrel` runs", "`vrel` runs"),
            ("über alles", "Über alles"),
            ("iPXE works", "iPXE works"),
            ("", ""),
        ] {
            assert_eq!(capitalised(text), expected);
        }
    }
}
