//! The search among the templates in the browser.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Element, HtmlInputElement};

use crate::app::browser::{all, listen};

/// Starts the search in `island`, if there is one.
#[wasm_bindgen]
pub fn card_search(island: Element) {
    let find = |selected: &str| island.query_selector(selected).ok().flatten();
    let field = find("#search").and_then(|field| field.dyn_into::<HtmlInputElement>().ok());
    let (Some(field), Some(nothing)) = (field, find(".cards__none")) else { return };
    listen(&field.clone(), "input", move |_| {
        let wanted = field.value().trim().to_lowercase();
        let mut count = 0;
        for card in all(&island, ".card") {
            let text = card.text_content().unwrap_or_default().to_lowercase();
            let is_found = text.contains(&wanted);
            count += usize::from(is_found);
            // The attribute's name is a valid one, so this cannot fail.
            card.toggle_attribute_with_force("hidden", !is_found).ok();
        }
        nothing.toggle_attribute_with_force("hidden", count > 0).ok();
    });
}
