//! Rendered pages, kept for the next request for the same page.
//!
//! A page is kept with the data that it was rendered from. It is sent again only if what was read for
//! the present request is the same, so it is never older than what was read; only the time that it
//! shows may be some milliseconds old. It always gets a new nonce.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use hashlink::LruCache;
use leptos::nonce::Nonce;
use parking_lot::Mutex;

use crate::api::AccountLink;
use crate::api::page_data::{Content, PageData};
use crate::app::policy;
use crate::http::error::Failed;
use crate::http::generated;
use crate::wire::Allowance;
use domain::refusal::{InternalFault, Refusal};

/// The number of bytes of HTML that are kept in all.
const CAPACITY: usize = 4 << 20;
/// The number of pages that are kept at most.
const PAGES: usize = 256;

/// The pages that were rendered last.
pub(super) struct RenderedPages(Mutex<Kept>);

struct Kept {
    pages: LruCache<PageKey, Entry>,
    bytes: usize,
}

/// What a page is kept under: its path, and what differs between those who see it, so that they do
/// not replace each other's page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PageKey {
    path: String,
    account: AccountLink,
    allowance: Option<Allowance>,
    may_change: bool,
    has_kept_data: bool,
}

struct Entry {
    data: Arc<PageData>,
    page: Arc<RenderedPage>,
}

/// A page that was rendered: what is between the places of its nonce.
pub(super) struct RenderedPage {
    headers: HeaderMap,
    pieces: Vec<Bytes>,
}

impl PageKey {
    /// Returns the key of the page that a request asks for; `None` if it depends on more than its path
    /// and its data.
    pub(super) fn of(parts: &Parts, data: &PageData) -> Option<Self> {
        let has_secrets =
            |is_secure| generated::read(is_secure, &parts.headers, parts.uri.path()).is_some();
        if has_secrets(true) || has_secrets(false) {
            return None;
        }
        let (allowance, may_change, has_kept_data) = match &data.content {
            Content::Home(home) => (home.allowance, false, home.has_kept_data),
            Content::Operation(Ok(view)) => (None, view.may_change, false),
            Content::ApiDocs => (None, false, false),
            Content::MyStacks(_)
            | Content::New(_)
            | Content::Operation(Err(_))
            | Content::Other => return None,
        };
        let is_plain = parts.method == Method::GET && parts.uri.query().is_none();
        let (path, account) = (parts.uri.path().to_owned(), data.frame.account.clone());
        is_plain.then_some(Self { path, account, allowance, may_change, has_kept_data })
    }
}

impl Default for RenderedPages {
    fn default() -> Self {
        Self(Mutex::new(Kept { pages: LruCache::new_unbounded(), bytes: 0 }))
    }
}

impl RenderedPages {
    /// Returns the page that was rendered from the same `data`, whose time may be a few milliseconds
    /// older.
    pub(super) fn find(&self, key: &PageKey, data: &mut PageData) -> Option<Arc<RenderedPage>> {
        let (last, page) = {
            let mut kept = self.0.lock();
            let entry = kept.pages.get(key)?;
            (Arc::clone(&entry.data), Arc::clone(&entry.page))
        };
        data.take_time_of(&last);
        (*last == *data).then_some(page)
    }

    /// Keeps the page in a response, in place of the one that was rendered from older data, and
    /// returns the response.
    pub(super) async fn keep(
        &self,
        key: PageKey,
        data: Arc<PageData>,
        response: Response,
        nonce: &Nonce,
    ) -> Response {
        if response.status() != StatusCode::OK {
            return response;
        }
        let (parts, body) = response.into_parts();
        let Ok(html) = to_bytes(body, usize::MAX).await else {
            return Failed::from(Refusal::Internal(InternalFault::NotReady)).into_response();
        };
        if html.len() <= CAPACITY / 4 {
            let page = RenderedPage::new(parts.headers.clone(), &html, nonce);
            self.insert(key, Entry { data, page: Arc::new(page) });
        }
        Response::from_parts(parts, Body::from(html))
    }

    fn insert(&self, key: PageKey, entry: Entry) {
        let kept = &mut *self.0.lock();
        kept.bytes += entry.page.size();
        if let Some(old) = kept.pages.insert(key, entry) {
            kept.bytes -= old.page.size();
        }
        while kept.bytes > CAPACITY || kept.pages.len() > PAGES {
            let Some((_, entry)) = kept.pages.remove_lru() else { break };
            kept.bytes -= entry.page.size();
        }
    }
}

impl RenderedPage {
    /// Divides a page at its `nonce`.
    pub(super) fn new(headers: HeaderMap, html: &Bytes, nonce: &Nonce) -> Self {
        let mut pieces = Vec::new();
        let (mut rest, nonce) = (html.clone(), nonce.as_bytes());
        while let Some(at) = rest.windows(nonce.len()).position(|window| window == nonce) {
            pieces.push(rest.split_to(at));
            drop(rest.split_to(nonce.len()));
        }
        pieces.push(rest);
        Self { headers, pieces }
    }

    /// Returns the page with this `nonce`.
    pub(super) fn with(&self, nonce: &Nonce) -> Response {
        let html: Vec<&[u8]> = self.pieces.iter().map(|piece| &**piece).collect();
        let html = html.join(nonce.as_bytes());
        let mut headers = self.headers.clone();
        if let Some(policy) = policy::header(nonce) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        (headers, Body::from(html)).into_response()
    }

    fn size(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;
    use crate::api::page_data::{FrameData, HomeData};
    use crate::wire::PlatformStatus;

    fn data(stuck: bool) -> PageData {
        let platform =
            PlatformStatus { reachable: !stuck, too_old: false, problem: None, sandbox: false };
        let frame = FrameData { platform, account: AccountLink::None };
        PageData { frame, content: Content::Home(HomeData::default()) }
    }

    fn key(uri: &str) -> Option<PageKey> {
        let request = Request::get(uri).body(()).unwrap();
        PageKey::of(&request.into_parts().0, &data(false))
    }

    async fn keep(pages: &RenderedPages, path: &str, html: String) {
        let nonce = Nonce::new();
        let html = html.replace("NONCE", &nonce);
        let response = Response::new(Body::from(html.clone()));
        let kept = pages.keep(key(path).unwrap(), Arc::new(data(false)), response, &nonce).await;
        assert_eq!(to_bytes(kept.into_body(), usize::MAX).await.unwrap(), html);
    }

    #[tokio::test]
    async fn a_page_is_found_by_its_path_and_its_data_and_gets_another_nonce() {
        let pages = RenderedPages::default();
        keep(&pages, "/", "<a NONCE><b NONCE>".into()).await;
        let find = |path: &str, is_stuck| pages.find(&key(path).unwrap(), &mut data(is_stuck));
        assert!(find("/other", false).is_none() && find("/", true).is_none());
        let nonce = Nonce::new();
        let response = find("/", false).unwrap().with(&nonce);
        let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains(&*nonce), "{policy}");
        let html = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert_eq!(html, format!("<a {nonce}><b {nonce}>"));
        assert!(key("/?name=alice").is_none());
    }

    #[tokio::test]
    async fn what_is_kept_is_limited_in_number_and_in_size() {
        let pages = RenderedPages::default();
        for number in 0..PAGES + 10 {
            keep(&pages, &format!("/{number}"), "x".into()).await;
        }
        assert_eq!(pages.0.lock().pages.len(), PAGES);
        for number in 0..10 {
            keep(&pages, &format!("/{number}"), "x".repeat(CAPACITY / 4)).await;
        }
        keep(&pages, "/large", "x".repeat(CAPACITY)).await;
        assert!(pages.find(&key("/large").unwrap(), &mut data(false)).is_none());
        let kept = pages.0.lock();
        let sizes = kept.pages.iter().map(|(_, entry)| entry.page.size());
        assert_eq!(kept.bytes, sizes.sum::<usize>());
        assert!(kept.bytes <= CAPACITY && kept.pages.len() >= 3, "{}", kept.bytes);
    }
}
