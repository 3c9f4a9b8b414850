//! Reads the cookies that the account page and the sign-in page need.

use axum::{
    extract::Request,
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};

use super::cookies;
use crate::{api::PageCookies, server::auth::secret::TOKEN_PREFIX};

/// The pages that want to know.
const PAGES: [&str; 2] = ["/account", "/sign-in"];

/// Tells the page, and takes a token that it shows from the browser: a second look shows none.
pub(super) async fn read(mut request: Request, next: Next) -> Response {
    if !PAGES.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let token = cookies::read(request.headers(), cookies::TOKEN);
    let fresh_token = token.filter(|token| token.starts_with(TOKEN_PREFIX)).map(ToOwned::to_owned);
    let had_session = cookies::read(request.headers(), cookies::SESSION).is_some();
    let takes_token = token.is_some();
    request.extensions_mut().insert(PageCookies { fresh_token, had_session });
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if takes_token {
        headers.append(header::SET_COOKIE, cookies::remove(cookies::TOKEN));
    }
    response
}
