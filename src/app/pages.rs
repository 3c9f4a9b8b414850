//! The pages. They render only on the server; their interactive parts are islands.

pub mod account;
pub mod admin;
pub mod deployment;
pub mod home;
pub mod notice;
pub mod sign_in;
pub mod tokens;

use leptos::prelude::*;
use leptos_meta::Title;

/// Sets the title of the page. Nothing else names [`Title`], which writes its text into the
/// document as it is.
#[component]
pub fn PageTitle(
    /// The title.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! { <Title text=text.replace('&', "&amp;").replace('<', "&lt;") /> }
}
