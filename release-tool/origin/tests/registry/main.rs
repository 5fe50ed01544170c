//! Container images in registries: a real one, and ones that misbehave.

mod hostile;
mod image;
mod publish;
mod server;
