//! A server for the published tree, for trying out and for small networks. Any static web server can do the same; the
//! headers here are the contract for the others.

use crate::{LocalOrigin, ObjectPath, OriginError};
use axum::Router;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::http::{StatusCode, response::Parts};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpListener;
use tower_http::services::ServeDir;
use vrel_world::{ErrorKind, World, WorldError};

/// Where the server listens unless told otherwise: this machine only.
pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// How long clients may finish what they began once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How often it is looked whether the program was asked to stop.
const TICK: Duration = Duration::from_millis(50);

/// Everything but the pointer has one content for ever.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// A cache may keep the pointer, but must ask every time whether it still is the one.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// A cached "not found" would hide a release after it was published.
const NEVER: HeaderValue = HeaderValue::from_static("no-store");

/// A server that is bound to its address, but does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    dir: PathBuf,
}

impl Server {
    /// Binds an address; port 0 lets the system choose one.
    ///
    /// # Errors
    /// When there is no origin in the directory or the address is not to be had.
    pub async fn bind(world: &dyn World, dir: &Path, address: SocketAddr) -> Result<Self, OriginError> {
        LocalOrigin::open(world, dir)?;
        let failed = |error: std::io::Error| {
            WorldError::new(
                "listen on",
                address.to_string(),
                ErrorKind::Other,
                error.to_string(),
            )
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            address,
            dir: dir.to_owned(),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` is done; then lets clients finish for a few seconds.
    ///
    /// # Errors
    /// When the network fails as a whole.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), OriginError> {
        let (asked, mut ask) = tokio::sync::watch::channel(false);
        let signal = async move {
            shutdown.await;
            let _ = asked.send(true);
        };
        let serving = axum::serve(self.listener, router(&self.dir)).with_graceful_shutdown(signal);
        let too_late = async {
            if ask.wait_for(|asked| *asked).await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            ended = serving => ended.map_err(|error| {
                WorldError::new("serve", self.dir.display().to_string(), ErrorKind::Other, error.to_string()).into()
            }),
            () = too_late => Ok(()),
        }
    }
}

/// Serves an origin until the program is asked to stop. `ready` is told where the server listens.
///
/// # Errors
/// As [`Server::bind`] and [`Server::run`].
pub fn serve(
    world: &dyn World,
    dir: &Path,
    address: SocketAddr,
    ready: &dyn Fn(SocketAddr),
) -> Result<(), OriginError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| WorldError::new("start", "the server", ErrorKind::Other, error.to_string()))?;
    runtime.block_on(async {
        let server = Server::bind(world, dir, address).await?;
        ready(server.address());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let watch = async {
            while world.check_interrupt().is_ok() {
                tokio::time::sleep(TICK).await;
            }
            drop(stop);
            std::future::pending::<()>().await;
        };
        let shutdown = async {
            let _ = stopped.await;
        };
        tokio::select! {
            ended = server.run(shutdown) => ended,
            () = watch => Ok(()),
        }
    })
}

fn router(dir: &Path) -> Router {
    let files = ServeDir::new(dir)
        .append_index_html_on_directories(false)
        .redirect_to_trailing_slash(false);
    Router::new().fallback_service(files).layer(from_fn(guard))
}

/// Lets only names of published objects through, and says how long answers may be kept.
async fn guard(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // What is not an object's path in its one spelling is not there: no `..`, no hidden or unfinished file, no escapes.
    let Some(object) = path
        .strip_prefix('/')
        .and_then(|path| path.parse::<ObjectPath>().ok())
    else {
        return with_headers(StatusCode::NOT_FOUND.into_response(), None);
    };
    with_headers(next.run(request).await, Some(&object))
}

fn with_headers(response: Response, object: Option<&ObjectPath>) -> Response {
    let (mut parts, body) = response.into_parts();
    let served = matches!(
        parts.status,
        StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED
    );
    match object.filter(|_| served) {
        Some(object) => {
            let cache = if object.as_str().starts_with("releases/") {
                IMMUTABLE
            } else {
                REVALIDATE
            };
            set(&mut parts, CACHE_CONTROL, cache);
            set(
                &mut parts,
                CONTENT_TYPE,
                HeaderValue::from_static(content_type(object.as_str())),
            );
            set(
                &mut parts,
                X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            );
        }
        None => set(&mut parts, CACHE_CONTROL, NEVER),
    }
    Response::from_parts(parts, body)
}

fn set(parts: &mut Parts, name: HeaderName, value: HeaderValue) {
    parts.headers.insert(name, value);
}

fn content_type(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "json" => "application/json",
        "md" => "text/markdown; charset=utf-8",
        "minisig" => "text/plain; charset=utf-8",
        "iso" => "application/x-iso9660-image",
        "zst" => "application/zstd",
        _ if name == "SHA256SUMS" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
