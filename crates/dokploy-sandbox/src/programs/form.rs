//! The field of a form that a browser sends.

use super::Visit;

/// Returns a field of the body's form; the whole body if it is no form. What is not UTF-8 is
/// replaced.
pub(super) fn field(visit: &Visit, name: &str) -> String {
    let kind = visit.header("content-type").unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return String::from_utf8_lossy(&visit.body).into_owned();
    }
    let pairs = visit.body.split(|byte| *byte == b'&');
    let value = |pair: &[u8]| {
        let value = pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(decoded(value))
    };
    pairs.into_iter().find_map(value).unwrap_or_default()
}

fn decoded(value: &[u8]) -> String {
    let (mut bytes, mut rest) = (Vec::new(), value);
    while let Some((first, after)) = rest.split_first() {
        (bytes, rest) = match (first, after) {
            (b'+', _) => (joined(bytes, b' '), after),
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (joined(bytes, high * 16 + low), after),
                _ => (joined(bytes, b'%'), rest.get(1..).unwrap_or_default()),
            },
            (other, _) => (joined(bytes, *other), after),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn joined(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_a_form_is_decoded() {
        for (body, expected) in [
            ("content=a+b%26c%C3%BC", "a b&cü"),
            ("other=1&content=%zz%4", "%zz%4"),
            ("other=1", ""),
            ("content=%FF", "\u{fffd}"),
        ] {
            let kind = ("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned());
            let visit = Visit { headers: vec![kind], body: body.into(), ..Visit::default() };
            assert_eq!(field(&visit, "content"), expected, "{body}");
        }
        let plain = Visit { body: "content=a+b".into(), ..Visit::default() };
        assert_eq!(field(&plain, "content"), "content=a+b");
    }
}
