//! Basic authentication (RFC 7617) with one password for any user name.

use sha2::{Digest, Sha256};

use super::Visit;

/// Whether a request may see the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// The container has no password.
    NoPassword,
    /// The request has another one, or none.
    Refused,
    /// The request has it.
    Granted,
}

/// Compares the request's password with the container's.
pub(super) fn check(visit: &Visit, password: Option<&str>) -> Access {
    let Some(password) = password else { return Access::NoPassword };
    let given = visit.header("authorization").and_then(given);
    // Digests are compared, so that the time of the comparison tells nothing of the password.
    let is_same =
        given.is_some_and(|given| Sha256::digest(given) == Sha256::digest(password.as_bytes()));
    if is_same { Access::Granted } else { Access::Refused }
}

/// Returns the password of the header's value.
fn given(header: &str) -> Option<Vec<u8>> {
    let (scheme, credentials) = header.split_once(' ')?;
    let is_basic = scheme.eq_ignore_ascii_case("basic");
    let decoded = is_basic.then(|| decoded(credentials.trim()))??;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    decoded.get(colon + 1..).map(<[u8]>::to_vec)
}

/// Decodes base64 (RFC 4648), with or without padding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0_u32);
    for c in text.trim_end_matches('=').bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = ((bits << 6) | u32::from(value)) & 0xFFFF;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xFF).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(header: &str) -> Access {
        let header = ("Authorization".to_owned(), header.to_owned());
        check(&Visit { headers: vec![header], ..Visit::default() }, Some("geheim: ü"))
    }

    #[test]
    fn only_the_password_counts_and_it_may_have_any_character() {
        for (header, expected) in [
            // Any user, and the password.
            ("Basic YTpnZWhlaW06IMO8", Access::Granted),
            ("basic OmdlaGVpbTogw7w=", Access::Granted),
            ("Basic YTpnZWhlaW06IA==", Access::Refused),
            ("Basic Z2VoZWltOiDDvA==", Access::Refused),
            ("Bearer YTpnZWhlaW06IMO8", Access::Refused),
            ("Basic ä", Access::Refused),
            ("Basic", Access::Refused),
            ("", Access::Refused),
        ] {
            assert_eq!(access(header), expected, "{header}");
        }
        assert_eq!(check(&Visit::default(), Some("x")), Access::Refused);
        assert_eq!(check(&Visit::default(), None), Access::NoPassword);
    }
}
