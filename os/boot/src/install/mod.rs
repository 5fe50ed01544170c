//! The installer: on a medium that carries an installed system's partition, offers to put it onto a disk, or does so as
//! an answer file says.

mod console;
mod device;
mod write;

use boot_core::answers::{Answers, Then};
use boot_core::disks::{self, Disk, Size};
use boot_core::gpt::Layout;
use boot_core::payload::{Payload, PayloadError};
use core::time::Duration;
use uefi::runtime::{self, ResetType};
use uefi::{CStr16, Status, cstr16, println};

use self::device::{Found, MAX_DISKS};
use crate::error::Error;
use crate::memory::Block;
use crate::volume::{self, Volume};

/// The installed system's partition, for disks with blocks of 512 bytes. A medium with this file is an installer's.
const PAYLOAD_FILE: &CStr16 = cstr16!("\\veridian\\install.esp");

/// The same for disks with blocks of 4096 bytes.
const PAYLOAD_4K_FILE: &CStr16 = cstr16!("\\veridian\\install4k.esp");

/// What to do without asking, on any other volume.
const ANSWERS_FILE: &CStr16 = cstr16!("\\veridian\\answers.txt");

/// How long a person has to press a key before the live system starts.
const COUNTDOWN: Duration = Duration::from_secs(5);

/// The disks that the system fits on; their numbers start at 1.
struct Disks {
    known: [Disk; MAX_DISKS],
    found: [Option<Found>; MAX_DISKS],
    count: usize,
}

impl Disks {
    /// Looks for all of them, says which ones are left out, and keeps those that can hold a partition of `len` bytes.
    fn find(used: &[uefi::Handle], len: u64) -> Self {
        const NONE: Disk = Disk {
            block_size: 0,
            blocks: 0,
            empty: false,
        };
        let mut disks = Self {
            known: [NONE; MAX_DISKS],
            found: [None; MAX_DISKS],
            count: 0,
        };
        device::find(used, |found| {
            let disk = found.disk;
            if let Err(error) = Layout::new(disk.block_size, disk.blocks, len) {
                println!("installer: left out a disk: {error}");
            } else if disks.count < MAX_DISKS {
                disks.known[disks.count] = disk;
                disks.found[disks.count] = Some(found);
                disks.count += 1;
            } else {
                println!("installer: left out a disk: there are more than {MAX_DISKS}");
            }
        });
        disks
    }

    fn known(&self) -> &[Disk] {
        &self.known[..self.count]
    }

    fn show(&self) {
        println!("disks:");
        for (number, found) in (1..).zip(self.found.iter().flatten()) {
            let size = Size(found.disk.bytes());
            let block = found.disk.block_size;
            match (found.disk.empty, found.partitions) {
                (true, _) => println!("  {number}  {size}, blocks of {block} bytes, looks empty"),
                (false, Some(count)) => {
                    println!("  {number}  {size}, blocks of {block} bytes, has {count} partitions");
                }
                (false, None) => println!("  {number}  {size}, blocks of {block} bytes, is not empty"),
            }
        }
    }
}

/// The installed system's partition, in both forms.
#[derive(Clone, Copy)]
struct Payloads<'a> {
    small: Payload<'a>,
    large: Payload<'a>,
}

impl<'a> Payloads<'a> {
    fn parse(small: &'a Block, large: &'a Block) -> Result<Self, (&'static CStr16, PayloadError)> {
        let parse = |path, file: &'a Block| Payload::parse(file.bytes()).map_err(|error| (path, error));
        Ok(Self {
            small: parse(PAYLOAD_FILE, small)?,
            large: parse(PAYLOAD_4K_FILE, large)?,
        })
    }

    /// Bytes that a disk's partition needs.
    fn partition_len(&self) -> u64 {
        self.small.partition_len().max(self.large.partition_len())
    }

    /// The one for a disk's blocks.
    fn fitting(&self, layout: &Layout) -> &Payload<'a> {
        if layout.block_size() == 512 {
            &self.small
        } else {
            &self.large
        }
    }
}

/// Offers to install, if this medium is an installer's and there is a disk to install to. Returns when the system on the
/// medium is to be started.
///
/// # Errors
/// When the medium cannot be read.
pub(crate) fn offer(volume: &mut Volume) -> Result<(), Error> {
    if !volume.contains(PAYLOAD_FILE) {
        return Ok(());
    }
    let medium = volume::device_of_this_image()?;
    let answers = volume::find_elsewhere(medium, ANSWERS_FILE);
    let used = [medium, answers.as_ref().map_or(medium, |(device, _)| *device)];
    let mut any = false;
    device::find(&used, |_| any = true);
    if !any && answers.is_none() {
        return Ok(());
    }
    let (small, large) = (volume.read(PAYLOAD_FILE)?, volume.read(PAYLOAD_4K_FILE)?);
    let payloads = match Payloads::parse(&small, &large) {
        Ok(payloads) => payloads,
        Err((path, error)) => {
            println!("installer: {path}: {error}");
            if answers.is_some() {
                refuse("the medium cannot be used");
            }
            return Ok(());
        }
    };
    let disks = Disks::find(&used, payloads.partition_len());
    match answers {
        Some((_, answers)) => unattended(&disks, &payloads, answers),
        None if disks.count > 0 => attended(&disks, &payloads),
        None => {}
    }
    Ok(())
}

/// Says why nothing is done, and switches the machine off: nobody may be there to do it.
fn refuse(reason: impl core::fmt::Display) -> ! {
    println!("installer: refused: {reason}; nothing was changed");
    runtime::reset(ResetType::SHUTDOWN, Status::ABORTED, None)
}

fn unattended(disks: &Disks, payloads: &Payloads<'_>, answers: Result<Block, Error>) {
    let file = answers.unwrap_or_else(|error| refuse(error));
    let answers = match Answers::parse(file.bytes()) {
        Ok(answers) => answers,
        Err(error) => {
            println!("installer: {ANSWERS_FILE}: {error}");
            refuse("the answer file is not understood");
        }
    };
    disks.show();
    let chosen = disks::choose(disks.known(), &answers, payloads.partition_len());
    let (number, layout) = chosen.unwrap_or_else(|refusal| refuse(refusal));
    if !put(disks, number, &layout, payloads) {
        runtime::reset(ResetType::SHUTDOWN, Status::DEVICE_ERROR, None);
    }
    finish(answers.then);
}

/// Returns for [`Then::Start`] only.
fn finish(then: Then) {
    match then {
        Then::PowerOff => runtime::reset(ResetType::SHUTDOWN, Status::SUCCESS, None),
        Then::Restart => runtime::reset(ResetType::COLD, Status::SUCCESS, None),
        Then::Start => {}
    }
}

/// Installs and says how it went.
fn put(disks: &Disks, number: usize, layout: &Layout, payloads: &Payloads<'_>) -> bool {
    let Some(found) = disks.found[number - 1] else {
        return false;
    };
    println!("writing {} to disk {number}", Size(payloads.partition_len()));
    match write::install(&found, layout, payloads.fitting(layout)) {
        Ok(()) => {
            println!("installer: VeridianOS is installed on disk {number}");
            true
        }
        Err(error) => {
            println!("installer: failed: {error}");
            false
        }
    }
}

/// The menu.
fn attended(disks: &Disks, payloads: &Payloads<'_>) {
    println!("This medium starts VeridianOS and can install it:");
    println!("  1  start (by itself in {} s)", COUNTDOWN.as_secs());
    println!("  2  install on a disk");
    let Some(mut first) = console::key_within(COUNTDOWN).map(Some) else {
        println!("nothing was chosen: starting");
        return;
    };
    loop {
        // Enter alone chooses the first.
        let line = console::ask("1 or 2?", first.take());
        match line.text() {
            "" | "1" => return,
            "2" => {
                if dialogue(disks, payloads) {
                    return;
                }
            }
            other => println!("expected 1 or 2, got `{other}`"),
        }
    }
}

/// Installs as a person says. Whether the live system is to be started afterwards; otherwise back to the menu.
fn dialogue(disks: &Disks, payloads: &Payloads<'_>) -> bool {
    disks.show();
    let line = console::ask("Number of the disk, or nothing to go back?", None);
    if line.text().is_empty() {
        println!("nothing was changed");
        return false;
    }
    let Some(number) = disks::parse_number(line.text()) else {
        println!("expected a number, got `{}`; nothing was changed", line.text());
        return false;
    };
    let layout = match disks::layout(disks.known(), number, payloads.partition_len()) {
        Ok(layout) => layout,
        Err(refusal) => {
            println!("{refusal}; nothing was changed");
            return false;
        }
    };
    let disk = disks.known()[number - 1];
    if disk.empty {
        println!("Disk {number} ({}) looks empty.", Size(disk.bytes()));
    }
    println!(
        "Everything on disk {number} ({}) will be lost.",
        Size(disk.bytes())
    );
    if console::ask("Type yes to go on:", None).text() != "yes" {
        println!("that was not `yes`; nothing was changed");
        return false;
    }
    put(disks, number, &layout, payloads) && after()
}

/// What to do after an installation.
fn after() -> bool {
    println!("The medium can be removed when the machine is off.");
    loop {
        match console::ask("p power off, r restart, s start from the medium?", None).text() {
            "p" => finish(Then::PowerOff),
            "r" => finish(Then::Restart),
            "s" => return true,
            other => println!("expected p, r or s, got `{other}`"),
        }
    }
}
