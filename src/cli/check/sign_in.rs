//! `check --sign-in`: signs the operator in at the identity provider, and says what came back.
//!
//! The answer comes to this command by hand: the operator pastes the address at which they arrive.
//! If no portal runs here, the command also takes the answer itself. Nobody is signed in at the
//! portal, and nothing is stored.

use std::io::{self, BufRead};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use transport::Outbound;

use crate::cli::{CommandError, say};
use crate::http::{parse_callback, take_callbacks};
use crate::run::StartError;
use crate::server::auth::identity_provider::{
    AuthorizationRequest, AuthorizationResponse, CALLBACK, CHECK_STATE, IdentityProvider, Wanted,
};
use crate::server::auth::oidc::Oidc;
use crate::server::auth::secret::Secret;
use crate::server::auth::sign_in::Callback;
use crate::server::settings::{AuthSettings, OidcSettings, Settings};
use clock::SystemClock;

/// How long the operator may take.
const PATIENCE: Duration = Duration::from_mins(10);
/// How long the browser may take to read the answer.
const FAREWELL: Duration = Duration::from_secs(1);

/// Returns the result in sentences: `Ok` if people can sign in, `Err` if not.
pub(super) async fn run(
    settings: &Settings,
    outbound: &Outbound,
) -> Result<Result<String, String>, CommandError> {
    let oidc = match &settings.auth {
        AuthSettings::Oidc(oidc) => OidcSettings::clone(oidc),
        AuthSettings::Open => {
            return Ok(Err(String::from("AUTH is open: there is no sign-in to check.")));
        }
    };
    let provider = Oidc::new(oidc, outbound, Arc::new(SystemClock)).map_err(StartError::from)?;
    let portal = &settings.http.public_url;
    let [state, nonce, verifier] = std::array::from_fn(|_| Secret::from_random(rand::random()));
    let state = format!("{CHECK_STATE}{}", state.expose());
    let (nonce, verifier) = (nonce.expose(), verifier.expose());
    let (again, wants_email) = (false, true);
    let request =
        AuthorizationRequest { portal, state: &state, nonce, verifier, again, wants_email };
    let address = match provider.begin(&request).await {
        Ok(address) => address,
        Err(error) => return Ok(Err(format!("Nobody can sign in: {error}."))),
    };
    // If a portal runs here, it tells the person to paste the address.
    let listener = TcpListener::bind(settings.http.addr).await.ok();
    say("Open this address in a browser, and sign in:")?;
    say(&address)?;
    say(&format!(
        "Then paste here the address at which you arrive, which begins with {portal}{CALLBACK}:"
    ))?;
    let code = match answer(listener, &state).await {
        Ok(code) => code,
        Err(problem) => return Ok(Err(problem)),
    };
    let wanted = Wanted::default();
    let response = AuthorizationResponse { portal, code: &code, nonce, verifier, wanted };
    Ok(match provider.explain(&response).await {
        Ok(report) => Ok(report.to_string()),
        Err(error) => Err(format!("This person cannot sign in: {error}.")),
    })
}

/// Waits for the answer of the provider to the request with this `state`, and returns its code.
async fn answer(listener: Option<TcpListener>, state: &str) -> Result<String, String> {
    let (queries, mut arriving) = mpsc::channel(1);
    read_lines(queries.clone());
    let stop = CancellationToken::new();
    let taking = |listener| tokio::spawn(take_callbacks(listener, queries, stop.clone()));
    let server = listener.map(taking);
    let found = tokio::time::timeout(PATIENCE, async {
        while let Some(query) = arriving.recv().await {
            match parse_callback(&query) {
                Some(Callback { state: own, code }) if own == state => {
                    let refused = |error| format!("The provider did not sign you in: {error:?}.");
                    return code.map_err(refused);
                }
                Some(_) | None => {
                    drop(say("This is not the address of the sign-in that began above:"));
                }
            }
        }
        Err(String::from("There was no answer: paste the address at which you arrive."))
    })
    .await;
    stop.cancel();
    if let Some(server) = server {
        // The browser gets its answer.
        drop(tokio::time::timeout(FAREWELL, server).await);
    }
    found.unwrap_or_else(|_| Err(String::from("There was no answer within ten minutes.")))
}

/// Reads the queries of addresses that somebody pastes into the terminal.
fn read_lines(queries: mpsc::Sender<String>) {
    // A thread of its own: it cannot be interrupted, so the runtime must not wait for it.
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            let query = line.trim().split_once('?').map(|(_, query)| query.to_owned());
            if !line.trim().is_empty() && queries.blocking_send(query.unwrap_or_default()).is_err()
            {
                return;
            }
        }
    });
}
