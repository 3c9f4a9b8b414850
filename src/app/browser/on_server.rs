//! The functions that components name, on the server, where they are never called.

use super::refused::Refused;

/// Reloads the page.
pub(crate) fn reload() {}

/// Sets the title of the tab.
pub(crate) fn set_title(_title: &str) {}

/// Sets the icon of the tab.
pub(crate) fn set_icon(_address: &str) {}

/// Copies `text` to the clipboard, and returns whether it did.
#[expect(clippy::unused_async, reason = "as in the browser")]
pub(crate) async fn copy(_text: &str) -> bool {
    false
}

/// Posts one field to a server function, and returns where that redirects.
///
/// # Errors
///
/// Returns why nothing was done.
#[expect(clippy::unused_async, reason = "as in the browser")]
pub(crate) async fn post(_address: &str, _field: &str, _value: &str) -> Result<String, Refused> {
    Err(Refused { message: String::new() })
}
