//! A store with many deployments that have ended, beside one with none of them.

use std::path::Path;
use std::time::{Duration, Instant};

use ai_stack_deployer::server::auth::access::Role;
use anyhow::{Context, ensure};
use dokploy_sandbox::Timing;

use super::Effort;
use super::connection::{Connection, get_with};
use super::database::Database;
use super::figure::{Figure, Unit};
use super::home::Home;
use super::people::{self, Person, SIGN_IN};
use super::platform::Platform;
use super::process::missing;
use super::running::Running;
use super::sample::Sample;
use super::support::postgres::Cluster;

/// The number of live stacks in either store.
const LIVE: u32 = 100;
/// A platform whose first job takes longer than a measurement: nothing is finished meanwhile.
const ENDLESS: Duration = Duration::from_hours(1);
/// How often each portal is started, and how often operations are claimed.
const ROUNDS: u32 = 5;
/// Limits that are looked at for each start, and not reached.
const LIMITS: [(&str, &str); 5] = [
    ("DEPLOY_RATE_LIMIT", "100000"),
    ("STACKS_PER_PERSON", "100000"),
    ("DEPLOYMENTS_PER_PERSON", "100000"),
    ("DEPLOYMENTS_PER_HOUR", "100000"),
    ("DEPLOYMENTS_IN_ALL", "100000"),
];
/// Stacks with one deployment each that is `{state}`. `{id}`, `{stack}` and `{series}` differ between the
/// databases, and each stack began a minute before the one with the next smaller number.
const FILL: &str = r#"
    INSERT INTO stacks (stack, name, host, url, owner, counted_as, created_ms, live_ms, gone_ms)
    SELECT {stack}, '{name}-' || i, 'h', 'u', {owner}, {owner}, {now} - i * 60000,
           {now} - i * 60000 + 5000, {gone}
    FROM {series};
    INSERT INTO operations (id, stack, state, seq, started_ms, completed_ms, released_ms, kind)
    SELECT {id}, {stack}, '{state}', 3, {now} - i * 60000, {now} - i * 60000 + 5000, {gone},
           'deploy'
    FROM {series};
    INSERT INTO events (deployment_id, seq, name, data)
    SELECT {id}, e.seq, CASE WHEN e.seq = 3 THEN 'complete' ELSE 'progress' END,
           CASE WHEN e.seq = 3 THEN '{"url":"http://a.localhost","status":"ready","resources":{"projectId":null,"environmentId":null,"applicationId":null,"domainId":null},"duration":1.25}'
           ELSE '{"phase":"creating_project","status":"in_progress","progress":10,"message":"Creating the project","currentStep":"Creating the project","resources":{"projectId":null,"environmentId":null,"applicationId":null,"domainId":null},"at":"2026-11-23T09:55:24.515Z","seq":2}' END
    FROM {series}, (SELECT 1 AS seq UNION ALL SELECT 2 UNION ALL SELECT 3) AS e;
    INSERT INTO services (deployment_id, app_name) SELECT {id}, {id} FROM {series};
    INSERT INTO steps (deployment_id, step, record)
    SELECT {id}, s.step, '{"state":"succeeded","output":null,"doubtful":false}'
    FROM {series}, (SELECT 'project' AS step UNION ALL SELECT 'application') AS s;
"#;
/// What is measured, and what it is.
const ASKED: [(&str, &str); 4] = [
    ("POST /api/deploy", ""),
    ("page of a deployment", "/deployments/dep_90000000000000000000000000000001"),
    ("list of stacks", "/api/stacks"),
    ("operators' page", "/admin"),
];

/// A store and what was measured with it.
struct Side {
    home: Home,
    /// One for all portals, since a deployment that another one does not know comes to an end.
    platform: Platform,
    person: Person,
    starts: Sample,
    claims: Sample,
    asked: [Sample; 4],
    /// The number of deployments under way.
    under_way: u32,
}

/// Measures on SQLite and on PostgreSQL.
pub(crate) async fn measure(
    binary: &Path,
    effort: Effort,
    cluster: &Result<Cluster, String>,
) -> anyhow::Result<Vec<Figure>> {
    let name = "start-up, many ended";
    if let Some(reason) = missing(binary) {
        return Ok(vec![Figure::skipped(name, Unit::Milliseconds, reason)]);
    }
    let mut figures = of_store(binary, effort, None, "SQLite").await?;
    match cluster {
        Ok(cluster) => figures.extend(of_store(binary, effort, Some(cluster), "PostgreSQL").await?),
        Err(reason) => {
            figures.push(Figure::skipped(
                format!("{name}, PostgreSQL"),
                Unit::Milliseconds,
                reason.clone(),
            ));
        }
    }
    Ok(figures)
}

async fn of_store(
    binary: &Path,
    effort: Effort,
    cluster: Option<&Cluster>,
    store: &str,
) -> anyhow::Result<Vec<Figure>> {
    let mut large = Side::new(binary, cluster, effort.ended).await?;
    let mut small = Side::new(binary, cluster, 0).await?;
    for round in 0..ROUNDS {
        for side in [&mut large, &mut small] {
            side.ask(round, effort.requests).await?;
        }
    }
    for round in 0..ROUNDS {
        for side in [&mut large, &mut small] {
            let later = Duration::from_hours(2) * (round + 1);
            let count = usize::try_from(side.under_way)?;
            let took = side.home.database.claims_after(count, later).await?;
            side.claims.push_ms(took, Duration::ZERO);
        }
    }
    let figure = |what: &str, large: &Sample, small: &Sample| {
        Figure::median(format!("{what}, many ended, {store}"), Unit::Milliseconds, large)
            .baseline(small.median())
            .at_most(1.2)
    };
    let asked = ASKED.iter().zip(large.asked.iter().zip(&small.asked));
    let mut figures = vec![
        figure("start-up", &large.starts, &small.starts).note(format!(
            "{} deployments have ended and {LIVE} stacks are live. Baseline: only the live ones.",
            effort.ended
        )),
        figure("claim", &large.claims, &small.claims)
            .note(format!("Of {} deployments at once, by the store alone.", large.under_way)),
    ];
    figures.extend(asked.map(|((what, path), (large, small))| {
        figure(what, large, small).note(format!("{path} One request after the other.").trim())
    }));
    for side in [large, small] {
        side.platform.end().await;
    }
    Ok(figures)
}

impl Side {
    /// Makes a store with the live stacks, and `ended` deployments of which nothing is left.
    async fn new(binary: &Path, cluster: Option<&Cluster>, ended: u32) -> anyhow::Result<Self> {
        let home = Home::new(binary, cluster)?;
        let platform = endless().await?;
        // Makes the tables.
        drop(start(&home, &platform).await?);
        let person = people::add(&home.database, Role::Operator).await?;
        home.database.execute(fill(&home.database, "live", LIVE, 9, person.owner.as_str())).await?;
        let fill = fill(&home.database, "rolled_back", ended, 8, person.owner.as_str());
        home.database.execute(fill).await?;
        home.database.execute(String::from("ANALYZE")).await?;
        let (starts, claims, asked) = <(Sample, Sample, [Sample; 4])>::default();
        Ok(Self { home, platform, person, starts, claims, asked, under_way: 0 })
    }

    /// Starts a portal and asks it for everything several times.
    async fn ask(&mut self, round: u32, requests: u32) -> anyhow::Result<()> {
        let (portal, took) = start(&self.home, &self.platform).await?;
        self.starts.push_ms(took, Duration::ZERO);
        let mut connection = Connection::open(portal.addr()).await?;
        for number in 0..requests.div_ceil(ROUNDS) {
            for ((_, path), sample) in ASKED.iter().zip(&mut self.asked) {
                let request = match *path {
                    "" => deploy(&format!("new-{round}-{number}"), &self.person.token),
                    path => get_with(path, &self.person.session),
                };
                let begun = Instant::now();
                let (status, body) = connection.exchange(&request).await?;
                let took = begun.elapsed();
                let body = String::from_utf8_lossy(body);
                ensure!((200..300).contains(&status), "{path} is answered with {status}: {body}");
                sample.push_ms(took, Duration::ZERO);
            }
            self.under_way += 1;
        }
        portal.kill().context("while it was asked")
    }
}

async fn endless() -> anyhow::Result<Platform> {
    Platform::start(Timing { job: ENDLESS, ..Timing::default() }).await
}

async fn start(home: &Home, platform: &Platform) -> anyhow::Result<(Running, Duration)> {
    let more = SIGN_IN.into_iter().chain(LIMITS).map(|(name, value)| (name, value.to_owned()));
    Running::start(home.portal(platform.variables().into_iter().chain(more))).await
}

fn deploy(name: &str, fields: &str) -> Vec<u8> {
    let body = format!("{{\"name\":\"{name}\"}}");
    let length = body.len();
    format!(
        "POST /api/deploy HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}Content-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Returns the statements that add `count` stacks. Their ids begin with the digit `first`. One in a
/// hundred belongs to `owner`.
fn fill(database: &Database, state: &str, count: u32, first: u32, owner: &str) -> String {
    let (series, id, now) = match database {
        Database::Sqlite(_) => (
            format!(
                "(WITH RECURSIVE n(i) AS (SELECT 1 WHERE {count} > 0 UNION ALL
                  SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n) AS n"
            ),
            "substr('0000000000000000000000000000000' || i, -31)",
            "(unixepoch() * 1000)",
        ),
        Database::Postgres(_) => (
            format!("(SELECT i FROM generate_series(1, {count}) AS i) AS n"),
            "lpad(i::text, 31, '0')",
            "(extract(epoch FROM now()) * 1000)::bigint",
        ),
    };
    let gone = if state == "live" { "NULL" } else { "{now} - i * 60000 + 6000" };
    let owner = format!("CASE WHEN i % 100 = 0 THEN '{owner}' ELSE 'person:p' || (i % 100) END");
    FILL.replace("{series}", &series)
        .replace("{state}", state)
        // A name of a stack has no underscore.
        .replace("{name}", &state.replace('_', "-"))
        .replace("{owner}", &owner)
        .replace("{gone}", gone)
        .replace("{id}", &format!("'dep_{first}' || {id}"))
        .replace("{stack}", &format!("'stk_{first}' || {id}"))
        .replace("{now}", now)
}
