//! The server function that checks whether a name is available.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::wire::{ApiError, NameVerdict};

/// Returns whether `name` is available. The result is advisory: only the start of a deployment
/// reserves the name.
///
/// # Errors
///
/// Returns an error if the portal cannot be reached.
#[server(prefix = "/api/fn", endpoint = "check_name", input = GetUrl)]
pub async fn check_name(
    /// The name to check.
    #[server(default)]
    name: String,
) -> Result<NameVerdict, ApiError> {
    Ok(super::service()?.check_name_or_suggest(&super::caller()?, &name).await)
}

#[cfg(test)]
mod tests {
    use leptos::server_fn::ServerFn;

    use super::*;
    use crate::wire::CHECK_NAME;

    #[test]
    fn the_page_asks_at_the_functions_path() {
        assert_eq!(CheckName::PATH, CHECK_NAME);
    }
}
