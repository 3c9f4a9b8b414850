//! Texts that change while a page is open.
//!
//! The translator of a browser replaces the text nodes of a page by elements of its own. To change
//! the text of such a node would change what nobody sees any more, and the page would keep its old
//! words for ever. So whatever changes on a page is an element that is replaced as a whole, which a
//! translator then translates anew.

use std::fmt::Debug;

use leptos::prelude::*;

/// Renders each of `values` by `view`, and anew when it has changed.
pub(super) fn renewed<I, T, V>(
    values: impl Fn() -> I + Send + 'static,
    view: impl Fn(T) -> V + Send + Clone + 'static,
) -> impl IntoView
where
    I: IntoIterator<Item = T>,
    T: Debug + Send + 'static,
    V: IntoView + 'static,
{
    let each = move || values().into_iter().enumerate().collect::<Vec<_>>();
    let key = |(index, value): &(usize, T)| (*index, format!("{value:?}"));
    let children = move |(_, value): (usize, T)| view(value);
    view! { <For each=each key=key children=children /> }
}

/// Renders a text, and nothing while it is empty.
pub(super) fn renewed_text<T: Into<String>>(
    text: impl Fn() -> T + Send + 'static,
) -> impl IntoView {
    let text = move || Some(text().into()).filter(|text: &String| !text.is_empty());
    renewed(text, |text| view! { <span>{text}</span> })
}
