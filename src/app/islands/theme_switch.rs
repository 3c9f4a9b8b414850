//! The theme switch: light, dark, or as the system has it; remembered.
//!
//! The script in the document's head applies what is remembered before the first paint. Which
//! button is pressed is drawn by styles from that same attribute, so nothing flickers here.

use leptos::prelude::*;

/// The attribute of the document's root that the styles read.
const ATTRIBUTE: &str = "data-theme";
/// The values of the attribute, each with what its button says.
const THEMES: [(&str, &str); 3] = [("light", "Light"), ("system", "Auto"), ("dark", "Dark")];

/// Renders one button for each theme. Without JavaScript there are none.
#[island]
pub fn ThemeSwitch() -> impl IntoView {
    let chosen = RwSignal::new(String::new());
    Effect::new(move |_| {
        let root = document().document_element();
        chosen.set(root.and_then(|root| root.get_attribute(ATTRIBUTE)).unwrap_or_default());
    });
    let button = move |(theme, words): (&'static str, &'static str)| {
        let choose = move |_| {
            apply(theme);
            chosen.set(theme.to_owned());
        };
        let pressed = move || if *chosen.read() == theme { "true" } else { "false" };
        view! {
            <button
                type="button"
                class="theme-switch__option"
                data-option=theme
                aria-pressed=pressed
                on:click=choose
            >
                {words}
            </button>
        }
    };
    view! {
        <div class="theme-switch needs-script" role="group" aria-label="Theme">
            {THEMES.map(button).into_iter().collect_view()}
        </div>
    }
}

/// Applies `theme`, and remembers it where the browser allows.
fn apply(theme: &str) {
    if let Some(root) = document().document_element() {
        // The attribute's name is a valid one, so this cannot fail.
        root.set_attribute(ATTRIBUTE, theme).ok();
    }
    #[cfg(feature = "hydrate")]
    if let Ok(Some(storage)) = window().local_storage() {
        // Where storage is full or forbidden, the choice lasts as long as the page.
        storage.set_item("theme", theme).ok();
    }
}
