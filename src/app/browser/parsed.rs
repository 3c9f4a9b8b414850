//! JSON that the browser has parsed.

#[cfg(any(feature = "hydrate", feature = "name-form"))]
use js_sys::JSON;
use js_sys::futures::JsFuture;
use js_sys::{Array, Reflect};
use wasm_bindgen::JsValue;
use web_sys::Response;

use domain::read::Json;

/// A parsed value.
pub(crate) struct Parsed(JsValue);

impl Parsed {
    /// Parses `text`.
    #[cfg(any(feature = "hydrate", feature = "name-form"))]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        JSON::parse(text).ok().map(Self)
    }

    /// Parses the body of `response`.
    pub(crate) async fn of(response: &Response) -> Option<Self> {
        JsFuture::from(response.json().ok()?).await.ok().map(Self)
    }
}

impl Json for Parsed {
    fn get(&self, name: &str) -> Option<Self> {
        let value = Reflect::get(&self.0, &name.into()).ok()?;
        (!value.is_null() && !value.is_undefined()).then_some(Self(value))
    }

    fn text(&self) -> Option<String> {
        self.0.as_string()
    }

    fn number(&self) -> Option<f64> {
        self.0.as_f64()
    }

    fn flag(&self) -> Option<bool> {
        self.0.as_bool()
    }

    fn list(&self) -> Option<Vec<Self>> {
        Array::is_array(&self.0).then(|| Array::from(&self.0).iter().map(Self).collect())
    }
}
