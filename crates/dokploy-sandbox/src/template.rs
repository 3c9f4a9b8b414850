//! The expansion of a container's variables by the swarm, as Go templates.
//!
//! Only these are evaluated: string constants, comments, trim markers, and the swarm's fields of
//! service, node and task. Everything else between `{{` and `}}` is rejected. The swarm also
//! rejects everything but Go's own functions (recording day-two 490), which are not needed here.

/// Expands `text`; `field` returns the value of fields such as `.Node.Hostname`.
///
/// # Errors
///
/// Returns the swarm's error about a template that it cannot expand.
pub(super) fn expand(text: &str, field: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let (mut expanded, mut rest, mut trims) = (String::new(), text, false);
    while let Some((before, action)) = rest.split_once("{{") {
        let before = if trims { before.trim_start_matches(is_space) } else { before };
        let (action, trims_before) = match action.strip_prefix('-') {
            // The space belongs to the trim marker, so a comment may follow immediately.
            Some(after) if after.starts_with(is_space) => (behind(after), true),
            _ => (action, false),
        };
        let before = if trims_before { before.trim_end_matches(is_space) } else { before };
        expanded.push_str(before);
        let (value, after) = match action.strip_prefix("/*") {
            Some(comment) => (String::new(), skip_comment(comment)?),
            None => evaluate(action, field)?,
        };
        expanded.push_str(&value);
        (rest, trims) = close(after)?;
    }
    expanded.push_str(if trims { rest.trim_start_matches(is_space) } else { rest });
    Ok(expanded)
}

/// Returns whether Go's templates treat `c` as space.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn skip_comment(comment: &str) -> Result<&str, String> {
    let (_, after) = comment.split_once("*/").ok_or("unclosed comment")?;
    let ends = after.starts_with("}}") || after.trim_start_matches(is_space).starts_with("-}}");
    if ends { Ok(after) } else { Err("comment ends before closing delimiter".to_owned()) }
}

/// Parses the end of an action; returns the rest of the text, and whether the space after the
/// action is trimmed.
fn close(text: &str) -> Result<(&str, bool), String> {
    let inner = text.trim_start_matches(is_space);
    if let Some(rest) = inner.strip_prefix("}}") {
        return Ok((rest, false));
    }
    match inner.strip_prefix("-}}") {
        Some(rest) if inner.len() < text.len() => Ok((rest, true)),
        _ if inner.is_empty() => Err("unclosed action".to_owned()),
        _ => Err(format!("unexpected {:?} in operand", inner.chars().next().unwrap_or_default())),
    }
}

/// Evaluates the single operand of an action; returns its value and the rest of the text.
fn evaluate<'a>(
    action: &'a str,
    field: &dyn Fn(&str) -> Option<String>,
) -> Result<(String, &'a str), String> {
    let action = action.trim_start_matches(is_space);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    match action.chars().next() {
        None => Err("unclosed action".to_owned()),
        Some('}') => Err("missing value for command".to_owned()),
        Some('`') => {
            let (raw, after) =
                behind(action).split_once('`').ok_or("unterminated raw quoted string")?;
            Ok((raw.to_owned(), after))
        }
        Some('"') => quoted(behind(action)),
        Some('.') => {
            let end = action.find(|c| !is_word(c) && c != '.').unwrap_or(action.len());
            let (path, after) = action.split_at(end);
            let value = field(path).ok_or_else(|| unknown_field(path))?;
            Ok((value, after))
        }
        Some(c) if is_word(c) => {
            let end = action.find(|c| !is_word(c)).unwrap_or(action.len());
            Err(format!("function \"{}\" not defined", action.split_at(end).0))
        }
        Some(c) => Err(format!("unexpected {c:?} in command")),
    }
}

/// Returns the text after the first character, which is one byte long.
fn behind(text: &str) -> &str {
    text.get(1..).unwrap_or_default()
}

/// Parses a string constant after its first quote.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let (mut value, mut characters) = (String::new(), text.char_indices());
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Ok((value, text.get(at + 1..).unwrap_or_default())),
            '\n' => break,
            '\\' => match characters.next() {
                Some((_, c @ ('"' | '\\'))) => value.push(c),
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                _ => return Err("bad string syntax".to_owned()),
            },
            other => value.push(other),
        }
    }
    Err("unterminated quoted string".to_owned())
}

fn unknown_field(path: &str) -> String {
    let name = path.trim_start_matches('.').split('.').next().unwrap_or_default();
    format!(
        "2: executing \"expansion\" at <{path}>: can't evaluate field {name} in type \
         *template.Context"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<String, String> {
        expand(text, &|path| (path == ".Node.Hostname").then(|| "vm".to_owned()))
    }

    /// The first seven were recorded (day-two 490); the others follow Go's documentation.
    #[test]
    fn what_stands_between_double_braces_is_evaluated_and_the_rest_stays() {
        for (text, expanded) in [
            ("{{.Node.Hostname}}", "vm"),
            ("{{ \"a\" }}", "a"),
            ("a }} b", "a }} b"),
            ("{\"a\":{\"b\":{}}}", "{\"a\":{\"b\":{}}}"),
            ("{{\"a\"}}", "a"),
            ("{{`{{`}} literal {{`}}`}}", "{{ literal }}"),
            ("{% raw %}{", "{% raw %}{"),
            ("{{\"{{\"}}x", "{{x"),
            ("a \n{{- \"b\" -}} c", "abc"),
            ("a{{/* b */}}c", "ac"),
            ("a {{- /* b */ -}} c", "ac"),
            ("{{`{{`}}- a", "{{- a"),
            ("{{\"\\\"\\n\"}}", "\"\n"),
            ("", ""),
        ] {
            assert_eq!(of(text).as_deref(), Ok(expanded), "{text:?}");
        }
    }

    #[test]
    fn a_template_that_does_not_parse_is_refused_with_the_swarms_reason() {
        for (text, error) in [
            ("a {{ b", "function \"b\" not defined"),
            ("{{x}}", "function \"x\" not defined"),
            ("{{env \"PATH\"}}", "function \"env\" not defined"),
            (
                "{{.Nothing}}",
                "2: executing \"expansion\" at <.Nothing>: can't evaluate field Nothing in type \
                 *template.Context",
            ),
            ("{{", "unclosed action"),
            ("{{.Node.Hostname", "unclosed action"),
            ("{{}}", "missing value for command"),
            ("{{`a}}", "unterminated raw quoted string"),
            ("{{\"a}}", "unterminated quoted string"),
            ("{{/* a", "unclosed comment"),
            ("{{/* a */ b}}", "comment ends before closing delimiter"),
        ] {
            assert_eq!(of(text), Err(error.to_owned()), "{text:?}");
        }
    }
}
