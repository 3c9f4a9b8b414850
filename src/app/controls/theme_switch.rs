//! The theme switch in the browser.

use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Element;

use crate::app::browser::{children, listen, nearest, set_theme, theme};

/// The attribute of a button with its theme.
const OPTION: &str = "data-option";

/// Starts the theme switch in `island`.
#[wasm_bindgen]
pub fn theme_switch(island: Element) {
    let Some(group) = island.first_element_child() else { return };
    show(&group);
    listen(&group.clone(), "click", move |event| {
        let button = nearest(&event, "[data-option]");
        if let Some(theme) = button.and_then(|button| button.get_attribute(OPTION)) {
            set_theme(&theme);
            show(&group);
        }
    });
}

/// Marks the button of the page's theme as pressed.
fn show(group: &Element) {
    let theme = theme();
    for button in children(group) {
        let is_pressed = button.get_attribute(OPTION).as_ref() == Some(&theme);
        // The attribute's name is a valid one, so this cannot fail.
        button.set_attribute("aria-pressed", if is_pressed { "true" } else { "false" }).ok();
    }
}
