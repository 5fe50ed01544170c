//! Gates: endpoints from which messages go on to another one, so many per second and no more.
//!
//! A server that gives each client a gate of its own is safe from a client that floods it: the bucket is the gate's, so
//! all copies of the client's capability share it, and neither server nor other clients pay for what is refused. Endpoints
//! without a limit, and the short way of a conversation, never see a bucket.

use abi::Error;
use kcore::capability::{Kind, Rights};
use kcore::objects::Handle;
use kcore::token_bucket::TokenBucket;

use crate::state::{Kernel, Outcome};

impl Kernel {
    /// The call `endpoint_limit`.
    pub(crate) fn call_limit(
        &mut self,
        me: Handle,
        gate: u64,
        endpoint: u64,
        rate: u64,
        burst: u64,
    ) -> Result<Outcome, Error> {
        let gate = self.capability(me, gate, Kind::Endpoint, Rights::READ)?.object;
        let target = self
            .capability(me, endpoint, Kind::Endpoint, Rights::READ)?
            .object;
        let (Ok(rate), Ok(burst @ 1..)) = (u32::try_from(rate), u32::try_from(burst)) else {
            return Err(Error::BadArgument);
        };
        let leads_on = self.objects.endpoint(target).ok_or(Error::NotFound)?.is_gate();
        if gate == target || leads_on {
            return Err(Error::BadArgument);
        }
        let place = self.objects.endpoint_mut(gate).ok_or(Error::NotFound)?;
        if !place.queue.is_empty() {
            return Err(Error::Busy);
        }
        place.target = target;
        place.limit = TokenBucket::new(rate, burst, hal::timer::now());
        Ok(Outcome::Done(0))
    }

    /// Where a message goes that is sent to a gate: counts it unless it is `free`.
    #[cold]
    pub(crate) fn pass_gate(&mut self, gate: Handle, free: bool) -> Result<Handle, Error> {
        let gate = self.objects.endpoint_mut(gate).ok_or(Error::NotFound)?;
        let target = gate.target;
        if !free && !gate.limit.take(1, hal::timer::now()) {
            return Err(Error::RateLimited);
        }
        // The endpoint may have ended, or become a gate itself.
        match self.objects.endpoint(target) {
            Some(endpoint) if !endpoint.is_gate() => Ok(target),
            _ => Err(Error::PeerGone),
        }
    }
}
