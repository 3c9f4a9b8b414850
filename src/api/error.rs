//! How an [`ApiError`] travels through a server function.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};

use super::wire::ApiError;

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let (status, code, message) = match error {
            ServerFnErrorErr::Request(_) => (
                503,
                "PORTAL_UNREACHABLE",
                "The portal does not answer. Check your connection and try again.",
            ),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                (400, "INVALID_REQUEST", "The portal did not understand the request.")
            }
            ServerFnErrorErr::Registration(_)
            | ServerFnErrorErr::UnsupportedRequestMethod(_)
            | ServerFnErrorErr::ServerError(_)
            | ServerFnErrorErr::MiddlewareError(_)
            | ServerFnErrorErr::Deserialization(_)
            | ServerFnErrorErr::Serialization(_)
            | ServerFnErrorErr::Response(_) => (
                500,
                "INTERNAL",
                "The portal gave an answer that this page does not understand. \
                 Reload the page and try again.",
            ),
        };
        Self { status, code: code.to_owned(), message: message.to_owned(), retry_after: None }
    }
}
