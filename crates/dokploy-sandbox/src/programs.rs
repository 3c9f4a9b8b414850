//! The programs of the images with a tag: small sites behind a password, which show their variables
//! and keep what people write.
//!
//! They must not know rows, services or volumes: they get a request, the container's variables and
//! the files of their folder.

use std::collections::BTreeMap;

use super::visit::{EdgeAnswer, Visit};

mod form;
mod page;
mod password;

use page::Page;
use password::Access;

/// The files in a program's folder, by name.
pub(crate) type Files = BTreeMap<String, String>;

/// What runs in a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// One page for everybody, on any port.
    Plain,
    /// A notebook with one file.
    Notebook,
    /// A chat.
    Chat,
    /// A workflow engine that counts its runs.
    Workflow,
    /// The next version of it, which never reports itself well.
    NextWorkflow,
    /// A page for everybody, on any port, which shows its revision and counts in `/data`.
    Revisions,
}

/// The largest file, in bytes.
const LARGEST_FILE: usize = 64 * 1024;
const NOTES: &str = "notes.txt";
const RUNS: &str = "runs";
const NO_FOLDER: &str = "The folder of the files is gone.\n";

impl Program {
    /// Returns the port on which it listens; `None` for any.
    pub(crate) fn port(self) -> Option<u64> {
        match self {
            Self::Plain | Self::Revisions => None,
            Self::Notebook => Some(8888),
            Self::Chat => Some(8080),
            Self::Workflow | Self::NextWorkflow => Some(5678),
        }
    }

    /// Returns the path that needs no password and says whether it is well.
    pub(crate) fn health_path(self) -> &'static str {
        match self {
            Self::Plain | Self::Notebook | Self::Chat | Self::Revisions => "/health",
            Self::Workflow | Self::NextWorkflow => "/healthz",
        }
    }

    /// Returns whether it reports itself well.
    pub(crate) fn is_well(self) -> bool {
        match self {
            Self::Plain | Self::Notebook | Self::Chat | Self::Workflow | Self::Revisions => true,
            Self::NextWorkflow => false,
        }
    }

    /// Returns whether its image has `curl`, for a health check.
    pub(crate) fn has_curl(self) -> bool {
        match self {
            Self::Notebook => true,
            Self::Plain | Self::Chat | Self::Workflow | Self::NextWorkflow | Self::Revisions => {
                false
            }
        }
    }

    /// Returns the folder of its files.
    pub(crate) fn folder(self, env: &[String]) -> String {
        match self {
            Self::Plain | Self::Chat => String::new(),
            Self::Notebook => variable(env, "DATA_DIR").unwrap_or("/home/user/work").to_owned(),
            Self::Workflow | Self::NextWorkflow | Self::Revisions => "/data".to_owned(),
        }
    }

    fn password_variable(self) -> &'static str {
        match self {
            Self::Plain | Self::Revisions => "",
            Self::Notebook => "NOTEBOOK_PASSWORD",
            Self::Chat => "CHAT_ADMIN_PASSWORD",
            Self::Workflow | Self::NextWorkflow => "WORKFLOW_OWNER_PASSWORD",
        }
    }

    /// Answers a request. `files` are those of its folder; `None` if the folder was lost. A
    /// container that is not well behaves like that at its path for health only.
    pub(crate) fn answer(
        self,
        visit: &Visit,
        env: &[String],
        files: Option<&mut Files>,
        is_well: bool,
    ) -> EdgeAnswer {
        if visit.path_alone() == self.health_path() {
            return EdgeAnswer::health(is_well);
        }
        if self == Self::Revisions {
            return match files {
                Some(files) => revisions(visit, env, files),
                None => EdgeAnswer::text(500, NO_FOLDER),
            };
        }
        let name = self.password_variable();
        match password::check(visit, variable(env, name)) {
            // Without its password it must not stand open.
            Access::NoPassword => EdgeAnswer::text(500, &format!("{name} is not set.\n")),
            Access::Refused => EdgeAnswer::unauthorized(),
            Access::Granted => match files {
                Some(files) => self.route(visit, env, files),
                None => EdgeAnswer::text(500, NO_FOLDER),
            },
        }
    }

    fn route(self, visit: &Visit, env: &[String], files: &mut Files) -> EdgeAnswer {
        let is_read = matches!(visit.method.as_str(), "GET" | "HEAD");
        match (self, visit.path_alone(), is_read) {
            (Self::Notebook, "/", true) => notebook(env),
            (Self::Notebook, "/files", true) => notes(files),
            (Self::Notebook, "/files", false) => write(visit, files),
            (Self::Chat, "/", true) => chat(env),
            (Self::Workflow | Self::NextWorkflow, "/", true) => self.workflow(env, files),
            (Self::Workflow | Self::NextWorkflow, "/count", false) => count(visit, files),
            _ => EdgeAnswer::text(404, "Not found.\n"),
        }
    }

    fn workflow(self, env: &[String], files: &Files) -> EdgeAnswer {
        let page = Page::new("Workflows")
            .variable("Address", variable(env, "WORKFLOW_URL"))
            .variable("Days to keep results", variable(env, "WORKFLOW_RETENTION_DAYS"));
        let page = match self {
            Self::NextWorkflow => {
                page.variable("Workflows at once", variable(env, "WORKFLOW_PARALLEL"))
            }
            Self::Plain | Self::Notebook | Self::Chat | Self::Workflow | Self::Revisions => page,
        };
        let runs = runs(files).to_string();
        page.variable("Runs", Some(&runs)).button("/count", "Run once").answer()
    }
}

fn revisions(visit: &Visit, env: &[String], files: &mut Files) -> EdgeAnswer {
    match (visit.path_alone(), visit.method.as_str()) {
        ("/", "GET" | "HEAD") => {
            let runs = runs(files).to_string();
            Page::new("Revisions")
                .variable("Revision", variable(env, "STACK_REVISION"))
                .variable("Operation", variable(env, "STACK_OPERATION"))
                .variable("Runs", Some(&runs))
                .button("/count", "Run once")
                .answer()
        }
        ("/count", _) => count(visit, files),
        _ => EdgeAnswer::text(404, "Not found.\n"),
    }
}

/// Returns a variable of the container. An empty one counts as missing.
pub(crate) fn variable<'a>(env: &'a [String], name: &str) -> Option<&'a str> {
    let value = |one: &'a String| one.strip_prefix(name)?.strip_prefix('=');
    env.iter().rev().find_map(value).filter(|value| !value.is_empty())
}

fn notebook(env: &[String]) -> EdgeAnswer {
    let packages = variable(env, "NOTEBOOK_PACKAGES").unwrap_or_default();
    Page::new("Notebook")
        .variable("Owner", variable(env, "NOTEBOOK_OWNER"))
        .variable("Language", variable(env, "NOTEBOOK_LANGUAGE"))
        .list("Packages", packages.split(' ').filter(|package| !package.is_empty()))
        .link("/files", "Files")
        .answer()
}

fn notes(files: &Files) -> EdgeAnswer {
    let content = files.get(NOTES).map(String::as_str).unwrap_or_default();
    Page::new("Files").link("/", "Notebook").editor("/files", NOTES, content).answer()
}

fn chat(env: &[String]) -> EdgeAnswer {
    Page::new("Chat")
        .variable("Administrator", variable(env, "CHAT_ADMIN_EMAIL"))
        .variable("Model", variable(env, "CHAT_MODEL"))
        .variable("Instructions", variable(env, "CHAT_SYSTEM_PROMPT"))
        .variable("Temperature", variable(env, "CHAT_TEMPERATURE"))
        .variable("Domains that may sign up", variable(env, "CHAT_ALLOWED_DOMAINS"))
        .secret("API key", variable(env, "CHAT_API_KEY"))
        .answer()
}

fn write(visit: &Visit, files: &mut Files) -> EdgeAnswer {
    if visit.method != "POST" {
        return EdgeAnswer::text(405, "Method not allowed.\n");
    }
    let content = form::field(visit, "content");
    if content.len() > LARGEST_FILE {
        return EdgeAnswer::too_large();
    }
    files.insert(NOTES.to_owned(), content);
    EdgeAnswer::redirect("/files")
}

fn runs(files: &Files) -> u64 {
    files.get(RUNS).and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn count(visit: &Visit, files: &mut Files) -> EdgeAnswer {
    if visit.method != "POST" {
        return EdgeAnswer::text(405, "Method not allowed.\n");
    }
    let next = runs(files).saturating_add(1);
    files.insert(RUNS.to_owned(), next.to_string());
    EdgeAnswer::redirect("/")
}
