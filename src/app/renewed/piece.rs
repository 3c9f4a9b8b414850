//! A piece of a page as plain data: an element with what is in it.

use leptos::tachys::renderer::Rndr;
use leptos::tachys::renderer::types::Element;

/// An element.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::app) struct Piece {
    tag: &'static str,
    attributes: Vec<(&'static str, String)>,
    content: Vec<Content>,
}

/// A part of what is in an element.
#[derive(Clone, Debug, PartialEq)]
enum Content {
    Text(String),
    Piece(Piece),
}

impl Piece {
    /// Makes an element without attributes.
    pub(in crate::app) fn new(tag: &'static str) -> Self {
        Self { tag, attributes: Vec::new(), content: Vec::new() }
    }

    /// Makes an element with a class.
    pub(in crate::app) fn of_class(tag: &'static str, class: &str) -> Self {
        Self::new(tag).with("class", class)
    }

    /// Makes an element with `text`; `None` if that is empty.
    pub(in crate::app) fn text_or_none(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self::new("span").text(text))
    }

    /// Adds an attribute.
    #[must_use]
    pub(in crate::app) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.attributes.push((name, value.to_owned()));
        self
    }

    /// Appends a text.
    #[must_use]
    pub(in crate::app) fn text(mut self, text: &str) -> Self {
        self.content.push(Content::Text(text.to_owned()));
        self
    }

    /// Appends an element.
    #[must_use]
    pub(in crate::app) fn piece(mut self, piece: Self) -> Self {
        self.content.push(Content::Piece(piece));
        self
    }

    /// Makes the element in the browser.
    pub(super) fn build(&self) -> Element {
        let element = Rndr::create_element(self.tag, None);
        for (name, value) in &self.attributes {
            Rndr::set_attribute(&element, name, value);
        }
        for content in &self.content {
            match content {
                Content::Text(text) => {
                    Rndr::insert_node(&element, &Rndr::create_text_node(text), None);
                }
                Content::Piece(piece) => Rndr::insert_node(&element, &piece.build(), None),
            }
        }
        element
    }

    /// Writes the element as HTML, on the server.
    pub(super) fn write(&self, html: &mut String) {
        html.extend(["<", self.tag]);
        for (name, value) in &self.attributes {
            html.extend([" ", name, "=\"", &escaped(value).replace('"', "&quot;"), "\""]);
        }
        html.push('>');
        for content in &self.content {
            match content {
                Content::Text(text) => html.push_str(&escaped(text)),
                Content::Piece(piece) => piece.write(html),
            }
        }
        // The one element among the pieces that has no end.
        if self.tag != "input" {
            html.extend(["</", self.tag, ">"]);
        }
    }
}

/// Returns `text` as it stands in an element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_written_with_its_attributes_and_its_content() {
        let link = Piece::of_class("a", "button").with("href", "/?a=1&b=\"2\"").text("Open");
        let piece = Piece::new("p").text("\"1\" < 2 ").piece(link).text("!");
        let mut html = String::new();
        piece.write(&mut html);
        assert_eq!(
            html,
            "<p>\"1\" &lt; 2 <a class=\"button\" href=\"/?a=1&amp;b=&quot;2&quot;\">Open</a>!</p>"
        );
    }

    #[test]
    fn a_field_has_no_end() {
        let mut html = String::new();
        Piece::new("input").with("type", "hidden").write(&mut html);
        assert_eq!(html, "<input type=\"hidden\">");
    }
}
