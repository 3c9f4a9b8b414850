//! The title of a page, which may have a text of somebody else.

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
    view! { <Title text=title(&text) /> }
}

/// Returns a title as the document has it.
fn title(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_a_title_says_it_stays_a_title(text in "(</title>|<!--|&lt;|&amp;|&#60;|&|<|>|\\PC){0,20}") {
            let title = title(&text);
            prop_assert!(!title.contains('<'));
            prop_assert_eq!(title.replace("&lt;", "<").replace("&amp;", "&"), text);
        }
    }
}
