//! The callback of a sign-in that a terminal checks, without a portal.

use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::sign_in::{self, CallbackQuery};
use crate::server::auth::identity_provider::CALLBACK;
use crate::server::auth::sign_in::Callback;

/// The answer to the browser.
const ARRIVED: &str = "The terminal in which the check runs shows what came back.\n";

/// Serves the redirect URI until `stop` is cancelled, and sends the query of each request to
/// `queries`.
pub async fn take_callbacks(
    listener: TcpListener,
    queries: mpsc::Sender<String>,
    stop: CancellationToken,
) {
    let handler = get(arrive).with_state(queries);
    let served = axum::serve(listener, handler).with_graceful_shutdown(stop.cancelled_owned());
    drop(served.await);
}

async fn arrive(
    State(queries): State<mpsc::Sender<String>>,
    uri: Uri,
) -> Result<&'static str, StatusCode> {
    if uri.path() != CALLBACK {
        return Err(StatusCode::NOT_FOUND);
    }
    drop(queries.send(uri.query().unwrap_or_default().to_owned()).await);
    Ok(ARRIVED)
}

/// Parses the query of a callback; `None` if it is none.
pub fn parse_callback(query: &str) -> Option<Callback> {
    let query = query.split('#').next().unwrap_or_default();
    let address: Uri = format!("{CALLBACK}?{query}").parse().ok()?;
    let Query(query) = Query::<CallbackQuery>::try_from_uri(&address).ok()?;
    sign_in::callback(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_code_or_an_error_with_a_state_is_a_callback() {
        let own = |text: &str| text.to_owned();
        let callback = |code| Some(Callback { state: own("check.a"), code });
        assert_eq!(parse_callback("code=a%2Fb&state=check.a&iss=x"), callback(Ok(own("a/b"))));
        assert_eq!(parse_callback("state=check.a&code=c#"), callback(Ok(own("c"))));
        let denied = callback(Err(own("access_denied")));
        assert_eq!(parse_callback("error=access_denied&state=check.a"), denied);
        for query in ["", "code=c", "state=check.a", "%%%", "a b", "code=c&state=a&state=b"] {
            assert_eq!(parse_callback(query), None, "{query}");
        }
    }
}
