//! Collecting small pieces of output.

use crate::io::Result;

/// Collects up to `N` bytes, so that a sink gets them at once. What a sink refuses is lost.
#[derive(Debug)]
pub(crate) struct Gather<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Gather<N> {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    /// Adds bytes; the sink gets what does not fit.
    pub(crate) fn add(&mut self, bytes: &[u8], mut sink: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        if bytes.len() > N - self.len {
            self.flush(&mut sink)?;
        }
        if bytes.len() >= N {
            return sink(bytes);
        }
        self.bytes[self.len..][..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
        Ok(())
    }

    /// Adds bytes; the sink gets all complete lines.
    pub(crate) fn add_lines(
        &mut self,
        bytes: &[u8],
        mut sink: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let lines = bytes
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |last| last + 1);
        if lines > 0 {
            self.add(&bytes[..lines], &mut sink)?;
            self.flush(&mut sink)?;
        }
        self.add(&bytes[lines..], sink)
    }

    /// The sink gets what there is.
    pub(crate) fn flush(&mut self, mut sink: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        match core::mem::take(&mut self.len) {
            0 => Ok(()),
            len => sink(&self.bytes[..len]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::ErrorKind;
    use proptest::prelude::*;

    #[test]
    fn a_line_goes_out_at_once() {
        let mut calls = Vec::new();
        let mut gather = Gather::<16>::new();
        for piece in ["one ", "two", "\n", "three\nfour\nfive"] {
            gather
                .add_lines(piece.as_bytes(), |bytes| {
                    calls.push(String::from_utf8(bytes.into()).unwrap());
                    Ok(())
                })
                .unwrap();
        }
        assert_eq!(calls, ["one two\n", "three\nfour\n"]);
    }

    #[test]
    fn what_is_refused_does_not_come_again() {
        let mut gather = Gather::<16>::new();
        gather.add(b"lost", |_| Ok(())).unwrap();
        gather.flush(|_| Err(ErrorKind::BrokenPipe.into())).unwrap_err();
        gather.flush(|_| panic!("there is nothing left")).unwrap();
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_lines_do_not_wait(
            pieces in prop::collection::vec(("[a-c\n]{0,20}", any::<bool>()), 0..12),
        ) {
            let mut out = Vec::new();
            let mut gather = Gather::<8>::new();
            let mut all = String::new();
            for (piece, lines) in &pieces {
                let sink = |bytes: &[u8]| {
                    assert!(!bytes.is_empty());
                    out.extend_from_slice(bytes);
                    Ok(())
                };
                all.push_str(piece);
                if *lines {
                    gather.add_lines(piece.as_bytes(), sink).unwrap();
                    if let Some(last) = piece.rfind('\n') {
                        prop_assert!(out.len() > all.len() - piece.len() + last);
                    }
                } else {
                    gather.add(piece.as_bytes(), sink).unwrap();
                }
                prop_assert!(all.as_bytes().starts_with(&out));
                prop_assert!(all.len() - out.len() <= 8);
            }
            gather.flush(|bytes| { out.extend_from_slice(bytes); Ok(()) }).unwrap();
            prop_assert_eq!(out, all.into_bytes());
        }
    }
}
