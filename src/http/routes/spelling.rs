//! The spellings of paths: each path of a route has a canonical one.

use std::ops::ControlFlow;

use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

use super::{Answer, ROUTES, Route, methods};
use crate::http::error;
use crate::server::page::HiddenPage;

/// The maximum length of a file's name and of its path on most file systems, in bytes.
const LONGEST_NAME: usize = 240;
const LONGEST_PATH: usize = 1_024;

impl Route {
    /// Returns whether `path` is a path of this route in its canonical spelling, read without decoding
    /// anything.
    pub(in crate::http) fn is_spelled(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix('/') else { return false };
        if matches!(self.answer, Answer::Files) || !self.path.contains('{') {
            return path == self.path && !matches!(self.answer, Answer::Files);
        }
        let (mut own, mut parts) = (parts_of(self.path), rest.split('/'));
        loop {
            let is_same = match (own.next(), parts.next()) {
                (None, None) => return true,
                (Some(own), Some(part)) if own.starts_with('{') => {
                    !part.is_empty() && is_plain_text(part)
                }
                (Some(own), Some(part)) => own == part,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if !is_same {
                return false;
            }
        }
    }

    /// Returns the canonical spelling of the path with these `parts`, if it is a path of this
    /// route.
    fn spelling(&self, parts: &[&str]) -> Option<Spelling> {
        if parts_of(self.path).count() != parts.len() || matches!(self.answer, Answer::Files) {
            return None;
        }
        let mut path = String::new();
        let mut is_plain = true;
        for (own, part) in parts_of(self.path).zip(parts) {
            let decoded = percent_decode_str(part).decode_utf8_lossy();
            path.push('/');
            if !own.starts_with('{') {
                path.push_str(decoded.eq_ignore_ascii_case(own).then_some(own)?);
            } else if self.is_page() {
                is_plain &= is_plain_text(&decoded);
                path.push_str(if is_plain { &decoded } else { part });
            } else {
                path.push_str(part);
            }
        }
        let path = if path.is_empty() { String::from("/") } else { path };
        Some(Spelling { path, is_page: self.is_page(), is_plain })
    }
}

/// The canonical spelling of a path.
struct Spelling {
    path: String,
    is_page: bool,
    /// False if a parameter contains characters that no id contains and that two parsers could
    /// interpret differently.
    is_plain: bool,
}

impl Spelling {
    fn of(path: &str) -> Option<Self> {
        let parts: Vec<_> = parts_of(path).collect();
        ROUTES.iter().find_map(|route| route.spelling(&parts))
    }
}

/// Returns the segments of a path; repeated slashes count as one.
fn parts_of(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

/// Returns whether every URL parser reads `text` in the same way: only unreserved characters (RFC
/// 3986, section 2.3), and neither `.` nor `..`.
fn is_plain_text(text: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !matches!(text, "." | "..") && text.bytes().all(is_unreserved)
}

/// Lets canonical spellings of routes through, and paths that are no route. A GET for another
/// spelling of a page is redirected with 308; any other request for another spelling is answered
/// with 404.
///
/// The page renderer normalizes paths more than the router does: without this, a page could be
/// rendered although its rule was not checked.
pub(in crate::http) fn spell(parts: &mut Parts) -> ControlFlow<Response> {
    let uri = &parts.uri;
    if (&parts.method, uri.path()) == (&Method::OPTIONS, "*") {
        return ControlFlow::Break(answer_options());
    }
    if ROUTES.iter().any(|route| route.is_spelled(uri.path())) {
        return ControlFlow::Continue(());
    }
    match Spelling::of(uri.path()) {
        Some(spelling) if !spelling.is_plain => {
            parts.extensions.insert(HiddenPage);
            ControlFlow::Continue(())
        }
        Some(spelling) if spelling.path != uri.path() => {
            let is_look = matches!(parts.method, Method::GET | Method::HEAD);
            if !(spelling.is_page && is_look) {
                return ControlFlow::Break(error::unknown(uri).into_response());
            }
            let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            let location = [(header::LOCATION, format!("{}{query}", spelling.path))];
            ControlFlow::Break((StatusCode::PERMANENT_REDIRECT, location).into_response())
        }
        Some(_) => ControlFlow::Continue(()),
        None if is_for_people(uri.path()) => ControlFlow::Continue(()),
        None => ControlFlow::Break(error::unknown(uri).into_response()),
    }
}

/// Returns whether a path that is no route may be a file of the site, or an address that a person
/// mistyped. For the others, which only programs use, the 404 is JSON.
fn is_for_people(path: &str) -> bool {
    let first = percent_decode_str(parts_of(path).next().unwrap_or_default()).decode_utf8_lossy();
    path.starts_with('/') && !["api", "health"].iter().any(|own| first.eq_ignore_ascii_case(own))
}

/// Returns whether a file of the site may have this path. Their names are plain, and a name has one
/// spelling.
pub(in crate::http) fn is_file(path: &str) -> bool {
    let is_name = |part: &str| (1..=LONGEST_NAME).contains(&part.len()) && is_plain_text(part);
    path.len() <= LONGEST_PATH
        && path.strip_prefix('/').is_some_and(|path| path.split('/').all(is_name))
}

/// Answers `OPTIONS *` with all methods that the server supports (RFC 9110, section 9.3.7).
fn answer_options() -> Response {
    let methods = methods(|_| true);
    let names: Vec<_> = methods.iter().map(Method::as_str).chain(["HEAD", "OPTIONS"]).collect();
    let allow = HeaderValue::try_from(names.join(",")).unwrap_or(HeaderValue::from_static("GET"));
    (StatusCode::NO_CONTENT, [(header::ALLOW, allow)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_one_spelling() {
        for (path, expected) in [
            ("/", Some("/")),
            ("//", Some("/")),
            ("/admin/", Some("/admin")),
            ("//ADMIN//Audit", Some("/admin/audit")),
            ("/%61dmin", Some("/admin")),
            ("/api/deploy/", Some("/api/deploy")),
            ("/deployments/dep%5F1/", Some("/deployments/dep_1")),
            ("/deployments/Dep_1", Some("/deployments/Dep_1")),
            ("/api/check/a%2fb", Some("/api/check/a%2fb")),
            ("/admin/other", None),
            ("/deployments", None),
            ("/favicon.svg", None),
            ("*", None),
        ] {
            let spelling = Spelling::of(path).map(|spelling| spelling.path);
            assert_eq!(spelling.as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn what_is_spelled_canonically_is_what_decoding_says() {
        let mut paths: Vec<_> = ROUTES.iter().map(|route| route.path.to_owned()).collect();
        for end in ["", "dep_1", "Dep_1", "a%2fb", "..", ".", "a/b", "a/", "ä", "ADMIN", "audit"] {
            for route in ROUTES {
                let begin = route.path.split('{').next().unwrap_or_default();
                paths.extend([format!("{begin}{end}"), format!("{begin}/{end}")]);
                paths.push(format!("{}/{end}", route.path));
                paths.push(begin.to_uppercase() + end);
            }
        }
        let mut count = 0;
        for path in &paths {
            if ROUTES.iter().any(|route| route.is_spelled(path)) {
                let spelling = Spelling::of(path).unwrap();
                assert!(spelling.is_plain && spelling.path == *path, "{path}");
                count += 1;
            }
        }
        assert!(count > ROUTES.len(), "{count} of {}", paths.len());
    }

    #[test]
    fn an_id_that_readers_could_take_for_something_else_is_no_id() {
        for part in ["..", ".", "%2e%2e", "..\\admin", "a%2Fb", "%ff", "a%00"] {
            let spelling = Spelling::of(&format!("/deployments/{part}")).unwrap();
            assert!(!spelling.is_plain, "{part}");
        }
    }
}
