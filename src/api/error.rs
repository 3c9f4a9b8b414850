//! The conversion of server function errors to [`ApiError`], and its encoding.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};

use crate::wire::ApiError;
use domain::refusal::RefusalCode;
use domain::words::refusal as words;

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        // It is not made from a `Refusal`: then the WASM module would contain the sentences of all
        // refusals.
        let (code, message) = match error {
            ServerFnErrorErr::Request(_) => {
                (RefusalCode::PortalUnreachable, words::PORTAL_UNREACHABLE)
            }
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                (RefusalCode::InvalidRequest, words::ARGUMENTS)
            }
            _ => (RefusalCode::Internal, words::ANSWER),
        };
        Self { code, message: message.to_owned(), retry_after: None, details: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The middleware that rejects API requests rejects calls of server functions as well, in the
    /// same format.
    #[test]
    fn an_error_has_the_format_of_the_api() {
        let text = r#"{"success":false,"error":"alice is taken","code":"NAME_TAKEN"}"#;
        let error = ApiError::de(text.as_bytes().to_vec().into());
        assert_eq!(
            (error.code, error.message.as_str()),
            (RefusalCode::NameTaken, "alice is taken")
        );
        assert_eq!(error.ser(), text.as_bytes());
    }

    #[test]
    fn an_unreadable_answer_becomes_a_sentence() {
        let error = ApiError::de("<html>502 Bad Gateway</html>".as_bytes().to_vec().into());
        assert!(error.message.starts_with("The portal gave an answer"), "{error}");
    }
}
