//! First program of the fault image: brings about every condition of `fault`, one after the other, and checks what
//! became of each program and that the kernel goes on. Ends the machine as a failure when anything is wrong.
#![no_std]
#![no_main]

use abi::start::{kind, slot};
use abi::{Error, Fate, Fault, Message, Tag};
use fault::Condition;
use kcore::elf::ElfError;
use kcore::tar::Archive;
use root::{Addresses, Child, Chunks, Gift, Program, Slots, SpawnError, TABLE_SLOTS};
use rt::alloc::vec::Vec;

rt::program!(main);

/// First slot that is not used for anything else, and the slot of the endpoint.
const FREE_SLOTS: core::ops::Range<u64> = 4096..16384;
const ENDPOINT: u64 = 4095;

/// ELF number of this architecture.
const MACHINE: u16 = if cfg!(target_arch = "x86_64") {
    62
} else if cfg!(target_arch = "aarch64") {
    183
} else {
    243
};

/// Programs alive at one time.
const MANY: usize = 300;

/// Starts programs and waits for them.
struct Suite {
    initrd: Archive<'static>,
    addresses: Addresses,
    chunks: Chunks,
    slots: Slots,
}

fn main(argument: u64) -> u32 {
    // SAFETY: this is the first program, and the argument is what the kernel started it with.
    let (info, initrd) = unsafe {
        let info = root::info(argument);
        (info, root::initrd(&info))
    };
    let mut suite = Suite {
        addresses: Addresses::new(&info, &initrd),
        initrd,
        chunks: Chunks::new(info.untyped),
        slots: Slots::new(FREE_SLOTS.start, FREE_SLOTS.end),
    };
    let wrong = match suite.run() {
        Ok(wrong) => wrong,
        Err(error) => {
            rt::println!("fault-suite: {error}");
            1
        }
    };
    if wrong == 0 {
        rt::println!(
            "fault-suite: the kernel survived {} conditions",
            Condition::ALL.len()
        );
    } else {
        rt::println!("fault-suite: {wrong} wrong");
    }
    let refused = syscall::power_off(slot::MACHINE, wrong);
    rt::println!("fault-suite: power-off refused: {refused}");
    1
}

impl Suite {
    /// Returns how many conditions had another end than they should.
    fn run(&mut self) -> Result<u64, SpawnError> {
        let endpoint = self.chunks.take(&mut self.slots)?;
        syscall::retype(endpoint, kind::ENDPOINT, 0, 1, 0, ENDPOINT)?;
        let mut wrong = 0;
        for &condition in Condition::ALL {
            let fate = self.one(condition)?;
            let right = condition.expected().contains(&fate);
            wrong += u64::from(!right);
            let verdict = if right { "as expected" } else { "WRONG" };
            rt::println!("fault-suite: {}: {fate}: {verdict}", condition.name());
        }
        for (name, passes) in [
            ("wx-segment is refused", self.refuses_writable_code()),
            ("two programs run at the same time", self.two_at_once()?),
            (
                "programs have their own floating-point registers",
                self.floating_point()?,
            ),
            ("many programs live at the same time", self.many()?),
            ("what programs had is free again", self.leaves_nothing()?),
            ("time goes on", clock_goes_on()),
        ] {
            rt::println!(
                "fault-suite: {name}: {}",
                if passes { "as expected" } else { "WRONG" }
            );
            wrong += u64::from(!passes);
        }
        Ok(wrong)
    }

    fn spawn(&mut self, name: &str, argument: u64, badge: u64) -> Result<Child, SpawnError> {
        let file = self.initrd.find(name).ok_or(Error::NotFound)?;
        let program = Program {
            file: file.data,
            machine: MACHINE,
            placement: self.addresses.choose(),
            endpoint: ENDPOINT,
            badge,
            argument,
            record: &[],
            slots: TABLE_SLOTS,
            gifts: &[Gift::CONSOLE],
        };
        Child::spawn(&program, &mut self.chunks, &mut self.slots)
    }

    fn end(&mut self, child: Child) {
        child.end(&mut self.chunks, &mut self.slots);
    }

    /// Brings one condition about.
    fn one(&mut self, condition: Condition) -> Result<Fate, SpawnError> {
        let child = self.spawn("fault", condition as u64, 1)?;
        let (_, fate) = next_end()?;
        self.end(child);
        Ok(fate)
    }

    fn refuses_writable_code(&mut self) -> bool {
        match self.spawn("wx-segment", 0, 1) {
            Err(SpawnError::Elf(ElfError::WriteExecute(_))) => true,
            Err(_) => false,
            Ok(child) => {
                self.end(child);
                false
            }
        }
    }

    /// The later program comes to its end although the earlier one never gives the CPU up, on which both may be.
    fn two_at_once(&mut self) -> Result<bool, SpawnError> {
        let first = self.spawn("fault", fault::BUSY_LOOP, 1)?;
        let second = self.spawn("fault", Condition::Exit as u64, 2)?;
        let end = next_end()?;
        self.end(first);
        self.end(second);
        Ok(end == (2, Fate::Exited(42)))
    }

    /// Three programs at the same time, and a fourth one that must not see what they left.
    fn floating_point(&mut self) -> Result<bool, SpawnError> {
        let together = [
            self.spawn("fpu", 1, 1)?,
            self.spawn("fpu", 2, 2)?,
            self.spawn("fpu", 3, 3)?,
        ];
        let mut passed = true;
        for _ in &together {
            passed &= next_end()?.1 == Fate::Exited(0);
        }
        for child in together {
            self.end(child);
        }
        let child = self.spawn("fpu", 4, 4)?;
        passed &= next_end()?.1 == Fate::Exited(0);
        self.end(child);
        Ok(passed)
    }

    /// Starts programs that wait to be ended, and ends them.
    fn many(&mut self) -> Result<bool, SpawnError> {
        let mut children = Vec::with_capacity(MANY);
        for badge in 1..=MANY as u64 {
            children.push(self.spawn("fault", Condition::Exit as u64, badge)?);
        }
        let mut ended = [false; MANY];
        for _ in 0..MANY {
            let (badge, fate) = next_end()?;
            ended[badge as usize - 1] = fate == Fate::Exited(42);
        }
        for child in children {
            self.end(child);
        }
        Ok(ended.iter().all(|&ended| ended))
    }

    /// Whether a program that ends, by itself or not, gives all back.
    fn leaves_nothing(&mut self) -> Result<bool, SpawnError> {
        let free = self.chunks.free();
        for condition in [Condition::Exit, Condition::NullRead, Condition::StackOverflow] {
            for _ in 0..20 {
                self.one(condition)?;
            }
        }
        Ok(self.chunks.free() == free)
    }
}

/// Waits for the end of a program: its badge, and how it ended.
fn next_end() -> Result<(u64, Fate), Error> {
    loop {
        let Message { badge, tag, words } = syscall::receive(ENDPOINT, syscall::FOREVER)?;
        if tag.is_fault() {
            let fault = Fault::ALL.iter().find(|&&fault| fault as u64 == words[0]);
            return Ok((badge, Fate::Killed(*fault.unwrap_or(&Fault::Other))));
        }
        if tag.label() == protocol::process::EXIT {
            let code = u32::try_from(words[0]).unwrap_or(u32::MAX);
            return Ok((badge, Fate::Exited(code)));
        }
        syscall::reply(0, Tag::new(u32::MAX).0, 0, 0, 0, 0)?;
    }
}

/// Looks at the clock until it moves, for a bounded number of times.
fn clock_goes_on() -> bool {
    let Ok(start) = syscall::clock() else { return false };
    (0..1_000_000_u64).any(|_| syscall::clock().is_ok_and(|now| now > start))
        && syscall::sleep(1_000_000).is_ok()
}
