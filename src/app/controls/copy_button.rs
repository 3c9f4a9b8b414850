//! The copy button in the browser.

use js_sys::futures::spawn_local;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Element;

use crate::app::browser::{copy, listen, say};
use crate::app::words::buttons as words;

/// Starts the copy button in `island`, which has the text to copy in an attribute.
#[wasm_bindgen]
pub fn copy_button(island: Element) {
    listen(&island.clone(), "click", move |_| {
        let island = island.clone();
        spawn_local(async move {
            let [copied, otherwise] = words::AFTER_COPY;
            let text = island.get_attribute("data-text").unwrap_or_default();
            let words = if copy(&text).await { copied } else { otherwise };
            if let Ok(Some(label)) = island.query_selector("[aria-live]") {
                say(&label, words);
            }
        });
    });
}
