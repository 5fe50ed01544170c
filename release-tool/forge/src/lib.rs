//! What the service that hosts the repository knows of a pull request: its reviews and checks.
//!
//! One service is known, GitHub. It is not trusted: not to answer, not to end, not to send the client elsewhere. Its token goes
//! to the configured address alone, and into no message.

mod answers;
mod connection;
mod github;
mod token;

pub use connection::ForgeLimits;
pub use github::Github;
pub use token::{Token, TokenError};
