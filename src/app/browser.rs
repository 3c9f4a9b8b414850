//! What the parts of a page ask of the browser: its address, title, icon, theme and clipboard.
//!
//! Components name it, so both targets have it; it runs in the browser only, after a page is there.

use leptos::prelude::*;

/// The attribute of the document's root that the styles read the theme from.
const THEME: &str = "data-theme";

/// Leaves for an address of the portal.
pub(super) fn go_to(address: &str) {
    // Our own path: it cannot fail to parse.
    window().location().set_href(address).ok();
}

/// Loads the page anew.
pub(super) fn reload() {
    // Only a page that is being left fails here.
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

/// Returns the theme that the page shows.
pub(super) fn theme() -> String {
    let root = document().document_element();
    root.and_then(|root| root.get_attribute(THEME)).unwrap_or_default()
}

/// Applies `theme`, and remembers it where the browser allows.
pub(super) fn set_theme(theme: &str) {
    if let Some(root) = document().document_element() {
        // The attribute's name is a valid one, so this cannot fail.
        root.set_attribute(THEME, theme).ok();
    }
    #[cfg(feature = "hydrate")]
    if let Ok(Some(storage)) = window().local_storage() {
        // Where storage is full or forbidden, the choice lasts as long as the page.
        storage.set_item("theme", theme).ok();
    }
}

/// Copies `text` to the clipboard, and sets `words` to "Copied", or to `otherwise` if that fails:
/// browsers have no clipboard for pages that come over plain HTTP.
#[cfg(feature = "hydrate")]
pub(super) fn copy(text: String, words: RwSignal<&'static str>, otherwise: &'static str) {
    use js_sys::{Reflect, futures::JsFuture};

    leptos::task::spawn_local(async move {
        let navigator = window().navigator();
        let has_clipboard = Reflect::get(&navigator, &"clipboard".into())
            .is_ok_and(|clipboard| !clipboard.is_undefined());
        let is_copied =
            has_clipboard && JsFuture::from(navigator.clipboard().write_text(&text)).await.is_ok();
        words.set(if is_copied { "Copied" } else { otherwise });
    });
}

/// Does nothing: no button can be pressed while the server renders the page.
#[cfg(feature = "ssr")]
pub(super) fn copy(_text: String, _words: RwSignal<&'static str>, _otherwise: &'static str) {}
