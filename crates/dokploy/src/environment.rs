//! The environment block: a container's variables in the dotenv text that Dokploy parses.
//!
//! Dokploy silently drops what it cannot parse, and expands what looks like a reference. Docker
//! Swarm then expands each value as a Go template. So `{{`, which begins every template expression,
//! is written as a template constant that evaluates to it (recording day-two 490). The value is
//! quoted so that the parser reads it back unchanged, or it is rejected. It must not know where
//! variables come from.

mod decode;

use secrecy::{ExposeSecret, SecretString};

pub use self::decode::{DecodeEnvironmentError, decode_environment};

/// A variable that the environment block cannot represent. The error never contains the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeEnvironmentError {
    /// The name does not consist of letters, digits and underscores, or begins with a digit.
    #[error("{0:?} cannot name a variable")]
    Name(String),
    /// The value contains `${{`, which the platform would expand as a reference.
    #[error("{0} holds a reference to be resolved by the platform, `${{{{`")]
    Reference(String),
    /// The value contains a character or a mix of quotes that no quoting preserves.
    #[error("{0} holds a mix of quotes or a character that the platform cannot take")]
    Value(String),
}

/// Returns `variables` as one environment block, one assignment for each, in their order.
///
/// # Errors
/// Returns the first variable that would not be read back unchanged.
pub fn encode_environment(
    variables: &[(String, SecretString)],
) -> Result<String, EncodeEnvironmentError> {
    let lines: Result<Vec<_>, _> =
        variables.iter().map(|(name, value)| line(name, value.expose_secret())).collect();
    Ok(lines?.join("\n"))
}

/// Returns the assignment of one variable.
fn line(name: &str, value: &str) -> Result<String, EncodeEnvironmentError> {
    if !is_name(name) {
        return Err(EncodeEnvironmentError::Name(name.to_owned()));
    }
    if value.contains("${{") {
        return Err(EncodeEnvironmentError::Reference(name.to_owned()));
    }
    match quote(value) {
        Some(quoted) => Ok(format!("{name}={quoted}")),
        None => Err(EncodeEnvironmentError::Value(name.to_owned())),
    }
}

/// Returns whether `name` is valid for every shell and for Dokploy's parser.
fn is_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(word) && name.chars().next().is_some_and(|c| !c.is_ascii_digit())
}

/// The template constants that evaluate to `{{`: in backticks, which was recorded, or in double
/// quotes, for a value that is itself quoted in backticks.
const BRACES: [&str; 2] = ["{{`{{`}}", "{{\"{{\"}}"];

/// Escapes `value` for Docker Swarm's templates, and puts it into the first quotes that preserve
/// it; `None` if none do.
fn quote(value: &str) -> Option<String> {
    if value.contains("{{") {
        return BRACES.iter().find_map(|braces| quote_text(&value.replace("{{", braces)));
    }
    quote_text(value)
}

/// Puts `value` into the first quotes that preserve it; `None` if none do.
fn quote_text(value: &str) -> Option<String> {
    // The parser converts carriage returns to newlines, and an environment cannot contain NUL.
    if value.contains(['\r', '\0']) {
        return None;
    }
    if is_plain(value) {
        return Some(value.to_owned());
    }
    // A backslash before the closing quote could be read as an escaped quote.
    if value.ends_with('\\') {
        return None;
    }
    if !value.contains('\'') {
        return Some(format!("'{value}'"));
    }
    if !value.contains('`') {
        return Some(format!("`{value}`"));
    }
    // Double quotes expand escapes.
    (!value.contains(['"', '\\'])).then(|| format!("\"{value}\""))
}

/// Returns whether `value` is read back unchanged without quotes.
fn is_plain(value: &str) -> bool {
    let plain = |c: char| (c.is_ascii_graphic() || c == ' ') && !"#'\"`".contains(c);
    value.chars().all(plain) && value.trim() == value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(variables: &[(&str, &str)]) -> Result<String, EncodeEnvironmentError> {
        let owned: Vec<_> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), SecretString::from(*value)))
            .collect();
        encode_environment(&owned)
    }

    #[test]
    fn each_value_gets_the_first_quotes_that_preserve_it() {
        for (value, written) in [
            ("", "A="),
            ("plain", "A=plain"),
            ("two words", "A=two words"),
            ("a=b", "A=a=b"),
            ("$HOME", "A=$HOME"),
            ("C:\\dir\\", "A=C:\\dir\\"),
            ("a#b", "A='a#b'"),
            (" outer ", "A=' outer '"),
            ("two\nlines", "A='two\nlines'"),
            ("say \"hi\"", "A='say \"hi\"'"),
            ("it's", "A=`it's`"),
            ("it's `so`", "A=\"it's `so`\""),
            ("grün", "A='grün'"),
            ("}} { {", "A=}} { {"),
            ("{\"a\":{\"b\":{}}}", "A='{\"a\":{\"b\":{}}}'"),
            ("{{.Node.Hostname}}", "A='{{`{{`}}.Node.Hostname}}'"),
            ("a {{ b", "A='a {{`{{`}} b'"),
            ("{{{- x -}}}", "A='{{`{{`}}{- x -}}}'"),
            ("it's {{x}}", "A=\"it's {{`{{`}}x}}\""),
            ("it's \"{{x}}\"", "A=`it's \"{{\"{{\"}}x}}\"`"),
            ("it's\\n{{x}}", "A=`it's\\n{{\"{{\"}}x}}`"),
            ("`{{` \"x\"", "A='`{{`{{`}}` \"x\"'"),
        ] {
            assert_eq!(encode(&[("A", value)]).as_deref(), Ok(written), "{value:?}");
        }
    }

    #[test]
    fn what_no_quoting_preserves_is_refused_by_name() {
        for value in [
            "it's `so` \"here\"", "it's `so\\`", "a\rb", "a\0b", "#\\", "it's `{{` \"here\"",
            "{{\\",
        ] {
            let error = encode(&[("A", value)]).unwrap_err();
            assert_eq!(error, EncodeEnvironmentError::Value("A".to_owned()), "{value:?}");
        }
        assert_eq!(
            encode(&[("A", "x${{project.B}}")]),
            Err(EncodeEnvironmentError::Reference("A".to_owned()))
        );
        for name in ["", "1A", "A B", "A=B", "A-B", "Ä"] {
            assert_eq!(encode(&[(name, "x")]), Err(EncodeEnvironmentError::Name(name.to_owned())));
        }
    }

    #[test]
    fn an_error_names_the_variable_and_never_its_value() {
        let error = encode(&[("TOKEN", "canary${{x}}")]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"));
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn every_block_that_is_written_is_read_back_as_it_was(
            values in proptest::collection::vec("[ab \n#'\"`\\\\=$ü]{0,8}", 0..4)
        ) {
            let names: Vec<_> = (0..values.len()).map(|n| format!("V{n}")).collect();
            let variables: Vec<_> =
                names.iter().map(String::as_str).zip(values.iter().map(String::as_str)).collect();
            if let Ok(block) = encode(&variables) {
                let read = decode_environment(&SecretString::from(block)).unwrap();
                let read: Vec<_> =
                    read.iter().map(|(n, v)| (n.as_str(), v.expose_secret())).collect();
                prop_assert_eq!(read, variables);
            }
        }
    }
}
