//! Describes how an [`ApiError`] travels through a server function.

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

#[cfg(test)]
mod tests {
    use super::*;

    /// What guards the API guards the server functions, too: all have one form.
    #[test]
    fn a_refusal_has_the_apis_form() {
        let text = r#"{"success":false,"error":"alice is taken","code":"NAME_TAKEN"}"#;
        let error = ApiError::de(text.as_bytes().to_vec().into());
        assert_eq!((error.code.as_str(), error.message.as_str()), ("NAME_TAKEN", "alice is taken"));
        assert_eq!(error.ser(), text.as_bytes());
    }

    #[test]
    fn what_is_no_refusal_at_all_is_told_in_a_sentence() {
        let error = ApiError::de("<html>502 Bad Gateway</html>".as_bytes().to_vec().into());
        assert!(error.message.starts_with("The portal gave an answer"), "{error}");
    }
}
