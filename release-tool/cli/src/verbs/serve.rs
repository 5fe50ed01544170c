//! `vrel serve`.

use crate::app::App;
use crate::exit::Outcome;
use crate::output;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Serve an origin over HTTP.
///
/// On loopback unless another address is given. Everything but the pointer is immutable and is served so that caches keep
/// it; the pointer is always asked for again. Range requests work, so that downloads can be resumed. Ctrl-C ends it.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel serve origin\n  vrel serve origin --address 127.0.0.1:0   # any free port; it is printed"
)]
pub(crate) struct Serve {
    /// The origin's directory.
    origin: PathBuf,
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:8000", value_name = "HOST:PORT")]
    address: SocketAddr,
}

impl Serve {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let json = app.global.json;
        let ready = |address: SocketAddr| {
            let line = if json {
                serde_json::json!({"address": address.to_string()}).to_string()
            } else {
                format!("http://{address}/")
            };
            // Whoever does not read the address can still use the server.
            drop(output::print(&(line + "\n")));
        };
        Ok(vrel_origin::serve(
            &app.world,
            &self.origin,
            self.address,
            &ready,
        )?)
    }
}
