//! Connects Leptos to the router: the pages, their server functions and the files of the built
//! site.
//!
//! It must not know how a page looks; that, and the content security policy, belong to `app`.

mod rendered;

use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::handler::HandlerWithoutStateExt;
use axum::http::header::{self, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use leptos::nonce::Nonce;
use leptos::prelude::{LeptosOptions, provide_context, with_context};
use leptos_axum::{
    generate_route_list, handle_server_fns_with_context, render_app_async_with_context,
};
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, ServiceExt as _};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use self::rendered::{PageKey, RenderedPages};
use super::error::{self, Failed};
use super::generated;
use super::headers::HasSecret;
use super::new::{self, FormAgain};
use super::routes::FormOf;
use super::site::Site;
use super::{DOCUMENT, HttpState, routes, settings};
use crate::api::AccountLink;
use crate::api::page_data::{Address, PageData};
use crate::app::{App, shell};
use crate::server::auth::access::Caller;
use crate::server::auth::cookies;
use crate::server::auth::secret::TOKEN_PREFIX;
use crate::server::page::{API_DOCS, HiddenPage, IsSecure, NewSecret, PageCookies};
use crate::server::stacks::Service;
use crate::server::stacks::form::Filling;
use domain::refusal::{InternalFault, Refusal};

/// The pages that use other cookies than the session's.
const PAGES_WITH_COOKIES: [&str; 2] = ["/account", "/sign-in"];

/// The caching of code during development.
const NEVER: HeaderValue = HeaderValue::from_static("no-cache");
/// The caching of an icon.
const FOR_A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// The end of a document.
const END: &[u8] = b"</html>";

/// The headers of requests for what has changed, and for a part of what has not.
const CONDITIONS: [HeaderName; 5] = [
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
];

/// Makes the handlers of what Leptos renders and serves.
pub(super) struct Pages<'a> {
    state: &'a HttpState,
    site: Site,
    rendered: Arc<RenderedPages>,
}

/// A response in progress.
type Responding = Pin<Box<dyn Future<Output = Response> + Send>>;

impl<'a> Pages<'a> {
    /// Prepares Leptos. `options` contains the folder of the built site.
    pub(super) fn new(state: &'a HttpState, options: LeptosOptions) -> Self {
        // Called because it also starts the executor that renders. The list is not used: the routes
        // are those of our table.
        drop(generate_route_list(App));
        Self { state, site: Site::read(options), rendered: Arc::default() }
    }

    /// Returns the handler that renders the page at an address.
    pub(super) fn page(&self) -> impl Fn(Request) -> Responding + Clone + Send + Sync + 'static {
        let (options, small) = (self.site.options.clone(), self.site.small.clone());
        let document = move || shell(options.clone(), &small);
        let render = render_app_async_with_context(self.context(), document);
        let service = Arc::clone(&self.state.service);
        let has_sign_in = self.state.sign_in_service.is_some();
        let is_secure = self.state.authenticator.is_secure();
        let rendered = Arc::clone(&self.rendered);
        move |request| {
            let (service, rendered, render) =
                (Arc::clone(&service), Arc::clone(&rendered), render.clone());
            Box::pin(async move {
                let (mut parts, body) = request.into_parts();
                if is_too_long(&parts.headers) {
                    return Failed::from(Refusal::BodyTooLarge(error::BODY_LIMIT >> 10))
                        .into_response();
                }
                let account = AccountLink::of(has_sign_in, &parts.extensions);
                let is_hidden = parts.extensions.get::<HiddenPage>().is_some();
                let caller = parts.extensions.get::<Caller>().filter(|_| !is_hidden);
                let address = Address {
                    path: parts.uri.path(),
                    query: parts.uri.query().unwrap_or_default(),
                    refused: parts.extensions.get::<Arc<Filling>>().map(Arc::as_ref),
                };
                let mut data = PageData::read(&service, account, address, caller).await;
                let (nonce, key) = (Nonce::new(), PageKey::of(&parts, &data));
                if let Some(page) = key.as_ref().and_then(|key| rendered.find(key, &mut data)) {
                    return page.with(&nonce);
                }
                let data = Arc::new(data);
                parts.extensions.insert(Arc::clone(&data));
                parts.extensions.insert(nonce.clone());
                let is_api_docs = parts.uri.path() == API_DOCS;
                let response =
                    with_cookies(&service, is_secure, Request::from_parts(parts, body), render)
                        .await;
                let response = if is_api_docs { without_tail(response).await } else { response };
                match key {
                    Some(key) => rendered.keep(key, data, response, &nonce).await,
                    None => response,
                }
            })
        }
    }

    /// Returns the handler of a form that comes back on its page: with the status of the refusal, if it
    /// was refused.
    pub(super) fn form(
        &self,
        state: &Arc<HttpState>,
        form: FormOf,
    ) -> impl Fn(Request) -> Responding + Clone + Send + Sync + 'static {
        let (page, state) = (self.page(), Arc::clone(state));
        move |request| {
            let (page, state) = (page.clone(), Arc::clone(&state));
            Box::pin(async move {
                let handled = match form {
                    FormOf::NewStack => new::start(&state, request).await,
                    FormOf::Settings => settings::send(&state, request).await,
                };
                let FormAgain { page: request, error } = match handled {
                    Ok(response) => return response,
                    Err(again) => *again,
                };
                let mut response = page(request).await;
                let no_store = HeaderValue::from_static("no-store");
                response.headers_mut().insert(header::CACHE_CONTROL, no_store);
                let Some(error) = error else { return response };
                let (refusal, _) = Failed::from(error).into_response().into_parts();
                if response.status().is_success() {
                    *response.status_mut() = refusal.status;
                }
                let headers = response.headers_mut();
                if let Some(seconds) = refusal.headers.get(header::RETRY_AFTER) {
                    headers.insert(header::RETRY_AFTER, seconds.clone());
                }
                response.extensions_mut().extend(refusal.extensions);
                response
            })
        }
    }

    /// Returns the handler of server functions.
    pub(super) fn function(
        &self,
    ) -> impl Fn(Request) -> Responding + Clone + Send + Sync + 'static {
        let context = self.context();
        move |request| {
            let response = handle_server_fns_with_context(context.clone(), request);
            Box::pin(async { response.await.into_response() })
        }
    }

    /// Returns the service of the site's code and style.
    pub(super) fn code(&self) -> Files {
        if self.site.is_watched {
            return self.watched_code();
        }
        let site = self.site.clone();
        let answer = move |request: Request| ready(site.answer(request.uri(), request.headers()));
        Files::new(answer.into_service())
    }

    /// Returns the service of the code during development: it reads the files each time.
    fn watched_code(&self) -> Files {
        let site = self.site.clone();
        let unknown = |uri: &Uri| error::unknown(uri).into_response();
        let files = self.files(move |request| Box::pin(ready(unknown(request.uri()))));
        let answer = move |mut request: Request| -> Responding {
            match site.file_at(request.uri().path()) {
                Some(uri) => {
                    *request.uri_mut() = uri;
                    let files = files.clone();
                    Box::pin(async { files.oneshot(request).await.into_response() })
                }
                None => Box::pin(ready(unknown(request.uri()))),
            }
        };
        Files::new(caching(NEVER).layer(answer.into_service()))
    }

    /// Returns the service of all other addresses: an icon of the site, or the not-found page.
    pub(super) fn other(&self) -> Files {
        let page = self.page();
        let nothing = move |mut request: Request| {
            request.extensions_mut().insert(HiddenPage);
            page(request)
        };
        // Nobody asks whether an icon has changed: after a return to an older version, its date, and
        // the tag that is made of it, would say that the newer one is still right.
        let unconditional = |mut request: Request| {
            for name in CONDITIONS {
                request.headers_mut().remove(name);
            }
            request
        };
        let without_date = |mut response: Response| {
            response.headers_mut().remove(header::LAST_MODIFIED);
            response.headers_mut().remove(header::ETAG);
            response
        };
        let files = self.files(nothing).map_request(unconditional).map_response(without_date);
        Files::new(caching(FOR_A_DAY).layer(files))
    }

    /// Returns the service of the site's files, and of `nothing` for all other addresses. The file
    /// system is asked only for paths that a file of the site may have.
    fn files(
        &self,
        nothing: impl Fn(Request) -> Responding + Clone + Send + Sync + 'static,
    ) -> Files {
        let site = ServeDir::new(&*self.site.options.site_root)
            .append_index_html_on_directories(false)
            .precompressed_gzip()
            .precompressed_br()
            .call_fallback_on_method_not_allowed(true)
            .fallback(nothing.clone().into_service());
        let answer = move |request: Request| -> Responding {
            if routes::is_file(request.uri().path()) {
                let site = site.clone();
                Box::pin(async { site.oneshot(request).await.into_response() })
            } else {
                nothing(request)
            }
        };
        Files::new(answer.into_service())
    }

    /// Returns the closure that provides the use cases to pages and server functions.
    fn context(&self) -> impl Fn() + Clone + Send + Sync + 'static {
        let service = Arc::clone(&self.state.service);
        let sign_in_service = self.state.sign_in_service.clone();
        let is_secure = IsSecure(self.state.authenticator.is_secure());
        move || {
            provide_request();
            provide_context(is_secure);
            provide_context(Arc::clone(&service));
            provide_context(service.kinds());
            provide_context(Arc::clone(&DOCUMENT.docs));
            if let Some(sign_in_service) = sign_in_service.clone() {
                provide_context(sign_in_service);
            }
        }
    }
}

/// Provides what the router has read for the request, and its nonce.
fn provide_request() {
    let data = with_context::<Parts, _>(|parts| {
        (parts.extensions.get::<Arc<PageData>>().cloned(), parts.extensions.get::<Nonce>().cloned())
    });
    let (data, nonce) = data.unwrap_or_default();
    if let Some(data) = data {
        provide_context(data);
    }
    if let Some(nonce) = nonce {
        provide_context(nonce);
    }
}

/// Returns the layer that lets browsers keep a file for `lifetime`.
fn caching(
    lifetime: HeaderValue,
) -> SetResponseHeaderLayer<impl Fn(&Response) -> Option<HeaderValue> + Clone> {
    SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, move |response: &Response| {
        response.status().is_success().then(|| lifetime.clone())
    })
}

/// A service that answers with files.
pub(super) type Files = BoxCloneSyncService<Request, Response, Infallible>;

/// Returns whether the `Content-Length` of a request is too large.
fn is_too_long(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    length.is_some_and(|length| length > error::BODY_LIMIT)
}

/// Removes what Leptos adds behind a document: scripts for islands, which a page without scripts has
/// no use for.
async fn without_tail(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(mut html) = to_bytes(body, usize::MAX).await else {
        return Failed::from(Refusal::Internal(InternalFault::NotReady)).into_response();
    };
    let end = html.windows(END.len()).position(|window| window == END);
    html.truncate(end.map_or(html.len(), |at| at + END.len()));
    Response::from_parts(parts, Body::from(html))
}

/// Reads the generated secrets that the page of a request shows once; `None` if the request has no
/// ticket that is good for it.
fn shown_once<'a>(
    service: &'a Service,
    is_secure: bool,
    request: &Request,
) -> impl Future<Output = Option<Vec<NewSecret>>> + Send + use<'a> {
    let found = generated::read(is_secure, request.headers(), request.uri().path());
    let found = found.map(|(id, ticket)| (id, ticket.to_owned()));
    let found = found.zip(request.extensions().get::<Caller>().cloned());
    async move {
        let ((id, ticket), caller) = found?;
        service.shown_once(&caller, &id, &ticket).await.ok().flatten()
    }
}

/// Passes the cookies that a page uses to it. Deletes the cookie of a new token from the browser,
/// so that the token is shown only once.
async fn with_cookies(
    service: &Service,
    is_secure: bool,
    mut request: Request,
    render: impl Fn(Request) -> Responding + Send,
) -> Response {
    if let Some(generated) = shown_once(service, is_secure, &request).await {
        let cookies = PageCookies { generated, ..PageCookies::default() };
        request.extensions_mut().insert(cookies);
        let mut response = render(request).await;
        response.extensions_mut().insert(HasSecret);
        // A page that does not show them leaves them to the next one.
        if response.status().is_success() {
            response.headers_mut().append(header::SET_COOKIE, generated::remove(is_secure));
        }
        return response;
    }
    if !PAGES_WITH_COOKIES.contains(&request.uri().path()) {
        return render(request).await;
    }
    let token = cookies::read(request.headers(), cookies::TOKEN);
    let fresh_token = token.filter(|token| token.starts_with(TOKEN_PREFIX)).map(ToOwned::to_owned);
    let had_session = cookies::read(request.headers(), cookies::SESSION).is_some();
    let takes_token = token.is_some();
    let had_probe = cookies::read(request.headers(), cookies::PROBE).is_some();
    request.extensions_mut().insert(PageCookies {
        fresh_token,
        had_session,
        had_probe,
        ..PageCookies::default()
    });
    let mut response = render(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if takes_token {
        response.extensions_mut().insert(HasSecret);
        let headers = response.headers_mut();
        headers.append(header::SET_COOKIE, cookies::remove(cookies::TOKEN));
    }
    response
}
