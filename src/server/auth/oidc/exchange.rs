//! Sends one request to the provider, and limits the time and the size of the answer.
//!
//! It tells an answer that cannot be used from none: the one needs an operator, the other time.

use std::time::Duration;

use futures::future::BoxFuture;
use openidconnect::http::{self, Request, StatusCode, header};
use openidconnect::{AccessToken, AsyncHttpClient, HttpRequest, HttpResponse, IssuerUrl};
use serde_json::Value;
use transport::Outbound;

use crate::server::auth::identity_provider::IdentityError;

/// The maximum size of an answer, in bytes.
const LARGEST_ANSWER: usize = 1024 * 1024;
/// The time limit for connecting, including name resolution and TLS.
const CONNECT: Duration = Duration::from_secs(5);
/// The time limit for a whole request.
const WHOLE: Duration = Duration::from_secs(10);

/// There is no usable answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExchangeError {
    /// The request or the answer failed in transit.
    #[error("{0}")]
    Transport(String),
    /// The request cannot be sent as the provider's metadata demands.
    #[error("no request can be sent there: {0}")]
    Request(String),
    /// The provider failed.
    #[error("it answers with the status {0}")]
    Failed(StatusCode),
    /// The provider redirects the request, or answers with an error that it does not name.
    #[error("it answers with the status {0}, which the portal cannot use")]
    Status(StatusCode),
    /// The answer is larger than [`LARGEST_ANSWER`].
    #[error("its answer is larger than {LARGEST_ANSWER} bytes")]
    TooLarge,
    /// The answer is not valid HTTP.
    #[error("its answer cannot be read")]
    Unreadable(#[from] http::Error),
}

/// Sends requests to the provider.
#[derive(Debug)]
pub(super) struct Exchange {
    http: reqwest::Client,
}

impl Exchange {
    /// Creates the client.
    pub(super) fn new(issuer: &IssuerUrl, outbound: &Outbound) -> reqwest::Result<Self> {
        transport::install_crypto_provider();
        let is_secure = issuer.url().scheme() == "https";
        let builder = reqwest::Client::builder()
            .https_only(is_secure)
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            // Sign-ins are rare: a kept connection would be closed by the time of the next one.
            .pool_max_idle_per_host(0);
        Ok(Self { http: outbound.configure(builder, is_secure).build()? })
    }

    /// Fetches a document, with an access token if one is given.
    pub(super) async fn get(
        &self,
        address: &str,
        token: Option<&AccessToken>,
    ) -> Result<HttpResponse, ExchangeError> {
        let mut request = Request::get(address).header(header::ACCEPT, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.secret()));
        }
        let answer = self.send(request.body(Vec::new())?).await?;
        match answer.status() {
            status if status.is_success() => Ok(answer),
            status => Err(ExchangeError::Status(status)),
        }
    }

    /// Sends a request and reads the answer to its end. An error of the provider is an answer only
    /// if it names it.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        let request = reqwest::Request::try_from(request).map_err(transport)?;
        let mut response = self.http.execute(request).await.map_err(transport)?;
        let status = response.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(ExchangeError::Failed(status));
        }
        let mut answer = http::Response::builder().status(status);
        if let Some(headers) = answer.headers_mut() {
            *headers = response.headers().clone();
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_ANSWER {
                return Err(ExchangeError::TooLarge);
            }
        }
        if !status.is_success() && !names_error(&body) {
            return Err(ExchangeError::Status(status));
        }
        Ok(answer.body(body)?)
    }

    /// Redeems a code. A provider that names an error has failed, whatever the status of its answer.
    async fn redeem(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        let mut answer = self.send(request).await?;
        if answer.status().is_success() && names_error(answer.body()) {
            *answer.status_mut() = StatusCode::BAD_REQUEST;
        }
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for Exchange {
    type Error = ExchangeError;
    type Future = BoxFuture<'c, Result<HttpResponse, ExchangeError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.redeem(request))
    }
}

/// Returns whether an answer is the error of RFC 6749, section 5.2.
fn names_error(body: &[u8]) -> bool {
    let answer = serde_json::from_slice::<Value>(body).unwrap_or_default();
    answer.get("error").is_some_and(Value::is_string)
}

fn transport(error: reqwest::Error) -> ExchangeError {
    let is_unsent = error.is_builder();
    let reason = transport::describe(&error.without_url());
    if is_unsent { ExchangeError::Request(reason) } else { ExchangeError::Transport(reason) }
}

/// Converts the error of a request.
pub(super) fn unavailable(error: &ExchangeError) -> IdentityError {
    match error {
        ExchangeError::Transport(_) | ExchangeError::Failed(_) => {
            IdentityError::Unavailable(error.to_string())
        }
        ExchangeError::Request(_)
        | ExchangeError::Status(_)
        | ExchangeError::TooLarge
        | ExchangeError::Unreadable(_) => IdentityError::Unreadable(error.to_string()),
    }
}
