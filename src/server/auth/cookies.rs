//! Reads and writes cookies. Browsers send them only to this host, and scripts cannot read them.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};

use super::secret::Secret;

/// The name of the cookie with the secret of a session.
pub(crate) const SESSION: &str = "__Host-session";
/// The beginning of the names of the cookies that identify a browser during a sign-in. Each sign-in
/// has a cookie of its own, so that several tabs can begin at the same time.
const SIGN_IN: &str = "__Host-sign-in-";
/// The name of the cookie that shows whether a browser that returned without one keeps cookies.
pub(crate) const PROBE: &str = "__Host-probe";
/// The number of characters of a sign-in's state in the name of its cookie.
const STATE_LENGTH: usize = 12;
/// The number of sign-ins that a browser may have in progress. Those that began first make room.
const MOST_SIGN_INS: usize = 8;
/// The name of the cookie that carries a new API token to the page that shows it once.
pub(crate) const TOKEN: &str = "__Host-token";

/// The cookie with the ticket for generated secrets, which the next page shows once, without a prefix.
pub(crate) const GENERATED: &str = "generated";

/// Returns the name of a cookie. Without HTTPS, it has no `__Host-` prefix: the prefix requires the
/// attribute `Secure`, and some browsers then ignore the cookie.
pub(crate) fn name(plain: &str, is_secure: bool) -> String {
    if is_secure { format!("__Host-{plain}") } else { plain.to_owned() }
}

/// Returns the name of the cookie that identifies a browser on an open portal.
pub(crate) fn browser(is_secure: bool) -> &'static str {
    if is_secure { "__Host-browser" } else { "browser" }
}

/// Returns the `Set-Cookie` header that identifies a browser on an open portal for `lifetime`.
pub(crate) fn write_browser(is_secure: bool, value: &str, lifetime: Duration) -> HeaderValue {
    write_as(is_secure, browser(is_secure), value, lifetime)
}

/// Returns the `Set-Cookie` header with the ticket for generated secrets.
pub(crate) fn write_generated(is_secure: bool, ticket: &str, lifetime: Duration) -> HeaderValue {
    write_as(is_secure, &name(GENERATED, is_secure), ticket, lifetime)
}

/// Returns the `Set-Cookie` header of a cookie on a portal with or without HTTPS.
pub(crate) fn write_as(
    is_secure: bool,
    name: &str,
    value: &str,
    lifetime: Duration,
) -> HeaderValue {
    if is_secure {
        return write(name, value, lifetime);
    }
    let seconds = lifetime.as_secs();
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax");
    sensitive(text)
}

/// Returns the name of the cookie that identifies a browser during the sign-in with this state.
pub(crate) fn sign_in(state: &Secret) -> String {
    format!("{SIGN_IN}{}", state.expose().get(..STATE_LENGTH).unwrap_or_default())
}

/// Returns the `Set-Cookie` headers that delete the cookies of the sign-ins that must make room for
/// another one. Browsers send the oldest cookies first (RFC 6265, section 5.4).
pub(crate) fn make_room_for_sign_in(headers: &HeaderMap) -> Vec<HeaderValue> {
    let names = pairs(headers).filter_map(|(name, _)| str::from_utf8(name).ok());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let is_sign_in =
        |name: &&str| name.strip_prefix(SIGN_IN).is_some_and(|state| state.chars().all(is_plain));
    let names: Vec<_> = names.filter(is_sign_in).collect();
    let surplus = (names.len() + 1).saturating_sub(MOST_SIGN_INS);
    names.into_iter().take(surplus).map(remove).collect()
}

/// Returns the value of a request's cookie. Cookies of others may have any bytes.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = pairs(headers).filter(|(found, _)| *found == name.as_bytes());
    values.find_map(|(_, value)| {
        str::from_utf8(value).ok().filter(|value| value.bytes().all(|byte| byte.is_ascii_graphic()))
    })
}

/// Returns the names and values of a request's cookies.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(|pair| {
        let pair = pair.trim_ascii();
        let (name, value) = pair.split_at_checked(pair.iter().position(|byte| *byte == b'=')?)?;
        Some((name, value.strip_prefix(b"=")?))
    })
}

/// Returns the `Set-Cookie` header of a cookie that lasts for `lifetime`. `value` must consist of
/// characters that need no escaping, as our secrets do.
pub(crate) fn write(name: &str, value: &str, lifetime: Duration) -> HeaderValue {
    let seconds = lifetime.as_secs();
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    sensitive(text)
}

fn sensitive(text: String) -> HeaderValue {
    let mut value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// Returns the `Set-Cookie` header that deletes a cookie.
pub(crate) fn remove(name: &str) -> HeaderValue {
    write(name, "", Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn a_cookie_goes_to_this_host_alone_and_to_no_script() {
        let written = write(SESSION, "abc", Duration::from_hours(1));
        let expected = "__Host-session=abc; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(written, expected);
        assert!(written.is_sensitive());
        assert!(remove(TOKEN).to_str().unwrap().starts_with("__Host-token=; Path=/; Max-Age=0;"));
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; x__Host-session=no"));
        headers
            .append(header::COOKIE, HeaderValue::from_static("__Host-token-x=2;__Host-session=3"));
        assert_eq!(read(&headers, SESSION), Some("3"));
        assert_eq!(read(&headers, "__Host-token-x"), Some("2"));
        assert_eq!(read(&headers, TOKEN), None);
    }

    #[test]
    fn a_cookie_is_found_beside_bytes_that_cannot_be_read() {
        for line in [
            &b"theme=d\xfcnn; __Host-session=3"[..],
            b"__Host-session=3; theme=\xff\xfe",
            b"\xff; __Host-session=\xff; __Host-session=3",
            b"__Host-session=\xc3\xbc;\t__Host-session=3",
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
            assert_eq!(read(&headers, SESSION), Some("3"), "{line:?}");
        }
    }

    #[test]
    fn the_oldest_sign_ins_make_room_and_nothing_else_does() {
        let state = |number| Secret::from_random([number; 32]);
        let mut headers = HeaderMap::new();
        let mut names: Vec<_> = (0..10).map(|number| sign_in(&state(number))).collect();
        names.dedup();
        assert_eq!(names.len(), 10);
        let line = |name: &str| HeaderValue::try_from(format!("{name}=x")).unwrap();
        for name in names.iter().take(7) {
            headers.append(header::COOKIE, line(name));
        }
        headers.append(header::COOKIE, line("__Host-session"));
        headers.append(header::COOKIE, line("__Host-sign-in-a\"b"));
        assert!(make_room_for_sign_in(&headers).is_empty());
        for name in names.iter().skip(7) {
            headers.append(header::COOKIE, line(name));
        }
        let removed: Vec<_> = names.iter().take(3).map(|name| remove(name)).collect();
        assert_eq!(make_room_for_sign_in(&headers), removed);
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_a_browser_sends_a_cookie_is_one_part_of_it(
            lines in vec(prop_oneof![vec(any::<u8>(), 0..60), "[_a-zHost=; -]{0,60}".prop_map(String::into_bytes)], 0..3)
        ) {
            let mut headers = HeaderMap::new();
            for value in lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok()) {
                headers.append(header::COOKIE, value);
            }
            for name in [SESSION, TOKEN, browser(false)] {
                if let Some(value) = read(&headers, name) {
                    let sent = format!("{name}={value}");
                    let is_part = |line: &Vec<u8>| String::from_utf8_lossy(line).contains(&sent);
                    prop_assert!(!value.contains(';') && lines.iter().any(is_part));
                }
            }
        }

        #[test]
        fn a_cookie_that_was_written_is_read_among_any_others(
            before in "([a-z]{1,6}=[!-:<-~]{0,9}; ?){0,3}",
            secret in "[A-Za-z0-9_-]{43}",
            after in "(; ?[a-z]{1,6}=[!-:<-~]{0,9}){0,3}",
        ) {
            let written = write(SESSION, &secret, Duration::from_hours(1));
            let (pair, _) = written.to_str().unwrap().split_once(';').unwrap();
            let mut headers = HeaderMap::new();
            let line = format!("{before}{pair}{after}");
            headers.insert(header::COOKIE, HeaderValue::try_from(line).unwrap());
            prop_assert_eq!(read(&headers, SESSION), Some(secret.as_str()));
        }
    }
}
