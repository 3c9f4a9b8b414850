//! Texts that change while a page is open.
//!
//! The translator of a browser replaces the text nodes of a page by elements of its own. To change
//! the text of such a node would change what nobody sees any more, and the page would keep its old
//! words for ever. So whatever changes on a page is an element that is replaced as a whole, which a
//! translator then translates anew.

use std::hash::{DefaultHasher, Hash, Hasher};

use leptos::prelude::*;

use super::erased::erased;

/// A value that is rendered: its place and a digest of it, and how it is rendered.
///
/// The list is of this one type for all values, whatever they are, since each further type of list
/// would cost every visitor WASM.
struct Rendered {
    key: (usize, u64),
    view: Children,
}

/// Renders each of `values` by `view`, and anew when it has changed.
pub(super) fn renewed<I, T, V>(
    values: impl Fn() -> I + Send + 'static,
    view: impl Fn(T) -> V + Send + Clone + 'static,
) -> impl IntoView
where
    I: IntoIterator<Item = T>,
    T: Hash + Send + 'static,
    V: RenderHtml + 'static,
{
    let rendered = move |(index, value): (usize, T)| {
        let mut digest = DefaultHasher::new();
        value.hash(&mut digest);
        let view = view.clone();
        Rendered { key: (index, digest.finish()), view: Box::new(move || erased(view(value))) }
    };
    list(Box::new(move || values().into_iter().enumerate().map(&rendered).collect()))
}

fn list(each: Box<dyn Fn() -> Vec<Rendered> + Send>) -> impl IntoView {
    let key = |rendered: &Rendered| rendered.key;
    let children = |Rendered { view, .. }: Rendered| view();
    view! { <For each=each key=key children=children /> }
}

/// Renders a text, and nothing while it is empty.
pub(super) fn renewed_text<T: Into<String>>(
    text: impl Fn() -> T + Send + 'static,
) -> impl IntoView {
    let text = move || Some(text().into()).filter(|text: &String| !text.is_empty());
    renewed(text, |text| view! { <span>{text}</span> })
}
