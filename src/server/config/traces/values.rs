//! Parsers of the values that OpenTelemetry defines.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use secrecy::SecretString;

use super::super::parse::or_advice;
use crate::server::origin::Origin;

type Parsed<T> = Result<T, String>;

/// Where traces go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exporter {
    /// To a collector.
    Otlp,
    /// Nowhere.
    None,
}

pub(super) fn exporter(text: &str) -> Parsed<Exporter> {
    match text.trim().to_ascii_lowercase().as_str() {
        "otlp" => Ok(Exporter::Otlp),
        "none" => Ok(Exporter::None),
        _ => Err(format!("is {text:?}: give otlp or none")),
    }
}

pub(super) fn truth(text: &str) -> Parsed<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("is {text:?}: give true or false")),
    }
}

/// Parses the address of a collector, to which the path of traces is added.
pub(super) fn base(text: &str) -> Parsed<String> {
    address(text.trim_end_matches('/'), text, "give an address like http://localhost:4318")
}

/// Parses the whole address for traces.
pub(super) fn endpoint(text: &str) -> Parsed<String> {
    address(text, text, "give an address like http://localhost:4318/v1/traces")
}

fn address(address: &str, text: &str, advice: &str) -> Parsed<String> {
    if text.contains(['@', '?']) {
        // They may contain a password, so the error does not repeat them.
        return Err(String::from(
            "has a user, a password or a query: give the address without them, and credentials as \
             headers",
        ));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~:%+=,".contains(c);
    let is_right = Origin::split(address).is_ok_and(|(_, path)| path.chars().all(plain));
    or_advice(is_right.then(|| address.to_owned()), text, advice)
}

/// Headers of requests. One value, so that an option replaces the whole variable.
#[derive(Clone, Debug)]
pub(in super::super) struct Headers(pub(super) Vec<(String, SecretString)>);

pub(super) fn headers(text: &str) -> Parsed<Headers> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_right = |(name, value): &(String, String)| {
        name.chars().all(is_name) && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    };
    let pairs = pairs(text).filter(|pairs| pairs.iter().all(is_right));
    let pairs = pairs.ok_or_else(|| no_list(""))?;
    Ok(Headers(pairs.into_iter().map(|(name, value)| (name, SecretString::from(value))).collect()))
}

/// Attributes of the portal. One value, so that an option replaces the whole variable.
#[derive(Clone, Debug)]
pub(super) struct Attributes(pub(super) Vec<(String, String)>);

pub(super) fn attributes(text: &str) -> Parsed<Attributes> {
    pairs(text).map(Attributes).ok_or_else(|| no_list(", and percent-encode special characters"))
}

/// Parses `NAME=VALUE`, separated by commas, with percent-encoded values. A comma at the end is
/// allowed.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        let name = Some(name.trim()).filter(|name| !name.is_empty());
        name.map(|name| (name.to_owned(), value.into_owned()))
    };
    let list = text.trim().trim_end_matches(',');
    list.split(',').map(pair).collect()
}

fn no_list(more: &str) -> String {
    format!("is no list of NAME=VALUE, separated by commas{more}")
}

/// Parses a time in milliseconds. Without end, as zero means elsewhere, it must not be.
pub(super) fn milliseconds(text: &str) -> Parsed<Duration> {
    let number = text.trim().parse().ok().filter(|number| *number > 0);
    let time = number.map(|number: u32| Duration::from_millis(number.into()));
    or_advice(time, text, "give a number of milliseconds from 1 on")
}

/// Parses a number of spans, for which there is memory.
pub(super) fn spans(text: &str) -> Parsed<usize> {
    let number = text.trim().parse().ok().filter(|number| (1..=100_000).contains(number));
    or_advice(number, text, "give a number of spans from 1 to 100000")
}
