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

    /// Opens the WebSocket of `request`, which has the API key, at a path beside the server's `/api/`.
    /// By default, there is none.
    ///
    /// # Errors
    ///
    /// As [`Self::send`].
    fn open<'a>(&'a self, request: Request<'a>) -> Opening<'a> {
        let detail = String::from("this exchange has no WebSockets");
        let error = Error::Refused { call: request.call, status: 501, detail };
        Box::pin(std::future::ready(Err(error)))
    }
}

/// A WebSocket that is being opened.
pub type Opening<'a> = Pin<Box<dyn Future<Output = Result<Opened, Error>> + Send + 'a>>;

/// The answer to the opening of a WebSocket.
#[derive(Debug)]
pub enum Opened {
    /// It is open.
    Socket(Box<dyn Socket>),
    /// The server answered with something else.
    Answer(Answer),
}

/// An open WebSocket, from which is only read. It is closed when it is dropped.
pub trait Socket: fmt::Debug + Send {
    /// Waits for the next frame. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// Returns the reason for which the connection broke.
    fn receive(&mut self) -> Receiving<'_>;
}

/// A frame that is being received.
pub type Receiving<'a> = Pin<Box<dyn Future<Output = Result<Frame, String>> + Send + 'a>>;

/// What a WebSocket receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A part of the stream.
    Data(String),
    /// The server has closed the socket.
    Closed {
        /// The code, if it gave one.
        code: Option<u16>,
        /// The reason, which may be empty.
        reason: String,
    },
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
