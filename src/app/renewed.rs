//! Parts that change while a page is open.
//!
//! The translator of a browser replaces the text nodes of a page by elements of its own. To change
//! the text of such a node would change what nobody sees any more, and the page would keep its old
//! words for ever. So whatever changes on a page is an element that is replaced as a whole, which a
//! translator then translates anew.
//!
//! Such an element is plain data here. As a view of Leptos it would have a type of its own, and each
//! type costs every visitor WASM.

mod piece;

use leptos::attr::Attribute;
use leptos::attr::any_attribute::AnyAttribute;
use leptos::prelude::*;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::renderer::types::{self, Placeholder};
use leptos::tachys::renderer::{CastFrom, Rndr};
use leptos::tachys::view::{Position, PositionState};

pub(super) use piece::Piece;

/// Renders `pieces`, each anew when it has changed.
pub(super) fn renewed<I: IntoIterator<Item = Piece>>(
    pieces: impl Fn() -> I + Send + 'static,
) -> impl IntoView {
    let pieces = move || Pieces(pieces().into_iter().collect());
    Box::new(pieces) as Box<dyn Fn() -> Pieces + Send>
}

/// Renders a text, and nothing while it is empty.
pub(super) fn renewed_text<T: AsRef<str>>(text: impl Fn() -> T + Send + 'static) -> impl IntoView {
    renewed(move || Piece::text_or_none(text().as_ref()))
}

/// Pieces of a page, as a view.
pub(super) struct Pieces(pub(super) Vec<Piece>);

/// The pieces that a page shows, with their elements, and the node behind them.
pub(super) struct Shown {
    pieces: Vec<(Piece, types::Element)>,
    end: Placeholder,
}

impl Render for Pieces {
    type State = Shown;

    fn build(self) -> Shown {
        let mut shown = Shown { pieces: Vec::new(), end: Rndr::create_placeholder() };
        self.rebuild(&mut shown);
        shown
    }

    fn rebuild(self, shown: &mut Shown) {
        let mut before = std::mem::take(&mut shown.pieces).into_iter();
        for piece in self.0 {
            let kept = match before.next() {
                Some((known, element)) if known == piece => element,
                replaced => {
                    let mut element = piece.build();
                    match replaced {
                        Some((_, mut replaced)) => {
                            replaced.insert_before_this(&mut element);
                            replaced.unmount();
                        }
                        // It has no effect before the view is mounted, which mounts the pieces.
                        None => {
                            shown.end.insert_before_this(&mut element);
                        }
                    }
                    element
                }
            };
            shown.pieces.push((piece, kept));
        }
        for (_, mut element) in before {
            element.unmount();
        }
    }
}

impl Mountable for Shown {
    fn unmount(&mut self) {
        for (_, element) in &mut self.pieces {
            element.unmount();
        }
        self.end.unmount();
    }

    fn mount(&mut self, parent: &types::Element, marker: Option<&types::Node>) {
        for (_, element) in &mut self.pieces {
            element.mount(parent, marker);
        }
        self.end.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        match self.pieces.first() {
            Some((_, first)) => first.insert_before_this(child),
            None => self.end.insert_before_this(child),
        }
    }

    fn elements(&self) -> Vec<types::Element> {
        self.pieces.iter().map(|(_, element)| element.clone()).collect()
    }
}

impl AddAnyAttr for Pieces {
    type Output<A: Attribute> = Self;

    /// Returns the pieces as they are: an attribute belongs to one of them.
    fn add_any_attr<A: Attribute>(self, _attribute: A) -> Self {
        self
    }
}

impl RenderHtml for Pieces {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(
        self,
        buffer: &mut String,
        position: &mut Position,
        _escape: bool,
        _mark_branches: bool,
        _extra: Vec<AnyAttribute>,
    ) {
        for piece in self.0 {
            piece.write(buffer);
        }
        buffer.push_str("<!>");
        *position = Position::NextChild;
    }

    /// Takes over the elements that the server rendered, without a look into them.
    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Shown {
        let advance = |piece| {
            if position.get() == Position::FirstChild {
                cursor.child();
            } else {
                cursor.sibling();
            }
            position.set(Position::NextChild);
            types::Element::cast_from(cursor.current()).map(|element| (piece, element))
        };
        let pieces = self.0.into_iter().filter_map(advance).collect();
        Shown { pieces, end: cursor.next_placeholder(position) }
    }

    fn into_owned(self) -> Self {
        self
    }
}
