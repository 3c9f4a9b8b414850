//! The functions as they are in the browser. Each is of no effect if the page is being left.

use js_sys::futures::JsFuture;
use js_sys::{Promise, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Document, Element, Event, EventTarget, RequestInit, Response, Window};

/// The attribute of the document's root element from which the styles read the theme.
const THEME: &str = "data-theme";

/// Returns the window. This code runs only in pages.
#[expect(clippy::expect_used, reason = "every page has a window")]
pub(crate) fn window() -> Window {
    web_sys::window().expect("a page has a window")
}

/// Returns the document.
#[expect(clippy::expect_used, reason = "every page has a document")]
pub(crate) fn document() -> Document {
    window().document().expect("a page has a document")
}

/// Marks the page's code as running: see `start.js`.
pub(crate) fn mark_running() {
    set_root_attribute("data-code", "running");
}

/// Lets the islands be what the server rendered, if a translator has changed them: see `start.js`.
pub(crate) fn restore_rendered() {
    // The event's name is a valid one, so this cannot fail.
    if let Ok(event) = Event::new("hydrate") {
        window().dispatch_event(&event).ok();
    }
}

/// Returns the theme of the page.
pub(crate) fn theme() -> String {
    let root = document().document_element();
    root.and_then(|root| root.get_attribute(THEME)).unwrap_or_default()
}

/// Applies `theme`, and stores it if the browser allows that.
pub(crate) fn set_theme(theme: &str) {
    set_root_attribute(THEME, theme);
    if let Ok(Some(storage)) = window().local_storage() {
        // If the storage is full or forbidden, the choice is lost with the page.
        storage.set_item("theme", theme).ok();
    }
}

fn set_root_attribute(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        // The attribute's name is a valid one, so this cannot fail.
        root.set_attribute(name, value).ok();
    }
}

/// Copies `text` to the clipboard, and returns whether it did: browsers offer no clipboard to pages
/// over plain HTTP.
pub(crate) async fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    let has_clipboard = Reflect::get(&navigator, &"clipboard".into())
        .is_ok_and(|clipboard| !clipboard.is_undefined());
    has_clipboard && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}

/// Calls `react` with each event of this name at `target`, as long as the page exists.
pub(crate) fn listen(target: &EventTarget, name: &str, react: impl FnMut(Event) + 'static) {
    let react = Closure::<dyn FnMut(Event)>::new(react).into_js_value();
    // The name is a valid one, so this cannot fail.
    target.add_event_listener_with_callback(name, react.unchecked_ref()).ok();
}

/// Returns the element at which `event` happened, or the first one around it, that is `selected`.
pub(crate) fn nearest(event: &Event, selected: &str) -> Option<Element> {
    event.target()?.dyn_ref::<Element>()?.closest(selected).ok()?
}

/// Returns the elements within `parent` that are `selected`.
#[cfg(feature = "question-form")]
pub(crate) fn all(parent: &Element, selected: &str) -> Vec<Element> {
    let Ok(found) = parent.query_selector_all(selected) else { return Vec::new() };
    let nodes = (0..found.length()).filter_map(|at| found.item(at));
    nodes.filter_map(|node| node.dyn_into().ok()).collect()
}

/// Returns the elements in `parent`.
pub(crate) fn children(parent: &Element) -> impl Iterator<Item = Element> + use<> {
    let first = parent.first_element_child();
    std::iter::successors(first, Element::next_element_sibling)
}

/// Replaces what is in `place` by an element with `text`, or by nothing: see `renewed`.
pub(crate) fn say(place: &Element, text: &str) {
    place.set_text_content(None);
    if let Some(span) = document().create_element("span").ok().filter(|_| !text.is_empty()) {
        span.set_text_content(Some(text));
        place.append_child(&span).ok();
    }
}

/// Waits for `ms` milliseconds. A hidden page may wait longer.
pub(crate) async fn pause(ms: u32) {
    let ms = i32::try_from(ms).unwrap_or(i32::MAX);
    let timer = Promise::new(&mut |resolve, _| {
        // This fails only in a detached window, where nothing waits any more.
        window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms).ok();
    });
    JsFuture::from(timer).await.ok();
}

/// Sends a request; `None` if there is no answer.
pub(crate) async fn send(address: &str, request: &RequestInit) -> Option<Response> {
    let response = window().fetch_with_str_and_init(address, request);
    JsFuture::from(response).await.ok()?.dyn_into().ok()
}

/// Navigates to a path of the portal.
#[cfg(feature = "name-form")]
pub(crate) fn go_to(address: &str) {
    // The path is our own, so it can be parsed.
    window().location().set_href(address).ok();
}

/// Calls `react` whenever the person comes back to this page, which the browser has kept.
#[cfg(any(feature = "name-form", feature = "question-form"))]
pub(crate) fn on_return(mut react: impl FnMut() + 'static) {
    listen(&window(), "pageshow", move |event| {
        let event = event.dyn_ref::<web_sys::PageTransitionEvent>();
        if event.is_some_and(web_sys::PageTransitionEvent::persisted) {
            react();
        }
    });
}

/// Makes an element with a class and a text.
#[cfg(any(feature = "name-form", feature = "question-form"))]
pub(crate) fn element(tag: &str, class: &str, text: &str) -> Option<Element> {
    let element = document().create_element(tag).ok()?;
    if !class.is_empty() {
        element.set_class_name(class);
    }
    if !text.is_empty() {
        element.set_text_content(Some(text));
    }
    Some(element)
}

#[cfg(feature = "hydrate")]
pub(crate) use for_islands::*;

/// What only the deployment's page needs.
#[cfg(feature = "hydrate")]
mod for_islands {
    use super::{document, window};

    /// Reloads the page.
    pub(crate) fn reload() {
        // This fails only while the page is being left.
        window().location().reload().ok();
    }

    /// Sets the title of the tab.
    pub(crate) fn set_title(title: &str) {
        document().set_title(title);
    }

    /// Sets the icon of the tab.
    pub(crate) fn set_icon(address: &str) {
        if let Ok(Some(link)) = document().query_selector("link[rel=icon]") {
            // The attribute's name is a valid one, so this cannot fail.
            link.set_attribute("href", address).ok();
        }
    }
}
