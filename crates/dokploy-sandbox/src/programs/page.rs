//! The pages of the programs. Everything from outside is escaped.

use super::EdgeAnswer;

const HEAD: &str = include_str!("page_head.html");

/// A page with a title, a list of names and values, and what people can do.
pub(super) struct Page {
    title: &'static str,
    rows: String,
    rest: String,
}

impl Page {
    /// Begins a page.
    pub(super) fn new(title: &'static str) -> Self {
        Self { title, rows: String::new(), rest: String::new() }
    }

    /// Adds a name and its value, or that it is not set.
    pub(super) fn variable(mut self, name: &str, value: Option<&str>) -> Self {
        let value = value.map_or_else(|| "<i>not set</i>".to_owned(), escaped);
        self.rows.extend(["<dt>", name, "</dt><dd>", &value, "</dd>\n"]);
        self
    }

    /// Adds the name of a secret, and whether it is set. The secret itself is never shown.
    pub(super) fn secret(self, name: &str, value: Option<&str>) -> Self {
        self.variable(name, value.map(|_| "set"))
    }

    /// Adds a name with several values.
    pub(super) fn list<'a>(mut self, name: &str, values: impl Iterator<Item = &'a str>) -> Self {
        let item = |value| format!("<li>{}</li>", escaped(value));
        let items = values.map(item).collect::<Vec<_>>().concat();
        let items = if items.is_empty() { "<li><i>none</i></li>" } else { items.as_str() };
        self.rows.extend(["<dt>", name, "</dt><dd><ul>", items, "</ul></dd>\n"]);
        self
    }

    /// Adds a link.
    pub(super) fn link(mut self, path: &str, text: &str) -> Self {
        self.rest.extend(["<p><a href=\"", path, "\">", text, "</a></p>\n"]);
        self
    }

    /// Adds a button that posts to `path`.
    pub(super) fn button(mut self, path: &str, text: &str) -> Self {
        let form =
            ["<form method=\"post\" action=\"", path, "\"><button>", text, "</button></form>\n"];
        self.rest.extend(form);
        self
    }

    /// Adds a form that writes the content of a file.
    pub(super) fn editor(mut self, path: &str, name: &str, content: &str) -> Self {
        // A browser drops the first line break of a text area.
        let form = format!(
            "<form method=\"post\" action=\"{path}\"><label>{name}<textarea name=\"content\" \
             rows=\"12\">\n{}</textarea></label><button>Save</button></form>\n",
            escaped(content)
        );
        self.rest.push_str(&form);
        self
    }

    /// Returns the page as an answer.
    pub(super) fn answer(self) -> EdgeAnswer {
        let Self { title, rows, rest } = self;
        let list = if rows.is_empty() { rows } else { format!("<dl>\n{rows}</dl>\n") };
        let html = format!(
            "{HEAD}<title>{title}</title>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{list}{rest}\
             </main>\n</body>\n</html>\n"
        );
        EdgeAnswer::page(html)
    }
}

fn escaped(text: &str) -> String {
    let escaped = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(escaped).collect()
}
