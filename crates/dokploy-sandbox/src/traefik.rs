//! The reverse proxy's route files, and the two calls that read and write them.
//!
//! If one file cannot be parsed or contains an empty map, the proxy no longer applies any change of
//! any host (recordings day-two 466 and 549). The calls accept any path, answer true even if they
//! failed, and cannot delete a file (recordings day-two 152 to 155, 460 to 467).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::core::Core;
use super::input::Input;
use super::middleware::{self, Middleware};
use super::refusal::Outcome;
use super::request::Body;
use super::state::{Route, State};

const FOLDER: &str = "/etc/dokploy/traefik/dynamic/";
/// The service of the reverse proxy itself that answers every request with 418.
pub(crate) const NOOP: &str = "noop@internal";

/// `settings.readTraefikFile`: answers with the text `null` for a file that does not exist
/// (recording day-two 153).
pub(super) fn read(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let path = input.filled("path");
    input.check()?;
    Ok(Body::Json(Value::String(core.state.file(&path).unwrap_or_else(|| String::from("null")))))
}

/// `settings.updateTraefikFile`: accepts any path and any text that is not empty.
pub(super) fn update(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let path = input.filled("path");
    let text = input.filled("traefikConfig");
    input.check()?;
    core.state.files.insert(normal(&path), text);
    core.state.load_routes();
    Ok(Body::Json(json!(true)))
}

impl Core {
    /// Removes a file of the host, which no call can do, but somebody with a shell.
    pub fn remove_file(&mut self, path: &str) {
        self.state.files.remove(&normal(path));
        self.state.load_routes();
    }
}

/// Resolves `..` in a path.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    format!("/{}", parts.join("/"))
}

impl State {
    /// Returns a file's content: what was written into it, otherwise what the platform wrote.
    fn file(&self, path: &str) -> Option<String> {
        let path = normal(path);
        if let Some(text) = self.files.get(&path) {
            return Some(text.clone());
        }
        let app_name = path.strip_prefix(FOLDER)?.strip_suffix(".yml")?;
        let routes: Vec<_> = self.routes.iter().filter(|one| one.app_name == app_name).collect();
        (!routes.is_empty()).then(|| written(app_name, &routes))
    }

    /// Discards what was written into the file of a service, because the platform rewrites it.
    pub(crate) fn rewrite_file(&mut self, app_name: &str) {
        self.files.remove(&format!("{FOLDER}{app_name}.yml"));
        self.load_routes();
    }

    /// Loads the routes from the files, unless one of them cannot be parsed: then nothing changes.
    pub(crate) fn load_routes(&mut self) {
        let own = |(path, _): &(&String, &String)| {
            let name = path.strip_prefix(FOLDER).filter(|name| !name.contains('/'));
            let name = name.and_then(|name| name.rsplit_once('.'));
            name.is_some_and(|(_, kind)| matches!(kind, "yml" | "yaml"))
        };
        let written: Vec<_> = self.files.iter().filter(own).collect();
        if written.iter().any(|(_, text)| !is_readable(text)) {
            self.loaded.get_or_insert_with(|| self.routes.clone());
            return;
        }
        let is_overwritten =
            |route: &&Route| self.files.contains_key(&format!("{FOLDER}{}.yml", route.app_name));
        let mut loaded: Vec<Route> =
            self.routes.iter().filter(|route| !is_overwritten(route)).cloned().collect();
        let mut middlewares = BTreeMap::new();
        for (_, text) in written {
            loaded.extend(parsed(text));
            middlewares.extend(middleware::defined(text));
        }
        self.loaded = Some(loaded);
        self.middlewares = middlewares;
    }

    /// Returns the middlewares through which a route leads; `None` if one of them does not exist.
    pub(crate) fn middlewares_of(&self, route: &Route) -> Option<Vec<Middleware>> {
        route.middlewares.iter().map(|name| middleware::find(&self.middlewares, name)).collect()
    }

    /// Returns the routes that the proxy uses.
    pub(crate) fn loaded_routes(&self) -> &[Route] {
        self.loaded.as_deref().unwrap_or(&self.routes)
    }
}

/// Returns the content of a file as the platform writes it (recording day-two 152).
fn written(app_name: &str, routes: &[&Route]) -> String {
    let routers = routes.iter().enumerate().map(|(index, route)| {
        format!(
            "    {app_name}-router-{index}:\n      rule: Host(`{}`)\n      service: \
             {app_name}-service\n      middlewares: [{}]\n      entryPoints:\n        - web\n",
            route.host,
            route.middlewares.join(", ")
        )
    });
    let port = routes.iter().find_map(|route| route.port).unwrap_or(8080);
    format!(
        "http:\n  routers:\n{}  services:\n    {app_name}-service:\n      loadBalancer:\n        \
         servers:\n          - url: http://{app_name}:{port}\n        passHostHeader: true\n",
        routers.collect::<Vec<_>>().concat()
    )
}

/// Parses the hosts and the service of a text that somebody wrote.
fn parsed(text: &str) -> Vec<Route> {
    let between = |text: &str, from: &str, to: char| {
        let rest = text.split(from).nth(1)?;
        rest.split(to).next().map(str::to_owned)
    };
    let app_name = match between(text, "url: http://", ':') {
        Some(app_name) => app_name,
        None if text.contains(NOOP) => NOOP.to_owned(),
        None => return Vec::new(),
    };
    let port = between(text, &format!("url: http://{app_name}:"), '\n');
    let port = port.and_then(|port| port.trim().parse().ok());
    let hosts = text.split("Host(`").skip(1).filter_map(|rest| rest.split('`').next());
    let middlewares = between(text, "middlewares: [", ']').unwrap_or_default();
    let middlewares = middlewares.split(',').map(str::trim).filter(|name| !name.is_empty());
    let middlewares: Vec<_> = middlewares.map(str::to_owned).collect();
    let route = |host: &str| Route {
        host: host.to_owned(),
        app_name: app_name.clone(),
        domain_id: String::new(),
        port,
        middlewares: middlewares.clone(),
    };
    hosts.map(route).collect()
}

/// Returns whether the proxy can parse a file: brackets are closed, no map is empty, and all
/// top-level keys are known.
fn is_readable(text: &str) -> bool {
    let balanced =
        |open: char, close: char| text.matches(open).count() == text.matches(close).count();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let known = |line: &&str| {
        line.starts_with([' ', '#', '-'])
            || ["http:", "tcp:", "udp:", "tls:"].iter().any(|key| line.starts_with(key))
    };
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_empty_map = |index: usize, line: &str| {
        // A YAML list may have the same indentation as its key.
        let is_below = |next: &&str| {
            indent(next) > indent(line)
                || indent(next) == indent(line) && next.trim_start().starts_with("- ")
        };
        line.trim_end().ends_with(':') && !lines.get(index + 1).is_some_and(is_below)
    };
    let has_empty = lines.iter().enumerate().any(|(index, line)| is_empty_map(index, line));
    let bare: String = text.split_whitespace().collect();
    let is_empty = ["{}", ":~", ":null"].iter().any(|nothing| bare.contains(nothing));
    balanced('{', '}') && balanced('[', ']') && !is_empty && lines.iter().all(known) && !has_empty
}
