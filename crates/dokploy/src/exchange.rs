//! The transport to the server: sends one request, and returns its answer.
//!
//! It must not know what a request is for, or what its answer means.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use serde_json::Value;

use crate::Error;

/// Sends requests to a Dokploy server. A client uses HTTP, unless it is created with
/// [`Dokploy::over`](crate::Dokploy::over).
pub trait Exchange: fmt::Debug + Send + Sync {
    /// Sends `request` once, and reads the answer to its end.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Unreachable`] or [`Error::Local`] if the request was certainly not sent,
    /// and [`Error::Lost`] if the server may have executed it.
    fn send<'a>(&'a self, request: Request<'a>) -> Sending<'a>;
}

/// A request that is being sent.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send + 'a>>;

/// One request to the server.
#[derive(Debug)]
pub struct Request<'a> {
    /// The name of the call, such as `application.create`, for errors.
    pub call: &'static str,
    /// The path below the server's `/api/`.
    pub path: &'static str,
    /// The parameters or the body.
    pub content: Content<'a>,
    /// True if the API key is sent with it.
    pub has_key: bool,
    /// Its time limit.
    pub limit: Duration,
}

/// The content of a request.
pub enum Content<'a> {
    /// The parameters of a call that changes nothing.
    Query(&'a [(&'static str, &'a str)]),
    /// The body of a call that changes something.
    Mutation(Value),
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Parameters and bodies may contain secrets.
        f.write_str(match self {
            Self::Query(_) => "Query",
            Self::Mutation(_) => "Mutation",
        })
    }
}

/// The answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// The header `Location`.
    pub location: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}
