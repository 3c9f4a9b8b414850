//! The exchange over HTTP/1.1.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use secrecy::ExposeSecret;

use super::config::{BuildDokployError, DokployConfig};
use super::exchange::{Answer, Content, Exchange, Opened, Opening, Request, Sending};
use super::socket::{Handshake, HttpSocket};
use crate::Error;
use transport::{LocalFault, Outbound};

/// The maximum size of an answer, in bytes.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;
/// The maximum number of characters that are kept of a transport error.
const REASON_LENGTH: usize = 300;

/// The connections to one server.
#[derive(Debug)]
pub(super) struct Http {
    client: reqwest::Client,
    /// The URL below which the calls are.
    root: Url,
    key: HeaderValue,
    outbound: Outbound,
}

impl Http {
    /// Creates the HTTP client. The first request opens a connection.
    pub(super) fn new(config: &DokployConfig) -> Result<Self, BuildDokployError> {
        let root = root_of(&config.base_url).ok_or(BuildDokployError::BaseUrl)?;
        let mut key = HeaderValue::from_str(config.api_key.expose_secret())
            .map_err(|_| BuildDokployError::ApiKey)?;
        key.set_sensitive(true);
        transport::install_crypto_provider();
        let builder = reqwest::Client::builder()
            .http1_only()
            .connect_timeout(config.connect_timeout)
            .pool_idle_timeout(config.idle_timeout)
            .dns_resolver(transport::Resolver);
        let outbound = config.outbound.clone();
        let builder = outbound.configure(builder, root.scheme() == "https");
        let client = builder.build().map_err(BuildDokployError::Http)?;
        Ok(Self { client, root, key, outbound })
    }

    fn prepare(&self, request: Request<'_>) -> reqwest::RequestBuilder {
        self.prepare_below(self.root.path(), request)
    }

    fn prepare_below(&self, root: &str, request: Request<'_>) -> reqwest::RequestBuilder {
        let mut url = self.root.clone();
        url.set_path(&format!("{root}{}", request.path));
        let builder = match request.content {
            Content::Query(parameters) => self.client.get(url).query(parameters),
            Content::Mutation(body) => self.client.post(url).json(&body),
        };
        let builder = builder.timeout(request.limit);
        if request.has_key { builder.header("x-api-key", self.key.clone()) } else { builder }
    }

    /// Sends a request and reads the answer to its end.
    #[expect(clippy::disallowed_methods, reason = "this function sends every call")]
    async fn exchange(&self, request: Request<'_>) -> Result<Answer, Error> {
        let (call, limit) = (request.call, request.limit);
        let response = match self.prepare(request).send().await {
            Ok(response) => response,
            Err(error) => return Err(self.explain(call, limit, error).await),
        };
        read(call, limit, response).await
    }

    /// Opens a WebSocket at a path beside that of the calls.
    #[expect(clippy::disallowed_methods, reason = "this function opens every WebSocket")]
    async fn open_socket(&self, request: Request<'_>) -> Result<Opened, Error> {
        let (call, limit) = (request.call, request.limit);
        let root = self.root.path();
        let root = root.strip_suffix("api/").unwrap_or(root);
        let handshake = Handshake::new();
        let response = match handshake.ask(self.prepare_below(root, request)).send().await {
            Ok(response) => response,
            Err(error) => return Err(self.explain(call, limit, error).await),
        };
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return read(call, limit, response).await.map(Opened::Answer);
        }
        if !handshake.is_accepted(response.headers()) {
            return Err(Error::Lost {
                call,
                reason: String::from("it is not that of a WebSocket"),
            });
        }
        match response.upgrade().await {
            Ok(connection) => Ok(Opened::Socket(Box::new(HttpSocket::new(connection).await))),
            Err(error) => Err(transport_error(call, limit, error, None)),
        }
    }

    /// Returns the error of a request that has no answer.
    async fn explain(&self, call: &'static str, limit: Duration, error: reqwest::Error) -> Error {
        let fault = self.local_fault(&error).await;
        transport_error(call, limit, error, fault)
    }

    /// Returns the local fault that prevented a connection, if there was one. With a proxy, that is
    /// the one in connecting to the proxy.
    async fn local_fault(&self, error: &reqwest::Error) -> Option<LocalFault> {
        if !error.is_connect() {
            return None;
        }
        let (host, port) = self.outbound.server(&self.root)?;
        transport::behind(error, transport::look_up(host, port), &[]).await
    }
}

/// Reads an answer to its end.
///
/// # Errors
///
/// Returns an error if the answer breaks off, or is too large.
async fn read(
    call: &'static str,
    limit: Duration,
    mut response: reqwest::Response,
) -> Result<Answer, Error> {
    let status = response.status().as_u16();
    let mut answer = Answer {
        status,
        retry_after: text_of(response.headers(), RETRY_AFTER),
        location: text_of(response.headers(), LOCATION),
        body: Vec::new(),
    };
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => answer.body.extend_from_slice(&chunk),
            Ok(None) => return Ok(answer),
            // The rest of an error's body would change nothing.
            Err(_) if status >= 500 => return Ok(answer),
            Err(error) => return Err(transport_error(call, limit, error, None)),
        }
        if answer.body.len() > LARGEST_ANSWER {
            let reason = format!("it is larger than {LARGEST_ANSWER} bytes");
            return Err(Error::Lost { call, reason });
        }
    }
}

impl Exchange for Http {
    fn send<'a>(&'a self, request: Request<'a>) -> Sending<'a> {
        Box::pin(self.exchange(request))
    }

    fn open<'a>(&'a self, request: Request<'a>) -> Opening<'a> {
        Box::pin(self.open_socket(request))
    }
}

/// Returns the URL below which the calls are, with a trailing slash.
fn root_of(base_url: &str) -> Option<Url> {
    let mut url = Url::parse(base_url.trim()).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    let bare = url.query().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || !plain || !bare {
        return None;
    }
    let path = url.path().trim_end_matches('/');
    let path = format!("{}/api/", path.strip_suffix("/api").unwrap_or(path));
    url.set_path(&path);
    Some(url)
}

fn text_of(headers: &HeaderMap, name: reqwest::header::HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(ToOwned::to_owned)
}

/// Distinguishes a call that was certainly not made from one whose answer was lost; `fault` is the
/// local fault that prevented it, if there was one.
fn transport_error(
    call: &'static str,
    limit: Duration,
    error: reqwest::Error,
    fault: Option<LocalFault>,
) -> Error {
    let (connecting, late) = (error.is_connect(), error.is_timeout());
    let described = transport::describe(&error.without_url());
    let reason = described.chars().take(REASON_LENGTH).collect();
    match (fault, connecting, late) {
        (Some(fault), _, _) => Error::Local { call, fault, reason },
        (None, true, _) => Error::Unreachable { call, reason },
        (None, false, true) => Error::TimedOut { call, limit },
        (None, false, false) => Error::Lost { call, reason },
    }
}
