//! Questions over HTTP: bounded in time, in length and in how often they are asked again.

use crate::Token;
use crate::answers::Complaint;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Limited};
use octocrab::Octocrab;
use reqwest::Url;
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use vrel_model::UtcTime;
use vrel_world::{ErrorKind, Result, World, WorldError};

/// How long and how often a forge is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForgeLimits {
    /// For making a connection.
    pub connect: Duration,
    /// For a whole answer.
    pub answer: Duration,
    /// How often a question is asked at most.
    pub tries: u32,
    /// How long is waited before the second time; each further time twice as long.
    pub pause: Duration,
    /// How long is waited at most when the forge says how long it wants to be left alone.
    pub patience: Duration,
    /// The length of an answer, in bytes.
    pub length: usize,
}

impl Default for ForgeLimits {
    /// 10 seconds for a connection and 30 for an answer of at most 8 MiB, three tries, and no more than 20 seconds of
    /// waiting when asked to wait.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            tries: 3,
            pause: Duration::from_secs(1),
            patience: Duration::from_secs(20),
            length: 8 << 20,
        }
    }
}

/// How often somebody who waits for the network asks whether to go on waiting.
const TICK: Duration = Duration::from_millis(100);

/// How much of a forge's own words an error shows, in characters.
const WORDS: usize = 300;

const READ: &str = "read";

/// A forge's address, and what it takes to speak with it. Not to be used from asynchronous code: it blocks.
pub(crate) struct Connection<'w> {
    world: &'w dyn World,
    base: Url,
    token: Option<Token>,
    limits: ForgeLimits,
    client: Octocrab,
    runtime: Option<Runtime>,
}

/// What came back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// Why a try failed, and whether another one may help.
struct Failed {
    error: WorldError,
    /// After how long another try may help; `None`: it would not.
    again: Option<Duration>,
}

impl<'w> Connection<'w> {
    pub(crate) fn new(
        world: &'w dyn World,
        address: &str,
        token: Option<Token>,
        limits: ForgeLimits,
    ) -> Result<Self> {
        let wrong = |reason: String| WorldError::new("use the forge at", address, ErrorKind::Other, reason);
        let base = address_of(address).map_err(wrong)?;
        // Fails when somebody else in this process has chosen already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        let http = reqwest::Client::builder()
            .connect_timeout(limits.connect)
            // What is asked for lies where it is asked for. A repository that moved is a change of policy.
            .redirect(Policy::none())
            // A proxy from the environment would be a choice that this library must not make.
            .no_proxy()
            .build()
            .map_err(|error| wrong(causes(&error)))?;
        let mut builder = Octocrab::builder()
            .base_uri(base.as_str())
            .map_err(|error| wrong(causes(&error)))?;
        if let Some(token) = &token {
            builder = builder.personal_token(token.expose().to_owned());
        }
        let client = {
            // The client starts a task of its own.
            let _inside = runtime.enter();
            builder
                .build_with_reqwest(http)
                .map_err(|error| wrong(causes(&error)))?
        };
        Ok(Self {
            world,
            base,
            token,
            limits,
            client,
            runtime: Some(runtime),
        })
    }

    /// Reads what lies at a path below the address, and tells whether the list that it is goes on.
    pub(crate) fn get<T: DeserializeOwned>(&self, object: &str, path: &str) -> Result<(T, bool)> {
        let mut pause = self.limits.pause;
        let mut tried = 1;
        loop {
            let failed = match self.try_to_get(object, path) {
                Ok(found) => return Ok(found),
                Err(failed) => failed,
            };
            match failed.again {
                Some(wanted) if tried < self.limits.tries => self.rest(wanted.max(pause))?,
                Some(_) if tried > 1 => {
                    let mut error = failed.error;
                    error.reason = format!("{}, {tried} times", error.reason);
                    return Err(error);
                }
                _ => return Err(failed.error),
            }
            pause *= 2;
            tried += 1;
        }
    }

    fn try_to_get<T: DeserializeOwned>(
        &self,
        object: &str,
        path: &str,
    ) -> std::result::Result<(T, bool), Failed> {
        let answer = self.ask(object, path)?;
        if answer.status != StatusCode::OK {
            return Err(self.explain(object, &answer));
        }
        let has_more = answer
            .headers
            .get_all(http::header::LINK)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|links| links.contains("rel=\"next\""));
        match serde_json::from_slice(&answer.body) {
            Ok(read) => Ok((read, has_more)),
            Err(error) => {
                let reason = format!(
                    "the answer is not what a forge says: {}",
                    self.plain(&error.to_string())
                );
                Err(final_failure(object, ErrorKind::Other, reason))
            }
        }
    }

    fn ask(&self, object: &str, path: &str) -> std::result::Result<Answer, Failed> {
        // The client puts the address before it.
        let path = format!("/{path}");
        let length = self.limits.length;
        let exchange = async {
            let response = self.client._get(path.as_str()).await;
            let (head, body) = response.map_err(|error| causes(&error))?.into_parts();
            let body = Limited::new(body, length).collect().await;
            let body = body.map_err(|error| causes(error.as_ref()))?;
            Ok::<_, String>(Answer {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes().to_vec(),
            })
        };
        let seconds = self.limits.answer.as_secs_f64();
        let exchange = async {
            timeout(self.limits.answer, exchange)
                .await
                .unwrap_or_else(|_| Err(format!("no whole answer in {seconds} seconds")))
        };
        let answer: std::result::Result<Answer, String> = self
            .wait(exchange)
            .map_err(|error| Failed { error, again: None })?;
        answer.map_err(|reason| Failed {
            error: WorldError::new(
                READ,
                object,
                ErrorKind::Other,
                format!("{}: {}", self.base, self.plain(&reason)),
            ),
            again: Some(Duration::ZERO),
        })
    }

    /// Waits, but not when the program was asked to stop.
    fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T> {
        let Some(runtime) = &self.runtime else {
            unreachable!("the runtime lives as long as the connection")
        };
        let mut future = pin!(future);
        loop {
            self.world.check_interrupt()?;
            let step = runtime.block_on(async { timeout(TICK, future.as_mut()).await });
            if let Ok(done) = step {
                return Ok(done);
            }
        }
    }

    fn rest(&self, how_long: Duration) -> Result<()> {
        self.wait(async { tokio::time::sleep(how_long).await })
    }

    fn explain(&self, object: &str, answer: &Answer) -> Failed {
        let said = serde_json::from_slice(&answer.body).map_or(String::new(), |complaint: Complaint| {
            format!(": {}", self.plain(&complaint.message))
        });
        let code = answer.status.as_u16();
        let told = format!("{} answered {code}{said}", self.base);
        if let Some(limited) = self.limited(object, answer, &told) {
            return limited;
        }
        match code {
            401 => {
                let reason = format!("{told}; the token is wrong, or it has expired");
                final_failure(object, ErrorKind::Denied, reason)
            }
            403 => {
                let reason = format!(
                    "{told}; the token must be allowed to read contents, pull requests, checks and commit statuses"
                );
                final_failure(object, ErrorKind::Denied, reason)
            }
            404 if self.token.is_none() => {
                let reason = format!("{told}; without a token only what is public is shown");
                final_failure(object, ErrorKind::NotFound, reason)
            }
            404 => {
                let reason = format!("{told}; there is no such thing, or the token does not show it");
                final_failure(object, ErrorKind::NotFound, reason)
            }
            301 | 302 | 307 | 308 => {
                let to = answer.headers.get(http::header::LOCATION);
                let to = to
                    .and_then(|to| to.to_str().ok())
                    .map_or(String::new(), |to| format!(" to {}", self.plain(to)));
                let reason = format!(
                    "{told}; it moved{to}: name the repository as it is called now in `[forge]` of vrel.toml"
                );
                final_failure(object, ErrorKind::Other, reason)
            }
            500..=599 => Failed {
                error: WorldError::new(READ, object, ErrorKind::Other, told),
                again: Some(Duration::ZERO),
            },
            _ => final_failure(object, ErrorKind::Other, told),
        }
    }

    /// The forge wants to be left alone for a while: see "Rate limits for the REST API" in GitHub's documentation.
    fn limited(&self, object: &str, answer: &Answer, told: &str) -> Option<Failed> {
        if !matches!(answer.status.as_u16(), 403 | 429) {
            return None;
        }
        let number =
            |name: &str| -> Option<u64> { answer.headers.get(name)?.to_str().ok()?.trim().parse().ok() };
        let now = self.world.now().unix();
        let wait = match (
            number("retry-after"),
            number("x-ratelimit-remaining"),
            number("x-ratelimit-reset"),
        ) {
            (Some(seconds), _, _) => seconds,
            (None, Some(0), Some(reset)) => {
                u64::try_from(i64::try_from(reset).unwrap_or(i64::MAX).saturating_sub(now)).unwrap_or(0)
            }
            _ if answer.status.as_u16() == 429 => 60,
            _ => return None,
        };
        let until = i64::try_from(wait)
            .ok()
            .and_then(|wait| UtcTime::from_unix(now.saturating_add(wait)).ok());
        let until = until.map_or_else(|| "later".to_owned(), |until| format!("after {until}"));
        let reason = format!("{told}; too much was asked of it, try again {until}");
        let wait = Duration::from_secs(wait);
        Some(Failed {
            error: WorldError::new(READ, object, ErrorKind::Denied, reason),
            again: (wait <= self.limits.patience).then_some(wait),
        })
    }

    /// Words from outside: short, on one line, without the token.
    fn plain(&self, text: &str) -> String {
        let text = match &self.token {
            Some(token) => token.redact(text),
            None => text.to_owned(),
        };
        let short: String = text.chars().take(WORDS).collect();
        short.escape_debug().to_string()
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Dropped in the usual way it would wait for a name that is being looked up.
            runtime.shutdown_background();
        }
    }
}

fn final_failure(object: &str, kind: ErrorKind, reason: String) -> Failed {
    Failed {
        error: WorldError::new(READ, object, kind, reason),
        again: None,
    }
}

/// The address, with a slash at its end.
fn address_of(text: &str) -> std::result::Result<Url, String> {
    let mut base = Url::parse(text).map_err(|error| error.to_string())?;
    let is_here = matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if base.scheme() != "https" && !(base.scheme() == "http" && is_here) {
        return Err("expected an `https` address: a token goes there".to_owned());
    }
    // Whatever stands in the address is shown in messages.
    if !base.username().is_empty() || base.password().is_some() {
        return Err("it holds a user name or password".to_owned());
    }
    if base.query().is_some() || base.fragment().is_some() {
        return Err("it has a query or a fragment".to_owned());
    }
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", base.path()));
    }
    Ok(base)
}

/// An error with what caused it: the outermost text alone says little more than "error sending request".
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some wrap an error and repeat its words.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
