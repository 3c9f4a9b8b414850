//! The words of the buttons that work only in the browser, and those that several buttons share.

#[cfg(feature = "ssr")]
pub(crate) use on_server::*;

/// The label of the button that starts a stack.
#[cfg(any(feature = "ssr", feature = "name-form"))]
pub(crate) const START_STACK: &str = "Deploy";
/// The label of a button that starts something, after it is pressed.
#[cfg(any(feature = "leptos", feature = "name-form"))]
pub(crate) const STARTING: &str = "Starting…";

/// The label of the copy button after it is pressed: once the text is copied, or if that failed.
#[cfg(feature = "controls")]
pub(crate) const AFTER_COPY: [&str; 2] = ["Copied", "Select it by hand"];

/// The words that the browser does not change.
#[cfg(feature = "ssr")]
mod on_server {
    /// The name of the group of buttons for the themes.
    pub(crate) const THEME: &str = "Theme";
    pub(crate) const LIGHT: &str = "Light";
    /// The theme of the browser or of the operating system.
    pub(crate) const AUTO: &str = "Auto";
    pub(crate) const DARK: &str = "Dark";

    pub(crate) const COPY: &str = "Copy";
}
