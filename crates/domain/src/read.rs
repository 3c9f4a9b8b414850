//! Reads the types of the page from JSON that somebody else has parsed: in the browser, the browser.
//!
//! The server reads the same JSON with serde. In the browser, the code that serde derives for these
//! types, with a parser, would be a third of the page's WebAssembly. The tests read what serde writes.
//! It must not know who has parsed.

mod events;
mod messages;
mod operations;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::time;

/// A parsed JSON value.
pub trait Json: Sized {
    /// Returns the field `name` of an object. One that is `null` is missing.
    fn get(&self, name: &str) -> Option<Self>;
    /// Returns the text, if it is one.
    fn text(&self) -> Option<String>;
    /// Returns the number, if it is one.
    fn number(&self) -> Option<f64>;
    /// Returns the truth value, if it is one.
    fn flag(&self) -> Option<bool>;
    /// Returns the elements, if it is an array.
    fn list(&self) -> Option<Vec<Self>>;
}

/// A type that can be read.
pub trait FromJson: Sized {
    /// Reads `json`; `None` if it has another shape.
    fn from_json<J: Json>(json: &J) -> Option<Self>;
}

/// Reads the field `name`; `None` if it is missing or has another shape.
pub fn field<T: FromJson, J: Json>(json: &J, name: &str) -> Option<T> {
    T::from_json(&json.get(name)?)
}

/// Reads the field `name`, which may be missing; `None` if it has another shape.
pub fn optional<T: FromJson, J: Json>(json: &J, name: &str) -> Option<Option<T>> {
    match json.get(name) {
        Some(value) => T::from_json(&value).map(Some),
        None => Some(None),
    }
}

/// Implements [`FromJson`] for types that are written as one text.
macro_rules! by_name {
    ($type:ident: $($name:literal => $variant:ident,)+) => {
        impl FromJson for $type {
            fn from_json<J: Json>(json: &J) -> Option<Self> {
                Some(match json.text()?.as_str() {
                    $($name => Self::$variant,)+
                    _ => return None,
                })
            }
        }
    };
}
use by_name;

/// Implements [`FromJson`] for whole numbers. One that is too large becomes the largest.
macro_rules! whole {
    ($($type:ty)+) => {$(
        impl FromJson for $type {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "numbers of ours are small, and a cast of others does no harm"
            )]
            fn from_json<J: Json>(json: &J) -> Option<Self> {
                json.number().map(|number| number as Self)
            }
        }
    )+};
}
whole! { u8 u16 u32 u64 usize }

impl FromJson for String {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        json.text()
    }
}

impl FromJson for bool {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        json.flag()
    }
}

impl FromJson for Timestamp {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        time::parse(json.text()?.as_bytes())
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        json.list()?.iter().map(T::from_json).collect()
    }
}
