//! The browser functions that components use: address, title, icon, theme and clipboard.
//!
//! It compiles for both targets, since components name it, but runs only in the browser, after the
//! page has loaded.

use leptos::prelude::*;

/// The attribute of the document's root element from which the styles read the theme.
const THEME: &str = "data-theme";

/// Marks the page's code as running: see `start.js`.
#[cfg(feature = "hydrate")]
pub(crate) fn mark_running() {
    if let Some(root) = document().document_element() {
        // The attribute's name is a valid one, so this cannot fail.
        root.set_attribute("data-code", "running").ok();
    }
}

/// Lets the islands be what the server rendered, if a translator has changed them: see `start.js`.
#[cfg(feature = "hydrate")]
pub(crate) fn restore_rendered() {
    // The event's name is a valid one, so this cannot fail.
    if let Ok(event) = web_sys::Event::new("hydrate") {
        window().dispatch_event(&event).ok();
    }
}

/// Navigates to a path of the portal.
pub(super) fn go_to(address: &str) {
    // The path is our own, so it can be parsed.
    window().location().set_href(address).ok();
}

/// Reloads the page.
pub(super) fn reload() {
    // This fails only while the page is being left.
    window().location().reload().ok();
}

/// Sets the title of the tab.
pub(super) fn set_title(title: &str) {
    document().set_title(title);
}

/// Sets the icon of the tab.
pub(super) fn set_icon(address: &str) {
    if let Ok(Some(link)) = document().query_selector("link[rel=icon]") {
        // The attribute's name is a valid one, so this cannot fail.
        link.set_attribute("href", address).ok();
    }
}

/// Returns the theme of the page.
pub(super) fn theme() -> String {
    let root = document().document_element();
    root.and_then(|root| root.get_attribute(THEME)).unwrap_or_default()
}

/// Applies `theme`, and stores it if the browser allows that.
pub(super) fn set_theme(theme: &str) {
    if let Some(root) = document().document_element() {
        // The attribute's name is a valid one, so this cannot fail.
        root.set_attribute(THEME, theme).ok();
    }
    #[cfg(feature = "hydrate")]
    if let Ok(Some(storage)) = window().local_storage() {
        // If the storage is full or forbidden, the choice is lost with the page.
        storage.set_item("theme", theme).ok();
    }
}

/// Copies `text` to the clipboard, and sets `words` to `copied`, or to `otherwise` if that fails:
/// browsers offer no clipboard to pages over plain HTTP.
#[cfg(feature = "hydrate")]
pub(super) fn copy(
    text: String,
    words: RwSignal<&'static str>,
    [copied, otherwise]: [&'static str; 2],
) {
    use js_sys::{Reflect, futures::JsFuture};

    leptos::task::spawn_local(async move {
        let navigator = window().navigator();
        let has_clipboard = Reflect::get(&navigator, &"clipboard".into())
            .is_ok_and(|clipboard| !clipboard.is_undefined());
        let is_copied =
            has_clipboard && JsFuture::from(navigator.clipboard().write_text(&text)).await.is_ok();
        words.set(if is_copied { copied } else { otherwise });
    });
}

/// Does nothing: on the server, no button is pressed.
#[cfg(feature = "ssr")]
pub(super) fn copy(_text: String, _words: RwSignal<&'static str>, _then: [&'static str; 2]) {}
