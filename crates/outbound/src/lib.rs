//! The one bounded HTTP client: TLS, redirects, budgets, limits, redaction.
//!
//! A [`Reader`] sends GET to one host below one path, and nothing else; the only other request
//! that it makes is the one for an access token. A [`Poster`] sends alerts and checkpoints, and is
//! made from settings of its own: no reader leads to one. Whatever is reached, a limit or a refusal, is an
//! [`OutboundError`] with the line of each request made. Secrets are in no log line, no error and
//! no request line.

mod address;
mod answer;
mod auth;
mod body;
mod budget;
mod certificate;
mod client;
mod config;
mod error;
mod exchange;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod jwk;
mod jwt;
mod key;
mod pace;
mod patcher;
mod poster;
mod random;
mod reader;
mod secret;
mod tls;
mod token;
mod token_answer;
mod tries;

pub use address::check_base;
pub use answer::{Answer, Headers};
pub use auth::{Auth, ClientProof, ServiceApp};
pub use certificate::Certificate;
pub use client::{Client, proxy_url};
pub use config::{Config, Limits, ProxyConfig};
pub use error::{Excerpt, OutboundError, OutboundErrorKind};
pub use key::{KeyError, SigningKey};
pub use pace::Pace;
pub use patcher::{Patched, Patcher};
pub use poster::{Posted, Poster, PosterConfig};
pub use reader::Reader;
pub use secret::Secret;
pub use tls::tls;
pub use {bytes::Bytes, url::Url};
