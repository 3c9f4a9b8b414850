//! Parsers of single values: each turns a text into its type, or returns what is wrong with it.
//!
//! The caller puts the variable's name before the error, which is the rest of that sentence.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::server::origin::{self, Origin, Scheme};
use crate::server::secrets::Keyring;
use crate::server::settings::{LogFormat, StoreSettings};
use domain::stack_spec::CertificateSource;

type Parsed<T> = Result<T, String>;

/// Returns the value, or that `text` is none and what to do instead.
pub(super) fn or_advice<T>(value: Option<T>, text: &str, advice: &str) -> Parsed<T> {
    value.ok_or_else(|| format!("is {text:?}: {advice}"))
}

/// Returns the text if it `is_right`, or what to do instead.
pub(super) fn text_if(is_right: bool, text: &str, advice: &str) -> Parsed<String> {
    or_advice(is_right.then(|| text.to_owned()), text, advice)
}

fn is_plain_name(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

pub(super) fn ip(text: &str) -> Parsed<IpAddr> {
    let ip = if text == "localhost" { Some(Ipv4Addr::LOCALHOST.into()) } else { text.parse().ok() };
    or_advice(ip, text, "give an IP address like 127.0.0.1")
}

pub(super) fn port(text: &str) -> Parsed<u16> {
    let port = text.parse().ok().filter(|port| *port > 0);
    or_advice(port, text, "give a port number from 1 to 65535")
}

pub(super) fn count(text: &str) -> Parsed<u32> {
    let number = text.parse().ok().filter(|number| *number > 0);
    or_advice(number, text, "give a whole number from 1 on")
}

pub(super) fn switch(text: &str) -> Parsed<bool> {
    match text {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("is {text:?}: give true or false")),
    }
}

pub(super) fn duration(text: &str) -> Parsed<Duration> {
    let duration = humantime::parse_duration(text).ok().filter(|duration| !duration.is_zero());
    or_advice(duration, text, "give a time like 60s or 5m")
}

/// The addresses of the portal. One value, so that an option replaces the whole variable.
#[derive(Clone, Debug)]
pub(super) struct PublicUrls(pub(super) Vec<Origin>);

pub(super) fn public_urls(text: &str) -> Parsed<PublicUrls> {
    text.split(',').map(|url| public_url(url.trim())).collect::<Parsed<_>>().map(PublicUrls)
}

pub(super) fn public_url(text: &str) -> Parsed<Origin> {
    let origin = Origin::parse(text.strip_suffix('/').unwrap_or(text)).ok();
    or_advice(origin, text, "give only scheme and host, like https://portal.example.com")
}

/// Parses the server's address. The path `/api` at its end is optional and is removed.
pub(super) fn dokploy_url(text: &str) -> Parsed<String> {
    let trimmed = text.trim_end_matches('/');
    let trimmed = trimmed.strip_suffix("/api").unwrap_or(trimmed);
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
    let is_right = Origin::split(trimmed).is_ok_and(|(_, path)| path.chars().all(plain));
    let url = is_right.then(|| trimmed.to_owned());
    or_advice(url, text, "give an address like https://dokploy.example.com")
}

/// Parses a key that is sent in a header: visible ASCII characters only.
pub(super) fn key(text: &str) -> Parsed<SecretString> {
    let key = text.trim();
    if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(SecretString::from(key))
    } else {
        Err(String::from("contains characters that a key cannot have: copy the key again"))
    }
}

/// Parses a token that nobody can guess.
pub(super) fn metrics_token(text: &str) -> Parsed<SecretString> {
    let token = key(text)?;
    if text.trim().len() < 16 {
        return Err(String::from(
            "is too short: give 16 characters or more, such as the output of `openssl rand -hex 16`",
        ));
    }
    Ok(token)
}

pub(super) fn keyring(text: &str) -> Parsed<Keyring> {
    Keyring::parse(text).map_err(|error| error.to_string())
}

#[expect(clippy::unnecessary_wraps, reason = "the form that a value parser has")]
pub(super) fn secret(text: &str) -> Parsed<SecretString> {
    Ok(SecretString::from(text.trim()))
}

pub(super) fn domain(text: &str) -> Parsed<String> {
    let domain = text.strip_prefix('.').unwrap_or(text).to_ascii_lowercase();
    let domain = Some(domain).filter(|domain| origin::is_domain(domain));
    or_advice(domain, text, "give a domain like ai.example.com")
}

pub(super) fn portal_name(text: &str) -> Parsed<String> {
    let is_name = (1..=32).contains(&text.len()) && is_plain_name(text);
    text_if(is_name, text, "use 1 to 32 of the letters a to z, digits and hyphens")
}

pub(super) fn scheme(text: &str) -> Parsed<Scheme> {
    or_advice(text.parse().ok(), text, "give http or https")
}

pub(super) fn certificate(text: &str) -> Parsed<CertificateSource> {
    text.parse().map_err(|_| format!("is {text:?}: give letsencrypt, none or custom"))
}

pub(super) fn image(text: &str) -> Parsed<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "./:@_-".contains(c);
    let is_image = !text.is_empty() && text.chars().all(plain) && !text.contains("://");
    text_if(is_image, text, "give an image like registry.example.com/ai-stack:1.4")
}

pub(super) fn registry(text: &str) -> Parsed<String> {
    or_advice(image(text).ok(), text, "give a host like registry.example.com")
}

/// Parses a number of CPUs into billionths of a CPU (Docker's unit).
pub(super) fn cpu(text: &str) -> Parsed<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_number =
        (1..=4).contains(&whole.len()) && fraction.len() <= 9 && digits(whole) && digits(fraction);
    let nanos = format!("{whole}{fraction:0<9}").parse().ok();
    let nanos = nanos.filter(|nanos| is_number && *nanos > 0);
    or_advice(nanos, text, "give a number of CPUs like 0.5 or 2")
}

/// Parses an amount of memory into bytes. `k`, `m` and `g` are powers of 1,024.
pub(super) fn memory(text: &str) -> Parsed<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => 0,
    };
    let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    or_advice(bytes.filter(|bytes| *bytes > 0), text, "give an amount like 512m or 2g")
}

pub(super) fn health_path(text: &str) -> Parsed<String> {
    let plain = |c: char| c.is_ascii_graphic() && !"\\#\"<>".contains(c);
    let is_path = text.starts_with('/') && !text.starts_with("//") && text.chars().all(plain);
    text_if(is_path, text, "give a path like /health")
}

pub(super) fn store(text: &str) -> Parsed<StoreSettings> {
    let postgres = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    if let Some(rest) = postgres {
        return if is_database(rest) {
            Ok(StoreSettings::Postgres { url: SecretString::from(text) })
        } else {
            let problem = "is not the address of a database: give one like \
                           postgres://user:password@host/name, and percent-encode everything in \
                           the password that is neither letter nor digit";
            Err(problem.to_owned())
        };
    }
    let rest = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:"));
    let file = rest.map(|rest| rest.split('?').next().unwrap_or_default());
    match file {
        Some(file) if !file.is_empty() && !file.contains(":memory:") && !file.ends_with('/') => {
            Ok(StoreSettings::Sqlite { path: PathBuf::from(file) })
        }
        // The error does not repeat the text, which may contain a password.
        _ => {
            Err(String::from("is not the address of a file: give one like sqlite://data/portal.db"))
        }
    }
}

/// Returns whether `rest` is a valid address of a PostgreSQL database, without the scheme. Unknown
/// parameters are invalid: the driver would log them, and they may be the part of a password after
/// an unescaped `?`.
fn is_database(rest: &str) -> bool {
    const PARAMETERS: [&str; 10] = [
        "application_name", "host", "hostaddr", "options", "password", "port", "sslcert", "sslkey",
        "sslmode", "sslrootcert",
    ];
    let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (server, name) = address.split_once('/').unwrap_or((address, ""));
    let named = |parameter: &str| PARAMETERS.contains(&parameter.split('=').next().unwrap_or(""));
    !server.is_empty()
        && !name.is_empty()
        && !name.contains(['/', '@'])
        && rest.chars().all(|c| c.is_ascii_graphic() && c != '#')
        && parameters.split('&').filter(|parameter| !parameter.is_empty()).all(named)
}

pub(super) fn log_format(text: &str) -> Parsed<LogFormat> {
    text.parse().map_err(|_| format!("is {text:?}: give pretty or json"))
}

pub(super) fn log_filter(text: &str) -> Parsed<String> {
    let is_filter = tracing_subscriber::EnvFilter::try_new(text).is_ok();
    text_if(is_filter, text, "give a level like info or module=debug")
}

/// Parses one reserved name. A text with characters that no name can have is an error.
pub(super) fn reserved_name(text: &str) -> Parsed<String> {
    let name = text.trim().to_owned();
    if is_plain_name(&name) {
        Ok(name)
    } else {
        Err(format!("contains {name:?}: give names like intern,preview, with commas between"))
    }
}
