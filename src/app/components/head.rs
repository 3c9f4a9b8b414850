//! What a page puts into the document's head.

use leptos::prelude::*;
use leptos_meta::{Link, Title};

/// Sets the tab's title and icon.
#[component]
pub fn PageHead(
    /// The tab's title.
    #[prop(into)]
    title: String,
    /// The path of the tab's icon.
    icon: &'static str,
) -> impl IntoView {
    view! {
        <Title text=title />
        <Link rel="icon" type_="image/svg+xml" href=icon />
    }
}
