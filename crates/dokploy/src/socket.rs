//! A WebSocket over an upgraded HTTP/1.1 connection.
//!
//! The connection is one of the HTTP client, so that the same authorities, proxies and time limits
//! hold for it.

use std::fmt;

use futures_util::StreamExt;
use reqwest::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue, UPGRADE};
use reqwest::{RequestBuilder, Upgraded};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use super::exchange::{Frame, Receiving, Socket};

/// The largest message, in bytes. The largest that was recorded had 17,792 (day-two 436).
const LARGEST_MESSAGE: usize = 1024 * 1024;
/// The number of bytes that are read ahead.
const READ_AHEAD: usize = 32 * 1024;
/// The maximum number of characters that are kept of a reason.
const REASON_LENGTH: usize = 300;

/// The key of a handshake (RFC 6455).
pub(super) struct Handshake(String);

impl Handshake {
    /// Makes a random one.
    pub(super) fn new() -> Self {
        Self(generate_key())
    }

    /// Adds the headers of the handshake to a request.
    pub(super) fn ask(&self, request: RequestBuilder) -> RequestBuilder {
        request
            .header(CONNECTION, HeaderValue::from_static("upgrade"))
            .header(UPGRADE, HeaderValue::from_static("websocket"))
            .header("sec-websocket-version", HeaderValue::from_static("13"))
            .header("sec-websocket-key", &self.0)
    }

    /// Returns whether the headers of an answer accept it.
    pub(super) fn is_accepted(&self, headers: &HeaderMap) -> bool {
        let is = |name: HeaderName, expected: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.is_some_and(|value| value.eq_ignore_ascii_case(expected))
        };
        let accept = HeaderName::from_static("sec-websocket-accept");
        let value = headers.get(accept).and_then(|value| value.to_str().ok());
        is(UPGRADE, "websocket") && value == Some(derive_accept_key(self.0.as_bytes()).as_str())
    }
}

/// The client's end of a WebSocket.
pub(super) struct HttpSocket(WebSocketStream<Upgraded>);

impl HttpSocket {
    /// Speaks WebSocket on a connection whose handshake is over.
    pub(super) async fn new(connection: Upgraded) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_AHEAD)
            .max_message_size(Some(LARGEST_MESSAGE))
            .max_frame_size(Some(LARGEST_MESSAGE));
        Self(WebSocketStream::from_raw_socket(connection, Role::Client, Some(config)).await)
    }

    async fn next(&mut self) -> Result<Frame, String> {
        loop {
            return match self.0.next().await {
                Some(Ok(Message::Text(text))) => Ok(Frame::Data(text.as_str().to_owned())),
                Some(Ok(Message::Binary(bytes))) => {
                    Ok(Frame::Data(String::from_utf8_lossy(&bytes).into_owned()))
                }
                Some(Ok(Message::Close(frame))) => Ok(match frame {
                    // The code 1005 stands for none.
                    None => Frame::Closed { code: None, reason: String::new() },
                    Some(frame) => Frame::Closed {
                        code: Some(frame.code)
                            .filter(|code| *code != CloseCode::Status)
                            .map(Into::into),
                        reason: short(frame.reason.as_str()),
                    },
                }),
                // The library answers them.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                None | Some(Err(SocketError::ConnectionClosed)) => {
                    Ok(Frame::Closed { code: None, reason: String::new() })
                }
                Some(Err(error)) => Err(short(&transport::describe(&error))),
            };
        }
    }
}

impl fmt::Debug for HttpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpSocket")
    }
}

impl Socket for HttpSocket {
    fn receive(&mut self) -> Receiving<'_> {
        Box::pin(self.next())
    }
}

fn short(text: &str) -> String {
    text.chars().take(REASON_LENGTH).collect()
}
