//! A request for a stack, and its answer.

use std::time::Duration;

/// A request for a stack.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    /// The host, with or without a port.
    pub host: String,
    /// The method, in capitals.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The headers. The case of their names does not matter.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Visit {
    /// Returns a GET request.
    pub fn get(host: &str, path: &str) -> Self {
        let (host, path, method) = (host.to_owned(), path.to_owned(), "GET".to_owned());
        Self { host, method, path, ..Self::default() }
    }

    /// Returns the value of a header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the path without the query.
    pub(crate) fn path_alone(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }
}

/// The HTTP answer of a stack, or of the reverse proxy in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// The time that the stack takes for the answer; [`Duration::MAX`] if it never answers.
    pub delay: Duration,
    /// The pauses after which the reverse proxy asks again, since no container took the request.
    pub retries: Vec<Duration>,
}

impl EdgeAnswer {
    fn whole(status: u16, headers: Vec<(&'static str, String)>, body: String) -> Self {
        Self { status, headers, body, delay: Duration::ZERO, retries: Vec::new() }
    }

    /// Returns an answer in plain text.
    pub(crate) fn text(status: u16, text: &str) -> Self {
        let kind = ("content-type", "text/plain; charset=utf-8".to_owned());
        Self::whole(status, vec![kind], text.to_owned())
    }

    /// Returns the answer about the health of a stack.
    pub(crate) fn health(is_well: bool) -> Self {
        let (status, word) = if is_well { (200, "ok") } else { (503, "unhealthy") };
        let kind = ("content-type", "application/json".to_owned());
        let body = serde_json::json!({ "status": word }).to_string();
        Self::whole(status, vec![kind], body)
    }

    /// Returns a page, which loads nothing from elsewhere.
    pub(crate) fn page(html: String) -> Self {
        let policy =
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'";
        Self::html(html, policy)
    }

    pub(crate) fn html(html: String, policy: &str) -> Self {
        let headers = vec![
            ("content-type", "text/html; charset=utf-8".to_owned()),
            ("content-security-policy", policy.to_owned()),
            ("cache-control", "no-store".to_owned()),
        ];
        Self::whole(200, headers, html)
    }

    /// Returns the answer to a request without the right password.
    pub(crate) fn unauthorized() -> Self {
        let mut answer = Self::text(401, "A password is needed.\n");
        answer.headers.push(("www-authenticate", "Basic realm=\"sandbox\"".to_owned()));
        answer
    }

    /// Returns the answer that leads a browser to another path.
    pub(crate) fn redirect(path: &str) -> Self {
        let location = ("location", path.to_owned());
        Self::whole(303, vec![location], String::new())
    }

    /// Returns the answer that never comes.
    pub(crate) fn never() -> Self {
        Self { delay: Duration::MAX, ..Self::text(502, "Bad Gateway") }
    }

    /// Adds which container answers, and its revision if it has one.
    pub(crate) fn of(mut self, task: &str, revision: Option<&str>) -> Self {
        self.headers.push(("x-sandbox-task", task.to_owned()));
        let revision = revision.map(|revision| ("x-sandbox-revision", revision.to_owned()));
        self.headers.extend(revision);
        self
    }

    /// Sets the time that the stack takes for it.
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Returns the answer to a body that is too large.
    pub(crate) fn too_large() -> Self {
        Self::text(413, "Too large.\n")
    }
}
