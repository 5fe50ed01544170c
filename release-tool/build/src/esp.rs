//! The EFI system partition: a FAT file system with what the firmware and the loader read.

use crate::{BuildError, Ids};
use fatfs::{Date, DateTime, FileSystem, FormatVolumeOptions, FsOptions, Time, TimeProvider};
use std::cell::Cell;
use std::io::{self, Cursor, Write};
use vrel_model::UtcTime;

/// Enough for a system of a few MiB; smaller ones boot no faster, larger ones take longer to hash and to copy.
pub const DEFAULT_SIZE: u64 = 16 << 20;

/// Below it there is no room for a file system with the parts that FAT needs.
pub const MIN_SIZE: u64 = 1 << 20;

/// FAT32 counts sectors of 512 bytes with 32 bits.
pub const MAX_SIZE: u64 = 1 << 40;

/// What goes into the partition.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// The loader.
    pub loader: &'a [u8],
    /// Its name in `\EFI\BOOT`.
    pub loader_file: &'a str,
    /// The stamped kernel.
    pub kernel: &'a [u8],
    /// The initrd.
    pub initrd: &'a [u8],
}

impl<'a> Content<'a> {
    /// The files by their paths, directories before what is in them.
    pub(crate) fn files(&self) -> [(String, &'a [u8]); 3] {
        [
            (format!("EFI/BOOT/{}", self.loader_file), self.loader),
            ("veridian/kernel.elf".to_owned(), self.kernel),
            ("veridian/initrd.tar".to_owned(), self.initrd),
        ]
    }
}

/// The directories that [`Content::files`] are in.
pub(crate) const DIRECTORIES: [&str; 3] = ["EFI", "EFI/BOOT", "veridian"];

/// The bytes of a partition of `size` bytes, a multiple of 1 MiB. Its FAT type follows from its size.
///
/// # Errors
/// When the size is out of range or the content does not fit.
pub fn build(content: &Content<'_>, size: u64, ids: &Ids, time: UtcTime) -> Result<Vec<u8>, BuildError> {
    if !(MIN_SIZE..=MAX_SIZE).contains(&size) || !size.is_multiple_of(1 << 20) {
        return Err(BuildError::EspSize { size });
    }
    let failed = |error: io::Error| BuildError::Esp {
        problem: error.to_string(),
    };
    // Zeroed memory that is never touched takes no space.
    let mut volume = Cursor::new(vec![
        0;
        usize::try_from(size)
            .map_err(|_| BuildError::EspSize { size })?
    ]);
    let options = FormatVolumeOptions::new()
        .volume_id(ids.number("esp volume"))
        .volume_label(*b"VERIDIANESP");
    fatfs::format_volume(&mut volume, options).map_err(failed)?;
    Now::during(time, || {
        let fs = FileSystem::new(&mut volume, FsOptions::new().time_provider(&Now)).map_err(failed)?;
        check_room(&fs, content, size)?;
        let root = fs.root_dir();
        for directory in DIRECTORIES {
            root.create_dir(directory).map_err(failed)?;
        }
        for (path, bytes) in content.files() {
            let mut file = root.create_file(&path).map_err(failed)?;
            file.write_all(bytes).map_err(failed)?;
            file.flush().map_err(failed)?;
        }
        drop(root);
        fs.unmount().map_err(failed)
    })?;
    Ok(volume.into_inner())
}

fn check_room(
    fs: &FileSystem<&mut Cursor<Vec<u8>>>,
    content: &Content<'_>,
    size: u64,
) -> Result<(), BuildError> {
    let cluster = u64::from(fs.cluster_size());
    let free = fs
        .stats()
        .map_err(|error| BuildError::Esp {
            problem: error.to_string(),
        })?
        .free_clusters();
    let files = content
        .files()
        .iter()
        .map(|(_, bytes)| (bytes.len() as u64).div_ceil(cluster))
        .sum::<u64>();
    let needed = (files + DIRECTORIES.len() as u64) * cluster;
    let room = u64::from(free) * cluster;
    if needed <= room {
        return Ok(());
    }
    Err(BuildError::EspFull { needed, room, size })
}

/// Gives the file system the time of the build instead of the time of day.
#[derive(Debug)]
struct Now;

thread_local! {
    // The file system wants its source of time to live for ever, so the time itself cannot be in it.
    static NOW: Cell<DateTime> = const { Cell::new(EPOCH) };
}

const EPOCH: DateTime = DateTime {
    date: Date {
        year: 1980,
        month: 1,
        day: 1,
    },
    time: Time {
        hour: 0,
        min: 0,
        sec: 0,
        millis: 0,
    },
};

impl Now {
    fn during<T>(time: UtcTime, work: impl FnOnce() -> T) -> T {
        NOW.set(fat_time(time));
        let result = work();
        NOW.set(EPOCH);
        result
    }
}

impl TimeProvider for Now {
    fn get_current_date(&self) -> Date {
        NOW.get().date
    }

    fn get_current_date_time(&self) -> DateTime {
        NOW.get()
    }
}

/// The time in FAT's form, which reaches from 1980 to 2107 and has steps of two seconds.
fn fat_time(time: UtcTime) -> DateTime {
    let Ok(time) = jiff::Timestamp::from_second(time.unix()) else {
        return EPOCH;
    };
    let time = time.to_zoned(jiff::tz::TimeZone::UTC);
    let small = |number: i8| number.unsigned_abs().into();
    match u16::try_from(time.year()) {
        Ok(year @ 1980..=2107) => DateTime {
            date: Date {
                year,
                month: small(time.month()),
                day: small(time.day()),
            },
            time: Time {
                hour: small(time.hour()),
                min: small(time.minute()),
                sec: small(time.second() / 2 * 2),
                millis: 0,
            },
        },
        _ => EPOCH,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::Read;
    use vrel_model::Arch;

    pub(crate) fn ids() -> Ids {
        Ids::new("veridianos", &"0.6.0-rc1".parse().unwrap(), Arch::X86_64)
    }

    pub(crate) fn content() -> Content<'static> {
        Content {
            loader: &[1; 3000],
            loader_file: "BOOTX64.EFI",
            kernel: &[2; 70_000],
            initrd: &[3; 512],
        }
    }

    fn time() -> UtcTime {
        UtcTime::from_unix(1_700_000_001).unwrap()
    }

    #[test]
    fn files_are_where_firmware_and_loader_look_and_dated_as_told() {
        for size in [MIN_SIZE, 8 << 20, DEFAULT_SIZE, 600 << 20] {
            let volume = build(&content(), size, &ids(), time()).unwrap();
            assert_eq!(volume.len() as u64, size);
            let fs = FileSystem::new(Cursor::new(volume), FsOptions::new()).unwrap();
            assert_eq!(fs.volume_id(), ids().number("esp volume"));
            for (path, expected) in content().files() {
                let mut found = Vec::new();
                fs.root_dir()
                    .open_file(&path)
                    .unwrap()
                    .read_to_end(&mut found)
                    .unwrap();
                assert!(found == expected, "{path}");
            }
            for entry in fs.root_dir().iter() {
                let modified = entry.unwrap().modified();
                assert_eq!(
                    (modified.date.year, modified.date.month, modified.date.day),
                    (2023, 11, 14)
                );
                assert_eq!(
                    (modified.time.hour, modified.time.min, modified.time.sec),
                    (22, 13, 20)
                );
            }
        }
    }

    #[test]
    fn equal_input_gives_equal_bytes() {
        let one = build(&content(), DEFAULT_SIZE, &ids(), time()).unwrap();
        assert!(one == build(&content(), DEFAULT_SIZE, &ids(), time()).unwrap());
        let later = UtcTime::from_unix(1_700_000_100).unwrap();
        assert!(one != build(&content(), DEFAULT_SIZE, &ids(), later).unwrap());
    }

    #[test]
    fn sizes_that_cannot_work_are_refused() {
        for size in [0, MIN_SIZE - 1, (1 << 20) + 512, MAX_SIZE + (1 << 20)] {
            assert!(matches!(
                build(&content(), size, &ids(), time()),
                Err(BuildError::EspSize { .. })
            ));
        }
        let kernel = vec![0; 3 << 20];
        let big = Content {
            kernel: &kernel,
            ..content()
        };
        let error = build(&big, 2 << 20, &ids(), time()).unwrap_err();
        assert!(
            matches!(error, BuildError::EspFull { size: 0x20_0000, .. }),
            "{error}"
        );
        assert!(build(&big, 4 << 20, &ids(), time()).is_ok());
    }

    #[test]
    fn times_outside_of_fat_s_range_become_its_first() {
        for seconds in [-1, 0, 315_532_799, 4_354_819_200] {
            assert_eq!(fat_time(UtcTime::from_unix(seconds).unwrap()), EPOCH, "{seconds}");
        }
    }
}
