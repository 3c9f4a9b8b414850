//! A container's variables: the platform parses the text in an application's row, resolves
//! references and passes the variables to the swarm, which expands every value as a template.
//!
//! It must not know who writes the text.

use super::state::{Application, State};
use super::template;

/// The id of the swarm's only node.
pub(super) const NODE_ID: &str = "ilua2h0b47q7qp3f7j4fcucj6";
/// The name of that node.
pub(super) const NODE_NAME: &str = "sandbox";

/// Returns the variables of the application's service, each as `NAME=value`, with templates not yet
/// expanded.
///
/// # Errors
///
/// Returns the log's message about a reference that cannot be resolved (recordings 117, day-two
/// 391).
pub(super) fn of_service(state: &State, application: &Application) -> Result<Vec<String>, String> {
    let project = state
        .environment(&application.environment_id)
        .and_then(|environment| state.project(&environment.project_id));
    let of_project = parse(project.map(|project| project.env.as_str()).unwrap_or_default());
    let own = parse(application.text("env"));
    let resolve = |value: &str| {
        let value = fill_in(value, "${{project.", &of_project)
            .map_err(|name| format!("Invalid project environment variable: project.{name}"))?;
        let value = fill_in(&value, "${{environment.", &[])
            .map_err(|name| format!("Invalid environment variable: environment.{name}"))?;
        fill_in(&value, "${{", &own)
            .map_err(|name| format!("Invalid service environment variable: {name}"))
    };
    own.iter().map(|(name, value)| Ok(format!("{name}={}", resolve(value)?))).collect()
}

/// Resolves each reference that begins with `opening`.
fn fill_in(text: &str, opening: &str, known: &[(String, String)]) -> Result<String, String> {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(opening) {
        let Some((name, after)) = after.split_once("}}") else { break };
        let found = known.iter().find(|(known, _)| known == name);
        let (_, value) = found.ok_or_else(|| name.to_owned())?;
        filled.push_str(before);
        filled.push_str(value);
        rest = after;
    }
    Ok(filled + rest)
}

/// Returns the variables of the container of `task`, with templates expanded.
///
/// # Errors
///
/// Returns the swarm's error about a variable that is not a valid template (recording day-two 490).
pub(super) fn of_container(
    variables: &[String],
    service_id: &str,
    app_name: &str,
    task: &str,
) -> Result<Vec<String>, String> {
    let field = |path: &str| {
        Some(match path {
            ".Service.ID" => service_id.to_owned(),
            ".Service.Name" => app_name.to_owned(),
            ".Service.Labels" => "map[]".to_owned(),
            ".Node.ID" => NODE_ID.to_owned(),
            ".Node.Hostname" => NODE_NAME.to_owned(),
            ".Node.Platform.Architecture" => "x86_64".to_owned(),
            ".Node.Platform.OS" => "linux".to_owned(),
            ".Task.ID" => task.to_owned(),
            ".Task.Name" => format!("{app_name}.1.{task}"),
            ".Task.Slot" => "1".to_owned(),
            _ => return None,
        })
    };
    let expand = |variable: &String| {
        template::expand(variable, &field).map_err(|error| {
            let place = if error.starts_with("2: ") { "1:" } else { "1: " };
            format!(
                "(HTTP code 400) unexpected - rpc error: code = InvalidArgument desc = expanding \
                 env failed: expanding env {variable:?}: template: expansion:{place}{error} "
            )
        })
    };
    variables.iter().map(expand).collect()
}

/// Parses a block of variables by the rules of npm's dotenv. Of two variables with one name, the
/// last value counts, at the position of the first; invalid lines are dropped.
pub(super) fn parse(block: &str) -> Vec<(String, String)> {
    let block = block.replace("\r\n", "\n").replace('\r', "\n");
    let (mut variables, mut rest) = (Vec::<(String, String)>::new(), block.as_str());
    while !rest.is_empty() {
        let Some((name, value, after)) = variable(rest) else {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            continue;
        };
        match variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => variables.push((name.to_owned(), value)),
        }
        rest = after;
    }
    variables
}

/// Parses a variable at the beginning of a line; returns it with the rest of the text, or `None` if
/// there is none.
fn variable(text: &str) -> Option<(&str, String, &str)> {
    let text = text.trim_start();
    let text = match text.strip_prefix("export") {
        Some(after) if after.starts_with(char::is_whitespace) => after.trim_start(),
        _ => text,
    };
    let is_key = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let (name, after) = text.split_at(text.find(|c| !is_key(c)).unwrap_or(text.len()));
    let after = match after.strip_prefix(':') {
        Some(value) if value.starts_with(char::is_whitespace) => value,
        _ => after.trim_start().strip_prefix('=')?,
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
/// one that ends its line, except for a comment, with only escaped quotes before it.
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
    let bare = bare.unwrap_or(written);
    if quote == Some('"') {
        bare.replace("\\n", "\n").replace("\\r", "\r")
    } else {
        bare.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_parsed_by_the_rules_of_dotenv() {
        for (block, expected) in [
            ("A=1\nB=2", vec![("A", "1"), ("B", "2")]),
            ("A=x # y\n", vec![("A", "x")]),
            ("A='x # y' # z\nB='", vec![("A", "x # y"), ("B", "'")]),
            ("A=`it's`\n\nB=\"a\\nb\"", vec![("A", "it's"), ("B", "a\nb")]),
            ("A='a\nb'\nno variable\nB=", vec![("A", "a\nb"), ("B", "")]),
            ("A=1\nB=2\nA=3", vec![("A", "3"), ("B", "2")]),
            ("A={{`{{`}} x", vec![("A", "{{`{{`}} x")]),
            ("export A= x \n B: y", vec![("A", "x"), ("B", "y")]),
            ("A='it\\'s'\nB=1", vec![("A", "it\\'s"), ("B", "1")]),
        ] {
            let parsed = parse(block);
            let parsed: Vec<_> = parsed.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            assert_eq!(parsed, expected, "{block:?}");
        }
    }
}
