//! The server function that says whether a name can be had.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::wire::{ApiError, NameVerdict};

/// Returns whether `name` can be had. Advisory: only the start reserves it.
///
/// # Errors
///
/// Returns an error when the portal cannot be asked.
#[server(prefix = "/api/fn", endpoint = "check_name", input = GetUrl)]
pub async fn check_name(
    /// The name to look up.
    #[server(default)]
    name: String,
) -> Result<NameVerdict, ApiError> {
    Ok(super::service()?.check_name(&super::caller()?, &name).await)
}
