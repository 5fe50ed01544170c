//! What programs get besides heap, stack and streams: memory to make objects of, and channels.
//!
//! A channel is memory and two notifications. They belong to this server and not to a program, so that a peer that ends
//! takes nothing from under the other one: it is told, and what was sent before can still be received.

use alloc::vec::Vec;

use abi::start::{kind, right};
use processes::Pid;
use protocol::{CHANNEL_SIZE, CHANNEL_STEP, Error, MAX_ENDS, MAX_UNTYPED, UNTYPED_SIZES, channel_bit, slot};

use crate::lives::{Life, Server, error_of_call};

/// Untyped memory of a program: its slot, and its size in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    slot: u64,
    size: u64,
}

/// What programs share, and large pieces of memory that nobody has.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    channels: Vec<Channel>,
    large: Vec<u64>,
}

/// Which end of a channel.
const SENDER: usize = 0;
const RECEIVER: usize = 1;

/// Slots that a channel needs besides its chunk.
const SLOTS: usize = 7;

#[derive(Debug)]
struct Channel {
    chunk: u64,
    frame: u64,
    /// The notification that each end waits for, and the same with the bit that says that its peer has gone.
    bells: [u64; 2],
    gone: [u64; 2],
    /// The capability of the memory that each end has it mapped by.
    mappings: [u64; 2],
    /// Who has each end, under which number.
    ends: [Option<(Pid, u64)>; 2],
}

impl Server {
    /// Gives a program memory to make objects of, in a slot of its table.
    pub(crate) fn untyped(&mut self, pid: Pid, size: u64, to: u64) -> Result<(), Error> {
        let life = self.lives.get_mut(&pid).ok_or(Error::NoProcess)?;
        // With schedules a program could keep others from running for ever: only who may end the system has them.
        if !life.may_power_off {
            return Err(Error::PermissionDenied);
        }
        let has: u64 = life.pieces.iter().map(|piece| piece.size).sum();
        if !UNTYPED_SIZES.contains(&size) || !(slot::OWN..slot::OWN_END).contains(&to) {
            return Err(Error::BadArgument);
        }
        if has + size > MAX_UNTYPED {
            return Err(Error::NoMemory);
        }
        let at = if size == UNTYPED_SIZES[0] {
            self.chunks.take(&mut self.slots).map_err(error_of_call)?
        } else if let Some(at) = self.shared.large.pop() {
            at
        } else {
            let at = self.slots.take().ok_or(Error::NoMemory)?;
            if let Err(error) = self.chunks.make_for_ever(kind::UNTYPED, size, 0, at) {
                self.slots.give_back(at);
                return Err(error_of_call(error));
            }
            at
        };
        life.pieces.push(Piece { slot: at, size });
        // A piece that does not arrive is taken back when the program ends.
        match syscall::capability_copy(life.child.table, to, at, right::ALL) {
            Ok(_) => Ok(()),
            Err(abi::Error::SlotTaken) => Err(Error::BadArgument),
            Err(error) => Err(error_of_call(error)),
        }
    }

    /// Takes back what a program had to make objects of, with all that it made.
    pub(crate) fn take_pieces(&mut self, life: &Life) {
        for piece in &life.pieces {
            if piece.size == UNTYPED_SIZES[0] {
                self.chunks.give_back(piece.slot);
            } else if syscall::capability_revoke(0, piece.slot).is_ok() {
                self.shared.large.push(piece.slot);
            }
        }
    }

    /// Makes a channel of which a program has both ends. Returns their numbers.
    pub(crate) fn new_channel(&mut self, pid: Pid) -> Result<[u64; 2], Error> {
        let chunk = self.chunks.take(&mut self.slots).map_err(error_of_call)?;
        let mut slots = [0; SLOTS];
        for place in &mut slots {
            // 0 is never free, and refused by the kernel as a place for a capability.
            *place = self.slots.take().unwrap_or(0);
        }
        let [
            frame,
            first,
            second,
            gone_first,
            gone_second,
            map_first,
            map_second,
        ] = slots;
        let channel = Channel {
            chunk,
            frame,
            bells: [first, second],
            gone: [gone_first, gone_second],
            mappings: [map_first, map_second],
            ends: [None; 2],
        };
        let made = channel.make();
        self.shared.channels.push(channel);
        let number = self.shared.channels.len() - 1;
        let numbers = made.map_err(error_of_call).and_then(|()| {
            Ok([
                self.give_end(number, SENDER, pid)?,
                self.give_end(number, RECEIVER, pid)?,
            ])
        });
        if numbers.is_err() {
            for end in [SENDER, RECEIVER] {
                self.take_end(number, end);
            }
        }
        self.drop_unused();
        numbers
    }

    /// Which end a program has under a number: 0 the one that sends, 1 the one that receives.
    pub(crate) fn end_role(&self, pid: Pid, number: u64) -> Result<u64, Error> {
        let (_, end) = self.find_end(pid, number).ok_or(Error::BadHandle)?;
        Ok(end as u64)
    }

    /// Takes an end from a program.
    pub(crate) fn close_end(&mut self, pid: Pid, number: u64) -> Result<(), Error> {
        let (channel, end) = self.find_end(pid, number).ok_or(Error::BadHandle)?;
        self.take_end(channel, end);
        self.drop_unused();
        Ok(())
    }

    /// Takes all ends from a program that has ended.
    pub(crate) fn close_ends(&mut self, pid: Pid) {
        for channel in 0..self.shared.channels.len() {
            for end in [SENDER, RECEIVER] {
                let is_its = self.shared.channels[channel].ends[end].is_some_and(|(who, _)| who == pid);
                if is_its {
                    self.take_end(channel, end);
                }
            }
        }
        self.drop_unused();
    }

    /// Gives ends of a program to another one, which does not run yet.
    pub(crate) fn pass_ends(&mut self, from: Pid, to: Pid, bits: u64) {
        for number in (0..MAX_ENDS).filter(|number| bits >> number & 1 == 1) {
            let Some((channel, end)) = self.find_end(from, number) else {
                continue;
            };
            self.shared.channels[channel].withdraw(end, &self.lives);
            // A peer whose end cannot be given learns that it has gone.
            if self.give_end(channel, end, to).is_err() {
                self.take_end(channel, end);
            }
        }
        self.drop_unused();
    }

    fn find_end(&self, pid: Pid, number: u64) -> Option<(usize, usize)> {
        let channels = self.shared.channels.iter().enumerate();
        channels
            .flat_map(|(index, channel)| {
                [
                    (index, SENDER, channel.ends[SENDER]),
                    (index, RECEIVER, channel.ends[RECEIVER]),
                ]
            })
            .find(|(_, _, end)| *end == Some((pid, number)))
            .map(|(index, end, _)| (index, end))
    }

    fn give_end(&mut self, channel: usize, end: usize, pid: Pid) -> Result<u64, Error> {
        let number = (0..MAX_ENDS)
            .find(|&number| self.find_end(pid, number).is_none())
            .ok_or(Error::TooManyOpen)?;
        let life = self.lives.get(&pid).ok_or(Error::NoProcess)?;
        let channel = &mut self.shared.channels[channel];
        channel.ends[end] = Some((pid, number));
        channel.install(end, life, number).map_err(error_of_call)?;
        Ok(number)
    }

    /// Takes an end from who has it, and tells the peer.
    fn take_end(&mut self, channel: usize, end: usize) {
        let channel = &mut self.shared.channels[channel];
        channel.withdraw(end, &self.lives);
        let _ = syscall::signal(channel.gone[1 - end]);
    }

    /// Gives back what channels consist of whose ends nobody has.
    fn drop_unused(&mut self) {
        let mut index = 0;
        while let Some(channel) = self.shared.channels.get(index) {
            if channel.ends.iter().any(Option::is_some) {
                index += 1;
                continue;
            }
            let channel = self.shared.channels.swap_remove(index);
            self.chunks.give_back(channel.chunk);
            let slots = [channel.bells, channel.gone, channel.mappings].concat();
            for at in slots.into_iter().chain([channel.frame]).filter(|&at| at != 0) {
                self.slots.give_back(at);
            }
        }
    }
}

impl Channel {
    /// Makes the objects.
    fn make(&self) -> Result<(), abi::Error> {
        syscall::retype(self.chunk, kind::FRAME, CHANNEL_SIZE, 1, 0, self.frame)?;
        for end in [SENDER, RECEIVER] {
            syscall::retype(self.chunk, kind::NOTIFICATION, 0, 1, 0, self.bells[end])?;
            let bit = channel_bit::GONE;
            syscall::capability_mint(0, self.gone[end], self.bells[end], right::WRITE, bit)?;
        }
        Ok(())
    }

    /// Puts an end into a program.
    fn install(&self, end: usize, life: &Life, number: u64) -> Result<(), abi::Error> {
        let (table, first) = (life.child.table, slot::CHANNELS + number * 2);
        let access = right::READ | right::WRITE;
        syscall::capability_copy(0, self.mappings[end], self.frame, access)?;
        let at = life.child.placement.channels + number * CHANNEL_STEP;
        syscall::map(life.child.space, 0, self.mappings[end], at, access)?;
        syscall::capability_copy(table, first, self.bells[end], right::READ)?;
        let peer = self.bells[1 - end];
        syscall::capability_mint(table, first + 1, peer, right::WRITE, channel_bit::PEER)?;
        Ok(())
    }

    /// Takes an end out of the program that has it.
    fn withdraw(&mut self, end: usize, lives: &alloc::collections::BTreeMap<Pid, Life>) {
        let Some((pid, number)) = self.ends[end].take() else {
            return;
        };
        // What was not put there cannot be taken away; of a program that has ended, nothing is left.
        let _ = syscall::capability_delete(0, self.mappings[end]);
        if let Some(life) = lives.get(&pid) {
            let first = slot::CHANNELS + number * 2;
            for at in [first, first + 1] {
                let _ = syscall::capability_delete(life.child.table, at);
            }
        }
    }
}
