//! A portal with a marked secret in each input, and all of its output.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clock::{Clock, SystemClock};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::catalogue::put;
use crate::support::fake_provider::{FakeProvider, TOKENS};
use crate::support::platform::Platform;
use crate::support::process::{PortalDir, Running, exchange, id_in, request};

const KEY: &str = "canary-platform/key+one";
pub(super) const PASSWORD: &str = "canary-registry/password+two";
pub(super) const VALUE: &str = "canary-variable/value+three";
const CLIENT_SECRET: &str = "canary-provider/secret+four";
const CODE: &str = "canary-code-five";
const ACCESS: &str = "canary-access/token+six";
/// 32 bytes, which the setting has in base64.
const PORTAL_KEY: &str = "canary-portal/key+seven-32-bytes";

/// The secrets among the settings.
pub(super) const SECRETS: [(&str, &str); 5] = [
    ("PORTAL_SECRET_KEY", PORTAL_KEY),
    ("DOKPLOY_API_TOKEN", KEY),
    ("STACK_REGISTRY_PASSWORD", PASSWORD),
    ("STACK_ENV_TOKEN", VALUE),
    ("OIDC_CLIENT_SECRET", CLIENT_SECRET),
];

/// The credentials of a person and their program, and the secrets of their sign-in.
pub(super) struct Credentials {
    pub(super) session: String,
    pub(super) token: String,
    pub(super) passing: Vec<String>,
}

/// A portal's folder, with a platform and a provider.
pub(super) struct World {
    portal_dir: PortalDir,
    platform: Platform,
    fake: FakeProvider,
    told: Vec<(String, String)>,
    /// More settings.
    more: Vec<(&'static str, String)>,
}

impl World {
    pub(super) async fn start() -> Self {
        let portal_dir = PortalDir::new();
        let platform = Platform::start_with(&portal_dir, KEY, &["--latency", "1"]);
        let fake = FakeProvider::start().await;
        Self { portal_dir, platform, fake, told: Vec::new(), more: Vec::new() }
    }

    /// Offers these templates, and gives the portal more settings.
    pub(super) fn offer(&mut self, templates: &[(&str, &str)], more: &[(&'static str, String)]) {
        let folder = self.portal_dir.path().join("catalogue");
        for (id, text) in templates {
            put(&folder, id, text);
        }
        self.more = vec![("CATALOGUE", folder.display().to_string())];
        self.more.extend_from_slice(more);
    }

    /// Waits for the end of a deployment, and keeps its events.
    pub(super) fn follow(&mut self, id: &str, by: &Credentials, end: &str) {
        let cookies = format!("__Host-session={}", by.session);
        let stream = self.ask(&format!("GET /api/status/{id}"), &[("cookie", &cookies)], "");
        assert!(stream.contains(&format!("event: {end}")), "{stream}");
    }

    /// Keeps an output.
    pub(super) fn tell(&mut self, name: &str, text: String) {
        self.told.push((name.to_owned(), text));
    }

    /// Starts a portal that deploys `image` and logs everything.
    pub(super) fn portal(&self, image: &str) -> Running {
        let mut command = self.portal_dir.command(&[]);
        let mut portal = Running::spawn(command.envs(self.variables(image)));
        portal.wait_until_ready();
        portal
    }

    /// Requests everything that operators see, and returns the page.
    pub(super) fn look_as_operator(&mut self, by: &Credentials) -> String {
        let cookies = format!("__Host-session={}", by.session);
        let page = self.ask("GET /admin", &[("cookie", &cookies)], "");
        assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
        page
    }

    /// Ends a portal, and keeps its log.
    pub(super) fn end(&mut self, portal: Running) {
        let (code, said) = portal.end_with_output();
        assert_eq!(code, Some(0), "{}", said.join("\n"));
        self.told.push((String::from("the log"), said.join("\n")));
    }

    /// Runs a command, and keeps its output.
    pub(super) fn give(&mut self, arguments: &[&str]) {
        let mut command = self.portal_dir.command(&[]);
        let command = command.envs(self.variables("sandbox/hello")).args(arguments);
        let output = command.output().unwrap();
        for bytes in [output.stdout, output.stderr] {
            self.told.push((arguments.join(" "), String::from_utf8(bytes).unwrap()));
        }
    }

    /// Signs a person in, and creates an API token for them.
    pub(super) fn sign_in(&mut self) -> Credentials {
        self.sign_in_as(&[])
    }

    /// Signs a person in who is in these groups.
    pub(super) fn sign_in_as(&mut self, groups: &[&str]) -> Credentials {
        let begun = self.ask("GET /auth/sign-in?return_to=%2F", &[], "");
        let address = line(&begun, "location: ").to_owned();
        let parameter = |name: &str| {
            let (_, rest) = address.split_once(&format!("&{name}=")).unwrap();
            rest.split('&').next().unwrap().to_owned()
        };
        let mut claims = self.fake.claims(&parameter("nonce"), SystemClock.now().as_second());
        claims["groups"] = json!(groups);
        let identity = self.fake.key.sign(&claims);
        let answer =
            json!({ "access_token": ACCESS, "token_type": "Bearer", "id_token": &identity });
        self.fake.answer(TOKENS, ResponseTemplate::new(200).set_body_json(answer));
        let state = parameter("state");
        let name = format!("__Host-sign-in-{}", &state[..12]);
        let browser = cookie(&begun, &name);
        let back = format!("GET /auth/callback?code={CODE}&state={state}");
        let arrived = self.ask(&back, &[("cookie", &format!("{name}={browser}"))], "");
        let session = cookie(&arrived, "__Host-session");
        let cookies = format!("__Host-session={session}");
        let form = "name=ci&scope=deploy&days=7";
        let made = self.ask("POST /account/tokens", &[("cookie", &cookies)], form);
        let token = cookie(&made, "__Host-token");
        // This page shows the token to its owner once, so it is not searched.
        let cookies = format!("{cookies}; __Host-token={token}");
        let (_, page) = self.exchange("GET /account", &[("cookie", &cookies)], "");
        assert!(page.contains(&token), "{page}");
        let signature = identity.rsplit('.').next().unwrap().to_owned();
        let passing = vec![browser, CODE.to_owned(), ACCESS.to_owned(), signature];
        Credentials { session, token, passing }
    }

    /// Deploys `name` as a program, and waits for the end; returns the deployment's id.
    pub(super) fn deploy(&mut self, name: &str, by: &Credentials, end: &str) -> String {
        let bearer = format!("Bearer {}", by.token);
        let headers = [("authorization", bearer.as_str())];
        let answer = self.ask("POST /api/deploy", &headers, &format!("{{\"name\":\"{name}\"}}"));
        let id = id_in(&answer, "dep_");
        let stream = self.ask(&format!("GET /api/status/{id}"), &headers, "");
        assert!(stream.contains(&format!("event: {end}")), "{stream}");
        id
    }

    /// Requests everything that the API and the pages show.
    pub(super) fn look_around(&mut self, id: &str, by: &Credentials) {
        let cookies = format!("__Host-session={}", by.session);
        let bearer = format!("Bearer {}", by.token);
        for path in ["/", "/account", "/sign-in", "/health", "/readyz", "/api/stacks"] {
            self.ask(&format!("GET {path}"), &[("cookie", &cookies)], "");
        }
        for path in ["deployments", "api/deployment", "api/status"] {
            self.ask(&format!("GET /{path}/{id}"), &[("cookie", &cookies)], "");
        }
        for path in ["/api/stacks", "/api/check/alice", "/api/stacks/alice"] {
            self.ask(&format!("GET {path}"), &[("authorization", &bearer)], "");
        }
    }

    /// Lets the container of the live stack called `name` write its secrets into its log, and reads that.
    pub(super) fn read_log(&mut self, name: &str, by: &Credentials) {
        let state = self.platform.state();
        let applications = state["applications"].as_array().unwrap();
        let own = applications.iter().find(|one| one["name"] == name).unwrap();
        let (first, second) = VALUE.split_at(9);
        let lines = [
            format!("TOKEN={VALUE}"),
            format!("{first}\u{1b}[31m{second}\u{1b}[0m"),
            format!("Authorization: Basic {}", STANDARD.encode(format!("me:{VALUE}"))),
            format!("{}{VALUE}", "x".repeat((16 << 10) - 5)),
            "what the canary wrote".to_owned(),
        ];
        let body = json!({ "service": own["appName"], "lines": lines });
        self.platform.call("POST", "/sandbox/logs", &body);
        let cookies = format!("__Host-session={}", by.session);
        for path in [format!("/api/stacks/{name}/logs"), format!("/stacks/{name}/logs")] {
            let answer = self.ask(&format!("GET {path}"), &[("cookie", &cookies)], "");
            assert!(
                answer.contains("what the canary wrote") && answer.contains("TOKEN=***"),
                "{answer}"
            );
        }
    }

    /// Sends requests that are rejected, each for another reason.
    pub(super) fn be_refused(&mut self, id: &str, by: &Credentials) {
        let cookies = format!("__Host-session={}", by.session);
        let (bearer, bad) = (format!("Bearer {}", by.token), format!("Basic {}", by.token));
        let name = "{\"name\":\"alice\"}";
        let cases: [Refused<'_>; 10] = [
            ("POST /api/deploy", &[("authorization", &bearer)], name, 409),
            ("POST /api/deploy", &[("authorization", &bearer)], "{\"name\":\"Not One\"}", 400),
            ("POST /api/deploy", &[("authorization", &bearer)], "{", 400),
            ("POST /api/deploy", &[("authorization", &bad)], name, 401),
            ("POST /api/deploy", &[], name, 401),
            (
                "POST /api/deploy",
                &[("cookie", &cookies), ("origin", "https://alice.example.com")],
                name,
                403,
            ),
            ("GET /admin", &[("cookie", &cookies)], "", 404),
            ("GET /api/nothing", &[("cookie", &cookies), ("authorization", &bearer)], "", 404),
            ("POST /account/tokens", &[("cookie", &cookies)], "name=&scope=deploy&days=7", 303),
            ("GET /auth/callback?code=canary-code-five&state=other", &[], "", 303),
        ];
        for (request, headers, body, status) in cases {
            let answer = self.ask(request, headers, body);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
        }
        let answer = self.ask(&format!("GET /deployments/{id}"), &[("accept", "text/html")], "");
        assert!(line(&answer, "location: ").starts_with("/sign-in"), "{answer}");
    }

    /// Returns what the platform stores about the application.
    pub(super) fn kept_by_the_platform(&self) -> String {
        let state = self.platform.state();
        let id = state["applications"][0]["applicationId"].as_str().unwrap();
        let path = format!("/api/application.one?applicationId={id}");
        self.platform.call("GET", &path, &Value::Null).to_string()
    }

    /// Reads every file of the portal, and returns the content of its database.
    pub(super) fn read_files(&mut self) -> String {
        let mut database = String::new();
        for file in fs::read_dir(self.portal_dir.path()).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            if path.ends_with("portal.db") {
                database.clone_from(&text);
            }
            self.told.push((path.display().to_string(), text));
        }
        database
    }

    /// Returns all outputs, each with its origin.
    pub(super) fn told(&self) -> &[(String, String)] {
        &self.told
    }

    /// Sends a request, keeps the answer without the cookies that it sets, and returns the answer.
    fn ask(&mut self, request: &str, headers: &[(&str, &str)], body: &str) -> String {
        let (name, answer) = self.exchange(request, headers, body);
        let sets = |line: &&str| line.to_ascii_lowercase().starts_with("set-cookie: ");
        let searched: Vec<_> = answer.lines().filter(|line| !sets(line)).collect();
        self.told.push((name, searched.join("\n")));
        answer
    }

    pub(super) fn exchange(
        &self,
        request: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (String, String) {
        let headers = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let form = String::from("Content-Type: application/x-www-form-urlencoded\r\n");
        let headers: String = [form].into_iter().chain(headers).collect();
        let answer = exchange(self.portal_dir.port, &self::request(request, &headers, body));
        (request.to_owned(), answer)
    }

    fn variables(&self, image: &str) -> Vec<(&'static str, String)> {
        let own = |(name, value): &(&'static str, &str)| match *name {
            "PORTAL_SECRET_KEY" => (*name, STANDARD.encode(value)),
            _ => (*name, (*value).to_owned()),
        };
        let mut variables = self.fake.variables();
        variables.extend(SECRETS.iter().map(own));
        variables.extend(self.platform.variables());
        variables.extend([
            ("RUST_LOG", String::from("trace")),
            ("STACK_REGISTRY_URL", String::from("registry.example.com")),
            ("STACK_REGISTRY_USER", String::from("puller")),
            ("STACK_IMAGE", image.to_owned()),
        ]);
        variables.extend(self.more.iter().cloned());
        variables
    }
}

/// A request with its headers and its body, and the status of its answer.
type Refused<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, u16);

/// Returns the value of the header `head` of an answer.
pub(super) fn line<'a>(answer: &'a str, head: &str) -> &'a str {
    let mut lines = answer.lines().filter_map(|line| line.strip_prefix(head));
    lines.next().unwrap_or_else(|| panic!("no {head:?} in {answer}"))
}

/// Returns the cookie called `name` that an answer sets.
pub(super) fn cookie(answer: &str, name: &str) -> String {
    let pair = line(answer, &format!("set-cookie: {name}="));
    pair.split(';').next().unwrap().to_owned()
}
