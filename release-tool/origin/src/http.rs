//! A published tree behind HTTP. The server is not trusted: not to answer, not to end, not to be fast, and not to send
//! the client elsewhere by another protocol.

use crate::reader::{io_error, read_limited};
use crate::{ObjectPath, OriginError, OriginReader, Stream};
use axum::body::Bytes;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, StatusCode, Url};
use std::future::Future;
use std::io::{self, Read};
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use vrel_model::Version;
use vrel_world::World;

/// How slow a server may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HttpLimits {
    /// For making a connection.
    pub connect: Duration,
    /// The span of time in which the answer must begin, and in every further one of which at least `least` bytes must
    /// come. Time in which this program does not read does not count.
    pub span: Duration,
    /// The least number of bytes in a span.
    pub least: u64,
}

impl Default for HttpLimits {
    /// 10 seconds for a connection; 30 KiB in every 30 seconds.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            span: Duration::from_secs(30),
            least: 30 << 10,
        }
    }
}

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// How many pieces of a body may wait to be read. The network goes on while a piece is hashed.
const PIECES: usize = 16;

/// How often somebody who waits for the network asks whether to go on waiting.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// An origin behind HTTP or HTTPS. Not to be used from asynchronous code: its methods block.
pub struct HttpOrigin<'w> {
    world: &'w dyn World,
    base: Url,
    client: Client,
    limits: HttpLimits,
    network: Network,
}

/// The threads that speak with the network.
pub(crate) struct Network {
    runtime: Option<Runtime>,
    pub(crate) handle: Handle,
}

impl Network {
    pub(crate) fn start() -> io::Result<Self> {
        // Fails when somebody else in this process has chosen already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Dropped in the usual way it would wait for a name that is being looked up.
            runtime.shutdown_background();
        }
    }
}

impl<'w> HttpOrigin<'w> {
    /// A client of the origin at an address. Makes no connection yet.
    ///
    /// # Errors
    /// [`OriginError::Address`] when the address is not a plain `http` or `https` one.
    pub fn new(world: &'w dyn World, address: &str, limits: HttpLimits) -> Result<Self, OriginError> {
        let wrong = |reason: String| OriginError::Address {
            url: address.to_owned(),
            reason,
        };
        let mut base = Url::parse(address).map_err(|error| wrong(error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(wrong(format!(
                "its scheme is `{}`, expected `https` or `http`",
                base.scheme()
            )));
        }
        // Whatever stands in the address is shown in messages and logs.
        if !base.username().is_empty() || base.password().is_some() {
            return Err(wrong("it holds a user name or password".to_owned()));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(wrong("it has a query or a fragment".to_owned()));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }

        let network = Network::start().map_err(|error| wrong(error.to_string()))?;
        let client = Client::builder()
            .user_agent(concat!("vrel/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.connect)
            .redirect(Policy::custom(redirect))
            // A proxy from the environment would be a choice that this library must not make.
            .no_proxy()
            .build();
        let client = client.map_err(|error| wrong(causes(&error)))?;
        Ok(Self {
            world,
            base,
            client,
            limits,
            network,
        })
    }

    fn url(&self, object: &ObjectPath) -> Result<Url, OriginError> {
        let wrong = |reason: String| OriginError::Address {
            url: self.base.to_string(),
            reason,
        };
        self.base
            .join(object.as_str())
            .map_err(|error| wrong(error.to_string()))
    }

    /// Asks for an object; the body follows from a task of its own.
    fn get(&self, object: &ObjectPath) -> Result<(Option<u64>, Body<'_>), OriginError> {
        let url = self.url(object)?;
        let mut pace = Pace::new(url.to_string(), self.limits);
        let (sender, pieces) = mpsc::channel(PIECES);
        let (answer, mut answered) = mpsc::channel(1);
        let request = self.client.get(url.clone()).send();
        let name = object.to_string();
        self.network.handle.spawn(async move {
            let response = match pace.wait(request).await {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => {
                    let _ = answer
                        .send(Err(OriginError::Read {
                            object: name,
                            reason: causes(&error),
                        }))
                        .await;
                    return;
                }
                Err(error) => {
                    let _ = answer.send(Err(error)).await;
                    return;
                }
            };
            let head = (response.status(), response.content_length());
            // Whoever asked may be gone; then nobody wants the body either.
            if answer.send(Ok(head)).await.is_ok() && head.0 == StatusCode::OK {
                pump(response, sender, pace, name).await;
            }
        });
        let (status, length) = match self.receive(&mut answered)? {
            Some(head) => head?,
            None => {
                return Err(OriginError::Read {
                    object: object.to_string(),
                    reason: "no answer".to_owned(),
                });
            }
        };
        match status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                return Err(OriginError::NotFound {
                    origin: self.location(),
                    object: object.to_string(),
                });
            }
            other => {
                return Err(OriginError::Status {
                    url: url.to_string(),
                    status: other.as_u16(),
                });
            }
        }
        Ok((
            length,
            Body {
                origin: self,
                pieces,
                piece: Bytes::new(),
            },
        ))
    }

    /// Waits for the network, but not when the program was asked to stop.
    fn receive<T: Send>(&self, from: &mut mpsc::Receiver<T>) -> Result<Option<T>, OriginError> {
        loop {
            self.world.check_interrupt()?;
            if let Ok(received) = self
                .network
                .handle
                .block_on(async { timeout(TICK, from.recv()).await })
            {
                return Ok(received);
            }
        }
    }
}

impl OriginReader for HttpOrigin<'_> {
    fn location(&self) -> String {
        self.base.to_string()
    }

    fn read(&self, object: &ObjectPath, limit: u64) -> Result<Vec<u8>, OriginError> {
        let (length, body) = self.get(object)?;
        if length.is_some_and(|length| length > limit) {
            return Err(OriginError::TooLong {
                object: object.to_string(),
                expected: limit,
            });
        }
        read_limited(body, object.as_str(), limit)
    }

    fn open(&self, object: &ObjectPath, length: u64) -> Result<Box<dyn Read + Send + '_>, OriginError> {
        let (announced, body) = self.get(object)?;
        let (object, expected) = (object.to_string(), length);
        match announced {
            Some(found) if found > length => Err(OriginError::TooLong { object, expected }),
            Some(found) if found < length => Err(OriginError::TooShort {
                object,
                expected,
                found,
            }),
            _ => Ok(Box::new(Stream::new(body, &object, length))),
        }
    }

    fn list(&self, _: &Version) -> Result<Option<Vec<String>>, OriginError> {
        Ok(None)
    }
}

/// Follows a few redirects, from HTTP to HTTPS too, but never to anything else.
fn redirect(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let before = attempt
        .previous()
        .last()
        .map_or("", |url| url.scheme())
        .to_owned();
    let after = attempt.url().scheme().to_owned();
    if attempt.previous().len() > REDIRECTS {
        attempt.error(format!("more than {REDIRECTS} redirects"))
    } else if after == before || (before == "http" && after == "https") {
        attempt.follow()
    } else {
        attempt.error(format!("a redirect from {before} to {after}"))
    }
}

/// Sends a body on, piece by piece, until it ends, is too slow, or nobody wants it any more.
async fn pump(
    mut response: Response,
    to: mpsc::Sender<Result<Bytes, OriginError>>,
    mut pace: Pace,
    object: String,
) {
    loop {
        let piece = match pace.wait(response.chunk()).await {
            Ok(Ok(Some(piece))) => {
                pace.bytes += piece.len() as u64;
                Ok(piece)
            }
            Ok(Ok(None)) => return,
            Ok(Err(error)) => Err(OriginError::Read {
                object: object.clone(),
                reason: causes(&error),
            }),
            Err(error) => Err(error),
        };
        let last = piece.is_err();
        if to.send(piece).await.is_err() || last {
            return;
        }
    }
}

/// Watches how fast bytes come.
struct Pace {
    url: String,
    limits: HttpLimits,
    /// Waited for the network in the current span, and got.
    waited: Duration,
    bytes: u64,
}

impl Pace {
    fn new(url: String, limits: HttpLimits) -> Self {
        Self {
            url,
            limits,
            waited: Duration::ZERO,
            bytes: 0,
        }
    }

    /// Waits for a step of the network, as long as the span in which it happens had enough bytes.
    async fn wait<T>(&mut self, step: impl Future<Output = T>) -> Result<T, OriginError> {
        tokio::pin!(step);
        loop {
            let begin = Instant::now();
            let left = self.limits.span.saturating_sub(self.waited);
            if let Ok(done) = timeout(left, &mut step).await {
                self.waited += begin.elapsed();
                return Ok(done);
            }
            if self.bytes < self.limits.least {
                return Err(OriginError::Stalled {
                    url: self.url.clone(),
                    bytes: self.bytes,
                    seconds: self.limits.span.as_secs_f64(),
                    expected: self.limits.least,
                });
            }
            (self.waited, self.bytes) = (Duration::ZERO, 0);
        }
    }
}

/// A body on its way.
struct Body<'o> {
    origin: &'o HttpOrigin<'o>,
    pieces: mpsc::Receiver<Result<Bytes, OriginError>>,
    piece: Bytes,
}

impl Read for Body<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.origin.receive(&mut self.pieces).map_err(io_error)? {
                None => return Ok(0),
                Some(piece) => self.piece = piece.map_err(io_error)?,
            }
        }
        let count = out.len().min(self.piece.len());
        out[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}

/// An error with what caused it: the outermost text alone says little more than "error sending request".
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
