//! The requests of a page to the portal.

#[cfg(any(feature = "hydrate", feature = "name-form"))]
use js_sys::encode_uri_component;
#[cfg(feature = "hydrate")]
use js_sys::futures::JsFuture;
use wasm_bindgen::JsValue;
#[cfg(feature = "hydrate")]
use web_sys::AbortSignal;
use web_sys::{Headers, RequestInit, Response};

use super::in_browser::send;
use super::parsed::Parsed;
use super::refused::Refused;
#[cfg(feature = "name-form")]
use crate::wire::{CHECK_NAME, NameVerdict};
#[cfg(feature = "name-form")]
use domain::read::FromJson;
use domain::read::field;
use domain::words::refusal as words;

/// The media type of a form, and the one that is wanted in return.
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
/// The header by which a server function redirects a caller that is no form.
#[cfg(any(feature = "hydrate", feature = "name-form"))]
const REDIRECTS: &str = "serverfnredirect";

/// Sends a request; `None` if there is no answer in time.
#[cfg(feature = "hydrate")]
pub(crate) async fn get(address: &str, limit_ms: u32) -> Option<Response> {
    let request = request()?;
    request.set_signal(Some(&AbortSignal::timeout_with_u32(limit_ms)));
    send(address, &request).await
}

/// Posts one field to the server function at `address`, and returns where that redirects.
///
/// # Errors
///
/// Returns why nothing was done, or that the answer is not one of the portal.
#[cfg(any(feature = "hydrate", feature = "name-form"))]
pub(crate) async fn post(address: &str, field: &str, value: &str) -> Result<String, Refused> {
    let fields = format!("{field}={}", String::from(encode_uri_component(value)));
    let response = send_fields(address, &fields).await?;
    let header = |name| response.headers().get(name).ok().flatten();
    match header("location").filter(|_| response.ok() && header(REDIRECTS).is_some()) {
        Some(location) => Ok(location),
        None => Err(refusal(&response).await),
    }
}

/// Posts the fields of a form to `address`, and returns the JSON of the answer.
///
/// # Errors
///
/// Returns why there is none.
#[cfg(feature = "question-form")]
pub(crate) async fn post_fields(address: &str, fields: &str) -> Result<Parsed, Refused> {
    let response = send_fields(address, fields).await?;
    if !response.ok() {
        return Err(refusal(&response).await);
    }
    Parsed::of(&response).await.ok_or_else(|| by_itself(words::ANSWER))
}

async fn send_fields(address: &str, fields: &str) -> Result<Response, Refused> {
    let unreachable = || by_itself(words::PORTAL_UNREACHABLE);
    let request = request().ok_or_else(unreachable)?;
    request.set_method("POST");
    request.set_body(&JsValue::from(fields));
    send(address, &request).await.ok_or_else(unreachable)
}

/// Returns why there is no answer of the portal.
fn by_itself(message: &str) -> Refused {
    Refused {
        #[cfg(any(feature = "name-form", feature = "question-form"))]
        code: String::new(),
        message: message.to_owned(),
    }
}

/// Asks whether `name` is available; `None` if there is no answer, which does no harm, since the
/// start checks the name anyway.
#[cfg(feature = "name-form")]
pub(crate) async fn check_name(name: &str) -> Option<NameVerdict> {
    let name = String::from(encode_uri_component(name));
    let request = gloo_net::http::Request::get(&format!("{CHECK_NAME}?name={name}"));
    let response = request.header("accept", JSON).send().await.ok()?;
    FromJson::from_json(&Parsed::parse(&response.text().await.ok()?)?)
}

fn request() -> Option<RequestInit> {
    let headers = Headers::new().ok()?;
    headers.set("accept", JSON).ok()?;
    headers.set("content-type", FORM).ok()?;
    let request = RequestInit::new();
    request.set_headers(&headers);
    Some(request)
}

/// Reads why the portal did not do it.
async fn refusal(response: &Response) -> Refused {
    let read = async {
        let body = Parsed::of(response).await?;
        Some(Refused {
            #[cfg(any(feature = "name-form", feature = "question-form"))]
            code: field(&body, "code")?,
            message: field(&body, "error")?,
        })
    };
    read.await.unwrap_or_else(|| by_itself(words::ANSWER))
}

/// Reads the body of `response` as text.
#[cfg(feature = "hydrate")]
pub(crate) async fn text(response: &Response) -> Option<String> {
    JsFuture::from(response.text().ok()?).await.ok()?.as_string()
}
