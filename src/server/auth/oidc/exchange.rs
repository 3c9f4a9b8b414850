//! Sends one request to the provider, and limits the time and the size of the answer.

use std::time::Duration;

use futures::future::BoxFuture;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, IssuerUrl, http};

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
    /// Creates the client. It follows no redirect, which could send a secret to another server.
    pub(super) fn new(issuer: &IssuerUrl) -> reqwest::Result<Self> {
        transport::install_crypto_provider();
        let is_secure = issuer.url().scheme() == "https";
        let builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!("ai-stack-deployer/", env!("CARGO_PKG_VERSION")))
            .https_only(is_secure)
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            // Sign-ins are rare: a kept connection would be closed by the time of the next one.
            .pool_max_idle_per_host(0);
        let builder = if is_secure { builder } else { builder.tls_certs_only([]) };
        Ok(Self { http: builder.build()? })
    }

    /// Sends a request and reads the answer to its end.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        let request = reqwest::Request::try_from(request).map_err(transport)?;
        let mut response = self.http.execute(request).await.map_err(transport)?;
        let mut answer = http::Response::builder().status(response.status());
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
        Ok(answer.body(body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Exchange {
    type Error = ExchangeError;
    type Future = BoxFuture<'c, Result<HttpResponse, ExchangeError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

fn transport(error: reqwest::Error) -> ExchangeError {
    ExchangeError::Transport(transport::describe(&error.without_url()))
}
