//! The description of a template: Markdown of its operator, as HTML in which nothing of its author's
//! runs or loads.

use leptos::prelude::*;
use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html};

use crate::app::words::new as words;

/// How the addresses of links begin that lead somewhere.
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];

/// Renders the description, folded away.
#[component]
pub fn Readme(
    /// The Markdown.
    text: String,
) -> impl IntoView {
    view! {
        <details class="disclosure readme">
            <summary>{words::ABOUT}</summary>
            <div class="readme__text" inner_html=to_html(&text)></div>
        </details>
    }
}

/// Returns Markdown as HTML. Raw HTML in it is shown as text, images as their description, and links
/// to other than web and mail addresses as their text.
fn to_html(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut is_link = Vec::new();
    let events = Parser::new_ext(markdown, options).filter_map(move |event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(Tag::Link { dest_url, link_type, .. }) => {
            let is_mail = link_type == LinkType::Email;
            let is_safe = is_mail || SCHEMES.iter().any(|scheme| starts_with(&dest_url, scheme));
            is_link.push(is_safe);
            let title = CowStr::from("");
            is_safe.then(|| {
                Event::Start(Tag::Link { dest_url, link_type, title, id: CowStr::from("") })
            })
        }
        Event::End(TagEnd::Link) => is_link.pop().unwrap_or_default().then_some(event),
        Event::Start(Tag::Heading { level, .. }) => {
            let (id, classes, attrs) = (None, Vec::new(), Vec::new());
            Some(Event::Start(Tag::Heading { level: below(level), id, classes, attrs }))
        }
        Event::End(TagEnd::Heading(level)) => Some(Event::End(TagEnd::Heading(below(level)))),
        other => Some(other),
    });
    let mut html = String::new();
    html::push_html(&mut html, events);
    html
}

fn starts_with(address: &str, scheme: &str) -> bool {
    address.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
}

/// Returns the level of a heading below that of the page.
fn below(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H2,
        HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        HeadingLevel::H4 => HeadingLevel::H5,
        HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_author_s_runs_or_loads() {
        let cases = [
            ("# A\n\n*b* `c`", "<h2>A</h2>\n<p><em>b</em> <code>c</code></p>\n"),
            ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>\n"),
            ("a <img src=x onerror=y>", "<p>a &lt;img src=x onerror=y&gt;</p>\n"),
            ("![alt](https://example.org/x.png)", "<p>alt</p>\n"),
            ("[a](javascript:alert)", "<p>a</p>\n"),
            ("[a](/admin)", "<p>a</p>\n"),
            ("[a](HTTPS://example.org \"t\")", "<p><a href=\"HTTPS://example.org\">a</a></p>\n"),
            (
                "<ann@example.org>",
                "<p><a href=\"mailto:ann@example.org\">ann@example.org</a></p>\n",
            ),
            ("[![b](x)](data:x)", "<p>b</p>\n"),
        ];
        for (markdown, expected) in cases {
            assert_eq!(to_html(markdown), expected, "{markdown}");
        }
    }
}
