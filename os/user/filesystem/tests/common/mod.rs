//! A client with ordinary calls, over the server's requests.
#![allow(dead_code, reason = "every test file uses some of it")]

use filesystem::{
    Entry, Error, Flags, Handle, Limits, Listing, Outcome, Path, Quota, RamFs, Request, Result, Server, Stat,
    Whence,
};

pub(crate) const ROOMY: Quota = Quota {
    bytes: 64 << 20,
    nodes: 10_000,
};

pub(crate) struct Fs<'a> {
    pub(crate) server: Server<'a>,
    pub(crate) client: u64,
}

pub(crate) fn ram() -> Fs<'static> {
    over(RamFs::new(ROOMY))
}

pub(crate) fn over<'a>(root: impl filesystem::FileSystem + 'a) -> Fs<'a> {
    Fs {
        server: Server::new(Box::new(root), Limits::default(), Some(0)),
        client: 7,
    }
}

impl Fs<'_> {
    pub(crate) fn ask(&mut self, request: Request, payload: &mut [u8]) -> Outcome {
        // Every request goes over the wire.
        let (label, words) = request.to_words();
        assert_eq!(Request::from_words(label, words), Some(request));
        self.server.handle(self.client, request, payload, 5)
    }

    /// The answer to a request that does not wait.
    pub(crate) fn now(&mut self, request: Request, payload: &mut [u8]) -> Result<u64> {
        match self.ask(request, payload) {
            Outcome::Reply { result, len } => {
                assert!(len <= payload.len() && (result.is_ok() || len == 0));
                result
            }
            other => panic!("{request:?} gave {other:?}"),
        }
    }

    fn with_path(
        &mut self,
        base: &str,
        path: &str,
        request: impl FnOnce(Path) -> Request,
    ) -> (Result<u64>, Vec<u8>) {
        let mut payload = [base.as_bytes(), path.as_bytes()].concat();
        let path = Path {
            base: base.len() as u32,
            len: path.len() as u32,
        };
        payload.resize(payload.len().max(5000), 0);
        let result = self.now(request(path), &mut payload);
        (result, payload)
    }

    pub(crate) fn open(&mut self, path: &str, flags: Flags) -> Result<Handle> {
        let open = |path| Request::Open {
            path,
            flags: flags.bits(),
        };
        self.with_path("", path, open)
            .0
            .map(|handle| Handle(handle as u32))
    }

    pub(crate) fn close(&mut self, handle: Handle) -> Result<()> {
        self.now(Request::Close(handle), &mut []).map(drop)
    }

    pub(crate) fn read(&mut self, handle: Handle, len: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0xee; len];
        let len = len as u32;
        let count = self.now(Request::Read { handle, len }, &mut bytes)?;
        bytes.truncate(count as usize);
        Ok(bytes)
    }

    pub(crate) fn read_at(&mut self, handle: Handle, offset: u64, len: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0xee; len];
        let len = len as u32;
        let count = self.now(Request::ReadAt { handle, len, offset }, &mut bytes)?;
        bytes.truncate(count as usize);
        Ok(bytes)
    }

    pub(crate) fn write(&mut self, handle: Handle, data: &[u8]) -> Result<u64> {
        let len = data.len() as u32;
        self.now(Request::Write { handle, len }, &mut data.to_vec())
    }

    pub(crate) fn seek(&mut self, handle: Handle, whence: Whence, offset: i64) -> Result<u64> {
        self.now(
            Request::Seek {
                handle,
                whence,
                offset,
            },
            &mut [],
        )
    }

    pub(crate) fn truncate(&mut self, handle: Handle, len: u64) -> Result<()> {
        self.now(Request::Truncate { handle, len }, &mut []).map(drop)
    }

    pub(crate) fn fstat(&mut self, handle: Handle) -> Result<Stat> {
        let mut bytes = [0; Stat::BYTES];
        self.now(Request::Stat(handle), &mut bytes)?;
        Ok(Stat::from_bytes(&bytes).unwrap())
    }

    pub(crate) fn stat(&mut self, path: &str) -> Result<Stat> {
        let (result, payload) = self.with_path("", path, Request::StatPath);
        result.map(|_| Stat::from_bytes(&payload).unwrap())
    }

    pub(crate) fn mkdir(&mut self, path: &str) -> Result<()> {
        self.with_path("", path, Request::MakeDirectory).0.map(drop)
    }

    pub(crate) fn unlink(&mut self, path: &str) -> Result<()> {
        self.with_path("", path, Request::RemoveFile).0.map(drop)
    }

    pub(crate) fn rmdir(&mut self, path: &str) -> Result<()> {
        self.with_path("", path, Request::RemoveDirectory).0.map(drop)
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) -> Result<()> {
        let both = format!("{from}{to}");
        let (from, to) = (from.len() as u32, to.len() as u32);
        let rename = |_| Request::Rename {
            from: Path { base: 0, len: from },
            to,
        };
        self.with_path("", &both, rename).0.map(drop)
    }

    /// The absolute path, where `path` is relative to `base`.
    pub(crate) fn canonical(&mut self, base: &str, path: &str) -> Result<String> {
        let mut payload = [base.as_bytes(), path.as_bytes()].concat();
        payload.resize(payload.len() + 5000, 0);
        let path = Path {
            base: base.len() as u32,
            len: path.len() as u32,
        };
        match self.ask(Request::Canonical(path), &mut payload) {
            Outcome::Reply { result: Ok(_), len } => Ok(String::from_utf8(payload[..len].to_vec()).unwrap()),
            Outcome::Reply {
                result: Err(error), ..
            } => Err(error),
            other => panic!("{other:?}"),
        }
    }

    /// One answer of a directory.
    pub(crate) fn entries(&mut self, handle: Handle, room: usize) -> Result<Vec<Entry>> {
        let mut bytes = vec![0xee; room];
        let len = self.now(Request::ReadDirectory(handle), &mut bytes)?;
        Ok(Listing(&bytes[..len as usize]).collect())
    }

    /// The names of a directory, sorted.
    pub(crate) fn list(&mut self, path: &str) -> Result<Vec<String>> {
        let handle = self.open(path, Flags::READ | Flags::DIRECTORY)?;
        let mut names = Vec::new();
        loop {
            // Room for two or three short names: the cursor has to work.
            let entries = self.entries(handle, 300)?;
            if entries.is_empty() {
                break;
            }
            names.extend(entries.into_iter().map(|entry| entry.name));
        }
        self.close(handle)?;
        names.sort();
        Ok(names)
    }

    pub(crate) fn put(&mut self, path: &str, data: &[u8]) -> Result<()> {
        let handle = self.open(path, Flags::WRITE | Flags::CREATE | Flags::TRUNCATE)?;
        let mut rest = data;
        while !rest.is_empty() {
            match self.write(handle, rest) {
                Ok(count) => rest = &rest[count as usize..],
                Err(error) => {
                    self.close(handle)?;
                    return Err(error);
                }
            }
        }
        self.close(handle)
    }

    pub(crate) fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        let handle = self.open(path, Flags::READ)?;
        let mut all = Vec::new();
        loop {
            match self.read(handle, 1000) {
                Ok(bytes) if bytes.is_empty() => break,
                Ok(bytes) => all.extend(bytes),
                Err(error) => {
                    self.close(handle)?;
                    return Err(error);
                }
            }
        }
        self.close(handle)?;
        Ok(all)
    }

    pub(crate) fn pipe(&mut self, flags: u32) -> Result<(Handle, Handle)> {
        let both = self.now(Request::Pipe { flags }, &mut [])?;
        Ok((Handle(both as u32), Handle((both >> 32) as u32)))
    }
}

/// The error of something that has to fail.
pub(crate) fn error<T: std::fmt::Debug>(result: Result<T>) -> Error {
    result.unwrap_err()
}
