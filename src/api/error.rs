//! Describes how an [`ApiError`] travels through a server function.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};

use super::wire::ApiError;
use domain::{refusal::RefusalCode, words::refusal as words};

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        // Not made of a refusal: the browser would load the sentences of all of them.
        let (code, message) = match error {
            ServerFnErrorErr::Request(_) => {
                (RefusalCode::PortalUnreachable, words::PORTAL_UNREACHABLE)
            }
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                (RefusalCode::InvalidRequest, words::ARGUMENTS)
            }
            ServerFnErrorErr::Registration(_)
            | ServerFnErrorErr::UnsupportedRequestMethod(_)
            | ServerFnErrorErr::ServerError(_)
            | ServerFnErrorErr::MiddlewareError(_)
            | ServerFnErrorErr::Deserialization(_)
            | ServerFnErrorErr::Serialization(_)
            | ServerFnErrorErr::Response(_) => (RefusalCode::Internal, words::ANSWER),
        };
        Self { code, message: message.to_owned(), retry_after: None }
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
        assert_eq!(
            (error.code, error.message.as_str()),
            (RefusalCode::NameTaken, "alice is taken")
        );
        assert_eq!(error.ser(), text.as_bytes());
    }

    #[test]
    fn what_is_no_refusal_at_all_is_told_in_a_sentence() {
        let error = ApiError::de("<html>502 Bad Gateway</html>".as_bytes().to_vec().into());
        assert!(error.message.starts_with("The portal gave an answer"), "{error}");
    }
}
