//! Reads the environment block of a row back, by the rules of npm's dotenv, which Dokploy uses.

use secrecy::{ExposeSecret as _, SecretString};

use super::BRACES;

/// A variable whose value the block does not say, since the platform or Docker would replace a part
/// of it. The error never contains the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} refers to something that the platform or Docker would fill in")]
pub struct DecodeEnvironmentError(pub String);

/// Returns the variables of an environment block, in order. Of two with one name the last value
/// counts, at the position of the first; lines that assign nothing are dropped, as the platform does.
///
/// # Errors
/// Returns the first variable whose value only the platform knows.
pub fn decode_environment(
    block: &SecretString,
) -> Result<Vec<(String, SecretString)>, DecodeEnvironmentError> {
    let block = block.expose_secret().replace("\r\n", "\n").replace('\r', "\n");
    let mut variables = Vec::<(String, SecretString)>::new();
    let mut rest = block.as_str();
    while !rest.is_empty() {
        let Some((name, value, after)) = variable(rest) else {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            continue;
        };
        let value = unescape(&value).ok_or_else(|| DecodeEnvironmentError(name.to_owned()))?;
        let value = SecretString::from(value);
        match variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => variables.push((name.to_owned(), value)),
        }
        rest = after;
    }
    Ok(variables)
}

/// Reads a variable at the beginning of a line; returns it with the rest of the text, or `None` if
/// there is none.
fn variable(text: &str) -> Option<(&str, String, &str)> {
    let text = text.trim_start();
    let text = match text.strip_prefix("export") {
        Some(after) if after.starts_with(char::is_whitespace) => after.trim_start(),
        Some(_) | None => text,
    };
    let is_key = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let (name, after) = text.split_at(text.find(|c| !is_key(c)).unwrap_or(text.len()));
    let after = match after.strip_prefix(':') {
        Some(value) if value.starts_with(char::is_whitespace) => value,
        Some(_) | None => after.trim_start().strip_prefix('=')?,
    };
    if name.is_empty() {
        return None;
    }
    let (written, after) = in_quotes(after)
        .unwrap_or_else(|| after.split_at(after.find(['#', '\n']).unwrap_or(after.len())));
    let after = after.split_once('\n').map_or("", |(_, after)| after);
    Some((name, unquote(written.trim()), after))
}

/// Returns a quoted value with its quotes, and the rest of the text. The closing quote is the last
/// one that ends its line, but for a comment, with only escaped quotes before it.
fn in_quotes(text: &str) -> Option<(&str, &str)> {
    let inner = text.trim_start();
    let quote = inner.chars().next().filter(|c| "'\"`".contains(*c))?;
    let mut last = None;
    for (at, _) in inner.match_indices(quote).skip(1) {
        let (written, after) = inner.split_at(at + 1);
        let line = after.split('\n').next().unwrap_or_default().trim_start();
        if line.is_empty() || line.starts_with('#') {
            last = Some((written, after));
        }
        if !written.trim_end_matches(quote).ends_with('\\') {
            break;
        }
    }
    last
}

fn unquote(written: &str) -> String {
    let quote = written.chars().next().filter(|c| "'\"`".contains(*c));
    let bare = quote.and_then(|quote| written.strip_prefix(quote)?.strip_suffix(quote));
    match (bare, quote) {
        (Some(bare), Some('"')) => bare.replace("\\n", "\n").replace("\\r", "\r"),
        (Some(bare), _) => bare.to_owned(),
        (None, _) => written.to_owned(),
    }
}

/// Replaces the template constants that stand for `{{`; `None` if another template or a reference is
/// left.
fn unescape(value: &str) -> Option<String> {
    let (mut text, mut rest) = (String::new(), value);
    while let Some((before, after)) = rest.split_once("{{") {
        // `${{` begins a reference of the platform.
        if before.ends_with('$') {
            return None;
        }
        let rest_of = |braces: &str| after.strip_prefix(braces.strip_prefix("{{")?);
        text.push_str(before);
        text.push_str("{{");
        rest = BRACES.iter().find_map(|braces| rest_of(braces))?;
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(block: &str) -> Result<Vec<(String, String)>, DecodeEnvironmentError> {
        let read = decode_environment(&SecretString::from(block))?.into_iter();
        Ok(read.map(|(name, value)| (name, value.expose_secret().to_owned())).collect())
    }

    #[test]
    fn a_block_is_read_by_the_rules_of_dotenv() {
        for (block, expected) in [
            ("", vec![]),
            ("A=1\nB=2", vec![("A", "1"), ("B", "2")]),
            ("A=x # y\r\n", vec![("A", "x")]),
            ("A='x # y' # z\nB='", vec![("A", "x # y"), ("B", "'")]),
            ("A=`it's`\n\nB=\"a\\nb\"", vec![("A", "it's"), ("B", "a\nb")]),
            ("A='a\nb'\nno variable\nB=", vec![("A", "a\nb"), ("B", "")]),
            ("A=1\nB=2\nA=3", vec![("A", "3"), ("B", "2")]),
            ("export A= x \n B: y", vec![("A", "x"), ("B", "y")]),
            ("A={{`{{`}} x", vec![("A", "{{ x")]),
            ("A=`it's \"{{\"{{\"}}x}}\"`", vec![("A", "it's \"{{x}}\"")]),
        ] {
            let read = decode(block).unwrap();
            let read: Vec<_> = read.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            assert_eq!(read, expected, "{block:?}");
        }
    }

    #[test]
    fn what_only_the_platform_knows_is_an_error_without_the_value() {
        for block in ["A=1\nTOKEN=canary${{project.X}}", "TOKEN='canary {{.Task.Slot}}'"] {
            let error = decode(block).unwrap_err();
            assert_eq!(error, DecodeEnvironmentError("TOKEN".to_owned()));
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }
}
