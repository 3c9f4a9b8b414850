//! A browser without scripts: it keeps cookies and follows redirects, at the portal in process and
//! at an identity provider on a port.

use ai_stack_deployer::http::{Responder, Site as _};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, Response, header};

use super::app::{Reply, TestApp, send_raw};

/// The origin of the portal in process.
pub(crate) const PORTAL: &str = "http://127.0.0.1:3000";
/// The maximum number of redirects that a browser follows.
const MAX_REDIRECTS: usize = 10;

/// A browser with its cookies and its current address.
pub(crate) struct Browser {
    portal: Responder,
    cookies: Vec<Cookie>,
    /// The names of the cookies that it refuses.
    refused: Vec<&'static str>,
    /// The absolute URL of the current page.
    pub(crate) address: String,
}

#[derive(Clone, Debug)]
struct Cookie {
    origin: String,
    name: String,
    value: String,
    path: String,
}

impl Browser {
    pub(crate) fn new(app: &TestApp) -> Self {
        let address = format!("{PORTAL}/");
        Self { portal: app.responder.clone(), cookies: Vec::new(), refused: Vec::new(), address }
    }

    /// Lets it refuse the cookies whose names begin like these.
    pub(crate) fn without_cookies(self, names: &[&'static str]) -> Self {
        Self { refused: names.to_vec(), ..self }
    }

    /// Sends one request, without following redirects.
    pub(crate) async fn get(&mut self, address: &str) -> Reply {
        self.send(Method::GET, address, "").await
    }

    /// Posts a form like our own page, without following redirects.
    pub(crate) async fn post(&mut self, address: &str, form: &str) -> Reply {
        self.send(Method::POST, address, form).await
    }

    /// Sends a request, and follows redirects.
    pub(crate) async fn visit(&mut self, address: &str) -> Reply {
        let reply = self.get(address).await;
        self.follow(reply).await
    }

    /// Follows redirects to their end.
    pub(crate) async fn follow(&mut self, mut reply: Reply) -> Reply {
        for _ in 0..MAX_REDIRECTS {
            let Some(location) = reply.header("location").map(ToOwned::to_owned) else {
                return reply;
            };
            reply = self.get(&location).await;
        }
        panic!("{MAX_REDIRECTS} redirects, the last to {}", self.address);
    }

    /// Follows the button of the sign-in page, and signs in at the provider as `account`.
    pub(crate) async fn sign_in(&mut self, account: &str, return_to: &str) -> Reply {
        let page = self.visit(&format!("/auth/sign-in?return_to={return_to}")).await;
        assert!(page.body.contains("Who are you?"), "{page:?}");
        let here = self.address.clone();
        let reply = self.post(&here, &format!("account={account}&answer=yes")).await;
        self.follow(reply).await
    }

    /// Returns a cookie of the portal's.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let ours = |cookie: &&Cookie| cookie.origin == PORTAL && cookie.name == name;
        self.cookies.iter().find(ours).map(|cookie| cookie.value.as_str())
    }

    /// Returns the portal's cookies whose names begin like this, with their names.
    pub(crate) fn cookies(&self, prefix: &str) -> Vec<(String, String)> {
        let ours = |cookie: &&Cookie| cookie.origin == PORTAL && cookie.name.starts_with(prefix);
        let found = self.cookies.iter().filter(ours);
        found.map(|cookie| (cookie.name.clone(), cookie.value.clone())).collect()
    }

    /// Sets a cookie of the portal in the browser.
    pub(crate) fn plant(&mut self, name: &str, value: &str) {
        self.keep(PORTAL, &format!("{name}={value}; Path=/"));
    }

    async fn send(&mut self, method: Method, address: &str, form: &str) -> Reply {
        self.address = absolute(&self.address, address);
        let (origin, path) = split(&self.address);
        let (origin, path) = (origin.to_owned(), path.to_owned());
        let cookies = self.cookies_for(&origin, &path);
        let request = Request::builder()
            .method(method)
            .uri(&path)
            .header(header::HOST, origin.trim_start_matches("http://"))
            .header(header::ACCEPT, "text/html")
            .header(header::ORIGIN, &origin)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::CONTENT_LENGTH, form.len())
            .header(header::COOKIE, cookies);
        let reply = if origin == PORTAL {
            let request = request.body(Body::from(form.to_owned())).unwrap();
            let (method, uri) = (request.method().clone(), request.uri().clone());
            let reply = Reply::of(self.portal.clone().respond(request).await).await;
            reply.check(method.as_str(), &uri);
            reply
        } else {
            exchange(&origin, request.body(form.to_owned()).unwrap()).await
        };
        for line in reply.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            if origin == PORTAL {
                assert_is_ours(line);
            }
            self.keep(&origin, line);
        }
        reply
    }

    fn cookies_for(&self, origin: &str, path: &str) -> String {
        let goes = |cookie: &&Cookie| cookie.origin == origin && path.starts_with(&cookie.path);
        let pairs = self.cookies.iter().filter(goes);
        pairs
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect::<Vec<_>>()
            .join("; ")
    }

    fn keep(&mut self, origin: &str, line: &str) {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let attributes: Vec<_> = parts.map(str::to_ascii_lowercase).collect();
        let path = attributes.iter().find_map(|attribute| attribute.strip_prefix("path="));
        // Attribute names of cookies may be in upper case.
        let path = path
            .and_then(|path| Some(&line[line.to_ascii_lowercase().find(path)?..][..path.len()]));
        let path = path.unwrap_or("/").to_owned();
        let is_gone = attributes.iter().any(|a| a == "max-age=0" || a.contains("1970"));
        let cookie = Cookie {
            origin: origin.to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
            path,
        };
        self.cookies.retain(|kept| {
            (&kept.origin, &kept.name, &kept.path) != (&cookie.origin, &cookie.name, &cookie.path)
        });
        if !is_gone && !self.refused.iter().any(|refused| name.starts_with(refused)) {
            self.cookies.push(cookie);
        }
    }
}

/// Checks that a cookie is sent only to the portal's host, and hidden from scripts. The one of an open
/// portal over plain http has no prefix.
fn assert_is_ours(line: &str) {
    let is_secure = line.starts_with("__Host-") && line.contains("; Secure");
    assert!(is_secure || line.starts_with("browser="), "{line}");
    for attribute in ["Path=/;", "HttpOnly", "SameSite=Lax", "Max-Age="] {
        assert!(line.contains(attribute), "{line}");
    }
    assert!(!line.contains("Domain"), "{line}");
}

/// Resolves `address` against `base`.
fn absolute(base: &str, address: &str) -> String {
    if address.starts_with('/') {
        format!("{}{address}", split(base).0)
    } else {
        address.to_owned()
    }
}

/// Splits an address into its origin, and its path with the query.
fn split(address: &str) -> (&str, &str) {
    let start = address.find("://").unwrap() + 3;
    let end = address[start..].find('/').map_or(address.len(), |at| start + at);
    address.split_at(end)
}

/// Sends a request to a provider.
async fn exchange(origin: &str, request: Request<String>) -> Reply {
    let address = origin.trim_start_matches("http://").parse().unwrap();
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter();
    let headers = headers.map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()));
    let (method, path, headers) = (parts.method, parts.uri, headers.collect::<String>());
    let text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n{headers}");
    let answer = send_raw(address, format!("{text}\r\n{body}").as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let mut response = Response::builder().status(status);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        response = response.header(name, HeaderValue::from_str(value).unwrap());
    }
    Reply::of(response.body(Body::from(body.to_owned())).unwrap()).await
}
